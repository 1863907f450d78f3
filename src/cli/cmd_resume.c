/* cmd_resume.c - `resume`: the command line of a run that was begun, and its lists. Read bottom-up. */
#include <string.h>

#include "base/json.h"
#include "base/value.h"
#include "cli/program.h"

/* ---- going on ---- */

static int refused(const Term *t, const Error *err)
{
    int status = cli_failed(t, err);
    return err->status == ERR_DATA ? EXIT_USAGE : status; /* there is no such run, or none that can go on */
}

static const char *c_text(Arena *arena, Str s)
{
    return arena_str(arena, s).ptr;
}

/* What the command line said, as far as outputs depend on it; the rest is ours. */
static Args args_of(const Args *own, Arena *arena, const StoreFacts *f)
{
    Args a = *own;
    for (uint32_t i = 0; i < f->n_sets; i++)
        vec_push(arena, &a.sets, c_text(arena, f->sets[i]));
    a.has[OPT_SET] = f->n_sets > 0;
    a.has[OPT_SEED] = a.has[OPT_NOW] = true;
    a.number[OPT_SEED] = f->seed;
    a.number[OPT_NOW] = (uint64_t)f->now_us;
    a.has[OPT_MEMORY] = f->memory_bytes != 0;
    a.number[OPT_MEMORY] = f->memory_bytes;
    a.has[OPT_NO_EXEC] = f->forbids_exec;
    a.operands.n = 0;
    if (f->is_flow) {
        a.has[OPT_EXPR] = true;
        a.text[OPT_EXPR] = c_text(arena, f->text);
    } else if (f->program.len) {
        vec_push(arena, &a.operands, c_text(arena, f->program));
    }
    return a;
}

static int load(const Args *a, const Term *t, Arena *arena, const StoreFacts *f, Mill **out)
{
    if (f->is_flow || f->program.len)
        return cli_load(a, t, f->is_flow ? NULL : a->operands.ptr[0], out);
    return cli_load_text(a, t, f->n_sources ? c_text(arena, f->sources[0].name) : "-", f->text, out);
}

/* Is all as it was? Takes the run. */
static int go_on(const Args *own, const Term *t, Arena *arena, Store *store)
{
    const StoreFacts *f = store_facts(store);
    const Args a = args_of(own, arena, f);
    StoreFacts now = {0};
    Error err = {0};
    Mill *m = NULL;
    uint32_t job;
    Status st = OK;
    int status = load(&a, t, arena, f, &m);
    if (status == EXIT_OK) {
        mill_put_sources(m, &now);
        st = store_check_version(store, now.version, &err);
        if (st == OK)
            st = store_check_sources(store, now.sources, now.n_sources, &err);
        if (st == OK)
            st = store_check_inputs(store, &err);
    }
    if (status == EXIT_OK && st == OK)
        status = cli_job(&a, t, m, c_text(arena, f->job), &job);
    if (status == EXIT_OK && st == OK)
        status = cli_plan(&a, t, m, job);
    if (status == EXIT_OK && st == OK)
        st = mill_put_facts(m, job, &now, &err);
    if (status == EXIT_OK && st == OK)
        st = store_check_plan(store, now.plan_hash, &err);
    if (st != OK)
        status = refused(t, &err);
    if (status == EXIT_OK)
        status = cli_run(&a, t, m, job, store);
    else
        store_close(store, false);
    mill_close(m);
    return status;
}

static int resume(const Args *a, const Term *t)
{
    Arena *arena = arena_open();
    Store *store = NULL;
    Error err = {0};
    Str id = str_of(a->operands.n ? a->operands.ptr[0] : "");
    int status = store_resume(id, &store, &err) == OK ? go_on(a, t, arena, store) : refused(t, &err);
    arena_close(arena);
    return status;
}

/* ---- lists ---- */

