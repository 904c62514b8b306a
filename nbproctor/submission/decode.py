"""Decode the bytes of a file to the JSON of a notebook, damaged or wrapped ones too."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Literal

from nbproctor.submission.files import Candidate, Ungradable, wrong_kind

MAX_WRAPPERS = 4
MAX_BRACKETS = 5_000_000  # each is an object some 20 times as big as its text
MAX_STRING_BYTES = 16_000_000  # longer than the text of any cell may be

TWO_VERSIONS = "Your notebook holds two versions (marks of a merge)"
CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(?P<ours>(?:(?![=|<]{7})[^\n]*\n)*+)"
    r"(?:\|{7}[^\n]*\n(?:(?![=<]{7})[^\n]*\n)*+)?"
    r"={7}[^\n]*\n(?P<theirs>(?:(?![><]{7})[^\n]*\n)*+)>{7}[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_LONG_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_LONG_BYTES = 20_000_000  # of a file whose long strings are left out before parsing
_CELL_MARK = re.compile(r"^# (?:%%|In\[[ \d*]*\]:)(?P<kind>.*)$", re.MULTILINE)
_START = re.compile(r"\{\s*\"")

Side = Literal["ours", "theirs"]
SIDES: tuple[Side, Side] = ("ours", "theirs")


def content(candidate: Candidate, notes: list[str], side: Side) -> dict[str, Any]:
    """Return the notebook as JSON has it, whatever it is wrapped in.

    Parameters
    ----------
    candidate : Candidate
        The file.
    notes : list of str
        What had to be done is appended.
    side : {"ours", "theirs"}
        Which version to take where a merge left both in the file.

    Raises
    ------
    Ungradable
        The file is empty, too big, cut short, or no notebook.
    """
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
    wrapped = _json(name, text, notes, side)
    for _ in range(MAX_WRAPPERS):
        if isinstance(wrapped, str):  # JSON in JSON
            wrapped = _json(name, wrapped, notes, side)
        elif isinstance(wrapped, list) and len(wrapped) == 1:
            wrapped = wrapped[0]
        elif isinstance(wrapped, dict) and wrapped.get("content"):
            wrapped = wrapped["content"]  # as Jupyter's own server sends a notebook
    if not isinstance(wrapped, dict):
        raise Ungradable(f"'{name}' is not a notebook.")
    return wrapped


def _short_string(match: re.Match[bytes]) -> bytes:
    """Leave out what is far too long for the text of a cell, such as outputs."""
    return match[0] if len(match[0]) <= MAX_STRING_BYTES else b'""'


def _json(name: str, text: str, notes: list[str], side: Side) -> Any:
    text = text.strip()
    start = _START.search(text)
    if start and start.start() and text[0] not in '{["<':
        notes.append("Something stood before your notebook; it was ignored.")
        text = text[start.start() :]
    try:
        content, end = json.JSONDecoder(strict=False).raw_decode(text)
    except json.JSONDecodeError as error:
        chosen = CONFLICT.sub(rf"\g<{side}>", text) if "<<<<<<<" in text else text
        if chosen != text and "<<<<<<<" not in chosen:
            notes.append(TWO_VERSIONS)
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


def _script(text: str) -> list[dict[str, Any]]:
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
