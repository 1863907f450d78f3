/* call.h - inside the VM: how CALL reaches the functions of builtins.def.
 *
 * A function computes one row. It is called for rows that are wanted and in which no
 * argument is null (coalesce, hash: may be), so it sees values only.
 */
#ifndef PIPE_VM_CALL_H
#define PIPE_VM_CALL_H

#include "vm/pass.h"

typedef struct Call {
    Pass *pass;
    const Reg *args;
    uint32_t n_args;
    Type type;       /* of the result */
    uint32_t call_id;
    BuiltinId fn;
    bool is_in_path; /* a text made of key(), of the path of a file: it is escaped */
    Heap *heap;      /* for the bytes of a new string; made by call_bytes() */
    Value out;       /* the result; out.is_null may be set, out.s lives as long as arguments or heap */
    char why[160];   /* of an error */
    RowError kind;   /* of it; ROW_ERROR_NONE: what the function says of itself */
    Str culprit;     /* the value to blame, may be empty */
    uint64_t uuid_state[2]; /* hash of what does not change from row to row */
    struct Regex *regex;    /* of a constant pattern, once it was wanted; borrowed from the VM */
    bool is_pattern_right;  /* the constant pattern was looked at */
    struct CallFormat *format; /* made by call_format() */
} Call;

/* False: a row error, `why` says it. */
typedef bool (*CallFn)(Call *c, uint32_t row);

/* The same function over a column: computes the rows of live (NULL: all) that are of the common form into out, and
 * sets the bits of the others in `rest` (all clear before), which are then computed one by one. */
typedef void (*CallColumnFn)(Call *c, const uint64_t *live, Column *out, uint64_t *rest);

char *call_bytes(Call *c, size_t n);
/* The result, as a part of one file name. call_other.c */
void call_escape(Call *c);
bool call_fail(Call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define call_overflow(c, ...) ((c)->kind = ROW_ERROR_OVERFLOW, call_fail((c), __VA_ARGS__))

/* call_string.c */
bool call_upper(Call *c, uint32_t row);
bool call_lower(Call *c, uint32_t row);
void call_upper_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest);
void call_lower_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest);
bool call_trim(Call *c, uint32_t row);
bool call_length(Call *c, uint32_t row);
bool call_substring(Call *c, uint32_t row);
bool call_replace(Call *c, uint32_t row);
bool call_split_part(Call *c, uint32_t row);
bool call_contains(Call *c, uint32_t row);
bool call_starts_with(Call *c, uint32_t row);
bool call_ends_with(Call *c, uint32_t row);
bool call_pad_left(Call *c, uint32_t row);
bool call_pad_right(Call *c, uint32_t row);

/* call_number.c */
bool call_abs(Call *c, uint32_t row);
bool call_round(Call *c, uint32_t row);
bool call_floor(Call *c, uint32_t row);
bool call_ceil(Call *c, uint32_t row);
bool call_sqrt(Call *c, uint32_t row);
bool call_ln(Call *c, uint32_t row);
bool call_log10(Call *c, uint32_t row);
bool call_exp(Call *c, uint32_t row);
bool call_min(Call *c, uint32_t row);
bool call_max(Call *c, uint32_t row);
bool call_clamp(Call *c, uint32_t row);

/* call_other.c */
bool call_uuid(Call *c, uint32_t row);
bool call_coalesce(Call *c, uint32_t row);
bool call_env(Call *c, uint32_t row);
bool call_key(Call *c, uint32_t row);
bool call_index(Call *c, uint32_t row);
bool call_row(Call *c, uint32_t row);
bool call_concat(Call *c, uint32_t row);
bool call_convert(Call *c, uint32_t row);
bool call_hash(Call *c, uint32_t row);

/* call_regex.c */
bool call_matches(Call *c, uint32_t row);
bool call_extract(Call *c, uint32_t row);

/* call_format.c */
bool call_format(Call *c, uint32_t row);
void call_format_close(struct CallFormat *f); /* NULL is fine */

/* call_time.c */
bool call_now(Call *c, uint32_t row);
bool call_today(Call *c, uint32_t row);
bool call_year(Call *c, uint32_t row);
bool call_month(Call *c, uint32_t row);
bool call_day(Call *c, uint32_t row);
bool call_hour(Call *c, uint32_t row);
bool call_minute(Call *c, uint32_t row);
bool call_second(Call *c, uint32_t row);
bool call_weekday(Call *c, uint32_t row);
bool call_format_time(Call *c, uint32_t row);
bool call_parse_time(Call *c, uint32_t row);
/* Those that look at the time alone, over a column. */
void call_time_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest);

#endif
