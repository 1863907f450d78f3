#include "data/sqlite_write.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/raw.h"
#include "data/sqlite_db.h"

#define STAGE "_pipemill_new_"
/* Rows and values of one INSERT: each costs the start of a program of SQLite's, half of the time of a row by itself. */
#define ROWS_AT_ONCE 25
#define VALUES_AT_ONCE 500

/* INSERTs into one table, of one row and of several. */
typedef struct Insert {
    uint32_t n_cols, n_many;
    sqlite3_stmt *one, *many; /* many: of n_many rows; NULL: only single ones */
} Insert;

struct DbTable {
    DbTable *next;
    Database *d;
    Str name;
    const Schema *schema;
    TableMode mode;
    bool has_stage, is_dropped;
    Buf stage;     /* its name */
    Insert insert; /* into it */
    Error err;     /* the first one; status OK: none */
};

struct Database {
    pthread_mutex_t mu; /* held for every call */
    sqlite3 *db;
    char *path;
    bool is_new;
    char journal[16]; /* its journal mode, to be again; "": it is as it was */
    DbTable *tables, **last; /* in the order in which they were begun */
};

/* --- packed rows ------------------------------------------------------------------------- */

/* A value is a byte of its kind and what follows: 8 bytes, or 4 bytes of length and text. */
enum { PACKED_NULL, PACKED_INT, PACKED_FLOAT, PACKED_TEXT };

static inline char *room(Buf *out, size_t n)
{
    if (out->cap - out->len <= n)
        buf_reserve(out, n + out->len / 2 + 64);
    return out->ptr + out->len;
}

static void pack_number(Buf *out, char kind, const void *bits)
{
    char *to = room(out, 9);
    to[0] = kind;
    memcpy(to + 1, bits, 8);
    out->len += 9;
}

static void pack_text(Buf *out, const char *p, uint32_t n)
{
    char *to = room(out, n + 5ull);
    to[0] = PACKED_TEXT;
    memcpy(to + 1, &n, sizeof n);
    memcpy(to + 5, p, n);
    out->len += n + 5ull;
}

static void pack_value(Buf *out, const Column *c, uint32_t row)
{
    char text[VALUE_PRINT_MAX];
    int64_t truth;
    if (!column_is_valid(c, row)) {
        *room(out, 1) = PACKED_NULL;
        out->len++;
        return;
    }
    switch (c->type) {
    case TYPE_INT:
    case TYPE_SIZE: pack_number(out, PACKED_INT, &column_ints(c)[row]); return;
    case TYPE_FLOAT: pack_number(out, PACKED_FLOAT, &column_floats(c)[row]); return;
    case TYPE_BOOL:
        truth = column_bools(c)[row] & 1;
        pack_number(out, PACKED_INT, &truth);
        return;
    case TYPE_STRING: pack_text(out, column_strs(c)[row].ptr, column_strs(c)[row].len); return;
    case TYPE_DATE: pack_text(out, text, value_print_date(column_ints(c)[row], text)); return;
    case TYPE_TIMESTAMP: pack_text(out, text, value_print_timestamp(column_ints(c)[row], text)); return;
    case TYPE_DURATION: pack_text(out, text, value_print_duration(column_ints(c)[row], text)); return;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
    *room(out, 1) = PACKED_NULL;
    out->len++;
}

void sqlite_pack(Buf *out, const Batch *b, Column *const *cols)
{
    for (uint32_t i = 0; i < b->n_rows; i++)
        for (uint32_t c = 0; c < b->n_cols; c++)
            pack_value(out, cols[c], i);
}

/* Binds the value at p, whose bytes stay where they are; returns what follows it. */
static const char *bind_packed(sqlite3_stmt *s, int at, const char *p, int *rc)
{
    int64_t i;
    double f;
    uint32_t n;
    switch (*p) {
    case PACKED_INT:
        memcpy(&i, p + 1, sizeof i);
        *rc = sqlite3_bind_int64(s, at, i);
        return p + 9;
    case PACKED_FLOAT:
        memcpy(&f, p + 1, sizeof f);
        *rc = sqlite3_bind_double(s, at, f);
        return p + 9;
    case PACKED_TEXT:
        memcpy(&n, p + 1, sizeof n);
        *rc = sqlite3_bind_text64(s, at, p + 5, n, SQLITE_STATIC, SQLITE_UTF8);
        return p + 5 + n;
    default: *rc = sqlite3_bind_null(s, at); return p + 1;
    }
}

/* --- statements -------------------------------------------------------------------------- */

static Status failed(Database *d, int rc, Error *err)
{
    return db_error(d->db, "write", str_of(d->path), rc, err);
}

static Status sql_run(Database *d, const char *sql, Error *err)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : failed(d, rc, err);
}

