"""The teacher's round by the commands themselves: collect, grade, export, again."""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from nbproctor import nbgrader
from nbproctor.cli import app
from nbproctor.errors import NbproctorError
from tests.broken.cases import by_id
from tests.nbgrader.tiny import run_nbgrader, solved
from tests.programs import run_here
from tests.warm import lasting_fork_servers

pytestmark = pytest.mark.slow
PEOPLE = [
    ("okaforamara", "1042", "Okafor, Amara", "aokafor"),
    ("kingjrbo", "1043", "King, Jr., Bo", "bking"),
    ("nguyễnminh", "1044", "Nguyễn, Minh", "mnguyen"),
]
GRADEBOOK = (
    "\ufeffStudent,ID,SIS Login ID,Section,Tiny (77),Current Score\r\n"
    "    Points Possible,,,,10.00,(read only)\r\n"
    + "".join(f'"{name}",{n},{login},A,,\r\n' for _, n, name, login in PEOPLE)
    + '"=1+1, Eve",1045,eve,A,,\r\n"Student, Test",1,x,A,,\r\n'
)


class Round(NamedTuple):
    course: Path
    archive: Path
    gradebook: Path

    def run(self, *arguments: str | Path, fails: bool = False) -> str:
        done = run_here(*arguments, cwd=self.course)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def warm_processes() -> Iterator[None]:
    with lasting_fork_servers():
        yield


