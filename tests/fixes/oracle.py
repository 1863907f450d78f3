#!/usr/bin/env python3
"""What certain fixes mean: writes the golden tests of this folder.

    python3 tests/fixes/oracle.py           # Python alone; awk where it is installed

Each expression stands in a program as another language writes it. `check --fix` mends it, and what is left must be worth, in
every row, what SQLite, Python or awk made of the expression. The expectations come from those, never from pipemill, so
they are not for `make bless`. Where a dialect has what SQLite lacks (ILIKE, ::, EXTRACT), a twin in its SQL says what is meant.
Python and awk get the rows without nulls, which they do not know.
"""
import os
import re
import sqlite3
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = [  # id, a, b, f, s, t, d
    (1, 3, 4, 0.5, "pikachu", "chu", "2024-02-29"),
    (2, -7, 2, -1.5, "it's 100%", "%", "1970-01-01"),
    (3, 0, 0, 2.0, "Flabébé", "É", "1999-12-31"),
    (4, 12, -5, 100.25, "ÉCLAIR", "a_b", "2000-06-15"),
    (5, None, 1, None, None, "x", None),
    (6, 5, None, 7.0, "a.b\\c", None, "2026-11-26"),
    (7, 1, 1, 1.0, "two\nlines", "lines", "2026-01-02"),
    (8, 2, 9, -0.25, "[x] {y} (z)", "{y}", "2026-03-04"),
    (9, 100, 3, 3.75, "PIKACHU", "CHU", "2031-10-31"),
]
NAMES = "id a b f s t d".split()
SCHEMA = "schema row { id: int, a: int, b: int, f: float, s: string, t: string, d: date }"

SQL = [  # an expression, or with its twin for SQLite
    "a = 3", "a <> 3", "a = 3 and b = 4", "a = 3 OR b = 1", "NOT a = 3", "s IS NULL", "s IS NOT NULL", "a IS NULL AND b IS NOT NULL",
    "a IN (1, 2, 3)", "a NOT IN (1, 2)", "a in (3)", "a BETWEEN 1 AND 5", "a NOT BETWEEN 1 AND 5", "a + 1 BETWEEN 1 AND 5",
    ("between(a, 1, 5)", "a BETWEEN 1 AND 5"), ("between(a + b, 1, 5) = true", "(a + b BETWEEN 1 AND 5) = true"),
    "s LIKE 'pika%'", "s LIKE '%chu'", "s LIKE '%l%'", "s LIKE 'pikachu'", "s LIKE 'p_k%u'", "s LIKE '%é'", "s LIKE '%.b%'",
    "s LIKE 'it''s%'", "s LIKE '%''%'", "s LIKE '%'", "s LIKE ''", "s LIKE '_'", "s LIKE '%o_l%'", "s LIKE 'two%lines'",
    "s LIKE '%[x]%'", "s LIKE '[x] {_}%'", "s LIKE '%(z)'", "s NOT LIKE '%chu'", "a > 1 AND s NOT LIKE '%a%'", "s LIKE '%_%_'",
    ("s ILIKE 'PIKA%'", "fold(s) LIKE 'pika%'"), ("s ILIKE '%É%'", "fold(s) LIKE '%é%'"), ("s ILIKE 'é_lair'", "fold(s) LIKE 'é_lair'"),
    ("s ILIKE 'flabébé'", "fold(s) = 'flabébé'"), ("s NOT ILIKE '%CHU'", "fold(s) NOT LIKE '%chu'"), ("s ILIKE '%''S%'", "fold(s) LIKE '%''s%'"),
    "CASE WHEN a > 3 THEN 'big' ELSE 'small' END", "CASE WHEN a > 3 THEN 'big' END",
    "CASE WHEN a > 10 THEN 'x' WHEN a > 2 THEN 'y' ELSE 'z' END", "CASE WHEN a IS NULL THEN 0 WHEN a < 0 THEN -a ELSE a END",
    "IFNULL(a, -1)", ("NVL(a, b)", "IFNULL(a, b)"), "COALESCE(s, 'none')", "s || t", "'it''s ' || 'so'", "s || t || s", ("UPPER(t)", "fold_up(t)"),
    "LENGTH(s)", ("len(s)", "length(s)"), ("char_length(s)", "length(s)"), ("toupper(t)", "fold_up(t)"), ("lcase(s)", "fold(s)"),
    "CAST(a AS TEXT)", "CAST(a + b AS TEXT)", "CAST(a AS REAL)", ("a::float", "CAST(a AS REAL)"), ("a::text", "CAST(a AS TEXT)"),
    ("EXTRACT(YEAR FROM d)", "CAST(strftime('%Y', d) AS INTEGER)"), ("extract(month from d)", "CAST(strftime('%m', d) AS INTEGER)"),
    ("d + INTERVAL '1 day'", "date(d, '+1 day')"), ("d - interval '2 days'", "date(d, '-2 days')"),
    "a ISNULL",
]
BOOLS = ("=", "<>", " IN ", " in ", "BETWEEN", "between", "LIKE", "NULL", "NOT ", "ISNULL")

