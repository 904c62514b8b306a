"""Grading through nbgrader: real gradebooks, real executions, nbgrader's own rules."""

import shutil
from pathlib import Path

import pytest

from nbproctor import nbgrader
from nbproctor.nbgrader import Course
from nbproctor.sandbox.workers import Allowance
from nbproctor.submission import reading
from tests.broken.cases import (
    ANSWERS,
    BOMBS,
    CASES,
    STOPPED,
    Case,
    answered,
    by_id,
    text,
)
from tests.kernels import brief
from tests.nbgrader.rows import rows, url
from tests.nbgrader.tiny import (
    HandIn,
    Notebook,
    blank,
    configure,
    graded,
    run_nbgrader,
    source_of,
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
    release: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    cases: list[Case],
    allowance: Allowance,
) -> None:
    monkeypatch.setattr(reading, "ALLOWANCE", allowance)
    for case in cases:
        case.make(course / "submitted" / case.name / "tiny", answered(release))
    before = handed_in(course)
    outcomes = graded(course)
    assert handed_in(course) == before
    table = nbgrader.scores(course, "tiny")
    assert list(table.columns) == ["fizz", "mean_of", "total"]
    for case in cases:
        outcome = outcomes[case.name]
        status_and_score = outcome.status, outcome.score
        assert status_and_score == (case.status, case.score), outcome
        assert all(note in outcome.reason for note in case.note.split("|"))
        total = table.loc[case.name, "total"]
        assert total == case.score or (case.score is None and total != total)


def test_formgraders_button_takes_the_same_way(
    course: Path,
    hand_in: HandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nbgrader.apps.api import NbGraderAPI

    hand_in("ann", "tiny-Copy1.ipynb")
    monkeypatch.chdir(course)
    result = NbGraderAPI(config=Course(course).config).autograde("tiny", "ann")
    assert result["success"], result
    assert nbgrader.scores(course, "tiny").loc["ann", "total"] == 10


def test_scores_are_those_of_stock_nbgrader(
    course: Path,
    release: Notebook,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in brief(tmp_path).items():
        monkeypatch.setenv(name, value)
    hand_in("blank", **{name: blank(release, name) for name in ANSWERS})
    raises = "def mean_of(x):\n    x.sort()\n    raise OSError"
    hand_in("half", fizz="def fizz(n):\n    return str(n)", mean_of=raises)
    part = "def mean_of(x):\n    return int(sum(x) / len(x))"
    typo = hand_in("typo", fizz="def fizz(n)\n    return n", mean_of=part)
    typo.with_name("timestamp.txt").write_text("2026-10-01 12:00:00 CEST")
    stock = shutil.copytree(course, tmp_path / "stock")
    config = stock / "nbgrader_config.py"
    lines = config.read_text().splitlines()
    config.write_text("\n".join(line for line in lines if "proctor" not in line))
    run_nbgrader(stock, "autograde", "tiny")
    reasons = {name: result.reason for name, result in graded(course).items()}
    assert [name for name, reason in reasons.items() if "wrong file" in reason] == [
        "blank"
    ]
    expected = nbgrader.scores(stock, "tiny")
    assert nbgrader.scores(course, "tiny").equals(expected)
    assert expected["total"].nunique() == 3
    assert rows(url(course)) == rows(url(stock))


def test_an_endless_loop_costs_its_own_exercise_only_and_stands_in_the_log(
    course: Path, hand_in: HandIn
) -> None:
    seconds = 0.5 * patience()
    configure(course, f"c.Nbproctor.call_seconds = {seconds}")
    hand_in("ann", fizz="def fizz(n):\n    while True:\n        pass")
    hand_in("bob")
    outcomes = graded(course)
    assert (outcomes["ann"].status, outcomes["ann"].score) == ("partial", 5)
    assert "`fizz` was stopped" in outcomes["ann"].reason
    log = (course / "autograded/grading.log").read_text("utf-8")
    assert "started for tiny, sandbox level" in log
    warning = f"ann: `fizz` was stopped: it did not finish in {seconds:g} seconds."
    assert warning in log
    assert (outcomes["bob"].status, outcomes["bob"].score) == ("graded", 10)


def test_one_submission_that_nbgrader_cannot_process_does_not_end_the_class(
    course: Path, hand_in: HandIn
) -> None:
    configure(
        course,
        "from nbgrader.preprocessors import NbGraderPreprocessor",
        "class Bomb(NbGraderPreprocessor):",
        "    def preprocess(self, nb, resources):",
        "        if resources['nbgrader']['student'] == 'bob':",
        "            raise ValueError('no room for bob')",
        "        return nb, resources",
        "c.Autograde.autograde_preprocessors.append(Bomb)",
    )
    for student in ("ann", "bob", "cem"):
        hand_in(student)
    outcomes = graded(course)
    assert outcomes["bob"].status == "ungradable"
    assert "ValueError" in outcomes["bob"].reason  # more is in the log
    assert outcomes["ann"].score == outcomes["cem"].score == 10
    assert nbgrader.scores(course, "tiny").loc["bob"].isna().all()
    opened = nbgrader.Course(course, "tiny")
    standings = nbgrader.participants(opened)
    report_page = nbgrader.report(opened, standings)[0]
    assert report_page.read_text().count('aria-label="2 passed"') == 2


def test_files_of_the_assignment_are_there_for_lint_and_for_grading(
    course: Path, hand_in: HandIn
) -> None:
    source = course / "source/tiny"
    (source / "data").mkdir()
    (source / "data/word.txt").write_text("fizz")
    (source / "given.py").write_text("WORD = open('data/word.txt').read()\n")
    with source_of(course) as notebook:
        setup = by_id(notebook, "setup")
        needs = "\nfrom given import WORD\nassert WORD == 'fizz'"
        setup["source"] = text(setup) + needs
    assert nbgrader.lint(course, "tiny") == []
    answer = "    return str(n) if n % 3 else WORD + open('own.txt').read()"
    folder = hand_in("ann", fizz=f"def fizz(n):\n{answer}").parent
    (folder / "own.txt").touch()
    assert graded(course)["ann"].score == 10
    autograded = course / "autograded/ann/tiny"
    assert (autograded / "own.txt").exists() and (autograded / "data/word.txt").exists()
