#!/usr/bin/env python3
"""Whole programs over CSV files and JSON lines, beside DuckDB, Polars, Miller and mawk.

    make bench-csv [BENCH="--runs 3 --only W1 --mb 100"]

Every workload writes a CSV file with each program; the files must hold the same rows (numbers
compared as numbers, rows sorted where the workload leaves the order open), or the figure does not
count and the exit status is 1. Then each program runs --runs times, all programs in turn, and the
medians are printed. What takes longer than SLOW_S runs once; the table says so.

The bars: W1 to W6 three times as fast as the better of DuckDB and Polars, the other shapes as fast;
W7 within 1.5 times `wc -l`; one thread within 2.2 times the time of two; W1 to W7 under 64 MB. What
misses one is marked with `!`, and the last line counts.

What is timed: pipemill, mawk, Miller from exec to exit. DuckDB and Polars only the query, in a
process of their own: the start of Python and the import of the library are left out, in their
favour. Memory is the most that the process had resident. Threads: 2 for all (mawk and Miller: as
they come). Inputs are in the page cache, outputs in memory. Each run writes a new file: to free the memory of
the one before is nobody's work.
"""
import argparse
import csv
import json
import math
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
PEERS = os.path.join(ROOT, "build", "peers")
DATA = os.path.join(ROOT, "build", "bench-data")
# Outputs go to a folder in memory where there is such a file system: the disk is not what is measured. pipemill syncs
# a file before it makes it visible, the others do not.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else DATA
THREADS = 2
SLOW_S = 5.0  # Miller and mawk on some
BAR_W, BAR_SHAPE, BAR_WC, BAR_ONE_THREAD, BAR_MB = 3.0, 1.0, 1.5, 2.2, 64.0

# Kind of data, and its size as a share of --mb.
FILES = {"wide": 1.0, "narrow": 1.0, "quoted": 0.4, "keys": 0.5, "lookup": 0.0, "left": 0.2,
         "cols200": 0.5, "long": 0.5, "json": 1.0}


ONE_THREAD = "one thread"  # pipemill's


