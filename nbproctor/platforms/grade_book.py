"""Grade books and class lists: who stands in which row, and marks into a column.

Known are the files of `registry.PLATFORMS`, and for a class list any CSV file whose
titles say what a column is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import NamedTuple

from nbproctor.platforms.platform import ExportError, GradeColumn, Platform
from nbproctor.platforms.registry import PLATFORMS
from nbproctor.platforms.roster import (
    Person,
    Roster,
    RosterError,
    letters,
    safe,
    split_name,
)
from nbproctor.platforms.sheet import TITLES, Sheet, decode, number, write_rows

_COLUMNS = ("student_id", "last_name", "first_name", "email", "numbers", "participant")
_TIMES = ("time", "submitted", "handed in", "date", "timestamp")
# Not kept when they say nothing about a person.
_NOBODY = {"points possible", "student, test", "test student"}
# What stands for a mark where none is to be given.
_EXCUSED = dict.fromkeys(("ex", "excused", "exempt"), "is excused")
_NO_MARK = _EXCUSED | {"n/a": "does not have it there"}


class Identity(NamedTuple):
    """Whom a row is about, as the file has it; `participants` name no folder."""

    row: int
    ids: list[str]
    participants: list[str]
    email: str
    called: str  # as far as the file has a name
    last: str
    first: str
    group: str

    @property
    def keys(self) -> list[str]:
        """What may stand in a class list for this student."""
        return [*self.ids, *self.participants, self.email]


def people_columns(sheet: Sheet) -> dict[str, list[int]]:
    """Return which columns say who somebody is, by kind, the most telling first."""
    plain = [letters(title) for title in sheet.values(0)]
    columns = {
        kind: [i for known in words.split() for i, t in enumerate(plain) if t == known]
        for kind, words in TITLES.items()
    }
    for platform in PLATFORMS:
        platform.find_people(sheet, columns)
    return columns


def identities(sheet: Sheet) -> Iterator[Identity]:
    """Yield whom each row below the titles is about."""
    columns = people_columns(sheet)
    for row in range(1, len(sheet.rows)):
        cells = {kind: sheet.texts(row, places) for kind, places in columns.items()}
        one = {kind: next(iter(texts), "") for kind, texts in cells.items()}
        last, first = one["last"], one["first"]
        if one["name"] and not (last and first):
            last, first = split_name(one["name"])
        ids = [n.lstrip("#") for text in cells["id"] for n in text.split()]
        participants = re.findall(r"\d+$", one["participant"])
        called = one["name"] or ", ".join(filter(None, (last, first)))
        about = ids, participants, one["email"], called, last, first, one["group"]
        yield Identity(row, *about)


def read_class_list(path: Path) -> Roster:
    """Read a class list, in any CSV file that a platform gives.

    `RosterError`: it is none, or no column says who somebody is.
    """
    sheet = _read(path)
    columns = people_columns(sheet)
    if not (columns["id"] or columns["email"] or columns["participant"]):
        who = "that says who somebody is: student_id, login, username, id or e-mail"
        raise _lacking(path, sheet, who)
    people: dict[str, Person] = {}
    for found in identities(sheet):
        ids = [*found.ids, found.email.partition("@")[0], *found.participants]
        own = next(filter(None, ids), "")
        student = safe(own)
        if found.called.casefold() in _NOBODY or not own or student in people:
            continue
        numbers = dict.fromkeys((own, *found.ids, *found.participants))
        others = tuple(number for number in numbers if number != student)
        about = (student, found.last, found.first, found.email, others)
        people[student] = Person(*about, next(iter(found.participants), ""))
    if not people:
        raise RosterError(f"{path} lists nobody.")
    return Roster(list(people.values()))


def _read(path: Path) -> Sheet:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from error
    text, _, _ = decode(data)
    if "\0" in text or text.startswith("PK\x03\x04"):
        raise RosterError(
            f"{path} is no CSV file. In a spreadsheet program, save it as CSV."
        )
    sheet = Sheet.read(data)
    if not sheet.rows:
        raise RosterError(f"{path} is empty.")
    return sheet


def _lacking(path: Path, sheet: Sheet, column: str) -> RosterError:
    titles = ", ".join(sheet.values(0))
    return RosterError(f"{path} has no column {column}. Its titles are: {titles}.")


def write_class_list(roster: Roster, path: Path) -> None:
    """Write a class list as a CSV file that `read_class_list` takes."""
    rows = [
        (p.student, p.last, p.first, p.email, " ".join(p.numbers), p.participant)
        for p in sorted(roster.people, key=lambda person: person.student)
    ]
    write_rows(path, [_COLUMNS, *rows])


def read_groups(path: Path, roster: Roster) -> dict[str, list[Person]]:
    """Read a list of groups, a row a student; return the members by the group's name.

    `RosterError`: it is no such list, or names somebody who is not in the class list.
    """
    sheet = _read(path)
    if not people_columns(sheet)["group"]:
        raise _lacking(path, sheet, "'group', beside 'student'")
    groups: dict[str, list[Person]] = {}
    for who in identities(sheet):
        if who.group:
            members = groups.setdefault(who.group, [])
            person = _person(path, who, roster)
            members += [person] if person not in members else []
    return groups


def _person(path: Path, who: Identity, roster: Roster) -> Person:
    """Return whom a row is about; `RosterError` if it is not one student."""
    called = who.called or " ".join(who.keys).strip()  # "student" may hold names
    people, _ = roster.find(who.keys, called)
    if not called:
        raise RosterError(
            f"{path}, row {who.row + 1} names nobody: a column is to be called id, "
            "student, name or email."
        )
    if len(people) != 1:
        raise RosterError(
            f"{path}, row {who.row + 1}: {called!r} is not one student of the class "
            "list. Import that first: kit.py roster"
        )
    return people[0]


def read_times(
    path: Path, roster: Roster, titles: Sequence[str] = _TIMES
) -> dict[str, str]:
    """Read when students handed in: student id → time, as it stands there.

    The list is a platform's, or has one of the `titles`; without any, another list
    says nothing. `RosterError`: it is none, or who is meant in a row is unclear.
    """
    sheet = _read(path)
    found = [p for each in PLATFORMS if (p := each.time_column(sheet)) is not None]
    heads = [title.strip().casefold() for title in sheet.values(0)]
    found += [heads.index(title) for title in titles if title in heads]
    if not found and titles:
        raise _lacking(path, sheet, f"for the time: one of {', '.join(titles)}")
    times = {}
    for who in identities(sheet):
        text = sheet.value(who.row, found[0]).strip() if found else ""
        if text not in ("", "-"):
            times[_person(path, who, roster).student] = text
    return times


@dataclass(frozen=True)
class FilledMark:
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
    """A platform's file with marks in it."""

    platform: str
    column: str
    changes: list[FilledMark] = field(default_factory=list)
    same: int = 0  # cells that said it already
    excused: list[str] = field(default_factory=list)  # by the platform
    #: Rows that were left as they are: whose, and why.
    left: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)  # who have a mark but no row
    data: bytes = b""  # every byte but those of the changed cells is as it was


