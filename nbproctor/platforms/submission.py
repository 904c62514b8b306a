"""One student's submission in a download: its attempts, and the files of the newest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from nbproctor.platforms import archive
from nbproctor.platforms.archive import Entry
from nbproctor.platforms.classlist import Person
from nbproctor.platforms.grammars import Handed
from nbproctor.platforms.people import safe
from nbproctor.platforms.problems import CollectError, Problem

MAX_SUBMISSION = 1 << 30  # bytes
NO_TEXT = "attempt.txt"  # Blackboard's page about each attempt
STAMP = "timestamp.txt"  # when something was handed in, for nbgrader

Files = list[tuple[Entry, Handed]]
Attempts = dict[str, Files]  # in the order of their keys


@dataclass
class Submission:
    """What one student handed in: the newest attempt.

    Attributes
    ----------
    person : Person
        The student, from the roster, or made from what the platform says.
    files : dict
        Path in the submission's folder → content.
    submitted : datetime or None
        When, with a time zone, where the platform says it.
    late : bool
        The platform says that it was late.
    attempt : str
        Orders attempts, where the platform has such a thing.
    found_by : str
        By what the person was found in the roster; empty: not in one.
    addresses : list of str
        Names under which the platform takes feedback, one a file or one for all.
    notes : list of str
        What a teacher should know: earlier attempts, files that share a name.
    """

    person: Person
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    submitted: datetime | None = None
    late: bool = False
    attempt: str = ""
    found_by: str = ""
    addresses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def newest_of(
    attempts: Attempts,
) -> tuple[Files, list[str]]:
    """Return the files of the newest attempt that holds a file of the student's."""
    order = sorted(attempts, reverse=True)
    full = [a for a in order if any(not h.by_platform for _, h in attempts[a])]
    chosen = next(iter(full), order[0])
    notes = []
    if chosen != order[0]:
        notes.append("The newest attempt holds no file; the one before it was taken.")
    if older := len([a for a in full if a != chosen]):
        notes.append(f"The newest of {older + 1} attempts was taken.")
    return attempts[chosen], notes


def take_files(
    submission: Submission,
    attempts: Attempts,
    own: Sequence[str],
    notebooks: Sequence[str],
    problems: list[Problem],
) -> None:
    """Read the files of the newest attempt and say where each goes."""
    newest, _ = newest_of(attempts)
    files = [(entry, handed) for entry, handed in newest if not handed.by_platform]
    # What was typed into the platform is kept where nothing else was handed in.
    typed = [h.file.name for _, h in newest if h.by_platform and h.file.name != NO_TEXT]
    if files and typed:
        submission.notes.append(
            f"Read there what was typed in; only files were taken ({typed[0]})."
        )
    for entry, handed in sorted(
        files or newest, key=lambda item: _age(item[1]), reverse=True
    ):
        where = str(entry.path)
        target = handed.file
        if len(target.parts) > 1 and target.parts[0] == own[-1]:
            target = PurePosixPath(*target.parts[1:])
        try:
            data = entry.read()
        except CollectError as error:
            problems.append(Problem(where, str(error)))
            continue
        if archive.is_zip(target.name):
            _unpack(submission, target, data, where, problems)
        else:
            _add(submission, _expected(target, notebooks), data)
    if not submission.files:
        problems.append(Problem(submission.person.name, "No file could be taken."))


def _age(handed: Handed) -> tuple[int, str]:
    """Order files of one attempt; Canvas numbers them as they come."""
    return len(handed.attempt), handed.attempt


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
    problems: list[Problem],
) -> None:
    """Add the files of an archive that a student handed in, or the archive itself."""
    try:
        inner = archive.unzip(data)
        contents = [(entry.path, entry.read()) for entry in inner.entries]
        if sum(len(content) for _, content in contents) > MAX_SUBMISSION:
            raise CollectError("It would unpack to more than 1 GB.")
    except CollectError as error:
        problems.append(Problem(where, f"{error} It was left packed."))
        _add(submission, place, data)
        return
    for problem in inner.problems:
        problems.append(Problem(f"{where}, {problem.where}", problem.why))
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
