/* All orders of small specs. From each state that can be reached, everything that may happen
 * next is tried: a free worker takes what the graph gives it, or is slow to come; any running
 * instance or fold ends, well or, where the spec says so, badly; the next retry is due; the
 * run is cancelled. In every state all invariants hold and no scope has more live batches
 * than its bound; and where the bound is that of the workers, some order attains it.
 *
 * It searches depth first. The graph cannot be copied, so to go back it is made again and
 * led down the path; a state that was seen before is not gone into again. What makes two
 * states the same needs the graph's insides: graph_int.h.
 *
 *   sched_explore_test          what `make test` takes
 *   sched_explore_test LEVEL    1: larger ones too, as in `make test-long`
 */
#include "unit.h"

#include "sched/bound.h"
#include "sched/graph_int.h"
#include "sched_spec.h"

enum { MAX_WORKERS = 3, MAX_DEPTH = 400, MAX_ACTIONS = 32 };

/* What may happen in a spec besides that all goes well. */
typedef struct Game {
    const char *name;
    TestSpec t;
    uint32_t n_workers;
    uint32_t n_batches[MAX_STEPS]; /* of each generator */
    uint32_t n_fails;              /* so many attempts may fail ... */
    uint32_t may_fail;             /* ... of these steps: a bit each */
    uint32_t n_bad_folds;          /* so many folds may fail or have enough */
    bool may_stop;
    uint64_t max_states;           /* then it is left; 0: none */
} Game;

typedef enum ActionKind { ACT_START, ACT_END, ACT_TIMER, ACT_STOP } ActionKind;

typedef enum Ending { END_WELL, END_FAIL, END_FAIL_SOON, END_FOLD_ENOUGH, END_FOLD_FAIL } Ending;

typedef struct Action {
    ActionKind kind;
    uint32_t item; /* ACT_END: which of those that run */
    Ending ending;
} Action;

typedef struct Item {
    Instance *inst; /* NULL: a fold */
    Fold fold;
} Item;

typedef struct Run {
    const Game *game;
    Graph *graph;
    Item items[MAX_WORKERS];
    uint32_t n_items, n_fails_left, n_bad_folds_left;
    uint32_t n_put, n_released, n_opened, n_closed;
    uint64_t result;
    const char *wrong;
    uint32_t n_overdrafts;
} Run;

typedef struct Search {
    const Game *game;
    Bounds *bounds;
    uint64_t limit[MAX_SCOPES];
    uint32_t peak[MAX_SCOPES];
    Run run;
    uint8_t path[MAX_DEPTH];
    uint64_t *seen; /* [cap], 0: free */
    uint64_t n_seen, cap;
    uint64_t result; /* of the first end; 0: none yet */
    uint32_t n_ends;
    bool is_left;
    const char *wrong;
} Search;

/* ---- one run, led by actions */

static void on_release(void *ctx, uint32_t step, void *out)
{
    (void)step;
    (void)out;
    ((Run *)ctx)->n_released++;
}

static void on_opened(void *ctx, const Frame *f, uint32_t n_live)
{
    (void)f;
    (void)n_live;
    ((Run *)ctx)->n_opened++;
}

static void on_closed(void *ctx, const Frame *f, uint32_t n_live)
{
    (void)f;
    (void)n_live;
    ((Run *)ctx)->n_closed++;
}

static void run_open(Run *r, const Game *game)
{
    *r = (Run){.game = game,
               .n_fails_left = game->n_fails,
               .n_bad_folds_left = game->n_bad_folds};
    GraphHooks hooks = {.ctx = r,
                        .release_out = on_release,
                        .opened = on_opened,
                        .closed = on_closed};
    r->graph = graph_open(&game->t.spec, game->n_workers, &hooks);
}

/* What an instance computes: from step, keys, inputs and what it has folded. */
static void *run_output(Run *r, Instance *i)
{
    const StepSpec *s = &r->game->t.steps[instance_step(i)];
    uint64_t h = hash_instance(instance_n_yielded(i), i) ^ (uint64_t)(uintptr_t)instance_state(i);
    for (uint32_t k = 0; k < s->n_inputs; k++)
        h = hash_of(h ^ (uint64_t)(uintptr_t)instance_input(i, k));
    r->n_put++;
    r->result += h;
    return (void *)(uintptr_t)(h | 1);
}

