"""In a course with two assignments, every command takes the name of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.main import get_command

from nbproctor.cli import app
from nbproctor.kit import starter
from tests.programs import run_here

pytestmark = pytest.mark.slow


# Commands of the whole course; the others are of one assignment.
OF_THE_COURSE = {"init", "new", "adopt", "roster", "doctor", "off"}
# The name of the assignment comes last. tests/cli/test_term.py runs them with it.
OF_AN_ASSIGNMENT = """\
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
""".splitlines()


@pytest.fixture(scope="module")
def course(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shutil.copytree(template, tmp_path_factory.mktemp("two") / "course")
    starter.new_assignment(root, "second")
    return root


def test_each_command_is_tried_here() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    shown = {name for name, command in commands.items() if not command.hidden}
    assert shown == OF_THE_COURSE | {line.split()[0] for line in OF_AN_ASSIGNMENT}


@pytest.mark.parametrize("command", OF_AN_ASSIGNMENT)
def test_a_command_takes_the_name_of_an_assignment_last(
    course: Path, command: str
) -> None:
    for name, message in {
        "": "Name the assignment, one of: second, tiny",
        "other": "There is no assignment 'other'",
    }.items():
        done = run_here(*command.split(), *filter(None, [name]), cwd=course)
        assert done.returncode == 1 and message in done.stderr, (
            done.stdout + done.stderr
        )
