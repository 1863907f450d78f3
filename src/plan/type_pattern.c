/* type_pattern.c - constant patterns: regular expressions, time patterns, formats. A mistake in one is shown
 * at its place in the literal. Read bottom-up. */
#include "plan/type.h"

#include <string.h>

#include "base/regex.h"
#include "base/text_format.h"
#include "base/time_pattern.h"
#include "base/utf8.h"

/* ---- places ---- */

/* The bytes that an escape of "..." at p stands for, and in *n its own; 0: this is none. */
static uint32_t escape_len(const char *p, const char *end, uint32_t *n)
{
    *n = 2;
    if (p[0] == '{' && p + 1 < end && p[1] == '{')
        return 1;
    if (p[0] != '\\' || p + 1 >= end)
        return 0;
    if (p[1] != 'u')
        return 1;
    uint32_t cp = 0, i = 3;
    for (; p + i < end && p[i] != '}'; i++)
        cp = cp * 16 + (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    *n = i + 1;
    char bytes[4];
    return utf8_encode(cp, bytes);
}

/* Where byte `at` of a string's value stands in the text of its literal; 0: the text is no literal of it. */
static uint32_t offset_in_literal(Str text, Str value, uint32_t at)
{
    if (text.len < 2 || text.ptr[0] != text.ptr[text.len - 1])
        return 0;
    const char *p = text.ptr + 1, *end = text.ptr + text.len - 1;
    if (text.ptr[0] == '\'')
        return str_eq((Str){p, text.len - 2}, value) ? at + 1 : 0;
    if (text.ptr[0] != '"')
        return 0;
    uint32_t found = 0, v = 0, n;
    while (p < end) {
        if (v <= at)
            found = (uint32_t)(p - text.ptr);
        uint32_t len = escape_len(p, end, &n);
        if (len == 0 && (v >= value.len || value.ptr[v] != *p))
            return 0;
        v += len ? len : 1;
        p += len ? n : 1;
    }
    if (v != value.len)
        return 0;
    return at >= v ? text.len - 1 : found;
}

static Span place_of(Typer *t, const Tx *arg, uint32_t at)
{
    Place from = sources_locate(t->sources, arg->span.lo);
    if (!from.source || arg->span.hi <= arg->span.lo || at == PATTERN_WHOLE)
        return arg->span;
    Str text = str_slice(source_text(from.source), arg->span.lo - source_base(from.source),
                         arg->span.hi - arg->span.lo);
    uint32_t offset = offset_in_literal(text, arg->value.s, at);
    if (offset == 0 || offset >= text.len)
        return arg->span;
    uint32_t n = utf8_len(text.ptr + offset, text.len - offset);
    return (Span){arg->span.lo + offset, arg->span.lo + offset + (n ? n : 1)};
}

static Diag *bad_pattern(Typer *t, const Tx *arg, const PatternError *e, const char *what)
{
    return diag_add(t->diags, E_BAD_PATTERN, place_of(t, arg, e->at), "%s: %s", what, e->text);
}

/* ---- patterns ---- */

static bool is_known(const Tx *tx)
{
    return tx->kind == TX_CONST && !tx->value.is_null;
}

static bool check_regex(Typer *t, const Tx *pattern, const Tx *group)
{
    PatternError e;
    Regex *r = regex_open(pattern->value.s, &e);
    if (!r) {
        bad_pattern(t, pattern, &e, "this is no regular expression");
        return false;
    }
    uint32_t n = regex_n_groups(r);
    regex_close(r);
    if (!group || !is_known(group) || (group->value.i >= 0 && group->value.i <= n))
        return true;
    Diag *d = diag_add(t->diags, E_BAD_PATTERN, group->span,
                       "the regular expression has %u group%s, not %lld", n, n == 1 ? "" : "s",
                       (long long)group->value.i);
    diag_help(t->diags, d, "groups are its `(...)`, counted from 1; 0 is the whole match");
    return false;
}

/* yyyy-MM-dd of Java, YYYY-MM-DD of others: the pattern that is meant; nothing where a letter is none of theirs. */
static Str percent_pattern(Typer *t, Str theirs)
{
    static const struct {
        const char *theirs, *ours;
    } parts[] = {{"yyyy", "%Y"}, {"YYYY", "%Y"}, {"yy", "%y"}, {"YY", "%y"}, {"MMMM", "%B"}, {"MMM", "%b"}, {"MM", "%m"},
                 {"dd", "%d"},   {"DD", "%d"},   {"HH", "%H"}, {"hh", "%I"}, {"mm", "%M"},   {"ss", "%S"},
                 {"SSSSSS", "%f"}, {"SSS", "%f"}, {"'T'", "T"}};
    Buf out = {0};
    bool is_known = true;
    for (uint32_t i = 0, n; i < theirs.len; i += n) {
        n = 0;
        for (size_t k = 0; k < sizeof parts / sizeof *parts && !n; k++)
            if (str_starts(str_slice(theirs, i, theirs.len - i), str_of(parts[k].theirs))) {
                n = (uint32_t)strlen(parts[k].theirs);
                buf_puts(&out, parts[k].ours);
            }
        char c = theirs.ptr[i];
        is_known = is_known && (n || c == 'T' || !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%'));
        if (!n) {
            n = 1;
            buf_putc(&out, c);
        }
    }
    Str ours = is_known ? arena_str(t->arena, buf_str(&out)) : (Str){0};
    buf_deinit(&out);
    return ours;
}

static bool check_time(Typer *t, const Tx *pattern, bool reads)
{
    PatternError e;
    if (time_pattern_check(pattern->value.s, reads, &e))
        return true;
    Diag *d = bad_pattern(t, pattern, &e, "this is no time pattern");
    Str theirs = pattern->value.s;
    bool has_percent = theirs.len && memchr(theirs.ptr, '%', theirs.len);
    Str meant = has_percent ? (Str){0} : percent_pattern(t, theirs);
    PatternError none;
    if (meant.len && time_pattern_check(meant, reads, &none)) {
        diag_help(t->diags, d, "a pattern is made of `%%` and letters: `\"%.*s\"`", STR_ARG(meant));
        if (d->span.lo == pattern->span.lo && d->span.hi == pattern->span.hi)
            diag_fix_certain(t->diags, d, pattern->span, arena_printf(t->arena, "\"%.*s\"", STR_ARG(meant)));
    } else if (!has_percent) {
        diag_help(t->diags, d, "a pattern is made of `%%` and letters: `\"%%Y-%%m-%%d %%H:%%M:%%S\"`");
    }
    if (e.at != PATTERN_WHOLE)
        diag_note(t->diags, d, "conversions are %s", reads ? TIME_CONVERSIONS_READ : TIME_CONVERSIONS);
    return false;
}

static bool check_placeholder(Typer *t, const Tx *pattern, const FormatPart *part, const Tx *value)
{
    char why[160];
    if (text_format_takes(&part->spec, value->type, why))
        return true;
    Diag *d = diag_add(t->diags, E_BAD_PATTERN, place_of(t, pattern, part->at), "%s", why);
    diag_label(t->diags, d, value->span, "the value");
    return false;
}

static bool check_format(Typer *t, const Tx *pattern, Tx *const *values, uint32_t n_values)
{
    PatternError e;
    TextFormat f;
    if (!text_format_open(pattern->value.s, &f, &e)) {
        bad_pattern(t, pattern, &e, "this is no format");
        return false;
    }
    bool ok = f.n_values == n_values;
    if (!ok) {
        Diag *d = diag_add(t->diags, E_BAD_PATTERN, pattern->span, "%u placeholder%s for %u value%s",
                           f.n_values, f.n_values == 1 ? "" : "s", n_values, n_values == 1 ? "" : "s");
        diag_help(t->diags, d, "each `{}` is the next value; a brace itself is `{{` or `}}` in a raw string '...'");
    }
    uint32_t v = 0;
    for (uint32_t i = 0; ok && i < f.n_parts; i++)
        if (f.parts[i].has_value)
            ok = check_placeholder(t, pattern, &f.parts[i], values[v++]);
    text_format_close(&f);
    return ok;
}

bool type_patterns(Typer *t, const Builtin *b, Tx *const *args, uint32_t n_args)
{
    switch ((int)b->id) {
    case BUILTIN_MATCHES:
    case BUILTIN_EXTRACT:
        return !is_known(args[1]) || check_regex(t, args[1], n_args > 2 ? args[2] : NULL);
    case BUILTIN_FORMAT_TIME:
    case BUILTIN_PARSE_TIME:
        return !is_known(args[1]) || check_time(t, args[1], b->id == BUILTIN_PARSE_TIME);
    case BUILTIN_FORMAT:
        return !is_known(args[0]) || check_format(t, args[0], args + 1, n_args - 1);
    default:
        return true;
    }
}
