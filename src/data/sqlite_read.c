#include "data/sqlite_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "data/csv_cell.h"
#include "data/sqlite_db.h"

#define STEPS_PER_CHECK 100000 /* instructions of SQLite's machine: about a millisecond */
#define FIRST_ROOM 1024        /* rows */

struct QuerySource {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    char *path;
    CsvInput *input;      /* for messages */
    const Schema *schema;
    const bool *needed;
    uint32_t *map;        /* [schema->n_cols] column of the result */
    uint64_t row;         /* rows read */
    bool is_done;
    QueryStop stop;       /* of the call that runs */
    Status stopped;
    Error *err;
};

/* --- the statement ----------------------------------------------------------------------- */

static Status wrong_query(Error *err, const char *why)
{
    return error_set(err, ERR_ROW, "%s", why);
}

static Status names_check(sqlite3_stmt *s, Error *err)
{
    Arena *a = arena_open();
    Map seen;
    Status st = OK;
    map_init(&seen, a);
    for (int i = 0; i < sqlite3_column_count(s) && st == OK; i++) {
        Str name = str_of(sqlite3_column_name(s, i));
        char shown[80];
        text_visible(name, shown, sizeof shown);
        if (name.len == 0)
            st = error_set(err, ERR_ROW, "column %d of the query has no name: give it one, `SELECT ... AS name`", i + 1);
        else if (map_get(&seen, name))
            st = error_set(err, ERR_ROW, "the query gives two columns `%s`: give one of them another name, `SELECT ... AS name`",
                           shown);
        map_put(&seen, name, s);
    }
    arena_close(a);
    return st;
}

static bool is_blank(const char *sql)
{
    return sql[strspn(sql, " \t\r\n;")] == '\0';
}

static Status prepare(sqlite3 *db, Str path, Str sql, sqlite3_stmt **out, Error *err)
{
    const char *tail = "";
    char *z = xstrndup(sql.ptr, sql.len);
    sqlite3_stmt *s = NULL, *next = NULL;
    Status st = OK;
    int rc = sqlite3_prepare_v2(db, z, -1, &s, &tail);
    if (rc == SQLITE_ERROR) {
        char said[500];
        text_visible(str_of(sqlite3_errmsg(db)), said, sizeof said);
        st = error_set(err, ERR_ROW, "the query fails: %s", said);
    } else if (rc != SQLITE_OK) {
        st = db_error(db, "read", path, rc, err);
    } else if (!s) {
        st = wrong_query(err, "the query is empty");
    } else if (!is_blank(tail) && (sqlite3_prepare_v2(db, tail, -1, &next, NULL) != SQLITE_OK || next)) {
        st = wrong_query(err, "the query is more than one statement");
    } else if (!sqlite3_stmt_readonly(s)) {
        st = wrong_query(err, "the query changes the database, and `read` only reads: `write sqlite` writes tables");
    } else if (sqlite3_column_count(s) == 0) {
        st = wrong_query(err, "the query gives no columns: it is a SELECT that is wanted");
    } else if (sqlite3_bind_parameter_count(s)) {
        st = wrong_query(err, "the query has a parameter (`?`, `:name`): put a `param` of the program into the text, "
                              "`\"... where n > {least}\"`");
    } else {
        st = names_check(s, err);
    }
    sqlite3_finalize(next);
    free(z);
    if (st != OK) {
        sqlite3_finalize(s);
        s = NULL;
    }
    *out = s;
    return st;
}

/* --- types ------------------------------------------------------------------------------- */

static bool has_word(const char *decl, const char *word)
{
    size_t n = strlen(word);
    for (; *decl; decl++)
        if (sqlite3_strnicmp(decl, word, (int)n) == 0)
            return true;
    return false;
}

