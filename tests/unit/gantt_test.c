/* Rows, axis and text of the three Pokémon jobs; larger runs; SVG by its parts. */
#include "unit.h"

#include "base/utf8.h"
#include "recordings.h"
#include "report/forecast.h"
#include "report/gantt.h"
#include "report/gantt_svg.h"
#include "report/gantt_text.h"

static void text_of(const Recording *r, uint32_t width, bool is_ascii, Buf *out)
{
    buf_clear(out);
    gantt_text(r, &(GanttTextOptions){.width = width, .is_ascii = is_ascii}, out);
}

static void widths_check(const Buf *text, uint32_t width)
{
    uint32_t n_wide = 0;
    for (size_t from = 0; from < text->len;) {
        const char *nl = memchr(text->ptr + from, '\n', text->len - from);
        Str line = {text->ptr + from, (uint32_t)(nl - text->ptr - (long)from)};
        n_wide += utf8_width(line) > width;
        n_wide += line.len && line.ptr[line.len - 1] == ' '; /* nor blanks at the end */
        from = (size_t)(nl - text->ptr) + 1;
    }
    CHECK(n_wide == 0);
}

/* Not with strstr, which a sanitizer makes quadratic. */
static uint32_t n_times(const Buf *in, const char *what)
{
    size_t len = strlen(what);
    uint32_t n = 0;
    for (size_t i = 0; i + len <= in->len; i++)
        n += in->ptr[i] == what[0] && memcmp(in->ptr + i, what, len) == 0;
    return n;
}

static void test_static(void)
{
    Buf b = {0};
    Recording *r = record_static();
    text_of(r, 80, true, &b);
    CHECK_STR(b.ptr,
              "pokemon.pipe  static  done in 2.00 s  4 workers  4 instances\n"
              "\n"
              "             0 s         0.5 s        1.0 s         1.5 s\n"
              "             +-------------+------------+-------------+-------------\n"
              "extract_all* |                                                            800 us\n"
              "transform_1* ############################                                 1.00 s\n"
              "transform_2*                             ###########################      1.00 s\n"
              "load       *                                                       |      300 us\n"
              "\n"
              "workers      3333333333333333333333333333333333333333333333333333333   25 % busy\n"
              "\n"
              "critical  transform_1 50 %, transform_2 50 %\n"
              "# running   | under 36.4 ms   * on the critical path\n");
    CHECK(r->n_bars == 4 && r->bars[0].after == REC_NONE && r->bars[3].after == 2);
    recording_free(r);
    buf_deinit(&b);
}

