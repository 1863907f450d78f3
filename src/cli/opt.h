/* opt.h - the command line, parsed by what commands.def and opt.def declare.
 *
 * Options and operands come in any order; `--` ends options; `--name value`,
 * `--name=value`, `-j4`, `-j 4`, `-qv`. Args live in the arena given and borrow argv.
 */
#ifndef PIPE_CLI_OPT_H
#define PIPE_CLI_OPT_H

#include "base/vec.h"
#include "cli/term.h"

typedef enum OptId {
#define OPT(e, name, letter, kind, value, words, doc) OPT_##e,
#define LATER_OPT(name)
#include "cli/opt.def"
#undef OPT
#undef LATER_OPT
    N_OPTS
} OptId;
#define OPT_BIT(e) (UINT64_C(1) << OPT_##e)

typedef enum OptKind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_LIST,
    KIND_NUMBER,
    KIND_SEED,
    KIND_SIZE,
    KIND_TIME,
    KIND_WORD
} OptKind;

typedef struct Opt {
    const char *name;
    char letter; /* 0: none */
    OptKind kind;
    const char *value, *words, *doc;
} Opt;
const Opt *opt_get(uint32_t id); /* id < N_OPTS */

typedef struct Command Command;

typedef struct Args {
    const Command *command;
    bool has[N_OPTS];
    const char *text[N_OPTS];  /* the value as written; NULL: not given */
    uint64_t number[N_OPTS];   /* NUMBER, SEED, SIZE; TIME, an int64_t; WORD: which one, 0 when not given */
    Vec(const char *) sets;
    Vec(const char *) operands;
} Args;

struct Command {
    const char *name, *operands, *doc, *more, *examples;
    uint64_t options; /* OPT_BIT each */
    int (*run)(const Args *a, const Term *t); /* returns the exit status */
};

enum {
#define COMMAND(e, name, fn, operands, options, doc, more, examples) COMMAND_##e,
#define LATER_COMMAND(name)
#include "cli/commands.def"
#undef COMMAND
#undef LATER_COMMAND
    N_COMMANDS
};
const Command *command_get(uint32_t i); /* i < N_COMMANDS */
bool command_has(const Command *c, uint32_t opt);
/* Help on the options of that long name, and which commands have them; false: there are none. */
bool option_help(Buf *out, const char *name);
/* NULL when there is none, and that has been said. */
const Command *command_find(const Term *t, const char *name);

/* argv from behind the command on. False when something was wrong, and that has been
 * said. */
bool args_parse(Args *out, Arena *arena, const Term *t, const Command *c, int n,
                char **argv);
/* --color as far as it can be made out, for messages about everything else. */
ColorWhen args_color(int n, char **argv);

/* `pipemill COMMAND --help`. */
void command_help(Buf *out, const Command *c);

#define COMMAND(e, name, fn, operands, options, doc, more, examples)                     \
    int fn(const Args *a, const Term *t);
#define LATER_COMMAND(name)
#include "cli/commands.def"
#undef COMMAND
#undef LATER_COMMAND

#endif
