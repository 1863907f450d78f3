#include "run/rejected.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "data/sink.h"
#include "data/spill.h"

#ifdef PIPEMILL_STRESS
#define HELD_BYTES 100u
#else
#define HELD_BYTES (4u << 20) /* lines in memory, before they go to the temporary file */
#endif
#define NO_FILE UINT32_MAX

/* What one instance told. */
typedef struct Chunk {
    uint32_t step, file, n_key;
    RejectedPart part;
    const uint32_t *key; /* in the arena */
    uint64_t seq;        /* the how manieth */
    BadRowCount count;
    uint32_t block;      /* that has its lines, [at, at + len) */
    size_t at, len;
} Chunk;

typedef struct File {
    Sink *sink; /* NULL: its path depends on the batch, and it is opened at the end */
    Str path;
    uint64_t next_seq;
} File;

struct Rejected {
    const Plan *plan;
    char *folder;
    pthread_mutex_t mu; /* guards what follows, while instances run */
    Arena *arena;
    File *files;        /* those of the plan first */
    uint32_t n_files, cap_files;
    Map paths;          /* of files whose path depends on the batch -> 1 + index */
    Map reads;          /* files that the job has read, by their numbers in the file system */
    Chunk *chunks;
    size_t n, cap;
    uint64_t next_seq;
    Buf held;           /* the block that is not in the temporary file yet */
    SpillFile *spill;   /* NULL: all is held */
    SpillBlock *blocks;
    uint32_t n_blocks, cap_blocks;
};

Status rejected_open(const Plan *plan, const char *folder, Rejected **out, Error *err)
{
    Rejected *r = xcalloc(1, sizeof *r);
    Status st = OK;
    r->plan = plan;
    r->folder = xstrndup(folder, strlen(folder));
    r->arena = arena_open();
    map_init(&r->paths, r->arena);
    map_init(&r->reads, r->arena);
    pthread_mutex_init(&r->mu, NULL);
    r->n_files = r->cap_files = plan->n_rejects;
    r->files = xcalloc(plan->n_rejects + 1ull, sizeof *r->files);
    for (uint32_t i = 0; i < plan->n_rejects && st == OK; i++) {
        const PlanRejects *p = &plan->rejects[i];
        if (!p->by_key)
            st = sink_open(p->path->value.s, STR_LIT(REJECT_HEADER), &r->files[i].sink, err);
    }
    if (st != OK) {
        rejected_close(r, false, NULL);
        return st;
    }
    *out = r;
    return OK;
}

/* ---- files that are read ---- */

/* What names the file whatever its path: links, `..` and the working folder say nothing of it. Empty: it is not
 * there, or nothing that could be replaced. */
