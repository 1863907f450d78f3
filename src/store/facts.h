/* facts.h - the files of a run's folder that say what it is of: written, and read back. Private to store/. */
#ifndef PIPE_STORE_FACTS_H
#define PIPE_STORE_FACTS_H

#include "store/store.h"

/* An input as it was when it was noted. */
typedef struct StoreInput {
    Str path;
    bool is_pattern;
    uint64_t n_files; /* of a pattern */
    int64_t size, modified_ns;
} StoreInput;

/* Can all of it be written down? */
Status facts_check(const StoreFacts *f, Error *err);
Status facts_write(const char *path, const StoreFacts *f, Error *err);
/* False: the file is not there, or is none of this version. */
bool facts_read(const char *path, Arena *a, StoreFacts *out);

/* How the file is now: 0, or an errno; EINVAL: it is none that can be read again. */
int input_look(Str path, StoreInput *out);
/* By which it is found among those that are noted. */
Str input_key(Arena *a, Str path, bool is_pattern);
void input_put(Buf *out, const StoreInput *in); /* a line */
/* A last line that was cut is left out: its file was not read. No file: there are none. */
Status inputs_read(const char *path, Arena *a, StoreInput **out, uint32_t *n, Error *err);

#endif
