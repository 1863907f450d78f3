#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/utf8.h"
#include "data/fd.h"
#include "data/files.h"
#include "store/facts.h"
#include "store/folders.h"

struct Store {
    Arena *arena;
    Str id;
    Buf folder;
    int lock_fd;
    StoreFacts facts;
    Map noted; /* inputs and patterns, by input_key */
    int inputs_fd; /* -1: not opened yet */
};

static void path_of(Buf *out, const Store *s, const char *name)
{
    buf_printf(out, "%s/%s", s->folder.ptr, name);
}

/* ---- opening ---- */

static Store *store_new(void)
{
    Store *s = xcalloc(1, sizeof *s);
    s->arena = arena_open();
    s->lock_fd = s->inputs_fd = -1;
    map_init(&s->noted, s->arena);
    return s;
}

static void store_free(Store *s)
{
    if (s->inputs_fd >= 0)
        close(s->inputs_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* the last thing: from here on it is free */
    buf_deinit(&s->folder);
    arena_close(s->arena);
    free(s);
}

void store_close(Store *s, bool is_over)
{
    if (!s)
        return;
    if (is_over)
        run_remove(s->folder.ptr);
    store_free(s);
}

Status store_begin(const StoreFacts *facts, Store **out, Error *err)
{
    Store *s = store_new();
    Buf path = {0};
    Status st = facts_check(facts, err);
    if (st == OK) {
        runs_sweep();
        st = run_begin(&s->folder, &s->lock_fd, err);
    }
    if (st == OK) {
        path_of(&path, s, "run.json");
        st = facts_write(path.ptr, facts, err);
        buf_deinit(&path);
    }
    if (st == OK)
        st = run_name(&s->folder, s->arena, &s->id, err);
    if (st != OK) {
        store_close(s, s->lock_fd >= 0);
        return st;
    }
    *out = s;
    return OK;
}

static Status no_such(Str id, Error *err)
{
    if (id.len)
        return error_set(err, ERR_DATA, "there is no run `%.*s` to resume in `" RUNS "`\n"
                                        "`pipemill resume --list` shows those that there are; one that ended well is removed",
                         STR_ARG(id));
    return error_set(err, ERR_DATA, "there is no run to resume in `" RUNS "`\n"
                                    "a job with `@checkpoint` that does not end well leaves one in the folder where it was started");
}

static Status remove_help(const Store *s, Error *err, const char *what, Str name)
{
    Buf shown = {0};
    buf_put_visible(&shown, name);
    const char *quote = shown.len ? "`" : "";
    Status st = error_set(err, ERR_DATA, "%s%.300s%s%s\n"
                                         "begin anew with `pipemill run`; `pipemill resume --remove %.*s` removes what was kept",
                          quote, shown.len ? shown.ptr : "", quote, what, STR_ARG(s->id));
    buf_deinit(&shown);
    return st;
}

static bool exists(const Store *s, const char *name)
{
    Buf path = {0};
    path_of(&path, s, name);
    bool yes = access(path.ptr, F_OK) == 0;
    buf_deinit(&path);
    return yes;
}

static Status store_take(Store *s, Str id, Error *err)
{
    bool is_running = false;
    if (memchr(id.ptr ? id.ptr : "", '/', id.len) || !id.len || !run_is_name(id.ptr))
        return no_such(id, err);
    s->id = arena_str(s->arena, id);
    buf_printf(&s->folder, RUNS "/%.*s", STR_ARG(id));
    if (!exists(s, "."))
        return no_such(id, err);
    Status st = run_lock(s->folder.ptr, &s->lock_fd, &is_running, err);
    if (is_running)
        return error_set(err, ERR_DATA, "run `%.*s` is still running\n"
                                        "wait for its end, or end it first; `pipemill resume --list` shows all",
                         STR_ARG(id));
    Buf path = {0};
    path_of(&path, s, "run.json");
    if (st == OK && !facts_read(path.ptr, s->arena, &s->facts))
        st = remove_help(s, err, " does not read: what the run was of is not known", str_of(path.ptr));
    buf_deinit(&path);
    if (st == OK && exists(s, "commit"))
        st = remove_help(s, err, "the run ended while it appended to a table: whether the rows are there is not known", (Str){0});
    return st;
}

Status store_resume(Str id, Store **out, Error *err)
{
    Store *s = store_new();
    Str *ids;
    uint32_t n;
    Status st = runs_find(s->arena, &ids, &n, err);
    if (st == OK && !id.len && n)
        id = ids[n - 1];
    if (st == OK)
        st = store_take(s, id, err);
    if (st != OK) {
        store_free(s);
        return st;
    }
    *out = s;
    return OK;
}

const StoreFacts *store_facts(const Store *s)
{
    return &s->facts;
}

Str store_id(const Store *s)
{
    return s->id;
}

const char *store_folder(const Store *s)
{
    return s->folder.ptr;
}

/* ---- is it the same? ---- */

Status store_check_version(const Store *s, Str now, Error *err)
{
    Buf text = {0};
    if (str_eq(now, s->facts.version))
        return OK;
    buf_printf(&text, "the run was begun by pipemill %.*s, and this is %.*s", STR_ARG(s->facts.version), STR_ARG(now));
    Status st = remove_help(s, err, text.ptr, (Str){0});
    buf_deinit(&text);
    return st;
}

Status store_check_sources(const Store *s, const StoreSource *now, uint32_t n, Error *err)
{
    const StoreFacts *f = &s->facts;
    for (uint32_t i = 0; i < n || i < f->n_sources; i++) {
        if (i >= n)
            return remove_help(s, err, " is not part of the program any more", f->sources[i].name);
        if (i >= f->n_sources)
            return remove_help(s, err, " was no part of the program when the run began", now[i].name);
        if (!str_eq(now[i].name, f->sources[i].name) || !str_eq(now[i].hash, f->sources[i].hash))
            return remove_help(s, err, " has changed since the run began: the outputs would be of two programs", now[i].name);
    }
    return OK;
}

Status store_check_plan(const Store *s, Str hash, Error *err)
{
    if (str_eq(hash, s->facts.plan_hash))
        return OK;
    return remove_help(s, err, "the program comes to other steps than when the run began, by what it asks of the environment", (Str){0});
}

Status store_check_inputs(Store *s, Error *err)
{
    StoreInput *inputs;
    uint32_t n;
    Buf path = {0};
    path_of(&path, s, "inputs");
    Status st = inputs_read(path.ptr, s->arena, &inputs, &n, err);
    buf_deinit(&path);
    for (uint32_t i = 0; i < n && st == OK; i++) {
        const StoreInput *was = &inputs[i];
        StoreInput now = {0};
        int why = was->is_pattern ? 0 : input_look(was->path, &now);
        if (was->is_pattern) {
            FileList *list = NULL;
            st = files_list(was->path, &list, err);
            if (st == OK && list->n != was->n_files)
                st = remove_help(s, err, " matches other files than when the run began", was->path);
            files_free(list);
        } else if (why == ENOENT) {
            st = remove_help(s, err, " is not there any more, and the run has to read it", was->path);
        } else if (why || now.size != was->size || now.modified_ns != was->modified_ns) {
            st = remove_help(s, err, " has changed since the run began: the outputs would be of two inputs", was->path);
        }
        map_put(&s->noted, input_key(s->arena, was->path, was->is_pattern), s);
    }
    return st;
}

/* ---- noting ---- */

/* To append to. What a run that was killed left of a last line goes: nothing was read that is not noted as a whole. */
static int inputs_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    for (char c = '\0'; end > 0 && pread(fd, &c, 1, end - 1) == 1 && c != '\n'; )
        end--;
    if (fd < 0 || ftruncate(fd, end) == 0)
        return fd;
    close(fd);
    return -1;
}

