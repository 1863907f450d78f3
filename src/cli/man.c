/* man.c - the manual page, from the tables of commands and options; exit status and environment are the
 * sections of grammar/README.md. */
#include <string.h>

#include "api/manual.h"
#include "cli/complete.h"
#include "cli/opt.h"

/* Text of a paragraph: `code` is bold, hyphens stay hyphens, a line never begins with a command of roff. */
static void put_roff(Buf *out, Str s)
{
    bool in_code = false, is_at_start = true;
    for (uint32_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_at_start && (c == '.' || c == '\''))
            buf_puts(out, "\\&");
        is_at_start = c == '\n';
        if (c == '`') {
            in_code = !in_code;
            buf_puts(out, in_code ? "\\fB" : "\\fR");
        } else if (c == '\\') {
            buf_puts(out, "\\e");
        } else if (c == '-') {
            buf_puts(out, "\\-");
        } else {
            buf_putc(out, c);
        }
    }
}

/* Code as it is, a line a line. */
static void put_lines(Buf *out, const char *text)
{
    buf_puts(out, ".PP\n.nf\n");
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        buf_puts(out, "  ");
        Str s = {line, (uint32_t)len};
        for (uint32_t i = 0; i < s.len; i++)
            if (s.ptr[i] == '\\')
                buf_puts(out, "\\e");
            else if (s.ptr[i] == '-')
                buf_puts(out, "\\-");
            else
                buf_putc(out, s.ptr[i]);
        buf_putc(out, '\n');
        line += len + (line[len] == '\n');
    }
    buf_puts(out, ".fi\n");
}

static void put_option(Buf *out, const Opt *o)
{
    buf_puts(out, ".TP\n");
    if (o->letter)
        buf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
    buf_puts(out, "\\fB\\-\\-");
    put_roff(out, str_of(o->name));
    buf_puts(out, "\\fR");
    if (*o->value) {
        buf_puts(out, " \\fI");
        put_roff(out, str_of(o->value));
        buf_puts(out, "\\fR");
    }
    buf_putc(out, '\n');
    put_roff(out, str_of(o->doc));
    if (*o->words) {
        buf_puts(out, ": one of ");
        for (const char *w = o->words; *w;) {
            size_t len = strcspn(w, " ");
            buf_puts(out, "\\fB");
            put_roff(out, (Str){w, (uint32_t)len});
            w += len;
            w += *w == ' ';
            buf_puts(out, *w ? "\\fR, " : "\\fR");
        }
    }
    buf_putc(out, '\n');
}

/* Paragraphs; lines that begin with a blank stay lines. */
static void put_more(Buf *out, const char *text)
{
    bool was_list = true;
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        bool is_list = *line == ' ';
        if (is_list != was_list)
            buf_puts(out, is_list ? ".PP\n.nf\n" : line == text ? ".PP\n" : ".fi\n.PP\n");
        was_list = is_list;
        put_roff(out, (Str){line, (uint32_t)len});
        buf_putc(out, '\n');
        line += len + (line[len] == '\n');
    }
    if (*text && was_list)
        buf_puts(out, ".fi\n");
}

static void put_usage(Buf *out, const Command *c, const char *end)
{
    for (const char *line = c->operands; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "\\fBpipemill %s\\fR [\\fIOPTION\\fR]... \\fI", c->name);
        put_roff(out, (Str){line, (uint32_t)len});
        buf_printf(out, "\\fR\n%s", end);
        line += len + (line[len] == '\n');
    }
}

static void put_command(Buf *out, const Command *c)
{
    buf_printf(out, ".SS pipemill %s\n", c->name);
    put_usage(out, c, ".br\n");
    buf_puts(out, ".PP\n");
    /* What it does, as a sentence. */
    Buf doc = {0};
    buf_printf(&doc, "%s.", c->doc);
    if (doc.ptr[0] >= 'a' && doc.ptr[0] <= 'z')
        doc.ptr[0] = (char)(doc.ptr[0] - 'a' + 'A');
    put_roff(out, buf_str(&doc));
    buf_deinit(&doc);
    buf_putc(out, '\n');
    put_more(out, c->more);
    for (uint32_t k = 0; k < N_OPTS; k++)
        if (command_has(c, k) && k != OPT_HELP && k != OPT_COLOR)
            put_option(out, opt_get(k));
    put_lines(out, c->examples);
}

/* The first table of a section of the manual, and the text behind it. */
static void put_section(Buf *out, const char *name, const char *heading)
{
    ManualSection s;
    Buf first = {0}, rest = {0};
    buf_printf(out, ".SH %s\n", name);
    if (!manual_find(str_of(heading), &s))
        return;
    Str text = s.whole;
    while (manual_row(&text, &first, &rest)) {
        buf_puts(out, ".TP\n\\fB");
        put_roff(out, buf_str(&first));
        buf_puts(out, "\\fR\n");
        put_roff(out, buf_str(&rest));
        buf_putc(out, '\n');
        buf_clear(&first);
        buf_clear(&rest);
    }
    while (manual_paragraph(&text, &rest)) {
        buf_puts(out, ".PP\n");
        put_roff(out, buf_str(&rest));
        buf_putc(out, '\n');
        buf_clear(&rest);
    }
    buf_deinit(&first);
    buf_deinit(&rest);
}

void man_put(Buf *out)
{
    buf_puts(out, ".\\\" Made by `pipemill help --man` from src/cli/commands.def, src/cli/opt.def and grammar/README.md.\n"
                  ".TH PIPEMILL 1 \"\" pipemill \"User Commands\"\n"
                  ".SH NAME\npipemill \\- run pipelines over batches of rows\n"
                  ".SH SYNOPSIS\n\\fBpipemill\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIOPERAND\\fR]...\n"
                  ".SH DESCRIPTION\n"
                  "A \\fI.pipe\\fR file says how rows are read, changed and written. pipemill turns it into a typed graph of "
                  "steps over batches of rows and runs that on threads, in an order that keeps memory bounded.\n"
                  ".PP\n"
                  "Data goes to standard output, everything else to standard error; \\fB\\-\\fR is standard input where a file "
                  "is read. Options and operands come in any order; \\fB\\-\\-\\fR ends options. Every command has\n"
                  ".BR \\-\\-help ,\nand those that print have\n.BR \\-\\-color .\n"
                  "\\fBpipemill help\\fR \\fITOPIC\\fR explains the language: its topics are listed by \\fBpipemill help\\fR.\n"
                  ".SH COMMANDS\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        put_command(out, command_get(i));
    put_section(out, "EXIT STATUS", "Exit status");
    put_section(out, "ENVIRONMENT", "Environment");
    buf_puts(out, ".SH SEE ALSO\n\\fBpipemill help\\fR; the examples and the reference of the language, "
                  "\\fIgrammar/README.md\\fR, come with the source.\n");
}