/* All of one op before any of the next; nine batches alive at most. */
static void test_dynamic(void)
{
    Buf b = {0};
    Recording *r = record_dynamic();
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    uint64_t last_start[4] = {0}, first_start[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    CHECK(!g->is_folded && g->n_rows == 28 && g->n_instances == 28);
    for (uint32_t i = 1; i < g->n_rows; i++) {
        const GanttRow *row = &g->rows[i];
        CHECK(row->n_bars == 1 && row->n_instances == 1);
        if (row->first_ns > last_start[row->step])
            last_start[row->step] = row->first_ns;
        if (row->first_ns < first_start[row->step])
            first_start[row->step] = row->first_ns;
    }
    CHECK(last_start[1] <= first_start[2] && last_start[2] <= first_start[3]);
    CHECK(r->scopes[1].count.peak_live == 9);
    text_of(r, 80, false, &b);
    widths_check(&b, 80);
    CHECK(strstr(b.ptr, "live      peak 9, no bound\n"));
    CHECK(strstr(b.ptr, "░")); /* the ninth waits for a worker */
    gantt_free(g);
    recording_free(r);
    buf_deinit(&b);
}

static void test_prio_dynamic(void)
{
    Buf b = {0};
    Recording *r = record_prio_dynamic();
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    /* Groups of four, end to end. */
    static const char *const want[] = {
        "extract",        "transform_1[0]", "transform_1[1]", "transform_1[2]",
        "transform_1[3]", "transform_2[0]", "transform_2[1]", "transform_2[2]",
        "transform_2[3]", "load[0]",        "load[1]",        "load[2]",
        "load[3]",        "transform_1[4]"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        buf_clear(&b);
        gantt_put_label(g, &g->rows[i], &b);
        CHECK_STR(b.ptr, want[i]);
    }
    CHECK(g->rows[0].n_batches == 9 && g->rows[0].n_instances == 1);
    gantt_free(g);
    const uint32_t widths[] = {60, 80, 120, 200};
    for (size_t i = 0; i < 4; i++) {
        text_of(r, widths[i], i % 2, &b);
        widths_check(&b, widths[i]);
        CHECK(strstr(b.ptr, "live      peak 4 of at most 4\n"));
        CHECK(widths[i] < 80 || strstr(b.ptr, "28 instances"));
    }
    text_of(r, 80, true, &b);
    CHECK(utf8_count(buf_str(&b)) == b.len); /* ASCII is ASCII */
    CHECK(strstr(b.ptr, "4444444"));         /* live batches as digits */
    /* A batch's bars hang together: generator, transform_1, transform_2, load. */
    uint32_t n_linked = 0;
    for (uint32_t i = 0; i < r->n_bars; i++) {
        const Bar *bar = &r->bars[i];
        if (bar->step == 0)
            continue;
        CHECK(bar->after != REC_NONE);
        const Bar *from = &r->bars[bar->after];
        n_linked += from->step == bar->step - 1 &&
                    (bar->step == 1 ? from->child : from->frame) == bar->frame;
    }
    CHECK(n_linked == 27);
    recording_free(r);
    buf_deinit(&b);
}

/* Each attempt is a bar of its own, and the delay between them a wait. */
static void test_retry(void)
{
    Buf b = {0};
    Recording *r = record_retried();
    text_of(r, 80, true, &b);
    CHECK_STR(b.ptr,
              "pokemon.pipe  retried  done in 4.00 s  2 workers  10 instances: 1 retried\n"
              "\n"
              "                0 s         1 s          2 s          3 s\n"
              "                +------------+------------+------------+------------\n"
              "extract       * |.........................|                           3x 3.20 ms\n"
              "transform_1[0]* #############                                             1.00 s\n"
              "transform_1[1]  #############                                             1.00 s\n"
              "transform_2[0]*              #############                                1.00 s\n"
              "transform_2[1]               ############r.............#############      2.00 s\n"
              "load[0]       *                          |                                300 us\n"
              "transform_1[2]*                           #############                   1.00 s\n"
              "transform_2[2]*                                        #############      1.00 s\n"
              "load[1]                                                            |      300 us\n"
              "load[2]       *                                                    |      300 us\n"
              "\n"
              "workers         9999999999999999999999999955555555555559999999999999   88 % busy\n"
              "live            2222222222222222222222222222222222222222222222222222\n"
              "\n"
              "live      peak 2 of at most 8\n"
              "critical  transform_1 50 %, transform_2 50 %\n"
              "waited    extract 2.00 s for a worker, transform_2 1.00 s for its next attempt\n"
              "# running   . ready, waiting   | under 77.0 ms   r failed, tried again\n"
              "* on the critical path\n");
    recording_free(r);
    buf_deinit(&b);
}

/* What a failed batch leaves undone has rows of its own. */
static void test_skip(void)
{
    Buf b = {0};
    Sample s;
    sample_init(&s, false, 2, 3, SECOND);
    s.fail_step = 1;
    s.fail_key = 1;
    s.spec.steps[1].on_failure = ON_FAILURE_SKIP;
    s.spec.steps[3].cap = 1;
    Recording *r = sample_record(&s, "skipped");
    CHECK(r->state == RUN_PARTIAL);
    text_of(r, 80, true, &b);
    CHECK_STR(b.ptr,
              "pokemon.pipe  skipped  partial in 3.00 s  2 workers\n"
              "8 instances: 1 failed, 2 skipped\n"
              "\n"
              "                0 s    0.5 s   1.0 s    1.5 s    2.0 s   2.5 s\n"
              "                +--------+-------+--------+--------+-------+--------\n"
              "extract       * |................|................|                   3x 3.20 ms\n"
              "transform_1[0]  #################                                         1.00 s\n"
              "transform_1[1]* ################x                                         1.00 s\n"
              "transform_2[0]                   ##################                       1.00 s\n"
              "transform_2[1]                   s                                       skipped\n"
              "load[1]                          s                                       skipped\n"
              "transform_1[2]*                  ##################                       1.00 s\n"
              "load[0]                                           |                       300 us\n"
              "transform_2[2]*                                    #################      1.00 s\n"
              "load[2]       *                                                    |      300 us\n"
              "\n"
              "workers         9999999999999999999999999999999999855555555555555555   83 % busy\n"
              "live            2222222222222222222222222222222222211111111111111111\n"
              "\n"
              "live      peak 2 of at most 8\n"
              "critical  transform_1 67 %, transform_2 33 %\n"
              "waited    extract 2.00 s for a worker\n"
              "skipped   1 of transform_2, 1 of load since transform_1 failed\n"
              "# running   . ready, waiting   | under 57.7 ms   x failed   s skipped\n"
              "* on the critical path\n");
    recording_free(r);
    buf_deinit(&b);
}

/* Folded: failures keep their marks, and the totals say how many. */
static void test_folded_failures(void)
{
    Buf b = {0};
    Sample s;
    sample_init(&s, false, 4, 40, SECOND);
    s.fail_step = 1;
    s.fail_key = 20;
    s.spec.steps[1].on_failure = ON_FAILURE_SKIP;
    Recording *r = sample_record(&s, "many");
    text_of(r, 80, true, &b);
    CHECK_STR(b.ptr,
              "pokemon.pipe  many  partial in 20.0 s  4 workers\n"
              "119 instances: 1 failed, 2 skipped\n"
              "\n"
              "             0 s         5 s        10 s         15 s\n"
              "             +------------+-----------+------------+------------\n"
              "extract      1....1....1....1....1....1..1.1..1.1..1.1..1.1..1       40x 32.8 ms\n"
              "transform_1* 995  996  897  798  699  59x33577334774347743377     40x  40.0 s 1x\n"
              "transform_2*    99   99   99   99   995  s7533776336763367733577  39x  39.0 s 1s\n"
              "load              1    1    1    1    1  s 1  1 1  1 1  1 1  1 1  39x 11.7 ms 1s\n"
              "\n"
              "workers      999999999999999999999999999999999999999999999999877       99 % busy\n"
              "live         444444444444444444444444444444444444444444444444433\n"
              "\n"
              "live      peak 4 of at most 4\n"
              "critical  transform_1 50 %, transform_2 50 %\n"
              "waited    extract 19.0 s for a worker\n"
              "skipped   1 of transform_2, 1 of load since transform_1 failed\n"
              "1-9 running, 9: on all workers   . ready, waiting   x failed   s skipped\n"
              "* on the critical path\n");
    recording_free(r);
    buf_deinit(&b);
}

/* A collect: folds are bars of the collecting instance, and it comes after them. */
static void test_folds(void)
{
    Sample s;
    sample_init(&s, false, 2, 5, SECOND);
    uint32_t c = spec_step(&s.spec, 0, "total");
    spec_input(&s.spec, c, 3);
    Recording *r = sample_record(&s, "report");
    uint32_t n_folds = 0;
    for (uint32_t i = 0; i < r->n_bars; i++) {
        const Bar *b = &r->bars[i];
        if (b->kind == BAR_FOLD) {
            n_folds++;
            CHECK(b->step == c && b->frame == 0 && b->child != REC_NONE);
        } else if (b->step == c) {
            CHECK(b->after != REC_NONE && r->bars[b->after].kind == BAR_FOLD);
        }
    }
    CHECK(n_folds == 5);
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    CHECK(g->n_rows == 17);
    for (uint32_t i = 0; i < g->n_rows; i++)
        CHECK(g->rows[i].step != c || (g->rows[i].n_bars == 6 && g->rows[i].frame == 0));
    gantt_free(g);
    recording_free(r);
}

/* What other workers do for an instance is work of its row, and of their lanes, and no instance. */
static void test_help(void)
{
    Buf b = {0};
    Recording *r = record_helped(0);
    text_of(r, 80, true, &b);
    CHECK_STR(b.ptr,
              "pokemon.pipe  helped  done in 7.00 s  3 workers  4 instances\n"
              "\n"
              "         0 s    1 s      2 s     3 s      4 s     5 s      6 s\n"
              "         +-------+--------+-------+--------+-------+--------+-------\n"
              "read   * ########                                                         1.00 s\n"
              "sort   *         ##################################                       7.00 s\n"
              "late   *         ..........................#########################      3.00 s\n"
              "write                                              #########              1.00 s\n"
              "\n"
              "workers  33333333333333334999999997666666666666666666666666533333333   57 % busy\n"
              "\n"
              "critical  sort 43 %, late 43 %, read 14 %\n"
              "helped    sort 3.00 s by other workers\n"
              "waited    late 3.00 s for a worker\n"
              "# running   . ready, waiting   * on the critical path\n");
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(n_times(&b, "class=\"hp\"") == 2 && strstr(b.ptr, ">other workers did a part of it</text>")); /* the row, the legend */
    CHECK(strstr(b.ptr, "<title>sort: 2 pieces of it on other workers, 3.00 s of work</title>"));
    CHECK(strstr(b.ptr, "4 instances") && strstr(b.ptr, ">7.00 s</text>"));
    CHECK(strstr(b.ptr, ">helped</text>") && strstr(b.ptr, ">sort 3.00 s by other workers</text>"));
    recording_free(r);
    r = record_helped(50);
    Gantt *g = gantt_layout(r, GANTT_MAX_ROWS);
    CHECK(g->is_folded && g->n_instances == 54 && g->rows[1].step == 1);
    CHECK(g->rows[1].n_instances == 1 && g->rows[1].n_bars == 3 && g->rows[1].busy_ns == 7 * SECOND && g->rows[1].path_ns == 3 * SECOND);
    gantt_free(g);
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(n_times(&b, "<title>a piece of sort\n2.00 s to 4.00 s, 2.00 s\nworker 2\non the critical path</title>") == 2);
    CHECK(n_times(&b, "<title>a piece of sort\n2.00 s to 3.00 s, 1.00 s\nworker 3</title>") == 1);
    CHECK(strstr(b.ptr, ">100 % of the time</text>") && strstr(b.ptr, ">71 % busy</text>") && !strstr(b.ptr, "class=\"hp\""));
    recording_free(r);
    buf_deinit(&b);
}

static void test_nothing(void)
{
    Buf b = {0};
    Sample s;
    sample_init(&s, false, 1, 0, SECOND);
    Recording *r = sample_record(&s, "empty");
    text_of(r, 80, true, &b);
    widths_check(&b, 80);
    CHECK(strstr(b.ptr, "live      peak 0 of at most"));
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    r->n_bars = 0;
    r->t_ns = 0;
    text_of(r, 80, false, &b);
    CHECK(strstr(b.ptr, "0 instances"));
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(strstr(b.ptr, "</svg>"));
    recording_free(r);
    buf_deinit(&b);
}

static void test_folded(void)
{
    Buf b = {0};
    Sample s;
    sample_init(&s, false, 4, 25000, SECOND / 1000);
    Recording *r = sample_record(&s, "large");
    text_of(r, 100, false, &b);
    widths_check(&b, 100);
    CHECK(strstr(b.ptr, "75,001 instances"));
    CHECK(n_times(&b, "\n") == 15);
    /* What limits such a run is its generator: one dispatch after the other. */
    CHECK(strstr(b.ptr, "\ncritical  extract 100 %\n"));
    CHECK(strstr(b.ptr, "25,000× ") && strstr(b.ptr, "by how many workers"));
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){.width = 900}, &b);
    CHECK(n_times(&b, "<rect") < 2500 && n_times(&b, "<path") < 5 * 900);
    CHECK(b.len < 400000); /* however many instances there are */
    CHECK(strstr(b.ptr, ">25,000× 25.0 s</text>") && strstr(b.ptr, ">critical path</text>"));
    CHECK(strstr(b.ptr, "worker 4</text>"));
    recording_free(r);
    buf_deinit(&b);
}

