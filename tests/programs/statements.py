"""Random statements: (text, function of rows and of the path of the batch, the columns that come out)."""
from expressions import ARITHMETIC, Expressions, lift, literal_text
from values import LARGEST, LeftOut, TYPES, plain, widen

MOST_ROWS = 30000


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
