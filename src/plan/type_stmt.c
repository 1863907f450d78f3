/* type_stmt.c - the statements of an op: from Stmt to Pop, keeping the table's columns
 * up to date in t->cols. One function per statement; type_body, the entry, is last. */
#include "plan/type.h"

#include <string.h>

#include "base/suggest.h"

const Schema *scope_schema(Arena *a, const ScopeCols *cols)
{
    Schema *s = arena_new(a, Schema);
    s->n_cols = (uint32_t)cols->n;
    s->cols = arena_array(a, SchemaCol, cols->n);
    for (size_t i = 0; i < cols->n; i++)
        s->cols[i] = (SchemaCol){cols->ptr[i].name, cols->ptr[i].type};
    return s;
}

Pop *pop_new(Typer *t, PopList *pops, PopKind kind, Span span)
{
    Pop *p = arena_new(t->arena, Pop);
    p->kind = kind;
    p->span = span;
    vec_push(t->arena, pops, p);
    return p;
}

static int32_t col_index(const Typer *t, Str name)
{
    return scope_find(&t->cols, name);
}

/* The column of that name, or -1 after a diagnostic (none if the table is unknown). */
static int32_t need_col(Typer *t, Ident name)
{
    int32_t c = col_index(t, name.text);
    if (c >= 0 || t->is_unknown)
        return c;
    Expr e = {.kind = EXPR_NAME, .span = name.span, .name = name};
    t->wants_column = true;
    Tx *other = type_expr(t, &e);
    t->wants_column = false;
    if (other->type != TYPE_ERROR) { /* a parameter, param or let: only a column will do */
        Diag *d = diag_add(t->diags, E_UNKNOWN_COLUMN, name.span,
                           "column `%.*s` is not in this table", STR_ARG(name.text));
        diag_note(t->diags, d, "`%.*s` is a constant here, and this wants a column",
                  STR_ARG(name.text));
    }
    return -1;
}

static ScopeCols empty_cols(void)
{
    return (ScopeCols){0};
}

/* ---- sources ---- */

