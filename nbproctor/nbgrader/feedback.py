"""A page for each student: nbgrader's for what was graded, ours for what was not."""

from __future__ import annotations

import shutil
from pathlib import Path

from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from nbproctor.nbgrader.course import Log, directory, folder, load_config, run
from nbproctor.nbgrader.source import CourseError
from nbproctor.submission_result import FILE, SubmissionResult
from nbproctor.templates import render


def feedback(course: Path, assignment: str) -> Path:
    """Write the feedback page of every notebook handed in; return their folder.

    Raises
    ------
    CourseError
        Nothing is graded yet, or a page cannot be made.
    """
    config = load_config(course)
    config.CourseDirectory.assignment_id = assignment
    log = Log()
    there = directory(config, log)
    place = folder(there, "autograded", assignment, "*").relative_to(there.root)
    reports = sorted(Path(there.root).glob(f"{place}/{FILE}"))
    graded = any(Path(there.root).glob(f"{place}/*.ipynb"))
    if not (reports or graded):
        raise CourseError(
            f"Nothing of {assignment!r} is graded yet: grade it, then ask for feedback."
        )
    if graded:
        converter = GenerateFeedback(
            coursedir=there, config=config, log=log.logger, force=True
        )
        run(converter, log, f"Writing the feedback of {assignment!r}")
    for report in reports:
        result = SubmissionResult.read(report.parent)
        if result is not None:
            _not_graded(there, assignment, report.parent, result)
    return Path(there.root, there.feedback_directory)


def forget(there: CourseDirectory, student: str, notebooks: list[str]) -> None:
    """Remove pages of an earlier submission: they must not stand for this one."""
    place = folder(there, "feedback", there.assignment_id, student)
    for name in notebooks:
        (place / f"{name}.html").unlink(missing_ok=True)
    if place.is_dir() and not any(place.glob("*.html")):
        shutil.rmtree(place)  # or nbgrader takes its pages for made


def _not_graded(
    there: CourseDirectory, assignment: str, graded: Path, result: SubmissionResult
) -> None:
    """Write the pages of what has no verdicts: why, and what to do."""
    student = result.student
    if folder(there, "autograded", assignment, student) != graded:
        return  # a report of somebody else, copied there
    place = folder(there, "feedback", assignment, student)
    for name in result.notes.keys() - result.verdicts.keys():
        place.mkdir(parents=True, exist_ok=True)
        reason = " ".join(result.notes[name])
        page = render("not_graded.html", notebook=name, reason=reason)
        (place / f"{name}.html").write_text(page, "utf-8")
