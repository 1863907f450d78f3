/* diag_picture.c - diagnostics for people. The picture of one is made line by line: a line of source with its marks
 * (what is underlined in it), then rows for their labels.
 */
#include "base/diag_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag_order.h"
#include "base/utf8.h"

#define TAB_COLUMNS    4
#define LINE_COLUMNS   100 /* a longer line is cut around its first mark */
#define COLUMNS_BEFORE 40

typedef struct Mark {
    uint32_t line;
    Str text;          /* the line */
    uint32_t from, to; /* bytes in the line, [from, to); to may be text.len + 1 */
    Str label;
    bool is_primary;
} Mark;

typedef struct Style {
    const char *error, *warning, *gutter, *help, *bold, *reset;
} Style;

static const Style PLAIN = {"", "", "", "", "", ""};
static const Style COLOR = {"\033[1;31m", "\033[1;33m", "\033[1;34m",
                            "\033[1;36m", "\033[1m",    "\033[0m"};

typedef struct Picture {
    Buf *out;
    const Sources *sources;
    const Style *style;
    const Diag *diag;
    uint32_t gutter; /* digits of the largest line number shown */
} Picture;

/* Terminal columns of the character at p, as put_source_line prints it; *len: bytes. */
static uint32_t columns_of(const char *p, uint32_t n, uint32_t *len)
{
    if (*p == '\t') {
        *len = 1;
        return TAB_COLUMNS;
    }
    *len = utf8_len(p, n);
    unsigned char c = (unsigned char)*p;
    if (*len == 0 || c < 0x20 || c == 0x7f) {
        *len = 1;
        return 4; /* \xNN */
    }
    return utf8_width((Str){p, *len});
}

static uint32_t width_of(Str s)
{
    uint32_t width = 0, len;
    for (uint32_t i = 0; i < s.len; i += len)
        width += columns_of(s.ptr + i, s.len - i, &len);
    return width;
}

static void put_columns(Buf *out, char c, uint32_t n)
{
    for (; n > 0; n--)
        buf_putc(out, c);
}

static void put_gutter(const Picture *pic, uint32_t line)
{
    buf_puts(pic->out, pic->style->gutter);
    if (line)
        buf_printf(pic->out, "%*u |", (int)pic->gutter, line);
    else
        buf_printf(pic->out, "%*s |", (int)pic->gutter, "");
    buf_puts(pic->out, pic->style->reset);
}

static void end_row(const Picture *pic)
{
    Buf *out = pic->out;
    while (out->len && out->ptr[out->len - 1] == ' ')
        out->ptr[--out->len] = '\0';
    buf_putc(out, '\n');
}

static const char *mark_color(const Picture *pic, bool is_primary)
{
    if (!is_primary)
        return pic->style->gutter;
    return diag_is_error(pic->diag) ? pic->style->error : pic->style->warning;
}

static void put_source_line(const Picture *pic, Str text)
{
    for (uint32_t i = 0, len; i < text.len; i += len) {
        columns_of(text.ptr + i, text.len - i, &len);
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\t')
            put_columns(pic->out, ' ', TAB_COLUMNS);
        else if (c < 0x20 || c == 0x7f || utf8_len(text.ptr + i, text.len - i) == 0)
            buf_printf(pic->out, "\\x%02x", c);
        else
            buf_put(pic->out, text.ptr + i, len);
    }
}

/* The part of a long line that is shown: bytes [*from, *to) around the byte `at`. */
static void cut_line(Str text, uint32_t at, uint32_t *from, uint32_t *to)
{
    *from = 0;
    *to = text.len;
    if (text.len <= LINE_COLUMNS && width_of(text) <= LINE_COLUMNS)
        return;
    uint32_t width = 0, len, i = at < text.len ? at : text.len;
    while (i > 0 && width < COLUMNS_BEFORE) {
        do {
            i--;
        } while (i > 0 && ((unsigned char)text.ptr[i] & 0xc0) == 0x80);
        width += columns_of(text.ptr + i, text.len - i, &len);
    }
    *from = i;
    for (width = 0; i < text.len && width < LINE_COLUMNS; i += len)
        width += columns_of(text.ptr + i, text.len - i, &len);
    *to = i;
}

