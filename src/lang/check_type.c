/* check_type.c - types as a program names them. */
#include "lang/check_state.h"

#include <string.h>

/* What other languages call our types. */
static const char *foreign_type(Str name)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {
        {"str", "string"},     {"text", "string"},       {"varchar", "string"},
        {"char", "string"},    {"integer", "int"},       {"long", "int"},
        {"int32", "int"},      {"int64", "int"},         {"bigint", "int"},
        {"i64", "int"},        {"i32", "int"},           {"uint", "int"},
        {"double", "float"},   {"real", "float"},        {"number", "float"},
        {"decimal", "float"},  {"numeric", "float"},     {"float64", "float"},
        {"f64", "float"},      {"boolean", "bool"},      {"datetime", "timestamp"},
        {"time", "timestamp"}, {"interval", "duration"}, {"timedelta", "duration"},
        {"bytes", "size"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char lower[16];
        if (name.len >= sizeof lower)
            continue;
        for (uint32_t k = 0; k < name.len; k++) {
            lower[k] = ascii_lower(name.ptr[k]);
        }
        lower[name.len] = '\0';
        if (strcmp(lower, words[i].theirs) == 0)
            return words[i].ours;
    }
    return NULL;
}

static void report_unknown_type(Check *c, const TypeRef *ref, bool tables)
{
    Diag *d = diag_add(c->diags, E_UNKNOWN_TYPE, ref->span, "there is no type `%.*s`",
                       STR_ARG(ref->name));
    Type last = tables ? TYPE_TABLE : TYPE_SIZE;
    const char *ours = foreign_type(ref->name);
    Suggest near;
    Buf list = {0};

    suggest_init(&near, ref->name);
    for (Type t = TYPE_BOOL; t <= last; t++) {
        suggest_offer(&near, str_of(type_name(t)));
        buf_put_name_in_list(&list, str_of(type_name(t)), (size_t)(t - TYPE_BOOL),
                             (size_t)(last - TYPE_BOOL) + 1, "and");
    }
    if (ours) {
        diag_help(c->diags, d, "it is called `%s` here", ours);
        diag_fix(c->diags, d, ref->span, str_of(ours));
    } else if (!diag_suggest(c->diags, d, ref->span, &near)) {
        diag_help(c->diags, d, "the types are %s", list.ptr);
    }
    buf_deinit(&list);
}

Type check_type(Check *c, const TypeRef *ref, bool tables, const char *what)
{
    Type t;

    if (ref->name.len == 0)
        return TYPE_ERROR;
    if (!type_by_name(ref->name, &t)) {
        report_unknown_type(c, ref, tables);
        return TYPE_ERROR;
    }
    if (t == TYPE_TABLE && !tables) {
        Diag *d =
            diag_add(c->diags, E_TABLE_TYPE, ref->span, "%s cannot be a table", what);
        diag_help(c->diags, d, "only a parameter of an op can");
        return TYPE_ERROR;
    }
    return t;
}
