/* sqlite_write.h, sqlite_read.h: tables that are staged, what others do to the database meanwhile, errors in words. */
#include "data/sqlite_db.h"
#include "data/sqlite_read.h"
#include "data/sqlite_write.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/pipemill-sqlite-XXXXXX";
static SchemaCol number_col = {{"n", 1}, TYPE_INT};
static const Schema numbers = {1, &number_col};

/* A path of its own for each test. */
static Str place(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return str_of(path);
}

/* Packed rows first..first + n. */
static Buf rows_of(int64_t first, uint32_t n)
{
    Buf b = {0};
    Batch *t = batch_new(n, 1);
    Column *c = column_new(TYPE_INT, false, n);
    for (uint32_t i = 0; i < n; i++)
        column_ints(c)[i] = first + i;
    sqlite_pack(&b, t, &c);
    column_unref(c);
    batch_unref(t);
    return b;
}

/* The first value of a query as text; "-" when it fails. */
static const char *ask(Str path, const char *sql)
{
    static char text[200];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    snprintf(text, sizeof text, "-");
    sqlite3_open_v2(path.ptr, &db, SQLITE_OPEN_READWRITE, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return text;
}

/* What others have done to the database. */
static void sql(Str path, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_open(path.ptr, &db);
    CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

/* Writes rows 0..n in batches of 10. */
static Status write_rows(Str path, TableMode mode, uint32_t n, bool commit, Error *err)
{
    Database *d = NULL;
    DbTable *t = NULL;
    Status st = database_open(path, &d, err);
    if (st == OK)
        st = database_begin(d, STR_LIT("t"), &numbers, mode, &t, err);
    for (uint32_t i = 0; i < n && st == OK; i += 10) {
        Buf b = rows_of(i, n - i < 10 ? n - i : 10);
        st = table_append(t, &b, err);
    }
    Status closed = database_close(d, commit && st == OK, st == OK ? err : NULL);
    return st == OK ? closed : st;
}

static void test_whole_or_absent(void)
{
    Error err = {0};
    Str path = place("whole.db");
    CHECK(write_rows(path, TABLE_CREATE, 95, false, &err) == OK);
    CHECK(access(path.ptr, F_OK) != 0); /* made and not wanted */
    CHECK(write_rows(path, TABLE_CREATE, 95, true, &err) == OK);
    CHECK_STR(ask(path, "select count(*) || ' ' || sum(n) || ' ' || sum(n = rowid - 1) from t"), "95 4465 95");
    CHECK_STR(ask(path, "pragma journal_mode"), "delete");
    CHECK(write_rows(path, TABLE_REPLACE, 7, false, &err) == OK);
    CHECK_STR(ask(path, "select count(*) from t"), "95");
    CHECK(write_rows(path, TABLE_APPEND, 5, true, &err) == OK);
    CHECK_STR(ask(path, "select count(*) || ' ' || max(rowid) from t"), "100 100");
    CHECK(write_rows(path, TABLE_REPLACE, 0, true, &err) == OK);
    CHECK_STR(ask(path, "select count(*) from t"), "0");
    CHECK_STR(ask(path, "select count(*) from sqlite_master"), "1");
    CHECK(write_rows(path, TABLE_CREATE, 1, true, &err) == ERR_DATA);
    CHECK(strstr(err.text, "there is a table `t` in") != NULL);
}

/* A process that was killed leaves its stage; what was there before is there, and the next run throws the stage away. */
static void test_left_over(void)
{
    Error err = {0};
    Str path = place("left.db");
    Database *d = NULL;
    DbTable *t = NULL;
    Buf b = rows_of(0, 10);
    sql(path, "create table t (n); insert into t values (42)");
    CHECK(database_open(path, &d, &err) == OK);
    CHECK(database_begin(d, STR_LIT("t"), &numbers, TABLE_REPLACE, &t, &err) == OK);
    CHECK(table_append(t, &b, &err) == OK);
    CHECK_STR(ask(path, "select n from t"), "42");
    CHECK_STR(ask(path, "select count(*) from _pipemill_new_t"), "10"); /* and d is never closed, as by kill -9 */
    CHECK(write_rows(path, TABLE_REPLACE, 3, true, &err) == OK);
    CHECK_STR(ask(path, "select count(*) from t"), "3");
    CHECK_STR(ask(path, "select count(*) from sqlite_master"), "1");
    Buf late = rows_of(10, 10);
    CHECK(table_append(t, &late, &err) == ERR_DATA); /* two runs at once: the one that lost its stage says so */
    CHECK(database_close(d, true, &err) == ERR_DATA);
    CHECK_STR(ask(path, "select count(*) from t"), "3");
}

/* Views and triggers that name a table see the new one; a view of that name is refused. */
static void test_views(void)
{
    Error err = {0};
    Str path = place("views.db");
    sql(path, "create table t (n); create view v as select n * 2 as m from t; create view w as select 1");
    CHECK(write_rows(path, TABLE_REPLACE, 3, true, &err) == OK);
    CHECK_STR(ask(path, "select sum(m) from v"), "6");
    CHECK_STR(ask(path, "pragma journal_mode"), "delete");
    sql(path, "pragma journal_mode = wal");
    CHECK(write_rows(path, TABLE_REPLACE, 4, true, &err) == OK);
    CHECK_STR(ask(path, "pragma journal_mode"), "wal"); /* what it had */
    CHECK_STR(ask(path, "select sum(m) from v"), "12");
    Database *d = NULL;
    DbTable *t = NULL;
    CHECK(database_open(path, &d, &err) == OK);
    CHECK(database_begin(d, STR_LIT("W"), &numbers, TABLE_REPLACE, &t, &err) == ERR_DATA);
    CHECK(strstr(err.text, "`W` is a view in") != NULL);
    CHECK(database_close(d, false, NULL) == OK);
}

/* A constraint of the table that rows are added to: nothing is added. */
static void test_constraint(void)
{
    Error err = {0};
    Str path = place("constraint.db");
    sql(path, "create table t (n integer primary key, at text default 'here'); insert into t values (93, 'before')");
    CHECK(write_rows(path, TABLE_APPEND, 95, true, &err) == ERR_DATA);
    CHECK(strstr(err.text, "UNIQUE constraint failed: t.n") != NULL);
    CHECK_STR(ask(path, "select count(*) from t"), "1");
    CHECK_STR(ask(path, "select count(*) from sqlite_master"), "1");
    CHECK(write_rows(path, TABLE_APPEND, 93, true, &err) == OK);
    CHECK_STR(ask(path, "select count(*) || ' ' || min(at) || ' ' || max(at) from t"), "94 before here");
}

/* Two tables of one database are put in their places in one transaction. */
static void test_together(void)
{
    Error err = {0};
    Str path = place("together.db");
    Database *d = NULL;
    DbTable *a = NULL, *b = NULL;
    Buf rows = rows_of(0, 3), more = rows_of(0, 4);
    sql(path, "create table b (n unique); insert into b values (2)");
    CHECK(database_open(path, &d, &err) == OK);
    CHECK(database_begin(d, STR_LIT("a"), &numbers, TABLE_CREATE, &a, &err) == OK);
    CHECK(database_begin(d, STR_LIT("b"), &numbers, TABLE_APPEND, &b, &err) == OK);
    CHECK(table_append(a, &rows, &err) == OK && table_append(b, &more, &err) == OK);
    CHECK(database_close(d, true, &err) == ERR_DATA);
    CHECK_STR(ask(path, "select group_concat(name) from sqlite_master where type = 'table'"), "b");
}

static sem_t held;

/* Holds the database for a moment, as another process would. */
static void *hold(void *path)
{
    sqlite3 *db = NULL;
    const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};
    sqlite3_open(path, &db);
    CHECK(sqlite3_exec(db, "begin exclusive", NULL, NULL, NULL) == SQLITE_OK);
    sem_post(&held);
    nanosleep(&moment, NULL);
    CHECK(sqlite3_exec(db, "commit", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    return NULL;
}

static void test_waits(void)
{
    Error err = {0};
    Str path = place("waits.db");
    pthread_t other;
    sql(path, "create table t (n)");
    sem_init(&held, 0, 0);
    pthread_create(&other, NULL, hold, (void *)(uintptr_t)path.ptr);
    sem_wait(&held); /* it has it now */
    CHECK(write_rows(path, TABLE_APPEND, 12, true, &err) == OK);
    pthread_join(other, NULL);
    CHECK_STR(ask(path, "select count(*) from t"), "12");
}

static void test_words(void)
{
    Error err = {0};
    Str path = STR_LIT("x.db");
    CHECK(db_error(NULL, "write", path, SQLITE_BUSY_SNAPSHOT, &err) == ERR_IO);
    CHECK_STR(err.text, "cannot write `x.db`: another process has locked it, for more than 10 s");
    CHECK(db_error(NULL, "write", path, SQLITE_FULL, &err) == ERR_IO);
    CHECK_STR(err.text, "cannot write `x.db`: its disk is full");
    CHECK(db_error(NULL, "read", path, SQLITE_NOTADB, &err) == ERR_DATA);
    CHECK_STR(err.text, "`x.db` is no SQLite database");
    CHECK(db_error(NULL, "read", path, SQLITE_NOMEM, &err) == ERR_NOMEM);
}

/* A database that this version of the format may only read. */
static void test_read_only(void)
{
    Error err = {0};
    Str path = place("read_only.db");
    sql(path, "create table t (n)");
    FILE *f = fopen(path.ptr, "r+b");
    fseek(f, 18, SEEK_SET);
    fputc(9, f);
    fclose(f);
    CHECK(write_rows(path, TABLE_REPLACE, 1, true, &err) == ERR_IO);
    CHECK(strstr(err.text, "is read-only") != NULL);
}

static void test_damaged(void)
{
    Error err = {0};
    Str path = place("damaged.db");
    Arena *a = arena_open();
    CatalogTable seen = {0};
    sql(path, "create table t (n); with recursive r(i) as (select 1 union all select i + 1 from r limit 9000) "
              "insert into t select i from r");
    FILE *f = fopen(path.ptr, "r+b");
    fseek(f, 4096 * 3, SEEK_SET);
    for (int i = 0; i < 4096; i++)
        fputc(0xee, f);
    fclose(f);
    CHECK(query_sniff(path, STR_LIT("select sum(n) as s from t"), a, &seen, &err) == ERR_DATA);
    CHECK(strstr(err.text, "is damaged") != NULL);
    f = fopen(path.ptr, "wb");
    fputs("this is a text and longer than the head of a database, which has one hundred bytes: so it is no database", f);
    fclose(f);
    CHECK(write_rows(path, TABLE_REPLACE, 1, true, &err) == ERR_DATA);
    CHECK(strstr(err.text, "is no SQLite database") != NULL);
    arena_close(a);
}

/* What a declared type says, and what the first rows say against it. */
static void test_declared(void)
{
    static const char *const types[] = {"int", "string", "string", "float", "bool", "date", "timestamp", "date", "duration",
                                        "size", "int", "float", "string", "string"};
    Error err = {0};
    Str path = place("declared.db");
    Arena *a = arena_open();
    CatalogTable seen = {0};
    sql(path, "create table t (a bigint, b varchar(20), c clob, d double precision, e boolean, f date, g datetime, "
              "h timestamp, i duration, j size, k date, l numeric, m, n int);"
              "insert into t values (1, 'x', 'y', 2, 1, '2026-01-02', '2026-01-02 03:04:05', '2026-01-02', '5m', 7, "
              "1700000000, 1, null, 'odd'); insert into t (l) values (1.5)");
    CHECK(query_sniff(path, STR_LIT("select * from t"), a, &seen, &err) == OK);
    CHECK(seen.n_cols == 14 && seen.sample_rows == 2 && seen.sample_is_all);
    for (uint32_t i = 0; i < seen.n_cols && i < 14; i++)
        CHECK_STR(type_name(seen.cols[i].type), types[i]);
    arena_close(a);
}

static Status no_more(void *ctx, Error *err)
{
    int *n = ctx;
    return ++*n < 3 ? OK : error_set(err, ERR_CANCELLED, "stopped");
}

/* A query that computes for long is asked to stop. */
static void test_stops(void)
{
    Error err = {0};
    Str path = place("stops.db");
    QuerySource *q = NULL;
    Batch *b = NULL;
    int n = 0;
    sql(path, "create table t (n)");
    const QueryOptions o = {.sql = STR_LIT("with recursive r(i) as (select 1 union all select i + 1 from r) "
                                           "select count(*) as n from r"),
                            .schema = &numbers};
    CHECK(query_open(path, &o, &q, &err) == OK);
    CHECK(query_next(q, (CsvLimit){.rows = 1}, (QueryStop){no_more, &n}, &b, &err) == ERR_CANCELLED);
    CHECK(n == 3 && b == NULL);
    CHECK_STR(err.text, "stopped");
    query_close(q);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_whole_or_absent();
    test_left_over();
    test_views();
    test_constraint();
    test_together();
    test_waits();
    test_words();
    test_read_only();
    test_damaged();
    test_declared();
    test_stops();
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
    UNIT_END("sqlite");
}
