"""The class report: one page for the teacher, and three lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from nbproctor.pages import cells as html
from nbproctor.pages import plots
from nbproctor.pages.data import Submission, read_cells
from nbproctor.pages.feedback import STATUS, hours
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.pages.similar import similar
from nbproctor.pages.summary import summarise
from nbproctor.pages.tested import BESIDE, WORDS, State
from nbproctor.templates import render

FEW = 10  # below so many, a correlation says nothing
HARD, EASY = 0.4, 0.95  # shares of an exercise's points
WEAK = 0.1  # an item-rest correlation that does not tell strong from weak
MOST = 20  # sentences that are shown
SLOWEST = 5  # submissions whose time is shown


@dataclass(frozen=True)
class ClassReport:
    """The report of one assignment.

    Attributes
    ----------
    page : str
        HTML, complete in one file.
    lines : tuple of str
        The most important of it in three lines, and one on answers that are alike,
        where they were asked for.
    """

    page: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """How the class did in one exercise.

    Attributes
    ----------
    difficulty : float
        Mean share of its points, 0 to 1; NaN if nobody was graded.
    item_rest : float
        Pearson correlation of its points with those of all other exercises; NaN where
        there is no spread, or there are too few students.
    counts : dict
        State → students.
    """

    exercise: Exercise
    difficulty: float
    item_rest: float
    counts: dict[State, int]

    @property
    def remark(self) -> str:
        """What a teacher should look at, in words."""
        if self.difficulty < HARD:
            return "hard"
        if self.item_rest < WEAK and self.difficulty < EASY:
            return "does not tell strong from weak: read its tests"
        return "almost everybody has it" if self.difficulty >= EASY else ""


@dataclass(frozen=True)
class Mistake:
    """A sentence that several students were told about one exercise."""

    exercise: str
    sentence: str
    students: list[str]


@dataclass(frozen=True)
class Beside:
    """A test with points that was judged beside the answers.

    Attributes
    ----------
    test, exercise : str
        The cell, and the exercise that it scores.
    why : str
        Why the judge cannot look from outside; empty where that is not known.
    earned, of : int
        How many answers have points of it, and how many it judged.
    """

    test: str
    exercise: str
    why: str
    earned: int
    of: int


def class_report(
    submissions: Sequence[Submission],
    outlines: Mapping[str, Outline],
    missing: Mapping[str, str],
    *,
    alike: bool = False,
) -> ClassReport:
    """Say how a class did.

    Parameters
    ----------
    submissions
        Everything that was handed in, one a notebook and student.
    outlines
        Notebook name → the assignment's outline.
    missing
        Student id → name, of those who handed in nothing.
    alike
        Also look for long answers that are more alike than the class is.
    """
    rows = _rows(submissions, outlines)
    graded = rows[rows["points"].notna()]
    items = [
        _item(exercise, name, rows, graded)
        for name, outline in outlines.items()
        for exercise in outline.exercises
    ]
    totals = _totals(submissions, graded)
    mistakes = _mistakes(rows)
    first = submissions[0]
    worth = sum(outline.points for outline in outlines.values())
    ungraded = [s for s in submissions if s.student not in totals.index]
    repaired = [s for s in submissions if s.status in ("repaired", "partial")]
    late = [s for s in submissions if s.late]
    title = next(iter(outlines.values())).title
    pairs = similar(submissions, outlines) if alike else []
    page = render(
        "report.html",
        title=title,
        assignment=first.assignment,
        handed_in=len({s.student for s in submissions}),
        totals=totals,
        worth=worth,
        middle=totals.quantile([0.25, 0.5, 0.75]).tolist(),
        histogram=Markup(plots.histogram(totals.tolist(), worth)),
        bins=plots.bins(totals.tolist(), worth),
        items=items,
        bar=lambda item: Markup(plots.outcomes(item.counts)),
        words=WORDS,
        statuses=STATUS,
        mistakes=mistakes[:MOST],
        besides=_besides(submissions, outlines),
        asked_alike=alike,
        pairs=pairs[:MOST],
        names={submission.student: who(submission) for submission in submissions},
        code=lambda text: Markup(html.code(text)),
        beside=BESIDE,
        ungraded=ungraded,
        repaired=[s for s in repaired if s not in ungraded],
        late=late,
        missing=missing,
        few=len(totals) < FEW,
        times=_times(submissions),
        slowest=sorted(submissions, key=lambda s: -s.seconds)[:SLOWEST],
        hours=hours,
        inline=lambda text: Markup(html.inline(text)),
    )
    lines = _lines(submissions, totals, worth, items, mistakes, missing)
    if alike:
        lines += (_alike_line(len(pairs)),)
    return ClassReport(page, lines)


def who(submission: Submission) -> str:
    """Return a student's name and id."""
    if not submission.name:
        return submission.student
    return f"{submission.name} ({submission.student})"


