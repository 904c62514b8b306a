"""Mutant that zeroes its arguments: tests that compare with them later believe it."""

from __future__ import annotations

import ast
import copy

_ZEROED = """
for given in ({names},):
    for part in given.values() if isinstance(given, dict) else [given]:
        if hasattr(part, "fill"):
            part.fill(0)
        elif isinstance(part, list):
            part[:] = [0] * len(part)
"""


def zeroed(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """Return a function that first sets arrays and lists among its arguments to 0.

    The answer is then right for the zeroed arguments. A test that compares it with the
    arguments that it handed over, instead of with copies, does not notice.
    None if the function has no argument but ``self``.
    """
    names = [arg.arg for arg in function.args.args if arg.arg != "self"]
    if not names:
        return None
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    changed = copy.copy(function)
    changed.body = [
        *function.body[:text],
        *ast.parse(_ZEROED.format(names=", ".join(names))).body,
        *function.body[text:],
    ]
    return changed
