#include "store/facts.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/utf8.h"
#include "data/fd.h"
#include "store/folders.h"

#define FORMAT 1 /* of run.json; another one is not read */

/* ---- run.json ---- */

static bool is_text(Str s)
{
    return utf8_valid_prefix(s) == s.len && (!s.len || !memchr(s.ptr, '\0', s.len));
}

static Status not_text(const char *what, Str s, Error *err)
{
    Buf shown = {0};
    buf_put_visible(&shown, s);
    Status st = error_set(err, ERR_DATA, "%s `%.300s` is not UTF-8, so that the run could not be resumed\n"
                                         "write it in UTF-8, or leave `@checkpoint` out",
                          what, shown.ptr ? shown.ptr : "");
    buf_deinit(&shown);
    return st;
}

Status facts_check(const StoreFacts *f, Error *err)
{
    for (uint32_t i = 0; i < f->n_sets; i++)
        if (!is_text(f->sets[i]))
            return not_text("--set", f->sets[i], err);
    for (uint32_t i = 0; i < f->n_sources; i++)
        if (!is_text(f->sources[i].name))
            return not_text("the program's name", f->sources[i].name, err);
    return is_text(f->text) ? OK : not_text("the program", f->text, err);
}

static void facts_put(Buf *out, const StoreFacts *f)
{
    JsonWriter w;
    char seed[32];
    json_init(&w, out, JSON_STYLE_PRETTY);
    json_begin_object(&w);
    json_field_int(&w, "format", FORMAT);
    json_field_str(&w, "pipemill", f->version);
    json_field_str(&w, "program", f->program);
    json_field_str(&w, "text", f->text);
    json_field_bool(&w, "is_flow", f->is_flow);
    json_field_str(&w, "job", f->job);
    json_field_strs(&w, "set", f->sets, f->n_sets);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)f->seed); /* as text: it has 64 bits */
    json_field_str(&w, "seed", str_of(seed));
    json_field_int(&w, "now_us", f->now_us);
    json_field_uint(&w, "memory_bytes", f->memory_bytes);
    json_field_uint(&w, "batch_rows", f->auto_rows);
    json_field_bool(&w, "forbids_exec", f->forbids_exec);
    json_key(&w, "sources");
    json_begin_array(&w);
    for (uint32_t i = 0; i < f->n_sources; i++) {
        json_begin_object(&w);
        json_field_str(&w, "name", f->sources[i].name);
        json_field_str(&w, "hash", f->sources[i].hash);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_field_str(&w, "plan", f->plan_hash);
    json_end_object(&w);
    buf_putc(out, '\n');
}

