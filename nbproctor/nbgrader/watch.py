"""Feedback before the deadline: grade what arrives, give back what may be given.

What a student learns from a try is bounded by how many there are: each is a row in the
gradebook, so a run that was killed goes on with the same count.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import inf
from pathlib import Path

from nbgrader.api import SubmittedAssignment
from nbgrader.apps import NbGraderAPI
from sqlalchemy import Column, DateTime, MetaData, String, Table, func, select

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError
from nbproctor.nbgrader.feedback import copy_for_release, feedback
from nbproctor.nbgrader.gradebook import SharedGradebook, find_assignment
from nbproctor.nbgrader.grading import regrade
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.submitted import handed_in
from nbproctor.pages.outline import Outline
from nbproctor.results import SubmissionResult
from nbproctor.templates import render

# Students who wait together: all get their pages when the last of them is graded.
AT_ONCE = 16
SETTLED = timedelta(minutes=1)
# Beside nbgrader's own tables, so that a copy of the gradebook has the tries, too.
_TRIES = Table(
    "nbproctor_tries",
    MetaData(),
    Column("assignment", String(255), nullable=False),
    Column("student", String(128), nullable=False),
    Column("files", String(64), nullable=False),  # see `_files`
    Column("given", DateTime, nullable=False),  # UTC
)


@dataclass(frozen=True)
class Try:
    """What became of one thing that a student handed in before the deadline."""

    student: str
    result: SubmissionResult | None  # None: it was not graded
    number: int  # of the student's tries of this day
    noticed: datetime  # UTC
    late: bool = False  # it came after the student's deadline


class Watch:
    """Looks for what arrives for one assignment, until the deadline.

    `exchange`: what arrives is collected from nbgrader's exchange, and feedback is
    released there; it is put into ``submitted/`` by somebody else otherwise. `weak`:
    also where layers of the sandbox are missing.
    """

    def __init__(self, root: Path, assignment: str, exchange: bool, weak: bool) -> None:
        self._root, self._assignment = root, assignment
        self._exchange, self._weak = exchange, weak
        self._course = Course(root)
        self._last: dict[str, str] = {}  # student → files, at the last look
        self._arrived: dict[str, datetime] = {}  # when these files were noticed
        self._refused: dict[str, str] = {}  # files of those told that they must wait
        self._more = False  # the last look has left something for the next
        with self._course.gradebook() as book:
            self._read_deadlines(book)
            _TRIES.create(book.engine, checkfirst=True)
            tries = (
                select(_TRIES.c.student, _TRIES.c.files)
                .where(_TRIES.c.assignment == assignment)
                .order_by(_TRIES.c.given)
            )
            self._done = {student: files for student, files in book.db.execute(tries)}

    def over(self, now: datetime) -> bool:
        """Whether everybody's time is over, and what came at its end is tried."""
        if self.due is None:
            return False
        last = max([self.due, *self.extended.values()])
        return now > last + SETTLED and not self._more

    def look(self, now: datetime) -> list[Try]:
        """Grade what has arrived since the last look, and give back what may be given.

        `now` is in UTC. Something is taken when two looks have found it the same: it
        is not still being written. `CourseError`: as `regrade`; the next look will
        find the same again.
        """
        self._in_exchange("collect", update=True)
        arrived = self._settled(now)
        if arrived:
            self._course = Course(self._root)  # the source may have changed since
        with self._course.gradebook() as book:
            self._read_deadlines(book)
            used = self._used(book, now)
        options = self._course.options
        most = inf if options.early_feedback == "nothing" else options.early_tries
        taken, tries = [], []
        for student, files in arrived.items():
            number, noticed = used.get(student, 0), self._arrived[student]
            late = noticed > self.extended.get(student, self.due or datetime.max)
            if not late and number < most:
                taken.append(student)
            elif self._refused.get(student) != files:
                tries.append(Try(student, None, number, noticed, late))
                self._refused[student] = files
                if not late:  # `grade` will take these files
                    self._write(student, None, number)
                    self._in_exchange("release_feedback", student)
        self._more = len(taken) > AT_ONCE
        if taken:
            first = sorted(taken, key=self._arrived.__getitem__)[:AT_ONCE]
            tries += self._grade(first, used, now)
        return tries

    def _settled(self, now: datetime) -> dict[str, str]:
        """Return the students with files that are new, and complete: id → files."""
        found: dict[str, str] = {}
        with contextlib.suppress(CourseError):  # nobody has handed in anything yet
            folders = handed_in(self._course, self._assignment)
            found = {student: _files(folder) for student, folder in folders.items()}
        for student, files in found.items():
            if self._last.get(student) != files:
                self._arrived[student] = now
        settled = {
            student: files
            for student, files in found.items()
            if files == self._last.get(student) != self._done.get(student)
        }
        self._last = found
        return settled

    def _read_deadlines(self, book: SharedGradebook) -> None:
        """Read the deadline, if any, and those of students who have an extension."""
        row = find_assignment(book, self._assignment)
        extended: dict[str, datetime] = {}
        if row.duedate is not None:
            of = SubmittedAssignment  # not all of its rows: this is asked every second
            found = select(of.student_id, of.extension).where(
                of.assignment_id == row.id, of.extension.isnot(None)
            )
            extended = {s: row.duedate + more for s, more in book.db.execute(found)}
        self.due: datetime | None = row.duedate
        self.extended = extended

    def _used(self, book: SharedGradebook, now: datetime) -> dict[str, int]:
        """Return how many tries of this day, here, students have used."""
        today = now.replace(tzinfo=UTC).astimezone().date()
        midnight = datetime.combine(today, time()).astimezone(UTC).replace(tzinfo=None)
        rows = book.db.execute(
            select(_TRIES.c.student, func.count())
            .where(_TRIES.c.assignment == self._assignment, _TRIES.c.given >= midnight)
            .group_by(_TRIES.c.student)
        )
        return {student: count for student, count in rows}

    def _grade(
        self, students: list[str], used: dict[str, int], now: datetime
    ) -> list[Try]:
        options = RunOptions(students, weak_sandbox=self._weak)
        results, _ = regrade(self._course, self._assignment, None, options)
        given = self._course.options.early_feedback
        if given == "page":
            feedback(self._course, self._assignment, None, students)
        tries = []
        for result in results:
            # What cannot be graded tells nothing of the tests, and costs no try.
            counts = result.status != "ungradable"
            student, number = result.student, used.get(result.student, 0) + counts
            if given == "passed":
                self._write(student, result, number)
            if given != "nothing":
                self._in_exchange("release_feedback", student)
            # Now: after a kill the page is made again, and counted once.
            if counts:
                row = self._assignment, student, self._last[student], now
                with self._course.gradebook() as book:
                    book.db.execute(_TRIES.insert().values(row))
                    book.db.commit()
            self._done[student] = self._last[student]
            tries.append(Try(student, result, number, self._arrived[student]))
        return tries

    def _write(
        self, student: str, result: SubmissionResult | None, number: int
    ) -> None:
        """Write a page for each notebook that says which exercises pass, no more."""
        folder = self._course.folder("feedback", self._assignment, student)
        shutil.rmtree(folder, ignore_errors=True)  # it is of an earlier try
        folder.mkdir(parents=True)
        for name, outline in self._course.outlines(self._assignment).items():
            page = render(
                "early.html",
                outline=outline,
                exercises=_passed(outline, result) if result else {},
                notes=result.notes.get(name, []) if result else [],
                result=result,
                number=number,
                most=self._course.options.early_tries,
            )
            (folder / f"{name}.html").write_text(page, "utf-8", errors="replace")
        copy_for_release(self._course, self._assignment, student)

    def _in_exchange(self, command: str, *about: str, **options: bool) -> None:
        """Have a command of nbgrader's work in its exchange, if that is used."""
        if not self._exchange:
            return
        api = NbGraderAPI(config=self._course.config)
        told = getattr(api, command)(self._assignment, *about, **options)
        if not told["success"]:
            reason = told.get("error") or told.get("log", "")
            last = reason.strip().splitlines()[-1:] or ["no reason given"]
            raise CourseError(f"nbgrader {command} failed: {last[0]}")


def _files(folder: Path) -> str:
    """Return what tells the files in a folder from others, without reading them."""
    digest = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            digest.update(os.fsencode(path.relative_to(folder)))
            with contextlib.suppress(FileNotFoundError):  # it is being replaced
                about = path.lstat()
                digest.update(f"\0{about.st_size} {about.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _passed(outline: Outline, result: SubmissionResult) -> dict[str, bool]:
    """Return name of each exercise → whether each of its tests gave all its points."""
    verdicts = {v.cell_id: v for v in result.verdicts.get(outline.master.notebook, [])}
    return {
        exercise.name: all(v.points == v.max_points for v in tests)
        for exercise in outline.exercises
        if (tests := [verdicts[t] for t in exercise.tests if t in verdicts])
    }
