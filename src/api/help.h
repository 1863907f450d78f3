/* help.h - the topics of `pipemill help`: sections of grammar/README.md (api/manual.h), and the functions from
 * their table. Pure.
 */
#ifndef PIPE_API_HELP_H
#define PIPE_API_HELP_H

#include <stdbool.h>

#include "base/str.h"

/* i counts from 0; NULL beyond the last. what (may be NULL) is a line about it. */
const char *help_topic_name(uint32_t i, const char **what);
/* Appends the text; false when there is no such topic. Also the name of a statement, a function, an annotation or
 * another word of the language, and any heading of the manual, with - for blanks. */
bool help_put(Buf *out, Str topic);
/* Calls for every name that help_put takes: for did-you-mean. */
void help_each_name(void *ctx, void (*each)(void *ctx, Str name));

#endif
