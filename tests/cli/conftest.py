"""The course of a teacher who uses the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbproctor.kit import starter
from tests.cli.term_class import FIRST, grade_book, students, write_download
from tests.programs import run_line


@pytest.fixture(scope="module")
def class_course(class_course: Path) -> Path:
    """The tiny course, a second assignment, a class list and three submissions."""
    starter.new_assignment(class_course, "second")
    works = [work for work in students(5) if work.assignment == FIRST]
    (class_course / "canvas.csv").write_text(grade_book(works))
    write_download(class_course / "canvas.zip", works[:3])
    run_line("roster canvas.csv", class_course)
    return class_course


@pytest.fixture
def course(class_course: Path, tmp_path: Path) -> Path:
    return shutil.copytree(class_course, tmp_path / "course")
