/* cmd_completions.c - `completions`. */
#include "cli/complete.h"

#include <string.h>

#include "base/suggest.h"
#include "cli/opt.h"

int cmd_completions(const Args *a, const Term *t)
{
    static const struct {
        const char *name;
        void (*put)(Buf *out);
    } shells[] = {
        {"bash", complete_put_bash}, {"zsh", complete_put_zsh}, {"fish", complete_put_fish}};
    enum { N_SHELLS = sizeof shells / sizeof *shells };
    if (a->operands.n != 1) {
        complain(t, STR_LIT("source <(pipemill completions bash)"),
                 "`completions` takes the name of a shell");
        return EXIT_USAGE;
    }
    Suggest near;
    suggest_init(&near, str_of(a->operands.ptr[0]));
    for (size_t i = 0; i < N_SHELLS; i++) {
        if (strcmp(a->operands.ptr[0], shells[i].name) == 0) {
            Buf out = {0};
            shells[i].put(&out);
            int status = put_out(t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
            buf_deinit(&out);
            return status;
        }
        suggest_offer(&near, str_of(shells[i].name));
    }
    complain_near(t, near.best, "it is one of bash, zsh, fish", "there are no completions for `%s`",
                  a->operands.ptr[0]);
    return EXIT_USAGE;
}
