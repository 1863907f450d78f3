#include "run/meter.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/cycles.h"
#include "run/spec.h"

/* Of one worker and one step. */
typedef struct StepMeter {
    VmCount *instrs; /* [n_instrs] of the step's code */
    VmCount works[N_WORKS];
    VmCount all;
} StepMeter;

struct Meters {
    bool has_cycles;
    uint32_t n_workers, n_steps;
    StepMeter **workers; /* [n_workers][n_steps] */
    uint64_t start_ns, end_ns, start_cycles, end_cycles;
};

static const char *work_name(Work w)
{
    switch (w) {
    case WORK_READ: return "reading";
    case WORK_INDEX: return "finding fields";
    case WORK_GATHER: return "putting parts together";
    case WORK_SPILL: return "spilling";
    case WORK_UNSPILL: return "reading what was spilled";
    case WORK_FOLD: return "folding batches";
    case WORK_COMMIT: return "appending in key order";
    case WORK_TURN: return "waiting for its turn";
    case N_WORKS: break;
    }
    return "";
}

Meters *meters_new(const Plan *plan, Code *const *codes, uint32_t n_workers)
{
    Meters *m = xcalloc(1, sizeof *m);
    m->has_cycles = cycles_are_steady();
    m->n_workers = n_workers;
    m->n_steps = plan->n_steps;
    m->workers = xcalloc(n_workers, sizeof *m->workers);
    for (uint32_t w = 0; w < n_workers; w++) {
        m->workers[w] = xcalloc(plan->n_steps, sizeof **m->workers);
        for (uint32_t i = 0; i < plan->n_steps; i++)
            m->workers[w][i].instrs = xcalloc(codes[i]->n_instrs + 1ull, sizeof(VmCount));
    }
    return m;
}

void meters_free(Meters *m)
{
    if (!m)
        return;
    for (uint32_t w = 0; w < m->n_workers; w++) {
        for (uint32_t i = 0; i < m->n_steps; i++)
            free(m->workers[w][i].instrs);
        free(m->workers[w]);
    }
    free(m->workers);
    free(m);
}

static uint64_t time_now(const Meters *m)
{
    return m->has_cycles ? cycles_now() : (uint64_t)clock_now_ns();
}

void meters_start(Meters *m)
{
    m->start_cycles = cycles_now();
    m->start_ns = (uint64_t)clock_now_ns();
}

void meters_stop(Meters *m)
{
    m->end_cycles = cycles_now();
    m->end_ns = (uint64_t)clock_now_ns();
}

/* ---- while it runs ---- */

static StepMeter *meter_at(const Run *r, uint32_t step, uint32_t worker)
{
    return &r->meters->workers[worker][step];
}

static StepMeter *meter_of(const Run *r, const Task *t)
{
    return meter_at(r, instance_step(t->inst), t->worker);
}

VmCount *meters_of_code(const Run *r, const Task *t)
{
    return r->meters ? meter_of(r, t)->instrs : NULL;
}

bool meters_count_cycles(const Run *r)
{
    return r->meters && r->meters->has_cycles;
}

uint64_t work_begin(const Run *r)
{
    return r->meters ? time_now(r->meters) : 0;
}

static void count(VmCount *c, uint64_t begin, uint64_t end, uint64_t n_rows, uint64_t n_bytes)
{
    c->n_runs++;
    c->n_rows += n_rows;
    c->n_bytes += n_bytes;
    if (end > begin) /* the counts of two processors may differ a little */
        c->time += end - begin;
}

void work_end(const Run *r, const Task *t, Work w, uint64_t begin, uint64_t n_rows, uint64_t n_bytes)
{
    if (r->meters)
        count(&meter_of(r, t)->works[w], begin, time_now(r->meters), n_rows, n_bytes);
}

void work_helped(const Run *r, uint32_t step, uint32_t worker, Work w, uint64_t begin, uint64_t n_rows)
{
    if (!r->meters)
        return;
    uint64_t end = time_now(r->meters);
    StepMeter *m = meter_at(r, step, worker);
    count(&m->works[w], begin, end, n_rows, 0);
    if (end > begin) /* a piece is no instance */
        m->all.time += end - begin;
}

void work_instr(const Run *r, const VmInstance *inst, uint32_t pc, uint64_t begin, uint64_t n_rows)
{
    if (r->meters && inst->counts)
        count(&inst->counts[pc], begin, time_now(r->meters), n_rows, 0);
}

void work_wrote(const Run *r, const Task *t, const Spec *spec, uint64_t n_bytes)
{
    if (!r->meters)
        return;
    const Code *code = r->codes[instance_step(t->inst)];
    for (uint32_t i = 0; i < code->n_instrs; i++)
        if (code->instrs[i].op == OP_WRITE_CSV && &code->specs[code->instrs[i].b] == spec)
            meter_of(r, t)->instrs[i].n_bytes += n_bytes;
}

TaskResult metered_run(void *ctx, Task *t)
{
    const Run *r = ctx;
    uint64_t begin = time_now(r->meters);
    TaskResult result = task_run(ctx, t);
    uint64_t end = time_now(r->meters);
    State *state = instance_state(t->inst);
    if (state)
        state->ended_at = end;
    count(&meter_of(r, t)->all, begin, end, t->n_rows_in, 0);
    return result;
}

