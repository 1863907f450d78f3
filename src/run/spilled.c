#include "run/spilled.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "run/lookup.h"
#include "run/meter.h"
#include "vm/merge.h"

enum {
    BLOCK_MIN = 4096,        /* bytes of a block, as far as rows allow */
    BLOCK_MAX = 256 * 1024,
    BLOCK_MAX_ROWS = 65536,
    PIECE_ROWS = 16384,      /* that are made plain at a time */
};

/* ---- the file ---- */

/* The folder in which the file will be, behind links; NULL if there is no file but a pipe or a device, whose folder has room for nothing. */
static char *folder_of(Str path)
{
    char *text = xstrndup(path.ptr, path.len), *folder = NULL;
    struct stat info;
    Buf real = {0};
    if (stat(text, &info) != 0 || S_ISREG(info.st_mode)) {
        path_put_real(&real, path);
        size_t n = real.len;
        while (n && real.ptr[n - 1] != '/')
            n--;
        folder = n ? xstrndup(real.ptr, n) : xstrndup(".", 1);
    }
    buf_deinit(&real);
    free(text);
    return folder;
}

/* TMPDIR; else the folder of the first file that the job writes: it has room for the results; else /var/tmp. */
char *spill_folder(const Run *r)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = tmp && *tmp ? xstrndup(tmp, strlen(tmp)) : NULL;
    for (uint32_t i = 0; !folder && i < r->plan->n_sinks; i++) {
        Str path = r->plan->sinks[i].pop->expr->value.s;
        if (!r->plan->sinks[i].by_key && !str_is(path, "stdout") && !str_is(path, "-"))
            folder = folder_of(path);
    }
    return folder ? folder : xstrndup("/var/tmp", 8);
}

Status spill_file_open(const Run *r, SpillFile **out, Error *err)
{
    char *folder = spill_folder(r);
    Status st = spill_open(folder, out, err);
    free(folder);
    return st;
}

Status spilled_open(Run *r, const Step *s, SpillOrder order, const Code *code, uint32_t begin,
                    Spilled **out, Error *err)
{
    SpillFile *file = NULL;
    Status st = spill_file_open(r, &file, err);
    if (st != OK)
        return st;
    Spilled *p = xcalloc(1, sizeof *p);
    p->file = file;
    p->step = s;
    p->order = order;
    p->code = code;
    p->begin = begin;
    pthread_mutex_init(&p->mu, NULL);
    *out = p;
    return OK;
}

static void runs_free(SpillRun *runs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        free(runs[i].blocks);
    free(runs);
}

void spilled_free(Spilled *p)
{
    if (!p)
        return;
    lookups_free(p->lookups);
    pthread_mutex_destroy(&p->mu);
    sorted_free(p->sorted);
    if (p->budget)
        budget_give(p->budget, p->step->id, p->n_bytes);
    if (p->file)
        spill_close(p->file);
    block_inputs_deinit(&p->inputs);
    runs_free(p->runs, p->n_runs);
    free(p->lacks_text);
    batch_unref(p->like);
    free(p);
}

Spilled *spilled_of_sorted(Run *r, const Step *s, Sorted *sorted, uint64_t n_bytes)
{
    Spilled *p = xcalloc(1, sizeof *p);
    p->sorted = sorted;
    p->budget = &r->budget;
    p->n_bytes = n_bytes;
    p->step = s;
    p->n_rows = sorted_n_rows(sorted);
    pthread_mutex_init(&p->mu, NULL);
    return p;
}

/* ---- putting ---- */

size_t spilled_block_bytes(const Run *r)
{
    uint64_t n = r->budget.share_bytes / (2 * SPILL_FAN_IN);
    return n < BLOCK_MIN ? BLOCK_MIN : n > BLOCK_MAX ? BLOCK_MAX : (size_t)n;
}

static uint32_t block_rows(const Run *r, const Batch *b)
{
    size_t row = batch_held_bytes(b) / (b->n_rows ? b->n_rows : 1) + 1;
    size_t n = spilled_block_bytes(r) / row;
    return n < 1 ? 1 : n > BLOCK_MAX_ROWS ? BLOCK_MAX_ROWS : (uint32_t)n;
}