static uint64_t due_of(const Graph *g, Ending ending)
{
    uint64_t first = 1u << 20, last = first;
    for (uint32_t k = 0; k < g->n_timers; k++) {
        first = g->timers[k]->ready_ns < first ? g->timers[k]->ready_ns : first;
        last = g->timers[k]->ready_ns > last ? g->timers[k]->ready_ns : last;
    }
    return ending == END_FAIL_SOON ? first - 1 : last + 1;
}

static void instance_ends(Run *r, Instance *i, Ending ending)
{
    Graph *g = r->graph;
    const StepSpec *s = &r->game->t.steps[instance_step(i)];
    if (ending != END_WELL) {
        r->n_fails_left--;
        if (instance_attempt(i) > s->retry.n_more)
            graph_failed(g, i, 0);
        else
            graph_retry(g, i, 0, s->retry.delay_ns ? due_of(g, ending) : 0);
    } else if (!s->opens) {
        instance_set_out(i, run_output(r, i));
        graph_done(g, i, 0);
    } else if (instance_n_yielded(i) < r->game->n_batches[instance_step(i)]) {
        graph_yield(g, i, run_output(r, i), NULL, 0);
    } else {
        graph_exhausted(g, i, 0);
    }
}

static void fold_ends(Run *r, const Fold *f, Ending ending)
{
    FoldResult result = ending == END_FOLD_ENOUGH ? FOLD_ENOUGH
                        : ending == END_FOLD_FAIL ? FOLD_FAILED
                                                  : FOLD_MORE;
    r->n_bad_folds_left -= ending != END_WELL;
    if (!f->is_commit) { /* with several edges into one step, the sum of what they fold */
        uint64_t was = (uint64_t)(uintptr_t)instance_state(f->reader);
        uint64_t is = hash_of((uint64_t)(uintptr_t)instance_out(f->child) ^ f->input);
        uint32_t n_in = r->game->t.steps[instance_step(f->reader)].n_inputs;
        was = n_in == 1 ? hash_of(was ^ is) : was + is;
        instance_set_state(f->reader, (void *)(uintptr_t)was);
    }
    graph_fold_end(r->graph, f, result, 0);
}

/* An overdraft is for when nothing runs and nothing will by itself, and goes to the deepest
 * level that waits for a credit. */
static void overdraft_check(Run *r, const Instance *picked)
{
    const Graph *g = r->graph;
    uint32_t scope = g->steps[picked->step].spec->opens, n = 0;
    for (uint32_t c = 0; c < g->spec->n_scopes; c++)
        n += g->scope_counts[c].n_overdrafts;
    if (n == r->n_overdrafts)
        return;
    r->n_overdrafts = n;
    if (r->n_items > 0 || g->n_timers > 0 || g->n_due > 0)
        r->wrong = "an overdraft though something runs or will";
    for (uint32_t k = 0; k < g->spec->n_steps; k++)
        if (g->steps[k].head &&
            g->scopes[g->steps[k].spec->opens].depth > g->scopes[scope].depth)
            r->wrong = "an overdraft that is not for the deepest level";
}

static void run_do(Run *r, Action a)
{
    Graph *g = r->graph;
    Item *item = &r->items[r->n_items], ends;
    switch (a.kind) {
    case ACT_START:
        if (graph_next_fold(g, &item->fold))
            item->inst = NULL;
        else if ((item->inst = graph_pick(g)) == NULL)
            return; /* what was due need not be folded any more */
        if (item->inst)
            overdraft_check(r, item->inst);
        r->n_items++;
        return;
    case ACT_END:
        ends = r->items[a.item];
        for (uint32_t k = a.item + 1; k < r->n_items; k++)
            r->items[k - 1] = r->items[k];
        r->n_items--;
        if (ends.inst)
            instance_ends(r, ends.inst, a.ending);
        else
            fold_ends(r, &ends.fold, a.ending);
        return;
    case ACT_TIMER: graph_advance(g, g->timers[0]->ready_ns); return;
    case ACT_STOP: graph_stop(g); return;
    }
}

