#include "base/catalog.h"

const CsvDialect CSV_DEFAULT_DIALECT = {
    .delimiter = ',', .quote = '"', .has_header = true, .null_word = {"", 0}};
