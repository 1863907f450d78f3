#include "data/line_read.h"

#include <stdlib.h>
#include <string.h>

#include "data/json_read.h"

struct LineSource {
    Feed feed;
    CsvInput *input;
};

/* --- lines ------------------------------------------------------------------------------- */

static bool is_blank(const char *p)
{
    if ((unsigned char)*p > ' ')
        return false;
    while (*p == ' ' || *p == '\t' || *p == '\r')
        p++;
    return *p == '\n';
}

static Status too_long(const LineSource *s, Error *err, uint64_t line, size_t at, const char *what)
{
    error_set(err, ERR_DATA, "%s", what);
    error_at(err, s->input->file, line, s->feed.offset + at);
    return ERR_DATA;
}

Status line_source_next(LineSource *s, CsvLimit limit, RawRows **out, Error *err)
{
    uint64_t want = limit.bytes ? limit.bytes : CSV_BATCH_AUTO;
    size_t target = want < CSV_BATCH_MAX ? (size_t)want : CSV_BATCH_MAX;
    uint32_t max_rows = limit.rows && limit.rows < UINT32_MAX ? (uint32_t)limit.rows : UINT32_MAX;
    bool by_rows = limit.rows != 0, skips_blank = s->input->dialect.format == ROWS_JSON;
    size_t cut = 0, looked = 0; /* whole lines; bytes without a line end behind them */
    uint64_t n_lines = 0;
    uint32_t n_rows = 0;
    Status st = by_rows ? OK : feed_fill(&s->feed, target, target, err);
    *out = NULL;
    while (st == OK && n_rows < max_rows) {
        size_t have = feed_n_bytes(&s->feed);
        const char *base = feed_text(&s->feed);
        const char *lf = looked < have ? memchr(base + looked, '\n', have - looked) : NULL;
        if (lf) {
            size_t next = (size_t)(lf - base) + 1;
            if (next - cut > CSV_RECORD_MAX && n_rows == 0)
                return too_long(s, err, s->feed.line + n_lines, cut, "this line is longer than 16 MiB, the longest that is read");
            if (next - cut > CSV_RECORD_MAX || (!by_rows && n_rows && next > target))
                break;
            n_rows += !(skips_blank && is_blank(base + cut));
            n_lines++;
            cut = looked = next;
            continue;
        }
        looked = have;
        if (s->feed.from->at_eof || (!by_rows && n_rows && have >= target))
            break;
        if (have - cut > CSV_RECORD_MAX) {
            if (n_rows)
                break;
            return too_long(s, err, s->feed.line + n_lines, cut, "this line is longer than 16 MiB, the longest that is read");
        }
        if (have >= CSV_BATCH_MAX)
            return too_long(s, err, s->feed.line, 0, "a batch of so many rows is larger than 1 GiB: choose fewer");
        /* As much again, so that a long line is copied a few times only. */
        st = feed_fill(&s->feed, have + 1, have < CSV_BATCH_AUTO / 2 ? CSV_BATCH_AUTO : 2 * have, err);
    }
    if (st == OK && n_rows)
        *out = feed_take(&s->feed, s->input, cut, n_lines, n_rows);
    return st;
}

/* --- open -------------------------------------------------------------------------------- */

Status line_source_open(Str path, const LineOptions *o, LineSource **out, Error *err)
{
    LineSource *s = xcalloc(1, sizeof *s);
    Str file = feed_name(path);
    s->input = csv_input_of_schema(file, o->schema, o->inferred_rows);
    s->input->dialect.format = o->format;
    s->input->dialect.coding = o->coding;
    s->input->first = str_eq(o->first, file) ? (Str){0} : arena_str(s->input->arena, o->first);
    Status st = feed_open(&s->feed, path, o->coding, o->sample, err);
    if (st == OK)
        st = feed_start(&s->feed, file, err);
    if (st != OK) {
        line_source_close(s);
        s = NULL;
    }
    *out = s;
    return st;
}

void line_source_close(LineSource *s)
{
    if (!s)
        return;
    feed_deinit(&s->feed);
    csv_input_unref(s->input);
    free(s);
}

/* --- decode ------------------------------------------------------------------------------ */

Batch *line_batch(RawRows *raw, const Schema *schema)
{
    Batch *b = batch_new(raw->n_rows, schema->n_cols);
    for (uint32_t c = 0; c < schema->n_cols; c++) {
        b->types[c] = schema->cols[c].type;
        b->slots[c] = (Slot){.raw_col = -1};
    }
    b->origin = origins_new(raw->n_rows);
    b->inputs = xmalloc(sizeof *b->inputs);
    b->inputs[0] = csv_input_ref(raw->input);
    b->n_inputs = 1;
    return b;
}

static Batch *text_decode(RawRows *raw, const Schema *schema, bool is_needed)
{
    Batch *b = line_batch(raw, schema);
    Column *c = is_needed ? column_new(TYPE_STRING, false, raw->n_rows) : NULL;
    const char *p = raw->bytes;
    for (uint32_t i = 0; i < raw->n_rows; i++) {
        const char *lf = memchr(p, '\n', (size_t)(raw->bytes + raw->n_bytes - p));
        const char *end = lf > p && lf[-1] == '\r' ? lf - 1 : lf;
        b->origin[i] = line_origin(raw, i, p);
        if (c)
            column_strs(c)[i] = (StrView){p, (uint32_t)(end - p), 0};
        p = lf + 1;
    }
    if (c)
        column_add_heap(c, raw->block);
    b->slots[0].values = c;
    return b;
}

Status line_decode(RawRows *raw, const Schema *schema, const bool *needed, struct Rejects *bad, Batch **out, Error *err)
{
    if (raw->input->dialect.format == ROWS_JSON)
        return json_decode(raw, schema, needed, bad, out, err);
    *out = text_decode(raw, schema, !needed || needed[0]);
    return OK;
}
