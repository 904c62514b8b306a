"""Class report: one page for the teacher, and three lines for the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isnan
from operator import attrgetter

import numpy as np

from nbproctor.cells import grade_id, source_of
from nbproctor.pages import html
from nbproctor.pages.outline import Exercise, Outlines
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

Rows = list[tuple[GradedNotebook, ResultRow]]
RowsByExercise = dict[tuple[str, str], dict[str, ResultRow]]
NotebooksToCheck = dict[ReportSection, dict[str, list[GradedNotebook]]]
#: Exercise, sentence, and the students who got it.
Mistake = tuple[str, str, list[str]]

MAX_MISTAKES = 20  # sentences that are shown
BINS = 10  # of the histogram
MIN_STUDENTS = 30  # students: with fewer, a correlation says nothing
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
    outlines: Outlines,
    missing: Mapping[str, str],
    *,
    excused: Mapping[str, str] = {},
    late_without_time: Collection[str] = (),
    groups: Mapping[str, str] = {},
    permissions: Sequence[str] = (),
    find_similar: bool = False,
) -> tuple[str, list[str]]:
    """Return the page on a class, and its most important facts in three lines.

    `notebooks` are all submitted notebooks; `outlines` are by notebook name. `missing`
    has student id → name of those who submitted nothing, and `excused` of those who
    need no mark. `late_without_time` has those whom a platform calls late without a
    time. With `find_similar`, it looks for unusually similar long answers; `groups` has
    student id → name of the group, which counts as one student. `permissions` say what
    answers could use.
    """
    all_rows, answers = _read(notebooks, outlines, find_similar=find_similar)
    due = set()
    waiting = set()
    incomplete = set()
    penalties = defaultdict[str, float](float)
    for graded in notebooks:
        student = graded.student
        penalties[student] += graded.penalty
        if STATUSES[graded.status].is_mark_due:
            due.add(student)
        if graded.waiting:
            waiting.add(student)
        if not graded.is_complete:
            incomplete.add(student)
    earned = defaultdict(list)  # only of graded notebooks
    for graded, row in all_rows:
        if graded.student in due and row.points is not None:
            earned[graded.student].append(row.points)
    rows = []
    rows_by_exercise: RowsByExercise = defaultdict(dict)
    for graded, row in all_rows:
        if graded.student in earned:
            rows.append((graded, row))
            key = graded.notebook, row.exercise.id
            rows_by_exercise[key][graded.student] = row
    totals = {}
    points = {}
    for student, points_of_student in earned.items():
        if student not in incomplete:
            points[student] = fsum(points_of_student)
            totals[student] = total_of(points_of_student, penalties[student])
    items = [
        _item(
            exercise=exercise,
            rows=rows_by_exercise[name, exercise.id],
            totals=points,
        )
        for name, outline in outlines.items()
        for exercise in outline.exercises
    ]
    gradable_items = [item for item in items if not isnan(item.difficulty)]
    late = [
        graded
        for graded in notebooks
        if graded.late or graded.student in late_without_time
    ]
    values = dict(
        title=next(iter(outlines.values())).title,
        assignment=notebooks[0].assignment,
        submitted=len(penalties),
        totals=totals,
        to_be_graded_by_hand=len(waiting),
        incomplete=due & incomplete & earned.keys(),
        not_graded=len(due - totals.keys() - waiting),
        worth=sum(outline.points for outline in outlines.values()),
        middle=list(np.quantile([*totals.values()], QUARTERS)) if totals else [],
        bins_of=_bins,
        notebooks=notebooks,
        items=items,
        mistakes=_mistakes(rows),
        in_process_tests=list(_in_process_tests(notebooks, outlines)),
        surroundings=permissions,
        pairs=similar(answers, outlines, groups) if find_similar else None,
        shown=MAX_MISTAKES,
        names={graded.student: full_name(graded) for graded in notebooks},
        code=html.code,
        looks=_find_notebooks_to_check(notebooks),
        hardest=min(gradable_items, key=attrgetter("difficulty"), default=None),
        late=late,
        missing=missing,
        excused=excused,
        few=MIN_STUDENTS if len(totals) < MIN_STUDENTS else 0,
        inline=html.inline,
    )
    lines = render("report.txt", **values).strip().split("\n")
    return render("report.html", **values), lines


def full_name(graded: GradedNotebook) -> str:
    """Return a student's name and id."""
    if not graded.name:
        return graded.student
    return f"{graded.name} ({graded.student})"


