#include "api/sniff.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/value.h"
#include "data/dialect.h"
#include "lang/fmt.h"
#include "lang/parse.h"
#include "lang/token.h"

#define SAMPLE_BYTES (1u << 20)

/* The first MiB; more when the first line is longer. A CR ends it when the next byte is there. */
static Status sample_open(Str path, CsvSample **out, Error *err)
{
    Status st = csv_sample_open(path, CODING_UTF8, SAMPLE_BYTES, out, err);
    while (st == OK && !(*out)->at_eof && (*out)->n_bytes <= CSV_RECORD_MAX && !memchr((*out)->block->bytes, '\n', (*out)->n_bytes) &&
           !memchr((*out)->block->bytes, '\r', (*out)->n_bytes - 1)) {
        st = csv_sample_more(*out, 2 * (*out)->n_bytes, err);
        if (st != OK)
            csv_sample_free(*out);
    }
    return st;
}

/* ---- pieces of a program ---- */

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static void name_put(Buf *out, Str name)
{
    if (name_is_plain(name))
        buf_put_str(out, name);
    else
        buf_printf(out, "`%.*s`", STR_ARG(name));
}

/* Can a program name it? Backticks hold all but these. */
static bool is_writable(Str name)
{
    return !memchr(name.ptr, '`', name.len) && !memchr(name.ptr, '\n', name.len) && !memchr(name.ptr, '\r', name.len);
}

/* The first column that no program can name; n_cols: there is none. */
static uint32_t first_unwritable(const DialectGuess *g)
{
    uint32_t c = 0;
    while (c < g->n_cols && is_writable(g->cols[c].col.name))
        c++;
    return c;
}

static void text_put(Buf *out, Str text)
{
    value_print_literal(out, (Value){.type = TYPE_STRING, .s = text});
}

static void byte_put(Buf *out, char byte)
{
    if (byte == '\x1f')
        buf_puts(out, "\"\\u{1f}\"");
    else
        text_put(out, (Str){&byte, 1});
}

/* The file's name without folders and ends, as a name: `data/2024-sales.csv.gz` is `_2024_sales`. */
static void schema_name_put(Buf *out, Str path)
{
    uint32_t from = 0, to;
    for (uint32_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '/')
            from = i + 1;
    for (to = from; to < path.len && path.ptr[to] != '.'; to++)
        ;
    Buf name = {0};
    if (to > from && !is_letter((unsigned char)path.ptr[from]))
        buf_putc(&name, '_');
    for (uint32_t i = from; i < to; i++) {
        char c = path.ptr[i];
        buf_putc(&name, is_letter((unsigned char)c) || (c >= '0' && c <= '9') ? c : '_');
    }
    buf_puts(out, name_is_plain(buf_str(&name)) && !str_is(path, "stdin") ? name.ptr : "rows");
    buf_deinit(&name);
}

static void option_put(Buf *out, const char *name, bool *any)
{
    buf_printf(out, "%s%s: ", *any ? ", " : " with (", name);
    *any = true;
}

static void read_put(Buf *out, Str path, const DialectGuess *g)
{
    bool any = false;
    buf_puts(out, "read csv ");
    if (str_is(path, "stdin") || g->first_line > 1)
        buf_puts(out, "stdin");
    else
        text_put(out, path);
    if (g->dialect.delimiter != ',') {
        option_put(out, "delimiter", &any);
        byte_put(out, g->dialect.delimiter);
    }
    if (g->dialect.quote != '"') {
        option_put(out, "quote", &any);
        byte_put(out, g->dialect.quote);
    }
    if (!g->dialect.has_header) {
        option_put(out, "header", &any);
        buf_puts(out, "false");
    }
    if (g->dialect.null_word.len) {
        option_put(out, "null", &any);
        text_put(out, g->dialect.null_word);
    }
    if (g->dialect.coding != CODING_UTF8) {
        option_put(out, "encoding", &any);
        text_put(out, str_of(text_coding_name(g->dialect.coding)));
    }
    buf_puts(out, any ? ")" : "");
}

/* ---- notes ---- */

/* What the text is in one word or two. */
static const char *encoding_name(TextEncoding e)
{
    switch (e) {
    case TEXT_UTF8: return "UTF-8";
    case TEXT_UTF8_MARK: return "UTF-8 with a byte order mark";
    case TEXT_UTF8_DAMAGED: return "UTF-8 but for some bytes";
    case TEXT_8BIT: return "not UTF-8";
    case TEXT_UTF16: return "UTF-16";
    case TEXT_BINARY: return "binary";
    }
    return "";
}

static const char *line_end_names(const DialectGuess *g)
{
    int n = g->has_lf + g->has_crlf + g->has_cr;
    return n == 0 ? "no line end" : n > 1 ? "line ends of several kinds" : g->has_lf ? "LF" : g->has_crlf ? "CRLF" : "CR";
}

