/* profile.h - what a run's time went into: figures of each step and of each instruction of its code.
 *
 * Made by the runner, shown by report/profile.h and kept in traces. Plain data; texts are borrowed from
 * the arena that it was made in.
 */
#ifndef PIPE_BASE_PROFILE_H
#define PIPE_BASE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum ProfileKind {
    PROFILE_STEP,   /* all work of a step; the lines that follow are what it consists of */
    PROFILE_INSTR,  /* an instruction; name: its opcode, text: the source that it was made of */
    PROFILE_WORK,   /* what is not bytecode; name: "reading" */
    PROFILE_REST,   /* the step's time less all that */
    PROFILE_WAIT,   /* no work: how long results waited */
} ProfileKind;

typedef struct ProfileLine {
    ProfileKind kind;
    uint32_t step;     /* index into RunInfo.steps */
    Str name, text;
    uint64_t n_runs;   /* of a step: instances and what was folded; else how often it was done */
    uint64_t n_rows;   /* that went in; of a STEP those of its first work or instruction */
    uint64_t n_values; /* of an instruction: those that were looked at once for all of their rows; 0: it went row by row */
    uint64_t n_bytes;  /* read, or put out */
    uint64_t ns;       /* of all workers together */
    uint64_t cycles;   /* 0 where the profile has none */
} ProfileLine;

typedef struct Profile {
    uint64_t run_ns;        /* how long the run took */
    uint64_t work_ns;       /* of all steps together */
    double cycles_per_us;   /* rate of the count of cycles; 0: this machine has none that can be used */
    uint32_t n_lines;
    ProfileLine *lines;     /* [n_lines] step by step, STEP first; what never ran is left out */
} Profile;

/* A copy in the arena that borrows nothing. */
Profile *profile_copy(Arena *a, const Profile *p);
const char *profile_kind_name(ProfileKind k); /* "step" */

#endif
