"""Moodle: names in *Download all submissions*, grading worksheet, feedback files.

Sources, below ``mod/assign``: ``classes/downloader.php`` and, before 4.0,
``locallib.php``; ``gradingtable.php`` and the importer of grading worksheets;
``feedback/file/importziplib.php``, which looks for the participant's number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.person import Identifier, Kind, Person, letters
from nbproctor.platforms.platform import (
    ExportError,
    FileName,
    GradeColumn,
    Names,
    Platform,
    form_of_marks,
)
from nbproctor.platforms.sheet import ABOUT_PEOPLE, Sheet, number

_NAME = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
# What stands for a name where marking is blind.
_BLIND = {"participant", "teilnehmerin", "teilnehmer", "participante", "partecipante"}
_BLIND |= {"deelnemer", "partaidea"}
_YES = {"yes", "ja", "oui", "sí", "si", "sì", "sim", "bai", "да", "так", "tak", "ano"}
_NO = {"no", "nein", "non", "nee", "não", "ez", "нет", "ні", "nie", "ne", "nei", "nej"}


class Moodle(Platform):
    """Moodle, whose titles and words are in the teacher's language."""

    name = "Moodle"
    numbers_groups = True
    times = "its grading worksheet"
    why_no_address = (
        "submitted with a group, and their own Moodle number is not known. Import the "
        "grading worksheet (`nbproctor roster`), then collect again"
    )
    upload = "Submissions, Upload multiple feedback files in a zip"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``Amara Okafor_4711_assignsubmission_file/lab.ipynb``, and older.

        Moodle before 4.0 ends the folder's name with another ``_``; without folders the
        file's name follows there.
        """
        match = _NAME.fullmatch(parts[0])
        if match is None:
            return None
        path_inside = match["file"] if len(parts) == 1 else "/".join(parts[1:])
        if not path_inside:
            return None
        return FileName(
            key=match["id"],
            file=PurePosixPath(path_inside),
            name="" if match["name"].casefold() in _BLIND else match["name"],
            identifiers=(Identifier(Kind.PARTICIPANT, match["id"]),),
            kind="file" if match["kind"] == "file" else "typed",
            address=f"{match['name']}_{match['id']}_assignsubmission_{match['kind']}_",
        )

    def parse_all(self, entries: Iterable[ArchiveEntry]) -> Names:
        """One word for everybody is "Participant", in whatever language."""
        parsed = super().parse_all(entries)
        names = {name.name for name in parsed.values()}
        several = len({name.identifiers for name in parsed.values()}) > 1
        if several and len(names) == 1 and not any(" " in name for name in names):
            return {path: replace(name, name="") for path, name in parsed.items()}
        return parsed

    def address_of(self, address: str, member: Person) -> str:
        """Name the participant: the number of a group may be a stranger's."""
        name, _, tail = address.partition("_assignsubmission_")
        name = name.rpartition("_")[0]
        # Of several, the last is that of the worksheet that was imported last.
        for participant in member.values(Kind.PARTICIPANT)[-1:]:
            return f"{name}_{participant}_assignsubmission_{tail}"
        return ""

    def find_people(self, sheet: Sheet, columns: dict[str, list[int]]) -> None:
        """Find the columns of a grading worksheet by their place and content."""
        rows = [row for row in range(1, len(sheet.rows)) if any(sheet.values(row))]
        if not rows or not _participants(sheet, rows):
            return
        for kind in Kind:
            columns[kind] = [column for column in columns[kind] if column > 0]
        columns[Kind.PARTICIPANT] = [0]
        assigned = {column for places in columns.values() for column in places}
        for column in sorted(
            set(range(min(len(sheet.rows[r]) for r in rows))) - assigned
        ):
            cells = [sheet.value(row, column).strip() for row in rows]
            if not columns[Kind.EMAIL] and all("@" in cell for cell in cells if cell):
                columns[Kind.EMAIL] = [column] if any(cells) else []
        # Names stand second; in a blind worksheet what everybody submitted does.
        second = {sheet.value(row, 1).strip() for row in rows}
        unnamed = not (columns["name"] or columns["last"] or 1 in columns[Kind.EMAIL])
        if unnamed and len(second) == len(rows):
            columns["name"] = [1]

    def time_column(self, sheet: Sheet) -> int | None:
        """Find times by their place: after what says if the grade can be changed."""
        rows = range(1, len(sheet.rows))
        changeable = _changeable(sheet, rows, 1) if _participants(sheet, rows) else None
        return None if changeable is None else changeable + 1

    def grade_column(
        self, sheet: Sheet, assignment: str, column: str | None
    ) -> GradeColumn | None:
        """Find marks by the order of the columns, which never changes.

        Who, what was submitted, grade, maximum grade, …
        """
        rows = range(1, len(sheet.rows))
        if not rows or not _participants(sheet, rows):
            return None
        for index in range(3, len(sheet.rows[0])):
            limits = {sheet.value(row, index).strip() for row in rows}
            most = next(iter(limits))
            marks = (sheet.value(row, index - 1).strip() for row in rows)
            if (
                len(limits) == 1
                and number(most) is not None
                and all(mark in ("", "-") or number(mark) is not None for mark in marks)
                and letters(sheet.value(0, index - 1)) not in ABOUT_PEOPLE
            ):
                changeable = _changeable(sheet, rows, index + 1)
                locked = frozenset(
                    row
                    for row in rows
                    if changeable and _word(sheet, row, changeable) in _NO
                )
                form = form_of_marks(most, sheet)
                return GradeColumn(1, index - 1, *form, locked)
        raise ExportError(
            "The grading worksheet has no column for points. If the assignment uses a "
            "scale in Moodle, change it to points."
        )


def _changeable(sheet: Sheet, rows: Sequence[int], start: int) -> int | None:
    """Return the first column that says yes or no of everybody."""
    for column in range(start, len(sheet.rows[0])):
        if {_word(sheet, row, column) for row in rows} <= _YES | _NO:
            return column
    return None


def _word(sheet: Sheet, row: int, column: int) -> str:
    return sheet.value(row, column).strip().casefold()


def _participants(sheet: Sheet, rows: Sequence[int]) -> bool:
    """Whether the first column says "Participant 4711" of everybody, in any language.

    That is the same word and a number. Not "student12", which may be a login.
    """
    texts = [sheet.value(row, 0).strip() for row in rows]
    parts = [re.fullmatch(r"(\D+?)\d+", text) for text in texts]
    words = {part[1] if part else "" for part in parts}
    word = words.pop()
    return not words and (len(word) >= 8 or " " in word or not word.isascii())
