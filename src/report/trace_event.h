/* trace_event.h - an event of a trace file as its fields, for the reader of traces alone.
 *
 * An event that looks as trace.c writes it is taken from the text, without a tree of it: that is most of
 * the time of reading. Texts are borrowed from the file, or from the tree. Pure; one thread.
 */
#ifndef PIPE_REPORT_TRACE_EVENT_H
#define PIPE_REPORT_TRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct json_t;

typedef enum FieldKind {
    FIELD_STR,
    FIELD_INT,   /* 0 or above; n: it */
    FIELD_REAL,  /* 0 or above, below 9e15; n: thousandths */
    FIELD_OTHER, /* any other value */
} FieldKind;

typedef struct Field {
    Str key;
    FieldKind kind;
    Str text;
    uint64_t n;
} Field;

enum { MAX_FIELDS = 24 };

typedef struct Fields {
    uint32_t n;
    Field at[MAX_FIELDS];
} Fields;

typedef struct TraceItem {
    Fields top, args; /* args: empty where there are none */
} TraceItem;

/* NULL if there is no such field. */
const Field *fields_get(const Fields *f, const char *key);

/* Reads the object at text[*at] and moves *at behind it. False, and *at as it was, for whatever is not plain:
 * blanks, escapes, letters beyond ASCII, signs and exponents, more depth or fields, a key twice, and what is
 * no JSON. */
bool trace_item_scan(Str text, size_t *at, TraceItem *out);
/* The same of a tree, which may be any value; fields beyond MAX_FIELDS are left out. */
void trace_item_of_json(struct json_t *tree, TraceItem *out);

#endif
