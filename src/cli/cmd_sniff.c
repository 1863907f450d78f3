/* cmd_sniff.c - `sniff`: what a CSV file probably is. */
#include <string.h>

#include "api/sniff.h"
#include "cli/program.h"

int cmd_sniff(const Args *a, const Term *t)
{
    Buf out = {0};
    Error err = {0};
    if (a->operands.n != 1) {
        complain(t, STR_LIT("pipemill sniff FILE.csv"), a->operands.n ? "`sniff` takes one file" : "`sniff` needs a file");
        return EXIT_USAGE;
    }
    const char *path = a->operands.ptr[0];
    if (t->in_is_tty && (strcmp(path, "-") == 0 || strcmp(path, "stdin") == 0)) {
        complain(t, STR_LIT("pipemill sniff FILE.csv, or `... | pipemill sniff -`"), "stdin is a terminal");
        return EXIT_USAGE;
    }
    int status = mill_sniff(str_of(path), a->has[OPT_JSON], &out, &err) == OK ? cli_output(a, t, buf_str(&out)) : cli_failed(t, &err);
    buf_deinit(&out);
    return status;
}