class Work:
    """One workload: a program for each tool. {i} is the input, {o} the output, {l} the lookup table; awk and mlr get the input."""

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
            mlr=f"cut -o -f {','.join(names)}",
            awk="{print $1\",\"$3\",\"$5\",\"$6}" if data == "narrow" else None)
    add("W2", "filter on a number", "wide",
        f'{src} | map {{ where hp > 200; select name, hp, attack }} | map write csv "{{o}}"',
        f"SELECT name, hp, attack {frm} WHERE hp > 200",
        ".filter(pl.col('hp') > 200).select(['name', 'hp', 'attack'])",
        mlr="filter '$hp > 200' then cut -o -f name,hp,attack")
    add("W2", "filter on a number", "narrow",
        f'{src} | map {{ where amount > 80000; select id, name, amount }} | map write csv "{{o}}"',
        f"SELECT id, name, amount {frm} WHERE amount > 80000",
        ".filter(pl.col('amount') > 80000).select(['id', 'name', 'amount'])",
        awk="NR==1{print $1\",\"$4\",\"$5} NR>1 && $5 > 80000{print $1\",\"$4\",\"$5}",
        mlr="filter '$amount > 80000' then cut -o -f id,name,amount")
    add("W3", "two computed columns", "wide",
        f'{src} | map select name, power = hp * 1.5 + attack, label = upper(type1) + "-" + name'
        ' | map write csv "{o}"',
        f"SELECT name, hp * 1.5::DOUBLE + attack AS power, upper(type1) || '-' || name AS label {frm}",
        ".select([pl.col('name'), (pl.col('hp') * 1.5 + pl.col('attack')).alias('power'),"
        " (pl.col('type1').str.to_uppercase() + '-' + pl.col('name')).alias('label')])",
        mlr="put '$power = $hp * 1.5 + $attack; $label = toupper($type1) . \"-\" . $name' then cut -o -f name,power,label")
    add("W3", "two computed columns", "narrow",
        f'{src} | map select id, price = amount * 1.2 + 3.5, label = upper(category) + "-" + name'
        ' | map write csv "{o}"',
        f"SELECT id, amount * 1.2::DOUBLE + 3.5::DOUBLE AS price, upper(category) || '-' || name AS label {frm}",
        ".select([pl.col('id'), (pl.col('amount') * 1.2 + 3.5).alias('price'),"
        " (pl.col('category').str.to_uppercase() + '-' + pl.col('name')).alias('label')])",
        awk="BEGIN{CONVFMT=\"%.15g\"} NR==1{print \"id,price,label\"} NR>1{print $1\",\"$5*1.2+3.5\",\"toupper($3)\"-\"$4}",
        mlr="put '$price = $amount * 1.2 + 3.5; $label = toupper($category) . \"-\" . $name' then cut -o -f id,price,label")
    for data, key, a, b in (("wide", "type1", "hp", "attack"), ("narrow", "category", "amount", "id")):
        add("W4", "group by a string", data,
            f'{src} | collect {{ group by {key} {{ n = count(), s = sum({a}), m = mean({b}) }} }}'
            ' | write csv "{o}"',
            f"SELECT {key}, count(*) AS n, sum({a}) AS s, avg({b}) AS m {frm} GROUP BY {key}",
            f".group_by('{key}').agg([pl.len().alias('n'), pl.col('{a}').sum().alias('s'),"
            f" pl.col('{b}').mean().alias('m')])",
            mlr=f"stats1 -a count,sum,mean -f {a},{b} -g {key} then cut -o -f {key},{a}_count,{a}_sum,{b}_mean"
                f" then rename {a}_count,n,{a}_sum,s,{b}_mean,m",
            awk='BEGIN{CONVFMT="%.17g"; print "category,n,s,m"} NR>1{n[$3]++; s[$3]+=$5; m[$3]+=$1}'
                ' END{for (k in n) print k","n[k]","s[k]","m[k]/n[k]}' if data == "narrow" else None,
            ordered=False)
    add("W5", "filter, derive, group", "wide",
        f'{src} | map {{ where generation <= 4; derive ratio = attack / (defense + 1) }}'
        ' | collect { group by type1 { n = count(), m = mean(ratio), top = max(speed) } }'
        ' | write csv "{o}"',
        f"SELECT type1, count(*) AS n, avg(attack / (defense + 1)) AS m, max(speed) AS top {frm}"
        " WHERE generation <= 4 GROUP BY type1",
        ".filter(pl.col('generation') <= 4).with_columns((pl.col('attack') / (pl.col('defense') + 1))"
        ".alias('ratio')).group_by('type1').agg([pl.len().alias('n'), pl.col('ratio').mean().alias('m'),"
        " pl.col('speed').max().alias('top')])",
        mlr="filter '$generation <= 4' then put '$ratio = $attack / ($defense + 1)' then stats1 -a count,mean,max"
            " -f ratio,speed -g type1 then cut -o -f type1,ratio_count,ratio_mean,speed_max"
            " then rename ratio_count,n,ratio_mean,m,speed_max,top", ordered=False)
    add("W5", "filter, derive, group", "narrow",
        f'{src} | map {{ where flag; derive net = amount * 0.81 - 2.0 }}'
        ' | collect { group by category { n = count(), s = sum(net), top = max(id) } }'
        ' | write csv "{o}"',
        f"SELECT category, count(*) AS n, sum(amount * 0.81::DOUBLE - 2.0::DOUBLE) AS s, max(id) AS top {frm}"
        " WHERE flag GROUP BY category",
        ".filter(pl.col('flag')).with_columns((pl.col('amount') * 0.81 - 2.0).alias('net'))"
        ".group_by('category').agg([pl.len().alias('n'), pl.col('net').sum().alias('s'),"
        " pl.col('id').max().alias('top')])",
        mlr="filter '$flag == \"true\"' then put '$net = $amount * 0.81 - 2.0' then stats1 -a count,sum,max -f net,id"
            " -g category then cut -o -f category,net_count,net_sum,id_max then rename net_count,n,net_sum,s,id_max,top",
        awk='BEGIN{CONVFMT="%.17g"; print "category,n,s,top"} NR>1 && $6=="true"{n[$3]++; s[$3]+=$5*0.81-2.0;'
            ' if (!($3 in t) || $1+0>t[$3]) t[$3]=$1+0} END{for (k in n) print k","n[k]","s[k]","t[k]}', ordered=False)
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
            f".select(['{key}', '{other}']).sort(['{key}', '{other}'], descending=[True, False]).head(10)",
            mlr=f"cut -o -f {key},{other} then sort -nr {key} -nf {other} then head -n 10")
    for data in ("wide", "narrow", "quoted"):
        add("W7", "count rows", data,
            f'{src} | collect {{ aggregate {{ n = count() }} }} | write csv "{{o}}"',
            f"SELECT count(*) AS n {frm}", ".select(pl.len().alias('n'))",
            awk="END{print \"n\"; print NR-1}" if data != "quoted" else None, mlr="count -o n")
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
    """The programs, by what the table calls them. Miller and mawk only with --all."""

    def __init__(self, args):
        self.mill = os.path.join(ROOT, "build", "pipemill")
        self.python = os.path.join(PEERS, "venv", "bin", "python")
        self.workers = args.workers
        self.is_all = args.all

    def of(self, work):
        names = ["pipemill", "duckdb", "polars"]
        if self.workers > 1:
            names.insert(1, ONE_THREAD)
        if work.name == "W7":
            names.append("wc -l")
        if self.is_all:
            names += ["miller"] * bool(work.mlr) + ["mawk"] * bool(work.awk)
        return names

    def versions(self):
        v = [subprocess.run([self.mill, "--version"], capture_output=True, text=True).stdout.split("\n")[0]]
        v += [subprocess.run([self.python, "-c", f"import {m}; print('{m}', {m}.__version__)"],
                             capture_output=True, text=True).stdout.strip() for m in ("duckdb", "polars")]
        for argv in (["mlr", "--version"], ["mawk", "-W", "version"]) if self.is_all else ():
            if shutil.which(argv[0]):
                v.append(subprocess.run(argv, capture_output=True, text=True).stdout.split("\n")[0])
        return v

    def go(self, tool, work, inp, out):
        """(wall seconds, CPU seconds, peak MB), or None if it failed."""
        def filled(text):
            for k, v in {"i": inp, "o": out, "l": path_of("lookup")}.items():
                text = text.replace("{" + k + "}", v)
            return text
        if tool in ("pipemill", ONE_THREAD):
            workers = 1 if tool == ONE_THREAD else self.workers
            return run([self.mill, "run", "-q", "-j", str(workers), "-e", filled(work.mill)])
        if tool == "duckdb":
            return run([self.python, "-c", DUCK % self.workers, filled(work.sql)], own_time=True)
        if tool == "polars":
            return run([self.python, "-c", POLARS, filled(work.polars)], own_time=True,
                       env=dict(os.environ, POLARS_MAX_THREADS=str(self.workers)))
        argv = {"mawk": ["mawk", "-F,", work.awk, inp], "wc -l": ["wc", "-l", inp],
                "miller": ["mlr", "--icsv", "--ocsv"] + shlex.split(work.mlr or "") + [inp]}[tool]
        with open(out, "wb") as f:
            return run(argv, stdout=f)


