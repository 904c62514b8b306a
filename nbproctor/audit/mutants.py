"""Mutants: small, plausible mistakes in a reference solution, to try the hidden tests.

A mutant that keeps its full marks shows a hole in the tests, or is equivalent.
"""

import ast
import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbproctor.audit.mistakes import COSMETIC, called, mistakes

_UNTOUCHED = {"annotation", "decorator_list", "returns", "type_params"}


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one mistake, written by `ast.unparse`, so without comments.

    `name` gives the function, the kind of mistake, and the code before and after. It
    has no line number, so it stays the same while other lines change. `diff` is the
    difference from the reference.
    """

    name: str
    source: str
    diff: str


def mutants(source: str) -> list[Mutant]:
    """Make all mutants of a solution cell.

    Parameters
    ----------
    source
        Plain Python. Docstrings, decorators, annotations, messages of exceptions, seeds
        and progress bars are left alone.

    Returns
    -------
    list of Mutant
        In the order of the source; no two have the same syntax tree or name.

    Raises
    ------
    SyntaxError
        `source` is no Python.
    """
    tree, names, results = ast.parse(source), Counter[str](), list[Mutant]()
    seen = {ast.dump(ast.parse(reference := ast.unparse(tree)))}
    for parent, box, key, kind, new in _changes(tree, "cell"):
        old = box[key]
        shown = parent if isinstance(old, ast.Constant) else None  # 1 → 2 tells nothing
        before = ast.unparse(shown or old)
        box[key] = new
        text, after = ast.unparse(tree), ast.unparse(shown or new)
        box[key] = old
        if (dump := ast.dump(ast.parse(text))) in seen:
            continue
        seen.add(dump)
        name = f"{kind}: {_brief(before, after)}"
        if isinstance(old, ast.FunctionDef):
            name = f"{old.name}: {kind.partition(': ')[2]}"
        names[name] += 1
        name += f" ({names[name]})" * (names[name] > 1)
        versions = reference.splitlines(), text.splitlines()
        diff = difflib.unified_diff(*versions, "reference", "mutant", n=2, lineterm="")
        results.append(Mutant(name, text, "\n".join(diff)))
    return results


def _brief(before: str, after: str) -> str:
    """Show a change on one line, of a long one from shortly before they differ."""
    texts = [" ".join(text.split()) for text in (before, after)]
    same = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    start = max(0, same - 12) if max(map(len, texts)) > 70 else 0
    return " → ".join("…" * (start > 0) + text[start:][:70] for text in texts)


def _changes(node: ast.AST, scope: str) -> Iterator[tuple[Any, ...]]:
    """Yield parent, container, key in the container, kind of mistake, and new node."""
    scope = node.name if isinstance(node, ast.FunctionDef) else scope
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED or (field == "keywords" and called(node) in COSMETIC):
            continue
        box: Any = value if isinstance(value, list) else vars(node)
        for key in range(len(value)) if isinstance(value, list) else [field]:
            child = box[key]
            if isinstance(child, ast.AST) and not _is_text(child):
                for kind, new in mistakes(child, node):
                    yield node, box, key, f"{scope}: {kind}", new
                if not isinstance(child, ast.Raise):
                    yield from _changes(child, scope)


def _is_text(node: ast.AST) -> bool:
    """Recognise docstrings, f-strings and statements that only print."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or called(node.value) == "print"
    return isinstance(node, ast.JoinedStr)
