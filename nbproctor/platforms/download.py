"""Downloads: who handed in what, and what could not be placed; nothing is written."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path, PurePosixPath

from nbproctor.platforms import archive
from nbproctor.platforms.archive import CollectError, Content, Entry
from nbproctor.platforms.people import Person, Roster, letters, safe, split_name
from nbproctor.platforms.platform import FileName, Platform
from nbproctor.platforms.registry import PLAIN, Recognised, name_in, plain, recognise

MAX_NESTING = 3
MAX_SUBMISSION = 1 << 30  # bytes
STAMP = "timestamp.txt"  # when something was handed in, for nbgrader

Files = list[tuple[Entry, FileName]]


@dataclass
class Submission:
    """What one student handed in: the newest attempt."""

    person: Person
    #: Path in the submission's folder → content.
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    #: When, with a time zone, where the platform says it.
    submitted: datetime | None = None
    #: The platform says that it was.
    late: bool = False
    #: Orders attempts, where the platform has such a thing.
    attempt: str = ""
    #: Who handed it in together; empty: the student alone.
    group: str = ""
    #: By what the person was found in the roster; empty: not in one.
    found_by: str = ""
    #: Names under which the platform takes feedback, one a file or one for all.
    addresses: list[str] = field(default_factory=list)
    #: What a teacher should know: earlier attempts, files that share a name.
    notes: list[str] = field(default_factory=list)


@dataclass
class Download:
    """A download understood: who handed in what, and what could not be placed.

    Attributes
    ----------
    problems : list of str
        A line for each thing that was not placed, or that a teacher should look at.
    listing : bytes
        The platform's own list, where it wants that back.
    """

    recognised: Recognised
    submissions: list[Submission] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    listing: bytes = b""

    def problem(self, where: str, why: str) -> None:
        """Add a line: the file or the student, and what is wrong, as a sentence."""
        self.problems.append(f"{where}: {why}")


def plan(
    source: Path,
    assignment: str,
    notebooks: Sequence[str],
    roster: Roster,
    zone: tzinfo | None = None,
    groups: Mapping[str, list[Person]] | None = None,
) -> Download:
    """Understand a download.

    Parameters
    ----------
    source : Path
        A zip archive or a folder, as the platform gave it.
    assignment : str
        Name of the assignment.
    notebooks : sequence of str
        Its notebooks, without ``.ipynb``.
    roster : Roster
        The class; may be empty.
    zone : tzinfo, optional
        In which zone the platform gives its times; this computer's if not given.
    groups : mapping, optional
        Name of a group → its members: each of them gets what the group handed in.

    Raises
    ------
    CollectError
        There is no such file, it cannot be opened, or it holds nothing.
    """
    content = _flatten(archive.read(source))
    if not content.entries:
        lines = "".join(f"\n  {problem}" for problem in content.problems[:5])
        raise CollectError(f"{source} holds no file that can be collected.{lines}")
    own = (*notebooks, assignment)
    found = recognise(content.entries, own) or plain(content.entries, own, roster)
    download = Download(found, problems=list(content.problems))
    joint = {letters(name): name for name in groups or {}}
    by_student: dict[str, Files] = defaultdict(list)
    for entry in content.entries:
        if name := found.names.get(entry.path):
            by_student[name.key].append((entry, name))
        elif entry.path.name == found.platform.listing:
            download.listing = download.listing or entry.read()
        else:
            download.problem(str(entry.path), _whose(found.platform))
    submissions: dict[str, list[Submission]] = defaultdict(list)
    for files in by_student.values():
        students = found.platform.students(files)
        group = joint.get(letters(students[0][0]), "")
        if group and groups:
            members = [(person, "group") for person in groups[group]]
        else:
            asked = (_person(*s, files, roster, own, download) for s in students)
            members = [member for member in asked if member is not None]
            if len(students) > 1:
                group = " and ".join(name for name, _ in students)
        if not members:
            continue
        submission, newest = _submission(*members[0], files, zone)
        _take_files(submission, newest, own, notebooks, download)
        for person, by in members:
            member = _for_member(submission, person, by, group, found.platform)
            submissions[person.student].append(member)
    for student, several in submissions.items():
        if len(several) > 1:
            download.problem(
                several[0].person.name,
                f"{len(several)} submissions of the download seem to be by "
                f"{student!r}. None was placed: the class list has to tell them apart.",
            )
        elif several[0].files:
            download.submissions += several
    _say_same_files(download, notebooks)
    download.submissions.sort(key=lambda submission: submission.person.student)
    return download


def _flatten(content: Content, depth: int = 0) -> Content:
    """Unpack archives that hold a platform's files, not one student's."""
    if depth == MAX_NESTING or recognise(content.entries):
        return content
    flat = Content(problems=list(content.problems))
    for entry in content.entries:
        if archive.is_zip(entry.path.name):
            try:
                inner = _flatten(archive.unzip(entry.read()), depth + 1)
            except CollectError:
                inner = Content()  # whosever it is, it is looked at again
            alone = len(content.entries) == 1
            if alone or recognise(inner.entries):
                flat.entries += inner.entries
                flat.problems += inner.problems
                continue
        flat.entries.append(entry)
    return flat


def _whose(platform: Platform) -> str:
    if platform is PLAIN:
        return "Its name does not say whose it is. Put it into a folder of that name."
    return f"Its name is not as {platform.name} writes it. Not placed."


def _person(
    name: str,
    ids: Sequence[str],
    files: Files,
    roster: Roster,
    own: Sequence[str],
    download: Download,
) -> tuple[Person, str] | None:
    """Return whose files these are, and by what that was found; None: unclear."""
    people, by = roster.find(ids, name)
    called = name or files[0][1].key
    if len(people) > 1:
        who = " and ".join(f"{p.name} ({p.student})" for p in people[:3])
        what = next(filter(None, ids), name)
        download.problem(
            called,
            f"It may be {who}. Not placed: say whose it is, "
            f'--as "{what}={people[0].student}"',
        )
        return None
    if people and by != "--as" and not people[0].may_be_called(name):
        # Moodle's number of a group may be somebody's number too.
        person = people[0]
        download.problem(
            called,
            f"Its number is that of {person.name} ({person.student}), its name is "
            f'not. Not placed. If it is theirs: --as "{name}={person.student}"',
        )
        return None
    if people:
        return people[0], by
    named = {name_in(file.file, own) for _, file in files}
    several = {p.name for n in named for p in roster.find([n], n)[0]}
    if len(several) > 1:
        download.problem(
            called,
            f"Its files name several students ({'; '.join(sorted(several)[:5])}). Not "
            "placed: give each of them a folder or a file of that name.",
        )
        return None
    last, first = split_name(name) if re.search("[ ,]", name) else (name, "")
    login = next(filter(None, ids), files[0][1].key)
    person = Person(safe(login), last, first, login if "@" in login else "")
    if roster.people:
        download.problem(
            called, f"Not in the class list. Collected as {person.student!r}."
        )
    return person, ""


def _newest(files: Files) -> tuple[Files, list[str]]:
    """Return the files of the newest attempt that holds a file of the student's."""
    attempts: dict[str, Files] = defaultdict(list)
    for entry, name in files:
        attempts[name.attempt].append((entry, name))
    order = sorted(attempts, reverse=True)
    full = [a for a in order if any(n.kind == "file" for _, n in attempts[a])]
    chosen = next(iter(full), order[0])
    notes = []
    if chosen != order[0]:
        notes.append("The newest attempt holds no file; the one before it was taken.")
    if older := len([a for a in full if a != chosen]):
        notes.append(f"The newest of {older + 1} attempts was taken.")
    return attempts[chosen], notes


