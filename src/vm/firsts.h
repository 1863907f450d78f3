/* firsts.h - which rows of many batches, one after the other, have keys that no row before them has.
 *
 * What it keeps of a row are its packed keys, and the keys themselves only where these are not whole (group.h). One thread.
 */
#ifndef PIPE_VM_FIRSTS_H
#define PIPE_VM_FIRSTS_H

#include "data/column.h"

typedef struct Firsts Firsts;

Firsts *firsts_open(uint32_t n_keys); /* n_keys > 0 */
void firsts_close(Firsts *f);         /* NULL is fine */
/* rows[return value]: those of the n_rows of the next batch that are new, ascending. keys[n_keys]: their values. */
uint32_t firsts_add(Firsts *f, Column *const *keys, uint32_t n_rows, uint32_t *rows);
/* The same, but what is new is not kept: rows with equal keys are all new. */
uint32_t firsts_look(const Firsts *f, Column *const *keys, uint32_t n_rows, uint32_t *rows);
size_t firsts_bytes(const Firsts *f);

#endif