/* A one-byte option such as delimiter. */
static char option_byte(Typer *t, const Stmt *s, OptionKind k, char otherwise)
{
    const Expr *e = stmt_option(s, k);
    Value v;
    if (!e || !type_constant(t, e, TYPE_STRING, "the option", &v) || v.is_null)
        return otherwise;
    if (v.s.len != 1 || v.s.ptr[0] == '\n' || v.s.ptr[0] == '\r') {
        Diag *d = diag_add(t->diags, E_BAD_OPTION, e->span, "`%s` is one byte",
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

static CsvDialect read_dialect(Typer *t, const Stmt *s)
{
    CsvDialect d = CSV_DEFAULT_DIALECT;
    d.format = row_format(s->format);
    d.delimiter = option_byte(t, s, OPTION_READ_CSV_DELIMITER, d.delimiter);
    d.quote = option_byte(t, s, OPTION_READ_CSV_QUOTE, d.quote);
    d.has_header = option_bool(t, s, OPTION_READ_CSV_HEADER, true);
    d.null_word = option_text(t, s, OPTION_READ_CSV_NULL);
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

/* `batch N`, `batch 64kB`, `batch auto`. */
static void type_batch(Typer *t, const Expr *e, Pop *p)
{
    if (!e)
        return;
    p->batch = BATCH_AUTO;
    if (e->kind == EXPR_AUTO)
        return;
    Value v;
    if (!type_constant(t, e, TYPE_ERROR, "the size of a batch", &v))
        return;
    if (v.type == TYPE_INT && !v.is_null && v.i > 0) {
        p->batch = BATCH_ROWS;
    } else if (v.type == TYPE_SIZE && !v.is_null && v.i > 0 && p->kind == POP_READ_CSV) {
        p->batch = BATCH_BYTES;
    } else {
        Diag *d = diag_add(t->diags, E_BAD_BATCH, e->span, "a batch is a number of rows above 0%s",
                 p->kind == POP_READ_CSV ? ", a size such as `64kB`, or `auto`" : "");
        if (v.type == TYPE_STRING && str_is(v.s, "auto") && p->kind == POP_READ_CSV) {
            diag_help(t->diags, d, "write `auto` without quotes");
            diag_fix_certain(t->diags, d, e->span, STR_LIT("auto"));
        }
        return;
    }
    p->batch_n = (uint64_t)v.i;
}

/* The file that shows the columns. */
static Str file_of(const Pop *p)
{
    return p->query.len ? STR_LIT("the query") : p->is_pattern ? p->first : p->path;
}

static void inferred_col(Typer *t, const Pop *p, const CatalogCol *c, Span from)
{
    ScopeCol col = {.name = c->name, .type = c->type, .from = from, .seen = c, .file = file_of(p)};
    vec_push(t->arena, &t->cols, col);
}

/* A schema and a file whose columns are what its header says, or a query, must agree. Members of JSON come and go: a key
 * that the sample lacks is null, one that the schema lacks is left out. */
static void check_schema_of_all(Typer *t, const Stmt *s, const Pop *p, const SchemaDef *def)
{
    const CatalogTable *seen = p->catalog;
    for (uint32_t i = 0; i < def->schema.n_cols && def->col_spans; i++) {
        SchemaCol c = def->schema.cols[i];
        bool there = false;
        for (uint32_t k = 0; k < seen->n_cols; k++)
            there = there || str_eq(seen->cols[k].name, c.name);
        if (there)
            continue;
        Diag *d = diag_add(t->diags, E_SCHEMA_COLUMN, s->schema.span, "%.*s has no column `%.*s`",
                           STR_ARG(file_of(p)), STR_ARG(c.name));
        diag_label(t->diags, d, def->col_spans[i], "declared here");
        Suggest near;
        suggest_init(&near, c.name);
        for (uint32_t k = 0; k < seen->n_cols; k++)
            suggest_offer(&near, seen->cols[k].name);
        if (near.best.len)
            diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(near.best));
    }
    if (def->is_open || seen->n_cols <= def->schema.n_cols || diags_is_torn(t->diags, def->span))
        return;
    for (uint32_t k = 0; k < seen->n_cols; k++) {
        if (schema_find(&def->schema, seen->cols[k].name) >= 0)
            continue;
        Diag *d = diag_add(t->diags, E_SCHEMA_COLUMN, s->schema.span,
                           "%.*s also has the column `%.*s`, which the schema lacks", STR_ARG(file_of(p)),
                           STR_ARG(seen->cols[k].name));
        diag_label(t->diags, d, def->name.span, "the schema");
        diag_help(t->diags, d, "end the schema in `...` to take the rest as it is");
        return;
    }
}

static bool names_many(Str path)
{
    for (uint32_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '*' || path.ptr[i] == '?' || path.ptr[i] == '[')
            return true;
    return false;
}

/* What the file of a constant path, or the first one of a pattern, shows. */
static Status look_at(Typer *t, Pop *p, const CatalogTable **seen, Error *err)
{
    uint64_t n = 0;
    Status st = OK;
    if (p->dialect.format == ROWS_SQLITE && !t->catalog->query)
        return error_set(err, ERR_IO, "nothing is known of databases here");
    if (p->dialect.format == ROWS_SQLITE)
        return t->catalog->query(t->catalog, p->path, p->query, seen, err);
    if (p->is_pattern)
        st = t->catalog->files(t->catalog, p->path, &n, &p->first, err);
    if (st == OK && p->is_pattern && n == 0)
        st = error_set(err, ERR_IO, "no file matches `%.*s`", STR_ARG(p->path));
    return st == OK ? t->catalog->csv(t->catalog, file_of(p), &p->dialect, seen, err) : st;
}

/* The columns of a read from its schema and from what the file shows. */
static void read_columns(Typer *t, const Stmt *s, Pop *p, bool path_is_known)
{
    const SchemaDef *def = s->schema.text.len ? program_schema(t->program, s->schema.text) : NULL;
    t->cols = empty_cols();
    t->is_unknown = false;
    if (s->schema.text.len && !def) {
        t->is_unknown = true; /* an unknown schema: check.c has said so */
        return;
    }
    if (def && diags_is_torn(t->diags, def->span)) {
        t->is_unknown = true; /* it may lack columns */
        return;
    }
    if (!path_is_known) {
        if (!def || def->is_open) {
            Diag *d = diag_add(t->diags, E_NEEDS_SCHEMA, s->path->span,
                               "the columns cannot be known before the run: the path is not "
                               "constant");
            diag_help(t->diags, d, "declare them: `schema name { column: type }` and "
                                   "`as name` after the path");
            t->is_unknown = true;
        }
    }
    const CatalogTable *seen = NULL;
    Error err = {0};
    Status st = OK;
    if (path_is_known && p->path.len)
        st = look_at(t, p, &seen, &err);
    if (st != OK && !(def && !def->is_open && st == ERR_IO)) {
        Diag *d = diag_add(t->diags, st == ERR_IO ? E_NO_FILE : E_BAD_FILE,
                           st == ERR_ROW && s->query ? s->query->span : s->path->span, "%.*s",
                           (int)strcspn(err.text, "\n"), err.text);
        const char *remedy = strchr(err.text, '\n');
        if (remedy)
            diag_help(t->diags, d, "%s", remedy + 1);
        if (st == ERR_DATA && p->dialect.format == ROWS_JSON && err.line)
            diag_note(t->diags, d, "it is line %llu of %.*s", (unsigned long long)err.line, STR_ARG(file_of(p)));
        else if (st == ERR_IO)
            diag_help(t->diags, d, "paths are relative to the folder in which pipemill runs; "
                                   "to check without the file declare its columns: `as schema`");
        t->is_unknown = true;
        return;
    }
    p->catalog = seen;
    p->follows_first = p->is_pattern && (!def || def->is_open);
    if (def) {
        for (uint32_t i = 0; i < def->schema.n_cols; i++) {
            SchemaCol c = def->schema.cols[i];
            ScopeCol col = {.name = c.name, .type = c.type, .from = def->type_spans[i]};
            vec_push(t->arena, &t->cols, col);
        }
        if (seen && p->dialect.format != ROWS_JSON)
            check_schema_of_all(t, s, p, def);
        if (!def->is_open)
            return;
    } else if (seen && seen->n_cols == 0) {
        Diag *d = diag_add(t->diags, E_BAD_FILE, s->path->span, "%.*s has no object, which would show the columns",
                           STR_ARG(file_of(p)));
        diag_help(t->diags, d, "declare them: `schema name { column: type }` and `as name` after the path");
        t->is_unknown = true;
        return;
    }
    if (def && def->is_open && seen) { /* the file's order, declared types */
        ScopeCols declared = t->cols;
        t->cols = empty_cols();
        for (uint32_t k = 0; k < seen->n_cols; k++) {
            int32_t i = schema_find(&def->schema, seen->cols[k].name);
            if (i >= 0)
                vec_push(t->arena, &t->cols, declared.ptr[i]);
            else
                inferred_col(t, p, &seen->cols[k], s->path->span);
        }
        for (size_t i = 0; i < declared.n && p->dialect.format == ROWS_JSON; i++) { /* keys to come */
            bool is_there = false;
            for (uint32_t k = 0; k < seen->n_cols; k++)
                is_there |= str_eq(seen->cols[k].name, declared.ptr[i].name);
            if (!is_there)
                vec_push(t->arena, &t->cols, declared.ptr[i]);
        }
        return;
    }
    for (uint32_t k = 0; seen && k < seen->n_cols; k++)
        inferred_col(t, p, &seen->cols[k], s->path->span);
}

/* Of `read lines`: known without the file. */
static void line_columns(Typer *t, const Stmt *s, Pop *p, bool path_is_known)
{
    const CatalogTable *seen = NULL;
    Error err = {0};
    t->cols = empty_cols();
    t->is_unknown = false;
    vec_push(t->arena, &t->cols,
             ((ScopeCol){.name = STR_LIT("line"), .type = TYPE_STRING, .from = s->span}));
    if (s->schema.text.len) {
        Diag *d = diag_add(t->diags, E_SCHEMA_COLUMN, s->schema.span,
                           "`read lines` has one column, `line: string`, and takes no schema");
        diag_help(t->diags, d, "leave `as %.*s` out", STR_ARG(s->schema.text));
    }
    if (!path_is_known || p->path.len == 0)
        return;
    if (look_at(t, p, &seen, &err) == ERR_IO) {
        Diag *d = diag_add(t->diags, E_NO_FILE, s->path->span, "%s", err.text);
        diag_help(t->diags, d, "paths are relative to the folder in which pipemill runs");
    }
}

static void type_read(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_READ_CSV, s->span);
    p->dialect = read_dialect(t, s);
    bool had_table = t->has_table, path_is_known = false;
    if (s->path->kind == EXPR_NAME && str_is(s->path->name.text, "stdin") &&
        !(t->params && map_get(t->params, STR_LIT("stdin"))) &&
        !program_const(t->program, STR_LIT("stdin"))) {
        p->path = STR_LIT("stdin");
        path_is_known = true;
    } else if (!type_unquoted_path(t, s->path)) {
        t->has_table = had_table && t->cols.n > 0;
        Tx *path = type_expr_as(t, s->path, TYPE_STRING, "a path");
        if (path->kind == TX_CONST && !path->value.is_null) {
            p->path = path->value.s;
            p->is_pattern = t->catalog->files && p->dialect.format != ROWS_SQLITE && names_many(p->path);
            path_is_known = true;
        } else if (path->type != TYPE_ERROR) {
            p->expr = path;
        }
    }
    t->has_table = true;
    bool is_lost = s->path->kind == EXPR_ERROR || (!path_is_known && !p->expr);
    if (p->dialect.format == ROWS_SQLITE)
        is_lost = !type_query(t, s, p) || is_lost || !type_database(t, p->path, s->path->span);
    if (is_lost) {
        t->is_unknown = true;
        t->cols = empty_cols();
    } else if (p->dialect.format == ROWS_LINES) {
        line_columns(t, s, p, path_is_known);
    } else {
        read_columns(t, s, p, path_is_known);
    }
    bool *is_inferred = arena_array(t->arena, bool, t->cols.n);
    for (size_t i = 0; i < t->cols.n; i++)
        is_inferred[i] = t->cols.ptr[i].seen != NULL;
    p->is_inferred = is_inferred;
    type_batch(t, s->batch, p);
}

static void type_range(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_RANGE, s->span);
    Tx *ends[2];
    t->has_table = t->has_table && t->cols.n > 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = type_expr_as(t, s->exprs.ptr[i], TYPE_INT, "an end of a range");
        if (ends[i]->type != TYPE_ERROR && ends[i]->kind != TX_CONST)
            diag_add(t->diags, E_NOT_CONSTANT, s->exprs.ptr[i]->span,
                     "an end of a range is a constant");
    }
    p->expr = ends[0];
    p->expr2 = ends[1];
    t->cols = empty_cols();
    t->has_table = true;
    t->is_unknown = false;
    vec_push(t->arena, &t->cols,
             ((ScopeCol){.name = STR_LIT("value"), .type = TYPE_INT, .from = s->span}));
    type_batch(t, s->batch, p);
}

