#include "base/suggest.h"

#include "unit.h"

/* The best of a list that ends in NULL, "" if none is near enough. */
static const char *best(const char *word, const char *const *names)
{
    static char text[200];
    Suggest s;
    suggest_init(&s, str_of(word));
    for (; *names; names++)
        suggest_offer(&s, str_of(*names));
    snprintf(text, sizeof text, "%.*s", STR_ARG(s.best));
    return text;
}
#define BEST(word, ...) best(word, (const char *const[]){__VA_ARGS__, NULL})

int main(void)
{
    CHECK_STR(BEST("atack", "hp", "attack", "defense"), "attack");
    CHECK_STR(BEST("raed", "write", "read"), "read");       /* a swap counts once */
    CHECK_STR(BEST("genration", "generation"), "generation"); /* one missing */
    CHECK_STR(BEST("speeed", "speed"), "speed");              /* one too many */
    CHECK_STR(BEST("where", "there", "here"), "there");       /* the first of equals */
    CHECK_STR(BEST("sort", "short", "sort"), "sort");         /* the nearest */
    CHECK_STR(BEST("NAME", "same", "name"), "name");          /* case alone counts 1, and goes before others */
    CHECK_STR(BEST("Type1", "type2", "type1"), "type1");
    CHECK_STR(BEST("HP", "xp", "hp"), "hp");
    CHECK_STR(BEST("HP", "hp"), "hp");
    CHECK_STR(BEST("base_totals_x", "base_total"), "base_total"); /* 3 of 13 */
    CHECK_STR(BEST("abcdef", "abcxyz"), "");
    CHECK_STR(BEST("ab", "cd"), "");
    CHECK_STR(BEST("a", "b"), ""); /* every letter differs */
    CHECK_STR(BEST("a", "A"), "A");
    CHECK_STR(BEST("a", "ab"), "ab");
    CHECK_STR(BEST("abc", "acb"), "acb");
    CHECK_STR(BEST("ca", "abc"), ""); /* no edit between swapped letters */
    CHECK_STR(BEST("", "x"), "");
    CHECK_STR(BEST("x", ""), "");
    CHECK_STR(BEST("Fl\xc3\xa4" "che", "Flaeche", "Fl\xc3\xb6" "che"), "Fl\xc3\xb6" "che");
    char longer[100];
    memset(longer, 'a', 99);
    longer[99] = '\0';
    CHECK_STR(BEST(longer, longer), "");
    longer[64] = '\0';
    CHECK_STR(BEST(longer, longer), longer);
    UNIT_END("suggest");
}
