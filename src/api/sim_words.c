#include "api/sim_words.h"

#include "base/suggest.h"
#include "base/value.h"

#define PRIORITY_MAX 1000000 /* as @priority takes */

/* Cuts s at the first `mark`: what stands before it; *s is the rest. Without one, all. */
static Str cut(Str *s, const char *mark, bool *found)
{
    Str m = str_of(mark);
    for (uint32_t i = 0; i + m.len <= s->len; i++)
        if (str_starts(str_slice(*s, i, s->len), m)) {
            Str before = str_slice(*s, 0, i);
            *s = str_slice(*s, i + m.len, s->len);
            *found = true;
            return str_trim(before);
        }
    Str all = *s;
    *s = (Str){0};
    *found = false;
    return str_trim(all);
}

/* ---- items: NAME=VALUE, apart by commas */

typedef struct Item {
    const char *option, *form, *example; /* "--durations", what it takes, how it looks */
    Str name, value;
} Item;

/* 1: the next item; 0: there is no more; -1: it has no `=`, and err says so. */
static int item_next(Item *it, Str *rest, Error *err)
{
    bool found;
    if (str_trim(*rest).len == 0)
        return 0;
    Str whole = cut(rest, ",", &found), item = whole;
    it->name = cut(&item, "=", &found);
    it->value = str_trim(item);
    if (found && it->name.len && it->value.len)
        return 1;
    error_set(err, ERR_DATA, "`%s` takes %s, not `%.*s`\nfor example `%s %s`", it->option,
              it->form, STR_ARG(whole), it->option, it->example);
    return -1;
}

/* What was given, but says nothing. */
static Status nothing_given(const Item *it, Str text, Error *err)
{
    if (!text.ptr || str_trim(text).len)
        return OK;
    return error_set(err, ERR_DATA, "`%s` takes %s, and nothing was given\nfor example `%s %s`",
                     it->option, it->form, it->option, it->example);
}

static Status given_twice(const Item *it, Error *err)
{
    return error_set(err, ERR_DATA, "`%s` gives `%.*s` twice\nleave one of them out", it->option,
                     STR_ARG(it->name));
}

static Status bad_value(const Item *it, const char *what, Str value, Error *err)
{
    return error_set(err, ERR_DATA, "`%s %.*s=%.*s`: expected %s, not `%.*s`", it->option,
                     STR_ARG(it->name), STR_ARG(it->value), what, STR_ARG(value));
}

static Status step_unknown(const GraphSpec *g, const Item *it, bool only_generators, bool is_step,
                           Error *err)
{
    const char *what = only_generators ? "generator" : "step";
    Suggest near;
    Buf names = {0};
    suggest_init(&near, it->name);
    for (uint32_t i = 0; i < g->n_steps; i++) {
        if (only_generators && !g->steps[i].opens)
            continue;
        suggest_offer(&near, g->steps[i].name);
        buf_printf(&names, "%s%.*s", names.len ? ", " : "", STR_ARG(g->steps[i].name));
    }
    const char *list = names.len ? names.ptr : "none";
    if (is_step)
        error_set(err, ERR_DATA, "`%s`: the step `%.*s` gives no batches\nits generators: %s",
                  it->option, STR_ARG(it->name), list);
    else if (near.best.len)
        error_set(err, ERR_DATA, "`%s`: the job has no %s `%.*s`\ndid you mean `%.*s`?",
                  it->option, what, STR_ARG(it->name), STR_ARG(near.best));
    else
        error_set(err, ERR_DATA, "`%s`: the job has no %s `%.*s`\nits %ss: %s", it->option, what,
                  STR_ARG(it->name), what, list);
    buf_deinit(&names);
    return ERR_DATA;
}

static Status step_find(const GraphSpec *g, const Item *it, bool only_generators, uint32_t *step,
                        Error *err)
{
    for (uint32_t i = 0; i < g->n_steps; i++)
        if (str_eq(g->steps[i].name, it->name)) {
            *step = i;
            if (!only_generators || g->steps[i].opens)
                return OK;
            return step_unknown(g, it, only_generators, true, err);
        }
    return step_unknown(g, it, only_generators, false, err);
}

/* ---- durations */

