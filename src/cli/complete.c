#include "cli/complete.h"

#include <string.h>

#include "api/help.h"
#include "base/diag.h"
#include "cli/opt.h"

static const char SHELLS[] = "bash zsh fish";

/* What stands for an operand or the value of an option. */
typedef enum Filler {
    FILLER_NONE, /* nothing that could be known */
    FILLER_PROGRAM,
    FILLER_JOB, /* of the program that is named before it */
    FILLER_PARAM,
    FILLER_FILE,
    FILLER_WORD, /* one of the words of the option */
    FILLER_CODE,
    FILLER_TOPIC,
    FILLER_SHELL,
    N_FILLERS
} Filler;

static Filler filler_of_opt(const Opt *o)
{
    if (o->kind == KIND_WORD)
        return FILLER_WORD;
    if (o->kind == KIND_LIST)
        return FILLER_PARAM;
    bool is_file = strcmp(o->value, "FILE") == 0 || strcmp(o->value, "TRACE") == 0;
    return is_file ? FILLER_FILE : FILLER_NONE;
}

/* Operand i, from 0; the last one stands for more of its kind where there may be more. */
static Filler filler_of_operand(const Command *c, unsigned i)
{
    static const struct {
        const char *operands;
        Filler first, second;
    } forms[] = {
        {"FILE...", FILLER_PROGRAM, FILLER_PROGRAM}, {"FILE [JOB]", FILLER_PROGRAM, FILLER_JOB},
        {"TRACEFILE", FILLER_FILE, FILLER_NONE},     {"FILE.csv", FILLER_FILE, FILLER_NONE},
        {"CODE", FILLER_CODE, FILLER_NONE},          {"[TOPIC]", FILLER_TOPIC, FILLER_NONE},      {"SHELL", FILLER_SHELL, FILLER_NONE},
    };
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        if (strncmp(c->operands, forms[k].operands, strlen(forms[k].operands)) == 0)
            return i == 0                                                ? forms[k].first
                   : i == 1 || forms[k].first == forms[k].second ? forms[k].second
                                                                 : FILLER_NONE;
    return FILLER_NONE;
}

/* ---- lists ---- */

static void put_codes(Buf *out)
{
    for (int k = 0; k < N_DIAG_CODES; k++) {
        const DiagInfo *info = diag_info((DiagCode)k);
        buf_printf(out, "%s%c%04u", k ? " " : "", info->severity == SEV_ERROR ? 'E' : 'W',
                   info->number);
    }
}

/* Names once each; as many as there are, they are looked through. */
static void put_name(void *ctx, Str name)
{
    Buf *out = ctx;
    const char *at = out->ptr;
    while (at && (at = strstr(at, name.ptr))) {
        bool begins = at == out->ptr || at[-1] == ' ';
        at += name.len;
        if (begins && (*at == ' ' || *at == '\0'))
            return;
    }
    buf_printf(out, "%s%.*s", out->len ? " " : "", STR_ARG(name));
}

static void put_topics(Buf *out)
{
    Buf names = {0};
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        put_name(&names, str_of(command_get(i)->name));
    help_each_name(&names, put_name);
    buf_put_str(out, buf_str(&names));
    buf_deinit(&names);
}

/* The words of a filler that has some, apart by blanks. */
static bool put_words(Buf *out, Filler filler, const Opt *o)
{
    switch (filler) {
    case FILLER_WORD:
        buf_puts(out, o->words);
        return true;
    case FILLER_CODE:
        put_codes(out);
        return true;
    case FILLER_TOPIC:
        put_topics(out);
        return true;
    case FILLER_SHELL:
        buf_puts(out, SHELLS);
        return true;
    case FILLER_NONE:
    case FILLER_PROGRAM:
    case FILLER_JOB:
    case FILLER_PARAM:
    case FILLER_FILE:
    case N_FILLERS:
        return false;
    }
    return false;
}

/* How a shell says what can stand somewhere. */
typedef struct FillerForm {
    const char *before, *after;   /* words */
    const char *other[N_FILLERS]; /* what has no words */
} FillerForm;

