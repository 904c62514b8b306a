"""Master notebook: an assignment frozen for grading, read from its source.

A `MasterNotebook` is read from the *source* notebook, because no student's file may
decide which cell is a test, how many points it has, and which exercise it scores.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from nbproctor.cells import RawCell, RawNotebook, grade_id, nbgrader_metadata
from nbproctor.errors import NbproctorError
from nbproctor.markers import Markers, asserts, imports

IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__")  # as nbgrader does


def support_files(
    source: Path,
    data: str | None,
    ignored: Sequence[str] = IGNORED,
) -> dict[str, str]:
    """Return the assignment's own files: path in a student's folder → real path.

    Notebooks and files with an ignored name are left out. `data` is the data folder.
    """
    files = {}
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        is_ignored = any(
            fnmatch(part, name) for part in relative.parts for name in ignored
        )
        is_support = path.is_file() and path.suffix != ".ipynb"
        if is_support and not is_ignored:
            files[relative.as_posix()] = str(path.resolve())
    has_data = "data" in {path.partition("/")[0] for path in files}
    if data and not has_data:
        files["data"] = data
    return files


def data_folder(notebook: Path) -> str | None:
    """Return the nearest folder ``data``, at or above a notebook in its course."""
    for folder in notebook.resolve().parents:
        data = folder / "data"
        if data.is_dir():
            return str(data)
        if (folder / "nbgrader_config.py").exists():
            return None
    return None


@contextmanager
def temporary_copy(source: Path) -> Iterator[Path]:
    """Yield a copy of an assignment's folder, where the reference solution may write.

    The path from the copy to the data folder is the same as from the original.
    """
    source = source.resolve()
    with tempfile.TemporaryDirectory(prefix="nbproctor-") as name:
        root = Path(name)
        folder = root.joinpath(*source.parts[1:])
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*IGNORED))
        for parent in (folder, *folder.parents):
            if parent.is_relative_to(root):
                parent.chmod(0o755)  # for student processes with another user id
        data = data_folder(source / "any.ipynb")
        if data:
            link = root.joinpath(*Path(data).parts[1:])
            if not link.exists():
                link.symlink_to(data)
        yield folder


# Names of kernels that show the language, if a notebook does not give it.
_OTHER_KERNELS = re.compile("ir$|julia|octave|matlab|bash|java|xcpp|sas|scala|stata")
# What a notebook in Python has beside its cells, in format 4.5.
PYTHON_NOTEBOOK: RawNotebook = {
    "metadata": {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
Kind = Literal["provided", "solution", "test", "helper", "task", "text"]
Where = Literal["judge", "beside", "nowhere"]

SKIP_TAG = "skip-grading"
STUDENT_PROCESS_TAG = "in-student-process"
_EARLIER_TAG = "judge-beside"  # until version 1.0; courses may have it
UNGRADED_TAG = "ungraded"
TAGGED = "the source says so"
_FLAGS = "grade", "solution", "locked", "task"  # nbgrader stores a cell with one


SCRIPT = ".py"  # the ending of a notebook that is exported as Python


@dataclass(frozen=True)
class Cell:
    """One cell of the source notebook.

    `kind` is ``provided`` code, ``solution``, ``test`` (0 points: public), ``helper``
    (tools of the hidden tests, never shown to students), ``task`` (graded by hand) or
    ``text`` (locked Markdown). A test is judged in the ``judge``, in the student's
    process (``beside``), or ``nowhere``.
    """

    id: str  # ``grade_id``, or the notebook format's cell id if nbgrader has none
    kind: Kind
    source: str  # the teacher's text, with reference solution and hidden tests
    points: float  # 0 if it is not graded
    # `id` of the solution cell that this cell is, or scores.
    exercise: str | None = None
    skip: bool = False  # tagged ``skip-grading``: a demo that grading does not run
    # The notebook format's id, by which a cell without metadata is recognised.
    cell_id: str = ""
    stub: str = ""  # the text that students get: in the release, or without regions
    # nbgrader's metadata as it must be in every submission, or empty.
    nbgrader: dict[str, Any] = field(default_factory=dict)
    where: Where = "judge"
    # Why it is not in the judge. If it is in the judge: why that is not certain.
    placement_reason: str = ""

    @property
    def locked(self) -> bool:
        """Whether the teacher's text replaces a student's changes."""
        grade, solution, locked = map(
            self.nbgrader.get, ("grade", "solution", "locked")
        )
        return not solution and bool(grade or locked)

    @property
    def is_stored(self) -> bool:
        """Whether nbgrader stores the cell: grade, solution, locked or task is set."""
        return any(map(self.nbgrader.get, _FLAGS))


def cell_name(cell: RawCell, position: int) -> str:
    """Return ``grade_id``, or the notebook format's id if nbgrader has none."""
    cell_id = cell.get("id") or f"cell-{position}"
    return grade_id(cell) or str(cell_id)


