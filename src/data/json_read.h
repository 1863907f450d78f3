/* json_read.h - JSON lines: one object a line, its members the columns.
 *
 * One pass over the bytes of a range. Only the values of columns that are needed are converted, others are
 * skipped; which key comes next is guessed from the line before. Numbers are read by base/value.
 *
 *   - A missing key and null are null. Of two equal keys of an object the last one counts.
 *   - int and float columns take numbers, bool columns true and false, date, timestamp, duration and size
 *     columns strings; a string column takes any value: strings without their escapes, others, arrays and
 *     objects too, as the JSON text that stands there. Anything else is a row error.
 *   - A key that the schema lacks is skipped if all columns are declared. If types were inferred it is a row
 *     error, since the sample did not have it.
 *   - What is no object on one line, or no JSON, is ERR_DATA. Within strings bytes that are not UTF-8 stay.
 *
 * Types of a sample: the first of int, float, bool, date, timestamp (these two of strings) that fits all
 * values that are not null, else string. Numbers beyond 64 bits are floats.
 */
#ifndef PIPE_DATA_JSON_READ_H
#define PIPE_DATA_JSON_READ_H

#include "base/catalog.h"
#include "data/line_read.h"

/* As line_decode, of a range of JSON lines. */
Status json_decode(RawRows *raw, const Schema *schema, const bool *needed, struct Rejects *bad, Batch **out, Error *err);

/* The columns of a sample, in the order in which their keys appear, into *out (n_cols, cols, sample_rows; in the
 * arena). Lines from the first bad one on are left for the run to report; *err if that is the first. */
Status json_sniff(const RawRows *raw, Arena *a, CatalogTable *out, Error *err);

#endif
