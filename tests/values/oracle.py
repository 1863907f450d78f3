#!/usr/bin/env python3
"""Values that others computed: writes the golden tests of this folder.

    python3 tests/values/oracle.py          # with the package duckdb from PyPI

Each expression stands here twice: as a .pipe program writes it, and as SQL for DuckDB or as Python. The
expectations in *.pipe are what DuckDB or Python gave, never what pipemill gave. Where the languages
mean different things (SQL's // cuts towards zero, its positions count from 1, ...), Python or
other SQL says what is meant. Python is null for a null in any column that the expression names.
"""
import csv
import datetime as dt
import decimal
import io
import math
import os
import re
import sys

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
PER_FILE = 12  # expressions in a test

COLUMNS = "i j x y b c s t d e m n g".split()
SQL_TYPES = dict(i="BIGINT", j="BIGINT", x="DOUBLE", y="DOUBLE", b="BOOLEAN", c="BOOLEAN", s="VARCHAR", t="VARCHAR",
                 d="DATE", e="DATE", m="TIMESTAMP", n="TIMESTAMP", g="VARCHAR")
# j and y are never 0, so that everything can be divided by them. "" is null, '""' the empty string.
ROWS = """\
i,j,x,y,b,c,s,t,d,e,m,n,g
0,1,0.0,1.0,true,true,pikachu,chu,2024-02-29,2023-02-28,2024-02-29T12:34:56Z,2024-03-01T00:00:00Z,red
1,-1,0.5,-0.5,true,false,Flabébé,é,1970-01-01,1970-01-02,1970-01-01T00:00:00Z,1969-12-31T23:59:59.5Z,blue
-7,2,-1.5,0.1,false,true,"a,b,,c",",",1969-12-31,2000-12-31,2000-12-31T23:59:59Z,2001-01-01T00:00:00.000001Z,red
7,-2,2.675,3.0,false,false,  two  words ,o,1999-12-31,1999-01-01,1999-12-31T01:02:03Z,1999-12-31T01:02:03Z,
,3,,7.25,,true,,x,,2020-06-15,,2020-06-15T06:07:08Z,blue
12,,1e300,,true,,Ünï "quoted",,2020-06-15,,2020-06-15T06:07:08.25Z,,red
1000000007,97,1e-300,1e10,false,,"",a,2038-01-19,2038-01-20,2038-01-19T03:14:07Z,2038-01-19T03:14:08Z,green
-9007199254740993,1000,-0.0,2.5,,false,ABC abc,b,0004-02-29,0001-01-01,1900-02-28T00:00:01Z,1900-03-01T00:00:00Z,blue
42,42,123456.789,-123456.789,,,no. 025,no,2026-11-25,2026-11-25,2026-11-25T20:24:13.123456Z,2026-11-25T20:24:13Z,green
3,5,3.0,2.0,true,true,zZ,Z,2021-03-28,2021-10-31,2021-03-28T01:30:00Z,2021-10-31T01:30:00Z,
-3,7,0.1,0.2,false,false,日本語 text,本,1582-10-15,1582-10-14,1752-09-14T12:00:00Z,1752-09-02T12:00:00Z,red
250,16,99.995,0.005,true,false,x-y-z,-,2000-02-29,1900-03-01,2000-02-29T23:00:00Z,2100-02-28T23:00:00Z,green
"""


def py_value(text, column, quoted):
    if text == "" and not quoted:
        return None
    if column in "ij":
        return int(text)
    if column in "xy":
        return float(text)
    if column in "bc":
        return text == "true"
    if column in "de":
        return dt.date.fromisoformat(text)
    if column in "mn":
        return dt.datetime.fromisoformat(text.replace("Z", ""))
    return text


def load():
    rows = []
    for line, raw in zip(list(csv.reader(io.StringIO(ROWS)))[1:], ROWS.splitlines()[1:]):
        rows.append({c: py_value(v, c, v == "" and '""' in raw and c == "s") for c, v in zip(COLUMNS, line)})
    return rows


def shown(v):
    """A value as language.md says that it prints, as a cell of a CSV file."""
    if v is None:
        return ""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return repr(v)
    if isinstance(v, (int, decimal.Decimal)):
        return str(v)
    if isinstance(v, dt.datetime):
        text = f"{v.year:04}-{v.month:02}-{v.day:02}T{v.hour:02}:{v.minute:02}:{v.second:02}"
        if v.microsecond:
            text += f".{v.microsecond:06}".rstrip("0")
        return text + "Z"
    if isinstance(v, dt.date):
        return f"{v.year:04}-{v.month:02}-{v.day:02}"
    if isinstance(v, dt.timedelta):
        return duration(v)
    v = str(v)
    return '"' + v.replace('"', '""') + '"' if v == "" or re.search('[,"\r\n]', v) else v


