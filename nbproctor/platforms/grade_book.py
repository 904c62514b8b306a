"""Grade books and class lists: who stands in which row, and marks into a column.

Known are the files of `registry.PLATFORMS`, and for a class list any CSV file whose
titles say what a column is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from nbproctor.platforms.person import (
    KINDS,
    UNCERTAIN,
    Identifier,
    Identity,
    Kind,
    Person,
    normalize,
    possible_ids,
    split_name,
)
from nbproctor.platforms.platform import (
    Columns,
    ExportError,
    GradeColumn,
    PeopleList,
    Platform,
)
from nbproctor.platforms.plug_ins import ask_platforms, load_plug_ins
from nbproctor.platforms.registry import PLATFORMS
from nbproctor.platforms.roster import Groups, Roster, RosterError
from nbproctor.platforms.sheet import (
    KIND_OF_TITLE,
    TITLES,
    Sheet,
    number,
    write_rows,
)

_CLASS_LIST = PeopleList(
    known_by={"student_id", "numbers"},
    kinds={"studentid": Kind.COURSE},
)
# Names in rows of a platform's own, which are about nobody.
_NOBODY = {"points possible", "possible, points", "student, test"}
_EXCUSED = "is excused"
# What stands for a mark where none is to be given.
_NO_MARK = {
    "ex": _EXCUSED,
    "excused": _EXCUSED,
    "exempt": _EXCUSED,
    "n/a": "has no such submission on the platform",
}


class PersonRow(NamedTuple):
    """Whom a row is about, as the file has it."""

    row: int
    identity: Identity
    person: Person  # not of this course: the id is only what it might be called
    texts: Mapping[str, str]  # by what a column is, as `TITLES` has it; may be empty


def people_columns(sheet: Sheet) -> Columns:
    """Return which columns say who somebody is, by kind, the most telling first."""
    kinds = dict(KIND_OF_TITLE)
    lists = [_CLASS_LIST]
    for platform in (*load_plug_ins(), *PLATFORMS):
        lists += platform.lists
    for each in lists:
        if each.known_by.issubset(sheet.titles):
            kinds |= each.kinds
    titles = [normalize(title) for title in sheet.titles]
    columns: Columns = {kind: [] for kind in TITLES}
    for word, kind in kinds.items():
        columns[kind] += [i for i, title in enumerate(titles) if title == word]
    for _ in ask_platforms(lambda p: p.find_people(sheet, columns), PLATFORMS):
        pass
    return columns


def read_people(sheet: Sheet, columns: Columns) -> Iterator[PersonRow]:
    """Yield whom each row below the titles is about; `columns` are `people_columns`."""
    for row in sheet.body:
        cells = {kind: sheet.texts(row, places) for kind, places in columns.items()}
        texts = {kind: next(iter(several), "") for kind, several in cells.items()}
        identifiers = [
            identifier
            for kind in Kind
            for text in cells[kind]
            for identifier in _identifiers(kind, text)
        ]
        last = texts["last"]
        first = texts["first"]
        name = texts["name"]
        if not (name or last or first):  # a word may be a name
            words = [value for kind, value in identifiers if kind in UNCERTAIN]
            name = next((word for word in words if re.search("[ ,]", word)), "")
        if name and not (last and first):
            last, first = split_name(name)
        ids = cells[Kind.COURSE] if columns[Kind.COURSE] else possible_ids(identifiers)
        person = Person(
            student=next(iter(ids), ""),
            last=last,
            first=first,
            identifiers=tuple(identifiers),
        )
        name = name or person.full_name
        if name.casefold() not in _NOBODY:
            yield PersonRow(
                row=row,
                identity=Identity(name, person.identifiers),
                person=person,
                texts=texts,
            )


def _identifiers(kind: Kind, text: str) -> Iterator[Identifier]:
    """Yield what a cell holds; our own class list has several in one."""
    if kind is Kind.COURSE:
        yield Identifier(kind, text)
        return
    separator = r"[\s;]+" if kind is Kind.NUMBER else ";"
    for part in re.split(separator, text):
        value = part.strip().lstrip("#")
        if kind is Kind.PARTICIPANT:
            value = "".join(re.findall(r"\d+$", value))
        if value:
            yield Identifier(kind, value)


def read_class_list(path: Path) -> list[Person]:
    """Read a class list, in any CSV file that a platform gives.

    `RosterError`: it is none, or no column says who somebody is.
    """
    rows = _read_list(
        path=path,
        kinds=Kind,
        expected="that identifies the student: student_id, login, username, id or "
        "e-mail",
    )
    people = [row.person for row in rows if row.person.identifiers]
    if not people:
        raise RosterError(f"{path} lists no students.")
    return people


def _read_list(
    path: Path,
    kinds: Iterable[str],
    expected: str,
) -> Iterator[PersonRow]:
    """Read a list of people; `RosterError`: it is none, or has no column of `kinds`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise RosterError(f"{path} is empty.")
    sheet = Sheet.read(data)
    titles = ", ".join(sheet.titles)
    if "\0" in titles or titles.startswith("PK\x03\x04"):
        raise RosterError(
            f"{path} is not a CSV file. In a spreadsheet program, save it as CSV. For "
            "a zip of submissions, use `nbproctor collect`."
        )
    columns = people_columns(sheet)
    if not any(columns[kind] for kind in kinds):
        raise RosterError(
            f"{path} has no column {expected}. Its column headers are: {titles}."
        )
    return read_people(sheet, columns)


