/* sim_words.h - what is written for a simulation, by the names of steps:
 *
 *   durations   "extract=1ms, load=200ms..400ms, crunch=5ms cpu, *=0s"
 *   batches     "9" for every generator, or "files=3, read=12"
 *   priorities  "load=3, clean=1"
 *
 * Mistakes are ERR_DATA; a line below the text says what to do. Texts are borrowed for the call.
 */
#ifndef PIPE_API_SIM_WORDS_H
#define PIPE_API_SIM_WORDS_H

#include "api/sim_model.h"
#include "base/status.h"

/* Each also says which entries were written. Arrays begin as zeros. */
Status durations_read(const GraphSpec *g, Str text, Duration *out, bool *is_written, Error *err);
/* out: [n_scopes] */
Status batches_read(const GraphSpec *g, Str text, BatchCount *out, Error *err);
/* out: [n_steps] of the language, not StepSpec.priority */
Status priorities_read(const GraphSpec *g, Str text, int32_t *out, bool *is_written, Error *err);

#endif
