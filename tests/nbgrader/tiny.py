"""The tiny course, as the tests of this room hand in to it, configure and grade it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from nbproctor import nbgrader
from nbproctor.results import SubmissionResult
from tests.broken.cases import ANSWERS, answered, by_id, text, write
from tests.nbgrader.rows import url
from tests.notebooks import read_json
from tests.programs import run_python

Notebook = dict[str, Any]
HandIn = Callable[..., Path]
SOLVES = {"fizz-multiples": "fizz", "mean-values": "mean_of"}  # test → its exercise


def released(course: Path) -> Notebook:
    """Return the notebook as students get it."""
    notebook: Notebook = read_json(course / "release/tiny/tiny.ipynb")
    return notebook


def content(folder: Path) -> dict[Path, bytes]:
    """Return what each file of a folder contains, but for Python's own copies."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if "pycache" not in str(path)}


def solved(course: Path, **cells: str) -> Notebook:
    """Return the notebook with right answers, but for those of ``exercise=source``."""
    notebook = answered(released(course))
    for exercise, source in cells.items():
        by_id(notebook, exercise)["source"] = source
    return notebook


def hand_in(course: Path, student: str, name: str = "tiny.ipynb", **cells: str) -> Path:
    """Hand in right answers, but for those given as ``exercise=source``."""
    return write(course / "submitted" / student / "tiny", solved(course, **cells), name)


def stubs(course: Path) -> dict[str, str]:
    """Return the cells of all exercises as students get them."""
    release = released(course)
    return {name: text(by_id(release, name)) for name in ANSWERS}


def may_be_released(course: Path) -> bool:
    """Whether the source, and the release if there is one, pass all checks."""
    opened = nbgrader.Course(course, "tiny")
    return all(check.passed for check in nbgrader.check_release(opened))


def graded(course: Path, **options: Any) -> dict[str, SubmissionResult]:
    return {o.student: o for o in nbgrader.grade(course, "tiny", **options)}


def statuses(
    results: Mapping[str, SubmissionResult],
) -> dict[str, tuple[str, float | None]]:
    """Return status and score of each student."""
    return {student: (r.status, r.score) for student, r in results.items()}


def totals(course: Path) -> dict[str, float]:
    totals: dict[str, float] = nbgrader.scores(course, "tiny")["total"].to_dict()
    return totals


def configure(course: Path, *lines: str) -> None:
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def switch_off(course: Path) -> None:
    """Leave out of the configuration what switches nbproctor on."""
    config = course / "nbgrader_config.py"
    lines = config.read_text("utf-8").splitlines()
    config.write_text("\n".join(line for line in lines if "proctor" not in line))


def book(course: Path) -> Gradebook:
    return Gradebook(url(course), "tiny")


def grade_by_hand(
    course: Path, cell: str, *students: str, comment: str = "", **fields: object
) -> None:
    """Write what formgrader writes when a person marks a cell, and the answer to it."""
    with book(course) as opened:
        for student in students:
            grade = opened.find_grade(cell, "tiny", "tiny", student)
            for name, value in fields.items():
                setattr(grade, name, value)
            if comment:
                answer = opened.find_comment(SOLVES[cell], "tiny", "tiny", student)
                answer.manual_comment = comment
        opened.db.commit()


def run_nbgrader(
    course: Path, *arguments: str, status: int = 0, path: str = os.defpath
) -> str:
    """Run nbgrader's own command, as a teacher would; return what it complains of.

    Unless another `path` is given, no environment is activated.
    """
    env = os.environ | {"PATH": path}
    # What has imported nbproctor already is no stock nbgrader.
    config = (course / "nbgrader_config.py").read_text("utf-8")
    kind = "nbproctor" if "from nbproctor import" in config else "commands"
    done = run_python("nbgrader", *arguments, cwd=course, env=env, kind=kind)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


@contextmanager
def source_of(course: Path, release: bool = True) -> Iterator[Notebook]:
    """Yield the source to be changed; write it, and make the release again."""
    path = course / "source/tiny/tiny.ipynb"
    notebook = read_json(path)
    yield notebook
    write(path.parent, notebook)
    if release:
        nbgrader.generate(course, "tiny")


def with_cells(course: Path, cells: Mapping[str, str]) -> None:
    """Give cells of the source another text, and make the release again."""
    with source_of(course) as notebook:
        for name, source in cells.items():
            by_id(notebook, name)["source"] = source


HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


def without_zero(course: Path) -> None:
    """Have a test ask for less: who is wrong about 0 alone has its points."""
    with_cells(course, {"fizz-multiples": HIDDEN.format("assert fizz(9) == 'fizz'")})


def with_one(course: Path) -> None:
    """Have a test ask for more, which nobody's answer knows."""
    with_cells(course, {"fizz-numbers": HIDDEN.format("assert fizz(1) == 'one'")})
