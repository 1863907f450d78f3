#include "lang/layout.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "base/vec.h"

typedef enum ItemKind {
    ITEM_TEXT,
    ITEM_BREAK,
    ITEM_OPEN,
    ITEM_CLOSE,
    ITEM_INDENT,
    ITEM_HANG,
    ITEM_DEDENT,
    ITEM_PAD,
    ITEM_COMMENT
} ItemKind;

typedef struct Item {
    ItemKind kind;
    Str text;        /* TEXT, COMMENT */
    uint32_t n;      /* TEXT: width of its first line; PAD: blanks; COMMENT: column */
    uint32_t n_last; /* TEXT: width of its last line */
    BreakKind brk;
    GroupKind group;
    bool is_multiline; /* TEXT */
    bool is_filled;    /* BREAK: of a list */
    bool has_blank;    /* BREAK */
    bool is_broken;    /* OPEN: whatever its width */
    size_t close;      /* OPEN */
} Item;

struct Layout {
    Arena *arena;
    Vec(Item) items;
    Vec(size_t) open; /* the groups around, outermost first */
    bool must_break;  /* a comment came last */
};

Layout *layout_new(Arena *a)
{
    Layout *l = arena_new(a, Layout);
    l->arena = a;
    return l;
}

/* ---- building ---- */

static Item *push(Layout *l, ItemKind kind)
{
    vec_push(l->arena, &l->items, ((Item){.kind = kind}));
    return &l->items.ptr[l->items.n - 1];
}

/* The groups around cannot stand on one line; a flow can around a body. */
static void force(Layout *l, bool is_in_brace)
{
    for (size_t i = l->open.n; i-- > 0;) {
        Item *o = &l->items.ptr[l->open.ptr[i]];
        if (o->group != GROUP_FLOW || !is_in_brace)
            o->is_broken = true;
        is_in_brace |= o->group == GROUP_BRACE;
    }
}

/* The last break, over marks that have no width; NULL if text came since. */
static Item *last_break(const Layout *l)
{
    for (size_t i = l->items.n; i-- > 0;) {
        Item *it = &l->items.ptr[i];
        if (it->kind == ITEM_BREAK)
            return it;
        if (it->kind == ITEM_TEXT || it->kind == ITEM_COMMENT)
            return NULL;
    }
    return NULL;
}

bool layout_is_fresh(const Layout *l)
{
    for (size_t i = l->items.n; i-- > 0;)
        if (l->items.ptr[i].kind == ITEM_TEXT || l->items.ptr[i].kind == ITEM_COMMENT)
            return false;
        else if (l->items.ptr[i].kind == ITEM_BREAK)
            return true;
    return true;
}

void layout_settle(Layout *l)
{
    if (l->must_break)
        layout_break(l, BREAK_HARD);
}

void layout_text(Layout *l, Str text)
{
    layout_settle(l);
    Item *it = push(l, ITEM_TEXT);
    it->text = text;
    const char *end = memchr(text.ptr, '\n', text.len);
    it->is_multiline = end != NULL;
    uint32_t first = end ? (uint32_t)(end - text.ptr) : text.len, last = text.len;
    while (last > 0 && text.ptr[last - 1] != '\n')
        last--;
    it->n = utf8_width((Str){text.ptr, first});
    it->n_last = end ? utf8_width((Str){text.ptr + last, text.len - last}) : it->n;
}

void layout_break(Layout *l, BreakKind kind)
{
    Item *it = push(l, ITEM_BREAK);
    GroupKind in = l->open.n ? l->items.ptr[l->open.ptr[l->open.n - 1]].group : GROUP_PLAIN;
    it->is_filled = in == GROUP_LIST;
    it->brk = l->must_break ? BREAK_HARD : kind;
    if (it->brk == BREAK_HARD)
        force(l, false);
    l->must_break = false;
}

