/* runner.c - runs the golden tests: .pipe files with their expectations in comments,
 * and ```pipe fences of Markdown files. tests/README.md describes the format.
 *
 *   runner [--bless] [--limit SECONDS] [-j N] [--bytecode OUT] PIPEMILL FILE...
 *
 * Run from the root of the tree. N worker processes take tests from a shared counter;
 * each test has a fresh folder of its own with `data` and `examples` linked in. Failures
 * are printed as diffs; the last line is `N passed, N failed`; exit status 1 if any failed.
 *
 * Longer than other files: one program that needs nothing but libc. From the bottom up:
 * text, the test file, running a program, comparing, what holds for all, bless.
 * Memory is not given back: a worker lives for seconds.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_WORDS = 64,
    MAX_CMDS = 32,
    MAX_FILES = 32,
    MAX_DIAGS = 256,
    MAX_CODE_NAME = 64
};

static const char *root;     /* the tree */
static const char *pipemill; /* the program, absolute */
static char work[256];       /* this worker's folder; the test runs in work/t */
static unsigned limit_s = 20;
static bool blessing;
static int bytecode_fd = -1; /* collects all bytecode listings */

/* ---- text ------------------------------------------------------------------- */

typedef struct Buf {
    char *p; /* NUL-terminated once anything was added */
    size_t n, cap;
} Buf;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

static void buf_add(Buf *b, const char *s, size_t n)
{
    if (b->n + n + 1 > b->cap) {
        b->cap = (b->n + n + 1) * 2;
        b->p = must(realloc(b->p, b->cap));
    }
    if (n)
        memcpy(b->p + b->n, s, n);
    b->n += n;
    b->p[b->n] = '\0';
}

static void buf_str(Buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

__attribute__((format(printf, 2, 3))) static void buf_printf(Buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    s = must(malloc((size_t)n + 1));
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_add(b, s, (size_t)n);
    free(s);
}

static const char *buf_text(const Buf *b)
{
    return b->p ? b->p : "";
}

static char *copy_n(const char *s, size_t n)
{
    char *d = must(malloc(n + 1));
    memcpy(d, s, n);
    d[n] = '\0';
    return d;
}

static char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *fmt, ...)
{
    char s[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    return copy_n(s, strlen(s));
}

static bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool read_all(const char *path, Buf *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(out, chunk, n);
    fclose(f);
    return true;
}

static void write_all(const char *path, const char *s, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || (n && fwrite(s, 1, n, f) != n) || fclose(f) != 0)
        die(path);
}

/* Length of the UTF-8 sequence at s, 0 if it is not one. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
        return 0;
    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* Output as expectations show it: control and broken bytes escaped, and a pseudo line
 * when the final line end is missing. Leaves its own results as they are. */
static Buf visible(const Buf *raw)
{
    Buf out = {0};
    for (size_t i = 0; i < raw->n;) {
        unsigned char c = (unsigned char)raw->p[i];
        size_t len = utf8_len((const unsigned char *)raw->p + i, raw->n - i);
        if (c == '\r')
            buf_str(&out, "\\r");
        else if (len == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            buf_printf(&out, "\\x%02x", c);
        else
            buf_add(&out, raw->p + i, len);
        i += len ? len : 1;
    }
    if (raw->n && raw->p[raw->n - 1] != '\n')
        buf_str(&out, "\n\\ no newline at end\n");
    return out;
}

/* Does one line match, where `<*>` stands for any text? */
static bool line_matches(const char *want, size_t n_want, const char *got, size_t n_got)
{
    while (n_want) {
        if (n_want >= 3 && memcmp(want, "<*>", 3) == 0) {
            for (size_t skip = 0; skip <= n_got; skip++)
                if (line_matches(want + 3, n_want - 3, got + skip, n_got - skip))
                    return true;
            return false;
        }
        if (!n_got || *want != *got)
            return false;
        want++, got++, n_want--, n_got--;
    }
    return n_got == 0;
}

/* The same for whole texts, where a line `<...>` stands for any lines. */
static bool text_matches(const char *want, const char *got)
{
    while (*want) {
        size_t n_want = strcspn(want, "\n"), n_got = strcspn(got, "\n");
        const char *next = want + n_want + (want[n_want] == '\n');
        if (n_want == 5 && memcmp(want, "<...>", 5) == 0) {
            for (;;) {
                if (text_matches(next, got))
                    return true;
                if (!*got)
                    return false;
                got += strcspn(got, "\n");
                got += *got == '\n';
            }
        }
        if (!*got || !line_matches(want, n_want, got, n_got))
            return false;
        want = next;
        got += n_got + (got[n_got] == '\n');
    }
    return !*got;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Buf sorted_lines(const Buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++)
        n += text->p[i] == '\n';
    char **lines = must(calloc(n + 1, sizeof *lines));
    const char *s = buf_text(text);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(s, "\n");
        lines[i] = copy_n(s, len);
        s += len + 1;
    }
    qsort(lines, n, sizeof *lines, by_text);
    Buf out = {0};
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s\n", lines[i]);
    return out;
}

/* ---- a test file ------------------------------------------------------------ */

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
    bool is_unordered, no_check, is_batch_dependent, has_code;

    bool failed;
    Buf report;
} Test;

