/* pages.h - records in the order of their keys in a temporary file, found by them.
 *
 * Pages of a kilobyte or more, one behind the other and each packed by itself where that saves enough, so that few bytes are read
 * and unpacked for a record; of each the last key and its place are in memory. In a page keys stand as differences.
 *
 * Threads: one adds and ends; then any may look for records.
 */
#ifndef PIPE_RUN_PAGES_H
#define PIPE_RUN_PAGES_H

#include "run/spilled.h"

typedef struct Pages Pages;

/* s: whose bytes they count for. */
Status pages_open(Run *r, const Step *s, Pages **out, Error *err);
void pages_free(Pages *p); /* NULL is fine */
/* About so many bytes will come: what is kept of pages in memory shall take little. Before the first record. */
void pages_expect(Pages *p, uint64_t n_bytes);
/* Keys ascend. */
Status pages_add(Pages *p, uint64_t key, const char *bytes, size_t n, Error *err);
Status pages_end(Pages *p, Error *err);

/* Records that were found. */
typedef struct Found {
    Heap *heap;      /* their bytes; one reference, NULL before the first */
    const char **at; /* [n] owned */
    uint32_t n, cap;
} Found;
/* Appends the records of keys[n], which ascend: those of one key as they were added. */
Status pages_find(const Pages *p, const uint64_t *keys, uint32_t n, Found *found, Error *err);
void found_free(Found *f);

#endif
