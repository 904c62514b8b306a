"""Layout of a platform's file: where it keeps people and marks.

Sources: Canvas ``lib/gradebook_exporter.rb``; Moodle ``mod/assign/gradingtable.php``
and the importer of grading worksheets; what Blackboard and Brightspace document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nbproctor.errors import NbproctorError
from nbproctor.platforms import titles
from nbproctor.platforms.people import letters
from nbproctor.platforms.sheet import Sheet
from nbproctor.platforms.worksheet import participant, participants


class ExportError(NbproctorError):
    """Nothing can be exported; the message says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """A platform's file, understood.

    Attributes
    ----------
    platform : str
        Whose it is.
    first : int
        Row of the first student.
    column : int
        Where marks go.
    most : float or None
        What the platform says that the assignment is worth.
    comma : bool
        Marks have a decimal comma.
    places : int or None
        Marks always have so many decimal places; None: as many as they need, to 2.
    locked : int or None
        Column that says whether a mark may be changed.
    """

    platform: str
    first: int
    column: int
    most: float | None
    comma: bool
    places: int | None
    locked: int | None = None

    def people(self, sheet: Sheet, row: int) -> tuple[list[str], str]:
        """Return the ids of the student of a row, e-mail included, and the name."""
        columns = titles.columns(sheet.values(0))
        cells = {
            kind: [text for i in places if (text := sheet.value(row, i).strip())]
            for kind, places in columns.items()
        }
        if self.platform == "Moodle":  # whose titles are in any language
            number = re.search(r"\d*\s*$", sheet.value(row, 0))
            cells["id"].append(number[0].strip() if number else "")
            cells["name"] = cells["name"] or [sheet.value(row, 1).strip()]
        ids = [participant(text) or text.lstrip("#") for text in cells["id"]]
        name = ", ".join([*cells["last"][:1], *cells["first"][:1]])
        return [*ids, *cells["email"]], (cells["name"] or [name])[0]


def understand(sheet: Sheet, assignment: str, column: str | None) -> Layout:
    """Tell whose file it is and where marks go.

    Parameters
    ----------
    assignment : str
        Its name: the column is looked for by it.
    column : str, optional
        Title of the column, part of it, or the platform's number for it.

    Raises
    ------
    ExportError
        It is no file of a platform, or it cannot be told which column is meant.
    """
    if not sheet.rows:
        raise ExportError("The file is empty.")
    for known in (_canvas, _blackboard, _brightspace, _moodle):
        layout = known(sheet, assignment, column)
        if layout is not None:
            return layout
    raise ExportError(
        "The file is none that Canvas, Moodle, Blackboard or Brightspace give: its "
        f"titles are {', '.join(sheet.values(0)[:6])} … Export the grade book there "
        "(in Moodle: the grading worksheet), and do not save it in a spreadsheet "
        "program."
    )


def _canvas(sheet: Sheet, assignment: str, column: str | None) -> Layout | None:
    heads = sheet.values(0)
    if heads[0] != "Student" or "ID" not in heads:
        return None
    limits = [
        row
        for row in range(1, min(4, len(sheet.rows)))
        if sheet.value(row, 0).strip() == "Points Possible"
    ]
    places = [
        i
        for i, head in enumerate(heads)
        if re.search(r" \(\d+\)$", head)
        and not any("read only" in sheet.value(row, i) for row in limits)
    ]
    chosen = _choose(heads, places, assignment, column, lambda h: h.rpartition(" (")[0])
    most = sheet.value(limits[0], chosen) if limits else ""
    first = limits[0] + 1 if limits else 1
    return Layout("Canvas", first, chosen, number(most), *_form(most, sheet))


def _blackboard(sheet: Sheet, assignment: str, column: str | None) -> Layout | None:
    heads = sheet.values(0)
    found = {
        i: match
        for i, head in enumerate(heads)
        if (match := re.match(r"(.*) \[Total Pts: (?:up to )?([\d.,]+)", head))
    }
    if not found:
        return None
    chosen = _choose(
        heads, list(found), assignment, column, lambda h: h.rpartition(" [Total")[0]
    )
    return Layout("Blackboard", 1, chosen, number(found[chosen][2]), False, None)