def duration(v):
    us = v // dt.timedelta(microseconds=1)
    if us == 0:
        return "0s"
    sign, us = ("-", -us) if us < 0 else ("", us)
    out = ""
    for unit, size in (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000)):
        if us >= size:
            out += f"{us // size}{unit}"
            us %= size
    if us:
        s = f"{us // 1_000_000}.{us % 1_000_000:06}".rstrip("0").rstrip(".")
        out += s + "s"
    return sign + out


class Oracle:
    def __init__(self):
        self.rows = load()
        self.db = duckdb.connect()
        self.db.execute("SET TimeZone='UTC'")
        cols = ", ".join(f"{c} {t}" for c, t in SQL_TYPES.items())
        self.db.execute(f"CREATE TABLE r (pos INTEGER, {cols})")
        for at, row in enumerate(self.rows):
            self.db.execute("INSERT INTO r VALUES (" + ", ".join("?" * (1 + len(COLUMNS))) + ")",
                            [at] + [row[c] for c in COLUMNS])

    def sql(self, text):
        return [r[0] for r in self.db.execute(f"SELECT {text} FROM r ORDER BY pos").fetchall()]

    def aggregate(self, text):
        return self.db.execute(f"SELECT {text} FROM r").fetchone()[0]

    def groups(self, text):
        q = f"SELECT g, {text} FROM r GROUP BY g ORDER BY min(pos)"
        return self.db.execute(q).fetchall()

    def py(self, text):
        code = compile(text, text, "eval")
        used = [c for c in COLUMNS if c in code.co_names]
        out = []
        for row in self.rows:
            if any(row[c] is None for c in used):
                out.append(None)
            else:
                out.append(eval(code, {**HELPERS, **row}))
        return out


def half_away(v, digits=0):
    """Rounded half away from zero, judged by v as it prints."""
    q = decimal.Decimal(1).scaleb(-digits)
    r = decimal.Decimal(repr(v)).quantize(q, rounding=decimal.ROUND_HALF_UP, context=decimal.Context(prec=400))
    return type(v)(r) if isinstance(v, int) else float(r)


def cut(s, start, length=None):
    start = max(0, len(s) + start) if start < 0 else start
    return s[start:] if length is None else s[start:start + length]


def part(s, sep, n):
    parts = s.split(sep)
    return parts[n] if -len(parts) <= n < len(parts) else None


def number(match):
    return int(match[0]) if match else None


HELPERS = {"number": number, "math": math, "re": re, "dt": dt, "half_away": half_away, "cut": cut, "part": part,
           "day_us": dt.timedelta(days=1)}


