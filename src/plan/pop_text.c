#include "plan/pop_text.h"

#include <inttypes.h>

static void tx_put(Buf *out, const Tx *t, const Schema *in);

static void args_put(Buf *out, const Tx *t, const Schema *in)
{
    for (uint32_t i = 0; i < t->n_args; i++) {
        buf_puts(out, i ? ", " : "");
        tx_put(out, t->args[i], in);
    }
}

/* Brackets around every operator inside another one: no table of bindings is needed to
 * read them right. */
static void operand_put(Buf *out, const Tx *t, const Schema *in)
{
    while (t->kind == TX_WIDEN)
        t = t->args[0];
    bool has_parens =
        t->kind == TX_UNARY || t->kind == TX_BINARY || t->kind == TX_IN || t->kind == TX_IF;
    buf_puts(out, has_parens ? "(" : "");
    tx_put(out, t, in);
    buf_puts(out, has_parens ? ")" : "");
}

static void concat_put(Buf *out, const Tx *t, const Schema *in)
{
    buf_putc(out, '"');
    for (uint32_t i = 0; i < t->n_args; i++) {
        const Tx *part = t->args[i];
        if (part->kind == TX_CONST && part->type == TYPE_STRING && !part->value.is_null) {
            Buf text = {0};
            value_print_literal(&text, part->value);
            buf_put(out, text.ptr + 1, text.len - 2);
            buf_deinit(&text);
        } else {
            buf_putc(out, '{');
            tx_put(out, part, in);
            buf_putc(out, '}');
        }
    }
    buf_putc(out, '"');
}

static void tx_put(Buf *out, const Tx *t, const Schema *in)
{
    switch (t->kind) {
    case TX_ERROR: buf_putc(out, '?'); return;
    case TX_CONST: value_print_literal(out, t->value); return;
    case TX_COLUMN:
        if (in && t->col < in->n_cols)
            buf_put_str(out, in->cols[t->col].name);
        else
            buf_printf(out, "#%u", t->col);
        return;
    case TX_UNARY:
        if (t->op == OPER_IS_NULL || t->op == OPER_IS_NOT_NULL) {
            operand_put(out, t->args[0], in);
            buf_printf(out, " %s", operator_text(t->op));
        } else {
            buf_printf(out, "%s%s", operator_text(t->op), t->op == OPER_NOT ? " " : "");
            operand_put(out, t->args[0], in);
        }
        return;
    case TX_BINARY:
        operand_put(out, t->args[0], in);
        buf_printf(out, " %s ", operator_text(t->op));
        operand_put(out, t->args[1], in);
        return;
    case TX_WIDEN: tx_put(out, t->args[0], in); return;
    case TX_IN:
        operand_put(out, t->args[0], in);
        buf_puts(out, t->is_negated ? " not in [" : " in [");
        for (uint32_t i = 0; i < t->n_items; i++) {
            buf_puts(out, i ? ", " : "");
            value_print_literal(out, t->items[i]);
        }
        buf_putc(out, ']');
        return;
    case TX_IF:
        buf_puts(out, "if ");
        tx_put(out, t->args[0], in);
        buf_puts(out, " then ");
        tx_put(out, t->args[1], in);
        buf_puts(out, " else ");
        tx_put(out, t->args[2], in);
        return;
    case TX_CALL:
        buf_printf(out, "%s(", builtin_get(t->fn)->name);
        args_put(out, t, in);
        buf_putc(out, ')');
        return;
    case TX_CONCAT: concat_put(out, t, in); return;
    }
}

static void keys_put(Buf *out, const Pop *p, const Schema *in)
{
    for (uint32_t i = 0; i < p->n_keys; i++) {
        buf_puts(out, i ? ", " : "");
        tx_put(out, p->keys[i].value, in);
        buf_puts(out, p->keys[i].is_desc ? " desc" : "");
    }
}

static void batch_put(Buf *out, const Pop *p)
{
    switch (p->batch) {
    case BATCH_NONE: return;
    case BATCH_ROWS: buf_printf(out, " batch %" PRIu64, p->batch_n); return;
    case BATCH_BYTES:
        buf_puts(out, " batch ");
        value_print(out, (Value){.type = TYPE_SIZE, .i = (int64_t)p->batch_n});
        return;
    case BATCH_AUTO: buf_puts(out, " batch auto"); return;
    }
}

static void group_put(Buf *out, const Pop *p, const Schema *in)
{
    buf_puts(out, p->n_keys ? "group by " : "aggregate");
    keys_put(out, p, in);
    buf_puts(out, " {");
    for (uint32_t i = 0; i < p->n_aggs; i++) {
        const PopAgg *agg = &p->aggs[i];
        buf_printf(out, "%s %.*s = %s(", i ? "," : "", STR_ARG(agg->name),
                   builtin_get(agg->fn)->name);
        for (uint32_t k = 0; k < agg->n_args; k++) {
            buf_puts(out, k ? ", " : "");
            tx_put(out, agg->args[k], in);
        }
        buf_putc(out, ')');
    }
    buf_puts(out, " }");
}