def _brightspace(sheet: Sheet, assignment: str, column: str | None) -> Layout | None:
    heads = [head.strip() for head in sheet.values(0)]
    if "End-of-Line Indicator" not in heads:
        return None
    places = [i for i, head in enumerate(heads) if " Points Grade" in head]
    chosen = _choose(
        heads, places, assignment, column, lambda h: h.partition(" Points Grade")[0]
    )
    most = re.search(r"MaxPoints:([\d.,]+)", heads[chosen])
    return Layout(
        "Brightspace", 1, chosen, number(most[1]) if most else None, False, None
    )


def _moodle(sheet: Sheet, assignment: str, column: str | None) -> Layout | None:
    """Read a grading worksheet by the order of its columns.

    Their titles are in the teacher's language; their order never changes: who, what
    was handed in, grade, maximum grade, …
    """
    rows = range(1, len(sheet.rows))
    if not rows or not participants([sheet.value(row, 0) for row in rows]):
        return None
    for place in range(3, len(sheet.rows[0])):
        limits = {sheet.value(row, place).strip() for row in rows}
        most = next(iter(limits))
        before = (sheet.value(row, place - 1).strip() for row in rows)
        if (
            len(limits) == 1
            and number(most) is not None
            and all(cell in ("", "-") or number(cell) is not None for cell in before)
            and letters(sheet.value(0, place - 1)) not in titles.EVERYTHING
        ):
            locked = next(
                (
                    i
                    for i in range(place + 1, len(sheet.rows[0]))
                    if {sheet.value(row, i).strip().casefold() for row in rows}
                    <= _YES | NO
                ),
                None,
            )
            return Layout(
                "Moodle", 1, place - 1, number(most), *_form(most, sheet), locked
            )
    raise ExportError(
        "The grading worksheet has no column of points: does the assignment use a "
        "scale? In Moodle, give it points."
    )


_YES = {"yes", "ja", "oui", "sí", "si", "sì", "sim", "bai", "да", "так", "tak", "ano"}
#: What Moodle says of a mark that is locked.
NO = {"no", "nein", "non", "nee", "não", "ez", "нет", "ні", "nie", "ne", "nei", "nej"}


def _choose(
    heads: Sequence[str],
    places: Sequence[int],
    assignment: str,
    column: str | None,
    title: Callable[[str], str],
) -> int:
    """Return which column is meant.

    Raises
    ------
    ExportError
        None, or more than one.
    """
    if column is not None:
        wanted = letters(column)
        exact = [i for i in places if letters(title(heads[i])) == wanted]
        fitting = exact or [i for i in places if wanted in letters(heads[i])]
    else:
        wanted = letters(assignment)
        exact = [i for i in places if letters(title(heads[i])) == wanted]
        fitting = exact or [i for i in places if wanted in letters(title(heads[i]))]
    if len(fitting) == 1:
        return fitting[0]
    known = "".join(f"\n  {heads[i]}" for i in places) or " none that takes marks."
    raise ExportError(
        f"It cannot be told which column {column or assignment!r} is. Say it with "
        f"--column and a part of its title. The file's columns:{known}"
    )


def number(text: str) -> float | None:
    """Return the number in a cell, with point or comma, or None."""
    found = re.fullmatch(r"\s*(-?\d+(?:[.,]\d+)?)\s*", text)
    return float(found[1].replace(",", ".")) if found else None


def _form(most: str, sheet: Sheet) -> tuple[bool, int | None]:
    """Return how numbers are written: with a comma, with how many places."""
    tail = re.search(r"([.,])(\d+)\s*$", most)
    if tail is None:
        return sheet.separator == ";", None
    return tail[1] == ",", len(tail[2])
