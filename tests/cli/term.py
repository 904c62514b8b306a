"""A term: two assignments, two platforms, every command of a teacher's.

Each command is killed in the middle, and repeated. At the end every mark, page and
exported cell is compared with the list in term.txt.
"""

from __future__ import annotations

import csv
import re
import shutil
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from nbgrader.api import Gradebook
from pandas.testing import assert_frame_equal

from nbproctor.platforms import labels
from tests.cli.term_class import (
    FIRST,
    FIRST_DUE,
    SECOND,
    Work,
    grade_book,
    marker,
    worksheet,
    write_download,
)
from tests.crashes import killed_at
from tests.nbgrader.tiny import configure, run_nbgrader
from tests.pages.lab import read_words, words
from tests.programs import run_here

# Proofs of the source are tried in tests/nbgrader/test_placement.py; `watch` looks
# twice, and not for hours.
SHORT = """
from nbproctor import nbgrader
from nbproctor.cli import grading
nbgrader.lint = nbgrader.differences = lambda *arguments: []
looks = iter([False, False, True])
grading.POLL_SECONDS = 0
nbgrader.Watch.is_finished = lambda *arguments: next(looks)
"""
HALF = """\
from nbgrader.plugins import LateSubmissionPlugin

class Half(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, late):
        return score / 2
"""
# In the source: what a hidden test asks at first, and then.
TOO_MUCH = '(0, -3, 9)] == [\\"fizz\\"] * 3'
ENOUGH = '(-3, 9)] == [\\"fizz\\"] * 2'
OWNER = re.compile(re.escape(marker("@")).replace("@", r"(\S+)"))
WORTH = {FIRST: 10, SECOND: 5}
# Until when the class may submit, or a student of the first assignment.
DUE = {
    FIRST: "2016-11-21 12:00",
    SECOND: "2016-12-01 18:00",
    "dsimic": "2016-11-22 12:00",
    "zluczak": "2016-11-21 22:00",
}
EARLY = {
    "early1": "half",
    "early2": "text",
    "early3": "cut",
}


# A suggested command of one assignment, and what follows.
SUGGESTION = re.compile(
    "nbproctor (?:lint|release|audit|lab|submit|collect|late|due|extend|grade|watch) .*"
)
NAME = re.compile(r"\b(?:tiny|second|third|ASSIGNMENT)\b")


@dataclass
class Term:
    """A course of a class, and the commands of its teacher."""

    course: Path
    works: list[Work]

    def works_of(self, assignment: str, *absent: str) -> list[Work]:
        """Return the works of an assignment, without those of some students."""
        return [
            work
            for work in self.works
            if work.assignment == assignment and work.student not in absent
        ]

    def run(self, *words: str, status: int = 0) -> str:
        """Run a command; kill it early and late, if it gets so far, then at no step."""
        for step in (16, 256, 0):
            done = killed_at(step, *words, cwd=self.course, before=SHORT)
            if done.returncode >= 0:
                break
        text = done.stdout + done.stderr
        assert done.returncode == status, f"{words}: {text}"
        # Suggested commands name the assignment: a course may have several.
        assert all(NAME.search(each) for each in SUGGESTION.findall(text)), text
        return text

    def page(self, *path: str) -> str:
        """Return the words of a page."""
        return read_words(self.course.joinpath(*path))


def play(term: Term, db_url: str) -> None:
    """Play a term; its list has at least the first twelve students."""
    course = term.course
    (course / "late.py").write_text(HALF)
    configure(
        course,
        "import sys; sys.path.insert(0, '.')",
        "c.AssignLatePenalties.plugin_class = 'late.Half'",
    )
    term.run("new", SECOND)
    term.run("release", SECOND)
    at_first = term.works_of(FIRST, "newcomer", "vguest")
    (course / "canvas.csv").write_text(grade_book(at_first))
    term.run("roster", "canvas.csv")
    feedback_before_the_deadline(term)
    deadlines(term)
    first_assignment(term)
    by_hand_and_a_test_that_was_wrong(term, db_url)
    one_leaves_and_one_joins(term)
    second_assignment(term)
    exports(term)


def feedback_before_the_deadline(term: Term) -> None:
    early = [
        work._replace(answer=EARLY[work.student])
        for work in term.works_of(FIRST)
        if work.student in EARLY
    ]
    write_download(term.course / "early.zip", early, attempt=1)
    term.run("collect", "early.zip", FIRST)
    term.run("watch", FIRST)
    for work in early:
        page = term.page("feedback", work.student, FIRST, f"{FIRST}.html")
        is_cut = work.answer == "cut"
        assert ("not be graded" if is_cut else "1 of 2 exercises pass") in page