def read_cells(
    raw: list[RawCell],
    released: dict[str, RawCell],
    markers: Markers,
) -> Iterator[Cell]:
    """Yield the cells of a source notebook: all code, and other cells of nbgrader.

    `released` has the same cells by name, as students get them. `KeyError`,
    `ValueError` or `TypeError`: a cell is malformed, or a region is not closed.
    """
    exercise = None
    for position, cell in enumerate(raw):
        source = "".join(cell["source"])
        grader = dict(nbgrader_metadata(cell))
        has_role = grader.get("grade_id") or any(map(grader.get, _FLAGS))
        if not has_role:
            grader = {}  # earlier versions of nbgrader gave every cell metadata
        code = cell["cell_type"] == "code"
        if not code and not grader:
            continue
        flags = {key: bool(grader.get(key)) for key in ("grade", "solution", "locked")}
        name = cell_name(cell, position)
        points = 0.0
        if flags["grade"] or grader.get("task"):  # otherwise, nbgrader ignores points
            points = float(grader.get("points") or 0)
        helps = not points and markers.is_all_hidden(source)
        kind = _kind(
            source=source,
            flags=grader and flags,
            code=code,
            helps=helps,
            exercise=exercise,
        )
        is_solution = kind == "solution"
        is_test = kind == "test"
        try:
            stub = markers.without_regions(source)
        except ValueError as error:
            raise ValueError(f"cell {position + 1}, {name!r}: {error}") from None
        if name in released:
            stub = "".join(released[name]["source"])
        if grader:
            grader |= flags | {"cell_type": cell["cell_type"]}
        else:  # a cell without metadata may have hidden parts, too
            source = markers.without_regions(source, markers.hidden, markers.scheme)
        if is_solution or not grader:
            source = markers.without_solution_markers(source)
        if is_solution:
            exercise = name
        tags = cell.get("metadata", {}).get("tags", [])
        is_tagged = STUDENT_PROCESS_TAG in tags or _EARLIER_TAG in tags
        is_in_process = is_test and is_tagged
        scores = is_test and (points or UNGRADED_TAG not in tags)
        yield Cell(
            id=name,
            kind=kind,
            source=source,
            points=points,
            exercise=exercise if scores or is_solution else None,
            skip=SKIP_TAG in tags,
            cell_id=str(cell.get("id", name)),
            stub=stub,
            nbgrader=grader,
            where="beside" if is_in_process else "judge",
            placement_reason=TAGGED if is_in_process else "",
        )


def _kind(
    source: str,
    flags: dict[str, Any],
    code: bool,
    helps: bool,
    exercise: str | None,
) -> Kind:
    if not flags:
        return "provided"
    if not code:
        is_graded = flags["grade"] or flags["solution"]
        return "text" if flags["locked"] and not is_graded else "task"
    if flags["solution"]:
        return "solution"
    if helps:
        return "helper"
    is_public_test = flags["locked"] and exercise and asserts(source)
    if is_public_test or flags["grade"]:
        return "test"
    return "provided"


class MasterNotebookError(NbproctorError):
    """The source notebook cannot be read as an assignment."""


