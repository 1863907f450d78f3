/* emitter.h - a step's code while it is emitted: for emit.c and emit_expr.c alone.
 *
 * One thread; what is made lives in the arena. A step that needs more than operands can say only marks the emitter:
 * emit_finish tells.
 */
#ifndef PIPE_CODE_EMITTER_H
#define PIPE_CODE_EMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"
#include "base/status.h"
#include "base/vec.h"
#include "code/code.h"
#include "plan/plan.h"

typedef struct Memo {
    const Tx *tx;
    uint16_t reg;
} Memo;

typedef struct Emitter {
    Arena *arena;
    const Sources *sources;
    const Step *step;
    Vec(Instr) instrs;
    Vec(CodeNote) notes;
    Vec(Value) consts;
    Vec(Spec) specs;
    Vec(Type) regs;
    Vec(uint16_t) free_regs;
    Vec(uint16_t) used_regs; /* of this statement */
    Vec(Memo) memo;
    const Schema *table; /* as it is before the operation being emitted */
    CodeNote note;       /* of what is being emitted */
    Span text_span;      /* note.text was made from it */
    bool has_row_context, needs_key;
    bool is_too_large;
    Span too_large_at; /* what was too much */
    const Pop *pair;       /* code of a join: table is its pair, and only the columns that are named ... */
    Vec(uint32_t) named;   /* ... are there, in the order of their first LOAD */
} Emitter;

uint16_t emit_operand(Emitter *e, size_t n);
/* What is emitted from now on is said to be of this text. */
void emit_note(Emitter *e, Span span);
void emit_put(Emitter *e, Opcode op, uint16_t a, uint16_t b, uint16_t c);
/* A register of a type, this statement's until its end. */
uint16_t emit_reg(Emitter *e, Type type);
/* n registers side by side. */
uint16_t emit_reg_block(Emitter *e, const Type *types, uint32_t n);
/* A statement is done: its registers are free, its values forgotten. */
void emit_end_statement(Emitter *e);
uint16_t emit_spec(Emitter *e, Spec s); /* its number */
/* The code of what was emitted. in: NULL for a source. ERR_DATA: the step is too large. */
Status emit_finish(Emitter *e, Str step, const Schema *in, const Schema *out, Code **code, Error *err);

/* The register that has the value of an expression over e->table. */
uint16_t emit_expr(Emitter *e, const Tx *tx);
/* tx computed only where the mask instruction says so, by register `by`. */
uint16_t emit_masked(Emitter *e, Opcode mask, uint16_t by, const Tx *tx);
/* The texts of n expressions as one. */
uint16_t emit_concat(Emitter *e, Tx *const *args, uint32_t n, bool null_is_empty);

#endif