static void test_svg(void)
{
    Buf b = {0};
    Recording *r = record_prio_dynamic();
    gantt_svg(r, &(GanttSvgOptions){.width = 900}, &b);
    CHECK(n_times(&b, "<title>") == 1 + n_times(&b, "</rect>"));
    /* 27 instances; ten dispatches of the generator in three pixels, two waits between them. */
    CHECK(n_times(&b, "<title>") == 1 + 27 + 3 + 2);
    CHECK(n_times(&b, "<title>extract waits\n2.00 s for a worker</title>") == 2);
    CHECK(n_times(&b, "on the critical path</title>") > 6 && n_times(&b, "class=\"cp\"") == 2);
    CHECK(strstr(b.ptr, ">critical path</text>"));
    CHECK(strstr(b.ptr, "<title>transform_2[3]: done\n"));
    CHECK(strstr(b.ptr, "100 rows in, 100 out\nworker "));
    CHECK(strstr(b.ptr, "at most 4</text>") && strstr(b.ptr, "class=\"bound\""));
    CHECK(strstr(b.ptr, "prefers-color-scheme:dark") && !strstr(b.ptr, "<script"));
    CHECK(!strstr(b.ptr, "href") && n_times(&b, "http") == 1); /* the namespace */
    /* Names are text, never markup. */
    ((RunStep *)r->info.steps)[1].name = STR_LIT("<b>&\"x\"\n");
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){.width = 900}, &b);
    CHECK(strstr(b.ptr, "&lt;b&gt;&amp;&quot;x&quot;\\n[0]") && !strstr(b.ptr, "<b>"));
    recording_free(r);
    buf_deinit(&b);
}

