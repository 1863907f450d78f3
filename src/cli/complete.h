/* complete.h - what shells need to complete command lines, and the manual page: made from the tables of commands and
 * options and from the manual. Pure.
 */
#ifndef PIPE_CLI_COMPLETE_H
#define PIPE_CLI_COMPLETE_H

#include "base/str.h"

void complete_put_bash(Buf *out);
void complete_put_zsh(Buf *out);
void complete_put_fish(Buf *out);
void man_put(Buf *out); /* roff, for man(7) */

/* What stands for an operand or the value of an option. */
typedef enum Filler {
    FILLER_NONE, /* nothing that could be known */
    FILLER_PROGRAM,
    FILLER_JOB, /* of the program that is named before it */
    FILLER_PARAM,
    FILLER_FILE,
    FILLER_WORD, /* one of the words of the option */
    FILLER_CODE,
    FILLER_TOPIC,
    FILLER_SHELL,
} Filler;

struct Command;
struct Opt;
Filler filler_of_opt(const struct Opt *o);
/* Operand i, from 0; the last one stands for more of its kind where there may be more. */
Filler filler_of_operand(const struct Command *c, unsigned i);

#endif
