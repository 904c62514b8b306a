"""Due dates, extensions, and the pages of a term."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.kit import starter
from nbproctor.nbgrader import Course, RunOptions
from nbproctor.platforms import Person
from tests.nbgrader.tiny import book, released, write
from tests.pages.lab import words
from tests.programs import run_here

pytestmark = pytest.mark.slow
KIM = Person("s1", "Smith", "Kim")
OTHER_KIM = Person("s2", "Smith", "Kim")


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(template, tmp_path / "course"))
    nbgrader.enrol(root, [KIM, OTHER_KIM, Person("s3", "Ode", "Ann")])
    return root


def deadlines(course: Path) -> dict[str, str]:
    """Return until when students may submit, as nbgrader itself computes it."""
    with book(course) as opened:
        return {
            submission.student.id: f"{submission.duedate:%Y-%m-%d %H:%M}"
            for submission in opened.assignment_submissions("tiny")
        }


def run(course: Path, *arguments: str) -> str:
    """Run a command; return what it prints."""
    done = run_here(*arguments, "--timezone=UTC", cwd=course)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def complaint(course: Path, *arguments: str) -> str:
    """Run a command that fails; return what it complains of."""
    done = run_here(*arguments, cwd=course)
    assert done.returncode == 1
    return " ".join(done.stderr.split())


def test_a_fixed_moment_stays_and_a_duration_moves_with_the_due_date(
    course: Path,
) -> None:
    run(course, "due", "2026-11-30 18:00")
    run(course, "extend", "s1", "--until=2026-12-01 12:00")
    run(course, "extend", "s3", "--days=1.5")
    assert deadlines(course) == {"s1": "2026-12-01 12:00", "s3": "2026-12-02 06:00"}
    assert "stays for: Smith, Kim (s1) " in run(course, "due", "2026-11-29 10:00")
    assert deadlines(course) == {"s1": "2026-12-01 12:00", "s3": "2026-11-30 22:00"}

    run(course, "extend", "s1", "--days=2")  # no longer fixed
    assert "stays for" not in run(course, "due", "2026-11-30 10:00")
    assert deadlines(course) == {"s1": "2026-12-02 10:00", "s3": "2026-12-01 22:00"}


def test_an_extension_needs_a_due_date_and_one_length(course: Path) -> None:
    lacks = complaint(course, "extend", "s3", "--days=1")
    assert lacks.endswith("To set it: kit.py due '2026-12-01 18:00' tiny")
    for options in [], ["--days=1", "--until=2026-12-01"]:
        assert "Give one of --until" in complaint(course, "extend", "s3", *options)


def test_namesakes_are_told_apart(course: Path) -> None:
    (course / "late.csv").write_text("student,time\ns2,2026-11-30 10:00\n")
    message = complaint(course, "late", "late.csv")
    assert "Smith, Kim (s2) has not submitted 'tiny'" in message
    (course / "late.csv").write_text('name,time\n"Smith, Kim",2026-11-30 10:00\n')
    message = complaint(course, "late", "late.csv")
    assert "It may be Smith, Kim (s1) and Smith, Kim (s2)" in message


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this computer's clock be that of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_the_pages_of_a_term_show_marks_dates_and_what_is_open(course: Path) -> None:
    starter.new_assignment(course, "second")
    nbgrader.generate(course, "second")
    run(course, "due", "2026-11-30 18:00", "tiny")
    run(course, "extend", "s1", "tiny", "--days=2")
    run(course, "extend", "s3", "second", "--excused")
    write(course / "submitted/s1/tiny", released(course), "tiny.ipynb")
    (course / "submitted/s1/tiny/timestamp.txt").write_text("2026-12-01 09:30:00 UTC")
    nbgrader.regrade(course, "tiny", options=RunOptions(weak_sandbox=True))
    table, names = nbgrader.term(Course(course))
    assert names == ["second", "tiny"]
    kim = table.loc["s1"]
    assert (kim["tiny"], kim["total"], kim["tiny_of"]) == (0, 0, 10)
    assert kim["total_of"] == 10 + kim["second_of"]
    assert str(kim["tiny_due"]) == "2026-12-02 18:00:00"
    ann = table.loc["s3"]
    assert math.isnan(ann["total"]) and ann["total_of"] == 10
    assert str(ann["tiny_due"]) == "2026-11-30 18:00:00"

    run_here("export", "term", cwd=course)
    page = words((course / "report/term/s1.html").read_text("utf-8"))
    row = "tiny 0 of 10 2026-12-01 09:30 UTC 2026-12-02 18:00 UTC"
    assert row in page and "Ode" not in page
    assert "excused" in words((course / "report/term/s3.html").read_text("utf-8"))
    assert "Smith, Kim s1" in words((course / "report/term.html").read_text("utf-8"))