@dataclass(frozen=True)
class MasterNotebook:
    """An assignment frozen for grading."""

    assignment: str  # name of its folder
    notebook: str  # without ``.ipynb``
    cells: tuple[Cell, ...]  # in source order: all code, and nbgrader's Markdown
    modules: tuple[str, ...]  # that provided cells import, in order of first use
    data: str | None  # the data folder: see `data_folder`
    language: str = "python"  # of its kernel, in lower case
    texts: tuple[tuple[int, str], ...] = ()  # number of cells above, and Markdown
    scripts: tuple[str, ...] = ()  # SHA-256 of the assignment's own Python files
    repairs: bool = True  # whether an answer that would fail without a repair gets one

    @classmethod
    def read(
        cls,
        path: Path,
        release: Path | None = None,
        header: Path | None = None,
        footer: Path | None = None,
        markers: Markers = Markers(),  # noqa: B008 - it is frozen
    ) -> MasterNotebook:
        """Read a source notebook ``…/source/<assignment>/<notebook>.ipynb``.

        Parameters
        ----------
        path, release : Path
            The notebook, and its student version, whose texts become the stubs.
        header, footer : Path, optional
            Notebooks whose cells come before and after its own cells in the release.
        markers : Markers, optional
            The markers of solutions and hidden parts in the course.

        Raises
        ------
        MasterNotebookError
            A file is missing or not a notebook, or a region is not closed.
        """
        content = _content(path)
        raw = []
        for part in (header, path, footer):
            if part:
                raw += _content(part)["cells"]
        released = {}
        if release and release.exists():
            for position, cell in enumerate(_content(release)["cells"]):
                released[cell_name(cell, position)] = cell
        try:
            cells = tuple(
                read_cells(
                    raw=raw,
                    released=released,
                    markers=markers,
                )
            )
            texts = tuple(_texts(raw, {cell.id for cell in cells}, markers))
            scripts = [
                hashlib.sha256(file.read_bytes()).hexdigest()
                for file in sorted(path.parent.rglob("*.*"))
                if file.is_file() and file.suffix.lower() == SCRIPT
            ]
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise MasterNotebookError(f"{path}: {error}") from error
        modules = dict.fromkeys(
            module
            for cell in cells
            if cell.kind == "provided"
            for module in imports(cell.source)
        )
        return cls(
            assignment=path.parent.name,
            notebook=path.stem,
            cells=cells,
            modules=tuple(modules),
            data=data_folder(path),
            language=language_of(content),
            texts=texts,
            scripts=tuple(scripts),
        )

    def with_cells(self, cells: Iterable[Cell]) -> MasterNotebook:
        """Return the same notebook with other texts in its cells."""
        return replace(self, cells=tuple(cells))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything except prose and the path of the data folder."""
        frozen = replace(
            self,
            data=None,
            texts=(),
        )
        return hashlib.sha256(
            msgspec.json.encode(frozen, order="deterministic")
        ).hexdigest()

    def __hash__(self) -> int:
        """Return the hash of the digest, because cells contain dictionaries."""
        return hash(self.digest)

    @property
    def exercises(self) -> list[str]:
        """Names of the exercises in source order."""
        names = [cell.exercise for cell in self.cells if cell.exercise]
        return list(dict.fromkeys(names))

    def of_kind(self, *kinds: Kind) -> list[Cell]:
        """Cells of the given kinds, in source order."""
        return [cell for cell in self.cells if cell.kind in kinds]

    @property
    def opening_cells(self) -> list[str]:
        """The locked code before the first exercise, with which most notebooks begin.

        It is the text that students get, without hidden parts.
        """
        sources = []
        for cell in self.cells:
            if cell.kind == "solution":
                break
            is_given = cell.kind == "provided" and cell.locked
            if is_given and not cell.skip:
                sources.append(cell.stub)
        return sources


def _content(path: Path) -> RawNotebook:
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content["cells"], list):
            raise TypeError("its cells are no list")
        cells = [cell for cell in content["cells"] if isinstance(cell, dict)]
        return {**content, "cells": cells}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MasterNotebookError(
            f"{path}: not a readable notebook ({error})"
        ) from error


def _texts(
    raw: list[RawCell],
    names: Collection[str],
    markers: Markers,
) -> Iterator[tuple[int, str]]:
    """Yield the Markdown of the release, and how many of the cells are above it."""
    cells_above = 0
    for position, cell in enumerate(raw):
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            yield cells_above, markers.without_regions(source)
        if cell_name(cell, position) in names:
            cells_above += 1


def language_of(content: RawNotebook) -> str:
    """Return the language of a notebook's kernel, in lower case."""
    meta = content.get("metadata") or {}
    kernel = meta.get("kernelspec") or {}
    info = meta.get("language_info") or {}
    language = kernel.get("language") or info.get("name")
    if not language:
        other = _OTHER_KERNELS.match(str(kernel.get("name")))
        language = other[0] if other else "python"
    return str(language).lower()
