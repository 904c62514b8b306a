"""In a course with two assignments, every command takes the name of one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from nbproctor import nbgrader
from nbproctor.cli import app
from nbproctor.kit import lab, starter
from tests.broken.cases import write
from tests.nbgrader.tiny import book, released
from tests.programs import run_here
from tests.warm import lasting_fork_servers, lasting_workers

pytestmark = pytest.mark.slow


def by_command(lines: str) -> dict[str, list[str]]:
    return {words[0]: words for words in map(str.split, lines.splitlines())}


# Commands of the whole course; the others are of one assignment.
OF_THE_COURSE = by_command("""\
init
new third
adopt old.ipynb
roster class.csv
doctor
off
""")
# Each finds what those before it have left. The name of the assignment comes last.
OF_AN_ASSIGNMENT = by_command("""\
lint
release
audit --exercise=fizz
lab
submit
collect download
late late.csv
due 2001-01-01
extend ann --until=2001-01-02
grade --sandbox=weak
watch --sandbox=weak
export csv
""")
# What ends with a sentence: there is no such notebook, and this course was never
# without nbproctor.
FAILS = {
    "adopt": "old.ipynb cannot be read as a notebook",
    "off": "by lines that init did not write",
}


@pytest.fixture(scope="module")
def course(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("two") / "course"))
    starter.new_assignment(root, "second")
    with book(root) as gradebook:
        gradebook.update_or_create_assignment("tiny", duedate="2001-01-01 00:00 UTC")
    notebook = released(root)
    write(root / "download" / "ann", notebook, "tiny.ipynb")
    (root / "late.csv").write_text("student,submitted\nann,2000-12-31 10:00\n")
    (root / "class.csv").write_text("student,last_name,first_name\nann,Ode,Ann\n")
    with lasting_fork_servers(), lasting_workers(), pytest.MonkeyPatch.context() as m:
        m.setattr(lab, "open_lab", lambda *arguments: 0)
        # Proofs are tried in tests/nbgrader/test_placement.py.
        m.setattr(nbgrader, "lint", lambda *arguments: [])
        m.setattr(nbgrader, "differences", lambda *arguments: [])
        yield root


def test_each_command_is_tried_here() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    shown = {name for name, command in commands.items() if not command.hidden}
    assert shown == OF_THE_COURSE.keys() | OF_AN_ASSIGNMENT.keys()


@pytest.mark.parametrize("command", OF_AN_ASSIGNMENT)
def test_a_command_takes_the_name_of_an_assignment_last(
    course: Path, command: str
) -> None:
    words = OF_AN_ASSIGNMENT[command]
    for name, message in {
        "": "Name the assignment, one of: second, tiny",
        "other": "There is no assignment 'other'",
    }.items():
        done = run_here(*words, *filter(None, [name]), cwd=course)
        assert done.returncode == 1 and message in done.stderr, (
            done.stdout + done.stderr
        )
    check(command, [*words, "tiny"], course)


@pytest.mark.parametrize("command", OF_THE_COURSE)
def test_a_command_of_the_course_needs_no_name(course: Path, command: str) -> None:
    check(command, OF_THE_COURSE[command], course)


def check(command: str, words: list[str], course: Path) -> None:
    """Check how a command ends, and that the commands that it suggests are whole."""
    done = run_here(*words, cwd=course)
    text = done.stdout + done.stderr
    assert done.returncode == (command in FAILS), text
    assert FAILS.get(command, "") in text
    for line in text.splitlines():
        for command, arguments in re.findall(r"nbproctor (\w+)([^,;.`(]*)", line):
            if command in OF_AN_ASSIGNMENT:
                assert re.search(r"\b(tiny|second|third|ASSIGNMENT)\b", arguments), line


def test_the_first_hint_of_lab_and_submit_makes_the_release_of_this_assignment(
    course: Path,
) -> None:
    for command in ("lab", "submit"):
        done = run_here(command, "second", cwd=course)
        assert done.returncode == 1
        assert done.stderr.rstrip().endswith("To make it: nbproctor release second")