def deadlines(term: Term) -> None:
    """Times are in UTC; the due date is moved after two students got more time."""
    term.run("due", FIRST_DUE, FIRST)
    term.run("extend", "dsimic", FIRST, "--days=1")
    term.run("extend", "Łuczak, Zbigniew", FIRST, "--until=2016-11-21 22:00")
    term.run("extend", "aokafor", FIRST, "--excused")
    term.run("extend", "early1", SECOND, "--excused")
    text = term.run("due", DUE[FIRST], FIRST)
    assert "These students keep their own deadline: Łuczak, Zbigniew" in text
    term.run("due", DUE[SECOND], SECOND)


def first_assignment(term: Term) -> None:
    """Canvas marks who is late; by how much is known after the class is graded."""
    course = term.course
    works = term.works_of(FIRST)
    write_download(course / "canvas.zip", works)
    term.run("collect", "canvas.zip", FIRST)
    text = term.run("grade", FIRST, status=1)
    _, _, names = text.partition(
        "Late in tiny, but the platform does not say by how much: "
    )
    assert all(work.name in names for work in works if work.when > FIRST_DUE)
    times = [f"{work.student},{work.when}\n" for work in works if work.when]
    (course / "late.csv").write_text("student,time\n" + "".join(times))
    term.run("late", "late.csv", FIRST)
    term.run("extend", "exone", FIRST, "--excused")
    term.run("extend", "aokafor", FIRST, "--not-excused")


def by_hand_and_a_test_that_was_wrong(term: Term, db_url: str) -> None:
    """A person looks at one answer; then a hidden test asks for less."""
    with Gradebook(db_url, FIRST) as book:
        assert book.find_submission(FIRST, "bking").score == 7
        grade = book.find_grade("fizz-multiples", FIRST, FIRST, "hhand")
        grade.manual_score = 2.5
        grade.extra_credit = 0.5
        book.db.commit()
    path = term.course / f"source/{FIRST}/{FIRST}.ipynb"
    path.write_text(path.read_text("utf-8").replace(TOO_MUCH, ENOUGH), "utf-8")
    term.run("release", FIRST)
    assert "(−5 late)" in term.run("grade", FIRST, status=1)


def one_leaves_and_one_joins(term: Term) -> None:
    """As docs/instructors.md says; Moodle tells namesakes by its numbers only."""
    course = term.course
    term.works = [work for work in term.works if work.student != "gone"]
    run_nbgrader(course, "db", "student", "remove", "gone", "--force")
    for name in (
        "submitted/gone",
        "autograded/gone",
        "feedback/gone",
        ".nbproctor.cache",
        "report",
    ):
        shutil.rmtree(course / name)
    for path in course.glob("collected/**/*.csv"):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "gone" not in line), "utf-8")
    in_canvas = term.works_of(FIRST, "vguest")
    (course / "canvas.csv").write_text(grade_book(in_canvas))
    term.run("roster", "canvas.csv")
    works = term.works_of(SECOND)
    (course / "moodle.csv").write_text(worksheet(works))
    students_by_name = Counter(work.name for work in works)
    answers = [
        f"--as=Moodle participant {work.address}={work.student}"
        for work in works
        if students_by_name[work.name] > 1
    ]
    term.run("roster", "moodle.csv", *answers)
    term.run("grade", FIRST, status=1)


def second_assignment(term: Term) -> None:
    """Moodle knows teams by a name, and who submits together is in another file."""
    course = term.course
    works = term.works_of(SECOND)
    teams = [f"{w.owner},{w.student}\n" for w in works if w.owner != w.student]
    (course / "groups.csv").write_text("group,student\n" + "".join(teams))
    write_download(course / "moodle.zip", works)
    options = ("--roster=moodle.csv", "--groups=groups.csv")
    term.run("collect", "moodle.zip", SECOND, *options)
    term.run("grade", SECOND, status=1)


def exports(term: Term) -> None:
    for assignment, file in {FIRST: "canvas.csv", SECOND: "moodle.csv"}.items():
        term.run("export", "csv", assignment)
        term.run("export", "feedback", assignment)
        done = run_here("export", file, assignment, cwd=term.course)
        assert "Nothing was written. To write the file, run the same" in done.stdout
        term.run("export", file, assignment, "--write")
    term.run("export", "term")
    term.run("export", "parquet", FIRST)


