"""Cells of what a notebook was exported as: script, Markdown or web page.

Each function takes the text of a file and returns cells as the notebook format has
them. No text takes longer than in proportion to its length.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

RawCell = dict[str, Any]

_CELL_MARK = re.compile(r"^# (?:%%|In\[[ \d*]*\]:)(.*)$", re.MULTILINE)
# An export writes "%matplotlib inline" as a call of this function.
_MAGIC_CALL = re.compile(r"^get_ipython\(\)\.run_line_magic.*$", re.MULTILINE)
_FENCE = re.compile(r"^(?:`{3,}|~{3,})(.*)$\n?", re.MULTILINE)
_PYTHON = re.compile(r"\b(?:i?python3?|py)\b")
_HIGHLIGHTED = re.compile(r'class="[^"<>]*\bhl-[^"<>]*"[^<>]*>\s*\Z')  # nbconvert's
_TAG = re.compile(r"<[^<>]*>")


def cells_of_script(text: str) -> list[RawCell]:
    """Cut a Python script with marks of cells into its cells."""
    parts = ["", *_CELL_MARK.split(text)]  # the kind of a cell, and its code, in turn
    return [
        _code(source)
        for kind, code in zip(parts[::2], parts[1::2], strict=True)
        if "markdown" not in kind and "raw" not in kind
        if (source := _MAGIC_CALL.sub("", code.strip("\n"))).strip()
    ]


def cells_of_markdown(text: str) -> list[RawCell]:
    """Return the Python code in fences, and the text between them."""
    # Text, what stands behind a fence, code, what stands behind its end, text …
    parts = _FENCE.split(text)
    cells: list[RawCell] = []
    for number in range(0, len(parts), 4):
        if parts[number].strip():
            source = parts[number].strip("\n")
            cells.append({"cell_type": "markdown", "source": source})
        if _PYTHON.search("".join(parts[number + 1 : number + 2])):
            cells.append(_code("".join(parts[number + 2 : number + 3]).strip("\n")))
    return cells if any(cell["cell_type"] == "code" for cell in cells) else []


def cells_of_page(page: str) -> list[RawCell]:
    """Return the code cells of an HTML export of Jupyter's."""
    cells = []
    for part in page.split("</pre>"):
        head, _, code = part.rpartition("<pre>")
        if _HIGHLIGHTED.search(head, max(len(head) - 200, 0)):
            cells.append(_code(unescape(_TAG.sub("", code)).strip("\n")))
    return cells


def _code(source: str) -> RawCell:
    return {"cell_type": "code", "metadata": {}, "source": source}
