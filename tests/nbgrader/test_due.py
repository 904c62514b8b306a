"""Due dates and extensions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.platforms import Person
from tests.programs import run_here

pytestmark = pytest.mark.slow
KIM = Person("s1", "Smith", "Kim")
OTHER_KIM = Person("s2", "Smith", "Kim")


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(template, tmp_path / "course"))
    nbgrader.enrol(nbgrader.Course(root), [KIM, OTHER_KIM, Person("s3", "Ode", "Ann")])
    return root


def complaint(course: Path, *arguments: str) -> str:
    """Run a command that fails; return what it complains of."""
    done = run_here(*arguments, cwd=course)
    assert done.returncode == 1
    return " ".join(done.stderr.split())


def test_an_extension_needs_a_due_date_and_one_length(course: Path) -> None:
    lacks = complaint(course, "extend", "s3", "--days=1")
    assert lacks.endswith("To set it: `nbproctor due '2026-12-01 18:00' tiny`")
    for options in [], ["--days=1", "--until=2026-12-01"]:
        assert "Give one of --until" in complaint(course, "extend", "s3", *options)


def test_namesakes_are_told_apart(course: Path) -> None:
    (course / "late.csv").write_text("student,time\ns2,2026-11-30 10:00\n")
    message = complaint(course, "late", "late.csv")
    assert "Not submitted in tiny: Smith, Kim (s2)" in message
    (course / "late.csv").write_text('name,time\n"Smith, Kim",2026-11-30 10:00\n')
    message = complaint(course, "late", "late.csv")
    assert "It may be Smith, Kim (s1) and Smith, Kim (s2)" in message
