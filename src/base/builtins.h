/* builtins.h - the functions and aggregates of the language, and how calls are typed.
 *
 * All of them are declared in builtins.def. Nothing here has state.
 */
#ifndef PIPE_BASE_BUILTINS_H
#define PIPE_BASE_BUILTINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/type.h"

typedef enum BuiltinId {
#define BUILTIN(e, name, group, kind, sig, help, example, result) BUILTIN_##e,
#include "base/builtins.def"
#undef BUILTIN
    N_BUILTINS
} BuiltinId;

/* What a value depends on: the compiler may compute a SCALAR of constants. */
typedef enum BuiltinKind {
    BUILTIN_KIND_SCALAR, /* its arguments alone */
    BUILTIN_KIND_RUN,    /* also what was given when the run began: now today env */
    BUILTIN_KIND_BATCH,  /* also the batch: key index */
    BUILTIN_KIND_ROW,    /* also the row's place in its input table: row uuid */
    BUILTIN_KIND_AGG,    /* all rows of a group */
} BuiltinKind;

typedef enum BuiltinGroup {
    BUILTIN_GROUP_STRING,
    BUILTIN_GROUP_NUMBER,
    BUILTIN_GROUP_TIME,
    BUILTIN_GROUP_OTHER,
    BUILTIN_GROUP_CONVERSION,
    BUILTIN_GROUP_AGGREGATE,
} BuiltinGroup;

typedef struct Builtin {
    BuiltinId id;
    BuiltinKind kind;
    BuiltinGroup group;
    const char *name;
    const char *signature; /* as in builtins.def */
    const char *help;
    const char *example, *result;
} Builtin;

/* The rows that the examples of aggregates are about, as CSV: n is int, s string. */
#define BUILTIN_EXAMPLE_ROWS "n,s\n1,b\n2,a\n4,c\n,b\n"

const Builtin *builtin_get(BuiltinId id);
/* The builtin that a call means, NULL if none has the name. Only `min` and `max` are two: with
 * one argument the aggregate, with any other number the scalar. */
const Builtin *builtin_find(Str name, uint32_t n_args);
/* Our function for what other languages call so (`len`: length); NULL: none. is_same (may be NULL): it takes
 * the same arguments and means the same. */
const char *builtin_habit(Str name, bool *is_same);
/* What does here what such a function does there, where that is no function (`pow`: x ** y). */
const char *builtin_habit_form(Str name);
const char *builtin_group_name(BuiltinGroup g); /* "strings", ... for headings */

/* One overload. */
#define BUILTIN_MAX_PARAMS 3 /* asserted where signatures are read */
#define BUILTIN_MAX_SIGS 5

typedef struct BuiltinType {
    char var;  /* 'T' or 'N': a type variable; 'A': any type; 0: `type` */
    Type type;
} BuiltinType;

typedef struct BuiltinParam {
    Str name;
    BuiltinType type;
    bool is_optional;
    bool is_const; /* the argument must be a constant: the caller checks that */
} BuiltinParam;

typedef struct BuiltinSig {
    BuiltinParam params[BUILTIN_MAX_PARAMS];
    uint32_t n_params;
    uint32_t n_required;
    bool is_variadic; /* the last parameter stands for any number, none included */
    BuiltinType result;
} BuiltinSig;

/* The overloads of b; returns how many. */
uint32_t builtin_sigs(const Builtin *b, BuiltinSig sigs[BUILTIN_MAX_SIGS]);
/* Does an overload take so many arguments? */
bool builtin_takes(const Builtin *b, uint32_t n_args);
/* The parameter that takes argument i of a call, NULL beyond the last. */
const BuiltinParam *builtin_sig_param(const BuiltinSig *sig, uint32_t i);

/* How a call fits. */
typedef struct BuiltinFit {
    BuiltinSig sig;  /* the overload chosen */
    Type result;     /* TYPE_ERROR if it depends on an argument of TYPE_ERROR */
    int32_t bad_arg; /* when nothing fits: the argument to blame, -1 for their number */
    char why[256];   /* when nothing fits: as a diagnostic words it */
} BuiltinFit;

/* Types a call: the overload that takes the arguments with the fewest widenings from
 * int to float, the first of equals. A bare null (TYPE_NULL) takes the type wanted, TYPE_ERROR
 * fits everywhere. params (may be NULL) is filled with the types [n_args] that the
 * arguments have to be converted to (TYPE_NULL stays where nothing else says a type).
 * False when nothing fits; result is then TYPE_ERROR. */
bool builtin_resolve(const Builtin *b, const Type *args, uint32_t n_args, Type *params,
                     BuiltinFit *fit);

/* "substring(s: string, start: int, length?: int) -> string", overloads on lines of
 * their own. */
void builtin_print(Buf *out, const Builtin *b);

#endif
