#include "vm/call.h"

#include <math.h>


static bool is_float(const Call *c)
{
    return c->args[0].type == TYPE_FLOAT;
}

bool call_abs(Call *c, uint32_t row)
{
    if (is_float(c)) {
        c->out.f = fabs(reg_float(&c->args[0], row));
        return true;
    }
    int64_t x = reg_int(&c->args[0], row);
    if (x == INT64_MIN)
        return call_overflow(c, "integer overflow (%lld has no positive counterpart)", (long long)x);
    c->out.i = x < 0 ? -x : x;
    return true;
}

bool call_round(Call *c, uint32_t row)
{
    int64_t digits = c->n_args > 1 ? reg_int(&c->args[1], row) : 0;
    if (is_float(c)) {
        double x = reg_float(&c->args[0], row);
        /* A double that prints as N.5 is exactly that, so no digits need no decimal form. */
        c->out.f = digits == 0 ? round(x) : value_round_float(x, digits);
        return true;
    }
    int64_t x = reg_int(&c->args[0], row);
    if (value_round_int(x, digits, &c->out.i))
        return true;
    return call_overflow(c, "integer overflow (%lld rounded to %lld digits)", (long long)x,
                     (long long)digits);
}

bool call_floor(Call *c, uint32_t row)
{
    if (is_float(c))
        c->out.f = floor(reg_float(&c->args[0], row));
    else
        c->out.i = reg_int(&c->args[0], row);
    return true;
}

bool call_ceil(Call *c, uint32_t row)
{
    if (is_float(c))
        c->out.f = ceil(reg_float(&c->args[0], row));
    else
        c->out.i = reg_int(&c->args[0], row);
    return true;
}

static bool domain(Call *c, double x, bool is_in, const char *what)
{
    if (is_in)
        return true;
    char shown[VALUE_PRINT_MAX];
    uint32_t n = value_print_float(x, shown);
    return call_fail(c, "%s of %.*s", what, (int)n, shown);
}

bool call_sqrt(Call *c, uint32_t row)
{
    double x = reg_float(&c->args[0], row);
    c->out.f = sqrt(x);
    return domain(c, x, !(x < 0), "square root");
}

bool call_ln(Call *c, uint32_t row)
{
    double x = reg_float(&c->args[0], row);
    c->out.f = log(x);
    return domain(c, x, !(x <= 0), "logarithm");
}

bool call_log10(Call *c, uint32_t row)
{
    double x = reg_float(&c->args[0], row);
    c->out.f = log10(x);
    return domain(c, x, !(x <= 0), "logarithm");
}

bool call_exp(Call *c, uint32_t row)
{
    c->out.f = exp(reg_float(&c->args[0], row));
    return true;
}

/* In the order of `sort`: NaN is the greatest number. */
static int compare(const Value *a, const Value *b)
{
    if (a->type == TYPE_STRING)
        return str_cmp(a->s, b->s);
    if (a->type != TYPE_FLOAT)
        return (a->i > b->i) - (a->i < b->i);
    if (a->f != a->f || b->f != b->f)
        return (a->f != a->f) - (b->f != b->f);
    return (a->f > b->f) - (a->f < b->f);
}

static bool extreme(Call *c, uint32_t row, int sign)
{
    c->out = reg_value(&c->args[0], row);
    for (uint32_t i = 1; i < c->n_args; i++) {
        Value v = reg_value(&c->args[i], row);
        if (compare(&v, &c->out) * sign > 0)
            c->out = v;
    }
    return true;
}

bool call_min(Call *c, uint32_t row)
{
    return extreme(c, row, -1);
}

bool call_max(Call *c, uint32_t row)
{
    return extreme(c, row, 1);
}

bool call_clamp(Call *c, uint32_t row)
{
    Value x = reg_value(&c->args[0], row), low = reg_value(&c->args[1], row),
          high = reg_value(&c->args[2], row);
    if (compare(&low, &high) > 0) {
        Buf b = {0};
        buf_puts(&b, "low is above high (");
        value_print(&b, low);
        buf_puts(&b, " > ");
        value_print(&b, high);
        buf_putc(&b, ')');
        call_fail(c, "%s", b.ptr);
        buf_deinit(&b);
        return false;
    }
    c->out = compare(&x, &low) < 0 ? low : compare(&x, &high) > 0 ? high : x;
    return true;
}
