"""Feedback before the deadline: grade what arrives, and give back what is allowed.

A try is one submission; its feedback says which exercises pass. The tries per day limit
what a student learns. Each try is in the gradebook, so a run that was killed continues
with the same count. Without a try left, nothing is executed, because the time of an
execution also gives something away.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from nbgrader.apps import NbGraderAPI

from nbproctor.engine import Pool
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError, as_computer_error
from nbproctor.nbgrader.feedback import copy_for_release, feedback, read_secret
from nbproctor.nbgrader.gradebook import (
    SharedGradebook,
    find_assignment,
    find_deadlines,
)
from nbproctor.nbgrader.grading import regrade
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.submitted import find_submissions
from nbproctor.nbgrader.tries import (
    TRIES,
    Attempt,
    read_tries,
    record_try,
    scored_exercises,
)
from nbproctor.pages.making import prepend_early_feedback
from nbproctor.pages.summary import Passes
from nbproctor.results import SubmissionResult
from nbproctor.submission.border import Refusal, submitted_files
from nbproctor.templates import render
from nbproctor.writing import write_file

# Students in one batch: all get their pages when the last of them is graded.
BATCH_SIZE = 16
GRACE_PERIOD = timedelta(minutes=1)


@dataclass
class _Student:
    """Record of a student; files are stored as the digest that `_files` returns."""

    files: str = ""  # at the last poll
    noticed: datetime = datetime.min  # when these were first found; UTC
    failures: int = 0  # consecutive failures to return feedback
    late: str = ""  # files that were reported as late
    waiting: dict[date, str] = field(default_factory=dict)  # for another day
    done: str = ""  # files that have had their try
    tries: list[Attempt] = field(default_factory=list)  # the oldest first

    @property
    def passes(self) -> Passes:
        """Exercise → whether it passes, in the last feedback."""
        passes: Passes = {}
        for attempt in self.tries:
            passes |= attempt.passes
        return passes

    def tries_on(self, day: date) -> int:
        """Return how many tries there were on a day."""
        return sum(_day(attempt.when) == day for attempt in self.tries)


@dataclass(frozen=True)
class TryResult:
    """The result of one submission before the deadline."""

    student: str
    noticed: datetime  # UTC
    result: SubmissionResult | None = None  # None: no try left, late, or a problem
    tries_today: int = 0  # with this one
    late: bool = False  # it came after the student's deadline
    problem: str = ""  # why it could not be collected, or nothing be given back


class Watch(ExitStack):
    """Grades new submissions of one assignment, until the deadline.

    With `exchange`, it collects submissions from nbgrader's exchange and releases
    feedback there; otherwise, another command fills ``submitted/``. With `weak`, layers
    of the sandbox may be missing. It is a context manager, which ends its processes at
    the end: starting them takes as long as grading six submissions.
    """

    def __init__(
        self,
        root: Path,
        assignment: str,
        exchange: bool,
        weak: bool,
    ) -> None:
        super().__init__()
        self._exchange = exchange
        self._weak = weak
        self._course = Course(root, assignment)
        options = self._course.options
        # A connection to a cluster may break within days, so each batch makes its own.
        self._pool = (
            None if options.cluster else self.enter_context(Pool(options.workers))
        )
        self._students: dict[str, _Student] = defaultdict(_Student)
        self._more = False  # the last poll has left submissions for the next
        self._problems: set[tuple[str, str]] = set()  # each is reported once
        with self._course.gradebook() as book:
            self._read_deadlines(book)
            TRIES.create(book.engine, checkfirst=True)
            for student, tries in read_tries(book, assignment).items():
                self._students[student].tries = tries
                self._students[student].done = tries[-1].files

    def is_finished(self, now: datetime) -> bool:
        """Whether all deadlines have passed and the last submissions were tried."""
        if not self.due:
            return False
        last = max([self.due, *self.deadlines.values()])
        return now > last + GRACE_PERIOD and not self._more

    def poll(self, now: datetime) -> list[TryResult]:
        """Grade what has arrived since the last poll, and return the allowed feedback.

        `now` is in UTC. A submission is graded if two polls have found the same files,
        so none is still being written. `CourseError`: as `regrade`; the next poll will
        find the same again.
        """
        failures = self._run_exchange("Collect", update=True)
        tries = [
            TryResult(
                student=name,
                noticed=now,
                problem=reason,
            )
            for name, reason in failures.items()
        ]
        settled = self._settled(now)
        if settled:
            course = self._course  # its source may have changed
            self._course = Course(course.root, course.assignment)
        with self._course.gradebook() as book:
            self._read_deadlines(book)
        taken = []
        for student in settled:
            record = self._students[student]
            if record.noticed <= (self.deadlines[student] or datetime.max):
                taken.append(student)
            elif record.late != record.files:  # `grade` will grade these files
                tries.append(
                    TryResult(
                        student=student,
                        noticed=record.noticed,
                        late=True,
                    )
                )
                record.late = record.files
        self._more = len(taken) > BATCH_SIZE
        if taken:
            # Repeated failures of one student must not delay the others.
            records = self._students
            taken.sort(key=lambda s: (records[s].failures, records[s].noticed))
            tries += self._grade(taken[:BATCH_SIZE], now)
        new = []
        for each in tries:
            problem = each.student, each.problem
            if not each.problem or problem not in self._problems:
                new.append(each)
                self._problems.add(problem)
        return new

    def _settled(self, now: datetime) -> list[str]:
        """Return the students whose files are new, and complete."""
        folders = {}
        with suppress(CourseError):  # nobody has submitted anything yet
            folders = find_submissions(self._course)
        settled = []
        today = _day(now)
        for student, folder in folders.items():
            record = self._students[student]
            try:
                files = _files(folder)
            except OSError as error:  # reading will report it
                files = str(error)
            if files != record.files:
                record.files = files
                record.noticed = now
            elif files not in (record.done, record.waiting.get(today)):
                settled.append(student)
        return settled

    def _read_deadlines(self, book: SharedGradebook) -> None:
        """Read the deadline, if any, and the deadlines of individual students."""
        row = find_assignment(book, self._course.assignment)
        self.due: datetime | None = row.duedate
        self.deadlines = find_deadlines(book, row)

    def _grade(self, students: list[str], now: datetime) -> list[TryResult]:
        """Grade the students who have a try left, and write feedback for all."""
        course = self._course
        options = course.options
        today = _day(now)
        obstacles = course.find_unwritable(students)
        tries = [
            self._record_failure(student, now, problem)
            for student, problem in obstacles.items()
        ]
        students = [student for student in students if student not in obstacles]
        results: dict[str, SubmissionResult | None] = dict.fromkeys(students)
        graded = students
        if options.early_feedback != "nothing":
            graded = [
                student
                for student in students
                if self._students[student].tries_on(today) < options.early_tries
            ]
            if self._exchange:  # otherwise nobody could fetch the page
                folder = partial(course.folder, "submitted")
                graded = [s for s in graded if read_secret(folder(s))]
        if graded:
            graded_now, _ = regrade(
                course=course,
                assignment=course.assignment,
                options=RunOptions(
                    students=graded,
                    keep_pages=True,
                    weak_sandbox=self._weak,
                ),
                pool=self._pool,
            )
            results |= {result.student: result for result in graded_now}
        for student, result in results.items():
            try:
                tries.append(
                    self._release_feedback(
                        student=student,
                        result=result,
                        now=now,
                    )
                )
            except Exception as error:  # the next poll tries it again
                if computer := as_computer_error(error):
                    raise computer from error
                tries.append(self._record_failure(student, now, str(error)))
        return tries

    def _record_failure(self, student: str, now: datetime, problem: str) -> TryResult:
        self._students[student].failures += 1
        return TryResult(
            student=student,
            noticed=now,
            problem=problem,
        )

    def _release_feedback(
        self,
        student: str,
        result: SubmissionResult | None,
        now: datetime,
    ) -> TryResult:
        course = self._course
        record = self._students[student]
        mode = course.options.early_feedback
        today = _day(now)
        passes = {}
        problem = ""
        if mode != "nothing":
            # An ungradable submission counts, too: a failed execution gives something
            # away.
            passes = self._passes(result) if result else {}
            if mode == "page" and result:
                feedback(course, course.assignment, students=[student])
            else:
                self._write(student, result, passes)
            problem = "; ".join(self._run_exchange("ReleaseFeedback", student).values())
        # Only feedback is a try. It is recorded now, so that after a kill, the page is
        # made again, but counted once.
        if passes and not problem:
            attempt = Attempt(
                when=now,
                files=record.files,
                passes=passes,
            )
            with course.gradebook() as book:
                record_try(
                    book=book,
                    assignment=course.assignment,
                    student=student,
                    attempt=attempt,
                )
            record.tries.append(attempt)
        if not result:
            record.waiting = {today: record.files}
        else:
            record.done = record.files
        return TryResult(
            student=student,
            result=result,
            noticed=record.noticed,
            tries_today=record.tries_on(today),
            problem=problem,
        )

    def _passes(self, result: SubmissionResult) -> Passes:
        """Return, for each exercise, whether all of its tests pass."""
        passes = {}
        for name, outline in self._course.outlines.items():
            verdicts = result.verdicts.get(name, [])
            full = {v.cell_id for v in verdicts if v.points == v.max_points}
            for key, exercise in scored_exercises(outline):
                passes[key] = full.issuperset(exercise.tests)
        return passes

    def _write(
        self,
        student: str,
        result: SubmissionResult | None,
        passes: Passes,
    ) -> None:
        """Write, for each notebook, which exercises pass, and the earlier tries.

        This is a page of its own, or the top of a page with more feedback on an earlier
        submission. It has notes only if nothing was executed: which line was stopped is
        more than one bit.
        """
        course = self._course
        folder = course.folder("feedback", student)
        record = self._students[student]
        passes = record.passes | passes
        earlier = record.tries if result else record.tries[:-1]
        is_failure = result is not None and result.is_failure
        for name, outline in course.outlines.items():
            path = folder / f"{name}.html"
            early = render(
                "early.html",
                outline=outline,
                rows=[
                    (exercise.name, passes.get(key))
                    for key, exercise in scored_exercises(outline)
                ],
                tries=[attempt.notebook(outline) for attempt in reversed(earlier)],
                notes=result.notes.get(name, []) if result and is_failure else [],
                is_failure=is_failure,
                is_waiting=not result,
                most=course.options.early_tries,
            )
            write_file(path, prepend_early_feedback(path, early))
        copy_for_release(course, student)

    def _run_exchange(
        self,
        name: str,
        student: str = "*",
        **options: bool,
    ) -> dict[str, str]:
        """Run one of nbgrader's exchange commands, if the exchange is used.

        Returns the failures: folder or student → reason.
        """
        if not self._exchange:
            return {}
        api = NbGraderAPI(config=self._course.config)
        coursedir = api.coursedir
        coursedir.assignment_id = self._course.assignment
        coursedir.student_id = student
        command = getattr(api.exchange, name)(
            coursedir=coursedir,
            authenticator=api.authenticator,
            parent=api,
            **options,
        )
        failures: dict[str, str] = {}
        try:
            command.start()
        except Exception as error:
            failures = getattr(command, "failures", failures)
            if not failures:
                raise CourseError(f"nbgrader's {name} failed: {error}") from error
        return failures


def _files(folder: Path) -> str:
    """Return a digest of a student's files, without reading their content."""
    digest = hashlib.sha256()
    refusals: list[Refusal] = []
    for file in submitted_files(folder, refusals):
        digest.update(os.fsencode(file.relative_path))
        digest.update(f"\0{file.size} {file.changed}\0".encode())
    for path, reason in refusals:
        digest.update(os.fsencode(path) + f"\0{reason}\0".encode())
    return digest.hexdigest()


def _day(moment: datetime) -> date:
    """Return the local day of a moment in UTC."""
    return moment.replace(tzinfo=UTC).astimezone().date()