def cases():
    """name of the file -> [(expression, "sql" or "py", its twin)]"""
    out = {}

    def both(name, *texts):  # the same text in both languages
        out.setdefault(name, []).extend((t, "py" if name.startswith("py_") else "sql", t) for t in texts)

    def sql(name, *pairs):
        out.setdefault(name, []).extend((p, "sql", q) for p, q in pairs)

    def py(name, *pairs):
        out.setdefault(name, []).extend((p, "py", q) for p, q in pairs)

    # Arithmetic: column and column, column and literal, literal and column, of each pair of types.
    small = "(if i < -1000 then 5 else i)"
    small_sql = "(CASE WHEN i < -1000 THEN 5 ELSE i END)"
    for op in "+-":
        both("int_arithmetic", f"i {op} j", f"i {op} 17", f"1000 {op} i", f"j {op} i {op} j")
    sql("int_arithmetic", (f"{small} * j", f"{small_sql} * j"), ("i * 3", "i * 3"), ("-4 * j", "-4 * j"), ("-i", "-i"))
    py("int_division", *((p, p) for p in ("i // j", "i % j", "i // 5", "i % 5", "i // -3", "i % -3", "1000003 // j",
                                           "1000003 % j", "-17 // j", "-17 % j", "(i // j) * j + i % j", "i % j % 4")))
    py("float_arithmetic", *((p, p) for p in (
        "x + y", "x - y", "y + 0.1", "0.1 + y", "y - 0.7", "0.7 - y", "y * y", "y * 1.1", "1.1 * y", "x / y", "y / 3.0",
        "1.0 / y", "-x", "-y", "x + j", "j + x", "x - j", "j - x", "y * j", "j * y", "x / j", "j / y", "1 / j", "x + 1", "1 - x", "y * 2", "x / 4", "y ** 2", "y ** 3")))
    # An int is widened to float before it is divided; Python divides the ints themselves.
    py("float_arithmetic", ("i / j", "float(i) / j"), ("i / 7", "float(i) / 7"))
    py("powers", ("2 ** (j % 10)", "float(2 ** (j % 10))"), ("j ** 2", "float(j ** 2)"), ("-2 ** 2", "-4.0"),
       ("2 ** -1", "0.5"), ("2 ** 3 ** 2", "512.0"), ("y ** 2", "y ** 2"), ("y ** 0", "1.0 + 0 * y"), ("-y ** 2", "-(y ** 2)"),
       ("abs(y) ** 0.5", "abs(y) ** 0.5"), ("10 ** 15", "1e15"), ("(-8) ** 3", "-512.0"), ("0.5 ** j", "0.5 ** j"))
    py("precedence", *((p, q) for p, q in (
        ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("10 - 4 - 3", "3"), ("100 // 7 // 2", "7"), ("7 - -3", "10"),
        ("2 * 3 % 4", "2"), ("-7 // 2", "-4"), ("-7 % 3", "2"), ("not true or true", "True"),
        ("not (true or true)", "False"), ("true or false and false", "True"), ("1 + 1 == 2 and 2 > 1", "True"))))
    # Comparisons and three-valued logic.
    for op, q in (("==", "="), ("!=", "<>"), ("<", "<"), ("<=", "<="), (">", ">"), (">=", ">=")):
        sql("compare_int", (f"i {op} j", f"i {q} j"), (f"i {op} 7", f"i {q} 7"), (f"3 {op} j", f"3 {q} j"))
        sql("compare_float", (f"x {op} y", f"x {q} y"), (f"x {op} 0.5", f"x {q} 0.5::DOUBLE"),
            (f"y {op} j", f"y {q} j::DOUBLE"), (f"j {op} y", f"j::DOUBLE {q} y"))
        sql("compare_string", (f"s {op} t", f"s {q} t"), (f's {op} "pikachu"', f"s {q} 'pikachu'"), (f'"b" {op} t', f"'b' {q} t"))
        sql("compare_time", (f"d {op} e", f"d {q} e"), (f"m {op} n", f"m {q} n"),
            (f'd {op} date("2000-02-29")', f"d {q} DATE '2000-02-29'"),
            (f'm {op} timestamp("2020-06-15T06:07:08.25Z")', f"m {q} TIMESTAMP '2020-06-15 06:07:08.25'"))
        sql("compare_bool", (f"b {op} c", f"b {q} c"))
    for op in ("and", "or"):
        sql("logic", (f"b {op} c", f"b {op} c"), (f"b {op} true", f"b {op} true"), (f"false {op} c", f"false {op} c"),
            (f"not b {op} not c", f"(not b) {op} (not c)"), (f"not (b {op} c)", f"not (b {op} c)"),
            (f"i > 0 {op} x > 1.0", f"i > 0 {op} x > 1.0"), (f"b {op} i is null", f"b {op} (i is null)"),
            (f"(b {op} c) is null", f"(b {op} c) is null"), (f"b {op} c {op} b", f"b {op} c {op} b"),
            (f"c {op} null", f"c {op} null"))
    sql("logic", ("not b", "not b"), ("not not b", "b"), ("b == true", "b"), ("b and c or not b and not c", "(b and c) or (not b and not c)"))
    for col, low, high in (("i", "-5", "50"), ("x", "0.1", "100.0"), ("j", "i", "1000")):
        sql("between", (f"{col} between {low} and {high}", f"{col} between {low} and {high}"),
            (f"{col} not between {low} and {high}", f"{col} not between {low} and {high}"))
    sql("between", ('s between "a" and "q"', "s between 'a' and 'q'"),
        ('d between date("1999-12-31") and e', "d between DATE '1999-12-31' and e"),
        ('m between n and timestamp("2030-01-01T00:00:00Z")', "m between n and TIMESTAMP '2030-01-01'"),
        ("not i between 0 and 10", "not (i between 0 and 10)"), ("i + 1 between j and j + 10", "i + 1 between j and j + 10"),
        ("i between 10 and 0", "i between 10 and 0"))
    sql("lists", ("i in [1, 7, 42]", "i in (1, 7, 42)"), ("i not in [1, 7, 42]", "i not in (1, 7, 42)"),
        ('s in ["zZ", "", "pikachu"]', "s in ('zZ', '', 'pikachu')"), ('s not in ["zZ"]', "s not in ('zZ')"),
        ("x in [0.5, 3.0]", "x in (0.5, 3.0)"), ('t in ["a"]', "t in ('a')"), ("j in [2, 3, 5, 7, 97]", "j in (2, 3, 5, 7, 97)"),
        ('d in [date("2000-02-29"), date("2026-11-25")]', "d in (DATE '2000-02-29', DATE '2026-11-25')"),
        ("not (i in [3, -3])", "not (i in (3, -3))"), ("b in [true]", "b in (true)"), ('g in ["red", "green"]', "g in ('red', 'green')"),
        ('g not in ["red", "green"]', "g not in ('red', 'green')"))
    # Nulls.
    for col in "i x b s d m".split():
        sql("nulls", (f"{col} is null", f"{col} is null"), (f"{col} is not null", f"{col} is not null"))
    sql("nulls", ("i ?? 0", "coalesce(i, 0)"), ("i ?? j", "coalesce(i, j)"), ("x ?? y", "coalesce(x, y)"), ('s ?? "none"', "coalesce(s, 'none')"),
        ("b ?? c", "coalesce(b, c)"), ("b ?? c ?? false", "coalesce(b, c, false)"), ("d ?? e", "coalesce(d, e)"), ("m ?? n", "coalesce(m, n)"),
        ("coalesce(i, j, 5)", "coalesce(i, j, 5)"), ("coalesce(g, t, s)", "coalesce(g, t, s)"), ("(i + j) ?? -1", "coalesce(i + j, -1)"),
        ("(i is null) == (j is null)", "(i is null) = (j is null)"), ('(g ?? "") == ""', "coalesce(g, '') = ''"))
    sql("conditions", ("if b then i else j", "case when b then i else j end"), ("if i > j then i else j", "case when i > j then i else j end"),
        ("if b then x else null", "case when b then x end"), ("if i is null then -1 else i", "case when i is null then -1 else i end"),
        ('if i > 100 then "big" else if i > 0 then "small" else "none"', "case when i > 100 then 'big' when i > 0 then 'small' else 'none' end"),
        ("if b and c then 1 else 0", "case when b and c then 1 else 0 end"), ("1 + (if b then 10 else 20)", "1 + case when b then 10 else 20 end"),
        ("if not b then d else e", "case when not b then d else e end"), ('if s == "" then "empty" else s', "case when s = '' then 'empty' else s end"),
        ("if j != 0 then i / j else 0.0", "case when j <> 0 then i / j else 0.0::double end"),
        ("if null then 1 else 2", "case when null then 1 else 2 end"), ("if m < n then m else n", "case when m < n then m else n end"))
    # Numbers.
    py("number_functions", ("abs(i)", "abs(i)"), ("abs(x)", "abs(x)"), ("abs(j - 50)", "abs(j - 50)"), ("floor(y)", "float(math.floor(y))"),
       ("ceil(y)", "float(math.ceil(y)) if math.ceil(y) or y > 0 else -0.0"), ("floor(i)", "i"), ("ceil(j)", "j"), ("sqrt(abs(y))", "math.sqrt(abs(y))"), ("sqrt(j * j)", "float(abs(j))"),
       ("ln(abs(y)) > 0", "math.log(abs(y)) > 0"), ("log10(1000)", "3.0"), ("exp(0)", "1.0"), ("round(y)", "half_away(y)"), ("round(y, 1)", "half_away(y, 1)"),
       ("round(y, 2)", "half_away(y, 2)"), ("round(j, -1)", "half_away(j, -1)"), ("round(j, -2)", "half_away(j, -2)"), ("round(y, -3)", "half_away(y, -3) + 0.0 if half_away(y, -3) or y > 0 else -0.0"),
       ("round(2.5)", "3.0"), ("round(-2.5)", "-3.0"), ("round(0.125, 2)", "0.13"), ("round(99.995, 2)", "100.0"), ("round(j + 0.5)", "float(j + 1) if j > 0 else float(j)"),
       ("clamp(j, 0, 50)", "min(max(j, 0), 50)"), ("clamp(y, -1.0, 1.0)", "min(max(y, -1.0), 1.0)"), ("min(i, j)", "min(i, j)"), ("max(i, j)", "max(i, j)"),
       ("min(x, y)", "min(x, y)"), ("max(x, y, 1.0)", "max(x, y, 1.0)"), ("min(s, t)", "min(s.encode(), t.encode()).decode()"),
       ("max(d, e)", "max(d, e)"), ("max(m, n)", "max(m, n)"), ("min(i, 10) + max(j, 10)", "min(i, 10) + max(j, 10)"), ("abs(-j) == j", "abs(-j) == j"),
       ("floor(y / 2)", "float(math.floor(y / 2))"), ("ceil(j / 2)", "float(math.ceil(j / 2)) if math.ceil(j / 2) or j > 0 else -0.0"))
    # Strings: Python counts code points from 0, as .pipe does.
    py("string_functions", ("upper(s)", "s.upper()"), ("lower(s)", "s.lower()"), ("length(s)", "len(s)"), ("trim(s)", "s.strip()"),
       ('trim(s, "-xz ")', 's.strip("-xz ")'), ("substring(s, 2)", "cut(s, 2)"), ("substring(s, 0, 3)", "cut(s, 0, 3)"), ("substring(s, -3)", "cut(s, -3)"),
       ("substring(s, -3, 2)", "cut(s, -3, 2)"), ("substring(s, 100, 2)", "cut(s, 100, 2)"), ("substring(s, 1, 0)", "cut(s, 1, 0)"), ("substring(s, length(s) - 1)", "cut(s, len(s) - 1) if s else ''"),
       ('replace(s, "a", "")', 's.replace("a", "")'), ('replace(s, t, "<>")', 's.replace(t, "<>")'), ('replace(s, " ", "__")', 's.replace(" ", "__")'), ('replace(s, "zz", s)', 's.replace("zz", s)'),
       ('split_part(s, ",", 0)', 'part(s, ",", 0)'), ('split_part(s, ",", 2)', 'part(s, ",", 2)'), ('split_part(s, ",", -1)', 'part(s, ",", -1)'), ("split_part(s, t, 1)", "part(s, t, 1)"),
       ('split_part(s, " ", 1)', 'part(s, " ", 1)'), ('split_part(s, "-", -4)', 'part(s, "-", -4)'), ("contains(s, t)", "t in s"), ('contains(s, "a")', '"a" in s'),
       ("starts_with(s, t)", "s.startswith(t)"), ('starts_with(s, "pi")', 's.startswith("pi")'), ("ends_with(s, t)", "s.endswith(t)"), ('ends_with(s, "c")', 's.endswith("c")'),
       ('contains(s, "")', '"" in s'), ("s + t", "s + t"), ('s + "!"', 's + "!"'), ('"<" + s + ">"', '"<" + s + ">"'), ('concat(s, "/", i)', 's + "/" + str(i)'), ("concat(t, j)", "t + str(j)"),
       ('pad_left(t, 5, "*")', 't.rjust(5, "*")'), ("pad_left(s, 4)", "s.rjust(4)"), ('pad_right(t, 3, "ab")', '(t + "ababab"[:max(0, 3 - len(t))])'), ("pad_right(t, 2)", "t.ljust(2)"),
       ('pad_left("7", 3, "0")', '"007"'), ('"{{}" + t', '"{}" + t'), ("length(upper(s)) == length(s)", "len(s.upper()) == len(s)"),
       ('length("") == 0', "True"), ("length(s + t) == length(s) + length(t)", "True if s is not t else True"), ('substring("Flabébé", 4, 2)', '"éb"'), ('upper("straße")', '"STRAßE"'),
       ('replace("aaaa", "aa", "b")', '"aaaa".replace("aa", "b")'), ('split_part("a--b", "--", 1)', '"b"'))
    sql("interpolation", ('"{s}={i}"', "coalesce(s, '') || '=' || coalesce(i::VARCHAR, '')"), ('"{b} {c}"', "coalesce(b::VARCHAR, '') || ' ' || coalesce(c::VARCHAR, '')"),
        ('"{d}"', "coalesce(d::VARCHAR, '')"), ('"{s ?? "null"}"', "coalesce(s, 'null')"), ('"{i + j}!"', "coalesce((i + j)::VARCHAR, '') || '!'"), ('"{if b then "yes" else "no"}"', "case when b then 'yes' else 'no' end"),
        ('length("{g}{t}")', "length(coalesce(g, '') || coalesce(t, ''))"), ('"{upper(t)}{"{lower(t)}"}"', "coalesce(upper(t) || lower(t), '')"))
    py("patterns", ("matches(s, '[0-9]+')", "re.search('[0-9]+', s) is not None"), ("matches(s, '^[a-z]+$')", "re.search('^[a-z]+$', s) is not None"),
       ("matches(s, '(?i)^abc')", "re.search('(?i)^abc', s) is not None"), ("extract(s, '[0-9]+')", "(re.search('[0-9]+', s) or [None])[0]"),
       ("extract(s, '([a-z])-([a-z])', 2)", "(re.search('([a-z])-([a-z])', s) or [None] * 3)[2]"), ("extract(s, '\\w+')", "(re.search(r'\\w+', s) or [None])[0]"),
       ("extract(s, '.$')", "(re.search('.$', s) or [None])[0]"), ("matches(s, t)", "re.search(re.escape(t), s) is not None"), ("matches(s, '')", "True if s is not None else None"),
       ("extract(s, '(x)|(b)', 2)", "(re.search('(x)|(b)', s) or [None] * 3)[2]"), ("extract(s, '\\s+')", "(re.search(r'\\s+', s) or [None])[0]"),
       ("matches(s, 'é|語')", "re.search('é|語', s) is not None"))
    py("formats", ("format('{:.2f}', y)", "'{:.2f}'.format(y)"), ("format('{:05d}', j)", "'{:05d}'.format(j)"), ("format('{:,}', i)", "'{:,}'.format(i)"), ("format('{:>8}|{:<8}', t, j)", "'{:>8}|{:<8}'.format(t, j)"),
       ("format('{:x}', abs(j))", "'{:x}'.format(abs(j))"), ("format('{:+.1e}', y)", "'{:+.1e}'.format(y)"), ("format('{:%}', y)", "'{:%}'.format(y)"), ("format('{:.0%}', y)", "'{:.0%}'.format(y)"),
       ("format('{:^9}', t)", "'{:^9}'.format(t)"), ("format('{:*^9}', t)", "'{:*^9}'.format(t)"), ("format('{{{}}}', j)", "'{{{}}}'.format(j)"), ("format('{:b}', j % 16)", "'{:b}'.format(j % 16)"),
       ("format('{:o}', j % 64)", "'{:o}'.format(j % 64)"), ("format('{:#x}', j % 256)", "'{:#x}'.format(j % 256)"), ("format('{:.3g}', y)", "'{:.3g}'.format(y)"), ("format('{: d}', j)", "'{: d}'.format(j)"),
       ("format('{:.3}', s)", "'{:.3}'.format(s)"), ("format('{:08.2f}', y)", "'{:08.2f}'.format(y)"), ("format('{:,.1f}', y)", "'{:,.1f}'.format(y)"), ("format('{}-{}', t, t)", "'{}-{}'.format(t, t)"))
    py("conversions", ("int(string(i))", "i"), ("float(string(x))", "x"), ("string(i)", "str(i)"), ("string(x)", "repr(x)"), ("string(b)", "str(b).lower()"), ("string(d)", "d"), ("string(m)", "m"),
       ("int(y)", "int(y)"), ("float(i)", "float(i)"), ("int(b)", "int(b)"), ("float(b)", "float(b)"), ("bool(i)", "i != 0"), ('bool("TRUE")', "True"), ('int("-12")', "-12"), ('float("1e3")', "1000.0"), ('int("007")', "7"),
       ('date("2024-02-29")', "dt.date(2024, 2, 29)"), ("date(m)", "m.date()"), ("timestamp(d)", "dt.datetime(d.year, d.month, d.day)"), ('timestamp("2026-01-02 03:04:05+01:00")', "dt.datetime(2026, 1, 2, 2, 4, 5)"),
       ("float(j) / 8", "j / 8"), ("string(y) == string(y)", "y == y"), ("int(extract(s, '[0-9]+'))", "number(re.search('[0-9]+', s))"), ("int(2.9) + int(-2.9)", "0"))
    # Time.
    for f, q in (("year", "year"), ("month", "month"), ("day", "day")):
        sql("time_parts", (f"{f}(d)", f"{q}(d)"), (f"{f}(m)", f"{q}(m)"), (f"{f}(e) - {f}(d)", f"{q}(e) - {q}(d)"))
    sql("time_parts", ("hour(m)", "hour(m)"), ("minute(m)", "minute(m)"), ("second(m)", "second(m)"), ("hour(n)", "hour(n)"), ("second(n)", "second(n)"), ("weekday(d)", "isodow(d)"), ("weekday(m)", "isodow(m)"), ("weekday(e)", "isodow(e)"))
    py("time_arithmetic", ("d - e", "d - e"), ("m - n", "m - n"), ("d + 1d", "d + dt.timedelta(days=1)"), ("d - 1d", "d - dt.timedelta(days=1)"), ("d + 365d", "d + dt.timedelta(days=365)"),
       ("m + 90m", "m + dt.timedelta(minutes=90)"), ("m - 1.5h", "m - dt.timedelta(hours=1.5)"), ("m + 250ms", "m + dt.timedelta(milliseconds=250)"), ("n - 1us", "n - dt.timedelta(microseconds=1)"), ("d + (e - d)", "e if d else e"),
       ("m + (n - m)", "n if m else n"), ("(d - e) > 0s", "(d - e) > dt.timedelta(0)"), ("timestamp(d) + 12h", "dt.datetime(d.year, d.month, d.day, 12)"), ("date(m + 1d) == date(m) + 1d", "(m + day_us).date() == m.date() + day_us"),
       ("abs(d - e)", "abs(d - e)"), ("abs(m - n) < 1d", "abs(m - n) < day_us"), ("m - timestamp(date(m))", "m - dt.datetime(m.year, m.month, m.day)"), ("-(m - n)", "-(m - n)"))
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%H:%M:%S", "%j", "%A %d %B %Y", "%a %b %d", "%I:%M %p", "%y%m%d", "%%"):
        sql("time_formats", (f'format_time(m, "{pattern}")', f"strftime(m, '{pattern}')"))
    sql("time_formats", ('format_time(d, "%d/%m/%Y")', "strftime(d, '%d/%m/%Y')"), ('format_time(d, "%A")', "strftime(d, '%A')"), ('parse_time(format_time(d, "%d.%m.%Y"), "%d.%m.%Y")', "d::TIMESTAMP"),
        ('parse_time("25.11.2026 20:24", "%d.%m.%Y %H:%M")', "TIMESTAMP '2026-11-25 20:24:00'"), ('parse_time(format_time(m, "%Y-%m-%dT%H:%M:%S"), "%Y-%m-%dT%H:%M:%S")', "date_trunc('second', m)"),
        ('format_time(e, "%Y/%j")', "strftime(e, '%Y/%j')"))
    return out


