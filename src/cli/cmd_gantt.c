/* cmd_gantt.c - `gantt`: draws the schedule of a run from its trace. */
#include "cli/program.h"

int cmd_gantt(const Args *a, const Term *t)
{
    Recording *r = NULL;
    Buf out = {0};
    if (a->operands.n != 1) {
        complain(t, STR_LIT(WRITES_A_TRACE),
                 a->operands.n ? "`gantt` takes one trace file" : "`gantt` needs a trace file");
        return EXIT_USAGE;
    }
    int status = cli_read_trace(t, a->operands.ptr[0], &r);
    if (status != EXIT_OK)
        return status;
    cli_draw(a, t, r, &out);
    status = cli_output(a, t, buf_str(&out));
    recording_free(r);
    buf_deinit(&out);
    return status;
}
