#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *row_error_name(RowError e)
{
    static const char *const names[N_ROW_ERRORS] = {
        [ROW_ERROR_NONE] = "",
#define ROW_ERROR(e, name, doc, remedy) [ROW_ERROR_##e] = name,
#include "base/row_errors.def"
#undef ROW_ERROR
    };
    return names[e];
}

const char *row_error_remedy(RowError e)
{
    static const char *const remedies[N_ROW_ERRORS] = {
        [ROW_ERROR_NONE] = "",
#define ROW_ERROR(e, name, doc, remedy) [ROW_ERROR_##e] = remedy,
#include "base/row_errors.def"
#undef ROW_ERROR
    };
    return remedies[e];
}

Status error_set(Error *err, Status status, const char *fmt, ...)
{
    if (!err)
        return status;
    memset(err, 0, sizeof *err);
    err->status = status;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return status;
}
