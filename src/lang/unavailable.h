/* unavailable.h - what parses and checks but does not run yet: unavailable.def. */
#ifndef PIPE_LANG_UNAVAILABLE_H
#define PIPE_LANG_UNAVAILABLE_H

#include "base/diag.h"
#include "lang/annot.h"

bool stmt_is_later(StmtKind k);
bool format_is_later(StmtKind k, Format f); /* of READ and WRITE */
bool annot_is_later(AnnotKind k);

/* "... is not available yet", of what the format says. */
void report_later(Diags *ds, Span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
