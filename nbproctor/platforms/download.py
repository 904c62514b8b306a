"""Downloads: who submitted what, and what could not be placed; nothing is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from itertools import count
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Literal

from nbproctor.cells import list_few
from nbproctor.platforms import archive
from nbproctor.platforms.archive import CollectError, Content
from nbproctor.platforms.person import (
    KINDS,
    Identity,
    Person,
    normalize,
    safe_file_name,
)
from nbproctor.platforms.platform import SubmittedFile
from nbproctor.platforms.registry import (
    PLAIN,
    Recognised,
    name_in,
    read_plain_files,
    recognise,
    word_identity,
)
from nbproctor.platforms.roster import Groups, Roster
from nbproctor.platforms.sheet import read_time
from nbproctor.sanitize import visible
from nbproctor.submission.border import TIMESTAMP_FILE
from nbproctor.submission.files import MAX_SUBMISSION_BYTES

MAX_NESTING = 3
_TABLES = {".csv", ".tsv", ".xls", ".xlsx", ".ods"}
_TEXTS = {".html", ".htm", ".txt"}

Files = Sequence[SubmittedFile]
Member = tuple[Person, str]  # by what the person was found in the class list
# Same: it was collected before. Replaced: the one in ``submitted/`` was moved away.
# Kept: the one in ``submitted/`` stays, because it is newer, or may be newer.
State = Literal["new", "same", "replaced", "kept"]


@dataclass
class CollectedSubmission:
    """What one student submitted: the newest attempt."""

    person: Person
    submitted: datetime | None  # with a time zone, where the platform says it
    late: bool  # says the platform
    attempt: str  # orders attempts, where the platform has such a thing
    #: Names under which the platform takes feedback, one a file or one for all.
    addresses: list[str]
    #: What a teacher should know: earlier attempts, files that share a name.
    notes: list[str]
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)  # by their place
    group: str = ""  # who handed it in together; empty: the student alone
    found_by: str = ""  # by what the person was found in the roster; empty: not in one
    state: State = "new"  # as `collected.write` finds it
    reason: str = ""  # the older one was kept

    def add(self, path: PurePosixPath, data: bytes) -> None:
        """Add a file, under another name where there is one; no name leads outside."""
        path = PurePosixPath(*map(safe_file_name, path.parts))
        # nbgrader would take it for the platform's word.
        if str(path).casefold() == TIMESTAMP_FILE:
            path = path.with_name(f"handed-in-{path.name}")
        contents = {str(other).casefold(): old for other, old in self.files.items()}
        free = path
        for number in count(2):
            same_name = contents.get(str(free).casefold())
            if same_name == data:
                return
            if same_name is None:
                break
            free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        if free != path:
            self.notes.append(
                f"Two files are called {path.name}. The older one is now called "
                f"{free.name}."
            )
        self.files[free] = data


@dataclass
class Download:
    """A download understood: who submitted what, and what could not be placed."""

    recognised: Recognised
    file_names: Sequence[str]  # names of the notebooks, and last of the assignment
    roster: Roster
    zone: tzinfo | None
    groups: Groups
    times: Mapping[str, str]
    #: A line for each thing that was not placed, or that a teacher should look at.
    problems: list[str]
    submissions: list[CollectedSubmission] = field(default_factory=list)
    questions: int = 0  # number of students or groups whom only a teacher can tell
    listing: bytes = b""  # the platform's own, where it wants that back

    def add_problem(self, where: str, sentence: str) -> None:
        """Add a line: the file or the student, and what is wrong, as a sentence."""
        self.problems.append(f"{visible(where)}: {sentence}")

    def add_question(self, where: str, sentence: str) -> None:
        """Add a line about work that was not placed because a teacher has to say."""
        self.add_problem(where, sentence)
        self.questions += 1

    def by_student(self, content: Content) -> Mapping[str, Files]:
        """Return the files of each student, and say which are nobody's."""
        platform = self.recognised.platform
        names = self.recognised.names
        unlike = f"{platform.name} does not use such file names. Not collected."
        if platform is PLAIN:
            unlike = (
                "The name does not say who submitted this. Put the file into a folder "
                "with the student's name."
            )
        by_student = defaultdict(list)
        for entry in content.entries:
            name = names.get(entry.path)
            if not name:
                if entry.path.name == platform.listing:
                    self.listing = self.listing or entry.read()
                else:
                    self.add_problem(str(entry.path), unlike)
            elif name.kind != "course":
                file = SubmittedFile(**vars(name), entry=entry)
                by_student[name.key].append(file)
        return by_student

    def submissions_of(self, files: Files) -> Iterator[CollectedSubmission]:
        """Yield the submissions of these files: of a student, or of each in a group."""
        platform = self.recognised.platform
        identities = platform.students(files)
        group = self.find_group(identities[0])
        if group:
            members = [(person, "group") for person in self.groups[group]]
        else:
            each = [self.find_member(identity, files) for identity in identities]
            members = [member for member in each if member]
            if len(identities) > 1:
                group = " and ".join(map(str, identities))
        if not members:
            return
        first, _ = members[0]
        submission = self.newest_submission(first, files)
        of_first = (name for name, people in self.groups.items() if first in people)
        submission.group = group or next(of_first, "")
        for person, found_by in members:
            addresses = submission.addresses
            if group:
                names = [platform.address_of(address, person) for address in addresses]
                addresses = sorted(filter(None, names))
            yield replace(
                submission,
                person=person,
                found_by=found_by,
                addresses=addresses,
            )

    def find_group(self, identity: Identity) -> str:
        """Return the group that is named, unless name or number are somebody else's.

        Students may choose what a platform calls them. A group may be called "12", so
        it is not looked for in numbers of people whose name is there, or is hidden.
        """
        texts = [identity.name]
        if not identity.name:
            pairs = identity.identifiers
            texts = [value for kind, value in pairs if not KINDS[kind].is_hidden]
        names = {normalize(text) for text in texts} - {""}
        for group, people in self.groups.items():
            if normalize(group) not in names:
                continue
            members = [person.student for person in people]
            by_name = self.roster.find(Identity(identity.name))
            owners = [by_name.person]
            if not self.recognised.platform.numbers_groups:
                owners.append(self.roster.find(replace(identity, name="")).person)
            strangers = [p for p in owners if p and p.student not in members]
            return "" if strangers or by_name.question else group
        return ""

    def find_member(self, identity: Identity, files: Files) -> Member | None:
        """Return whose files these are; None: it is unclear, and a problem is noted.

        Somebody who is not in the class list becomes a new person.
        """
        if not str(identity):
            identity = Identity(files[0].key)
        label = str(identity)
        match = self.roster.find(identity)
        if match.person:
            if match.matched_by == "--as":
                self.roster.add_identity(match.person, identity)
            return match.person, match.matched_by
        if match.question:
            self.add_question(label, str(match))
            return None
        words = {name_in(file.file, self.file_names) for file in files} - {""}
        names = {
            owner.name
            for word in words
            if (owner := self.roster.find(word_identity(word)).person)
        }
        if names:
            self.add_question(
                label,
                f"The files in it name students ({'; '.join(sorted(names)[:5])}). Not "
                "collected. Give each student a folder or a file with their name.",
            )
            return None
        person = self.roster.new_person(identity)
        if self.roster.people:
            sentence = f"Not in the class list. Collected as {person.student!r}."
            self.add_problem(label, sentence)
        return person, ""

    def newest_submission(self, person: Person, files: Files) -> CollectedSubmission:
        """Return the newest attempt, with its files under the names they get."""
        newest, notes = _newest_attempt(files)
        times = [file.submitted for file in newest if file.submitted]
        when = max(times, default=None)
        text = self.times.get(person.student)
        if text and not when:
            when = read_time(text)
            if not when:
                self.add_problem(
                    person.name,
                    f"{text!r} is not a readable submission time. To record it: "
                    "`nbproctor late`",
                )
        if when and not when.tzinfo:
            when = when.replace(tzinfo=self.zone) if self.zone else when.astimezone()
        last = max(newest, key=attrgetter("age"))
        submission = CollectedSubmission(
            person=person,
            submitted=when,
            late=any(file.late for file in newest),
            attempt=last.attempt or last.number,
            addresses=sorted({file.address for file in newest if file.address}),
            notes=notes,
        )
        self.add_files(submission, newest)
        return submission

    def add_files(self, submission: CollectedSubmission, newest: Files) -> None:
        """Read the files of an attempt and say where each goes."""
        files = [file for file in newest if file.kind == "file"]
        # What was typed into the platform is kept where nothing else was submitted.
        typed = [file.file.name for file in newest if file.kind == "typed"]
        endings = {"".join(file.file.suffixes).lower() for file in files}
        collected = files or newest
        if files and typed:
            submission.notes.append(
                "Only files were collected. Read the typed text on the platform "
                f"({typed[0]})."
            )
        elif endings <= _TEXTS:
            # Not each platform names what was typed so that it is recognised.
            saved = " or saved as a page" if files else ""
            submission.notes.append(
                f"Text was typed in{saved} ({collected[0].file.name}). If it is not a "
                f"notebook, ask for the file {self.file_names[0]}.ipynb."
            )
        for file in sorted(collected, key=attrgetter("age"), reverse=True):
            for path, content in self.read_files(file):
                submission.add(path, content)
        if not submission.files:
            self.add_problem(submission.person.name, "No file could be collected.")

    def read_files(self, file: SubmittedFile) -> list[tuple[PurePosixPath, bytes]]:
        """Return a file and its place, or the files of the archive that it is."""
        where = str(file.entry.path)
        try:
            data = file.entry.read()
        except CollectError as error:
            self.add_problem(where, str(error))
            return []
        packed = [(self.place_of(file.file), data)]
        if not archive.is_zip(file.file.name):
            return packed
        try:
            inner = archive.unzip(data)
            if sum(entry.size for entry in inner.entries) > MAX_SUBMISSION_BYTES:
                raise CollectError("It would unpack to more than 1 GB.")
            contents = [(entry.path, entry.read()) for entry in inner.entries]
        except CollectError as error:
            self.add_problem(where, f"{error} It was left packed.")
            return packed
        self.problems += [f"{where}, {problem}" for problem in inner.problems]
        if inner.problems and not contents:
            return packed
        return contents

    def place_of(self, path: PurePosixPath) -> PurePosixPath:
        """Return a file's place in the submission: without the assignment's folder.

        A notebook that was submitted again has its own name, which Canvas makes
        ``lab-1.ipynb``.
        """
        *notebooks, assignment = map(re.escape, self.file_names)
        text = re.sub(rf"^{assignment}/", "", str(path))
        names = "|".join(notebooks)
        text = re.sub(rf"(?<![^/])({names})-\d+\.ipynb$", r"\1.ipynb", text)
        return PurePosixPath(text)

    def matches_class_list(self) -> bool:
        """Whether a download contains somebody of the class list, or may well do so.

        Another course's students must not be added. In a download without names, a
        class list need not have the platform's numbers.
        """
        if not self.roster.people:
            return True
        if any(submission.found_by for submission in self.submissions):
            return True
        return any(
            KINDS[kind].is_hidden and not name.name
            for name in self.recognised.names.values()
            for kind, _ in name.identifiers
        )

    def report_identical_files(self) -> None:
        """Say which students submitted the very same notebook, byte for byte."""
        by_content: dict[bytes, dict[str, str]] = defaultdict(dict)
        for submission in self.submissions:
            for path, data in submission.files.items():
                if path.suffix == ".ipynb" and path.stem in self.file_names[:-1]:
                    name = submission.group or submission.person.name
                    author = submission.group or submission.person.student
                    by_content[data][author] = name
        for people in by_content.values():
            if len(people) > 1:
                self.add_problem(
                    "; ".join(people.values()),
                    "They submitted exactly the same file. It was collected "
                    "for each of them.",
                )