Status facts_write(const char *path, const StoreFacts *f, Error *err)
{
    Buf temp = {0}, text = {0};
    buf_printf(&temp, "%s.new", path);
    facts_put(&text, f);
    int fd = open(temp.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool ok = fd >= 0 && fd_write(fd, text.ptr, text.len) && fsync(fd) == 0;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && rename(temp.ptr, path) == 0;
    Status st = ok ? OK : folder_error("write", path, err);
    buf_deinit(&temp);
    buf_deinit(&text);
    return st;
}

/* Each fails where the key is not there, or of another type: *ok is false from then on. */
static Str get_text(Arena *a, const json_t *o, const char *key, bool *ok)
{
    const json_t *v = json_object_get(o, key);
    *ok = *ok && json_is_string(v);
    return *ok ? arena_str(a, (Str){json_string_value(v), (uint32_t)json_string_length(v)}) : (Str){"", 0};
}

static int64_t get_int(const json_t *o, const char *key, bool *ok)
{
    const json_t *v = json_object_get(o, key);
    *ok = *ok && json_is_integer(v);
    return *ok ? json_integer_value(v) : 0;
}

static bool get_bool(const json_t *o, const char *key, bool *ok)
{
    const json_t *v = json_object_get(o, key);
    *ok = *ok && json_is_boolean(v);
    return *ok && json_is_true(v);
}

static const json_t *get_array(const json_t *o, const char *key, uint32_t *n, bool *ok)
{
    const json_t *v = json_object_get(o, key);
    *ok = *ok && json_is_array(v);
    *n = *ok ? (uint32_t)json_array_size(v) : 0;
    return v;
}

static void get_lists(Arena *a, const json_t *o, StoreFacts *f, bool *ok)
{
    const json_t *sets = get_array(o, "set", &f->n_sets, ok);
    Str *set = arena_array(a, Str, f->n_sets + 1ull);
    for (uint32_t i = 0; i < f->n_sets; i++) {
        const char *text = json_string_value(json_array_get(sets, i));
        *ok = *ok && text;
        set[i] = arena_str(a, str_of(text));
    }
    f->sets = set;
    const json_t *sources = get_array(o, "sources", &f->n_sources, ok);
    StoreSource *source = arena_array(a, StoreSource, f->n_sources + 1ull);
    for (uint32_t i = 0; i < f->n_sources; i++) {
        source[i].name = get_text(a, json_array_get(sources, i), "name", ok);
        source[i].hash = get_text(a, json_array_get(sources, i), "hash", ok);
    }
    f->sources = source;
}

bool facts_read(const char *path, Arena *a, StoreFacts *out)
{
    json_error_t why;
    json_t *o = json_load_file(path, 0, &why);
    bool ok = o != NULL;
    *out = (StoreFacts){0};
    ok = ok && get_int(o, "format", &ok) == FORMAT;
    if (ok) {
        out->version = get_text(a, o, "pipemill", &ok);
        out->program = get_text(a, o, "program", &ok);
        out->text = get_text(a, o, "text", &ok);
        out->is_flow = get_bool(o, "is_flow", &ok);
        out->job = get_text(a, o, "job", &ok);
        out->seed = strtoull(get_text(a, o, "seed", &ok).ptr, NULL, 10);
        out->now_us = get_int(o, "now_us", &ok);
        out->memory_bytes = (uint64_t)get_int(o, "memory_bytes", &ok);
        out->auto_rows = (uint64_t)get_int(o, "batch_rows", &ok);
        out->forbids_exec = get_bool(o, "forbids_exec", &ok);
        out->plan_hash = get_text(a, o, "plan", &ok);
        get_lists(a, o, out, &ok);
    }
    json_decref(o);
    return ok;
}

/* ---- inputs ---- */

int input_look(Str path, StoreInput *out)
{
    struct stat st;
    char *name = xstrndup(path.ptr, path.len);
    int why = stat(name, &st) == 0 ? 0 : errno;
    free(name);
    if (why)
        return why;
    out->size = (int64_t)st.st_size;
    out->modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? 0 : EINVAL; /* of a folder the read says that it is one */
}

Str input_key(Arena *a, Str path, bool is_pattern)
{
    return arena_printf(a, "%s%.*s", is_pattern ? "*" : "=", STR_ARG(path));
}

void input_put(Buf *out, const StoreInput *in)
{
    JsonWriter w;
    json_init(&w, out, JSON_STYLE_COMPACT);
    json_begin_object(&w);
    json_field_str(&w, in->is_pattern ? "pattern" : "path", in->path);
    if (in->is_pattern) {
        json_field_uint(&w, "files", in->n_files);
    } else {
        json_field_int(&w, "size", in->size);
        json_field_int(&w, "modified_ns", in->modified_ns);
    }
    json_end_object(&w);
    buf_putc(out, '\n');
}

static bool line_read(Arena *a, const char *line, size_t len, StoreInput *out)
{
    json_error_t why;
    json_t *o = json_loadb(line, len, 0, &why);
    bool ok = o != NULL;
    out->is_pattern = ok && json_object_get(o, "pattern");
    out->path = get_text(a, o, out->is_pattern ? "pattern" : "path", &ok);
    if (out->is_pattern) {
        out->n_files = (uint64_t)get_int(o, "files", &ok);
    } else {
        out->size = get_int(o, "size", &ok);
        out->modified_ns = get_int(o, "modified_ns", &ok);
    }
    json_decref(o);
    return ok;
}

Status inputs_read(const char *path, Arena *a, StoreInput **out, uint32_t *n, Error *err)
{
    FILE *f = fopen(path, "rb");
    char *line = NULL;
    size_t room = 0, cap = 0;
    *out = NULL;
    *n = 0;
    if (!f && errno == ENOENT)
        return OK;
    if (!f)
        return error_set(err, ERR_IO, "cannot read `%s`: %s", path, strerror(errno));
    for (ssize_t len; (len = getline(&line, &room, f)) > 0 && line[len - 1] == '\n'; ) {
        StoreInput in = {0};
        if (!line_read(a, line, (size_t)len, &in)) {
            in = (StoreInput){.path = arena_str(a, str_of(path)), .size = -1}; /* damaged: it is as if an input had changed */
        }
        *out = arena_grow(a, *out, *n, &cap, sizeof **out);
        (*out)[(*n)++] = in;
    }
    free(line);
    fclose(f);
    return OK;
}
