#!/usr/bin/env python3
"""Random CSV files through pipemill, libcsv (its other engine), Python's csv and DuckDB.

    python3 tests/csv/oracle.py [FIRST [LAST]]     # duckdb from PyPI; seeds 1 to 1000 otherwise; needs build/pipemill

The dialect is docs/csv.md. Each file is made of records of one shape with quirks strewn in: quotes, line ends
of three kinds, blank lines, ragged rows, stray quotes. pipemill reads all columns as strings and writes JSON lines.

What may differ, and is counted apart with its reason:
  ragged      pipemill refuses the file; Python gives the rows as they are and must show such a row;
  open quote  pipemill refuses the file; Python (strict) does, too;
  stray       a quote inside an unquoted field, or text behind a closing one: the two engines must agree (rule 5 is
              libcsv's), Python may see it otherwise;
  duckdb      DuckDB refuses the file or guesses another dialect (its sniffer is given all options, but it
              still refuses lone CRs among LFs, blank lines in places, ...).
Anything else is a failure: the file is printed, and the exit status is 1.
"""
import collections
import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import duckdb

BATCH = 250  # files of one delimiter and number of columns, read by one run
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def field(rng, delimiter):
    kind = rng.random()
    plain = "".join(rng.choice("abc xyz01.-é日") for _ in range(rng.choice((0, 1, 1, 2, 3, 8, 40))))
    if kind < 0.6:
        return plain
    if kind < 0.95:
        inner = "".join(rng.choice(["a", "b", " ", delimiter, "\n", "\r\n", "\r", '""', "é", "0"]) for _ in range(rng.choice((0, 1, 2, 5, 70))))
        return '"' + inner + '"'
    return rng.choice(['a"b', '"a"b', 'a""', ' "a"', '"a" ', '"', '""a', '"a""', "\\\"", "a\\"])


