/* compare.c - what a command printed and left, beside what is expected. */
#include "runner.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

void fail_diff(Test *t, const char *what, const char *want, const char *got)
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
bool ended_well(Test *t, const char *what, const Result *r)
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

int expected_status(const Test *t, const Command *c)
{
    if (c->has_exit || c->is_shell)
        return c->status;
    size_t n = strcspn(c->text, " ");
    bool sees_errors = takes_program(copy_n(c->text, n)) && !starts(c->text, "fmt");
    return sees_errors && expects_errors(t) ? 1 : 0;
}

bool command_agrees(const Test *t, const Command *c, const Result *r)
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

void compare_command(Test *t, const Command *c, const Result *r)
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

void compare_files(Test *t)
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
