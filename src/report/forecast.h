/* forecast.h - what simulations predict: a line per setting, as text and as JSON. Pure. */
#ifndef PIPE_REPORT_FORECAST_H
#define PIPE_REPORT_FORECAST_H

#include "base/observer.h"

#define FORECAST_UNBOUNDED UINT32_MAX

/* The batches of one generator step. */
typedef struct ForecastScope {
    Str generator;
    uint32_t in_flight; /* credits, or FORECAST_UNBOUNDED */
    uint64_t bound;     /* on live batches; UINT64_MAX: none */
    ScopeCount count;
} ForecastScope;

typedef struct Forecast {
    uint32_t n_workers;
    RunState state;
    uint64_t makespan_ns;
    uint64_t busy_ns;        /* of all workers */
    uint32_t n_scopes;       /* without the root */
    ForecastScope *scopes;   /* [n_scopes] */
} Forecast;

/* Speed-up is against the first; one setting has none. n >= 1. */
void forecast_put_table(const Forecast *f, uint32_t n, Buf *out);
/* {"file": ..., "job": ..., "settings": [...]} and a line end. */
void forecast_put_json(const Forecast *f, uint32_t n, Str file, Str job, Buf *out);

#endif
