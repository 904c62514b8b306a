"""Staging folder: nbgrader reads repaired submissions there, not what was handed in."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

STAGING = ".nbproctor-staging-"


@contextlib.contextmanager
def staging_folder(course: CourseDirectory) -> Iterator[None]:
    """Make `course` name a new folder inside the course as its submitted folder."""
    root = Path(course.root)
    for left in root.glob(f"{STAGING}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    submitted = course.submitted_directory
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=root) as name:
        course.submitted_directory = Path(name).name
        try:
            yield
        finally:
            course.submitted_directory = submitted
