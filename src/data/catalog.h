/* catalog.h - the columns of real files: the Catalog (base/catalog.h) that check, dump and run use.
 *
 * A file's header and first MiB are read once per (path, dialect) and remembered, failures too. What was taken
 * from stdin or a FIFO is kept for whoever reads it in the run. A row with a wrong number of fields or
 * an open quote inside the sample is not an error here: the types come from the rows before it, and the run
 * reports it.
 * One thread at a time; answers live until file_catalog_close.
 */
#ifndef PIPE_DATA_CATALOG_H
#define PIPE_DATA_CATALOG_H

#include "base/catalog.h"
#include "data/csv_read.h"

Catalog *file_catalog_open(void);
void file_catalog_close(Catalog *c); /* NULL is fine */
/* What was read of an input that cannot be read again, once; NULL: nothing, open the path. Hand it to
 * csv_source_open (CsvReadOptions.sample), which owns it then. */
CsvSample *file_catalog_take_sample(Catalog *c, Str path);

#endif
