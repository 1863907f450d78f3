/* make_data.c - the inputs of the benchmarks, the same bytes for the same seed and size.
 *
 *   make_data KIND MEGABYTES [SEED] > FILE
 *
 * KIND: wide     41 columns, rows of data/pokemon.csv (run it in the project's folder) with new
 *                numbers in some of them; the first column is a quoted list
 *       narrow   6 columns: id int, at timestamp, category of 20, name, amount float, flag bool
 *       json     narrow as JSON lines
 *       quoted   4 columns: delimiters, quotes and line ends within fields
 *       keys     2 columns: one of 1,000,000 keys, an int
 *       lookup   100,000 rows: a key of `left`, a name, a factor (MEGABYTES is not looked at)
 *       left     3 columns: a key of `lookup` (1 in 10 is not there), an int, a float
 *       cols200  200 columns of small ints
 *       long     2 columns: id, a string of 2,000 to 20,000 bytes
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;
static uint64_t n_written, n_wanted;

/* SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
static uint64_t draw(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n) { return (uint32_t)((draw() >> 32) * n >> 32); }

static void put(const char *s, size_t n)
{
    fwrite(s, 1, n, stdout);
    n_written += n;
}

static bool is_more(void) { return n_written < n_wanted; }

static const char *const WORDS[] = {"ash",  "birch", "cedar", "delta", "ember", "frost", "grove",
                                    "haze", "iris",  "jade",  "koa",   "lark",  "moss",  "north",
                                    "oak",  "pine",  "quill", "reed",  "sage",  "thorn"};

static const char *word(void) { return WORDS[below(20)]; }

/* ---- wide */

enum { MAX_ROWS = 1000, N_WIDE = 41 };

/* The end of the field at p: its delimiter or the line's end. */
static const char *field_end(const char *p)
{
    bool is_quoted = false;
    for (; *p && (is_quoted || (*p != ',' && *p != '\n')); p++)
        is_quoted ^= *p == '"';
    return p;
}

static void make_wide(void)
{
    static char text[1 << 20], row[4096];
    const char *lines[MAX_ROWS];
    uint32_t n_lines = 0;
    FILE *f = fopen("data/pokemon.csv", "rb");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (n == 0) {
        fprintf(stderr, "make_data: run me where data/pokemon.csv is\n");
        exit(1);
    }
    fclose(f);
    const char *head_end = strchr(text, '\n') + 1;
    for (const char *p = head_end; *p && n_lines < MAX_ROWS; p = strchr(p, '\n') + 1)
        lines[n_lines++] = p;
    put(text, (size_t)(head_end - text));
    while (is_more()) {
        const char *p = lines[below(n_lines)];
        char *o = row;
        for (int c = 0; c < N_WIDE; c++) {
            const char *end = field_end(p);
            /* attack, defense, hp, speed and base_total: numbers of our own. */
            if (c == 19 || c == 25 || c == 28 || c == 35)
                o += sprintf(o, "%u", 5 + below(250));
            else if (c == 22)
                o += sprintf(o, "%u", 180 + below(600));
            else {
                memcpy(o, p, (size_t)(end - p));
                o += end - p;
            }
            *o++ = c + 1 < N_WIDE ? ',' : '\n';
            p = end + 1;
        }
        put(row, (size_t)(o - row));
    }
}

/* ---- the others */

typedef struct Narrow {
    uint32_t id;
    unsigned char month, day, hour, minute, second;
    uint32_t category, amount;
    char name[32];
    bool flag;
} Narrow;

static Narrow narrow_row(uint32_t id)
{
    Narrow r = {.id = id, .month = (unsigned char)(1 + below(12)), .day = (unsigned char)(1 + below(28)),
                .hour = (unsigned char)below(24), .minute = (unsigned char)below(60),
                .second = (unsigned char)below(60), .category = below(20),
                .amount = below(10000000), .flag = below(3) == 0};
    snprintf(r.name, sizeof r.name, "%s %s %u", word(), word(), below(10000));
    return r;
}

