#include "vm/call.h"

#include <math.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static void put_u64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(v >> 8 * i);
}

static uint64_t input_row(const Call *c, uint32_t row)
{
    const Pass *p = c->pass;
    return p->inst->row_base + (p->input_rows ? p->input_rows[row] : row);
}

/* Version 4 by its form; its 122 bits hash the seed, the step, the key, the row and the call. */
bool call_uuid(Call *c, uint32_t row)
{
    const VmInstance *inst = c->pass->inst;
    if (!c->uuid_state[0] && !c->uuid_state[1]) {
        Buf b = {0};
        buf_printf(&b, "%u:", inst->step.len); /* where the step ends and the key begins */
        buf_put_str(&b, inst->step);
        buf_put_str(&b, inst->levels);
        XXH128_hash_t h = XXH3_128bits_withSeed(b.ptr, b.len, inst->seed);
        buf_deinit(&b);
        c->uuid_state[0] = h.low64;
        c->uuid_state[1] = h.high64 | 1;
    }
    unsigned char in[36], id[16];
    uint64_t copy = c->pass->copies ? c->pass->copies[row] : 0;
    put_u64(in, c->uuid_state[0]);
    put_u64(in + 8, c->uuid_state[1]);
    put_u64(in + 16, input_row(c, row));
    for (int i = 0; i < 4; i++)
        in[24 + i] = (unsigned char)(c->call_id >> 8 * i);
    put_u64(in + 28, copy);
    XXH128_hash_t h = XXH3_128bits_withSeed(in, copy ? 36 : 28, inst->seed);
    put_u64(id, h.low64);
    put_u64(id + 8, h.high64);
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    char *to = call_bytes(c, 36), *p = to;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = "0123456789abcdef"[id[i] >> 4];
        *p++ = "0123456789abcdef"[id[i] & 15];
    }
    c->out.s = (Str){to, 36};
    return true;
}

/* One value into the hash of those before it. Only bytes are hashed, so it is the same on every machine. */
static uint64_t hash_value(uint64_t before, const Value *v)
{
    unsigned char in[8];
    uint64_t seed = before + (v->is_null ? 0 : (uint64_t)v->type + 1);
    if (v->is_null)
        return XXH3_64bits_withSeed("", 0, seed);
    if (v->type == TYPE_STRING)
        return XXH3_64bits_withSeed(v->s.ptr, v->s.len, seed);
    uint64_t bits = (uint64_t)v->i;
    if (v->type == TYPE_FLOAT) { /* one NaN, one zero */
        double f = v->f + 0.0;
        memcpy(&bits, &f, sizeof bits);
        bits = f != f ? UINT64_C(0x7ff8000000000000) : bits;
    }
    put_u64(in, bits);
    return XXH3_64bits_withSeed(in, sizeof in, seed);
}

bool call_hash(Call *c, uint32_t row)
{
    uint64_t h = c->n_args;
    for (uint32_t i = 0; i < c->n_args; i++) {
        Value v = reg_value(&c->args[i], row);
        h = hash_value(h, &v);
    }
    c->out.i = (int64_t)h;
    return true;
}

bool call_coalesce(Call *c, uint32_t row)
{
    c->out.is_null = true;
    for (uint32_t i = 0; i < c->n_args && c->out.is_null; i++)
        c->out = reg_value(&c->args[i], row);
    return true;
}

bool call_env(Call *c, uint32_t row)
{
    Str name = reg_str(&c->args[0], row);
    char *z = xstrndup(name.ptr, name.len);
    const char *value = memchr(name.ptr, '\0', name.len) ? NULL : getenv(z);
    free(z);
    c->out.is_null = !value;
    if (value)
        c->out.s = str_of(value);
    return true;
}

/* As a part of one file name: `/`, control bytes, leading dots, and `%` so that keys stay distinct. */
static void put_escaped(Buf *out, Str key)
{
    bool is_leading = true;
    for (uint32_t i = 0; i < key.len; i++) {
        unsigned char b = (unsigned char)key.ptr[i];
        is_leading = is_leading && b == '.';
        if (b == '/' || b == '%' || b < 0x20 || b == 0x7f || is_leading)
            buf_printf(out, "%%%02X", b);
        else
            buf_putc(out, (char)b);
    }
}

