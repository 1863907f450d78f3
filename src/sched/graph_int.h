/* graph_int.h - the insides of a graph, shared by the files of graph_*.c: graph_tables.c has what follows from the
 * spec alone, graph_queue.c what is ready, graph_frame.c frames, graph_flow.c what follows when something ends,
 * graph.c the calls of graph.h, graph_check.c the invariants. Each calls only those before it.
 * Nobody else includes it.
 *
 * How it hangs together. A frame is one block of memory: a header, an Instance for each
 * step of its scope, and a Turn for each sequence that passes through it. Slot 0 is the
 * batch itself, the output of the generator; the steps follow.
 *
 * Two counters keep everything alive:
 *   Instance.n_uses  readers that are not done, and 1 until the instance itself has ended.
 *                    At 0 its output is released.
 *   Frame.n_open     instances whose n_uses is not 0, frames below, sequences between whose
 *                    ends the frame lies and that have not passed it, and collects in it
 *                    that are not closed. At 0 the frame goes to its free list and its
 *                    credit back.
 *
 * A broadcast edge is one use for the generator that may still open frames with readers,
 * and one for each frame on the way down whose reader, or whose generator further down,
 * is not done.
 *
 * A *sequence* is a line of batches that pass one by one in key order: into a collect (from
 * the frame of the collecting instance, over the frames one level below) or through the
 * commit of an ordered step (from the root, over all frames of its scope at any depth).
 */
#ifndef PIPE_SCHED_GRAPH_INT_H
#define PIPE_SCHED_GRAPH_INT_H

#include "sched/graph.h"

#define NO_INDEX UINT32_MAX

typedef enum Phase {
    PHASE_WAITING, /* for inputs */
    PHASE_READY,   /* in the queue of its step */
    PHASE_RUNNING,
    PHASE_TIMED,   /* in the heap of timers */
    PHASE_DOOMED,  /* will be failed or skipped as soon as no fold into it runs */
    PHASE_DONE,    /* from here on: ended */
    PHASE_FAILED,
    PHASE_SKIPPED,
} Phase;

struct Instance {
    Frame *frame;          /* always the same: set with the memory of the frame */
    Instance *next, *prev; /* queue of its step; next: stack of the doomed */
    void *out, *state;
    uint64_t ready_ns;     /* TIMED: when it is due */
    uint32_t step;         /* of slot 0: the generator */
    uint32_t n_wait;       /* WAITING: inputs that are not there */
    uint32_t n_uses;
    uint32_t n_yielded;
    uint32_t attempt;
    uint32_t cause;        /* DOOMED, SKIPPED: the step that failed */
    uint32_t n_folds;      /* folds into it that run now */
    uint8_t phase;         /* Phase */
    uint8_t fate;          /* DOOMED: FAILED or SKIPPED */
    bool has_enough;       /* a generator that is to yield no more */
};

typedef struct Turn {
    Frame *next;    /* the first child that has not passed; NULL: all that are there have */
    Frame *top;     /* the frame that it is in, where a sequence begins; else NULL */
    struct Turn *next_due;
    uint32_t seq;
    bool is_busy;   /* a fold is due or runs */
    bool is_closed; /* the collecting step has been told that all are in */
} Turn;

typedef struct Children {
    Frame *first, *last; /* by index; live ones only */
} Children;

struct Frame {
    Graph *graph;
    Frame *parent;
    Frame *sibling_prev, *sibling_next; /* sibling_next: the free list too */
    Instance *insts;    /* [scope.n_slots] */
    Turn *turns;        /* [scope.n_turns] */
    Children *children; /* [scope.n_generators] */
    void *user;
    uint32_t scope, depth;
    uint32_t index, id;
    uint32_t n_open;
};

typedef struct InEdge {
    EdgeKind kind;
    uint32_t up;   /* BROADCAST: frames up to the one that has it */
    uint32_t slot; /* PLAIN, BROADCAST: of the output in that frame */
} InEdge;

typedef struct OutEdge {
    EdgeKind kind; /* PLAIN or BROADCAST */
    uint32_t to, slot;
} OutEdge;

