#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag_text.h"
#include "base/text_diff.h"

/* ---- --fix and --diff ---- */

#define MAX_SHOWN 60 /* bytes of a changed text in a line of the report */

static void put_code(Buf *out, Str s)
{
    Str cut = str_slice(s, 0, MAX_SHOWN);
    buf_putc(out, '`');
    buf_put_visible(out, cut);
    buf_puts(out, cut.len < s.len ? "...`" : "`");
}

/* "a.pipe:2:12: `=` becomes `==` (E0013)" */
static void put_change(Buf *out, const char *name, const MillChange *c)
{
    buf_printf(out, "%s:%u:%u: ", name, c->line, c->col);
    if (c->from.len)
        put_code(out, c->from);
    if (c->from.len && c->to.len)
        buf_puts(out, " becomes ");
    if (c->to.len)
        put_code(out, c->to);
    buf_printf(out, "%s (E%04u)\n", !c->to.len ? " is taken out" : !c->from.len ? " is put in" : "",
               diag_info(c->code)->number);
}

static int put_fixed(const Args *a, const Term *t, const char *path, const MillFixed *f)
{
    if (a->has[OPT_DIFF])
        return EXIT_OK;
    if (!path || strcmp(path, "-") == 0)
        return put_out(t, f->text) ? EXIT_OK : EXIT_FAILED;
    if (f->n == 0)
        return EXIT_OK;
    if (access(path, W_OK) != 0) {
        complain(t, (Str){0}, "cannot write `%s`: %s", path, strerror(errno));
        return EXIT_FAILED;
    }
    Error err = {0};
    Buf text = {0};
    buf_put_str(&text, f->text);
    Status st = mill_replace_file(path, &text, &err);
    buf_deinit(&text);
    return st == OK ? EXIT_OK : cli_failed(t, &err);
}

/* Mends what can be mended and opens the result in place of *m. */
static int fix_program(const Args *a, const Term *t, const char *path, Mill **m)
{
    const char *name = !path ? "-e" : strcmp(path, "-") == 0 ? "stdin" : path;
    MillFixed fixed;
    Buf out = {0};
    mill_fix(*m, &fixed);
    if (a->has[OPT_DIFF])
        text_diff(&out, mill_text(*m), fixed.text, name, name);
    int status = put_out(t, buf_str(&out)) ? put_fixed(a, t, path, &fixed) : EXIT_FAILED;
    buf_clear(&out);
    for (uint32_t i = 0; i < fixed.n && status == EXIT_OK && !a->has[OPT_DIFF]; i++)
        put_change(&out, name, &fixed.changes[i]);
    if (!a->has[OPT_QUIET] && a->number[OPT_ERROR_FORMAT] != ERROR_JSON)
        put_err(buf_str(&out));
    buf_deinit(&out);
    if (status == EXIT_OK && fixed.n && !a->has[OPT_DIFF]) {
        Mill *again = NULL;
        status = cli_load_text(a, t, path, fixed.text, &again);
        mill_close(*m);
        *m = again;
        if (status == EXIT_OK)
            mill_check(*m);
        if (status == EXIT_OK)
            mill_tell_behind(*m, -1);
    }
    mill_fixed_deinit(&fixed);
    return status;
}

/* One file of several, or the flow of -e when path is NULL; its exit status. */
static int check_one(const Args *a, const Term *t, const char *path)
{
    const char *name = path ? path : "-e";
    Mill *m = NULL;
    int status = cli_load(a, t, path, &m);
    if (status != EXIT_OK)
        return status;
    mill_check(m);
    mill_tell_behind(m, -1);
    if (t->in_is_tty && mill_wants_stdin(m)) {
        complain(t, STR_LIT("give it an example: `pipemill check FILE < example.csv`"),
                 "%s reads stdin, which is a terminal", name);
        status = EXIT_USAGE;
    } else {
        if (a->has[OPT_FIX] || a->has[OPT_DIFF])
            status = fix_program(a, t, path, &m);
        if (status == EXIT_OK)
            status = cli_report(a, t, m);
        if (status == EXIT_OK && !a->has[OPT_QUIET] &&
            a->number[OPT_ERROR_FORMAT] == ERROR_HUMAN)
            fprintf(stderr, "%s: no mistakes (%u job%s)\n", name, mill_n_jobs(m),
                    mill_n_jobs(m) == 1 ? "" : "s");
    }
    mill_close(m);
    return status;
}

int cmd_check(const Args *a, const Term *t)
{
    int worst = EXIT_OK;
    if (a->has[OPT_EXPR] && a->has[OPT_FIX] && !a->has[OPT_DIFF]) {
        complain(t, STR_LIT("`--diff` shows what would change"),
                 "`--fix` changes files, and `-e` is none");
        return EXIT_USAGE;
    }
    if (a->has[OPT_EXPR]) {
        worst = check_one(a, t, NULL);
    } else if (a->operands.n == 0) {
        complain(t, STR_LIT("pipemill check FILE..., or pipemill check -e FLOW"),
                 "`check` needs a program");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < a->operands.n; i++) {
        int status = check_one(a, t, a->operands.ptr[i]);
        worst = status > worst ? status : worst;
    }
    return worst;
}