__attribute__((format(printf, 2, 3))) static void fail(Test *t, const char *fmt, ...)
{
    char s[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    buf_printf(&t->report, "FAIL %s: %s\n", t->path, s);
    t->failed = true;
}

static int columns(const char *s, size_t n)
{
    int cols = 0;
    for (size_t i = 0; i < n; i++)
        cols += ((unsigned char)s[i] & 0xc0) != 0x80;
    return cols;
}

static Diag *new_diag(Test *t)
{
    if (t->n_diags == MAX_DIAGS) {
        fail(t, "more than %d diagnostics", MAX_DIAGS);
        t->n_diags--;
    }
    t->diags[t->n_diags] = (Diag){0};
    return &t->diags[t->n_diags++];
}

static bool is_diag_text(const char *s)
{
    return starts(s, "error[") || starts(s, "warning[");
}

/* `#   ^^^ error[E0003]: text` under line `above` (from 1). */
static bool parse_carets(Test *t, Line *line, int above)
{
    const char *s = line->s + 1;
    s += strspn(s, " ");
    size_t n = strspn(s, "^");
    if (!n || !is_diag_text(s + n + strspn(s + n, " ")))
        return false;
    int col = columns(line->s, (size_t)(s - line->s)) + 1;
    Diag *d = new_diag(t);
    d->place = text_of("%d:%d-%d", above, col, col + (int)n - 1);
    d->text = copy_n(s + n + 1, strlen(s + n + 1));
    line->kind = K_DIAG;
    return true;
}

static Command *new_command(Test *t, const char *text, bool is_shell, bool is_implied)
{
    if (t->n_commands == MAX_CMDS) {
        fail(t, "more than %d commands", MAX_CMDS);
        t->n_commands--;
    }
    Command *c = &t->commands[t->n_commands++];
    *c = (Command){.text = text, .is_shell = is_shell, .is_implied = is_implied};
    return c;
}

/* Expectations before any command are those of the implied `run`. */
static Command *current_command(Test *t)
{
    Command *c = t->n_commands ? &t->commands[t->n_commands - 1]
                               : new_command(t, "run", false, true);
    c->has_lines = true;
    return c;
}

static const char *after_marker(const char *s, size_t n_marker)
{
    s += n_marker;
    return *s == ' ' ? s + 1 : s;
}

static void add_file(Test *t, const char *name, FileRole role)
{
    if (t->n_files == MAX_FILES) {
        fail(t, "more than %d files", MAX_FILES);
        return;
    }
    t->files[t->n_files++] = (File){.name = name, .role = role};
}

static void add_escaped(Buf *b, const char *s)
{
    for (; *s; s++) {
        char c = *s;
        if (c == '\\' && s[1]) {
            s++;
            if (*s == 'x' && s[1] && s[2]) {
                char hex[3] = {s[1], s[2], 0};
                c = (char)strtol(hex, NULL, 16);
                s += 2;
            } else {
                c = *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s == 't' ? '\t' : *s;
            }
        }
        buf_add(b, &c, 1);
    }
}

static void parse_row(Test *t, Line *line)
{
    if (!t->n_files) {
        fail(t, "rows before any #file, #out or #stdin: %s", line->s);
        return;
    }
    line->kind = K_ROW;
    line->owner = t->n_files - 1;
    File *f = &t->files[t->n_files - 1];
    const char *s = after_marker(line->s, 2);
    if (line->s[1] == '*') {
        Buf row = {0};
        buf_add(&row, f->bytes.p + f->last_row, f->bytes.n - f->last_row);
        for (long n = strtol(s, NULL, 10); n > 1; n--)
            buf_add(&f->bytes, buf_text(&row), row.n);
        return;
    }
    f->last_row = f->bytes.n;
    if (line->s[1] == '|')
        buf_printf(&f->bytes, "%s\n", s);
    else
        add_escaped(&f->bytes, s);
}

static void parse_directive(Test *t, Line *line)
{
    const char *s = line->s;
    line->kind = K_SETTING;
    if (starts(s, "#!>")) {
        Command *c = current_command(t);
        c->has_err = true;
        buf_printf(&c->err, "%s\n", after_marker(s, 3));
        line->kind = K_ERR;
    } else if (starts(s, "#! ") || starts(s, "#$ ")) {
        new_command(t, s + 3, s[1] == '$', false);
        line->kind = K_COMMAND;
    } else if (starts(s, "#>")) {
        buf_printf(&current_command(t)->out, "%s\n", after_marker(s, 2));
        line->kind = K_OUT;
    } else if (starts(s, "#exit ")) {
        Command *c = current_command(t);
        c->has_exit = true;
        c->status = (int)strtol(s + 6, NULL, 10);
        line->kind = K_EXIT;
    } else if (starts(s, "#@ ")) {
        const char *text = strchr(s + 3, ' ');
        if (!text || !is_diag_text(text + 1)) {
            fail(t, "expected `#@ LINE:COL-COL error[...]: text`: %s", s);
            return;
        }
        Diag *d = new_diag(t);
        d->place = copy_n(s + 3, (size_t)(text - s - 3));
        d->text = copy_n(text + 1, strlen(text + 1));
        line->kind = K_DIAG;
    } else if (starts(s, "#|") || starts(s, "#\\") || starts(s, "#* ")) {
        parse_row(t, line);
    } else if (starts(s, "#file ") || starts(s, "#out ")) {
        add_file(t, strchr(s, ' ') + 1, s[1] == 'f' ? F_INPUT : F_OUTPUT);
        line->kind = K_FILE;
    } else if (starts(s, "#absent ")) {
        add_file(t, s + 8, F_ABSENT);
        line->kind = K_FILE;
    } else if (strcmp(s, "#stdin") == 0) {
        add_file(t, "", F_STDIN);
        line->kind = K_FILE;
    } else if (starts(s, "#jobs ")) {
        t->jobs = s + 6;
    } else if (starts(s, "#skip ")) {
        t->skip = s + 6;
    } else if (strcmp(s, "#unordered") == 0) {
        t->is_unordered = true;
    } else if (strcmp(s, "#nocheck") == 0) {
        t->no_check = true;
    } else if (strcmp(s, "#batch-dependent") == 0) {
        t->is_batch_dependent = true;
    } else {
        fail(t, "no such directive: %s (an ordinary comment has a space after `#`)", s);
    }
    if (line->kind == K_OUT || line->kind == K_ERR || line->kind == K_EXIT ||
        line->kind == K_COMMAND)
        line->owner = t->n_commands - 1;
    if (line->kind == K_FILE)
        line->owner = t->n_files - 1;
}

static bool is_more(const char *s)
{
    s += 1 + strspn(s + 1, " ");
    return starts(s, "help: ") || starts(s, "note: ") || starts(s, "label: ");
}

static void test_parse(Test *t)
{
    t->lines = NULL;
    t->n_lines = t->n_commands = t->n_diags = t->n_files = 0;
    t->jobs = "1 2 8";
    t->skip = NULL;
    t->is_unordered = t->no_check = t->is_batch_dependent = t->has_code = false;

    int cap = 0, above = 0; /* line that carets point at */
    bool after_diag = false;
    for (const char *s = t->text; *s;) {
        size_t n = strcspn(s, "\n");
        if (t->n_lines == cap) {
            cap = cap ? cap * 2 : 64;
            t->lines = must(realloc(t->lines, (size_t)cap * sizeof *t->lines));
        }
        Line *line = &t->lines[t->n_lines++];
        *line = (Line){.s = copy_n(s, n), .kind = K_OTHER, .owner = -1};
        s += n + (s[n] == '\n');

        if (line->s[0] != '#') {
            above = t->n_lines;
            t->has_code |= line->s[strspn(line->s, " \t\r")] != '\0' &&
                           line->s[strspn(line->s, " \t\r")] != '#';
        } else if (after_diag && is_more(line->s)) {
            Diag *d = &t->diags[t->n_diags - 1];
            buf_printf(&d->more, "    %s\n", line->s + 1 + strspn(line->s + 1, " "));
            line->kind = K_DIAG_MORE;
        } else if (line->s[1] == ' ' || line->s[1] == '#' || line->s[1] == '^' ||
                   !line->s[1] || line->s[1] == '\r') {
            if (!parse_carets(t, line, above))
                above = t->n_lines;
        } else {
            parse_directive(t, line);
        }
        after_diag = line->kind == K_DIAG || line->kind == K_DIAG_MORE;
        if (after_diag)
            line->owner = t->n_diags - 1;
    }
}

static bool expects_errors(const Test *t)
{
    for (int i = 0; i < t->n_diags; i++)
        if (starts(t->diags[i].text, "error["))
            return true;
    return false;
}

/* ---- running a program ------------------------------------------------------ */

typedef struct Result {
    int status; /* 128+n: ended by signal n, as in a shell */
    bool timed_out;
    Buf out, err;
} Result;

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir) {
        struct dirent *e;
        while ((e = readdir(dir))) {
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                continue;
            char *child = text_of("%s/%s", path, e->d_name);
            struct stat st;
            if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
                remove_tree(child);
            else
                unlink(child);
            free(child);
        }
        closedir(dir);
    }
    rmdir(path);
}

