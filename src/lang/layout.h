/* layout.h - where the lines of a formatted text end.
 *
 * The text comes as a stream: words, places where a line may end, and groups around them.
 * A group stands on one line if it fits into LAYOUT_WIDTH columns; else every break of
 * it is a line end, but for those of a list, which are filled: as much on a line as fits.
 * A comment behind a line has no width and makes the next break a line end; so does a
 * comment on a line of its own. After P. Wadler, "A prettier printer" (1999), as a stream.
 *
 * Everything is in the arena given; texts are borrowed until layout_render.
 */
#ifndef PIPE_LANG_LAYOUT_H
#define PIPE_LANG_LAYOUT_H

#include <stdbool.h>

#include "base/arena.h"

#define LAYOUT_WIDTH 100
#define LAYOUT_INDENT 2

typedef struct Layout Layout;

typedef enum GroupKind {
    GROUP_PLAIN,
    GROUP_LIST,  /* its breaks are filled; its group around decides whether it may */
    GROUP_BRACE, /* a body in braces */
    GROUP_FLOW,  /* may stand on one line although a body in braces in it does not */
} GroupKind;

typedef enum BreakKind {
    BREAK_EMPTY, /* nothing where the group stands on one line */
    BREAK_SPACE,
    BREAK_COMMA, /* `, ` then */
    BREAK_SEMI,  /* `; ` then */
    BREAK_HARD,  /* always a line end */
} BreakKind;

Layout *layout_new(Arena *a);

/* A line end in a text is one, whatever is around it. */
void layout_text(Layout *l, Str text);
void layout_break(Layout *l, BreakKind kind);
/* The last break, if it ends a line, leaves an empty line too. Only where statements or
 * items stand on lines. */
void layout_blank(Layout *l);
void layout_open(Layout *l, GroupKind kind, bool is_broken);
void layout_close(Layout *l);
/* Lines that begin between the two are indented, if the group around ends lines. */
void layout_indent(Layout *l);
/* Lines that begin between the two are indented like this one, whatever is around. */
void layout_hang(Layout *l);
void layout_dedent(Layout *l); /* ends either */
/* Blanks that align what follows, if the body around is on several lines. */
void layout_pad(Layout *l, uint32_t n);
/* Behind what stands on this line; column: where it stood in the source, from 0. */
void layout_comment_behind(Layout *l, Str text, uint32_t column);
/* On lines of its own; what follows it begins a line. has_blank: an empty line before it. */
void layout_comment_line(Layout *l, Str text, bool has_blank);
/* Ends the line if a comment wants that, before a group opens. */
void layout_settle(Layout *l);
/* Did a break come last (so that no blank is needed)? Also true at the start. */
bool layout_is_fresh(const Layout *l);

/* For what has to be decided later: where what comes next begins; whether what came since a
 * place cannot stand on one line; an empty line before it. */
size_t layout_place(const Layout *l);
bool layout_is_tall(const Layout *l, size_t place);
void layout_blank_at(Layout *l, size_t place);

/* Appends the text with a line end after its last line; nothing if there is none. */
void layout_render(Layout *l, Buf *out);

#endif