static void make_narrow(bool is_json)
{
    char row[256];
    if (!is_json)
        put("id,at,category,name,amount,flag\n", 32);
    for (uint32_t id = 1; is_more(); id++) {
        Narrow r = narrow_row(id);
        char at[32], amount[32];
        snprintf(at, sizeof at, "2025-%02u-%02uT%02u:%02u:%02uZ", r.month, r.day, r.hour, r.minute,
                 r.second);
        snprintf(amount, sizeof amount, "%u.%02u", r.amount / 100, r.amount % 100);
        int n = snprintf(row, sizeof row,
                         is_json ? "{\"id\":%u,\"at\":\"%s\",\"category\":\"%s\",\"name\":\"%s\","
                                   "\"amount\":%s,\"flag\":%s}\n"
                                 : "%u,%s,%s,%s,%s,%s\n",
                         r.id, at, WORDS[r.category], r.name, amount, r.flag ? "true" : "false");
        put(row, (size_t)n);
    }
}

static void make_quoted(void)
{
    char row[512];
    put("id,note,city,score\n", 19);
    for (uint32_t id = 1; is_more(); id++) {
        int n = snprintf(row, sizeof row, "%u,\"%s, %s\"\"%s\"\"\nand %s\",\"%s, %s\",%u\n", id,
                         word(), word(), word(), word(), word(), word(), below(1000));
        put(row, (size_t)n);
    }
}

static void make_keys(void)
{
    char row[64];
    put("key,value\n", 10);
    while (is_more()) {
        int n = snprintf(row, sizeof row, "k%07u,%u\n", below(1000000), below(100000));
        put(row, (size_t)n);
    }
}

static void make_lookup(void)
{
    char row[96];
    put("code,label,factor\n", 18);
    for (uint32_t i = 0; i < 100000; i++) {
        int n = snprintf(row, sizeof row, "c%06u,%s-%s-%u,%u.%u\n", i * 9, word(), word(), i,
                         below(10), below(10));
        put(row, (size_t)n);
    }
}

static void make_left(void)
{
    char row[96];
    put("code,count,weight\n", 18);
    while (is_more()) {
        uint32_t key = below(100000) * 9 + (below(10) == 0);
        int n = snprintf(row, sizeof row, "c%06u,%u,%u.%02u\n", key, below(1000), below(100),
                         below(100));
        put(row, (size_t)n);
    }
}

static void make_cols200(void)
{
    static char row[2000];
    char *o = row;
    for (int c = 1; c <= 200; c++)
        o += sprintf(o, "c%d%c", c, c < 200 ? ',' : '\n');
    put(row, (size_t)(o - row));
    while (is_more()) {
        o = row;
        for (int c = 1; c <= 200; c++)
            o += sprintf(o, "%u%c", below(1000), c < 200 ? ',' : '\n');
        put(row, (size_t)(o - row));
    }
}

static void make_long(void)
{
    static char row[21000];
    put("id,text\n", 8);
    for (uint32_t id = 1; is_more(); id++) {
        char *o = row + sprintf(row, "%u,", id);
        for (uint32_t n = 2000 + below(18000); o < row + n;)
            o += sprintf(o, "%s ", word());
        *o++ = '\n';
        put(row, (size_t)(o - row));
    }
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[1] : "";
    n_wanted = argc > 2 ? strtoull(argv[2], NULL, 10) * 1000000 : 0;
    state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (strcmp(kind, "wide") == 0)
        make_wide();
    else if (strcmp(kind, "narrow") == 0)
        make_narrow(false);
    else if (strcmp(kind, "json") == 0)
        make_narrow(true);
    else if (strcmp(kind, "quoted") == 0)
        make_quoted();
    else if (strcmp(kind, "keys") == 0)
        make_keys();
    else if (strcmp(kind, "lookup") == 0)
        make_lookup();
    else if (strcmp(kind, "left") == 0)
        make_left();
    else if (strcmp(kind, "cols200") == 0)
        make_cols200();
    else if (strcmp(kind, "long") == 0)
        make_long();
    else {
        fprintf(stderr, "usage: make_data wide|narrow|json|quoted|keys|lookup|left|cols200|long "
                        "MEGABYTES [SEED] > FILE\n");
        return 2;
    }
    return fflush(stdout) != 0 || ferror(stdout);
}
