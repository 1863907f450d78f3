/* call_format.c - format: the pattern is a constant, read once per batch. */
#include "base/text_format.h"

#include <stdlib.h>

#include "vm/call.h"

typedef struct CallFormat {
    TextFormat text;
    Buf row; /* the row's result before it is copied */
} CallFormat;

void call_format_close(CallFormat *f)
{
    if (!f)
        return;
    text_format_close(&f->text);
    buf_deinit(&f->row);
    free(f);
}

/* What the compiler checks of a constant pattern; bytecode alone does not say it. */
static bool open_format(Call *c, uint32_t row)
{
    PatternError e;
    TextFormat text;
    if (!text_format_open(reg_str(&c->args[0], row), &text, &e))
        return call_fail(c, "%s", e.text);
    c->format = xcalloc(1, sizeof *c->format);
    c->format->text = text;
    if (text.n_values + 1 != c->n_args)
        return call_fail(c, "the pattern has %u placeholders for %u values", text.n_values, c->n_args - 1);
    uint32_t value = 1;
    for (uint32_t i = 0; i < text.n_parts; i++)
        if (text.parts[i].has_value && !text_format_takes(&text.parts[i].spec, c->args[value++].type, c->why))
            return false;
    return true;
}

bool call_format(Call *c, uint32_t row)
{
    if (!c->format && !open_format(c, row))
        return false;
    Buf *b = &c->format->row;
    uint32_t value = 1;
    buf_clear(b);
    for (uint32_t i = 0; i < c->format->text.n_parts; i++) {
        const FormatPart *part = &c->format->text.parts[i];
        buf_put_str(b, part->text);
        if (part->has_value)
            text_format_put(b, &part->spec, reg_value(&c->args[value++], row));
    }
    if (b->len > UINT32_MAX)
        return call_overflow(c, "the string is longer than 4 GiB");
    char *to = call_bytes(c, b->len);
    if (b->len)
        memcpy(to, b->ptr, b->len);
    c->out.s = (Str){to, (uint32_t)b->len};
    return true;
}
