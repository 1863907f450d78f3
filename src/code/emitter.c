#include "code/emitter.h"

#define NOTE_TEXT_MAX 80 /* bytes of source text in a message */

uint16_t emit_operand(Emitter *e, size_t n)
{
    if (n > CODE_MAX_OPERAND) {
        if (!e->is_too_large)
            e->too_large_at = e->text_span;
        e->is_too_large = true;
        return 0;
    }
    return (uint16_t)n;
}

/* The source text of a span on one line. */
static Str source_line(Emitter *e, Span span)
{
    Place at = sources_locate(e->sources, span.lo);
    if (!at.source || span.hi <= span.lo)
        return STR_LIT("");
    Str all = source_text(at.source);
    Str s = str_slice(all, span.lo - source_base(at.source), span.hi - span.lo);
    Buf b = {0};
    bool in_space = false;
    for (uint32_t i = 0; i < s.len && b.len < NOTE_TEXT_MAX; i++) {
        char c = s.ptr[i];
        bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!is_space && in_space)
            buf_putc(&b, ' ');
        if (!is_space)
            buf_putc(&b, c);
        in_space = is_space;
    }
    if (b.len >= NOTE_TEXT_MAX)
        buf_puts(&b, "..");
    Str out = arena_str(e->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

void emit_note(Emitter *e, Span span)
{
    if (span.lo == e->text_span.lo && span.hi == e->text_span.hi)
        return;
    e->text_span = span;
    e->note.span = span;
    e->note.text = source_line(e, span);
}

void emit_put(Emitter *e, Opcode op, uint16_t a, uint16_t b, uint16_t c)
{
    vec_push(e->arena, &e->instrs, ((Instr){(uint16_t)op, a, b, c}));
    vec_push(e->arena, &e->notes, e->note);
}

static uint16_t fresh_reg(Emitter *e, Type type)
{
    uint16_t r = emit_operand(e, e->regs.n);
    vec_push(e->arena, &e->regs, type);
    vec_push(e->arena, &e->used_regs, r);
    return r;
}

uint16_t emit_reg(Emitter *e, Type type)
{
    for (size_t i = e->free_regs.n; i-- > 0;) {
        uint16_t r = e->free_regs.ptr[i];
        if (e->regs.ptr[r] == type) {
            e->free_regs.ptr[i] = e->free_regs.ptr[--e->free_regs.n];
            vec_push(e->arena, &e->used_regs, r);
            return r;
        }
    }
    return fresh_reg(e, type);
}

uint16_t emit_reg_block(Emitter *e, const Type *types, uint32_t n)
{
    uint16_t first = emit_operand(e, e->regs.n);
    for (uint32_t i = 0; i < n; i++)
        fresh_reg(e, types[i]);
    return first;
}

void emit_end_statement(Emitter *e)
{
    for (size_t i = 0; i < e->used_regs.n; i++)
        vec_push(e->arena, &e->free_regs, e->used_regs.ptr[i]);
    e->used_regs.n = 0;
    e->memo.n = 0;
}

uint16_t emit_spec(Emitter *e, Spec s)
{
    vec_push(e->arena, &e->specs, s);
    return emit_operand(e, e->specs.n - 1);
}

Status emit_finish(Emitter *e, Str step, const Schema *in, const Schema *out, Code **code,
                   Error *err)
{
    emit_put(e, OP_END, 0, 0, 0);
    if (e->is_too_large) {
        Place at = sources_locate(e->sources, e->too_large_at.lo);
        uint32_t n_cols = in && in->n_cols > out->n_cols ? in->n_cols : out->n_cols;
        Str name = at.source ? source_name(at.source) : STR_LIT("the program");
        if (n_cols > CODE_MAX_OPERAND / 2)
            return error_set(err, ERR_DATA, "%.*s:%u:%u: a table of %u columns is too wide: a step has room for %u, with all that it computes\n"
                             "put what is alike into rows: a column that names it, and one for its value",
                             STR_ARG(name), at.line, at.col, n_cols, CODE_MAX_OPERAND);
        return error_set(err, ERR_DATA, "%.*s:%u:%u: step `%.*s` needs more than %u constants and intermediate values\n"
                         "put what stands behind this place into an op of its own",
                         STR_ARG(name), at.line, at.col, STR_ARG(step), CODE_MAX_OPERAND);
    }
    Code *c = arena_new(e->arena, Code);
    c->step = step;
    c->n_instrs = (uint32_t)e->instrs.n;
    c->instrs = e->instrs.ptr;
    c->notes = e->notes.ptr;
    c->n_consts = (uint32_t)e->consts.n;
    c->consts = e->consts.ptr;
    c->n_specs = (uint32_t)e->specs.n;
    c->specs = e->specs.ptr;
    c->n_regs = (uint32_t)e->regs.n;
    c->reg_types = e->regs.ptr;
    c->n_in = in ? in->n_cols : 0;
    c->in = in;
    c->out = out;
    c->has_row_context = e->has_row_context;
    c->needs_key = e->needs_key;
    *code = c;
    return OK;
}
