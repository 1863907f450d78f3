/* verify_int.h - code while it is verified: for verify*.c alone. One thread; errors as in verify.h. */
#ifndef PIPE_CODE_VERIFY_INT_H
#define PIPE_CODE_VERIFY_INT_H

#include "code/verify.h"

typedef struct Verify {
    const Code *code;
    uint32_t pc;
    bool *is_set;     /* [n_regs] holds a value for the rows of the table as it is now */
    Type *cols;       /* [n_cols] of the table as it is now */
    uint32_t n_cols, cap_cols;
    uint32_t n_masks;
    bool has_table;   /* no source may follow */
    Error *err;
} Verify;

#define BAD(v, ...) verify_bad((v), __VA_ARGS__)
Status verify_bad(Verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

Status verify_read(Verify *v, uint32_t r);                      /* has the register a value? */
Status verify_reads(Verify *v, uint32_t first, uint32_t n);     /* the same of n side by side */
Status verify_typed(Verify *v, uint32_t r, Type t);
void verify_void(Verify *v);                                    /* the rows are others: no register has a value */
Status verify_set_cols(Verify *v, uint32_t n);                  /* types of those that are new: the caller's */
Status verify_set_schema(Verify *v, const Schema *s);           /* the table has these columns */
Status verify_spec(Verify *v, uint32_t i, SpecKind kind, const Spec **out);

/* An instruction with a Spec; the registers that its operands name are checked. verify_spec.c. */
Status verify_with_spec(Verify *v, Instr in);

#endif
