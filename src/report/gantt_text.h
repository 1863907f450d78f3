/* gantt_text.h - the Gantt chart as text: what a person looks at first.
 *
 * A pure function of the recording; UTF-8 or ASCII; no line is wider than `width`.
 */
#ifndef PIPE_REPORT_GANTT_TEXT_H
#define PIPE_REPORT_GANTT_TEXT_H

#include "report/recording.h"

typedef struct GanttTextOptions {
    uint32_t width; /* columns; 0: 100; taken as at least 60 */
    bool is_ascii;
    bool has_color; /* ANSI colours beside the characters, never instead */
} GanttTextOptions;

void gantt_text(const Recording *r, const GanttTextOptions *options, Buf *out);

#endif
