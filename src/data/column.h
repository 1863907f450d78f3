/* column.h - the values of one column of a batch.
 *
 * Values are dense arrays of the type's element (base/type.h); nulls are 0 bits in
 * `valid`, and the value under a 0 bit is anything (for strings: len 0, ptr valid).
 * Strings are views into heaps that the column keeps alive. A Column is built by one
 * thread, then shared read-only; it is reference counted (atomic).
 *
 * A *text* column (is_text) holds CSV cells as they stood in the input, quotes
 * included: what nobody touches is copied out byte for byte. In a text column `valid`
 * says which cells are null; their bytes stay (empty, or the null word).
 */
#ifndef PIPE_DATA_COLUMN_H
#define PIPE_DATA_COLUMN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/type.h"
#include "base/value.h"
#include "data/heap.h"

typedef struct StrView {
    const char *ptr; /* never NULL */
    uint32_t len;
    uint32_t flags;  /* text columns: CELL_QUOTED, CELL_MADE; 0 otherwise */
} StrView;
#define CELL_QUOTED 1u
#define CELL_MADE 2u /* an int that was computed: it prints as a float where it becomes one, which a cell that was read does not */
#define CELL_BITS 2u

typedef struct Column {
    _Atomic uint32_t refs;
    Type type;
    bool is_text;      /* values are undecoded CSV cells (StrView), `type` is what they decode to */
    uint32_t n_rows;
    void *values;      /* [n_rows] of the type's element, 64-byte aligned, owned */
    uint64_t *valid;   /* [(n_rows + 63) / 64] bits, NULL: all valid; owned */
    uint32_t n_heaps;
    Heap **heaps;      /* [n_heaps], one reference each */
    struct Codes *_Atomic codes; /* of its values (codes.h); NULL: nobody has asked; one reference */
    /* Text columns only: */
    char delimiter, quote;  /* the dialect its cells are written in */
    uint64_t inferred_rows; /* `type` was inferred from that many rows; 0: it was declared */
    uint32_t input_col;     /* 1 + the column of its input's schema whose cells they are; 0: not known */
    bool is_foreign;        /* its cells stood in rows of other tables than the batch's, which are not known */
} Column;

/* Values uninitialised; valid NULL. */
Column *column_new(Type t, bool is_text, uint32_t n_rows);
/* A column of n_rows like c, of the same type, dialect and input: without values, heaps or nulls. */
Column *column_like(const Column *c, uint32_t n_rows);
/* Copies its strings, n_bytes in all, into a heap of its own, side by side. Nobody else has the column yet. */
void column_own_strings(Column *c, size_t n_bytes);
Column *column_ref(Column *c);
void column_unref(Column *c);         /* NULL is fine */
void column_own_valid(Column *c, bool all); /* makes `valid` exist, all bits set or clear */
void column_add_heap(Column *c, Heap *h);   /* takes a new reference */
size_t column_bytes(const Column *c);       /* its arrays; not heaps, nor codes, which may come later: two readings agree */

static inline bool column_has_strings(const Column *c)
{
    return c->is_text || c->type == TYPE_STRING;
}

static inline bool column_is_valid(const Column *c, uint32_t row)
{
    return !c->valid || (c->valid[row >> 6] >> (row & 63) & 1);
}
static inline void bit_set(uint64_t *bits, uint32_t i) { bits[i >> 6] |= 1ull << (i & 63); }
static inline void bit_clear(uint64_t *bits, uint32_t i) { bits[i >> 6] &= ~(1ull << (i & 63)); }
static inline bool bit_get(const uint64_t *bits, uint32_t i) { return bits[i >> 6] >> (i & 63) & 1; }
static inline uint32_t bit_words(uint32_t n) { return (n + 63) / 64; }

static inline int64_t *column_ints(const Column *c) { return c->values; }   /* also dates, ... */
static inline double *column_floats(const Column *c) { return c->values; }
static inline uint8_t *column_bools(const Column *c) { return c->values; }
static inline StrView *column_strs(const Column *c) { return c->values; }

Value column_value(const Column *c, uint32_t row); /* strings borrow from the column */

/* Rows sel[0..n) of c, in that order (the same row may come twice). Shares heaps. */
Column *column_gather(const Column *c, const uint32_t *sel, uint32_t n);
/* The same, where a row of UINT32_MAX gives null. */
Column *column_pick(const Column *c, const uint32_t *rows, uint32_t n);
/* Rows of all parts, one after the other; same type and is_text. copy: string bytes go into a
 * heap of the result, so that the parts' blocks can be freed. */
Column *column_concat(Column *const *parts, uint32_t n_parts, bool copy);

/* A column of n_rows nulls of a type. */
Column *column_nulls(Type t, uint32_t n_rows);

#endif
