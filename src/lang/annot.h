/* annot.h - the annotations of an op, a stage or a job, resolved.
 *
 * annot.def declares each annotation once: its places and its arguments. Arguments are
 * constant expressions of the tree, evaluated and typed by plan/; words such as
 * `exponential` are enums here. An annotation that was wrong is reported and left out.
 */
#ifndef PIPE_LANG_ANNOT_H
#define PIPE_LANG_ANNOT_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/policy.h"
#include "lang/ast.h"

/* Where an annotation may stand: bits. */
typedef enum AnnotPlace { ON_OP = 1, ON_STAGE = 2, ON_JOB = 4 } AnnotPlace;

typedef enum AnnotKind {
#define ANNOT(e, name, places, ...) ANNOT_##e,
#include "lang/annot.def"
#undef ANNOT
    N_ANNOTS
} AnnotKind;

typedef struct Tag {
    const Expr *key, *value;
    Span span;
} Tag;

/* spans[k] is where annotation k stands, {0, 0} when it was not given; then its fields
 * are NULL or the enum's first word. */
typedef struct Annots {
    Span spans[N_ANNOTS]; /* of the last one, for @tag */
    const Expr *priority;
    const Expr *max_concurrent;
    const Expr *pool_name, *pool_size;
    const Expr *in_flight; /* NULL also when is_unbounded */
    bool is_unbounded;     /* @in_flight(unbounded) */
    const Expr *max_batches;
    const Expr *memory;
    struct {
        const Expr *n;
        const Expr *delay, *max_delay, *jitter; /* NULL: not given */
        Backoff backoff;
    } retry;
    const Expr *timeout;
    BadRows bad_rows;
    const Expr *rejects; /* NULL: not given */
    OnFailure on_failure;
    const Expr *doc;
    Vec(Tag) tags;
} Annots;

static inline bool annots_has(const Annots *a, AnnotKind k)
{
    return a->spans[k].hi != 0;
}

/* For help, completion and manual. */
typedef struct AnnotInfo {
    const char *name;
    unsigned places; /* AnnotPlace bits */
} AnnotInfo;
const AnnotInfo *annot_info(AnnotKind k);
bool annot_by_name(Str name, AnnotKind *out);
/* "@retry(n, delay: .., backoff: .., max_delay: .., jitter: ..)" into out. */
void annot_print_usage(AnnotKind k, Buf *out);

/* Resolves the annotations of one place and reports every mistake in them. */
Annots annots_resolve(Arena *a, Diags *ds, const AnnotationList *list,
                      AnnotPlace place);

/* What holds for a step: the nearest wins (stage, then job, then op). A job's
 * @max_concurrent, @in_flight, @max_batches, @memory, @doc and @tag concern the job
 * itself and are not handed down; tags of op and stage are both kept. Each of the three
 * may be NULL. */
Annots annots_of_step(Arena *a, const Annots *stage, const Annots *job,
                      const Annots *op);

#endif
