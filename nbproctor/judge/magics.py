"""IPython's own syntax in a test cell: the magics that the judge implements.

IPython turns a magic into a call of ``get_ipython()`` with the text of the cell. That
name is the student's: whoever defines it would get the hidden test. So magics that only
measure or hide what runs are removed here, and their body runs in the judge. A test
cell with any other magic runs in the student's process.
"""

from __future__ import annotations

import ast
import re

from nbproctor.cells import parse_code
from nbproctor.errors import NbproctorError
from nbproctor.markers import plain_python

# Magics that only change how a notebook looks: no test depends on them.
_LOOKS = ("matplotlib", "config")
_SHELL = "get_ipython"
_OPTIONS = re.compile(r"\s*(?:(?:-[nrplsv]\s*[\w.]+|-[tcq])(?:\s+|$))*")
_HIDES = """\
with __import__("contextlib").redirect_stdout(__import__("io").StringIO()):
    pass"""


class NotForJudgeError(NbproctorError):
    """A test cell uses what only a notebook has."""


def judged_python(source: str) -> str:
    """Return a test cell as Python of which nothing leaves the judge.

    A cell that uses what only a notebook has is a `NotForJudgeError`.
    """
    text = plain_python(source)
    if _SHELL not in text:
        return text
    tree = _Magics().visit(parse_code(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == _SHELL:
            raise NotForJudgeError(f"uses `{_SHELL}`, which only a notebook has")
    return ast.unparse(ast.fix_missing_locations(tree))


class _Magics(ast.NodeTransformer):
    """Puts the body of a magic in the place of its call."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        """Replace a magic that stands alone."""
        call = _call_of(node.value)
        return self.generic_visit(node) if call is None else _statements(*call)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace a magic whose value is used, as in ``x = %time f(1)``."""
        call = _call_of(node)
        if call is None:
            return self.generic_visit(node)
        name, line, cell = call
        body = _statements(name, line, cell) if name == "time" else []
        if len(body) == 1 and isinstance(body[0], ast.Expr):
            return body[0].value
        raise _only_in_a_notebook(name, cell)


def _call_of(node: ast.AST) -> tuple[str, str, str | None] | None:
    """Return name, line and cell of a magic, if this is what IPython makes of one."""
    match node:
        case ast.Call(
            ast.Attribute(ast.Call(ast.Name(id="get_ipython")), method), arguments
        ):
            texts = [a.value for a in arguments if isinstance(a, ast.Constant)]
            if method == "run_line_magic" and len(texts) == 2:
                return str(texts[0]), str(texts[1]), None
            if method == "run_cell_magic" and len(texts) == 3:
                return str(texts[0]), str(texts[1]), str(texts[2])
            if method in ("system", "getoutput"):
                return "!", "", None
    return None


def _statements(name: str, line: str, cell: str | None) -> list[ast.stmt]:
    """Return what a magic runs, so that the cell has the value that it has there."""
    if name in _LOOKS and cell is None:
        return [ast.Pass()]
    bare = not line.strip()
    if name == "time" and (cell is None or bare):
        return _body(line if cell is None else cell)
    if name == "capture" and cell is not None and bare:
        (hides,) = parse_code(_HIDES).body
        assert isinstance(hides, ast.With)
        hides.body = _body(cell)
        return [hides]
    arguments = _OPTIONS.sub("", line, count=1)
    if name in ("timeit", "prun") and not arguments.startswith("-"):
        # Once is enough; a block has no value, as these.
        body = _body(arguments) + _body(cell or "")
        return [ast.If(ast.Constant(True), body, [])]
    raise _only_in_a_notebook(name, cell)


def _body(text: str) -> list[ast.stmt]:
    return list(parse_code(judged_python(text)).body) or [ast.Pass()]


def _only_in_a_notebook(name: str, cell: str | None) -> NotForJudgeError:
    sign = "" if name == "!" else "%" if cell is None else "%%"
    return NotForJudgeError(f"uses `{sign}{name}`, which only a notebook has")