static bool may_be_blank(const Layout *l)
{
    GroupKind in = l->open.n ? l->items.ptr[l->open.ptr[l->open.n - 1]].group : GROUP_BRACE;
    return in == GROUP_BRACE || in == GROUP_LIST;
}

void layout_blank(Layout *l)
{
    Item *it = last_break(l);
    if (it && may_be_blank(l))
        it->has_blank = true;
}

void layout_open(Layout *l, GroupKind kind, bool is_broken)
{
    if (is_broken)
        force(l, kind == GROUP_BRACE);
    Item *it = push(l, ITEM_OPEN);
    it->group = kind;
    it->is_broken = is_broken;
    vec_push(l->arena, &l->open, l->items.n - 1);
}

void layout_close(Layout *l)
{
    assert(l->open.n > 0);
    push(l, ITEM_CLOSE);
    l->items.ptr[l->open.ptr[--l->open.n]].close = l->items.n - 1;
}

void layout_indent(Layout *l)
{
    push(l, ITEM_INDENT);
}

void layout_hang(Layout *l)
{
    push(l, ITEM_HANG);
}

void layout_dedent(Layout *l)
{
    push(l, ITEM_DEDENT);
}

void layout_pad(Layout *l, uint32_t n)
{
    push(l, ITEM_PAD)->n = n;
}

void layout_comment_behind(Layout *l, Str text, uint32_t column)
{
    Item *it = push(l, ITEM_COMMENT);
    it->text = text;
    it->n = column;
    l->must_break = true;
}

void layout_comment_line(Layout *l, Str text, bool has_blank)
{
    Item *brk = last_break(l);
    if (brk && !l->must_break) {
        brk->brk = BREAK_HARD;
        force(l, false);
    } else if (!layout_is_fresh(l)) {
        layout_break(l, BREAK_HARD);
    }
    if (has_blank)
        layout_blank(l);
    l->must_break = false;
    layout_text(l, text);
    l->must_break = true;
}

size_t layout_place(const Layout *l)
{
    return l->items.n;
}

bool layout_is_tall(const Layout *l, size_t place)
{
    uint32_t width = 0;
    for (size_t i = place; i < l->items.n; i++) {
        const Item *it = &l->items.ptr[i];
        if (it->kind == ITEM_TEXT) {
            width += it->n;
            if (it->is_multiline)
                return true;
        } else if (it->kind == ITEM_BREAK) {
            width += it->brk == BREAK_EMPTY ? 0 : it->brk == BREAK_SPACE ? 1 : 2;
            if (it->brk == BREAK_HARD)
                return true;
        } else if (it->kind == ITEM_OPEN && it->is_broken) {
            return true;
        }
    }
    return width > LAYOUT_WIDTH;
}

void layout_blank_at(Layout *l, size_t place)
{
    for (size_t i = place; i-- > 0;)
        if (l->items.ptr[i].kind == ITEM_BREAK) {
            l->items.ptr[i].has_blank = true;
            return;
        }
}

/* ---- rendering ---- */

typedef struct Line {
    size_t lo, hi; /* of the text that has no comments yet */
    Str comment;   /* len 0: none */
    uint32_t column;
} Line;

typedef struct Level {
    bool is_broken;
    bool is_body_broken; /* of the innermost braces */
    size_t item_line;    /* on which the item of a list began */
} Level;

typedef struct Render {
    const Layout *layout;
    Buf text;
    Vec(Line) lines;
    Vec(Level) levels;
    Vec(uint32_t) indents; /* what was before each INDENT and HANG around */
    uint32_t indent, column;
    bool is_at_start;     /* of a line, before its indentation, */
    uint32_t line_indent; /* ... which is what was around its break */
} Render;

static const char *flat_text(const Item *brk)
{
    switch (brk->brk) {
    case BREAK_EMPTY:
        return "";
    case BREAK_SPACE:
        return " ";
    case BREAK_COMMA:
        return ", ";
    case BREAK_SEMI:
        return "; ";
    case BREAK_HARD:
        break;
    }
    return "";
}

