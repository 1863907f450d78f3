#include "lang/deps.h"

Deps deps_new(Arena *a, uint32_t n)
{
    return (Deps){n, arena_array(a, DepList, n)};
}

void deps_add(Arena *a, Deps *d, uint32_t from, uint32_t to, Span span)
{
    DepList *list = &d->of[from];

    for (size_t i = 0; i < list->n; i++)
        if (list->ptr[i].to == to)
            return;
    vec_push(a, list, ((Dep){to, span}));
}

typedef enum Colour { WHITE, GREY, BLACK } Colour; /* unseen, on the path, done */

/* Depth first with a path of our own: chains of definitions may be long. */
typedef struct Walk {
    const Deps *deps;
    Colour *colour;
    uint32_t *path; /* [n_path] */
    size_t *next;   /* [n_path] the need of path[i] to look at next */
    Span *at;       /* [n_path] scratch for cycles */
    uint32_t n_path;
    uint32_t *order;
    uint32_t n_order;
    CycleFn *on_cycle;
    void *ctx;
} Walk;

static void walk_enter(Walk *w, uint32_t node)
{
    w->colour[node] = GREY;
    w->path[w->n_path] = node;
    w->next[w->n_path++] = 0;
}

static void walk_tell_cycle(Walk *w, uint32_t to)
{
    uint32_t start = w->n_path;

    do {
        start--;
        w->at[start] = w->deps->of[w->path[start]].ptr[w->next[start] - 1].span;
    } while (w->path[start] != to);
    w->on_cycle(w->ctx, w->path + start, w->at + start, w->n_path - start);
}

static void walk_step(Walk *w)
{
    uint32_t top = w->n_path - 1, node = w->path[top];

    if (w->next[top] == w->deps->of[node].n) {
        w->colour[node] = BLACK;
        w->order[w->n_order++] = node;
        w->n_path--;
        return;
    }
    uint32_t to = w->deps->of[node].ptr[w->next[top]++].to;
    switch (w->colour[to]) {
    case WHITE:
        walk_enter(w, to);
        break;
    case GREY:
        walk_tell_cycle(w, to);
        break;
    case BLACK:
        break;
    }
}

void deps_order(Arena *a, const Deps *d, uint32_t *order, CycleFn *on_cycle, void *ctx)
{
    Walk w = {.deps = d,
              .colour = arena_array(a, Colour, d->n),
              .path = arena_array(a, uint32_t, d->n),
              .next = arena_array(a, size_t, d->n),
              .at = arena_array(a, Span, d->n),
              .order = order,
              .on_cycle = on_cycle,
              .ctx = ctx};

    for (uint32_t i = 0; i < d->n; i++) {
        if (w.colour[i] == WHITE)
            walk_enter(&w, i);
        while (w.n_path)
            walk_step(&w);
    }
}
