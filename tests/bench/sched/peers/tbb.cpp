/* tbb.cpp - oneTBB's flow graph: an input node, a limiter with four tokens a worker that the
 * last node gives back, and a function node for each body, later ones with higher priority. */
#include "peers.h"

#include <cstdio>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

namespace {

using Op = tbb::flow::function_node<uint32_t, uint32_t>;
using Last = tbb::flow::function_node<uint32_t, tbb::flow::continue_msg>;

PeerCount counts[PEER_MAX_WORKERS];

void body() { counts[tbb::this_task_arena::current_thread_index()].n++; }

void flow_run(PeerRun *r, PeerLive *live)
{
    namespace flow = tbb::flow;
    flow::graph g;
    uint32_t n = 0;
    flow::input_node<uint32_t> source(g, [&](tbb::flow_control &fc) -> uint32_t {
        if (n == r->n_batches) {
            fc.stop();
            return 0;
        }
        body();
        if (r->counts_live)
            peer_born(live);
        return n++;
    });
    flow::limiter_node<uint32_t> limiter(g, 4 * r->n_workers);
    auto op = [](uint32_t b) -> uint32_t {
        body();
        return b;
    };
    static_assert(PEER_DEPTH == 4, "the nodes are written out");
    Op a(g, flow::unlimited, op, flow::node_priority_t(1));
    Op b(g, flow::unlimited, op, flow::node_priority_t(2));
    Op c(g, flow::unlimited, op, flow::node_priority_t(3));
    Last d(
        g, flow::unlimited,
        [&](uint32_t) -> flow::continue_msg {
            body();
            if (r->counts_live)
                peer_died(live);
            return flow::continue_msg();
        },
        flow::node_priority_t(4));
    flow::make_edge(source, limiter);
    flow::make_edge(limiter, a);
    flow::make_edge(a, b);
    flow::make_edge(b, c);
    flow::make_edge(c, d);
    flow::make_edge(d, limiter.decrementer());
    double start = peer_now_ns();
    source.activate();
    g.wait_for_all();
    r->ns = peer_now_ns() - start;
}

} // namespace

void peer_tbb(PeerRun *r)
{
    PeerLive live = {0, 0};
    for (auto &count : counts)
        count.n = 0;
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, r->n_workers);
    tbb::task_arena arena(static_cast<int>(r->n_workers));
    arena.execute([&] { flow_run(r, &live); });
    r->n_bodies = peer_total(counts);
    r->peak_live = live.peak;
}

const char *peer_tbb_version() { return TBB_runtime_version(); }
