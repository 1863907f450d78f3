#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/value.h"

static const Opt OPTS[] = {
#define OPT(e, name, letter, kind, value, words, doc)                                    \
    [OPT_##e] = {name, letter, KIND_##kind, value, words, doc},
#define LATER_OPT(name)
#include "cli/opt.def"
#undef OPT
#undef LATER_OPT
};

static const char *const LATER_OPTS[] = {
#define OPT(e, name, letter, kind, value, words, doc)
#define LATER_OPT(name) name,
#include "cli/opt.def"
#undef OPT
#undef LATER_OPT
};

static const Command COMMANDS[] = {
#define COMMAND(e, name, fn, operands, options, doc, more, examples)                     \
    [COMMAND_##e] = {name, operands, doc, more, examples, (options) | OPT_BIT(HELP), fn},
#define LATER_COMMAND(name)
#include "cli/commands.def"
#undef COMMAND
#undef LATER_COMMAND
};

static const char *const LATER_COMMANDS[] = {
#define COMMAND(e, name, fn, operands, options, doc, more, examples)
#define LATER_COMMAND(name) name,
#include "cli/commands.def"
#undef COMMAND
#undef LATER_COMMAND
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const Opt *opt_get(uint32_t id)
{
    return &OPTS[id];
}

/* ---- commands ---- */

const Command *command_get(uint32_t i)
{
    return &COMMANDS[i];
}

const Command *command_find(const Term *t, const char *name)
{
    Suggest near;
    suggest_init(&near, str_of(name));
    for (uint32_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
        suggest_offer(&near, str_of(COMMANDS[i].name));
    }
    for (size_t i = 0; i < COUNT(LATER_COMMANDS); i++)
        if (strcmp(LATER_COMMANDS[i], name) == 0) {
            complain(t, (Str){0}, "`pipemill %s` is not available yet", name);
            return NULL;
        }
    size_t n = strlen(name);
    if (n > 5 && strcmp(name + n - 5, ".pipe") == 0) {
        complain(t, str_of("write `pipemill run FILE`, or `pipemill check FILE`"),
                 "`%s` is a program, not a command", name);
        return NULL;
    }
    complain_near(t, near.best, "`pipemill help` lists the commands",
                  "there is no command `%s`", name);
    return NULL;
}

/* ---- options ---- */

#define MAX_NUMBER 1024u /* as @max_concurrent takes */
#define MIN_SIZE 64000   /* as @memory takes */

typedef struct Reader {
    Args *args;
    Arena *arena;
    const Term *term;
    int n, i;
    char **argv;
} Reader;

bool command_has(const Command *c, uint32_t opt)
{
    return (c->options >> opt & 1) != 0;
}

static int32_t find_opt(const Command *c, Str name)
{
    for (uint32_t i = 0; i < N_OPTS; i++)
        if (command_has(c, i) && str_is(name, OPTS[i].name))
            return (int32_t)i;
    return -1;
}

static int32_t find_letter(const Command *c, char letter)
{
    for (uint32_t i = 0; i < N_OPTS; i++)
        if (command_has(c, i) && OPTS[i].letter == letter)
            return (int32_t)i;
    return -1;
}

static bool unknown_opt(Reader *r, Str name)
{
    const Command *c = r->args->command;
    Suggest near;
    suggest_init(&near, name);
    for (size_t i = 0; i < COUNT(LATER_OPTS); i++)
        if (str_is(name, LATER_OPTS[i])) {
            complain(r->term, (Str){0}, "`--%.*s` is not available yet", STR_ARG(name));
            return false;
        }
    for (uint32_t i = 0; i < N_OPTS; i++)
        if (command_has(c, i))
            suggest_offer(&near, str_of(OPTS[i].name));
    Str best = near.best;
    if (best.len)
        best = arena_printf(r->arena, "--%.*s", STR_ARG(best));
    Str help = arena_printf(r->arena, "`pipemill %s --help` lists the options", c->name);
    complain_near(r->term, best, help.ptr, "`%s` has no option `--%.*s`", c->name,
                  STR_ARG(name));
    return false;
}

/* A whole number of decimal digits. */
static bool parse_number(const char *s, uint64_t *out)
{
    uint64_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        uint64_t digit = (uint64_t)(*s - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

/* Which of the words, apart by a blank; -1: none. */
static int32_t word_index(const char *words, Str word, Suggest *near)
{
    int32_t i = 0;
    for (const char *w = words; *w; i++) {
        size_t len = strcspn(w, " ");
        Str one = {w, (uint32_t)len};
        if (str_eq(one, word))
            return i;
        if (near)
            suggest_offer(near, one);
        w += len;
        w += *w == ' ';
    }
    return -1;
}

static bool take_word(Reader *r, const Opt *o, const char *value, uint64_t *out)
{
    Suggest near;
    Buf list = {0};
    suggest_init(&near, str_of(value));
    int32_t i = word_index(o->words, str_of(value), &near);
    if (i >= 0) {
        *out = (uint64_t)i;
        return true;
    }
    buf_puts(&list, "it is one of ");
    for (const char *w = o->words; *w; w++)
        if (*w == ' ')
            buf_puts(&list, ", ");
        else
            buf_putc(&list, *w);
    complain_near(r->term, near.best, list.ptr, "`--%s` cannot be `%s`", o->name, value);
    buf_deinit(&list);
    return false;
}

static bool take_size(Reader *r, const Opt *o, const char *value, uint64_t *out)
{
    int64_t bytes = 0;
    if (value_parse_size(str_of(value), &bytes) && bytes >= MIN_SIZE) {
        *out = (uint64_t)bytes;
        return true;
    }
    complain(r->term, STR_LIT("for example `64MB` or `2GB`"),
             "`--%s` is a size of at least 64kB, not `%s`", o->name, value);
    return false;
}

static bool take_time(Reader *r, const Opt *o, const char *value, uint64_t *out)
{
    int64_t t = 0;
    Value day;
    bool ok = value_parse_timestamp(str_of(value), &t);
    if (!ok && value_parse(TYPE_DATE, str_of(value), &day, NULL))
        ok = !__builtin_mul_overflow(day.i, INT64_C(86400000000), &t);
    *out = (uint64_t)t;
    if (!ok)
        complain(r->term, STR_LIT("for example `2026-01-02T03:04:05Z` or `2026-01-02`"),
                 "`--%s` is a time, not `%s`", o->name, value);
    return ok;
}

static bool take_value(Reader *r, uint32_t id, const char *value)
{
    const Opt *o = &OPTS[id];
    Args *a = r->args;
    a->text[id] = value;
    switch (o->kind) {
    case KIND_FLAG:
    case KIND_TEXT:
        return true;
    case KIND_LIST:
        vec_push(r->arena, &a->sets, value);
        return true;
    case KIND_NUMBER:
        if (parse_number(value, &a->number[id]) && a->number[id] >= 1 &&
            a->number[id] <= MAX_NUMBER)
            return true;
        if (o->letter)
            complain(r->term, (Str){0}, "`-%c` is a whole number from 1 to %u, not `%s`",
                     o->letter, MAX_NUMBER, value);
        else
            complain(r->term, (Str){0}, "`--%s` is a whole number from 1 to %u, not `%s`",
                     o->name, MAX_NUMBER, value);
        return false;
    case KIND_SEED:
        if (parse_number(value, &a->number[id]))
            return true;
        complain(r->term, (Str){0}, "`--%s` is a whole number from 0 to %llu, not `%s`", o->name,
                 (unsigned long long)UINT64_MAX, value);
        return false;
    case KIND_SIZE:
        return take_size(r, o, value, &a->number[id]);
    case KIND_TIME:
        return take_time(r, o, value, &a->number[id]);
    case KIND_WORD:
        return take_word(r, o, value, &a->number[id]);
    }
    abort();
}

/* The option's value is `rest` if there is one, else the next word. */
static bool take_opt(Reader *r, uint32_t id, const char *rest)
{
    const Opt *o = &OPTS[id];
    r->args->has[id] = true;
    if (o->kind == KIND_FLAG) {
        if (!rest)
            return true;
        complain(r->term, (Str){0}, "`--%s` takes no value", o->name);
        return false;
    }
    if (!rest) {
        if (r->i + 1 >= r->n) {
            complain(r->term, (Str){0}, "`%s` needs a value: %s", r->argv[r->i], o->value);
            return false;
        }
        rest = r->argv[++r->i];
    }
    return take_value(r, id, rest);
}

static bool take_long(Reader *r, const char *word)
{
    const char *equals = strchr(word, '=');
    Str name = {word, (uint32_t)(equals ? (size_t)(equals - word) : strlen(word))};
    int32_t id = find_opt(r->args->command, name);
    if (id < 0)
        return unknown_opt(r, name);
    return take_opt(r, (uint32_t)id, equals ? equals + 1 : NULL);
}

static bool take_short(Reader *r, const char *letters)
{
    for (; *letters; letters++) {
        int32_t id = find_letter(r->args->command, *letters);
        if (id < 0) {
            const Command *c = r->args->command;
            bool is_long = find_opt(c, str_of(letters)) >= 0;
            Str help = arena_printf(r->arena, is_long ? "write `--%s`"
                                                      : "`pipemill %s --help` lists the options",
                                    is_long ? letters : c->name);
            complain(r->term, help, "`%s` has no option `-%s`", c->name, letters);
            return false;
        }
        if (OPTS[id].kind != KIND_FLAG)
            return take_opt(r, (uint32_t)id, letters[1] ? letters + 1 : NULL);
        r->args->has[id] = true;
    }
    return true;
}

bool args_parse(Args *out, Arena *arena, const Term *t, const Command *c, int n,
                char **argv)
{
    Reader r = {.args = out, .arena = arena, .term = t, .n = n, .argv = argv};
    *out = (Args){.command = c};
    bool has_options = true;
    for (; r.i < n; r.i++) {
        const char *word = argv[r.i];
        if (has_options && strcmp(word, "--") == 0) {
            has_options = false;
        } else if (has_options && word[0] == '-' && word[1] == '-') {
            if (!take_long(&r, word + 2))
                return false;
        } else if (has_options && word[0] == '-' && word[1]) {
            if (!take_short(&r, word + 1))
                return false;
        } else {
            vec_push(arena, &out->operands, word);
        }
    }
    return true;
}

ColorWhen args_color(int n, char **argv)
{
    const Opt *o = &OPTS[OPT_COLOR];
    int32_t when = COLOR_AUTO;
    for (int i = 0; i < n; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "--color") == 0 && i + 1 < n)
            value = argv[i + 1];
        else if (strncmp(argv[i], "--color=", 8) == 0)
            value = argv[i] + 8;
        int32_t found = value ? word_index(o->words, str_of(value), NULL) : -1;
        if (found >= 0)
            when = found;
    }
    return (ColorWhen)when;
}

/* ---- help ---- */

static void opt_usage(Buf *out, const Opt *o)
{
    size_t from = out->len;
    buf_puts(out, "  ");
    if (o->letter)
        buf_printf(out, "-%c, ", o->letter);
    buf_printf(out, "--%s%s%s", o->name, *o->value ? " " : "", o->value);
    if (out->len - from > 22)
        buf_printf(out, "\n%24s", "");
    while (out->len - from < 24)
        buf_putc(out, ' ');
    buf_puts(out, o->doc);
    if (*o->words) {
        buf_printf(out, "\n%26s", "");
        for (const char *w = o->words; *w; w++)
            if (*w == ' ')
                buf_puts(out, " | ");
            else
                buf_putc(out, *w);
    }
    buf_putc(out, '\n');
}

bool option_help(Buf *out, const char *name)
{
    size_t n_before = out->len;
    for (uint32_t i = 0; i < N_OPTS; i++) {
        const char *between = "of ";
        if (strcmp(OPTS[i].name, name) != 0)
            continue;
        opt_usage(out, &OPTS[i]);
        buf_printf(out, "%24s", "");
        for (uint32_t c = 0; c < N_COMMANDS; c++)
            if (command_has(command_get(c), i)) {
                buf_printf(out, "%s`pipemill %s`", between, command_get(c)->name);
                between = ", ";
            }
        buf_putc(out, '\n');
    }
    return out->len > n_before;
}

void command_help(Buf *out, const Command *c)
{
    buf_printf(out, "pipemill %s - %s\n\n", c->name, c->doc);
    for (const char *line = c->operands; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "%s pipemill %s [OPTION]... %.*s\n",
                   line == c->operands ? "Usage:" : "   or:", c->name, (int)len, line);
        line += len + (line[len] == '\n');
    }
    if (*c->more)
        buf_printf(out, "\n%s", c->more);
    buf_puts(out, "\nOptions:\n");
    for (uint32_t i = 0; i < N_OPTS; i++)
        if (command_has(c, i))
            opt_usage(out, &OPTS[i]);
    buf_puts(out, "\nExamples:\n");
    for (const char *line = c->examples; *line;) {
        size_t len = strcspn(line, "\n");
        buf_printf(out, "  %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
}