static bool pattern_is_day(const char *pattern)
{
    return !strstr(pattern, "%H") && !strstr(pattern, "%I");
}

static const char *inner_name(Type t)
{
    return t == TYPE_INT ? "an int" : t == TYPE_FLOAT ? "a float" : t == TYPE_BOOL ? "a bool" : t == TYPE_DATE ? "a date"
           : t == TYPE_TIMESTAMP ? "a timestamp" : "a text without the blanks";
}

/* What becomes of the column in the op behind the schema; "": nothing. */
static const char *form_made(const DialectCol *c)
{
    switch (c->form) {
    case FORM_TIME:
    case FORM_TIME_EITHER: return pattern_is_day(c->pattern) ? "a date" : "a timestamp";
    case FORM_CLOCK:
    case FORM_CLOCK_SECONDS: return "a duration";
    case FORM_BLANKS:
    case FORM_NULL_WORDS: return inner_name(c->inner);
    case FORM_DECIMAL_COMMA:
    case FORM_THOUSANDS:
    case FORM_MONEY:
    case FORM_PERCENT: return "a float";
    case FORM_YES_NO: return "a bool";
    case FORM_TIME_MIXED:
    case FORM_CODE:
    case FORM_DURATION:
    case FORM_SIZE:
    case FORM_NONE: return "";
    }
    return "";
}

/* The words for nothing, in quotes or between the marks. */
static void words_put(Buf *out, const DialectCol *c, const char *mark)
{
    for (uint32_t i = 0; i < c->n_words; i++) {
        buf_puts(out, i ? ", " : "");
        if (*mark)
            buf_printf(out, "%s%s%s", mark, c->words[i], mark);
        else
            text_put(out, str_of(c->words[i]));
    }
}

/* How an expression makes a value of it. False: nothing to do. */
static bool remedy_put(Buf *out, const DialectCol *c)
{
    Buf name = {0};
    name_put(&name, c->col.name);
    const char *n = name.ptr;
    switch (c->form) {
    case FORM_TIME:
    case FORM_TIME_EITHER: {
        bool is_day = pattern_is_day(c->pattern);
        buf_printf(out, "%sparse_time(%s, \"%s\")%s", is_day ? "date(" : "", n, c->pattern, is_day ? ")" : "");
        break;
    }
    case FORM_DECIMAL_COMMA: buf_printf(out, "float(replace(replace(%s, \".\", \"\"), \",\", \".\"))", n); break;
    case FORM_THOUSANDS: buf_printf(out, "float(replace(%s, \",\", \"\"))", n); break;
    case FORM_PERCENT: buf_printf(out, "float(replace(%s, \"%%\", \"\")) / 100", n); break;
    case FORM_YES_NO: buf_printf(out, "lower(substring(%s, 0, 1)) == \"y\"", n); break;
    case FORM_MONEY: buf_printf(out, "float(replace(substring(%s, 1), \",\", \"\"))", n); break;
    case FORM_CLOCK:
    case FORM_CLOCK_SECONDS:
        buf_printf(out, "int(split_part(%s, \":\", 0)) * 1h + int(split_part(%s, \":\", 1)) * 1m", n, n);
        if (c->form == FORM_CLOCK_SECONDS)
            buf_printf(out, " + int(split_part(%s, \":\", 2)) * 1s", n);
        break;
    case FORM_BLANKS:
        if (c->inner == TYPE_STRING)
            buf_printf(out, "trim(%s)", n);
        else
            buf_printf(out, "%s(trim(%s))", type_name(c->inner), n);
        break;
    case FORM_NULL_WORDS:
        buf_printf(out, "if %s in [", n);
        words_put(out, c, "");
        buf_printf(out, "] then null else %s(%s)", type_name(c->inner), n);
        break;
    case FORM_TIME_MIXED:
    case FORM_CODE: /* stays text: the zeros mean something */
    case FORM_DURATION: /* no expression makes one of a text */
    case FORM_SIZE:
    case FORM_NONE: break;
    }
    buf_deinit(&name);
    return *form_made(c) != '\0';
}

