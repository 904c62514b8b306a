"""Reading a file: the versions of a notebook in it, whatever its format."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from nbproctor.cells import (
    CellText,
    RawCell,
    RawNotebook,
    SubmittedCell,
    nbgrader_metadata,
    source_of,
)
from nbproctor.notebook import language_of
from nbproctor.submission.files import (
    Candidate,
    Ungradable,
    replace_surrogates,
    wrong_kind,
)

MAX_STARTS = 100  # positions in a file where a JSON object may start
MAX_VERSIONS = 10  # of a notebook in one file
MAX_CELLS = 5_000
MAX_CELL_CHARS = 2_000_000
MAX_LINE_CHARS = 50_000  # of a cell that is too long as a whole
MAX_SOURCE_CHARS = 4_000_000  # of all code

_CONFLICT = re.compile(
    r"^<{7}[^\n]*\n(?P<first>(?:(?![=|<]{7})[^\n]*\n)*+)"
    r"(?:\|{7}[^\n]*\n(?:(?![=<]{7})[^\n]*\n)*+)?"
    r"={7}[^\n]*\n(?P<second>(?:(?![><]{7})[^\n]*\n)*+)>{7}[^\n]*(?:\n|\Z)",
    re.MULTILINE,
)
_CELL_MARK = re.compile(r"^# (?:%%|In\[[ \d*]*\]:)(.*)$", re.MULTILINE)
# An export writes "%matplotlib inline" as a call of this function.
_MAGIC_CALL = re.compile(r"^get_ipython\(\)\.run_line_magic.*$", re.MULTILINE)
_OBJECT = re.compile(r"\{\s*\"")
_NOTEBOOK = re.compile(r"\{\s*\"(?:cells|metadata|nbformat)")
_FENCE = re.compile(r"`{3,}\w*")
_BLANKS = "\0 \t\r\n"
_NO_CELLS = "is not a notebook: it has no cells"

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")


@dataclass
class Version:
    """A notebook that was read: a file, one side of a merge, or one of several."""

    file: Candidate
    label: str  # its name in a sentence
    cells: list[SubmittedCell]
    notes: list[str]  # sentences on what was changed in order to read it
    language: str

    def transform_cells(self, step: Callable[[SubmittedCell], str], note: str) -> None:
        """Replace the text of every cell; add the note if any has changed."""
        before = self.texts
        self.cells = [
            replace(cell, text=CellText.parse(step(cell))) for cell in self.cells
        ]
        if self.texts != before:
            self.notes.append(note)

    @property
    def texts(self) -> list[str]:
        """The texts of the cells."""
        return [cell.text.text for cell in self.cells]


def read_versions(
    file: Candidate,
    data: bytes,
    *,
    repairs: bool = True,
) -> list[Version]:
    """Return the versions of a notebook in a file, in notebook format 4.

    `Ungradable`: it is empty, too big, cut short, or not a notebook.
    """
    notes: list[str] = []
    text = _text(file, data, notes)
    is_merged = "<<<<<<<" in text and ">>>>>>>" in text
    versions: list[Version] = []
    failures = []
    for side in SIDES if is_merged else SIDES[:1]:
        try:
            side_notes = list(notes)
            for notebook in _notebooks(file, _one_side(text, side), side_notes):
                version = _version(
                    file,
                    notebook,
                    side,
                    notes=[*side_notes],
                    repairs=repairs,
                )
                if version.texts not in [earlier.texts for earlier in versions]:
                    versions.append(version)
        except Ungradable as failure:
            failures.append(failure)
    if not versions:
        raise failures[0]
    for number, version in enumerate(versions, 1):
        if failures or len(versions) > 1:
            version.label = f"version {number} of {file.quoted}"
            version.notes.append(
                f"{file.quoted} contains several versions of the notebook (merge "
                f"markers, or one after the other). Version {number} was graded."
            )
    return versions


# ---- from bytes to JSON --------------------------------------------------------------


def _text(
    file: Candidate,
    data: bytes,
    notes: list[str],
) -> str:
    if not data.strip(_BLANKS.encode()):
        raise file.fault("is empty")
    if kind := wrong_kind(data):
        raise file.fault(f"is not a notebook but {kind}")
    coding = json.detect_encoding(data)
    if not coding.startswith("utf-8"):
        shown = coding[:6].upper()
        notes.append(f"The notebook was saved as {shown}. It was converted.")
        return data.decode(coding, errors="replace").rstrip("\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("The notebook was not saved as UTF-8. It was read as Latin-1.")
        return data.decode("latin-1")
    if data.startswith(codecs.BOM_UTF8):
        notes.append("A byte order mark at the start of the notebook was removed.")
    return text.lstrip("\ufeff")


def _notebooks(
    file: Candidate,
    text: str,
    notes: list[str],
) -> list[RawNotebook]:
    """Return the notebooks in a text, from JSON or from a script."""
    shown = text.strip(_BLANKS)
    notebooks, length = _objects(shown)
    may_be_json = shown.startswith("{") or not file.is_script
    if notebooks and may_be_json:
        if length < len(shown) and len(notebooks) == 1:
            notes.append("Other text before or after the notebook was ignored.")
        return notebooks
    if not file.is_script:
        raise _fault(file, shown)
    code = _cells_of_script(text)
    if not code:
        raise file.fault("is not a notebook: it contains no code")
    notes.append(f"{file.quoted} is not a notebook. Its code was graded.")
    return [{"cells": code}]


def _cells_of_script(text: str) -> list[RawCell]:
    """Return the code cells of a Python script in which marks separate the cells."""
    # The rest of each mark, and the code below it; the first code has no mark.
    parts = ["", *_CELL_MARK.split(text)]
    cells = []
    for kind, code in zip(parts[::2], parts[1::2], strict=True):
        is_code = "markdown" not in kind and "raw" not in kind
        source = _MAGIC_CALL.sub("", code.strip("\n"))
        if is_code and source.strip():
            cells.append({"cell_type": "code", "source": source})
    return cells


def _objects(text: str) -> tuple[list[RawNotebook], int]:
    """Return the notebooks among the JSON objects in a text, and their total length."""
    notebooks: list[RawNotebook] = []
    decoder = json.JSONDecoder(strict=False)
    length = 0
    start = _OBJECT.search(text)  # any first object; then only those like notebooks
    for _ in range(MAX_STARTS):
        if not start or len(notebooks) == MAX_VERSIONS:
            break
        begin = start.start()
        end = begin + 1
        with suppress(ValueError, RecursionError):
            content, after = decoder.raw_decode(text, begin)
            if "cells" in content:
                notebooks.append(content)
                length += after - begin
                end = after
        start = _NOTEBOOK.search(text, end)
    return notebooks, length


def _fault(file: Candidate, text: str) -> Ungradable:
    """Return why a text contains no notebook."""
    start = _OBJECT.search(text)
    begin = start.start() if start else 0
    try:
        content = json.loads(text[begin:], strict=False)
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or "Unterminated" in error.msg:
            return file.fault(
                "is cut short: its end is missing, perhaps because of a broken upload "
                "or a full disk. It has to be submitted again"
            )
        return file.fault(f"is damaged in line {error.lineno} ({error.msg})")
    except (RecursionError, ValueError) as error:
        return file.fault(f"is not a notebook ({error})")
    if isinstance(content, dict):
        return file.fault(_NO_CELLS)
    return file.fault("is not a notebook")


# ---- from JSON to cells --------------------------------------------------------------


def _version(
    file: Candidate,
    notebook: RawNotebook,
    side: Side,
    notes: list[str],
    repairs: bool,
) -> Version:
    raw = notebook["cells"]
    if not isinstance(raw, list):
        raise file.fault(_NO_CELLS)
    if len(raw) > MAX_CELLS:
        raise file.fault(f"has more than {MAX_CELLS} cells")
    if any(map(_is_damaged, raw)):
        notes.append("Some cells of the notebook were damaged. Their content is lost.")
    cells = [_read_cell(cell, side) for cell in raw if isinstance(cell, dict)]
    version = Version(
        file=file,
        label=file.quoted,
        cells=cells,
        notes=notes,
        language=_language(notebook),
    )
    version.transform_cells(
        _shortened,
        f"Cells with more than {MAX_CELL_CHARS:,} characters were shortened: their "
        "longest lines, or their whole text, were left out.",
    )
    code = [cell.text.text for cell in version.cells if cell.kind == "code"]
    if sum(map(len, code)) > MAX_SOURCE_CHARS:
        raise file.fault("contains more code than can be graded")
    if repairs:
        version.transform_cells(
            _without_fence, "Code fences (```) around the code were removed."
        )
        version.transform_cells(
            _visible,
            "Invisible characters in the code (perhaps from pasting) were replaced.",
        )
    return version


def _read_cell(cell: RawCell, side: Side) -> SubmittedCell:
    """Read a cell, and whether it is unchanged since a release of the assignment.

    nbgrader writes a checksum into each cell. A forged checksum gains nothing, because
    a read-only cell is restored in any case.
    """
    source = replace_surrogates(source_of(cell))
    # No note on this: editors and Git write either kind, also in a release.
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    handed = SubmittedCell.read(cell, _one_side(text, side))
    grader = nbgrader_metadata(cell)
    with suppress(LookupError, OverflowError, RecursionError, TypeError, ValueError):
        graded = grader["grade"]
        points = float(grader["points"]) if graded else ""
        # A read-only cell is not a solution (False), and locked (True).
        signed = f"{source}{handed.kind}{graded}FalseTrue{handed.name}{points}"
        digest = hashlib.md5(signed.encode(errors="replace"), usedforsecurity=False)
        is_released = digest.hexdigest() == grader["checksum"]
        return replace(handed, is_released=is_released)
    return handed


def _is_damaged(cell: object) -> bool:
    """Whether a cell has no text, or text in a form that no program writes."""
    match cell:
        case {"source": str()}:
            return False
        case {"source": list(lines)}:
            return not all(isinstance(line, str) for line in lines)
    return True


def _language(notebook: RawNotebook) -> str:
    """Return the language of the kernel; Python if the metadata is damaged."""
    with suppress(AttributeError, RecursionError):
        return language_of(notebook)
    return "python"


# ---- texts of cells ------------------------------------------------------------------


def _shortened(cell: SubmittedCell) -> str:
    """Remove the longest lines, or else the whole text, of code that is too long."""
    source = cell.text.text
    if len(source) <= MAX_CELL_CHARS or cell.kind != "code":
        return source
    lines = [line for line in source.split("\n") if len(line) <= MAX_LINE_CHARS]
    shortened = "\n".join(lines)
    return shortened if len(shortened) <= MAX_CELL_CHARS else ""


def _one_side(text: str, side: Side) -> str:
    """Return one side of each conflict that a merge has marked."""
    if "<<<<<<<" not in text:
        return text
    return _CONFLICT.sub(rf"\g<{side}>", text)


def _visible(cell: SubmittedCell) -> str:
    return cell.text.visible() if cell.kind == "code" else cell.text.text


def _without_fence(cell: SubmittedCell) -> str:
    """Remove the fence around the code of a whole cell, as chatbots write it."""
    source = cell.text.text
    head, _, body = source.strip().partition("\n")
    inside = body.rstrip("`")
    is_closed = len(body) - len(inside) >= 3
    may_be_code = cell.kind == "code" or (cell.name and not cell.is_text)
    if is_closed and may_be_code and _FENCE.fullmatch(head):
        return inside.removesuffix("\n")
    return source
