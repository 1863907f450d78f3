#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

const char *status_name(Status s)
{
    switch (s) {
    case OK: return "ok";
    case ERR_ROW: return "row error";
    case ERR_DATA: return "bad data";
    case ERR_IO: return "i/o error";
    case ERR_FAIL: return "failed";
    case ERR_FAIL_PERMANENT: return "failed permanently";
    case ERR_TIMEOUT: return "timeout";
    case ERR_CANCELLED: return "cancelled";
    case ERR_NOMEM: return "out of memory";
    }
    return "?";
}