static Status line_append(Store *s, const StoreInput *input, Error *err)
{
    Buf path = {0}, line = {0};
    Status st = OK;
    path_of(&path, s, "inputs");
    if (s->inputs_fd < 0)
        s->inputs_fd = inputs_open(path.ptr);
    input_put(&line, input);
    if (s->inputs_fd < 0 || !fd_write(s->inputs_fd, line.ptr, line.len) || fsync(s->inputs_fd) != 0)
        st = folder_error("write", path.ptr, err);
    buf_deinit(&path);
    buf_deinit(&line);
    return st;
}

static Status file_note(Store *s, Str path, Error *err)
{
    StoreInput now = {.path = path};
    Str key = input_key(s->arena, path, false);
    if (map_get(&s->noted, key))
        return OK;
    int why = input_look(path, &now);
    if (why == ENOENT) /* the read says so, and a later run may find it */
        return OK;
    Buf shown = {0};
    buf_put_visible(&shown, path);
    Status st = OK;
    if (why == EINVAL)
        st = error_set(err, ERR_DATA, "`%.300s` is no file that can be read again, so that the run could not be resumed\n"
                                      "put it into a file first, or leave `@checkpoint` out",
                       shown.ptr);
    else if (utf8_valid_prefix(path) < path.len)
        st = error_set(err, ERR_DATA, "the name `%.300s` is not UTF-8, so that the run could not be resumed\n"
                                      "give the file another name, or leave `@checkpoint` out",
                       shown.ptr);
    buf_deinit(&shown);
    if (st == OK && why == 0)
        st = line_append(s, &now, err);
    if (st == OK)
        map_put(&s->noted, key, s);
    return st;
}