/* A Buf with one statement is run and left empty. */
static Status buf_run(Database *d, Buf *sql, Error *err)
{
    Status st = sql_run(d, sql->ptr, err);
    buf_clear(sql);
    return st;
}

static Status begin(Database *d, Error *err)
{
    return sql_run(d, "BEGIN IMMEDIATE", err);
}

/* COMMIT, or ROLLBACK after an error. */
static Status end(Database *d, Status st, Error *err)
{
    if (st == OK)
        st = sql_run(d, "COMMIT", err);
    if (st != OK && !sqlite3_get_autocommit(d->db)) /* else SQLite has done so */
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static const char *declared(Type t)
{
    switch (t) {
    case TYPE_INT: return "INTEGER";
    case TYPE_FLOAT: return "REAL";
    case TYPE_BOOL: return "BOOLEAN";
    case TYPE_STRING: return "TEXT";
    case TYPE_DATE: return "DATE";
    case TYPE_TIMESTAMP: return "TIMESTAMP";
    case TYPE_DURATION: return "DURATION";
    case TYPE_SIZE: return "SIZE";
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
    return "";
}

static void put_columns(Buf *sql, const Schema *s)
{
    for (uint32_t i = 0; i < s->n_cols; i++) {
        buf_puts(sql, i ? ", " : "");
        db_put_name(sql, s->cols[i].name);
    }
}

static Status table_create(Database *d, Str name, const Schema *s, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "CREATE TABLE main.");
    db_put_name(&sql, name);
    buf_puts(&sql, " (");
    for (uint32_t i = 0; i < s->n_cols; i++) {
        buf_puts(&sql, i ? ", " : "");
        db_put_name(&sql, s->cols[i].name);
        buf_printf(&sql, " %s", declared(s->cols[i].type));
    }
    buf_putc(&sql, ')');
    Status st = buf_run(d, &sql, err);
    buf_deinit(&sql);
    return st;
}

static Status table_remove(Database *d, Str name, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "DROP TABLE IF EXISTS main.");
    db_put_name(&sql, name);
    Status st = buf_run(d, &sql, err);
    buf_deinit(&sql);
    return st;
}

