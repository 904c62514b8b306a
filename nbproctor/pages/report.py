"""Class report: one page for the teacher, and three lines for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from nbproctor.pages import cells as html
from nbproctor.pages import plots
from nbproctor.pages.data import Submission
from nbproctor.pages.feedback import STATUS, hours
from nbproctor.pages.outline import Outline
from nbproctor.pages.similar import similar
from nbproctor.pages.statistics import (
    FEW,
    Item,
    Mistake,
    exercise_rows,
    frequent_mistakes,
    item_of,
    test_seconds,
    tests_beside,
    total_points,
    who,
)
from nbproctor.pages.tested import BESIDE, WORDS
from nbproctor.templates import render

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


def class_report(
    submissions: Sequence[Submission],
    outlines: Mapping[str, Outline],
    missing: Mapping[str, str],
    *,
    said_late: Collection[str] = (),
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
    said_late
        Students of whom the platform says that they were late, but not how much.
    alike
        Also look for long answers that are more alike than the class is.
    """
    rows = exercise_rows(submissions, outlines)
    graded = rows[rows["points"].notna()]
    items = [
        item_of(exercise, name, rows, graded)
        for name, outline in outlines.items()
        for exercise in outline.exercises
    ]
    totals = total_points(submissions, graded)
    mistakes = frequent_mistakes(rows)
    first = submissions[0]
    worth = sum(outline.points for outline in outlines.values())
    late = [s for s in submissions if s.late or s.student in said_late]
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
        mistakes=mistakes[:MOST],
        besides=tests_beside(submissions, outlines),
        beside=BESIDE,
        asked_alike=alike,
        pairs=pairs[:MOST],
        names={submission.student: who(submission) for submission in submissions},
        code=lambda text: Markup(html.code(text)),
        looks=_looks(submissions, totals),
        late=late,
        missing=missing,
        few=len(totals) < FEW,
        times=test_seconds(submissions),
        slowest=sorted(submissions, key=lambda s: -s.seconds)[:SLOWEST],
        hours=hours,
        inline=lambda text: Markup(html.inline(text)),
    )
    count = len({submission.student for submission in late})
    lines = _lines(submissions, totals, worth, items, mistakes, missing, count)
    if alike:
        lines += (_alike_line(len(pairs)),)
    return ClassReport(page, lines)


def _looks(
    submissions: Sequence[Submission], totals: pd.Series[float]
) -> list[tuple[str, str, list[Submission]]]:
    """Return what to look at first: status, note, and all whose it is; gravest first.

    One line a note: in a large class many hand in a renamed file.
    """
    told: dict[str, dict[tuple[str, str], list[Submission]]]
    told = {"ungradable": {}, "partial": {}, "repaired": {}}
    for each in submissions:
        graded = each.student in totals.index
        if (status := each.status if graded else "ungradable") in told:
            word = STATUS[status].lower() if graded else "not graded"
            note = " ".join(each.notes) or ("" if graded else "to be graded by hand.")
            told[status].setdefault((word, note), []).append(each)
    return [(*key, who) for notes in told.values() for key, who in notes.items()]


def _lines(
    submissions: Sequence[Submission],
    totals: pd.Series[float],
    worth: float,
    items: Sequence[Item],
    mistakes: Sequence[Mistake],
    missing: Mapping[str, str],
    late: int,
) -> tuple[str, ...]:
    count = len({s.student for s in submissions})
    first = f"{count} handed in, {len(totals)} graded"
    for words, number in (
        ("not graded", count - len(totals)),
        ("missing", len(missing)),
        ("late", late),
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
            f"{most.exercise}: {most.sentence.rstrip('.')}."
        )
    return f"{first}.", second, third


def _alike_line(pairs: int) -> str:
    if not pairs:
        return "No two long answers are more alike than the class is."
    words = "1 pair has" if pairs == 1 else f"{pairs} pairs have"
    return f"{words} long answers that stand out as alike: look at them in the report."
