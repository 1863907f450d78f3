/* diag.h - mistakes in the user's program: recorded, never returned.
 *
 * A stage records what it finds and goes on; TYPE_ERROR and AST error nodes keep later
 * rules silent about the same mistake. Everything lives in the list's own arena. One
 * Diag, several printers: diag_text.h.
 */
#ifndef PIPE_BASE_DIAG_H
#define PIPE_BASE_DIAG_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/source.h"
#include "base/str.h"
#include "base/vec.h"

/* Codes: diag_codes.def, DIAG(enum, number, severity, title, wrong, right). */
typedef enum DiagCode {
#define DIAG(e, number, severity, title, wrong, right) e,
#include "base/diag_codes.def"
#undef DIAG
    N_DIAG_CODES
} DiagCode;

typedef enum Severity { SEV_ERROR, SEV_WARNING } Severity;

typedef struct DiagInfo {
    uint32_t number;  /* E0012: 12, W0003: 3 */
    Severity severity;
    const char *title; /* one line, for `explain` */
    const char *wrong; /* a program with the mistake; run by the tests */
    const char *right; /* the same program mended; run by the tests */
} DiagInfo;

const DiagInfo *diag_info(DiagCode code);
/* "E0012", "e12" or "12" -> code; false if there is none. */
bool diag_code_by_name(Str name, DiagCode *out);

typedef struct DiagLabel {
    Span span;
    Str text;
} DiagLabel;

/* One place of a fix: replace span by text. An empty span: put it there. */
typedef struct DiagFix {
    Span span;
    Str text;
    const char *file; /* where in our source it is said: tests know by it which fixes they have seen */
    int line;
} DiagFix;

typedef Vec(Str) DiagTexts;

typedef struct Diag {
    DiagCode code;
    Span span;  /* the primary place */
    Str text;   /* what is wrong: lower case, no full stop, code in backquotes */
    Vec(DiagLabel) labels;
    DiagTexts notes; /* "= note: ..." */
    DiagTexts helps; /* "help: ..." : what to do */
    Vec(DiagFix) fixes; /* one fix: all of these places together, in no order */
    bool is_certain;    /* what the fix makes is what was meant: `check --fix` applies it */
} Diag;

typedef struct Diags {
    Arena *arena; /* owned */
    Vec(Diag *) list; /* in the order found; sorted by position when printed */
    uint32_t n_errors, n_warnings;
} Diags;

void diags_init(Diags *ds);
void diags_deinit(Diags *ds);

/* Records a mistake (severity from the code). The same code at the same span is recorded once: then
 * the earlier Diag comes back. Never NULL. */
Diag *diag_add(Diags *ds, DiagCode code, Span span, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Does a label of a mistake of the text stand in there? Then what stands there has been explained. */
bool diags_explain(const Diags *ds, Span span);
/* Did the parser find a mistake in there? Then what stands there is not what was meant. */
bool diags_is_torn(const Diags *ds, Span span);
void diag_label(Diags *ds, Diag *d, Span span, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void diag_note(Diags *ds, Diag *d, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diag_help(Diags *ds, Diag *d, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A place of a fix that may be what was meant: editors offer it. */
#define diag_fix(...) diag_fix_at(__FILE__, __LINE__, false, __VA_ARGS__)
/* ... of one that is. */
#define diag_fix_certain(...) diag_fix_at(__FILE__, __LINE__, true, __VA_ARGS__)
void diag_fix_at(const char *file, int line, bool is_certain, Diags *ds, Diag *d, Span span, Str text);
/* Takes back the mistakes that begin in there: they are parts of one that is about to be told. */
void diags_drop(Diags *ds, Span span);

#endif
