"""A sample class: submissions made from the release, solutions and variants.

Nothing here is edited by hand. ``examples/sample_class.toml`` says who submits what.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import msgspec.toml
import nbformat
from nbformat import NotebookNode

from nbproctor.audit.variants import read_variants
from nbproctor.errors import NbproctorError
from nbproctor.notebook import MasterNotebook


class SampleError(NbproctorError):
    """The description of the class does not fit the assignment."""


class SampleStudent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One student of the sample class: folder name, name, and what the work shows.

    `solved` are exercises answered with the reference solution (None: all); `variants`
    maps exercises to one of their variants, as ``wrong/no_clip``; `cells` open cells
    to a source, for what is no variant. `file` is its name, if not the notebook's own;
    only its first `bytes` arrived, if not all did.
    """

    id: str
    name: str
    story: str
    solved: tuple[str, ...] | None = None
    variants: dict[str, str] = {}
    cells: dict[str, str] = {}
    file: str | None = None
    bytes: int | None = None


def read_classes(path: Path) -> dict[str, list[SampleStudent]]:
    """Read who submits each assignment; `SampleError` if it is not readable."""
    try:
        form = dict[str, list[SampleStudent]]
        return msgspec.toml.decode(path.read_bytes(), type=form)
    except (OSError, ValueError) as error:
        raise SampleError(f"{path}: {error}") from error


def submit(
    student: SampleStudent,
    release: NotebookNode,
    master: MasterNotebook,
    variants: Path,
) -> tuple[str, NotebookNode]:
    """Return the file name and the notebook that a student submits.

    `SampleError`: the assignment has no such exercise, or no such variant.
    """
    reference = solutions(master)
    solved = reference if student.solved is None else student.solved
    try:
        answers = {exercise: reference[exercise] for exercise in solved}
        for exercise, name in student.variants.items():
            written, _ = read_variants(variants / exercise, reference[exercise])
            sources = {f"{v.kind}/{v.name}": v.source for v in written}
            answers[exercise] = sources[name]
        answers |= student.cells
        return student.file or f"{master.notebook}.ipynb", solve(release, answers)
    except (KeyError, OSError) as error:
        raise SampleError(
            f"The sample class does not fit {master.assignment!r}: {student.name} "
            f"({student.id}) needs {error}."
        ) from error


def solutions(master: MasterNotebook) -> dict[str, str]:
    """Return the reference solution of each exercise, as the source of its cell."""
    return {cell.id: cell.source for cell in master.of_kind("solution")}


def solve(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Return a copy of a release in which some exercises are answered.

    `answers`: a cell that is not locked, by ``grade_id`` or id → its source.
    `KeyError`: no such cell.
    """
    solved = deepcopy(notebook)
    cells = {
        cell.metadata.get("nbgrader", {}).get("grade_id", cell.id): cell
        for cell in solved.cells
        if not cell.metadata.get("nbgrader", {}).get("locked")
    }
    for name, source in answers.items():
        cells[name].source = source.strip("\n")
    return solved


def write_class(
    students: list[SampleStudent], course: Path, master: MasterNotebook, variants: Path
) -> None:
    """Submit everything: write ``submitted/`` of a course that has a release."""
    path = course / "release" / master.assignment / f"{master.notebook}.ipynb"
    release = nbformat.read(path, as_version=4)
    for student in students:
        name, notebook = submit(student, release, master, variants)
        folder = course / "submitted" / student.id / master.assignment
        folder.mkdir(parents=True)
        content = nbformat.writes(notebook).encode()
        (folder / name).write_bytes(content[: student.bytes])


def new_course(project: Path) -> Path:
    """Make ``demo/`` again: the same course, sources and data, and no students.

    `SampleError`: there is a folder ``demo`` that no demo made.
    """
    course = project / "demo"
    mark = course / "MADE_BY_DEMO.txt"
    if course.exists():
        if not mark.exists():
            raise SampleError(
                f"{course} was not made by the demo. Move it to another place."
            )
        shutil.rmtree(course)
    course.mkdir()
    mark.write_text("The next `python kit.py demo` deletes this folder.\n", "utf-8")
    for path in (project / "nbgrader_config.py", *project.glob(".nbproctor.json")):
        shutil.copy(path, course)  # the second: where tests are judged, if it is known
    for name in ("source", "data"):
        shutil.copytree(project / name, course / name)
    return course