static void put_filler(Buf *out, const FillerForm *form, Filler filler, const Opt *o)
{
    Buf words = {0};
    if (put_words(&words, filler, o))
        buf_printf(out, "%s%.*s%s", form->before, STR_ARG(buf_str(&words)), form->after);
    else
        buf_puts(out, form->other[filler]);
    buf_deinit(&words);
}

/* Names in the text of a program: how a shell finds its jobs and its params. */
#define NAMES_OF(word) "sed -n 's/^\\(@.*) \\)\\{0,1\\}" word "  *\\([A-Za-z_][A-Za-z0-9_]*\\).*/\\2/p'"

/* ---- bash ---- */

static void bash_options(Buf *out, const Command *c)
{
    for (uint32_t k = 0; k < N_OPTS; k++)
        if (command_has(c, k))
            buf_printf(out, "%s--%s", k == 0 ? "" : " ", opt_get(k)->name);
}

/* The options that take a value, as a pattern of `case`. */
static void bash_valued(Buf *out, const Command *c)
{
    bool is_first = true;
    for (uint32_t k = 0; k < N_OPTS; k++) {
        const Opt *o = opt_get(k);
        if (!command_has(c, k) || o->kind == KIND_FLAG)
            continue;
        buf_printf(out, "%s--%s", is_first ? "" : "|", o->name);
        if (o->letter)
            buf_printf(out, "|-%c", o->letter);
        is_first = false;
    }
    if (is_first)
        buf_puts(out, "''");
}

static const FillerForm BASH = {
    "_pipemill_words '", "'",
    {[FILLER_NONE] = ":", [FILLER_PROGRAM] = "_pipemill_files '*.pipe'", [FILLER_JOB] = "_pipemill_names job",
     [FILLER_PARAM] = "_pipemill_names param", [FILLER_FILE] = "_pipemill_files '*'"}};

static void bash_command(Buf *out, const Command *c)
{
    buf_printf(out, "    %s)\n        case $prev in\n", c->name);
    for (uint32_t k = 0; k < N_OPTS; k++) {
        const Opt *o = opt_get(k);
        if (!command_has(c, k) || o->kind == KIND_FLAG)
            continue;
        buf_printf(out, "        --%s", o->name);
        if (o->letter)
            buf_printf(out, "|-%c", o->letter);
        buf_puts(out, ") ");
        put_filler(out, &BASH, filler_of_opt(o), o);
        buf_puts(out, "; return ;;\n");
    }
    buf_puts(out, "        esac\n        options='");
    bash_options(out, c);
    buf_puts(out, "' valued='@(");
    bash_valued(out, c);
    buf_puts(out, ")'\n        _pipemill_operands\n        case $n in\n");
    buf_puts(out, "        _) _pipemill_words \"$options\" ;;\n");
    for (unsigned i = 0; i < 2; i++) {
        bool is_rest = i == 1 && filler_of_operand(c, 1) == filler_of_operand(c, 2);
        buf_printf(out, "        %s) ", i == 0 ? "0" : is_rest ? "*" : "1");
        put_filler(out, &BASH, filler_of_operand(c, i), NULL);
        buf_puts(out, " ;;\n");
    }
    buf_puts(out, "        esac ;;\n");
}