/* One line of source and the marks in it, from left to right. */
static void put_line(const Picture *pic, const Mark *marks, size_t n)
{
    Buf *out = pic->out;
    Str text = marks[0].text;
    const Mark *first = &marks[0];
    for (size_t i = 0; i < n; i++)
        if (marks[i].is_primary)
            first = &marks[i];
    uint32_t from, to;
    cut_line(text, first->from, &from, &to);
    uint32_t indent = from > 0 ? 3 : 0; /* "..." */

    put_gutter(pic, marks[0].line);
    buf_putc(out, ' ');
    buf_puts(out, from > 0 ? "..." : "");
    put_source_line(pic, str_slice(text, from, to - from));
    buf_puts(out, to < text.len ? "..." : "");
    end_row(pic);

    /* Where the marks are on the screen; those cut away are not drawn. */
    struct {
        uint32_t col, width;
        bool is_drawn;
    } *at = xcalloc(n, sizeof *at);
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        at[i].is_drawn = marks[i].from >= from && marks[i].from <= to;
        if (!at[i].is_drawn)
            continue;
        uint32_t end = marks[i].to < to ? marks[i].to : to;
        uint32_t len = end > marks[i].from ? end - marks[i].from : 0;
        at[i].col = indent + width_of(str_slice(text, from, marks[i].from - from));
        at[i].width = width_of(str_slice(text, marks[i].from, len));
        if (at[i].width == 0)
            at[i].width = 1;
        last = i;
    }

    put_gutter(pic, 0);
    buf_putc(out, ' ');
    uint32_t col = 0;
    for (size_t i = 0; i < n; i++) {
        if (!at[i].is_drawn || at[i].col + at[i].width <= col)
            continue;
        put_columns(out, ' ', at[i].col > col ? at[i].col - col : 0);
        uint32_t start = at[i].col > col ? at[i].col : col;
        buf_puts(out, mark_color(pic, marks[i].is_primary));
        put_columns(out, marks[i].is_primary ? '^' : '-',
                    at[i].col + at[i].width - start);
        buf_puts(out, pic->style->reset);
        col = at[i].col + at[i].width;
    }
    if (marks[last].label.len) {
        buf_putc(out, ' ');
        buf_puts(out, mark_color(pic, marks[last].is_primary));
        buf_put_visible(out, marks[last].label);
        buf_puts(out, pic->style->reset);
    }
    end_row(pic);

    /* The other labels hang below, the rightmost first. */
    for (size_t k = last; k-- > 0;) {
        if (!at[k].is_drawn || !marks[k].label.len)
            continue;
        put_gutter(pic, 0);
        buf_putc(out, ' ');
        col = 0;
        for (size_t i = 0; i < k; i++) {
            if (!at[i].is_drawn || !marks[i].label.len || at[i].col < col ||
                at[i].col >= at[k].col)
                continue;
            put_columns(out, ' ', at[i].col - col);
            buf_puts(out, mark_color(pic, marks[i].is_primary));
            buf_putc(out, '|');
            buf_puts(out, pic->style->reset);
            col = at[i].col + 1;
        }
        put_columns(out, ' ', at[k].col - col);
        buf_puts(out, mark_color(pic, marks[k].is_primary));
        buf_put_visible(out, marks[k].label);
        buf_puts(out, pic->style->reset);
        end_row(pic);
    }
    free(at);
}

static int by_line(const void *a, const void *b)
{
    const Mark *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (int)y->is_primary - (int)x->is_primary;
}

/* A span over several lines is marked in its first and in its last. */
static void add_marks(const Picture *pic, Mark *marks, size_t *n, Span span, Str label,
                      bool is_primary)
{
    Place lo = sources_locate(pic->sources, span.lo);
    Place hi = span.hi > span.lo ? sources_locate(pic->sources, span.hi) : lo;
    if (hi.source != lo.source) { /* past the end of its text */
        Str text = source_text(lo.source);
        hi = sources_locate(pic->sources, source_base(lo.source) + text.len);
    }
    bool is_one_line = hi.line == lo.line;
    Mark m = {.line = lo.line,
              .text = lo.text,
              .from = lo.offset_in_line,
              .to = is_one_line ? hi.offset_in_line : lo.text.len,
              .label = is_one_line ? label : STR_LIT(""),
              .is_primary = is_primary};
    marks[(*n)++] = m;
    /* [lo, hi) that ends at the start of a line ends before it. */
    if (is_one_line)
        return;
    if (hi.offset_in_line == 0 && hi.line == lo.line + 1) {
        marks[*n - 1].label = label;
        return;
    }
    uint32_t blank = 0;
    while (blank < hi.offset_in_line &&
           (hi.text.ptr[blank] == ' ' || hi.text.ptr[blank] == '\t'))
        blank++;
    marks[(*n)++] = (Mark){.line = hi.line,
                           .text = hi.text,
                           .from = blank,
                           .to = hi.offset_in_line,
                           .label = label,
                           .is_primary = is_primary};
}

