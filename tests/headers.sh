#!/bin/bash
# Compiles every header alone: each includes what it uses. Silent when all is well.
cd "$(dirname "$0")/.." || exit 2
shopt -s nullglob
printf '%s\0' src/*/*.h | xargs -0 -r -P "$(nproc)" -I{} sh -c '
    printf "#include \"%s\"\n" "${1#src/}" |
    ${CC:-cc} -std=c11 -fsyntax-only -Wall -Wextra -Isrc -Ibuild/gen \
        -D_POSIX_C_SOURCE=200809L -x c -' header {}
