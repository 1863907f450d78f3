#include "data/csv_decode.h"

#include <string.h>

#include "base/simd.h"
#include "data/csv_cells.h"

static const CsvCells *const CSV_CELLS[N_SIMD_LEVELS] = {
    [SIMD_PORTABLE] = &csv_cells_portable,
    [SIMD_SSE2] = &csv_cells_portable,
    [SIMD_NEON] = &csv_cells_portable,
#if defined(__x86_64__)
    [SIMD_AVX2] = &csv_cells_avx2,
    [SIMD_AVX512] = &csv_cells_avx512,
#endif
};

bool csv_has_plain_form(Type t)
{
    return t == TYPE_INT || t == TYPE_FLOAT || t == TYPE_BOOL || t == TYPE_STRING || t == TYPE_DATE ||
           t == TYPE_TIMESTAMP;
}

void column_put_null(Column *out, uint32_t i)
{
    if (!out->valid)
        column_own_valid(out, true);
    bit_clear(out->valid, i);
    if (out->type == TYPE_STRING || out->is_text)
        column_strs(out)[i] = (StrView){"", 0, 0};
    else
        memset((char *)out->values + (size_t)i * type_bytes(out->type), 0, type_bytes(out->type));
}

uint32_t csv_decode_plain(const RawRows *raw, uint32_t field, const uint32_t *sel, uint32_t from, uint32_t to,
                          Column *out)
{
    const CsvCells *with = CSV_CELLS[simd_level()];
    const Cells c = {.bytes = raw->cells,
                     .start = raw->start + raw_place(raw, 0, field),
                     .stride = raw->stride,
                     .sel = sel,
                     .may_end_in_cr = raw->has_gaps && field + 1 == raw->n_cols,
                     .quote = raw->input->dialect.quote};
    switch ((int)out->type) {
    case TYPE_INT: return with->ints(&c, from, to, out);
    case TYPE_FLOAT: return with->floats(&c, from, to, out);
    case TYPE_BOOL: return with->bools(&c, from, to, out);
    case TYPE_STRING: return with->strings(&c, from, to, out);
    case TYPE_DATE: return with->dates(&c, from, to, out);
    case TYPE_TIMESTAMP: return with->timestamps(&c, from, to, out);
    default: return from;
    }
}
