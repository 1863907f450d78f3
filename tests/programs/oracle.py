#!/usr/bin/env python3
"""Random programs on random inputs, computed a second time in plain Python and compared byte for byte.

    python3 tests/programs/oracle.py [--seed 1] [--n 1000]     # needs build/pipemill; PIPEMILL=PATH takes another

Each program has a seed of its own, from `--seed` on: `--seed 4711 --n 1` makes one again. A program that differs stays in
build/programs/SEED with its input, what came out, what Python computed (*.expected) and how to run it (command).
The last line is `programs: N passed, M failed`.

Python keeps a table as a list of dicts and batches as lists of tables, has a function for each statement, and knows
nothing of how pipemill runs. A cell that was read remembers its text, since columns that no step redefines leave as they came.

Covered: where derive select drop rename explode sort take skip top distinct group aggregate, all joins, union, split; static
flows, ops that read, map and collect on one or two levels of batches; named flows with branches; int float bool string
with nulls, empty strings, quoted cells, repeats; row() index() key(); threads, small budgets, sizes of batches.
Not covered: row errors (a program in which a number grows too large is left out), dates and times, durations, sizes,
log assert exec and the other sinks and sources, regular expressions, float results that depend on the order of sums.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile

from flows import Maker
from values import LeftOut

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
KEPT = os.path.join(ROOT, "build", "programs")


def command_of(seed):
    """Options and environment, which must not show."""
    rng = random.Random(-seed)
    command = ["run", "-q", "-j", str(rng.randint(1, 4))] + (["--memory", "64kB"] if rng.random() < 0.25 else [])
    batch = rng.choice((None, None, "1", "7"))
    return command + ["program.pipe"], {"PIPEMILL_BATCH": batch} if batch else {}


def put(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as f:
        f.write(text)


def get(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def difference(pipemill, folder, program, inputs, outputs, seed):
    """Runs a program in an empty folder: None, or what is wrong."""
    for name, text in [("program.pipe", program), *inputs.items()]:
        put(folder, name, text)
    command, more = command_of(seed)
    try:
        run = subprocess.run([pipemill, *command], cwd=folder, env={**os.environ, **more}, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "it did not end in 60 s"
    if run.returncode != 0:
        return f"exit status {run.returncode}\n{run.stderr.decode(errors='replace')}"
    wrong = [name for name, text in outputs.items() if get(folder, name) != text]
    return f"{wrong[0]} differs" if wrong else None


def keep(folder, outputs, seed, why):
    kept = os.path.join(KEPT, str(seed))
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    for name, text in outputs.items():
        put(kept, name + ".expected", text)
    command, more = command_of(seed)
    put(kept, "command", " ".join([f"{k}={v}" for k, v in more.items()] + ["pipemill"] + command) + "\n")
    print(f"program {seed}, kept in {os.path.relpath(kept)}: {why}", flush=True)


def main():
    options = argparse.ArgumentParser(description="random programs, computed a second time in Python")
    options.add_argument("--seed", type=int, default=1, help="of the first program")
    options.add_argument("--n", type=int, default=1000, help="how many")
    given = options.parse_args()
    pipemill = os.path.abspath(os.environ.get("PIPEMILL", os.path.join(ROOT, "build", "pipemill")))
    passed = failed = 0
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # where fsync costs little
    with tempfile.TemporaryDirectory(dir=where) as top:
        for seed in range(given.seed, given.seed + given.n):
            try:
                program, inputs, outputs = Maker(seed).make()
            except LeftOut:
                continue
            folder = os.path.join(top, str(seed))
            os.mkdir(folder)
            why = difference(pipemill, folder, program, inputs, outputs, seed)
            if why:
                failed += 1
                keep(folder, outputs, seed, why)
            passed += not why
            shutil.rmtree(folder)
    if given.n >= 100 and passed + failed < given.n * 0.8:
        failed += 1
        print(f"of {given.n} programs too many were left out")
    print(f"programs: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
