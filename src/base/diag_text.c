/* diag_text.c - the printers for tools; the one for people is diag_picture.c. */
#include "base/diag_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag_order.h"
#include "base/json.h"
#include "base/utf8.h"

/* ---- short ---- */

/* Bytes of the span on its first line. */
static uint32_t len_on_line(Span span, const Place *p)
{
    uint32_t rest =
        p->offset_in_line < p->text.len ? p->text.len - p->offset_in_line : 0;
    uint32_t len = span.hi > span.lo ? span.hi - span.lo : 0;
    return len < rest ? len : rest;
}

void diags_put_short(Buf *out, const Diags *ds, const Sources *sources)
{
    size_t n;
    const Diag **items = diags_sorted(ds, &n);
    for (size_t i = 0; i < n; i++) {
        const Diag *d = items[i];
        Place p = sources_locate(sources, d->span.lo);
        if (p.source) {
            Str marked = str_slice(p.text, p.offset_in_line, len_on_line(d->span, &p));
            uint32_t width = utf8_count(marked);
            buf_put_visible(out, source_name(p.source));
            buf_printf(out, ":%u:%u-%u: ", p.line, p.col,
                       p.col + (width ? width - 1 : 0));
        }
        buf_printf(out, "%s[", diag_severity_name(d));
        diag_put_code(out, d);
        buf_puts(out, "]: ");
        buf_put_visible(out, d->text);
        for (size_t k = 0; k < d->helps.n; k++) {
            if (str_starts(d->helps.ptr[k], STR_LIT("did you mean"))) {
                buf_puts(out, "; ");
                buf_put_visible(out, d->helps.ptr[k]);
            }
        }
        buf_putc(out, '\n');
    }
    free(items);
}

/* ---- JSON ---- */

static void json_put_place(JsonWriter *w, const char *key, const Sources *sources,
                           uint32_t pos)
{
    Place p = sources_locate(sources, pos);
    json_key(w, key);
    json_begin_object(w);
    json_field_int(w, "line", p.line);
    json_field_int(w, "column", p.col);
    json_field_int(w, "byte", p.source ? pos - source_base(p.source) : 0);
    json_end_object(w);
}

static void json_put_span(JsonWriter *w, const Sources *sources, Span span)
{
    Place p = sources_locate(sources, span.lo);
    json_key(w, "file");
    if (!p.source) {
        json_put_null(w);
        return;
    }
    json_put_str(w, source_name(p.source));
    json_put_place(w, "start", sources, span.lo);
    json_put_place(w, "end", sources, span.hi > span.lo ? span.hi : span.lo);
}

void diags_put_json(Buf *out, const Diags *ds, const Sources *sources)
{
    size_t n;
    const Diag **items = diags_sorted(ds, &n);
    for (size_t i = 0; i < n; i++) {
        const Diag *d = items[i];
        JsonWriter w;
        json_init(&w, out, JSON_COMPACT);
        json_begin_object(&w);
        Buf code = {0};
        diag_put_code(&code, d);
        json_field_str(&w, "code", buf_str(&code));
        buf_deinit(&code);
        json_field_cstr(&w, "severity", diag_severity_name(d));
        json_put_span(&w, sources, d->span);
        json_field_str(&w, "message", d->text);
        json_key(&w, "labels");
        json_begin_array(&w);
        for (size_t k = 0; k < d->labels.n; k++) {
            json_begin_object(&w);
            json_put_span(&w, sources, d->labels.ptr[k].span);
            json_field_str(&w, "message", d->labels.ptr[k].text);
            json_end_object(&w);
        }
        json_end_array(&w);
        json_field_strs(&w, "notes", d->notes.ptr, d->notes.n);
        json_field_strs(&w, "helps", d->helps.ptr, d->helps.n);
        json_key(&w, "fixes");
        json_begin_array(&w);
        for (size_t k = 0; k < d->fixes.n; k++) {
            json_begin_object(&w);
            json_put_span(&w, sources, d->fixes.ptr[k].span);
            json_field_str(&w, "text", d->fixes.ptr[k].text);
            json_end_object(&w);
        }
        json_end_array(&w);
        json_field_bool(&w, "certain", d->fixes.n > 0 && d->is_certain);
        json_end_object(&w);
        buf_putc(out, '\n');
    }
    free(items);
}
