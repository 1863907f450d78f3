/* type_read.c - `read`: its path, and the columns, from a schema, from what the file shows, or from both. */
#include "plan/type_stmt_int.h"

#include <errno.h>
#include <string.h>

#include "base/suggest.h"

/* The file that shows the columns. */
static Str file_of(const Pop *p)
{
    return p->query.len ? STR_LIT("the query") : p->is_pattern ? p->first : p->path;
}

/* ---- a schema and a file ---- */

static bool has_col(const CatalogTable *seen, Str name)
{
    for (uint32_t k = 0; k < seen->n_cols; k++)
        if (str_eq(seen->cols[k].name, name))
            return true;
    return false;
}

/* Column i of the schema is not in the file. */
static void lacks_col(Typer *t, const Stmt *s, const Pop *p, const SchemaDef *def, uint32_t i)
{
    Str name = def->schema.cols[i].name;
    Diag *d = diag_add(t->diags, E_SCHEMA_COLUMN, s->schema.span, "%.*s has no column `%.*s`",
                       STR_ARG(file_of(p)), STR_ARG(name));
    diag_label(t->diags, d, def->col_spans[i], "declared here");
    Suggest near;
    suggest_init(&near, name);
    for (uint32_t k = 0; k < p->catalog->n_cols; k++)
        suggest_offer(&near, p->catalog->cols[k].name);
    if (near.best.len)
        diag_help(t->diags, d, "did you mean `%.*s`?", STR_ARG(near.best));
}

/* A schema and a file whose columns are what its header says, or a query, must agree. Members of JSON come and go: a key
 * that the sample lacks is null, one that the schema lacks is left out. */
