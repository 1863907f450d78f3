/* gantt_svg.h - the Gantt chart as one self-contained SVG file: no script, no fonts, no
 * links; light and dark as the viewer prefers. A pure function of the recording.
 *
 * Up to GANTT_MAX_ROWS instances: a row for each. Above that a row for each step with how many run
 * and wait over time, the critical path as a strip, and a lane for each worker (up to 16). Its
 * size does not grow with the number of instances: at 900 px it is a quarter of a megabyte for
 * 4 steps on 4 workers, and below 2 MB for 40 steps on 16 workers.
 */
#ifndef PIPE_REPORT_GANTT_SVG_H
#define PIPE_REPORT_GANTT_SVG_H

#include "report/recording.h"

typedef struct GanttSvgOptions {
    uint32_t width; /* pixels; 0: 900; taken as at least 480 */
} GanttSvgOptions;

void gantt_svg(const Recording *r, const GanttSvgOptions *options, Buf *out);

#endif