/* A path that is a pattern; the columns are what the system knows of a file. */
static void type_files(Typer *t, const Stmt *s, PopList *pops)
{
    static const struct {
        const char *name;
        Type type;
    } cols[] = {{"path", TYPE_STRING}, {"size", TYPE_SIZE}, {"modified", TYPE_TIMESTAMP}};
    Pop *p = pop_new(t, pops, POP_FILES, s->span);
    const Expr *e = s->exprs.ptr[0];
    bool had_table = t->has_table;
    t->has_table = had_table && t->cols.n > 0;
    Tx *pattern = type_unquoted_path(t, e) ? tx_error(t->arena, e->span)
                                           : type_expr_as(t, e, TYPE_STRING, "the pattern of `files`");
    if (pattern->type != TYPE_ERROR && pattern->kind != TX_CONST) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, e->span,
                           "the pattern of `files` is a constant");
        diag_help(t->diags, d, "write a string, a `param` or a `let`");
    } else if (pattern->type != TYPE_ERROR) {
        p->path = pattern->value.is_null ? (Str){0} : pattern->value.s;
        uint64_t n = 1;
        Error err = {0};
        if (p->path.len == 0) {
            diag_add(t->diags, E_BAD_OPTION, e->span, "a path cannot be empty");
        } else if (t->catalog->files && t->catalog->files(t->catalog, p->path, &n, NULL, &err) != OK) {
            diag_add(t->diags, E_NO_FILE, e->span, "%s", err.text);
        } else if (n == 0) {
            Diag *d = diag_add(t->diags, W_NO_FILES, e->span, "no file matches `%.*s`",
                               STR_ARG(p->path));
            diag_note(t->diags, d, "it yields no batch, as long as there is none");
        }
    }
    if (s->batch) {
        Diag *d = diag_add(t->diags, E_BAD_BATCH, s->batch->span,
                           "`files` yields a batch for each file");
        diag_help(t->diags, d, "leave `batch` out, or give it to the `read` of the files: "
                               "`map { read csv path as schema batch 100 }`");
    }
    t->cols = empty_cols();
    t->has_table = true;
    t->is_unknown = false;
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++)
        vec_push(t->arena, &t->cols,
                 ((ScopeCol){.name = str_of(cols[i].name), .type = cols[i].type,
                             .from = s->span}));
}

