#include "cli/term.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *v = getenv(name);
    return v && *v;
}

static bool is_forced(const char *name)
{
    return is_set(name) && strcmp(getenv(name), "0") != 0;
}

static bool has_color(ColorWhen when, bool is_tty)
{
    if (when != COLOR_AUTO)
        return when == COLOR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    if (is_forced("CLICOLOR_FORCE") || is_forced("FORCE_COLOR"))
        return true;
    const char *term = getenv("TERM");
    return is_tty && term && *term && strcmp(term, "dumb") != 0;
}

static uint32_t width(const Term *t)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int fd = t->err_is_tty ? STDERR_FILENO : STDOUT_FILENO;
    if ((t->err_is_tty || t->out_is_tty) && ioctl(fd, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        return size.ws_col;
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n >= 20 && n <= 1000 ? (uint32_t)n : 80;
}

void term_init(Term *t, ColorWhen when)
{
    setlocale(LC_CTYPE, "");
    t->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    t->in_is_tty = isatty(STDIN_FILENO);
    t->out_is_tty = isatty(STDOUT_FILENO);
    t->err_is_tty = isatty(STDERR_FILENO);
    t->out_has_color = has_color(when, t->out_is_tty);
    t->err_has_color = has_color(when, t->err_is_tty);
    t->width = width(t);
}

__attribute__((format(printf, 3, 0)))
static void vcomplain(const Term *t, Str help, const char *fmt, va_list ap)
{
    Buf text = {0}, out = {0};
    buf_vprintf(&text, fmt, ap);
    buf_puts(&out, t->err_has_color ? "\033[1;31merror\033[0m\033[1m: " : "error: ");
    buf_put_visible(&out, buf_str(&text));
    buf_puts(&out, t->err_has_color ? "\033[0m\n" : "\n");
    if (help.len) {
        buf_puts(&out, t->err_has_color ? "  = \033[1mhelp\033[0m: " : "  = help: ");
        buf_put_visible(&out, help);
        buf_putc(&out, '\n');
    }
    put_err(buf_str(&out));
    buf_deinit(&text);
    buf_deinit(&out);
}

void complain(const Term *t, Str help, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vcomplain(t, help, fmt, ap);
    va_end(ap);
}

void complain_near(const Term *t, Str best, const char *help, const char *fmt, ...)
{
    Buf near = {0};
    va_list ap;
    if (best.len)
        buf_printf(&near, "did you mean `%.*s`?", STR_ARG(best));
    else
        buf_puts(&near, help);
    va_start(ap, fmt);
    vcomplain(t, buf_str(&near), fmt, ap);
    va_end(ap);
    buf_deinit(&near);
}

bool put_out(const Term *t, Str text)
{
    if ((!text.len || fwrite(text.ptr, 1, text.len, stdout) == text.len) &&
        fflush(stdout) == 0)
        return true;
    complain(t, (Str){0}, "cannot write stdout: %s", strerror(errno));
    return false;
}

void put_err(Str text)
{
    if (text.len)
        fwrite(text.ptr, 1, text.len, stderr);
    fflush(stderr);
}
