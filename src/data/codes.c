#include "data/codes.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "data/reach.h"

#define CHUNK 128u     /* rows between two looks whether it is worth it; columns of fewer than two never are */
#define ROWS_A_VALUE 8u /* on the average, at least */
#define MAX_VALUES 4096u
#define MIN_BITS 10u    /* of the number of a cell */
#define ROOM 8u        /* cells for a value, at least */
/* The last byte of a key: the length of a string that it holds, or */
#define HASHED 0xff    /* it is of a longer one */
#define NO_STRING 0x7f

static Codes NONE; /* of columns whose values do not repeat */

const Codes *codes_had(const Column *c)
{
    const Codes *had = atomic_load_explicit(&c->codes, memory_order_acquire);
    return had && had->n_values ? had : NULL;
}

static void codes_unref(Codes *codes)
{
    /* Orders as in heap_unref. */
    if (!codes || codes == &NONE || atomic_fetch_sub_explicit(&codes->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(codes->first);
    free(codes);
}

static Codes *codes_new(uint32_t n_rows, uint32_t max_values)
{
    Codes *codes = xmalloc(sizeof *codes + n_rows * sizeof codes->rows[0]);
    atomic_init(&codes->refs, 1);
    codes->n_rows = n_rows;
    codes->n_values = 0;
    codes->first = xmalloc((max_values + 1ull) * sizeof *codes->first);
    return codes;
}

void codes_drop(Column *c)
{
    codes_unref(atomic_load_explicit(&c->codes, memory_order_relaxed));
    atomic_store_explicit(&c->codes, NULL, memory_order_relaxed);
}

void codes_give(Column *to, const Codes *codes)
{
    Codes *shared = (Codes *)(uintptr_t)codes;
    atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
    codes_drop(to);
    atomic_store_explicit(&to->codes, shared, memory_order_relaxed);
}

/* ---- making them ---- */

/* Values by key: open addressing, linear probing, at most an eighth full, so that most are found where they are first
 * looked for. */
typedef struct Coder {
    Codes *codes;
    const StrView *views;
    Reach reach;
    uint16_t *cells; /* code + 1; 0: empty */
    uint32_t n_bits; /* of the number of a cell */
    uint32_t max_values, max_len;
    Bytes16 *keys;   /* [max_values + 1] of code - 1; the first, of no code, is that of no string */
} Coder;

typedef enum Coded { CODED, TOO_MANY, TOO_LONG } Coded;

static inline bool bytes16_same(Bytes16 a, Bytes16 b)
{
    return !bytes16_any(a ^ b);
}

/* The cell where a key is first looked for: by the highest bits of a product, which depend on all others. */
static inline uint32_t key_cell(Bytes16 key, uint32_t n_bits)
{
    uint64_t w[2];
    memcpy(w, &key, sizeof w);
    uint64_t h = (w[0] ^ w[1] * 0xe7037ed1a0b428dbu) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> (64 - n_bits));
}

static inline Bytes16 hashed_key(uint64_t a, uint64_t b)
{
    typedef uint64_t Words __attribute__((vector_size(16)));
    static const char tag[16] = {[15] = (char)HASHED};
    return (Bytes16)(Words){a, b} | bytes16(tag); /* all in registers, as in reach_pack */
}

/* Of a string with more bytes than a key holds, up to twice 16: all of them count. */
static inline Bytes16 middling_key(StrView v)
{
    uint64_t a, b, c, d;
    memcpy(&a, v.ptr, sizeof a);
    memcpy(&b, v.ptr + 8, sizeof b);
    memcpy(&c, v.ptr + v.len - 16, sizeof c);
    memcpy(&d, v.ptr + v.len - 8, sizeof d);
    return hashed_key((a ^ d) * 0x9e3779b97f4a7c15u, (b ^ (c << 32 | c >> 32)) * 0xe7037ed1a0b428dbu);
}

/* Are they the same, whose keys are? */
static inline bool middling_same(StrView a, StrView b)
{
    return a.len == b.len && bytes16_same(bytes16(a.ptr), bytes16(b.ptr)) &&
           bytes16_same(bytes16(a.ptr + a.len - 16), bytes16(b.ptr + b.len - 16));
}

static inline bool is_middling(StrView v)
{
    return v.len > REACH_PACKED && v.len <= 2 * 16;
}

static inline uint32_t next_cell(uint32_t at, uint32_t n_bits)
{
    return (at + 1) & ((1u << n_bits) - 1);
}

static Bytes16 key_of(const Coder *c, StrView v)
{
    char bytes[16] = {0};
    if (is_middling(v))
        return middling_key(v);
    if (v.len > REACH_PACKED) {
        XXH128_hash_t h = XXH3_128bits(v.ptr, v.len);
        return hashed_key(h.low64, h.high64);
    }
    if (reach_has(c->reach, v.ptr))
        return reach_pack(v.ptr, v.len);
    memcpy(bytes, v.ptr, v.len);
    return reach_pack(bytes, v.len);
}

static void cells_make(Coder *c, uint32_t n_bits)
{
    free(c->cells);
    c->cells = xcalloc(1ull << n_bits, sizeof *c->cells);
    c->n_bits = n_bits;
    for (uint32_t i = 0; i < c->codes->n_values; i++) {
        uint32_t at = key_cell(c->keys[i + 1], n_bits);
        while (c->cells[at])
            at = next_cell(at, n_bits);
        c->cells[at] = (uint16_t)(i + 1);
    }
}

/* The code of a row, whatever its value, which may be new. */
static Coded code_row(Coder *c, uint32_t row)
{
    StrView v = c->views[row];
    if (v.len > c->max_len)
        return TOO_LONG;
    Bytes16 key = key_of(c, v);
    uint32_t at = key_cell(key, c->n_bits), code;
    for (; (code = c->cells[at]); at = next_cell(at, c->n_bits)) {
        StrView old = c->views[c->codes->first[code - 1]];
        if (bytes16_same(c->keys[code], key) && old.len == v.len && memcmp(old.ptr, v.ptr, v.len) == 0)
            break;
    }
    if (!code) {
        if (c->codes->n_values == c->max_values)
            return TOO_MANY;
        c->codes->first[c->codes->n_values++] = row;
        code = c->codes->n_values;
        c->keys[code] = key;
        c->cells[at] = (uint16_t)code;
        if (ROOM * code > 1u << c->n_bits)
            cells_make(c, c->n_bits + 2);
    }
    c->codes->rows[row] = (uint16_t)(code - 1);
    return CODED;
}

/* Codes of rows from `from` on as long as their values are near, not long, and not new; returns the first of another. */
static uint32_t code_known(const Coder *c, uint32_t from, uint32_t to)
{
    const StrView *views = c->views;
    const uint16_t *cells = c->cells;
    const Bytes16 *keys = c->keys;
    const uint32_t *first = c->codes->first;
    uint16_t *restrict out = c->codes->rows;
    const Reach reach = c->reach;
    const uint32_t n_bits = c->n_bits;
    for (uint32_t i = from; i < to; i++) {
        StrView v = views[i];
        bool is_short = v.len <= REACH_PACKED;
        if (!reach_has(reach, v.ptr) || v.len > 2 * 16)
            return i;
        Bytes16 key = is_short ? reach_pack(v.ptr, v.len) : middling_key(v);
        uint32_t at = key_cell(key, n_bits), code = cells[at];
        while (!bytes16_same(keys[code], key) || (!is_short && !middling_same(views[first[code - 1]], v))) {
            if (!code)
                return i;
            at = next_cell(at, n_bits);
            code = cells[at];
        }
        out[i] = (uint16_t)(code - 1);
    }
    return to;
}

static Coded code_rows(Coder *c, uint32_t from, uint32_t to)
{
    Coded what = CODED;
    for (uint32_t i = code_known(c, from, to); i < to && what == CODED; i = code_known(c, i + 1, to))
        what = code_row(c, i);
    return what;
}

/* Rows that are null have codes too, of whatever stands there: what stands for a value is to be one that is not. */
static void first_not_null(const Column *c, Codes *codes)
{
    uint32_t n_left = 0;
    if (!c->valid)
        return;
    uint8_t *is_null = xmalloc(codes->n_values + 1ull);
    for (uint32_t i = 0; i < codes->n_values; i++)
        n_left += is_null[i] = !bit_get(c->valid, codes->first[i]);
    for (uint32_t row = 0; row < codes->n_rows && n_left; row++) {
        uint32_t code = codes->rows[row];
        if (is_null[code] && bit_get(c->valid, row)) {
            codes->first[code] = row;
            is_null[code] = 0;
            n_left--;
        }
    }
    free(is_null);
}

/* Do so few of the first n rows have a value that was there before, that there will be more values than max? Drawn at
 * random from m values n * n / 2m of them have. */
static bool seldom_repeat(uint32_t n, uint32_t n_values, uint32_t max)
{
    return n <= max && (n - n_values) < (uint64_t)n * n / (2ull * max);
}

/* NULL: there is a value that is too long. */
static Codes *codes_make(const Column *c, uint32_t max_len)
{
    uint32_t n = c->n_rows, max = n / ROWS_A_VALUE < MAX_VALUES ? n / ROWS_A_VALUE : MAX_VALUES;
    Coder coder = {.codes = codes_new(n, max), .views = column_strs(c), .reach = reach_of_column(c),
                   .max_values = max, .max_len = max_len, .keys = xmalloc((max + 1) * sizeof *coder.keys)};
    coder.keys[0] = bytes16_all(NO_STRING);
    cells_make(&coder, MIN_BITS);
    Coded what = CODED;
    for (uint32_t at = 0; at < n && what == CODED; at += CHUNK) {
        what = code_rows(&coder, at, n - at < CHUNK ? n : at + CHUNK);
        if (what == CODED && seldom_repeat(at + CHUNK, coder.codes->n_values, max))
            what = TOO_MANY;
    }
    free(coder.cells);
    free(coder.keys);
    if (what == CODED) {
        first_not_null(c, coder.codes);
        return coder.codes;
    }
    codes_unref(coder.codes);
    return what == TOO_MANY ? &NONE : NULL;
}

const Codes *codes_of(Column *c, uint32_t max_len)
{
    Codes *had = atomic_load_explicit(&c->codes, memory_order_acquire);
    if (had)
        return had->n_values ? had : NULL;
    if (c->is_text || c->type != TYPE_STRING || c->n_rows < 2 * CHUNK)
        return NULL;
    Codes *mine = codes_make(c, max_len);
    if (!mine) /* who takes longer ones may still ask */
        return NULL;
    if (!atomic_compare_exchange_strong_explicit(&c->codes, &had, mine, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        codes_unref(mine); /* another thread was first */
        mine = had;
    }
    return mine->n_values ? mine : NULL;
}

/* ---- using them ---- */

void codes_gather(Column *to, const Codes *from, const uint32_t *sel, uint32_t n)
{
    enum { NOT_SEEN = 0xffff };
    if (n < CHUNK)
        return;
    uint16_t *now = xmalloc(from->n_values * sizeof *now);
    memset(now, 0xff, from->n_values * sizeof *now);
    Codes *codes = codes_new(n, from->n_values);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t old = from->rows[sel[i]];
        if (now[old] == NOT_SEEN) {
            codes->first[codes->n_values] = i;
            now[old] = (uint16_t)codes->n_values++;
        }
        codes->rows[i] = now[old];
    }
    free(now);
    if (codes->n_values <= n / ROWS_A_VALUE) {
        first_not_null(to, codes);
        codes_give(to, codes);
    }
    codes_unref(codes);
}

#define SPREAD(T)                                                                        \
    do {                                                                                 \
        const T *values = of_value;                                                      \
        T *restrict out = to;                                                            \
        for (uint32_t i = 0; i < codes->n_rows; i++)                                     \
            out[i] = values[codes->rows[i]];                                             \
    } while (0)

void codes_spread(const Codes *codes, const void *of_value, size_t element_bytes, void *to)
{
    switch (element_bytes) {
    case sizeof(uint8_t): SPREAD(uint8_t); break;
    case sizeof(uint64_t): SPREAD(uint64_t); break;
    case sizeof(StrView): SPREAD(StrView); break;
    }
}