/* ---- columns ---- */

static bool usable_as_column(Typer *t, Tx *value, Ident name)
{
    if (value->type == TYPE_NULL) {
        Diag *d = diag_add(t->diags, E_NO_TYPE, value->span,
                           "`%.*s` would have no type: a bare `null`", STR_ARG(name.text));
        diag_help(t->diags, d, "say which: `string(null)`, `int(null)`, ...");
        return false;
    }
    return value->type != TYPE_ERROR;
}

/* Sets or appends a column; returns its place. */
static uint32_t define(Typer *t, PopList *pops, Ident name, Tx *value, Span span)
{
    usable_as_column(t, value, name);
    int32_t at = col_index(t, name.text);
    ScopeCol c = {.name = name.text,
                  .type = value->type == TYPE_NULL ? TYPE_ERROR : value->type,
                  .from = name.span};
    if (at < 0) {
        at = (int32_t)t->cols.n;
        vec_push(t->arena, &t->cols, c);
    } else {
        t->cols.ptr[at] = c;
    }
    Pop *p = pop_new(t, pops, POP_DEFINE, span);
    p->col = (uint32_t)at;
    p->expr = value;
    p->out = scope_schema(t->arena, &t->cols);
    return (uint32_t)at;
}

static void type_derive(Typer *t, const Stmt *s, PopList *pops)
{
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        if (d->value)
            define(t, pops, d->name, type_expr(t, d->value), d->span);
    }
}

/* Picks columns cols[0..n) under names. */
static void project(Typer *t, PopList *pops, Span span, const uint32_t *cols, const Ident *names,
                    uint32_t n)
{
    ScopeCols out = {0};
    Pop *p = pop_new(t, pops, POP_PROJECT, span);
    p->cols = arena_array(t->arena, uint32_t, n);
    p->n_cols = n;
    for (uint32_t i = 0; i < n; i++) {
        ScopeCol c = t->cols.ptr[cols[i]];
        if (names && names[i].text.len)
            c.name = names[i].text;
        p->cols[i] = cols[i];
        for (size_t k = 0; k < out.n; k++)
            if (str_eq(out.ptr[k].name, c.name)) {
                Span at = span; /* the new name, which may be that of the earlier one */
                if (names && (names[i].span.hi || names[k].span.hi))
                    at = names[i].span.hi ? names[i].span : names[k].span;
                Diag *d = diag_add(t->diags, E_DUPLICATE_COLUMN, at,
                                   "the table would have two columns `%.*s`", STR_ARG(c.name));
                diag_help(t->diags, d, "give one of them another name: `new = %.*s`",
                          STR_ARG(c.name));
            }
        vec_push(t->arena, &out, c);
    }
    t->cols = out;
}

/* select: definitions go first, under names of their own place at the end of the table, so that later
 * ones see earlier ones; then the columns are picked. `*` is every column not named otherwise, and
 * a definition of an existing column stands in that column's place under `*`. */
