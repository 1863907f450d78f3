#!/usr/bin/env python3
"""Whole programs over CSV files and JSON lines, beside DuckDB, Polars, Miller and mawk.

    make bench-csv [BENCH="--runs 3 --only W1 --mb 100"]

Every workload writes a CSV file with each program; the files must hold the same rows (numbers
compared as numbers, rows sorted where the workload leaves the order open) before a figure
counts. Then each program runs --runs times, all programs in turn, and the medians are printed.

What is timed: pipemill, mawk, Miller from exec to exit. DuckDB and Polars only the query, in a
process of their own: the start of Python and the import of the library are left out, in their
favour. Memory is the most that the process had resident. Threads: 2 for all (mawk and Miller: as
they come). Inputs are in the page cache, outputs in memory.
"""
import argparse
import csv
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
PEERS = os.path.join(ROOT, "build", "peers")
DATA = os.path.join(ROOT, "build", "bench-data")
# Outputs go to memory where there is such a file system: the disk is not what is measured. pipemill syncs
# a file before it makes it visible, the others do not.
OUT = "/dev/shm/pipemill-bench" if os.path.isdir("/dev/shm") else os.path.join(DATA, "out")
THREADS = 2

# Kind of data, and its size as a share of --mb.
FILES = {"wide": 1.0, "narrow": 1.0, "quoted": 0.4, "keys": 0.5, "lookup": 0.0, "left": 0.2,
         "cols200": 0.5, "long": 0.5, "json": 1.0}


class Work:
    """One workload: a program for each tool. {i} is the input, {o} the output, {l} the lookup table."""

    def __init__(self, name, what, data, mill, sql, polars, awk=None, mlr=None, ordered=True):
        self.name, self.what, self.data = name, what, data
        self.mill, self.sql, self.polars, self.awk, self.mlr = mill, sql, polars, awk, mlr
        self.ordered = ordered