/* TYPE_ERROR: it says nothing of the kind. */
static Type declared_type(const char *decl)
{
    if (!decl)
        return TYPE_ERROR;
    if (sqlite3_stricmp(decl, "DATE") == 0)
        return TYPE_DATE;
    if (sqlite3_stricmp(decl, "DURATION") == 0)
        return TYPE_DURATION;
    if (sqlite3_stricmp(decl, "SIZE") == 0)
        return TYPE_SIZE;
    return has_word(decl, "DATETIME") || has_word(decl, "TIMESTAMP") ? TYPE_TIMESTAMP
           : has_word(decl, "BOOL")                                  ? TYPE_BOOL
           : has_word(decl, "INT")                                   ? TYPE_INT
           : has_word(decl, "CHAR") || has_word(decl, "CLOB") || has_word(decl, "TEXT") ? TYPE_STRING
           : has_word(decl, "REAL") || has_word(decl, "FLOA") || has_word(decl, "DOUB") ? TYPE_FLOAT
                                                                                        : TYPE_ERROR;
}

static Str text_of(sqlite3_stmt *s, int col)
{
    const void *p = sqlite3_column_blob(s, col); /* of a number: as text, without a copy to UTF-16 and back */
    int n = sqlite3_column_bytes(s, col);
    return p && n > 0 ? (Str){p, (uint32_t)n} : (Str){"", 0};
}

/* The value of the column in this row, which is not null, as one of the type; a string borrows until the next
 * step. False: it is none. */
static bool value_of(sqlite3_stmt *s, int col, Type t, Value *out)
{
    int kind = sqlite3_column_type(s, col);
    *out = (Value){.type = t};
    if (t == TYPE_STRING) {
        if (kind == SQLITE_FLOAT)
            return false; /* printed in our way: number_text */
        out->s = text_of(s, col);
        return true;
    }
    if (kind == SQLITE_INTEGER) {
        int64_t i = sqlite3_column_int64(s, col);
        if (t == TYPE_FLOAT)
            out->f = (double)i;
        else
            out->i = i;
        return t == TYPE_INT || t == TYPE_FLOAT || t == TYPE_SIZE || (t == TYPE_BOOL && (i == 0 || i == 1));
    }
    if (kind == SQLITE_FLOAT) {
        out->f = sqlite3_column_double(s, col);
        return t == TYPE_FLOAT;
    }
    return kind == SQLITE_TEXT && value_parse(t, text_of(s, col), out, NULL);
}

/* What the first rows show of a column. */
typedef struct Seen {
    Type declared;
    uint64_t n, n_int, n_float, n_date, n_time;
    bool is_as_declared;
} Seen;

static void seen_add(Seen *c, sqlite3_stmt *s, int col)
{
    Value v;
    int kind = sqlite3_column_type(s, col);
    if (kind == SQLITE_NULL)
        return;
    c->n++;
    c->n_int += kind == SQLITE_INTEGER;
    c->n_float += kind == SQLITE_FLOAT;
    c->n_date += kind == SQLITE_TEXT && value_of(s, col, TYPE_DATE, &v);
    c->n_time += kind == SQLITE_TEXT && value_of(s, col, TYPE_TIMESTAMP, &v);
    c->is_as_declared = c->is_as_declared && (c->declared == TYPE_STRING || value_of(s, col, c->declared, &v));
}

static Type seen_type(const Seen *c)
{
    if (c->declared != TYPE_ERROR && c->is_as_declared)
        return c->declared;
    return c->n == 0                       ? TYPE_STRING
           : c->n_int == c->n              ? TYPE_INT
           : c->n_int + c->n_float == c->n ? TYPE_FLOAT
           : c->n_date == c->n             ? TYPE_DATE
           : c->n_time == c->n             ? TYPE_TIMESTAMP
                                           : TYPE_STRING;
}

