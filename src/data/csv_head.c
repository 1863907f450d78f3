#include "data/csv_head.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/suggest.h"
#include "data/csv_cell.h"
#include "data/csv_scan.h"

/* Names from the record's cells. */
static Status names_read(CsvInput *in, const char *record, size_t n, uint64_t line,
                         uint64_t byte, Error *err)
{
    const CsvDialect *d = &in->dialect;
    CsvIndex ix;
    Heap *unquoted = NULL;
    Status st = OK;
    Map seen;
    if (n > 1 && record[0] == '{' && record[1] == '"') {
        st = error_set(err, ERR_DATA, "the first line is a JSON object, no header: `read json` reads one on each line");
        error_at(err, in->file, line, byte);
        return st;
    }
    map_init(&seen, in->arena);
    csv_index(&ix, record, n, d->delimiter, d->quote, in->n_cols);
    RawRows raw = {.input = in, .n_cols = in->n_cols, .stride = in->n_cols, .start = ix.start, .cells = record};
    for (uint32_t c = 0; c < in->n_cols; c++) {
        StrView cell = raw_cell(&raw, 0, c);
        Str name = arena_str(in->arena, csv_cell_text(cell, d->quote, &unquoted));
        in->names[c] = name;
        char shown[80];
        text_visible(name, shown, sizeof shown);
        if (name.len == 0)
            st = error_set(err, ERR_DATA,
                           "column %u of the header has no name: give it one, or read "
                           "with (header: false), skip 1 row and rename c%u",
                           c + 1, c + 1);
        else if (memchr(name.ptr, '\0', name.len))
            st = error_set(err, ERR_DATA, "a NUL byte in the header: this is no text, or it is UTF-16 (then say so, "
                                          "`with (encoding: \"utf-16\")`)");
        else if (map_get(&seen, name))
            st = error_set(err, ERR_DATA,
                           "the header has the column `%s` twice: change one of the names, or "
                           "read with (header: false), skip 1 row and rename c%u",
                           shown, c + 1);
        if (st != OK) {
            error_at(err, in->file, line, byte + (uint64_t)(cell.ptr - record));
            break;
        }
        map_put(&seen, name, &in->names[c]);
    }
    heap_unref(unquoted);
    free(ix.start);
    return st;
}

/* Finds each column of the schema among the fields. */
static Status schema_map(CsvInput *in, const CsvReadOptions *o, uint64_t line, Error *err)
{
    const Schema *schema = o->schema;
    Map fields;
    map_init(&fields, in->arena);
    for (uint32_t c = 0; c < in->n_cols; c++)
        map_put(&fields, in->names[c], &in->names[c]);
    in->n_schema = schema->n_cols;
    in->map = arena_array(in->arena, uint32_t, schema->n_cols + 1);
    bool *used = arena_array(in->arena, bool, in->n_cols + 1);
    char shown[80];
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        Str *name = map_get(&fields, schema->cols[c].name);
        if (!name) {
            Suggest near;
            suggest_init(&near, schema->cols[c].name);
            for (uint32_t i = 0; i < in->n_cols; i++)
                suggest_offer(&near, in->names[i]);
            text_visible(schema->cols[c].name, shown, sizeof shown);
            char best[80];
            text_visible(near.best, best, sizeof best);
            if (in->first.len)
                error_set(err, ERR_DATA, "%.*s has no column `%s`, which %.*s, the first file of the pattern, has",
                          STR_ARG(in->file), shown, STR_ARG(in->first));
            else
                error_set(err, ERR_DATA,
                          near.best.len ? "there is no column `%s` in this input; it has `%s`"
                                        : "there is no column `%s` in this input",
                          shown, best);
            error_at(err, in->file, line, 0);
            return ERR_DATA;
        }
        in->map[c] = (uint32_t)(name - in->names);
        used[in->map[c]] = true;
        if (o->inferred_rows)
            in->inferred_rows[in->map[c]] = o->inferred_rows[c];
    }
    for (uint32_t i = 0; i < in->n_cols && !o->allow_more; i++) {
        if (used[i])
            continue;
        text_visible(in->names[i], shown, sizeof shown);
        if (in->first.len)
            error_set(err, ERR_DATA,
                      "%.*s has a column `%s`, which %.*s, the first file of the pattern, has not",
                      STR_ARG(in->file), shown, STR_ARG(in->first));
        else
            error_set(err, ERR_DATA,
                      "this input has a column `%s` that the schema has not: declare it, or %s",
                      shown, o->is_output ? "let the command leave it out" : "end the schema with `...`");
        error_at(err, in->file, line, 0);
        return ERR_DATA;
    }
    return OK;
}

Status csv_head_read(Str file, const CsvReadOptions *o, const char *record, size_t n,
                     uint64_t line, uint64_t byte, CsvInput **out, Error *err)
{
    const CsvDialect *d = &o->dialect;
    CsvInput *in = xcalloc(1, sizeof *in);
    atomic_init(&in->refs, 1);
    in->arena = arena_open();
    in->dialect = *d;
    in->dialect.null_word = arena_str(in->arena, d->null_word);
    in->file = arena_str(in->arena, file);
    in->first = str_eq(o->first, file) ? (Str){0} : arena_str(in->arena, o->first);
    in->n_cols = csv_record(record, n, d->delimiter, d->quote, 0).n_fields;
    in->names = arena_array(in->arena, Str, in->n_cols);
    in->inferred_rows = arena_array(in->arena, uint64_t, in->n_cols);
    Status st = OK;
    if (d->has_header)
        st = names_read(in, record, n, line, byte, err);
    else
        for (uint32_t c = 0; c < in->n_cols; c++)
            in->names[c] = arena_printf(in->arena, "c%u", c + 1);
    if (st == OK && o->schema)
        st = schema_map(in, o, line, err);
    if (st != OK) {
        csv_input_unref(in);
        in = NULL;
    }
    *out = in;
    return st;
}