static SpillRun *run_begin(Spilled *p)
{
    if (p->n_runs == p->cap_runs) {
        p->cap_runs = p->cap_runs ? 2 * p->cap_runs : 8;
        p->runs = xrealloc(p->runs, p->cap_runs * sizeof *p->runs);
    }
    p->runs[p->n_runs] = (SpillRun){0};
    return &p->runs[p->n_runs++];
}

/* What has no rows says of columns only which there are: a partition without groups has no text, whatever the others have. */
static void columns_note(Spilled *p, const Batch *plain)
{
    if (!p->lacks_text) {
        p->n_cols = plain->n_cols;
        p->lacks_text = xcalloc(p->n_cols + 1ull, sizeof *p->lacks_text);
    }
    if (!p->like || (p->n_rows == 0 && plain->n_rows)) {
        batch_unref(p->like);
        p->like = batch_slice(plain, 0, 0);
    }
    for (uint32_t c = 0; c < p->n_cols && plain->n_rows; c++)
        p->lacks_text[c] |= !plain->slots[c].text;
}

static SpillBlock *block_begin(SpillRun *run)
{
    if (run->n == run->cap) {
        run->cap = run->cap ? 2 * run->cap : 16;
        run->blocks = xrealloc(run->blocks, run->cap * sizeof *run->blocks);
    }
    return &run->blocks[run->n];
}

static void bytes_note(Run *r, const Spilled *p, uint64_t before)
{
    pthread_mutex_lock(&r->mu);
    r->spilled_bytes[p->step->id] += spill_bytes(p->file) - before;
    pthread_mutex_unlock(&r->mu);
}

void spilled_begin(Spilled *p)
{
    run_begin(p);
}

Status spilled_put_bytes(Run *r, Spilled *p, uint32_t k, const Buf *bytes, Error *err)
{
    SpillRun *run = &p->runs[k];
    uint64_t before = spill_bytes(p->file);
    Status st = spill_put(p->file, bytes->ptr, bytes->len, block_begin(run), err);
    run->n += st == OK;
    bytes_note(r, p, before);
    return st;
}

Batch *spilled_like(const Spilled *p)
{
    if (!p->like)
        return NULL;
    Batch *b = batch_slice(p->like, 0, 0);
    for (uint32_t c = 0; c < p->n_cols; c++)
        if (p->lacks_text[c])
            block_drop_text(b, c, NULL); /* of no rows */
    if (p->order == SPILL_BY_LAST)
        slot_unref(&b->slots[--b->n_cols]);
    return b;
}

void order_column_add(Batch *plain, Column *c)
{
    plain->types = xrealloc(plain->types, (plain->n_cols + 1ull) * sizeof *plain->types);
    plain->slots = xrealloc(plain->slots, (plain->n_cols + 1ull) * sizeof *plain->slots);
    plain->types[plain->n_cols] = c->type;
    plain->slots[plain->n_cols++] = (Slot){.raw_col = -1, .values = c};
}

void spilled_count(Run *r, const Spilled *p, uint64_t n_rows)
{
    if (p->is_again)
        return;
    pthread_mutex_lock(&r->mu);
    r->spilled_rows[p->step->id] += n_rows;
    pthread_mutex_unlock(&r->mu);
}

Status spilled_batch(const Spilled *p, const char *bytes, Heap *heap, Batch **out, Error *err)
{
    Status st = OK;
    *out = block_get(bytes, heap, &p->inputs);
    for (uint32_t c = 0; c < p->n_cols && st == OK; c++)
        if (p->lacks_text[c])
            st = block_drop_text(*out, c, err);
    return st;
}

Batch *spilled_plain(Run *r, Spilled *p, Batch *b)
{
    Batch *plain = block_plain(b, &p->inputs);
    columns_note(p, plain);
    p->n_rows += plain->n_rows;
    spilled_count(r, p, plain->n_rows);
    return plain;
}

Status spilled_get_bytes(Spilled *p, SpillBlock b, Heap **out, Error *err)
{
    Heap *heap = heap_new(b.n_bytes);
    heap_alloc(heap, b.n_bytes);
    Status st = spill_get(p->file, b, heap->bytes, err);
    if (st == OK)
        *out = heap;
    else
        heap_unref(heap);
    return st;
}