FoldResult metered_fold(void *ctx, Task *t, uint32_t input, const Instance *child)
{
    const Run *r = ctx;
    const Part *part = instance_out(child);
    bool is_part = r->plan->steps[instance_step(child)]->part_of;
    uint64_t n_rows = is_part && part ? part->n_rows_out : 0;
    uint64_t begin = time_now(r->meters);
    FoldResult result = task_fold(ctx, t, input, child);
    uint64_t end = time_now(r->meters);
    count(&meter_of(r, t)->works[WORK_FOLD], begin, end, n_rows, 0);
    count(&meter_of(r, t)->all, begin, end, 0, 0);
    return result;
}

FoldResult metered_commit(void *ctx, Task *t)
{
    const Run *r = ctx;
    State *state = instance_state(t->inst);
    uint64_t n_bytes = 0;
    for (uint32_t i = 0; state && state->pending && i < r->plan->n_sinks; i++)
        n_bytes += state->pending[i].len;
    uint64_t begin = time_now(r->meters);
    FoldResult result = task_commit(ctx, t);
    uint64_t end = time_now(r->meters);
    StepMeter *m = meter_of(r, t);
    if (state && state->ended_at)
        count(&m->works[WORK_TURN], state->ended_at, begin, 0, 0);
    count(&m->works[WORK_COMMIT], begin, end, 0, n_bytes);
    count(&m->all, begin, end, 0, 0);
    return result;
}

/* ---- when it is over ---- */

static void add(VmCount *sum, const VmCount *c)
{
    sum->n_runs += c->n_runs;
    sum->n_rows += c->n_rows;
    sum->n_values += c->n_values;
    sum->n_bytes += c->n_bytes;
    sum->time += c->time;
}

typedef struct Sheet {
    const Meters *m;
    Profile *out;
    double ns_per_time;
    uint64_t of_lines; /* time of the step's lines so far */
} Sheet;

static ProfileLine *put(Sheet *s, ProfileKind kind, uint32_t step, const VmCount *c)
{
    ProfileLine *l = &s->out->lines[s->out->n_lines++];
    *l = (ProfileLine){.kind = kind, .step = step, .n_runs = c->n_runs, .n_rows = c->n_rows,
                       .n_values = c->n_values, .n_bytes = c->n_bytes, .ns = (uint64_t)((double)c->time * s->ns_per_time + 0.5),
                       .cycles = s->m->has_cycles ? c->time : 0};
    return l;
}

static void put_works(Sheet *s, uint32_t step, ProfileLine *whole)
{
    for (Work w = 0; w < N_WORKS; w++) {
        VmCount c = {0};
        for (uint32_t k = 0; k < s->m->n_workers; k++)
            add(&c, &s->m->workers[k][step].works[w]);
        if (!c.n_runs)
            continue;
        put(s, w == WORK_TURN ? PROFILE_WAIT : PROFILE_WORK, step, &c)->name = str_of(work_name(w));
        if (w != WORK_TURN)
            s->of_lines += c.time;
        if (w == WORK_READ)
            whole->n_bytes += c.n_bytes;
        if (w == WORK_READ && !whole->n_rows)
            whole->n_rows = c.n_rows;
    }
}

static void put_instrs(Sheet *s, uint32_t step, const Code *code, ProfileLine *whole)
{
    for (uint32_t i = 0; i < code->n_instrs; i++) {
        VmCount c = {0};
        for (uint32_t k = 0; k < s->m->n_workers; k++)
            add(&c, &s->m->workers[k][step].instrs[i]);
        if (!c.n_runs)
            continue;
        ProfileLine *l = put(s, PROFILE_INSTR, step, &c);
        Opcode op = code->instrs[i].op;
        l->name = str_of(opcode_info(op)->name);
        l->text = op == OP_END ? (Str){0} : op == OP_LOAD ? code->notes[i].column : code->notes[i].text;
        s->of_lines += c.time;
        whole->n_bytes += c.n_bytes;
    }
}

static void put_step(Sheet *s, uint32_t step, const Code *code)
{
    VmCount all = {0};
    for (uint32_t k = 0; k < s->m->n_workers; k++)
        add(&all, &s->m->workers[k][step].all);
    if (!all.n_runs && !all.time)
        return;
    ProfileLine *whole = put(s, PROFILE_STEP, step, &all);
    s->out->work_ns += whole->ns;
    s->of_lines = 0;
    put_works(s, step, whole);
    put_instrs(s, step, code, whole);
    VmCount rest = {.n_runs = all.n_runs};
    rest.time = all.time > s->of_lines ? all.time - s->of_lines : 0;
    put(s, PROFILE_REST, step, &rest)->name = STR_LIT("the rest");
}

Profile *meters_profile(const Meters *m, Arena *a, const Plan *plan, Code *const *codes)
{
    size_t n_lines = 0;
    for (uint32_t i = 0; i < plan->n_steps; i++)
        n_lines += codes[i]->n_instrs + N_WORKS + 2ull;
    Sheet s = {.m = m, .out = arena_new(a, Profile), .ns_per_time = 1};
    s.out->run_ns = m->end_ns - m->start_ns;
    if (m->has_cycles && m->end_cycles > m->start_cycles && s.out->run_ns) {
        s.ns_per_time = (double)s.out->run_ns / (double)(m->end_cycles - m->start_cycles);
        s.out->cycles_per_us = 1000 / s.ns_per_time;
    }
    s.out->lines = arena_array(a, ProfileLine, n_lines);
    for (uint32_t i = 0; i < plan->n_steps; i++)
        put_step(&s, i, codes[i]);
    return s.out;
}