def fill(
    data: bytes,
    assignment: str,
    scores: Mapping[str, float],
    max_score: float,
    roster: Roster,
    reasons: Mapping[str, str] | None = None,
    excused: Collection[str] = (),
    column: str | None = None,
    scale: bool = False,
) -> Filled:
    """Fill marks into a platform's file, whose content is `data`.

    Parameters
    ----------
    scores : mapping
        Student id → points; NaN for what has no mark, which is never written as 0.
    max_score : float
        Points of the assignment.
    reasons : mapping, optional
        Student id → why there is no mark.
    excused : collection of str
        Students of whom none is wanted: said there, if the platform has a word for it.
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
    platform, there = _column(sheet, assignment, column)
    filled = Filled(platform.name, sheet.value(0, there.column))
    factor = _factor(filled.column, there.most, max_score, scale)
    seen: dict[str, int] = {}
    for who in identities(sheet):
        row, label = who.row, next(filter(None, (who.called, *who.keys)), "")
        if row < there.first or not label:
            continue
        student, why = _student(roster, who)
        if student in seen:
            raise ExportError(
                f"Rows {seen[student] + 1} and {row + 1} both seem to be {student!r}. "
                "Import the class list, so that they can be told apart: kit.py roster"
            )
        before = sheet.value(row, there.column).strip()
        mark = nan if student in excused else scores.get(student, nan) * factor
        after = there.excused if student in excused else _written(mark, there)
        if student:
            seen[student] = row
            reason = (reasons or {}).get(student) or "nothing was handed in"
            why = _why_left(after, before, reason, row in there.locked)
            filled.excused += [student] * (before.casefold() in _EXCUSED)
        if why:
            filled.left.append((label, why))
        elif number(before) == round(mark, 2):
            filled.same += 1
        else:
            sheet.put(row, there.column, after)
            filled.changes.append(FilledMark(student, label, before, after))
    marked = {student for student, score in scores.items() if not isnan(score)}
    filled.absent = sorted(marked - seen.keys())
    filled.data = sheet.to_bytes()
    return filled


def _column(
    sheet: Sheet, assignment: str, column: str | None
) -> tuple[Platform, GradeColumn]:
    """Tell whose file it is and where marks go."""
    if not sheet.rows:
        raise ExportError("The file is empty.")
    for platform in reversed(PLATFORMS):  # Moodle's has no title to know it by
        if found := platform.grade_column(sheet, assignment, column):
            return platform, found
    raise ExportError(
        "The file is none that Canvas, Moodle, Blackboard or Brightspace give: its "
        f"titles are {', '.join(sheet.values(0)[:6])} … Export the grade book there "
        "(in Moodle: the grading worksheet), and do not save it in a spreadsheet "
        "program."
    )


def _student(roster: Roster, who: Identity) -> tuple[str, str]:
    """Return the id of the one student whom a row is about, or why it has none."""
    people, by = roster.find(who.keys, who.called)
    if not people:
        return "", "is not known here"
    if len(people) > 1:
        return "", "may be more than one student here"
    if by != "--as" and not people[0].may_be_called(who.called):
        return "", f"has the number of {people[0].name}, and another name"
    return people[0].student, ""


def _why_left(after: str, before: str, reason: str, locked: bool) -> str:
    """Return why a cell that says `before` stays as it is, or nothing."""
    if before.casefold() in _NO_MARK:
        return f"{_NO_MARK[before.casefold()]} ({before})"
    if not after:
        kept = f" (the file says {before})" if before not in ("", "-") else ""
        return f"has no mark: {reason}{kept}"
    return "is locked on the platform" if locked else ""


def _factor(title: str, most: float | None, max_score: float, scale: bool) -> float:
    """Return by what points are multiplied for the platform's maximum."""
    if most is None or most == max_score:
        return 1.0
    if not scale or not most:
        raise ExportError(
            f"{title!r} is worth {most:g} points there and {max_score:g} here. Correct "
            "it on the platform" + (", or convert marks with --scale." if most else ".")
        )
    return most / max_score


def _written(score: float, column: GradeColumn) -> str:
    if isnan(score):
        return ""
    if column.places is None:
        text = f"{score:.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{score:.{column.places}f}"
    return text.replace(".", ",") if column.comma else text
