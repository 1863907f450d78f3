#include "lang/unavailable.h"

bool stmt_is_later(StmtKind k)
{
    static const bool later[N_STMTS] = {
#define LATER_STMT(e) [STMT_##e] = true,
#define LATER_FORMAT(s, f)
#define LATER_ANNOT(e)
#include "lang/unavailable.def"
#undef LATER_STMT
#undef LATER_FORMAT
#undef LATER_ANNOT
        [STMT_ERROR] = false,
    };
    return later[k];
}

bool format_is_later(StmtKind k, Format f)
{
    static const struct {
        StmtKind stmt;
        Format format;
    } later[] = {
#define LATER_STMT(e)
#define LATER_FORMAT(s, f) {STMT_##s, FORMAT_##f},
#define LATER_ANNOT(e)
#include "lang/unavailable.def"
#undef LATER_STMT
#undef LATER_FORMAT
#undef LATER_ANNOT
        {STMT_ERROR, FORMAT_CSV},
    };
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (later[i].stmt == k && later[i].format == f)
            return true;
    return false;
}

bool annot_is_later(AnnotKind k)
{
    static const bool later[N_ANNOTS + 1] = {
#define LATER_STMT(e)
#define LATER_FORMAT(s, f)
#define LATER_ANNOT(e) [ANNOT_##e] = true,
#include "lang/unavailable.def"
#undef LATER_STMT
#undef LATER_FORMAT
#undef LATER_ANNOT
        [N_ANNOTS] = false,
    };
    return later[k];
}

void report_later(Diags *ds, Span span, const char *fmt, ...)
{
    Buf what = {0};
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&what, fmt, ap);
    va_end(ap);
    Diag *d = diag_add(ds, E_NOT_AVAILABLE, span, "%s is not available yet", what.ptr);
    diag_note(ds, d, "it is checked, but this version cannot run it");
    buf_deinit(&what);
}
