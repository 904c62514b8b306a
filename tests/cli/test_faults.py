"""Whatever is wrong with a gradebook or a computer, commands end in a sentence."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from nbproctor.cli import app
from nbproctor.sandbox import bubblewrap
from tests import PROJECT
from tests.cli.faults import COMMANDS, FAULTS, OTHERS, Endings
from tests.nbgrader.tiny import configure, hand_in
from tests.programs import run_line, start, succeeded
from tests.users import bound_by_rights

pytestmark = pytest.mark.slow
NBPROCTOR = f"{sys.executable} -m nbproctor"


@pytest.fixture(scope="module")
def graded_course(class_course: Path, module_path: Path) -> Path:
    course = shutil.copytree(class_course, module_path / "tiny")
    configure(course, "c.Nbproctor.assignment = 'tiny'")
    hand_in(course, "aokafor")
    (course / "late.csv").write_text("student,time\naokafor,2030-01-01 12:00\n")
    run_line("due 2030-01-02", course)
    run_line("grade --sandbox=weak", course)
    return course


@pytest.fixture(scope="module")
def endings(graded_course: Path) -> Endings:
    command = bound_by_rights(sys.executable, "-m", "tests.cli.faults")
    done = succeeded(start(*command, cwd=graded_course, PYTHONPATH=str(PROJECT)))
    result: Endings = json.loads(done.stdout)
    return result


def test_the_table_names_every_command() -> None:
    names = {line.split()[0] for line in COMMANDS} | {*OTHERS}
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert names == {name for name, command in commands.items() if not command.hidden}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_from_every_command(endings: Endings, fault: str) -> None:
    sentence, _ = FAULTS[fault]
    stopped = set()
    for command, (status, message) in endings[fault].items():
        assert "Traceback" not in message and "sqlalche" not in message, command
        assert status in (0, 1), command
        # A root without its rights over files has no sandbox: `release` ends by that.
        if status and "no scratch folder" not in message:
            stopped.add(command)
            assert sentence in message, command
    assert stopped
    if sentence in ("is damaged", "has locked", "cannot be opened"):
        assert stopped == {*COMMANDS}


# A command of a shell, and how its complaint begins, if it cannot be done: few files
# and ASCII; nowhere to write to; a user without a name and a home; a full disk; too few
# files.
SURROUNDINGS = """\
ulimit -n 40; PYTHONIOENCODING=ascii {} collect canvas.zip
{} export csv >&- 2>&-
bwrap --dev-bind / / --unshare-user --uid 54321 env -u HOME {} export csv
{} doctor >/dev/full | Stopped: The disk is full
for n in 16 14 12 10; do ulimit -n $n; {} grade --force --sandbox=weak; done | \
Stopped: Too many files are open ([Errno 24]
"""


@pytest.mark.parametrize("row", SURROUNDINGS.splitlines())
def test_a_command_does_its_work_in_poor_surroundings_or_ends_in_a_sentence(
    graded_course: Path, row: str
) -> None:
    command, _, message = row.partition(" | ")
    if "bwrap" in command and (problem := bubblewrap.failure()):
        pytest.skip(f"no user id without a name can be had here: {problem}")
    command = command.format(NBPROCTOR)
    done = start("sh", "-c", command, cwd=graded_course, PYTHONPATH=str(PROJECT))
    assert done.returncode == bool(message), done.stderr
    assert bool(done.stderr) == bool(message)
    for line in done.stderr.splitlines():
        assert line.startswith(message)
    assert "Traceback" not in done.stderr


def test_no_file_gets_the_number_of_an_output_that_is_closed() -> None:
    """Or what is printed, and what a kernel says, would be written into it."""
    code = (
        "import os; from nbproctor.cli.app import _prepare_process; "
        "_prepare_process(); "
        "raise SystemExit(os.open(os.devnull, os.O_RDONLY) < 3)"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    succeeded(start(*command, cwd=PROJECT))
