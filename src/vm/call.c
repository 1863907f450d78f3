#include "vm/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/codes.h"

char *call_bytes(Call *c, size_t n)
{
    if (!c->heap)
        c->heap = heap_new(4096);
    return heap_alloc(c->heap, n);
}

bool call_fail(Call *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
    return false;
}

/* Aggregates have none; the verifier lets no call of them pass. */
static const CallFn FNS[N_BUILTINS] = {
    [BUILTIN_UPPER] = call_upper,
    [BUILTIN_LOWER] = call_lower,
    [BUILTIN_TRIM] = call_trim,
    [BUILTIN_LENGTH] = call_length,
    [BUILTIN_SUBSTRING] = call_substring,
    [BUILTIN_REPLACE] = call_replace,
    [BUILTIN_SPLIT_PART] = call_split_part,
    [BUILTIN_CONTAINS] = call_contains,
    [BUILTIN_STARTS_WITH] = call_starts_with,
    [BUILTIN_ENDS_WITH] = call_ends_with,
    [BUILTIN_MATCHES] = call_matches,
    [BUILTIN_EXTRACT] = call_extract,
    [BUILTIN_PAD_LEFT] = call_pad_left,
    [BUILTIN_PAD_RIGHT] = call_pad_right,
    [BUILTIN_CONCAT] = call_concat,
    [BUILTIN_FORMAT] = call_format,
    [BUILTIN_ABS] = call_abs,
    [BUILTIN_ROUND] = call_round,
    [BUILTIN_FLOOR] = call_floor,
    [BUILTIN_CEIL] = call_ceil,
    [BUILTIN_SQRT] = call_sqrt,
    [BUILTIN_LN] = call_ln,
    [BUILTIN_LOG10] = call_log10,
    [BUILTIN_EXP] = call_exp,
    [BUILTIN_MIN] = call_min,
    [BUILTIN_MAX] = call_max,
    [BUILTIN_CLAMP] = call_clamp,
    [BUILTIN_NOW] = call_now,
    [BUILTIN_TODAY] = call_today,
    [BUILTIN_YEAR] = call_year,
    [BUILTIN_MONTH] = call_month,
    [BUILTIN_DAY] = call_day,
    [BUILTIN_HOUR] = call_hour,
    [BUILTIN_MINUTE] = call_minute,
    [BUILTIN_SECOND] = call_second,
    [BUILTIN_WEEKDAY] = call_weekday,
    [BUILTIN_FORMAT_TIME] = call_format_time,
    [BUILTIN_PARSE_TIME] = call_parse_time,
    [BUILTIN_UUID] = call_uuid,
    [BUILTIN_HASH] = call_hash,
    [BUILTIN_COALESCE] = call_coalesce,
    [BUILTIN_ENV] = call_env,
    [BUILTIN_KEY] = call_key,
    [BUILTIN_INDEX] = call_index,
    [BUILTIN_ROW] = call_row,
    [BUILTIN_TO_INT] = call_convert,
    [BUILTIN_TO_FLOAT] = call_convert,
    [BUILTIN_TO_STRING] = call_convert,
    [BUILTIN_TO_BOOL] = call_convert,
    [BUILTIN_TO_DATE] = call_convert,
    [BUILTIN_TO_TIMESTAMP] = call_convert,
};

static const CallColumnFn COLUMN_FNS[N_BUILTINS] = {
    [BUILTIN_UPPER] = call_upper_column,
    [BUILTIN_LOWER] = call_lower_column,
    [BUILTIN_YEAR] = call_time_column,
    [BUILTIN_MONTH] = call_time_column,
    [BUILTIN_DAY] = call_time_column,
    [BUILTIN_HOUR] = call_time_column,
    [BUILTIN_MINUTE] = call_time_column,
    [BUILTIN_SECOND] = call_time_column,
    [BUILTIN_WEEKDAY] = call_time_column,
};

