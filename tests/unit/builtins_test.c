#include "base/builtins.h"

#include "unit.h"

static const Builtin *find(const char *name, uint32_t n_args)
{
    return builtin_find(str_of(name), n_args);
}

/* A call in words: "name(types) = result" or what is wrong. "null" and "?" are the types
 * of a bare null and of a mistake. */
static const char *call(const char *name, const char *types)
{
    static char text[400];
    Type args[8], params[8];
    uint32_t n = 0;
    char words[200];
    snprintf(words, sizeof words, "%s", types);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) {
        Type t = TYPE_ERROR;
        while (t < N_TYPES && strcmp(type_name(t), w) != 0)
            t++;
        args[n++] = t;
    }
    const Builtin *b = find(name, n);
    BuiltinFit fit;
    if (!builtin_resolve(b, args, n, params, &fit)) {
        snprintf(text, sizeof text, "%d: %s", fit.bad_arg, fit.why);
        return text;
    }
    int k = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        k += snprintf(text + k, sizeof text - (size_t)k, "%s ", type_name(params[i]));
    snprintf(text + k, sizeof text - (size_t)k, "-> %s", type_name(fit.result));
    return text;
}

static void test_resolve(void)
{
    CHECK_STR(call("upper", "string"), "string -> string");
    CHECK_STR(call("upper", "int"), "0: `s` of `upper` must be string, but this is int");
    CHECK_STR(call("upper", ""), "-1: `upper` takes 1 argument");
    CHECK_STR(call("uuid", "int"), "-1: `uuid` takes no arguments");
    CHECK_STR(call("substring", "string int"), "string int -> string");
    CHECK_STR(call("substring", "string int int"), "string int int -> string");
    CHECK_STR(call("substring", "string"), "-1: `substring` takes 2 or 3 arguments");
    CHECK_STR(call("substring", "string int float"),
              "2: `length` of `substring` must be int, but this is float");
    /* Overloads: the exact one before the wider one. */
    CHECK_STR(call("abs", "int"), "int -> int");
    CHECK_STR(call("abs", "float"), "float -> float");
    CHECK_STR(call("abs", "duration"), "duration -> duration");
    CHECK_STR(call("abs", "string"),
              "0: `x` of `abs` must be int, float or duration, but this is string");
    CHECK_STR(call("sqrt", "int"), "float -> float");
    CHECK_STR(call("mean", "int"), "float -> float");
    CHECK_STR(call("sum", "int"), "int -> int");
    CHECK_STR(call("sum", "date"),
              "0: `x` of `sum` must be int, float, duration or size, but this is date");
    /* Variables. */
    CHECK_STR(call("round", "int"), "int -> int");
    CHECK_STR(call("round", "float int"), "float int -> float");
    CHECK_STR(call("floor", "string"),
              "0: `x` of `floor` must be int or float, but this is string");
    CHECK_STR(call("max", "int float int"), "float float float -> float");
    CHECK_STR(call("max", "float int"), "float float -> float");
    CHECK_STR(call("min", "string string"), "string string -> string");
    CHECK_STR(call("min", "int string"), "1: `b` of `min` must be int, but this is string");
    CHECK_STR(call("min", "int int int date"),
              "3: `rest` of `min` must be int, but this is date");
    CHECK_STR(call("clamp", "int float int"), "float float float -> float");
    CHECK_STR(call("arg_max", "string float"), "string float -> string");
    CHECK_STR(call("arg_max", "int string"), "int string -> int");
    CHECK_STR(call("coalesce", "int float"), "float float -> float");
    CHECK_STR(call("coalesce", ""), "-1: `coalesce` takes at least 1 argument");
    CHECK_STR(call("concat", "string int date null"), "string int date null -> string");
    CHECK_STR(call("concat", "table"),
              "0: `first` of `concat` must be a single value, but this is table");
    CHECK_STR(call("count", ""), "-> int");
    CHECK_STR(call("count", "bool"), "bool -> int");
    CHECK_STR(call("count", "bool int"), "-1: `count` takes 0 or 1 argument");
    CHECK_STR(call("string_agg", "string string"), "string string -> string");
    /* Conversions. */
    CHECK_STR(call("int", "float"), "float -> int");
    CHECK_STR(call("int", "size"), "size -> int");
    CHECK_STR(call("float", "int"), "int -> float");
    CHECK_STR(call("string", "duration"), "duration -> string");
    CHECK_STR(call("date", "timestamp"), "timestamp -> date");
    CHECK_STR(call("bool", "date"),
              "0: `x` of `bool` must be string, int or bool, but this is date");
    /* A bare null takes what is wanted, and says nothing of its own. */
    CHECK_STR(call("upper", "null"), "string -> string");
    CHECK_STR(call("coalesce", "null int"), "int int -> int");
    CHECK_STR(call("coalesce", "null"), "null -> null");
    CHECK_STR(call("max", "null float int"), "float float float -> float");
    /* What was reported already stays silent. */
    CHECK_STR(call("upper", "?"), "string -> string");
    CHECK_STR(call("max", "? int"), "int int -> ?");
    CHECK_STR(call("max", "? ?"), "null null -> ?");
    CHECK_STR(call("abs", "?"), "int -> ?");
    CHECK_STR(call("length", "?"), "string -> int");
    CHECK_STR(call("length", "? ?"), "-1: `length` takes 1 argument");
    CHECK_STR(call("substring", "? string"),
              "1: `start` of `substring` must be int, but this is string");
}

