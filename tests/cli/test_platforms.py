"""The teacher's round by the commands themselves: collect, grade, export, again."""

import csv
import io
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from nbproctor import nbgrader
from tests.broken.cases import answered, by_id

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
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
        done = subprocess.run(
            [sys.executable, "-m", "nbproctor", *map(str, arguments)],
            cwd=self.course,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def template(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("round")
    course = Path(shutil.copytree(project / "examples/tiny", folder / "course"))
    nbgrader.generate(course, "tiny")
    release = json.loads((course / "release/tiny/tiny.ipynb").read_text())
    right, half = answered(release), answered(release)
    by_id(half, "fizz")["source"] = "def fizz(n):\n    return str(n)"
    contents = [json.dumps(right), json.dumps(half), json.dumps(right)[:300]]
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for (name, number, *_), content in zip(PEOPLE, contents, strict=True):
            archive.writestr(f"{name}_{number}_9{number}_tiny.ipynb", content)
    (folder / "grades.csv").write_bytes(GRADEBOOK.encode())
    return folder


@pytest.fixture
def teacher(template: Path, tmp_path: Path) -> Round:
    folder = Path(shutil.copytree(template, tmp_path / "round"))
    return Round(folder / "course", folder / "submissions.zip", folder / "grades.csv")


def test_the_whole_round(teacher: Round) -> None:
    said = teacher.run("roster", teacher.gradebook)
    assert said.startswith("4 new, 0 changed, 0 as before")
    said = teacher.run("collect", teacher.archive, "tiny")
    assert "Canvas (sure: 3 of 3 files are named so)." in said
    assert "Found in the class list: 3 by id." in said
    assert "but not in this download:\n  =1+1, Eve" in said
    said = teacher.run("grade", "tiny", "--sandbox=weak", fails=True)
    assert "Okafor, Amara" in said  # names, not ids
    assert "Not graded: Nguyễn, Minh. The reasons stand above." in said
    said = teacher.run("export", teacher.gradebook, "tiny")
    assert "Nothing was written. To write it: the same with --write" in said
    assert not list(teacher.gradebook.parent.glob("*_filled*"))
    assert teacher.gradebook.read_bytes() == GRADEBOOK.encode()
    said = teacher.run("export", teacher.gradebook, "tiny", "--write")
    assert "Nguyễn, Minh: has no mark: ungradable." in said
    assert "=1+1, Eve: has no mark: missing." in said
    filled = (teacher.gradebook.parent / "grades_filled.csv").read_bytes().decode()
    assert filled == GRADEBOOK.replace("aokafor,A,,", "aokafor,A,10.00,").replace(
        "bking,A,,", "bking,A,7.00,"
    )
    with_names = nbgrader.people(teacher.course)
    assert {p.student: p.name for p in with_names}["bking"] == "King, Jr., Bo"


def test_tables_have_a_column_an_exercise_and_no_formula(teacher: Round) -> None:
    teacher.run("roster", teacher.gradebook)
    teacher.run("collect", teacher.archive, "tiny")
    teacher.run("grade", "tiny", "--sandbox=weak", fails=True)
    assert "4 students, 2 of them without a mark" in teacher.run(
        "export", "csv", "tiny"
    )
    path = teacher.course / "exported/tiny.csv"
    text = path.read_bytes().decode("utf-8-sig")
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["bking"]["fizz"] == "2.0" and rows["bking"]["mean_of"] == "5.0"
    assert rows["mnguyen"]["total"] == "" and rows["mnguyen"]["status"] == "ungradable"
    assert rows["eve"]["last_name"] == "'=1+1" and rows["eve"]["total"] == ""
    teacher.run("export", "parquet", "tiny")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about pandas's options
        import fastparquet
    table = fastparquet.ParquetFile(path.with_suffix(".parquet")).to_pandas()
    assert table.loc["aokafor", ["fizz", "mean_of", "total"]].tolist() == [5, 5, 10]
    assert table["total"].isna().sum() == 2
    assert table.loc["eve", "last_name"] == "=1+1"


def test_a_student_who_handed_in_nothing_is_named(teacher: Round) -> None:
    teacher.run("roster", teacher.gradebook)
    teacher.run("collect", teacher.archive, "tiny")
    weak = ("grade", "tiny", "--sandbox=weak", "--student=aokafor")
    said = teacher.run(*weak, "--student=aokafr", fails=True)
    assert "'aokafr' has handed in nothing" in said
    assert "Did you mean aokafor?" in said
    assert "Did you mean bking?" in teacher.run("grade", "--student=King", fails=True)
    assert not list(teacher.course.glob("autograded/*/tiny"))  # said before the work


def test_a_dry_run_of_collect_leaves_no_trace(teacher: Round) -> None:
    before = sorted(teacher.course.rglob("*"))
    said = teacher.run("collect", teacher.archive, "tiny", "--dry-run")
    assert said.strip().endswith("Nothing was written: a dry run.")
    assert sorted(teacher.course.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["collect", "nothing.zip", "tiny"], "There is no file or folder nothing.zip."),
        (["collect", ".", "other"], "There is no notebook in"),
        (["collect", "a.zip", "tiny", "--timezone=Mars"], "no time zone 'Mars'"),
        (["export", "csv", "tiny"], "Nobody has a mark in 'tiny' yet"),
        (["roster", "nothing.csv"], "cannot be read"),
        (["export", "nothing.csv", "tiny"], "There is no file nothing.csv."),
        (["export", "gradescope", "tiny"], "requirements.txt is missing"),
    ],
)
def test_what_cannot_be_done_is_said(
    teacher: Round, arguments: list[str], said: str
) -> None:
    found = teacher.run(*arguments, fails=True)
    assert said in found
    assert "Traceback" not in found


def test_a_configuration_with_a_database_does_not_leave_the_house(
    teacher: Round,
) -> None:
    config = teacher.course / "nbgrader_config.py"
    with config.open("a") as file:
        file.write("\nc.CourseDirectory.db_url = 'sqlite:///gradebook.db'\n")
    said = teacher.run("export", "gradescope", "tiny", fails=True)
    assert "names a database" in said


def test_the_classroom_workflow_runs_what_this_test_runs(teacher: Round) -> None:
    """The workflow's own commands, on what ``gh classroom clone`` makes."""
    teacher.run("export", "classroom", "tiny")
    text = (teacher.course / ".github/workflows/grade_tiny.yml").read_text()
    assert "$assignment" not in text and "${{ secrets.CLASSROOM_TOKEN }}" in text
    clones = teacher.course / "clones/lab-5-submissions"
    with zipfile.ZipFile(teacher.archive) as archive:
        for entry, login in zip(
            archive.namelist(), ("amara", "bo", "minh"), strict=True
        ):
            place = clones / f"lab-5-{login}"
            place.mkdir(parents=True)
            (place / "tiny.ipynb").write_bytes(archive.read(entry))
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
    assert scores.loc["amara"] == 10 and scores.loc["bo"] == 7
    assert scores.isna()["minh"]
