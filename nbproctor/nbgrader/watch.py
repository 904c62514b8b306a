"""Feedback before the deadline: grade what arrives, and give back what is allowed.

The number of tries of an exercise limits what a student learns. Each try is a row in
the gradebook, so a run that was killed continues with the same count. A page shows the
last result of an exercise. There is a new result, and a try is used, only when its
answer has changed. So a change of one exercise uses no try of another, and shows
nothing about it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from nbgrader.api import SubmittedAssignment
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import capture_log
from sqlalchemy import Boolean, Column, DateTime, MetaData, String, Table, select

from nbproctor.cells import CellText
from nbproctor.engine import Pool
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError, of_the_computer
from nbproctor.nbgrader.feedback import copy_for_release, feedback, read_secret
from nbproctor.nbgrader.gradebook import SharedGradebook, find_assignment
from nbproctor.nbgrader.grading import regrade
from nbproctor.nbgrader.options import RunOptions
from nbproctor.nbgrader.prefetch import Submission
from nbproctor.nbgrader.submitted import handed_in
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.results import SubmissionResult
from nbproctor.submission.border import Refusal, walk
from nbproctor.submission.repair import student_cells
from nbproctor.templates import render

# Students who wait together: all get their pages when the last of them is graded.
AT_ONCE = 16
SETTLED = timedelta(minutes=1)
# Beside nbgrader's own tables, so that a copy of the gradebook has the tries, too.
_TRIES = Table(
    "nbproctor_told",
    MetaData(),
    Column("assignment", String(255), nullable=False),
    # See `_files`; empty: something in them waits for another day.
    Column("files", String(64), nullable=False),
    Column("student", String(128), nullable=False),
    Column("exercise", String(255), nullable=False),  # see `_exercises`
    Column("answer", String(64), nullable=False),  # see `_answers`
    Column("passes", Boolean, nullable=False),
    Column("given", DateTime, nullable=False),  # UTC
)


class LastResult(NamedTuple):
    """The last result of an exercise that a student saw."""

    answer: str
    passes: bool
    given: datetime  # UTC


@dataclass(frozen=True)
class _Read:
    """What a student has submitted, before any of it is executed."""

    answers: dict[str, str] = field(default_factory=dict)  # see `_answers`
    notes: dict[str, list[str]] = field(default_factory=dict)
    new: Collection[str] = ()  # exercises that can be tried again
    waiting: Collection[str] = ()  # that have changed, without a try left today
    executed: bool = True  # or refused; else nothing could be tried again

    def state(self, exercise: str, last: LastResult | None) -> str:
        """Say how an exercise stands, in words for its student."""
        if self.answers.get(exercise) == "":
            return "as you got it"
        if last is None or exercise in self.waiting:
            return "not tried yet"
        return "✓ passes" if last.passes else "not yet"


@dataclass
class _Student:
    """Record of a student; files stand in it as what `_files` returns of them."""

    files: str = ""  # at the last look
    noticed: datetime = datetime.min  # when these were first seen; UTC
    failures: int = 0  # of giving something back, for these and before
    late: str = ""  # files that were reported as late
    waiting: dict[date, str] = field(default_factory=dict)  # for another day
    done: str = ""  # files that are tried
    read: _Read = field(default_factory=_Read)  # in this batch
    last_results: dict[str, LastResult] = field(default_factory=dict)  # by exercise
    # Tries of an exercise on a day.
    used: Counter[tuple[str, date]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Try:
    """The result of one submission before the deadline."""

    student: str
    result: SubmissionResult | None  # None: it was not graded
    noticed: datetime  # UTC
    tries_used: int = 0  # exercises, each of which has cost a try
    waiting: int = 0  # exercises that have changed, and have no try left today
    late: bool = False  # it came after the student's deadline
    problem: str = ""  # why it could not be collected, or nothing be given back


class Watch(contextlib.ExitStack):
    """Looks for what arrives for one assignment, until the deadline.

    `exchange`: what arrives is collected from nbgrader's exchange, and feedback is
    released there; it is put into ``submitted/`` by somebody else otherwise. `weak`:
    also where layers of the sandbox are missing. A context manager, which ends its
    processes: starting them takes as long as grading six submissions.
    """

    def __init__(self, root: Path, assignment: str, exchange: bool, weak: bool) -> None:
        super().__init__()
        self._root = root
        self._assignment = assignment
        self._exchange = exchange
        self._weak = weak
        self._course = Course(root)
        options = self._course.options
        # A connection to a cluster may break in days: each batch has its own.
        self._pool = (
            None if options.cluster else self.enter_context(Pool(options.workers))
        )
        self._students: dict[str, _Student] = defaultdict(_Student)
        self._more = False  # the last look has left something for the next
        self._problems: set[tuple[str, str]] = set()  # each is reported once
        with self._course.gradebook() as book:
            self._read_deadlines(book)
            _TRIES.create(book.engine, checkfirst=True)
            tries = select(_TRIES).where(_TRIES.c.assignment == assignment)
            for _, *row in book.db.execute(tries.order_by(_TRIES.c.given)):
                self._count(*row)

    def _count(self, files: str, student: str, key: str, *row: Any) -> None:
        """Count a try, which the gradebook has."""
        record = self._students[student]
        last = record.last_results[key] = LastResult(*row)
        record.used[key, _local_time(last.given).date()] += 1
        record.done = files

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
        failures = self._in_exchange("Collect", update=True)
        tries = [self._failed(name, reason, now) for name, reason in failures.items()]
        settled = self._settled(now)
        if settled:
            self._course = Course(self._root)  # the source may have changed since
        with self._course.gradebook() as book:
            self._read_deadlines(book)
        taken = []
        for student in settled:
            record = self._students[student]
            if record.noticed <= self.extended.get(student, self.due or datetime.max):
                taken.append(student)
            elif record.late != record.files:  # `grade` will take these files
                tries.append(Try(student, None, record.noticed, late=True))
                record.late = record.files
        self._more = len(taken) > AT_ONCE
        if taken:
            taken.sort(key=self._turn)
            tries += self._grade(taken[:AT_ONCE], now)
        new = []
        for each in tries:
            problem = each.student, each.problem
            if not each.problem or problem not in self._problems:
                new.append(each)
                self._problems.add(problem)
        return new

    def _turn(self, student: str) -> tuple[int, datetime]:
        """Return when a student's turn is: repeated failures must not delay others."""
        record = self._students[student]
        return record.failures, record.noticed

    def _failed(self, student: str, problem: str, now: datetime) -> Try:
        return Try(student, None, now, problem=problem)

    def _settled(self, now: datetime) -> list[str]:
        """Return the students whose files are new, and complete."""
        folders: dict[str, Path] = {}
        with contextlib.suppress(CourseError):  # nobody has submitted anything yet
            folders = handed_in(self._course, self._assignment)
        settled = []
        today = _local_time(now).date()
        for student, folder in folders.items():
            record = self._students[student]
            try:
                files = _files(folder)
            except OSError as error:  # which reading it will say
                files = str(error)
            if files != record.files:
                record.files = files
                record.noticed = now
            elif files not in (record.done, record.waiting.get(today)):
                settled.append(student)
        return settled

    def _read_deadlines(self, book: SharedGradebook) -> None:
        """Read the deadline, if any, and those of students who have an extension."""
        row = find_assignment(book, self._assignment)
        extended: dict[str, datetime] = {}
        if row.duedate is not None:
            # Not all of its rows: this is asked every second.
            table = SubmittedAssignment
            extensions = select(table.student_id, table.extension).where(
                table.assignment_id == row.id, table.extension.isnot(None)
            )
            for student, extension in book.db.execute(extensions):
                extended[student] = row.duedate + extension
        self.due: datetime | None = row.duedate
        self.extended = extended

    def _spare(self, now: datetime, submission: Submission) -> SubmissionResult | None:
        """Find out which exercises can have a new result; if none can, nothing is run.

        The time that a run takes would be information, too.
        """
        options = self._course.options
        student = submission.student
        record = self._students[student]
        whole = options.early_feedback != "passed"
        most = inf if options.early_feedback == "nothing" else options.early_tries
        repaired = submission.repaired
        answers: dict[str, str] = {}
        for name, outline in self._course.outlines(self._assignment).items():
            if name in repaired:
                answers |= _answers(outline, repaired[name].notebook["cells"])
        changed = set()
        for key, answer in answers.items():
            last = record.last_results.get(key)
            if whole or (answer and (last is None or last.answer != answer)):
                changed.add(key)
        is_told = options.early_feedback != "nothing"
        if self._exchange and is_told and not read_secret(submission.folder):
            changed = set()  # its page could be fetched by nobody
        today = _local_time(now).date()
        new = {key for key in changed if record.used[key, today] < most}
        if whole and new != changed:  # a try tells of all
            new = set()
        notes = submission.notes() | {n: r.notes for n, r in repaired.items()}
        runs = bool(new or not answers)
        record.read = _Read(answers, notes, new, changed - new, runs)
        unexecuted = SubmissionResult(student, "graded", "Not executed.", None, 0.0)
        return None if runs else unexecuted

    def _grade(self, students: list[str], now: datetime) -> list[Try]:
        for student in students:
            self._students[student].read = _Read()
        results, _ = regrade(
            self._course,
            self._assignment,
            options=RunOptions(students, weak_sandbox=self._weak or None),
            pool=self._pool,
            spare=partial(self._spare, now),
        )
        tries = []
        for result in results:
            try:
                tries.append(self._give_back(result, now))
            except Exception as error:  # of one submission: the next look tries again
                if computer := of_the_computer(error):
                    raise computer from error
                self._students[result.student].failures += 1
                tries.append(self._failed(result.student, str(error), now))
        return tries

    def _give_back(self, result: SubmissionResult, now: datetime) -> Try:
        student = result.student
        record = self._students[student]
        read = record.read
        mode = self._course.options.early_feedback
        rows: list[tuple[Any, ...]] = []
        last_results = dict(record.last_results)
        for name, outline in self._course.outlines(self._assignment).items():
            verdicts = result.verdicts.get(name, [])
            full = {v.cell_id for v in verdicts if v.points == v.max_points}
            for key, exercise in _exercises(outline):
                if key in read.new:
                    passes = full.issuperset(exercise.tests)
                    # That an execution failed tells something, too: it is a try. The
                    # same answer may be tried again.
                    answer = "" if result.is_failure else read.answers[key]
                    last = last_results[key] = LastResult(answer, passes, now)
                    tried_files = "" if read.waiting else record.files
                    rows.append((self._assignment, tried_files, student, key, *last))
        if mode == "page" and read.executed:
            feedback(self._course, self._assignment, None, [student])
        elif mode != "nothing":
            self._write(read, result, last_results)
        problem = ""
        if mode != "nothing":
            problem = "; ".join(self._in_exchange("ReleaseFeedback", student).values())
        if problem:  # nothing was shown
            rows = []
        # Now: after a kill the page is made again, and counted once.
        if rows:
            with self._course.gradebook() as book:
                book.db.execute(_TRIES.insert().values(rows))
                book.db.commit()
        for row in rows:
            self._count(*row[1:])
        if read.waiting:
            record.waiting = {_local_time(now).date(): record.files}
        else:
            record.done = record.files
        return Try(
            student,
            result if read.executed else None,
            record.noticed,
            tries_used=len(rows),
            waiting=len(read.waiting),
            problem=problem,
        )

    def _write(
        self, read: _Read, result: SubmissionResult, last_results: dict[str, LastResult]
    ) -> None:
        """Write a page for each notebook that says which exercises pass, no more."""
        student = result.student
        folder = self._course.folder("feedback", self._assignment, student)
        shutil.rmtree(folder, ignore_errors=True)  # it is of an earlier try
        folder.mkdir(parents=True)
        for name, outline in self._course.outlines(self._assignment).items():
            rows = []
            for key, exercise in _exercises(outline):
                last = last_results.get(key)
                rows.append((exercise.name, read.state(key, last), last))
            page = render(
                "early.html",
                outline=outline,
                rows=rows,
                read=read,
                notes=(result if result.is_failure else read).notes.get(name, []),
                result=result,
                here=_local_time,
                most=self._course.options.early_tries,
            )
            (folder / f"{name}.html").write_text(page, "utf-8", errors="replace")
        copy_for_release(self._course, self._assignment, student)

    def _in_exchange(
        self, name: str, student: str = "*", **options: bool
    ) -> dict[str, str]:
        """Have a command of nbgrader's work in its exchange, if that is used.

        Return what it could not do: folder or student → why.
        """
        if not self._exchange:
            return {}
        api = NbGraderAPI(config=self._course.config)
        view = api.coursedir
        view.assignment_id = self._assignment
        view.student_id = student
        command = getattr(api.exchange, name)(
            coursedir=view, authenticator=api.authenticator, parent=api
        )
        for option, value in options.items():
            setattr(command, option, value)
        log = capture_log(command)
        failures: dict[str, str] = getattr(command, "failures", {})
        if not log["success"] and not failures:
            reason = log.get("error") or log.get("log", "")
            last = reason.strip().splitlines()[-1:] or ["no reason given"]
            raise CourseError(f"nbgrader's {name} failed: {last[0]}")
        return failures