static Status sniff(sqlite3 *db, sqlite3_stmt *s, Str path, Arena *a, CatalogTable *out, Error *err)
{
    uint32_t n = (uint32_t)sqlite3_column_count(s);
    CatalogCol *cols = arena_array(a, CatalogCol, n);
    Seen *seen = arena_array(a, Seen, n);
    int rc = SQLITE_OK;
    for (uint32_t c = 0; c < n; c++)
        seen[c] = (Seen){.declared = declared_type(sqlite3_column_decltype(s, (int)c)), .is_as_declared = true};
    while (out->sample_rows < QUERY_SAMPLE_ROWS && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        out->sample_rows++;
        for (uint32_t c = 0; c < n; c++)
            seen_add(&seen[c], s, (int)c);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE && rc != SQLITE_OK)
        return db_error(db, "read", path, rc, err);
    for (uint32_t c = 0; c < n; c++)
        cols[c] = (CatalogCol){.name = arena_str(a, str_of(sqlite3_column_name(s, (int)c))),
                               .type = seen_type(&seen[c]),
                               .almost = TYPE_ERROR};
    out->n_cols = n;
    out->cols = cols;
    out->sample_is_all = rc == SQLITE_DONE;
    return OK;
}

Status query_sniff(Str path, Str sql, Arena *a, CatalogTable *out, Error *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    Status st = db_open(path, true, &db, NULL, err);
    if (st == OK)
        st = prepare(db, path, sql, &s, err);
    if (st == OK)
        st = sniff(db, s, path, a, out, err);
    sqlite3_finalize(s);
    db_close(db);
    return st;
}

/* --- open -------------------------------------------------------------------------------- */

/* Finds each column of the schema in the result. */
static Status columns_find(QuerySource *q, Error *err)
{
    int n = sqlite3_column_count(q->stmt);
    char shown[80];
    q->map = xcalloc(q->schema->n_cols + 1ull, sizeof *q->map);
    for (uint32_t c = 0; c < q->schema->n_cols; c++) {
        int at = 0;
        while (at < n && !str_is(q->schema->cols[c].name, sqlite3_column_name(q->stmt, at)))
            at++;
        text_visible(q->schema->cols[c].name, shown, sizeof shown);
        if (at == n)
            return error_set(err, ERR_DATA, "the query gives no column `%s`", shown);
        q->map[c] = (uint32_t)at;
    }
    for (int i = 0; i < n; i++)
        if (schema_find(q->schema, str_of(sqlite3_column_name(q->stmt, i))) < 0) {
            text_visible(str_of(sqlite3_column_name(q->stmt, i)), shown, sizeof shown);
            return error_set(err, ERR_DATA,
                             "the query gives a column `%s` that the schema has not: declare it, or end the schema with `...`",
                             shown);
        }
    return OK;
}

static int stop_asked(void *ctx)
{
    QuerySource *q = ctx;
    if (q->stop.check && q->stopped == OK)
        q->stopped = q->stop.check(q->stop.ctx, q->err);
    return q->stopped != OK;
}

Status query_open(Str path, const QueryOptions *o, QuerySource **out, Error *err)
{
    QuerySource *q = xcalloc(1, sizeof *q);
    q->path = xstrndup(path.ptr, path.len);
    q->schema = o->schema;
    q->needed = o->needed;
    q->input = csv_input_of_schema(path, o->schema, o->inferred_rows);
    q->input->dialect.format = ROWS_SQLITE;
    Status st = db_open(path, true, &q->db, NULL, err);
    if (st == OK)
        st = prepare(q->db, path, o->sql, &q->stmt, err);
    if (st == OK)
        st = columns_find(q, err);
    if (st == OK) {
        sqlite3_progress_handler(q->db, STEPS_PER_CHECK, stop_asked, q);
    } else {
        query_close(q);
        q = NULL;
    }
    *out = q;
    return st;
}

void query_close(QuerySource *q)
{
    if (!q)
        return;
    sqlite3_finalize(q->stmt);
    db_close(q->db);
    csv_input_unref(q->input);
    free(q->map);
    free(q->path);
    free(q);
}

/* --- batches ----------------------------------------------------------------------------- */

