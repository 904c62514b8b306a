"""Moodle: names in *Download all submissions*, grading worksheet, feedback files.

Sources, below ``mod/assign``: ``classes/downloader.php`` and, before 4.0,
``locallib.php``; ``gradingtable.php`` and the importer of grading worksheets;
``feedback/file/importziplib.php``, which looks for the participant's number.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from math import isnan

from nbproctor.platforms.person import Kind, Person, normalize
from nbproctor.platforms.platform import (
    Columns,
    ExportError,
    GradeColumn,
    Names,
    Platform,
    form_of_marks,
)
from nbproctor.platforms.sheet import KIND_OF_TITLE, Sheet, number

# What stands for a name where marking is blind.
_BLIND = (
    "participant|teilnehmerin|teilnehmer|participante|partecipante|deelnemer|partaidea"
)
_YES = {"yes", "ja", "oui", "sí", "si", "sì", "sim", "bai", "да", "так", "tak", "ano"}
_NO = {"no", "nein", "non", "nee", "não", "ez", "нет", "ні", "nie", "ne", "nei", "nej"}


class Moodle(Platform):
    """Moodle, whose titles and words are in the teacher's language."""

    name = "Moodle"
    numbers_groups = True
    # ``Amara Okafor_4711_assignsubmission_file/lab.ipynb``. Moodle before 4.0 ends the
    # folder's name with another ``_``; without folders the file's name follows there.
    path = (
        rf"(?P<address>(?:(?i:{_BLIND})|(?P<name>[^/]+?))_(?P<PARTICIPANT>\d+)"
        r"_assignsubmission_(?:file|(?P<typed>[a-z]+)))(?:_(?:[^/]*/)?|/)(?P<file>.+)"
    )
    times = "its grading worksheet"
    why_no_address = (
        "submitted with a group, and their own Moodle number is not known. Import the "
        "grading worksheet (`nbproctor roster`), then collect again"
    )
    upload = "Submissions > Upload multiple feedback files in a zip"

    def correct(self, names: Names) -> None:
        """One word for everybody is "Participant", in whatever language."""
        words = {name.name for name in names.values()}
        students = {name.identifiers for name in names.values()}
        is_blind = len(words) == 1 < len(students) and " " not in "".join(words)
        for path, name in names.items():
            names[path] = replace(
                name,
                name="" if is_blind else name.name,
                address=f"{name.address}_",
            )

    def address_of(self, address: str, member: Person) -> str:
        """Name the participant: the number of a group may be a stranger's."""
        # Of several, the last is that of the worksheet that was imported last.
        for participant in member.values(Kind.PARTICIPANT)[-1:]:
            return re.sub(r"\d+(?=_assignsubmission_)", participant, address, count=1)
        return ""

    def find_people(self, sheet: Sheet, columns: Columns) -> None:
        """Find the columns of a grading worksheet by their place and content."""
        if not _is_worksheet(sheet):
            return
        for kind in Kind:
            columns[kind] = [column for column in columns[kind] if column > 0]
        columns[Kind.PARTICIPANT] = [0]
        if not columns[Kind.EMAIL]:
            columns[Kind.EMAIL] = _find_emails(sheet, set().union(*columns.values()))
        # Times follow what says if the grade can be changed.
        time = _find_changeable(sheet, 1) + 1
        columns["submitted"] = [time] if time < len(sheet.titles) else []
        # Names stand second; in a blind worksheet what everybody submitted does.
        if columns["name"] or columns["last"] or 1 in columns[Kind.EMAIL]:
            return
        second = sheet.column(1)
        if len({*second}) == len(second):
            columns["name"] = [1]

    def grade_column(
        self,
        sheet: Sheet,
        assignment: str,
        column: str | None,
    ) -> GradeColumn | None:
        """Find marks by the order of the columns, which never changes.

        Who, what was submitted, grade, maximum grade, …
        """
        if not _is_worksheet(sheet):
            return None
        for index in range(2, len(sheet.titles) - 1):
            most, *others = {*sheet.column(index + 1)}
            if others or isnan(number(most)):
                continue  # the next column is no maximum
            marks = {*sheet.column(index)} - {"", "-"}
            if any(isnan(number(mark)) for mark in marks):
                continue
            if normalize(sheet.titles[index]) in KIND_OF_TITLE:
                continue
            changeable = _find_changeable(sheet, index + 2)
            locked = [
                row
                for row in sheet.body
                if sheet.value(row, changeable).casefold() in _NO
            ]
            return GradeColumn(
                index,
                *form_of_marks(most, sheet),
                locked=locked,
            )
        raise ExportError(
            "The grading worksheet has no column for points. If the assignment uses a "
            "scale in Moodle, change it to points."
        )


def _find_emails(sheet: Sheet, assigned: Collection[int]) -> list[int]:
    """Return the first column of those left that has e-mail addresses alone."""
    for index in range(len(sheet.titles)):
        cells = [cell for cell in sheet.column(index) if cell]
        if index not in assigned and cells and all("@" in cell for cell in cells):
            return [index]
    return []


def _find_changeable(sheet: Sheet, start: int) -> int:
    """Return which column says yes or no of everybody; none: the one after the last."""
    width = len(sheet.titles)
    for index in range(start, width):
        answers = {text.casefold() for text in sheet.column(index)}
        if answers <= _YES | _NO:
            return index
    return width


def _is_worksheet(sheet: Sheet) -> bool:
    """Whether the first column says "Participant 4711" of everybody, in any language.

    That is the same word and a number. Not "student12", which may be a login.
    """
    words = set()
    for text in sheet.column(0):
        match = re.fullmatch(r"(\D{8,}|\D* \D*|\D*[^\0-\x7f]\D*)\d+", text)
        if not match:
            return False
        words.add(match[1])
    return len(words) == 1
