/* complete.h - what shells need to complete command lines, and the manual page: made from the tables of commands and
 * options and from the manual. Pure.
 */
#ifndef PIPE_CLI_COMPLETE_H
#define PIPE_CLI_COMPLETE_H

#include "base/str.h"

void complete_put_bash(Buf *out);
void complete_put_zsh(Buf *out);
void complete_put_fish(Buf *out);
void man_put(Buf *out); /* roff, for man(7) */

#endif
