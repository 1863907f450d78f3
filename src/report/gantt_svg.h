/* gantt_svg.h - the Gantt chart as one self-contained SVG file: no script, no fonts, no
 * links; light and dark as the viewer prefers. A pure function of the recording.
 */
#ifndef PIPE_REPORT_GANTT_SVG_H
#define PIPE_REPORT_GANTT_SVG_H

#include "report/recording.h"

typedef struct GanttSvgOptions {
    uint32_t width; /* pixels; 0: 900; taken as at least 480 */
} GanttSvgOptions;

void gantt_svg(const Recording *r, const GanttSvgOptions *options, Buf *out);

#endif
