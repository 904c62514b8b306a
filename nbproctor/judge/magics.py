"""IPython's own syntax in a test cell: what the judge does itself, and nothing else.

IPython turns a magic into a call of ``get_ipython()`` with the text of the cell, and
that name is the student's: who defines it would be handed the hidden test. So magics
that only measure or hide what runs are taken off, and what they are before is judged in
the judge. A test cell with any other one cannot be, and belongs beside the answer.
"""

from __future__ import annotations

import ast
import re

from nbproctor.errors import NbproctorError
from nbproctor.markers import plain_python

_SHELL = "get_ipython"
_OPTIONS = r"(?:[^\S\n]+(?:-[nrplsv][^\S\n]*[\w.]++|-[tcq]))*+(?![^\S\n]*-)[^\S\n]*"
_WHOLE = re.compile(
    rf"\s*%%(?:(time|capture)[^\S\n]*|(?:timeit|prun)\b{_OPTIONS}(.*))(?:\n|\Z)"
)
_TEXT = re.compile(r"(\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3})")  # no line is a magic
_LINES = [
    # These only change how a notebook looks, or do nothing: no test depends on them.
    (r"(?m)^([^\S\n]*)%(?:(matplotlib|config)\b.*|time(it)?[^\S\n]*$)", r"\1pass"),
    (r"(?m)^([^\S\n]*|[^=#\"'(\n]*=[^\S\n]*)%time[^\S\n]+", r"\1"),
    # Once is enough; as a block, it has no value, as there.
    (rf"(?m)^([^\S\n]*)%(?:timeit|prun)\b{_OPTIONS}", r"\1if True:\n\1 "),
]
_MAGIC = re.compile(_SHELL + r"\(\)\.(?:run_(line|cell)_magic\('(\w+)'|(system|geto))")


class NotForJudgeError(NbproctorError):
    """A test cell uses what only a notebook has."""


def judged_python(source: str) -> str:
    """Return a test cell as Python of which nothing leaves the judge.

    A cell that uses what only a notebook has is a `NotForJudgeError`.
    """
    text = plain_python(source)
    if text != source:
        text = plain_python(_without_magics(source))
    if _SHELL in text:
        names = (n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name))
        if _SHELL in names:
            raise NotForJudgeError(f"uses `{_used(text)}`, which only a notebook has")
    return text


def _without_magics(source: str) -> str:
    """Take off what measures or hides, so that the cell keeps the value it has."""
    value = ""
    while head := _WHOLE.match(source):
        source = f"{head[2] or ''}\n{source[head.end() :]}"
        value = value if head[1] == "time" else "\nNone"
    parts = _TEXT.split(source)
    for magic, judged in _LINES:
        parts[::2] = [re.sub(magic, judged, part) for part in parts[::2]]
    return "".join(parts) + value


def _used(text: str) -> str:
    """Return the first magic in a cell, as it was written."""
    magic = _MAGIC.search(text)
    if magic is None:
        return _SHELL
    kind, name, _ = magic.groups()
    return "!" if name is None else f"%%{name}" if kind == "cell" else f"%{name}"
