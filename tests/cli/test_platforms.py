"""The teacher's round by the commands themselves: collect, grade, export, again."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbproctor import nbgrader
from tests.broken.cases import by_id
from tests.nbgrader.tiny import content, run_nbgrader, source_of
from tests.programs import run_here, run_line, succeeded
from tests.warm import lasting_fork_servers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def warm_processes() -> Iterator[None]:
    with lasting_fork_servers():
        yield


def test_only_who_is_named_is_replaced_and_a_dry_run_writes_nothing(
    course: Path,
) -> None:
    """Moodle's number of a team is that of a participant who is not in it."""
    (course / "groups.csv").write_text(
        'group,student\nTeam Blue,aokafor\nTeam Blue,"King, Jr., Bo"\n'
    )
    with zipfile.ZipFile(course / "moodle.zip", "w") as archive:
        for student in ("Team Blue_1002", "Kim S._77"):
            archive.writestr(f"{student}_assignsubmission_file/tiny.ipynb", "x")
    before = content(course)
    output = run_line("collect moodle.zip tiny --dry-run", course)
    assert output.endswith("Dry run: nothing was written.")
    assert "one of Nguyễn, Minh (mnguyen)" in output
    assert content(course) == before
    answers = "--groups=groups.csv --as='Kim S.=ksmith1'"
    output = run_line(f"collect moodle.zip tiny {answers}", course)
    assert "Matched with the class list: 2 by group, 1 by --as." in output
    bo, kim = (
        course / f"submitted/{student}/tiny/tiny.ipynb"
        for student in ("bking", "ksmith1")
    )
    bo.write_text("{}")
    kim.write_text("{}")
    command = f"collect moodle.zip tiny {answers} --replace --only=ksmith1"
    assert "1 students: 1 replaced" in run_line(command, course)
    assert (bo.read_text(), kim.read_text()) == ("{}", "x")


def test_the_classroom_workflow_runs_what_this_test_runs(course: Path) -> None:
    """The workflow's own commands, on what ``gh classroom clone`` makes."""
    run_line("roster canvas.csv --same='GitHub handle=login'", course)
    run_line("export classroom tiny", course)
    text = (course / ".github/workflows/grade_tiny.yml").read_text()
    assert "{{ assignment" not in text and "${{ secrets.CLASSROOM_TOKEN }}" in text
    with zipfile.ZipFile(course / "canvas.zip") as archive:
        logins = ("aokafor", "bking", "ksmith1")
        for entry, login in zip(archive.namelist(), logins, strict=True):
            clone = course / f"clones/lab-5-submissions/lab-5-{login}"
            clone.mkdir(parents=True)
            (clone / "tiny.ipynb").write_bytes(archive.read(entry))
    commands = re.findall(r"^ *python kit\.py (?!doctor)(.*)$", text, re.M)
    release, collect, grade, export = commands
    assert release.startswith("release ")
    (clone / "link.csv").symlink_to("/etc/passwd")
    output = run_line(collect, course)
    assert "link.csv: Not read: it is a link, and links are not followed." in output
    output = run_line(f"{grade} --sandbox=weak", course, status=1)
    # Each reason once, the most serious first.
    assert output.count("Nothing submitted.") == 1
    assert re.search(
        r"Smith, Kim \(ksmith1\): 'tiny.ipynb' is cut short.*"
        r"Nguyễn, Minh; Smith, Kim \(ksmith2\): Nothing submitted\.",
        output,
    )
    run_line(export, course)
    assert text.count("if: always()") == 2
    scores = nbgrader.scores(course, "tiny")["total"]
    assert scores.loc["aokafor"] == 10 and scores.loc["bking"] == 7
    assert scores.isna()["ksmith1"]


# A file and what is changed in it, the options of an import of the class list, and
# what the student is called after it.
RENAMED = """\
canvas.csv | Okafor, Amara | Stone, Mary | | Okafor, Amara
canvas.csv | | | --as='login aokafor=aokafor' | Stone, Mary
canvas.csv | Stone, Mary | Okafor, Amara | | Stone, Mary
collected/roster.csv | "Stone","Mary" | "Hill","May" | | Hill, May
"""


def test_a_student_s_new_name_comes_from_a_list_or_is_written_by_hand(
    course: Path,
) -> None:
    for line in RENAMED.splitlines():
        file, old, new, options, name = map(str.strip, line.split("|"))
        path = course / file
        path.write_text(path.read_text().replace(old, new))
        run_line(f"roster canvas.csv {options}", course)
        assert nbgrader.labels(nbgrader.Course(course))["aokafor"] == name


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
# Commands that read or run the source; nbgrader's own come last.
COMMANDS = """\
init
lint tiny
release tiny
audit --exercise=fizz tiny
collect canvas.zip tiny
grade --force tiny
new third
off
""".splitlines()


def test_a_new_class_list_says_who_is_new_and_who_is_no_longer_in_it(
    course: Path,
) -> None:
    def imported(*rows: str) -> str:
        text = "\n".join(["student_id,last_name,first_name", *rows])
        (course / "list.csv").write_text(text)
        return succeeded(run_here("roster", "list.csv", cwd=course)).stdout

    output = imported("ann,Arndt,Ann", "bob,Bach,Bob")
    assert "list.csv lists 2 students: 2 new, 0 changed, 0 unchanged." in output
    output = imported("ann,Arndt,Ann", "cem,Cakir,Cem")
    assert "list.csv lists 2 students: 1 new, 0 changed, 1 unchanged." in output
    assert "New in the class list:\n  Cakir, Cem\n" in output
    assert "not in list.csv (nobody was removed):\n  Bach, Bob\n" in output


def test_no_command_changes_anything_in_source(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reference solution writes, imports or changes."""
    source = course / "source/tiny"
    with source_of(course, release=False) as notebook:
        opening = by_id(notebook, "setup")
        opening["source"] = "".join(opening["source"]) + OPENING
        by_id(notebook, "fizz")["source"] = SOLVED
    (source / "csv_tools.py").write_text(HELPER)
    (source / "csv_tools.py").chmod(0o640)

    def tree() -> dict[Path, tuple[int, int]]:
        paths = (source, *source.rglob("*"))
        return {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in paths}

    before = tree()
    # Of a proof, what runs the reference solution is enough.
    monkeypatch.setattr(nbgrader, "differences", lambda *arguments: [])
    for line in COMMANDS:
        done = run_here(*line.split(), cwd=course)
        assert tree() == before, line
        if line.split()[0] in ("init", "lint", "release", "audit"):
            succeeded(done)
    for command, status in ("generate_assignment", 0), ("autograde", 1):
        run_nbgrader(course, command, "--force", "tiny", status=status)
        assert tree() == before, command
