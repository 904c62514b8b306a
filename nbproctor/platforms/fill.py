"""Fill marks into a platform's file: first what would change, then the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan

from nbproctor.platforms import Roster
from nbproctor.platforms.layout import NO, ExportError, Layout, number, understand
from nbproctor.platforms.sheet import Sheet

EXCUSED = {"ex", "excused", "exempt"}


@dataclass(frozen=True)
class Change:
    """One cell: what it said, and what it says now."""

    student: str
    name: str
    before: str
    after: str

    @property
    def lower(self) -> bool:
        """Whether the mark is lower than it was."""
        old, new = number(self.before), number(self.after)
        return old is not None and new is not None and new < old


@dataclass
class Filled:
    """A platform's file with marks in it.

    Attributes
    ----------
    platform, column : str
        Name of the platform, and title of the column.
    changes : list of Change
        Cells that say something else now.
    same : int
        Cells that said it already.
    left : list of (str, str)
        Rows that were left as they are: whose, and why.
    absent : list of str
        Students who have a mark but no row.
    data : bytes
        The file; every byte but those of the changed cells is as it was.
    """

    platform: str
    column: str
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    data: bytes = b""


def fill(
    data: bytes,
    assignment: str,
    scores: Mapping[str, float],
    max_score: float,
    roster: Roster,
    reasons: Mapping[str, str] | None = None,
    column: str | None = None,
    scale: bool = False,
) -> Filled:
    """Fill marks into a platform's file.

    Parameters
    ----------
    data : bytes
        The file.
    scores : mapping
        Student id → points; NaN for what has no mark, which is never written as 0.
    max_score : float
        Points of the assignment.
    roster : Roster
        Who the people of the file are.
    reasons : mapping, optional
        Student id → why there is no mark.
    column : str, optional
        Which column, where its title is not the assignment's name.
    scale : bool
        Convert points to what the platform says that the assignment is worth.

    Raises
    ------
    ExportError
        It is no such file, the column is not clear, or it is worth something else.
    """
    sheet = Sheet.read(data)
    layout = understand(sheet, assignment, column)
    factor = 1.0
    if layout.most is not None and layout.most != max_score:
        if not scale or not layout.most:
            raise ExportError(
                f"{sheet.value(0, layout.column)!r} is worth {layout.most:g} points "
                f"there and {max_score:g} here. Correct it on the platform"
                + (", or convert marks with --scale." if layout.most else ".")
            )
        factor = layout.most / max_score
    filled = Filled(layout.platform, sheet.value(0, layout.column))
    seen: dict[str, int] = {}
    for row in range(layout.first, len(sheet.rows)):
        ids, name = layout.people(sheet, row)
        if not (ids or name):
            continue
        people, _ = roster.find(ids, name)
        label = name or next(iter(ids))
        if len(people) != 1:
            why = "may be more than one student here" if people else "is not known here"
            filled.left.append((label, why))
            continue
        student = people[0].student
        if student in seen:
            raise ExportError(
                f"Rows {seen[student] + 1} and {row + 1} both seem to be {student!r}. "
                "Import the class list, so that they can be told apart: kit.py roster"
            )
        seen[student] = row
        _put(sheet, layout, row, student, label, scores, factor, reasons or {}, filled)
    filled.absent = sorted(
        student
        for student, score in scores.items()
        if student not in seen and not isnan(score)
    )
    filled.data = sheet.to_bytes()
    return filled


def _put(
    sheet: Sheet,
    layout: Layout,
    row: int,
    student: str,
    name: str,
    scores: Mapping[str, float],
    factor: float,
    reasons: Mapping[str, str],
    filled: Filled,
) -> None:
    before = sheet.value(row, layout.column).strip()
    locked = layout.locked is not None and sheet.value(row, layout.locked)
    score = scores.get(student, float("nan"))
    if isnan(score):
        why = reasons.get(student) or "nothing was handed in"
        kept = f" (the file says {before})" if before not in ("", "-") else ""
        filled.left.append((name, f"has no mark: {why}{kept}"))
    elif before.casefold() in EXCUSED:
        filled.left.append((name, f"is excused ({before})"))
    elif locked and locked.strip().casefold() in NO:
        filled.left.append((name, "is locked on the platform"))
    elif number(before) == round(score * factor, 2):
        filled.same += 1
    else:
        after = _written(score * factor, layout)
        sheet.put(row, layout.column, after)
        filled.changes.append(Change(student, name, before, after))


def _written(score: float, layout: Layout) -> str:
    if layout.places is None:
        text = f"{score:.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{score:.{layout.places}f}"
    return text.replace(".", ",") if layout.comma else text