PYTHON = [
    "a == 3 and b == 4", "a if a > b else b", "'big' if a > 3 else 'small'", "a + 1 if a > 3 else b", "not (a > 3)", "s.upper()", "s.lower()",
    "s.startswith('pi')", "s.endswith('chu')", "len(s)", "len(s) + 1", "str(a)", "str(a) + '!'", "a in (1, 2, 3)", "a not in [1, 2]", "abs(a) if a < 0 else -a",
    "None if a > 3 else a", "s is None", "s is not None", "a == None", "True if a > 3 else False", 'f"{a} and {b}"', "s.replace('a', 'o')",
    "(a > 3) == True", "s.split(' ')[0]", "a > 1 and a < 5 and not s.startswith('t')", "s.strip()",
    '"""a""" + s', 's + "a" "b"',
]
AWK = [
    "a > 3 && b > 1", "a > 3 || b > 3", "!(a > 3)", 'a > 3 ? "big" : "small"', 'a > 10 ? "x" : "y"', "a > 3 ? a : b", "(a > 3 ? a : b) + 1",
    "a + (a > b ? 1 : 2)", 'a == 3 && !(b == 4) || a == 1', "a != 3 && b >= 1",
]


def folded(text):
    return None if text is None else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def printed(value, is_bool):
    if value is None:
        return ""
    if is_bool or isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, float) else str(value)
    if text == "" or any(c in text for c in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def sql_values(expressions):
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA case_sensitive_like = ON")
    db.create_function("fold", 1, folded)
    db.create_function("fold_up", 1, lambda x: None if x is None else x.upper())
    db.execute("CREATE TABLE rows (id INT, a INT, b INT, f REAL, s TEXT, t TEXT, d TEXT)")
    db.executemany("INSERT INTO rows VALUES (?,?,?,?,?,?,?)", ROWS)
    columns = []
    for e in expressions:
        theirs, twin = e if isinstance(e, tuple) else (e, e)
        is_bool = "CASE" not in twin and "CAST" not in twin and "IFNULL" not in twin and not re.fullmatch(r"(fold_up\()?[ts']+.*\|\|[^=]*", twin) and any(w in twin for w in BOOLS)
        columns.append((theirs, [printed(v, is_bool) for (v,) in db.execute(f"SELECT {twin} FROM rows ORDER BY id")]))
    return ROWS, columns


def whole(rows):
    return [r for r in rows if None not in r]


def python_values(expressions):
    rows = whole(ROWS)
    return rows, [(e, [printed(eval(e, {}, dict(zip(NAMES, r))), False) for r in rows]) for e in expressions]


def awk_values(expressions):
    rows, columns = [r for r in whole(ROWS) if "\n" not in r[4] and "\\" not in r[4]], []
    for e in expressions:
        values = []
        for r in rows:
            sets = [x for n, v in zip(NAMES, r) for x in ("-v", f"{n}={v}")]
            out = subprocess.run(["awk", *sets, f"BEGIN {{ x = ({e}); print x }}"], capture_output=True, text=True, check=True).stdout.rstrip("\n")
            is_bool = "?" not in e
            values.append(printed(bool(int(out)), True) if is_bool else printed(out, False))
        columns.append((e, values))
    return rows, columns


def write(name, language, rows, columns):
    lines = [f"# What certain fixes make of {language} is worth what {language} makes of it, row by row. Written by oracle.py.", "#file in.csv"]
    table = [",".join(NAMES)] + [",".join(printed(v, False) for v in r) for r in rows]
    lines += ["#| " + x for x in "\n".join(table).split("\n")]
    lines += ["#file p.pipe", "#| " + SCHEMA, "#| op others {"]
    lines += [f"#|   derive r{i} = {e}" for i, (e, _) in enumerate(columns)]
    lines += ["#| }", '#| job j { read csv "in.csv" as row | others | select id, ' + ", ".join(f"r{i}" for i in range(len(columns))) + " | write csv stdout }"]
    lines += ["#$ pipemill check --fix -q p.pipe > log; pipemill run -q p.pipe"]
    out = ["id," + ",".join(f"r{i}" for i in range(len(columns)))]
    out += [",".join([str(r[0])] + [values[k] for _, values in columns]) for k, r in enumerate(rows)]
    lines += ["#> " + x for x in "\n".join(out).split("\n")]
    lines += ["job unused { range 1..1 | write csv stdout }"]
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


write("sql.pipe", "SQL", *sql_values(SQL))
write("python.pipe", "Python", *python_values(PYTHON))
write("awk.pipe", "awk", *awk_values(AWK))
