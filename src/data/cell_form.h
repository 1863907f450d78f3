/* cell_form.h - what the texts of a column of a CSV file look like, though no type of the language reads them: dates of
 * other forms, decimal commas, amounts of money, numbers among words for nothing.
 *
 * One thread; what is given lives in the arena.
 */
#ifndef PIPE_DATA_CELL_FORM_H
#define PIPE_DATA_CELL_FORM_H

#include "base/arena.h"
#include "base/catalog.h"
#include "data/raw.h"

typedef enum CellForm {
    FORM_NONE,
    FORM_TIME,          /* a date or time of DialectCol.pattern */
    FORM_TIME_EITHER,   /* the same; whether day or month comes first does not show */
    FORM_TIME_MIXED,    /* dates and times of more than one form */
    FORM_CLOCK,         /* times of day, hours and minutes: 10:30 */
    FORM_CLOCK_SECONDS, /* 10:30:15 */
    FORM_DECIMAL_COMMA, /* 1.234,50 */
    FORM_THOUSANDS,     /* 1,234 */
    FORM_MONEY,         /* $1,234.50 */
    FORM_CODE,          /* numbers with leading zeros or a plus sign */
    FORM_YES_NO,        /* yes and no, y and n, or their capitals */
    FORM_PERCENT,       /* 12.5% */
    FORM_DURATION,      /* 1h30m, 250ms: what a schema can declare, and only a schema */
    FORM_SIZE,          /* 64kB, likewise */
    FORM_BLANKS,        /* DialectCol.inner between blanks; string: other texts, each with a blank before it */
    FORM_NULL_WORDS,    /* DialectCol.inner, and DialectCol.words that stand for nothing */
} CellForm;

typedef struct DialectCol {
    CatalogCol col;
    CellForm form;
    const char *pattern; /* of FORM_TIME and FORM_TIME_EITHER, for parse_time */
    Str example;         /* a value of the form */
    Str other;           /* FORM_TIME_MIXED: one of another form */
    Type inner;          /* of FORM_BLANKS and FORM_NULL_WORDS */
    const char **words;  /* [n_words] */
    uint32_t n_words;
} DialectCol;

/* What files write where there is no value, "" not among them; ends in NULL. */
extern const char *const NULL_WORDS[];
bool is_null_word(Str s);

/* Fills form and what belongs to it of a string column; FORM_NONE: it is just text. */
void cell_form_guess(const RawRows *raw, uint32_t c, DialectCol *out, Arena *a);

#endif
