/* test_file.c - a test and its expectations, from a .pipe file or a fence. */
#include "runner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) void fail(Test *t, const char *fmt, ...)
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

bool is_diag_text(const char *s)
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

Command *new_command(Test *t, const char *text, bool is_shell, bool is_implied)
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
        t->has_jobs = true;
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

void test_parse(Test *t)
{
    t->lines = NULL;
    t->n_lines = t->n_commands = t->n_diags = t->n_files = 0;
    t->jobs = "1 2 8";
    t->skip = NULL;
    t->has_jobs = t->is_unordered = t->no_check = t->is_batch_dependent = t->has_code = false;

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

bool expects_errors(const Test *t)
{
    for (int i = 0; i < t->n_diags; i++)
        if (starts(t->diags[i].text, "error["))
            return true;
    return false;
}