static Status rows_put(Run *r, Spilled *p, SpillRun *run, const Batch *plain, Error *err)
{
    uint32_t at_once = block_rows(r, plain);
    uint64_t before = spill_bytes(p->file);
    Buf bytes = {0};
    Status st = OK;
    for (uint32_t at = 0; at < plain->n_rows && st == OK; at += at_once) {
        uint32_t left = plain->n_rows - at, n = left < at_once ? left : at_once;
        buf_clear(&bytes);
        block_put(&bytes, plain, at, n);
        st = spill_put(p->file, bytes.ptr, bytes.len, block_begin(run), err);
        run->n += st == OK;
        if (left <= at_once)
            break;
    }
    buf_deinit(&bytes);
    bytes_note(r, p, before);
    return st;
}

/* A piece at a time is made plain: that takes twice the room and more. */
static Status batch_put(Run *r, Spilled *p, SpillRun *run, Batch *b, Error *err)
{
    Status st = OK;
    if (b->n_rows <= PIECE_ROWS) {
        Batch *plain = spilled_plain(r, p, b);
        st = rows_put(r, p, run, plain, err);
        batch_unref(plain);
        return st;
    }
    for (uint32_t at = 0, n; at < b->n_rows && st == OK; at += n) {
        n = b->n_rows - at < PIECE_ROWS ? b->n_rows - at : PIECE_ROWS;
        Batch *piece = batch_slice(b, at, n);
        Batch *plain = spilled_plain(r, p, piece);
        batch_unref(piece);
        st = rows_put(r, p, run, plain, err);
        batch_unref(plain);
    }
    return st;
}

Status spilled_append(Run *r, Spilled *p, Batch *b, Error *err)
{
    return batch_put(r, p, p->n_runs ? &p->runs[p->n_runs - 1] : run_begin(p), b, err);
}

Status spilled_put(Run *r, Spilled *p, Batch *b, Error *err)
{
    return b->n_rows ? batch_put(r, p, run_begin(p), b, err) : OK;
}

/* ---- streams ---- */

/* Where a stream is in one run, or in one batch that is still in memory. */
typedef struct Cursor {
    const SpillRun *run; /* NULL: only `batch` */
    uint32_t next;       /* block */
    Batch *batch;        /* the piece that is merged now; NULL: ended, or not begun */
    Column **keys;       /* of it, [n_keys] */
} Cursor;

struct Stream {
    Run *run;
    Vm *vm;            /* of its own: a step may read it while its code runs. NULL: no keys are computed */
    Spilled *p;
    SortedStream *sorted; /* not NULL: of rows in memory, and nothing else is used but ... */
    Loan loan;            /* ... this, if others help to make them */
    Cursor *cursors;   /* [n] */
    uint32_t n;
    uint32_t i_cursor; /* SPILL_AS_PUT: the one that is read */
    Merge *merge;
    bool *is_desc;     /* [n_keys] */
    uint32_t n_keys;
    uint32_t max;      /* rows of a merged batch */
    uint32_t *src, *rows; /* [max] */
    uint64_t n_bytes;  /* counted */
};

static void piece_drop(Stream *s, Cursor *c)
{
    for (uint32_t k = 0; c->keys && k < s->n_keys; k++)
        column_unref(c->keys[k]);
    free(c->keys);
    batch_unref(c->batch);
    c->keys = NULL;
    c->batch = NULL;
}

void stream_close(Stream *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        piece_drop(s, &s->cursors[i]);
    budget_give(&s->run->budget, s->p->step->id, s->n_bytes);
    loan_take_back(&s->loan);
    sorted_stream_close(s->sorted);
    merge_close(s->merge);
    vm_close(s->vm);
    free(s->cursors);
    free(s->is_desc);
    free(s->src);
    free(s->rows);
    free(s);
}

/* The next block of the run as c->batch; NULL at its end. */
static Status block_load(const Stream *s, Cursor *c, Error *err)
{
    if (c->next == c->run->n)
        return OK;
    Heap *heap = NULL;
    Status st = spilled_get_bytes(s->p, c->run->blocks[c->next++], &heap, err);
    if (st == OK)
        st = spilled_batch(s->p, heap->bytes, heap, &c->batch, err);
    heap_unref(heap);
    return st;
}