AGGREGATES = [
    ("count()", "count(*)"), ("count(i)", "count(i)"), ("count(s)", "count(s)"), ("count_distinct(i)", "count(distinct i)"),
    ("count_distinct(g)", "count(distinct g)"), ("count_distinct(b)", "count(distinct b)"), ("sum(j)", "sum(j)::BIGINT"),
    ("sum(j * 2)", "sum(j * 2)::BIGINT"), ("mean(j)", "avg(j)"), ("min(i)", "min(i)"), ("max(i)", "max(i)"), ("min(x)", "min(x)"), ("max(y)", "max(y)"),
    ("min(d)", "min(d)"), ("max(m)", "max(m)"), ("min(g)", "min(g)"), ("max(g)", "max(g)"), ("min(b)", "min(b)"), ("max(c)", "max(c)"),
    ("median(j)", "median(j)"), ("median(y)", "median(y)"), ("any(b)", "bool_or(b)"), ("all(b)", "bool_and(b)"), ("any(i > 1000)", "bool_or(i > 1000)"),
    ("all(j > -10)", "bool_and(j > -10)"), ("first(i)", "first(i order by pos) filter (i is not null)"), ("last(i)", "last(i order by pos) filter (i is not null)"),
    ("first(g)", "first(g order by pos) filter (g is not null)"), ("last(b)", "last(b order by pos) filter (b is not null)"),
    ("arg_min(s, j)", "arg_min_null(s, j)"), ("arg_max(s, j)", "arg_max_null(s, j)"), ("arg_max(i, d)", "arg_max_null(i, d)"), ("arg_min(d, i)", "arg_min_null(d, i)"),
    ('string_agg(t, "+")', "string_agg(t, '+' order by pos)"), ('string_agg(upper(g), "")', "string_agg(upper(g), '' order by pos)"),
    ("count(b and c)", "count(b and c)"), ("sum(length(s))", "sum(length(s))::BIGINT"), ("max(length(s)) - min(length(s))", "max(length(s)) - min(length(s))"),
    ("count() - count(i)", "count(*) - count(i)"), ("round(mean(j), 3)", "round(avg(j), 3)"), ("round(stddev(j), 6)", "round(stddev_samp(j), 6)"),
    ("round(variance(j), 6)", "round(var_samp(j), 6)"), ("sum(if b then 1 else 0)", "sum(case when b then 1 else 0 end)::BIGINT"), ("mean(if b then 1 else 0)", "avg(case when b then 1 else 0 end)"),
    ("min(m) < max(n)", "min(m) < max(n)"), ("max(d) - min(d)", "max(d)::TIMESTAMP - min(d)::TIMESTAMP"), ("median(year(d))", "median(year(d))"), ("count_distinct(upper(g))", "count(distinct upper(g))"),
]