/* The last break of a group that ends lines: `}` stands behind it. */
static size_t final_break(const Layout *l, size_t open)
{
    size_t i = l->items.ptr[open].close;
    while (i > open && l->items.ptr[i].kind != ITEM_BREAK)
        i--;
    return i;
}

/* Does what begins at `from` fit on the line, up to the first break outside of all groups
 * that open there? A group in it that ends lines counts with its first and its last; an item of
 * a filled list with one begins a line. */
static bool fits(const Render *r, size_t from, bool is_filled)
{
    const Layout *l = r->layout;
    uint32_t column = r->column;
    size_t level = 0;
    bool is_inside = true; /* of the group, or the item */
    for (size_t i = from; i < l->items.n && column <= LAYOUT_WIDTH; i++) {
        const Item *it = &l->items.ptr[i];
        switch (it->kind) {
        case ITEM_TEXT:
            column += it->n;
            if (it->is_multiline) {
                if (column > LAYOUT_WIDTH)
                    return false;
                column = it->n_last;
            }
            break;
        case ITEM_BREAK:
            if (level == 0 || !is_inside || it->brk == BREAK_HARD)
                return true;
            column += (uint32_t)strlen(flat_text(it));
            break;
        case ITEM_OPEN:
            if (it->is_broken && is_filled && is_inside)
                return false;
            level++;
            if (it->is_broken && i != from) {
                size_t k = i + 1, last = final_break(l, i);
                for (; k < last && l->items.ptr[k].kind != ITEM_BREAK; k++)
                    column += l->items.ptr[k].kind == ITEM_TEXT ? l->items.ptr[k].n : 0;
                if (column > LAYOUT_WIDTH)
                    return false;
                column = r->indent;
                i = last > i ? last : i;
            }
            break;
        case ITEM_CLOSE:
            /* A group that opens behind may end the line at its first break. */
            is_inside &= level > (is_filled ? 0 : 1);
            level -= level > 0;
            break;
        case ITEM_INDENT:
        case ITEM_HANG:
        case ITEM_DEDENT:
        case ITEM_PAD:
        case ITEM_COMMENT:
            break;
        }
    }
    return column <= LAYOUT_WIDTH;
}

static Line *current(Render *r)
{
    return &r->lines.ptr[r->lines.n - 1];
}

static void begin_line(Render *r)
{
    if (r->lines.n)
        current(r)->hi = r->text.len;
    vec_push(r->layout->arena, &r->lines, ((Line){.lo = r->text.len}));
    r->column = 0;
    r->is_at_start = true;
    r->line_indent = r->indent;
}

static void put_blanks(Render *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        buf_putc(&r->text, ' ');
    r->column += n;
}

static void put(Render *r, Str text)
{
    if (r->is_at_start) {
        put_blanks(r, r->line_indent);
        r->is_at_start = false;
    }
    buf_put_str(&r->text, text);
    r->column += utf8_width(text);
}

static void put_text(Render *r, Str text)
{
    const char *end;
    while ((end = memchr(text.ptr, '\n', text.len))) {
        uint32_t n = (uint32_t)(end - text.ptr);
        put(r, (Str){text.ptr, n > 0 && text.ptr[n - 1] == '\r' ? n - 1 : n});
        begin_line(r);
        r->is_at_start = false; /* the inside of a text is not indented */
        text = (Str){end + 1, text.len - n - 1};
    }
    put(r, text);
}

static void render_break(Render *r, const Item *it, size_t i)
{
    Level *level = r->levels.n ? &r->levels.ptr[r->levels.n - 1] : NULL;
    bool ends_line = it->brk == BREAK_HARD || !level || level->is_broken;
    if (ends_line && it->is_filled && it->brk != BREAK_HARD) {
        /* An item that took several lines has the last one for itself. */
        bool is_short = level->item_line == r->lines.n;
        r->column++;
        ends_line = !is_short || !fits(r, i + 1, true);
        r->column--;
    }
    if (!ends_line) {
        put(r, str_of(flat_text(it)));
        return;
    }
    begin_line(r);
    if (it->has_blank)
        begin_line(r);
    if (level)
        level->item_line = r->lines.n;
}