/* What the rows of a piece are merged by. */
static Status keys_find(Stream *s, Cursor *c, Error *err)
{
    const Batch *b = c->batch;
    if (s->p->order == SPILL_BY_LAST) {
        c->keys = xmalloc(sizeof *c->keys);
        c->keys[0] = column_ref(b->slots[b->n_cols - 1].values);
        return OK;
    }
    const VmInstance inst = vm_again(s->run, s->p->step);
    const Spec *spec;
    return vm_run_keys(s->vm, s->p->code, s->p->begin, &inst, b, &spec, &c->keys, err);
}

static Status piece_next(Stream *s, uint32_t i, Error *err)
{
    Cursor *c = &s->cursors[i];
    piece_drop(s, c);
    Status st = c->run ? block_load(s, c, err) : OK;
    if (st == OK && c->batch)
        st = keys_find(s, c, err);
    if (st == OK)
        merge_give(s->merge, i, c->keys, s->is_desc, c->batch ? c->batch->n_rows : 0);
    return st;
}

static void keys_open(Stream *s)
{
    s->n_keys = 1;
    const Spec *spec = NULL;
    if (s->p->order == SPILL_SORTED) {
        uint32_t i = s->p->begin;
        while (s->p->code->instrs[i].op != OP_SORT)
            i++;
        spec = &s->p->code->specs[s->p->code->instrs[i].a];
        s->n_keys = spec->n_keys;
    }
    s->is_desc = xcalloc(s->n_keys + 1ull, sizeof *s->is_desc);
    for (uint32_t k = 0; spec && k < s->n_keys; k++)
        s->is_desc[k] = spec->keys[k].is_desc;
}

static Stream *stream_new(Run *r, Spilled *p, uint32_t n)
{
    Stream *s = xcalloc(1, sizeof *s);
    s->run = r;
    s->vm = p->order == SPILL_SORTED ? vm_open() : NULL;
    s->p = p;
    s->n = n;
    s->cursors = xcalloc(n + 1ull, sizeof *s->cursors);
    s->n_bytes = (uint64_t)n * spilled_block_bytes(r);
    budget_take(&r->budget, p->step->id, s->n_bytes);
    return s;
}

/* Over some of the runs. */
static Status runs_stream(Run *r, Spilled *p, const SpillRun *runs, uint32_t n,
                          Stream **out, Error *err)
{
    Stream *s = stream_new(r, p, n);
    Status st = OK;
    for (uint32_t i = 0; i < n; i++)
        s->cursors[i].run = &runs[i];
    if (p->order != SPILL_AS_PUT) {
        keys_open(s);
        s->merge = merge_open(n, s->n_keys);
        for (uint32_t i = 0; i < n && st == OK; i++)
            st = piece_next(s, i, err);
    }
    if (st != OK) {
        stream_close(s);
        return st;
    }
    *out = s;
    return OK;
}

/* Rows enough for a merged batch to be about as large as two blocks. */
static void room_for_rows(Stream *s)
{
    if (s->max)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->cursors[i].batch) {
            s->max = 2 * block_rows(s->run, s->cursors[i].batch);
            break;
        }
    s->max = s->max ? s->max : 1;
    s->src = xmalloc(s->max * sizeof *s->src);
    s->rows = xmalloc(s->max * sizeof *s->rows);
}

static Status merged_next(Stream *s, Batch **out, Error *err)
{
    Status st = OK;
    room_for_rows(s);
    while (st == OK && !*out) {
        uint32_t wants, n = merge_next(s->merge, s->src, s->rows, s->max, &wants);
        if (n == 0)
            return OK;
        Batch **from = xmalloc((s->n + 1ull) * sizeof *from);
        for (uint32_t i = 0; i < s->n; i++)
            from[i] = s->cursors[i].batch;
        *out = block_interleave(from, s->n, s->src, s->rows, n, &s->p->inputs);
        free(from);
        if (wants != UINT32_MAX)
            st = piece_next(s, wants, err);
    }
    if (st != OK) {
        batch_unref(*out);
        *out = NULL;
    }
    return st;
}

