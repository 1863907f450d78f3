#include "code/disasm.h"

static void put_keys(Buf *b, const Spec *s)
{
    for (uint32_t i = 0; i < s->n_keys; i++)
        buf_printf(b, "%sr%u%s", i ? ", " : "", s->keys[i].reg, s->keys[i].is_desc ? " desc" : "");
}

/* Columns of the joined table, by its name for them. */
static void put_table_cols(Buf *b, const Spec *s)
{
    buf_puts(b, " {");
    for (uint32_t i = 0; i < s->n_cols; i++)
        buf_printf(b, "%s%u", i ? ", " : "", s->cols[i]);
    buf_putc(b, '}');
}

static void put_values(Buf *b, const Spec *s)
{
    buf_putc(b, '[');
    for (uint32_t i = 0; i < s->n_values; i++) {
        buf_puts(b, i ? ", " : "");
        value_print_literal(b, s->values[i]);
    }
    buf_putc(b, ']');
}

static void put_spec(Buf *b, const Spec *s)
{
    switch (s->kind) {
    case SPEC_CALL:
        buf_printf(b, "%s/%u", builtin_get(s->fn)->name, s->n_args);
        break;
    case SPEC_CONCAT:
        buf_printf(b, "%u strings%s", s->n_args, s->null_is_empty ? ", null is empty" : "");
        for (uint32_t i = 0; s->cases && i < s->n_args; i++)
            if (s->cases[i] != N_BUILTINS)
                buf_printf(b, ", %s of string %u", builtin_get((BuiltinId)s->cases[i])->name, i + 1);
        break;
    case SPEC_IN:
        put_values(b, s);
        break;
    case SPEC_STRING:
        if (s->fn != N_BUILTINS)
            buf_printf(b, "%s%s ", s->is_negated ? "not " : "", builtin_get(s->fn)->name);
        else if (s->n_values == 1)
            buf_puts(b, s->is_negated ? "!= " : "== ");
        else
            buf_puts(b, s->is_negated ? "not in " : "in ");
        if (s->n_values == 1)
            value_print_literal(b, s->values[0]);
        else
            put_values(b, s);
        if (s->keeps_long)
            buf_puts(b, ", or long");
        break;
    case SPEC_PROJECT:
        for (uint32_t i = 0; i < s->n_cols; i++)
            buf_printf(b, "%st%u", i ? ", " : "", s->cols[i]);
        break;
    case SPEC_EXPLODE:
        buf_printf(b, "t%u by ", s->cols[0]);
        value_print_literal(b, s->values[0]);
        break;
    case SPEC_KEYS:
        put_keys(b, s);
        break;
    case SPEC_GROUP:
        put_keys(b, s);
        buf_puts(b, " {");
        for (uint32_t i = 0; i < s->n_aggs; i++) {
            const AggSpec *a = &s->aggs[i];
            buf_printf(b, "%s%s(", i ? ", " : " ", builtin_get(a->fn)->name);
            for (uint32_t n = 0; n < a->n_args; n++)
                buf_printf(b, "%sr%u", n ? ", " : "", a->reg + n);
            buf_putc(b, ')');
        }
        buf_puts(b, " }");
        break;
    case SPEC_LOG:
        buf_puts(b, s->per_row ? "per row" : "once");
        break;
    case SPEC_FAIL:
        buf_puts(b, s->is_permanent ? "permanent" : "");
        break;
    case SPEC_JOIN: {
        static const char *const kinds[] = {"", "left ", "semi ", "anti "};
        buf_printf(b, "%s", kinds[s->join]);
        buf_put_visible(b, s->table_name);
        if (s->n_keys) {
            buf_puts(b, " on ");
            put_keys(b, s);
        }
        put_table_cols(b, s);
        break;
    }
    case SPEC_UNION:
        buf_put_visible(b, s->table_name);
        put_table_cols(b, s);
        break;
    case SPEC_EXEC:
        put_values(b, s);
        break;
    case SPEC_READ:
        buf_put_visible(b, s->path);
        break;
    case SPEC_WRITE:
        buf_printf(b, "sink %u", s->sink);
        break;
    }
}

