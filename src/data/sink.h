/* sink.h - an output that many instances write in parallel, in key order.
 *
 * Each instance makes its bytes in a buffer of its own and submits it with its number: 0, 1,
 * 2, ... without holes (an instance without output, or a skipped one, submits NULL). Buffers
 * that come early are held; whoever brings the next one writes all that are due.
 *
 * A path is written as a temporary file beside it and renamed by sink_commit after fsync (the folder is synced
 * too), so that the output is whole or absent and an old file survives a failure. What is written begins its way to the disk 8 MiB at a time, so that
 * fsync has little left to wait for. A process that is killed leaves the
 * temporary file, `.NAME.pipemill-tmp`, and the next one that writes the path removes it: a lock tells that none is in use. Folders are created. stdout,
 * FIFOs and devices are written in place; a link is followed to the file it names.
 *
 * Where the path ends in .gz or .zst the bytes are compressed (packer.h); stdout never is.
 *
 * Threads: sink_submit from any; open, commit and abort from one, when no submit runs.
 * Errors: ERR_IO, the system's words in the text. The first one sticks: later calls return it again. A closed
 * stdout ends the process by SIGPIPE unless that is ignored.
 */
#ifndef PIPE_DATA_SINK_H
#define PIPE_DATA_SINK_H

#include "base/status.h"
#include "base/str.h"

typedef struct Sink Sink;

/* path: a file or "stdout". head (copied), the header line of a CSV, is written before everything else, also when
 * nothing is ever submitted; in place not before the first bytes or the commit. */
Status sink_open(Str path, Str head, Sink **out, Error *err);
/* Takes the bytes; the Buf is left empty, maybe with memory for more. NULL: nothing for this number. */
Status sink_submit(Sink *s, uint64_t seq, Buf *bytes, Error *err);
/* Makes the output visible and frees s, also on failure (which leaves no file). Submits that still wait for
 * an earlier number are our own mistake (assert). */
Status sink_commit(Sink *s, Error *err);
/* Removes what is not visible yet and leaves s as it is: for a process that ends at once. From any thread. */
void sink_abandon(const Sink *s);
void sink_abort(Sink *s); /* removes what was written and frees s; NULL is fine */
/* Makes the folders of a path, which is changed meanwhile. What stands in the way shows when the file is opened. */
void sink_make_folders(char *path);

#endif
