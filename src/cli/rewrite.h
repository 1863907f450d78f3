/* rewrite.h - a file gets another text, or stays as it was. */
#ifndef PIPE_CLI_REWRITE_H
#define PIPE_CLI_REWRITE_H

#include "cli/term.h"

/* Puts text in place of what the file holds: written beside it and then renamed, so that there is never
 * half of it. Its mode stays; a symbolic link stays one. False when it failed, and that has been said. */
bool cli_rewrite(const Term *t, const char *path, Str text);

#endif
