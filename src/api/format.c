#include "api/mill.h"

#include <assert.h>

#include "data/sink.h"
#include "lang/ast_dump.h"
#include "lang/fmt.h"
#include "lang/parse.h"

Str mill_text(const Mill *m)
{
    return source_text(m->ast->source);
}

/* Does a text have the tree of a program? */
static bool has_tree(Str text, const Ast *ast)
{
    Sources *sources = sources_open();
    Arena *arena = arena_open();
    Diags diags;
    Buf want = {0}, got = {0};
    diags_init(&diags);
    const Ast *other = parse_file(arena, sources_add(sources, STR_LIT("formatted"), text), &diags);
    ast_dump(&want, ast, false);
    ast_dump(&got, other, false);
    bool ok = diags.n_errors == 0 && str_eq(buf_str(&want), buf_str(&got));
    buf_deinit(&want);
    buf_deinit(&got);
    diags_deinit(&diags);
    arena_close(arena);
    sources_close(sources);
    return ok;
}

bool mill_format(const Mill *m, Buf *out)
{
    if (m->diags.n_errors)
        return false;
    Buf text = {0};
    fmt_program(&text, m->ast);
    assert(has_tree(buf_str(&text), m->ast)); /* rather than write another program over somebody's */
    buf_put_str(out, buf_str(&text));
    buf_deinit(&text);
    return true;
}

Status mill_replace_file(const char *path, Buf *text, Error *err)
{
    Sink *sink;
    Status st = sink_open(str_of(path), (Str){0}, &sink, err);
    if (st != OK)
        return st;
    st = sink_submit(sink, 0, text, err);
    if (st == OK)
        return sink_commit(sink, err);
    sink_abort(sink);
    return st;
}
