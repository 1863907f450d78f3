#include "data/line_read.h"

#include <stdlib.h>
#include <string.h>

#include "data/json_read.h"

/* Blocks in waiting: as many as there may be threads that decode one at the same time. */
#define IDLE_BLOCKS 8
#define SLACK 8 /* bytes behind a block's text, so that words may be read there */

struct LineSource {
    CsvSample *from;   /* the input, its end */
    CsvInput *input;
    HeapPool *pool;
    Heap *block;       /* bytes[at..end) are read and not handed out */
    size_t at, end;
    uint64_t line;     /* of bytes[at], from 1 */
    uint64_t offset;   /* of bytes[at] in the input */
    uint64_t row;      /* rows handed out */
};

/* --- bytes ------------------------------------------------------------------------------- */

/* Room for n bytes behind bytes[at..end): what is not handed out moves to a new block. */
static void room_make(LineSource *s, size_t n)
{
    size_t kept = s->end - s->at, want = kept + n + 1 + SLACK;
    Heap *block = want <= CSV_BATCH_AUTO + 1 + SLACK ? heap_pool_get(s->pool) : heap_new(want);
    if (kept)
        memcpy(block->bytes, s->block->bytes + s->at, kept);
    heap_unref(s->block);
    heap_settle(block, kept);
    s->block = block;
    s->at = 0;
    s->end = kept;
}

/* Bytes that the block can take, one left for the LF that the last line may lack. */
static size_t room(const LineSource *s)
{
    return s->block && s->block->cap > s->end + 1 + SLACK ? s->block->cap - s->end - 1 - SLACK : 0;
}

static void input_end(LineSource *s)
{
    s->from->at_eof = true;
    if (s->end == s->at || s->block->bytes[s->end - 1] == '\n')
        return;
    if (s->block->cap < s->end + 1 + SLACK)
        room_make(s, 1);
    s->block->bytes[s->end++] = '\n';
    heap_settle(s->block, s->end);
}

/* Reads until bytes[at..end) are at least `need` bytes or the input ends. A new block has room for `want`. */
static Status fill(LineSource *s, size_t need, size_t want, Error *err)
{
    while (!s->from->at_eof && s->end - s->at < need) {
        size_t got = 0, have = s->end - s->at;
        if (!s->from->in) { /* only a sample: its last line is not known whole */
            s->from->at_eof = true;
            while (s->end > s->at && s->block->bytes[s->end - 1] != '\n')
                s->end--;
            return OK;
        }
        if (room(s) < need - have)
            room_make(s, want > need ? want - have : need - have);
        Status st = input_read(s->from->in, s->block->bytes + s->end, room(s), &got, err);
        if (st != OK)
            return st;
        s->end += got;
        heap_settle(s->block, s->end);
        if (got == 0)
            input_end(s);
    }
    return OK;
}

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
    error_at(err, s->input->file, line, s->offset + at);
    return ERR_DATA;
}