static Status put_next(Stream *s, Batch **out, Error *err)
{
    while (!*out && s->i_cursor < s->n) {
        Cursor *c = &s->cursors[s->i_cursor];
        Status st = block_load(s, c, err);
        if (st != OK)
            return st;
        *out = c->batch;
        c->batch = NULL;
        s->i_cursor += *out == NULL;
    }
    return OK;
}

/* Loan.piece: a range of rows that will be wanted. */
static bool sorted_piece(void *ctx, uint32_t worker)
{
    const Stream *s = ctx;
    uint32_t n_rows;
    uint64_t begin = work_begin(s->run);
    bool has_made = sorted_stream_help(s->sorted, &n_rows);
    if (has_made)
        work_helped(s->run, s->p->step->id, worker, WORK_GATHER, begin, n_rows);
    return has_made;
}

/* What is in memory, in order. Where one is used there is room for another. */
static Batch *sorted_next(Stream *s)
{
    Batch *b = sorted_stream_next(s->sorted);
    if (s->loan.pool && sorted_stream_has_more(s->sorted))
        loan_more(&s->loan);
    return b;
}

static void sorted_begin(Stream *s, const Task *t)
{
    uint32_t n_helpers = t ? s->run->info->n_workers - 1 : 0;
    s->sorted = sorted_stream_open(s->p->sorted, n_helpers);
    if (n_helpers == 0)
        return;
    s->loan = (Loan){.ctx = s, .piece = sorted_piece};
    task_lend(t, &s->loan);
}

Status stream_next_whole(Stream *s, Batch **out, Error *err)
{
    *out = s->sorted ? sorted_next(s) : NULL;
    if (s->sorted)
        return OK;
    return s->merge ? merged_next(s, out, err) : put_next(s, out, err);
}

Status stream_next(Stream *s, Batch **out, Error *err)
{
    Status st = stream_next_whole(s, out, err);
    if (st == OK && *out && s->p->order == SPILL_BY_LAST)
        slot_unref(&(*out)->slots[--(*out)->n_cols]);
    return st;
}

/* ---- runs of many ---- */

static Status stream_put(Run *r, const Task *t, Spilled *p, Stream *from, SpillRun *to, Error *err)
{
    Status st = OK;
    for (;;) {
        Batch *b = NULL;
        st = task_check(t, err);
        if (st == OK)
            st = stream_next_whole(from, &b, err);
        if (st != OK || !b)
            return st;
        st = rows_put(r, p, to, b, err);
        batch_unref(b);
        if (st != OK)
            return st;
    }
}

/* Neighbours become one, so that of equal rows those of earlier runs stay first. */
static Status runs_merge(Run *r, const Task *t, Spilled *p, uint32_t at, uint32_t n, Error *err)
{
    SpillRun made = {0};
    Stream *s = NULL;
    Status st = runs_stream(r, p, p->runs + at, n, &s, err);
    if (st == OK)
        st = stream_put(r, t, p, s, &made, err);
    stream_close(s);
    if (st != OK) {
        free(made.blocks);
        return st;
    }
    for (uint32_t i = 0; i < n; i++)
        free(p->runs[at + i].blocks);
    p->runs[at] = made;
    memmove(p->runs + at + 1, p->runs + at + n, (p->n_runs - at - n) * sizeof *p->runs);
    p->n_runs -= n - 1;
    return OK;
}

Status spilled_finish(Run *r, const Task *t, Spilled *p, Error *err)
{
    uint32_t at = 0;
    Status st = OK;
    while (p->order != SPILL_AS_PUT && p->n_runs > SPILL_FAN_IN && st == OK) {
        uint32_t too_many = p->n_runs - SPILL_FAN_IN + 1, n = too_many < SPILL_FAN_IN ? too_many : SPILL_FAN_IN;
        at = at + n <= p->n_runs ? at : 0; /* on to those that are not merged yet */
        st = runs_merge(r, t, p, at++, n, err);
    }
    return st;
}

Status stream_open(Run *r, const Task *t, Spilled *p, Stream **out, Error *err)
{
    if (p->sorted) {
        *out = xcalloc(1, sizeof **out);
        (*out)->run = r;
        (*out)->p = p;
        sorted_begin(*out, t);
        return OK;
    }
    return runs_stream(r, p, p->runs, p->n_runs, out, err);
}
