/* term.h - the two streams: whether they are terminals, take colour, and how wide.
 *
 * What all commands say of wrong usage goes through complain(), so that it looks like
 * a diagnostic. The main thread's.
 */
#ifndef PIPE_CLI_TERM_H
#define PIPE_CLI_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Exit statuses, the same for every command (language.md, section 7). */
enum { EXIT_OK = 0, EXIT_MISTAKES = 1, EXIT_USAGE = 2, EXIT_FAILED = 3, EXIT_PARTIAL = 4 };

/* In the order of the words of --color. */
typedef enum ColorWhen { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorWhen;

typedef struct Term {
    bool in_is_tty, out_is_tty, err_is_tty;
    bool out_has_color, err_has_color;
    bool is_utf8;            /* the locale's */
    uint32_t width;          /* of the terminal, 80 when there is none */
} Term;

/* Asks the environment and the streams. */
void term_init(Term *t, ColorWhen when);

/* On stderr: `error: what`, and below it `= help: ...` if help has text. Control bytes are made
 * visible. */
void complain(const Term *t, Str help, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* complain() with `did you mean` when best has text, else with help. */
void complain_near(const Term *t, Str best, const char *help, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* All of it to stdout or stderr. stdout: false (and said) when it cannot be written. */
bool put_out(const Term *t, Str text);
void put_err(Str text);

#endif
