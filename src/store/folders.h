/* folders.h - what is in `.pipemill/runs/`: the folders of runs, their names and locks. Private to store/. */
#ifndef PIPE_STORE_FOLDERS_H
#define PIPE_STORE_FOLDERS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#define HOME ".pipemill"
#define RUNS HOME "/runs"

/* "cannot DOING `path`: " and the system's words. */
Status folder_error(const char *doing, const char *path, Error *err);
/* Locks a run's folder, which is there. OK with *is_running and *fd -1: another process has it. */
Status run_lock(const char *folder, int *fd, bool *is_running, Error *err);
/* Not `.`, not `..`, not what begins or has ended: the names of runs, and of what is in their folders. */
bool run_is_name(const char *name);
/* The IDs that there are, in the order in which the runs began. */
Status runs_find(Arena *a, Str **ids, uint32_t *n, Error *err);

/* Makes a folder and locks it, not yet under a name of a run; then gives it one, the time. */
Status run_begin(Buf *folder, int *lock_fd, Error *err);
Status run_name(Buf *folder, Arena *a, Str *id, Error *err);
/* Removes a folder of ours, and those around it if they are empty. */
void run_remove(const char *folder);
/* What processes left that were killed while they began or ended a run. */
void runs_sweep(void);

#endif
