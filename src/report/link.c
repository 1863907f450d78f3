/* Where the bars of each instance stand, and which bar let another begin: neither is in the events
 * of a run, both follow from the steps' inputs. */
#include <stdlib.h>

#include "report/recording.h"

/* Stable: what has the same number keeps its order. Places of `from` go to `to`. */
static void count_sort(const Recording *r, const uint32_t *from, uint32_t *to, uint32_t *first,
                       uint32_t n_numbers, bool by_step)
{
    for (uint32_t k = 0; k <= n_numbers; k++)
        first[k] = 0;
    for (uint32_t i = 0; i < r->n_bars; i++)
        first[(by_step ? r->bars[i].step : r->bars[i].frame) + 1]++;
    for (uint32_t k = 0; k < n_numbers; k++)
        first[k + 1] += first[k];
    for (uint32_t i = 0; i < r->n_bars; i++) {
        const Bar *b = &r->bars[from[i]];
        to[first[by_step ? b->step : b->frame]++] = from[i];
    }
    for (uint32_t k = n_numbers; k > 0; k--)
        first[k] = first[k - 1];
    first[0] = 0;
}

static void places_find(Recording *r)
{
    uint32_t n_steps = r->info.n_steps;
    r->by_place = arena_array(r->arena, uint32_t, r->n_bars);
    r->step_first = arena_array(r->arena, uint32_t, (size_t)n_steps + 1);
    uint32_t *by_frame = xmalloc((r->n_bars + (size_t)1) * sizeof *by_frame);
    uint32_t *first = xmalloc((r->n_frames + (size_t)1) * sizeof *first), n = 0;
    for (int is_help = 0; is_help < 2; is_help++)
        for (uint32_t i = 0; i < r->n_bars; i++)
            if ((r->bars[i].kind == BAR_HELP) == is_help)
                r->by_place[n++] = i;
    count_sort(r, r->by_place, by_frame, first, r->n_frames, false);
    count_sort(r, by_frame, r->by_place, r->step_first, n_steps, true);
    free(first);
    free(by_frame);
}

const uint32_t *recording_bars_of(const Recording *r, uint32_t step, uint32_t frame, uint32_t *n)
{
    uint32_t lo = r->step_first[step], end = r->step_first[step + 1], hi = end;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->bars[r->by_place[mid]].frame < frame)
            lo = mid + 1;
        else
            hi = mid;
    }
    uint32_t first = lo;
    for (hi = end; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;
        const Bar *b = &r->bars[r->by_place[mid]];
        if (b->frame < frame || (b->frame == frame && b->kind != BAR_HELP))
            lo = mid + 1;
        else
            hi = mid;
    }
    *n = lo - first;
    return r->by_place + first;
}

uint32_t recording_frame_in(const Recording *r, uint32_t frame, uint32_t scope)
{
    for (;; frame = r->frames[frame].parent) {
        if (r->frames[frame].scope == scope)
            return frame;
        if (frame == 0)
            return REC_NONE;
    }
}

/* The later end of two bars that may be REC_NONE. */
static uint32_t later_of(const Recording *r, uint32_t a, uint32_t b)
{
    if (a == REC_NONE || b == REC_NONE)
        return a == REC_NONE ? b : a;
    return r->bars[b].end_ns >= r->bars[a].end_ns ? b : a;
}

/* The last bar of the kind, of a step in a frame, that ended by then. */
static uint32_t last_ended(const Recording *r, uint32_t step, uint32_t frame, BarKind kind,
                           uint64_t by_ns)
{
    uint32_t n;
    const uint32_t *at = recording_bars_of(r, step, frame, &n);
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->bars[at[mid]].start_ns <= by_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    enum { MAX_LOOK = 64 }; /* folds of several inputs may overlap */
    for (uint32_t k = 0; k < MAX_LOOK && lo > 0; k++, lo--)
        if (r->bars[at[lo - 1]].kind == kind && r->bars[at[lo - 1]].end_ns <= by_ns)
            return at[lo - 1];
    return REC_NONE;
}

typedef struct Linker {
    Recording *rec;
    uint32_t *opener; /* [n_frames] the dispatch that gave the batch */
} Linker;

/* The bar that made the output of step `in` which frame `f` sees. */
static uint32_t output_of(const Linker *l, uint32_t in, uint32_t frame, uint64_t by_ns)
{
    const RunStep *s = &l->rec->info.steps[in];
    uint32_t f = recording_frame_in(l->rec, frame, s->child_scope ? s->child_scope : s->scope);
    if (f == REC_NONE)
        return REC_NONE;
    return s->child_scope ? l->opener[f] : last_ended(l->rec, in, f, BAR_RUN, by_ns);
}

/* A gathering step: its last fold, and the dispatch that found that there is no more. */
static uint32_t gathered_by(const Linker *l, const Bar *b, uint32_t scope)
{
    const Recording *r = l->rec;
    uint32_t fold = last_ended(r, b->step, b->frame, BAR_FOLD, b->start_ns);
    uint32_t generator = r->info.scopes[scope].generator;
    if (generator == RUN_NO_STEP)
        return fold;
    return later_of(r, fold, last_ended(r, generator, b->frame, BAR_RUN, b->start_ns));
}

static uint32_t input_of(const Linker *l, const Bar *b)
{
    const Recording *r = l->rec;
    const RunInfo *info = &r->info;
    const RunStep *s = &info->steps[b->step];
    uint32_t found = REC_NONE;
    bool is_commit = b->kind == BAR_FOLD && r->frames[b->child].scope == s->scope;
    if (is_commit)
        return last_ended(r, b->step, b->child, BAR_RUN, b->start_ns);
    for (uint32_t k = 0; k < s->n_inputs; k++) {
        uint32_t in = s->inputs[k], from = REC_NONE;
        const RunStep *is = &info->steps[in];
        uint32_t out = is->child_scope ? is->child_scope : is->scope;
        bool is_gather = out != 0 && out != s->scope && info->scopes[out].parent == s->scope;
        if (b->kind == BAR_FOLD)
            from = is_gather && out == r->frames[b->child].scope
                       ? output_of(l, in, b->child, b->start_ns)
                       : REC_NONE;
        else if (is_gather)
            from = gathered_by(l, b, out);
        else
            from = output_of(l, in, b->frame, b->start_ns);
        if (from != REC_NONE && r->bars[from].end_ns <= b->start_ns)
            found = later_of(r, found, from);
    }
    return found;
}

void recording_link(Recording *r)
{
    Linker l = {.rec = r, .opener = xmalloc(r->n_frames * sizeof *l.opener)};
    places_find(r);
    for (uint32_t k = 0; k < r->n_frames; k++)
        l.opener[k] = REC_NONE;
    for (uint32_t i = 0; i < r->n_bars; i++)
        if (r->bars[i].kind == BAR_RUN && r->bars[i].child != REC_NONE)
            l.opener[r->bars[i].child] = i;
    for (uint32_t p = 0; p < r->n_bars; p++) {
        Bar *b = &r->bars[r->by_place[p]];
        uint32_t prev = p ? r->by_place[p - 1] : REC_NONE;
        bool is_first = prev == REC_NONE || r->bars[prev].step != b->step ||
                        r->bars[prev].frame != b->frame;
        if (b->kind == BAR_HELP)
            continue;
        if (b->kind == BAR_RUN && !is_first && r->bars[prev].outcome == OUTCOME_RETRY)
            b->after = prev;
        else if (is_first || b->kind == BAR_FOLD || !r->info.steps[b->step].child_scope)
            b->after = input_of(&l, b);
    }
    free(l.opener);
}
