/* What `explain CODE` shows: the wrong program of every code has that mistake and no other, the right one has
 * none, not even a warning, but for one: they are short, so most of them write nothing. Run from the root of the tree. */
#include "api/pipemill.h"
#include "base/diag_text.h"

#include "unit.h"

static Mill *checked(const char *text, bool forbids_exec)
{
    const MillOptions options = {.forbids_exec = forbids_exec};
    Error err = {0};
    CHECK(freopen("data/types.csv", "r", stdin) != NULL); /* some read it, each from its start */
    Mill *m = mill_open(&options);
    CHECK(mill_load_text(m, "explained.pipe", str_of(text), &err) == OK);
    mill_check(m);
    return m;
}

static void show(const DiagInfo *info, const char *which, const Mill *m)
{
    Buf out = {0};
    diags_put_short(&out, mill_diags(m), mill_sources(m));
    printf("the %s program of %c%04u:\n%.*s", which, info->severity == SEV_ERROR ? 'E' : 'W', info->number,
           (int)out.len, out.ptr ? out.ptr : "");
    buf_deinit(&out);
}

/* How many of its diagnostics count, and how many of these are of c. */
static void count(const Mill *m, DiagCode c, size_t *n, size_t *n_of_c)
{
    const Diags *ds = mill_diags(m);
    *n = *n_of_c = 0;
    for (size_t i = 0; i < ds->list.n; i++) {
        DiagCode code = ds->list.ptr[i]->code;
        *n += code == c || code != W_GOES_NOWHERE;
        *n_of_c += code == c;
    }
}

int main(void)
{
    for (DiagCode c = 0; c < N_DIAG_CODES; c++) {
        const DiagInfo *info = diag_info(c);
        Mill *wrong = checked(info->wrong, c == E_EXEC_FORBIDDEN), *right = checked(info->right, false);
        size_t n, n_of_c;
        count(wrong, c, &n, &n_of_c);
        if (n == 0 || n_of_c != n)
            show(info, "wrong", wrong);
        CHECK(n > 0 && n_of_c == n);
        count(right, c, &n, &n_of_c);
        if (n)
            show(info, "right", right);
        CHECK(n == 0);
        CHECK(strcmp(info->wrong, info->right) != 0);
        mill_close(wrong);
        mill_close(right);
    }
    UNIT_END("explain");
}