static void type_select(Typer *t, const Stmt *s, PopList *pops)
{
    uint32_t n_in = (uint32_t)t->cols.n;
    bool has_wildcard = false, ok = true;
    for (size_t i = 0; i < s->defs.n; i++)
        has_wildcard |= s->defs.ptr[i].is_wildcard;
    size_t room = s->defs.n + n_in;
    uint32_t *cols = arena_array(t->arena, uint32_t, room);
    Ident *names = arena_array(t->arena, Ident, room);
    bool *is_named = arena_array(t->arena, bool, n_in + 1);
    uint32_t *def_col = arena_array(t->arena, uint32_t, s->defs.n);
    bool *is_in_place = arena_array(t->arena, bool, s->defs.n);
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        if (d->is_wildcard)
            continue;
        int32_t at = -1;
        if (d->value) {
            at = (int32_t)define(t, pops, d->name, type_expr(t, d->value), d->span);
            is_in_place[i] = has_wildcard && (uint32_t)at < n_in;
        } else {
            at = need_col(t, d->name);
        }
        ok = ok && at >= 0;
        def_col[i] = at >= 0 ? (uint32_t)at : 0;
        if (at >= 0 && (uint32_t)at < n_in && !is_in_place[i])
            is_named[at] = true;
    }
    uint32_t n = 0;
    for (size_t i = 0; ok && i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        if (d->is_wildcard) {
            for (uint32_t c = 0; c < n_in; c++)
                if (!is_named[c]) {
                    names[n].span = d->span;
                    cols[n++] = c;
                }
        } else if (!is_in_place[i]) {
            names[n] = (Ident){t->cols.ptr[def_col[i]].name, d->name.span};
            cols[n++] = def_col[i];
        }
    }
    if (ok) {
        project(t, pops, s->span, cols, names, n);
        return;
    }
    /* Something was unknown: what was named is there, so that it is said once. */
    ScopeCols out = {0};
    for (size_t i = 0; i < s->defs.n; i++) {
        ScopeCol c = {.name = s->defs.ptr[i].name.text, .type = TYPE_ERROR};
        int32_t at = col_index(t, c.name);
        if (!s->defs.ptr[i].is_wildcard)
            vec_push(t->arena, &out, at >= 0 ? t->cols.ptr[at] : c);
    }
    for (uint32_t c = 0; has_wildcard && c < n_in; c++)
        vec_push(t->arena, &out, t->cols.ptr[c]);
    t->cols = out;
}

static void type_drop(Typer *t, const Stmt *s, PopList *pops)
{
    bool *gone = arena_array(t->arena, bool, t->cols.n + 1);
    for (size_t i = 0; i < s->names.n; i++) {
        int32_t at = need_col(t, s->names.ptr[i]);
        if (at >= 0)
            gone[at] = true;
    }
    uint32_t *cols = arena_array(t->arena, uint32_t, t->cols.n), n = 0;
    for (uint32_t c = 0; c < t->cols.n; c++)
        if (!gone[c])
            cols[n++] = c;
    project(t, pops, s->span, cols, NULL, n);
}

static void type_rename(Typer *t, const Stmt *s, PopList *pops)
{
    uint32_t n = (uint32_t)t->cols.n;
    uint32_t *cols = arena_array(t->arena, uint32_t, n);
    Ident *names = arena_array(t->arena, Ident, n);
    for (uint32_t c = 0; c < n; c++)
        cols[c] = c;
    for (size_t i = 0; i < s->renames.n; i++) {
        int32_t at = need_col(t, s->renames.ptr[i].from);
        if (at >= 0)
            names[at] = s->renames.ptr[i].to;
    }
    project(t, pops, s->span, cols, names, n);
}

/* ---- rows ---- */

static void type_explode(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_EXPLODE, s->span);
    int32_t at = need_col(t, s->names.ptr[0]);
    Value v = {.type = TYPE_STRING, .s = STR_LIT(",")};
    Span span = s->exprs.n ? s->exprs.ptr[0]->span : s->span;
    if (s->exprs.n && type_constant(t, s->exprs.ptr[0], TYPE_STRING, "the separator of `explode`", &v) &&
        (v.is_null || v.s.len == 0))
        diag_add(t->diags, E_BAD_OPTION, span, "a separator has at least one byte");
    p->expr = tx_const(t->arena, v, span);
    if (at < 0)
        return;
    p->col = (uint32_t)at;
    ScopeCol *c = &t->cols.ptr[at];
    if (c->type != TYPE_STRING && c->type != TYPE_ERROR) {
        Diag *d = diag_add(t->diags, E_WRONG_TYPE, s->names.ptr[0].span, "`explode` takes strings apart, and `%.*s` is %s",
                           STR_ARG(c->name), type_name(c->type));
        diag_label(t->diags, d, c->from, "it comes from here");
    }
    *c = (ScopeCol){.name = c->name, .type = TYPE_STRING, .from = s->span};
}

