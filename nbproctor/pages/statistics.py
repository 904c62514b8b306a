"""Statistics of a class: points, difficulty of exercises, frequent mistakes, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nbproctor.pages.data import Submission, read_cells
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.pages.summary import summarise
from nbproctor.pages.tested import State

FEW = 10  # below so many, a correlation says nothing
HARD, EASY = 0.4, 0.95  # shares of an exercise's points
WEAK = 0.1  # an item-rest correlation that does not tell strong from weak


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


def who(submission: Submission) -> str:
    """Return a student's name and id."""
    if not submission.name:
        return submission.student
    return f"{submission.name} ({submission.student})"


def exercise_rows(
    submissions: Sequence[Submission], outlines: Mapping[str, Outline]
) -> pd.DataFrame:
    """Return one row for each student and exercise."""
    records = [
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
    table = pd.DataFrame(records)
    return table.astype({"points": float})


def item_of(
    exercise: Exercise, notebook: str, rows: pd.DataFrame, graded: pd.DataFrame
) -> Item:
    """Return how the class did in an exercise of a notebook."""

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


def total_points(
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


def test_seconds(submissions: Sequence[Submission]) -> list[float]:
    """Return median, nine tenths and maximum of the seconds that tests took."""
    known = pd.Series([s.seconds for s in submissions if s.seconds], dtype=float)
    return [] if known.empty else known.quantile([0.5, 0.9, 1.0]).tolist()


def frequent_mistakes(rows: pd.DataFrame) -> list[Mistake]:
    """Return the sentences of what lost points, the most frequent first."""
    lost = rows[rows["state"].isin(["failed", "partly"]) & (rows["cause"] != "")]
    told: dict[tuple[str, str], list[str]] = {}
    for name, cause, student in zip(
        lost["name"], lost["cause"], lost["who"], strict=True
    ):
        told.setdefault((name, cause), []).append(student)
    mistakes = [Mistake(*what, sorted(names)) for what, names in told.items()]
    return sorted(mistakes, key=lambda mistake: -len(mistake.students))


def tests_beside(
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
