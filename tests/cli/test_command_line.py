"""The command line keeps its word: what it says when asked, and when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbproctor import __version__
from nbproctor.cli.app import console
from nbproctor.sandbox import doctor
from nbproctor.sandbox.doctor import Layer
from tests.programs import run_here, run_python


@pytest.mark.slow
def test_the_program_is_named_as_it_was_typed(class_course: Path) -> None:
    env = os.environ | {"COLUMNS": "80", "NBPROCTOR_TYPED": "python3 kit.py"}
    for line, status, message in (
        ("--version", 0, f"nbproctor {__version__}\n"),
        ("grade --wrong", 2, "Try 'python3 kit.py grade --help' for help."),
        ("roster canvas.zip", 1, "use `python3 kit.py collect`."),
    ):
        done = run_python("nbproctor", *line.split(), cwd=class_course, env=env)
        assert done.returncode == status
        assert message in done.stdout + done.stderr
    done = run_python("nbproctor", "grade", "-x", cwd=class_course)
    assert done.stderr.startswith("Usage: nbproctor grade")


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
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = "/opt/a/very/long/path" * 6
    layers = [
        Layer("Landlock", "code could read every file " * 5, "add it " * 20),
        Layer("user id", "it stays user 0", f"let everybody read {long}", False),
    ]
    monkeypatch.setattr(doctor, "probe", lambda: layers)
    monkeypatch.setattr(console, "_width", 200)
    done = run_here("doctor", cwd=tmp_path)
    assert done.returncode == 1 and "--sandbox=weak" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].rstrip() == "This computer must not grade: it has no Landlock."
    assert max(map(len, lines)) <= 80
    assert long in "".join(line.strip() for line in lines)  # folded, not cut