def write_class_list(roster: Roster, path: Path) -> None:
    """Write a class list as a CSV file that `read_class_list` takes."""
    columns = {kind: rule.column for kind, rule in KINDS.items() if rule.column}
    rows = [["student_id", "last_name", "first_name", *columns.values()]]
    for person in sorted(roster.people, key=attrgetter("student")):
        cells = [";".join(person.values(kind)) for kind in columns]
        rows.append([person.student, person.last, person.first, *cells])
    write_rows(path, rows)


def read_groups(path: Path, roster: Roster) -> Groups:
    """Read a list of groups, a row a student; return the members by the group's name.

    `RosterError`: the file is not such a list, or names somebody who is not in the
    class list.
    """
    rows = _read_list(
        path=path,
        kinds=["group"],
        expected="'group' (in addition to 'student')",
    )
    groups = defaultdict[str, list[Person]](list)
    for row in rows:
        group = row.texts["group"]
        if not normalize(group):  # as "-", for those in no group
            continue
        member = _person(path, row, roster)
        if member not in groups[group]:
            groups[group].append(member)
    return dict(groups)


def _person(
    path: Path,
    row: PersonRow,
    roster: Roster,
) -> Person:
    """Return whom a row is about; `RosterError` if it is not one student."""
    identity = row.identity
    if not str(identity):
        raise RosterError(
            f"{path}, row {row.row + 1} names no student. Name a column student (the "
            "id in this course), login, name or email."
        )
    match = roster.find(identity)
    if match.person:
        return match.person
    if {kind for kind, _ in identity.identifiers} == {Kind.WORD}:
        with suppress(RosterError):
            return roster.find_one(str(identity))  # as `extend` takes it
    raise RosterError(
        f"{path}, row {row.row + 1}: {str(identity)!r} does not identify one "
        "student in the class list. Nothing was written. Import a class list "
        "first (`nbproctor roster`), or name the column after its content: login, "
        f"e-mail, name. {match.question}".rstrip()
    )


def read_times(
    path: Path,
    roster: Roster,
    *,
    is_time_list: bool = True,
) -> dict[str, str]:
    """Read when students submitted: student id → time, as it stands there.

    The list is a platform's, or has a column for the time. Without `is_time_list`, it
    is a class list, which need not say any time; a row that is unclear then says
    nothing. `RosterError`: the file is not such a list, or who is meant in a row is
    unclear.
    """
    rows = _read_list(
        path=path,
        kinds=["submitted", "time"] if is_time_list else Kind,
        expected="for the time: one of time, submitted, handed in, date, timestamp",
    )
    submitted = {}
    for row in rows:
        text = row.texts["submitted"]
        if is_time_list:
            text = text or row.texts["time"]
        if text in ("", "-"):
            continue
        if is_time_list or roster.find(row.identity).person:
            student = _person(path, row, roster).student
            submitted[student] = text
    return submitted


