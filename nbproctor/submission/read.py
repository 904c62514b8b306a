"""Reading the cells of a notebook, whatever programs and transfers made of it."""

from __future__ import annotations

import binascii
import codecs
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from html import unescape
from itertools import islice
from typing import Any, Literal

from nbproctor.cells import CellText, HandedCell, source_of
from nbproctor.submission.files import PAGE, Candidate, Ungradable, readable, wrong_kind

MAX_WRAPPERS = 4  # around a notebook: lists, objects, JSON in JSON
MAX_STARTS = 100  # of objects in a web page that are looked into
MAX_BRACKETS = 5_000_000  # each is an object some 20 times as big as its text
MAX_STRING_BYTES = 16_000_000  # longer than the text of any cell may be: an output
MAX_CELLS = 5_000
MAX_CELL_CHARS = 2_000_000
MAX_LINE_CHARS = 50_000  # of a cell that is too long as a whole
MAX_SOURCE_CHARS = 4_000_000  # of all code
_LONG_BYTES = 20_000_000  # of a file whose long strings are left out before parsing

_CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(?P<ours>(?:(?![=|<]{7})[^\n]*\n)*+)"
    r"(?:\|{7}[^\n]*\n(?:(?![=<]{7})[^\n]*\n)*+)?"
    r"={7}[^\n]*\n(?P<theirs>(?:(?![><]{7})[^\n]*\n)*+)>{7}[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_LONG_STRING = re.compile(rb'"(?:[^"\\]++|\\[\s\S])*+(?:"|\Z)')
_CELL_MARK = re.compile(r"^# (?:%%|In\[[ \d*]*\]:)(.*)$", re.MULTILINE)
# An export writes "%matplotlib inline" as a call of this function.
_MAGIC_CALL = re.compile(r"^get_ipython\(\)\.run_line_magic.*$", re.MULTILINE)
_START = re.compile(r"\{\s*\"")
_BASE64 = re.compile(r"e[yw][A-Za-z0-9+/=\s]{40,}")  # of JSON
_FENCE = re.compile(r"`{3,}\w*")

Side = Literal["ours", "theirs"]
SIDES: tuple[Side, Side] = ("ours", "theirs")


class Handed:
    """A notebook as it was read, of any notebook format from 2 to 4.5, or a script.

    What is empty, too big, cut short or no notebook raises `Ungradable`.
    """

    def __init__(
        self, candidate: Candidate, data: bytes, side: Side, repairs: bool = True
    ) -> None:
        self.name = candidate.name
        self.path = candidate.path
        self.side = side
        self.notes: list[str] = []  # what had to be done to read it
        self.merged = False  # a merge left two versions in it; `side` was read
        notebook = self._script(data) if candidate.is_script else self._notebook(data)
        self.language = _language(notebook)
        raw = self._raw_cells(notebook)
        whole = [cell for cell in raw if isinstance(cell, dict)]
        if len(whole) < len(raw) or any(map(_is_damaged, whole)):
            self.notes.append(
                "Some cells of your notebook were damaged; what they said is lost."
            )
        self.cells = [
            HandedCell.read(cell, readable(source_of(cell) or "")) for cell in whole
        ]
        self._clean_texts()
        if repairs:
            self._change(
                _without_fence, "Fences around your code (```) were taken off."
            )
            self._change(
                lambda cell: (
                    cell.text.visible() if cell.kind == "code" else cell.text.text
                ),
                "Invisible signs in your code, as after pasting, were replaced.",
            )

    # ---- from bytes to JSON ----------------------------------------------------------

    def _text(self, data: bytes) -> str:
        if not data.strip(b"\0 \t\r\n"):
            raise Ungradable(f"'{self.name}' is empty.")
        if kind := wrong_kind(data):
            raise self._no_notebook(f" but {kind}")
        return self._decode(data)

    def _no_notebook(self, why: str = "") -> Ungradable:
        return Ungradable(f"'{self.name}' is not a notebook{why}.")

    def _script(self, data: bytes) -> dict[str, Any]:
        text = self._text(data)
        self.notes.append(f"'{self.name}' is no notebook; its code was graded.")
        return {"cells": _cells_of_script(text)}

    def _notebook(self, data: bytes) -> dict[str, Any]:
        """Return the notebook as JSON has it, whatever it is wrapped in."""
        if len(data) > _LONG_BYTES:
            data = _LONG_STRING.sub(
                lambda long: b'""' if len(long[0]) > MAX_STRING_BYTES else long[0], data
            )
        if data.count(b"[") + data.count(b"{") > MAX_BRACKETS:
            raise Ungradable(f"'{self.name}' holds more lists than a notebook does.")
        page = wrong_kind(data) == PAGE
        text = self._decode(data) if page else self._text(data)
        if page:
            contents = [[*_objects_in(html)] for html in (text, unescape(text))]
            self.notes.append("Your notebook was taken out of a web page.")
        else:
            contents = [[self._json(text)]]
        found = next(filter(None, map(_notebooks_in, contents)), [])
        if found[1:]:
            raise self._no_notebook(" but several in one file")
        if not found:
            if page:
                raise self._no_notebook(f" but {PAGE}")
            bare = isinstance(contents[0][0], dict)
            raise self._no_notebook(": it has no cells" if bare else "")
        return found[0]

    def _decode(self, data: bytes) -> str:
        if not data[:4].strip(b"\0") or data.startswith(b"\0\0{"):
            data = data.lstrip(b"\0")
        coding = json.detect_encoding(data)
        if not coding.startswith("utf-8"):
            shown = coding[:6].upper()
            self.notes.append(f"Your notebook was saved as {shown}; it was converted.")
            width = 4 if "32" in coding else 2
            data += b"\0" * (-len(data) % width)
            return data.decode(coding, errors="replace").rstrip("\0")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.notes.append(
                "Your notebook was not saved as UTF-8; it was read as Latin-1."
            )
            return data.decode("latin-1")
        if data.startswith(codecs.BOM_UTF8):
            self.notes.append(
                "A byte order mark at the start of your notebook was removed."
            )
        return text.lstrip("\ufeff")

    def _json(self, text: str) -> Any:
        text = text.strip()
        start = _START.search(text)
        if start and start.start() and text[0] not in '{["<':
            self.notes.append("Something stood before your notebook; it was ignored.")
            text = text[start.start() :]
        try:
            content, end = json.JSONDecoder(strict=False).raw_decode(text)
        except json.JSONDecodeError as error:
            chosen = _one_side(text, self.side)
            if chosen != text and "<<<<<<<" not in chosen:
                self.merged = True
                return self._json(chosen)
            if not text[error.pos :].strip() or "Unterminated" in error.msg:
                raise Ungradable(
                    f"'{self.name}' is cut short: its end is missing, as after a "
                    "broken upload or a full disk. Please hand it in again."
                ) from error
            raise Ungradable(
                f"'{self.name}' is damaged in line {error.lineno} ({error.msg})."
            ) from error
        except (RecursionError, ValueError) as error:
            raise self._no_notebook(f" ({error})") from error
        if text[end:].strip("\0 \t\r\n"):
            self.notes.append(
                "Something stood behind the end of your notebook; it was ignored."
            )
        return content

    # ---- from JSON to cells ----------------------------------------------------------

    def _raw_cells(self, notebook: dict[str, Any]) -> list[Any]:
        raw = notebook.get("cells")
        if raw is None and isinstance(notebook.get("worksheets"), list):
            sheets = [s for s in notebook["worksheets"] if isinstance(s, dict)]
            lists = [sheet.get("cells") for sheet in sheets]
            raw = [c for cells in lists if isinstance(cells, list) for c in cells]
            self.notes.append("Your notebook was in an old format; it was converted.")
        if not isinstance(raw, list):
            raise self._no_notebook(": it has no cells")
        if len(raw) > MAX_CELLS:
            raise Ungradable(f"'{self.name}' has more than {MAX_CELLS} cells.")
        return raw

    def _clean_texts(self) -> None:
        """Undo what programs, transfers and pasting did to the texts of cells."""
        self._change(
            _shortened,
            f"Cells of more than {MAX_CELL_CHARS:,} characters were cut: their longest "
            "lines, or all of their text, were left out.",
        )
        code = (len(cell.text.text) for cell in self.cells if cell.kind == "code")
        if sum(code) > MAX_SOURCE_CHARS:
            raise Ungradable(f"'{self.name}' holds more code than can be graded.")
        self._change(
            lambda cell: cell.text.text.replace("\r\n", "\n").replace("\r", "\n"),
            "Line ends of your cells were converted to the usual ones.",
        )
        if self._change(lambda cell: _one_side(cell.text.text, self.side)):
            self.merged = True
        if self.merged:
            which = "first" if self.side == "ours" else "second"
            self.notes.append(
                "Your notebook holds two versions (marks of a merge); "
                f"the {which} was graded."
            )

    def _change(self, step: Callable[[HandedCell], str], note: str = "") -> bool:
        """Do a step on the text of every cell; the note tells if any has changed."""
        changed = False
        for position, cell in enumerate(self.cells):
            if (text := step(cell)) != cell.text.text:
                self.cells[position] = replace(cell, text=CellText.of(text))
                changed = True
        if changed and note:
            self.notes.append(note)
        return changed


def _objects_in(page: str) -> Iterator[Any]:
    """Yield the JSON objects in a web page."""
    at = 0
    for start in islice(_START.finditer(page), MAX_STARTS):
        if start.start() >= at:
            content, at = _parsed(page, start.start())
            if content is not None:
                yield content


def _parsed(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the JSON that begins there or None, and where it ends."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start


def _notebooks_in(content: Any, depth: int = -1) -> list[dict[str, Any]]:
    """Return the notebooks in what a server or a page sends around them."""
    inside: list[Any] = content if isinstance(content, list) else []
    if inside[1:] and all(isinstance(line, str) for line in inside):
        content = "\n".join(inside)  # the lines of a file, as GitHub's page has them
    if isinstance(content, dict):
        if "cells" in content or "worksheets" in content:
            return [content]
        inside = [*content.values()]
    elif isinstance(content, str):
        text = content.strip()
        if _BASE64.fullmatch(text):
            with suppress(binascii.Error):
                text = binascii.a2b_base64(text).decode("utf-8", "replace")
        inside = [_parsed(text)[0]] if text[:1] in ("{", "[", '"') else []
    inside = inside if depth < MAX_WRAPPERS else []
    return [found for each in inside for found in _notebooks_in(each, depth + 1)]


def _cells_of_script(text: str) -> list[dict[str, Any]]:
    """Cut a notebook that was exported as a Python script into its cells."""
    parts = ["", *_CELL_MARK.split(text)]  # the kind of a cell, and its code, in turn
    cells = []
    for kind, code in zip(parts[::2], parts[1::2], strict=True):
        words = "markdown" in kind or "raw" in kind
        source = _MAGIC_CALL.sub("", code.strip("\n"))
        if not words and source.strip():
            cells.append({"cell_type": "code", "metadata": {}, "source": source})
    return cells


def _is_damaged(cell: dict[str, Any]) -> bool:
    """Whether a cell has no text, or text of a kind that no program writes."""
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        return not all(isinstance(line, str) for line in source)
    return not isinstance(source, str)


def _language(notebook: dict[str, Any]) -> str:
    meta = notebook.get("metadata")
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        section = meta.get(key) if isinstance(meta, dict) else None
        value = section.get(field) if isinstance(section, dict) else None
        if isinstance(value, str):
            return readable(value)
    return "python"


# ---- texts of cells ------------------------------------------------------------------


def _shortened(cell: HandedCell) -> str:
    """Take the longest lines, then everything, from code that is too long."""
    source = cell.text.text
    if len(source) <= MAX_CELL_CHARS or cell.kind != "code":
        return source
    lines = source.split("\n")
    source = "\n".join(line for line in lines if len(line) <= MAX_LINE_CHARS)
    return source if len(source) <= MAX_CELL_CHARS else ""


def _one_side(text: str, side: Side) -> str:
    """Take one side where a merge left marks of a conflict."""
    if "<<<<<<<" not in text or ">>>>>>>" not in text:
        return text
    return _CONFLICT.sub(rf"\g<{side}>", text)


def _without_fence(cell: HandedCell) -> str:
    """Take off the fence around the code of a whole cell, as chats write it."""
    source = cell.text.text
    head, _, body = source.strip().partition("\n")
    inside = body.rstrip("`")
    closed = len(body) - len(inside) >= 3
    if closed and _FENCE.fullmatch(head) and (cell.kind == "code" or cell.name):
        return inside.removesuffix("\n")
    return source