static void make_parents(char *path)
{
    for (char *s = path + 1; *s; s++) {
        if (*s == '/') {
            *s = '\0';
            mkdir(path, 0777);
            *s = '/';
        }
    }
}

/* A fresh folder with the program, its input files, and `data` and `examples`. */
static void set_up(const Test *t)
{
    char *dir = text_of("%s/t", work);
    remove_tree(dir);
    if (mkdir(dir, 0777) != 0)
        die(dir);
    const char *links[] = {"data", "examples"};
    for (int i = 0; i < 2; i++)
        if (symlink(text_of("%s/%s", root, links[i]), text_of("%s/%s", dir, links[i])) != 0)
            die(links[i]);
    write_all(text_of("%s/%s", dir, t->name), t->text, strlen(t->text));
    write_all(text_of("%s/in", work), "", 0);
    for (int i = 0; i < t->n_files; i++) {
        const File *f = &t->files[i];
        if (f->role == F_STDIN)
            write_all(text_of("%s/in", work), buf_text(&f->bytes), f->bytes.n);
        if (f->role == F_INPUT) {
            char *path = text_of("%s/%s", dir, f->name);
            make_parents(path);
            write_all(path, buf_text(&f->bytes), f->bytes.n);
        }
    }
}

static void on_alarm(int sig)
{
    (void)sig; /* only interrupts waitpid */
}

/* Runs argv in work/t with an environment variable "NAME=VALUE" or NULL. */
static Result run_argv(const Test *t, char *const *argv, const char *env)
{
    Result r = {0};
    bool has_stdin = false;
    for (int i = 0; i < t->n_files; i++)
        has_stdin |= t->files[i].role == F_STDIN;
    char *in = has_stdin ? text_of("%s/in", work) : text_of("/dev/null");
    char *out = text_of("%s/out", work), *err = text_of("%s/err", work);
    char *dir = text_of("%s/t", work), *home = text_of("HOME=%s", dir);

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        setpgid(0, 0);
        struct rlimit big = {1u << 30, 1u << 30}, none = {0, 0};
        setrlimit(RLIMIT_FSIZE, &big); /* a runaway writer must not fill the disk */
        setrlimit(RLIMIT_CORE, &none);
        int in_fd = open(in, O_RDONLY);
        int out_fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        int err_fd = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        if (in_fd < 0 || out_fd < 0 || err_fd < 0 || dup2(in_fd, 0) < 0 ||
            dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0 || chdir(dir) != 0)
            _exit(126);
        close(in_fd), close(out_fd), close(err_fd);
        putenv(home);
        if (env)
            putenv(text_of("%s", env));
        execvp(argv[0], argv);
        _exit(127);
    }
    setpgid(pid, pid);
    int status = 0;
    alarm(limit_s);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            die("waitpid");
        r.timed_out = true;
        kill(-pid, SIGKILL);
    }
    alarm(0);
    kill(-pid, SIGKILL); /* whatever it left behind */
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_all(out, &r.out);
    read_all(err, &r.err);
    return r;
}

typedef struct Words {
    char *v[MAX_WORDS + 8]; /* NULL-terminated; room for what we insert */
    int n;
} Words;

static void words_add(Words *w, const char *s)
{
    if (w->n < MAX_WORDS + 7)
        w->v[w->n++] = copy_n(s, strlen(s));
}

/* Splits at blanks; '...' and "..." (with \) group; $FILE is the program's name. */
static void words_split(Words *w, const Test *t, const char *s)
{
    while (w->n < MAX_WORDS) {
        s += strspn(s, " ");
        if (!*s)
            break;
        Buf word = {0};
        buf_add(&word, "", 0);
        char quote = 0;
        for (; *s && (quote || *s != ' '); s++) {
            if (quote ? *s == quote : (*s == '\'' || *s == '"'))
                quote = quote ? 0 : *s;
            else if (quote == '"' && *s == '\\' && s[1])
                buf_add(&word, ++s, 1);
            else if (starts(s, "$FILE")) {
                buf_str(&word, t->name);
                s += 4;
            } else
                buf_add(&word, s, 1);
        }
        w->v[w->n++] = word.p;
    }
}

static bool words_have(const Words *w, const char *s)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->v[i], s) == 0)
            return true;
    return false;
}

static bool takes_program(const char *command)
{
    const char *all[] = {"run", "check", "dump", "plan", "fmt", "simulate"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(command, all[i]) == 0)
            return true;
    return false;
}

/* Is the program the body of a job in the arguments? */
static bool has_flow(const Words *w)
{
    for (int i = 1; i < w->n; i++)
        if (starts(w->v[i], "-e") || starts(w->v[i], "--expr"))
            return true;
    return false;
}

