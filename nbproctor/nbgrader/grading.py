"""Grading a class from Python: nbgrader's autograder with nbproctor switched on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.decision import MarkChange
from nbproctor.nbgrader.failures import Log, run
from nbproctor.nbgrader.options import RunOptions
from nbproctor.results import SubmissionResult

Progress = Callable[[SubmissionResult], None]


def grade(
    course: Path | Course,
    assignment: str,
    students: Collection[str] | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
    weak_sandbox: bool = False,
    cluster: str = "",
) -> list[SubmissionResult]:
    """Grade what was handed in, each submission on its own.

    What is graded already, and has not changed since, is not graded again; so the
    same call finishes a class after an interruption.

    Parameters
    ----------
    students : collection of str, optional
        Grade only these; everybody who handed in otherwise.
    progress : callable, optional
        Called with each result as soon as it is known.
    force, weak_sandbox, cluster
        As of `RunOptions`. Marks may become lower.

    Returns
    -------
    list of SubmissionResult
        One a student, sorted by student id; what cannot be graded is ``ungradable``
        with a reason, and never ends the class. Without `students`, those whom the
        gradebook knows and who handed in nothing are ``missing``.

    Raises
    ------
    CourseError
        The assignment is unknown, or not released as it stands; nothing was handed
        in; or nothing can be executed on this computer.
    """
    options = RunOptions(
        students, force=force, lower=True, weak_sandbox=weak_sandbox, cluster=cluster
    )
    return regrade(course, assignment, progress, options)[0]


def regrade(
    course: Path | Course,
    assignment: str,
    progress: Progress | None = None,
    options: RunOptions | None = None,
) -> tuple[list[SubmissionResult], list[MarkChange]]:
    """Grade as `grade` does; return its results, and whose mark has changed.

    Marks and comments given by hand stay, whatever the tests say now. Without
    `options`, no mark becomes lower for the same files: it is kept, with the result
    from before.
    """
    options, log = options or RunOptions(), Log()
    course = Course.at(course)
    told = {"weak_sandbox": options.weak_sandbox, "cluster": options.cluster}
    given = {name: value for name, value in told.items() if value}
    view = course.choose(assignment, log.logger, **given)
    proctor(view.config)
    converter = ProctoredAutograde(
        coursedir=view, config=view.config, log=log.logger, force=options.force
    )
    results: list[SubmissionResult] = []

    def tell(result: SubmissionResult) -> None:
        results.append(result)
        if progress:
            progress(result)

    converter.course, converter.options, converter.on_result = course, options, tell
    run(converter, log, f"Grading {assignment!r}")
    if options.students is None:
        handed_in = {result.student for result in results}
        with course.gradebook() as book:
            max_score = float(book.find_assignment(assignment).max_score)
            absent = sorted({student.id for student in book.students} - handed_in)
        for student in absent:
            reason = "Nothing handed in."
            tell(SubmissionResult(student, "missing", reason, None, max_score))
    excused = course.said(assignment, "excused")
    for number, each in enumerate(results):
        if each.student in excused:
            results[number] = replace(each, status="excused", reason="", score=None)
    results.sort(key=lambda result: result.student)
    return results, sorted(converter.changes, key=lambda change: change.student)
