#include "data/sqlite_write.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/sqlite_db.h"
#include "data/sqlite_table.h"

#define STAGE "_pipemill_new_"

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
    DbFile file;
    bool is_new;
    char journal[16]; /* its journal mode, to be again; "": it is as it was */
    DbTable *tables, **last; /* in the order in which they were begun */
};

/* Gives the database a write-ahead log, if nobody else has it open. */
static void log_begin(Database *d)
{
    sqlite3_stmt *s = NULL;
    sqlite3_busy_timeout(d->file.db, 0);
    if (sqlite3_prepare_v2(d->file.db, "PRAGMA journal_mode", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        snprintf(d->journal, sizeof d->journal, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    bool has_one = strcmp(d->journal, "wal") == 0;
    if (!has_one && sqlite3_exec(d->file.db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
        has_one = true;
    else
        d->journal[0] = '\0';
    if (has_one)
        sqlite3_exec(d->file.db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    sqlite3_busy_timeout(d->file.db, DB_WAIT_MS);
}

/* Refused where somebody else reads it: then the log stays beside it. */
static void log_end(Database *d)
{
    char sql[60];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = %s", d->journal);
    sqlite3_busy_timeout(d->file.db, 0);
    if (d->journal[0])
        sqlite3_exec(d->file.db, sql, NULL, NULL, NULL);
}

Status database_open(Str path, Database **out, Error *err)
{
    Database *d = xcalloc(1, sizeof *d);
    Status st = db_open(path, false, &d->file.db, &d->is_new, err);
    pthread_mutex_init(&d->mu, NULL);
    d->file.path = xstrndup(path.ptr, path.len);
    d->last = &d->tables;
    if (st == OK)
        log_begin(d);
    if (st == OK) /* a view that names the table is nothing to us when it is renamed */
        st = db_run(&d->file, "PRAGMA legacy_alter_table = ON", err);
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
    Status st = db_begin(&d->file, err);
    if (st != OK)
        return st;
    st = table_check_mode(&d->file, t->name, t->mode, &is_there, err);
    if (st == OK && t->mode == TABLE_APPEND && is_there)
        st = table_check_columns(&d->file, t->name, t->schema, err);
    if (st == OK && t->mode == TABLE_APPEND && is_there) /* what else may SQLite have against it? */
        st = insert_open(&d->file, t->name, t->schema, &try, err);
    insert_close(&try);
    if (st == OK)
        st = table_remove(&d->file, stage, err); /* of a process that was killed */
    if (st == OK)
        st = table_create(&d->file, stage, t->schema, err);
    st = db_end(&d->file, st, err);
    t->has_stage = st == OK;
    return st == OK ? insert_open(&d->file, stage, t->schema, &t->insert, err) : st;
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
        st = db_begin(&d->file, &t->err);
        if (st == OK)
            st = db_end(&d->file, insert_rows(&d->file, &t->insert, buf_str(rows), &t->err), &t->err);
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
    table_put_columns(&sql, t->schema);
    buf_puts(&sql, ") SELECT ");
    table_put_columns(&sql, t->schema);
    buf_puts(&sql, " FROM main.");
    db_put_name(&sql, buf_str(&t->stage));
    buf_puts(&sql, " ORDER BY rowid");
    Status st = db_run_buf(&t->d->file, &sql, err);
    buf_deinit(&sql);
    return st == OK ? table_remove(&t->d->file, buf_str(&t->stage), err) : st;
}

static Status stage_rename(DbTable *t, Error *err)
{
    Buf sql = {0};
    buf_puts(&sql, "ALTER TABLE main.");
    db_put_name(&sql, buf_str(&t->stage));
    buf_puts(&sql, " RENAME TO ");
    db_put_name(&sql, t->name);
    Status st = db_run_buf(&t->d->file, &sql, err);
    buf_deinit(&sql);
    return st;
}

static Status stage_end(DbTable *t, bool commit, Error *err)
{
    Database *d = t->d;
    bool is_there;
    if (!commit || t->is_dropped)
        return table_remove(&d->file, buf_str(&t->stage), err);
    Status st = table_check_mode(&d->file, t->name, t->mode, &is_there, err);
    if (st == OK && is_there && t->mode == TABLE_APPEND)
        return stage_copy(t, err);
    if (st == OK && is_there)
        st = table_remove(&d->file, t->name, err);
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
    st = db_run(&d->file, "PRAGMA synchronous = FULL", err);
    if (st == OK)
        st = db_begin(&d->file, err);
    if (st != OK)
        return st;
    for (DbTable *t = d->tables; t && st == OK; t = t->next)
        if (t->has_stage)
            st = stage_end(t, commit, err);
    return db_end(&d->file, st, err);
}

static bool is_empty(Database *d)
{
    sqlite3_stmt *s = NULL;
    bool yes = sqlite3_prepare_v2(d->file.db, "SELECT 1 FROM sqlite_master LIMIT 1", -1, &s, NULL) == SQLITE_OK &&
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

/* A full disk leaves what SQLite keeps beside the database, which it cannot end without room. */
static void remove_files(const char *path)
{
    static const char *const BESIDE[] = {"", "-wal", "-shm", "-journal"};
    Buf name = {0};
    for (size_t i = 0; i < sizeof BESIDE / sizeof *BESIDE; i++) {
        buf_clear(&name);
        buf_printf(&name, "%s%s", path, BESIDE[i]);
        unlink(name.ptr);
    }
    buf_deinit(&name);
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
    if (d->file.db) {
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
        db_close(d->file.db);
        if (is_gone)
            remove_files(d->file.path);
    }
    tables_free(d);
    pthread_mutex_destroy(&d->mu);
    free(d->file.path);
    free(d);
    return st;
}

static Status table_put(Database *d, const TableRows *t, Error *err)
{
    Insert insert = {0};
    bool is_there;
    Status st = table_check_mode(&d->file, t->name, t->mode, &is_there, err);
    if (st == OK && is_there && t->mode == TABLE_APPEND)
        st = table_check_columns(&d->file, t->name, t->schema, err);
    if (st == OK && is_there && t->mode == TABLE_REPLACE)
        st = table_remove(&d->file, t->name, err);
    if (st == OK && (!is_there || t->mode == TABLE_REPLACE))
        st = table_create(&d->file, t->name, t->schema, err);
    if (st == OK)
        st = insert_open(&d->file, t->name, t->schema, &insert, err);
    if (st == OK)
        st = insert_rows(&d->file, &insert, t->rows, err);
    insert_close(&insert);
    return st;
}

Status database_put(Database *d, const TableRows *tables, uint32_t n, Error *err)
{
    pthread_mutex_lock(&d->mu);
    Status st = db_begin(&d->file, err);
    if (st == OK) {
        for (uint32_t i = 0; i < n && st == OK; i++)
            st = table_put(d, &tables[i], err);
        st = db_end(&d->file, st, err);
    }
    pthread_mutex_unlock(&d->mu);
    return st;
}
