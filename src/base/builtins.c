#include "base/builtins.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const Builtin BUILTINS[N_BUILTINS] = {
#define BUILTIN(e, name_, group_, kind_, sig_, help_, example_, result_)                 \
    [BUILTIN_##e] = {.id = BUILTIN_##e,                                                  \
                     .kind = BUILTIN_KIND_##kind_,                                       \
                     .group = BUILTIN_GROUP_##group_,                                    \
                     .name = name_,                                                      \
                     .signature = sig_,                                                  \
                     .help = help_,                                                      \
                     .example = example_,                                                \
                     .result = result_},
#include "base/builtins.def"
#undef BUILTIN
};

const Builtin *builtin_get(BuiltinId id)
{
    return &BUILTINS[id];
}

const Builtin *builtin_find(Str name, uint32_t n_args)
{
    const Builtin *found = NULL;
    for (uint32_t i = 0; i < N_BUILTINS; i++) {
        const Builtin *b = &BUILTINS[i];
        if (!str_is(name, b->name))
            continue;
        if (!found || (b->kind == BUILTIN_KIND_AGG) == (n_args == 1))
            found = b;
    }
    return found;
}

const char *builtin_group_name(BuiltinGroup g)
{
    switch (g) {
    case BUILTIN_GROUP_STRING: return "strings";
    case BUILTIN_GROUP_NUMBER: return "numbers";
    case BUILTIN_GROUP_TIME: return "time";
    case BUILTIN_GROUP_OTHER: return "others";
    case BUILTIN_GROUP_CONVERSION: return "conversions";
    case BUILTIN_GROUP_AGGREGATE: return "aggregates";
    }
    return "?";
}

/* Reading signatures. They are ours, so a mistake in one is an assertion. */

