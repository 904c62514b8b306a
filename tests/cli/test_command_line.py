"""The command line keeps its word: what it says when asked, and when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbproctor import __version__
from nbproctor.cli import authoring
from nbproctor.cli.app import console, echo
from nbproctor.cli.class_run import _reasons
from nbproctor.platforms import labels
from nbproctor.results import SubmissionResult
from nbproctor.sandbox import doctor
from nbproctor.sandbox.doctor import Layer
from nbproctor.statuses import Status
from tests.programs import run_here, run_python


def nbproctor(*arguments: str, folder: Path, **more: str) -> tuple[int, str, str]:
    env = os.environ | {"COLUMNS": "80"} | more
    done = run_python("nbproctor", *arguments, cwd=folder, env=env)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_the_version_is_said(tmp_path: Path) -> None:
    status, output, _ = nbproctor("--version", folder=tmp_path)
    assert (status, output) == (0, f"nbproctor {__version__}\n")


@pytest.mark.slow
def test_a_usage_line_names_what_was_typed(tmp_path: Path) -> None:
    status, _, message = nbproctor(
        "grade", "--wrong", folder=tmp_path, NBPROCTOR_TYPED="python3 kit.py"
    )
    assert status == 2
    assert message.startswith("Usage: python3 kit.py grade ")
    assert "Try 'python3 kit.py grade --help' for help." in message
    assert "Usage: nbproctor grade" in nbproctor("grade", "-x", folder=tmp_path)[2]


def test_a_command_that_a_message_names_is_shown_as_to_be_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = sys.modules["nbproctor.cli.app"]  # `cli` has the app under this name
    monkeypatch.setattr(module, "PROGRAM", "python kit.py")
    echo("To set it: `nbproctor due DATE`")
    assert capsys.readouterr().out == "To set it: `python kit.py due DATE`\n"


@pytest.mark.parametrize(
    "command", [["kit.py", "--help"], ["kit.py", "test", "--help"], ["-m", "nbproctor"]]
)
@pytest.mark.slow
def test_a_broken_pipe_is_silent(project: Path, command: list[str]) -> None:
    """As in ``kit.py grade | head``, where nobody reads the rest."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert done.stderr == b""


def test_doctor_says_the_verdict_first_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "/opt/a/very/long/path" * 6
    layers = [
        Layer("Landlock", True, "code could read every file " * 5, "add it " * 20),
        Layer("seccomp", True, "no new process, program or socket " * 3, ""),
        Layer("user id", False, "it stays user 0", f"let everybody read {long}"),
    ]
    monkeypatch.setattr(doctor, "probe", lambda: layers)
    monkeypatch.setattr(console, "_width", 200)
    with pytest.raises(authoring.CommandError, match="--sandbox=weak"):
        authoring.doctor()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].rstrip() == "This computer must not grade: it has no Landlock."
    assert max(map(len, lines)) <= 80
    joined = "".join(line.strip() for line in lines)
    assert long in joined  # folded, not cut


@pytest.fixture
def tiny(project: Path, tmp_path: Path) -> Path:
    return shutil.copytree(project / "examples/tiny", tmp_path / "tiny")


def test_a_course_is_named_or_is_around_the_working_directory(tiny: Path) -> None:
    missing = f"There is no {tiny / 'release/tiny'}. To make it: nbproctor release"
    for folder, command, message in (
        ("source/tiny", "lab", missing),
        ("..", "--course=tiny lab", missing),
        ("..", "--course=. lab", "is not a course: it has no nbgrader_config.py"),
    ):
        done = run_here(*command.split(), cwd=tiny / folder)
        assert done.returncode == 1 and message in done.stderr


# What `grade` says below its table.


def result(
    student: str,
    status: Status,
    reason: str = "",
) -> SubmissionResult:
    return SubmissionResult(student, status, reason, None, 10)


def test_a_reason_is_said_once_the_gravest_first_and_of_many_before_the_names() -> None:
    results = [
        result("ann", "missing", "Nothing submitted."),
        result("bob", "repaired", "It was renamed."),
        result("cem", "graded"),
        result("dan", "missing", "Nothing submitted."),
        result("eve", "ungradable", "It is cut short."),
    ]
    names = {who: who.title() for who in ("ann", "bob", "dan", "eve", *"ab")}
    graver = ["Eve: It is cut short.", "Bob: It was renamed."]
    lines = [*graver, "Ann; Dan: Nothing submitted."]
    assert list(_reasons(results, names)) == lines
    results += [result(student, "missing", "Nothing submitted.") for student in "ab"]
    lines = [*graver, "4 students: Nothing submitted.", "  Ann; Dan; A; B"]
    assert list(_reasons(results, names)) == lines


def test_namesakes_have_their_id_beside_the_name() -> None:
    names = {
        "s1": "Smith, Kim",
        "s2": "Smith, Kim",
        "s3": "Ode, Ann",
    }
    assert labels(names) == {
        "s1": "Smith, Kim (s1)",
        "s2": "Smith, Kim (s2)",
        "s3": "Ode, Ann",
    }
