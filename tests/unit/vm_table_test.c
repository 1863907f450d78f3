/* The VM on code put together by hand: opcodes of whole tables, effects, groups that are merged, text, empty tables. */
#include "assembled.h"

#include "vm/agg.h"

static const char *table_op(Opcode op, int n, const KeySpec *keys, uint32_t n_keys)
{
    static char text[4096];
    Batch *in = kv(), *out;
    Asm *a = asm_open(in);
    load(a, 0);
    load(a, 1);
    int s = spec(a, (Spec){.kind = SPEC_KEYS, .keys = keys, .n_keys = n_keys});
    if (op == OP_TOP)
        put(a, op, constant(a, I(n)), s, 0);
    else if (op == OP_TAKE || op == OP_SKIP)
        put(a, op, constant(a, I(n)), 0, 0);
    else
        put(a, op, s, 0, 0);
    uint16_t r = reg(a, TYPE_INT); /* where the rows came from */
    put(a, OP_CALL, r, 0, spec(a, (Spec){.kind = SPEC_CALL, .fn = BUILTIN_ROW, .type = TYPE_INT}));
    put(a, OP_DEFINE, 2, r, 0);
    put(a, OP_PROJECT, spec(a, (Spec){.kind = SPEC_PROJECT, .n_cols = 1, .cols = (uint16_t[]){2}}), 0, 0);
    Error err;
    snprintf(text, sizeof text, "%s", run(a, in, &out, &err) == OK ? show(out) : err.text);
    batch_unref(out);
    batch_unref(in);
    free(a);
    return text;
}

static void test_order(void)
{
    const KeySpec by_k[] = {{0, false, -1}}, by_k_desc[] = {{0, true, -1}};
    const KeySpec by_v[] = {{1, false, -1}}, by_v_desc[] = {{1, true, -1}};
    const KeySpec both[] = {{0, true, -1}, {1, false, -1}};
    CHECK_STR(table_op(OP_SORT, 0, by_k, 1), "101|104|100|103|105|102|");
    CHECK_STR(table_op(OP_SORT, 0, by_k_desc, 1), "100|103|105|101|104|102|");
    CHECK_STR(table_op(OP_SORT, 0, by_v, 1), "103|105|102|100|101|104|"); /* NaN, then null */
    CHECK_STR(table_op(OP_SORT, 0, by_v_desc, 1), "101|100|102|103|105|104|");
    CHECK_STR(table_op(OP_SORT, 0, both, 2), "103|105|100|101|104|102|");
    for (int n = 0; n < 8; n++) { /* top is the head of sort */
        char want[64];
        snprintf(want, sizeof want, "%.*s", n < 6 ? 4 * n : 24, "103|105|100|101|104|102|");
        CHECK_STR(table_op(OP_TOP, n, both, 2), want);
    }
    CHECK_STR(table_op(OP_TAKE, 2, NULL, 0), "100|101|");
    CHECK_STR(table_op(OP_TAKE, 9, NULL, 0), "100|101|102|103|104|105|");
    CHECK_STR(table_op(OP_TAKE, -1, NULL, 0), "`expr`: the number of rows is negative (-1)");
    CHECK_STR(table_op(OP_SKIP, 4, NULL, 0), "104|105|");
    CHECK_STR(table_op(OP_SKIP, 9, NULL, 0), "");
    CHECK_STR(table_op(OP_DISTINCT, 0, by_k, 1), "100|101|102|");
    CHECK_STR(table_op(OP_DISTINCT, 0, by_v, 1), "100|101|102|103|104|"); /* -0.0 is 0.0 */
    CHECK_STR(table_op(OP_DISTINCT, 0, both, 2), "100|101|102|103|104|");
}

static const char *grouped(const Batch *in, uint32_t n_keys, const AggSpec *aggs, uint32_t n_aggs)
{
    static char text[4096];
    Batch *out;
    Asm *a = asm_open(in);
    load(a, 0);
    load(a, 1);
    constant(a, S("+"));
    const KeySpec keys[] = {{0, false, 0}};
    const Type types[] = {TYPE_STRING};
    put(a, OP_GROUP,
        spec(a, (Spec){.kind = SPEC_GROUP, .keys = keys, .n_keys = n_keys, .arg_types = types,
                       .aggs = aggs, .n_aggs = n_aggs}),
        0, 0);
    Error err;
    snprintf(text, sizeof text, "%s", run(a, in, &out, &err) == OK ? show(out) : err.text);
    batch_unref(out);
    free(a);
    return text;
}

