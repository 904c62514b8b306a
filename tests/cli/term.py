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

from nbgrader.api import Gradebook

from nbproctor.platforms import labels
from tests.cli.term_class import (
    FIRST,
    FIRST_DUE,
    SECOND,
    Student,
    Work,
    canvas_files,
    grade_book,
    marker,
    moodle_files,
    worksheet,
    write_zip,
)
from tests.crashes import killed_at
from tests.nbgrader.tiny import configure, run_nbgrader
from tests.pages.lab import words
from tests.programs import run_here

# Proofs of the source are tried in tests/nbgrader/test_placement.py; `watch` looks
# twice, and not for hours.
SHORT = """
from nbproctor import nbgrader
from nbproctor.cli import grading
nbgrader.lint = nbgrader.differences = lambda *arguments: []
looks = iter([False, False, True])
grading.SECONDS = 0
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
# Until when somebody may submit, by the name of an assignment or of a student.
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
    people: list[Student]

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
        return words(self.course.joinpath(*path).read_text("utf-8"))


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
    at_first = [p for p in term.people if p.id not in ("newcomer", "vguest")]
    (course / "canvas.csv").write_text(grade_book(at_first, {}))
    term.run("roster", "canvas.csv")
    feedback_before_the_deadline(term)
    deadlines(term)
    first_assignment(term, at_first)
    by_hand_and_a_test_that_was_wrong(term, db_url)
    one_leaves_and_one_joins(term)
    second_assignment(term)
    exports(term)


def feedback_before_the_deadline(term: Term) -> None:
    early = {p: EARLY[p.id] for p in term.people if p.id in EARLY}
    files = canvas_files(term.course, early, 1)
    write_zip(term.course / "early.zip", files)
    term.run("collect", "early.zip", FIRST)
    term.run("watch", FIRST)
    for student, answer in early.items():
        page = term.page("feedback", student.id, FIRST, f"{FIRST}.html")
        expected = "not be graded" if answer == "cut" else "1 of 2 exercises pass"
        assert expected in page


def deadlines(term: Term) -> None:
    """Times are in UTC; the due date is moved after two students got more time."""
    term.run("due", f"{FIRST_DUE:%Y-%m-%d %H:%M}", FIRST)
    term.run("extend", "dsimic", FIRST, "--days=1")
    term.run("extend", "Łuczak, Zbigniew", FIRST, "--until=2016-11-21 22:00")
    term.run("extend", "aokafor", FIRST, "--excused")
    if len(term.people) > 12:
        term.run("extend", "extwo", FIRST, "--excused")
        term.run("extend", "extwo", SECOND, "--excused")
    text = term.run("due", DUE[FIRST], FIRST)
    assert "These students keep their own deadline: Łuczak, Zbigniew" in text
    term.run("due", DUE[SECOND], SECOND)


def first_assignment(term: Term, at_first: list[Student]) -> None:
    """Canvas marks who is late; by how much is known after the class is graded."""
    course = term.course
    answers = {p: p.first_work.answer for p in at_first if p.first_work.answer != "-"}
    write_zip(course / "canvas.zip", canvas_files(course, answers, 2))
    term.run("collect", "canvas.zip", FIRST)
    text = term.run("grade", FIRST, status=1)
    late = [p for p in term.people if (w := p.first_work.when) and w > FIRST_DUE]
    assert "Late in tiny, but the platform does not say by how much: " in text
    assert all(p.name in text.partition("by how much: ")[2] for p in late)
    works = {p.id: p.first_work for p in term.people}
    times = [f"{id},{w.when:%Y-%m-%d %H:%M}\n" for id, w in works.items() if w.when]
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
    text = path.read_text("utf-8")
    assert text.count(TOO_MUCH) == 1
    path.write_text(text.replace(TOO_MUCH, ENOUGH), "utf-8")
    term.run("release", FIRST)
    assert "(−5 late)" in term.run("grade", FIRST, status=1)


def one_leaves_and_one_joins(term: Term) -> None:
    """As docs/instructors.md says; Moodle tells namesakes by its numbers only."""
    course = term.course
    (leaver,) = (p for p in term.people if p.first_work.status == "gone")
    term.people.remove(leaver)
    command = ("db", "student", "remove", leaver.id, "--force")
    run_nbgrader(course, *command)
    for step in ("submitted", "autograded", "feedback"):
        shutil.rmtree(course / step / leaver.id)
    for name in (".nbproctor.cache", "report"):
        shutil.rmtree(course / name)
    for path in course.glob("collected/**/*.csv"):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        others = [line for line in lines if leaver.id not in line]
        path.write_text("".join(others), "utf-8")
    in_canvas = [p for p in term.people if p.id != "vguest"]
    (course / "canvas.csv").write_text(grade_book(in_canvas, {}))
    term.run("roster", "canvas.csv")
    (course / "moodle.csv").write_text(worksheet(term.people, {}))
    shown = Counter(p.name for p in term.people)
    namesakes = [p for p in term.people if shown[p.name] > 1]
    answers = [f"--as=Moodle participant {p.participant}={p.id}" for p in namesakes]
    term.run("roster", "moodle.csv", *answers)
    term.run("grade", FIRST, status=1)


def second_assignment(term: Term) -> None:
    """Moodle knows teams by a name, and who submits together is in another file."""
    course = term.course
    teams = {p.id: p.second_work.team for p in term.people}
    rows = [f"{team},{student}\n" for student, team in teams.items() if team]
    (course / "groups.csv").write_text("group,student\n" + "".join(rows))
    write_zip(course / "moodle.zip", moodle_files(course, term.people))
    options = ("--roster=moodle.csv", "--groups=groups.csv")
    term.run("collect", "moodle.zip", SECOND, *options)
    term.run("grade", SECOND, status=int(len(term.people) > 12))


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
    course = term.course
    firsts = {p: p.first_work for p in term.people}
    seconds = {p: p.second_work for p in term.people}
    with Gradebook(db_url, FIRST) as book:
        assert {s.id for s in book.students} == {p.id for p in term.people}
    for assignment, works in {FIRST: firsts, SECOND: seconds}.items():
        rows = read_table(course / f"exported/{assignment}.csv")
        table = {row["student"]: row for row in rows}
        assert table.keys() == {p.id for p in works}
        compare_report(term.page("report", f"{assignment}.html"), works)
        for person, work in works.items():
            marks = work.points | {"total": work.total}
            expected = {name: number(text) for name, text in marks.items()}
            expected["last_name"] = person.last.replace("=", "'=")
            expected["status"] = work.status
            assert table[person.id].items() >= expected.items()
            compare_page(term, person, assignment, work)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about pandas's options
        import fastparquet
    parquet = fastparquet.ParquetFile(course / f"exported/{FIRST}.parquet").to_pandas()
    totals = parquet["total"].dropna().to_dict()
    assert totals == {p.id: float(w.total) for p, w in firsts.items() if w.total != "-"}

    # What was exported for the platforms: only the marks change.
    canvas = {
        p.id: "EX" if w.status == "excused" else money(w) for p, w in firsts.items()
    }
    in_canvas = [p for p in term.people if p.id != "vguest"]
    filled = (course / "canvas_filled.csv").read_bytes().decode()
    assert filled == grade_book(in_canvas, canvas)
    assert (course / "canvas.csv").read_bytes() == grade_book(in_canvas, {}).encode()
    moodle = {p.id: money(w) for p, w in seconds.items()}
    assert (course / "moodle_filled.csv").read_text() == worksheet(term.people, moodle)
    feedback_zip(course, FIRST, {p.canvas: p.id for p in firsts})
    owners = {p.participant: p.id for p, w in seconds.items() if not w.team}
    feedback_zip(course, SECOND, owners)

    # The term.
    rows = read_table(course / "exported/term.csv")
    for row, person in zip(rows, sorted(term.people, key=lambda p: p.id), strict=True):
        work = firsts[person]
        other = seconds[person]
        marks = [each.total for each in (work, other) if each.total != "-"]
        total = str(sum(map(float, marks))) if marks else ""
        assert row["student"] == person.id and row["total"] == total
        assert row[FIRST] == number(work.total)
        assert row[SECOND] == number(other.total)
        page = term.page("report", "term", f"{person.id}.html")
        worth = {FIRST: 10, SECOND: 5}
        total_of = 0
        for name, each in {FIRST: work, SECOND: other}.items():
            assert f"{name} {term_mark(each, worth[name])}" in page
            submitted = f"{each.when:%Y-%m-%d %H:%M} UTC" if each.when else "–"
            due = DUE.get(person.id if name == FIRST else name, DUE[name])
            assert f" {submitted} {due} UTC " in page
            counts = each.total != "-" or each.status == "missing"
            total_of += worth[name] if counts and each.status != "excused" else 0
        assert float(row["total_of"]) == total_of
        assert not any(p.id in page.split() for p in term.people if p != person)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def number(text: str) -> str:
    """Return a number of the list as a table has it."""
    return "" if text == "-" else str(float(text))


def money(work: Work) -> str:
    return "" if work.total == "-" else f"{float(work.total):.2f}"


def term_mark(work: Work, most: int) -> str:
    return f"– {work.status}" if work.total == "-" else f"{work.total} of {most}"


def compare_report(report: str, works: dict[Student, Work]) -> None:
    """Compare who is late, and who has submitted nothing."""
    late = report.partition(" Late ")[2].partition(" Time per ")[0].split()
    ids = {p.id for p in works}
    assert ids & set(late) == {p.id for p, w in works.items() if w.status == "late"}
    assert "does not say how late" not in report
    shown = labels({p.id: f"{p.first} {p.last}" for p in works})
    absent = {shown[p.id] for p, w in works.items() if w.status == "missing"}
    nothing = report.partition(" Nothing submitted ")[2].partition(" Excused ")[0]
    assert set(nothing.split(", ")) - {""} == absent


def compare_page(
    term: Term,
    person: Student,
    assignment: str,
    work: Work,
) -> None:
    path = ("feedback", person.id, assignment, f"{assignment}.html")
    if work.answer == "-":
        assert not term.course.joinpath(*path).exists()
        return
    page = term.page(*path)
    if work.total != "-":
        assert f"{work.total} / {10 if assignment == FIRST else 5} points" in page
    else:
        assert ("Excused" if work.status == "excused" else "not be graded") in page
    owner = work.team or person.id
    if work.answer not in ("cut", "blank"):
        assert set(OWNER.findall(page)) == {owner}


def feedback_zip(
    course: Path,
    assignment: str,
    owners: dict[str, str],
) -> None:
    """Check that each page of a student's own is behind the student's own number."""
    with zipfile.ZipFile(course / f"exported/{assignment}_feedback.zip") as archive:
        for name in archive.namelist():
            names = set(OWNER.findall(words(archive.read(name).decode())))
            assert len(names) <= 1, name
            for address, owner in owners.items():
                if f"_{address}_" in name and names:
                    assert names == {owner}, name
