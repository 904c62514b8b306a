"""Reading a notebook, whatever programs and transfers have done to its bytes."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbproctor.submission.blocks import INVISIBLE, visible
from nbproctor.submission.files import Candidate, Ungradable, readable, wrong_kind

MAX_CELLS = 5_000
MAX_CELL_CHARS = 2_000_000  # pasted pictures are long
MAX_LINE_CHARS = 50_000  # of a cell that is too long as a whole
MAX_SOURCE_CHARS = 4_000_000
MAX_WRAPPERS = 4
MAX_BRACKETS = 5_000_000  # each is an object some 20 times as big as its text

_LONG_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_LONG_BYTES = 20_000_000  # of a file whose long strings are left out before parsing
_CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(?P<ours>(?:(?!={7}|\|{7})[^\n]*\n)*+)"
    r"(?:\|{7}[^\n]*\n(?:(?!={7})[^\n]*\n)*+)?"
    r"={7}[^\n]*\n(?P<theirs>(?:(?!>{7})[^\n]*\n)*+)>{7}[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_CELL_MARK = re.compile(r"^# (?:%%|In\[[ \d*]*\]:)(?P<kind>.*)$", re.MULTILINE)
_FENCED = re.compile(r"\s*```+\w*\n(.*?)\n?```+\s*", re.DOTALL)
_START = re.compile(r"\{\s*\"")
_TWO_VERSIONS = "Your notebook holds two versions (marks of a merge)"

RawCell = dict[str, Any]
Side = Literal["ours", "theirs"]
SIDES: tuple[Side, Side] = ("ours", "theirs")


@dataclass(frozen=True)
class Handed:
    """A notebook as it was read.

    Attributes
    ----------
    path, name
        The file, and what to call it.
    cells
        Type, id, nbgrader's name and text of each cell.
    language
        Of the kernel that the notebook asks for.
    notes
        What had to be done to read it.
    merged
        Whether it holds two versions, of which one was read.
    """

    path: Path
    name: str
    cells: list[RawCell]
    language: str
    notes: list[str]
    merged: bool = False


def read(candidate: Candidate, side: Side = "ours") -> Handed:
    """Read one notebook file, of any notebook format from 2 to 4.5.

    Parameters
    ----------
    candidate : Candidate
        The file.
    side : {"ours", "theirs"}
        Which version to take where a merge left both.

    Raises
    ------
    Ungradable
        The file is empty, too big, cut short, or no notebook.
    """
    notes: list[str] = []
    name = candidate.name
    content = _content(candidate, notes, side)
    raw = content.get("cells")
    if raw is None and isinstance(content.get("worksheets"), list):
        sheets = [s for s in content["worksheets"] if isinstance(s, dict)]
        raw = [
            cell
            for sheet in sheets
            if isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
        notes.append("Your notebook was in an old format; it was converted.")
    if not isinstance(raw, list):
        raise Ungradable(f"'{name}' is not a notebook: it has no cells.")
    if len(raw) > MAX_CELLS:
        raise Ungradable(f"'{name}' has more than {MAX_CELLS} cells.")
    cells = [_clean(cell) for cell in raw if isinstance(cell, dict)]
    if len(cells) < len(raw):
        notes.append("Some cells of your notebook were damaged; they were left out.")
    if any([_shorten(cell) for cell in cells]):
        notes.append(
            f"Cells of more than {MAX_CELL_CHARS:,} characters were cut: their "
            "longest lines, or all of their text, were left out."
        )
    if sum(len(cell["source"]) for cell in cells) > MAX_SOURCE_CHARS:
        raise Ungradable(f"'{name}' holds more text than can be graded.")
    if any("\r" in cell["source"] for cell in cells):
        for cell in cells:
            cell["source"] = cell["source"].replace("\r\n", "\n").replace("\r", "\n")
        notes.append("Line ends of your cells were converted to the usual ones.")
    merged = any([_without_conflict(cell, side) for cell in cells])
    merged = merged or _TWO_VERSIONS in notes
    notes = [note for note in notes if note != _TWO_VERSIONS]
    if merged:
        which = "first" if side == "ours" else "second"
        notes.append(f"{_TWO_VERSIONS}; the {which} was graded.")
    if any([_without_fence(cell) for cell in cells]):
        notes.append("Fences around your code (```) were taken off.")
    if any([_without_invisible(cell) for cell in cells]):
        notes.append("Invisible signs in your code, as after pasting, were replaced.")
    return Handed(candidate.path, name, cells, _language(content), notes, merged)


def _content(candidate: Candidate, notes: list[str], side: Side) -> dict[str, Any]:
    """Return the notebook as JSON has it, whatever it is wrapped in."""
    name = candidate.name
    data = candidate.content()
    if not data.strip(b"\0 \t\r\n"):
        raise Ungradable(f"'{name}' is empty.")
    if kind := wrong_kind(data):
        raise Ungradable(f"'{name}' is not a notebook but {kind}.")
    if len(data) > _LONG_BYTES:
        data = _LONG_STRING.sub(_short_string, data)
    if data.count(b"[") + data.count(b"{") > MAX_BRACKETS:
        raise Ungradable(f"'{name}' holds more lists than a notebook does.")
    text = _decode(data, notes)
    if candidate.base.lower().endswith(".py"):
        notes.append(f"'{name}' is no notebook; its code was graded.")
        return {"cells": _script(text)}
    content = _json(name, text, notes, side)
    for _ in range(MAX_WRAPPERS):
        if isinstance(content, str):  # JSON in JSON
            content = _json(name, content, notes, side)
        elif isinstance(content, list) and len(content) == 1:
            content = content[0]
        elif isinstance(content, dict) and content.get("content"):
            content = content["content"]  # as Jupyter's own server sends a notebook
    if not isinstance(content, dict):
        raise Ungradable(f"'{name}' is not a notebook.")
    return content


def _short_string(match: re.Match[bytes]) -> bytes:
    """Leave out what is far too long for the text of a cell, such as outputs."""
    return match[0] if len(match[0]) <= 4 * MAX_SOURCE_CHARS else b'""'


def _json(name: str, text: str, notes: list[str], side: Side) -> Any:
    text = text.strip()
    start = _START.search(text)
    if start and start.start() and text[0] not in '{["<':
        notes.append("Something stood before your notebook; it was ignored.")
        text = text[start.start() :]
    try:
        content, end = json.JSONDecoder(strict=False).raw_decode(text)
    except json.JSONDecodeError as error:
        chosen = _CONFLICT.sub(rf"\g<{side}>", text) if "<<<<<<<" in text else text
        if chosen != text and "<<<<<<<" not in chosen:
            notes.append(_TWO_VERSIONS)
            return _json(name, chosen, notes, side)
        if not text[error.pos :].strip() or "Unterminated" in error.msg:
            raise Ungradable(
                f"'{name}' is cut short: its end is missing, as after a broken "
                "upload or a full disk. Please hand it in again."
            ) from error
        raise Ungradable(
            f"'{name}' is damaged in line {error.lineno} ({error.msg})."
        ) from error
    except (RecursionError, ValueError) as error:
        raise Ungradable(f"'{name}' is not a notebook ({error}).") from error
    if text[end:].strip("\0 \t\r\n"):
        notes.append("Something stood behind the end of your notebook; it was ignored.")
    return content


def _decode(data: bytes, notes: list[str]) -> str:
    if not data[:4].strip(b"\0"):
        data = data.lstrip(b"\0")
    for mark, coding in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        (b"{\0\0\0", "utf-32-le"),
        (b"\0\0\0{", "utf-32-be"),
        (b"{\0", "utf-16-le"),
        (b"\0{", "utf-16-be"),
    ):
        if data.startswith(mark):
            shown = coding[:6].upper()
            notes.append(f"Your notebook was saved as {shown}; it was converted.")
            width = 4 if "32" in coding else 2
            data += b"\0" * (-len(data) % width)
            return data.decode(coding, errors="replace").rstrip("\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("Your notebook was not saved as UTF-8; it was read as Latin-1.")
        return data.decode("latin-1")
    if data.startswith(codecs.BOM_UTF8):
        notes.append("A byte order mark at the start of your notebook was removed.")
    return text.lstrip("\ufeff")


def _script(text: str) -> list[RawCell]:
    """Cut a notebook that was exported as a Python script into its cells."""
    marks = list(_CELL_MARK.finditer(text))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(text)]
    kinds = ["", *(mark["kind"] for mark in marks)]
    cells = []
    for start, end, kind in zip(starts, ends, kinds, strict=True):
        words = "markdown" in kind or "raw" in kind
        source = text[start:end].strip("\n")
        # An export writes "%matplotlib inline" as a call of this function.
        source = re.sub(r"^get_ipython\(\)\.run_line_magic.*$", "", source, flags=re.M)
        if not words and source.strip():
            cells.append({"cell_type": "code", "metadata": {}, "source": source})
    return cells


def _clean(cell: RawCell) -> RawCell:
    """Return type, id, nbgrader's metadata and text of a cell, and nothing else.

    Stored outputs (of any size), widget state, tags and view settings have no part
    in grading; attachments are pictures of hand-graded answers.
    """
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        # Some programs leave out the line ends that belong to the format.
        ends = any("\n" in line for line in lines)
        source = ("" if ends else "\n").join(lines)
    meta = cell.get("metadata")
    grader = meta.get("nbgrader") if isinstance(meta, dict) else None
    name = grader.get("grade_id") if isinstance(grader, dict) else None
    kind = cell.get("cell_type")
    clean: RawCell = {
        "cell_type": kind if kind in ("code", "raw") else "markdown",
        "id": cell.get("id") if isinstance(cell.get("id"), str) else "",
        "grade_id": name if isinstance(name, str) else None,
        "source": readable(source) if isinstance(source, str) else "",
    }
    if kind == "markdown" and isinstance(cell.get("attachments"), dict):
        clean["attachments"] = cell["attachments"]
    return clean


def _shorten(cell: RawCell) -> bool:
    """Take the longest lines, then everything, from a cell that is too long."""
    source = cell["source"]
    if len(source) <= MAX_CELL_CHARS:
        return False
    lines = source.split("\n")
    source = "\n".join(line for line in lines if len(line) <= MAX_LINE_CHARS)
    cell["source"] = source if len(source) <= MAX_CELL_CHARS else ""
    return True


def _without_conflict(cell: RawCell, side: Side) -> bool:
    """Take one side where a merge left marks of a conflict in a cell."""
    source = cell["source"]
    if "<<<<<<<" not in source or ">>>>>>>" not in source:
        return False
    cell["source"] = _CONFLICT.sub(rf"\g<{side}>", source)
    return bool(cell["source"] != source)


def _without_fence(cell: RawCell) -> bool:
    """Take off the fence around the code of a whole cell, as chats write it."""
    fenced = _FENCED.fullmatch(cell["source"])
    if not fenced or not (cell["cell_type"] == "code" or cell["grade_id"]):
        return False
    cell["source"] = fenced[1]
    return True


def _without_invisible(cell: RawCell) -> bool:
    """Replace blanks that are none to Python, but for those in strings."""
    if cell["cell_type"] != "code" or not INVISIBLE.search(cell["source"]):
        return False
    source = visible(cell["source"])
    changed = source != cell["source"]
    cell["source"] = source
    return bool(changed)


def _language(content: dict[str, Any]) -> str:
    meta = content.get("metadata")
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        section = meta.get(key) if isinstance(meta, dict) else None
        value = section.get(field) if isinstance(section, dict) else None
        if isinstance(value, str):
            return readable(value)
    return "python"
