"""Standings: who has submitted, is missing, late or excused, or waits for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from nbgrader.utils import parse_utc

from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.gradebook import find_assignment, find_deadlines
from nbproctor.nbgrader.marks import CellGrade, StudentMarks
from nbproctor.nbgrader.people import people
from nbproctor.nbgrader.submitted import is_same_time
from nbproctor.platforms import Person
from nbproctor.results import SubmissionResult
from nbproctor.statuses import STATUSES
from nbproctor.submission.files import fingerprint

Standings: TypeAlias = Mapping[str, "Participant"]
"""Student id → how the student stands, as `participants` returns it."""


@dataclass(frozen=True)
class Participant:
    """The current state of one student in an assignment."""

    person: Person
    result: SubmissionResult  # score and reason include marks by hand
    has_submitted: bool  # or the submission was removed from the course
    marks: StudentMarks  # none if nothing is submitted
    waiting: list[CellGrade]  # cells that a person still has to grade
    is_late_without_time: bool  # only the platform says so, and a penalty is possible


def participants(
    course: Course,
    new_results: Iterable[SubmissionResult] = (),
    students: Collection[str] | None = None,
) -> dict[str, Participant]:
    """Return the state of everybody in the assignment: student id → participant.

    This is the only place that decides who has submitted, is excused, or waits for a
    person: table, summary, report and exports use it. `new_results` replace the results
    in the course's folders. If `students` is given, only these are read. `CourseError`:
    the gradebook does not know the assignment.
    """
    results = {result.student: result for result in new_results}
    submitted = course.submissions()
    excused = course.read_column("excused")
    with course.gradebook() as book:
        all_marks = course.marks()
        row = find_assignment(book, course.assignment)
        max_score = float(row.max_score)
        deadlines = find_deadlines(book, row)
    late = course.read_column("late") if course.has_late_penalty else {}
    now = parse_utc(datetime.now(UTC))
    persons = {student: Person(student) for student in results}
    persons |= {person.student: person for person in people(course)}
    standings = {}
    for student, person in sorted(persons.items()):
        if students is not None and student not in students:
            continue
        has_submitted = student in submitted
        marks = all_marks[student] if has_submitted else StudentMarks()
        result = SubmissionResult(
            student=student,
            status="missing",
            reason="Nothing submitted.",
            score=None,
            max_score=max_score,
        )
        if has_submitted:
            result = results.get(student) or _stored_result(course, result)
        score = marks.total()
        if student in excused:
            result = replace(result, status="excused", reason="")
            score = None
        waiting = marks.waiting if STATUSES[result.status].may_wait else []
        reason = result.reason
        if waiting:
            cells = ", ".join(grade.to_do for grade in waiting)
            reason = f"{reason} To be graded by hand: {cells}.".strip()
        deadline = deadlines[student] or datetime.max
        is_late = student in late.keys() - excused and deadline < now
        standings[student] = Participant(
            person=person,
            # A result that stays may be from before the points were changed.
            result=replace(result, reason=reason, score=score, max_score=max_score),
            has_submitted=has_submitted,
            marks=marks,
            waiting=waiting,
            is_late_without_time=has_submitted and is_late and not marks.timestamp,
        )
    return standings


def _stored_result(course: Course, missing: SubmissionResult) -> SubmissionResult:
    """Return the stored result of a submission; without one, `missing` with the state.

    Without a result that can be read, plain nbgrader has graded.
    """
    folder = course.folder("autograded", missing.student)
    stored = SubmissionResult.read(folder)
    if stored and stored.student == missing.student:  # not copied from somebody else
        return stored
    if folder.is_dir():
        return replace(missing, status="graded", reason="")
    reason = "Submitted, but not graded yet. Run `grade`."
    return replace(missing, status="not graded", reason=reason)


def late_without_time(standings: Standings) -> list[str]:
    """Return the ids of students whom the platform calls late, without a time.

    Without a time there is no penalty. Students whose deadline has not passed are left
    out. In a course without a late penalty, nobody is returned.
    """
    return [s for s, each in standings.items() if each.is_late_without_time]


def too_high(standings: Standings) -> dict[str, list[str]]:
    """Return graded cell → ids of students whose score is above its maximum."""
    students = defaultdict(list)
    for student, participant in standings.items():
        for grade in participant.marks.grades:
            if grade.is_too_high:
                students[f"{grade.cell} ({grade.worth:g})"].append(student)
    return students


def outdated(course: Course, standings: Standings) -> list[str]:
    """Return the ids of students whose files, times or deadlines have changed.

    Their marks are out of date until the next `grade`. Results without a fingerprint,
    such as those of plain nbgrader, are not compared.
    """
    students = []
    for student, participant in standings.items():
        result = participant.result
        if not participant.has_submitted or not result.handed_in:
            continue
        folder = course.folder("submitted", student)
        if result.handed_in != fingerprint(folder) or not is_same_time(
            result=result,
            marks=participant.marks,
            folder=folder,
        ):
            students.append(student)
    return students
