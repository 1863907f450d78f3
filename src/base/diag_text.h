/* diag_text.h - diagnostics as text: one Diag, three printers.
 *
 * All print in the order of places (errors and warnings mixed; what has no place comes
 * first) and append to a Buf the caller owns. Of several errors at exactly one place
 * the first is printed. Messages never hold raw control bytes.
 */
#ifndef PIPE_BASE_DIAG_TEXT_H
#define PIPE_BASE_DIAG_TEXT_H

#include "base/diag.h"

/* For people: the source line with carets, labels, notes, helps.
 *
 *   error[E0003]: `raed` is not a statement
 *    --> a.pipe:2:3
 *     |
 *   2 |   raed csv "x.csv"
 *     |   ^^^^
 *     = help: did you mean `read`?
 */
void diags_put_human(Buf *out, const Diags *ds, const Sources *sources, bool has_color);

/* For tests and editors, a line each: `file:line:col-col: error[E0003]: text`. Columns
 * count code points from 1; the second is the last one included (on the first line, if
 * the span has several; the same one, if it is empty). A did-you-mean follows after `;
 * `. */
void diags_put_short(Buf *out, const Diags *ds, const Sources *sources);

/* For programs: an object a line, with code, severity, file, start and end (line,
 * column, byte in the file; end exclusive), message, labels, notes, helps, fixes: the places
 * of one fix, to be applied together, and whether it is certain. */
void diags_put_json(Buf *out, const Diags *ds, const Sources *sources);

#endif