static void entry_put_json(JsonWriter *w, const StoreEntry *e)
{
    json_begin_object(w);
    json_field_str(w, "id", e->id);
    json_field_cstr(w, "state", e->is_running ? "running" : "unfinished");
    json_field_str(w, "program", e->program);
    json_field_str(w, "job", e->job);
    json_field_uint(w, "outputs", e->n_kept);
    json_field_uint(w, "bytes", e->n_bytes);
    json_end_object(w);
}

static void entry_put(Buf *out, const StoreEntry *e)
{
    Buf size = {0};
    value_print(&size, (Value){.type = TYPE_SIZE, .i = (int64_t)e->n_bytes});
    buf_printf(out, "%.*s  %-10s  ", STR_ARG(e->id), e->is_running ? "running" : "unfinished");
    buf_put_visible(out, e->program);
    buf_putc(out, ' ');
    buf_put_visible(out, e->job);
    buf_printf(out, "  %llu output%s kept, %s\n", (unsigned long long)e->n_kept, e->n_kept == 1 ? "" : "s", size.ptr);
    buf_deinit(&size);
}

static int list(const Args *a, const Term *t)
{
    StoreList all;
    Error err = {0};
    Buf out = {0};
    int status = EXIT_OK;
    if (store_list(&all, &err) != OK) {
        status = cli_failed(t, &err);
    } else if (a->has[OPT_JSON]) {
        JsonWriter w;
        json_init(&w, &out, JSON_STYLE_PRETTY);
        json_begin_array(&w);
        for (uint32_t i = 0; i < all.n; i++)
            entry_put_json(&w, &all.entries[i]);
        json_end_array(&w);
        buf_putc(&out, '\n');
    } else {
        for (uint32_t i = 0; i < all.n; i++)
            entry_put(&out, &all.entries[i]);
        if (all.n == 0 && !a->has[OPT_QUIET])
            put_err(STR_LIT("there is no run to resume in this folder\n"));
    }
    if (status == EXIT_OK && !put_out(t, buf_str(&out)))
        status = EXIT_FAILED;
    buf_deinit(&out);
    store_list_deinit(&all);
    return status;
}

/* ---- removing ---- */

static int remove_one(const Args *a, const Term *t, Str id)
{
    Error err = {0};
    Buf said = {0};
    if (store_remove(id, &err) != OK)
        return refused(t, &err);
    buf_printf(&said, "removed %.*s\n", STR_ARG(id));
    if (!a->has[OPT_QUIET])
        put_err(buf_str(&said));
    buf_deinit(&said);
    return EXIT_OK;
}

static int remove_all(const Args *a, const Term *t)
{
    StoreList all;
    Error err = {0};
    int status = EXIT_OK;
    if (store_list(&all, &err) != OK)
        status = cli_failed(t, &err);
    for (uint32_t i = 0; i < all.n && status == EXIT_OK; i++)
        if (!all.entries[i].is_running)
            status = remove_one(a, t, all.entries[i].id);
    store_list_deinit(&all);
    return status;
}

int cmd_resume(const Args *a, const Term *t)
{
    if (a->operands.n > 1 || (a->has[OPT_LIST] && a->operands.n)) {
        complain(t, STR_LIT("pipemill resume [ID]; `pipemill resume --list` shows the IDs"), "`%s` is one too many",
                 a->operands.ptr[a->operands.n - 1]);
        return EXIT_USAGE;
    }
    if (a->has[OPT_LIST] && a->has[OPT_REMOVE]) {
        complain(t, (Str){0}, "`--list` and `--remove` are two things");
        return EXIT_USAGE;
    }
    if (a->has[OPT_JSON] && !a->has[OPT_LIST]) {
        complain(t, STR_LIT("pipemill resume --list --json"), "`--json` is of a list");
        return EXIT_USAGE;
    }
    if (a->has[OPT_LIST])
        return list(a, t);
    if (a->has[OPT_REMOVE])
        return a->operands.n ? remove_one(a, t, str_of(a->operands.ptr[0])) : remove_all(a, t);
    return resume(a, t);
}
