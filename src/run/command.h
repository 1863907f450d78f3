/* command.h - runs a command of the system: bytes to its stdin, its stdout and stderr back, both directions at once.
 *
 * No shell: argv is what the command gets, found in PATH if its name has no slash. It is in a process group of its own,
 * has the environment and the folder of this process, and signals as if started by hand. A command that does not
 * read all of its input is as good as one that does. When it has ended, what it has left behind in the background is not
 * waited for.
 *
 * Threads: any, each its own command; the calling thread must not have SIGPIPE handled otherwise than by default.
 * Errors: ERR_IO when it cannot be started; ERR_FAIL when it ends with a status other than 0 or by a
 * signal, with the last lines of its stderr; what `check` says, when the group is ended: by SIGTERM, then SIGKILL.
 */
#ifndef PIPE_RUN_COMMAND_H
#define PIPE_RUN_COMMAND_H

#include <sys/types.h>

#include "base/status.h"
#include "base/str.h"

#define COMMAND_CHECK_MS 20 /* so often check is asked */
#define COMMAND_GRACE_MS 200 /* between SIGTERM and SIGKILL */
#define COMMAND_TALK_MAX 65536 /* bytes of stderr that are kept, the last ones */

typedef struct Command {
    char *const *argv; /* ends in NULL */
    Str input;
    void *ctx;
    Status (*check)(void *ctx, Error *err);
    /* The group is there, and about to be gone: for who ends all of them at once. */
    void (*started)(void *ctx, pid_t group);
    void (*ended)(void *ctx, pid_t group);
} Command;

/* Appends to out and talk, also on failure. */
Status command_run(const Command *c, Buf *out, Buf *talk, Error *err);

#endif
