/* type.h - the types of values and the shape of a table. */
#ifndef PIPE_BASE_TYPE_H
#define PIPE_BASE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* How a column of each type is stored: the element of Column.values (data/column.h). */
/* TYPE(enum, name, bytes per element) */
#define TYPES(TYPE)                                                                      \
    TYPE(ERROR, "?", 0)          /* poison: something was wrong and has been said */     \
    TYPE(NULL, "null", 0)        /* a bare null; takes the other branch's type */        \
    TYPE(BOOL, "bool", 1)        /* uint8_t 0 or 1 */                                    \
    TYPE(INT, "int", 8)          /* int64_t */                                           \
    TYPE(FLOAT, "float", 8)      /* double */                                            \
    TYPE(STRING, "string", 16)   /* StrView */                                           \
    TYPE(DATE, "date", 8)        /* int64_t days since 1970-01-01 */                     \
    TYPE(TIMESTAMP, "timestamp", 8) /* int64_t microseconds since 1970-01-01T00:00Z */   \
    TYPE(DURATION, "duration", 8)   /* int64_t microseconds */                           \
    TYPE(SIZE, "size", 8)        /* int64_t bytes */                                     \
    TYPE(TABLE, "table", 0)      /* an op's parameter */                                 \
    TYPE(LIST, "list", 0)        /* a list literal, after `in` and `exec` */

typedef enum Type {
#define TYPE(e, name, bytes) TYPE_##e,
    TYPES(TYPE)
#undef TYPE
    N_TYPES
} Type;

const char *type_name(Type t);
uint32_t type_bytes(Type t);             /* bytes per element in a column */
bool type_by_name(Str name, Type *out);  /* the names a program may write; false if none */

/* Columns of a table, in order. Arena-owned or static; immutable once made. */
typedef struct SchemaCol {
    Str name;
    Type type;
} SchemaCol;

typedef struct Schema {
    uint32_t n_cols;
    SchemaCol *cols; /* [n_cols] */
} Schema;

/* Index of the column, or -1. */
int32_t schema_find(const Schema *s, Str name);

#endif