def _rows(
    submissions: Sequence[Submission], outlines: Mapping[str, Outline]
) -> pd.DataFrame:
    """Return one row for each student and exercise."""
    made = [
        {
            "student": submission.student,
            "who": who(submission),
            "notebook": submission.notebook,
            "exercise": row.exercise.id,
            "name": row.exercise.name,
            "points": row.points,
            "state": row.state,
            "cause": row.cause,
        }
        for submission in submissions
        for row in summarise(
            submission, outlines[submission.notebook], read_cells(submission.graded)
        ).rows
    ]
    table = pd.DataFrame(made)
    return table.astype({"points": float})


def _item(
    exercise: Exercise, notebook: str, rows: pd.DataFrame, graded: pd.DataFrame
) -> Item:
    def of(table: pd.DataFrame) -> pd.DataFrame:
        here = (table["notebook"] == notebook) & (table["exercise"] == exercise.id)
        return table[here].set_index("student")

    points = of(graded)["points"]
    rest = graded.groupby("student")["points"].sum().reindex(points.index) - points
    spread = len(points) >= FEW and points.std() > 0 and rest.std() > 0
    return Item(
        exercise=exercise,
        difficulty=float(points.mean() / exercise.points) if exercise.points else 1.0,
        item_rest=float(points.corr(rest)) if spread else float("nan"),
        counts={str(k): int(v) for k, v in of(rows)["state"].value_counts().items()},  # type: ignore[misc]
    )


def _totals(
    submissions: Sequence[Submission], graded: pd.DataFrame
) -> pd.Series[float]:
    """Return the totals of all who were graded, as their pages show them."""
    earned = graded.groupby("student")["points"].sum()
    taken: dict[str, float] = {}
    for submission in submissions:
        taken[submission.student] = (
            taken.get(submission.student, 0.0) + submission.penalty
        )
    penalty = pd.Series(taken, dtype=float).reindex(earned.index).fillna(0.0)
    return (earned - penalty).clip(lower=0.0)


def _times(submissions: Sequence[Submission]) -> list[float]:
    """Return median, nine tenths and maximum of the seconds that tests took."""
    known = pd.Series([s.seconds for s in submissions if s.seconds], dtype=float)
    return [] if known.empty else known.quantile([0.5, 0.9, 1.0]).tolist()


def _mistakes(rows: pd.DataFrame) -> list[Mistake]:
    """Return the sentences of what lost points, the most frequent first."""
    lost = rows[rows["state"].isin(["failed", "partly"]) & (rows["cause"] != "")]
    told: dict[tuple[str, str], list[str]] = {}
    for name, cause, student in zip(
        lost["name"], lost["cause"], lost["who"], strict=True
    ):
        told.setdefault((name, cause), []).append(student)
    made = [Mistake(*what, sorted(students)) for what, students in told.items()]
    return sorted(made, key=lambda mistake: -len(mistake.students))


def _besides(
    submissions: Sequence[Submission], outlines: Mapping[str, Outline]
) -> list[Beside]:
    """Return the tests whose points rest on the answer's own process."""
    earned: dict[tuple[str, str], list[bool]] = {}
    for submission in submissions:
        for verdict in submission.verdicts:
            if verdict.where == "beside" and verdict.max_points:
                place = submission.notebook, verdict.cell_id
                earned.setdefault(place, []).append(verdict.points > 0)
    return [
        Beside(cell.id, exercise.name, cell.why, sum(told), len(told))
        for name, outline in outlines.items()
        for exercise in outline.exercises
        for cell in outline.master.cells
        if cell.id in exercise.tests and (told := earned.get((name, cell.id)))
    ]


def _lines(
    submissions: Sequence[Submission],
    totals: pd.Series[float],
    worth: float,
    items: Sequence[Item],
    mistakes: Sequence[Mistake],
    missing: Mapping[str, str],
) -> tuple[str, ...]:
    count = len({s.student for s in submissions})
    first = f"{count} handed in, {len(totals)} graded"
    for words, number in (
        ("not graded", count - len(totals)),
        ("missing", len(missing)),
        ("late", len({s.student for s in submissions if s.late})),
    ):
        first += f", {number} {words}" if number else ""
    if totals.empty:
        return f"{first}.", "No totals yet.", "No outcomes yet."
    low, middle, high = totals.quantile([0.25, 0.5, 0.75])
    second = (
        f"Median {middle:g} of {worth:g} points, half of the class "
        f"from {low:g} to {high:g}."
    )
    hardest = min(items, key=lambda item: item.difficulty)
    third = f"Hardest: {hardest.exercise.name}, {hardest.difficulty:.0%} of its points."
    if mistakes and mistakes[0].students[1:]:
        most = mistakes[0]
        third += (
            f" Most frequent mistake, {len(most.students)} students: "
            f"{most.exercise}: {most.sentence}."
        )
    return f"{first}.", second, third


def _alike_line(pairs: int) -> str:
    if not pairs:
        return "No two long answers are more alike than the class is."
    words = "1 pair has" if pairs == 1 else f"{pairs} pairs have"
    return f"{words} long answers that stand out as alike: look at them in the report."