def _submission(
    person: Person, by: str, files: Files, zone: tzinfo | None
) -> tuple[Submission, Files]:
    """Return the newest attempt, still without its files, and these."""
    newest, notes = _newest(files)
    names = [name for _, name in newest]
    when = max((name.submitted for name in names if name.submitted), default=None)
    if when and not when.tzinfo:
        when = when.replace(tzinfo=zone) if zone else when.astimezone()
    last = max(names, key=lambda name: name.age)
    submission = Submission(
        person,
        submitted=when,
        late=any(name.late for name in names),
        attempt=last.attempt or last.number,
        found_by=by,
        addresses=sorted({name.address for name in names if name.address}),
        notes=notes,
    )
    return submission, newest


def _for_member(
    submission: Submission, person: Person, by: str, group: str, platform: Platform
) -> Submission:
    """Return what was handed in as the submission of one who did, alone or not."""
    if not group:
        return submission
    addresses = [platform.address_of(a, person) for a in submission.addresses]
    return replace(
        submission,
        person=person,
        found_by=by,
        group=group,
        addresses=sorted(filter(None, addresses)),
    )


def _take_files(
    submission: Submission,
    newest: Files,
    own: Sequence[str],
    notebooks: Sequence[str],
    download: Download,
) -> None:
    """Read the files of an attempt and say where each goes."""
    files = [(entry, name) for entry, name in newest if name.kind == "file"]
    # What was typed into the platform is kept where nothing else was handed in.
    typed = [name.file.name for _, name in newest if name.kind == "typed"]
    if files and typed:
        submission.notes.append(
            f"Read there what was typed in; only files were taken ({typed[0]})."
        )
    for entry, name in sorted(
        files or newest, key=lambda item: item[1].age, reverse=True
    ):
        target = name.file
        if len(target.parts) > 1 and target.parts[0] == own[-1]:
            target = PurePosixPath(*target.parts[1:])
        try:
            data = entry.read()
        except CollectError as error:
            download.problem(str(entry.path), str(error))
            continue
        if archive.is_zip(target.name):
            _unpack(submission, target, data, str(entry.path), download)
        else:
            _add(submission, _expected(target, notebooks), data)
    if not submission.files:
        download.problem(submission.person.name, "No file could be taken.")