Status store_note_input(void *ctx, Str path, bool is_pattern, Error *err)
{
    Store *s = ctx;
    if (!is_pattern)
        return file_note(s, path, err);
    Str key = input_key(s->arena, path, true);
    if (map_get(&s->noted, key))
        return OK;
    FileList *list = NULL;
    Status st = files_list(path, &list, err);
    for (uint32_t i = 0; st == OK && i < list->n; i++)
        st = file_note(s, list->files[i].path, err);
    if (st == OK)
        st = line_append(s, &(StoreInput){.path = path, .is_pattern = true, .n_files = list->n}, err);
    if (st == OK)
        map_put(&s->noted, key, s);
    files_free(list);
    return st;
}

Status store_note_commit(void *ctx, Error *err)
{
    Store *s = ctx;
    Buf path = {0};
    path_of(&path, s, "commit");
    int fd = open(path.ptr, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    Status st = fd >= 0 && fsync(fd) == 0 ? OK : folder_error("write", path.ptr, err);
    if (fd >= 0)
        close(fd);
    buf_deinit(&path);
    return st;
}

/* ---- all of them ---- */

static void kept_count(const Store *s, StoreEntry *e)
{
    Buf path = {0};
    DIR *runs = opendir(s->folder.ptr);
    for (struct dirent *step; runs && (step = readdir(runs)) != NULL; ) {
        buf_clear(&path);
        path_of(&path, s, step->d_name);
        DIR *d = run_is_name(step->d_name) ? opendir(path.ptr) : NULL;
        for (struct dirent *f; d && (f = readdir(d)) != NULL; ) {
            struct stat st;
            bool is_begun = str_ends(str_of(f->d_name), STR_LIT(".new"));
            if (run_is_name(f->d_name) && !is_begun && fstatat(dirfd(d), f->d_name, &st, 0) == 0) {
                e->n_kept++;
                e->n_bytes += (uint64_t)st.st_size;
            }
        }
        if (d)
            closedir(d);
    }
    if (runs)
        closedir(runs);
    buf_deinit(&path);
}

static void entry_read(Arena *a, Str id, StoreEntry *e)
{
    Store *s = store_new();
    Buf path = {0};
    s->id = id;
    buf_printf(&s->folder, RUNS "/%.*s", STR_ARG(id));
    path_of(&path, s, "run.json");
    *e = (StoreEntry){.id = id, .program = STR_LIT("?"), .job = STR_LIT("?")};
    if (facts_read(path.ptr, a, &s->facts)) {
        const StoreFacts *f = &s->facts;
        e->program = f->program.len ? f->program : f->is_flow ? STR_LIT("-e") : STR_LIT("-");
        e->job = f->job;
    }
    kept_count(s, e);
    run_lock(s->folder.ptr, &s->lock_fd, &e->is_running, NULL);
    buf_deinit(&path);
    store_free(s);
}

Status store_list(StoreList *out, Error *err)
{
    Str *ids;
    uint32_t n;
    *out = (StoreList){.arena = arena_open()};
    Status st = runs_find(out->arena, &ids, &n, err);
    out->entries = arena_array(out->arena, StoreEntry, n + 1ull);
    for (; out->n < n; out->n++)
        entry_read(out->arena, ids[out->n], &out->entries[out->n]);
    return st;
}

void store_list_deinit(StoreList *l)
{
    arena_close(l->arena);
}

Status store_remove(Str id, Error *err)
{
    Store *s = store_new();
    Status st = store_take(s, id, err);
    bool is_ours = s->lock_fd >= 0;
    if (is_ours) { /* also one that does not read */
        run_remove(s->folder.ptr);
        st = OK;
    }
    store_free(s);
    return st;
}