def workloads():
    w = []
    copy = "COPY ({q}) TO '{o}' (HEADER, DELIMITER ',')"

    def add(name, what, data, mill, sql, polars, **more):
        w.append(Work(name, what, data, mill, copy.replace("{q}", sql),
                      "pl.scan_csv(r'{i}')" + polars + ".sink_csv(r'{o}')", **more))

    src = 'read csv "{i}" batch auto'
    frm = "FROM read_csv('{i}')"
    # W1 to W7 of the design, on wide, narrow and (where it makes sense) quoted.
    for data, cols in (("wide", "name type1 hp attack"), ("narrow", "id category amount flag"),
                       ("quoted", "id city")):
        names = cols.split()
        add("W1", "project columns", data,
            f'{src} | map select {", ".join(names)} | map write csv "{{o}}"',
            f"SELECT {', '.join(names)} {frm}",
            f".select({names!r})",
            mlr=f"--icsv --ocsv cut -o -f {','.join(names)} {{i}}")
    add("W2", "filter on a number", "wide",
        f'{src} | map {{ where hp > 200; select name, hp, attack }} | map write csv "{{o}}"',
        f"SELECT name, hp, attack {frm} WHERE hp > 200",
        ".filter(pl.col('hp') > 200).select(['name', 'hp', 'attack'])")
    add("W2", "filter on a number", "narrow",
        f'{src} | map {{ where amount > 80000; select id, name, amount }} | map write csv "{{o}}"',
        f"SELECT id, name, amount {frm} WHERE amount > 80000",
        ".filter(pl.col('amount') > 80000).select(['id', 'name', 'amount'])",
        awk="NR==1{print $1\",\"$4\",\"$5} NR>1 && $5 > 80000{print $1\",\"$4\",\"$5}")
    add("W3", "two computed columns", "wide",
        f'{src} | map select name, power = hp * 1.5 + attack, label = upper(type1) + "-" + name'
        ' | map write csv "{o}"',
        f"SELECT name, hp * 1.5::DOUBLE + attack AS power, upper(type1) || '-' || name AS label {frm}",
        ".select([pl.col('name'), (pl.col('hp') * 1.5 + pl.col('attack')).alias('power'),"
        " (pl.col('type1').str.to_uppercase() + '-' + pl.col('name')).alias('label')])")
    add("W3", "two computed columns", "narrow",
        f'{src} | map select id, price = amount * 1.2 + 3.5, label = upper(category) + "-" + name'
        ' | map write csv "{o}"',
        f"SELECT id, amount * 1.2::DOUBLE + 3.5::DOUBLE AS price, upper(category) || '-' || name AS label {frm}",
        ".select([pl.col('id'), (pl.col('amount') * 1.2 + 3.5).alias('price'),"
        " (pl.col('category').str.to_uppercase() + '-' + pl.col('name')).alias('label')])",
        awk="BEGIN{CONVFMT=\"%.15g\"} NR==1{print \"id,price,label\"} NR>1{print $1\",\"$5*1.2+3.5\",\"toupper($3)\"-\"$4}")
    for data, key, a, b in (("wide", "type1", "hp", "attack"), ("narrow", "category", "amount", "id")):
        add("W4", "group by a string", data,
            f'{src} | collect {{ group by {key} {{ n = count(), s = sum({a}), m = mean({b}) }} }}'
            ' | write csv "{o}"',
            f"SELECT {key}, count(*) AS n, sum({a}) AS s, avg({b}) AS m {frm} GROUP BY {key}",
            f".group_by('{key}').agg([pl.len().alias('n'), pl.col('{a}').sum().alias('s'),"
            f" pl.col('{b}').mean().alias('m')])",
            mlr=f"--icsv --ocsv stats1 -a count,sum,mean -f {a},{b} -g {key} then cut -o -f {key},{a}_count,{a}_sum,{b}_mean"
                f" then rename {a}_count,n,{a}_sum,s,{b}_mean,m {{i}}",
            ordered=False)
    add("W5", "filter, derive, group", "wide",
        f'{src} | map {{ where generation <= 4; derive ratio = attack / (defense + 1) }}'
        ' | collect { group by type1 { n = count(), m = mean(ratio), top = max(speed) } }'
        ' | write csv "{o}"',
        f"SELECT type1, count(*) AS n, avg(attack / (defense + 1)) AS m, max(speed) AS top {frm}"
        " WHERE generation <= 4 GROUP BY type1",
        ".filter(pl.col('generation') <= 4).with_columns((pl.col('attack') / (pl.col('defense') + 1))"
        ".alias('ratio')).group_by('type1').agg([pl.len().alias('n'), pl.col('ratio').mean().alias('m'),"
        " pl.col('speed').max().alias('top')])", ordered=False)
    add("W5", "filter, derive, group", "narrow",
        f'{src} | map {{ where flag; derive net = amount * 0.81 - 2.0 }}'
        ' | collect { group by category { n = count(), s = sum(net), top = max(id) } }'
        ' | write csv "{o}"',
        f"SELECT category, count(*) AS n, sum(amount * 0.81::DOUBLE - 2.0::DOUBLE) AS s, max(id) AS top {frm}"
        " WHERE flag GROUP BY category",
        ".filter(pl.col('flag')).with_columns((pl.col('amount') * 0.81 - 2.0).alias('net'))"
        ".group_by('category').agg([pl.len().alias('n'), pl.col('net').sum().alias('s'),"
        " pl.col('id').max().alias('top')])", ordered=False)
    w.append(Work("W5", "filter, derive, group", "json",
                  'read json "{i}" batch auto | map { where flag; derive net = amount * 0.81 - 2.0 }'
                  ' | collect { group by category { n = count(), s = sum(net), top = max(id) } } | write csv "{o}"',
                  "COPY (SELECT category, count(*) AS n, sum(amount * 0.81::DOUBLE - 2.0::DOUBLE) AS s, max(id) AS top"
                  " FROM read_ndjson('{i}') WHERE flag GROUP BY category) TO '{o}' (HEADER, DELIMITER ',')",
                  "pl.scan_ndjson(r'{i}').filter(pl.col('flag')).with_columns((pl.col('amount') * 0.81 - 2.0)"
                  ".alias('net')).group_by('category').agg([pl.len().alias('n'), pl.col('net').sum().alias('s'),"
                  " pl.col('id').max().alias('top')]).sink_csv(r'{o}')", ordered=False))
    for data, key, other in (("wide", "base_total", "hp"), ("narrow", "amount", "id")):
        add("W6", "top 10 by a number", data,
            f'{src} | collect {{ select {key}, {other}; top 10 by {key} desc, {other} }} | write csv "{{o}}"',
            f"SELECT {key}, {other} {frm} ORDER BY {key} DESC, {other} LIMIT 10",
            f".select(['{key}', '{other}']).sort(['{key}', '{other}'], descending=[True, False]).head(10)")
    for data in ("wide", "narrow", "quoted"):
        add("W7", "count rows", data,
            f'{src} | collect {{ aggregate {{ n = count() }} }} | write csv "{{o}}"',
            f"SELECT count(*) AS n {frm}", ".select(pl.len().alias('n'))",
            awk="END{print \"n\"; print NR-1}" if data != "quoted" else None)
    # Other shapes, so that nothing is tuned to one.
    add("group", "by 1,000,000 keys", "keys",
        f'{src} | collect {{ group by key {{ n = count(), s = sum(value) }} }} | write csv "{{o}}"',
        f"SELECT key, count(*) AS n, sum(value) AS s {frm} GROUP BY key",
        ".group_by('key').agg([pl.len().alias('n'), pl.col('value').sum().alias('s')])", ordered=False)
    add("distinct", "of 1,000,000 keys", "keys",
        f'{src} | collect {{ select key; distinct }} | write csv "{{o}}"',
        f"SELECT DISTINCT key {frm}", ".select('key').unique()", ordered=False)
    w.append(Work("join", "with 100,000 rows", "left",
                  'let codes = read csv "{l}"\n'
                  f'{src} | map {{ join codes on code == codes.code }} | map write csv "{{o}}"',
                  "COPY (SELECT a.code, a.count, a.weight, b.label, b.factor FROM read_csv('{i}') a JOIN"
                  " read_csv('{l}') b ON a.code = b.code) TO '{o}' (HEADER)",
                  "pl.scan_csv(r'{i}').join(pl.scan_csv(r'{l}'), on='code').sink_csv(r'{o}')",
                  ordered=False))
    add("sort", "everything", "left",
        f'{src} | collect {{ sort by count desc, weight, code }} | write csv "{{o}}"',
        f"SELECT * {frm} ORDER BY count DESC, weight, code",
        ".sort(['count', 'weight', 'code'], descending=[True, False, False])")
    add("needle", "1 row in 10,000", "narrow",
        f'{src} | map {{ where amount > 99990; select id, name }} | map write csv "{{o}}"',
        f"SELECT id, name {frm} WHERE amount > 99990",
        ".filter(pl.col('amount') > 99990).select(['id', 'name'])")
    add("cols200", "3 of 200 columns", "cols200",
        f'{src} | map {{ where c100 > 500; select c1, c100, c200 }} | map write csv "{{o}}"',
        f"SELECT c1, c100, c200 {frm} WHERE c100 > 500",
        ".filter(pl.col('c100') > 500).select(['c1', 'c100', 'c200'])")
    add("2cols", "filter on 2 columns", "keys",
        f'{src} | map where value < 1000 | map write csv "{{o}}"',
        f"SELECT * {frm} WHERE value < 1000", ".filter(pl.col('value') < 1000)")
    add("long", "very long strings", "long",
        f'{src} | map select id, n = length(text) | map write csv "{{o}}"',
        f"SELECT id, length(text) AS n {frm}",
        ".select([pl.col('id'), pl.col('text').str.len_chars().alias('n')])")
    return w