static uint32_t run_actions(const Run *r, Action *out)
{
    const Game *game = r->game;
    uint32_t n = 0;
    bool stops = graph_is_stopping(r->graph);
    if (r->n_items < game->n_workers && !stops &&
        (r->graph->n_due > 0 || graph_has_work(r->graph)))
        out[n++] = (Action){.kind = ACT_START};
    for (uint32_t k = 0; k < r->n_items; k++) {
        const Instance *i = r->items[k].inst;
        out[n++] = (Action){.kind = ACT_END, .item = k, .ending = END_WELL};
        if (!i && r->n_bad_folds_left) {
            out[n++] = (Action){.kind = ACT_END, .item = k, .ending = END_FOLD_FAIL};
            if (!r->items[k].fold.is_commit)
                out[n++] = (Action){.kind = ACT_END, .item = k, .ending = END_FOLD_ENOUGH};
        }
        if (i && r->n_fails_left && game->may_fail >> instance_step(i) & 1) {
            out[n++] = (Action){.kind = ACT_END, .item = k, .ending = END_FAIL};
            if (r->graph->n_timers)
                out[n++] = (Action){.kind = ACT_END, .item = k, .ending = END_FAIL_SOON};
        }
    }
    if (r->graph->n_timers && !stops)
        out[n++] = (Action){.kind = ACT_TIMER};
    if (game->may_stop && !stops)
        out[n++] = (Action){.kind = ACT_STOP};
    return n;
}

/* ---- what makes two states the same */

static uint64_t path_hash(const Frame *f)
{
    uint64_t h = f->scope;
    for (; f; f = f->parent)
        h = hash_of(h ^ f->index);
    return h;
}

static uint64_t frame_hash(const Graph *g, const Frame *f, uint64_t h)
{
    const ScopeTable *sc = &g->scopes[f->scope];
    h = hash_of(h ^ f->index ^ (uint64_t)f->scope << 32);
    for (uint32_t k = 0; k < sc->n_slots; k++) {
        const Instance *i = &f->insts[k];
        h = hash_of(h ^ i->phase ^ (uint64_t)i->n_yielded << 8 ^ (uint64_t)i->attempt << 16 ^
                    (uint64_t)i->n_folds << 24 ^ (uint64_t)i->has_enough << 32 ^
                    (uint64_t)i->n_uses << 40);
        h = hash_of(h ^ (uint64_t)(uintptr_t)i->state);
    }
    for (uint32_t k = 0; k < sc->n_turns; k++) {
        const Turn *t = &f->turns[k];
        h = hash_of(h ^ (t->next ? t->next->index : 99) ^ (uint64_t)t->is_busy << 32 ^
                    (uint64_t)t->is_closed << 33);
    }
    for (uint32_t k = 0; k < sc->n_generators; k++)
        for (const Frame *c = f->children[k].first; c; c = c->sibling_next)
            h = frame_hash(g, c, h);
    return hash_of(h);
}

static uint64_t state_hash(const Run *r)
{
    const Graph *g = r->graph;
    uint64_t h = frame_hash(g, g->root, r->n_fails_left ^ (uint64_t)r->n_bad_folds_left << 8 ^
                                            (uint64_t)graph_is_stopping(g) << 16);
    for (const Turn *t = g->due_first; t; t = t->next_due)
        h = hash_of(h ^ t->seq ^ path_hash(t->top));
    for (uint64_t last = 0;;) { /* timers in the order in which they are due */
        const Instance *next = NULL;
        for (uint32_t k = 0; k < g->n_timers; k++)
            if (g->timers[k]->ready_ns > last &&
                (!next || g->timers[k]->ready_ns < next->ready_ns))
                next = g->timers[k];
        if (!next)
            break;
        last = next->ready_ns;
        h = hash_of(h ^ next->step ^ path_hash(next->frame));
    }
    for (uint32_t c = 0; c < g->spec->n_scopes; c++)
        h = hash_of(h ^ g->scope_counts[c].n_overdrafts);
    return h | 1;
}