# What pipemill says of one of them: it is meant here, for `count` of DuckDB does the same.
WARNED = {"count(b and c)": ("#                 ^^^^^^^ warning[W0028]: `count` counts what is not null: where this is false too\n"
                             "#                 help: to count where it holds write `sum(int(b and c))`")}


def head(of):
    return (f"# Expectations by {of}; made by oracle.py, not by pipemill.\n")


def source():
    return "#file rows.csv\n" + "".join("#| " + line + "\n" for line in ROWS.splitlines())


SCHEMA = ("schema row {\n  i: int, j: int, x: float, y: float, b: bool, c: bool, s: string, t: string,\n"
          "  d: date, e: date, m: timestamp, n: timestamp, g: string\n}\n")


def write(name, text):
    with open(os.path.join(HERE, name + ".pipe"), "w", encoding="utf-8") as f:
        f.write(text)


def by_row(oracle, name, part_of, versions):
    columns = []
    for expr, how, twin in part_of:
        try:
            columns.append(oracle.sql(twin) if how == "sql" else oracle.py(twin))
        except Exception as e:
            sys.exit(f"{name}: {expr}: {how}: {twin}: {e}")
    names = [f"v{k}" for k in range(len(part_of))]
    exprs = ",\n    ".join(f"{n} = {expr}" for n, (expr, _, _) in zip(names, part_of))
    text = head(versions) + "#! run\n" + SCHEMA
    text += f'job values {{\n  read csv "rows.csv" as row | map {{\n    select {exprs}\n  }} | map write csv stdout\n}}\n'
    text += "#> " + ",".join(names) + "\n"
    for at in range(len(oracle.rows)):
        text += "#> " + ",".join(shown(c[at]) for c in columns) + "\n"
    write(name, text + source())


