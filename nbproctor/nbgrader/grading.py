"""Grading a class from Python: nbgrader's autograder with nbproctor switched on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import deepcopy
from pathlib import Path
from typing import TypedDict

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.converters import Log, run
from nbproctor.nbgrader.course import Course
from nbproctor.results import SubmissionResult


class GradeOptions(TypedDict, total=False):
    """Options of `grade` that `regrade` passes on."""

    students: Collection[str] | None
    force: bool
    weak_sandbox: bool
    cluster: str
    merging: bool


def configured(
    course: Course, assignment: str, weak_sandbox: bool, cluster: str
) -> Config:
    """Return a course's configuration for grading an assignment with nbproctor."""
    config = deepcopy(course.config)
    config.CourseDirectory.assignment_id = assignment
    proctor(config)
    if weak_sandbox:
        config.Nbproctor.weak_sandbox = True
    if cluster:
        config.Nbproctor.cluster = cluster
    return config


def grade(
    course: Path | Course,
    assignment: str,
    students: Collection[str] | None = None,
    progress: Callable[[SubmissionResult], None] | None = None,
    *,
    force: bool = False,
    weak_sandbox: bool = False,
    cluster: str = "",
    merging: bool = False,
) -> list[SubmissionResult]:
    """Grade what was handed in, each submission on its own.

    What is graded already, and has not changed since, is not graded again; so the
    same call finishes a class after an interruption.

    Parameters
    ----------
    course : Path
        Folder with ``nbgrader_config.py``.
    assignment : str
        Name of the assignment.
    students : collection of str, optional
        Grade only these; everybody who handed in otherwise.
    progress : callable, optional
        Called with each result as soon as it is known.
    force : bool
        Grade again what is graded already.
    weak_sandbox : bool
        Grade even where layers of the sandbox are missing.
    cluster : str
        Address of a Dask scheduler whose workers execute; this computer if empty.
    merging : bool
        Execute nothing: take the results that shards have left (see `grade_shard`).

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
        in; nothing can be executed on this computer; or, in a merge, a shard has yet
        to grade somebody.
    """
    course = Course.at(course)
    config = configured(course, assignment, weak_sandbox, cluster)
    log = Log()
    converter = ProctoredAutograde(
        coursedir=CourseDirectory(config=config, log=log.logger),
        config=config,
        log=log.logger,
        force=force,
    )
    converter.course = course
    converter.merging = merging
    results: list[SubmissionResult] = []

    def tell(result: SubmissionResult) -> None:
        results.append(result)
        if progress:
            progress(result)

    converter.on_result, converter.only = tell, students
    run(converter, log, f"Grading {assignment!r}")
    if students is None:
        handed_in = {result.student for result in results}
        with course.gradebook() as book:
            max_score = float(book.find_assignment(assignment).max_score)
            absent = sorted({student.id for student in book.students} - handed_in)
        for student in absent:
            tell(
                SubmissionResult(
                    student, "missing", "Nothing handed in.", None, max_score
                )
            )
    return sorted(results, key=lambda result: result.student)