/* True if it is new. */
static bool seen_add(Search *s, uint64_t h)
{
    if (2 * s->n_seen >= s->cap) {
        uint64_t *old = s->seen, old_cap = s->cap;
        s->cap = old_cap ? 2 * old_cap : 1024;
        s->seen = xcalloc(s->cap, sizeof *s->seen);
        s->n_seen = 0;
        for (uint64_t k = 0; k < old_cap; k++)
            if (old[k])
                seen_add(s, old[k]);
        free(old);
    }
    uint64_t k = h & (s->cap - 1);
    while (s->seen[k] && s->seen[k] != h)
        k = (k + 1) & (s->cap - 1);
    if (s->seen[k] == h)
        return false;
    s->seen[k] = h;
    s->n_seen++;
    return true;
}

/* ---- the search */

static uint64_t n_states, n_overdrafts; /* in all games; n_overdrafts: states after one */

static void must(Search *s, bool ok, const char *what)
{
    if (!ok && !s->wrong)
        s->wrong = what;
}

/* Nothing can happen any more. */
static void end_check(Search *s)
{
    Run *r = &s->run;
    Graph *g = r->graph;
    s->n_ends++;
    must(s, graph_is_over(g), "it hangs");
    if (graph_is_stopping(g))
        return;
    must(s, graph_is_complete(g), "something was forgotten");
    must(s, r->n_released == r->n_put, "outputs are not all released");
    must(s, r->n_closed == r->n_opened, "batches are not all closed");
    if (s->game->n_fails || s->game->n_bad_folds)
        return;
    if (!s->result)
        s->result = r->result;
    must(s, s->result == r->result, "results depend on the order");
}

static void run_close(Search *s)
{
    Run *r = &s->run;
    for (uint32_t k = 0; k < r->n_items; k++) /* graph_close wants nothing to run */
        r->graph->n_running--;
    graph_close(r->graph);
    must(s, r->n_released == r->n_put && r->n_closed == r->n_opened,
         "graph_close leaves something");
}

static void search(Search *s, uint32_t depth)
{
    Action actions[MAX_ACTIONS];
    Run *r = &s->run;
    const ScopeCount *counts = graph_scopes(r->graph);
    for (uint32_t c = 1; c < s->game->t.spec.n_scopes; c++)
        if (counts[c].peak_live - counts[c].n_overdrafts > s->peak[c])
            s->peak[c] = counts[c].peak_live - counts[c].n_overdrafts;
    if (!seen_add(s, state_hash(r)))
        return;
    graph_check(r->graph, s->limit);
    must(s, !r->wrong, r->wrong);
    n_overdrafts += r->n_overdrafts > 0;
    uint32_t n = run_actions(r, actions);
    if (n == 0)
        end_check(s);
    s->is_left |= s->game->max_states && s->n_seen >= s->game->max_states;
    must(s, depth < MAX_DEPTH - 1 && n <= MAX_ACTIONS, "the game is too long");
    for (uint32_t a = 0; a < n && !s->wrong && !s->is_left; a++) {
        if (a > 0) { /* back to this state */
            run_close(s);
            run_open(r, s->game);
            for (uint32_t k = 0; k < depth; k++) {
                Action again[MAX_ACTIONS];
                run_actions(r, again);
                run_do(r, again[s->path[k]]);
            }
        }
        s->path[depth] = (uint8_t)a;
        run_do(r, actions[a]);
        search(s, depth + 1);
    }
}

static uint64_t n_left, n_games, n_proved, n_attained, n_credits, n_credits_attained;
static uint32_t peak[MAX_SCOPES]; /* of the last game */
static bool is_verbose;

