"""Due dates and extensions."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.platforms import Person
from tests.programs import run_here

pytestmark = pytest.mark.slow


def complaint(course: Path, *arguments: str) -> str:
    """Run a command that fails; return what it complains of."""
    done = run_here(*arguments, cwd=course)
    assert done.returncode == 1
    return " ".join(done.stderr.split())


def test_an_extension_needs_a_due_date_and_one_length(course: Path) -> None:
    nbgrader.enrol(nbgrader.Course(course), [Person("s3")])
    lacks = complaint(course, "extend", "s3", "--days=1")
    assert lacks.endswith("To set it: `nbproctor due '2026-12-01 18:00' tiny`")
    for options in [], ["--days=1", "--until=2026-12-01"]:
        assert "Give one of --until" in complaint(course, "extend", "s3", *options)