def _expected(path: PurePosixPath, notebooks: Sequence[str]) -> PurePosixPath:
    """Return the notebook's own name for a file handed in again.

    Canvas calls that ``lab-1.ipynb``.
    """
    match = re.fullmatch(r"(.+)-\d+", path.stem)
    if match and path.suffix == ".ipynb" and match[1] in notebooks:
        return path.with_name(f"{match[1]}.ipynb")
    return path


def _unpack(
    submission: Submission,
    place: PurePosixPath,
    data: bytes,
    where: str,
    download: Download,
) -> None:
    """Add the files of an archive that a student handed in, or the archive itself."""
    try:
        inner = archive.unzip(data)
        contents = [(entry.path, entry.read()) for entry in inner.entries]
        if sum(len(content) for _, content in contents) > MAX_SUBMISSION:
            raise CollectError("It would unpack to more than 1 GB.")
    except CollectError as error:
        download.problem(where, f"{error} It was left packed.")
        _add(submission, place, data)
        return
    download.problems += [f"{where}, {problem}" for problem in inner.problems]
    if not contents and inner.problems:
        _add(submission, place, data)
    for path, content in contents:
        _add(submission, path, content)


def _add(submission: Submission, path: PurePosixPath, data: bytes) -> None:
    """Add a file, under another name where there is one; no name leads outside."""
    path = PurePosixPath(*(safe(part) for part in path.parts))
    if str(path).casefold() == STAMP:  # nbgrader would take it for the platform's word
        path = path.with_name(f"handed-in-{path.name}")
    taken = {str(other).casefold(): other for other in submission.files}
    free, number = path, 2
    while (other := taken.get(str(free).casefold())) is not None:
        if submission.files[other] == data:
            return
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    if free != path:
        submission.notes.append(
            f"Two files are called {path.name}; the older one is now {free.name}."
        )
    submission.files[free] = data


def _say_same_files(download: Download, notebooks: Sequence[str]) -> None:
    """Say which students handed in the very same notebook, byte for byte."""
    by_content: dict[str, list[str]] = defaultdict(list)
    for submission in download.submissions:
        for place, data in submission.files.items():
            if place.suffix == ".ipynb" and place.stem in notebooks:
                digest = hashlib.sha256(data).hexdigest()
                name = submission.group or submission.person.name
                if not submission.group or name not in by_content[digest]:
                    by_content[digest].append(name)
    for who in by_content.values():
        if len(who) > 1:
            download.problem(
                (" and " if len(who) == 2 else "; ").join(who),
                "They handed in the very same file. All were taken.",
            )