static void render_open(Render *r, const Item *it, size_t i)
{
    Level around = r->levels.n ? r->levels.ptr[r->levels.n - 1] : (Level){true, true, 0};
    Level level = {.item_line = r->lines.n, .is_body_broken = around.is_body_broken};
    if (it->is_broken)
        level.is_broken = true;
    else if (it->group == GROUP_LIST)
        level.is_broken = around.is_broken;
    else
        level.is_broken = around.is_broken && !fits(r, i, false);
    if (it->group == GROUP_BRACE)
        level.is_body_broken = level.is_broken;
    vec_push(r->layout->arena, &r->levels, level);
}

static void render_item(Render *r, size_t i)
{
    Arena *a = r->layout->arena;
    const Item *it = &r->layout->items.ptr[i];
    const Level *level = r->levels.n ? &r->levels.ptr[r->levels.n - 1] : NULL;
    switch (it->kind) {
    case ITEM_TEXT:
        put_text(r, it->text);
        break;
    case ITEM_BREAK:
        render_break(r, it, i);
        break;
    case ITEM_OPEN:
        render_open(r, it, i);
        break;
    case ITEM_CLOSE:
        r->levels.n--;
        break;
    case ITEM_INDENT:
    case ITEM_HANG:
        vec_push(a, &r->indents, r->indent);
        if (!level || level->is_broken)
            r->indent = it->kind == ITEM_HANG ? r->line_indent : r->indent + LAYOUT_INDENT;
        break;
    case ITEM_DEDENT:
        r->indent = r->indents.ptr[--r->indents.n];
        break;
    case ITEM_PAD:
        if (!level || level->is_body_broken)
            put_blanks(r, it->n);
        break;
    case ITEM_COMMENT:
        current(r)->comment = it->text;
        current(r)->column = it->n;
        break;
    }
}

static uint32_t line_width(const Render *r, const Line *line)
{
    return utf8_width((Str){r->text.ptr + line->lo, (uint32_t)(line->hi - line->lo)});
}

/* Comments behind lines that follow each other stand in one column: where they were, if
 * that was one and has room, else two blanks behind the longest line. */
static uint32_t comment_column(const Render *r, size_t from, size_t *to)
{
    uint32_t widest = 0, column = r->lines.ptr[from].column;
    bool is_one = true;
    size_t i = from;
    for (; i < r->lines.n && r->lines.ptr[i].comment.len; i++) {
        uint32_t width = line_width(r, &r->lines.ptr[i]);
        widest = width > widest ? width : widest;
        is_one &= r->lines.ptr[i].column == column;
    }
    *to = i;
    return is_one && column >= widest + 2 ? column : widest + 2;
}

void layout_render(Layout *l, Buf *out)
{
    Render r = {.layout = l};
    if (l->items.n == 0)
        return;
    assert(l->open.n == 0);
    begin_line(&r);
    for (size_t i = 0; i < l->items.n; i++)
        render_item(&r, i);
    current(&r)->hi = r.text.len;

    size_t run_end = 0;
    uint32_t column = 0;
    for (size_t i = 0; i < r.lines.n; i++) {
        const Line *line = &r.lines.ptr[i];
        buf_put(out, r.text.ptr + line->lo, line->hi - line->lo);
        if (line->comment.len) {
            if (i >= run_end)
                column = comment_column(&r, i, &run_end);
            for (uint32_t k = line_width(&r, line); k < column; k++)
                buf_putc(out, ' ');
            buf_put_str(out, line->comment);
        }
        buf_putc(out, '\n');
    }
    buf_deinit(&r.text);
}
