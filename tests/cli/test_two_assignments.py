"""In a course with two assignments, every command takes the name of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.main import get_command

from nbproctor import nbgrader
from nbproctor.cli import app
from nbproctor.kit import starter
from tests.cli.term import without_a_name
from tests.programs import run_here

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
# The name of the assignment comes last. tests/cli/test_term.py runs them with it.
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
def course(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("two") / "course"))
    starter.new_assignment(root, "second")
    (root / "class.csv").write_text("student,last_name,first_name\nann,Ode,Ann\n")
    return root


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


@pytest.mark.parametrize("command", OF_THE_COURSE)
def test_a_command_of_the_course_needs_no_name(
    course: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Proofs are tried in tests/nbgrader/test_placement.py.
    monkeypatch.setattr(nbgrader, "lint", lambda *arguments: [])
    monkeypatch.setattr(nbgrader, "differences", lambda *arguments: [])
    done = run_here(*OF_THE_COURSE[command], cwd=course)
    text = done.stdout + done.stderr
    assert done.returncode == (command in FAILS), text
    assert FAILS.get(command, "") in text
    assert without_a_name(text) == []
