/* What fuzzing found, and what it begins with: every file of tests/fuzz/corpus through its fuzzer. */
#include <glob.h>

#include "../fuzz/csv_fuzz.c"
#include "../fuzz/input_fuzz.c"
#include "../fuzz/json_fuzz.c"
#include "../fuzz/program_fuzz.c"
#include "unit.h"

static void replay(const char *pattern, int (*fuzz)(const uint8_t *data, size_t size), size_t least)
{
    static uint8_t data[1 << 20];
    glob_t found = {0};
    CHECK(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc >= least);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *f = fopen(found.gl_pathv[i], "rb");
        CHECK(f != NULL);
        size_t n = f ? fread(data, 1, sizeof data, f) : 0;
        if (f)
            fclose(f);
        CHECK(fuzz(data, n) == 0); /* aborts otherwise */
    }
    globfree(&found);
}

int main(void)
{
    replay("tests/fuzz/corpus/csv/*", fuzz_csv, 10);
    replay("tests/fuzz/corpus/input/*", fuzz_input, 10);
    replay("tests/fuzz/corpus/json/*", fuzz_json, 10);
    replay("tests/fuzz/corpus/program/*", fuzz_program, 10);
    UNIT_END("fuzz");
}