DUCK = """
import sys, time, duckdb
con = duckdb.connect()
con.execute("SET threads TO %d")
con.execute("SET enable_progress_bar = false")
t = time.perf_counter()
con.execute(sys.argv[1])
print(time.perf_counter() - t)
"""

POLARS = """
import sys, time
import polars as pl
t = time.perf_counter()
exec(sys.argv[1])
print(time.perf_counter() - t)
"""


def run(argv, env=None, stdout=None, own_time=False):
    """(wall seconds, CPU seconds, peak MB), or None if it failed."""
    # A small program starts it: a child begins with the peak of who forked it.
    figures = os.path.join(DATA, "timed.out")
    out = subprocess.PIPE if own_time else (stdout or subprocess.DEVNULL)
    p = subprocess.run([os.path.join(DATA, "timed"), figures] + argv, env=env, stdout=out,
                       stderr=subprocess.PIPE)
    if p.returncode != 0:
        sys.stderr.write(f"  {argv[0]} ended with {p.returncode}: {p.stderr.decode(errors='replace')[-600:]}\n")
        return None
    with open(figures) as f:
        wall, cpu, mb = map(float, f.read().split())
    return (float(p.stdout) if own_time else wall), cpu, mb


class Tools:
    def __init__(self, args):
        self.mill = os.path.join(ROOT, "build", "pipemill")
        self.python = os.path.join(PEERS, "venv", "bin", "python")
        self.names = ["pipemill", "duckdb", "polars"] + (["miller", "mawk"] if args.all else [])
        self.workers = args.workers

    def versions(self):
        v = [subprocess.run([self.mill, "--version"], capture_output=True, text=True).stdout.split("\n")[0]]
        v += [subprocess.run([self.python, "-c", f"import {m}; print('{m}', {m}.__version__)"],
                             capture_output=True, text=True).stdout.strip() for m in ("duckdb", "polars")]
        for name, argv in (("miller", ["mlr", "--version"]), ("mawk", ["mawk", "-W", "version"])):
            if name in self.names and shutil.which(argv[0]):
                v.append(subprocess.run(argv, capture_output=True, text=True).stdout.split("\n")[0])
        return v

    def go(self, tool, work, inp, out):
        text = {"i": inp, "o": out, "l": path_of("lookup")}
        if tool == "pipemill":
            program = work.mill
            for k, v in text.items():
                program = program.replace("{" + k + "}", v)
            return run([self.mill, "run", "-q", "-j", str(self.workers), "-e", program])
        if tool == "duckdb":
            sql = work.sql
            for k, v in text.items():
                sql = sql.replace("{" + k + "}", v)
            return run([self.python, "-c", DUCK % self.workers, sql], own_time=True)
        if tool == "polars":
            code = work.polars
            for k, v in text.items():
                code = code.replace("{" + k + "}", v)
            return run([self.python, "-c", POLARS, code], own_time=True,
                       env=dict(os.environ, POLARS_MAX_THREADS=str(self.workers)))
        with open(out, "wb") as f:
            if tool == "mawk":
                return run(["mawk", "-F,", work.awk, inp], stdout=f) if work.awk else None
            return run(["mlr"] + work.mlr.format(i=inp).split(), stdout=f) if work.mlr else None


