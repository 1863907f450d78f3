#include "vm/call.h"

#include <math.h>

#include "base/decimal.h"

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
        return call_fail(c, "integer overflow (%lld has no positive counterpart)", (long long)x);
    c->out.i = x < 0 ? -x : x;
    return true;
}

static bool round_int(Call *c, int64_t x, int64_t digits)
{
    c->out.i = x;
    if (digits >= 0)
        return true;
    if (digits < -18) { /* 10^19 and more: below half of it */
        bool up = digits == -19 && (x >= 5000000000000000000 || x <= -5000000000000000000);
        c->out.i = 0;
        return up ? call_fail(c, "integer overflow (%lld rounded to %lld digits)", (long long)x,
                              (long long)digits)
                  : true;
    }
    int64_t unit = 1;
    for (; digits < 0; digits++)
        unit *= 10;
    int64_t rest = x % unit, whole = x - rest;
    if (rest >= unit - unit / 2 || rest <= -(unit - unit / 2)) {
        if (__builtin_add_overflow(whole, rest < 0 ? -unit : unit, &whole))
            return call_fail(c, "integer overflow (%lld rounded to %lld)", (long long)x,
                             (long long)unit);
    }
    c->out.i = whole;
    return true;
}

/* Half away from zero, by the digits that x prints with. */
static double round_float(double x, int64_t digits)
{
    if (!isfinite(x) || x == 0)
        return x;
    if (digits == 0)
        return round(x); /* a double that prints as N.5 is exactly that */
    Decimal d = decimal_of_double(x);
    int64_t drop = -(int64_t)d.exp10 - digits; /* digits to leave out */
    if (drop <= 0)
        return x;
    uint64_t kept = 0;
    if (drop <= 17) {
        uint64_t unit = 1;
        for (int64_t i = 0; i < drop; i++)
            unit *= 10;
        kept = d.digits / unit + (d.digits % unit >= unit / 2);
    }
    double r = kept ? decimal_to_double(kept, (int32_t)-digits) : 0;
    return x < 0 ? -r : r;
}

bool call_round(Call *c, uint32_t row)
{
    int64_t digits = c->n_args > 1 ? reg_int(&c->args[1], row) : 0;
    digits = digits < -1000 ? -1000 : digits > 1000 ? 1000 : digits; /* no number has more */
    if (!is_float(c))
        return round_int(c, reg_int(&c->args[0], row), digits);
    c->out.f = round_float(reg_float(&c->args[0], row), digits);
    return true;
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
