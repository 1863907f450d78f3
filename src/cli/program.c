#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag_text.h"
#include "base/suggest.h"

int cli_failed(const Term *t, const Error *err)
{
    int len = (int)strcspn(err->text, "\n");
    complain(t, str_of(err->text[len] ? err->text + len + 1 : ""), "%.*s", len, err->text); /* what to do about it */
    return EXIT_FAILED;
}

int cli_operands(const Args *a, const Term *t, const char **path, const char **job)
{
    bool has_flow = a->has[OPT_EXPR];
    size_t max = has_flow ? 0 : 2;
    Buf help = {0};
    int status = EXIT_OK;
    const char *name = a->command->name;
    buf_printf(&help, "pipemill %s FILE [JOB], or pipemill %s -e FLOW", name, name);
    if (a->operands.n > max) {
        if (has_flow)
            complain(t, buf_str(&help), "`-e` is the whole program: `%s` is one too many",
                     a->operands.ptr[0]);
        else
            complain(t, buf_str(&help), "`%s` is one too many", a->operands.ptr[max]);
        status = EXIT_USAGE;
    } else if (!has_flow && a->operands.n == 0) {
        complain(t, buf_str(&help), "`%s` needs a program", name);
        status = EXIT_USAGE;
    } else {
        *path = has_flow ? NULL : a->operands.ptr[0];
        *job = a->operands.n > 1 ? a->operands.ptr[1] : NULL;
    }
    buf_deinit(&help);
    return status;
}

static int set_param(const Term *t, Mill *m, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set) {
        complain(t, STR_LIT("--set NAME=VALUE"), "`--set %s` has no %s", set, equals ? "name" : "`=`");
        return EXIT_USAGE;
    }
    Str name = {set, (uint32_t)(equals - set)};
    Buf why = {0};
    int status = EXIT_USAGE;
    switch (mill_set(m, name, str_of(equals + 1), &why)) {
    case MILL_SET:
        status = EXIT_OK;
        break;
    case MILL_SET_BAD_VALUE:
        complain(t, (Str){0}, "`%.*s` is %s, not `%s`", STR_ARG(name), why.ptr, equals + 1);
        break;
    case MILL_SET_UNKNOWN: {
        Suggest near;
        suggest_init(&near, name);
        buf_puts(&why, mill_n_params(m) ? "its params are " : "it declares no param at all");
        for (uint32_t i = 0; i < mill_n_params(m); i++) {
            suggest_offer(&near, mill_param(m, i));
            buf_printf(&why, "%s`%.*s`", i ? ", " : "", STR_ARG(mill_param(m, i)));
        }
        complain_near(t, near.best, why.ptr, "the program has no param `%.*s`", STR_ARG(name));
        break;
    }
    }
    buf_deinit(&why);
    return status;
}

static int load(const Args *a, const Term *t, const char *path, const Str *text, Mill **out)
{
    const MillOptions options = {.refuses_stdin = t->in_is_tty,
                                 .only_parses = a->number[OPT_DUMP_FORMAT] == MILL_AST ||
                                                 a->command->run == cmd_fmt,
                                 .memory_bytes = a->number[OPT_MEMORY],
                                 .forbids_exec = a->has[OPT_NO_EXEC],
                                 .prints_loose_ends = !path,
                                 .has_now = a->has[OPT_NOW],
                                 .now_us = (int64_t)a->number[OPT_NOW]};
    Error err = {0};
    int status = EXIT_OK;
    Mill *m = mill_open(&options);
    Status st;
    if (!path)
        st = mill_load_flow(m, text ? *text : str_of(a->text[OPT_EXPR]), &err);
    else
        st = text ? mill_load_text(m, path, *text, &err) : mill_load(m, path, &err);
    if (st != OK) {
        complain(t, (Str){0}, "%s", err.text);
        status = EXIT_USAGE;
    }
    for (size_t i = 0; i < a->sets.n && status == EXIT_OK; i++)
        status = set_param(t, m, a->sets.ptr[i]);
    if (status == EXIT_OK)
        *out = m;
    else
        mill_close(m);
    return status;
}

int cli_load(const Args *a, const Term *t, const char *path, Mill **out)
{
    if (path && strcmp(path, "-") == 0 && t->in_is_tty) {
        complain(t, STR_LIT("name a file, or pipe the program in"),
                 "the program is to come from stdin, which is a terminal");
        return EXIT_USAGE;
    }
    return load(a, t, path, NULL, out);
}

int cli_load_text(const Args *a, const Term *t, const char *path, Str text, Mill **out)
{
    return load(a, t, path, &text, out);
}