def parse_download(
    source: Path,
    assignment: str,
    notebooks: Sequence[str],
    roster: Roster,
    zone: tzinfo | None,
    groups: Mapping[str, list[Person]] = {},
    times: Mapping[str, str] = {},
) -> Download:
    """Understand a download: a zip archive or a folder, as the platform gave it.

    `notebooks` are those of the assignment, without ``.ipynb``; `zone` is that of the
    platform's times, else this computer's. Each member of one of the `groups` gets what
    the group submitted. `times` of students, from a list of the platform's, count where
    the download has none. `CollectError`: there is no such file, it cannot be
    opened, or it holds nothing.
    """
    if source.suffix.lower() in _TABLES:
        raise CollectError(
            f"{source} is a table, not a download of submissions. For a class list, "
            "use `roster`; for a grade file, use `export`."
        )
    content = _flatten(archive.read(source))
    if not content.entries:
        lines = "".join(f"\n  {problem}" for problem in content.problems[:5])
        raise CollectError(f"{source} contains no file that can be collected.{lines}")
    file_names = (*notebooks, assignment)
    recognised = recognise(content.entries) or read_plain_files(
        content.entries, file_names, roster
    )
    download = Download(
        recognised=recognised,
        file_names=file_names,
        roster=roster,
        zone=zone,
        groups=groups,
        times=times,
        problems=content.problems,
    )
    submissions = defaultdict(list)
    for files in download.by_student(content).values():
        for submission in download.submissions_of(files):
            submissions[submission.person.student].append(submission)
    for student, several in submissions.items():
        if len(several) > 1:
            download.add_question(
                several[0].person.name,
                f"{len(several)} submissions in the download seem to be by "
                f"{student!r}. None was collected. Import a class list that "
                "distinguishes them.",
            )
        elif several[0].files:
            download.submissions += several
    if not (download.questions or download.matches_class_list()):
        keys = sorted({name.key for name in recognised.names.values()})
        names = list_few(keys, most=5) or "none"
        raise CollectError(
            f"No name in {source} is in the class list. Nothing was collected. "
            f"{recognised}. The names there: {names}. Perhaps it is the download of "
            "another course. If it is yours, import its class list (`nbproctor "
            "roster`), or match a name with a student (--as). Files without a "
            "platform's names need a folder or a file named with each student's id."
        )
    download.report_identical_files()
    download.submissions.sort(key=lambda submission: submission.person.student)
    return download