static inline void put(Column *col, uint32_t row, const Value *v)
{
    if (col->type == TYPE_STRING)
        column_strs(col)[row] = (StrView){v->s.ptr ? v->s.ptr : "", v->s.len, 0};
    else if (col->type == TYPE_FLOAT)
        column_floats(col)[row] = v->f;
    else if (col->type == TYPE_BOOL)
        column_bools(col)[row] = v->i != 0;
    else if (col->type != TYPE_NULL)
        column_ints(col)[row] = v->i;
}

/* Strings may be parts of the arguments. */
static void keep_heaps(Column *col, const Call *c)
{
    if (c->heap)
        column_add_heap(col, c->heap);
    for (uint32_t i = 0; i < c->n_args; i++)
        for (uint32_t h = 0; c->args[i].col && h < c->args[i].col->n_heaps; h++)
            column_add_heap(col, c->args[i].col->heaps[h]);
}

/* ---- each value once ---- */

/* Does it give null where an argument is null? */
static bool is_strict(BuiltinId fn)
{
    return fn != BUILTIN_COALESCE && fn != BUILTIN_HASH;
}

/* Codes of all arguments that are no constants; NULL: the function is to be called for each row. */
static const Codes *argument_codes(const Call *c)
{
    enum { CODED_LEN = 1024 }; /* most functions look at each byte, too */
    if (!is_strict(c->fn) || builtin_get(c->fn)->kind != BUILTIN_KIND_SCALAR)
        return NULL;
    return pass_codes(c->pass, c->args, c->n_args, CODED_LEN);
}

/* The strings of a column, which nobody else has yet, into one heap of its own, if they are not many bytes: what comes
 * after finds them side by side. */
static void own_strings(Column *col)
{
    enum { FEW_BYTES = 1 << 18 };
    size_t n_bytes = 0;
    for (uint32_t i = 0; i < col->n_rows; i++)
        n_bytes += column_strs(col)[i].len;
    if (n_bytes <= FEW_BYTES)
        column_own_strings(col, n_bytes);
}

/* Calls the function for each value and gives the rows of `out` what it made of theirs. The bits of rows for which there
 * is no result are set in `rest`: they are computed one by one, each with its error. */
static void call_each_value(Call *c, CallFn fn, const Codes *codes, const uint64_t *live, Column *out,
                            uint64_t *rest)
{
    uint32_t n = codes->n_values, n_odd = 0;
    pass_count_values(c->pass, n);
    Column *results = column_new(c->type, false, n);
    uint8_t *odd = xcalloc(n, 1); /* 1: null, 2: failed */
    for (uint32_t i = 0; i < n; i++) {
        c->out = (Value){.type = c->type};
        odd[i] = !fn(c, codes->first[i]) ? 2 : c->out.is_null;
        n_odd += odd[i] != 0;
        if (odd[i])
            c->out = (Value){.type = c->type};
        put(results, i, &c->out);
    }
    if (c->type == TYPE_STRING)
        own_strings(results);
    codes_spread(codes, results->values, type_bytes(c->type), out->values);
    for (uint32_t i = 0; i < results->n_heaps; i++)
        column_add_heap(out, results->heaps[i]);
    column_unref(results);
    for (uint32_t row = 0; n_odd && row < out->n_rows; row++) {
        uint8_t what = odd[codes->rows[row]];
        if (what == 2 && (!live || bit_get(live, row)))
            bit_set(rest, row);
        else if (what == 1 && !out->valid)
            column_own_valid(out, true);
        if (what == 1)
            bit_clear(out->valid, row);
    }
    if (!c->pass->mask) /* else there are rows without result whose codes others have, too */
        codes_give(out, codes);
    free(odd);
}

