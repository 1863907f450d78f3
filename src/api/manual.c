#include "api/manual.h"

#include <string.h>

#include "base/utf8.h"

static const char MANUAL[] =
#include "manual.inc"
    ;

enum { INDENT = 2, MAX_CELLS = 4 };

Str manual_text(void)
{
    return STR_LIT(MANUAL);
}

/* ---- lines ---- */

/* The first line, without its end; *rest is what follows. */
static Str take_line(Str *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    uint32_t len = end ? (uint32_t)(end - rest->ptr) : rest->len;
    Str line = {rest->ptr, len};
    *rest = str_slice(*rest, len + (end != NULL), rest->len);
    return line;
}

static bool starts(Str s, const char *prefix)
{
    return str_starts(s, str_of(prefix));
}

static int heading_level(Str line)
{
    int n = 0;
    while ((uint32_t)n < line.len && line.ptr[n] == '#')
        n++;
    return n > 0 && (uint32_t)n < line.len && line.ptr[n] == ' ' ? n : 0;
}

/* ---- blocks ---- */

typedef enum BlockKind {
    BLOCK_NONE,
    BLOCK_HEADING,
    BLOCK_TEXT,
    BLOCK_ITEM, /* of a list */
    BLOCK_TABLE,
    BLOCK_CODE, /* indented by four */
    BLOCK_FENCE,
} BlockKind;

typedef struct Block {
    BlockKind kind;
    Str lines; /* a fence without its marks */
} Block;

static BlockKind line_kind(Str line)
{
    if (heading_level(line))
        return BLOCK_HEADING;
    if (starts(line, "```"))
        return BLOCK_FENCE;
    if (starts(line, "    "))
        return BLOCK_CODE;
    if (starts(line, "|"))
        return BLOCK_TABLE;
    if (starts(line, "* "))
        return BLOCK_ITEM;
    return str_trim(line).len ? BLOCK_TEXT : BLOCK_NONE;
}

/* Does a line of this kind go on with a block? */
static bool goes_on(BlockKind block, BlockKind line)
{
    switch (block) {
    case BLOCK_TEXT:
    case BLOCK_ITEM:
        return line == BLOCK_TEXT;
    case BLOCK_TABLE:
    case BLOCK_CODE:
        return line == block;
    case BLOCK_NONE:
    case BLOCK_HEADING:
    case BLOCK_FENCE:
        break;
    }
    return false;
}

static Block take_block(Str *rest)
{
    Str line = {0};
    Block b = {0};
    while (rest->len && b.kind == BLOCK_NONE) {
        b.lines = *rest;
        line = take_line(rest);
        b.kind = line_kind(line);
    }
    if (b.kind == BLOCK_FENCE) {
        b.lines = *rest;
        while (rest->len) {
            Str before = *rest;
            if (starts(take_line(rest), "```")) {
                b.lines.len = (uint32_t)(before.ptr - b.lines.ptr);
                break;
            }
        }
        return b;
    }
    while (rest->len) {
        Str ahead = *rest;
        if (!goes_on(b.kind, line_kind(take_line(&ahead))))
            break;
        *rest = ahead;
    }
    b.lines.len = b.kind ? (uint32_t)(rest->ptr - b.lines.ptr) : 0;
    return b;
}

/* ---- sections ---- */

bool manual_section(uint32_t i, ManualSection *out)
{
    Str rest = manual_text();
    bool is_found = false, has_intro = false;
    *out = (ManualSection){0};
    while (rest.len) {
        Block b = take_block(&rest);
        Str lines = b.lines, heading = take_line(&lines);
        int level = b.kind == BLOCK_HEADING ? heading_level(heading) : 0;
        if (level == 0)
            continue;
        if (is_found && !has_intro) {
            out->intro.len = (uint32_t)(heading.ptr - out->intro.ptr);
            has_intro = true;
        }
        if (is_found && level <= out->level) {
            out->whole.len = (uint32_t)(heading.ptr - out->whole.ptr);
            return true;
        }
        if (!is_found && level > 1 && i-- == 0) {
            out->heading = str_trim(str_slice(heading, (uint32_t)level, heading.len));
            out->level = level;
            out->intro = out->whole = rest;
            is_found = true;
        }
    }
    return is_found;
}

