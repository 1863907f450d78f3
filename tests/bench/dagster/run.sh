#!/bin/sh
# pipemill and Dagster side by side on the three jobs of examples/pokemon.pipe; see README.md.
#     RUNS=3 tests/bench/dagster/run.sh    how often Dagster runs each job (1 unless given)
#     QUIET=60 ...                         waits before each run, up to 60 s, until others are done
#     STORAGE=/dev/shm ...                 Dagster's home there instead of in build/peers: a busy disk
#                                          then does not count
#     DAGSTER="dagster==VERSION" ...       another version, when none is installed yet
set -eu
cd "$(dirname "$0")/../../.."
venv=build/peers/dagster
if ! test -x "$venv/bin/dagster"; then
    what=${DAGSTER:-dagster>=1.4}
    echo "installing $what with pip into $venv; nothing outside of it changes"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "$what"
fi
exec "$venv/bin/python" tests/bench/dagster/compare.py
