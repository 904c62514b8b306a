"""Registry of learning platforms, and which of them gave a download or a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from nbproctor.platforms.archive import Entry
from nbproctor.platforms.blackboard import Blackboard
from nbproctor.platforms.brightspace import Brightspace
from nbproctor.platforms.canvas import Canvas
from nbproctor.platforms.github_classroom import GitHubClassroom
from nbproctor.platforms.gradescope import Gradescope
from nbproctor.platforms.moodle import Moodle
from nbproctor.platforms.platform import (
    ExportError,
    FileName,
    GradeColumn,
    Platform,
)
from nbproctor.platforms.sheet import Sheet

# The order decides where two fit equally well. Canvas comes last: of its names little
# more can be said than that numbers are in them.
PLATFORMS: tuple[Platform, ...] = (
    Moodle(),
    Blackboard(),
    Brightspace(),
    GitHubClassroom(),
    Gradescope(),
    Canvas(),
)


class PlainFiles(Platform):
    """Names that no platform made: a folder or a file for each student."""

    name = "plain files"

    def parse_all(
        self, entries: Iterable[Entry], own: Sequence[str]
    ) -> dict[PurePosixPath, FileName]:
        """Take the first folder, or what a file's name says beside the assignment's."""
        paths = [entry.path for entry in entries]
        short = paths
        while (
            short
            and len({path.parts[0] for path in short}) == 1
            and all(len(path.parts) > 2 for path in short)
            and len({path.parts[1] for path in short} - set(own)) > 1
        ):
            short = [PurePosixPath(*path.parts[1:]) for path in short]
        parsed = {}
        for path, inside in zip(paths, short, strict=True):
            who, *rest = inside.parts
            if not rest:
                who, rest = _without(inside, own), [inside.name]
            if who:
                parsed[path] = FileName(who, PurePosixPath(*rest), who, (who,))
        return parsed


PLAIN = PlainFiles()


class Recognised(NamedTuple):
    """Which platform a download is from, and what names say that are as it writes them.

    Attributes
    ----------
    total : int
        Number of files, without the platform's own.
    """

    platform: Platform
    names: dict[PurePosixPath, FileName]
    total: int

    def __str__(self) -> str:
        fitting = len(self.names)
        sure = "sure" if 10 * fitting >= 9 * self.total else "probably"
        sure = "a guess" if self.platform is PLAIN else sure
        named = f"{fitting} of {self.total} files are named so"
        return f"{self.platform.name} ({sure}: {named})"


def recognise(entries: Sequence[Entry], own: Sequence[str] = ()) -> Recognised | None:
    """Return the platform whose names fit most files, if they fit at least half."""
    best: Recognised | None = None
    for platform in PLATFORMS:
        names = platform.parse_all(entries, own)
        paths = [entry.path for entry in entries]
        total = sum(p in names or p.name != platform.listing for p in paths)
        if not names or 2 * len(names) < total:
            continue
        if best is None or len(names) > len(best.names):
            best = Recognised(platform, names, total)
    return best


def plain(entries: Sequence[Entry], own: Sequence[str]) -> Recognised:
    """Read names that no platform made."""
    return Recognised(PLAIN, PLAIN.parse_all(entries, own), len(entries))


def _without(path: PurePosixPath, own: Sequence[str]) -> str:
    """Return what a file's name says beside the name of the assignment."""
    stem = path.name
    while re.search(r"\.(ipynb|zip|json|txt)$", stem, re.I):
        stem = stem.rpartition(".")[0]
    for name in own:
        stem = re.sub(rf"(?:^|[\s_.-]+){re.escape(name)}(?:$|(?=[\s_.-]))", "", stem)
    stem = re.sub(r"\s*\(\d+\)$", "", stem)
    return stem.strip(" _.-")


def find_grade_column(
    sheet: Sheet, assignment: str, column: str | None
) -> tuple[Platform, GradeColumn]:
    """Tell whose file it is and where marks go.

    Raises
    ------
    ExportError
        It is no file of a platform, or it cannot be told which column is meant.
    """
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
