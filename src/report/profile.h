/* profile.h - a run's profile (base/profile.h) as a table for people. Pure. */
#ifndef PIPE_REPORT_PROFILE_H
#define PIPE_REPORT_PROFILE_H

#include "base/observer.h"
#include "base/profile.h"

typedef struct ProfileShown {
    uint32_t max_lines; /* of the whole, about; 0: any number */
    uint32_t width;     /* of a line, in columns; 0: any */
    bool is_ascii;
} ProfileShown;

/* Steps by their time, below each what it consists of by its time, then the sums of each opcode. */
void profile_put(const Profile *p, const RunInfo *info, const ProfileShown *shown, Buf *out);

#endif
