/* resume.c - what makes a run the same as one before: the texts of the program, and what they come to. */
#include "api/mill.h"

#include <xxhash.h>

#include "version.h"

bool mill_keeps(const Mill *m, uint32_t job)
{
    return m->plans[job]->keeps;
}

static Str hash_of(Arena *a, Str text)
{
    XXH128_hash_t h = XXH3_128bits(text.ptr ? text.ptr : "", text.len);
    return arena_printf(a, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

void mill_put_sources(Mill *m, StoreFacts *out)
{
    uint32_t n = sources_count(m->sources);
    StoreSource *all = arena_array(m->arena, StoreSource, n + 1ull);
    for (uint32_t i = 0; i < n; i++) {
        const Source *s = sources_get(m->sources, i);
        all[i] = (StoreSource){source_name(s), hash_of(m->arena, source_text(s))};
    }
    out->version = STR_LIT(PIPEMILL_VERSION);
    out->n_sources = n;
    out->sources = all;
}

Status mill_put_facts(Mill *m, uint32_t job, StoreFacts *out, Error *err)
{
    Buf text = {0};
    mill_put_sources(m, out);
    out->job = mill_job(m, job);
    mill_told_now(m, &out->now_us);
    /* Of one worker: how many there are is of no account. Together they have all that the steps are made of. */
    Status st = mill_dump(m, job, MILL_JSON, 1, &text, err);
    if (st == OK)
        st = mill_dump(m, job, MILL_BYTECODE, 1, &text, err);
    out->plan_hash = hash_of(m->arena, buf_str(&text));
    buf_deinit(&text);
    return st;
}