/* Does the command line say itself which program it means? */
static bool names_program(const Words *w, const char *text)
{
    bool names = strstr(text, "$FILE") || has_flow(w);
    for (int i = 1; i < w->n; i++) {
        size_t n = strlen(w->v[i]);
        names |= n > 5 && strcmp(w->v[i] + n - 5, ".pipe") == 0;
    }
    return names;
}

/* The argument vector of a `#!` line. */
static Words command_words(const Test *t, const Command *c)
{
    Words given = {0}, w = {0};
    words_split(&given, t, c->text);
    const char *name = given.n ? given.v[0] : "";
    bool is_run = strcmp(name, "run") == 0 || strcmp(name, "resume") == 0;
    words_add(&w, pipemill);
    for (int i = 0; i < given.n; i++) {
        words_add(&w, given.v[i]);
        if (i > 0)
            continue;
        if (takes_program(name) && !names_program(&given, c->text))
            words_add(&w, t->name);
        if (is_run && !words_have(&given, "--progress") && !words_have(&given, "-v") &&
            !words_have(&given, "--verbose") && !words_have(&given, "-q"))
            words_add(&w, "-q");
        if (strcmp(name, "run") == 0 && !words_have(&given, "--seed")) {
            words_add(&w, "--seed");
            words_add(&w, "1");
        }
    }
    return w;
}

static Result run_command(const Test *t, const Command *c)
{
    if (c->is_shell) {
        char *argv[] = {"sh", "-c", (char *)c->text, NULL};
        return run_argv(t, argv, text_of("FILE=%s", t->name));
    }
    Words w = command_words(t, c);
    return run_argv(t, w.v, NULL);
}

/* ---- comparing -------------------------------------------------------------- */

static void fail_diff(Test *t, const char *what, const char *want, const char *got)
{
    fail(t, "%s", what);
    char *a = text_of("%s/want", work), *b = text_of("%s/got", work);
    write_all(a, want, strlen(want));
    write_all(b, got, strlen(got));
    char *cmd = text_of("diff -u --label expected --label got %s %s", a, b);
    FILE *p = popen(cmd, "r");
    char line[4096];
    for (int n = 0; p && fgets(line, sizeof line, p); n++)
        if (n < 200)
            buf_str(&t->report, line);
    if (p)
        pclose(p);
}

/* False (and reported) for what no expectation may excuse. */
static bool ended_well(Test *t, const char *what, const Result *r)
{
    if (r->timed_out)
        fail(t, "%s: still running after %u s", what, limit_s);
    else if (r->status == 99 || strstr(buf_text(&r->err), "Sanitizer"))
        fail(t, "%s: a sanitizer stopped it\n%s", what, buf_text(&r->err));
    else if (r->status == 128 + SIGSEGV || r->status == 128 + SIGABRT ||
             r->status == 128 + SIGBUS || r->status == 128 + SIGFPE ||
             r->status == 128 + SIGILL)
        fail(t, "%s: crashed by signal %d\n%s", what, r->status - 128, buf_text(&r->err));
    else
        return true;
    return false;
}

static int expected_status(const Test *t, const Command *c)
{
    if (c->has_exit || c->is_shell)
        return c->status;
    size_t n = strcspn(c->text, " ");
    bool sees_errors = takes_program(copy_n(c->text, n)) && !starts(c->text, "fmt");
    return sees_errors && expects_errors(t) ? 1 : 0;
}

static bool command_agrees(const Test *t, const Command *c, const Result *r)
{
    Buf out = visible(&r->out), err = visible(&r->err), want_err = c->err;
    if (t->is_unordered) {
        err = sorted_lines(&err);
        want_err = sorted_lines(&want_err);
    }
    return r->status == expected_status(t, c) &&
           text_matches(buf_text(&c->out), buf_text(&out)) &&
           (!c->has_err || text_matches(buf_text(&want_err), buf_text(&err)));
}

static void compare_command(Test *t, const Command *c, const Result *r)
{
    if (!ended_well(t, c->text, r) || command_agrees(t, c, r))
        return;
    Buf out = visible(&r->out), err = visible(&r->err), want_err = c->err;
    int status = expected_status(t, c);
    if (r->status != status)
        fail(t, "%s: exit status %d, expected %d", c->text, r->status, status);
    if (!text_matches(buf_text(&c->out), buf_text(&out)))
        fail_diff(t, text_of("%s: stdout", c->text), buf_text(&c->out), buf_text(&out));
    if (t->is_unordered) {
        err = sorted_lines(&err);
        want_err = sorted_lines(&want_err);
    }
    if (c->has_err && !text_matches(buf_text(&want_err), buf_text(&err)))
        fail_diff(t, text_of("%s: stderr", c->text), buf_text(&want_err), buf_text(&err));
    else if (r->status != status && err.n)
        buf_printf(&t->report, "stderr was:\n%s", buf_text(&err));
}

static void compare_files(Test *t)
{
    for (int i = 0; i < t->n_files; i++) {
        const File *f = &t->files[i];
        if (f->role != F_OUTPUT && f->role != F_ABSENT)
            continue;
        Buf raw = {0};
        bool exists = read_all(text_of("%s/t/%s", work, f->name), &raw);
        Buf got = visible(&raw), want = visible(&f->bytes);
        if (f->role == F_ABSENT) {
            if (exists)
                fail(t, "%s exists", f->name);
        } else if (!exists) {
            fail(t, "%s was not written", f->name);
        } else if (!text_matches(buf_text(&want), buf_text(&got))) {
            fail_diff(t, f->name, buf_text(&want), buf_text(&got));
        }
    }
}

/* ---- diagnostics ------------------------------------------------------------ */

typedef struct DiagList {
    Diag v[MAX_DIAGS];
    int n;
} DiagList;

/* Adds every --set of the test's first command, so that `check` sees the same values. */
static void add_sets(const Test *t, Words *w)
{
    if (!t->n_commands || t->commands[0].is_shell)
        return;
    Words given = {0};
    words_split(&given, t, t->commands[0].text);
    for (int i = 0; i + 1 < given.n; i++) {
        if (strcmp(given.v[i], "--set") == 0) {
            words_add(w, "--set");
            words_add(w, given.v[++i]);
        }
    }
}

