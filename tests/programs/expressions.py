"""Random expressions: (text, function of a row and its context). A context is (path of the batch, number of the row)."""
from values import LARGEST, LeftOut, TYPES, plain, printed


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