def make(rng, delimiter, n_cols):
    ends = rng.choice((["\n"], ["\n"], ["\r\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]))
    blank = rng.random() < 0.2
    stray = rng.random() < 0.3
    out = [delimiter.join(f"h{k}" for k in range(n_cols))]
    for _ in range(rng.randint(0, 12)):
        n = n_cols if rng.random() < 0.985 else max(1, n_cols + rng.choice((-1, 1)))
        cells = []
        for _ in range(n):
            f = field(rng, delimiter)
            while not stray and '"' in f and not (f[0] == f[-1] == '"' and '"' not in f[1:-1].replace('""', "") and len(f) > 1):
                f = field(rng, delimiter)
            cells.append(f)
        out.append(delimiter.join(cells))
        if blank and rng.random() < 0.2:
            out.append("")
    text = ""
    for line in out:
        text += line + rng.choice(ends)
    if rng.random() < 0.3:
        text = text[:len(text) - (2 if text.endswith("\r\n") else 1)]
    return ("\ufeff" if rng.random() < 0.05 else "") + text


def by_python(text, delimiter, n_cols, strict):
    """Rows as lists, or None where strict reading fails. One column: a blank line is a row."""
    text = text.removeprefix("\ufeff")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    if n_cols == 1:
        body = [r if r else [""] for r in rows[1:]]
        return body
    return [r for r in rows[1:] if r]


def by_duckdb(db, path, delimiter, n_cols):
    columns = "{" + ", ".join(f"'h{k}': 'VARCHAR'" for k in range(n_cols)) + "}"
    try:
        rows = db.execute(f"SELECT * FROM read_csv(?, delim=?, quote='\"', escape='\"', header=true, auto_detect=false, columns={columns})",
                          [path, delimiter]).fetchall()
    except duckdb.Error:
        return None
    return [["" if v is None else v for v in r] for r in rows]


def by_pipemill(folder, delimiter, n_cols, engine):
    """For each file of the folder its rows, or a message: `files` gives them to one run, in which those that are refused are skipped."""
    option = f', engine: "{engine}"' if engine else ""
    shown = delimiter.replace("\t", "\\t")
    out = os.path.join(folder, "out")
    shutil.rmtree(out, ignore_errors=True)
    program = os.path.join(folder, "p.pipe")
    with open(program, "w") as f:
        f.write("schema s { " + ", ".join(f"h{k}: string" for k in range(n_cols)) + " }\n@on_failure(skip)\n"
                f'job j {{ files "{folder}/*.csv" | map {{ read csv path with (delimiter: "{shown}"{option}) as s }}'
                f' | map write json "{out}/{{key()}}" }}\n')
    r = subprocess.run([os.path.join(ROOT, "build", "pipemill"), "run", program, "--progress", "plain", "-j", "1"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode not in (0, 4):
        sys.exit(r.stderr.decode("utf-8", "replace"))
    got = {k: text for k, text in re.findall(r"^read\[(\w+\.csv)\]: failed: (.*)$", r.stderr.decode("utf-8", "replace"), re.M)}
    for name in os.listdir(out) if os.path.isdir(out) else []:
        with open(os.path.join(out, name), encoding="utf-8") as f:
            rows = [json.loads(line) for line in f.read().split("\n") if line]
        got[name] = [["" if row[f"h{k}"] is None else row[f"h{k}"] for k in range(n_cols)] for row in rows]
    return got


def judge(text, delimiter, n_cols, own, lib, db, path):
    """What kind of agreement there is; one that begins with `!` is none."""
    if own != lib and not (isinstance(own, str) and isinstance(lib, str)):
        return "! the two engines differ"
    loose = by_python(text, delimiter, n_cols, False)
    strict = by_python(text, delimiter, n_cols, True)
    if isinstance(own, str):
        if "never closed" in own:
            return "open quote" if strict is None else "! refused a closed quote"
        if "fields, the header" in own or "field, the header" in own:
            return "ragged" if strict is None or any(len(r) != n_cols for r in loose) else "! refused a regular file"
        return "! refused: " + own.splitlines()[0]
    if strict is None:
        return "stray quotes, as Python" if own == loose else "stray quotes, as libcsv"
    if own != strict:
        return "stray quotes, as libcsv" if '"' in text.replace('""', "") and has_stray(text, delimiter) else "! Python reads other rows"
    other = by_duckdb(db, path, delimiter, n_cols)
    if other is None:
        return "equal to Python, refused by DuckDB"
    if other == own:
        return "equal to both"
    if "\r" in text or "\n\n" in text or n_cols == 1:
        return "equal to Python, DuckDB treats line ends or blank lines differently"
    return "stray quotes, DuckDB differs" if has_stray(text, delimiter) else "! DuckDB reads other rows"


def has_stray(text, delimiter):
    """A quote that neither opens a field at its begin, nor closes one at its end, nor is doubled inside."""
    at, n = 0, len(text)
    begin = True
    while at < n:
        c = text[at]
        if c == '"' and begin:
            at += 1
            while at < n:
                if text[at] == '"':
                    if text[at + 1:at + 2] == '"':
                        at += 2
                        continue
                    break
                at += 1
            at += 1
            if at < n and text[at] not in delimiter + "\r\n":
                return True
            begin = False
            continue
        if c == '"':
            return True
        begin = c in delimiter + "\r\n"
        at += 1
    return False


def main():
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    last = int(sys.argv[2]) if len(sys.argv) > 2 else (first if len(sys.argv) > 1 else 1000)
    kinds = collections.Counter()
    db = duckdb.connect()
    db.execute("SET threads=1")
    for begin in range(first, last + 1, BATCH):
        end = min(last + 1, begin + BATCH)
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
            rng = random.Random(-begin)
            delimiter, n_cols = rng.choice(",,,;\t|"), rng.randint(1, 5)
            texts = {}
            for seed in range(begin, end):
                name = f"{seed}.csv"
                texts[name] = make(random.Random(seed), delimiter, n_cols)
                with open(os.path.join(folder, name), "w", newline="", encoding="utf-8") as f:
                    f.write(texts[name])
            own = by_pipemill(folder, delimiter, n_cols, "")
            lib = by_pipemill(folder, delimiter, n_cols, "libcsv")
            for name, text in texts.items():
                kind = judge(text, delimiter, n_cols, own[name], lib[name], db, os.path.join(folder, name))
                kinds[kind.split(":")[0]] += 1
                if kind[0] == "!":
                    print(f"{name} {kind}\n{text!r}\npipemill {own[name]!r}\nlibcsv   {lib[name]!r}\n"
                          f"Python   {by_python(text, delimiter, n_cols, False)!r}", flush=True)
    for kind, n in sorted(kinds.items()):
        print(f"{n:8}  {kind}")
    return 1 if any(k[0] == "!" for k in kinds) else 0


if __name__ == "__main__":
    sys.exit(main())
