#include "api/mill.h"

#include "data/sink.h"
#include "lang/fmt.h"

Str mill_text(const Mill *m)
{
    return source_text(m->ast->source);
}

bool mill_format(const Mill *m, Buf *out)
{
    if (m->diags.n_errors)
        return false;
    fmt_program(out, m->ast);
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