/* Why a column is a string that is not just text. False: there is nothing odd about it. */
static bool column_note_put(Buf *out, const DialectCol *c)
{
    if (c->form == FORM_CODE) {
        buf_printf(out, "codes such as `%.*s`: kept as text, digit for digit", STR_ARG(c->example));
    } else if (c->form == FORM_DURATION || c->form == FORM_SIZE) {
        buf_printf(out, "values such as `%.*s`: write %s here to count with them", STR_ARG(c->example),
                   c->form == FORM_SIZE ? "size" : "duration");
    } else if (c->form == FORM_TIME_MIXED) {
        buf_printf(out, "dates of more than one form, such as `%.*s` and `%.*s`: kept as text", STR_ARG(c->example), STR_ARG(c->other));
    } else if (c->form == FORM_NULL_WORDS) {
        buf_printf(out, "%s but for ", type_name(c->inner));
        words_put(out, c, "`");
        buf_puts(out, ": ");
        remedy_put(out, c);
    } else if (c->form != FORM_NONE) {
        buf_printf(out, "values such as `%.*s`: ", STR_ARG(c->example));
        remedy_put(out, c);
        if (c->form == FORM_TIME_EITHER)
            buf_puts(out, ", if the days and months are not the other way round");
    } else if (c->col.type == TYPE_STRING && c->col.almost != TYPE_ERROR) {
        buf_printf(out, "%s but for line %llu, which holds `", type_name(c->col.almost), (unsigned long long)c->col.odd_line);
        buf_put_visible(out, str_slice(c->col.odd_value, 0, 40));
        buf_puts(out, c->col.odd_value.len > 40 ? "...`" : "`");
    } else {
        return false;
    }
    return true;
}

static void notes_put(Buf *out, Str path, const DialectGuess *g)
{
    buf_printf(out, "# %.*s: %s, %s, %u column%s, %llu row%s%s\n", STR_ARG(path), encoding_name(g->encoding), line_end_names(g), g->n_cols,
               g->n_cols == 1 ? "" : "s", (unsigned long long)g->n_rows, g->n_rows == 1 ? "" : "s", g->is_all ? "" : " in the first MiB");
    if (g->encoding == TEXT_8BIT)
        buf_puts(out, "# It is taken for Windows-1252 (Latin-1), which Excel writes in Western Europe and America; look at its letters. If they are\n"
                      "# wrong, it is another one: leave `encoding` out and convert it, `iconv -f NAME -t UTF-8 FILE | pipemill run ...` with `read csv stdin`.\n");
    if (g->encoding == TEXT_UTF8_DAMAGED)
        buf_printf(out, "# The first bytes that are not UTF-8 are in line %llu. They go through as they are; lengths, capitals and patterns do not see\n"
                        "# letters in them.\n", (unsigned long long)g->damaged_line);
    if (g->first_line > 1)
        buf_printf(out, "# The table begins in line %llu; drop what stands before it:\n"
                        "#   tail -n +%llu %.*s | pipemill run FILE\n",
                   (unsigned long long)g->first_line, (unsigned long long)g->first_line, STR_ARG(path));
    if (g->n_ragged)
        buf_printf(out, "# %llu row%s not %u field%s: line %llu has %u. Such a row is an error; @bad_rows(skip) leaves it out.\n",
                   (unsigned long long)g->n_ragged, g->n_ragged == 1 ? " has" : "s have", g->n_cols, g->n_cols == 1 ? "" : "s",
                   (unsigned long long)g->ragged_line, g->ragged_fields);
    if (g->open_line)
        buf_printf(out, "# The quote that opens in line %llu is never closed: reading fails there. Close it, or double it inside a quoted field.\n",
                   (unsigned long long)g->open_line);
    if (g->header_trouble.len)
        buf_printf(out, "# The first line looks like a header, but %.*s. As it stands it is read as a row; mend the file, or drop that row with `skip 1`.\n",
                   STR_ARG(g->header_trouble));
    uint32_t odd = first_unwritable(g);
    if (odd < g->n_cols)
        buf_printf(out, "# The name of column %u has a line end or a backtick in it: no program can name it, and `...` takes it as it is. To use it, change the name.\n",
                   odd + 1);
}

/* ---- the two forms ---- */

static void column_put(Buf *out, const DialectCol *c)
{
    buf_puts(out, "  ");
    name_put(out, c->col.name);
    buf_printf(out, ": %s,", type_name(c->col.type));
    size_t before = out->len;
    buf_puts(out, "  # ");
    if (c->form == FORM_NULL_WORDS) {
        buf_printf(out, "%s but for ", type_name(c->inner));
        words_put(out, c, "`");
        buf_printf(out, ": made %s below", form_made(c));
    } else if (*form_made(c)) {
        buf_puts(out, "values such as `");
        buf_put_visible(out, c->example);
        buf_printf(out, "`: made %s below", form_made(c));
    } else if (!column_note_put(out, c)) {
        out->ptr[out->len = before] = '\0';
    }
    buf_putc(out, '\n');
}