/* Is there a table of that name? A view of that name is an error. */
static Status table_is_there(Database *d, Str name, bool *out, Error *err)
{
    sqlite3_stmt *s = NULL;
    char shown[200];
    Status st = OK;
    int rc = sqlite3_prepare_v2(d->db, "SELECT type = 'table' FROM main.sqlite_master WHERE lower(name) = lower(?1) AND "
                                       "type IN ('table', 'view')", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text64(s, 1, name.ptr, name.len, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW;
    text_visible(name, shown, sizeof shown);
    if (rc == SQLITE_ROW && !sqlite3_column_int(s, 0))
        st = error_set(err, ERR_DATA, "`%s` is a view in `%s`, and only a table can be written", shown, d->path);
    else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        st = failed(d, rc, err);
    sqlite3_finalize(s);
    return st;
}

/* With nothing to say against writing the table in that mode. */
static Status mode_check(Database *d, Str name, TableMode mode, bool *is_there, Error *err)
{
    char shown[200];
    Status st = table_is_there(d, name, is_there, err);
    if (st != OK || mode != TABLE_CREATE || !*is_there)
        return st;
    text_visible(name, shown, sizeof shown);
    return error_set(err, ERR_DATA,
                     "there is a table `%s` in `%s` already\nadd to it or replace it: `with (mode: \"append\")`, "
                     "`with (mode: \"replace\")`",
                     shown, d->path);
}

static Status no_such_column(const Database *d, Str table, Str column, Str columns, Error *err)
{
    char t[100], c[100], all[300];
    text_visible(table, t, sizeof t);
    text_visible(column, c, sizeof c);
    text_visible(columns, all, sizeof all);
    return error_set(err, ERR_DATA,
                     "the table `%s` of `%s` has no column `%s` to append to\n"
                     "it has %s: leave the column out (`drop %s`), or add it to the table (`ALTER TABLE %s ADD COLUMN ...`)",
                     t, d->path, c, all, c, t);
}

/* Has the table, which is there, all the columns? */
static Status columns_check(Database *d, Str name, const Schema *schema, Error *err)
{
    sqlite3_stmt *s = NULL;
    Buf columns = {0};
    bool *has = xcalloc(schema->n_cols, sizeof *has);
    Status st = OK;
    int rc = sqlite3_prepare_v2(d->db, "SELECT name FROM pragma_table_info(?1, 'main')", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text64(s, 1, name.ptr, name.len, SQLITE_STATIC, SQLITE_UTF8);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc != SQLITE_ROW)
            break;
        Str column = {(const char *)sqlite3_column_text(s, 0), (uint32_t)sqlite3_column_bytes(s, 0)};
        buf_puts(&columns, columns.len ? ", `" : "`");
        buf_put_str(&columns, column);
        buf_putc(&columns, '`');
        for (uint32_t i = 0; i < schema->n_cols; i++)
            has[i] |= schema->cols[i].name.len == column.len &&
                      sqlite3_strnicmp(schema->cols[i].name.ptr, column.ptr, (int)column.len) == 0;
    }
    if (rc != SQLITE_DONE)
        st = failed(d, rc, err);
    sqlite3_finalize(s);
    for (uint32_t i = 0; i < schema->n_cols && st == OK; i++)
        if (!has[i])
            st = no_such_column(d, name, schema->cols[i].name, buf_str(&columns), err);
    free(has);
    buf_deinit(&columns);
    return st;
}

/* INSERT INTO name (columns) VALUES (?, ...), (?, ...). */
static Status insert_prepare(Database *d, Str name, const Schema *s, uint32_t n_rows, sqlite3_stmt **out, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "INSERT INTO main.");
    db_put_name(&sql, name);
    buf_puts(&sql, " (");
    put_columns(&sql, s);
    buf_puts(&sql, ") VALUES");
    for (uint32_t r = 0; r < n_rows; r++) {
        buf_puts(&sql, r ? ", (" : " (");
        for (uint32_t i = 0; i < s->n_cols; i++)
            buf_puts(&sql, i ? ", ?" : "?");
        buf_putc(&sql, ')');
    }
    int rc = sqlite3_prepare_v3(d->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, out, NULL);
    buf_deinit(&sql);
    return rc == SQLITE_OK ? OK : failed(d, rc, err);
}

static Status insert_open(Database *d, Str name, const Schema *s, Insert *in, Error *err)
{
    uint32_t n = VALUES_AT_ONCE / s->n_cols;
    *in = (Insert){.n_cols = s->n_cols, .n_many = n < ROWS_AT_ONCE ? n : ROWS_AT_ONCE};
    Status st = insert_prepare(d, name, s, 1, &in->one, err);
    return st == OK && in->n_many > 1 ? insert_prepare(d, name, s, in->n_many, &in->many, err) : st;
}

static void insert_close(Insert *in)
{
    sqlite3_finalize(in->one);
    sqlite3_finalize(in->many);
    *in = (Insert){0};
}

/* Inserts rows from p on, as many as the statement takes; returns what follows them. NULL: there are not so
 * many before `last`, or *rc is an error. */
static const char *insert_some(sqlite3_stmt *s, uint32_t n_values, const char *p, const char *last, int *rc)
{
    for (uint32_t i = 0; i < n_values; i++) {
        if (p == last)
            return NULL;
        p = bind_packed(s, (int)i + 1, p, rc);
        if (*rc != SQLITE_OK)
            return NULL;
    }
    *rc = sqlite3_step(s);
    if (*rc == SQLITE_DONE)
        *rc = sqlite3_reset(s);
    return *rc == SQLITE_OK ? p : NULL;
}

static Status rows_insert(Database *d, const Insert *in, Str rows, Error *err)
{
    const char *p = rows.ptr, *last = rows.ptr + rows.len, *next;
    int rc = SQLITE_OK;
    while (in->many && p < last && (next = insert_some(in->many, in->n_cols * in->n_many, p, last, &rc)))
        p = next;
    while (p < last && rc == SQLITE_OK)
        p = insert_some(in->one, in->n_cols, p, last, &rc);
    Status st = rc == SQLITE_OK ? OK : failed(d, rc, err);
    sqlite3_stmt *both[] = {in->one, in->many};
    for (int i = 0; i < 2; i++) {
        sqlite3_reset(both[i]);
        if (both[i])
            sqlite3_clear_bindings(both[i]); /* they point into rows */
    }
    return st;
}

