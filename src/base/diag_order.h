/* diag_order.h - which diagnostics are printed, in what order, and how their codes look: for the printers of diag_text.h. */
#ifndef PIPE_BASE_DIAG_ORDER_H
#define PIPE_BASE_DIAG_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Those to print, by their places; ties as found. Of several errors at one place the first. The caller frees the
 * array, not what it points to. */
const Diag **diags_sorted(const Diags *ds, size_t *n);
bool diag_is_error(const Diag *d);
const char *diag_severity_name(const Diag *d); /* error, warning */
void diag_put_code(Buf *out, const Diag *d);   /* E0003 */

#endif