/* An op that makes values of texts that no type reads. False: there are none. */
static bool typed_put(Buf *out, const DialectGuess *g)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < g->n_cols; c++) {
        if (!*form_made(&g->cols[c]) || !is_writable(g->cols[c].col.name))
            continue;
        buf_puts(out, n++ ? "" : "op typed {\n");
        if (g->cols[c].form == FORM_TIME_EITHER)
            buf_puts(out, "  # If the days and months are the other way round, so is the pattern.\n");
        buf_puts(out, "  derive ");
        name_put(out, g->cols[c].col.name);
        buf_puts(out, " = ");
        remedy_put(out, &g->cols[c]);
        buf_putc(out, '\n');
    }
    buf_puts(out, n ? "}\n\n" : "");
    return n > 0;
}

static void program_put(Buf *out, Str path, const DialectGuess *g)
{
    Buf name = {0};
    schema_name_put(&name, path);
    notes_put(out, path, g);
    buf_printf(out, "schema %s {\n", name.ptr);
    for (uint32_t c = 0; c < g->n_cols; c++)
        if (is_writable(g->cols[c].col.name))
            column_put(out, &g->cols[c]);
    buf_puts(out, first_unwritable(g) < g->n_cols ? "  ...\n}\n\n" : "}\n\n");
    bool has_typed = typed_put(out, g);
    buf_puts(out, "job preview {\n  ");
    read_put(out, path, g);
    buf_printf(out, " as %s%s | take 10 | write csv stdout\n}\n", name.ptr, has_typed ? " | typed" : "");
    buf_deinit(&name);
}

/* As `fmt` writes it. A name that is not UTF-8, which no program is, leaves the text as it is. */
static void formatted_put(Buf *out, Str path, const DialectGuess *g)
{
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    Diags diags;
    Buf text = {0};
    diags_init(&diags);
    program_put(&text, path, g);
    const Ast *ast = parse_file(arena, sources_add(sources, STR_LIT("sniffed"), buf_str(&text)), &diags);
    if (diags.n_errors)
        buf_put_str(out, buf_str(&text));
    else
        fmt_program(out, ast);
    buf_deinit(&text);
    diags_deinit(&diags);
    arena_close(arena);
    sources_close(sources);
}

static void json_put(Buf *out, Str path, const DialectGuess *g)
{
    JsonWriter w;
    Buf text = {0};
    json_init(&w, out, JSON_STYLE_PRETTY);
    json_begin_object(&w);
    json_field_str(&w, "path", path);
    json_field_cstr(&w, "encoding", encoding_name(g->encoding));
    json_field_cstr(&w, "line_end", line_end_names(g));
    json_field_str(&w, "delimiter", (Str){&g->dialect.delimiter, 1});
    json_field_str(&w, "quote", (Str){&g->dialect.quote, 1});
    json_field_bool(&w, "header", g->dialect.has_header);
    json_field_str(&w, "null", g->dialect.null_word);
    json_field_int(&w, "rows", (int64_t)g->n_rows);
    json_field_bool(&w, "is_all", g->is_all);
    json_field_int(&w, "ragged_rows", (int64_t)g->n_ragged);
    json_key(&w, "read");
    read_put(&text, path, g);
    json_put_str(&w, buf_str(&text));
    json_key(&w, "columns");
    json_begin_array(&w);
    for (uint32_t c = 0; c < g->n_cols; c++) {
        json_begin_object(&w);
        json_field_str(&w, "name", g->cols[c].col.name);
        json_field_cstr(&w, "type", type_name(g->cols[c].col.type));
        buf_clear(&text);
        if (column_note_put(&text, &g->cols[c])) {
            json_field_str(&w, "note", buf_str(&text));
        }
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
    buf_deinit(&text);
}

Status mill_sniff(Str path, bool as_json, Buf *out, Error *err)
{
    CsvSample *sample = NULL;
    DialectGuess g;
    if (str_is(path, "-"))
        path = STR_LIT("stdin");
    Status st = sample_open(path, &sample, err);
    if (st != OK)
        return st;
    Arena *a = arena_open();
    st = dialect_guess(sample, a, &g, err);
    if (st != OK) {
        const Error cause = *err;
        error_set(err, st, "`%.*s`: %s", STR_ARG(path), cause.text);
    }
    if (st == OK && g.encoding == TEXT_BINARY)
        st = error_set(err, ERR_DATA, "`%.*s` has NUL bytes: it is no text", STR_ARG(path));
    else if (st == OK && g.is_json)
        st = error_set(err, ERR_DATA, "`%.*s` looks like JSON: `read json \"%.*s\"` reads an object on each line", STR_ARG(path), STR_ARG(path));
    else if (st == OK && g.n_cols == 0)
        st = error_set(err, ERR_DATA, "`%.*s`: the quote that opens in line %llu is never closed, so there are no rows to look at", STR_ARG(path),
                       (unsigned long long)g.open_line);
    else if (st == OK && as_json)
        json_put(out, path, &g);
    else if (st == OK)
        formatted_put(out, path, &g);
    csv_sample_free(sample);
    arena_close(a);
    return st;
}
