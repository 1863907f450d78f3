#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WRITES_ONE "`pipemill run FILE JOB --trace run.json` writes one"

/* In the order of the words of --format. */
typedef enum GanttFormat { GANTT_TEXT, GANTT_SVG, GANTT_CHROME } GanttFormat;

static bool read_all(const Term *t, const char *path, Buf *out)
{
    char chunk[1 << 14];
    size_t n;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    bool ok = f != NULL;
    while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_put(out, chunk, n);
    if (f && ferror(f))
        ok = false;
    if (!ok)
        complain(t, (Str){0}, "cannot read %s: %s", path, strerror(errno));
    if (f && !is_stdin)
        fclose(f);
    return ok;
}

static void draw(const Args *a, const Term *t, const Recording *r, Buf *out)
{
    bool to_file = a->has[OPT_OUTPUT];
    const GanttTextOptions text = {.width = t->width, .is_ascii = !t->is_utf8,
                                   .has_color = t->out_has_color && !to_file};
    const GanttSvgOptions svg = {0};
    switch ((GanttFormat)a->number[OPT_GANTT_FORMAT]) {
    case GANTT_TEXT:
        gantt_text(r, &text, out);
        break;
    case GANTT_SVG:
        gantt_svg(r, &svg, out);
        break;
    case GANTT_CHROME:
        trace_write_json(r, out);
        break;
    }
}

int cmd_gantt(const Args *a, const Term *t)
{
    Buf text = {0}, out = {0};
    Recording *r = NULL;
    Error err = {0};
    int status = EXIT_USAGE;
    if (a->operands.n != 1) {
        complain(t, STR_LIT(WRITES_ONE),
                 a->operands.n ? "`gantt` takes one trace file" : "`gantt` needs a trace file");
        return EXIT_USAGE;
    }
    const char *path = a->operands.ptr[0];
    if (strcmp(path, "-") == 0 && t->in_is_tty) {
        complain(t, (Str){0}, "the trace is to come from stdin, which is a terminal");
        return EXIT_USAGE;
    }
    if (!read_all(t, path, &text))
        goto done;
    if (trace_read_json(buf_str(&text), &r, &err) != OK) {
        complain(t, STR_LIT(WRITES_ONE), "%s: %s", path, err.text);
        goto done;
    }
    draw(a, t, r, &out);
    status = cli_output(a, t, buf_str(&out));
done:
    recording_free(r);
    buf_deinit(&text);
    buf_deinit(&out);
    return status;
}
