/* mill.h - what the files of api/ share. lang/ and sched/ name some things alike, so that a
 * file includes one of them: load.c knows trees, dump.c and run.c know the scheduler.
 */
#ifndef PIPE_API_MILL_H
#define PIPE_API_MILL_H

#include "api/pipemill.h"
#include "base/catalog.h"
#include "base/map.h"
#include "plan/eval.h"
#include "plan/plan.h"

struct Program;
struct Ast;

/* Answers from files, unless stdin is asked for and refused. */
typedef struct StdinGuard {
    Catalog face; /* first: a Catalog * is a StdinGuard * */
    Catalog *files;
    bool is_refused;
    bool was_asked; /* for stdin, while it is refused */
} StdinGuard;

struct Mill {
    MillOptions options;
    Arena *arena;
    Sources *sources;
    Diags diags;
    StdinGuard catalog;
    bool has_checked_rest;   /* what no job uses */
    bool borrows_files;      /* those of the catalog are another Mill's */
    Evaluator *evaluator;
    struct Ast *ast;         /* NULL before it is loaded */
    struct Program *program; /* NULL before it is loaded */
    Map sets;                /* param -> Value */
    Vec(Str) params;
    Vec(Str) jobs;
    Plan **plans;            /* [jobs.n] NULL: not planned */
    bool is_flow;            /* what was loaded is the body of a job */
};

#define MAX_FIX_ROUNDS 30 /* mistakes that stand behind one another in one statement are few */

/* A place of a text that is changed. */
typedef struct Edit {
    uint32_t lo, hi; /* offsets in the text as it was */
    Str text;
} Edit;
typedef Vec(Edit) EditList;

/* The certain fixes of a program that was checked, applied once: the text afterwards, and what was changed, in order, both in the
 * arena. False: there are none. fix.c */
bool mill_fix_once(const Mill *m, Arena *arena, Str *text, EditList *made);

/* The same program with another text: same name, options and values of params. It asks the files that m has asked, so that m is closed
 * after it. NULL: the text is too large. */
Mill *mill_open_again(const Mill *m, Str text);

/* The text that was loaded. */
const Source *mill_main_source(const Mill *m);

/* Adds what the scheduler has to say about the planned jobs to the diagnostics; nothing if there
 * are mistakes. */
void mill_warn(Mill *m);

#endif
