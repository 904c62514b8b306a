"""Plan of a download: its submissions by student, before anything is written."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from nbproctor.platforms import archive, names
from nbproctor.platforms.archive import Content
from nbproctor.platforms.classlist import Person, Roster
from nbproctor.platforms.names import Recognised
from nbproctor.platforms.people import safe, split_name
from nbproctor.platforms.problems import CollectError, Problem
from nbproctor.platforms.submission import Attempts, Submission, newest_of, take_files

MAX_NESTING = 3


@dataclass
class Download:
    """A download understood: who handed in what, and what could not be placed."""

    platform: str
    certainty: str
    fitting: int
    total: int
    submissions: list[Submission]
    problems: list[Problem]
    listing: bytes = b""  # the platform's own list, where it wants that back


def plan(
    source: Path,
    assignment: str,
    notebooks: Sequence[str],
    roster: Roster,
    zone: tzinfo | None = None,
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
    paths = [entry.path for entry in content.entries]
    recognised = names.recognise(paths) or names.plain(paths, own)
    problems = list(content.problems)
    attempts: dict[str, Attempts] = defaultdict(lambda: defaultdict(list))
    listing = b""
    for entry in content.entries:
        handed = recognised.handed.get(entry.path)
        if handed is None:
            if entry.path.name in names.OF_THE_PLATFORM.get(recognised.platform, ()):
                listing = listing or entry.read()
            else:
                problems.append(Problem(str(entry.path), _whose(recognised)))
            continue
        attempt = "" if recognised.platform == "Canvas" else handed.attempt
        attempts[handed.key][attempt].append((entry, handed))
    submissions: dict[str, list[Submission]] = defaultdict(list)
    for files in attempts.values():
        submission = _submission(files, recognised, roster, zone, problems)
        if submission is not None:
            take_files(submission, files, own, notebooks, problems)
            submissions[submission.person.student].append(submission)
    chosen = [
        _only(student, candidates, problems)
        for student, candidates in submissions.items()
    ]
    placed = [submission for one in chosen for submission in one]
    problems += _same_files(placed, notebooks)
    placed.sort(key=lambda submission: submission.person.student)
    return Download(
        recognised.platform,
        recognised.certainty,
        len(recognised.handed),
        recognised.total,
        placed,
        problems,
        listing,
    )


def _flatten(content: Content, depth: int = 0) -> Content:
    """Unpack archives that hold a platform's files, not one student's."""
    if depth == MAX_NESTING or names.recognise(e.path for e in content.entries):
        return content
    flat = Content(problems=list(content.problems))
    for entry in content.entries:
        if archive.is_zip(entry.path.name):
            try:
                inner = _flatten(archive.unzip(entry.read()), depth + 1)
            except CollectError:
                inner = Content()  # whosever it is, it is looked at again
            alone = len(content.entries) == 1
            if alone or names.recognise(e.path for e in inner.entries):
                flat.entries += inner.entries
                flat.problems += inner.problems
                continue
        flat.entries.append(entry)
    return flat


def _whose(recognised: Recognised) -> str:
    if recognised.platform == names.PLAIN:
        return "Its name does not say whose it is. Put it into a folder of that name."
    return f"Its name is not as {recognised.platform} writes it. Not placed."


def _submission(
    attempts: Attempts,
    recognised: Recognised,
    roster: Roster,
    zone: tzinfo | None,
    problems: list[Problem],
) -> Submission | None:
    """Return whose it is and when it came, still without its files."""
    everything = [handed for files in attempts.values() for _, handed in files]
    first = everything[0]
    name, ids = first.name, set(first.ids)
    if recognised.platform == "Blackboard":
        name, login = _from_blackboard(attempts)
        ids |= {login}
    people, by = roster.find(ids, name)
    if len(people) > 1:
        who = " and ".join(f"{p.name} ({p.student})" for p in people[:3])
        problems.append(
            Problem(name or first.key, f"It may be {who}. Not placed: say whose it is.")
        )
        return None
    newest, notes = newest_of(attempts)
    if people:
        person = people[0]
    else:
        last, first_names = (
            split_name(name) if " " in name or "," in name else (name, "")
        )
        login = next((i for i in sorted(ids) if i), first.key)
        person = Person(safe(login), last, first_names, login if "@" in login else "")
        if roster.people:
            problems.append(
                Problem(
                    name or first.key,
                    f"Not in the class list. Collected as {person.student!r}.",
                )
            )
    when = max((h.submitted for _, h in newest if h.submitted), default=None)
    return Submission(
        person,
        submitted=when and (when.replace(tzinfo=zone) if zone else when.astimezone()),
        late=any(handed.late for _, handed in newest),
        attempt=max((h.attempt for _, h in newest), key=lambda a: (len(a), a)),
        found_by=by,
        addresses=sorted({h.address for _, h in newest if h.address}),
        notes=notes,
    )


def _from_blackboard(
    attempts: Attempts,
) -> tuple[str, str]:
    """Return name and login as the text file beside an attempt has them."""
    for files in attempts.values():
        for entry, handed in files:
            if handed.by_platform and entry.size < 1 << 20:
                text = entry.read().decode("utf-8", "replace")
                if found := re.search(r"^\W*Name:\s*(.+?)\s*\(([^()]+)\)", text, re.M):
                    return found[1], found[2]
    return "", ""


def _only(
    student: str, submissions: list[Submission], problems: list[Problem]
) -> list[Submission]:
    """Return the submission of a student, none where it cannot be told which."""
    if len(submissions) == 1:
        return submissions if submissions[0].files else []
    problems.append(
        Problem(
            submissions[0].person.name,
            f"{len(submissions)} submissions of the download seem to be by "
            f"{student!r}. None was placed: the class list has to tell them apart.",
        )
    )
    return []


def _same_files(
    submissions: list[Submission], notebooks: Sequence[str]
) -> list[Problem]:
    """Say which students handed in the very same notebook, byte for byte."""
    by_content: dict[str, list[str]] = defaultdict(list)
    for submission in submissions:
        for place, data in submission.files.items():
            if place.suffix == ".ipynb" and place.stem in notebooks:
                digest = hashlib.sha256(data).hexdigest()
                by_content[digest].append(submission.person.name)
    return [
        Problem(
            (" and " if len(who) == 2 else "; ").join(who),
            "They handed in the very same file. All were taken.",
        )
        for who in by_content.values()
        if len(who) > 1
    ]