def path_of(data):
    return os.path.join(DATA, data + (".jsonl" if data == "json" else ".csv"))


def make_data(needed, mb):
    os.makedirs(DATA, exist_ok=True)
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


def install_peers():
    python = os.path.join(PEERS, "venv", "bin", "python")
    if not os.path.exists(python):
        print("installing duckdb and polars into build/peers", flush=True)
        subprocess.run([sys.executable, "-m", "venv", os.path.join(PEERS, "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "duckdb", "polars"], check=True)


def cell(x):
    if x in ("true", "True"):
        return True
    if x in ("false", "False"):
        return False
    for number in (int, float):
        try:
            return number(x)
        except ValueError:
            pass
    return x


def same(a, b):
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
        return type(a) is type(b) and a == b
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = [tuple(row) for row in csv.reader(f)]
    return rows[0] if rows else (), rows[1:]


def differ(a, b):
    """Rows as text: most are the same text, which is seen at once."""
    return a != b and (len(a) != len(b) or not all(same(cell(x), cell(y)) for x, y in zip(a, b)))


def first_pair(a, b):
    """The first two rows that differ, or None."""
    return next(((x, y) for x, y in zip(a, b) if differ(x, y)), None)


def by_values(row):
    return tuple(str(float(x) if isinstance(x, int) else x) for x in map(cell, row))


def check_equal(work, paths):
    """None, or what differs. Large outputs are compared line by line where they are the same bytes."""
    first, *rest = paths
    for p in paths:
        if not os.path.exists(p):
            return f"{os.path.basename(p)} was not written"
    for p in rest:
        if work.ordered and subprocess.run(["cmp", "-s", first, p]).returncode == 0:
            continue
        (ha, a), (hb, b) = rows_of(first), rows_of(p)
        if ha != hb or len(a) != len(b):
            return f"{os.path.basename(p)}: {hb}, {len(b)} rows against {ha}, {len(a)} rows"
        if not work.ordered:
            a.sort()
            b.sort()
            if first_pair(a, b):  # numbers that are written otherwise stand elsewhere
                a.sort(key=by_values)
                b.sort(key=by_values)
        pair = first_pair(a, b)
        if pair:
            return f"{os.path.basename(p)}: {pair[1]} against {pair[0]}"
    return None


def cpu_name():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def measure(tools, work, folder, runs, is_checked):
    """{tool: (medians of wall, CPU, MB, how many runs)} and what is wrong with the outputs, a line each."""
    inp, names = path_of(work.data), tools.of(work)
    outs = {t: os.path.join(folder, t.replace(" ", "-") + ".csv") for t in names}
    got, wrong = {t: [] for t in names}, []
    subprocess.run(["cat", inp], stdout=subprocess.DEVNULL)
    for k in range(runs):
        for t in names:
            if k and (not got[t] or got[t][0][0] > SLOW_S):
                continue
            if os.path.exists(outs[t]):
                os.remove(outs[t])
            r = tools.go(t, work, inp, outs[t])
            if r:
                got[t].append(r)
            else:
                wrong.append(f"{t}: failed in run {k + 1}")
                got[t] = []
        for t in names[1:] if k == 0 and is_checked and got["pipemill"] else ():
            bad = check_equal(work, [outs["pipemill"], outs[t]]) if got[t] and t != "wc -l" else None
            if bad:
                wrong.append(f"{t}: other rows: {bad}")
                got[t] = []
    return {t: [statistics.median(x) for x in zip(*rs)] + [len(rs)] for t, rs in got.items() if rs}, wrong


def bars(work, med):
    """{tool: (figure, does it keep the bar)} of those that have one."""
    mine = med["pipemill"]
    out = {}
    peers = [med[t][0] for t in ("duckdb", "polars") if t in med]
    best = min(peers) if len(peers) == 2 else None  # the better one of one is none
    if work.name == "W7":
        times = mine[0] / med["wc -l"][0] if "wc -l" in med else None
        if times:
            out["pipemill"] = f"{times:.2f} of wc", times <= BAR_WC and mine[2] < BAR_MB
    elif best:
        is_w = work.name.startswith("W") and work.data != "json"
        times = best / mine[0]
        out["pipemill"] = f"{times:.2f} x", times >= (BAR_W if is_w else BAR_SHAPE) and (not is_w or mine[2] < BAR_MB)
    if ONE_THREAD in med:
        times = med[ONE_THREAD][0] / mine[0]
        out[ONE_THREAD] = f"{times:.2f} of two", times <= BAR_ONE_THREAD
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--runs", type=int, default=5)
    ap.add_argument("--mb", type=int, default=500, help="size of wide and narrow; the others follow")
    ap.add_argument("--only", action="append", default=[], help="W1, narrow, W4:narrow; may be repeated")
    ap.add_argument("--all", action="store_true", help="Miller and mawk too: minutes more")
    ap.add_argument("--workers", type=int, default=THREADS)
    ap.add_argument("--no-check", action="store_true", help="do not compare outputs (for a quick look only)")
    ap.add_argument("--json", help="write the figures there too")
    args = ap.parse_args()
    works = [w for w in workloads()
             if not args.only or any(o in (w.name, w.data, f"{w.name}:{w.data}") for o in args.only)]
    if not works:
        ap.error(f"no workload is called {', '.join(args.only)}")
    install_peers()
    make_data({w.data for w in works} | ({"lookup"} if any(w.name == "join" for w in works) else set()),
              args.mb)
    tools = Tools(args)
    print("; ".join(tools.versions()))
    print(f"{cpu_name()}, {os.cpu_count()} processors, {args.workers} threads, "
          f"medians of {args.runs}, files of {args.mb} MB and shares of it in the page cache\n")
    print(f"{'work':16} {'tool':11} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'to the best':>14}")
    figures, n_bars, n_missed, n_wrong = [], 0, 0, 0
    for w in works:
        with tempfile.TemporaryDirectory(prefix="pipemill-bench-", dir=MEMORY) as folder:
            med, wrong = measure(tools, w, folder, args.runs, not args.no_check)
        n_wrong += len(wrong)
        for line in wrong:
            print(f"{w.name + ' ' + w.data:16} {line}", flush=True)
        kept = bars(w, med) if "pipemill" in med else {}
        for k, (t, (wall, cpu, mb, n)) in enumerate(med.items()):
            text, is_kept = kept.get(t, ("", True))
            text = f"{text} once".lstrip() if n < args.runs else text
            n_bars += t in kept
            n_missed += not is_kept
            print(f"{'' if k else w.name + ' ' + w.data:16} {t:11} {wall:8.3f} {cpu:8.2f} {mb:8.1f} {text:>14}"
                  f"{'' if is_kept else ' !'}".rstrip(), flush=True)
            figures.append({"work": w.name, "data": w.data, "tool": t, "wall": wall, "cpu": cpu, "mb": mb, "runs": n})
    print(f"\n{n_bars - n_missed} of {n_bars} bars kept; {n_wrong} outputs differ or failed")
    if args.json:
        with open(args.json, "w") as f:
            json.dump(figures, f, indent=1)
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
