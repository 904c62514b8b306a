"""Names of the files in a download: which platform gave it, and whose each file is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from nbproctor.platforms.grammars import PLATFORMS, Handed

PLAIN = "plain files"
# Files that the platform itself puts into a download.
OF_THE_PLATFORM = {"Brightspace": {"index.html"}}


class Recognised(NamedTuple):
    """Which platform a download is from, and how many of its files say so."""

    platform: str
    handed: dict[PurePosixPath, Handed]
    total: int

    @property
    def certainty(self) -> str:
        """How sure that is, in a word."""
        if self.platform == PLAIN:
            return "a guess"
        return "sure" if 10 * len(self.handed) >= 9 * self.total else "probably"


def recognise(paths: Iterable[PurePosixPath]) -> Recognised | None:
    """Tell which platform gave files of these names.

    Folders around them do not matter.

    Returns
    -------
    Recognised or None
        The platform whose grammar fits most files, if it fits at least half of them.
    """
    everything = list(paths)
    best: Recognised | None = None
    for platform, grammar in PLATFORMS.items():
        own = OF_THE_PLATFORM.get(platform, set())
        handed = {
            path: found for path in everything if (found := _parse(grammar, path.parts))
        }
        total = sum(path in handed or path.name not in own for path in everything)
        if 2 * len(handed) < total or not handed:
            continue
        if best is None or len(handed) > len(best.handed):
            best = Recognised(platform, handed, total)
    if best:
        names = {found.name for found in best.handed.values()}
        numbers = {found.ids for found in best.handed.values()}
        word = len(names) == 1 and " " not in next(iter(names))
        if best.platform == "Moodle" and word and len(numbers) > 1:
            # One word for everybody is "Participant", in whatever language.
            blind = {path: replace(h, name="") for path, h in best.handed.items()}
            best = best._replace(handed=blind)
        if best.platform == "Brightspace" and len(numbers) < len(names):
            # Then the first number does not stand for a person.
            named = {path: replace(h, ids=()) for path, h in best.handed.items()}
            best = best._replace(handed=named)
    return best


def _parse(
    grammar: Callable[[Sequence[str]], Handed | None], parts: Sequence[str]
) -> Handed | None:
    for start in range(len(parts)):
        if found := grammar(parts[start:]):
            return found
    return None


def plain(paths: Iterable[PurePosixPath], own: Sequence[str]) -> Recognised:
    """Read names that no platform made: a folder or a file for each student.

    Parameters
    ----------
    own : sequence of str
        Names of the assignment and its notebooks: they name no student.
    """
    all_paths = list(paths)
    everything = all_paths
    while (
        everything
        and len({path.parts[0] for path in everything}) == 1
        and all(len(path.parts) > 2 for path in everything)
        and len({path.parts[1] for path in everything} - set(own)) > 1
    ):
        everything = [PurePosixPath(*path.parts[1:]) for path in everything]
    handed = {}
    for path, short in zip(all_paths, everything, strict=True):
        who = short.parts[0] if len(short.parts) > 1 else _without(short, own)
        inside = short.parts[1:] or short.parts
        if who:
            handed[path] = Handed(who, PurePosixPath(*inside), who, (who,))
    return Recognised(PLAIN, handed, len(everything))


def _without(path: PurePosixPath, own: Sequence[str]) -> str:
    """Return what a file's name says beside the name of the assignment."""
    stem = path.name
    while re.search(r"\.(ipynb|zip|json|txt)$", stem, re.I):
        stem = stem.rpartition(".")[0]
    for name in own:
        stem = re.sub(rf"(?:^|[\s_.-]+){re.escape(name)}(?:$|(?=[\s_.-]))", "", stem)
    stem = re.sub(r"\s*\(\d+\)$", "", stem)
    return stem.strip(" _.-")
