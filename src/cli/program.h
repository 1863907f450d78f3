/* program.h - what commands that take a program do alike: load it, set its params, pick a
 * job, show its mistakes. What goes wrong has been said when a function returns a status
 * other than EXIT_OK. */
#ifndef PIPE_CLI_PROGRAM_H
#define PIPE_CLI_PROGRAM_H

#include "api/pipemill.h"
#include "cli/opt.h"

/* In the order of the words of --error-format. */
typedef enum ErrorFormat { ERROR_HUMAN, ERROR_SHORT, ERROR_JSON } ErrorFormat;
/* In the order of the words of --format. */
typedef enum GanttFormat { GANTT_TEXT, GANTT_SVG, GANTT_CHROME } GanttFormat;

/* Loads path, or the flow of -e when path is NULL, and applies --set. On EXIT_OK the caller
 * closes *out; there may be mistakes in the program. */
int cli_load(const Args *a, const Term *t, const char *path, Mill **out);
/* The same for a text in place of what path, or -e, holds. */
int cli_load_text(const Args *a, const Term *t, const char *path, Str text, Mill **out);
/* What `FILE [JOB] | -e FLOW` names. *job is NULL when none is named. */
int cli_operands(const Args *a, const Term *t, const char **path, const char **job);
/* The job named; the only one when name is NULL. */
int cli_job(const Args *a, const Term *t, const Mill *m, const char *name, uint32_t *job);
/* Prints the diagnostics: EXIT_MISTAKES if one is an error. is_quiet: no warnings. */
int cli_report(const Args *a, const Term *t, const Mill *m);
/* mill_plan, then cli_report; a program that wants the stdin of a terminal is EXIT_USAGE. */
int cli_plan(const Args *a, const Term *t, Mill *m, uint32_t job);
/* The job that `FILE [JOB] | -e FLOW` names, loaded and planned. On EXIT_OK the caller closes *out. */
int cli_open_job(const Args *a, const Term *t, Mill **out, uint32_t *job);
/* Runs a planned job, and says how it ended: an exit status. resumed: the run that it goes on with, which is closed then; NULL: none. */
int cli_run(const Args *a, const Term *t, Mill *m, uint32_t job, Store *resumed);
/* What status an Error of a step before the run has, said. */
int cli_failed(const Term *t, const Error *err);

#define WRITES_A_TRACE "`pipemill run FILE JOB --trace run.json` writes one"
/* Reads what `run --trace` wrote; `-` is stdin. The caller frees it. */
int cli_read_trace(const Term *t, const char *path, Recording **out);
/* A chart of it in the --format given. */
void cli_draw(const Args *a, const Term *t, const Recording *r, Buf *out);

/* Text to --output, else to stdout: an exit status. */
int cli_output(const Args *a, const Term *t, Str text);

#endif
