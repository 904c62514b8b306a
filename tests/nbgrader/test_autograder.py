"""Grading through nbgrader: real gradebooks, real executions, nbgrader's own rules."""

import shutil
from pathlib import Path
from threading import Event

import pytest

from nbproctor import nbgrader
from nbproctor.engine.execution import Execution, execute
from nbproctor.engine.servers import Servers
from nbproctor.platforms import Person
from nbproctor.results import Report, SubmissionResult
from nbproctor.sandbox.workers import Allowance
from nbproctor.submission import reading
from tests.broken.cases import (
    BOMBS,
    CASES,
    STOPPED,
    Case,
    by_id,
    text,
)
from tests.kernels import brief
from tests.nbgrader.rows import rows, url
from tests.nbgrader.tiny import (
    HandIn,
    book,
    configure,
    graded,
    run_nbgrader,
    solved,
    source_of,
    statuses,
    stubs,
    switch_off,
)
from tests.timing import patience

pytestmark = pytest.mark.slow


def handed_in(course: Path) -> dict[Path, tuple[int, int, int]]:
    files = ((path, path.lstat()) for path in (course / "submitted").rglob("*"))
    return {path: (s.st_mode, s.st_size, s.st_mtime_ns) for path, s in files}


@pytest.mark.parametrize(
    ("cases", "allowance"),
    # To read the largest takes some seconds of computing, more on a busy computer.
    [
        (CASES, Allowance(60, 1 << 30)),
        (BOMBS, Allowance(1, 300 << 20)),
        (STOPPED, Allowance(60, 1 << 30)),
    ],
    ids=["damaged", "too much", "stopped"],
)
def test_the_broken_class_gets_status_and_score_each_and_is_never_touched(
    course: Path,
    monkeypatch: pytest.MonkeyPatch,
    cases: list[Case],
    allowance: Allowance,
) -> None:
    monkeypatch.setattr(reading, "ALLOWANCE", allowance)
    for case in cases:
        case.make(course / "submitted" / case.name / "tiny", solved(course))
    before = handed_in(course)
    results = graded(course)
    assert handed_in(course) == before
    expected = {case.name: (case.status, case.score) for case in cases}
    assert statuses(results) == expected
    for case in cases:
        reason = results[case.name].reason
        assert all(note in reason for note in case.note.split("|"))
    totals = nbgrader.scores(course, "tiny")["total"]
    assert {*totals.index} == expected.keys()
    assert totals.dropna().to_dict() == {
        case.name: case.score for case in cases if case.score is not None
    }