@pytest.fixture(scope="module")
def before(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the course and what is downloaded for it."""
    folder = tmp_path_factory.mktemp("round")
    course = shutil.copytree(template, folder / "course")
    right = json.dumps(solved(course))
    half = json.dumps(solved(course, fizz="def fizz(n):\n    return str(n)"))
    contents = [right, half, right[:300]]
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for (name, number, *_), content in zip(PEOPLE, contents, strict=True):
            archive.writestr(f"{name}_{number}_9{number}_tiny.ipynb", content)
    (folder / "grades.csv").write_bytes(GRADEBOOK.encode())
    return folder


@pytest.fixture
def teacher(before: Path, tmp_path: Path) -> Round:
    folder = shutil.copytree(before, tmp_path / "round")
    return Round(folder / "course", folder / "submissions.zip", folder / "grades.csv")


def test_who_is_named_wrongly_is_suggested_before_the_work(teacher: Round) -> None:
    teacher.run("roster", teacher.gradebook)
    teacher.run("collect", teacher.archive, "tiny")
    grade = ("grade", "tiny", "--sandbox=weak")
    output = teacher.run(*grade, "--student=aokafor", "--student=aokafr", fails=True)
    assert "'aokafr' has not submitted anything" in output
    assert "Did you mean aokafor?" in output
    assert "Did you mean bking?" in teacher.run("grade", "--student=King", fails=True)
    assert not list(teacher.course.glob("autograded/*/tiny"))


def test_only_who_is_named_is_replaced_and_a_dry_run_writes_nothing(
    teacher: Round,
) -> None:
    """Moodle's number of a team is that of a participant who is not in it."""
    (teacher.course / "groups.csv").write_text(
        'group,student\nTeam Blue,aokafor\nTeam Blue,"King, Jr., Bo"\n'
    )
    again = teacher.course / "moodle.zip"
    with zipfile.ZipFile(again, "w") as archive:
        for student in ("Team Blue_1044", "Evi Sum_77"):
            archive.writestr(f"{student}_assignsubmission_file/tiny.ipynb", "x")
    teacher.run("roster", teacher.gradebook)
    before = sorted(teacher.course.rglob("*"))
    output = teacher.run("collect", again, "tiny", "--dry-run")
    assert output.strip().endswith("Dry run: nothing was written.")
    assert "one of Nguyễn, Minh (mnguyen)" in output
    assert sorted(teacher.course.rglob("*")) == before
    answers = ("--groups=groups.csv", "--as=Evi Sum=eve")
    output = teacher.run("collect", again, "tiny", *answers)
    assert "Matched with the class list: 2 by group, 1 by --as." in output
    bo = teacher.course / "submitted/bking/tiny/tiny.ipynb"
    eve = teacher.course / "submitted/eve/tiny/tiny.ipynb"
    bo.write_text("{}")
    eve.write_text("{}")
    output = teacher.run("collect", again, "tiny", "--replace", "--only=eve")
    assert "1 students: 1 replaced" in output
    assert (bo.read_text(), eve.read_text()) == ("{}", "x")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("collect nothing.zip tiny", "There is no file or folder nothing.zip."),
        ("collect . other", "There is no assignment 'other'"),
        ("collect a.zip tiny --timezone=Mars", "no time zone 'Mars'"),
        ("export csv tiny", "Nobody has a mark in 'tiny' yet"),
        ("roster nothing.csv", "cannot be read"),
        ("export nothing.csv tiny", "There is no file nothing.csv."),
        ("export gradescope tiny", "requirements.txt is missing"),
        ("export gradescope tiny", "names a database"),
    ],
)
def test_what_cannot_be_done_is_said(
    teacher: Round,
    command: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(teacher.course)
    if "database" in message:
        with (teacher.course / "nbgrader_config.py").open("a") as file:
            file.write("\nc.CourseDirectory.db_url = 'sqlite:///gradebook.db'\n")
    with pytest.raises(NbproctorError, match=re.escape(message)):
        app(command.split(), standalone_mode=False)


def test_the_classroom_workflow_runs_what_this_test_runs(teacher: Round) -> None:
    """The workflow's own commands, on what ``gh classroom clone`` makes."""
    teacher.run("export", "classroom", "tiny")
    text = (teacher.course / ".github/workflows/grade_tiny.yml").read_text()
    assert "{{ assignment" not in text and "${{ secrets.CLASSROOM_TOKEN }}" in text
    clones = teacher.course / "clones/lab-5-submissions"
    with zipfile.ZipFile(teacher.archive) as archive:
        for entry, login in zip(
            archive.namelist(), ("amara-ok", "bo", "minh"), strict=True
        ):
            clone = clones / f"lab-5-{login}"
            clone.mkdir(parents=True)
            (clone / "tiny.ipynb").write_bytes(archive.read(entry))
    commands = [
        line.strip().split()[2:]
        for line in text.splitlines()
        if line.strip().startswith("python kit.py") and "doctor" not in line
    ]
    assert [command[0] for command in commands] == [
        "release",
        "collect",
        "grade",
        "export",
    ]
    for command in commands[1:]:
        grades = command[0] == "grade"  # one of them is broken: status 1
        weak = ["--sandbox=weak"] if grades else []
        teacher.run(*command, *weak, fails=grades)
    assert text.count("if: always()") == 2
    scores = nbgrader.scores(teacher.course, "tiny")["total"]
    assert scores.loc["amara-ok"] == 10 and scores.loc["bo"] == 7
    assert scores.isna()["minh"]


HELPER = "def half(n): return n // 2\n"
OPENING = """
import csv_tools
open("made.txt", "w").write("made")
"""
SOLVED = """### BEGIN SOLUTION
def fizz(n):
    open("log.txt", "a").write("called")
    return "fizz" if n % 3 == 0 else str(n)
### END SOLUTION"""
# Commands that read or run the source.
COMMANDS = """
    init; lint tiny; release tiny; audit --exercise=fizz tiny
    collect {archive}; grade --force tiny; new second; off
"""


def test_no_command_changes_anything_in_source(
    teacher: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reference solution writes, imports or changes."""
    source = teacher.course / "source"
    (source / "tiny/csv_tools.py").write_text(HELPER)
    notebook = json.loads((source / "tiny/tiny.ipynb").read_text())
    opening = by_id(notebook, "setup")
    opening["source"] = "".join(opening["source"]) + OPENING
    by_id(notebook, "fizz")["source"] = SOLVED
    (source / "tiny/tiny.ipynb").write_text(json.dumps(notebook))
    (source / "tiny/csv_tools.py").chmod(0o640)

    def tree() -> dict[Path, tuple[int, int]]:
        paths = (source / "tiny", *(source / "tiny").rglob("*"))
        return {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in paths}

    before = tree()
    monkeypatch.chdir(teacher.course)
    commands = [line.split() for line in re.split(r"[;\n]", COMMANDS) if line.strip()]
    # Of a proof, what runs the reference solution is enough.
    monkeypatch.setattr(nbgrader, "differences", lambda *arguments: [])
    for command, *words in commands:
        arguments = [w.format(**teacher._asdict()) for w in words]
        done = CliRunner().invoke(app, [command, *arguments])
        assert tree() == before, command
        if command in ("init", "lint", "release", "audit"):
            assert done.exit_code == 0, done.output
    for command, status in ("generate_assignment", 0), ("autograde", 1):
        run_nbgrader(teacher.course, command, "--force", "tiny", status=status)
        assert tree() == before, command
