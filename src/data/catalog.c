#include "data/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "data/csv_scan.h"
#include "data/files.h"
#include "data/json_read.h"
#include "data/sniff.h"
#include "data/sqlite_read.h"

#define SAMPLE_BYTES (1u << 20)

/* An answer, good or bad. */
typedef struct Answer {
    CatalogTable table;
    Status status;
    Error err;
} Answer;

typedef struct FileCatalog {
    Catalog base; /* first: a Catalog * is a FileCatalog * */
    Arena *arena;
    Map answers;  /* path and dialect -> Answer */
    Map samples;  /* path -> CsvSample of an input that cannot be read again */
} FileCatalog;

static Str answer_key(FileCatalog *f, Str path, const CsvDialect *d)
{
    return arena_printf(f->arena, "%d:%d:%02x%02x%d%d%u:%.*s%.*s", (int)d->format, (int)d->coding, (unsigned char)d->delimiter,
                        (unsigned char)d->quote, d->has_header, d->use_libcsv,
                        d->null_word.len, STR_ARG(d->null_word), STR_ARG(path));
}

static Str sample_key(Str path)
{
    return str_is(path, "-") ? STR_LIT("stdin") : path;
}

/* The first MiB of the path; more when the header and the first row, of which the types are told, are longer. */
static Status sample_get(FileCatalog *f, Str path, const CsvDialect *d, CsvSample **out,
                         Error *err)
{
    CsvSample *s = map_get(&f->samples, sample_key(path));
    if (!s) {
        Status st = csv_sample_open(path, d->coding, SAMPLE_BYTES, &s, err);
        if (st != OK)
            return st;
        if (!input_is_regular(s->in))
            map_put(&f->samples, arena_str(f->arena, sample_key(path)), s);
    }
    *out = s;
    uint64_t n_records = d->format == ROWS_CSV && d->has_header ? 2 : 1;
    while (!s->at_eof && s->n_bytes <= n_records * CSV_RECORD_MAX) {
        CsvScan scan;
        csv_scan_init(&scan, d->delimiter, d->quote, true);
        if (d->format == ROWS_CSV)
            csv_scan(&scan, s->block->bytes, s->n_bytes, n_records);
        if (scan.n_records == n_records || (d->format != ROWS_CSV && memchr(s->block->bytes, '\n', s->n_bytes)))
            break;
        Status st = csv_sample_more(s, 2 * s->n_bytes, err);
        if (st != OK)
            return st;
    }
    return OK;
}

/* The columns of lines: of plain text always the same one; of JSON the keys of the sample, which is taken over. */
static Status lines_answer(FileCatalog *f, Str path, const CsvDialect *d, CsvSample *look, CatalogTable *out,
                           Error *err)
{
    static const CatalogCol line = {.name = {"line", 4}, .type = TYPE_STRING, .almost = TYPE_ERROR};
    static const Schema none = {0};
    LineSource *source = NULL;
    RawRows *raw = NULL;
    LineOptions o = {.format = d->format, .coding = d->coding, .schema = &none, .sample = look};
    if (d->format == ROWS_LINES) {
        out->n_cols = 1;
        out->cols = &line;
        csv_sample_free(look);
        return OK;
    }
    Status st = line_source_open(path, &o, &source, err);
    if (st == OK)
        st = line_source_next(source, (CsvLimit){.bytes = CSV_BATCH_MAX}, &raw, err);
    if (st == OK && raw)
        st = json_sniff(raw, f->arena, out, err);
    raw_unref(raw);
    line_source_close(source);
    return st;
}

