/* tell.c - how instances tell of the bad rows that their steps' policies let pass. */
#include <stdlib.h>

#include "run/run_int.h"

void rejects_of(const Step *s, Rejects *told)
{
    told->policy = s->bad_rows;
    told->keeps_lines = s->rejects != 0;
}

/* The frame whose key is the step's, as the program sees it: parts of a table have none. */
static const Frame *key_frame(const Step *s, const Frame *f)
{
    if (s->part_of)
        while (frame_scope(f) > s->part_of->scope)
            f = frame_parent(f);
    return f;
}

/* The path of a file that depends on the batch. */
static Status path_of(Run *r, Vm *vm, const Step *s, Str key, bool is_batch, Buf *out, Error *err)
{
    static const VmHost no_host = {0}; /* expressions reach nothing outside */
    const Code *code = r->reject_codes[s->rejects - 1];
    const VmInstance inst = {.seed = r->options.seed, .step = s->name, .key = key, .levels = key, .is_batch = is_batch};
    Batch *row = batch_new(1, 0), *made = NULL;
    Status st = vm_run(vm, code, &no_host, &inst, row, &made, err);
    if (st == OK) {
        Value v = column_value(made->slots[0].values, 0);
        if (v.is_null || v.s.len == 0)
            st = error_set(err, ERR_DATA, "the path of rejected rows is %s", v.is_null ? "null" : "empty");
        else
            buf_put_str(out, v.s);
    }
    batch_unref(made);
    batch_unref(row);
    return st;
}

static bool is_by_key(const Run *r, const Step *s)
{
    return s->rejects && r->plan->rejects[s->rejects - 1].by_key;
}

Status tell_open(Run *r, Error *err)
{
    Status st = OK;
    Vm *vm = vm_open();
    r->root_paths = xcalloc(r->plan->n_rejects + 1ull, sizeof *r->root_paths);
    for (uint32_t i = 0; i < r->plan->n_steps && st == OK; i++) {
        const Step *s = r->plan->steps[i];
        if (is_by_key(r, s) && r->root_paths[s->rejects - 1].len == 0)
            st = path_of(r, vm, s, (Str){"", 0}, false, &r->root_paths[s->rejects - 1], err);
    }
    vm_close(vm);
    return st;
}

void tell_close(Run *r)
{
    for (uint32_t i = 0; r->root_paths && i < r->plan->n_rejects; i++)
        buf_deinit(&r->root_paths[i]);
    free(r->root_paths);
}

void tell_table(void *ctx, uint32_t pc, Rejects *told)
{
    const Host *h = ctx;
    const Step *s = h->step;
    Str path = is_by_key(h->run, s) ? buf_str(&h->run->root_paths[s->rejects - 1]) : (Str){0};
    task_tell_bad_rows(h->task, s->id, told->n_skipped, told->n_nulled);
    /* Which instance was the first does not show: the place in the code stands for the key. What the temporary file
     * says against it, it says again to the next that tells. */
    rejected_add(h->run->rejected, s->id, REJECTED_TABLE, &pc, 1, path, told, NULL);
}

Status tell(Run *r, const Task *t, const Step *s, RejectedPart part, const Frame *frame, int64_t next, Rejects *told,
            Error *err)
{
    Status st = OK;
    if (!rejects_has_any(told))
        return OK;
    uint32_t n = frame_depth(frame), n_key = n + (next >= 0), *key = xcalloc(n_key + 1ull, sizeof *key);
    const Frame *f = frame;
    for (uint32_t i = n; i > 0; i--, f = frame_parent(f))
        key[i - 1] = frame_index(f);
    if (next >= 0)
        key[n] = (uint32_t)next;
    Buf path = {0}, text = {0};
    if (is_by_key(r, s)) {
        frame_put_key(key_frame(s, frame), '/', &text);
        if (next >= 0 && !s->part_of)
            buf_printf(&text, "%s%lld", text.len ? "/" : "", (long long)next);
        st = path_of(r, r->vms[t->worker], s, buf_str(&text), frame_depth(key_frame(s, frame)) > 0 || text.len, &path, err);
        if (st == OK && !outputs_claim(r->outputs, buf_str(&path)))
            st = error_set(err, ERR_FAIL_PERMANENT, "rejected rows and a step go to `%.*s`; give them paths of their own",
                           STR_ARG(buf_str(&path)));
    }
    if (st == OK) {
        task_tell_bad_rows(t, s->id, told->n_skipped, told->n_nulled);
        st = rejected_add(r->rejected, s->id, part, key, n_key, buf_str(&path), told, err);
    }
    buf_deinit(&path);
    buf_deinit(&text);
    free(key);
    return st;
}

const Frame *frame_of_scope(const Frame *f, uint32_t scope)
{
    while (frame_scope(f) != scope)
        f = frame_parent(f);
    return f;
}
