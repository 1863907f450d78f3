/* diagnostics.c - what `check` says, short and with pictures, beside what is expected. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

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

bool get_diags(Test *t, DiagList *got)
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

bool diags_agree(const Test *t, const DiagList *got, Buf *want_text, Buf *got_text)
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

void compare_diags(Test *t)
{
    static DiagList got;
    got = (DiagList){.n = 0};
    if (!get_diags(t, &got))
        return;
    Buf want_text, got_text;
    if (!diags_agree(t, &got, &want_text, &got_text))
        fail_diff(t, "diagnostics of check", buf_text(&want_text), buf_text(&got_text));
}
