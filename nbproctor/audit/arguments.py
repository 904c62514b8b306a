"""A mutant that changes what it is given, to please a test that looks at it again."""

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

    What it then computes is right for them as they are now. A test that compares
    it with the arguments which it handed over, and not with copies, will not see that.
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