typedef struct StepTable {
    const StepSpec *spec;
    uint32_t rank;      /* 0 is the best */
    uint32_t slot;      /* in frames of its scope */
    uint32_t i_children; /* of a generator: in Frame.children */
    uint32_t n_in, n_out, n_seqs;
    InEdge *in;
    OutEdge *out;
    uint32_t *seqs;     /* sequences of its outputs */
    uint32_t n_uses0;   /* n_uses of a fresh output */
    uint32_t n_wait0;   /* plain inputs but the frame's own batch, and gathered ones */
    uint32_t opens;     /* spec->opens */
    bool has_broadcast; /* among its inputs */
    bool is_limited;    /* has a cap or a pool */
    bool is_gated;      /* limited, or in need of credits */
    /* What moves: */
    Instance *head, *tail; /* READY, in key order */
    bool is_awaited;       /* graph_await */
    uint32_t n_running;
} StepTable;

/* An output of a frame further up that something in frames of this scope, or below,
 * reads. */
typedef struct Carried {
    uint32_t up;   /* from a frame of this scope */
    uint32_t slot;
} Carried;

typedef struct ScopeTable {
    const ScopeSpec *spec;
    uint32_t depth;
    uint32_t n_slots, n_turns, n_generators, n_holds, n_carried, n_through;
    uint32_t *steps;    /* [n_slots]; [0] is the generator */
    uint32_t n_starters;
    uint32_t *starters; /* [n_starters] slots that may be ready when a frame opens */
    uint32_t *turn_seq; /* [n_turns] sequence of each turn */
    Instance *fresh;    /* [n_slots] what the instances of a new frame are, but for `frame` */
    Carried *carried;
    uint32_t *through;  /* [n_through] sequences that go over frames of this scope */
    uint32_t credits;
    /* A commit that goes over frames of this scope and begins above the scope around it; NO_INDEX
     * if there is none. Batches of later keys that wait for their turn must not hold all credits: the
     * last one is for the batch whose turn it is. */
    uint32_t turn_order;
    /* What moves: */
    uint32_t n_credits_used;
    uint32_t n_live;
    bool is_paused; /* its generator waits: graph_pause_scope */
    Frame *free;
} ScopeTable;

typedef struct Seq {
    uint32_t step;   /* whose outputs pass */
    uint32_t reader; /* who gets them; `step` itself for a commit */
    uint32_t input;
    uint32_t top, leaf; /* scopes */
    uint32_t slot;   /* of the output in frames of `leaf` */
    bool is_commit;
    bool has_last_credits; /* it is the turn_order of a scope */
    uint32_t *turn;  /* [n_scopes] index into Frame.turns, NO_INDEX off the way */
    uint32_t *below; /* [n_scopes] next scope down on the way */
} Seq;

struct Graph {
    const GraphSpec *spec;
    GraphHooks hooks;
    uint32_t n_seqs, n_words;
    StepTable *steps;
    ScopeTable *scopes;
    Seq *seqs;
    uint32_t *by_rank;      /* [n_steps] */
    uint32_t *pool_running; /* [n_pools] */
    /* A bit for each rank, the best at the top of the first word. */
    uint64_t *ready;        /* its queue is not empty */
    uint64_t *open;         /* cap, pool and credits would let one start */
    Frame *root;
    Instance **timers;      /* heap by ready_ns */
    uint32_t n_timers, cap_timers;
    Instance *doomed;       /* stack */
    /* READY, and counted in n_queued, but not in the queue of its step: what became ready
     * by the last call. pick mostly takes it from here. */
    Instance *held;
    bool holds;             /* the next to become ready is to be held */
    Turn *due_first, *due_last;
    uint32_t n_running, n_queued, n_due; /* n_running: with folds, and what is awaited */
    uint32_t n_frames;      /* ever opened */
    bool is_stopping;
    bool is_paused;         /* generators wait: graph_pause */
    StepCount *step_counts;
    ScopeCount *scope_counts;
};

static inline bool phase_is_ended(uint8_t phase) { return phase >= PHASE_DONE; }