void complete_put_bash(Buf *out)
{
    buf_puts(out,
             "# Completion of pipemill for bash, made by `pipemill completions bash`.\n"
             "_pipemill_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
             "_pipemill_files() {\n"
             "    compopt -o filenames 2>/dev/null\n"
             "    mapfile -t COMPREPLY < <({ compgen -f -X \"!$1\" -- \"$cur\"; compgen -d -- \"$cur\"; } | sort -u)\n"
             "}\n"
             "# Jobs or params of the program that is named.\n"
             "_pipemill_names() {\n"
             "    local names\n"
             "    names=$(" NAMES_OF("'\"$1\"'") " \"$program\" 2>/dev/null)\n"
             "    if [[ $1 = param ]]; then\n"
             "        compopt -o nospace 2>/dev/null\n"
             "        names=${names//$'\\n'/= }${names:+=}\n"
             "    fi\n"
             "    _pipemill_words \"$names\"\n"
             "}\n"
             "# n: how many operands stand before the word; _ where it is an option. program: the first one.\n"
             "_pipemill_operands() {\n"
             "    local i word is_value=\n"
             "    n=0\n"
             "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
             "        word=${COMP_WORDS[i]}\n"
             "        if [[ $word = '=' ]]; then is_value=1\n"
             "        elif [[ $is_value ]]; then is_value=\n"
             "        elif [[ $word = $valued ]]; then is_value=1\n"
             "        elif [[ $word != -?* ]]; then ((n++)) || program=$word\n"
             "        fi\n"
             "    done\n"
             "    [[ $cur != -* ]] || n=_\n"
             "}\n"
             "_pipemill() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options valued n program=\n"
             "    # `--name=value` comes as three words.\n"
             "    if [[ $cur = '=' ]]; then cur=\n"
             "    elif [[ $prev = '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}\n"
             "    fi\n"
             "    shopt -q extglob || local restore='shopt -u extglob'\n"
             "    shopt -s extglob\n"
             "    COMPREPLY=()\n"
             "    # The program, for the jobs and params of options before it.\n"
             "    for program in \"${COMP_WORDS[@]:2}\"; do [[ $program != *.pipe ]] || break; done\n"
             "    if ((COMP_CWORD == 1)); then\n"
             "        _pipemill_words '");
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        buf_printf(out, "%s ", command_get(i)->name);
    buf_puts(out, "--help --version'\n    else\n        _pipemill_command\n    fi\n    ${restore-}\n}\n"
                  "_pipemill_command() {\n    case ${COMP_WORDS[1]} in\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        bash_command(out, command_get(i));
    buf_puts(out, "    esac\n}\ncomplete -F _pipemill pipemill\n");
}

/* ---- zsh ---- */

/* Inside of '...' and of a [text] of _arguments. */
static void zsh_text(Buf *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else if (strchr("[]:\\", *text))
            buf_printf(out, "\\%c", *text);
        else
            buf_putc(out, *text);
}

/* A blank before a function: it gets no arguments but its own. */
static const FillerForm ZSH = {
    "(", ")",
    {[FILLER_NONE] = " ", [FILLER_PROGRAM] = "_files -g \"*.pipe\"", [FILLER_JOB] = " _pipemill_names job",
     [FILLER_PARAM] = " _pipemill_names param", [FILLER_FILE] = "_files"}};

static void zsh_option(Buf *out, const Opt *o)
{
    const char *many = o->kind == KIND_LIST ? "*" : "";
    buf_puts(out, " \\\n            '");
    if (o->letter && o->kind != KIND_LIST)
        buf_printf(out, "(-%c --%s)'{-%c,--%s}'", o->letter, o->name, o->letter, o->name);
    else
        buf_printf(out, "%s--%s", many, o->name);
    buf_putc(out, '[');
    zsh_text(out, o->doc);
    buf_putc(out, ']');
    if (o->kind != KIND_FLAG) {
        buf_putc(out, ':');
        zsh_text(out, o->value);
        buf_putc(out, ':');
        put_filler(out, &ZSH, filler_of_opt(o), o);
    }
    buf_putc(out, '\'');
}

static void zsh_command(Buf *out, const Command *c)
{
    buf_printf(out, "    %s)\n        _arguments -s -S", c->name);
    for (uint32_t k = 0; k < N_OPTS; k++)
        if (command_has(c, k))
            zsh_option(out, opt_get(k));
    bool is_rest = filler_of_operand(c, 0) == filler_of_operand(c, 1);
    for (unsigned i = 0; i < (is_rest ? 1 : 2); i++) {
        Filler filler = filler_of_operand(c, i);
        if (filler == FILLER_NONE)
            continue;
        if (is_rest)
            buf_puts(out, " \\\n            '*:operand:");
        else
            buf_printf(out, " \\\n            '%u::operand:", i + 1);
        put_filler(out, &ZSH, filler, NULL);
        buf_putc(out, '\'');
    }
    buf_puts(out, " ;;\n");
}

void complete_put_zsh(Buf *out)
{
    buf_puts(out, "#compdef pipemill\n"
                  "# Completion of pipemill for zsh, made by `pipemill completions zsh`.\n"
                  "# Jobs or params of the program that is named.\n"
                  "_pipemill_names() {\n"
                  "    local -a names\n"
                  "    names=(${(f)\"$(" NAMES_OF("'\"$1\"'") " ${(M)words:#*.pipe} 2>/dev/null)\"})\n"
                  "    if [[ $1 == param ]]; then compadd -S = -a names; else compadd -a names; fi\n"
                  "}\n"
                  "_pipemill() {\n"
                  "    local -a commands=(\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++) {
        buf_printf(out, "        '%s:", command_get(i)->name);
        zsh_text(out, command_get(i)->doc);
        buf_puts(out, "'\n");
    }
    buf_puts(out, "    )\n"
                  "    if ((CURRENT == 2)); then\n"
                  "        _describe command commands\n"
                  "        return\n"
                  "    fi\n"
                  "    shift words\n"
                  "    ((CURRENT--))\n"
                  "    case $words[1] in\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        zsh_command(out, command_get(i));
    buf_puts(out, "    esac\n}\n"
                  "if [[ $funcstack[1] = _pipemill ]]; then _pipemill \"$@\"; else compdef _pipemill pipemill; fi\n");
}

/* ---- fish ---- */

/* Inside of '...'. */
static void fish_text(Buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
}

static const FillerForm FISH = {
    " -x -a '", "'",
    {[FILLER_NONE] = " -x", [FILLER_PROGRAM] = " -k -x -a '(__fish_complete_suffix .pipe)'",
     [FILLER_JOB] = " -x -a '(__pipemill_names job)'", [FILLER_PARAM] = " -x -a '(__pipemill_names param)='",
     [FILLER_FILE] = " -r -F"}};

static void fish_command(Buf *out, const Command *c)
{
    for (uint32_t k = 0; k < N_OPTS; k++) {
        const Opt *o = opt_get(k);
        if (!command_has(c, k))
            continue;
        buf_printf(out, "complete -c pipemill -n '__fish_seen_subcommand_from %s' -l %s", c->name,
                   o->name);
        if (o->letter)
            buf_printf(out, " -s %c", o->letter);
        if (o->kind != KIND_FLAG)
            put_filler(out, &FISH, filler_of_opt(o), o);
        buf_puts(out, " -d '");
        fish_text(out, o->doc);
        buf_puts(out, "'\n");
    }
    for (unsigned i = 0; i < 2; i++) {
        Filler filler = filler_of_operand(c, i);
        if (filler == FILLER_NONE || (i == 1 && filler == filler_of_operand(c, 0)))
            continue;
        bool has_job = filler_of_operand(c, 1) == FILLER_JOB;
        buf_printf(out, "complete -c pipemill -n '__fish_seen_subcommand_from %s%s'", c->name,
                   !has_job ? "" : i == 0 ? "; and not __pipemill_program" : "; and __pipemill_program");
        put_filler(out, &FISH, filler, NULL);
        buf_putc(out, '\n');
    }
}

void complete_put_fish(Buf *out)
{
    buf_puts(out, "# Completion of pipemill for fish, made by `pipemill completions fish`.\n"
                  "function __pipemill_program -d 'The program that is named'\n"
                  "    string match -- '*.pipe' (commandline -opc)\n"
                  "end\n"
                  "function __pipemill_names -d 'Jobs or params of it'\n"
                  "    " NAMES_OF("'$argv[1]'") " (__pipemill_program) 2>/dev/null\n"
                  "end\n"
                  "complete -c pipemill -f\n"
                  "complete -c pipemill -n __fish_use_subcommand -l version -d 'what this is'\n"
                  "complete -c pipemill -n __fish_use_subcommand -l help -d 'all commands'\n");
    for (uint32_t i = 0; i < N_COMMANDS; i++) {
        buf_printf(out, "complete -c pipemill -n __fish_use_subcommand -a %s -d '",
                   command_get(i)->name);
        fish_text(out, command_get(i)->doc);
        buf_puts(out, "'\n");
    }
    for (uint32_t i = 0; i < N_COMMANDS; i++)
        fish_command(out, command_get(i));
}
