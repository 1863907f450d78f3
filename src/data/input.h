/* input.h - the bytes of a file, a FIFO or stdin, decompressed where they are compressed; or what a command prints.
 *
 * gzip and zstd are told by their first bytes, never by the name: several gzip members or zstd frames one
 * behind the other are one text. They are decompressed as they are read, in the thread that reads; memory is the
 * decompressor's window, whatever the size of the input. What is not UTF-8 is made UTF-8 behind that, where the caller
 * says what it is.
 *
 * Threads: one at a time, but for input_read_at. Errors: ERR_IO, the system's words; ERR_DATA, compressed bytes that are damaged or cut
 * off, with the byte of the compressed input in the text; what begins like bzip2, xz, zip or 7z, with what to do; text
 * that is not in the coding that was named.
 */
#ifndef PIPE_DATA_INPUT_H
#define PIPE_DATA_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "base/text_coding.h"

typedef struct Input Input;

/* path: a file, a FIFO, or "stdin" ("-"). Nothing is read yet. */
Status input_open(Str path, TextCoding coding, Input **out, Error *err);
/* Bytes that someone gives, taken as they are: up to n, n > 0; *got = 0 at the end. Asked in the thread that reads. */
typedef Status (*InputGive)(void *ctx, char *to, size_t n, size_t *got, Error *err);
Input *input_of(InputGive give, void *ctx);
void input_close(Input *in); /* NULL is fine */
/* A file that can be opened again. */
bool input_is_regular(const Input *in);
/* Is byte k of the text byte k of such a file? Known once something is read. */
bool input_is_plain(const Input *in);
/* Its bytes from `at` on, n unless the file ends before; what input_read gives stays the same. From any thread. */
Status input_read_at(const Input *in, uint64_t at, char *to, size_t n, size_t *got, Error *err);
/* Up to n bytes, n > 0; *got = 0 at the end. After an error: no further calls but input_close. */
Status input_read(Input *in, char *to, size_t n, size_t *got, Error *err);

#endif
