/* main.c - the program pipemill: finds the command and runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/simd.h"
#include "cli/opt.h"
#include "version.h"

static const char BRIEF[] =
    "pipemill runs .pipe programs: pipelines over batches of rows.\n"
    "\n"
    "  pipemill run FILE [JOB]     run a job\n"
    "  pipemill check FILE...      report mistakes, run nothing\n"
    "  pipemill plan FILE [JOB]    what a run would do\n"
    "  pipemill help [TOPIC]       commands, statements, functions ...\n"
    "\n"
    "Examples:\n"
    "  pipemill run examples/pokemon.pipe prio_dynamic --gantt\n"
    "  pipemill run -e 'range 1..5 | derive square = value * value'\n"
    "\n"
    "`pipemill help` lists all commands.\n";

static int put_version(const Term *t)
{
    Buf out = {0};
    buf_printf(&out, "pipemill %s\n", PIPEMILL_VERSION);
    buf_puts(&out, "built in: csv (libcsv), gzip (ISA-L), zstd, SQLite, regular expressions (PCRE2), hashes (xxhash), Unicode (utf8proc), "
                   "JSON (jansson)\n");
    buf_printf(&out, "vector instructions: %s; this processor has ", simd_name(simd_level()));
    for (int i = 0, n = 0; i < N_SIMD_LEVELS; i++)
        if (simd_has((SimdLevel)i))
            buf_printf(&out, "%s%s", n++ ? ", " : "", simd_name((SimdLevel)i));
    buf_putc(&out, '\n');
    int status = put_out(t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
    buf_deinit(&out);
    return status;
}

/* `pipemill -x`: what may stand in the place of a command. */
static int no_command(const Term *t, const char *word)
{
    const Args none = {0};
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return cmd_help(&none, t);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return put_version(t);
    if (strcmp(word, "-e") == 0)
        complain(t, STR_LIT("write `pipemill run -e ...`"), "`-e` is an option of `run`");
    else
        complain(t, STR_LIT("write `pipemill COMMAND [OPTION]...`; `pipemill help` lists them"),
                 "a command comes first, not `%s`", word);
    return EXIT_USAGE;
}

/* What a batch needs is given back and asked for again a thousand times a second. By default the allocator would
 * return pieces of that size to the system each time, and every page of them would be faulted in anew: a third of
 * the processor time of a job that writes all it reads. Larger ones go back at once. */
static void allocator_tune(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
}

/* False after a message: a variable of ours that says nothing we know would be no use to whoever set it. */
static bool environment_check(const Term *t)
{
    const char *simd = getenv("PIPEMILL_SIMD"), *batch = getenv("PIPEMILL_BATCH");
    Buf levels = {0};
    bool is_level = !simd || !*simd;
    for (int i = 0; i < N_SIMD_LEVELS; i++)
        if (simd_has((SimdLevel)i)) {
            is_level = is_level || strcmp(simd, simd_name((SimdLevel)i)) == 0;
            buf_printf(&levels, "%s`%s`", levels.len ? ", " : "this processor has ", simd_name((SimdLevel)i));
        }
    bool is_number = !batch || !*batch || (strspn(batch, "0123456789") == strlen(batch) && strspn(batch, "0") < strlen(batch) && strlen(batch) < 19);
    if (!is_level)
        complain(t, buf_str(&levels), "PIPEMILL_SIMD is `%s`, no level of vector instructions that there is here", simd);
    else if (!is_number)
        complain(t, STR_LIT("it is a number of rows, such as 7"), "PIPEMILL_BATCH is `%s`", batch);
    buf_deinit(&levels);
    return is_level && is_number;
}

int main(int argc, char **argv)
{
    Term t;
    allocator_tune();
    signal(SIGPIPE, SIG_DFL); /* a reader that has seen enough ends us quietly */
    term_init(&t, args_color(argc - 1, argv + 1));
    if (argc < 2) {
        put_err(STR_LIT(BRIEF));
        return EXIT_USAGE;
    }
    if (argv[1][0] == '-')
        return no_command(&t, argv[1]);
    const Command *c = command_find(&t, argv[1]);
    if (!c)
        return EXIT_USAGE;

    Arena *arena = arena_open();
    Args args;
    int status = EXIT_USAGE;
    if (args_parse(&args, arena, &t, c, argc - 2, argv + 2)) {
        if (args.has[OPT_HELP]) {
            Buf out = {0};
            command_help(&out, c);
            status = put_out(&t, buf_str(&out)) ? EXIT_OK : EXIT_FAILED;
            buf_deinit(&out);
        } else if (environment_check(&t)) {
            status = c->run(&args, &t);
        }
    }
    arena_close(arena);
    return status;
}