def path_of(data):
    return os.path.join(DATA, data + (".jsonl" if data == "json" else ".csv"))


def make_data(needed, mb):
    os.makedirs(DATA, exist_ok=True)
    os.makedirs(OUT, exist_ok=True)
    for name in ("make_data", "timed"):
        subprocess.run(["cc", "-O2", "-o", os.path.join(DATA, name), os.path.join(HERE, "tools", name + ".c")],
                       check=True)
    tool = os.path.join(DATA, "make_data")
    for data in sorted(needed):
        size = max(1, int(mb * FILES[data]))
        stamp = path_of(data) + ".made"
        made = f"{data} {size} {os.path.getmtime(os.path.join(HERE, 'tools', 'make_data.c'))}"
        if os.path.exists(stamp) and open(stamp).read() == made:
            continue
        print(f"making {data}, {size} MB", flush=True)
        with open(path_of(data), "wb") as f:
            subprocess.run([tool, data, str(size)], check=True, stdout=f, cwd=ROOT)
        open(stamp, "w").write(made)


def install_peers(all_peers):
    python = os.path.join(PEERS, "venv", "bin", "python")
    if not os.path.exists(python):
        print("installing duckdb and polars into build/peers", flush=True)
        subprocess.run([sys.executable, "-m", "venv", os.path.join(PEERS, "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "duckdb", "polars"], check=True)
    if all_peers:
        missing = [p for p, exe in (("miller", "mlr"), ("mawk", "mawk")) if not shutil.which(exe)]
        if missing:
            subprocess.run(["apt-get", "install", "-y", "-q"] + missing, check=False)


def cell(x):
    if x in ("true", "True"):
        return True
    if x in ("false", "False"):
        return False
    try:
        return float(x)
    except ValueError:
        return x


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def rows_of(path, ordered):
    with open(path, newline="", encoding="utf-8") as f:
        rows = [tuple(cell(x) for x in row) for row in csv.reader(f)]
    head, rows = rows[0], rows[1:]
    return head, rows if ordered else sorted(rows, key=lambda r: tuple(str(x) for x in r))


def check_equal(work, paths):
    """None, or what differs. Large outputs are compared line by line where they are the same bytes."""
    first, *rest = paths
    for p in rest:
        if work.ordered and subprocess.run(["cmp", "-s", first, p]).returncode == 0:
            continue
        ha, a = rows_of(first, work.ordered)
        hb, b = rows_of(p, work.ordered)
        if ha != hb or len(a) != len(b):
            return f"{os.path.basename(p)}: {hb}, {len(b)} rows against {ha}, {len(a)} rows"
        for x, y in zip(a, b):
            if len(x) != len(y) or not all(map(same, x, y)):
                return f"{os.path.basename(p)}: {y} against {x}"
    return None


def cpu_name():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--runs", type=int, default=5)
    ap.add_argument("--mb", type=int, default=500, help="size of wide and narrow; the others follow")
    ap.add_argument("--only", action="append", default=[], help="W1, narrow, W4:narrow; may be repeated")
    ap.add_argument("--all", action="store_true", help="Miller and mawk too")
    ap.add_argument("--workers", type=int, default=THREADS)
    ap.add_argument("--no-check", action="store_true", help="do not compare outputs (for a quick look only)")
    ap.add_argument("--json", help="write the figures there too")
    args = ap.parse_args()
    works = [w for w in workloads()
             if not args.only or any(o in (w.name, w.data, f"{w.name}:{w.data}") for o in args.only)]
    install_peers(args.all)
    make_data({w.data for w in works} | ({"lookup"} if any(w.name == "join" for w in works) else set()),
              args.mb)
    tools = Tools(args)
    print("; ".join(tools.versions()))
    print(f"{cpu_name()}, {os.cpu_count()} processors, {args.workers} threads, "
          f"medians of {args.runs}, files in the page cache\n")
    print(f"{'work':22} {'tool':9} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'to best peer':>13}")
    figures = []
    for w in works:
        inp = path_of(w.data)
        subprocess.run(["cat", inp], stdout=subprocess.DEVNULL)
        names = [t for t in tools.names if not ((t == "mawk" and not w.awk) or (t == "miller" and not w.mlr))]
        outs = {t: os.path.join(OUT, t + ".csv") for t in names}
        got = {t: [] for t in names}
        for k in range(args.runs):
            for t in names:
                r = tools.go(t, w, inp, outs[t])
                if r:
                    got[t].append(r)
            if k == 0 and not args.no_check:
                done = [outs[t] for t in names if got[t]]
                bad = check_equal(w, done) if got["pipemill"] else None
                if bad:
                    print(f"{w.name + ' ' + w.data:22} outputs differ: {bad}")
        med = {t: [statistics.median(x) for x in zip(*rs)] for t, rs in got.items() if rs}
        best = min((med[t][0] for t in med if t in ("duckdb", "polars")), default=None)
        for t, (wall, cpu, mb) in med.items():
            ratio = f"{best / wall:.2f} x" if t == "pipemill" and best else ""
            print(f"{w.name + ' ' + w.data if t == names[0] else '':22} {t:9} {wall:8.3f} {cpu:8.2f} {mb:8.1f} {ratio:>13}",
                  flush=True)
            figures.append({"work": w.name, "data": w.data, "tool": t, "wall": wall, "cpu": cpu, "mb": mb})
    if args.json:
        json.dump(figures, open(args.json, "w"), indent=1)


if __name__ == "__main__":
    main()
