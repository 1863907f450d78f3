/* agg_merge.c - states of groups, or rows as if each were a state, into those that are there. */
#include "vm/agg_int.h"

/* What is asked of memory before it is wanted: the states of groups may be anywhere. */
#define AHEAD 16u
#define FETCH(states) (i + AHEAD < n ? __builtin_prefetch(&s.states[map[i + AHEAD]]) : (void)0)

/* e: the group of `from`, g: that of ours. */
#define EACH_GROUP(states)                                                               \
    for (uint32_t i = 0, e, g;                                                           \
         i < n && (FETCH(states), e = some ? some[i] : i, g = map[i], true); i++)

void agg_merge(Agg *a, const Agg *from, const uint32_t *some, const uint32_t *map, uint32_t n,
               uint32_t n_groups)
{
    agg_room(a, n_groups);
    if (!a->sep && from->sep) {
        a->sep = xstrndup(from->sep, from->sep_len);
        a->sep_len = from->sep_len;
    }
    for (uint32_t i = 0; i < from->n_items; i++) {
        const Item *it = &from->items[i];
        if (a->spec->fn == BUILTIN_AGG_MEDIAN)
            agg_add_item(a, map[it->group], from->value.col, it->row);
        else
            agg_add_distinct(a, map[it->group], from->value.col, it->row);
    }
    States s = a->of, f = from->of;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_GROUP(counts) s.counts[g] += f.counts[e];
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type != TYPE_FLOAT) {
            EACH_GROUP(ints)
            {
                s.ints[g].sum += f.ints[e].sum;
                s.ints[g].n += f.ints[e].n;
            }
            break;
        }
        EACH_GROUP(sums)
        {
            uint64_t n_values = s.sums[g].n + f.sums[e].n;
            if (!f.sums[e].n)
                continue;
            sum_add(&s.sums[g], f.sums[e].sum);
            s.sums[g].rest += f.sums[e].rest;
            s.sums[g].n = n_values;
        }
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_GROUP(moments) moments_merge(&s.moments[g], f.moments[e]);
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_GROUP(bools)
        {
            s.bools[g].any_true |= f.bools[e].any_true;
            s.bools[g].any_false |= f.bools[e].any_false;
        }
        break;
    case BUILTIN_AGG_STRING_AGG:
        for (uint32_t i = 0; i < from->n_groups; i++)
            if (from->seen[i])
                agg_add_text(a, map[i], buf_str(&f.texts[i]));
        break;
    case BUILTIN_AGG_MEDIAN:
    case BUILTIN_AGG_COUNT_DISTINCT:
        break;
    default:
        EACH_GROUP(picks)
            if (f.picks[e].is_set)
                pick_row(a, g, picks_by(a) ? from->by.col : from->value.col, f.picks[e].row);
        agg_settle(a, from->value.col, from->by.col, map, n);
        break;
    }
}

bool agg_is_small(const AggSpec *spec)
{
    return spec->fn != BUILTIN_AGG_MEDIAN && spec->fn != BUILTIN_AGG_COUNT_DISTINCT &&
           spec->fn != BUILTIN_AGG_STRING_AGG;
}

/* e: the row, g: its group; rows in which c is null are left out. */
#define EACH_ADDED(states, c)                                                            \
    for (uint32_t i = 0, e, g;                                                           \
         i < n && (FETCH(states), e = some ? some[i] : i, g = map[i], true); i++)        \
        if (is_live((c), e))

/* Of one row nothing is lost: a sum of its states is a sum of the values. Moments are merged as those of a batch are. */
void agg_add(Agg *a, Column *const *args, const uint32_t *some, const uint32_t *map, uint32_t n,
             uint32_t n_groups)
{
    agg_room(a, n_groups);
    States s = a->of;
    const Column *x = a->spec->n_args ? args[0] : NULL;
    switch ((int)a->spec->fn) {
    case BUILTIN_AGG_COUNT:
        EACH_ADDED(counts, x) s.counts[g]++;
        break;
    case BUILTIN_AGG_SUM:
    case BUILTIN_AGG_MEAN:
        if (a->spec->type != TYPE_FLOAT) {
            EACH_ADDED(ints, x)
            {
                s.ints[g].sum += column_ints(x)[e];
                s.ints[g].n++;
            }
            break;
        }
        EACH_ADDED(sums, x) sum_add(&s.sums[g], column_floats(x)[e]);
        break;
    case BUILTIN_AGG_STDDEV:
    case BUILTIN_AGG_VARIANCE:
        EACH_ADDED(moments, x)
        {
            Moments one = {0};
            moments_add(&one, column_floats(x)[e]);
            moments_merge(&s.moments[g], one);
        }
        break;
    case BUILTIN_AGG_ANY:
    case BUILTIN_AGG_ALL:
        EACH_ADDED(bools, x)
        {
            bool is_true = column_bools(x)[e] & 1;
            s.bools[g].any_true |= is_true;
            s.bools[g].any_false |= !is_true;
        }
        break;
    default: {
        const Column *by = picks_by(a) ? args[1] : x;
        EACH_ADDED(picks, by) pick_row(a, g, by, e);
        agg_settle(a, x, by, map, n);
        break;
    }
    }
}