static inline Frame *frame_up(Frame *f, uint32_t n)
{
    while (n-- > 0)
        f = f->parent;
    return f;
}

/* Key order. Both are of one scope. */
static inline bool frame_before(const Frame *a, const Frame *b)
{
    while (a->parent != b->parent) {
        a = a->parent;
        b = b->parent;
    }
    return a->index < b->index;
}

/* Have all frames before this one passed the sequence? Then it is the turn of what is in it. */
static inline bool frame_has_turn(const Graph *g, const Seq *q, const Frame *f)
{
    const Frame *at = g->root; /* where commits begin */
    while (at && at->depth < f->depth)
        at = at->turns[q->turn[at->scope]].next;
    return at == f;
}

/* May a generator have one more credit? The last one may be kept for another. */
static inline bool scope_may_open(const Graph *g, const StepTable *s)
{
    const ScopeTable *opens = &g->scopes[s->opens];
    if (opens->n_credits_used >= opens->credits)
        return false;
    if (opens->turn_order == NO_INDEX || opens->n_credits_used + 1 < opens->credits)
        return true;
    return s->head && frame_has_turn(g, &g->seqs[opens->turn_order], s->head->frame);
}

/* Would the cap, the pool, the credits of a step, and a pause, let one more start? */
static inline bool step_may_start(const Graph *g, const StepTable *s)
{
    const StepSpec *spec = s->spec;
    if (spec->cap && s->n_running >= spec->cap)
        return false;
    if (spec->pool >= 0 && g->pool_running[spec->pool] >= g->spec->pools[spec->pool].size)
        return false;
    return !spec->opens || (!s->is_awaited && !g->is_paused && !g->scopes[s->opens].is_paused && scope_may_open(g, s));
}

static inline uint64_t rank_bit(uint32_t rank) { return 1ULL << (63 - rank % 64); }

/* graph_tables.c: everything that follows from the spec. */
void graph_tables_init(Graph *g, const GraphSpec *spec, uint32_t n_workers);
void graph_tables_deinit(Graph *g);

/* graph_queue.c. The gates of a step, and of all in a pool, after a change of what it hangs on. */
void gate_update(Graph *g, StepTable *s);
void gate_update_pool(Graph *g, int32_t pool);
void credit_return(Graph *g, uint32_t scope);
/* What dispatch took, except the credit of a generator. */
void slot_return(Graph *g, Instance *i);
void queue_insert(Graph *g, Instance *i);
void queue_remove(Graph *g, Instance *i);
/* queue_remove of the head, which is what dispatch does all the time. */
Instance *queue_pop(Graph *g, StepTable *s);
/* What is held goes to its queue; is it the best of the ready, and may it start; takes it. */
void held_queue(Graph *g);
bool held_is_best(const Graph *g);
Instance *held_take(Graph *g);

/* graph_frame.c */
Frame *frame_alloc(Graph *g, uint32_t scope);
void frame_init(Graph *g, Frame *f, Frame *parent, uint32_t index, void *user);
/* Gives back what the frames from here down hold, and frees them. */
void frames_free(Graph *g, Frame *f);
void out_release(Graph *g, Instance *i);
void state_release(Graph *g, Instance *i);
/* One of those who need the output of an instance is done. */
void use_drop(Graph *g, Instance *i);
/* Drops one reason for a frame to stay, and closes what has none left. */
void frame_drop(Graph *g, Frame *f);

/* graph_flow.c. All inputs are there. */
void instance_arm(Graph *g, Instance *i, uint64_t now_ns);
/* It ends, and what follows from that happens; what must be skipped is only marked. */
void instance_end(Graph *g, Instance *i, Phase phase, uint64_t now_ns);
void count_end(Graph *g, const Instance *i);
/* Skips what is marked: last in every call. */
void doomed_drain(Graph *g, uint64_t now_ns);
/* The instances of a fresh frame that can start do. */
void frame_start(Graph *g, Frame *f, uint64_t now_ns);
/* A generator has yielded a batch. */
void frame_open(Graph *g, Instance *gen, void *batch, void *user, uint64_t now_ns);

#endif
