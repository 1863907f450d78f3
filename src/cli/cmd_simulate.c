/* cmd_simulate.c - `simulate`: the schedule of a job on a virtual clock, for one setting or
 * several. */
#include "cli/program.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORKERS 1024
#define MAX_IN_FLIGHT 1000000
#define MAX_VALUES 64 /* of -j, of --in-flight */

typedef struct Values {
    uint32_t n;
    uint32_t v[MAX_VALUES];
} Values;

/* `1,2,4`; *word: what one of them may be beside a number, NULL: nothing. Not given: one 0. */
static bool values_read(const Term *t, const char *option, const char *text, uint32_t max,
                        const char *word, Values *out)
{
    *out = (Values){.n = 1};
    if (!text)
        return true;
    out->n = 0;
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        uint64_t v = 0;
        size_t k = 0;
        for (; k < len && at[k] >= '0' && at[k] <= '9' && v <= max; k++)
            v = v * 10 + (uint64_t)(at[k] - '0');
        bool is_word = word && strlen(word) == len && strncmp(at, word, len) == 0;
        if (is_word)
            v = FORECAST_UNBOUNDED;
        else if (k < len || v < 1 || v > max) {
            complain(t, (Str){0}, "`%s` takes whole numbers from 1 to %u%s%s%s, not `%s`", option,
                     max, word ? ", or `" : "", word ? word : "",
                     word ? "`, with commas between them" : ", with commas between them", text);
            return false;
        }
        if (out->n == MAX_VALUES) {
            complain(t, (Str){0}, "`%s` takes at most %u values", option, MAX_VALUES);
            return false;
        }
        out->v[out->n++] = (uint32_t)v;
        at += len;
        if (!*at)
            return true;
    }
}

/* The first line of the text is the message, the rest the help. */
static int wrong(const Term *t, const char *text)
{
    size_t len = strcspn(text, "\n");
    complain(t, str_of(text[len] ? text + len + 1 : ""), "%.*s", (int)len, text);
    return EXIT_USAGE;
}

/* Both or neither of what times can come from; a chart of many settings. */
static int options_check(const Args *a, const Term *t, uint64_t n_settings)
{
    if (a->has[OPT_DURATIONS] && a->has[OPT_FROM])
        return wrong(t, "times come either from `--durations` or from `--from`\n"
                        "leave one of them out");
    if (!a->has[OPT_DURATIONS] && !a->has[OPT_FROM])
        return wrong(t, "nothing says how long steps take\n"
                        "add `--durations NAME=TIME,...`, or `--from TRACE` of a run");
    if (a->has[OPT_JSON] && a->has[OPT_GANTT_FORMAT])
        return wrong(t, "`--json` is the table, `--format` the chart\nleave one of them out");
    if (n_settings > 1 && a->has[OPT_GANTT_FORMAT])
        return wrong(t, "a chart is of one setting\n"
                        "give one value of `-j` and one of `--in-flight`, or leave out `--format`");
    return EXIT_OK;
}

static void put_chart(const Args *a, const Term *t, MillSim *s, const MillSimSetting *setting,
                      Buf *out)
{
    Forecast f;
    Recording *r = NULL;
    mill_sim_go(s, setting, &f, &r);
    cli_draw(a, t, r, out);
    recording_free(r);
    if (a->number[OPT_GANTT_FORMAT] != GANTT_TEXT)
        return;
    buf_putc(out, '\n');
    forecast_put_table(&f, 1, out);
}

static void put_table(const Args *a, const Mill *m, uint32_t job, MillSim *s,
                      const Values *workers, const Values *in_flight, Buf *out)
{
    uint32_t n = 0;
    Forecast *f = xcalloc((size_t)workers->n * in_flight->n, sizeof *f);
    for (uint32_t i = 0; i < workers->n; i++)
        for (uint32_t k = 0; k < in_flight->n; k++) {
            const MillSimSetting setting = {workers->v[i], in_flight->v[k]};
            mill_sim_go(s, &setting, &f[n++], NULL);
        }
    if (a->has[OPT_JSON])
        forecast_put_json(f, n, mill_sim_file(s), mill_job(m, job), out);
    else
        forecast_put_table(f, n, out);
    free(f);
}

/* NULL where the option was not given; empty where it was, with nothing. */
static Str option_text(const Args *a, OptId option)
{
    const char *text = a->text[option];
    return text ? str_of(text) : (Str){0};
}

static int simulate(const Args *a, const Term *t, Mill *m, uint32_t job, const Recording *from)
{
    Values workers, in_flight;
    MillSim *s = NULL;
    Error err = {0};
    Buf out = {0};
    if (!values_read(t, "-j", a->text[OPT_SIM_WORKERS], MAX_WORKERS, NULL, &workers) ||
        !values_read(t, "--in-flight", a->text[OPT_IN_FLIGHT], MAX_IN_FLIGHT, "unbounded",
                     &in_flight))
        return EXIT_USAGE;
    int status = options_check(a, t, (uint64_t)workers.n * in_flight.n);
    if (status != EXIT_OK)
        return status;
    const MillSimOptions options = {.from = from,
                                    .durations = option_text(a, OPT_DURATIONS),
                                    .batches = option_text(a, OPT_BATCHES),
                                    .priorities = option_text(a, OPT_PRIORITY),
                                    .n_processors = (uint32_t)a->number[OPT_PROCESSORS],
                                    .seed = a->number[OPT_SIM_SEED]};
    if (mill_sim_open(m, job, &options, &s, &err) != OK)
        return wrong(t, err.text);
    bool is_chart = workers.n * in_flight.n == 1 && !a->has[OPT_JSON];
    bool is_text = !a->has[OPT_JSON] && a->number[OPT_GANTT_FORMAT] == GANTT_TEXT;
    if (is_chart) {
        const MillSimSetting setting = {workers.v[0], in_flight.v[0]};
        put_chart(a, t, s, &setting, &out);
    } else {
        put_table(a, m, job, s, &workers, &in_flight, &out);
    }
    if (is_text && !a->has[OPT_QUIET]) {
        buf_putc(&out, '\n');
        mill_sim_put_notes(s, &out);
    }
    status = cli_output(a, t, buf_str(&out));
    buf_deinit(&out);
    mill_sim_close(s);
    return status;
}

int cmd_simulate(const Args *a, const Term *t)
{
    Mill *m = NULL;
    Recording *from = NULL;
    uint32_t job;
    int status = cli_open_job(a, t, &m, &job);
    if (status != EXIT_OK)
        return status;
    if (a->has[OPT_FROM] && !a->has[OPT_DURATIONS])
        status = cli_read_trace(t, a->text[OPT_FROM], &from);
    if (status == EXIT_OK)
        status = simulate(a, t, m, job, from);
    recording_free(from);
    mill_close(m);
    return status;
}
