"""Platform: what the module of one learning platform says, and what most share."""

from __future__ import annotations

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
    """What the name of one file of a download says."""

    key: str  # tells students of this download apart
    file: PurePosixPath  # as the student named it, with the student's own folders
    name: str = ""  # as the platform writes it; empty in anonymous downloads
    identifiers: Identifiers = ()  # as the platform has them
    late: bool = False
    submitted: datetime | None = None  # without a zone: in the platform's local time
    attempt: str = ""  # tells attempts of a student apart and orders them, if several
    number: str = ""  # orders the files of one attempt, where the platform does
    #: Of the student's, typed into the platform, or its own page about the hand-in; or
    #: a teacher's, which belongs to no submission.
    kind: FileKind = "file"
    others: Sequence[Identity] = ()  # who handed it in together with this student
    address: str = ""  # under which the platform takes feedback on it, if it does

    @property
    def identity(self) -> Identity:
        """What it says of who handed it in."""
        return Identity(self.name, self.identifiers)

    @property
    def age(self) -> tuple[int, str]:
        """Orders files: the later one is greater."""
        text = self.attempt or self.number
        return len(text), text


@dataclass(frozen=True, kw_only=True)
class SubmittedFile(FileName):
    """One file of a download, and what its name says."""

    entry: ArchiveEntry


Names = dict[PurePosixPath, FileName]  # by the path in a download
Columns = dict[str, list[int]]  # of a list, by what they say: a kind, or a word


@dataclass(frozen=True)
class GradeColumn:
    """Where a platform's file has the marks of one assignment."""

    column: int
    most: float  # what the platform says that the assignment is worth, or NaN
    comma: bool = False  # a decimal comma
    places: int | None = None  # decimal places; None: as many as needed, up to 2
    locked: Collection[int] = ()  # rows whose mark must not be changed
    excused: str = ""  # what stands for "no mark is wanted"; empty: nothing does

    def format(self, score: float) -> str:
        """Return how the file has a mark."""
        if self.places is None:
            text = f"{score:.2f}".rstrip("0").rstrip(".")
        else:
            text = f"{score:.{self.places}f}"
        return text.replace(".", ",") if self.comma else text


class PeopleList(NamedTuple):
    """Titles of columns that mean something else in this list of people."""

    known_by: set[str]  # titles that only this list has together
    kinds: Mapping[str, str]  # of columns, by the title as `normalize` has it


_OTHER_KINDS: tuple[FileKind, ...] = ("typed", "page", "course")


class Platform:
    """A learning platform: one module, and a line of `registry.PLATFORMS` or a plug-in.

    What a platform does not have, it does not override.
    """

    name = "plain files"
    #: An expression for the path of a file in a download. Groups in capitals are kinds
    #: of identifiers; others are fields of `FileName`, or a ``kind`` of file. A 2 or 3
    #: behind it makes one more group of a name. What a student calls a file comes last,
    #: and may look like all that stands before it: so each part before takes as little
    #: as it can.
    path = ""
    upload = ""  # where a teacher uploads the zip of feedback; empty: nowhere
    why_no_address = ""  # why a student has no `FileName.address`, and what to do
    #: An expression for the titles of a grade book's columns that take marks; its two
    #: groups are the assignment's name and what it is worth.
    titles = ""
    lists: tuple[PeopleList, ...] = ()  # that it exports, with titles of its own sense
    listing = ""  # its own file in a download, which it wants back with the feedback
    numbers_groups = False  # what a group submitted has its number, not a member's
    times = ""  # the list that says when each was submitted, where no download does

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """Read a file's path in a download as `path` says; None: it is not named so."""
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
        """Read the names of a whole download; folders around them do not matter."""
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
        """Correct what single names say by what all of a download say together."""

    def students(self, files: Sequence[SubmittedFile]) -> list[Identity]:
        """Return what says whose files these are: of one student, or of several."""
        return [files[0].identity, *files[0].others]

    def address_of(self, address: str, member: Person) -> str:
        """Return under which name feedback goes to a member of a group; none: ""."""
        return address

    def find_people(self, sheet: Sheet, columns: Columns) -> None:
        """Correct which columns of a list say who somebody is, and what they submitted.

        Column ``submitted`` says when.
        """

    def grade_column(
        self,
        sheet: Sheet,
        assignment: str,
        column: str | None,
    ) -> GradeColumn | None:
        """Tell where marks go; None: the platform gives no such file.

        The column is looked for by the assignment's name, or by `column`, a part of its
        title. It is an `ExportError` if it is unclear which column is meant.
        """
        if not self.titles:
            return None
        if not any(re.match(self.titles, title) for title in sheet.titles):
            return None
        chosen, title = choose_column(sheet.titles, self.titles, assignment, column)
        return GradeColumn(chosen, number(title[2] or ""))

    def feedback_names(
        self,
        address: str,
        page: Path,
        notebook: Path,
    ) -> dict[Path, str]:
        """Return which files go back, and their names in the zip; none: no place."""
        folder = address.split("/")[0]
        return {path: f"{folder}/{path.name}" for path in (page, notebook)}


def common_length(sequences: Iterable[Sequence[str]]) -> int:
    """Return with how many equal texts all the sequences begin."""
    length = 0
    for texts in zip(*sequences, strict=False):
        if len({*texts}) > 1:
            break
        length += 1
    return length


def choose_column(
    heads: Sequence[str],
    titles: str,
    assignment: str,
    column: str | None,
) -> tuple[int, re.Match[str]]:
    """Return which column is meant, and the match of its title.

    `titles` is an expression for the titles of columns that take marks, whose first
    group is the assignment's name. It is an `ExportError` if none is meant, or more
    than one.
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
