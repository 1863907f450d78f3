#include "data/sqlite_table.h"

#include <stdlib.h>
#include <string.h>

#include "data/raw.h"
#include "data/sqlite_db.h"
#include "data/sqlite_pack.h"

/* Rows and values of one INSERT: each costs the start of a program of SQLite's, half of the time of a row by itself. */
#define ROWS_AT_ONCE 25
#define VALUES_AT_ONCE 500

static Status db_failed(const DbFile *d, int rc, Error *err)
{
    return db_error(d->db, "write", str_of(d->path), rc, err);
}

Status db_run(const DbFile *d, const char *sql, Error *err)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : db_failed(d, rc, err);
}

Status db_run_buf(const DbFile *d, Buf *sql, Error *err)
{
    Status st = db_run(d, sql->ptr, err);
    buf_clear(sql);
    return st;
}

Status db_begin(const DbFile *d, Error *err)
{
    return db_run(d, "BEGIN IMMEDIATE", err);
}

Status db_end(const DbFile *d, Status st, Error *err)
{
    if (st == OK)
        st = db_run(d, "COMMIT", err);
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

void table_put_columns(Buf *sql, const Schema *s)
{
    for (uint32_t i = 0; i < s->n_cols; i++) {
        buf_puts(sql, i ? ", " : "");
        db_put_name(sql, s->cols[i].name);
    }
}

Status table_create(const DbFile *d, Str name, const Schema *s, Error *err)
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
    Status st = db_run_buf(d, &sql, err);
    buf_deinit(&sql);
    return st;
}

Status table_remove(const DbFile *d, Str name, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "DROP TABLE IF EXISTS main.");
    db_put_name(&sql, name);
    Status st = db_run_buf(d, &sql, err);
    buf_deinit(&sql);
    return st;
}

/* Is there a table of that name? A view of that name is an error. */
static Status table_is_there(const DbFile *d, Str name, bool *out, Error *err)
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
        st = db_failed(d, rc, err);
    sqlite3_finalize(s);
    return st;
}

Status table_check_mode(const DbFile *d, Str name, TableMode mode, bool *is_there, Error *err)
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

static Status no_such_column(const DbFile *d, Str table, Str column, Str columns, Error *err)
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

Status table_check_columns(const DbFile *d, Str name, const Schema *schema, Error *err)
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
        st = db_failed(d, rc, err);
    sqlite3_finalize(s);
    for (uint32_t i = 0; i < schema->n_cols && st == OK; i++)
        if (!has[i])
            st = no_such_column(d, name, schema->cols[i].name, buf_str(&columns), err);
    free(has);
    buf_deinit(&columns);
    return st;
}

/* INSERT INTO name (columns) VALUES (?, ...), (?, ...). */
static Status insert_prepare(const DbFile *d, Str name, const Schema *s, uint32_t n_rows, sqlite3_stmt **out, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "INSERT INTO main.");
    db_put_name(&sql, name);
    buf_puts(&sql, " (");
    table_put_columns(&sql, s);
    buf_puts(&sql, ") VALUES");
    for (uint32_t r = 0; r < n_rows; r++) {
        buf_puts(&sql, r ? ", (" : " (");
        for (uint32_t i = 0; i < s->n_cols; i++)
            buf_puts(&sql, i ? ", ?" : "?");
        buf_putc(&sql, ')');
    }
    int rc = sqlite3_prepare_v3(d->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, out, NULL);
    buf_deinit(&sql);
    return rc == SQLITE_OK ? OK : db_failed(d, rc, err);
}

Status insert_open(const DbFile *d, Str name, const Schema *s, Insert *in, Error *err)
{
    uint32_t n = VALUES_AT_ONCE / s->n_cols;
    *in = (Insert){.n_cols = s->n_cols, .n_many = n < ROWS_AT_ONCE ? n : ROWS_AT_ONCE};
    Status st = insert_prepare(d, name, s, 1, &in->one, err);
    return st == OK && in->n_many > 1 ? insert_prepare(d, name, s, in->n_many, &in->many, err) : st;
}

void insert_close(Insert *in)
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
        p = sqlite_bind_packed(s, (int)i + 1, p, rc);
        if (*rc != SQLITE_OK)
            return NULL;
    }
    *rc = sqlite3_step(s);
    if (*rc == SQLITE_DONE)
        *rc = sqlite3_reset(s);
    return *rc == SQLITE_OK ? p : NULL;
}

Status insert_rows(const DbFile *d, const Insert *in, Str rows, Error *err)
{
    const char *p = rows.ptr, *last = rows.ptr + rows.len, *next;
    int rc = SQLITE_OK;
    while (in->many && p < last && (next = insert_some(in->many, in->n_cols * in->n_many, p, last, &rc)))
        p = next;
    while (p < last && rc == SQLITE_OK)
        p = insert_some(in->one, in->n_cols, p, last, &rc);
    Status st = rc == SQLITE_OK ? OK : db_failed(d, rc, err);
    sqlite3_stmt *both[] = {in->one, in->many};
    for (int i = 0; i < 2; i++) {
        sqlite3_reset(both[i]);
        if (both[i])
            sqlite3_clear_bindings(both[i]); /* they point into rows */
    }
    return st;
}
