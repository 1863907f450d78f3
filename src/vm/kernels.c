#include "vm/kernels.h"

#include <math.h>
#include <string.h>

#include "data/column.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* -O2 vectorises next to nothing in gcc 12 */
#endif

#define DAY_US 86400000000

/* The elements of what opcodes.def calls by these letters. */
typedef int64_t Element_i, Element_d, Element_u;
typedef double Element_f;
typedef uint8_t Element_b;
typedef StrView Element_s;

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

/* What each kernel of opcodes.def does with a row: DO_ and its name. */
/* Bit 63 of `bad`: both operands have another sign than the sum. */
#define DO_ADD_INT r = (int64_t)((uint64_t)x + (uint64_t)y); bad |= (uint64_t)((x ^ r) & (y ^ r)) >> 63;
#define DO_SUB_INT r = (int64_t)((uint64_t)x - (uint64_t)y); bad |= (uint64_t)((x ^ y) & (x ^ r)) >> 63;
#define DO_MUL_INT bad |= __builtin_mul_overflow(x, y, &r);
#define DO_IDIV_INT                                                                      \
    if (y == 0 || (x == INT64_MIN && y == -1)) { bad = 1; r = 0; }                       \
    else { r = x / y; r -= (x % y != 0) & ((x < 0) != (y < 0)); }
#define DO_MOD_INT                                                                       \
    if (y == 0) { bad = 1; r = 0; }                                                      \
    else if (y == -1) r = 0; /* INT64_MIN % -1 traps */                                  \
    else { r = x % y; if (r != 0 && (r < 0) != (y < 0)) r += y; }
#define DO_NEG_INT r = (int64_t)(0 - (uint64_t)x); bad |= x == INT64_MIN;
#define DO_ADD_FLOAT r = x + y;
#define DO_SUB_FLOAT r = x - y;
#define DO_MUL_FLOAT r = x * y;
/* Too large is inf; a power of 0 below 0 is a division by it, and what has no real value is none. */
#define DO_POW_FLOAT r = pow(x, y); bad |= (x == 0 && y < 0) || (r != r && x == x && y == y);
/* The divisor 1 where it is 0: the row is an error, if it counts. */
#define DO_DIV_FLOAT bad |= y == 0; r = x / (y == 0 ? 1 : y);
#define DO_IDIV_FLOAT bad |= y == 0; r = float_idiv(x, y == 0 ? 1 : y);
#define DO_MOD_FLOAT bad |= y == 0; r = float_mod(x, y == 0 ? 1 : y);
#define DO_NEG_FLOAT r = -x;
#define DO_INT_TO_FLOAT r = (double)x;
#define DO_SUB_DATE                                                                      \
    int64_t d;                                                                           \
    bad |= __builtin_sub_overflow(x, y, &d);                                             \
    bad |= __builtin_mul_overflow(d, DAY_US, &r);
#define DO_DATE_PLUS bad |= y % DAY_US != 0; bad |= __builtin_add_overflow(x, y / DAY_US, &r);
#define DO_DATE_MINUS bad |= y % DAY_US != 0; bad |= __builtin_sub_overflow(x, y / DAY_US, &r);
#define DO_EQ_INT r = x == y;
#define DO_NE_INT r = x != y;
#define DO_LT_INT r = x < y;
#define DO_LE_INT r = x <= y;
/* NaN equals NaN and is greater than every number. */
#define DO_EQ_FLOAT r = (x == y) | ((x != x) & (y != y));
#define DO_NE_FLOAT r = !((x == y) | ((x != x) & (y != y)));
#define DO_LT_FLOAT r = (x < y) | ((x == x) & (y != y));
#define DO_LE_FLOAT r = !((y < x) | ((y == y) & (x != x)));
#define DO_EQ_STRING r = view_eq(x, y);
#define DO_NE_STRING r = !view_eq(x, y);
#define DO_LT_STRING r = view_lt(x, y);
#define DO_LE_STRING r = !view_lt(y, x);
#define DO_EQ_BOOL r = !((x ^ y) & 1);
#define DO_NE_BOOL r = (x ^ y) & 1;
#define DO_LT_BOOL r = (x & 1) < (y & 1);
#define DO_LE_BOOL r = (x & 1) <= (y & 1);
#define DO_NOT r = (uint8_t)((x & 1) ^ 1);

/* The kernels: of each row of opcodes.def that is one, a loop of every shape. */
#define BINARY_OP(name, a, b, c, effect) BINARY(name, Element_##a, Element_##b, Element_##c, DO_##name)
#define UNARY_OP(name, a, b, effect) UNARY(name, Element_##a, Element_##b, DO_##name)
#include "code/opcodes.def"

static const BinaryKernels BINARIES[N_OPCODES] = {
#define BINARY_OP(name, a, b, c, effect) [OP_##name] = {name##_vv, name##_vc, name##_cv},
#define UNARY_OP(name, a, b, effect)
#include "code/opcodes.def"
};
static const UnaryKernel UNARIES[N_OPCODES] = {
#define BINARY_OP(name, a, b, c, effect)
#define UNARY_OP(name, a, b, effect) [OP_##name] = name##_v,
#include "code/opcodes.def"
};

const BinaryKernels *kernel_binary(Opcode op)
{
    return &BINARIES[op];
}

UnaryKernel kernel_unary(Opcode op)
{
    return UNARIES[op];
}
