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

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
KEPT = os.path.join(ROOT, "build", "programs")
LARGEST = 2 ** 40  # numbers below are whole in a float, and far from an overflow
MOST_ROWS = 30000
TYPES = ["int", "int", "float", "bool", "string", "string"]  # `mean` is a float that is only passed on: sums of it depend on the order


class LeftOut(Exception):
    """The program is not compared: a number or a table became too large."""


# ---- values: None, int, float, bool, str; a cell that was read is one of these classes and prints as it stood

class IntCell(int):
    pass


class FloatCell(float):
    pass


class StringCell(str):
    pass


PLAIN = {IntCell: int, FloatCell: float, StringCell: str}
CELL = {int: IntCell, float: FloatCell, str: StringCell}


def cell(value, text):
    made = CELL[type(value)](value)
    made.text = text
    return made


def plain(value):
    return PLAIN[type(value)](value) if type(value) in PLAIN else value


def widen(value):
    """What union makes of an int: a cell keeps its text."""
    return cell(float(value), value.text) if type(value) is IntCell else float(value) if type(value) is int else value


def printed(value):
    """As interpolation and string() give it."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def written(value):
    """As a CSV file has it."""
    if type(value) in PLAIN:
        return value.text
    text = printed(value)
    return quoted(text) if value is not None and (text == "" or any(c in text for c in ',"\r\n')) else text


def csv_text(cols, rows):
    return "".join(",".join(line) + "\n" for line in [[c for c, _ in cols]] + [[written(r[c]) for c, _ in cols] for r in rows])


# ---- expressions: (text, function of a row and its context). A context is (path of the batch, number of the row).

def lift(f):
    """Null for a null among the arguments."""
    def call(*args):
        if any(a is None for a in args):
            return None
        made = f(*map(plain, args))
        if type(made) in (int, float) and abs(made) > LARGEST:
            raise LeftOut
        return made
    return call


def three_valued(word, x, y):
    stop = word == "or"
    if x is stop or y is stop:
        return stop
    return None if x is None or y is None else not stop


COMPARE = {"<": lambda x, y: x < y, "<=": lambda x, y: x <= y, "==": lambda x, y: x == y,
           "!=": lambda x, y: x != y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y}
ARITHMETIC = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y}


def literal(rng, kind, words):
    if kind == "int":
        return rng.randint(-4, 6)
    if kind == "float":
        return rng.choice((0.25, 0.5, 1.5, 2.0, 10.75))
    if kind == "bool":
        return rng.random() < 0.5
    return rng.choice(words)


def literal_text(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("{", "{{") + '"'
    return f"({value})" if not isinstance(value, bool) and value < 0 else printed(value)


class Expressions:
    """Random expressions over columns, a list of (name, type)."""

    def __init__(self, rng, cols, words):
        self.rng, self.cols, self.words = rng, cols, words

    def named(self, *kinds):
        return [c for c, t in self.cols if t in kinds]

    def leaf(self, kind):
        names = self.named(kind) or (self.named("int") if kind == "float" and self.rng.random() < 0.5 else [])
        if names and self.rng.random() < 0.8:
            name = self.rng.choice(names)
            if (name, kind) not in self.cols:  # an int that is widened, which a bare column is not
                return f"({name} + 0.5)", lambda row, at: lift(lambda x: x + 0.5)(row[name])
            return name, lambda row, at: row[name]
        value = literal(self.rng, kind, self.words)
        return literal_text(value), lambda row, at: value

    def call(self, form, function, *kinds, depth):
        parts = [self.make(k, depth) for k in kinds]
        compute = lift(function)
        return form.format(*(text for text, _ in parts)), lambda row, at: compute(*(f(row, at) for _, f in parts))

    def make(self, kind, depth=3):
        rng = self.rng
        if kind == "mean":
            name = rng.choice(self.named("mean"))
            return name, lambda row, at: row[name]
        if depth <= 0 or rng.random() < 0.25:
            return self.leaf(kind)
        depth -= 1
        general = rng.random()
        if general < 0.12:
            (c, fc), (a, fa), (b, fb) = self.make("bool", depth), self.make(kind, depth), self.make(kind, depth)
            if rng.random() < 0.2:
                b, fb = "null", lambda row, at: None
            return f"(if {c} then {a} else {b})", lambda row, at: plain((fa if fc(row, at) is True else fb)(row, at))
        if general < 0.22:
            (a, fa), (b, fb) = self.make(kind, depth), self.make(kind, depth)
            return f"({a} ?? {b})", lambda row, at: plain(fb(row, at) if fa(row, at) is None else fa(row, at))
        return getattr(self, "make_" + kind)(depth)

    def make_int(self, depth):
        which = self.rng.randrange(6)
        if which < 3:
            op = self.rng.choice("+-*")
            return self.call(f"({{}} {op} {{}})", ARITHMETIC[op], "int", "int", depth=depth)
        if which == 3:
            return self.call("length({})", len, "string", depth=depth)
        n = self.rng.randint(2, 5)
        if which == 4:
            return self.call(f"({{}} // {n})", lambda x: x // n, "int", depth=depth)
        return self.call(f"({{}} % {n})", lambda x: x % n, "int", depth=depth)

    def make_float(self, depth):
        which = self.rng.randrange(4)
        if which == 0:
            n = self.rng.choice((2, 4))
            return self.call(f"({{}} / {n})", lambda x: x / n, "int", depth=depth)
        if which == 1:
            return self.call("float({})", float, "int", depth=depth)
        op = self.rng.choice("+-")
        return self.call(f"({{}} {op} {{}})", ARITHMETIC[op], "float", self.rng.choice(("int", "float")), depth=depth)

    def make_bool(self, depth):
        rng, which = self.rng, self.rng.randrange(10)
        if which < 4:
            op = rng.choice(list(COMPARE))
            left, right = rng.choice((("int", "int"), ("int", "float"), ("float", "int"), ("float", "float"), ("string", "string"), ("string", "string")))
            return self.call(f"({{}} {op} {{}})", COMPARE[op], left, right, depth=depth)
        if which == 4:
            name, wanted = rng.choice(self.cols)[0], rng.random() < 0.5
            return f"({name} is {'' if wanted else 'not '}null)", lambda row, at: (row[name] is None) == wanted
        if which == 5:
            (a, fa), (b, fb), op = self.make("bool", depth), self.make("bool", depth), rng.choice(("and", "or"))
            return f"({a} {op} {b})", lambda row, at: three_valued(op, fa(row, at), fb(row, at))
        if which == 6:
            return self.call("(not {})", lambda x: not x, "bool", depth=depth)
        if which == 7:
            kind, wanted = rng.choice(("int", "string")), rng.random() < 0.7
            values = [literal(rng, kind, self.words) for _ in range(rng.randint(1, 4))]
            listed = ", ".join(literal_text(v).strip("()") if kind == "int" else literal_text(v) for v in values)
            return self.call(f"({{}} {'' if wanted else 'not '}in [{listed}])", lambda x: (x in values) == wanted, kind, depth=depth)
        if which == 8:
            word = rng.choice(self.words)
            name, test = rng.choice((("contains", str.__contains__), ("starts_with", str.startswith), ("ends_with", str.endswith)))
            return self.call(f"{name}({{}}, {literal_text(word)})", lambda x: test(x, word), "string", depth=depth)
        low, high = sorted((rng.randint(-3, 5), rng.randint(-3, 5)))
        return self.call(f"({{}} between {low} and {high})", lambda x: low <= x <= high, "int", depth=depth)

    def make_string(self, depth):
        rng, which = self.rng, self.rng.randrange(7)
        if which == 0:
            name, function = rng.choice((("upper", str.upper), ("lower", str.lower)))
            return self.call(f"{name}({{}})", function, "string", depth=depth)
        if which == 1:
            start, n = rng.randint(0, 2), rng.randint(0, 3)
            return self.call(f"substring({{}}, {start}, {n})", lambda x: x[start:start + n], "string", depth=depth)
        if which == 2:
            return self.call("({} + {})", lambda x, y: x + y, "string", "string", depth=depth)
        if which == 3:
            return self.call('replace({}, "y", "<>")', lambda x: x.replace("y", "<>"), "string", depth=depth)
        if which == 4:
            return self.call("string({})", printed, rng.choice(("int", "float", "bool")), depth=depth)
        text, f = self.make(rng.choice(TYPES), depth)
        return '"<{' + text + '}>"', lambda row, at: "<" + printed(f(row, at)) + ">"


# ---- statements: (text, function of rows and of the path of the batch, the columns that come out)

def sorted_rows(rows, keys):
    """keys: (function of a row, descending); stable, nulls last in both directions."""
    for f, descending in reversed(keys):
        values = [r for r in rows if f(r) is not None]
        nulls = [r for r in rows if f(r) is None]
        rows = sorted(values, key=lambda r: plain(f(r)), reverse=descending) + nulls  # reverse keeps equals in order
    return rows


def first_of_each(rows, names):
    seen = {}
    for r in rows:
        seen.setdefault(tuple(plain(r[c]) for c in names), r)
    return list(seen.values())


def sum_of(values):
    if values and abs(sum(values)) > LARGEST:
        raise LeftOut
    return sum(values) if values else None


def median_of(values):
    v, half = sorted(values), len(values) // 2
    return None if not v else float(v[half]) if len(v) % 2 else (v[half - 1] + v[half]) / 2


# Of the values that are not null; the type that comes out, or None for that of the argument.
AGGREGATES = {
    "sum": ("int float", None, sum_of), "mean": ("int", "mean", lambda v: sum_of(v) / len(v) if v else None),
    "median": ("int", "mean", median_of), "count": ("int float bool string", "int", len),
    "count_distinct": ("int float bool string", "int", lambda v: len(set(v))),
    "min": ("int float string", None, lambda v: min(v, default=None)), "max": ("int float string", None, lambda v: max(v, default=None)),
    "first": ("int float bool string", None, lambda v: v[0] if v else None), "last": ("int float bool string", None, lambda v: v[-1] if v else None),
    "any": ("bool", None, lambda v: any(v) if v else None), "all": ("bool", None, lambda v: all(v) if v else None),
    "string_agg": ("string", None, lambda v: "-".join(v) if v else None)}


class Statements:
    """Random statements that go on from cols. Tables that joins and unions may use: {name: Table}."""

    BY_ROW = "where where derive derive derive select select drop rename join join join explode".split()
    ANY = BY_ROW + "sort sort take skip top distinct group group aggregate union union number".split()

    def __init__(self, maker, flow, tables, in_map):
        self.rng, self.maker, self.cols, self.tables = maker.rng, maker, list(flow.cols), tables
        self.kinds = self.BY_ROW if flow.is_auto else self.ANY
        self.numbers = [] if flow.is_auto else ["row()"] if not in_map else ["index()", "key()"] if flow.keyed else ["index()"]
        self.used = set()  # names of tables

    def expressions(self):
        return Expressions(self.rng, self.cols, self.maker.words)

    def names(self):
        return [c for c, _ in self.cols]

    def some(self, n):
        return self.rng.sample(self.cols, min(len(self.cols), self.rng.randint(1, n)))

    def make(self):
        """A statement, or None where it does not fit."""
        return getattr(self, self.rng.choice(self.kinds))()

    def where(self):
        text, f = self.expressions().make("bool")
        return "where " + text, lambda rows, path: [r for k, r in enumerate(rows) if f(r, None) is True]

    def definition(self, names):
        """NAME = EXPR, new or in place of one of names."""
        kind = self.rng.choice(TYPES)
        text, f = self.expressions().make(kind)
        name = self.rng.choice(names) if names and self.rng.random() < 0.4 else self.maker.fresh()
        return name, kind, text, f

    def derive(self):
        name, kind, text, f = self.definition(self.names())
        self.cols = [(c, kind if c == name else t) for c, t in self.cols] + ([] if name in self.names() else [(name, kind)])
        return f"derive {name} = {text}", lambda rows, path: [{**r, name: f(r, None)} for r in rows]

    def select(self):
        kept = self.some(4)
        name, kind, text, f = self.definition([])
        with_rest = self.rng.random() < 0.3
        rest = [c for c in self.cols if c not in kept] if with_rest else []
        self.cols = kept + [(name, kind)] + rest
        listed = [c for c, _ in kept] + [f"{name} = {text}"] + (["*"] if with_rest else [])
        return "select " + ", ".join(listed), lambda rows, path: [{**r, name: f(r, None)} for r in rows]

    def drop(self):
        gone = self.some(2)
        if len(gone) == len(self.cols):
            return None
        self.cols = [c for c in self.cols if c not in gone]
        return "drop " + ", ".join(c for c, _ in gone), lambda rows, path: rows

    def rename(self):
        old, new = self.rng.choice(self.names()), self.maker.fresh()
        self.cols = [(new if c == old else c, t) for c, t in self.cols]
        return f"rename {old} -> {new}", lambda rows, path: [{**r, new: r[old]} for r in rows]

    def number(self):
        """index() and key(); row() in the first statement of an op, where it is the row of what came in."""
        name, what = self.maker.fresh(), self.rng.choice(self.numbers)
        self.cols.append((name, "string" if what == "key()" else "int"))
        compute = {"index()": lambda path, k: path[-1], "key()": lambda path, k: "/".join(map(str, path)), "row()": lambda path, k: k}[what]
        return f"derive {name} = {what}", lambda rows, path: [{**r, name: compute(path, k)} for k, r in enumerate(rows)]

    def keys(self):
        """Keys of a sort: (text, functions with their directions)."""
        made = []
        for name, kind in self.some(3):
            text, f = name, lambda r, at, c=name: r[c]
            if kind in ("int", "float", "string") and self.rng.random() < 0.3:  # a key of literals alone is a mistake
                more, g = self.expressions().make(kind, 2)
                text, f = f"({name} + {more})", lambda r, at, c=name, g=g: lift(ARITHMETIC["+"])(r[c], g(r, at))
            made.append((text, f, self.rng.random() < 0.5))
        text = ", ".join(t + (" desc" if d else "") for t, _, d in made)
        return text, [((lambda r, f=f: f(r, None)), d) for _, f, d in made]

    def sort(self):
        text, keys = self.keys()
        return "sort by " + text, lambda rows, path: sorted_rows(rows, keys)

    def top(self):
        (text, keys), n = self.keys(), self.rng.randint(0, 8)
        return f"top {n} by {text}", lambda rows, path: sorted_rows(rows, keys)[:n]

    def take(self):
        n = self.rng.choice((0, 1, 3, 8, 20, 20))
        return f"take {n}", lambda rows, path: rows[:n]

    def skip(self):
        n = self.rng.randint(0, 5)
        return f"skip {n}", lambda rows, path: rows[n:]

    def distinct(self):
        names = self.names() if self.rng.random() < 0.4 else [c for c, _ in self.some(2)]
        listed = "" if len(names) == len(self.cols) else " " + ", ".join(names)
        return "distinct" + listed, lambda rows, path: first_of_each(rows, names)

    def explode(self):
        names, by = [c for c, t in self.cols if t == "string"], self.rng.choice(("y", ",", "ab"))
        if not names:
            return None
        name = self.rng.choice(names)
        listed = "" if by == "," else f" by {literal_text(by)}"
        return f"explode {name}{listed}", lambda rows, path: [{**r, name: p} for r in rows for p in ([None] if r[name] is None else plain(r[name]).split(by))]

    def aggregate_expression(self):
        """(text, type, function of the rows of a group)."""
        rng, made = self.rng, self.expressions()
        which = rng.random()
        if which < 0.2:
            return "count()", "int", len
        if which < 0.35:
            kind, name, of = rng.choice(("int", "float", "string")), rng.choice(("arg_min", "arg_max")), rng.choice([c for c in self.names()])
            text, f = made.make(kind, 2)

            def arg(rows):
                best = sorted_rows([r for r in rows if r[of] is not None], [(lambda r: r[of], name == "arg_max")])
                return plain(f(best[0], None)) if best else None
            return f"{name}({text}, {of})", kind, arg
        name = rng.choice(list(AGGREGATES))
        kinds, out, function = AGGREGATES[name]
        kind = rng.choice(kinds.split())
        text, f = made.make(kind, 2)
        separator = ', "-"' if name == "string_agg" else ""
        return f"{name}({text}{separator})", out or kind, lambda rows: function([plain(f(r, None)) for r in rows if f(r, None) is not None])

    def aggregates(self):
        return [(self.maker.fresh(), *self.aggregate_expression()) for _ in range(self.rng.randint(1, 3))]

    def aggregate(self):
        made = self.aggregates()
        self.cols = [(name, kind) for name, _, kind, _ in made]
        return ("aggregate { " + ", ".join(f"{n} = {t}" for n, t, _, _ in made) + " }",
                lambda rows, path: [{name: f(rows) for name, _, _, f in made}])

    def group(self):
        keys, made = [(c, c, t, lambda r, at, c=c: r[c]) for c, t in self.some(2)], self.aggregates()
        if self.rng.random() < 0.3:
            name, kind, text, f = self.definition([])
            keys.append((name, f"{name} = {text}", kind, f))
        self.cols = [(c, t) for c, _, t, _ in keys] + [(name, kind) for name, _, kind, _ in made]

        def compute(rows, path):
            groups = {}
            for r in rows:
                values = {c: f(r, None) for c, _, _, f in keys}
                groups.setdefault(tuple(map(plain, values.values())), (values, []))[1].append(r)
            return [{**values, **{name: f(members) for name, _, _, f in made}} for values, members in groups.values()]
        listed = ", ".join(t for _, t, _, _ in keys), ", ".join(f"{n} = {t}" for n, t, _, _ in made)
        return "group by {} {{ {} }}".format(*listed), compute

    def equations(self, table, name):
        """Equations of columns: (left, theirs)."""
        number = ("int", "float")
        pairs = [(c, d) for c, t in self.cols for d, u in table.cols if "mean" not in (t, u) and (t == u or t in number and u in number)]
        self.rng.shuffle(pairs)
        chosen = []
        for c, d in pairs[:self.rng.choice((1, 1, 1, 2))]:
            if all(c != e and d != f for e, f in chosen):
                chosen.append((c, d))
        return chosen

    def join(self):
        rng, (name, table) = self.rng, self.rng.choice(list(self.tables.items()))
        kind = rng.choice(("", "left ", "semi ", "anti "))
        equal = [] if rng.random() < 0.12 else self.equations(table, name)
        conditions = [rng.choice((f"{c} == {name}.{d}", f"{name}.{d} == {c}")) for c, d in equal]
        extra = None
        if not equal or rng.random() < 0.35:
            both = Expressions(rng, self.cols + [(f"{name}.{d}", t) for d, t in table.cols] * 2, self.maker.words)
            text, extra = both.make_bool(1)
            if " == " in text and kind in ("", "left "):  # an equation of expressions: which columns go is not for us to say
                return None
            conditions.insert(rng.randint(0, len(conditions)), text)
        mine, gone = self.names(), [d for _, d in equal]
        theirs = [(d, d + "_2" if d in mine else d, t) for d, t in table.cols if d not in gone]
        if kind in ("", "left "):
            if len({n for _, n, _ in theirs} | set(mine)) < len(theirs) + len(mine):
                return None
            self.cols += [(n, t) for _, n, t in theirs]
        self.used.add(name)

        def matches(r, other):
            if not all(r[c] is not None and other[d] is not None and r[c] == other[d] for c, d in equal):
                return False
            return extra is None or extra({**r, **{f"{name}.{d}": other[d] for d, _ in table.cols}}, None) is True

        def compute(rows, path):
            index, made = {}, []
            for other in table.data:
                index.setdefault(tuple(other[d] for _, d in equal), []).append(other)
            for r in rows:
                found = [o for o in index.get(tuple(r[c] for c, _ in equal), []) if matches(r, o)]
                if kind in ("semi ", "anti "):
                    made += [r] if bool(found) == (kind == "semi ") else []
                else:
                    made += [{**r, **{n: o[d] for d, n, _ in theirs}} for o in found]
                    made += [{**r, **{n: None for _, n, _ in theirs}}] if not found and kind == "left " else []
                if len(made) > MOST_ROWS:
                    raise LeftOut
            return made
        return f"{kind}join {name} on {' and '.join(conditions)}", compute

    def union(self):
        """A select that makes the columns of the table, ints for floats now and then, and the union."""
        rng, (name, table) = self.rng, self.rng.choice(list(self.tables.items()))
        made, made_of, out = [], self.expressions(), []
        for c, t in rng.sample(table.cols, len(table.cols)):
            kind = rng.choice({"int": ("int", "int", "float"), "float": ("float", "int"), "mean": ("float", "int")}.get(t, (t,)))
            same = [d for d, u in self.cols if u == kind]
            if same and rng.random() < 0.6:
                d = rng.choice(same)
                text, f = d, lambda r, at, d=d: r[d]
            else:
                text, f = made_of.make(kind, 2)
            made.append((c, text, f))
            out.append((c, t if t == kind else "mean" if t == "mean" else "float"))
        widened = [c for c, t in out if t in ("float", "mean")]
        mine, self.cols = self.names(), out
        self.used.add(name)

        def compute(rows, path):
            rows = [{c: f(r, None) for c, _, f in made} for r in rows] + table.data
            return [{**r, **{c: widen(r[c]) for c in widened}} for r in rows]
        # Names that definitions take stay free of what they use: all are computed beside the old columns first.
        fresh = [(self.maker.fresh(), c, text) for c, text, _ in made]
        return ("select " + ", ".join(f"{n} = {text}" for n, _, text in fresh) + "; rename " + ", ".join(f"{n} -> {c}" for n, c, _ in fresh)
                + f"; union {name}", compute)


# ---- flows

class Flow:
    """Columns, and the data: rows (level 0), a list of batches, or a list of lists of batches."""

    def __init__(self, cols, data, level=0):
        self.cols, self.data, self.level = cols, data, level
        self.keyed = True     # keys are numbers
        self.is_auto = False  # pipemill chooses how the batches are cut: only what does not depend on that may follow

    def branch(self):
        other = Flow(list(self.cols), self.data, self.level)
        other.keyed, other.is_auto = self.keyed, self.is_auto
        return other


def on_batches(data, level, path, f):
    """f(rows, path) on each batch."""
    return f(data, path) if level == 0 else [on_batches(d, level - 1, path + (k,), f) for k, d in enumerate(data)]


def all_rows(data, level):
    return data if level == 0 else [r for d in data for r in all_rows(d, level - 1)]


def split_by(rows, names):
    groups = {}
    for r in rows:
        groups.setdefault(tuple(plain(r[c]) for c in names), []).append(r)
    return list(groups.values())


def split_into(rows, n):
    n = min(n, len(rows))
    sizes = [len(rows) // n + (k < len(rows) % n) for k in range(n)] if n else []
    return [rows[sum(sizes[:k]):sum(sizes[:k + 1])] for k in range(n)]


class Maker:
    """A program, its input files and what it must write."""

    def __init__(self, seed):
        self.rng, self.n_names, self.ops, self.flows, self.outputs = random.Random(seed), 0, [], [], {}
        pool = ["", "x", "y", "yy", "ab", "Zed", "é", "xyab", "abyx", "a,b", 'say "y"', "two\nlines", "10", " a "]
        self.words = self.rng.sample(pool, self.rng.randint(2, 6))
        self.many_words = self.rng.random() < 0.25

    def fresh(self):
        self.n_names += 1
        return f"n{self.n_names}"

    def word(self):
        return f"w{self.rng.randint(0, 500)}y" if self.many_words and self.rng.random() < 0.7 else self.rng.choice(self.words)

    def value(self, kind):
        rng = self.rng
        if rng.random() < 0.15:
            return None
        value = {"int": lambda: rng.randint(-3, 9), "float": lambda: rng.randint(-8, 20) / 4, "string": self.word}[kind]()
        text = printed(value) + ("0" if kind == "float" and rng.random() < 0.2 else "")
        needed = text == "" or any(c in text for c in ',"\r\n')
        return cell(value, quoted(text) if needed or rng.random() < 0.2 else text)

    def table(self, cols, n):
        return Flow(cols, [{c: self.value(t) for c, t in cols} for _ in range(n)])

    # Stages: each changes a flow and returns its text.

    def body(self, flow, in_map, tables):
        """Statements of an op: (texts, names of tables, function). The columns of flow become what comes out."""
        made, texts, functions = Statements(self, flow, tables, in_map), [], []
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            cols = list(made.cols)
            text, f = made.make() or (None, None)
            if text is None or "= row()" in text and texts:  # the row of what came into the op, not of here
                made.cols = cols
                continue
            texts.append(text)
            functions.append(f)
        flow.cols = made.cols

        def compute(rows, path):
            for f in functions:
                rows = f(rows, path)
                if len(rows) > MOST_ROWS:
                    raise LeftOut
            return rows
        return texts, sorted(made.used), compute

    def op(self, texts, used):
        """A named op, a body in braces, or a statement."""
        if len(texts) == 1 and ";" not in texts[0] and self.rng.random() < 0.6:
            return texts[0]
        if self.rng.random() < 0.5:
            return "{ " + "; ".join(texts) + " }"
        return self.named_op(texts, used)

    def named_op(self, texts, used):
        name = f"op_{len(self.ops)}"
        self.ops.append(f"op {name}({', '.join(u + ': table' for u in used)}) {{\n" + "".join(f"  {t}\n" for t in texts) + "}\n")
        return f"{name}({', '.join(used)})"

    def source(self, name, flow):
        """`read` of a file, in the flow or in an op with what follows it."""
        size = self.rng.choice(("", "", "", " batch N", " batch N", " batch auto"))
        if size:
            flow.is_auto = "auto" in size
            n = max(1, len(flow.data)) if flow.is_auto else self.rng.choice((1, 2, 3, 5, 9, 100, 1000))
            size = size.replace("N", str(n))
            flow.data, flow.level = [flow.data[k:k + n] for k in range(0, len(flow.data), n)], 1
        return f'read csv "{name}.csv" as s_{name}{size}'

    def reading_op(self, name, flow, tables):
        read = self.source(name, flow)
        if self.rng.random() < 0.6:
            return read

        def make():
            texts, used, f = self.body(flow, flow.level > 0, tables)
            flow.data = on_batches(flow.data, flow.level, (), f)
            return self.named_op([read] + texts, used)
        return self.kept(flow, make) or read

    def stage(self, flow, tables):
        rng = self.rng
        if flow.level == 0 and rng.random() < 0.8:
            texts, used, f = self.body(flow, False, tables)
            flow.data = f(flow.data, ())
            return " | " + self.op(texts, used) if texts else ""
        if flow.level < 2 and not flow.is_auto and rng.random() < 0.3:
            return self.split(flow, tables)
        if flow.level > 0 and rng.random() < 0.5:
            texts, used, f = self.body(flow, True, tables)
            flow.data = on_batches(flow.data, flow.level, (), f)
            return " | map " + self.op(texts, used) if texts else ""
        return self.collect(flow, tables) if flow.level > 0 else ""

    def split(self, flow, tables):
        rng, stage = self.rng, " | map " if flow.level else " | "
        texts, used, f = self.body(flow, flow.level > 0, tables)
        names, n = [c for c, t in rng.sample(flow.cols, min(len(flow.cols), rng.choice((1, 1, 2))))], rng.randint(1, 6)
        by_value = rng.random() < 0.6
        flow.data = on_batches(flow.data, flow.level, (), lambda rows, path: (
            split_by(f(rows, path), names) if by_value else split_into(f(rows, path), n)))
        flow.level, flow.keyed = flow.level + 1, flow.keyed and not by_value
        return stage + self.op(texts + [f"split by {', '.join(names)}" if by_value else f"split into {n}"], used)

    def collect(self, flow, tables):
        flow.level, flow.is_auto = flow.level - 1, False
        flow.data = on_batches(flow.data, flow.level, (), lambda batches, path: [r for b in batches for r in b])
        if self.rng.random() < 0.2:
            return " | collect"
        texts, used, f = self.body(flow, False, tables)
        flow.data = on_batches(flow.data, flow.level, (), f)
        return " | collect " + self.op(texts, used) if texts else " | collect"

    def stages(self, flow, tables, n):
        return "".join(self.kept(flow, lambda: self.stage(flow, tables)) for _ in range(n))

    def kept(self, flow, make):
        """What make() gives; most stages that leave no rows are taken back, as no rows show little."""
        before, n_ops = flow.branch(), len(self.ops)
        text = make()
        if all_rows(before.data, before.level) and not all_rows(flow.data, flow.level) and self.rng.random() < 0.9:
            del self.ops[n_ops:]
            flow.__dict__.update(before.__dict__)
            return ""
        return text

    def sink(self, flow, tables):
        """Few columns now and then, collects or not, and a file."""
        text, name = "", f"out_{len(self.outputs)}.csv"
        if self.rng.random() < 0.4:
            flow.cols = self.rng.sample(flow.cols, self.rng.randint(1, min(2, len(flow.cols))))
            text += f" | {'map ' if flow.level else ''}select " + ", ".join(c for c, _ in flow.cols)
        while flow.level and self.rng.random() < 0.8:
            text += self.collect(flow, tables)
        self.outputs[name] = csv_text(flow.cols, all_rows(flow.data, flow.level))
        return f'{text} | {"map " if flow.level else ""}write csv "{name}"\n'

    def make(self):
        """(program, {input: text}, {output: text})."""
        rng = self.rng
        n = rng.choice((0, 1, 5, 12, 30, 30, 30, 100)) if rng.random() < 0.96 else rng.randint(1000, 5000)
        read = {"base": self.table([("a", "int"), ("b", "int"), ("s", "string"), ("t", "string"), ("x", "float")], n),
                "other": self.table([("u", "int"), ("b", "int"), ("s", "string"), ("x", "float")], rng.choice((0, 1, 4, 8, 8, 20))),
                "more": self.table([("a", "float"), ("b", "int"), ("s", "string")], rng.choice((0, 1, 4, 8, 8, 20)))}
        inputs = {f"{name}.csv": csv_text(flow.cols, flow.data) for name, flow in read.items()}
        schemas = "".join(f"schema s_{name} {{ " + ", ".join(f"{c}: {t}" for c, t in flow.cols) + " }\n" for name, flow in read.items())
        tables, job = {}, ""
        for name in ("other", "more"):
            flow = read[name]
            job += f'  let {name} = read csv "{name}.csv" as s_{name}'
            job += self.stages(flow, dict(tables) or {name: flow}, rng.randint(0, 2)) if tables and rng.random() < 0.4 else ""
            while flow.level:
                job += self.collect(flow, tables)
            job += "\n"
            tables[name] = flow
        base = read["base"]
        first = self.reading_op("base", base, tables)
        if rng.random() < 0.5:
            job += f"  {first}{self.stages(base, tables, rng.randint(1, 6))}{self.sink(base, tables)}"
        else:
            job += f"  let base = {first}{self.stages(base, tables, rng.randint(0, 3))}\n"
            for _ in range(rng.choice((2, 2, 3))):
                branch = base.branch()
                others = dict(tables, base=base) if base.level == 0 and rng.random() < 0.5 else tables
                job += f"  base{self.stages(branch, others, rng.randint(1, 4))}{self.sink(branch, others)}"
        return f"{schemas}{''.join(self.ops)}job main {{\n{job}}}\n", inputs, self.outputs


# ---- runs

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
