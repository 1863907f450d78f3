"""Values: None, int, float, bool, str; a cell that was read is of one of these classes and prints as it stood."""

LARGEST = 2 ** 40  # numbers below are whole in a float, and far from an overflow
TYPES = ["int", "int", "float", "bool", "string", "string"]  # `mean` is a float that is only passed on: sums of it depend on the order


class LeftOut(Exception):
    """The program is not compared: a number or a table became too large."""


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
