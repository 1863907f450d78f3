#include "api/mill.h"

#include <stdlib.h>

#include "run/run.h"
#include "sched/trace.h"

struct MillRun {
    Run *run;
    RunStore store;
    Arena *arena;
    RunResult result;
    RunEnd end;
};

Status mill_run_open(Mill *m, uint32_t job, const MillRunOptions *options, MillRun **out,
                     Error *err)
{
    MillRun *r = xcalloc(1, sizeof *r);
    if (options->store)
        r->store = (RunStore){.folder = store_folder(options->store), .ctx = options->store,
                              .note_input = store_note_input, .note_commit = store_note_commit};
    const RunOptions o = {.n_workers = options->n_workers,
                          .seed = options->seed,
                          .auto_rows = options->auto_rows,
                          .observer = options->observer,
                          .store = options->store ? &r->store : NULL,
                          .keeps_trace = options->keeps_trace,
                          .keeps_profile = options->keeps_profile,
                          .log_ctx = options->log_ctx,
                          .log = options->log};
    Run *run = NULL;
    Status st = run_open(m->plans[job], m->sources, m->catalog.files, &o, &run, err);
    if (st != OK) {
        free(r);
        return st;
    }
    r->run = run;
    r->arena = arena_open();
    *out = r;
    return OK;
}

/* What is wrong with an input is found by the step that wants the rows first, and is told of the `read` that has them,
 * if that is a stage of its own. */
static Str failed_name(const RunInfo *info, uint32_t step, const Error *err)
{
    uint32_t at = step;
    bool is_input = !err->is_output && (err->is_input || (err->row_error >= ROW_ERROR_RAGGED && err->row_error <= ROW_ERROR_KEY));
    if (str_is(info->steps[at].name, "read") || str_starts(info->steps[at].name, STR_LIT("read_")))
        return info->steps[at].name;
    while (is_input && info->steps[at].n_inputs && info->steps[at].child_scope == 0)
        at = info->steps[at].inputs[0];
    Str name = info->steps[at].name;
    bool is_read = is_input && (str_is(name, "read") || str_starts(name, STR_LIT("read_")));
    return is_read ? name : info->steps[step].name;
}

void mill_run_go(MillRun *r, MillResult *out)
{
    run_go(r->run, &r->result);
    const PoolSummary *s = &r->result.summary;
    const RunInfo *info = run_info(r->run);
    r->end = (RunEnd){.state = r->result.state, .t_ns = s->t_ns, .steps = s->steps,
                      .scopes = s->scopes, .profile = run_profile(r->run),
                      .bad_rows = r->result.bad_rows, .memory = r->result.memory, .kept = r->result.kept};
    MillFailure *failures = arena_array(r->arena, MillFailure, s->n_kept);
    for (uint32_t i = 0; i < s->n_kept; i++) {
        const PoolFailure *f = &s->failures[i];
        Str step = failed_name(info, f->step, &f->err);
        failures[i].name = f->key[0] && str_eq(step, info->steps[f->step].name) ? arena_printf(r->arena, "%.*s[%s]", STR_ARG(step), f->key)
                                     : step;
        failures[i].attempt = f->attempt;
        failures[i].err = &f->err;
    }
    const Error *commit = &r->result.commit_error;
    *out = (MillResult){.state = r->result.state,
                        .info = info,
                        .end = r->end,
                        .n_failures = s->n_failures,
                        .n_kept = s->n_kept,
                        .failures = failures,
                        .commit_error = commit->status == OK ? NULL : commit,
                        .rows_in = r->result.rows_read,
                        .rows_out = r->result.rows_out,
                        .profile = r->end.profile};
}

void mill_run_abandon(MillRun *r)
{
    run_abandon(r->run);
}

void mill_run_cancel(MillRun *r, bool at_once)
{
    run_cancel(r->run, at_once);
}

Recording *mill_run_recording(const MillRun *r)
{
    size_t n;
    RunEnd end = r->end;
    TraceEvent *events = trace_sorted(run_trace(r->run), &n);
    FrameLabel *labels = trace_labels(run_trace(r->run), &end.n_labels);
    end.labels = labels;
    Recording *recording = recording_make(run_info(r->run), events, n, &end);
    free(labels);
    free(events);
    return recording;
}

void mill_run_close(MillRun *r)
{
    if (!r)
        return;
    run_close(r->run);
    arena_close(r->arena);
    free(r);
}
