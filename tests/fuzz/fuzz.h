/* fuzz.h - what fuzzers share. A fuzzer is a function of bytes that aborts when something is wrong;
 * libFuzzer calls it as LLVMFuzzerTestOneInput (`make fuzz`), unit/fuzz_test.c with the files of corpus/. */
#ifndef PIPE_TESTS_FUZZ_H
#define PIPE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)                                                                       \
    do {                                                                                 \
        if (!(cond)) {                                                                   \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);           \
            abort();                                                                     \
        }                                                                                \
    } while (0)

/* How libFuzzer calls a function; nothing in unit/fuzz_test. */
#ifdef PIPEMILL_FUZZ
#define FUZZER(name)                                              \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)  \
    {                                                             \
        return name(data, size);                                  \
    }
#else
#define FUZZER(name)
#endif

int fuzz_csv(const uint8_t *data, size_t size);
int fuzz_input(const uint8_t *data, size_t size);
int fuzz_json(const uint8_t *data, size_t size);
int fuzz_program(const uint8_t *data, size_t size);

#endif
