/* svg_int.h - what the parts of an SVG chart share: svg_bars.c draws instances, svg_density.c what
 * many of them amount to and what is alive, gantt_svg.c the picture around them.
 */
#ifndef PIPE_REPORT_SVG_INT_H
#define PIPE_REPORT_SVG_INT_H

#include "report/gantt.h"

enum {
    SVG_MARGIN = 20, SVG_GAP = 12,
    SVG_ROW = 20, SVG_BAR = 14,       /* a row for one instance */
    SVG_HELP = 9,                     /* of its bar: what all other workers do for it */
    SVG_LANE = 28, SVG_LANE_BAR = 22, /* a row for one worker */
    SVG_STEP = 34,                    /* a row for all instances of a step */
    SVG_LIVE = 56,                    /* height of a chart of live batches */
    SVG_CHAR = 7,                     /* width of a character of the 12 px font, about */
    SVG_MAX_TITLED = 2000,            /* bars of a folded chart that say what they are */
    SVG_MAX_LANES = 16,
};

/* Looks that are explained below the chart, where they occur. */
typedef enum SvgLook { LOOK_WAIT, LOOK_HELP, LOOK_DELAY, LOOK_RETRY, LOOK_FAIL, LOOK_SKIP, LOOK_PATH } SvgLook;
#define N_LOOKS (LOOK_PATH + 1)

typedef struct Svg {
    const Recording *rec;
    const Gantt *gantt;
    Buf *out;
    double span_ns;
    double x0, x1;  /* of the time axis; x0 is whole */
    double y;       /* where the next part begins */
    double total_x; /* right edge of the totals */
    bool is_strip;  /* the bars drawn now are the critical path: each until Critical.end_ns */
    Density help;   /* room, by pixel */
    double min_titled; /* px: shorter bars of a folded chart are drawn without a title */
    uint64_t *busy_ns; /* [n_steps] room */
    uint64_t (*wait_ns)[N_WAITS]; /* [n_steps] waits of all instances */
    bool has_look[N_LOOKS];
} Svg;

double svg_x(const Svg *s, uint64_t t_ns);
/* Visible, and nothing of it markup. */
void svg_put_text(Buf *out, Str s);
void svg_put_lines(Buf *out, Str s); /* the same; line ends stay */
/* class: "" or a name; anchor: start, middle or end. */
void svg_label(Svg *s, double x, double y, const char *class, const char *anchor, Str text);

/* svg_bars.c */
void svg_rows(Svg *s);  /* a row for each instance, and the critical path through them */
void svg_lanes(Svg *s); /* the critical path as a strip; a lane for each worker */
/* svg_density.c */
void svg_steps(Svg *s); /* a row for each step: how many run and wait over time */
void svg_live(Svg *s, uint32_t scope);

#endif