/* A batch's empty key has a name that no other has, as no escape begins so: `.csv` alone would be a hidden file. */
#define EMPTY_KEY "%empty"

void call_escape(Call *c)
{
    Buf b = {0};
    put_escaped(&b, c->out.s);
    if (c->out.s.len == 0 && c->pass->inst->is_batch)
        buf_puts(&b, EMPTY_KEY);
    char *bytes = call_bytes(c, b.len);
    if (b.len)
        memcpy(bytes, b.ptr, b.len);
    c->out.s = (Str){bytes, (uint32_t)b.len};
    buf_deinit(&b);
}

bool call_key(Call *c, uint32_t row)
{
    (void)row;
    Str key = c->pass->inst->key;
    char *bytes = call_bytes(c, key.len); /* the key is ours only for this run; the batch lives longer */
    if (key.len)
        memcpy(bytes, key.ptr, key.len);
    c->out.s = (Str){bytes, key.len};
    return true;
}

bool call_index(Call *c, uint32_t row)
{
    (void)row;
    c->out.i = (int64_t)c->pass->inst->index;
    return true;
}

bool call_row(Call *c, uint32_t row)
{
    c->out.i = (int64_t)input_row(c, row);
    return true;
}

bool call_concat(Call *c, uint32_t row)
{
    Buf b = {0};
    for (uint32_t i = 0; i < c->n_args; i++)
        value_print(&b, reg_value(&c->args[i], row));
    bool fits = b.len <= UINT32_MAX;
    if (fits) {
        char *to = call_bytes(c, b.len);
        if (b.len)
            memcpy(to, b.ptr, b.len);
        c->out.s = (Str){to, (uint32_t)b.len};
    }
    buf_deinit(&b);
    return fits ? true : call_overflow(c, "the string is longer than 4 GiB");
}

static bool from_string(Call *c, Str s)
{
    const char *why = "another value";
    Type t = c->type;
    if (value_parse(t, s, &c->out, &why))
        return true;
    Buf shown = {0};
    buf_put_visible(&shown, str_slice(s, 0, 60));
    call_fail(c, "expected %s%s, got `%s%s`", why, value_hint(t, s), shown.ptr ? shown.ptr : "", s.len > 60 ? ".." : "");
    buf_deinit(&shown);
    c->culprit = s;
    return false;
}

static bool from_float(Call *c, double x)
{
    /* 2^63 itself is out; every double below it is at most 2^63 - 1024. */
    if (x >= -9223372036854775808.0 && x < 9223372036854775808.0) {
        c->out.i = (int64_t)x;
        return true;
    }
    char shown[VALUE_PRINT_MAX];
    uint32_t n = value_print_float(x, shown);
    return call_fail(c, "%.*s is no int", (int)n, shown);
}

#define DAY_US 86400000000

/* int, float, string, bool, date, timestamp. */
bool call_convert(Call *c, uint32_t row)
{
    const Reg *a = &c->args[0];
    Type from = a->type, to = c->type;
    if (from == to) {
        c->out = reg_value(a, row);
        return true;
    }
    if (to == TYPE_STRING)
        return call_concat(c, row);
    if (from == TYPE_STRING)
        return from_string(c, reg_str(a, row));
    if (to == TYPE_INT && from == TYPE_FLOAT)
        return from_float(c, reg_float(a, row));
    int64_t x = from == TYPE_BOOL ? reg_bool(a, row) : reg_int(a, row);
    if (to == TYPE_FLOAT) {
        c->out.f = (double)x;
    } else if (to == TYPE_BOOL) {
        c->out.i = x != 0;
    } else if (to == TYPE_DATE) { /* of a timestamp: floored */
        c->out.i = x / DAY_US - (x % DAY_US < 0);
    } else if (to == TYPE_TIMESTAMP) {
        if (__builtin_mul_overflow(x, DAY_US, &c->out.i))
            return call_fail(c, "the date is beyond what a timestamp holds");
    } else {
        c->out.i = x;
    }
    return true;
}
