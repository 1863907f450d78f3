/* Strings compared by the kernels, held against memcmp: every length up to 40, the same but for one byte or for none,
 * beside strings that are longer or shorter. */
#include "vm/kernels.h"

#include "data/column.h"
#include "unit.h"

enum { MAX_LEN = 40, N = MAX_LEN + 4 };

/* Bytes of one string end where those of another begin, so that a look beyond an end would find other ones. */
static char bytes[N][MAX_LEN + 1];

static bool holds(Opcode op, StrView a, StrView b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int c = memcmp(a.ptr, b.ptr, n);
    c = c ? c : (a.len > b.len) - (a.len < b.len);
    switch ((int)op) {
    case OP_EQ_STRING: return c == 0;
    case OP_NE_STRING: return c != 0;
    case OP_LT_STRING: return c < 0;
    default: return c <= 0;
    }
}

static void check(const StrView *row, StrView constant)
{
    static const Opcode OPS[] = {OP_EQ_STRING, OP_NE_STRING, OP_LT_STRING, OP_LE_STRING};
    StrView same[N];
    uint8_t vv[N], vc[N], cv[N];
    for (uint32_t i = 0; i < N; i++)
        same[i] = constant;
    for (uint32_t k = 0; k < sizeof OPS / sizeof *OPS; k++) {
        const BinaryKernels *kernels = kernel_binary(OPS[k]);
        uint32_t n_wrong = 0;
        kernels->vv(vv, row, same, N);
        kernels->vc(vc, row, &constant, N);
        kernels->cv(cv, &constant, row, N);
        for (uint32_t i = 0; i < N; i++)
            n_wrong += vv[i] != holds(OPS[k], row[i], constant) || vc[i] != vv[i] || cv[i] != holds(OPS[k], constant, row[i]);
        CHECK(n_wrong == 0);
    }
}

int main(void)
{
    for (uint32_t len = 0; len <= MAX_LEN; len++) {
        char text[MAX_LEN + 1];
        StrView row[N], constant = {text, len, 0};
        for (uint32_t k = 0; k < len; k++)
            text[k] = (char)('a' + k % 26);
        for (uint32_t i = 0; i < N; i++) {
            memcpy(bytes[i], text, len);
            bytes[i][len] = 'x';
            row[i] = (StrView){bytes[i], len, 0};
            if (i < len)
                bytes[i][i] = (char)(i % 2 ? '!' : '\xff');
        }
        if (len < MAX_LEN)
            row[N - 1].len++;
        if (len > 0)
            row[N - 2].len--;
        row[N - 3] = (StrView){"", 0, 0};
        check(row, constant);
    }
    UNIT_END("kernels");
}