static void explore_any(Game *game)
{
    spec_moved(&game->t);
    Search s = {.game = game, .bounds = bounds_new(&game->t.spec, game->n_workers)};
    for (uint32_t c = 0; c < game->t.spec.n_scopes; c++)
        s.limit[c] = s.bounds->scopes[c].live;
    run_open(&s.run, game);
    search(&s, 0);
    run_close(&s);
    if (s.wrong)
        printf("sched_explore_test: %s with %u workers: %s\n", game->name, game->n_workers,
               s.wrong);
    CHECK(s.wrong == NULL && s.n_ends > 0);
    if (is_verbose)
        printf("%s, %u workers: %llu states\n", game->name, game->n_workers,
               (unsigned long long)s.n_seen);
    n_states += s.n_seen;
    n_games++;
    n_left += s.is_left;
    memcpy(peak, s.peak, sizeof peak);
    bounds_free(s.bounds);
    free(s.seen);
}

/* For games with enough batches: also, is the bound of workers attained? */
static void explore(Game *game)
{
    explore_any(game);
    Bounds *bs = bounds_new(&game->t.spec, game->n_workers);
    for (uint32_t c = 1; c < bs->n_scopes; c++) {
        const Bound *b = &bs->scopes[c];
        if (b->kind == BOUND_CREDITS) {
            n_credits++;
            n_credits_attained += peak[c] == b->live;
        }
        if (b->kind != BOUND_WORKERS)
            continue;
        n_proved++;
        n_attained += peak[c] == b->live;
        if (peak[c] != b->live)
            printf("sched_explore_test: %s with %u workers: scope %u has at most %u of %llu\n",
                   game->name, game->n_workers, c, peak[c], (unsigned long long)b->live);
    }
    bounds_free(bs);
}

/* ---- the specs */

static int level;

/* extract and n steps after one another; batches enough to attain the bound, and more. */
static Game chain(const char *name, uint32_t p, uint32_t n, uint32_t in_flight)
{
    Game g = {.name = name, .n_workers = p};
    spec_chain(&g.t, n, in_flight);
    g.n_batches[0] = 4;
    g.t.spec.n_pools = 1;
    g.t.pools[0].size = 1;
    return g;
}

static uint32_t collect(Game *g, uint32_t scope, uint32_t from)
{
    uint32_t id = spec_step(&g->t, scope, "collect");
    spec_input(&g->t, id, from);
    return id;
}

static void explore_chains(uint32_t p)
{
    for (uint32_t n = 1; n <= 3; n++)
        for (uint32_t k = 0; k <= p; k++) {
            Game g = chain("chain", p, n, k);
            explore(&g);
            g.may_stop = true;
            explore(&g);
        }
    Game g = chain("chain, low priorities", p, 2, 2);
    g.t.steps[1].priority = g.t.steps[2].priority = -1;
    explore(&g);
    g = chain("chain, unbounded, the generator first", p, 2, CREDITS_UNBOUNDED);
    g.t.steps[0].priority = 9;
    explore(&g);
    g = chain("diamond", p, 2, 0);
    g.t.inputs[2][0] = 0;
    uint32_t both = spec_step(&g.t, 1, "both");
    spec_input(&g.t, both, 1);
    spec_input(&g.t, both, 2);
    explore(&g);
}

static void explore_limits(uint32_t p)
{
    for (uint32_t k = 0; k <= 2; k++) {
        Game g = chain("cap", p, 2, k);
        g.t.steps[2].cap = 1;
        explore(&g);
        g = chain("cap of the generator", p, 2, k);
        g.t.steps[0].cap = 1;
        explore(&g);
        g = chain("pool", p, 2, k);
        g.t.steps[0].pool = g.t.steps[2].pool = 0;
        explore(&g);
        g = chain("pool of two steps", p, 3, k);
        g.t.steps[1].pool = g.t.steps[3].pool = 0;
        explore(&g);
        g = chain("ordered", p, 2, k);
        g.t.steps[1].is_ordered = true;
        explore(&g);
        g = chain("two ordered", p, 2, k);
        g.t.steps[1].is_ordered = g.t.steps[2].is_ordered = true;
        g.n_bad_folds = 1;
        explore(&g);
    }
}

