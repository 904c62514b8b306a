"""Class report: one page for the teacher, and three lines for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, nan
from statistics import StatisticsError, correlation, fmean
from typing import TypeAlias

import numpy as np

from nbproctor.cells import grade_id, source_of
from nbproctor.pages import html
from nbproctor.pages.outline import Exercise, Outline
from nbproctor.pages.similar import MAX_TEXT, Answers, similar
from nbproctor.pages.summary import (
    GradedNotebook,
    ResultRow,
    State,
    Summary,
)
from nbproctor.results import cells_of, total_of
from nbproctor.statuses import (
    REPORT_SECTIONS,
    STATUSES,
    TO_BE_GRADED_BY_HAND,
    UNTRIED,
    ReportSection,
)
from nbproctor.templates import render

Rows: TypeAlias = list[tuple[GradedNotebook, ResultRow]]
NotebooksToCheck: TypeAlias = dict[ReportSection, dict[str, list[GradedNotebook]]]
#: Exercise, sentence, and the students who got it.
Mistake: TypeAlias = tuple[str, str, list[str]]

MAX_MISTAKES = 20  # sentences that are shown
BINS = 10  # of the histogram
MIN_STUDENTS = 30  # students: below so many, a correlation says nothing of a test
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Item:
    """How the class did in one exercise.

    `item_rest` is the Pearson correlation of its points with those of all other
    exercises; NaN where there is no spread, or there are too few students.
    """

    exercise: Exercise
    difficulty: float  # mean share of its points, 0 to 1; NaN if nobody was graded
    item_rest: float
    counts: Mapping[State, int]  # students


def class_report(
    notebooks: Sequence[GradedNotebook],
    outlines: Mapping[str, Outline],
    missing: Mapping[str, str],
    *,
    excused: Mapping[str, str] = {},
    late_without_time: Collection[str] = (),
    groups: Mapping[str, str] = {},
    permissions: Sequence[str] = (),
    find_similar: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """Say how a class did: the page, and the most important of it in three lines.

    `notebooks` are all that was submitted; `outlines` are by notebook name. `missing`
    has student id → name of those who submitted nothing, `excused` of those who need
    no mark, `late_without_time` those who were late, as a platform says without saying
    how much. With `find_similar`, it looks for long answers that are more alike than
    the class is; `groups` has student id → name of the group, in which all are one.
    `permissions` say what answers could use.
    """
    all_rows, answers = _read(notebooks, outlines, find_similar=find_similar)
    due = {each.student for each in notebooks if STATUSES[each.status].is_mark_due}
    earned: dict[str, list[float]] = {}  # of those of whom anything is graded
    penalties: dict[str, float] = defaultdict(float)
    for graded, row in all_rows:
        if graded.student in due and row.points is not None:
            earned.setdefault(graded.student, []).append(row.points)
    for graded in notebooks:
        penalties[graded.student] += graded.penalty
    waiting = {each.student for each in notebooks if each.waiting}
    incomplete = {each.student for each in notebooks if not each.is_complete}
    totals = {
        student: total_of(points, penalties[student])
        for student, points in earned.items()
        if student not in incomplete
    }
    points = {student: fsum(earned[student]) for student in totals}
    rows = [(graded, row) for graded, row in all_rows if graded.student in earned]
    items = [
        _item(name, exercise, rows, points)
        for name, outline in outlines.items()
        for exercise in outline.exercises
    ]
    middle = np.quantile([*totals.values()], QUARTERS).tolist() if totals else []
    mistakes = _mistakes(rows)
    worth = sum(outline.points for outline in outlines.values())
    late = [
        each for each in notebooks if each.late or each.student in late_without_time
    ]
    pairs = similar(answers, outlines, groups) if find_similar else []
    times = [graded.seconds for graded in notebooks if graded.seconds]
    values = dict(
        title=next(iter(outlines.values())).title,
        assignment=notebooks[0].assignment,
        submitted=len(penalties),
        totals=totals,
        to_be_graded_by_hand=len(waiting),
        incomplete=due & incomplete & earned.keys(),
        not_graded=len(due - totals.keys() - waiting),
        worth=worth,
        middle=middle,
        bins_of=_bins,
        notebooks=notebooks,
        items=items,
        mistakes=mistakes,
        in_process_tests=list(_in_process_tests(notebooks, outlines)),
        surroundings=permissions,
        alike=find_similar,
        pairs=pairs,
        shown=MAX_MISTAKES,
        names={graded.student: full_name(graded) for graded in notebooks},
        code=html.code,
        looks=_find_notebooks_to_check(notebooks),
        hardest=min(
            (item for item in items if item.difficulty == item.difficulty),
            key=lambda item: item.difficulty,
            default=None,
        ),
        late=late,
        missing=missing,
        excused=excused,
        few=MIN_STUDENTS if len(totals) < MIN_STUDENTS else 0,
        times=np.quantile(times, (0.5, 0.9, 1)).tolist() if times else [],
        inline=html.inline,
    )
    lines = render("report.txt", **values).strip().split("\n")
    return render("report.html", **values), tuple(lines)


def full_name(graded: GradedNotebook) -> str:
    """Return a student's name and id."""
    return f"{graded.name} ({graded.student})" if graded.name else graded.student


