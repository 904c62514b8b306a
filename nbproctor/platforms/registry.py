"""Registry of learning platforms, and which of them gave a download."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from nbproctor.platforms import github_classroom, gradescope
from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.blackboard import Blackboard
from nbproctor.platforms.brightspace import Brightspace
from nbproctor.platforms.canvas import Canvas
from nbproctor.platforms.moodle import Moodle
from nbproctor.platforms.openolat import OpenOlat
from nbproctor.platforms.person import Identifier, Identity, Kind
from nbproctor.platforms.platform import FileName, Names, Platform, common_length
from nbproctor.platforms.plug_ins import ask_platforms
from nbproctor.platforms.roster import Roster
from nbproctor.platforms.teams import Teams

# The order decides where two fit equally well; plug-ins come before all of these.
# Canvas comes last: of its names little more can be said than that numbers are in them.
PLATFORMS: tuple[Platform, ...] = (
    Moodle(),
    Blackboard(),
    Brightspace(),
    gradescope.Gradescope(),
    github_classroom.GitHubClassroom(),
    Teams(),
    OpenOlat(),
    Canvas(),
)
_WORK = (".ipynb", ".zip")  # what students submit, in plain files
# No platform: a folder or a file for each student, as `read_plain_files` reads it.
PLAIN = Platform()
# What makes a platform grade by itself, by the word of ``export``: writes it, and
# returns where it is and what to do with it.
AUTOGRADERS = {
    "gradescope": gradescope.write_autograder,
    "classroom": github_classroom.write_autograder,
}


class Recognised(NamedTuple):
    """Which platform a download is from, and what those names say that fit it."""

    platform: Platform
    names: Names
    total: int  # number of files, without the platform's own

    def __str__(self) -> str:
        fitting = len(self.names)
        origin = self.platform.name
        if self.platform is not PLAIN and 10 * fitting < 9 * self.total:
            origin = f"probably {origin}"
        return f"Read as: {origin} ({fitting} of {self.total} file names match)"


def recognise(entries: Sequence[ArchiveEntry]) -> Recognised | None:
    """Return the platform whose names fit most files, if they fit at least half.

    They have to fit most folders, too: how many files there are in one, and how they
    are called, is up to a student where no platform has named the folders.
    """
    paths = [entry.path for entry in entries]
    common = common_length(path.parts[:-1] for path in paths)
    folders = {path.parts[common] for path in paths if len(path.parts) > common + 1}
    fitting = []
    answers = ask_platforms(
        lambda platform: platform.parse_all(entries), platforms=PLATFORMS
    )
    for platform, names in answers:
        total = sum(p in names or p.name != platform.listing for p in paths)
        fitting_folders = folders & {path.parts[common] for path in names}
        if not names or 2 * len(names) < total:
            continue
        if len(folders) > 1 and 2 * len(fitting_folders) <= len(folders):
            continue
        fitting.append(
            Recognised(
                platform=platform,
                names=names,
                total=total,
            )
        )
    return max(fitting, key=lambda recognised: len(recognised.names), default=None)


def read_plain_files(
    entries: Sequence[ArchiveEntry],
    file_names: Sequence[str],
    roster: Roster,
) -> Recognised:
    """Read names that no platform made: a folder or a file for each student."""
    paths = [entry.path for entry in entries]
    depth = _depth(paths, file_names, roster)
    names = {}
    paths_below = {path: PurePosixPath(*path.parts[depth:]) for path in paths}
    uses = Counter(
        name_in(path, file_names)
        for path in paths_below.values()
        if len(path.parts) == 1
    )
    for path, file in paths_below.items():
        word = name_in(file, file_names)
        # A file next to the folders may be anything, as a list of marks; and several of
        # one name are copies, as Google Drive numbers them.
        is_work = file.suffix in _WORK and uses[word] == 1
        if len(file.parts) > 1:
            file = PurePosixPath(*file.parts[1:])
            is_work = True
        if word and (is_work or is_of_class(word, roster)):
            names[path] = FileName(
                key=word,
                file=file,
                identifiers=word_identity(word).identifiers,
            )
    return Recognised(
        platform=PLAIN,
        names=names,
        total=len(paths),
    )


def word_identity(word: str) -> Identity:
    """Return what a name says that no platform made: an id, a name, or both."""
    return Identity(identifiers=(Identifier(Kind.WORD, word),))


def is_of_class(word: str, roster: Roster) -> bool:
    """Whether a name that no platform made may be that of somebody in the class."""
    match = roster.find(word_identity(word))
    return bool(match.person or match.question)


def _depth(
    paths: Sequence[PurePosixPath],
    file_names: Sequence[str],
    roster: Roster,
) -> int:
    """Return how many folders lie around everything, above those of the students.

    It is the first level that names somebody of the class, or else several students.
    """
    several = []
    for depth in range(common_length(path.parts[:-1] for path in paths) + 1):
        paths_below = [PurePosixPath(*path.parts[depth:]) for path in paths]
        # What else a student alone submits names nobody.
        names = {
            name_in(path, file_names)
            for path in paths_below
            if len(path.parts) > 1 or path.suffix in _WORK
        } - {"", *file_names}
        if any(is_of_class(name, roster) for name in names):
            return depth
        if len(names) > 1:
            several.append(depth)
    return min(several, default=0)


def name_in(path: PurePosixPath, file_names: Sequence[str]) -> str:
    """Return the first folder, or what a file's name says beside the assignment's."""
    if len(path.parts) > 1:
        return path.parts[0]
    stem = re.sub(r"(?:\.(?:ipynb|zip|json|txt))+$", "", path.name, flags=re.I)
    for name in file_names:
        escaped = re.escape(name)
        stem = re.sub(rf"(?:^|[\s_.-]+){escaped}(?:$|(?=[\s_.-]))", "", stem)
    stem = re.sub(r"\s*\(\d+\)$|[\s_-]*\bCopy of$", "", stem)  # as Colab has it
    return stem.strip(" _.-")
