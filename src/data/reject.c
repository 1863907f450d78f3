#include "data/reject.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/csv_cell.h"
#include "data/csv_read.h"
#include "data/csv_scan.h"
#include "data/input.h"

#define FIRST_READ 4096u /* bytes of a row that is read again, at first */

/* A file that was read, open again for rows that are not in memory. */
typedef struct RejectFile {
    char *path;
    TextCoding coding;
    int fd;          /* of a file as it stands; -1: none */
    Input *input;    /* else of a compressed one, or one that is made UTF-8; NULL: it cannot be read again */
    uint64_t at;     /* of input: what comes next */
    Buf window;      /* of input: the bytes before that */
    uint64_t window_at;
} RejectFile;

static void file_close(RejectFile *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    input_close(f->input);
    buf_deinit(&f->window);
    free(f->path);
    free(f);
}

void rejects_clear(Rejects *r)
{
    r->n_skipped = r->n_nulled = 0;
    r->n = 0;
    r->group = 0;
    r->lined = NULL;
    buf_clear(&r->text);
}

void rejects_deinit(Rejects *r)
{
    buf_deinit(&r->text);
    free(r->at);
    free(r->lines);
    file_close(r->file);
    *r = (Rejects){0};
}

bool rejects_has_any(const Rejects *r)
{
    return r->n_skipped || r->n_nulled;
}

void rejects_next_group(Rejects *r)
{
    r->group++;
    r->lined = NULL; /* another range may come to lie at the same address */
}

/* ---- rows that are not in memory any more ---- */

static bool is_compressed(int fd)
{
    unsigned char head[4] = {0};
    ssize_t n = pread(fd, head, sizeof head, 0);
    return (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) ||
           (n == 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0);
}

static RejectFile *file_open(Str path, TextCoding coding)
{
    RejectFile *f = xcalloc(1, sizeof *f);
    struct stat st;
    f->path = xstrndup(path.ptr, path.len);
    f->coding = coding;
    f->fd = str_is(path, "stdin") ? -1 : open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0)
        return f;
    bool is_file = fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
    if (is_file && coding == CODING_UTF8 && !is_compressed(f->fd))
        return f;
    close(f->fd);
    f->fd = -1;
    if (is_file && input_open(path, coding, &f->input, NULL) != OK)
        f->input = NULL;
    return f;
}

/* Up to n bytes at an offset; fewer at the end. */
static size_t plain_read(const RejectFile *f, uint64_t at, char *to, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t k = pread(f->fd, to + got, n - got, (off_t)(at + got));
        if (k <= 0)
            break;
        got += (size_t)k;
    }
    return got;
}

/* The same of a compressed file: forward, and from its start again where the offset lies behind. */
static size_t packed_read(RejectFile *f, uint64_t at, char *to, size_t n)
{
    if (at < f->window_at) {
        input_close(f->input);
        f->input = NULL;
        f->at = f->window_at = 0;
        buf_clear(&f->window);
        if (input_open(str_of(f->path), f->coding, &f->input, NULL) != OK)
            return 0;
    }
    while (f->at < at + n) {
        char bytes[65536];
        size_t got = 0;
        if (input_read(f->input, bytes, sizeof bytes, &got, NULL) != OK || got == 0)
            break;
        if (f->window_at + f->window.len <= at) { /* all of it is passed */
            f->window_at = f->at;
            buf_clear(&f->window);
        }
        buf_put(&f->window, bytes, got);
        f->at += got;
    }
    if (f->window_at + f->window.len <= at)
        return 0;
    size_t from = (size_t)(at - f->window_at), left = f->window.len - from;
    memcpy(to, f->window.ptr + from, left < n ? left : n);
    return left < n ? left : n;
}

/* Bytes of the row at p[0..n), without its line end. Not whole: *is_whole false. */
static size_t row_bytes(const CsvDialect *d, const char *p, size_t n, bool *is_whole)
{
    size_t len;
    if (d->format == ROWS_CSV) {
        len = csv_record(p, n, d->delimiter, d->quote, 0).n_bytes;
    } else {
        const char *lf = memchr(p, '\n', n);
        len = lf ? (size_t)(lf - p) + 1 : n;
    }
    *is_whole = len > 0 && (p[len - 1] == '\n' || p[len - 1] == '\r') && len < n;
    while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
        len--;
    return len;
}

static Str row_read_again(Rejects *r, const CsvInput *in, uint64_t byte, Buf *held)
{
    RejectFile *f = r->file;
    if (in->dialect.format == ROWS_SQLITE) /* its rows have no text */
        return (Str){0};
    if (!f || !str_is(in->file, f->path) || f->coding != in->dialect.coding) {
        file_close(f);
        r->file = f = file_open(in->file, in->dialect.coding);
    }
    if (f->fd < 0 && !f->input)
        return (Str){0};
    size_t n = FIRST_READ;
    for (;; n *= 8) {
        bool is_whole;
        buf_clear(held);
        buf_reserve(held, n);
        size_t got = f->fd >= 0 ? plain_read(f, byte, held->ptr, n) : packed_read(f, byte, held->ptr, n);
        size_t len = row_bytes(&in->dialect, held->ptr, got, &is_whole);
        if (is_whole || got < n || n > CSV_RECORD_MAX)
            return (Str){held->ptr, (uint32_t)len};
        if (f->input && byte < f->window_at)
            return (Str){0};
    }
}

/* ---- places ---- */

static uint64_t line_of(Rejects *r, const RawRows *raw, uint32_t row)
{
    if (raw->is_row_a_line)
        return raw->first_line + row;
    if (r->lined != raw) {
        r->lines = xrealloc(r->lines, (raw->n_rows + 1ull) * sizeof *r->lines);
        raw_lines(raw, r->lines);
        r->lined = raw;
    }
    return r->lines[row];
}