def _flatten(content: Content, depth: int = 0) -> Content:
    """Unpack archives that hold a platform's files, not one student's."""
    if depth == MAX_NESTING or recognise(content.entries):
        return content
    flat = Content(problems=list(content.problems))
    alone = len(content.entries) == 1
    for entry in content.entries:
        inner = Content()
        if archive.is_zip(entry.path.name):
            with suppress(CollectError):  # whosever it is, it is looked at again
                packed = archive.unzip(entry.read())
                inner = _flatten(packed, depth + 1)
        if not (alone and inner.entries) and not recognise(inner.entries):
            # One of them is a student's, so all may be, with names of their choice.
            return content
        flat.entries += inner.entries
        flat.problems += inner.problems
    return flat


def _newest_attempt(files: Files) -> tuple[Files, list[str]]:
    """Return the files of the newest attempt that holds a file of the student's."""
    newest = max(file.attempt for file in files)
    full = {file.attempt for file in files if file.kind == "file"}
    chosen = max(full, default=newest)
    notes = []
    if chosen != newest:
        notes.append(
            "The newest attempt contains no file, so the one before it was collected."
        )
    if len(full) > 1:
        notes.append(f"The newest of {len(full)} attempts was collected.")
    return [file for file in files if file.attempt == chosen], notes
