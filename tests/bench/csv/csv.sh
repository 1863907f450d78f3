#!/bin/sh
# Whole programs beside all their peers. BENCH="--only W1 --mb 100": bench.py says what else.
exec python3 "$(dirname "$0")/bench.py" ${BENCH:---all}
