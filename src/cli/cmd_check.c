#include "cli/program.h"

#include <stdio.h>

/* One file of several, or the flow of -e when path is NULL; its exit status. */
static int check_one(const Args *a, const Term *t, const char *path)
{
    const char *name = path ? path : "-e";
    Mill *m = NULL;
    int status = cli_load(a, t, path, &m);
    if (status != EXIT_OK)
        return status;
    mill_check(m);
    if (t->in_is_tty && mill_wants_stdin(m)) {
        complain(t, STR_LIT("give it an example: `pipemill check FILE < example.csv`"),
                 "%s reads stdin, which is a terminal", name);
        status = EXIT_USAGE;
    } else {
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