static Status answer_make(FileCatalog *f, Str path, const CsvDialect *d, CatalogTable *out,
                          Error *err)
{
    CsvSample *s = NULL;
    CsvSource *source = NULL;
    RawRows *raw = NULL;
    Status st = sample_get(f, path, d, &s, err);
    if (st != OK)
        return st;
    CsvSample *look = xcalloc(1, sizeof *look);
    *look = (CsvSample){.block = heap_ref(s->block),
                        .n_bytes = s->n_bytes,
                        .at_eof = s->at_eof};
    CsvReadOptions o = {.dialect = *d, .sample = look};
    out->sample_is_all = s->at_eof;
    if (input_is_regular(s->in))
        csv_sample_free(s);
    if (d->format != ROWS_CSV)
        return lines_answer(f, path, d, look, out, err);
    st = csv_source_open(path, &o, &source, err);
    if (st != OK)
        return st;
    /* A bad row in the sample is for the run to report: the rows before it tell the types. */
    CsvLimit all = {.bytes = CSV_BATCH_MAX};
    if (csv_source_next(source, all, &raw, NULL) == OK && raw)
        raw_index(raw, NULL);
    const CsvInput *in = csv_source_input(source);
    CatalogCol *cols = arena_array(f->arena, CatalogCol, in->n_cols);
    if (raw)
        sniff_types(raw, f->arena, cols);
    for (uint32_t c = 0; c < in->n_cols && !raw; c++)
        cols[c] = (CatalogCol){.name = arena_str(f->arena, in->names[c]),
                               .type = TYPE_STRING,
                               .almost = TYPE_ERROR};
    out->n_cols = in->n_cols;
    out->cols = cols;
    out->sample_rows = raw ? raw->n_rows : 0;
    raw_unref(raw);
    csv_source_close(source);
    return OK;
}

static Status catalog_csv(Catalog *c, Str path, const CsvDialect *dialect,
                          const CatalogTable **out, Error *err)
{
    FileCatalog *f = (FileCatalog *)c;
    Str key = answer_key(f, path, dialect);
    Answer *a = map_get(&f->answers, key);
    if (!a) {
        a = arena_new(f->arena, Answer);
        a->status = answer_make(f, path, dialect, &a->table, &a->err);
        map_put(&f->answers, key, a);
    }
    *out = a->status == OK ? &a->table : NULL;
    if (a->status != OK && err)
        *err = a->err;
    return a->status;
}

static Status catalog_files(Catalog *c, Str pattern, uint64_t *n, Str *first, Error *err)
{
    FileList *list = NULL;
    Status st = files_list(pattern, &list, err);
    *n = list ? list->n : 0;
    if (first)
        *first = *n ? arena_str(((FileCatalog *)c)->arena, list->files[0].path) : (Str){0};
    files_free(list);
    return st;
}

static Status catalog_query(Catalog *c, Str path, Str sql, const CatalogTable **out, Error *err)
{
    FileCatalog *f = (FileCatalog *)c;
    Str key = arena_printf(f->arena, "%d:%u:%.*s%.*s", (int)ROWS_SQLITE, path.len, STR_ARG(path), STR_ARG(sql));
    Answer *a = map_get(&f->answers, key);
    if (!a) {
        a = arena_new(f->arena, Answer);
        a->status = query_sniff(path, sql, f->arena, &a->table, &a->err);
        map_put(&f->answers, key, a);
    }
    *out = a->status == OK ? &a->table : NULL;
    if (a->status != OK && err)
        *err = a->err;
    return a->status;
}

Catalog *file_catalog_open(void)
{
    FileCatalog *f = xcalloc(1, sizeof *f);
    f->base.csv = catalog_csv;
    f->base.query = catalog_query;
    f->base.files = catalog_files;
    f->arena = arena_open();
    map_init(&f->answers, f->arena);
    map_init(&f->samples, f->arena);
    return &f->base;
}

void file_catalog_close(Catalog *c)
{
    if (!c)
        return;
    FileCatalog *f = (FileCatalog *)c;
    for (size_t i = 0; i < f->samples.n; i++)
        csv_sample_free(f->samples.entries[i].value);
    arena_close(f->arena);
    free(f);
}

CsvSample *file_catalog_take_sample(Catalog *c, Str path)
{
    FileCatalog *f = (FileCatalog *)c;
    return map_get(&f->samples, sample_key(path)) ? map_put(&f->samples, sample_key(path), NULL)
                                                  : NULL;
}