static Str file_number(Arena *a, Str path)
{
    struct stat info;
    char *z = xstrndup(path.ptr, path.len);
    int r = str_is(path, "stdin") || str_is(path, "-") ? fstat(STDIN_FILENO, &info) : stat(z, &info);
    free(z);
    if (r != 0 || !S_ISREG(info.st_mode))
        return (Str){0};
    return arena_printf(a, "%llu:%llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino);
}

static Status would_replace(Str path, Error *err)
{
    return error_set(err, ERR_FAIL_PERMANENT,
                     "rejected rows would replace `%.*s`, which the job reads; give them a file of their own",
                     STR_ARG(path));
}

Status rejected_note_read(Rejected *r, Str path, Error *err)
{
    Status st = OK;
    pthread_mutex_lock(&r->mu);
    Str number = file_number(r->arena, path);
    if (number.len)
        map_put(&r->reads, number, r);
    for (uint32_t i = 0; i < r->plan->n_rejects && number.len && st == OK; i++) {
        const PlanRejects *p = &r->plan->rejects[i];
        if (!p->by_key && str_eq(file_number(r->arena, p->path->value.s), number))
            st = would_replace(p->path->value.s, err);
    }
    pthread_mutex_unlock(&r->mu);
    return st;
}

Status rejected_check(Rejected *r, Error *err)
{
    Status st = OK;
    for (uint32_t i = 0; i < r->n_files && st == OK; i++) {
        Str path = i < r->plan->n_rejects && !r->plan->rejects[i].by_key ? r->plan->rejects[i].path->value.s
                                                                        : r->files[i].path;
        Str number = path.len ? file_number(r->arena, path) : path;
        if (number.len && map_get(&r->reads, number))
            st = would_replace(path, err);
    }
    return st;
}

/* ---- telling, under the lock ---- */

static uint32_t file_of(Rejected *r, uint32_t step, Str path)
{
    uint32_t named = r->plan->steps[step]->rejects;
    if (!named || !r->plan->rejects[named - 1].by_key)
        return named ? named - 1 : NO_FILE;
    uintptr_t known = (uintptr_t)map_get(&r->paths, path);
    if (known)
        return (uint32_t)known - 1;
    if (r->n_files == r->cap_files) {
        r->cap_files = 2 * r->cap_files + 8;
        r->files = xrealloc(r->files, r->cap_files * sizeof *r->files);
    }
    Str own = arena_str(r->arena, path);
    r->files[r->n_files] = (File){.path = own};
    map_put(&r->paths, own, (void *)(uintptr_t)(r->n_files + 1));
    return r->n_files++;
}

static Status held_spill(Rejected *r, Error *err)
{
    Status st = OK;
    if (!r->spill)
        st = spill_open(r->folder, &r->spill, err);
    if (r->n_blocks == r->cap_blocks) {
        r->cap_blocks = 2 * r->cap_blocks + 16;
        r->blocks = xrealloc(r->blocks, r->cap_blocks * sizeof *r->blocks);
    }
    if (st == OK)
        st = spill_put(r->spill, r->held.ptr, r->held.len, &r->blocks[r->n_blocks], err);
    r->n_blocks += st == OK;
    buf_clear(&r->held);
    return st;
}

static Status add_locked(Rejected *r, Chunk c, Str path, Rejects *told, Error *err)
{
    uint32_t *own = arena_array(r->arena, uint32_t, c.n_key + 1);
    if (c.n_key)
        memcpy(own, c.key, c.n_key * sizeof *own);
    c.key = own;
    c.seq = r->next_seq++;
    c.file = file_of(r, c.step, path);
    c.block = r->n_blocks;
    c.at = r->held.len;
    rejects_take(told, &r->held);
    c.len = r->held.len - c.at;
    if (r->n == r->cap) {
        r->cap = 2 * r->cap + 64;
        r->chunks = xrealloc(r->chunks, r->cap * sizeof *r->chunks);
    }
    r->chunks[r->n++] = c;
    return r->held.len > HELD_BYTES ? held_spill(r, err) : OK;
}

Status rejected_add(Rejected *r, uint32_t step, RejectedPart part, const uint32_t *key, uint32_t n_key, Str path,
                    Rejects *told, Error *err)
{
    Chunk c = {.step = step, .part = part, .key = key, .n_key = n_key,
               .count = {.n_skipped = told->n_skipped, .n_nulled = told->n_nulled}};
    pthread_mutex_lock(&r->mu);
    Status st = add_locked(r, c, path, told, err);
    pthread_mutex_unlock(&r->mu);
    rejects_clear(told);
    return st;
}

/* ---- the end ---- */

/* Where they stand in a file. */
static int place_cmp(const Chunk *x, const Chunk *y)
{
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    bool reads_x = x->part != REJECTED_ROWS, reads_y = y->part != REJECTED_ROWS;
    bool is_table_x = x->part == REJECTED_TABLE, is_table_y = y->part == REJECTED_TABLE;
    if (is_table_x != is_table_y)
        return is_table_x ? -1 : 1;
    if (reads_x != reads_y)
        return reads_x ? -1 : 1;
    for (uint32_t i = 0; i < x->n_key && i < y->n_key; i++)
        if (x->key[i] != y->key[i])
            return x->key[i] < y->key[i] ? -1 : 1;
    if (x->n_key != y->n_key)
        return x->n_key < y->n_key ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

static int chunk_cmp(const void *a, const void *b)
{
    const Chunk *x = a, *y = b;
    int c = place_cmp(x, y);
    return c ? c : x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Those that count, in order. Of a table's rows all do: each join tells of its own. */
void rejected_settle(Rejected *r)
{
    size_t n = 0;
    if (r->n)
        qsort(r->chunks, r->n, sizeof *r->chunks, chunk_cmp);
    for (size_t i = 0; i < r->n; i++) {
        bool is_again = i + 1 < r->n && r->chunks[i].part != REJECTED_TABLE &&
                        place_cmp(&r->chunks[i], &r->chunks[i + 1]) == 0;
        if (!is_again)
            r->chunks[n++] = r->chunks[i];
    }
    r->n = n;
}

BadRowCount rejected_count(const Rejected *r, uint32_t step)
{
    BadRowCount all = {0};
    for (size_t i = 0; i < r->n; i++) {
        if (r->chunks[i].step != step)
            continue;
        all.n_skipped += r->chunks[i].count.n_skipped;
        all.n_nulled += r->chunks[i].count.n_nulled;
    }
    return all;
}

/* Lines of the chunk; the block that has them stays in *bytes. */
static Status chunk_lines(Rejected *r, const Chunk *c, Buf *bytes, uint32_t *block, Str *out, Error *err)
{
    Status st = OK;
    if (c->block < r->n_blocks && c->block != *block) {
        SpillBlock b = r->blocks[c->block];
        buf_clear(bytes);
        buf_reserve(bytes, b.n_bytes);
        st = spill_get(r->spill, b, bytes->ptr, err);
        *block = st == OK ? c->block : NO_FILE;
    }
    if (st == OK)
        *out = (Str){(c->block < r->n_blocks ? bytes->ptr : r->held.ptr) + c->at, (uint32_t)c->len};
    return st;
}

static Status files_write(Rejected *r, Error *err)
{
    Status st = OK;
    Buf bytes = {0}, lines = {0};
    uint32_t block = NO_FILE;
    for (size_t i = 0; i < r->n && st == OK; i++) {
        const Chunk *c = &r->chunks[i];
        Str s = {0};
        if (c->file == NO_FILE || c->len == 0)
            continue;
        File *f = &r->files[c->file];
        if (!f->sink)
            st = sink_open(f->path, STR_LIT(REJECT_HEADER), &f->sink, err);
        if (st == OK)
            st = chunk_lines(r, c, &bytes, &block, &s, err);
        if (st != OK)
            break;
        buf_put(&lines, s.ptr, s.len);
        st = sink_submit(f->sink, f->next_seq++, &lines, err);
    }
    buf_deinit(&lines);
    buf_deinit(&bytes);
    return st;
}

void rejected_abandon(Rejected *r)
{
    for (uint32_t i = 0; i < r->plan->n_rejects; i++)
        if (r->files[i].sink)
            sink_abandon(r->files[i].sink);
}

Status rejected_close(Rejected *r, bool commit, Error *err)
{
    Status st = commit ? files_write(r, err) : OK;
    for (uint32_t i = 0; i < r->n_files; i++) {
        Sink *sink = r->files[i].sink;
        if (sink && commit && st == OK)
            st = sink_commit(sink, err);
        else
            sink_abort(sink);
    }
    spill_close(r->spill);
    pthread_mutex_destroy(&r->mu);
    arena_close(r->arena);
    buf_deinit(&r->held);
    free(r->blocks);
    free(r->chunks);
    free(r->files);
    free(r->folder);
    free(r);
    return st;
}