static Status time_read(const Item *it, Str text, uint64_t *ns, Error *err)
{
    Value v;
    if (!value_parse(TYPE_DURATION, text, &v, NULL) || v.i < 0 || v.i > INT64_MAX / 1000)
        return bad_value(it, "a duration such as `200ms`, or a range such as `200ms..400ms`",
                         text, err);
    *ns = (uint64_t)v.i * 1000;
    return OK;
}

static Status duration_read(const Item *it, Duration *out, Error *err)
{
    Str rest = it->value;
    bool is_range;
    if (str_ends(rest, STR_LIT(" cpu"))) {
        out->is_cpu = true;
        rest = str_trim(str_slice(rest, 0, rest.len - 4));
    }
    Str least = cut(&rest, "..", &is_range), most = is_range ? str_trim(rest) : least;
    Status st = time_read(it, least, &out->least_ns, err);
    if (st == OK)
        st = time_read(it, most, &out->most_ns, err);
    if (st == OK && out->least_ns > out->most_ns)
        return error_set(err, ERR_DATA, "`--durations %.*s=%.*s`: the longer duration comes first",
                         STR_ARG(it->name), STR_ARG(it->value));
    return st;
}

Status durations_read(const GraphSpec *g, Str text, Duration *out, bool *is_written, Error *err)
{
    Item it = {.option = "--durations", .form = "NAME=TIME,...",
               .example = "load=200ms"};
    Duration others = {0};
    bool has_others = false;
    int more;
    if (nothing_given(&it, text, err) != OK)
        return ERR_DATA;
    while ((more = item_next(&it, &text, err)) > 0) {
        Duration d = {0};
        uint32_t step = 0;
        bool is_rest = str_is(it.name, "*");
        Status st = is_rest ? OK : step_find(g, &it, false, &step, err);
        if (st == OK)
            st = duration_read(&it, &d, err);
        if (st != OK)
            return st;
        if (is_rest ? has_others : is_written[step])
            return given_twice(&it, err);
        if (is_rest) {
            others = d;
            has_others = true;
            continue;
        }
        out[step] = d;
        is_written[step] = true;
    }
    for (uint32_t i = 0; i < g->n_steps; i++)
        if (!is_written[i])
            out[i] = others;
    return more < 0 ? ERR_DATA : OK;
}

/* ---- numbers */

static bool count_read(Str text, uint64_t *out)
{
    int64_t v;
    if (!value_parse_int(text, &v) || v < 0 || v >= UINT32_MAX)
        return false;
    *out = (uint64_t)v;
    return true;
}

Status batches_read(const GraphSpec *g, Str text, BatchCount *out, Error *err)
{
    Item it = {.option = "--batches", .form = "one number, or NAME=N,...",
               .example = "9"};
    uint64_t n;
    int more;
    if (nothing_given(&it, text, err) != OK)
        return ERR_DATA;
    if (count_read(str_trim(text), &n)) {
        for (uint32_t i = 1; i < g->n_scopes; i++)
            out[i] = (BatchCount){.is_known = true, .n = n};
        return OK;
    }
    while ((more = item_next(&it, &text, err)) > 0) {
        uint32_t step = 0;
        Status st = step_find(g, &it, true, &step, err);
        if (st != OK)
            return st;
        if (!count_read(it.value, &n))
            return bad_value(&it, "a whole number of batches", it.value, err);
        if (out[g->steps[step].opens].is_known)
            return given_twice(&it, err);
        out[g->steps[step].opens] = (BatchCount){.is_known = true, .n = n};
    }
    return more < 0 ? ERR_DATA : OK;
}

Status priorities_read(const GraphSpec *g, Str text, int32_t *out, bool *is_written, Error *err)
{
    Item it = {.option = "--priority", .form = "NAME=N,...",
               .example = "load=3"};
    int more;
    if (nothing_given(&it, text, err) != OK)
        return ERR_DATA;
    while ((more = item_next(&it, &text, err)) > 0) {
        uint32_t step = 0;
        int64_t v;
        Status st = step_find(g, &it, false, &step, err);
        if (st != OK)
            return st;
        if (!value_parse_int(it.value, &v) || v < -PRIORITY_MAX || v > PRIORITY_MAX)
            return bad_value(&it, "a whole number from -1000000 to 1000000", it.value, err);
        if (is_written[step])
            return given_twice(&it, err);
        out[step] = (int32_t)v;
        is_written[step] = true;
    }
    return more < 0 ? ERR_DATA : OK;
}