/* Attempts, what waits and what was skipped have looks of their own and say why. */
static void test_svg_failures(void)
{
    Buf b = {0};
    Sample s;
    Recording *r = record_retried();
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(strstr(b.ptr, "<title>transform_2[1]: failed, tried again\n"));
    CHECK(strstr(b.ptr, "<title>transform_2[1], attempt 2: done\n"));
    CHECK(strstr(b.ptr, "\nwaited 1.00 s for its next attempt\n"));
    CHECK(n_times(&b, "class=\"re\"") == 2 && n_times(&b, ">↻</text>") == 1); /* and the legend */
    CHECK(n_times(&b, "class=\"dl s") == 2 && !strstr(b.ptr, "class=\"bad\""));
    recording_free(r);
    sample_init(&s, false, 2, 3, SECOND);
    s.fail_step = 1;
    s.fail_key = 1;
    s.spec.steps[1].on_failure = ON_FAILURE_SKIP;
    s.spec.scopes[1].in_flight = 1;
    r = sample_record(&s, "skipped");
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(n_times(&b, "class=\"bad\"") == 2 && n_times(&b, ">×</text>") == 1);
    CHECK(strstr(b.ptr, "<title>load[1]: skipped since transform_1 failed</title>"));
    CHECK(n_times(&b, "class=\"sk\"") == 3); /* transform_2[1], load[1], the legend */
    CHECK(strstr(b.ptr, " s for a credit</title>"));
    recording_free(r);
    buf_deinit(&b);
}

