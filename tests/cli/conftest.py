"""The course of a teacher who uses the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbproctor.kit import starter
from tests.cli.term_class import FIRST, grade_book, students, write_download
from tests.programs import run_line


@pytest.fixture(scope="module")
def class_course(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course, a second assignment, a class list and three submissions."""
    course = shutil.copytree(template, tmp_path_factory.mktemp("class") / "course")
    starter.new_assignment(course, "second")
    works = [work for work in students(5) if work.assignment == FIRST]
    (course / "canvas.csv").write_text(grade_book(works))
    write_download(course / "canvas.zip", works[:3])
    run_line("roster canvas.csv", course)
    return course


@pytest.fixture
def course(class_course: Path, tmp_path: Path) -> Path:
    return shutil.copytree(class_course, tmp_path / "course")