def compare(term: Term, db_url: str) -> None:
    """Compare everything with the list: nothing more, nothing less, nothing else."""
    with Gradebook(db_url, FIRST) as book:
        assert {s.id for s in book.students} == {w.student for w in term.works}
    compare_tables(term.course / "exported", pd.DataFrame(term.works))
    # Of the platforms' files, only the marks change.
    course = term.course
    in_canvas = term.works_of(FIRST, "vguest")
    filled = (course / "canvas_filled.csv").read_bytes()
    assert filled == grade_book(in_canvas, filled=True).encode()
    filled_worksheet = worksheet(term.works_of(SECOND), filled=True)
    assert (course / "moodle_filled.csv").read_text() == filled_worksheet
    for assignment in (FIRST, SECOND):
        works = term.works_of(assignment)
        compare_report(term.page("report", f"{assignment}.html"), works)
        compare_feedback(course / f"exported/{assignment}_feedback.zip", works)
    for work in term.works:
        compare_pages(term, work)


def compare_tables(folder: Path, works: pd.DataFrame) -> None:
    """Compare the tables of both assignments and of the term."""
    points = ["fizz", "mean_of", "total"]
    works[points] = works[points].apply(pd.to_numeric)
    works = works.sort_values("student", ignore_index=True)
    for assignment, expected in works.groupby("assignment"):
        table = pd.read_csv(folder / f"{assignment}.csv")
        last_name = table["last_name"].str.removeprefix("'")  # "'=1+1"
        table["name"] = last_name + ", " + table["first_name"]
        columns = ["student", "name", *points, "status"]
        assert_frame_equal(
            table.reindex(columns=columns),
            expected[columns].reset_index(drop=True),
            check_dtype=False,
        )
    term = works.pivot(index="student", columns="assignment", values="total")
    is_counted = works["total"].notna() | (works["status"] == "missing")
    works["total_of"] = works["assignment"].map(WORTH).where(is_counted, 0)
    by_student = works.groupby("student")
    term["total_of"] = by_student["total_of"].sum()
    term["total"] = by_student["total"].sum().where(term["total_of"] > 0)
    table = pd.read_csv(folder / "term.csv", index_col="student")
    assert_frame_equal(
        table[[*term.columns]],
        term,
        check_dtype=False,
        check_names=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about pandas's options
        parquet = pd.read_parquet(folder / f"{FIRST}.parquet", engine="fastparquet")
    assert parquet["total"].equals(table[FIRST])


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def compare_report(report: str, works: list[Work]) -> None:
    """Compare who is late, and who has submitted nothing."""
    late = report.partition(" Late ")[2].partition(" Time per ")[0].split()
    nothing = report.partition(" Nothing submitted ")[2].partition(" Excused ")[0]
    shown = labels({work.student: work.full_name for work in works})
    for work in works:
        assert (work.student in late) == (work.status == "late")
    assert "does not say how late" not in report
    absent = {shown[work.student] for work in works if work.status == "missing"}
    assert {*nothing.split(", ")} - {""} == absent


def compare_feedback(path: Path, works: list[Work]) -> None:
    """Check that each page is behind the number of its student."""
    with zipfile.ZipFile(path) as archive:
        pages = {
            name: {*OWNER.findall(words(archive.read(name).decode()))}
            for name in archive.namelist()
        }
    for work in works:
        for name, owners in pages.items():
            assert f"_{work.address}_" not in name or owners <= {work.owner}, name


def compare_pages(term: Term, work: Work) -> None:
    """Compare the feedback, and the line of the assignment on the page of the term."""
    page = term.page("report", "term", f"{work.student}.html")
    worth = WORTH[work.assignment]
    mark = f"{work.total} of {worth}" if work.total else f"– {work.status}"
    assert f"{work.assignment} {mark}" in page
    due = DUE[work.assignment]
    if work.assignment == FIRST:
        due = DUE.get(work.student, due)
    submitted = f"{work.when} UTC" if work.when else "–"
    assert f" {submitted} {due} UTC " in page
    others = {each.student for each in term.works} - {work.student}
    assert others.isdisjoint(page.split())
    path = ("feedback", work.student, work.assignment, f"{work.assignment}.html")
    if not work.answer:
        assert not term.course.joinpath(*path).exists()
        return
    page = term.page(*path)
    reasons = {"excused": "Excused", "ungradable": "not be graded"}
    assert reasons.get(work.status, f"{work.total} / {worth} points") in page
    owners = set() if work.answer in ("cut", "blank") else {work.owner}
    assert {*OWNER.findall(page)} == owners