def main():
    oracle = Oracle()
    versions = f"DuckDB {duckdb.__version__} and Python {sys.version.split()[0]}"
    for old in os.listdir(HERE):
        if old.endswith(".pipe"):
            os.remove(os.path.join(HERE, old))
    n = 0
    for name, all_of in cases().items():
        parts = [all_of[k:k + PER_FILE] for k in range(0, len(all_of), PER_FILE)]
        for k, part_of in enumerate(parts):
            by_row(oracle, name if len(parts) == 1 else f"{name}_{k + 1}", part_of, versions)
        n += len(all_of)
    pairs = [(p, re.sub(r"arg_min_null\((\w+), (\w+)\)", r"first(\1 order by \2, pos) filter (\2 is not null)",
                        re.sub(r"arg_max_null\((\w+), (\w+)\)", r"first(\1 order by \2 desc, pos) filter (\2 is not null)", q)))
             for p, q in AGGREGATES]
    for k in range(0, len(pairs), PER_FILE):
        some = pairs[k:k + PER_FILE]
        names = [f"v{a}" for a in range(len(some))]
        ends = [","] * (len(some) - 1) + [""]
        body = "\n      ".join(f"{v} = {p}{end}" + ("\n" + WARNED[p] if p in WARNED else "")
                               for v, (p, _), end in zip(names, some, ends))
        for kind in ("aggregate", "group"):
            verb = "aggregate" if kind == "aggregate" else "group by g"
            text = head(versions) + "#! run\n" + SCHEMA
            text += (f'job values {{\n  read csv "rows.csv" as row batch 5 | collect {{\n    {verb} {{\n      {body}\n    }}\n'
                     "  } | write csv stdout\n}\n")
            if kind == "aggregate":
                text += "#> " + ",".join(names) + "\n"
                text += "#> " + ",".join(shown(oracle.aggregate(q)) for _, q in some) + "\n"
            else:
                text += "#> " + ",".join(["g"] + names) + "\n"
                columns = [oracle.groups(q) for _, q in some]
                for at in range(len(columns[0])):
                    text += "#> " + ",".join([shown(columns[0][at][0])] + [shown(c[at][1]) for c in columns]) + "\n"
            write(f"{'aggregates' if kind == 'aggregate' else 'groups'}_{k // PER_FILE + 1}", text + source())
            n += len(some)
    print(f"{n} expressions")


if __name__ == "__main__":
    main()