/* What a failing call is an error of. */
static RowError error_kind(const Call *c)
{
    if (c->kind)
        return c->kind;
    if (builtin_get(c->fn)->group == BUILTIN_GROUP_CONVERSION || c->fn == BUILTIN_PARSE_TIME)
        return ROW_ERROR_CAST;
    bool has_pattern = c->fn == BUILTIN_MATCHES || c->fn == BUILTIN_EXTRACT || c->fn == BUILTIN_FORMAT ||
                       c->fn == BUILTIN_FORMAT_TIME;
    return has_pattern ? ROW_ERROR_PATTERN : ROW_ERROR_ARGUMENT;
}

/* A reject file shows the arguments where the function blames none of them. */
static Status call_error(const Call *c, bool is_const, uint32_t row)
{
    Pass *p = c->pass;
    Buf args = {0};
    for (uint32_t i = 0; i < c->n_args && p->rejects && c->culprit.len == 0; i++) {
        buf_puts(&args, i ? ", " : "");
        value_print(&args, reg_value(&c->args[i], row));
    }
    Status st = pass_row_error(p, is_const, row, error_kind(c), args.len ? buf_str(&args) : c->culprit, "%s", c->why);
    buf_deinit(&args);
    return st;
}

Status pass_call(Pass *p, const Spec *spec, const Reg *args, Reg *to)
{
    CallFn fn = FNS[spec->fn];
    Call c = {.pass = p, .args = args, .n_args = spec->n_args, .type = spec->type,
              .call_id = spec->call_id, .fn = spec->fn, .is_in_path = spec->is_in_path};
    bool is_const = builtin_get(spec->fn)->kind != BUILTIN_KIND_ROW;
    const Reg **strict = xmalloc((spec->n_args + 1u) * sizeof(Reg *));
    uint32_t n_strict = 0;
    for (uint32_t i = 0; i < spec->n_args; i++) {
        is_const &= args[i].is_const;
        if (is_strict(spec->fn))
            strict[n_strict++] = &args[i];
    }
    const uint64_t *live = pass_live(p, strict, n_strict, is_const);
    Result res = result_open(p, spec->type, is_const);
    if (spec->type == TYPE_STRING)
        for (uint32_t i = 0; live && i < res.n; i++)
            column_strs(res.col)[i] = (StrView){"", 0, 0};
    else
        memset(res.col->values, 0, (size_t)res.n * type_bytes(spec->type));
    if (live) { /* a row that is not live is null */
        column_own_valid(res.col, false);
        memcpy(res.col->valid, live, bit_words(res.n) * sizeof *live);
    }
    uint64_t *rest = NULL;
    const Codes *codes = is_const ? NULL : argument_codes(&c);
    if (codes || (COLUMN_FNS[spec->fn] && !is_const))
        rest = xcalloc(bit_words(res.n) + 1ull, sizeof *rest);
    if (codes)
        call_each_value(&c, fn, codes, live, res.col, rest);
    else if (rest)
        COLUMN_FNS[spec->fn](&c, live, res.col, rest);
    Status st = OK;
    BITS_EACH(row, rest ? rest : live, res.n)
    {
        c.out = (Value){.type = spec->type};
        c.culprit = (Str){"", 0};
        c.kind = ROW_ERROR_NONE;
        if (!fn(&c, row)) {
            if (!is_const || pass_wants_any(p))
                st = call_error(&c, is_const, row);
            if (st != OK)
                break;
            c.out.is_null = true;
        }
        if (c.is_in_path && !c.out.is_null)
            call_escape(&c);
        if (c.out.is_null) {
            if (!res.col->valid)
                column_own_valid(res.col, true);
            bit_clear(res.col->valid, row);
            if (spec->type == TYPE_STRING)
                column_strs(res.col)[row] = (StrView){"", 0, 0};
        } else {
            put(res.col, row, &c.out);
        }
    }
    if (st == OK) {
        if (spec->type == TYPE_STRING)
            keep_heaps(res.col, &c);
        result_close(p, res, to);
    } else {
        result_drop(p, res);
    }
    heap_unref(c.heap);
    call_format_close(c.format);
    free(rest);
    free(strict);
    return st;
}
