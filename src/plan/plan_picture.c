/* plan_picture.c - a plan as a picture: DOT for Graphviz, Mermaid for pages. */
#include "plan/plan_dump_int.h"

#include <inttypes.h>
#include <string.h>

static const char *shape_note(const Step *s)
{
    return s->is_generator       ? "generator"
           : s->kind == STEP_MAP ? "map"
           : s->kind == STEP_COLLECT && !s->reads_in_parts ? "collect"
                                                           : "once";
}

static void picture_level_put(Buf *out, const Plan *plan, const Step *s)
{
    if (s->scope && plan_is_nested(plan))
        buf_printf(out, "level %u, ", scope_level(plan, s->scope));
}

/* What stands at the edge to input k of a step: how many batches come that way, or what it is if it is no plain one. */
static void edge_label_put(Buf *out, const Plan *plan, const DumpInfo *info, const Step *s, uint32_t k)
{
    const Step *from = plan->steps[s->inputs[k]];
    const DumpBound *b = from->is_generator ? dump_bound(info, from->yields) : NULL;
    const char *kind = plan_edge_kind(plan, from, s);
    if (b && b->live != UINT64_MAX)
        buf_printf(out, "at most %" PRIu64 " live", b->live);
    else if (k >= step_first_table(s))
        buf_puts(out, "table");
    else if (strcmp(kind, "plain") != 0)
        buf_puts(out, kind);
}

static bool edge_is_dashed(const Plan *plan, const Step *s, uint32_t k)
{
    return k >= step_first_table(s) || strcmp(plan_edge_kind(plan, plan->steps[s->inputs[k]], s), "broadcast") == 0;
}

/* ---- DOT */

/* Quotes and backslashes escaped as DOT wants it. */
static void dot_put(Buf *out, Str s)
{
    Buf text = {0};
    buf_put_visible(&text, s);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text.ptr[i]);
    }
    buf_deinit(&text);
}

void plan_dump_dot(const Plan *plan, const DumpInfo *info, Buf *out)
{
    buf_puts(out, "digraph \"");
    dot_put(out, plan->job);
    buf_puts(out, "\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
                  "fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", "
                  "fontsize=10];\n");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        buf_printf(out, "  s%u [label=\"", s->id);
        dot_put(out, s->name);
        buf_printf(out, "\\n%s, ", shape_note(s));
        picture_level_put(out, plan, s);
        buf_printf(out, "priority %d\"%s];\n", s->priority,
                   s->is_generator            ? ", peripheries=2"
                   : s->kind == STEP_COLLECT ? ", shape=invhouse"
                                             : "");
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            buf_printf(out, "  s%u -> s%u [label=\"", s->inputs[k], s->id);
            edge_label_put(out, plan, info, s, k);
            buf_printf(out, "\"%s];\n", edge_is_dashed(plan, s, k) ? ", style=dashed" : "");
        }
    }
    buf_puts(out, "}\n");
}

/* ---- Mermaid */

/* Mermaid reads entities such as #quot; inside a quoted label. */
static void mermaid_put(Buf *out, Str s)
{
    Buf text = {0};
    buf_put_visible(&text, s);
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '"': buf_puts(out, "#quot;"); break;
        case '#': buf_puts(out, "#35;"); break;
        case '<': buf_puts(out, "#lt;"); break;
        case '>': buf_puts(out, "#gt;"); break;
        default: buf_putc(out, text.ptr[i]);
        }
    buf_deinit(&text);
}

void plan_dump_mermaid(const Plan *plan, const DumpInfo *info, Buf *out)
{
    Buf label = {0};
    buf_puts(out, "flowchart LR\n");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        const char *open = s->is_generator            ? "[["
                           : s->kind == STEP_COLLECT ? "[/"
                                                     : "(";
        const char *close = s->is_generator            ? "]]"
                            : s->kind == STEP_COLLECT ? "\\]"
                                                      : ")";
        buf_printf(out, "  s%u%s\"", s->id, open);
        mermaid_put(out, s->name);
        buf_printf(out, "<br>%s, ", shape_note(s));
        picture_level_put(out, plan, s);
        buf_printf(out, "priority %d\"%s\n", s->priority, close);
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const Step *s = plan->steps[i];
        for (uint32_t k = 0; k < s->n_inputs; k++) {
            buf_printf(out, "  s%u %s", s->inputs[k], edge_is_dashed(plan, s, k) ? "-.->" : "-->");
            buf_clear(&label);
            edge_label_put(&label, plan, info, s, k);
            const char *quote = label.len && memchr(label.ptr, ' ', label.len) ? "\"" : "";
            if (label.len)
                buf_printf(out, "|%s%.*s%s|", quote, STR_ARG(buf_str(&label)), quote);
            buf_printf(out, " s%u\n", s->id);
        }
    }
    buf_deinit(&label);
}
