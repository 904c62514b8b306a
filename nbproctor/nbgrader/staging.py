"""Staging: nbgrader reads and writes beside the course, until a decision is made.

It reads repaired submissions there, not what was handed in. What it makes of them is
moved to its place at once, or is thrown away.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbproctor.results import FILE

STAGING = ".nbproctor-staging-"


@contextlib.contextmanager
def staging_folders(view: CourseDirectory) -> Iterator[None]:
    """Make `view` name new folders in the course as submitted and autograded."""
    root = Path(view.root)
    for left in root.glob(f"{STAGING}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    before = view.submitted_directory, view.autograded_directory
    with (
        tempfile.TemporaryDirectory(prefix=STAGING, dir=root) as submitted,
        tempfile.TemporaryDirectory(prefix=STAGING, dir=root) as graded,
    ):
        view.submitted_directory = Path(submitted).name
        view.autograded_directory = Path(graded).name
        try:
            yield
        finally:
            view.submitted_directory, view.autograded_directory = before


@contextlib.contextmanager
def in_place(view: CourseDirectory, autograded: str) -> Iterator[None]:
    """Let nbgrader find what it made where it is now."""
    staged, view.autograded_directory = view.autograded_directory, autograded
    try:
        yield
    finally:
        view.autograded_directory = staged


def publish(staged: Path, graded: Path, whole: bool) -> None:
    """Move what was made of a submission to its place.

    It takes the place of the `whole` folder, or of the same files in it. Without
    ``grading.json``, which is taken away first, a submission counts as not graded.
    """
    (graded / FILE).unlink(missing_ok=True)
    if whole:
        if graded.exists():
            old = staged.with_name(f"{staged.name}.old")
            shutil.move(graded, old)
            shutil.rmtree(old, ignore_errors=True)
        graded.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(staged, graded)
        return
    for path in [path for path in staged.rglob("*") if path.is_file()]:
        place = graded / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
