#include "vm/kernels.h"

#include <math.h>
#include <string.h>

#include "data/column.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* -O2 vectorises next to nothing in gcc 12 */
#endif

#define DAY_US 86400000000

/* R, A, B: elements; the body makes r of x and y and may set bits of `bad`. */
#define BINARY(name, R, A, B, ...)                                                       \
    static uint64_t name##_vv(void *dst_, const void *a_, const void *b_, uint32_t n)    \
    {                                                                                    \
        R *restrict dst = dst_;                                                          \
        const A *a = a_;                                                                 \
        const B *b = b_;                                                                 \
        uint64_t bad = 0;                                                                \
        for (uint32_t i = 0; i < n; i++) {                                               \
            const A x = a[i];                                                            \
            const B y = b[i];                                                            \
            R r;                                                                         \
            __VA_ARGS__                                                                  \
            dst[i] = r;                                                                  \
        }                                                                                \
        return bad;                                                                      \
    }                                                                                    \
    static uint64_t name##_vc(void *dst_, const void *a_, const void *b_, uint32_t n)    \
    {                                                                                    \
        R *restrict dst = dst_;                                                          \
        const A *a = a_;                                                                 \
        const B y = *(const B *)b_;                                                      \
        uint64_t bad = 0;                                                                \
        for (uint32_t i = 0; i < n; i++) {                                               \
            const A x = a[i];                                                            \
            R r;                                                                         \
            __VA_ARGS__                                                                  \
            dst[i] = r;                                                                  \
        }                                                                                \
        return bad;                                                                      \
    }                                                                                    \
    static uint64_t name##_cv(void *dst_, const void *a_, const void *b_, uint32_t n)    \
    {                                                                                    \
        R *restrict dst = dst_;                                                          \
        const A x = *(const A *)a_;                                                      \
        const B *b = b_;                                                                 \
        uint64_t bad = 0;                                                                \
        for (uint32_t i = 0; i < n; i++) {                                               \
            const B y = b[i];                                                            \
            R r;                                                                         \
            __VA_ARGS__                                                                  \
            dst[i] = r;                                                                  \
        }                                                                                \
        return bad;                                                                      \
    }

#define UNARY(name, R, A, ...)                                                           \
    static uint64_t name##_v(void *dst_, const void *a_, uint32_t n)                     \
    {                                                                                    \
        R *restrict dst = dst_;                                                          \
        const A *a = a_;                                                                 \
        uint64_t bad = 0;                                                                \
        for (uint32_t i = 0; i < n; i++) {                                               \
            const A x = a[i];                                                            \
            R r;                                                                         \
            __VA_ARGS__                                                                  \
            dst[i] = r;                                                                  \
        }                                                                                \
        return bad;                                                                      \
    }

#define INT3(name, ...) BINARY(name, int64_t, int64_t, int64_t, __VA_ARGS__)
#define FLOAT3(name, ...) BINARY(name, double, double, double, __VA_ARGS__)

/* Python's // and %: the floor of the exact quotient, and a remainder with the divisor's sign. */
static double float_mod(double a, double b)
{
    double m = fmod(a, b);
    if (m != 0 && (m < 0) != (b < 0))
        m += b;
    else if (m == 0)
        m = copysign(0.0, b);
    return m;
}

static double float_idiv(double a, double b)
{
    double q = (a - float_mod(a, b)) / b, whole = floor(q);
    if (isinf(b) && isfinite(a))
        return a != 0 && (a < 0) != (b < 0) ? -1.0 : 0.0;
    return q - whole > 0.5 ? whole + 1 : whole; /* q is whole but for rounding */
}

/* Bit 63 of `bad`: both operands have another sign than the sum. */
INT3(ADD_INT, r = (int64_t)((uint64_t)x + (uint64_t)y); bad |= (uint64_t)((x ^ r) & (y ^ r)) >> 63;)
INT3(SUB_INT, r = (int64_t)((uint64_t)x - (uint64_t)y); bad |= (uint64_t)((x ^ y) & (x ^ r)) >> 63;)
INT3(MUL_INT, bad |= __builtin_mul_overflow(x, y, &r);)
INT3(IDIV_INT,
    if (y == 0 || (x == INT64_MIN && y == -1)) { bad = 1; r = 0; }
    else { r = x / y; r -= (x % y != 0) & ((x < 0) != (y < 0)); })
INT3(MOD_INT,
    if (y == 0) { bad = 1; r = 0; }
    else if (y == -1) r = 0; /* INT64_MIN % -1 traps */
    else { r = x % y; if (r != 0 && (r < 0) != (y < 0)) r += y; })
UNARY(NEG_INT, int64_t, int64_t, r = (int64_t)(0 - (uint64_t)x); bad |= x == INT64_MIN;)