/* The operands, as opcodes.def writes them. */
static void put_operands(Buf *b, const Code *c, Instr in)
{
    const Spec *s = NULL;
    switch (opcode_info(in.op)->format) {
    case FMT_NONE: return;
    case FMT_R_:
    case FMT_r: buf_printf(b, "r%u", in.a); return;
    case FMT_Rr:
    case FMT_rr: buf_printf(b, "r%u, r%u", in.a, in.b); return;
    case FMT_RRR: buf_printf(b, "r%u, r%u, r%u", in.a, in.b, in.c); return;
    case FMT_RC: buf_printf(b, "r%u, t%u", in.a, in.b); return;
    case FMT_RK:
        buf_printf(b, "r%u, ", in.a);
        value_print_literal(b, c->consts[in.b]);
        return;
    case FMT_cR: buf_printf(b, "t%u, r%u", in.a, in.b); return;
    case FMT_cS:
        buf_printf(b, "t%u ", in.a);
        s = &c->specs[in.b];
        break;
    case FMT_S: s = &c->specs[in.a]; break;
    case FMT_rS:
        buf_printf(b, "r%u, ", in.a);
        s = &c->specs[in.b];
        break;
    case FMT_RrS:
        buf_printf(b, "r%u, r%u, ", in.a, in.b);
        s = &c->specs[in.c];
        break;
    case FMT_RRS:
        s = &c->specs[in.c];
        buf_printf(b, "r%u, ", in.a);
        if (s->n_args)
            buf_printf(b, "r%u.., ", in.b);
        break;
    }
    put_spec(b, s);
    if (in.op == OP_FILTER_STRING && in.c)
        buf_printf(b, ", past %u", in.c);
}

static void disasm(const Code *code, Buf *out, const char *what);

/* The code that a join has of its own. */
static void put_part(const PartCode *part, Buf *out, const char *what)
{
    if (!part->code)
        return;
    buf_printf(out, "  %s, of columns", what);
    for (uint32_t i = 0; i < part->n_cols; i++)
        buf_printf(out, "%s%u", i ? ", " : " ", part->cols[i]);
    disasm(part->code, out, "");
}

/* What is pushed into the read. */
static void put_read(const Code *c, Buf *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->read->n_cols; i++)
        n += !c->read_needs || c->read_needs[i];
    buf_printf(out, "  reads %u of %u columns", n, c->read->n_cols);
    if (c->read_counts)
        buf_puts(out, ", counts rows");
    const char *sep = ": ";
    for (uint32_t i = 0; i < c->read->n_cols && n < c->read->n_cols; i++) {
        if (!c->read_needs[i])
            continue;
        buf_puts(out, sep);
        buf_put_visible(out, c->read->cols[i].name);
        sep = ", ";
    }
    buf_putc(out, '\n');
}

static void disasm(const Code *code, Buf *out, const char *what)
{
    buf_puts(out, what);
    if (*what)
        buf_put_visible(out, code->step);
    buf_printf(out, ": %u registers, %u columns in\n", code->n_regs, code->n_in);
    if (code->read)
        put_read(code, out);
    for (uint32_t i = 0; i < code->n_instrs; i++) {
        Instr in = code->instrs[i];
        const CodeNote *note = &code->notes[i];
        size_t start = out->len;
        buf_printf(out, "%5u  %-14s ", i, opcode_info(in.op)->name);
        put_operands(out, code, in);
        while (out->len - start < 48 && (note->text.len || note->column.len))
            buf_putc(out, ' ');
        if (note->column.len || note->text.len)
            buf_puts(out, " # ");
        if (note->column.len) {
            buf_put_visible(out, note->column);
            buf_puts(out, note->text.len ? ": " : "");
        }
        buf_put_visible(out, note->text);
        while (out->len > start && out->ptr[out->len - 1] == ' ')
            out->ptr[--out->len] = '\0';
        buf_putc(out, '\n');
    }
    for (uint32_t i = 0; i < code->n_specs; i++) {
        put_part(&code->specs[i].table_keys, out, "keys of the table");
        put_part(&code->specs[i].rest, out, "rest of the condition");
    }
}

void code_disasm(const Code *code, Buf *out)
{
    disasm(code, out, "step ");
}