int cli_job(const Args *a, const Term *t, const Mill *m, const char *name, uint32_t *job)
{
    uint32_t n = mill_n_jobs(m);
    int32_t found = name ? mill_find_job(m, str_of(name)) : n == 1 ? 0 : -1;
    if (found >= 0) {
        *job = (uint32_t)found;
        return EXIT_OK;
    }
    if (mill_diags(m)->n_errors) /* the job may be what did not read */
        return cli_report(a, t, m);
    const char *file = a->operands.n ? a->operands.ptr[0] : "-e";
    Suggest near;
    Buf jobs = {0};
    suggest_init(&near, str_of(name));
    for (uint32_t i = 0; i < n; i++) {
        suggest_offer(&near, mill_job(m, i));
        buf_printf(&jobs, "%s%.*s", i ? ", " : "its jobs: ", STR_ARG(mill_job(m, i)));
    }
    if (n == 0)
        complain(t, (Str){0}, "%s has no job", file);
    else if (name)
        complain_near(t, near.best, jobs.ptr, "%s has no job `%s`", file, name);
    else {
        complain(t, (Str){0}, "%s has %u jobs: say which", file, n);
        Buf list = {0};
        for (uint32_t i = 0; i < n; i++)
            buf_printf(&list, "  pipemill %s %s %.*s\n", a->command->name, file,
                       STR_ARG(mill_job(m, i)));
        put_err(buf_str(&list));
        buf_deinit(&list);
    }
    buf_deinit(&jobs);
    return EXIT_USAGE;
}

int cli_report(const Args *a, const Term *t, const Mill *m)
{
    const Diags *ds = mill_diags(m);
    Buf out = {0};
    if (ds->n_errors || !a->has[OPT_QUIET])
        switch ((ErrorFormat)a->number[OPT_ERROR_FORMAT]) {
        case ERROR_HUMAN:
            diags_put_human(&out, ds, mill_sources(m), t->err_has_color);
            break;
        case ERROR_SHORT:
            diags_put_short(&out, ds, mill_sources(m));
            break;
        case ERROR_JSON:
            diags_put_json(&out, ds, mill_sources(m));
            break;
        }
    put_err(buf_str(&out));
    buf_deinit(&out);
    return ds->n_errors ? EXIT_MISTAKES : EXIT_OK;
}

int cli_plan(const Args *a, const Term *t, Mill *m, uint32_t job)
{
    mill_plan(m, job);
    mill_tell_behind(m, (int32_t)job);
    if (t->in_is_tty && mill_wants_stdin(m)) {
        complain(t, STR_LIT("pipe something in: `... | pipemill ...`, or `< FILE`"),
                 "the program reads stdin, which is a terminal");
        return EXIT_USAGE;
    }
    return cli_report(a, t, m);
}

int cli_open_job(const Args *a, const Term *t, Mill **out, uint32_t *job)
{
    const char *path, *name;
    Mill *m = NULL;
    int status = cli_operands(a, t, &path, &name);
    if (status == EXIT_OK)
        status = cli_load(a, t, path, &m);
    if (status != EXIT_OK)
        return status;
    status = cli_job(a, t, m, name, job);
    if (status == EXIT_OK)
        status = cli_plan(a, t, m, *job);
    if (status != EXIT_OK) {
        mill_close(m);
        m = NULL;
    }
    *out = m;
    return status;
}

static bool read_all(const Term *t, const char *path, Buf *out)
{
    char chunk[1 << 14];
    size_t n;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    bool ok = f != NULL;
    while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_put(out, chunk, n);
    if (f && ferror(f))
        ok = false;
    if (!ok)
        complain(t, (Str){0}, "cannot read %s: %s", path, strerror(errno));
    if (f && !is_stdin)
        fclose(f);
    return ok;
}

int cli_read_trace(const Term *t, const char *path, Recording **out)
{
    Buf text = {0};
    Error err = {0};
    int status = EXIT_USAGE;
    if (strcmp(path, "-") == 0 && t->in_is_tty) {
        complain(t, (Str){0}, "the trace is to come from stdin, which is a terminal");
        return EXIT_USAGE;
    }
    if (!read_all(t, path, &text))
        goto done;
    if (trace_read_json(buf_str(&text), out, &err) == OK)
        status = EXIT_OK;
    else
        complain(t, STR_LIT(WRITES_A_TRACE), "%s: %s", path, err.text);
done:
    buf_deinit(&text);
    return status;
}

void cli_draw(const Args *a, const Term *t, const Recording *r, Buf *out)
{
    bool to_file = a->has[OPT_OUTPUT];
    const GanttTextOptions text = {.width = t->width, .is_ascii = !t->is_utf8,
                                   .has_color = t->out_has_color && !to_file};
    const GanttSvgOptions svg = {0};
    switch ((GanttFormat)a->number[OPT_GANTT_FORMAT]) {
    case GANTT_TEXT:
        gantt_text(r, &text, out);
        break;
    case GANTT_SVG:
        gantt_svg(r, &svg, out);
        break;
    case GANTT_CHROME:
        trace_write_json(r, out);
        break;
    }
}

int cli_output(const Args *a, const Term *t, Str text)
{
    const char *path = a->text[OPT_OUTPUT];
    if (!path || strcmp(path, "-") == 0)
        return put_out(t, text) ? EXIT_OK : EXIT_FAILED;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(text.ptr ? text.ptr : "", 1, text.len, f) == text.len;
    if (f && fclose(f) != 0)
        ok = false;
    if (ok)
        return EXIT_OK;
    complain(t, (Str){0}, "cannot write `%s`: %s", path, strerror(errno));
    return EXIT_FAILED;
}
