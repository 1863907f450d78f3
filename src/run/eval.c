#include "run/eval.h"

#include <stdlib.h>

#include "code/emit.h"
#include "vm/vm.h"

typedef struct VmEvaluator {
    Evaluator face; /* first: an Evaluator * is a VmEvaluator * */
    const Sources *sources;
    Vm *vm;
    int64_t now_us;
    bool has_told_now;
} VmEvaluator;

static Status eval(Evaluator *ev, const Tx *e, Arena *a, Value *out, Error *err)
{
    VmEvaluator *v = (VmEvaluator *)ev;
    static const VmHost no_host = {0}; /* expressions reach nothing outside */
    const VmInstance inst = {.now_us = v->now_us, .step = STR_LIT(""), .key = STR_LIT("")};
    Code *code;
    Batch *table = NULL;
    Batch *row = batch_new(1, 0);
    v->has_told_now |= e->kind == TX_CALL && (e->fn == BUILTIN_NOW || e->fn == BUILTIN_TODAY);
    Status st = emit_constant(a, v->sources, e, &code, err);
    if (st == OK)
        st = vm_run(v->vm, code, &no_host, &inst, row, &table, err);
    if (st == OK) {
        *out = column_value(table->slots[0].values, 0);
        out->type = e->type;
        if (out->type == TYPE_STRING && !out->is_null)
            out->s = arena_str(a, out->s);
    }
    batch_unref(table);
    batch_unref(row);
    return st;
}

Evaluator *vm_evaluator_open(const Sources *sources, int64_t now_us)
{
    VmEvaluator *v = xcalloc(1, sizeof *v);
    v->face.eval = eval;
    v->sources = sources;
    v->vm = vm_open();
    v->now_us = now_us;
    return &v->face;
}

bool vm_evaluator_told_now(const Evaluator *ev)
{
    return ((const VmEvaluator *)ev)->has_told_now;
}

void vm_evaluator_close(Evaluator *ev)
{
    if (!ev)
        return;
    vm_close(((VmEvaluator *)ev)->vm);
    free(ev);
}