static Result run_check(const Test *t, const char *format)
{
    Words w = {0};
    words_add(&w, pipemill);
    words_add(&w, "check");
    words_add(&w, t->name);
    words_add(&w, "--error-format");
    words_add(&w, format);
    add_sets(t, &w);
    Result r = run_argv(t, w.v, NULL);
    buf_add(&r.out, buf_text(&r.err), r.err.n);
    return r;
}

/* Lines `FILE:L:C-C: error[E0003]: text` of --error-format short. */
static void read_short(const Test *t, const char *s, DiagList *list)
{
    for (; *s && list->n < MAX_DIAGS; s += strcspn(s, "\n"), s += *s == '\n') {
        char *line = copy_n(s, strcspn(s, "\n"));
        char *e = strstr(line, ": error["), *w = strstr(line, ": warning[");
        char *text = !e || (w && w < e) ? w : e;
        if (!text)
            continue;
        *text = '\0';
        size_t n = strlen(t->name);
        char *place = starts(line, t->name) && line[n] == ':' ? line + n + 1 : line;
        list->v[list->n++] = (Diag){.place = place, .text = text + 2};
    }
}

/* Help, notes and labels, from the pictures of --error-format human: the k-th picture
 * belongs to the k-th line of the short format. */
static void read_human(const Test *t, const char *s, DiagList *list)
{
    Buf blocks[MAX_DIAGS] = {{0}};
    int k = -1;
    for (; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        char *line = copy_n(s, strcspn(s, "\n"));
        if (is_diag_text(line))
            k++;
        if (k < 0 || k >= list->n)
            continue;
        buf_printf(&blocks[k], "%s\n", line);
        char *text = line + strspn(line, " ");
        if (starts(text, "= "))
            text += 2;
        if (starts(text, "help: ") || starts(text, "note: "))
            buf_printf(&list->v[k].more, "    %s\n", text);
    }
    /* A label is part of a picture: take those that the test names. */
    for (k = 0; k < list->n; k++) {
        for (int i = 0; i < t->n_diags; i++) {
            const Diag *d = &t->diags[i];
            const char *m = buf_text(&d->more);
            if (strcmp(d->place, list->v[k].place) || strcmp(d->text, list->v[k].text))
                continue;
            for (; *m; m += strcspn(m, "\n") + 1) {
                char *label = copy_n(m + 4, strcspn(m + 4, "\n"));
                if (starts(label, "label: ") &&
                    strstr(buf_text(&blocks[k]), label + strlen("label: ")))
                    buf_printf(&list->v[k].more, "    %s\n", label);
            }
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const Diag *x = a, *y = b;
    int line_x = atoi(x->place), line_y = atoi(y->place);
    if (line_x != line_y)
        return line_x < line_y ? -1 : 1;
    const char *cx = strchr(x->place, ':'), *cy = strchr(y->place, ':');
    int col_x = cx ? atoi(cx + 1) : 0, col_y = cy ? atoi(cy + 1) : 0;
    if (col_x != col_y)
        return col_x < col_y ? -1 : 1;
    int c = strcmp(x->place, y->place);
    return c ? c : strcmp(x->text, y->text);
}

/* One diagnostic a line; what goes with it is shown where the other list has it too. */
static Buf list_text(Diag *v, int n, const Diag *other, int n_other)
{
    Buf out = {0};
    for (int i = 0; i < n; i++) {
        bool wanted = !other;
        for (int k = 0; k < n_other; k++)
            wanted |= other[k].more.n && strcmp(other[k].place, v[i].place) == 0;
        buf_printf(&out, "%s %s\n", v[i].place, v[i].text);
        if (!wanted)
            continue;
        Buf more = sorted_lines(&v[i].more);
        buf_str(&out, buf_text(&more));
    }
    return out;
}

static bool get_diags(Test *t, DiagList *got)
{
    Result r = run_check(t, "short");
    if (!ended_well(t, "check", &r))
        return false;
    read_short(t, buf_text(&r.out), got);
    bool has_error = false, has_more = blessing;
    for (int i = 0; i < got->n; i++)
        has_error |= starts(got->v[i].text, "error[");
    if (r.status != (has_error ? 1 : 0)) {
        fail(t, "check: exit status %d\n%s", r.status, buf_text(&r.out));
        return false;
    }
    for (int i = 0; i < t->n_diags; i++)
        has_more |= t->diags[i].more.n > 0;
    if (has_more && got->n) {
        r = run_check(t, "human");
        if (!ended_well(t, "check", &r))
            return false;
        read_human(t, buf_text(&r.out), got);
    }
    qsort(got->v, (size_t)got->n, sizeof *got->v, by_place);
    return true;
}

static bool diags_agree(const Test *t, const DiagList *got, Buf *want_text, Buf *got_text)
{
    static Diag want[MAX_DIAGS];
    memcpy(want, t->diags, sizeof want);
    qsort(want, (size_t)t->n_diags, sizeof *want, by_place);
    static Diag seen[MAX_DIAGS];
    memcpy(seen, got->v, sizeof seen);
    *want_text = list_text(want, t->n_diags, NULL, 0);
    *got_text = list_text(seen, got->n, want, t->n_diags);
    return text_matches(buf_text(want_text), buf_text(got_text));
}

static void compare_diags(Test *t)
{
    static DiagList got;
    got = (DiagList){.n = 0};
    if (!get_diags(t, &got))
        return;
    Buf want_text, got_text;
    if (!diags_agree(t, &got, &want_text, &got_text))
        fail_diff(t, "diagnostics of check", buf_text(&want_text), buf_text(&got_text));
}

/* ---- what every program must do, expected or not ---------------------------- */

/* What one run left: stdout and every file; run stores hold times. */
static void add_tree(Buf *out, const char *path, const char *name)
{
    DIR *dir = opendir(path);
    if (!dir)
        die(path);
    char **names = NULL;
    size_t n = 0;
    struct dirent *e;
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        names = must(realloc(names, (n + 1) * sizeof *names));
        names[n++] = copy_n(e->d_name, strlen(e->d_name));
    }
    closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        char *child = text_of("%s/%s", path, names[i]);
        char *label = text_of("%s/%s", name, names[i]);
        struct stat st;
        if (lstat(child, &st) != 0 || S_ISLNK(st.st_mode))
            continue;
        if (S_ISDIR(st.st_mode)) {
            add_tree(out, child, label);
        } else {
            Buf raw = {0};
            read_all(child, &raw);
            Buf text = visible(&raw);
            bool is_database = strncmp(buf_text(&text), "SQLite format 3", 15) == 0; /* its pages may differ, its rows not */
            buf_printf(out, "== %s\n%s", label + 1, is_database ? "a database\n" : buf_text(&text));
        }
    }
}