def test_scores_are_those_of_stock_nbgrader(
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in brief(tmp_path).items():
        monkeypatch.setenv(name, value)
    hand_in("blank", **stubs(course))
    raises = "def mean_of(x):\n    x.sort()\n    raise OSError"
    hand_in("half", fizz="def fizz(n):\n    return str(n)", mean_of=raises)
    part = "def mean_of(x):\n    return int(sum(x) / len(x))"
    typo = hand_in("typo", fizz="def fizz(n)\n    return n", mean_of=part)
    typo.with_name("timestamp.txt").write_text("2026-10-01 12:00:00 CEST")
    stock = shutil.copytree(course, tmp_path / "stock")
    switch_off(stock)
    run_nbgrader(stock, "autograde", "tiny")
    results = graded(course)
    assert [name for name in results if "wrong file" in results[name].reason] == [
        "blank"
    ]
    expected = nbgrader.scores(stock, "tiny")
    assert nbgrader.scores(course, "tiny").equals(expected)
    assert expected["total"].nunique() == 3
    assert rows(url(course)) == rows(url(stock))


BOMB = """
from nbgrader.preprocessors import NbGraderPreprocessor
class Bomb(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        if resources['nbgrader']['student'] == 'bob':
            raise ValueError('no room for bob')
        return nb, resources
c.Autograde.autograde_preprocessors.append(Bomb)
c.Autograde.create_student = False
"""


def test_what_one_submission_does_to_grading_costs_no_other_exercise_or_student(
    course: Path, hand_in: HandIn
) -> None:
    """An endless loop, an error of nbgrader's, a student whom nobody has enrolled."""
    seconds = 0.5 * patience()
    configure(course, BOMB, f"c.Nbproctor.call_seconds = {seconds}")
    nbgrader.enrol(nbgrader.Course(course, "tiny"), map(Person, ("ann", "bob", "cem")))
    hand_in("ann", fizz="def fizz(n):\n    while True:\n        pass")
    for student in ("bob", "cem", "stranger"):
        hand_in(student)
    results = graded(course)
    assert statuses(results) == {
        "ann": ("partial", 5),
        "bob": ("ungradable", None),
        "cem": ("graded", 10),
        "stranger": ("ungradable", None),
    }
    assert "ValueError" in results["bob"].reason  # more is in the log
    assert "create_student" in results["stranger"].reason
    stopped = f"`fizz` was stopped: it did not finish in {seconds:g} seconds."
    assert stopped in results["ann"].reason
    log = (course / "autograded/grading.log").read_text("utf-8")
    assert "started for tiny, sandbox level" in log
    assert f"ann: {stopped}" in log
    scores = nbgrader.scores(course, "tiny")
    assert scores.loc["bob"].isna().all()
    assert "stranger" not in scores.index


HELPED = "import helper\n\ndef fizz(n):\n    return helper.rule(n)"
RIGHT = "def rule(n):\n    return str(n) if n % 3 else 'fizz'\n"
WRONG = "def rule(n):\n    return 'wrong'\n"
FILES = {
    "data/word.txt": "fizz",
    "given.py": "WORD = open('data/word.txt').read()\n",
    "helper.py": RIGHT,
}


def test_files_of_the_assignment_are_there_and_replace_those_of_a_student(
    course: Path, hand_in: HandIn
) -> None:
    (course / "source/tiny/data").mkdir()
    for name, content in FILES.items():
        (course / "source/tiny" / name).write_text(content)
    with source_of(course) as notebook:
        setup = by_id(notebook, "setup")
        needs = "\nfrom given import WORD\nassert WORD == 'fizz'"
        setup["source"] = text(setup) + needs
    assert nbgrader.lint(course, "tiny") == []
    answer = "    return str(n) if n % 3 else WORD + open('own.txt').read()"
    hand_in("ann", fizz=f"def fizz(n):\n{answer}").with_name("own.txt").touch()
    hand_in("ben").with_name("data").write_text("named as a folder of the course")
    hand_in("cem", fizz=HELPED).with_name("helper.py").write_text(WRONG)
    right = dict.fromkeys(("ann", "ben", "cem"), ("graded", 10))
    assert statuses(graded(course)) == right
    ann = course / "autograded/ann/tiny"
    assert (ann / "own.txt").exists() and (ann / "data/word.txt").exists()
    helper = course / "autograded/cem/tiny/helper.py"
    assert helper.read_text() == RIGHT
    configure(course, "c.Autograde.exclude_overwriting = {'tiny': ['helper.py']}")
    assert statuses(graded(course, force=True)) == right | {"cem": ("graded", 5)}
    assert helper.read_text() == WRONG


def test_a_slow_submission_delays_nobody_and_changes_no_order(
    course: Path, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(course, "c.Nbproctor.workers = 2")
    hand_in("ann", fizz="# slow\nfizz = str")
    for student in ("bob", "cem"):
        hand_in(student)
    others_are_written = Event()
    written = []

    def slow(execution: Execution, servers: Servers) -> Report:
        if any("# slow" in cell.source for cell in execution.cells):
            others_are_written.wait(60)
        return execute(execution, servers)

    def progress(result: SubmissionResult) -> None:
        written.append(result.student)
        if len(written) == 2:
            others_are_written.set()

    monkeypatch.setattr("nbproctor.engine.execution.execute", slow)
    results = nbgrader.grade(course, "tiny", progress=progress)
    assert written[-1] == "ann"
    assert [result.student for result in results] == ["ann", "bob", "cem"]
    # Nobody has a name yet, so the gradebook lists them as they were entered.
    with book(course) as gradebook:
        assert [student.id for student in gradebook.students] == ["ann", "bob", "cem"]