def _read(
    notebooks: Iterable[GradedNotebook],
    outlines: Outlines,
    *,
    find_similar: bool,
) -> tuple[Rows, Answers]:
    """Read each notebook once: its exercises, and its answers for `find_similar`."""
    rows = []
    answers: Answers = defaultdict(dict)
    for graded in notebooks:
        cells = cells_of(graded.path)
        summary = Summary(
            graded=graded,
            outline=outlines[graded.notebook],
            cells=cells,
        )
        rows += [(graded, row) for row in summary.rows]
        if not find_similar:
            continue
        exercises = {row.exercise.id for row in summary.rows}
        for cell in cells:
            name = grade_id(cell)
            if name in exercises:
                text = source_of(cell)[:MAX_TEXT]
                answers[graded.notebook, name][graded.student] = text
    return rows, answers


def _item(
    exercise: Exercise,
    rows: Mapping[str, ResultRow],
    totals: Mapping[str, float],
) -> Item:
    """Return the results of an exercise; `rows` and `totals` are by student."""
    import pandas as pd  # a quarter of a second, which few commands need

    points_of = {}
    for student, row in rows.items():
        # nbgrader gives 0 to an answer that was not started, without a person.
        is_marked = row.by_hand or not exercise.by_hand
        if row.state != "waiting" and is_marked:
            points_of[student] = row.points
    points = pd.Series(points_of, dtype=float)
    other_points = pd.Series(totals, dtype=float) - points
    return Item(
        exercise=exercise,
        difficulty=points.mean() / exercise.points if exercise.points else 1.0,
        item_rest=points.corr(other_points, min_periods=MIN_STUDENTS),
        counts=Counter(row.state for row in rows.values()),
    )


def _mistakes(rows: Rows) -> list[Mistake]:
    """Return the sentences about lost points, the most frequent first."""
    students = defaultdict(list)
    for graded, row in rows:
        if row.state in ("failed", "partly") and row.cause:
            students[row.exercise.name, row.cause].append(full_name(graded))
    by_frequency = sorted(students.items(), key=lambda item: -len(item[1]))
    return [(*mistake, sorted(names)) for mistake, names in by_frequency]


def _bins(
    values: Sequence[float],
    low: float,
    high: float,
) -> list[tuple[float, float, int]]:
    """Count values in bins of equal width: lower and upper bound, and number."""
    top = high if high > low else low + 1.0
    # The highest bin includes full marks and extra credit.
    counts, edges = np.histogram(np.minimum(values, high), BINS, (low, top))
    return list(zip(edges, edges[1:], counts, strict=False))


def _in_process_tests(
    notebooks: Sequence[GradedNotebook], outlines: Outlines
) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield the tests that ran in the student's process, and why.

    Each has exercise, test, reason, and how many of how many students have the points.
    """
    earned = defaultdict(list)
    for graded in notebooks:
        for verdict in graded.verdicts:
            if verdict.where == "beside" and verdict.max_points:
                has_points = verdict.points > 0
                earned[graded.notebook, verdict.cell_id].append(has_points)
    for notebook, outline in outlines.items():
        for exercise in outline.exercises:
            for test in exercise.tests:
                results = earned[notebook, test]
                if results:
                    reason = outline.cells[test].placement_reason
                    yield exercise.name, test, reason, sum(results), len(results)


def _find_notebooks_to_check(notebooks: Sequence[GradedNotebook]) -> NotebooksToCheck:
    """Return the notebooks to check: section → note → notebooks with this note.

    Each note is one line, because in a large class, many submit a renamed file.
    """
    looks: NotebooksToCheck = {
        section: defaultdict(list) for section in REPORT_SECTIONS
    }
    for notebook in notebooks:
        note = " ".join(notebook.notes)
        section = STATUSES[notebook.status].section
        if note and section:
            looks[section][note].append(notebook)
        if notebook.waiting:
            cells = ", ".join(f"`{cell}`" for cell in notebook.waiting)
            looks[TO_BE_GRADED_BY_HAND][cells].append(notebook)
        for line in notebook.untried:
            looks[UNTRIED][line].append(notebook)
    return looks