typedef struct Trace {
    int status;
    Buf data;  /* stdout and files */
    Buf talk;  /* stderr, sorted: instances log in any order */
} Trace;

static bool run_variant(Test *t, const Words *base, const char *jobs, const char *batch,
                        Trace *out)
{
    Words w = *base;
    words_add(&w, "-j");
    words_add(&w, jobs);
    set_up(t);
    Result r = run_argv(t, w.v, batch);
    if (!ended_well(t, text_of("run -j %s %s", jobs, batch ? batch : ""), &r))
        return false;
    Buf err = visible(&r.err);
    *out = (Trace){.status = r.status, .data = visible(&r.out), .talk = sorted_lines(&err)};
    add_tree(&out->data, text_of("%s/t", work), "");
    return true;
}

static void compare_variant(Test *t, const Words *base, const Trace *first,
                            const char *jobs, const char *batch)
{
    Trace v;
    if (!run_variant(t, base, jobs, batch, &v))
        return;
    char *what = text_of("run -j %s %s differs from -j 1", jobs, batch ? batch : "");
    if (v.status != first->status)
        fail(t, "%s: exit status %d, not %d\n%s", what, v.status, first->status,
             buf_text(&v.talk));
    else if (v.status != 0)
        return; /* what a failing run finished depends on the threads */
    else if (strcmp(buf_text(&v.data), buf_text(&first->data)) != 0)
        fail_diff(t, what, buf_text(&first->data), buf_text(&v.data));
    else if (!batch && strcmp(buf_text(&v.talk), buf_text(&first->talk)) != 0)
        fail_diff(t, text_of("%s: stderr", what), buf_text(&first->talk),
                  buf_text(&v.talk));
}

/* The program and arguments of `run` that decide what is computed. */
static Words essential_words(const Test *t, const char *text)
{
    const char *with_value[] = {"--trace", "--events", "--progress", "-j", "--color"};
    Words given = {0}, w = {0};
    words_split(&given, t, text);
    words_add(&w, pipemill);
    words_add(&w, "run");
    if (!names_program(&given, text))
        words_add(&w, t->name);
    words_add(&w, "-q");
    if (!words_have(&given, "--seed")) {
        words_add(&w, "--seed");
        words_add(&w, "1");
    }
    for (int i = 1; i < given.n; i++) {
        const char *flags[] = {"--gantt", "-q", "--quiet", "-v", "--verbose"};
        bool skip = false, skip_two = false;
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            skip |= strcmp(given.v[i], flags[k]) == 0;
        for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++)
            skip_two |= strcmp(given.v[i], with_value[k]) == 0;
        if (skip_two)
            i++;
        else if (!skip)
            words_add(&w, given.v[i]);
    }
    return w;
}

/* Threads and batch sizes do not show. */
static void compare_variants(Test *t, const char *text)
{
    Words base = essential_words(t, text);
    Trace first;
    if (!run_variant(t, &base, "1", NULL, &first))
        return;
    char *jobs = copy_n(t->jobs, strlen(t->jobs));
    for (char *j = strtok(jobs, " "); j; j = strtok(NULL, " "))
        if (strcmp(j, "1") != 0)
            compare_variant(t, &base, &first, j, NULL);
    if (!t->is_batch_dependent && first.status == 0) {
        compare_variant(t, &base, &first, "2", "PIPEMILL_BATCH=1");
        compare_variant(t, &base, &first, "2", "PIPEMILL_BATCH=7");
    }
}

/* The bytecode of the job that `text` runs passes the verifier. */
static void verify_bytecode(Test *t, const char *text)
{
    const char *with_value[] = {"--trace", "--events", "--progress", "-j",    "--color",
                                "--seed",  "--memory", "--now",      "--set"};
    Words given = {0}, w = {0};
    words_split(&given, t, text);
    if (has_flow(&given))
        return;
    words_add(&w, pipemill);
    words_add(&w, "dump");
    if (!names_program(&given, text))
        words_add(&w, t->name);
    words_add(&w, "--format");
    words_add(&w, "bytecode");
    for (int i = 1; i < given.n; i++) {
        bool has_value = false;
        for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++)
            has_value |= strcmp(given.v[i], with_value[k]) == 0;
        if (strcmp(given.v[i], "--set") == 0 && i + 1 < given.n) {
            words_add(&w, "--set");
            words_add(&w, given.v[i + 1]);
        }
        if (has_value)
            i++;
        else if (given.v[i][0] != '-')
            words_add(&w, given.v[i]);
    }
    set_up(t);
    Result r = run_argv(t, w.v, NULL);
    if (ended_well(t, "dump --format bytecode", &r) && r.status != 0)
        fail(t, "dump --format bytecode: exit status %d\n%s", r.status, buf_text(&r.err));
    if (bytecode_fd >= 0 && r.out.n && write(bytecode_fd, r.out.p, r.out.n) < 0)
        die("bytecode");
}

/* An example that says nothing about itself: each of its jobs runs, and quickly. */
static void run_jobs(Test *t)
{
    const char *pause = strstr(t->text, "\nparam pause") ? " --set pause=1ms" : "";
    for (int i = 0; i < t->n_lines; i++) {
        if (!starts(t->lines[i].s, "job "))
            continue;
        const char *name = t->lines[i].s + 4;
        char *text = text_of("run $FILE %.*s%s", (int)strcspn(name, " ({"), name, pause);
        verify_bytecode(t, text);
        Words w = essential_words(t, text);
        set_up(t);
        Result r = run_argv(t, w.v, NULL);
        if (ended_well(t, text, &r) && r.status != 0)
            fail(t, "%s: exit status %d\n%s", text, r.status, buf_text(&r.err));
        compare_variants(t, text);
    }
}

/* ---- one test --------------------------------------------------------------- */

/* `#! check` without a word about its output is the comparison of diagnostics. */
static bool is_plain_check(const Command *c)
{
    return !c->is_shell && strcmp(c->text, "check") == 0 && !c->out.n && !c->has_err &&
           !c->has_exit;
}