bool manual_find(Str heading, ManualSection *out)
{
    for (uint32_t i = 0; manual_section(i, out); i++)
        if (str_eq(out->heading, heading))
            return true;
    return false;
}

void manual_put_topic(Buf *out, Str heading)
{
    for (uint32_t i = 0; i < heading.len; i++) {
        char c = heading.ptr[i];
        if (c == ' ')
            buf_putc(out, '-');
        else if (c != ',')
            buf_putc(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
}

/* ---- words in text ---- */

/* The text of a link `[text](target)` at s.ptr[i], which is a `[`: its length with the target, 0: no link. */
static uint32_t link_len(Str s, uint32_t i, Str *text)
{
    const char *close = memchr(s.ptr + i, ']', s.len - i);
    if (!close || close + 1 >= s.ptr + s.len || close[1] != '(')
        return 0;
    const char *end = memchr(close, ')', (size_t)(s.ptr + s.len - close));
    if (!end)
        return 0;
    *text = (Str){s.ptr + i + 1, (uint32_t)(close - (s.ptr + i + 1))};
    return (uint32_t)(end - (s.ptr + i)) + 1;
}

/* Text without the marks of Markdown; code keeps its backticks if keeps_ticks. */
static void put_plain(Buf *out, Str s, bool keeps_ticks)
{
    bool in_code = false;
    for (uint32_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        Str text;
        uint32_t n;
        if (c == '`') {
            /* Double ticks are around code with ticks in it. */
            bool is_double = i + 1 < s.len && s.ptr[i + 1] == '`';
            in_code = !in_code;
            if (keeps_ticks && !is_double)
                buf_putc(out, c);
            if (is_double) {
                uint32_t to = i + 2;
                while (to + 1 < s.len && (s.ptr[to] != '`' || s.ptr[to + 1] != '`'))
                    to++;
                buf_put_str(out, str_trim(str_slice(s, i + 2, to - i - 2)));
                i = to + 1;
                in_code = false;
            }
        } else if (c == '\\' && i + 1 < s.len && s.ptr[i + 1] == '|') {
            continue;
        } else if (!in_code && c == '*' && i + 1 < s.len && s.ptr[i + 1] == '*') {
            i++;
        } else if (!in_code && c == '*') {
            continue;
        } else if (!in_code && c == '[' && (n = link_len(s, i, &text)) > 0) {
            put_plain(out, text, keeps_ticks);
            i += n - 1;
        } else {
            buf_putc(out, c);
        }
    }
}

/* Words apart by blanks on lines of MANUAL_WIDTH; *column is where the first goes. `code` may be broken at
 * its blanks: it says the same. */
static void put_wrapped(Buf *out, Str text, uint32_t indent, uint32_t *column)
{
    bool is_first = true;
    while (text.len) {
        uint32_t n = 0;
        while (n < text.len && text.ptr[n] != ' ' && text.ptr[n] != '\n')
            n++;
        Str word = str_slice(text, 0, n);
        text = str_slice(text, n + 1, text.len);
        if (word.len == 0)
            continue;
        uint32_t width = utf8_width(word);
        if (!is_first && *column + 1 + width > MANUAL_WIDTH) {
            buf_printf(out, "\n%*s", (int)indent, "");
            *column = indent;
        } else if (!is_first) {
            buf_putc(out, ' ');
            *column += 1;
        }
        buf_put_str(out, word);
        *column += width;
        is_first = false;
    }
}

static void put_text(Buf *out, Str lines, uint32_t indent)
{
    Buf plain = {0};
    uint32_t column = indent;
    put_plain(&plain, lines, true);
    buf_printf(out, "%*s", (int)indent, "");
    put_wrapped(out, buf_str(&plain), indent, &column);
    buf_putc(out, '\n');
    buf_deinit(&plain);
}

/* ---- tables ---- */

typedef struct Row {
    Str cells[MAX_CELLS];
    uint32_t n;
} Row;

static Row split_row(Str line)
{
    Row row = {0};
    uint32_t lo = 1;
    for (uint32_t i = 1; i < line.len && row.n < MAX_CELLS; i++)
        if (line.ptr[i] == '|' && line.ptr[i - 1] != '\\') {
            row.cells[row.n++] = str_trim(str_slice(line, lo, i - lo));
            lo = i + 1;
        }
    return row;
}

static bool is_rule(Str line)
{
    return starts(line, "| ---") || starts(line, "|---");
}

/* `code`, what it is said of (a cell in the middle, with the word at the head of its column), and the meaning. */
static void row_texts(const Row *head, const Row *row, Buf *first, Buf *text)
{
    put_plain(first, row->cells[0], false);
    for (uint32_t i = 1; i < row->n; i++) {
        if (i + 1 < row->n && row->cells[i].len == 0)
            continue;
        if (i + 1 < row->n)
            buf_printf(text, "%.*s%s", STR_ARG(head->cells[i]), head->cells[i].len ? " " : "");
        put_plain(text, row->cells[i], true);
        if (i + 1 < row->n)
            buf_puts(text, ": ");
    }
}

static void put_row(Buf *out, const Row *head, const Row *row)
{
    Buf first = {0}, text = {0};
    row_texts(head, row, &first, &text);
    enum { COLUMN = 22 };
    uint32_t width = utf8_width(buf_str(&first)), column = COLUMN;
    buf_printf(out, "%*s%.*s", INDENT, "", STR_ARG(buf_str(&first)));
    if (text.len) {
        if (INDENT + width + 2 > COLUMN) {
            column = 3 * INDENT;
            buf_printf(out, "\n%*s", (int)column, "");
        } else {
            buf_printf(out, "%*s", (int)(COLUMN - INDENT - width), "");
        }
        uint32_t indent = column;
        put_wrapped(out, buf_str(&text), indent, &column);
    }
    buf_putc(out, '\n');
    buf_deinit(&first);
    buf_deinit(&text);
}

static void put_table(Buf *out, Str lines)
{
    Row head = split_row(take_line(&lines));
    while (lines.len) {
        Str line = take_line(&lines);
        if (is_rule(line))
            continue;
        Row row = split_row(line);
        put_row(out, &head, &row);
    }
}

/* ---- all of it ---- */

static void put_code(Buf *out, Str lines, uint32_t indent)
{
    while (lines.len) {
        Str line = take_line(&lines);
        buf_printf(out, "%*s%.*s\n", line.len ? (int)indent : 0, "", STR_ARG(line));
    }
}

static void put_heading(Buf *out, Str line)
{
    Buf plain = {0};
    uint32_t n = (uint32_t)heading_level(line);
    put_plain(&plain, str_trim(str_slice(line, n, line.len)), false);
    buf_printf(out, "%.*s\n", STR_ARG(buf_str(&plain)));
    buf_deinit(&plain);
}

static void put_block(Buf *out, const Block *b)
{
    Str lines = b->lines;
    switch (b->kind) {
    case BLOCK_NONE:
        return;
    case BLOCK_HEADING:
        put_heading(out, take_line(&lines));
        return;
    case BLOCK_TEXT:
        put_text(out, b->lines, INDENT);
        return;
    case BLOCK_ITEM:
        buf_printf(out, "%*s* ", INDENT, "");
        {
            Buf item = {0};
            put_text(&item, str_slice(b->lines, 2, b->lines.len), 2 * INDENT);
            buf_puts(out, item.ptr + 2 * INDENT);
            buf_deinit(&item);
        }
        return;
    case BLOCK_TABLE:
        put_table(out, b->lines);
        return;
    case BLOCK_CODE:
        put_code(out, b->lines, 0);
        return;
    case BLOCK_FENCE:
        put_code(out, b->lines, 2 * INDENT);
        return;
    }
}

/* Blocks are apart by an empty line, items of a list are not. */
static void put_apart(Buf *out, const Block *b, BlockKind *last)
{
    if (*last != BLOCK_NONE && !(*last == BLOCK_ITEM && b->kind == BLOCK_ITEM))
        buf_putc(out, '\n');
    put_block(out, b);
    *last = b->kind;
}

void manual_put(Buf *out, Str markdown)
{
    BlockKind last = BLOCK_NONE;
    while (markdown.len) {
        Block b = take_block(&markdown);
        if (b.kind != BLOCK_NONE)
            put_apart(out, &b, &last);
    }
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Or a quote: what stands in a string is no sign. */
static bool is_sign_byte(char c)
{
    return c != '\0' && strchr("+-*/%?=!<>:,.\"'", c) != NULL;
}

/* Does the word stand in the text, not inside of a longer one? What ends in `(` ends there. A sign has no word before it, and
 * no other sign beside it. */
static bool mentions(Str text, Str word)
{
    bool is_sign = word.len && is_sign_byte(word.ptr[0]) && is_sign_byte(word.ptr[word.len - 1]);
    for (uint32_t i = 0; i + word.len <= text.len; i++) {
        if (memcmp(text.ptr + i, word.ptr, word.len) != 0)
            continue;
        char before = i > 0 ? text.ptr[i - 1] : ' ', after = i + word.len < text.len ? text.ptr[i + word.len] : ' ';
        bool is_open = is_sign ? is_word_byte(before) || is_sign_byte(before)
                               : is_word_byte(before) && is_word_byte(word.ptr[0]);
        bool goes_further = is_sign ? is_sign_byte(after)
                                    : is_word_byte(after) && is_word_byte(word.ptr[word.len - 1]);
        if (!is_open && !goes_further)
            return true;
    }
    return false;
}

bool manual_put_rows(Buf *out, Str markdown, Str word)
{
    bool found = false;
    while (markdown.len) {
        Block b = take_block(&markdown);
        if (b.kind != BLOCK_TABLE)
            continue;
        Str lines = b.lines;
        Row head = split_row(take_line(&lines));
        while (lines.len) {
            Str line = take_line(&lines);
            Row row = split_row(line);
            if (row.n && !is_rule(line) && mentions(row.cells[0], word)) {
                put_row(out, &head, &row);
                found = true;
            }
        }
    }
    return found;
}

bool manual_put_mentions(Buf *out, Str markdown, Str word)
{
    BlockKind last = BLOCK_NONE;
    while (markdown.len) {
        Block b = take_block(&markdown);
        bool is_text = b.kind == BLOCK_TEXT || b.kind == BLOCK_ITEM || b.kind == BLOCK_FENCE;
        if (is_text && mentions(b.lines, word))
            put_apart(out, &b, &last);
    }
    return last != BLOCK_NONE;
}

/* Is the fence a program that says what comes out, with the word in its code? */
static bool shows(const Block *b, Str word)
{
    static const char mark[] = "```pipe\n";
    size_t n = sizeof mark - 1;
    bool is_program = b->kind == BLOCK_FENCE && b->lines.ptr >= MANUAL + n && memcmp(b->lines.ptr - n, mark, n) == 0;
    bool has_word = false, has_output = false;
    for (Str rest = b->lines; is_program && rest.len;) {
        Str line = take_line(&rest);
        has_output = has_output || starts(line, "#>") || starts(line, "#!>") || starts(line, "#out ");
        const char *comment = line.len ? memchr(line.ptr, '#', line.len) : NULL;
        Str code = comment ? str_slice(line, 0, (uint32_t)(comment - line.ptr)) : line;
        has_word = has_word || mentions(code, word);
    }
    return has_word && has_output;
}

bool manual_put_example(Buf *out, Str word)
{
    Block best = {0};
    for (Str rest = manual_text(); rest.len;) {
        Block b = take_block(&rest);
        if (shows(&b, word) && (best.kind == BLOCK_NONE || b.lines.len < best.lines.len))
            best = b;
    }
    put_block(out, &best);
    return best.kind != BLOCK_NONE;
}

bool manual_row(Str *markdown, Buf *first, Buf *rest)
{
    Str ahead = *markdown;
    while (ahead.len) {
        Str line = take_line(&ahead);
        BlockKind kind = line_kind(line);
        if (kind == BLOCK_HEADING)
            return false;
        /* The head of a table is followed by its rule. */
        Str next = ahead;
        bool is_head = kind == BLOCK_TABLE && is_rule(take_line(&next));
        if (kind != BLOCK_TABLE || is_rule(line) || is_head)
            continue;
        Row row = split_row(line), none = {0};
        row_texts(&none, &row, first, rest);
        *markdown = ahead;
        return true;
    }
    return false;
}

bool manual_paragraph(Str *markdown, Buf *out)
{
    Str ahead = *markdown;
    while (ahead.len) {
        Block b = take_block(&ahead);
        if (b.kind == BLOCK_HEADING)
            return false;
        if (b.kind != BLOCK_TEXT)
            continue;
        put_plain(out, str_trim(b.lines), true);
        while (out->len && out->ptr[out->len - 1] == '\n')
            out->ptr[--out->len] = '\0';
        *markdown = ahead;
        return true;
    }
    return false;
}
