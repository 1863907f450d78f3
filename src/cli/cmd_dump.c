/* cmd_dump.c - `dump` and `plan`: what a program is made into. */
#include "cli/program.h"

static uint32_t workers(const Args *a)
{
    return (uint32_t)a->number[OPT_WORKERS];
}

/* Jobs [from, to), which are planned and sound. */
static int dump_jobs(const Args *a, const Term *t, Mill *m, uint32_t from, uint32_t to)
{
    MillFormat format = (MillFormat)a->number[OPT_DUMP_FORMAT];
    bool is_array = format == MILL_JSON && to - from != 1;
    Buf out = {0};
    Error err = {0};
    int status = EXIT_OK;
    if (is_array)
        buf_puts(&out, "[\n");
    for (uint32_t i = from; i < to && status == EXIT_OK; i++) {
        if (i > from)
            buf_puts(&out, is_array ? ",\n" : "\n");
        if (format == MILL_BYTECODE && to - from > 1)
            buf_printf(&out, "job %.*s\n\n", STR_ARG(mill_job(m, i)));
        if (mill_dump(m, i, format, workers(a), &out, &err) != OK)
            status = cli_failed(t, &err);
        if (is_array && out.len && out.ptr[out.len - 1] == '\n')
            out.ptr[--out.len] = '\0';
    }
    if (is_array)
        buf_puts(&out, "\n]\n");
    if (status == EXIT_OK)
        status = cli_output(a, t, buf_str(&out));
    buf_deinit(&out);
    return status;
}

static int dump_tree(const Args *a, const Term *t, Mill *m)
{
    Buf out = {0};
    Error err = {0};
    mill_dump(m, 0, MILL_AST, 0, &out, &err);
    int status = cli_output(a, t, buf_str(&out));
    buf_deinit(&out);
    int mistakes = cli_report(a, t, m);
    return status != EXIT_OK ? status : mistakes;
}

int cmd_dump(const Args *a, const Term *t)
{
    const char *path, *name;
    Mill *m = NULL;
    uint32_t from = 0, to = 0;
    int status = cli_operands(a, t, &path, &name);
    if (status == EXIT_OK)
        status = cli_load(a, t, path, &m);
    if (status != EXIT_OK)
        return status;
    if (a->number[OPT_DUMP_FORMAT] == MILL_AST) {
        status = dump_tree(a, t, m);
        goto done;
    }
    if (name || mill_n_jobs(m) < 2) {
        status = cli_job(a, t, m, name, &from);
        to = from + 1;
    } else {
        to = mill_n_jobs(m);
    }
    for (uint32_t i = from; i + 1 < to && status == EXIT_OK; i++)
        mill_plan(m, i);
    if (status == EXIT_OK)
        status = cli_plan(a, t, m, to - 1);
    if (status == EXIT_OK)
        status = dump_jobs(a, t, m, from, to);
done:
    mill_close(m);
    return status;
}

int cmd_plan(const Args *a, const Term *t)
{
    Mill *m = NULL;
    uint32_t job;
    Buf out = {0};
    int status = cli_open_job(a, t, &m, &job);
    if (status != EXIT_OK)
        return status;
    mill_print_plan(m, job, workers(a), &out);
    status = put_out(t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
    buf_deinit(&out);
    mill_close(m);
    return status;
}