static void type_count(Typer *t, const Stmt *s, PopList *pops, PopKind kind, const char *what)
{
    Pop *p = pop_new(t, pops, kind, s->span);
    p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_INT, what);
    if (p->expr->type == TYPE_ERROR)
        return;
    if (p->expr->kind != TX_CONST) {
        Diag *d = diag_add(t->diags, E_NOT_CONSTANT, p->expr->span, "%s is a constant", what);
        diag_help(t->diags, d, "write a number, a `param` or a `let`");
    } else if (p->expr->value.is_null || p->expr->value.i < 0) {
        diag_add(t->diags, E_BAD_COUNT, p->expr->span, "%s is 0 or more", what);
    }
}

static void type_keys(Typer *t, const SortKeyList *keys, Pop *p)
{
    p->n_keys = (uint32_t)keys->n;
    p->keys = arena_array(t->arena, PopKey, keys->n);
    for (size_t i = 0; i < keys->n; i++) {
        Tx *v = type_expr(t, keys->ptr[i].value);
        if (v->kind == TX_CONST && v->type != TYPE_ERROR) {
            Diag *d = diag_add(t->diags, E_CONSTANT_KEY, keys->ptr[i].span,
                               "the key is the same in every row");
            diag_help(t->diags, d, "name a column");
        }
        p->keys[i] = (PopKey){v, keys->ptr[i].is_desc};
    }
}

static void type_split(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_SPLIT, s->span);
    if (s->is_into) {
        p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_INT, "the number of parts");
        if (p->expr->type == TYPE_ERROR)
            return;
        if (p->expr->kind != TX_CONST) {
            Diag *d = diag_add(t->diags, E_NOT_CONSTANT, p->expr->span,
                               "the number of parts is a constant");
            diag_help(t->diags, d, "write a number, a `param` or a `let`");
        } else if (p->expr->value.is_null || p->expr->value.i < 1 ||
                   p->expr->value.i > UINT32_MAX) {
            diag_add(t->diags, E_BAD_COUNT, p->expr->span, "the number of parts is 1 or more");
        }
        return;
    }
    p->keys = arena_array(t->arena, PopKey, s->names.n);
    for (size_t i = 0; i < s->names.n; i++) {
        int32_t at = need_col(t, s->names.ptr[i]);
        if (at >= 0)
            p->keys[p->n_keys++].value =
                tx_column(t->arena, (uint32_t)at, t->cols.ptr[at].type, s->names.ptr[i].span);
    }
}

static void type_distinct(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_DISTINCT, s->span);
    p->keys = arena_array(t->arena, PopKey, s->names.n ? s->names.n : t->cols.n);
    for (size_t i = 0; i < s->names.n; i++) {
        int32_t at = need_col(t, s->names.ptr[i]);
        if (at >= 0)
            p->keys[p->n_keys++].value =
                tx_column(t->arena, (uint32_t)at, t->cols.ptr[at].type, s->names.ptr[i].span);
    }
    for (uint32_t c = 0; s->names.n == 0 && c < t->cols.n; c++)
        p->keys[p->n_keys++].value = tx_column(t->arena, c, t->cols.ptr[c].type, s->span);
}

/* group by, aggregate: GROUP makes keys and aggregates; where a line is more than one aggregate
 * (sum(x) / count()), DEFINE and PROJECT compute it from them. */
static void type_group(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_GROUP, s->span);
    ScopeCols keys = {0};
    p->keys = arena_array(t->arena, PopKey, s->defs.n);
    for (size_t i = 0; i < s->defs.n; i++) {
        const Def *d = &s->defs.ptr[i];
        Tx *v;
        if (d->value) {
            v = type_expr(t, d->value);
            usable_as_column(t, v, d->name);
        } else {
            int32_t at = need_col(t, d->name);
            v = at >= 0 ? tx_column(t->arena, (uint32_t)at, t->cols.ptr[at].type, d->span)
                        : tx_error(t->arena, d->span);
        }
        p->keys[p->n_keys++].value = v;
        ScopeCol c = {.name = d->name.text, .type = v->type, .from = d->name.span};
        vec_push(t->arena, &keys, c);
    }
    AggList aggs = {0};
    uint32_t n = (uint32_t)s->aggs.n;
    Tx **lines = arena_array(t->arena, Tx *, n);
    t->keys = &keys;
    t->aggs = &aggs;
    bool is_plain = true, is_torn = false;
    for (uint32_t i = 0; i < n; i++) {
        const Def *d = &s->aggs.ptr[i];
        size_t before = aggs.n;
        if (!d->value) { /* a line that did not read, and that has been said */
            is_torn = true;
            lines[i] = tx_error(t->arena, d->span);
            continue;
        }
        lines[i] = type_expr(t, d->value);
        usable_as_column(t, lines[i], d->name);
        bool is_one = aggs.n == before + 1 && lines[i]->kind == TX_COLUMN &&
                      lines[i]->col == keys.n + before;
        if (is_one)
            aggs.ptr[before].name = d->name.text;
        else
            is_plain = false;
        for (size_t k = 0; k < keys.n; k++)
            if (str_eq(keys.ptr[k].name, d->name.text) &&
                !(lines[i]->kind == TX_COLUMN && lines[i]->col == k)) {
                Diag *g = diag_add(t->diags, E_DUPLICATE_COLUMN, d->name.span,
                                   "the table would have two columns `%.*s`",
                                   STR_ARG(d->name.text));
                diag_label(t->diags, g, keys.ptr[k].from, "the key of that name");
            }
    }
    t->keys = NULL;
    t->aggs = NULL;
    t->is_unknown |= is_torn;
    p->n_aggs = (uint32_t)aggs.n;
    p->aggs = aggs.ptr;
    t->cols = keys;
    for (size_t i = 0; i < aggs.n; i++) {
        ScopeCol c = {.name = aggs.ptr[i].name, .type = aggs.ptr[i].type, .from = aggs.ptr[i].span};
        vec_push(t->arena, &t->cols, c);
    }
    if (is_plain)
        return;
    p->out = scope_schema(t->arena, &t->cols);
    uint32_t n_keys = (uint32_t)keys.n;
    uint32_t *cols = arena_array(t->arena, uint32_t, n_keys + n);
    Ident *names = arena_array(t->arena, Ident, n_keys + n);
    for (uint32_t k = 0; k < n_keys; k++)
        cols[k] = k;
    for (uint32_t i = 0; i < n; i++) {
        const Def *d = &s->aggs.ptr[i];
        names[n_keys + i] = d->name;
        if (lines[i]->kind == TX_COLUMN) {
            cols[n_keys + i] = lines[i]->col;
            continue;
        }
        Pop *def = pop_new(t, pops, POP_DEFINE, d->span);
        def->col = (uint32_t)t->cols.n;
        def->expr = lines[i];
        cols[n_keys + i] = def->col;
        vec_push(t->arena, &t->cols,
                 ((ScopeCol){.name = d->name.text, .type = lines[i]->type, .from = d->name.span}));
        def->out = scope_schema(t->arena, &t->cols);
    }
    project(t, pops, s->span, cols, names, n_keys + n);
}

