"""Finding and reading the notebook among the files that a student handed in."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproctor.errors import NbproctorError

MAX_FILES = 2_000
MAX_DEPTH = 8
MAX_NOTEBOOK_BYTES = 100_000_000
MAX_CANDIDATES = 20
MAX_CELLS = 5_000
MAX_SOURCE_CHARS = 4_000_000
MAX_BRACKETS = 5_000_000  # each is an object some 20 times as big as its text
_IGNORED = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git"}
_WRONG_FILES = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"<": "a web page (HTML)",
}

RawCell = dict[str, Any]


class Ungradable(NbproctorError):  # noqa: N818 - the word of the gradebook, not an error
    """The submission cannot be graded; the message says why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Handed:
    """A notebook as it was read: its cells, and what had to be done to read it."""

    path: Path
    cells: list[RawCell]
    language: str
    notes: list[str]


def files(folder: Path) -> Iterator[Path]:
    """Yield the regular files under `folder`, in a stable order.

    Symbolic links are never followed, whatever they point to, so that nothing
    outside the folder is ever read in a student's name.

    Raises
    ------
    Ungradable
        There are more than `MAX_FILES` of them.
    """
    count = 0
    for name, folders, names in os.walk(folder, followlinks=False):
        here = Path(name)
        deep = len(here.relative_to(folder).parts) >= MAX_DEPTH
        folders[:] = [] if deep else sorted(set(folders) - _IGNORED)
        for path in (here / name for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                count += 1
                if count > MAX_FILES:
                    raise Ungradable(f"More than {MAX_FILES} files were handed in.")
                yield path


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of names and contents of what a student handed in.

    Raises
    ------
    Ungradable
        There are more than `MAX_FILES` files.
    """
    total = hashlib.sha256()
    for path in files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        name = os.fsencode(path.relative_to(folder))
        total.update(name + f"\0{content}\n".encode())
    return total.hexdigest()


def candidates(folder: Path, name: str) -> list[Path]:
    """Return the files that may be the notebook `name`, the likeliest first.

    Raises
    ------
    Ungradable
        There is nothing that could be a notebook; says what there is instead.
    """
    found = list(files(folder))
    likely = [p for p in found if ".ipynb" in p.name.lower() or p.suffix == ".json"]
    if not likely:
        raise Ungradable(_instead(folder, found, name))

    def distance(path: Path) -> tuple[bool, bool, int, str]:
        # The very name first, then what browsers and Jupyter make of it.
        depth = len(path.relative_to(folder).parts)
        alike = path.name.lower().startswith(name.lower())
        return path.name != f"{name}.ipynb", not alike, depth, str(path)

    return sorted(likely, key=distance)[:MAX_CANDIDATES]


def _instead(folder: Path, found: list[Path], name: str) -> str:
    if not found:
        return f"No file was handed in; '{name}.ipynb' was expected."
    shown = ", ".join(readable(path.relative_to(folder)) for path in found[:3])
    kind = _wrong_kind(_head(found[0]))
    what = f"only {shown}" + (f", which is {kind}" if kind and not found[1:] else "")
    return f"No notebook was handed in ({what}); '{name}.ipynb' was expected."


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return b""


def _wrong_kind(head: bytes) -> str | None:
    return next((kind for m, kind in _WRONG_FILES.items() if head.startswith(m)), None)


def read(path: Path) -> Handed:
    """Read one notebook file, of any notebook format from 2 to 4.5.

    Raises
    ------
    Ungradable
        The file is empty, too big, cut short, or no notebook.
    """
    notes: list[str] = []
    name = readable(path.name)
    content = _json(path, notes)
    if not isinstance(content, dict):
        raise Ungradable(f"'{name}' is not a notebook.")
    raw = content.get("cells")
    if raw is None and isinstance(content.get("worksheets"), list):
        sheets = [s for s in content["worksheets"] if isinstance(s, dict)]
        raw = [cell for sheet in sheets for cell in sheet.get("cells", [])]
        notes.append("Your notebook was in an old format; it was converted.")
    if not isinstance(raw, list):
        raise Ungradable(f"'{name}' is not a notebook: it has no cells.")
    if len(raw) > MAX_CELLS:
        raise Ungradable(f"'{name}' has more than {MAX_CELLS} cells.")
    cells = [_clean(cell) for cell in raw if isinstance(cell, dict)]
    if len(cells) < len(raw):
        notes.append("Some cells of your notebook were damaged; they were left out.")
    if sum(len(cell["source"]) for cell in cells) > MAX_SOURCE_CHARS:
        raise Ungradable(f"'{name}' holds more text than can be graded.")
    if any("\r" in cell["source"] for cell in cells):
        for cell in cells:
            cell["source"] = cell["source"].replace("\r\n", "\n").replace("\r", "\n")
        notes.append("Line ends of your cells were converted to the usual ones.")
    return Handed(path, cells, _language(content), notes)


def _json(path: Path, notes: list[str]) -> Any:
    name = readable(path.name)
    try:
        if path.stat().st_size > MAX_NOTEBOOK_BYTES:
            raise Ungradable(f"'{name}' is bigger than 100 MB.")
        data = path.read_bytes()
    except OSError as error:
        raise Ungradable(f"'{name}' cannot be read: {error.strerror}.") from error
    if not data.strip(b"\0 \t\r\n"):
        raise Ungradable(f"'{name}' is empty.")
    if kind := _wrong_kind(data.removeprefix(b"\xef\xbb\xbf")[:512].lstrip()):
        raise Ungradable(f"'{name}' is not a notebook but {kind}.")
    if data.count(b"[") + data.count(b"{") > MAX_BRACKETS:
        raise Ungradable(f"'{name}' holds more lists than a notebook does.")
    text = _decode(data, notes)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
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


def _decode(data: bytes, notes: list[str]) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append("Your notebook was saved as UTF-16; it was converted.")
        return data.decode("utf-16", errors="replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("Your notebook was not saved as UTF-8; it was read as Latin-1.")
        return data.decode("latin-1")
    if data.startswith(b"\xef\xbb\xbf"):
        notes.append("A byte order mark at the start of your notebook was removed.")
    return text


def _clean(cell: RawCell) -> RawCell:
    """Return type, id, nbgrader's metadata and text of a cell, and nothing else.

    Stored outputs (of any size), widget state, tags and view settings have no part
    in grading; attachments are pictures of hand-graded answers.
    """
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
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


def _language(content: dict[str, Any]) -> str:
    meta = content.get("metadata")
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        section = meta.get(key) if isinstance(meta, dict) else None
        value = section.get(field) if isinstance(section, dict) else None
        if isinstance(value, str):
            return readable(value)
    return "python"


def readable(text: str | Path) -> str:
    """Return text, or a file's name, without the half characters of a broken coding."""
    return re.sub("[\ud800-\udfff]", "\ufffd", str(text))
