/* status.h - failures while running: a Status returned, an Error filled in.
 *
 * Mistakes in the user's program are diagnostics (diag.h), never these.
 */
#ifndef PIPE_BASE_STATUS_H
#define PIPE_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum Status {
    OK = 0,
    ERR_ROW,     /* a row error: conversion, overflow, division by zero, assert */
    ERR_DATA,    /* the input is not what it should be (ragged row, open quote) */
    ERR_IO,      /* the system refused; errno is in the text */
    ERR_FAIL,    /* the program said `fail` */
    ERR_FAIL_PERMANENT, /* ... `fail permanent` */
    ERR_TIMEOUT,
    ERR_CANCELLED,
    ERR_NOMEM,
} Status;

/* What is wrong with a row. */
typedef enum RowError {
    ROW_ERROR_NONE, /* it is no error of a row */
#define ROW_ERROR(e, name, doc, remedy) ROW_ERROR_##e,
#include "base/row_errors.def"
#undef ROW_ERROR
    N_ROW_ERRORS
} RowError;
const char *row_error_name(RowError e); /* "conversion" */
const char *row_error_remedy(RowError e); /* "": the message says it, or there is none */

/* Owned by the caller, who sets it to {0} before and need not free anything. */
typedef struct Error {
    Status status;
    bool is_input;     /* the input could not be read: told of the step that reads, whichever wanted its rows */
    bool is_output;    /* of a command, which could not be read: told of the step that runs it */
    RowError row_error; /* of ERR_ROW, and of ERR_DATA where it concerns one row */
    char text[1024];   /* one line or a few, UTF-8, no control bytes from data */
    char file[256];    /* input file, "" when none */
    uint64_t line;     /* from 1, the header being line 1; 0 = unknown */
    uint64_t byte;     /* offset of the value in the file; meaningful if line > 0 */
    char column[128];  /* column name, "" when none */
    char value[256];   /* the value that failed, made visible and cut */
} Error;

/* Fills *err (may be NULL) and returns status. */
Status error_set(Error *err, Status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
