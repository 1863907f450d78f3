/* cmd_fmt.c - `fmt`: programs in the one style. */
#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text_diff.h"

static int rewrite(const Args *a, const Term *t, const char *path, Buf *text)
{
    Error err = {0};
    if (access(path, W_OK) != 0) {
        complain(t, (Str){0}, "cannot write `%s`: %s", path, strerror(errno));
        return EXIT_FAILED;
    }
    if (mill_replace_file(path, text, &err) != OK)
        return cli_failed(t, &err);
    if (!a->has[OPT_QUIET])
        fprintf(stderr, "%s: formatted\n", path);
    return EXIT_OK;
}

/* What is done with one formatted text. */
static int give(const Args *a, const Term *t, const char *path, Str before, Buf *after, Buf *out)
{
    bool is_changed = !str_eq(before, buf_str(after));
    bool is_told = a->has[OPT_FMT_CHECK] || a->has[OPT_FMT_DIFF];
    if (!is_told && !a->has[OPT_FMT_WRITE])
        buf_put_str(out, buf_str(after));
    if (!is_changed)
        return EXIT_OK;
    if (a->has[OPT_FMT_DIFF])
        text_diff(out, before, buf_str(after), path, path);
    else if (a->has[OPT_FMT_CHECK])
        buf_printf(out, "%s\n", path);
    if (a->has[OPT_FMT_WRITE])
        return rewrite(a, t, path, after);
    return is_told ? EXIT_MISTAKES : EXIT_OK;
}

static int format_one(const Args *a, const Term *t, const char *path, Buf *out)
{
    Mill *m = NULL;
    Buf after = {0};
    int status = cli_load(a, t, path, &m);
    if (status != EXIT_OK)
        return status;
    status = cli_report(a, t, m);
    if (status == EXIT_OK) {
        mill_format(m, &after);
        status = give(a, t, path, mill_text(m), &after, out);
    }
    buf_deinit(&after);
    mill_close(m);
    return status;
}

int cmd_fmt(const Args *a, const Term *t)
{
    Buf out = {0};
    int worst = EXIT_OK;
    if (a->operands.n == 0) {
        complain(t, STR_LIT("pipemill fmt FILE..., or pipemill fmt - for a program from stdin"),
                 "`fmt` needs a program");
        return EXIT_USAGE;
    }
    if (a->has[OPT_FMT_WRITE] && a->has[OPT_FMT_CHECK]) {
        complain(t, STR_LIT("give one of the two"),
                 "`--write` changes files and `--check` changes none");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < a->operands.n; i++)
        if (a->has[OPT_FMT_WRITE] && strcmp(a->operands.ptr[i], "-") == 0) {
            complain(t, STR_LIT("without `--write` the text goes to stdout"),
                     "stdin cannot be rewritten in place");
            return EXIT_USAGE;
        }
    for (size_t i = 0; i < a->operands.n; i++) {
        int status = format_one(a, t, a->operands.ptr[i], &out);
        worst = status > worst ? status : worst;
    }
    if (!put_out(t, buf_str(&out)))
        worst = EXIT_FAILED;
    buf_deinit(&out);
    return worst;
}