/* ---- effects ---- */

static void type_log(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_LOG, s->span);
    Tx *v = type_expr(t, s->exprs.ptr[0]);
    if (v->type != TYPE_ERROR && v->type != TYPE_STRING && v->type != TYPE_NULL) /* anything that prints */
        v = tx_over(t->arena, TX_CONCAT, TYPE_STRING, v->span, &v, 1);
    p->expr = v->type == TYPE_NULL ? tx_convert(t->arena, v, TYPE_STRING) : v;
    p->per_row = v->needs_row;
}

/* The key has `/` where levels meet, and may have any byte: escaped it is a part of one name. */
static void escape_keys(Tx *tx)
{
    tx->is_in_path = tx->kind == TX_CALL && tx->fn == BUILTIN_KEY;
    for (uint32_t i = 0; i < tx->n_args; i++)
        escape_keys(tx->args[i]);
}

/* A path that names nothing in the rows. */
static Tx *type_path(Typer *t, const Expr *e)
{
    if (e->kind == EXPR_NAME && str_is(e->name.text, "stdout") && col_index(t, e->name.text) < 0)
        return tx_const(t->arena, (Value){.type = TYPE_STRING, .s = STR_LIT("stdout")}, e->span);
    if (type_unquoted_path(t, e))
        return tx_error(t->arena, e->span);
    Tx *path = type_expr_as(t, e, TYPE_STRING, "a path");
    if (path->needs_row) {
        Diag *d = diag_add(t->diags, E_PATH_PER_ROW, e->span,
                           "a path cannot depend on the row");
        diag_help(t->diags, d, "`{key()}` is the batch's key: a file per batch");
        return tx_error(t->arena, e->span);
    }
    if (path->kind == TX_CONST && (path->value.is_null || path->value.s.len == 0))
        diag_add(t->diags, E_BAD_OPTION, e->span, "a path cannot be empty");
    escape_keys(path);
    if (path->kind == TX_CONST && str_is(path->value.s, "-")) /* one name, to see two writers */
        path->value.s = STR_LIT("stdout");
    return path;
}

/* A text under a name that says it is packed is one that nobody can unpack. */
static void check_packing(Typer *t, const Tx *path, Span span)
{
    static const char *const others[] = {".bz2", ".xz", ".zip", ".7z", ".lz4", ".lzma", ".Z", ".br"};
    const Tx *end = path->kind == TX_CONCAT && path->n_args ? path->args[path->n_args - 1] : path;
    if (end->kind != TX_CONST || end->type != TYPE_STRING || end->value.is_null)
        return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!str_ends(end->value.s, str_of(others[i])))
            continue;
        Diag *d = diag_add(t->diags, E_BAD_OPTION, span, "a file is not packed as `%s`, and would be plain text under that name",
                           others[i]);
        diag_help(t->diags, d, "end the path in `.gz` or `.zst`, or leave `%s` out", others[i]);
    }
}

Tx *type_rejects(Typer *t, const Expr *e)
{
    Tx *path = type_path(t, e);
    check_packing(t, path, e->span);
    if (path->kind == TX_CONST && !path->value.is_null && str_is(path->value.s, "stdout")) {
        Diag *d = diag_add(t->diags, E_BAD_ANNOTATION, e->span,
                           "rejected rows go to a file of their own, not to stdout");
        diag_help(t->diags, d, "for example `rejects: \"bad.csv\"`");
        return tx_error(t->arena, e->span);
    }
    return path;
}

