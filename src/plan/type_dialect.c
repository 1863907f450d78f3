/* type_dialect.c - how rows stand in a file: the format and the options of `read` and `write`. */
#include "plan/type_stmt_int.h"

static RowFormat row_format(Format f)
{
    switch (f) {
    case FORMAT_CSV: return ROWS_CSV;
    case FORMAT_JSON: return ROWS_JSON;
    case FORMAT_LINES: return ROWS_LINES;
    case FORMAT_SQLITE: return ROWS_SQLITE;
    }
    return ROWS_CSV;
}

/* A one-byte option such as delimiter. */
static char option_byte(Typer *t, const Stmt *s, OptionKind k, char otherwise)
{
    const Expr *e = stmt_option(s, k);
    Value v;
    if (!e || !type_constant(t, e, TYPE_STRING, "the option", &v) || v.is_null)
        return otherwise;
    if (v.s.len != 1 || v.s.ptr[0] == '\n' || v.s.ptr[0] == '\r' || v.s.ptr[0] == '\0') {
        Diag *d = diag_add(t->diags, E_BAD_OPTION, e->span, "`%s` is one byte, and neither a line end nor NUL",
                           option_info(k)->name);
        diag_help(t->diags, d, "for example `\"%s\"`; a tab is `\"\\t\"`",
                  k == OPTION_READ_CSV_QUOTE || k == OPTION_WRITE_CSV_QUOTE ? "'" : ";");
        return otherwise;
    }
    return v.s.ptr[0];
}

static bool option_bool(Typer *t, const Stmt *s, OptionKind k, bool otherwise)
{
    const Expr *e = stmt_option(s, k);
    Value v;
    return e && type_constant(t, e, TYPE_BOOL, "the option", &v) && !v.is_null ? v.i != 0
                                                                              : otherwise;
}

static Str option_text(Typer *t, const Stmt *s, OptionKind k)
{
    const Expr *e = stmt_option(s, k);
    Value v;
    if (!e || !type_constant(t, e, TYPE_STRING, "the option", &v) || v.is_null)
        return (Str){0};
    return v.s;
}

static void check_dialect(Typer *t, const Stmt *s, const CsvDialect *d)
{
    if (d->delimiter == d->quote)
        diag_add(t->diags, E_BAD_OPTION, s->span, "delimiter and quote are the same byte");
}

/* `encoding: "latin1"`. */
static TextCoding option_coding(Typer *t, const Stmt *s, OptionKind k)
{
    TextCoding coding = CODING_UTF8;
    Str name = option_text(t, s, k), nearest;
    if (name.len == 0 || text_coding_named(name, &coding, &nearest))
        return coding;
    const Expr *e = stmt_option(s, k);
    Diag *d = diag_add(t->diags, E_BAD_OPTION, e->span, "there is no encoding `%.*s` here", STR_ARG(name));
    if (nearest.len) {
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(nearest));
        diag_fix(t->diags, d, e->span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(nearest)));
        return coding;
    }
    diag_help(t->diags, d, "what is read is %s; convert others on the way: "
                           "`iconv -f %.*s -t UTF-8 FILE | pipemill run ...` with `read ... stdin`",
              text_coding_names(), STR_ARG(name));
    return coding;
}

CsvDialect type_read_dialect(Typer *t, const Stmt *s)
{
    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.format = row_format(s->format);
    d.delimiter = option_byte(t, s, OPTION_READ_CSV_DELIMITER, d.delimiter);
    d.quote = option_byte(t, s, OPTION_READ_CSV_QUOTE, d.quote);
    d.has_header = option_bool(t, s, OPTION_READ_CSV_HEADER, true);
    d.null_word = option_text(t, s, OPTION_READ_CSV_NULL);
    d.coding = option_coding(t, s, s->format == FORMAT_JSON    ? OPTION_READ_JSON_ENCODING
                                   : s->format == FORMAT_LINES ? OPTION_READ_LINES_ENCODING
                                                               : OPTION_READ_CSV_ENCODING);
    Str engine = option_text(t, s, OPTION_READ_CSV_ENGINE);
    d.use_libcsv = str_is(engine, "libcsv");
    if (engine.len && !d.use_libcsv && !str_is(engine, "native")) {
        Diag *g = diag_add(t->diags, E_BAD_OPTION,
                           stmt_option(s, OPTION_READ_CSV_ENGINE)->span,
                           "there is no engine `%.*s`", STR_ARG(engine));
        diag_help(t->diags, g, "write \"native\" (the default) or \"libcsv\"");
    }
    check_dialect(t, s, &d);
    return d;
}

CsvDialect type_write_dialect(Typer *t, const Stmt *s)
{
    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.format = row_format(s->format);
    d.delimiter = option_byte(t, s, OPTION_WRITE_CSV_DELIMITER, d.delimiter);
    d.quote = option_byte(t, s, OPTION_WRITE_CSV_QUOTE, d.quote);
    d.has_header = option_bool(t, s, OPTION_WRITE_CSV_HEADER, true);
    d.null_word = option_text(t, s, OPTION_WRITE_CSV_NULL);
    check_dialect(t, s, &d);
    return d;
}
