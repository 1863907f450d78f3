/* manual.h - grammar/README.md in the program, as text for a terminal.
 *
 * The build puts the file into the binary (build/gen/manual.inc); a section is found by its heading. Only the
 * Markdown that the file uses is understood: headings, paragraphs, `*` lists, tables, indented code and fences.
 * Pure.
 */
#ifndef PIPE_API_MANUAL_H
#define PIPE_API_MANUAL_H

#include <stdbool.h>

#include "base/str.h"

typedef struct ManualSection {
    Str heading; /* without the #s */
    int level;   /* of its heading: 2 or more */
    Str intro;   /* its Markdown up to the next heading, */
    Str whole;   /* ... and with the sections in it */
} ManualSection;

Str manual_text(void);
/* The i-th section, in the order of the file; false beyond the last. */
bool manual_section(uint32_t i, ManualSection *out);
bool manual_find(Str heading, ManualSection *out);
/* "Values and types" as people type it: values-and-types. */
void manual_put_topic(Buf *out, Str heading);

/* Appends Markdown as text on lines of at most MANUAL_WIDTH columns (code is never broken). */
#define MANUAL_WIDTH 92
void manual_put(Buf *out, Str markdown);
/* The rows of tables whose first cell has the word; false if there is none. */
bool manual_put_rows(Buf *out, Str markdown, Str word);
/* The paragraphs, items and examples that have the word; false if there is none. */
bool manual_put_mentions(Buf *out, Str markdown, Str word);
/* The shortest program of the manual that has the word in its code, and says what comes out: such programs are run by the
 * tests. False if there is none. */
bool manual_put_example(Buf *out, Str word);
/* For other forms than the terminal's. The next row of a table in *markdown, which goes on behind it: its first cell
 * and the rest, without marks but backticks in the rest. False when no table comes before a heading. */
bool manual_row(Str *markdown, Buf *first, Buf *rest);
/* The same of the next paragraph. */
bool manual_paragraph(Str *markdown, Buf *out);

#endif
