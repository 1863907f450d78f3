/* parsed.h - a text and its tree; for tests. */
#ifndef PIPE_TESTS_PARSED_H
#define PIPE_TESTS_PARSED_H

#include "lang/parse.h"

typedef struct Parsed {
    Sources *sources;
    Arena *arena;
    Diags diags;
    Ast *ast;
} Parsed;

static Parsed parse(Str text)
{
    Parsed p = {.sources = sources_open(), .arena = arena_open()};
    diags_init(&p.diags);
    p.ast = parse_file(p.arena, sources_add(p.sources, STR_LIT("t.pipe"), text), &p.diags);
    return p;
}

static void parsed_free(Parsed *p)
{
    arena_close(p->arena);
    diags_deinit(&p->diags);
    sources_close(p->sources);
}

#endif