static void join_put(Buf *out, const Pop *p)
{
    static const char *const kinds[] = {
        [JOIN_INNER] = "", [JOIN_LEFT] = "left ", [JOIN_SEMI] = "semi ", [JOIN_ANTI] = "anti "};
    buf_printf(out, "%sjoin %.*s on ", kinds[p->join], STR_ARG(p->table_name));
    tx_put(out, p->expr, p->pair);
}

static const char *format_word(const Pop *p)
{
    static const char *const words[] = {[ROWS_CSV] = "csv", [ROWS_JSON] = "json", [ROWS_LINES] = "lines",
                                        [ROWS_SQLITE] = "sqlite"};
    return words[p->dialect.format];
}

static void text_put(Buf *out, Str s)
{
    value_print_literal(out, (Value){.type = TYPE_STRING, .s = s});
}

static void read_put(Buf *out, const Pop *p, const Schema *in)
{
    buf_printf(out, "read %s ", format_word(p));
    if (p->expr)
        operand_put(out, p->expr, in);
    else
        text_put(out, p->path);
    if (p->query.len) {
        buf_puts(out, " query ");
        text_put(out, p->query);
    }
    batch_put(out, p);
}

static void project_put(Buf *out, const Pop *p, const Schema *in)
{
    buf_puts(out, "select ");
    for (uint32_t i = 0; i < p->n_cols; i++) {
        Str to = p->out->cols[i].name;
        buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(to));
        if (in && p->cols[i] < in->n_cols && !str_eq(in->cols[p->cols[i]].name, to))
            buf_printf(out, " = %.*s", STR_ARG(in->cols[p->cols[i]].name));
    }
}

static void exec_put(Buf *out, const Pop *p)
{
    buf_puts(out, "exec [");
    for (uint32_t i = 0; i < p->n_argv; i++) {
        buf_puts(out, i ? ", " : "");
        value_print_literal(out, p->argv[i]);
    }
    buf_putc(out, ']');
}

void pop_put_line(Buf *out, const Pop *p, const Schema *in)
{
    switch (p->kind) {
    case POP_READ_CSV: read_put(out, p, in); return;
    case POP_FILES:
        buf_puts(out, "files ");
        text_put(out, p->path);
        return;
    case POP_SPLIT:
        buf_puts(out, p->expr ? "split into " : "split by ");
        keys_put(out, p, in);
        break;
    case POP_RANGE:
        buf_puts(out, "range ");
        operand_put(out, p->expr, in);
        buf_puts(out, "..");
        operand_put(out, p->expr2, in);
        batch_put(out, p);
        return;
    case POP_DEFINE:
        buf_printf(out, "derive %.*s = ", STR_ARG(p->out->cols[p->col].name));
        break;
    case POP_EXPLODE: buf_printf(out, "explode %.*s by ", STR_ARG(p->out->cols[p->col].name)); break;
    case POP_PROJECT: project_put(out, p, in); return;
    case POP_SORT:
        buf_puts(out, "sort by ");
        keys_put(out, p, in);
        return;
    case POP_TOP:
        buf_puts(out, "top ");
        operand_put(out, p->expr, in);
        buf_puts(out, " by ");
        keys_put(out, p, in);
        return;
    case POP_DISTINCT:
        buf_puts(out, p->n_keys ? "distinct " : "distinct");
        keys_put(out, p, in);
        return;
    case POP_EXEC: exec_put(out, p); return;
    case POP_GROUP: group_put(out, p, in); return;
    case POP_JOIN: join_put(out, p); return;
    case POP_UNION: buf_printf(out, "union %.*s", STR_ARG(p->table_name)); return;
    case POP_ASSERT:
        buf_puts(out, "assert ");
        tx_put(out, p->expr, in);
        if (p->expr2) {
            buf_puts(out, ", ");
            tx_put(out, p->expr2, in);
        }
        return;
    case POP_FAIL: buf_puts(out, p->is_permanent ? "fail permanent " : "fail "); break;
    case POP_WRITE_CSV: buf_printf(out, "write %s ", format_word(p)); break;
    case POP_FILTER:
    case POP_TAKE:
    case POP_SKIP:
    case POP_LOG:
    case POP_SLEEP: buf_printf(out, "%s ", pop_name(p->kind)); break;
    case N_POPS: return;
    }
    if (p->expr)
        tx_put(out, p->expr, in);
    if (p->kind == POP_WRITE_CSV && p->expr2) {
        buf_puts(out, " table ");
        tx_put(out, p->expr2, in);
    }
}

void path_put_text(Buf *out, const Tx *path)
{
    if (path->kind == TX_CONST && !path->value.is_null)
        buf_put_str(out, path->value.s);
    else if (path->kind == TX_CONCAT)
        for (uint32_t i = 0; i < path->n_args; i++)
            path_put_text(out, path->args[i]);
    else {
        buf_putc(out, '{');
        tx_put(out, path, NULL);
        buf_putc(out, '}');
    }
}