static void test_group(void)
{
    const AggSpec numbers[] = {
        {.fn = BUILTIN_AGG_COUNT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_COUNT, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_COUNT_DISTINCT, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_INT},
        {.fn = BUILTIN_AGG_SUM, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MEAN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MIN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MAX, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_MEDIAN, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_VARIANCE, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_STDDEV, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_FIRST, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
        {.fn = BUILTIN_AGG_LAST, .reg = 1, .n_args = 1, .arg_type = TYPE_FLOAT, .type = TYPE_FLOAT},
    };
    Batch *in = kv();
    CHECK_STR(grouped(in, 1, numbers, 12),
              "b,3,3,2,2.0,0.6666666666666666,-0.0,2.0,0.0,1.3333333333333333,1.1547005383792515,2.0,0.0|"
              "a,2,1,1,nan,nan,nan,nan,nan,null,null,nan,nan|"
              "null,1,1,1,1.0,1.0,1.0,1.0,1.0,null,null,1.0,1.0|");
    const AggSpec strings[] = {
        {.fn = BUILTIN_AGG_ARG_MIN, .reg = 0, .n_args = 2, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_ARG_MAX, .reg = 0, .n_args = 2, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_MIN, .reg = 0, .n_args = 1, .arg_type = TYPE_STRING, .type = TYPE_STRING},
        {.fn = BUILTIN_AGG_COUNT_DISTINCT, .reg = 0, .n_args = 1, .arg_type = TYPE_STRING, .type = TYPE_INT},
    };
    CHECK_STR(grouped(in, 0, strings, 4), "b,a,a,2|");
    batch_unref(in);

    Batch *empty = batch_of(0, 2, KV, NULL);
    CHECK_STR(grouped(empty, 1, numbers, 12), "");
    CHECK_STR(grouped(empty, 0, numbers, 12),
              "0,0,0,null,null,null,null,null,null,null,null,null|");
    CHECK_STR(grouped(empty, 0, strings, 4), "null,null,null,0|");
    batch_unref(empty);

    const Type sb[2] = {TYPE_STRING, TYPE_BOOL};
    const Value rows[] = {S("x"), T, S("y"), F, S("x"), null_of(TYPE_BOOL), null_of(TYPE_STRING), T};
    in = batch_of(4, 2, sb, rows);
    const AggSpec bools[] = {
        {.fn = BUILTIN_AGG_ANY, .reg = 1, .n_args = 1, .arg_type = TYPE_BOOL, .type = TYPE_BOOL},
        {.fn = BUILTIN_AGG_ALL, .reg = 1, .n_args = 1, .arg_type = TYPE_BOOL, .type = TYPE_BOOL},
    };
    CHECK_STR(grouped(in, 0, bools, 2), "true,false|");
    CHECK_STR(grouped(in, 1, bools, 2), "x,true,true|y,false,false|null,true,true|");
    batch_unref(in);

    const Type ss[2] = {TYPE_STRING, TYPE_STRING};
    const Value texts[] = {S("x"), S("1"), S("y"), null_of(TYPE_STRING), S("x"), S(""), S("x"), S("3")};
    in = batch_of(4, 2, ss, texts);
    const AggSpec join[] = {{.fn = BUILTIN_AGG_STRING_AGG, .reg = 1, .n_args = 2,
                             .arg_type = TYPE_STRING, .type = TYPE_STRING}};
    CHECK_STR(grouped(in, 1, join, 1), "x,1++3|y,null|");
    batch_unref(in);

    /* Only the total counts for overflow. */
    const Type si[2] = {TYPE_STRING, TYPE_INT};
    const Value big[] = {S("x"), I(MAXI), S("x"), I(1), S("x"), I(-1), S("y"), I(MINI), S("y"), I(-1)};
    const AggSpec sum[] = {{.fn = BUILTIN_AGG_SUM, .reg = 1, .n_args = 1, .arg_type = TYPE_INT,
                            .type = TYPE_INT, .name = STR_LIT("total")}};
    in = batch_of(3, 2, si, big);
    CHECK_STR(grouped(in, 1, sum, 1), "x,9223372036854775807|");
    batch_unref(in);
    in = batch_of(5, 2, si, big);
    CHECK_STR(grouped(in, 1, sum, 1), "sum of `total`: integer overflow");
    batch_unref(in);
}

static void test_rows_and_effects(void)
{
    Batch *in = kv(), *out, *none = batch_of(0, 2, KV, NULL);
    Error err;
    for (int empty = 0; empty < 2; empty++) {
        const Batch *t = empty ? none : in;
        buf_clear(&logged);
        slept = 0;
        written_rows = 99;
        Asm *a = asm_open(t);
        uint16_t k = load(a, 0), hello = constant(a, S("hello")), path = constant(a, S("x.csv"));
        uint16_t pause = constant(a, of(TYPE_DURATION, 5)), cond = reg(a, TYPE_BOOL);
        put(a, OP_LOG, k, spec(a, (Spec){.kind = SPEC_LOG, .per_row = true}), 0);
        put(a, OP_LOG, hello, spec(a, (Spec){.kind = SPEC_LOG}), 0);
        put(a, OP_SLEEP, pause, 0, 0);
        put(a, OP_WRITE_CSV, path,
            spec(a, (Spec){.kind = SPEC_WRITE, .schema = &a->in}), 0);
        uint16_t b = constant(a, S("b"));
        put(a, OP_EQ_STRING, cond, k, b);
        put(a, OP_FILTER, cond, 0, 0);
        CHECK(run(a, t, &out, &err) == OK);
        CHECK_STR(show(out), empty ? "" : "b,2.0|b,-0.0|b,0.0|");
        CHECK_STR(logged.ptr, empty ? "hello|" : "b|a||b|a|b|hello|");
        CHECK(slept == 5);
        CHECK(written_rows == t->n_rows && str_is(written_path, "x.csv"));
        batch_unref(out);
        free(a);
    }
    /* assert, fail, cancelled sleep */
    Asm *a = asm_open(in);
    uint16_t k = load(a, 0), b = constant(a, S("b")), cond = reg(a, TYPE_BOOL);
    uint16_t m = constant(a, S("must be b"));
    put(a, OP_EQ_STRING, cond, k, b);
    put(a, OP_ASSERT, cond, m, 0);
    CHECK(run(a, in, &out, &err) == ERR_ROW);
    CHECK_STR(err.text, "assert failed: must be b");
    free(a);
    for (int permanent = 0; permanent < 2; permanent++) {
        a = asm_open(none);
        put(a, OP_FAIL, constant(a, S("no\x1b")),
            spec(a, (Spec){.kind = SPEC_FAIL, .is_permanent = permanent}), 0);
        CHECK(run(a, none, &out, &err) == (permanent ? ERR_FAIL_PERMANENT : ERR_FAIL));
        CHECK_STR(err.text, "no\\x1b");
        free(a);
    }
    a = asm_open(none);
    put(a, OP_SLEEP, constant(a, of(TYPE_DURATION, 13)), 0, 0);
    CHECK(run(a, none, &out, &err) == ERR_CANCELLED);
    free(a);
    /* ranges */
    const struct {
        int64_t from, to;
        const char *want;
    } ranges[] = {{1, 3, "1|2|3|"}, {3, 1, ""}, {MAXI, MAXI, "9223372036854775807|"}};
    for (size_t i = 0; i < 3; i++) {
        a = asm_open(NULL);
        uint16_t lo = constant(a, I(ranges[i].from)), hi = constant(a, I(ranges[i].to));
        put(a, OP_RANGE, lo, hi, 0);
        CHECK_STR(run(a, NULL, &out, &err) == OK ? show(out) : err.text, ranges[i].want);
        batch_unref(out);
        free(a);
    }
    a = asm_open(NULL);
    uint16_t lo = constant(a, I(MINI)), hi = constant(a, I(MAXI));
    put(a, OP_RANGE, lo, hi, 0);
    CHECK(run(a, NULL, &out, &err) == ERR_DATA);
    free(a);
    /* a constant as a column, and the input as it was */
    a = asm_open(in);
    put(a, OP_DEFINE, 0, constant(a, I(4)), 0);
    put(a, OP_DEFINE, 2, constant(a, S("s")), 0);
    CHECK(run(a, in, &out, &err) == OK);
    CHECK_STR(show(out), "4,2.0,s|4,nan,s|4,1.0,s|4,-0.0,s|4,null,s|4,0.0,s|");
    CHECK(in->n_cols == 2 && in->types[0] == TYPE_STRING);
    batch_unref(out);
    free(a);
    batch_unref(in);
    batch_unref(none);
}

/* Partial states of two batches merged are the state of both. */
static void test_merge(void)
{
    const BuiltinId fns[] = {BUILTIN_AGG_COUNT, BUILTIN_AGG_COUNT_DISTINCT, BUILTIN_AGG_SUM,
                             BUILTIN_AGG_MEAN, BUILTIN_AGG_MIN, BUILTIN_AGG_MAX,
                             BUILTIN_AGG_MEDIAN, BUILTIN_AGG_VARIANCE, BUILTIN_AGG_FIRST,
                             BUILTIN_AGG_LAST, BUILTIN_AGG_ARG_MIN, BUILTIN_AGG_ARG_MAX};
    enum { N = 3000, HALF = 1400, GROUPS = 7 };
    Value *x = xcalloc(N, sizeof *x), *y = xcalloc(N, sizeof *y);
    uint32_t *ids = xcalloc(N, sizeof *ids), map[GROUPS];
    uint64_t seed = 1;
    for (uint32_t i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = i % 11 ? D((double)(seed >> 54)) : null_of(TYPE_FLOAT);
        y[i] = i % 13 ? D((double)(seed >> 50 & 63)) : null_of(TYPE_FLOAT);
        ids[i] = (uint32_t)(seed >> 40) % GROUPS;
    }
    for (uint32_t g = 0; g < GROUPS; g++)
        map[g] = GROUPS - 1 - g; /* the second batch numbers them in another order */
    Column *all[2] = {column_of(TYPE_FLOAT, N, x), column_of(TYPE_FLOAT, N, y)};
    Column *head[2] = {column_of(TYPE_FLOAT, HALF, x), column_of(TYPE_FLOAT, HALF, y)};
    Column *tail[2] = {column_of(TYPE_FLOAT, N - HALF, x + HALF),
                       column_of(TYPE_FLOAT, N - HALF, y + HALF)};
    uint32_t *tail_ids = xcalloc(N - HALF, sizeof *tail_ids);
    for (uint32_t i = HALF; i < N; i++)
        tail_ids[i - HALF] = map[ids[i]];
    for (size_t f = 0; f < sizeof fns / sizeof *fns; f++) {
        bool is_int = f < 2;
        AggSpec s = {.fn = fns[f], .n_args = f < 10 ? 1 : 2, .arg_type = TYPE_FLOAT,
                     .type = is_int ? TYPE_INT : TYPE_FLOAT};
        Agg *whole = agg_open(&s), *a = agg_open(&s), *b = agg_open(&s);
        agg_update(whole, all, ids, N, GROUPS);
        agg_update(a, head, ids, HALF, GROUPS);
        agg_update(b, tail, tail_ids, N - HALF, GROUPS);
        agg_merge(a, b, NULL, map, GROUPS, GROUPS);
        agg_close(b); /* nothing of it is needed any more */
        Column *want = NULL, *got = NULL;
        CHECK(agg_finish(whole, GROUPS, NULL, &want, NULL) == OK);
        CHECK(agg_finish(a, GROUPS, NULL, &got, NULL) == OK);
        for (uint32_t g = 0; g < GROUPS; g++) {
            CHECK(column_is_valid(got, g) == column_is_valid(want, g));
            if (is_int)
                CHECK(column_ints(got)[g] == column_ints(want)[g]);
            else if (fns[f] == BUILTIN_AGG_VARIANCE)
                CHECK(fabs(column_floats(got)[g] / column_floats(want)[g] - 1) < 1e-12);
            else if (column_is_valid(want, g))
                CHECK(column_floats(got)[g] == column_floats(want)[g]);
        }
        column_unref(want);
        column_unref(got);
        agg_close(whole);
        agg_close(a);
    }
    for (int i = 0; i < 2; i++) {
        column_unref(all[i]);
        column_unref(head[i]);
        column_unref(tail[i]);
    }
    free(x);
    free(y);
    free(ids);
    free(tail_ids);
}

/* Column of a type for test_one_group: values in which all that is special comes often, nulls by `pattern`: none, all, some,
 * long runs. */
static Column *special_column(Type t, uint32_t n, uint32_t pattern, uint64_t *seed)
{
    static const double floats[] = {NAN, -0.0, 0.0, INFINITY, -INFINITY, 0.1, -3e300, 7};
    static const int64_t ints[] = {INT64_MAX, INT64_MIN, 0, -1, 1, 77, -(1ll << 40), 5};
    static const char *const strings[] = {"", "a", "b", "bb", "c", "d", "a long one that is not kept inline", "z"};
    Value *v = xcalloc(n + 1ull, sizeof *v);
    uint32_t n_kinds = 1 + (uint32_t)(*seed >> 33) % 8, first = (uint32_t)(*seed >> 44) % 8; /* not always all of them */
    bool has_others = *seed >> 50 & 1;
    for (uint32_t i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t k = (first + (uint32_t)(*seed >> 59) % n_kinds) % 8;
        double x = !has_others || *seed >> 50 & 1 ? floats[k] : (double)(int64_t)*seed / 3e15;
        if (t == TYPE_NULL || pattern == 1 || (pattern == 2 && *seed >> 40 & 1) || (pattern == 3 && i / 70 % 2))
            v[i] = null_of(t);
        else
            v[i] = t == TYPE_FLOAT ? D(x) : t == TYPE_STRING ? S(strings[k]) : I(t == TYPE_BOOL ? k & 1 : ints[k]);
    }
    Column *c = column_of(t, n, v);
    if (pattern == 0) { /* as most columns are */
        free(c->valid);
        c->valid = NULL;
    } else if (n % 64) { /* beyond the last row is anything */
        c->valid[n / 64] |= *seed << n % 64;
    }
    free(v);
    return c;
}

/* The values of two results of a group. */
static void check_same_bits(const Column *a, const Column *b)
{
    CHECK(column_is_valid(a, 0) == column_is_valid(b, 0));
    if (!column_is_valid(a, 0) || !column_is_valid(b, 0))
        return;
    if (a->type == TYPE_STRING)
        CHECK(str_eq((Str){column_strs(a)->ptr, column_strs(a)->len}, (Str){column_strs(b)->ptr, column_strs(b)->len}));
    else if (a->type == TYPE_FLOAT && isnan(*column_floats(a)))
        CHECK(isnan(*column_floats(b))); /* which of them came out no program can tell */
    else
        CHECK(memcmp(a->values, b->values, a->type == TYPE_BOOL ? 1 : sizeof(int64_t)) == 0);
}

/* Rows of one group that is not named are taken in ways of their own, and give what they give one by one with its number. */
static void test_one_group(void)
{
    static const struct {
        BuiltinId fn;
        uint16_t n_args;
        Type arg, by, type;
    } cases[] = {
        {BUILTIN_AGG_COUNT, 0, TYPE_NULL, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_COUNT, 1, TYPE_STRING, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_COUNT, 1, TYPE_NULL, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_COUNT_DISTINCT, 1, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_SUM, 1, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_SUM, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MEAN, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MEAN, 1, TYPE_DURATION, TYPE_NULL, TYPE_DURATION},
        {BUILTIN_AGG_STDDEV, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_VARIANCE, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MEDIAN, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MIN, 1, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_MAX, 1, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_MIN, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MAX, 1, TYPE_FLOAT, TYPE_NULL, TYPE_FLOAT},
        {BUILTIN_AGG_MAX, 1, TYPE_STRING, TYPE_NULL, TYPE_STRING},
        {BUILTIN_AGG_MIN, 1, TYPE_BOOL, TYPE_NULL, TYPE_BOOL},
        {BUILTIN_AGG_ARG_MIN, 2, TYPE_STRING, TYPE_FLOAT, TYPE_STRING},
        {BUILTIN_AGG_ARG_MAX, 2, TYPE_INT, TYPE_FLOAT, TYPE_INT},
        {BUILTIN_AGG_ARG_MIN, 2, TYPE_INT, TYPE_INT, TYPE_INT},
        {BUILTIN_AGG_ARG_MAX, 2, TYPE_STRING, TYPE_INT, TYPE_STRING},
        {BUILTIN_AGG_ARG_MAX, 2, TYPE_INT, TYPE_STRING, TYPE_INT},
        {BUILTIN_AGG_ARG_MAX, 2, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_FIRST, 1, TYPE_STRING, TYPE_NULL, TYPE_STRING},
        {BUILTIN_AGG_LAST, 1, TYPE_INT, TYPE_NULL, TYPE_INT},
        {BUILTIN_AGG_ANY, 1, TYPE_BOOL, TYPE_NULL, TYPE_BOOL},
        {BUILTIN_AGG_ALL, 1, TYPE_BOOL, TYPE_NULL, TYPE_BOOL},
    };
    static const uint32_t sizes[] = {0, 1, 63, 64, 65, 128, 300, 1};
    enum { ROUNDS = 400, MOST = 300 };
    static const uint32_t zeros[MOST];
    uint64_t seed = 7;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (uint32_t round = 0; round < ROUNDS; round++) {
            AggSpec s = {.fn = cases[k].fn, .n_args = cases[k].n_args, .arg_type = cases[k].arg, .type = cases[k].type};
            Agg *one = agg_open(&s), *some = agg_open(&s);
            for (uint32_t batch = 0; batch <= round % 4; batch++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                uint32_t n = sizes[seed >> 61];
                Column *args[] = {special_column(cases[k].arg, n, (uint32_t)(seed >> 40) % 4, &seed),
                                  special_column(cases[k].by, n, (uint32_t)(seed >> 42) % 4, &seed)};
                agg_update(one, args, NULL, n, 1);
                agg_update(some, args, zeros, n, 1);
                column_unref(args[0]);
                column_unref(args[1]);
            }
            Column *got = NULL, *want = NULL;
            Error err = {0};
            Status st = agg_finish(one, 1, NULL, &got, &err);
            CHECK(agg_finish(some, 1, NULL, &want, &err) == st);
            if (st == OK)
                check_same_bits(got, want);
            column_unref(got);
            column_unref(want);
            agg_close(one);
            agg_close(some);
        }
}

/* Cells that stay undecoded, and those that are. */
static Batch *text_batch(const char *const *cells, uint32_t n, Type t)
{
    Batch *b = batch_new(n, 1);
    Column *c = column_new(t, true, n);
    c->delimiter = ',';
    c->quote = '"';
    for (uint32_t i = 0; i < n; i++)
        column_strs(c)[i] = (StrView){cells[i], (uint32_t)strlen(cells[i]),
                                      cells[i][0] == '"' ? CELL_QUOTED : 0};
    b->types[0] = t;
    b->slots[0].text = c;
    return b;
}

static void test_text(void)
{
    const char *const cells[] = {"\"7\"", "x", "007", "7"};
    Batch *in = text_batch(cells, 4, TYPE_INT), *out;
    Error err;
    /* A bad cell counts only where it is wanted; a column decoded in part is not kept. */
    for (int guarded = 0; guarded < 2; guarded++) {
        Asm *a = asm_open(in);
        uint16_t row = reg(a, TYPE_INT), one = constant(a, I(101)), cond = reg(a, TYPE_BOOL);
        put(a, OP_CALL, row, 0,
            spec(a, (Spec){.kind = SPEC_CALL, .fn = BUILTIN_ROW, .type = TYPE_INT}));
        put(a, OP_NE_INT, cond, row, one);
        if (guarded)
            put(a, OP_MASK_TRUE, cond, 0, 0);
        put(a, OP_LOAD, reg(a, TYPE_INT), 0, 0);
        if (guarded)
            put(a, OP_MASK_POP, 0, 0, 0);
        CHECK(run(a, in, &out, &err) == (guarded ? OK : ERR_ROW));
        if (guarded)
            CHECK(out->slots[0].values == NULL && out->slots[0].text != NULL);
        else
            CHECK_STR(err.value, "x");
        batch_unref(out);
        free(a);
    }
    batch_unref(in);
    /* Decoded once, kept beside its text; a group's key is the text of its first row. */
    in = text_batch((const char *const[]){"\"7\"", "8", "007", "7"}, 4, TYPE_INT);
    Asm *a = asm_open(in);
    uint16_t r = load(a, 0);
    const KeySpec key[] = {{r, false, 0}};
    const Type types[] = {TYPE_INT};
    const AggSpec count[] = {{.fn = BUILTIN_AGG_COUNT, .type = TYPE_INT}};
    put(a, OP_GROUP, spec(a, (Spec){.kind = SPEC_GROUP, .keys = key, .n_keys = 1, .arg_types = types,
                                    .aggs = count, .n_aggs = 1}), 0, 0);
    CHECK(run(a, in, &out, &err) == OK);
    CHECK_STR(show(out), "7,3|8,1|");
    Column *text = batch_text(out, 0);
    CHECK(text && column_strs(text)[0].len == 3 && column_strs(text)[0].flags == CELL_QUOTED);
    CHECK(in->slots[0].values == NULL); /* the input is not ours */
    column_unref(text);
    batch_unref(out);
    batch_unref(in);
    free(a);
}

int main(void)
{
    vm = vm_open();
    test_order();
    test_group();
    test_rows_and_effects();
    test_merge();
    test_one_group();
    test_text();
    vm_close(vm);
    buf_deinit(&logged);
    UNIT_END("vm_table");
}