static void test_find(void)
{
    CHECK(find("nope", 1) == NULL);
    CHECK(find("Upper", 1) == NULL);
    CHECK(find("min", 1)->id == BUILTIN_AGG_MIN && find("min", 2)->id == BUILTIN_MIN);
    CHECK(find("max", 1)->id == BUILTIN_AGG_MAX && find("max", 5)->id == BUILTIN_MAX);
    CHECK(find("min", 0)->id == BUILTIN_MIN);
    CHECK(find("count", 0)->id == BUILTIN_AGG_COUNT);
    CHECK(find("count", 1)->id == BUILTIN_AGG_COUNT);
    CHECK(find("upper", 7)->id == BUILTIN_UPPER);
    CHECK(find("date", 1)->id == BUILTIN_TO_DATE);
    CHECK(find("matches", 2)->id == BUILTIN_MATCHES && find("now", 0)->id == BUILTIN_NOW);
}

/* The declarations themselves: every signature reads, and prints again. */
static void test_table(void)
{
    for (uint32_t i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = builtin_get((BuiltinId)i);
        BuiltinSig sigs[BUILTIN_MAX_SIGS];
        uint32_t n = builtin_sigs(b, sigs);
        CHECK(b->id == i);
        CHECK(n > 0 && n <= BUILTIN_MAX_SIGS);
        CHECK((b->group == BUILTIN_GROUP_AGGREGATE) == (b->kind == BUILTIN_KIND_AGG));
        CHECK(strlen(b->help) > 5 && b->help[strlen(b->help) - 1] != '.');
        CHECK(strncmp(b->example, b->name, strlen(b->name)) == 0);
        CHECK(strlen(builtin_group_name(b->group)) > 3);
        for (uint32_t k = 0; k < n; k++) {
            char var = sigs[k].result.var; /* is said by a parameter */
            bool is_bound = var == 0;
            for (uint32_t p = 0; p < sigs[k].n_params; p++)
                is_bound |= sigs[k].params[p].type.var == var;
            CHECK(is_bound);
        }
    }
    BuiltinSig sigs[BUILTIN_MAX_SIGS];
    builtin_sigs(find("env", 1), sigs);
    CHECK(sigs[0].params[0].is_const);
    builtin_sigs(find("string_agg", 2), sigs);
    CHECK(!sigs[0].params[0].is_const && sigs[0].params[1].is_const);
    CHECK(builtin_sig_param(&sigs[0], 2) == NULL);
    builtin_sigs(find("concat", 2), sigs);
    CHECK(builtin_sig_param(&sigs[0], 9) == &sigs[0].params[1]);
}

static void test_print(void)
{
    Buf b = {0};
    builtin_print(&b, find("substring", 3));
    CHECK_STR(b.ptr, "substring(s: string, start: int, length?: int) -> string");
    buf_clear(&b);
    builtin_print(&b, find("max", 2));
    CHECK_STR(b.ptr, "max(a: T, b: T, rest...: T) -> T");
    buf_clear(&b);
    builtin_print(&b, find("count", 0));
    CHECK_STR(b.ptr, "count() -> int\ncount(x: any) -> int");
    buf_deinit(&b);
}

int main(void)
{
    test_resolve();
    test_find();
    test_table();
    test_print();
    UNIT_END("builtins");
}
