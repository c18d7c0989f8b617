# SPDX-License-Identifier: GPL-3.0-or-later
"""The leak and fault matrix, and the tests that say which row they prove."""
import ast
import pathlib
import re

TEST = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"([KPDARSUN]\d\d)( -)?  ?(\S.*)")
IN_C = re.compile(r"/\* row: ([KPDARSUN\d ]+) \*/\n"
                  r"static void (\w+)\(void \*\*")


def read_rows():
    """ID -> what must hold; and ID -> why it has no meaning here."""
    rows, void = {}, {}
    for line in (TEST / "rows.txt").read_text("ascii").splitlines():
        if not line or line.startswith("#"):
            continue
        match = ROW.fullmatch(line)
        if not match:
            raise ValueError(f"rows.txt: {line}")
        name, is_void, text = match.groups()
        if name in rows or name in void:
            raise ValueError(f"rows.txt: {name} is there twice")
        (void if is_void else rows)[name] = text
    return rows, void


def _marks(function):
    """The words of a test's row markers."""
    for mark in function.decorator_list:
        if (isinstance(mark, ast.Call)
                and ast.unparse(mark.func) == "pytest.mark.row"):
            yield from (ast.literal_eval(word) for word in mark.args)


def _python():
    for path in sorted((TEST / "e2e").glob("test_*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.FunctionDef):
                for row in _marks(node):
                    yield row, f"e2e/{path.name}::{node.name}"


def _c():
    for path in sorted((TEST / "unit").glob("*_test.c")):
        for names, test in IN_C.findall(path.read_text("utf-8")):
            for row in names.split():
                yield row, f"unit/{path.name}::{test}"


def read_proofs():
    """ID -> the tests that say they prove it."""
    proofs = {}
    for row, test in [*_python(), *_c()]:
        proofs.setdefault(row, []).append(test)
    return proofs


def read_faults():
    """Deliberate fault -> the test that must notice it."""
    text = (TEST / "broken.txt").read_text("ascii")
    return dict(line.split() for line in text.splitlines()
                if line and not line.startswith("#"))