/* The lines of one source that the diagnostic marks. */
static void put_source(const Picture *pic, const Source *source, bool is_first)
{
    const Diag *d = pic->diag;
    Mark *marks = xcalloc(2 * (d->labels.n + 1), sizeof *marks);
    size_t n = 0;
    Place at = {0};
    Str own_label = STR_LIT("");
    bool has_primary = sources_locate(pic->sources, d->span.lo).source == source;

    /* A label at the diagnostic's own span is what its carets say. */
    for (size_t i = 0; i < d->labels.n; i++) {
        const DiagLabel *l = &d->labels.ptr[i];
        Place p = sources_locate(pic->sources, l->span.lo);
        if (p.source != source)
            continue;
        if (has_primary && l->span.lo == d->span.lo && l->span.hi == d->span.hi) {
            own_label = l->text;
            continue;
        }
        at = at.source ? at : p;
        add_marks(pic, marks, &n, l->span, l->text, false);
    }
    if (has_primary) {
        at = sources_locate(pic->sources, d->span.lo);
        add_marks(pic, marks, &n, d->span, own_label, true);
    }
    qsort(marks, n, sizeof *marks, by_line);

    buf_printf(pic->out, "%*s%s%s%s ", (int)pic->gutter, "", pic->style->gutter,
               is_first ? "-->" : ":::", pic->style->reset);
    buf_put_visible(pic->out, source_name(source));
    buf_printf(pic->out, ":%u:%u\n", at.line, at.col);
    put_gutter(pic, 0);
    end_row(pic);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && marks[end].line == marks[i].line)
            end++;
        if (i > 0 && marks[i].line > marks[i - 1].line + 1) {
            buf_puts(pic->out, pic->style->gutter);
            buf_puts(pic->out, "...");
            buf_puts(pic->out, pic->style->reset);
            end_row(pic);
        }
        put_line(pic, marks + i, end - i);
        i = end;
    }
    free(marks);
}

static void put_remark(const Picture *pic, const char *kind, Str text)
{
    buf_printf(pic->out, "%*s %s=%s %s%s:%s ", (int)pic->gutter, "", pic->style->gutter,
               pic->style->reset, pic->style->bold, kind, pic->style->reset);
    buf_put_visible(pic->out, text);
    buf_putc(pic->out, '\n');
}

static uint32_t digits(uint32_t line)
{
    uint32_t n = 1;
    while (line >= 10) {
        line /= 10;
        n++;
    }
    return n;
}

static void widen_gutter(Picture *pic, Span span)
{
    uint32_t ends[] = {span.lo, span.hi};
    for (size_t i = 0; i < 2; i++) {
        uint32_t n = digits(sources_locate(pic->sources, ends[i]).line);
        if (n > pic->gutter)
            pic->gutter = n;
    }
}

static void put_diag(Picture *pic)
{
    const Diag *d = pic->diag;
    Buf *out = pic->out;

    buf_printf(out, "%s%s[", mark_color(pic, true), diag_severity_name(d));
    diag_put_code(out, d);
    buf_printf(out, "]%s%s: ", pic->style->reset, pic->style->bold);
    buf_put_visible(out, d->text);
    buf_printf(out, "%s\n", pic->style->reset);

    pic->gutter = 1;
    widen_gutter(pic, d->span);
    for (size_t i = 0; i < d->labels.n; i++)
        widen_gutter(pic, d->labels.ptr[i].span);

    const Source *own = sources_locate(pic->sources, d->span.lo).source;
    if (own)
        put_source(pic, own, true);
    for (size_t i = 0; i < d->labels.n; i++) {
        const Source *s = sources_locate(pic->sources, d->labels.ptr[i].span.lo).source;
        bool is_shown = !s || s == own;
        for (size_t k = 0; k < i && !is_shown; k++)
            is_shown =
                sources_locate(pic->sources, d->labels.ptr[k].span.lo).source == s;
        if (!is_shown)
            put_source(pic, s, own == NULL);
    }
    for (size_t i = 0; i < d->notes.n; i++)
        put_remark(pic, "note", d->notes.ptr[i]);
    for (size_t i = 0; i < d->helps.n; i++)
        put_remark(pic, "help", d->helps.ptr[i]);
    buf_putc(out, '\n');
}

void diags_put_human(Buf *out, const Diags *ds, const Sources *sources, bool has_color)
{
    size_t n;
    const Diag **items = diags_sorted(ds, &n);
    for (size_t i = 0; i < n; i++) {
        Picture pic = {.out = out,
                       .sources = sources,
                       .style = has_color ? &COLOR : &PLAIN,
                       .diag = items[i]};
        put_diag(&pic);
    }
    free(items);
}