static void explore_failures(uint32_t p)
{
    for (uint32_t k = 0; k <= 2; k++)
        for (uint64_t delay = 0; delay <= 1; delay++) {
            Game g = chain(delay ? "late retry" : "retry", p, 2, k);
            g.n_fails = 2;
            g.may_fail = 1u << 1;
            g.t.steps[1].retry = (RetrySpec){.n_more = 2, .delay_ns = delay};
            explore(&g);
            g = chain("generator tries again", p, 1, k);
            g.n_fails = 2;
            g.may_fail = 1;
            g.t.steps[0].retry = (RetrySpec){.n_more = 1, .delay_ns = delay};
            g.t.steps[0].on_failure = delay ? ON_FAILURE_SKIP : ON_FAILURE_FAIL;
            explore(&g);
            collect(&g, 0, 1);
            explore(&g);
            g = chain("skip and fail", p, 2, k);
            g.n_fails = 2;
            g.may_fail = 6;
            g.t.steps[1].retry = (RetrySpec){.n_more = 1, .delay_ns = delay};
            g.t.steps[1].on_failure = ON_FAILURE_SKIP;
            explore(&g);
        }
}

static void explore_collects(uint32_t p)
{
    for (uint32_t k = 0; k <= 2; k++) {
        Game g = chain("collect", p, 1, k);
        collect(&g, 0, 1);
        explore(&g);
        g.n_bad_folds = 1;
        explore(&g);
        g.t.steps[2].on_failure = ON_FAILURE_SKIP;
        explore(&g);
        g = chain("two collects", p, 2, k);
        collect(&g, 0, 1);
        uint32_t last = collect(&g, 0, 2);
        explore(&g);
        g = chain("one step collects twice", p, 2, k);
        last = collect(&g, 0, 1);
        spec_input(&g.t, last, 2);
        g.t.steps[last].on_failure = g.t.steps[1].on_failure = ON_FAILURE_SKIP;
        g.n_bad_folds = g.n_fails = 1;
        g.may_fail = 2;
        explore(&g);
        g = chain("waits for its own collect", p, 1, k);
        uint32_t total = collect(&g, 0, 1), enrich = spec_step(&g.t, 1, "enrich");
        spec_input(&g.t, enrich, 1);
        spec_input(&g.t, enrich, total);
        explore(&g);
    }
}

static void explore_broadcast(uint32_t p)
{
    for (int early = 0; early < 2; early++)
        for (int fails = 0; fails < 2; fails++) {
            Game g = {.name = early ? "early broadcast" : "late broadcast", .n_workers = p};
            spec_begin(&g.t);
            uint32_t types = spec_step(&g.t, 0, "types"), x = spec_step(&g.t, 0, "extract");
            uint32_t scope = spec_opens(&g.t, x, 0), join = spec_step(&g.t, scope, "join");
            g.n_batches[x] = p;
            spec_input(&g.t, join, x);
            spec_input(&g.t, join, types);
            if (early)
                spec_input(&g.t, x, types);
            g.n_fails = fails ? 1 : 0;
            g.may_fail = 1;
            g.t.steps[types].on_failure = ON_FAILURE_SKIP;
            explore(&g);
        }
}

/* files | map read | map clean, and what may follow. */
static Game nest(const char *name, uint32_t p, uint32_t k_outer, uint32_t k_inner)
{
    Game g = {.name = name, .n_workers = p};
    spec_begin(&g.t);
    uint32_t files = spec_step(&g.t, 0, "files"), outer = spec_opens(&g.t, files, k_outer);
    uint32_t read = spec_step(&g.t, outer, "read"), inner = spec_opens(&g.t, read, k_inner);
    spec_input(&g.t, read, files);
    spec_input(&g.t, spec_step(&g.t, inner, "clean"), read);
    g.n_batches[files] = g.n_batches[read] = p < 2 || level > 0 ? 3 : 2;
    return g;
}

