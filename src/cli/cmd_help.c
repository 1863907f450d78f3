/* cmd_help.c - `help` and `explain`. */
#include "cli/opt.h"

#include <string.h>

#include "api/help.h"
#include "base/diag.h"
#include "base/suggest.h"
#include "cli/complete.h"

static void put_overview(Buf *out)
{
    const char *what, *name;
    buf_puts(out, "pipemill runs .pipe programs: pipelines over batches of rows.\n\nCommands:\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        buf_printf(out, "  %-12s %s\n", command_get(i)->name, command_get(i)->doc);
    buf_puts(out, "\nTopics:\n");
    for (uint32_t i = 0; (name = help_topic_name(i, &what)); i++)
        buf_printf(out, "  %-12s %s\n", name, what);
    buf_puts(out, "\n`pipemill help TOPIC` also takes a command, a statement, a function or an "
                  "annotation.\n"
                  "\nExamples:\n"
                  "  pipemill run examples/pokemon.pipe prio_dynamic --gantt\n"
                  "  pipemill help statements\n"
                  "  pipemill help split_part\n");
}

static void offer(void *ctx, Str name)
{
    suggest_offer(ctx, name);
}

static bool put_command(Buf *out, const char *name)
{
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(command_get(i)->name, name) == 0) {
            command_help(out, command_get(i));
            return true;
        }
    return false;
}

int cmd_help(const Args *a, const Term *t)
{
    Buf out = {0};
    int status = EXIT_USAGE;
    Buf words = {0}; /* `help group by` */
    for (size_t i = 0; i < a->operands.n; i++)
        buf_printf(&words, "%s%s", i ? " " : "", a->operands.ptr[i]);
    const char *topic = words.ptr;
    if (a->has[OPT_MAN])
        man_put(&out);
    else if (!topic)
        put_overview(&out);
    else if (!put_command(&out, topic) && !help_put(&out, str_of(topic)) && !option_help(&out, topic)) {
        Suggest near;
        suggest_init(&near, str_of(topic));
        for (uint32_t i = 0; i < N_COMMANDS; i++)
            suggest_offer(&near, str_of(command_get(i)->name));
        help_each_name(&near, offer);
        complain_near(t, near.best, "`pipemill help` lists the topics",
                      "there is no help on `%s`", topic);
        buf_deinit(&words);
        return EXIT_USAGE;
    }
    status = put_out(t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
    buf_deinit(&out);
    buf_deinit(&words);
    return status;
}

/* A program, indented. */
static void put_program(Buf *out, const char *text)
{
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "%s%.*s\n", len ? "  " : "", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

int cmd_explain(const Args *a, const Term *t)
{
    DiagCode code;
    if (a->operands.n != 1) {
        complain(t, STR_LIT("pipemill explain E0003"),
                 "`explain` takes the code of a message");
        return EXIT_USAGE;
    }
    const char *name = a->operands.ptr[0];
    if (!diag_code_by_name(str_of(name), &code)) {
        complain(t, STR_LIT("codes stand in brackets in a message: `error[E0003]: ...`"),
                 "there is no message with the code `%s`", name);
        return EXIT_USAGE;
    }
    const DiagInfo *info = diag_info(code);
    bool is_error = info->severity == SEV_ERROR;
    Buf out = {0};
    buf_printf(&out, "%c%04u: %s\n", is_error ? 'E' : 'W', info->number, info->title);
    buf_puts(&out, is_error ? "\nWrong:\n\n" : "\nGives the warning:\n\n");
    put_program(&out, info->wrong);
    buf_puts(&out, is_error ? "\nRight:\n\n" : "\nDoes not:\n\n");
    put_program(&out, info->right);
    int status = put_out(t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
    buf_deinit(&out);
    return status;
}