/* An instance that begins together with a fold of no length is not hidden by it. */
static void test_svg_fold(void)
{
    Buf b = {0};
    Sample s;
    sample_init(&s, false, 2, 2, SECOND);
    spec_input(&s.spec, spec_step(&s.spec, 0, "transform_all"), 3);
    Recording *r = sample_record(&s, "fold");
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(strstr(b.ptr, "<title>transform_all: done\n"));
    recording_free(r);
    buf_deinit(&b);
}

static void test_axis(void)
{
    CHECK(gantt_tick_ns(6 * SECOND, 6) == SECOND);
    CHECK(gantt_tick_ns(6 * SECOND, 5) == 2 * SECOND);
    CHECK(gantt_tick_ns(0, 10) == 1);
    CHECK(gantt_tick_ns(3600 * SECOND, 10) == 600 * SECOND);
    CHECK(gantt_tick_ns(45 * SECOND, 10) == 5 * SECOND);
    CHECK(gantt_tick_ns(86400 * SECOND * 365, 10) >= 36 * 86400 * SECOND);
    Buf b = {0};
    const struct {
        uint64_t ns;
        const char *want;
    } times[] = {{0, "0 ns"},          {999, "1.00 us"},      {12300, "12.3 us"},
                 {999499, "999 us"},   {999500, "1.00 ms"},   {1000000000, "1.00 s"},
                 {12340000000, "12.3 s"}, {119400000000, "119 s"},
                 {123000000000, "2m03s"}, {3900000000000, "1h05m"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        buf_clear(&b);
        time_put(&b, times[i].ns);
        CHECK_STR(b.ptr, times[i].want);
    }
    const struct {
        uint64_t n;
        const char *want;
    } sizes[] = {{0, "0 B"}, {999, "999 B"}, {3100000, "3.1 MB"}, {64000000, "64 MB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        buf_clear(&b);
        bytes_put(&b, sizes[i].n);
        CHECK_STR(b.ptr, sizes[i].want);
    }
    buf_clear(&b);
    count_put(&b, 1234567);
    CHECK_STR(b.ptr, "1,234,567");
    buf_clear(&b);
    column_put(&b, STR_LIT("日本語"), 5, false);
    CHECK_STR(b.ptr, "日本…");
    buf_deinit(&b);
}

/* Both charts name credits beyond the limit, and a bound that does not hold. */
static void test_overdrafts(void)
{
    Buf b = {0};
    Recording *r = record_prio_dynamic();
    r->scopes[1].count.n_overdrafts = 601;
    r->scopes[1].count.peak_live = 5;
    text_of(r, 80, false, &b);
    CHECK(strstr(b.ptr, "live      peak 5 of at most 4, 601 overdrafts\n"));
    buf_clear(&b);
    gantt_svg(r, &(GanttSvgOptions){0}, &b);
    CHECK(strstr(b.ptr, "live batches: peak 5 of at most 4, 601 overdrafts<"));
    r->scopes[1].count.n_overdrafts = 0;
    text_of(r, 120, false, &b);
    CHECK(strstr(b.ptr, "live      peak 5 of at most 4: more than was proved, a mistake in pipemill: "
                        "please report it\n"));
    recording_free(r);
    buf_deinit(&b);
}

/* The table of a simulation has a column for them where there are any. */
static void test_forecast_overdrafts(void)
{
    Buf b = {0};
    ForecastScope scopes[2] = {
        {.generator = STR_LIT("a"), .in_flight = 8, .bound = 8, .count = {.n_batches = 9, .peak_live = 8}},
        {.generator = STR_LIT("b"), .in_flight = 8, .bound = 8, .count = {.n_batches = 9, .peak_live = 9}}};
    Forecast f = {.n_workers = 2, .makespan_ns = 1000000000, .busy_ns = 1000000000, .n_scopes = 2,
                  .scopes = scopes};
    forecast_put_table(&f, 1, &b);
    CHECK(!strstr(b.ptr, "overdrafts"));
    buf_clear(&b);
    scopes[1].count.n_overdrafts = 601;
    forecast_put_table(&f, 1, &b);
    CHECK_STR(b.ptr, "workers  in flight  makespan  utilisation  peak live  at most  overdrafts\n"
                     "      2        8/8    1.00 s         50 %        8/9      8/8       0/601\n");
    buf_deinit(&b);
}

int main(void)
{
    test_static();
    test_dynamic();
    test_prio_dynamic();
    test_retry();
    test_skip();
    test_folded_failures();
    test_folds();
    test_help();
    test_nothing();
    test_folded();
    test_svg();
    test_svg_failures();
    test_svg_fold();
    test_axis();
    test_overdrafts();
    test_forecast_overdrafts();
    UNIT_END("gantt");
}
