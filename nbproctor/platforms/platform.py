"""Platform: the interface of a learning platform, with common defaults."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from nbproctor.errors import NbproctorError
from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.person import (
    Identifier,
    Identifiers,
    Identity,
    Kind,
    Person,
    normalize,
)
from nbproctor.platforms.sheet import Sheet, number

Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]
FileKind = Literal["file", "typed", "page", "course"]


class ExportError(NbproctorError):
    """Nothing can be exported; the message says why and what to do."""


@dataclass(frozen=True)
class FileName:
    """The information in the name of one file of a download."""

    key: str  # distinguishes the students in this download
    file: PurePosixPath  # the student's name for it, with the student's own folders
    name: str = ""  # as the platform writes it; empty in anonymous downloads
    identifiers: Identifiers = ()  # as the platform has them
    late: bool = False
    submitted: datetime | None = None  # without a zone: in the platform's local time
    attempt: str = ""  # distinguishes and orders several attempts of a student
    number: str = ""  # orders the files of one attempt, if the platform does
    #: The student's file; text typed into the platform, or the platform's own page
    #: about the submission; or a teacher's file, which is not part of a submission.
    kind: FileKind = "file"
    others: Sequence[Identity] = ()  # who submitted it with this student
    address: str = ""  # name under which the platform accepts feedback on it

    @property
    def identity(self) -> Identity:
        """The name and identifiers of who submitted it."""
        return Identity(self.name, self.identifiers)

    @property
    def age(self) -> tuple[int, str]:
        """Sort key: a later file is greater."""
        text = self.attempt or self.number
        return len(text), text


@dataclass(frozen=True, kw_only=True)
class SubmittedFile(FileName):
    """One file of a download, with the information in its name."""

    entry: ArchiveEntry


Names = dict[PurePosixPath, FileName]  # by the path in a download
Columns = dict[str, list[int]]  # columns of a list, by kind of identifier or by a word


@dataclass(frozen=True)
class GradeColumn:
    """The column with the marks of one assignment in a platform's file."""

    column: int
    most: float  # the platform's maximum for the assignment, or NaN
    comma: bool = False  # a decimal comma
    places: int | None = None  # decimal places; None: as many as needed, up to 2
    locked: Collection[int] = ()  # rows whose mark must not be changed
    excused: str = ""  # text for an excused student; empty: there is none

    def format(self, score: float) -> str:
        """Return a mark as the file writes it."""
        if self.places is None:
            text = f"{score:.2f}".rstrip("0").rstrip(".")
        else:
            text = f"{score:.{self.places}f}"
        return text.replace(".", ",") if self.comma else text


class PeopleList(NamedTuple):
    """Titles of columns that have a special meaning in this list of people."""

    known_by: set[str]  # titles that together occur only in this list
    kinds: Mapping[str, str]  # of columns, by the title as `normalize` has it


_OTHER_KINDS: tuple[FileKind, ...] = ("typed", "page", "course")


