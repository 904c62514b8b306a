"""A class and its term: who submits what and when, and all marks it must get.

The marks are written here, and not computed: they are what a teacher would expect.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.broken.cases import by_id

# The list of the class; its first lines say what its columns are.
CLASS = Path(__file__).with_name("term.txt").read_text("utf-8").partition("dash")[2]
FIRST = "tiny"
SECOND = "second"
# What an answer of the list above is; what is not here is right.
MEAN = "    return sum(numbers) / len(numbers)"
ANSWERS = {
    "zero": {"fizz": "    return 'fizz' if n and n % 3 == 0 else str(n)"},
    "text": {"fizz": "    return str(n)"},
    "half": {"mean_of": "    return 0.5"},
    "floor": {"mean_of": "    return sum(numbers) // len(numbers)"},
    "sorts": {"mean_of": f"    numbers.sort()\n{MEAN}"},
    "blank": {"fizz": "", "mean_of": ""},
    "Blue": {"mean_of": f"    numbers.sort()\n{MEAN}"},
}
RIGHT = {"fizz": "    return str(n) if n % 3 else 'fizz'", "mean_of": MEAN}
HEADS = {"fizz": "def fizz(n):", "mean_of": "def mean_of(numbers):"}
FIRST_DUE = datetime(2016, 11, 20, 22)  # at first; UTC
CANVAS_HEAD = (
    "\ufeffStudent,ID,SIS Login ID,Section,tiny (77),Current Score\r\n"
    "    Points Possible,,,,10.00,(read only)\r\n"
)
MOODLE_HEAD = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be "
    "changed,Last modified (submission),Last modified (grade),Feedback comments\n"
)


@dataclass(frozen=True)
class Work:
    """What a student submits for an assignment, and what it must get."""

    answer: str  # "-": nothing is submitted
    when: datetime | None  # UTC, if the list says it
    points: dict[str, str]  # "-": none
    total: str
    status: str

    @property
    def team(self) -> str:
        """With whom it is submitted, or nothing."""
        return self.answer if self.answer.istitle() else ""


@dataclass(frozen=True, eq=False)
class Student:
    """A row of the list."""

    id: str
    last: str
    first: str
    number: int
    first_work: Work
    second_work: Work

    @property
    def canvas(self) -> str:
        """The number by which Canvas knows the student."""
        return str(1000 + self.number)

    @property
    def participant(self) -> str:
        """The number that Moodle gives for the second assignment."""
        return str(5000 + self.number)

    @property
    def name(self) -> str:
        return f"{self.last}, {self.first}"


def _work(
    submitted: str,
    marks: str,
    month: int,
) -> Work:
    answer, _, time = submitted.partition(" @")
    *points, total, status = ["-", "-", *marks.split()][-4 if month == 11 else -2 :]
    if "gone" in marks:
        points = ["-", "-"]
        total = "-"
        status = "gone"
    day, _, clock = time.partition(" ")
    when = datetime.fromisoformat(f"2016-{month}-{day} {clock}") if time else None
    names = ("fizz", "mean_of") if points else ()
    return Work(answer, when, dict(zip(names, points, strict=True)), total, status)


def students(number: int) -> list[Student]:
    """Return the first students of the list."""
    people = []
    for position, line in enumerate(CLASS.splitlines()[1 : number + 1]):
        id, name, first, marks, second, second_marks = map(str.strip, line.split("|"))
        last, _, forename = name.rpartition(", ")
        person = Student(
            id=id,
            last=last,
            first=forename,
            number=position,
            first_work=_work(first, marks, 11),
            second_work=_work(second, second_marks, 12),
        )
        people.append(person)
    return people


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
    cells: dict[str, Any] = json.loads(release.read_text("utf-8"))
    for exercise, head in HEADS.items():
        if not any(cell.get("id") == exercise for cell in cells["cells"]):
            continue
        body = ANSWERS.get(answer, {}).get(exercise, RIGHT[exercise])
        text = f"{head}  # {marker(owner)}\n{body}"
        if body:
            by_id(cells, exercise)["source"] = text
    data = json.dumps(cells).encode()
    return data[:300] if answer == "cut" else data


def _cell(text: str) -> str:
    return f'"{text}"' if "," in text else text


def grade_book(people: Iterable[Student], marks: Mapping[str, str]) -> str:
    """Return Canvas's grade book, with the marks of some."""
    rows = [
        f"{_cell(p.name)},{p.canvas},{p.id},A,{marks.get(p.id, '')},\r\n"
        for p in people
    ]
    return CANVAS_HEAD + "".join(rows)


def worksheet(people: Iterable[Student], marks: Mapping[str, str]) -> str:
    """Return Moodle's grading worksheet, with the marks of some."""
    rows = []
    for person in people:
        when = person.second_work.when
        submitted = f'"{when:%A, %d %B %Y, %I:%M %p}"' if when else "-"
        full_name = _cell(f"{person.first} {person.last}")
        mark = marks.get(person.id, "")
        rows.append(
            f"Participant {person.participant},{full_name},{person.id}@example.edu,"
            f"Submitted,{mark},5.00,Yes,{submitted},-,\n"
        )
    return MOODLE_HEAD + "".join(rows)


def canvas_files(
    course: Path,
    answers: Mapping[Student, str],
    attempt: int,
) -> dict[str, bytes]:
    """Return Canvas's download of the first assignment: name of a file → content."""
    files = {}
    for student, answer in answers.items():
        name = f"{student.last}{student.first}".lower()
        letters = "".join(letter for letter in name if letter.isalnum())
        when = student.first_work.when
        late = "LATE_" if when and when > FIRST_DUE else ""
        file = "homework" if answer == "renamed" else FIRST
        numbers = f"{student.canvas}_{attempt}{student.number:02}"
        path = f"{letters}_{late}{numbers}_{file}.ipynb"
        files[path] = notebook(course, FIRST, answer, student.id)
    return files


def moodle_files(course: Path, people: Iterable[Student]) -> dict[str, bytes]:
    """Return Moodle's download of the second assignment: name of a file → content."""
    files = {}
    for student in people:
        answer = student.second_work.answer
        if answer == "-":
            continue
        owner = student.second_work.team or student.id
        name = f"{student.first} {student.last}_{student.participant}"
        if owner != student.id:
            name = f"{owner}_{len(owner)}"
        file = "homework" if answer == "renamed" else SECOND
        path = f"{name}_assignsubmission_file/{file}.ipynb"
        files[path] = notebook(course, SECOND, answer, owner)
    return files


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