static RawRows *range_take(LineSource *s, size_t n_bytes, uint64_t n_lines, uint32_t n_rows)
{
    RawRows *raw = xcalloc(1, sizeof *raw);
    atomic_init(&raw->refs, 1);
    raw->input = csv_input_ref(s->input);
    raw->block = heap_ref(s->block);
    raw->bytes = raw->cells = s->block->bytes + s->at;
    raw->n_bytes = n_bytes;
    raw->first_row = s->row;
    raw->first_line = s->line;
    raw->first_byte = s->offset;
    raw->n_rows = n_rows;
    raw->n_cols = raw->stride = s->input->n_cols;
    raw->is_row_a_line = n_rows == n_lines;
    s->at += n_bytes;
    s->line += n_lines;
    s->offset += n_bytes;
    s->row += n_rows;
    return raw;
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
    Status st = by_rows ? OK : fill(s, target, target, err);
    *out = NULL;
    while (st == OK && n_rows < max_rows) {
        size_t have = s->end - s->at;
        const char *base = s->block ? s->block->bytes + s->at : "";
        const char *lf = looked < have ? memchr(base + looked, '\n', have - looked) : NULL;
        if (lf) {
            size_t next = (size_t)(lf - base) + 1;
            if (next - cut > CSV_RECORD_MAX && n_rows == 0)
                return too_long(s, err, s->line + n_lines, cut, "this line is longer than 16 MiB, the longest that is read");
            if (next - cut > CSV_RECORD_MAX || (!by_rows && n_rows && next > target))
                break;
            n_rows += !(skips_blank && is_blank(base + cut));
            n_lines++;
            cut = looked = next;
            continue;
        }
        looked = have;
        if (s->from->at_eof || (!by_rows && n_rows && have >= target))
            break;
        if (have - cut > CSV_RECORD_MAX) {
            if (n_rows)
                break;
            return too_long(s, err, s->line + n_lines, cut, "this line is longer than 16 MiB, the longest that is read");
        }
        if (have >= CSV_BATCH_MAX)
            return too_long(s, err, s->line, 0, "a batch of so many rows is larger than 1 GiB: choose fewer");
        /* As much again, so that a long line is copied a few times only. */
        st = fill(s, have + 1, have < CSV_BATCH_AUTO / 2 ? CSV_BATCH_AUTO : 2 * have, err);
    }
    if (st == OK && n_rows)
        *out = range_take(s, cut, n_lines, n_rows);
    return st;
}

/* --- open -------------------------------------------------------------------------------- */

/* Looks at the first bytes: a mark to drop, or text of another encoding. */
static Status check_start(LineSource *s, Error *err)
{
    Status st = fill(s, 3, CSV_BATCH_AUTO, err);
    if (st != OK)
        return st;
    const char *p = s->block ? s->block->bytes + s->at : "";
    size_t n = s->end - s->at;
    bool is_utf16 = n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0);
    if (is_utf16) {
        error_set(err, ERR_DATA, "this is UTF-16: say so, `with (encoding: \"utf-16\")`");
        error_at(err, s->input->file, 1, 0);
        return ERR_DATA;
    }
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        s->at += 3, s->offset += 3;
    return OK;
}

Status line_source_open(Str path, const LineOptions *o, LineSource **out, Error *err)
{
    bool is_stdin = str_is(path, "stdin") || str_is(path, "-");
    LineSource *s = xcalloc(1, sizeof *s);
    Status st = OK;
    Str file = is_stdin ? STR_LIT("stdin") : path;
    s->input = csv_input_of_schema(file, o->schema, o->inferred_rows);
    s->input->dialect.format = o->format;
    s->input->dialect.coding = o->coding;
    s->input->first = str_eq(o->first, file) ? (Str){0} : arena_str(s->input->arena, o->first);
    s->line = 1;
    s->pool = heap_pool_new(CSV_BATCH_AUTO + 1 + SLACK, IDLE_BLOCKS);
    s->from = o->sample;
    if (!s->from)
        st = csv_sample_open(path, o->coding, 0, &s->from, err);
    if (st == OK) {
        s->block = s->from->block;
        s->from->block = NULL;
        s->end = s->from->n_bytes;
        if (s->block)
            heap_settle(s->block, s->end);
        if (s->from->at_eof)
            input_end(s);
        st = check_start(s, err);
    }
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
    csv_sample_free(s->from);
    csv_input_unref(s->input);
    heap_unref(s->block);
    heap_pool_unref(s->pool);
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

Status line_decode_lenient(RawRows *raw, const Schema *schema, const bool *needed, struct Rejects *bad, Batch **out,
                           Error *err)
{
    if (raw->input->dialect.format == ROWS_JSON)
        return json_decode(raw, schema, needed, bad, out, err);
    *out = text_decode(raw, schema, !needed || needed[0]);
    return OK;
}

Status line_decode(RawRows *raw, const Schema *schema, const bool *needed, Batch **out, Error *err)
{
    return line_decode_lenient(raw, schema, needed, NULL, out, err);
}