/* --- a database -------------------------------------------------------------------------- */

/* Gives the database a write-ahead log, if nobody else has it open. */
static void log_begin(Database *d)
{
    sqlite3_stmt *s = NULL;
    sqlite3_busy_timeout(d->db, 0);
    if (sqlite3_prepare_v2(d->db, "PRAGMA journal_mode", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        snprintf(d->journal, sizeof d->journal, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    bool has_one = strcmp(d->journal, "wal") == 0;
    if (!has_one && sqlite3_exec(d->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
        has_one = true;
    else
        d->journal[0] = '\0';
    if (has_one)
        sqlite3_exec(d->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    sqlite3_busy_timeout(d->db, DB_WAIT_MS);
}

/* Refused where somebody else reads it: then the log stays beside it. */
static void log_end(Database *d)
{
    char sql[60];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = %s", d->journal);
    sqlite3_busy_timeout(d->db, 0);
    if (d->journal[0])
        sqlite3_exec(d->db, sql, NULL, NULL, NULL);
}

Status database_open(Str path, Database **out, Error *err)
{
    Database *d = xcalloc(1, sizeof *d);
    Status st = db_open(path, false, &d->db, &d->is_new, err);
    pthread_mutex_init(&d->mu, NULL);
    d->path = xstrndup(path.ptr, path.len);
    d->last = &d->tables;
    if (st == OK)
        log_begin(d);
    if (st == OK) /* a view that names the table is nothing to us when it is renamed */
        st = sql_run(d, "PRAGMA legacy_alter_table = ON", err);
    if (st != OK) {
        database_close(d, false, NULL);
        d = NULL;
    }
    *out = d;
    return st;
}

static Status stage_begin(DbTable *t, Error *err)
{
    Database *d = t->d;
    Str stage = buf_str(&t->stage);
    bool is_there = false;
    Insert try = {0};
    Status st = begin(d, err);
    if (st != OK)
        return st;
    st = mode_check(d, t->name, t->mode, &is_there, err);
    if (st == OK && t->mode == TABLE_APPEND && is_there)
        st = columns_check(d, t->name, t->schema, err);
    if (st == OK && t->mode == TABLE_APPEND && is_there) /* what else may SQLite have against it? */
        st = insert_open(d, t->name, t->schema, &try, err);
    insert_close(&try);
    if (st == OK)
        st = table_remove(d, stage, err); /* of a process that was killed */
    if (st == OK)
        st = table_create(d, stage, t->schema, err);
    st = end(d, st, err);
    t->has_stage = st == OK;
    return st == OK ? insert_open(d, stage, t->schema, &t->insert, err) : st;
}

Status database_begin(Database *d, Str name, const Schema *schema, TableMode mode, DbTable **out, Error *err)
{
    DbTable *t = xcalloc(1, sizeof *t);
    *t = (DbTable){.d = d, .name = name, .schema = schema, .mode = mode};
    buf_puts(&t->stage, STAGE);
    buf_put_str(&t->stage, name);
    pthread_mutex_lock(&d->mu);
    Status st = stage_begin(t, err);
    *d->last = t;
    d->last = &t->next;
    pthread_mutex_unlock(&d->mu);
    *out = st == OK ? t : NULL;
    return st;
}

Status table_append(DbTable *t, Buf *rows, Error *err)
{
    Database *d = t->d;
    pthread_mutex_lock(&d->mu);
    Status st = t->err.status;
    if (st == OK && rows->len) {
        st = begin(d, &t->err);
        if (st == OK)
            st = end(d, rows_insert(d, &t->insert, buf_str(rows), &t->err), &t->err);
        t->err.status = st;
    }
    if (st != OK && err)
        *err = t->err;
    pthread_mutex_unlock(&d->mu);
    buf_deinit(rows);
    return st;
}

void table_drop(DbTable *t)
{
    t->is_dropped = true;
}

/* INSERT INTO name (columns) SELECT columns FROM stage. */
static Status stage_copy(DbTable *t, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "INSERT INTO main.");
    db_put_name(&sql, t->name);
    buf_puts(&sql, " (");
    put_columns(&sql, t->schema);
    buf_puts(&sql, ") SELECT ");
    put_columns(&sql, t->schema);
    buf_puts(&sql, " FROM main.");
    db_put_name(&sql, buf_str(&t->stage));
    buf_puts(&sql, " ORDER BY rowid");
    Status st = buf_run(t->d, &sql, err);
    buf_deinit(&sql);
    return st == OK ? table_remove(t->d, buf_str(&t->stage), err) : st;
}

static Status stage_rename(DbTable *t, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "ALTER TABLE main.");
    db_put_name(&sql, buf_str(&t->stage));
    buf_puts(&sql, " RENAME TO ");
    db_put_name(&sql, t->name);
    Status st = buf_run(t->d, &sql, err);
    buf_deinit(&sql);
    return st;
}

static Status stage_end(DbTable *t, bool commit, Error *err)
{
    Database *d = t->d;
    bool is_there;
    if (!commit || t->is_dropped)
        return table_remove(d, buf_str(&t->stage), err);
    Status st = mode_check(d, t->name, t->mode, &is_there, err);
    if (st == OK && is_there && t->mode == TABLE_APPEND)
        return stage_copy(t, err);
    if (st == OK && is_there)
        st = table_remove(d, t->name, err);
    return st == OK ? stage_rename(t, err) : st;
}

static Status stages_end(Database *d, bool commit, Error *err)
{
    bool has_stages = false;
    for (DbTable *t = d->tables; t; t = t->next) {
        insert_close(&t->insert);
        has_stages |= t->has_stage;
    }
    Status st = OK;
    if (!has_stages)
        return OK;
    st = sql_run(d, "PRAGMA synchronous = FULL", err);
    if (st == OK)
        st = begin(d, err);
    if (st != OK)
        return st;
    for (DbTable *t = d->tables; t && st == OK; t = t->next)
        if (t->has_stage)
            st = stage_end(t, commit, err);
    return end(d, st, err);
}

static bool is_empty(Database *d)
{
    sqlite3_stmt *s = NULL;
    bool yes = sqlite3_prepare_v2(d->db, "SELECT 1 FROM sqlite_master LIMIT 1", -1, &s, NULL) == SQLITE_OK &&
               sqlite3_step(s) == SQLITE_DONE;
    sqlite3_finalize(s);
    return yes;
}

static void tables_free(Database *d)
{
    for (DbTable *t = d->tables, *next; t; t = next) {
        next = t->next;
        buf_deinit(&t->stage);
        free(t);
    }
}

Status database_close(Database *d, bool commit, Error *err)
{
    Status st = OK;
    if (!d)
        return OK;
    for (DbTable *t = d->tables; t && commit && st == OK; t = t->next)
        if (t->err.status != OK) {
            st = t->err.status;
            if (err)
                *err = t->err;
        }
    bool wants = commit && st == OK;
    if (d->db) {
        Error late = {0};
        Status last = stages_end(d, wants, &late);
        if (last != OK && wants) { /* as it was before */
            stages_end(d, false, NULL);
            st = last;
            if (err)
                *err = late;
        }
        log_end(d);
        bool is_gone = d->is_new && is_empty(d);
        db_close(d->db);
        if (is_gone)
            unlink(d->path);
    }
    tables_free(d);
    pthread_mutex_destroy(&d->mu);
    free(d->path);
    free(d);
    return st;
}

/* --- whole tables ------------------------------------------------------------------------ */

static Status table_put(Database *d, const TableRows *t, Error *err)
{
    Insert insert = {0};
    bool is_there;
    Status st = mode_check(d, t->name, t->mode, &is_there, err);
    if (st == OK && is_there && t->mode == TABLE_APPEND)
        st = columns_check(d, t->name, t->schema, err);
    if (st == OK && is_there && t->mode == TABLE_REPLACE)
        st = table_remove(d, t->name, err);
    if (st == OK && (!is_there || t->mode == TABLE_REPLACE))
        st = table_create(d, t->name, t->schema, err);
    if (st == OK)
        st = insert_open(d, t->name, t->schema, &insert, err);
    if (st == OK)
        st = rows_insert(d, &insert, t->rows, err);
    insert_close(&insert);
    return st;
}

Status database_put(Database *d, const TableRows *tables, uint32_t n, Error *err)
{
    pthread_mutex_lock(&d->mu);
    Status st = begin(d, err);
    if (st == OK) {
        for (uint32_t i = 0; i < n && st == OK; i++)
            st = table_put(d, &tables[i], err);
        st = end(d, st, err);
    }
    pthread_mutex_unlock(&d->mu);
    return st;
}