static void explore_nests(uint32_t p)
{
    for (uint32_t k = 0; k <= 2; k++) {
        Game g = nest("nest", p, 0, k);
        g.n_batches[0] = g.n_batches[1] = p;
        explore(&g);
        g = nest("nest, one file at a time", p, 1, k);
        g.n_batches[1] = p;
        explore(&g);
        g = nest("nested collects", p, 2, k);
        collect(&g, 0, collect(&g, 1, 2));
        explore(&g);
        g = nest("collect in the inner, ordered over all", p, 2, k);
        collect(&g, 1, 2);
        g.t.steps[2].is_ordered = true;
        explore(&g);
        g = nest("ordered over all files", p, 2, k);
        g.t.steps[2].is_ordered = true;
        g.n_fails = 1;
        g.may_fail = 2;
        g.t.steps[1].retry = (RetrySpec){.n_more = 1, .delay_ns = 1};
        explore(&g);
        g = nest("a file fails", p, 2, k);
        g.n_fails = 1;
        g.may_fail = 2;
        g.t.steps[1].on_failure = ON_FAILURE_SKIP;
        collect(&g, 0, collect(&g, 1, 2));
        explore(&g);
    }
    Game g = nest("three deep", p, 0, 0);
    uint32_t parts = spec_step(&g.t, 2, "split"), deep = spec_opens(&g.t, parts, 0);
    spec_input(&g.t, parts, 2);
    uint32_t leaf = spec_step(&g.t, deep, "leaf");
    spec_input(&g.t, leaf, parts);
    /* Three workers: a file of one part of one batch each is enough. */
    g.n_batches[0] = p;
    g.n_batches[1] = g.n_batches[parts] = p < 3 ? p : 1;
    if (p < 3 || level > 0)
        explore(&g);
    collect(&g, 0, collect(&g, 1, collect(&g, 2, leaf)));
    if (p < 3 || level > 0)
        explore(&g);
}

/* Sanitizers are slow, and look for other things. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { N_RANDOM = 60 };
#else
enum { N_RANDOM = 300 };
#endif

/* Random small specs. */
static void explore_random(uint64_t n_seeds)
{
    for (uint64_t seed = 1; seed <= n_seeds; seed++) {
        Game g = {.name = "random", .n_workers = 1 + (uint32_t)(seed % MAX_WORKERS)};
        spec_random(&g.t, seed, seed % 2);
        if (g.t.spec.n_steps > (level > 0 ? 6 : 5) || g.t.spec.n_scopes > 3)
            continue;
        for (uint32_t k = 0; k < g.t.spec.n_steps; k++)
            g.n_batches[k] = 1 + (uint32_t)(hash_of(seed ^ k) % 2);
        g.n_fails = seed % 2;
        g.may_fail = UINT32_MAX;
        g.n_bad_folds = seed % 4 == 3;
        g.may_stop = seed % 16 == 5;
        g.max_states = level > 0 ? 200000 : 20000;
        explore_any(&g);
    }
}

int main(int argc, char **argv)
{
    level = argc > 1 ? atoi(argv[1]) : 0;
    is_verbose = argc > 2;
    for (uint32_t p = 1; p <= MAX_WORKERS; p++) {
        explore_chains(p);
        explore_limits(p);
        explore_failures(p);
        explore_collects(p);
        explore_broadcast(p);
        explore_nests(p);
    }
    explore_random(level > 0 ? 1000 : N_RANDOM);
    printf("%llu states of %llu games, %llu of them left as too large; bound of workers attained in %llu of %llu scopes, of "
           "credits in %llu of %llu; %llu states after an overdraft\n",
           (unsigned long long)n_states, (unsigned long long)n_games,
           (unsigned long long)n_left,
           (unsigned long long)n_attained, (unsigned long long)n_proved,
           (unsigned long long)n_credits_attained, (unsigned long long)n_credits,
           (unsigned long long)n_overdrafts);
    CHECK(n_attained == n_proved && n_proved > 100);
    CHECK(n_overdrafts == 0 && n_left * 50 < n_games);
    UNIT_END("sched_explore_test");
}