FLOAT3(ADD_FLOAT, r = x + y;)
FLOAT3(SUB_FLOAT, r = x - y;)
FLOAT3(MUL_FLOAT, r = x * y;)
/* Too large is inf; a power of 0 below 0 is a division by it, and what has no real value is none. */
FLOAT3(POW_FLOAT, r = pow(x, y); bad |= (x == 0 && y < 0) || (r != r && x == x && y == y);)
/* The divisor 1 where it is 0: the row is an error, if it counts. */
FLOAT3(DIV_FLOAT, bad |= y == 0; r = x / (y == 0 ? 1 : y);)
FLOAT3(IDIV_FLOAT, bad |= y == 0; r = float_idiv(x, y == 0 ? 1 : y);)
FLOAT3(MOD_FLOAT, bad |= y == 0; r = float_mod(x, y == 0 ? 1 : y);)
UNARY(NEG_FLOAT, double, double, r = -x;)
UNARY(INT_TO_FLOAT, double, int64_t, r = (double)x;)

INT3(SUB_DATE, int64_t d; bad |= __builtin_sub_overflow(x, y, &d);
     bad |= __builtin_mul_overflow(d, DAY_US, &r);)
INT3(DATE_PLUS, bad |= y % DAY_US != 0; bad |= __builtin_add_overflow(x, y / DAY_US, &r);)
INT3(DATE_MINUS, bad |= y % DAY_US != 0; bad |= __builtin_sub_overflow(x, y / DAY_US, &r);)

#define COMPARE(suffix, T, EQ, LT, LT_YX)                                                \
    BINARY(EQ_##suffix, uint8_t, T, T, r = (EQ);)                                        \
    BINARY(NE_##suffix, uint8_t, T, T, r = !(EQ);)                                       \
    BINARY(LT_##suffix, uint8_t, T, T, r = (LT);)                                        \
    BINARY(LE_##suffix, uint8_t, T, T, r = !(LT_YX);)

COMPARE(INT, int64_t, x == y, x < y, y < x)
COMPARE(BOOL, uint8_t, !((x ^ y) & 1), (x & 1) < (y & 1), (y & 1) < (x & 1))
/* NaN equals NaN and is greater than every number. */
COMPARE(FLOAT, double, (x == y) | ((x != x) & (y != y)), (x < y) | ((x == x) & (y != y)),
        (y < x) | ((y == y) & (x != x)))

static inline uint64_t word8(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}
static inline uint32_t word4(const char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}
/* Of 4 to 16 bytes the first and the last are looked at, which may be the same ones: without a branch on a's, for which
 * of the two it is can seldom be guessed, and a call takes longer. */
static inline bool view_eq(StrView a, StrView b)
{
    uint32_t n = b.len;
    bool is_equal = a.len == n; /* so far */
    const char *p = is_equal ? a.ptr : b.ptr;
    if (n >= 8 && n <= 16)
        return is_equal & (((word8(p) ^ word8(b.ptr)) | (word8(p + n - 8) ^ word8(b.ptr + n - 8))) == 0);
    if (n >= 4 && n < 8)
        return is_equal & (((word4(p) ^ word4(b.ptr)) | (word4(p + n - 4) ^ word4(b.ptr + n - 4))) == 0);
    return is_equal && memcmp(p, b.ptr, n) == 0;
}
static inline bool view_lt(StrView a, StrView b)
{
    return str_cmp((Str){a.ptr, a.len}, (Str){b.ptr, b.len}) < 0;
}
COMPARE(STRING, StrView, view_eq(x, y), view_lt(x, y), view_lt(y, x))

UNARY(NOT, uint8_t, uint8_t, r = (uint8_t)((x & 1) ^ 1);)

#define B3(op) [OP_##op] = {op##_vv, op##_vc, op##_cv}
static const BinaryKernels BINARIES[N_OPCODES] = {
    B3(ADD_INT),   B3(SUB_INT),   B3(MUL_INT),    B3(IDIV_INT),   B3(MOD_INT),
    B3(ADD_FLOAT), B3(SUB_FLOAT), B3(MUL_FLOAT),  B3(DIV_FLOAT),  B3(IDIV_FLOAT),
    B3(MOD_FLOAT), B3(POW_FLOAT), B3(SUB_DATE),   B3(DATE_PLUS),  B3(DATE_MINUS),
    B3(EQ_INT),    B3(NE_INT),    B3(LT_INT),     B3(LE_INT),     B3(EQ_FLOAT),
    B3(NE_FLOAT),  B3(LT_FLOAT),  B3(LE_FLOAT),   B3(EQ_STRING),  B3(NE_STRING),
    B3(LT_STRING), B3(LE_STRING), B3(EQ_BOOL),    B3(NE_BOOL),    B3(LT_BOOL),
    B3(LE_BOOL),
};
static const UnaryKernel UNARIES[N_OPCODES] = {
    [OP_NEG_INT] = NEG_INT_v,
    [OP_NEG_FLOAT] = NEG_FLOAT_v,
    [OP_INT_TO_FLOAT] = INT_TO_FLOAT_v,
    [OP_NOT] = NOT_v,
};

const BinaryKernels *kernel_binary(Opcode op)
{
    return &BINARIES[op];
}

UnaryKernel kernel_unary(Opcode op)
{
    return UNARIES[op];
}