@dataclass(frozen=True)
class FilledMark:
    """One cell: what it said, and what it says now."""

    student: str
    name: str
    before: str
    after: str

    @property
    def is_lower(self) -> bool:
        """Whether the mark is lower than it was."""
        return number(self.after) < number(self.before)


@dataclass
class FilledGradeFile:
    """A platform's file with marks in it."""

    platform: str
    column: str
    changes: list[FilledMark] = field(default_factory=list)
    unchanged: int = 0  # cells that said it already
    excused: list[str] = field(default_factory=list)  # by the platform
    #: Rows that were left as they are: whose, and why.
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unrecognised: int = 0  # of these rows
    absent: list[str] = field(default_factory=list)  # who have a mark but no row
    data: bytes = b""  # every byte but those of the changed cells is as it was


def fill(
    data: bytes,
    assignment: str,
    scores: Mapping[str, float],
    max_score: float,
    roster: Roster,
    reasons: Mapping[str, str] = {},
    excused: Collection[str] = (),
    column: str | None = None,
    scale: bool = False,
) -> FilledGradeFile:
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
    platform, target = _column(sheet, assignment, column)
    filled = FilledGradeFile(platform.name, sheet.value(0, target.column))
    factor = _factor(
        title=filled.column,
        most=target.most,
        max_score=max_score,
        scale=scale,
    )
    names = roster.labels
    marks = {
        student: target.format(score * factor)
        for student, score in scores.items()
        if not isnan(score)
    }
    row_of: dict[str, int] = {}
    for row, identity, _, _ in read_people(sheet, people_columns(sheet)):
        if not str(identity):
            continue
        match = roster.find(identity)
        if not match.person:
            reason = match.question or "is not in this course"
            filled.skipped.append((str(identity), reason))
            filled.unrecognised += 1
            continue
        student = match.person.student
        if student in row_of:
            raise ExportError(
                f"Rows {row_of[student] + 1} and {row + 1} both seem to be "
                f"{student!r}. Import a class list that distinguishes them: "
                "`nbproctor roster`"
            )
        row_of[student] = row
        before = sheet.value(row, target.column)
        after = target.excused if student in excused else marks.get(student, "")
        reason = _NO_MARK.get(before.casefold(), "")
        if reason == _EXCUSED:
            filled.excused.append(student)
        if reason:
            reason += f" ({before})"
        elif not after:
            mark_there = f" (the file says {before})" if before not in ("", "-") else ""
            reason = reasons.get(student) or "nothing was submitted"
            reason = f"no mark: {reason}{mark_there}"
        elif row in target.locked:
            reason = "is locked on the platform"
        if reason:
            filled.skipped.append((names[student], reason))
        elif number(before) == number(after):
            filled.unchanged += 1
        else:
            sheet.put(row, target.column, after)
            filled.changes.append(
                FilledMark(
                    student=student,
                    name=names[student],
                    before=before,
                    after=after,
                )
            )
    absent = marks.keys() - row_of.keys()
    filled.absent = sorted(names.get(student, student) for student in absent)
    filled.data = sheet.to_bytes()
    return filled


def _column(
    sheet: Sheet,
    assignment: str,
    column: str | None,
) -> tuple[Platform, GradeColumn]:
    """Tell whose file it is and where marks go."""
    if not any(sheet.rows[0]):
        raise ExportError("The file is empty.")
    answers = ask_platforms(
        lambda platform: platform.grade_column(sheet, assignment, column),
        platforms=reversed(PLATFORMS),  # Moodle's has no title to know it by
    )
    for platform, target in answers:
        if target:
            return platform, target
    raise ExportError(
        "The file is not from Canvas, Moodle, Blackboard or Brightspace. Its column "
        f"headers are {', '.join(sheet.titles[:6])} … Export the grade file there "
        "(in Moodle: the grading worksheet), and do not save it in a spreadsheet "
        "program."
    )


def _factor(
    title: str,
    most: float,
    max_score: float,
    scale: bool,
) -> float:
    """Return by what points are multiplied for the platform's maximum."""
    if isnan(most) or most == max_score:
        return 1.0
    if scale and most:
        return most / max_score
    remedy = ", or convert marks with --scale." if most else "."
    raise ExportError(
        f"{title!r} is worth {most:g} points there and {max_score:g} here. Correct "
        f"it on the platform{remedy}"
    )