static void check_schema_of_all(Typer *t, const Stmt *s, const Pop *p, const SchemaDef *def)
{
    const CatalogTable *seen = p->catalog;
    for (uint32_t i = 0; i < def->schema.n_cols && def->col_spans; i++)
        if (!has_col(seen, def->schema.cols[i].name))
            lacks_col(t, s, p, def, i);
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

static void inferred_col(Typer *t, const Pop *p, const CatalogCol *c, Span from)
{
    ScopeCol col = {.name = c->name, .type = c->type, .from = from, .seen = c, .file = file_of(p)};
    vec_push(t->arena, &t->cols, col);
}

static void declared_cols(Typer *t, const SchemaDef *def, ScopeCols *out)
{
    for (uint32_t i = 0; i < def->schema.n_cols; i++) {
        SchemaCol c = def->schema.cols[i];
        ScopeCol col = {.name = c.name, .type = c.type, .from = def->type_spans[i]};
        vec_push(t->arena, out, col);
    }
}

/* An open schema over a file that is there: the file's order, declared types. */
static void merge_cols(Typer *t, const Stmt *s, const Pop *p, const SchemaDef *def, const ScopeCols *declared)
{
    const CatalogTable *seen = p->catalog;
    for (uint32_t k = 0; k < seen->n_cols; k++) {
        int32_t i = schema_find(&def->schema, seen->cols[k].name);
        if (i >= 0)
            vec_push(t->arena, &t->cols, declared->ptr[i]);
        else
            inferred_col(t, p, &seen->cols[k], s->path->span);
    }
    for (size_t i = 0; i < declared->n && p->dialect.format == ROWS_JSON; i++) /* keys to come */
        if (!has_col(seen, declared->ptr[i].name))
            vec_push(t->arena, &t->cols, declared->ptr[i]);
}

/* By a schema; the file, if it is known, agrees with it. */
static void schema_columns(Typer *t, const Stmt *s, const Pop *p, const SchemaDef *def)
{
    ScopeCols declared = {0};
    declared_cols(t, def, &declared);
    if (p->catalog && p->dialect.format != ROWS_JSON)
        check_schema_of_all(t, s, p, def);
    if (def->is_open && p->catalog)
        merge_cols(t, s, p, def, &declared);
    else
        t->cols = declared;
}

/* By what the file shows; nothing, if it is not known. */
static void shown_columns(Typer *t, const Stmt *s, const Pop *p)
{
    const CatalogTable *seen = p->catalog;
    if (seen && seen->n_cols == 0) {
        Diag *d = diag_add(t->diags, E_BAD_FILE, s->path->span, "%.*s has no object, which would show the columns",
                           STR_ARG(file_of(p)));
        diag_help(t->diags, d, "declare them: `schema name { column: type }` and `as name` after the path");
        t->is_unknown = true;
    }
    for (uint32_t k = 0; seen && k < seen->n_cols; k++)
        inferred_col(t, p, &seen->cols[k], s->path->span);
}

/* ---- the file ---- */

/* Where the schema does not say all. */
static void needs_schema(Typer *t, const Stmt *s)
{
    Diag *d = diag_add(t->diags, E_NEEDS_SCHEMA, s->path->span,
                       "the columns cannot be known before the run: the path is not constant");
    diag_help(t->diags, d, "declare them: `schema name { column: type }` and `as name` after the path");
    t->is_unknown = true;
}

/* The job of the program with a `write` to the very path; NULL: none. */
static const JobDef *writer_of(const Typer *t, Str path)
{
    for (size_t j = 0; j < t->program->jobs.n; j++) {
        const JobDef *job = t->program->jobs.ptr[j];
        for (uint32_t f = 0; f < job->n_flows; f++)
            for (uint32_t i = 0; i < job->flows[f].n_stages; i++) {
                const OpDef *op = job->flows[f].stages[i].op;
                for (size_t k = 0; op && k < op->op->body.n; k++) {
                    const Stmt *s = op->op->body.ptr[k];
                    if (s->kind == STMT_WRITE && s->path->kind == EXPR_LITERAL && s->path->lit.type == TYPE_STRING &&
                        str_eq(s->path->lit.s, path))
                        return job;
                }
            }
    }
    return NULL;
}

/* What to do where the system gives no input. */
static void help_with_input(Typer *t, Diag *d, const Pop *p, const Error *err)
{
    static const char *const words[] = {[ROWS_CSV] = "csv", [ROWS_JSON] = "json", [ROWS_LINES] = "lines", [ROWS_SQLITE] = "sqlite"};
    static const char *const endings[] = {[ROWS_CSV] = "csv", [ROWS_JSON] = "jsonl", [ROWS_LINES] = "txt", [ROWS_SQLITE] = ""};
    RowFormat f = p->dialect.format;
    const char *without = f == ROWS_LINES ? "" : "; to check without the file declare its columns: `as schema`";
    const JobDef *writer = writer_of(t, p->path);
    if (str_is(p->path, "stdin") || str_is(p->path, "-")) { /* in no folder: the shell gives it */
        diag_help(t->diags, d, "give it a file or a pipe: `pipemill run ... < FILE`, `... | pipemill run ...`");
    } else if (writer) {
        diag_help(t->diags, d, "job `%.*s` writes it: run that first%s", STR_ARG(writer->name.text), without);
    } else if (f != ROWS_SQLITE && strstr(err->text, strerror(EISDIR))) {
        diag_help(t->diags, d, "its files are read by a pattern: `read %s \"%.*s/*.%s\"`", words[f], STR_ARG(p->path), endings[f]);
    } else {
        diag_help(t->diags, d, "paths are relative to the folder in which pipemill runs%s", without);
    }
}

static void unreadable(Typer *t, const Stmt *s, const Pop *p, Status st, const Error *err)
{
    Diag *d = diag_add(t->diags, st == ERR_IO ? E_NO_FILE : E_BAD_FILE,
                       st == ERR_ROW && s->query ? s->query->span : s->path->span, "%.*s",
                       (int)strcspn(err->text, "\n"), err->text);
    const char *remedy = strchr(err->text, '\n');
    if (remedy)
        diag_help(t->diags, d, "%s", remedy + 1);
    if (st == ERR_DATA && p->dialect.format == ROWS_JSON && err->line)
        diag_note(t->diags, d, "it is line %llu of %.*s", (unsigned long long)err->line, STR_ARG(file_of(p)));
    else if (p->is_pattern && p->first.len)
        diag_note(t->diags, d, "it is `%.*s`, the first file of the pattern", STR_ARG(p->first));
    if (st == ERR_IO)
        help_with_input(t, d, p, err);
    t->is_unknown = true;
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
    t->cols = (ScopeCols){0};
    /* An unknown schema, of which check.c has said so; or one that may lack columns. */
    t->is_unknown = (s->schema.text.len && !def) || (def && diags_is_torn(t->diags, def->span));
    if (t->is_unknown)
        return;
    bool is_closed = def && !def->is_open;
    if (!path_is_known && !is_closed)
        needs_schema(t, s);
    const CatalogTable *seen = NULL;
    Error err = {0};
    Status st = path_is_known ? look_at(t, p, &seen, &err) : OK;
    if (st != OK && !(is_closed && st == ERR_IO)) {
        unreadable(t, s, p, st, &err);
        return;
    }
    p->catalog = seen;
    p->follows_first = p->is_pattern && !is_closed;
    if (def)
        schema_columns(t, s, p, def);
    else
        shown_columns(t, s, p);
}

/* Of `read lines`: known without the file. */
static void line_columns(Typer *t, const Stmt *s, Pop *p, bool path_is_known)
{
    const CatalogTable *seen = NULL;
    Error err = {0};
    t->cols = (ScopeCols){0};
    t->is_unknown = false;
    vec_push(t->arena, &t->cols,
             ((ScopeCol){.name = STR_LIT("line"), .type = TYPE_STRING, .from = s->span}));
    if (s->schema.text.len) {
        Diag *d = diag_add(t->diags, E_SCHEMA_COLUMN, s->schema.span,
                           "`read lines` has one column, `line: string`, and takes no schema");
        diag_help(t->diags, d, "leave `as %.*s` out", STR_ARG(s->schema.text));
    }
    if (!path_is_known)
        return;
    if (look_at(t, p, &seen, &err) == ERR_IO) {
        Diag *d = diag_add(t->diags, E_NO_FILE, s->path->span, "%s", err.text);
        help_with_input(t, d, p, &err);
    }
}

/* ---- the path ---- */

static bool is_stdin(const Typer *t, const Expr *path)
{
    return path->kind == EXPR_NAME && str_is(path->name.text, "stdin") &&
           !(t->params && map_get(t->params, STR_LIT("stdin"))) &&
           !program_const(t->program, STR_LIT("stdin"));
}

static bool names_many(Str path)
{
    for (uint32_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '*' || path.ptr[i] == '?' || path.ptr[i] == '[')
            return true;
    return false;
}

/* Sets p->path, or p->expr if it is made of what is piped in. Is the path known before the run? */
static bool read_path(Typer *t, const Stmt *s, Pop *p)
{
    if (is_stdin(t, s->path)) {
        p->path = STR_LIT("stdin");
        return true;
    }
    if (type_unquoted_path(t, s->path))
        return false;
    t->has_table = t->has_table && t->cols.n > 0;
    Tx *path = type_expr_as(t, s->path, TYPE_STRING, "a path");
    if (path->kind == TX_CONST && (path->value.is_null || path->value.s.len == 0)) {
        diag_add(t->diags, E_BAD_OPTION, s->path->span, "a path cannot be empty");
        return false;
    }
    if (path->kind == TX_CONST) {
        p->path = path->value.s;
        p->is_pattern = t->catalog->files && p->dialect.format != ROWS_SQLITE && names_many(p->path);
        return true;
    }
    if (path->type != TYPE_ERROR)
        p->expr = path;
    return false;
}

/* Its columns stay unknown: a step of them could not run. */
static void too_wide(Typer *t, const Stmt *s, const Pop *p)
{
    Diag *d = diag_add(t->diags, E_BAD_FILE, s->path->span, "%.*s has %zu columns; a table has at most %d", STR_ARG(file_of(p)), t->cols.n,
                       MAX_COLUMNS);
    if (p->dialect.format == ROWS_CSV)
        diag_help(t->diags, d, "cut out the ones that are needed first, such as `cut -d, -f1,7 in.csv | pipemill run ...` with `read csv stdin`; "
                               "a delimiter that is not the file's may be why, too: `pipemill sniff` shows it");
    else if (p->dialect.format == ROWS_JSON)
        diag_help(t->diags, d, "name the ones that are needed in a schema, and `as` it: other keys are left out");
    t->is_unknown = true;
    t->cols = (ScopeCols){0};
}

void type_read(Typer *t, const Stmt *s, PopList *pops)
{
    Pop *p = pop_new(t, pops, POP_READ_CSV, s->span);
    p->dialect = type_read_dialect(t, s);
    bool path_is_known = read_path(t, s, p);
    t->has_table = true;
    bool is_lost = s->path->kind == EXPR_ERROR || (!path_is_known && !p->expr);
    if (p->dialect.format == ROWS_SQLITE)
        is_lost = !type_query(t, s, p) || is_lost || !type_database(t, p->path, s->path->span);
    if (is_lost) {
        t->is_unknown = true;
        t->cols = (ScopeCols){0};
    } else if (p->dialect.format == ROWS_LINES) {
        line_columns(t, s, p, path_is_known);
    } else {
        read_columns(t, s, p, path_is_known);
    }
    if (t->cols.n > MAX_COLUMNS) {
        too_wide(t, s, p);
        return;
    }
    bool *is_inferred = arena_array(t->arena, bool, t->cols.n);
    for (size_t i = 0; i < t->cols.n; i++) {
        is_inferred[i] = t->cols.ptr[i].seen != NULL;
        t->cols.ptr[i].has_null_word = p->dialect.null_word.len > 0;
    }
    p->is_inferred = is_inferred;
    type_batch(t, s->batch, p);
}
