"""Grading one submission where a platform runs the container, Gradescope for one.

The course folder there is without students; `nbproctor.cli.container` is the command.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from nbproctor.nbgrader.converters import generate
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.grading import grade
from nbproctor.nbgrader.lint import lint
from nbproctor.platforms.gradescope import results
from nbproctor.platforms.platform import Visibility
from nbproctor.results import SubmissionResult

STUDENT = "student"


def prepare(course: Path | Course, assignment: str) -> list[str]:
    """Make the release and its gradebook; return where the reference loses points."""
    course = Course.at(course)
    generate(course, assignment)
    return lint(course, assignment)


def run(
    course: Path | Course,
    assignment: str,
    root: Path,
    visibility: Visibility,
    weak: bool,
) -> tuple[SubmissionResult, bool]:
    """Grade ``root/submission`` and write ``root/results/results.json``.

    `weak` grades even where layers of the sandbox are missing. Returns the result as
    the gradebook has it, and whether the platform is given a score: it is never given a
    0 for what could not be graded.
    """
    start = time.monotonic()
    course = Course.at(course)
    submitted = course.folder("submitted", assignment, STUDENT)
    shutil.rmtree(submitted, ignore_errors=True)
    shutil.copytree(root / "submission", submitted, symlinks=True)
    (result,) = grade(course, assignment, [STUDENT], force=True, weak_sandbox=weak)
    masters = course.masters(assignment)
    content = results(result, masters, visibility, time.monotonic() - start)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(text + "\n", "utf-8")
    return result, "tests" in content