static bool take(const char **p, const char *word)
{
    while (**p == ' ')
        (*p)++;
    size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

static Str take_name(const char **p)
{
    take(p, "");
    size_t n = strspn(*p, "abcdefghijklmnopqrstuvwxyzTN");
    assert(n > 0);
    Str s = {*p, (uint32_t)n};
    *p += n;
    return s;
}

static BuiltinType take_type(const char **p)
{
    Str word = take_name(p);
    if (str_is(word, "any"))
        return (BuiltinType){.var = 'A'};
    if (str_is(word, "T") || str_is(word, "N"))
        return (BuiltinType){.var = word.ptr[0]};
    BuiltinType t = {0};
    bool known = type_by_name(word, &t.type);
    assert(known);
    (void)known;
    return t;
}

static BuiltinSig take_sig(const char **p)
{
    BuiltinSig sig = {0};
    while (!take(p, "->")) {
        assert(sig.n_params < BUILTIN_MAX_PARAMS && !sig.is_variadic);
        BuiltinParam *param = &sig.params[sig.n_params++];
        param->is_const = take(p, "const ");
        param->name = take_name(p);
        param->is_optional = take(p, "?");
        sig.is_variadic = take(p, "...");
        bool colon = take(p, ":");
        assert(colon);
        (void)colon;
        param->type = take_type(p);
        if (!param->is_optional && !sig.is_variadic) {
            assert(sig.n_required + 1 == sig.n_params);
            sig.n_required++;
        }
        take(p, ",");
    }
    sig.result = take_type(p);
    return sig;
}

uint32_t builtin_sigs(const Builtin *b, BuiltinSig sigs[BUILTIN_MAX_SIGS])
{
    uint32_t n = 0;
    const char *p = b->signature;
    do {
        assert(n < BUILTIN_MAX_SIGS);
        sigs[n++] = take_sig(&p);
    } while (take(&p, ";"));
    assert(*p == '\0');
    return n;
}

const BuiltinParam *builtin_sig_param(const BuiltinSig *sig, uint32_t i)
{
    if (i < sig->n_params)
        return &sig->params[i];
    return sig->is_variadic ? &sig->params[sig->n_params - 1] : NULL;
}

/* Fitting calls to signatures. */

static bool is_scalar(Type t)
{
    return t >= TYPE_BOOL && t <= TYPE_SIZE;
}

/* One overload tried on a call. */
typedef struct Trial {
    Type bound;       /* what T or N stands for; TYPE_NULL: nothing said it yet */
    bool is_poisoned; /* an argument of TYPE_ERROR was to say it */
    uint32_t n_widened;
    uint32_t n_fitting; /* arguments that fit; fewer than n_args: the next is to blame */
} Trial;

/* Takes one more argument; false if it does not fit. */
static bool trial_arg(Trial *t, BuiltinType want, Type arg)
{
    if (arg == TYPE_ERROR || arg == TYPE_NULL) {
        t->is_poisoned |= arg == TYPE_ERROR && (want.var == 'T' || want.var == 'N');
        return true;
    }
    if (!is_scalar(arg))
        return false;
    switch (want.var) {
    case 0:
        t->n_widened += arg == TYPE_INT && want.type == TYPE_FLOAT;
        return arg == want.type || (arg == TYPE_INT && want.type == TYPE_FLOAT);
    case 'N':
        if (arg != TYPE_INT && arg != TYPE_FLOAT)
            return false;
        break;
    case 'A':
        return true;
    }
    if (t->bound == TYPE_NULL || (t->bound == TYPE_INT && arg == TYPE_FLOAT))
        t->bound = arg;
    return arg == t->bound || (arg == TYPE_INT && t->bound == TYPE_FLOAT);
}

static Trial trial_run(const BuiltinSig *sig, const Type *args, uint32_t n_args)
{
    Trial t = {.bound = TYPE_NULL};
    while (t.n_fitting < n_args) {
        const BuiltinParam *param = builtin_sig_param(sig, t.n_fitting);
        if (!param || !trial_arg(&t, param->type, args[t.n_fitting]))
            break;
        t.n_fitting++;
    }
    return t;
}

static bool sig_takes(const BuiltinSig *sig, uint32_t n_args)
{
    return n_args >= sig->n_required && (n_args <= sig->n_params || sig->is_variadic);
}

static void why_count(const Builtin *b, const BuiltinSig *sigs, uint32_t n_sigs,
                      BuiltinFit *fit)
{
    uint32_t few = UINT32_MAX, many = 0;
    for (uint32_t i = 0; i < n_sigs; i++) {
        uint32_t most = sigs[i].is_variadic ? UINT32_MAX : sigs[i].n_params;
        few = sigs[i].n_required < few ? sigs[i].n_required : few;
        many = most > many ? most : many;
    }
    size_t room = sizeof fit->why;
    if (many == 0)
        snprintf(fit->why, room, "`%s` takes no arguments", b->name);
    else if (many == UINT32_MAX)
        snprintf(fit->why, room, "`%s` takes at least %u argument%s", b->name, few,
                 few == 1 ? "" : "s");
    else if (few == many)
        snprintf(fit->why, room, "`%s` takes %u argument%s", b->name, few,
                 few == 1 ? "" : "s");
    else
        snprintf(fit->why, room, "`%s` takes %u %s %u argument%s", b->name, few,
                 few + 1 == many ? "or" : "to", many, many == 1 ? "" : "s");
}

/* The types that argument i could have had, over the overloads that fit up to there. */
static void why_arg(const Builtin *b, const BuiltinSig *sigs, const Trial *trials,
                    uint32_t n_sigs, const Type *args, uint32_t i, BuiltinFit *fit)
{
    const char *wanted[2 * BUILTIN_MAX_SIGS];
    uint32_t n = 0;
    Str name = {0};
    for (uint32_t k = 0; k < n_sigs; k++) {
        const BuiltinParam *param = builtin_sig_param(&sigs[k], i);
        if (trials[k].n_fitting != i || !param)
            continue;
        name = param->name;
        if (param->type.var == 0) {
            wanted[n++] = type_name(param->type.type);
        } else if (param->type.var != 'A' && trials[k].bound != TYPE_NULL) {
            wanted[n++] = type_name(trials[k].bound);
        } else if (param->type.var == 'N') {
            wanted[n++] = type_name(TYPE_INT);
            wanted[n++] = type_name(TYPE_FLOAT);
        } else {
            wanted[n++] = "a single value";
        }
    }
    Buf text = {0};
    for (uint32_t k = 0; k < n; k++)
        buf_printf(&text, "%s%s", k == 0 ? "" : k + 1 == n ? " or " : ", ", wanted[k]);
    fit->bad_arg = (int32_t)i;
    snprintf(fit->why, sizeof fit->why, "`%.*s` of `%s` must be %.*s, but this is %s",
             STR_ARG(name), b->name, STR_ARG(buf_str(&text)), type_name(args[i]));
    buf_deinit(&text);
}

static Type sig_result(const BuiltinSig *sig, const Trial *t)
{
    if (!sig->result.var)
        return sig->result.type;
    return t->is_poisoned ? TYPE_ERROR : t->bound;
}

bool builtin_resolve(const Builtin *b, const Type *args, uint32_t n_args, Type *params,
                     BuiltinFit *fit)
{
    *fit = (BuiltinFit){.result = TYPE_ERROR, .bad_arg = -1};
    BuiltinSig sigs[BUILTIN_MAX_SIGS];
    Trial trials[BUILTIN_MAX_SIGS] = {0};
    uint32_t n_sigs = builtin_sigs(b, sigs);
    uint32_t best = n_sigs, furthest = 0, n_candidates = 0;
    bool results_differ = false, has_error = false;
    for (uint32_t i = 0; i < n_args; i++)
        has_error |= args[i] == TYPE_ERROR;
    for (uint32_t k = 0; k < n_sigs; k++) {
        if (!sig_takes(&sigs[k], n_args)) {
            trials[k].n_fitting = UINT32_MAX; /* not to blame for any argument */
            continue;
        }
        n_candidates++;
        trials[k] = trial_run(&sigs[k], args, n_args);
        if (trials[k].n_fitting > furthest)
            furthest = trials[k].n_fitting;
        if (trials[k].n_fitting < n_args)
            continue;
        if (best < n_sigs)
            results_differ |= sig_result(&sigs[k], &trials[k]) !=
                              sig_result(&sigs[best], &trials[best]);
        if (best == n_sigs || trials[k].n_widened < trials[best].n_widened)
            best = k;
    }
    if (n_candidates == 0) {
        why_count(b, sigs, n_sigs, fit);
        return false;
    }
    if (best == n_sigs) {
        why_arg(b, sigs, trials, n_sigs, args, furthest, fit);
        return false;
    }
    fit->sig = sigs[best];
    /* With a poisoned argument it is not known which overload was meant. */
    if (!(has_error && results_differ))
        fit->result = sig_result(&sigs[best], &trials[best]);
    for (uint32_t i = 0; params && i < n_args; i++) {
        BuiltinType want = builtin_sig_param(&sigs[best], i)->type;
        params[i] = want.var == 0 ? want.type
                    : want.var == 'A' ? args[i]
                                      : trials[best].bound;
    }
    return true;
}

static void print_type(Buf *out, BuiltinType t)
{
    if (t.var == 0)
        buf_puts(out, type_name(t.type));
    else if (t.var == 'A')
        buf_puts(out, "any");
    else
        buf_putc(out, t.var);
}

void builtin_print(Buf *out, const Builtin *b)
{
    BuiltinSig sigs[BUILTIN_MAX_SIGS];
    uint32_t n_sigs = builtin_sigs(b, sigs);
    for (uint32_t k = 0; k < n_sigs; k++) {
        buf_printf(out, "%s%s(", k ? "\n" : "", b->name);
        for (uint32_t i = 0; i < sigs[k].n_params; i++) {
            const BuiltinParam *param = &sigs[k].params[i];
            bool repeats = sigs[k].is_variadic && i + 1 == sigs[k].n_params;
            buf_printf(out, "%s%.*s%s: ", i ? ", " : "", STR_ARG(param->name),
                       param->is_optional ? "?"
                       : repeats          ? "..."
                                          : "");
            print_type(out, param->type);
        }
        buf_puts(out, ") -> ");
        print_type(out, sigs[k].result);
    }
}

bool builtin_takes(const Builtin *b, uint32_t n_args)
{
    BuiltinSig sigs[BUILTIN_MAX_SIGS];
    uint32_t n = builtin_sigs(b, sigs);
    for (uint32_t i = 0; i < n; i++)
        if (n_args >= sigs[i].n_required && (n_args <= sigs[i].n_params || sigs[i].is_variadic))
            return true;
    return false;
}

/* ---- what other languages call them ---- */

typedef struct Habit {
    const char *theirs; /* in lower case */
    const char *ours;
} Habit;

/* With the same arguments and the same meaning. */
static const Habit HABITS[] = {
    {"len", "length"}, {"char_length", "length"}, {"avg", "mean"},
    {"average", "mean"}, {"str", "string"}, {"to_string", "string"}, {"tostring", "string"},
    {"to_int", "int"}, {"toint", "int"}, {"integer", "int"}, {"to_float", "float"},
    {"double", "float"}, {"tofloat", "float"}, {"to_date", "date"},
    {"to_timestamp", "timestamp"}, {"datetime", "timestamp"}, {"boolean", "bool"},
    {"ifnull", "coalesce"}, {"nvl", "coalesce"}, {"fillna", "coalesce"}, {"toupper", "upper"},
    {"uppercase", "upper"}, {"ucase", "upper"}, {"tolower", "lower"}, {"lowercase", "lower"},
    {"lcase", "lower"}, {"strip", "trim"}, {"stdev", "stddev"},
    {"group_concat", "string_agg"}, {"listagg", "string_agg"}, {"nunique", "count_distinct"},
    {"ceiling", "ceil"}, {"startswith", "starts_with"}, {"endswith", "ends_with"},
    {"includes", "contains"}, {"current_date", "today"}, {"current_timestamp", "now"},
    {"regexp_matches", "matches"}, {"regexp_like", "matches"},
    {"max_by", "arg_max"}, {"min_by", "arg_min"}, {"argmax", "arg_max"}, {"argmin", "arg_min"}, {"ljust", "pad_right"},
    {"rjust", "pad_left"}, {"maximum", "max"}, {"minimum", "min"},
    {"getenv", "env"}, {"uuid4", "uuid"},
    {"ascii_downcase", "lower"}, {"ascii_upcase", "upper"},
    {"n", "count"}, {"approx_count_distinct", "count_distinct"},
};

/* Arguments, their order or what comes out may differ. */
static const Habit NEAR_HABITS[] = {
    {"tonumber", "float"}, {"to_number", "float"}, {"substr", "substring"},
    {"mid", "substring"}, {"var", "variance"}, {"log", "ln"}, {"strftime", "format_time"},
    {"date_format", "format_time"}, {"strptime", "parse_time"}, {"to_char", "format_time"},
    {"dayofweek", "weekday"}, {"getdate", "now"}, {"printf", "format"}, {"sprintf", "format"},
    {"regex", "matches"}, {"regexp", "matches"}, {"row_number", "row"}, {"trunc", "int"}, {"total", "sum"},
    {"std", "stddev"}, {"lpad", "pad_left"}, {"rpad", "pad_right"}, {"greatest", "max"}, {"least", "min"},
    {"n_distinct", "count_distinct"}, {"strlen", "length"}, {"regexp_extract", "extract"},
    {"split", "split_part"}, {"test", "matches"}, {"nr", "row"}, {"rownum", "row"},
};

#define REPLACED "replace(text, part, other)`, of plain texts; patterns are only looked for, by `matches` and `extract"
#define FOUND "contains(text, part)`, which says whether, not where; parts are cut out by `split_part` and `extract"
#define TIME_PARTS "year(t)`, `month(t)`, `day(t)`, `hour(t)`, `minute(t)`, `second(t)` or `weekday(t)"
#define LISTED "string_agg(x, \", \")`, which makes one text: there is no type `list"

static const Habit HABIT_FORMS[] = {
    {"md5", "hash(x)`, whose values are others than those of `md5"},
    {"sha1", "hash(x)`, whose values are others than those of `sha1"},
    {"sha256", "hash(x)`, whose values are others than those of `sha256"},
    {"sub", REPLACED},
    {"gsub", REPLACED},
    {"str_replace", REPLACED},
    {"re_sub", REPLACED},
    {"regexp_replace", REPLACED},
    {"regex_replace", REPLACED},
    {"paste", "a + \" \" + b` or `\"{a} {b}\""},
    {"paste0", "a + b` or `\"{a}{b}\""},
    {"left", "substring(text, 0, n)"},
    {"right", "substring(text, -n)"},
    {"position", FOUND},
    {"instr", FOUND},
    {"charindex", FOUND},
    {"strpos", FOUND},
    {"indexof", FOUND},
    {"from_unixtime", "parse_time(string(seconds), \"%s\")"},
    {"fromtimestamp", "parse_time(string(seconds), \"%s\")"},
    {"date_part", TIME_PARTS},
    {"datepart", TIME_PARTS},
    {"list", LISTED},
    {"array_agg", LISTED},
    {"collect_list", LISTED},
    {"quantile", "median(x)`, and the ends are `min(x)` and `max(x)"},
    {"percentile", "median(x)`, and the ends are `min(x)` and `max(x)"},
    {"percentile_cont", "median(x)`, and the ends are `min(x)` and `max(x)"},
    {"nrow", "count()` in `aggregate { n = count() }"},
    {"n_rows", "count()` in `aggregate { n = count() }"},
    {"cast", "int(x)`, `float(x)`, `string(x)"},
    {"convert", "int(x)`, `float(x)`, `string(x)"},
    {"pow", "x ** y"},
    {"power", "x ** y"},
    {"mod", "x % y"},
    {"like", "contains(x, \"a\")`, `starts_with`, `matches"},
    {"is_null", "x is null"},
    {"empty", "x is null"},
    {"is_empty", "x is null"},
    {"isempty", "x is null"},
    {"concat_ws", "a + \"-\" + b` or `\"{a}-{b}\""},
    {"switch", "if c then a else b"},
    {"decode", "if c then a else b"},
    {"isnull", "x is null"},
    {"isna", "x is null"},
    {"isnan", "x == float(\"nan\")"},
    {"notnull", "x is not null"},
    {"iif", "if c then a else b"},
    {"iff", "if c then a else b"},
    {"ifelse", "if c then a else b"},
    {"if_else", "if c then a else b"},
    {"case_when", "if c then a else b"},
    {"nullif", "if x == y then null else x"},
    {"isin", "x in [a, b]"},
    {"len_distinct", "count_distinct(x)"},
    {"date_add", "d + 1d"},
    {"dateadd", "d + 1d"},
    {"datediff", "a - b"},
    {"date_diff", "a - b"},
    {"count_if", "sum(int(c))"},
    {"countif", "sum(int(c))"},
    {"count_where", "sum(int(c))"},
    {"sum_if", "sum(if c then x else 0)"},
    {"sumif", "sum(if c then x else 0)"},
    {"date_trunc", "date(t)` for the day, `format_time(t, \"%Y-%m\")"},
    {"datetrunc", "date(t)` for the day, `format_time(t, \"%Y-%m\")"},
    {"lag", "group by` and `join`: there are no windows over rows; `row()"},
    {"lead", "group by` and `join`: there are no windows over rows; `row()"},
    {"rank", "group by` and `join`: there are no windows over rows; `row()"},
};

static const char *habit_of(Str name, const Habit *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t k = 0;
        for (; k < name.len && table[i].theirs[k]; k++) {
            if (ascii_lower(name.ptr[k]) != table[i].theirs[k])
                break;
        }
        if (k == name.len && !table[i].theirs[k])
            return table[i].ours;
    }
    return NULL;
}

const char *builtin_habit(Str name, bool *is_same)
{
    const char *ours = habit_of(name, HABITS, sizeof HABITS / sizeof *HABITS);
    if (is_same)
        *is_same = ours != NULL;
    return ours ? ours : habit_of(name, NEAR_HABITS, sizeof NEAR_HABITS / sizeof *NEAR_HABITS);
}

const char *builtin_habit_form(Str name)
{
    return habit_of(name, HABIT_FORMS, sizeof HABIT_FORMS / sizeof *HABIT_FORMS);
}