static bool is_run(const Command *c)
{
    return !c->is_shell && starts(c->text, "run") && (c->text[3] == ' ' || !c->text[3]);
}

/* A test without a command is run, unless mistakes are what it is about. */
static void imply_command(Test *t)
{
    if (t->n_commands || t->is_example || expects_errors(t))
        return;
    for (int i = 0; i < t->n_files && t->is_fence; i++)
        if (t->files[i].role == F_OUTPUT)
            new_command(t, "run", false, true);
    if (!t->is_fence)
        new_command(t, "run", false, true);
}

static void test_run(Test *t)
{
    test_parse(t);
    if (t->failed || t->skip)
        return;
    imply_command(t);

    if (t->has_code && !t->no_check) {
        set_up(t);
        compare_diags(t);
    }
    set_up(t);
    for (int i = 0; i < t->n_commands; i++) {
        const Command *c = &t->commands[i];
        if (is_plain_check(c))
            continue;
        Result r = run_command(t, c);
        compare_command(t, c, &r);
    }
    if (t->n_commands)
        compare_files(t);

    if (t->failed || expects_errors(t))
        return;
    if (t->n_commands && is_run(&t->commands[0]) &&
        expected_status(t, &t->commands[0]) != 2) { /* 2: it did not come to a run */
        if (t->has_code && !t->no_check)
            verify_bytecode(t, t->commands[0].text);
        compare_variants(t, t->commands[0].text);
    }
    if (t->is_example && !t->n_commands)
        run_jobs(t);
}

/* ---- bless: write what happens now as what is expected ---------------------- */

static void add_marked(Buf *out, int *n_lines, const char *mark, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        buf_printf(out, "%s%s%.*s\n", mark, n ? " " : "", (int)n, text);
        text += n + (text[n] == '\n');
        ++*n_lines;
    }
}

static void add_outcome(Buf *out, int *n_lines, const Command *c, const Result *r,
                        const Test *t)
{
    Buf o = visible(&r->out), e = visible(&r->err);
    Command bare = *c;
    bare.has_exit = false;
    bare.status = 0;
    if (r->status != expected_status(t, &bare))
        add_marked(out, n_lines, "#exit", text_of("%d", r->status));
    add_marked(out, n_lines, "#>", buf_text(&o));
    if (c->has_err || r->status == 2 || r->status == 3)
        add_marked(out, n_lines, "#!>", buf_text(&e));
}

static void add_diags(Buf *out, int *n_lines, const DiagList *got, int old_line,
                      int new_line)
{
    for (int i = 0; i < got->n; i++) {
        const Diag *d = &got->v[i];
        int line = 0, from = 0, to = 0, used = 0;
        bool is_flat = sscanf(d->place, "%d:%d-%d%n", &line, &from, &to, &used) == 3 &&
                       !d->place[used];
        bool is_here = line == 0 || strchr(d->place, ':') == NULL;
        if (is_here ? old_line != 0 : line != old_line)
            continue;
        if (is_flat && from > 2 && to >= from) {
            buf_printf(out, "#%*s", from - 2, "");
            for (int c = from; c <= to; c++)
                buf_str(out, "^");
            buf_printf(out, " %s\n", d->text);
        } else if (is_flat) {
            buf_printf(out, "#@ %d:%d-%d %s\n", new_line, from, to, d->text);
        } else {
            buf_printf(out, "#@ %s %s\n", d->place, d->text);
        }
        ++*n_lines;
        char mark[MAX_CODE_NAME];
        snprintf(mark, sizeof mark, "#%*s", from > 2 ? from - 2 : 1, "");
        const char *m = buf_text(&d->more);
        for (; *m; m += strcspn(m, "\n") + 1) {
            buf_printf(out, "%s%.*s\n", mark, (int)strcspn(m + 4, "\n"), m + 4);
            ++*n_lines;
        }
    }
}

/* One pass: the text as it should be. Lines move, so messages may: repeat until still. */
static Buf blessed_text(Test *t)
{
    static DiagList got;
    got = (DiagList){.n = 0};
    test_parse(t);
    imply_command(t);
    bool keep_diags = false;
    if (t->has_code && !t->no_check) {
        set_up(t);
        Buf a, b;
        keep_diags = !get_diags(t, &got) || diags_agree(t, &got, &a, &b);
        if (!t->n_diags && got.n) {
            for (int i = 0; i < got.n; i++)
                if (starts(got.v[i].text, "error[") && t->commands[0].is_implied)
                    t->n_commands = 0; /* a program with mistakes is only checked */
        }
    }
    set_up(t);
    Result results[MAX_CMDS];
    bool keep[MAX_CMDS], done[MAX_CMDS] = {false};
    for (int i = 0; i < t->n_commands; i++) {
        const Command *c = &t->commands[i];
        results[i] = is_plain_check(c) ? (Result){0} : run_command(t, c);
        keep[i] = is_plain_check(c) || command_agrees(t, c, &results[i]);
    }

    Buf out = {0};
    int n_lines = 0;
    buf_add(&out, "", 0);
    if (!keep_diags)
        add_diags(&out, &n_lines, &got, 0, 0); /* those without a line */
    for (int i = 0; i < t->n_lines; i++) {
        const Line *line = &t->lines[i];
        bool is_outcome =
            line->kind == K_OUT || line->kind == K_ERR || line->kind == K_EXIT;
        int k = line->owner;
        if (is_outcome && k < t->n_commands && !keep[k]) {
            if (!done[k])
                add_outcome(&out, &n_lines, &t->commands[k], &results[k], t);
            done[k] = true;
            continue;
        }
        if (is_outcome && k >= t->n_commands)
            continue;
        if ((line->kind == K_DIAG || line->kind == K_DIAG_MORE) && !keep_diags)
            continue;
        bool is_output = k >= 0 && (line->kind == K_FILE || line->kind == K_ROW) &&
                         (t->files[k].role == F_OUTPUT || t->files[k].role == F_ABSENT);
        if (line->kind == K_ROW && is_output)
            continue;
        if (line->kind == K_FILE && is_output) {
            Buf raw = {0};
            bool exists = read_all(text_of("%s/t/%s", work, t->files[k].name), &raw);
            Buf now = visible(&raw);
            Buf want = visible(&t->files[k].bytes);
            if (exists && text_matches(buf_text(&want), buf_text(&now)))
                now = want;
            buf_printf(&out, "%s %s\n", exists ? "#out" : "#absent", t->files[k].name);
            n_lines++;
            if (exists)
                add_marked(&out, &n_lines, "#|", buf_text(&now));
            continue;
        }
        buf_printf(&out, "%s\n", line->s);
        n_lines++;
        if (!keep_diags && line->kind == K_OTHER)
            add_diags(&out, &n_lines, &got, i + 1, n_lines);
        if (line->kind == K_COMMAND && !t->commands[k].has_lines && !keep[k])
            add_outcome(&out, &n_lines, &t->commands[k], &results[k], t);
    }
    for (int i = 0; i < t->n_commands; i++) {
        const Command *c = &t->commands[i];
        if (c->is_implied && !c->has_lines && !keep[i])
            add_outcome(&out, &n_lines, c, &results[i], t);
    }
    return out;
}

