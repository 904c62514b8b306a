"""A teacher's mistakes change nothing, and the message says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.cli.app import choose
from tests.programs import run_here, succeeded

pytestmark = pytest.mark.slow
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,tiny (1)
"Okafor, Amara",1000,20260011,aokafor,A,
"Patel, Dev",1001,20260012,dpatel,A,
"""


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    """The tiny course with a class list, and a second assignment."""
    folder = shutil.copytree(template, tmp_path / "course")
    shutil.copytree(folder / "source/tiny", folder / "source/words")
    (folder / "source/words/tiny.ipynb").rename(folder / "source/words/words.ipynb")
    (folder / "canvas.csv").write_text(CANVAS)
    succeeded(run_here("roster", "canvas.csv", cwd=folder))
    (folder / "download").mkdir()
    for name in ("aokafor_1000_91", "dpatel_1001_92"):
        path = folder / f"download/{name}_words.ipynb"
        shutil.copy(folder / "source/words/words.ipynb", path)
    return folder


def test_a_download_of_another_assignment_is_not_collected(course: Path) -> None:
    done = run_here("collect", "download", "tiny", cwd=course)
    assert done.returncode == 1 and "collect DOWNLOAD words" in done.stderr
    assert not (course / "submitted").exists()
    succeeded(run_here("collect", "download", "words", cwd=course))
    assert len([*(course / "submitted").glob("*/words/words.ipynb")]) == 2


def test_the_next_step_is_one_that_works(course: Path) -> None:
    done = run_here("collect", "download", "words", cwd=course)
    assert done.stdout.endswith("Next: nbproctor release words\n")
    nbgrader.generate(course, "words")
    done = run_here("collect", "download", "words", cwd=course)
    assert done.stdout.endswith("Next: nbproctor grade words\n")
    folder = course / "submitted/dpatel"
    (folder / "words").rename(folder / "Words")
    message = run_here("grade", "words", "--student=dpatel", cwd=course).stderr
    assert "submitted/dpatel/words/" in message
    shutil.make_archive(str(course / "download"), "zip", course / "download")
    message = run_here("roster", "download.zip", cwd=course).stderr
    assert "For a zip of submissions, use `nbproctor collect`." in message
    message = run_here("adopt", "absent.ipynb", cwd=course).stderr
    assert "absent.ipynb" in message and "Errno" not in message


def test_times_are_recorded_for_all_or_for_nobody_and_an_id_is_enough(
    course: Path,
) -> None:
    run_here("collect", "download", "words", cwd=course)
    shutil.rmtree(course / "submitted/dpatel")
    times = course / "times.csv"
    times.write_text("student,time\n20260011,2026-12-01 18:00\n20260012,2026-12-01\n")
    done = run_here("late", "times.csv", "words", cwd=course)
    assert done.returncode == 1 and "Patel, Dev. Nothing was writ" in done.stderr
    recorded = course / "submitted/aokafor/words/timestamp.txt"
    assert not recorded.exists()
    times.write_text("student,time\n20260011,2026-12-01 18:00\n")
    done = run_here("late", "times.csv", "words", cwd=course)
    assert done.returncode == 0 and recorded.exists(), done.stderr


def test_the_platforms_own_file_is_never_written(course: Path) -> None:
    shutil.copytree(course / "source/tiny", course / "submitted/aokafor/tiny")
    succeeded(run_here("grade", "tiny", cwd=course))
    options = ["export", "canvas.csv", "tiny", "--write", "--to=./canvas.csv"]
    done = run_here(*options, cwd=course)
    assert done.returncode == 1 and "never changed" in done.stderr
    assert (course / "canvas.csv").read_text() == CANVAS


def test_a_mark_of_before_a_change_is_named_before_it_is_exported(
    course: Path,
) -> None:
    with (course / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    shutil.copytree(course / "source/tiny", course / "submitted/aokafor/tiny")
    extend = ("extend", "aokafor", "tiny")
    message = run_here(*extend, "--days=1", cwd=course).stderr
    assert "To set it: `nbproctor due '2026-12-01 18:00' tiny`" in " ".join(
        message.split()
    )
    done = succeeded(
        run_here("due", "2026-11-01 12:00", "tiny", "--timezone=UTC", cwd=course)
    )
    for options in [], ["--days=1", "--until=2026-12-01"]:
        message = run_here(*extend, *options, cwd=course).stderr
        assert "Give one of --until" in message
    (course / "times.csv").write_text("student,time\naokafor,2026-11-02 18:00\n")
    for command in (
        "late times.csv tiny --timezone=UTC",
        "extend aokafor tiny --days=3",
        "extend aokafor tiny --days=0",
    ):
        succeeded(run_here("grade", "tiny", "--lower", cwd=course))
        done = run_here("export", "csv", "tiny", cwd=course)
        assert "Not up to date" not in done.stdout, command
        succeeded(run_here(*command.split(), cwd=course))
        done = run_here("export", "csv", "tiny", cwd=course)
        assert "Not up to date" in done.stdout and "Okafor" in done.stdout, command
        assert "does not say by how much" not in done.stdout


@pytest.mark.parametrize("name", ["one+two", " one", "one "])
def test_a_folder_that_nbgrader_refuses_is_named(course: Path, name: str) -> None:
    (course / "source/words").rename(course / "source" / name)
    opened = nbgrader.Course(course)
    for enter in (nbgrader.generate, nbgrader.grade, nbgrader.lint, choose):
        with pytest.raises(nbgrader.CourseError) as refused:
            enter(opened, name)
        assert f"nbgrader refuses {name!r}" in str(refused.value)
    assert choose(opened, "tiny").assignment == "tiny"


def test_new_starts_a_course_where_it_is_called(tmp_path: Path) -> None:
    succeeded(run_here("new", "lab1", cwd=tmp_path))
    assert (tmp_path / "nbgrader_config.py").is_file()
    assert (tmp_path / "source/lab1/lab1.ipynb").is_file()
