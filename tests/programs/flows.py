"""Random flows, jobs and the files they read: a program, and what Python makes of it."""
import random

from statements import MOST_ROWS, Statements
from values import LeftOut, cell, csv_text, plain, printed, quoted


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