class Platform:
    """A learning platform: one module, and a line of `registry.PLATFORMS` or a plug-in.

    A subclass overrides only what its platform has.
    """

    name = "plain files"
    #: A regular expression for the path of a file in a download. Groups in capitals are
    #: kinds of identifiers; others are fields of `FileName`, or a ``kind`` of file. A
    #: name may be repeated with a 2 or 3 at the end. The student's own file name comes
    #: last, and may look like the parts before it, so each of these should match as
    #: little as possible.
    path = ""
    upload = ""  # where a teacher uploads the zip of feedback; empty: nowhere
    why_no_address = ""  # why a student has no `FileName.address`, and what to do
    #: A regular expression for the titles of mark columns in a grade book; its two
    #: groups are the assignment's name and its maximum.
    titles = ""
    lists: tuple[PeopleList, ...] = ()  # lists that it exports, with special titles
    listing = ""  # its own file in a download, which must be in the feedback zip
    numbers_groups = False  # a group's submission has the number of the group
    times = ""  # the list with submission times, if downloads have none

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """Read a file's path in a download by `path`; None: it does not match."""
        match = re.fullmatch(self.path, "/".join(parts))
        if not match:
            return None
        groups = defaultdict[str, str](str)
        for group, text in match.groupdict("").items():
            groups[group.rstrip("23")] += text
        identifiers = tuple(
            Identifier(kind, groups[kind.name]) for kind in Kind if groups[kind.name]
        )
        ids = [value for _, value in identifiers]
        kind: FileKind = next((k for k in _OTHER_KINDS if groups[k]), "file")
        attempt = groups["attempt"]
        return FileName(
            key=" ".join([groups["name"], *ids]).strip(),
            file=PurePosixPath(groups["file"] or groups[kind]),
            name=groups["name"],
            identifiers=identifiers,
            late=bool(groups["late"]),
            attempt=attempt and attempt.zfill(4),
            number=groups["number"],
            kind=kind,
            address=groups["address"],
        )

    def parse_all(self, entries: Sequence[ArchiveEntry]) -> Names:
        """Read the names of a whole download, whatever folders are around them."""
        parsed = {}
        for entry in entries:
            parts = entry.path.parts
            for start in range(len(parts)):
                name = self.parse(parts[start:])
                if name:
                    parsed[entry.path] = name
                    break
        self.correct(parsed)
        return parsed

    def correct(self, names: Names) -> None:
        """Correct single names, given all names of a download."""

    def students(self, files: Sequence[SubmittedFile]) -> list[Identity]:
        """Return the identities of the students who submitted these files together."""
        return [files[0].identity, *files[0].others]

    def address_of(self, address: str, member: Person) -> str:
        """Return the name of the feedback for a member of a group, or ""."""
        return address

    def find_people(self, sheet: Sheet, columns: Columns) -> None:
        """Correct which columns of a list identify people and have submission times.

        The column ``submitted`` has the time.
        """

    def grade_column(
        self,
        sheet: Sheet,
        assignment: str,
        column: str | None,
    ) -> GradeColumn | None:
        """Find the column for marks; None: the platform has no such file.

        The column is found by the assignment's name, or by `column`, a part of its
        title. It is an `ExportError` if it is unclear which column is meant.
        """
        if not self.titles:
            return None
        if not any(re.match(self.titles, title) for title in sheet.titles):
            return None
        chosen, title = choose_column(
            heads=sheet.titles,
            titles=self.titles,
            assignment=assignment,
            column=column,
        )
        return GradeColumn(chosen, number(title[2] or ""))

    def feedback_names(
        self,
        address: str,
        page: Path,
        notebook: Path,
    ) -> dict[Path, str]:
        """Return the files to return, by their names in the zip; none: impossible."""
        folder = address.split("/")[0]
        return {path: f"{folder}/{path.name}" for path in (page, notebook)}


def common_length(sequences: Iterable[Sequence[str]]) -> int:
    """Return the length of the common beginning of all sequences."""
    lists = [list(texts) for texts in sequences]
    return len(os.path.commonprefix(lists))  # noqa: RUF071 - of any lists


def choose_column(
    heads: Sequence[str],
    titles: str,
    assignment: str,
    column: str | None,
) -> tuple[int, re.Match[str]]:
    """Return the column for an assignment, and the match of its title.

    `titles` is a regular expression for the titles of mark columns; its first group is
    the assignment's name. It is an `ExportError` if not exactly one column fits.
    """
    name = normalize(column or assignment)
    searched_group = 0 if column else 1
    listing = ""
    exact = []
    similar = []
    for index, head in enumerate(heads):
        match = re.match(titles, head)
        if not match:
            continue
        listing += f"\n  {head}"
        if normalize(match[1]) == name:
            exact.append((index, match))
        if name in normalize(match[searched_group]):
            similar.append((index, match))
    fitting = exact or similar
    if len(fitting) == 1:
        return fitting[0]
    raise ExportError(
        f"It is not clear which column belongs to {column or assignment!r}. Name part "
        "of its header with --column. The file's columns:"
        f"{listing or ' none that can hold marks.'}"
    )


def form_of_marks(most: str, sheet: Sheet) -> tuple[float, bool, int | None]:
    """Return the highest mark, and how marks are written: comma, number of places."""
    highest = number(most)
    tail = re.search(r"([.,])(\d+)\s*$", most)
    if not tail:
        return highest, sheet.separator == ";", None
    mark, places = tail.groups()
    return highest, mark == ",", len(places)
