"""A class and its term: who submits what and when, and all marks it must get.

The marks are written here, and not computed: they are what a teacher would expect.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.notebooks import read_json

CLASS = Path(__file__).with_name("term.txt").read_text("utf-8").splitlines()[3:]
FIRST = "tiny"
SECOND = "second"
# What an answer of the list is; what is not here is right.
RIGHT = {
    "fizz": "def fizz(n):\n    return str(n) if n % 3 else 'fizz'",
    "mean_of": "def mean_of(numbers):\n    return sum(numbers) / len(numbers)",
}
FLOOR = RIGHT["mean_of"].replace("/", "//")
SORTS = RIGHT["mean_of"].replace(":", ":\n    numbers.sort()")
ANSWERS = {
    "zero": {"fizz": RIGHT["fizz"].replace("n % 3", "not n or n % 3")},
    "text": {"fizz": "def fizz(n):\n    return str(n)"},
    "half": {"mean_of": "def mean_of(numbers):\n    return 0.5"},
    "floor": {"mean_of": FLOOR},
    "sorts": {"mean_of": SORTS},
    "blank": {"fizz": "", "mean_of": ""},
    "Blue": {"mean_of": SORTS},
}
FIRST_DUE = "2016-11-20 22:00"  # at first; UTC
CANVAS_HEAD = (
    "\ufeffStudent,ID,SIS Login ID,Section,tiny (77),Current Score\r\n"
    "    Points Possible,,,,10.00,(read only)\r\n"
)
MOODLE_HEAD = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be "
    "changed,Last modified (submission),Last modified (grade),Feedback comments\n"
)


class Work(NamedTuple):
    """What a student submits for an assignment, and what it must get, as texts."""

    assignment: str
    number: int
    student: str
    name: str
    answer: str  # none: nothing is submitted
    when: str  # UTC, if the list says it
    fizz: str
    mean_of: str
    total: str
    status: str

    @property
    def full_name(self) -> str:
        last, _, first = self.name.rpartition(", ")
        return f"{first} {last}"

    @property
    def owner(self) -> str:
        """The student, or the team."""
        return self.answer if self.answer.istitle() else self.student

    @property
    def address(self) -> str:
        """The number by which the platform of the assignment knows the student."""
        return str(self.number + (1000 if self.assignment == FIRST else 5000))

    @property
    def mark(self) -> str:
        """The mark as a platform's file has it."""
        return f"{float(self.total):.2f}" if self.total else ""


def students(number: int) -> list[Work]:
    """Return the works of the first students of the list."""
    works = []
    for position, line in enumerate(CLASS[:number]):
        student, name, *words = map(str.strip, line.split("|"))
        answer, when, *marks = words[6:]
        works.append(Work(FIRST, position, student, name, *words[:6]))
        works.append(Work(SECOND, position, student, name, answer, when, "", *marks))
    return works


def marker(owner: str) -> str:
    """Return the text by which a notebook, or a page, is known to be somebody's."""
    return f"work of {owner} ."


def notebook(
    course: Path,
    assignment: str,
    answer: str,
    owner: str,
) -> bytes:
    """Return what somebody submits."""
    release = course / f"release/{assignment}/{assignment}.ipynb"
    content: dict[str, Any] = read_json(release)
    answers = RIGHT | ANSWERS.get(answer, {})
    for cell in content["cells"]:
        if source := answers.get(cell["id"]):
            cell["source"] = f"{source}  # {marker(owner)}"
        elif cell["id"] in answers:
            cell["source"] = ""
    data = json.dumps(content).encode()
    return data[:300] if answer == "cut" else data


def _quote(name: str) -> str:
    return f'"{name}"' if "," in name else name


def grade_book(works: Iterable[Work], filled: bool = False) -> str:
    """Return Canvas's grade book, filled with marks or not."""
    text = CANVAS_HEAD
    for work in works:
        mark = "EX" if work.status == "excused" else work.mark
        text += f"{_quote(work.name)},{work.address},{work.student},A,"
        text += f"{mark if filled else ''},\r\n"
    return text


def worksheet(works: Iterable[Work], filled: bool = False) -> str:
    """Return Moodle's grading worksheet, filled with marks or not."""
    text = MOODLE_HEAD
    for work in works:
        submitted = "-"
        if work.when:
            when = datetime.fromisoformat(work.when)
            submitted = f'"{when:%A, %d %B %Y, %I:%M %p}"'
        text += f"Participant {work.address},{_quote(work.full_name)},"
        text += f"{work.student}@example.edu,Submitted,{work.mark if filled else ''},"
        text += f"5.00,Yes,{submitted},-,\n"
    return text


def write_download(
    path: Path,
    works: Iterable[Work],
    attempt: int = 2,
) -> None:
    """Write what Canvas, or Moodle for the second assignment, has of works."""
    files = {}
    for work in works:
        if work.assignment == FIRST:
            name = "".join(filter(str.isalnum, work.name.lower()))
            late = "LATE_" if work.when > FIRST_DUE else ""
            name += f"_{late}{work.address}_{attempt}{work.number:02}_"
        elif work.owner == work.student:
            name = f"{work.full_name}_{work.address}_assignsubmission_file/"
        else:
            name = f"{work.owner}_{len(work.owner)}_assignsubmission_file/"
        name += "homework" if work.answer == "renamed" else work.assignment
        if work.answer:
            files[name] = notebook(
                path.parent, work.assignment, work.answer, work.owner
            )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.ipynb", content)
