/* graph_queue.c - what is ready: a queue for each step, the gates that let it start, and the one instance that a worker
 * goes straight on with.
 */
#include "sched/graph_int.h"

/* ---- gates */

void gate_update(Graph *g, StepTable *s)
{
    uint64_t bit = rank_bit(s->rank);
    if (step_may_start(g, s))
        g->open[s->rank / 64] |= bit;
    else
        g->open[s->rank / 64] &= ~bit;
}

void gate_update_pool(Graph *g, int32_t pool)
{
    for (uint32_t k = 0; k < g->spec->n_steps; k++)
        if (g->steps[k].spec->pool == pool)
            gate_update(g, &g->steps[k]);
}

/* The gate of a generator hangs on who stands first in its queue. */
static void gate_update_turn(Graph *g, StepTable *s)
{
    if (s->opens && g->scopes[s->opens].turn_order != NO_INDEX)
        gate_update(g, s);
}

void credit_return(Graph *g, uint32_t scope)
{
    ScopeTable *sc = &g->scopes[scope];
    if (sc->n_credits_used-- == sc->credits || sc->turn_order != NO_INDEX)
        gate_update(g, &g->steps[sc->spec->generator]);
}

/* What dispatch took, except the credit of a generator. */
void slot_return(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    g->n_running--;
    s->n_running--;
    if (!s->is_limited)
        return;
    if (s->n_running + 1 == s->spec->cap)
        gate_update(g, s);
    if (s->spec->pool >= 0) {
        uint32_t size = g->spec->pools[s->spec->pool].size;
        if (g->pool_running[s->spec->pool]-- == size)
            gate_update_pool(g, s->spec->pool);
    }
}

/* ---- queues */

void queue_insert(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    Instance *after = s->tail;
    /* Instances come nearly in key order; one that was retried comes early or late. */
    if (after && frame_before(i->frame, after->frame)) {
        if (frame_before(i->frame, s->head->frame)) {
            after = NULL;
        } else {
            do {
                after = after->prev;
            } while (frame_before(i->frame, after->frame));
        }
    }
    i->prev = after;
    i->next = after ? after->next : s->head;
    *(i->next ? &i->next->prev : &s->tail) = i;
    *(after ? &after->next : &s->head) = i;
    g->ready[s->rank / 64] |= rank_bit(s->rank);
    g->n_queued++;
    gate_update_turn(g, s);
}

void queue_remove(Graph *g, Instance *i)
{
    StepTable *s = &g->steps[i->step];
    *(i->prev ? &i->prev->next : &s->head) = i->next;
    *(i->next ? &i->next->prev : &s->tail) = i->prev;
    if (!s->head)
        g->ready[s->rank / 64] &= ~rank_bit(s->rank);
    g->n_queued--;
    gate_update_turn(g, s);
}

/* queue_remove of the head, which is what dispatch does all the time. */
Instance *queue_pop(Graph *g, StepTable *s)
{
    Instance *i = s->head, *next = i->next;
    s->head = next;
    if (next) {
        next->prev = NULL;
    } else {
        s->tail = NULL;
        g->ready[s->rank / 64] &= ~rank_bit(s->rank);
    }
    g->n_queued--;
    return i;
}

/* ---- the instance that a worker goes straight on with */

void held_queue(Graph *g)
{
    Instance *i = g->held;
    g->held = NULL;
    g->n_queued--;
    queue_insert(g, i);
}

/* Is it the best of the ready, and may it start? */
bool held_is_best(const Graph *g)
{
    const StepTable *s = &g->steps[g->held->step];
    uint32_t word = s->rank / 64;
    uint64_t bit = rank_bit(s->rank), not_better = bit | (bit - 1);
    if (!(g->open[word] & bit) || g->ready[word] & bit)
        return false;
    for (uint32_t w = 0; w < word; w++)
        if (g->ready[w] & g->open[w])
            return false;
    return !(g->ready[word] & g->open[word] & ~not_better);
}

Instance *held_take(Graph *g)
{
    Instance *i = g->held;
    g->held = NULL;
    g->n_queued--;
    return i;
}
