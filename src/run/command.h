/* command.h - runs a command of the system: bytes to its stdin as it takes them, its stdout as it comes, its stderr.
 *
 * No shell: argv is what the command gets, found in PATH if its name has no slash. It is in a process group of its own,
 * has the environment and the folder of this process, and signals as if started by hand.
 *
 *   Running *r;
 *   Status st = command_start(&c, &r, err);
 *   if (st == OK) {
 *       ... command_read(r, ...) until there is no more, or it does not please: st ...
 *       st = command_end(r, st, &talk, err);
 *   }
 *
 * The input is asked for piece by piece, while stdout is waited for: whatever the command does with its pipes, neither side
 * waits for the other, and nothing is held but a piece and what the pipes hold. A command that does not read all of its
 * input is as good as one that does, and no more is asked for. When it has ended, what it has left behind in the background
 * is not waited for.
 *
 * Threads: any, each its own command; SIGPIPE is blocked in the calling thread from command_start to command_end, which must be
 * called by the same one, and must not be handled otherwise than by default.
 * Errors: ERR_IO when it cannot be started; ERR_FAIL when it ends with a status other than 0 or by a
 * signal, with the last lines of its stderr; what `more` and `check` say, when the group is ended: by SIGTERM, then SIGKILL.
 */
#ifndef PIPE_RUN_COMMAND_H
#define PIPE_RUN_COMMAND_H

#include <sys/types.h>

#include "base/status.h"
#include "base/str.h"

#define COMMAND_CHECK_MS 20 /* so often check is asked */
#define COMMAND_GRACE_MS 200 /* between SIGTERM and SIGKILL */
#define COMMAND_LINGER_MS 1000 /* what it left in the background may go on talking for so long, without a break */
#define COMMAND_SAY_MS 2000 /* so long it may take to say itself what is wrong, when its output is */
#define COMMAND_TALK_MAX 65536 /* bytes of stderr that are kept, the last ones */

/* It and what its pointers point to must outlive the command. */
typedef struct Command {
    char *const *argv; /* ends in NULL */
    void *ctx;
    /* Appends the next bytes of the input to an empty buffer; none: there are no more. */
    Status (*more)(void *ctx, Buf *piece, Error *err);
    Status (*check)(void *ctx, Error *err);
    /* The group is there, and about to be gone: for who ends all of them at once. */
    void (*started)(void *ctx, pid_t group);
    void (*ended)(void *ctx, pid_t group);
} Command;

typedef struct Running Running;
Status command_start(const Command *c, Running **out, Error *err);
/* Waits for stdout: up to n bytes, n > 0; *got = 0 at its end. After an error: only command_end. */
Status command_read(Running *r, char *to, size_t n, size_t *got, Error *err);
/* Lets it have the rest of its input and waits for its end; what it still prints is dropped. st, *err: what command_read said, or
 * what its reader has to say against the output: told unless the command says soon that it has failed. Appends to talk, also on
 * failure. Frees r. */
Status command_end(Running *r, Status st, Buf *talk, Error *err);

#endif