/* The field of a row of the input that the cells are; -1: not known. cells may be NULL. */
static int32_t field_of(const Column *cells, const CsvInput *in)
{
    if (!cells || !cells->input_col || cells->is_foreign || in->dialect.format != ROWS_CSV)
        return -1;
    return (int32_t)(in->map ? in->map[cells->input_col - 1] : cells->input_col - 1);
}

void rejects_place(Rejects *r, const Batch *b, uint32_t row, int32_t col, Reject *what, Buf *held)
{
    if (col >= 0 && b->slots[col].picked) {
        const Picked *picked = b->slots[col].picked;
        if (picked->rows[row] != PICKED_NONE)
            rejects_place(r, picked->from, picked->rows[row], (int32_t)b->slots[col].picked_col, what, held);
        return;
    }
    if (b->raw) {
        const RawRows *raw = b->raw;
        uint32_t at = b->sel ? b->sel[row] : row;
        int32_t field = col >= 0 ? b->slots[col].raw_col : -1;
        if (col >= 0 && field < 0)
            field = field_of(b->slots[col].text, raw->input);
        uint64_t first = raw_byte(raw, at, 0);
        const char *p = raw->bytes + (first - raw->first_byte);
        bool is_whole;
        size_t n = row_bytes(&raw->input->dialect, p, (size_t)(raw->bytes + raw->n_bytes - p), &is_whole);
        rejects_place_raw(what, raw->input->file, line_of(r, raw, at),
                          field > 0 ? raw_byte(raw, at, (uint32_t)field) : first, (Str){p, (uint32_t)n});
        return;
    }
    const Origin *o = b->origin ? &b->origin[row] : NULL;
    if (!o || o->input == ORIGIN_NONE)
        return;
    const CsvInput *in = b->inputs[o->input];
    Str text = {0};
    if (b->lines) {
        bool is_whole;
        const char *p = b->lines->bytes + (o->byte - b->lines->first_byte);
        text.ptr = p;
        text.len = (uint32_t)row_bytes(&in->dialect, p, (size_t)(b->lines->bytes + b->lines->n_bytes - p), &is_whole);
    } else {
        text = row_read_again(r, in, o->byte, held);
    }
    rejects_place_raw(what, in->file, o->line, in->dialect.format == ROWS_SQLITE ? UINT64_MAX : o->byte, text);
    int32_t field = col >= 0 ? field_of(b->slots[col].text, in) : -1;
    if (field > 0 && text.len)
        what->byte += csv_record(text.ptr, text.len, in->dialect.delimiter, in->dialect.quote, (uint32_t)field).field_at;
}

/* ---- lines ---- */

static void field_put(Buf *out, Str s, bool is_last)
{
    const CsvDialect d = CSV_DEFAULT_DIALECT;
    if (s.len)
        csv_put_text(out, s, &d);
    buf_putc(out, is_last ? '\n' : ',');
}

static void number_put(Buf *out, uint64_t n, bool is_known)
{
    if (is_known)
        buf_printf(out, "%" PRIu64, n);
    buf_putc(out, ',');
}

static RejectAt *place_new(Rejects *r)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->at = xrealloc(r->at, r->cap * sizeof *r->at);
    }
    return &r->at[r->n++];
}

void rejects_put(Rejects *r, const Reject *what)
{
    *(what->is_nulled ? &r->n_nulled : &r->n_skipped) += 1;
    if (!r->keeps_lines)
        return;
    size_t from = r->text.len;
    Buf *out = &r->text;
    field_put(out, what->file, false);
    number_put(out, what->line, what->line > 0);
    number_put(out, what->byte, what->line > 0 && what->byte != UINT64_MAX);
    field_put(out, what->column, false);
    field_put(out, str_of(row_error_name(what->kind)), false);
    field_put(out, what->value, false);
    field_put(out, what->message, false);
    field_put(out, what->raw, true);
    *place_new(r) = (RejectAt){.row = what->row, .group = r->group, .at = from, .len = out->len - from};
}

static int at_cmp(const void *a, const void *b)
{
    const RejectAt *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

void rejects_take(Rejects *r, Buf *out)
{
    if (r->n)
        qsort(r->at, r->n, sizeof *r->at, at_cmp);
    for (size_t i = 0; i < r->n; i++)
        buf_put(out, r->text.ptr + r->at[i].at, r->at[i].len);
    r->n = 0;
    buf_clear(&r->text);
}

void rejects_put_lines(Rejects *r, const Buf *lines)
{
    size_t from = r->text.len;
    if (lines->len == 0)
        return;
    buf_put(&r->text, lines->ptr, lines->len);
    *place_new(r) = (RejectAt){.group = r->group, .at = from, .len = lines->len};
}

void rejects_put_cell(Rejects *r, const Batch *b, uint32_t row, uint32_t col, Str name, uint64_t number)
{
    Reject what = {.row = number, .column = name, .kind = ROW_ERROR_CONVERSION, .is_nulled = r->policy == BAD_ROWS_NULL};
    Buf held = {0};
    Heap *unquoted = NULL;
    Error err;
    if (r->keeps_lines) {
        batch_bad_text(b, col, name, row, &what.value, &unquoted, &err);
        what.message = (Str){err.text, (uint32_t)strcspn(err.text, "\n")};
        rejects_place(r, b, row, (int32_t)col, &what, &held);
    }
    rejects_put(r, &what);
    heap_unref(unquoted);
    buf_deinit(&held);
}