static void type_write(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_WRITE_CSV, s->span);
    p->expr = type_path(t, s->path);
    p->dialect = CSV_DEFAULT_DIALECT;
    p->dialect.format = row_format(s->format);
    p->dialect.delimiter = option_byte(t, s, OPTION_WRITE_CSV_DELIMITER, ',');
    p->dialect.quote = option_byte(t, s, OPTION_WRITE_CSV_QUOTE, '"');
    p->dialect.has_header = option_bool(t, s, OPTION_WRITE_CSV_HEADER, true);
    p->dialect.null_word = option_text(t, s, OPTION_WRITE_CSV_NULL);
    check_dialect(t, s, &p->dialect);
    if (p->dialect.format == ROWS_SQLITE)
        type_write_table(t, s, p);
    else
        check_packing(t, p->expr, s->path->span);
    if (p->dialect.format == ROWS_LINES && !t->is_unknown &&
        (t->cols.n != 1 || t->cols.ptr[0].type != TYPE_STRING)) {
        Diag *d;
        if (t->cols.n == 1)
            d = diag_add(t->diags, E_WRONG_TYPE, s->span, "`write lines` wants a string, and `%.*s` is %s",
                         STR_ARG(t->cols.ptr[0].name), type_name(t->cols.ptr[0].type));
        else
            d = diag_add(t->diags, E_WRONG_TYPE, s->span,
                         "`write lines` wants one column, a string, and this table has %zu columns", t->cols.n);
        diag_help(t->diags, d, "make the line first, for example `select line = \"{%.*s}\"`",
                  STR_ARG(t->cols.n ? t->cols.ptr[0].name : STR_LIT("a")));
    }
}

static void type_statement(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p;
    if (!stmt_is_available(s)) {
        t->is_unknown = true; /* said; what comes out is not known */
        t->cols = empty_cols();
        return;
    }
    switch (s->kind) {
    case STMT_READ:
        type_read(t, s, pops);
        break;
    case STMT_RANGE:
        type_range(t, s, pops);
        break;
    case STMT_FILES:
        type_files(t, s, pops);
        break;
    case STMT_SPLIT:
        type_split(t, s, pops);
        break;
    case STMT_WHERE:
        p = pop_new(t, pops, POP_FILTER, s->span);
        p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_BOOL, "the condition of `where`");
        break;
    case STMT_SELECT:
        type_select(t, s, pops);
        break;
    case STMT_DROP:
        type_drop(t, s, pops);
        break;
    case STMT_RENAME:
        type_rename(t, s, pops);
        break;
    case STMT_DERIVE:
        type_derive(t, s, pops);
        break;
    case STMT_EXPLODE:
        type_explode(t, s, pops);
        break;
    case STMT_EXEC:
        type_exec(t, s, pops);
        break;
    case STMT_SORT:
        type_keys(t, &s->keys, pop_new(t, pops, POP_SORT, s->span));
        break;
    case STMT_TAKE:
        type_count(t, s, pops, POP_TAKE, "the number of rows");
        break;
    case STMT_SKIP:
        type_count(t, s, pops, POP_SKIP, "the number of rows");
        break;
    case STMT_TOP:
        type_count(t, s, pops, POP_TOP, "the number of rows");
        type_keys(t, &s->keys, pops->ptr[pops->n - 1]);
        break;
    case STMT_DISTINCT:
        type_distinct(t, s, pops);
        break;
    case STMT_GROUP:
    case STMT_AGGREGATE:
        type_group(t, s, pops);
        break;
    case STMT_JOIN:
        type_join(t, s, pops);
        break;
    case STMT_UNION:
        type_union(t, s, pops);
        break;
    case STMT_LOG:
        type_log(t, s, pops);
        break;
    case STMT_ASSERT:
        p = pop_new(t, pops, POP_ASSERT, s->span);
        p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_BOOL, "the condition of `assert`");
        p->expr2 = type_expr_as(t, s->exprs.ptr[1], TYPE_STRING, "the message");
        break;
    case STMT_FAIL:
        p = pop_new(t, pops, POP_FAIL, s->span);
        p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_STRING, "the message");
        p->is_permanent = s->is_permanent;
        break;
    case STMT_SLEEP:
        p = pop_new(t, pops, POP_SLEEP, s->span);
        p->expr = type_expr_as(t, s->exprs.ptr[0], TYPE_DURATION, "how long to sleep");
        if (p->expr->needs_row) {
            Diag *d = diag_add(t->diags, E_NOT_CONSTANT, p->expr->span,
                               "`sleep` waits once per instance, not per row");
            diag_help(t->diags, d, "give it a duration such as `1s`, or a `param`");
        }
        break;
    case STMT_WRITE:
        type_write(t, s, pops);
        break;
    case STMT_ERROR:
    case N_STMTS: /* none of these is available */
        t->is_unknown = true;
        t->cols = empty_cols();
        break;
    }
    for (size_t i = 0; i < pops->n; i++)
        if (!pops->ptr[i]->out)
            pops->ptr[i]->out = scope_schema(t->arena, &t->cols);
}

void type_body(Typer *t, const StmtList *body, PopList *pops)
{
    for (size_t i = 0; i < body->n; i++)
        type_statement(t, body->ptr[i], pops);
}
