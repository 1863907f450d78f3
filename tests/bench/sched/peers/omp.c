/* omp.c - OpenMP tasks: one thread generates, each task of a chain depends on the one
 * before, later ones have higher priority. Priorities are heeded only if
 * OMP_MAX_TASK_PRIORITY is set when the program starts. */
#include "peers.h"

#include <omp.h>
#include <stdlib.h>

static PeerCount counts[PEER_MAX_WORKERS];

static void body(void) { counts[omp_get_thread_num()].n++; }

static void generate(const PeerRun *r, PeerLive *live, char *tokens)
{
    (void)tokens; /* gcc does not see that it is used */
    for (uint32_t b = 0; b < r->n_batches; b++) {
        body();
        if (r->counts_live)
            peer_born(live);
        for (int k = 1; k <= PEER_DEPTH; k++) {
#pragma omp task depend(inout : tokens[b]) priority(k) firstprivate(k)
            {
                body();
                if (k == PEER_DEPTH && r->counts_live)
                    peer_died(live);
            }
        }
    }
}

void peer_omp(PeerRun *r)
{
    PeerLive live = {0};
    char *tokens = calloc(r->n_batches, 1);
    if (!tokens || r->n_workers > PEER_MAX_WORKERS)
        abort();
    for (int k = 0; k < PEER_MAX_WORKERS; k++)
        counts[k].n = 0;
    double start = peer_now_ns();
#pragma omp parallel num_threads(r->n_workers)
#pragma omp single
    generate(r, &live, tokens);
    r->ns = peer_now_ns() - start;
    r->n_bodies = peer_total(counts);
    r->peak_live = live.peak;
    free(tokens);
}
