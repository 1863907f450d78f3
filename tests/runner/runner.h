/* runner.h - what the files of the runner of golden tests share. main.c says what it does.
 *
 * From the bottom up: text.c, test_file.c, process.c (running a program), compare.c, diagnostics.c, variants.c (what
 * holds for all programs), bless.c, main.c. Nothing but libc. Memory is not given back: a worker lives for seconds.
 * Errors of the system end the runner; what a test does wrong is put in its report.
 */
#ifndef TESTS_RUNNER_RUNNER_H
#define TESTS_RUNNER_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    MAX_WORDS = 64,
    MAX_CMDS = 32,
    MAX_FILES = 32,
    MAX_DIAGS = 256,
    MAX_CODE_NAME = 64
};

/* main.c: what the command line says. */
extern const char *root;     /* the tree */
extern const char *pipemill; /* the program, absolute */
extern char work[256];       /* this worker's folder; the test runs in work/t */
extern unsigned limit_s;
extern bool blessing;
extern int bytecode_fd;      /* collects all bytecode listings; -1: nobody wants them */

/* ---- text ---- */

typedef struct Buf {
    char *p; /* NUL-terminated once anything was added */
    size_t n, cap;
} Buf;

_Noreturn void die(const char *what); /* with the system's words */
void *must(void *p);                  /* dies where it is NULL */

void buf_add(Buf *b, const char *s, size_t n);
void buf_str(Buf *b, const char *s);
void buf_printf(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(const Buf *b); /* never NULL */
char *copy_n(const char *s, size_t n);
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool starts(const char *s, const char *prefix);
bool read_all(const char *path, Buf *out); /* appends; false: it cannot be read */
void write_all(const char *path, const char *s, size_t n);
Buf visible(const Buf *raw); /* as expectations show it: control and broken bytes escaped */
bool text_matches(const char *want, const char *got); /* `<*>` in want stands for any text, a line `<...>` for any lines */
int by_text(const void *a, const void *b);            /* for qsort of char * */
Buf sorted_lines(const Buf *text);

/* ---- a test file: tests/README.md describes the format ---- */

typedef enum Kind {
    K_OTHER, /* the program, ordinary comments */
    K_COMMAND,
    K_OUT, K_ERR, K_EXIT,       /* owner: command */
    K_DIAG, K_DIAG_MORE,        /* owner: diagnostic */
    K_FILE, K_ROW,              /* owner: file */
    K_SETTING
} Kind;

typedef struct Line {
    const char *s; /* NUL-terminated, without its line end */
    Kind kind;
    int owner;
} Line;

typedef struct Command {
    const char *text;
    bool is_shell, is_implied;
    Buf out, err; /* expected */
    bool has_err, has_exit, has_lines;
    int status;
} Command;

typedef struct Diag {
    char *place; /* "L:C-C", or "FILE:L:C-C" for another file */
    char *text;  /* "error[E0003]: ..." */
    Buf more;    /* "help: ...\n" */
} Diag;

typedef enum FileRole { F_INPUT, F_OUTPUT, F_ABSENT, F_STDIN } FileRole;

typedef struct File {
    const char *name;
    FileRole role;
    Buf bytes;
    size_t last_row; /* offset, for `#* N` */
} File;

typedef struct Test {
    const char *path;  /* for messages: "tests/run/x.pipe", "README.md:12" */
    char *name;        /* of the program in the test's folder */
    const char *text;
    bool is_fence, is_example;

    Line *lines;
    int n_lines;
    Command commands[MAX_CMDS];
    int n_commands;
    Diag diags[MAX_DIAGS];
    int n_diags;
    File files[MAX_FILES];
    int n_files;
    const char *jobs, *skip;
    bool has_jobs; /* a line of its own says them */
    bool is_unordered, no_check, is_batch_dependent, has_code;

    bool failed;
    Buf report;
} Test;

void fail(Test *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void test_parse(Test *t); /* from its text */
bool expects_errors(const Test *t);
bool is_diag_text(const char *s);
Command *new_command(Test *t, const char *text, bool is_shell, bool is_implied);

/* ---- running a program ---- */

typedef struct Result {
    int status; /* 128+n: ended by signal n, as in a shell */
    bool timed_out;
    Buf out, err;
} Result;

typedef struct Words {
    char *v[MAX_WORDS + 8]; /* NULL-terminated; room for what we insert */
    int n;
} Words;

void remove_tree(const char *path);
void set_up(const Test *t); /* a fresh folder with the test's files */
void on_alarm(int sig);
Result run_argv(const Test *t, char *const *argv, const char *env);
Result run_command(const Test *t, const Command *c);
void words_add(Words *w, const char *s);
void words_split(Words *w, const Test *t, const char *s);
bool words_have(const Words *w, const char *s);
bool takes_program(const char *command);
bool has_flow(const Words *w);
bool names_program(const Words *w, const char *text);

/* ---- comparing ---- */

void fail_diff(Test *t, const char *what, const char *want, const char *got);
bool ended_well(Test *t, const char *what, const Result *r); /* neither by a signal nor by the clock */
int expected_status(const Test *t, const Command *c);
bool command_agrees(const Test *t, const Command *c, const Result *r);
void compare_command(Test *t, const Command *c, const Result *r);
void compare_files(Test *t);

/* ---- diagnostics ---- */

typedef struct DiagList {
    Diag v[MAX_DIAGS];
    int n;
} DiagList;

bool get_diags(Test *t, DiagList *got);
bool diags_agree(const Test *t, const DiagList *got, Buf *want_text, Buf *got_text);
void compare_diags(Test *t);

/* ---- what every program must do ---- */

void compare_variants(Test *t, const char *text);
void verify_bytecode(Test *t, const char *text);
void run_jobs(Test *t);

/* ---- one test ---- */

bool is_plain_check(const Command *c);
bool is_run(const Command *c);
void imply_command(Test *t);
void test_bless(Test *t);

#endif