/* A column on its way. */
typedef struct Filling {
    Column *c;     /* with room for `cap` rows; NULL: nobody wants it */
    Heap *heap;    /* of strings */
    StrView *odd;  /* [cap] what has another type, as text; ptr NULL: it has not. NULL: none */
} Filling;

typedef struct Fill {
    QuerySource *q;
    Filling *cols; /* [schema->n_cols] */
    uint32_t n, cap;
    uint64_t n_bytes;
} Fill;

static void fill_grow(Fill *f)
{
    uint32_t cap = f->cap ? 2 * f->cap : FIRST_ROOM;
    for (uint32_t i = 0; i < f->q->schema->n_cols; i++) {
        Filling *x = &f->cols[i];
        if (!x->c)
            continue;
        Type t = x->c->type;
        Column *more = column_new(t, false, cap);
        memcpy(more->values, x->c->values, (size_t)f->n * type_bytes(t));
        column_own_valid(more, true);
        if (f->n)
            memcpy(more->valid, x->c->valid, bit_words(f->n) * sizeof *more->valid);
        column_unref(x->c);
        x->c = more;
        if (x->odd) {
            x->odd = xrealloc(x->odd, cap * sizeof *x->odd);
            memset(x->odd + f->n, 0, (cap - f->n) * sizeof *x->odd);
        }
    }
    f->cap = cap;
}

static StrView kept_text(Filling *x, Str s)
{
    char *to = heap_alloc(x->heap, s.len);
    if (s.len)
        memcpy(to, s.ptr, s.len);
    return (StrView){to, s.len, 0};
}

/* REAL as it prints here; everything else as SQLite has it. */
static StrView number_text(Filling *x, sqlite3_stmt *s, int col)
{
    char text[VALUE_PRINT_MAX];
    if (sqlite3_column_type(s, col) != SQLITE_FLOAT)
        return kept_text(x, text_of(s, col));
    return kept_text(x, (Str){text, value_print_float(sqlite3_column_double(s, col), text)});
}

static void cell_fill(Fill *f, Filling *x, int col)
{
    sqlite3_stmt *s = f->q->stmt;
    Column *c = x->c;
    uint32_t i = f->n;
    Value v;
    if (sqlite3_column_type(s, col) == SQLITE_NULL) {
        bit_clear(c->valid, i);
        memset((char *)c->values + (size_t)i * type_bytes(c->type), 0, type_bytes(c->type));
        if (c->type == TYPE_STRING)
            column_strs(c)[i] = (StrView){"", 0, 0};
    } else if (!value_of(s, col, c->type, &v)) {
        StrView text = number_text(x, s, col);
        memset((char *)c->values + (size_t)i * type_bytes(c->type), 0, type_bytes(c->type));
        if (c->type == TYPE_STRING) {
            column_strs(c)[i] = text;
        } else {
            if (!x->odd)
                x->odd = xcalloc(f->cap, sizeof *x->odd);
            x->odd[i] = text;
        }
        f->n_bytes += text.len;
    } else if (c->type == TYPE_STRING) {
        column_strs(c)[i] = kept_text(x, v.s);
        f->n_bytes += v.s.len;
    } else if (c->type == TYPE_FLOAT) {
        column_floats(c)[i] = v.f;
    } else if (c->type == TYPE_BOOL) {
        column_bools(c)[i] = v.i != 0;
    } else {
        column_ints(c)[i] = v.i;
    }
    f->n_bytes += 8;
}