static void test_bless(Test *t)
{
    for (int pass = 0; pass < 4 && !t->failed; pass++) {
        Buf now = blessed_text(t);
        if (strcmp(now.p, t->text) == 0) {
            printf("%s: %s\n", t->path, pass ? "rewritten, review it" : "as it was");
            return;
        }
        if (t->failed)
            return;
        t->text = now.p;
        write_all(text_of("%s/%s", root, t->path), now.p, now.n);
    }
    if (!t->failed)
        fail(t, "what it prints changes from run to run");
}

/* ---- all tests -------------------------------------------------------------- */

static Test *tests;
static int n_tests;

static Test *new_test(const char *path)
{
    tests = must(realloc(tests, (size_t)(n_tests + 1) * sizeof *tests));
    Test *t = &tests[n_tests++];
    *t = (Test){.path = path};
    return t;
}

/* Every ```pipe fence is a test; the program keeps its place in no other way. */
static void add_fences(const char *path, const char *s)
{
    int line = 0, n = 0;
    while (*s) {
        const char *end = s + strcspn(s, "\n");
        bool opens = (size_t)(end - s) == 7 && starts(s, "```pipe");
        s = end + (*end == '\n');
        line++;
        if (!opens)
            continue;
        const char *body = s;
        Test *t = new_test(text_of("%s:%d", path, line));
        t->is_fence = true;
        t->name = text_of("fence_%d.pipe", ++n);
        while (*s && !starts(s, "```")) {
            s += strcspn(s, "\n");
            s += *s == '\n';
            line++;
        }
        t->text = copy_n(body, (size_t)(s - body));
    }
}

static void add_path(const char *path)
{
    Buf text = {0};
    buf_add(&text, "", 0);
    if (!read_all(path, &text))
        die(path);
    size_t n = strlen(path);
    if (n > 3 && strcmp(path + n - 3, ".md") == 0) {
        add_fences(path, text.p);
        return;
    }
    Test *t = new_test(path);
    const char *slash = strrchr(path, '/');
    t->name = text_of("%s", slash ? slash + 1 : path);
    t->text = text.p;
    t->is_example = starts(path, "examples/");
    if (strlen(text.p) != text.n)
        fail(t, "a NUL byte in a test: write the program with #file and #\\");
}

typedef struct Shared {
    atomic_int next, n_passed, n_failed, n_skipped;
} Shared;

static void work_through(Shared *shared)
{
    struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART */
    sigaction(SIGALRM, &sa, NULL);
    if (mkdir(work, 0777) != 0)
        die(work);
    int i;
    while ((i = atomic_fetch_add(&shared->next, 1)) < n_tests) {
        Test *t = &tests[i];
        if (!t->failed) {
            if (blessing)
                test_bless(t);
            else
                test_run(t);
        }
        if (t->skip && !t->failed) {
            buf_printf(&t->report, "skip %s: %s\n", t->path, t->skip);
            atomic_fetch_add(&shared->n_skipped, 1);
        } else {
            atomic_fetch_add(t->failed ? &shared->n_failed : &shared->n_passed, 1);
        }
        fflush(stdout);
        const char *s = buf_text(&t->report);
        for (size_t left = t->report.n; left;) {
            ssize_t n = write(STDOUT_FILENO, s, left);
            if (n <= 0)
                exit(2);
            s += n;
            left -= (size_t)n;
        }
    }
    remove_tree(work);
}

int main(int argc, char **argv)
{
    long n_workers = sysconf(_SC_NPROCESSORS_ONLN);
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--bless") == 0)
            blessing = true;
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            limit_s = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "-j") == 0 && i + 1 < argc)
            n_workers = atoi(argv[++i]);
        else if (strcmp(argv[i], "--bytecode") == 0 && i + 1 < argc)
            bytecode_fd = open(argv[++i], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                               0666);
        else
            i = argc;
    }
    if (i >= argc) {
        fprintf(stderr,
                "usage: runner [--bless] [--limit SECONDS] [-j N] [--bytecode OUT] "
                "PIPEMILL FILE...\n");
        return 2;
    }
    root = getcwd(NULL, 0);
    pipemill = argv[i][0] == '/' ? argv[i] : text_of("%s/%s", root, argv[i]);
    for (i++; i < argc; i++)
        add_path(argv[i]);

    /* The same surroundings on every machine. */
    const char *slash = strrchr(pipemill, '/');
    char *bin = copy_n(pipemill, (size_t)(slash - pipemill));
    setenv("PATH", text_of("%s:%s", bin, getenv("PATH")), 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1);
    setenv("TERM", "dumb", 1);
    setenv("COLUMNS", "80", 1);
    unsetenv("NO_COLOR");
    unsetenv("CI");

    const char *tmp = getenv("TMPDIR");
    char *top = text_of("%s/pipemill-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(top))
        die(top);
    Shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    if (n_workers < 1)
        n_workers = 1;
    bool broken = false;
    for (long k = 0; k < n_workers; k++) {
        snprintf(work, sizeof work, "%s/%ld", top, k);
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (pid == 0) {
            work_through(shared);
            return 0;
        }
    }
    int status;
    while (wait(&status) > 0)
        broken |= status != 0;
    remove_tree(top);

    int n_failed = shared->n_failed + (broken ? 1 : 0);
    if (broken)
        printf("FAIL a worker of the runner died\n");
    if (shared->n_skipped)
        printf("%d skipped\n", shared->n_skipped);
    printf("%d passed, %d failed\n", shared->n_passed, n_failed);
    return n_failed ? 1 : 0;
}
