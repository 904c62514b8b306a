"""Grading a class from Python: nbgrader's autograder with nbproctor switched on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from nbproctor.nbgrader.autograder import Proctored
from nbproctor.nbgrader.config import proctor
from nbproctor.nbgrader.course import Log, directory, load_config, run
from nbproctor.nbgrader.gradebook import open_gradebook
from nbproctor.nbgrader.submission_result import Outcome


def grade(
    course: Path,
    assignment: str,
    students: Collection[str] | None = None,
    progress: Callable[[Outcome], None] | None = None,
    *,
    force: bool = False,
    weak_sandbox: bool = False,
) -> list[Outcome]:
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
        Called with each outcome as soon as it is known.
    force : bool
        Grade again what is graded already.
    weak_sandbox : bool
        Grade even where layers of the sandbox are missing.

    Returns
    -------
    list of Outcome
        One a student, sorted by student id; what cannot be graded is ``ungradable``
        with a reason, and never ends the class. Without `students`, those whom the
        gradebook knows and who handed in nothing are ``missing``.

    Raises
    ------
    CourseError
        The assignment is unknown, or not released as it stands; nothing was handed
        in; or nothing can be executed on this computer.
    """
    config = load_config(course)
    config.CourseDirectory.assignment_id = assignment
    proctor(config)
    if weak_sandbox:
        config.Proctored.weak_sandbox = True
    log = Log()
    converter = Proctored(
        coursedir=directory(config, log), config=config, log=log.logger, force=force
    )
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if progress:
            progress(outcome)

    converter.on_outcome, converter.only = tell, students
    run(converter, log, f"Grading {assignment!r}")
    if students is None:
        known = {outcome.student for outcome in outcomes}
        with open_gradebook(directory(config)) as book:
            max_score = float(book.find_assignment(assignment).max_score)
            absent = sorted({student.id for student in book.students} - known)
        for student in absent:
            tell(Outcome(student, "missing", "Nothing handed in.", None, max_score))
    return sorted(outcomes, key=lambda outcome: outcome.student)