/* A column with values of another type, as cells: whoever uses it finds the mistake. */
static Column *as_cells(const Fill *f, const Filling *x, uint64_t inferred_rows)
{
    const CsvDialect d = CSV_DEFAULT_DIALECT;
    Column *cells = column_new(x->c->type, true, f->n);
    Buf cell = {0};
    cells->delimiter = d.delimiter;
    cells->quote = d.quote;
    cells->inferred_rows = inferred_rows;
    column_own_valid(cells, true);
    memcpy(cells->valid, x->c->valid, bit_words(f->n) * sizeof *cells->valid);
    for (uint32_t i = 0; i < f->n; i++) {
        Value v = column_value(x->c, i);
        buf_clear(&cell);
        if (x->odd[i].ptr)
            csv_put_text(&cell, (Str){x->odd[i].ptr, x->odd[i].len}, &d);
        else if (!v.is_null)
            value_print(&cell, v);
        char *to = heap_alloc(x->heap, cell.len);
        if (cell.len)
            memcpy(to, cell.ptr, cell.len);
        column_strs(cells)[i] = (StrView){to, (uint32_t)cell.len, cell.len && to[0] == d.quote ? CELL_QUOTED : 0};
    }
    column_add_heap(cells, x->heap);
    buf_deinit(&cell);
    return cells;
}

static Batch *fill_batch(Fill *f)
{
    QuerySource *q = f->q;
    uint32_t n_cols = q->schema->n_cols;
    Batch *b = batch_new(f->n, n_cols);
    bool has_odd = false;
    for (uint32_t i = 0; i < n_cols; i++) {
        Filling *x = &f->cols[i];
        b->types[i] = q->schema->cols[i].type;
        b->slots[i].raw_col = -1;
        if (!x->c)
            continue;
        has_odd |= x->odd != NULL;
        if (x->odd) {
            b->slots[i].text = as_cells(f, x, q->input->inferred_rows[i]);
            continue;
        }
        x->c->n_rows = f->n;
        if (x->c->type == TYPE_STRING)
            column_add_heap(x->c, x->heap);
        b->slots[i].values = column_ref(x->c);
    }
    if (q->needed)
        batch_forget(b, q->needed);
    if (has_odd) {
        b->origin = origins_new(f->n);
        b->inputs = xmalloc(sizeof *b->inputs);
        b->inputs[0] = csv_input_ref(q->input);
        b->n_inputs = 1;
        for (uint32_t i = 0; i < f->n; i++)
            b->origin[i] = (Origin){.line = q->row - f->n + i + 1};
    }
    return b;
}

Status query_next(QuerySource *q, CsvLimit limit, QueryStop stop, Batch **out, Error *err)
{
    uint32_t n_cols = q->schema->n_cols;
    uint64_t max_bytes = limit.rows ? UINT64_MAX : limit.bytes ? limit.bytes : CSV_BATCH_AUTO;
    uint64_t max_rows = limit.rows && limit.rows < INT32_MAX ? limit.rows : INT32_MAX;
    Status st = OK;
    *out = NULL;
    if (q->is_done)
        return OK;
    Fill f = {.q = q, .cols = xcalloc(n_cols + 1ull, sizeof *f.cols)};
    for (uint32_t i = 0; i < n_cols; i++)
        if (!q->needed || q->needed[i]) {
            f.cols[i].c = column_new(q->schema->cols[i].type, false, 0);
            f.cols[i].heap = heap_new(4096);
        }
    q->stop = stop;
    q->err = err;
    while (f.n < max_rows && f.n_bytes < max_bytes) {
        int rc = sqlite3_step(q->stmt);
        q->is_done = rc == SQLITE_DONE;
        if (rc != SQLITE_ROW) {
            if (rc != SQLITE_DONE)
                st = q->stopped != OK ? q->stopped : db_error(q->db, "read", str_of(q->path), rc, err);
            break;
        }
        if (f.n == f.cap)
            fill_grow(&f);
        for (uint32_t i = 0; i < n_cols; i++)
            if (f.cols[i].c)
                cell_fill(&f, &f.cols[i], (int)q->map[i]);
        f.n++;
        q->row++;
    }
    if (st == OK && f.n)
        *out = fill_batch(&f);
    for (uint32_t i = 0; i < n_cols; i++) {
        column_unref(f.cols[i].c);
        heap_unref(f.cols[i].heap);
        free(f.cols[i].odd);
    }
    free(f.cols);
    return st;
}
