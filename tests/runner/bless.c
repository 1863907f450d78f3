/* bless.c - writes what happens now as what is expected. */
#include "runner.h"

#include <stdio.h>
#include <string.h>

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

void test_bless(Test *t)
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