def _files(folder: Path) -> str:
    """Return what tells the files in a folder from others, without reading them."""
    digest = hashlib.sha256()
    refusals: list[Refusal] = []
    for file in walk(folder, refusals):
        digest.update(os.fsencode(file.relative_path))
        digest.update(f"\0{file.size} {file.changed}\0".encode())
    for path, reason in refusals:
        digest.update(os.fsencode(path) + f"\0{reason}\0".encode())
    return digest.hexdigest()


def _local_time(moment: datetime) -> datetime:
    """Return a moment that is in UTC by the clock of this place."""
    return moment.replace(tzinfo=UTC).astimezone()


def _exercises(outline: Outline) -> Iterator[tuple[str, Exercise]]:
    """Yield those that tests score, with a name that no other notebook has."""
    for exercise in (each for each in outline.exercises if each.tests):
        yield f"{outline.master.notebook} {exercise.id}", exercise


def _answers(outline: Outline, cells: Sequence[Any]) -> dict[str, str]:
    """Return on what the results of exercises depend: exercise → digest, "" if blank.

    These are its tests, its cell, imports, and the cells that define functions and
    classes which these name. If something is missing here, students do not learn more,
    only later.
    """
    master = outline.cells
    answers: dict[str, str] = {}
    texts = {
        cell.id or str(cell.index): CellText.of(cell.source)
        for cell in student_cells(cells)
        if cell.id not in master or master[cell.id].kind in ("solution", "provided")
    }
    makers: dict[str, set[str]] = defaultdict(set)
    for name, text in [*texts.items()]:
        for block in text.blocks:
            text_of_block = name if block.name else "\n".join(block.code)
            if (
                block.name
                or block.is_import
                or re.match(r"\w+ ?= ?lambda\b", text_of_block)
            ):
                texts.setdefault(text_of_block, CellText.of(text_of_block))
                for bound in block.binds:
                    makers[bound].add(text_of_block)
    for key, each in _exercises(outline):
        answers[key] = ""
        answer = texts.get(each.id)
        if answer is None or not answer.answers(CellText.of(master[each.id].stub)):
            continue
        reached = {each.id}
        following = [each.id]
        unvisited = dict(makers)
        while following:
            words = re.findall(r"\w+", "\n".join(texts[following.pop()].code))
            more = set().union(*(unvisited.pop(word, ()) for word in words)) - reached
            following += more
            reached |= more
        parts = [texts[name].text.strip() for name in sorted(reached)]
        parts += [c.source for c in master.values() if c.exercise in (None, each.id)]
        answers[key] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return answers