def _read(
    notebooks: Iterable[GradedNotebook],
    outlines: Mapping[str, Outline],
    *,
    find_similar: bool,
) -> tuple[Rows, Answers]:
    """Read each notebook once: its exercises, and its answers for `find_similar`."""
    rows = []
    answers: Answers = {}
    for graded in notebooks:
        cells = cells_of(graded.path)
        summary = Summary(graded, outlines[graded.notebook], cells)
        rows += [(graded, row) for row in summary.rows]
        exercises = {row.exercise.id for row in summary.rows} if find_similar else set()
        for cell in cells:
            if (name := grade_id(cell)) in exercises:
                texts = answers.setdefault((graded.notebook, name), {})
                texts[graded.student] = source_of(cell)[:MAX_TEXT]
    return rows, answers


def _item(
    notebook: str,
    exercise: Exercise,
    rows: Rows,
    totals: Mapping[str, float],
) -> Item:
    rows_of_exercise = [
        (graded.student, row)
        for graded, row in rows
        if graded.notebook == notebook and row.exercise.id == exercise.id
    ]
    # nbgrader gives 0 to an answer that was not begun: no person has marked it.
    points_of = {
        student: row.points
        for student, row in rows_of_exercise
        if row.points is not None
        and row.state != "waiting"
        and (row.by_hand or not exercise.by_hand)
    }
    mean = fmean(points_of.values()) if points_of else nan
    complete = [student for student in points_of if student in totals]
    item_rest = nan
    if len(complete) >= MIN_STUDENTS:
        points = [points_of[student] for student in complete]
        other_points = [totals[student] - points_of[student] for student in complete]
        with suppress(StatisticsError):  # there is no spread
            item_rest = correlation(points, other_points)
    return Item(
        exercise=exercise,
        difficulty=mean / exercise.points if exercise.points else 1.0,
        item_rest=item_rest,
        counts=Counter(row.state for _, row in rows_of_exercise),
    )


def _mistakes(rows: Rows) -> list[Mistake]:
    """Return the sentences of what lost points, the most frequent first."""
    names_by_mistake: dict[tuple[str, str], list[str]] = {}
    for graded, row in rows:
        if row.state in ("failed", "partly") and row.cause:
            mistake = row.exercise.name, row.cause
            names_by_mistake.setdefault(mistake, []).append(full_name(graded))
    mistakes = [
        (exercise, sentence, sorted(names))
        for (exercise, sentence), names in names_by_mistake.items()
    ]
    return sorted(mistakes, key=lambda mistake: -len(mistake[2]))


def _bins(
    values: Sequence[float],
    low: float,
    high: float,
) -> list[tuple[float, float, int]]:
    """Count values in steps of equal width: from, up to, and how many."""
    limits = (low, high if high > low else low + 1.0)
    # Full marks are in the highest step, and extra credit is.
    counts, edges = np.histogram(np.minimum(values, high), BINS, limits)
    steps = pairwise(edges.tolist())
    return [(*step, count) for step, count in zip(steps, counts.tolist(), strict=True)]


def _in_process_tests(
    notebooks: Sequence[GradedNotebook], outlines: Mapping[str, Outline]
) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield the tests that ran in the student's process, and why.

    Exercise, test, the reason, and how many of how many have the points.
    """
    earned: dict[tuple[str, str], list[bool]] = {}
    for graded in notebooks:
        for verdict in graded.verdicts:
            if verdict.where == "beside" and verdict.max_points:
                key = graded.notebook, verdict.cell_id
                earned.setdefault(key, []).append(verdict.points > 0)
    for notebook, outline in outlines.items():
        for exercise in outline.exercises:
            for test in exercise.tests:
                if has_points := earned.get((notebook, test)):
                    reason = outline.cells[test].placement_reason
                    yield exercise.name, test, reason, sum(has_points), len(has_points)


def _find_notebooks_to_check(notebooks: Sequence[GradedNotebook]) -> NotebooksToCheck:
    """Return whose work to check: section → note → all notebooks that have it.

    One line a note: in a large class many submit a renamed file.
    """
    looks: NotebooksToCheck = {section: {} for section in REPORT_SECTIONS}
    for notebook in notebooks:
        note = " ".join(notebook.notes)
        if note and (section := STATUSES[notebook.status].section):
            looks[section].setdefault(note, []).append(notebook)
        if cells := ", ".join(f"`{cell}`" for cell in notebook.waiting):
            looks[TO_BE_GRADED_BY_HAND].setdefault(cells, []).append(notebook)
        for line in notebook.untried:
            looks[UNTRIED].setdefault(line, []).append(notebook)
    return looks
