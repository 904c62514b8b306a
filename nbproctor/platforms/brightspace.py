"""Brightspace: names in *Download* of a folder's submissions, grade book, feedback.

Its source is closed: this is what it documents, and what teachers' scripts read. It
wants its download back: the folders under their names, with feedback in them, and its
``index.html``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.person import Identifier, Kind
from nbproctor.platforms.platform import FileName, Names, Platform
from nbproctor.platforms.sheet import read_time

_NAME = re.compile(
    r"(?:(?P<user>\d+)-(?P<item>\d+) - )(?P<name>.+?) - "
    r"(?P<when>[^-]*\b\d{4}\b[^-]*?)(?: - (?P<file>.+))?"
)


class Brightspace(Platform):
    """Brightspace, by D2L."""

    name = "Brightspace"
    titles = r"(.*?) Points Grade(?:.*MaxPoints:([\d.,]+))?.*"
    upload = "the assignment's submissions, Add Feedback Files"
    listing = "index.html"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb``."""
        match = _NAME.fullmatch(parts[0])
        if match is None:
            return None
        path_inside = [*([match["file"]] if match["file"] else []), *parts[1:]]
        if not path_inside:
            return None
        when = read_time(match["when"], "en")
        return FileName(
            key=f"{match['user']} {match['name']}",
            file=PurePosixPath("/".join(path_inside)),
            name=match["name"].strip(),
            identifiers=(Identifier(Kind.BRIGHTSPACE, match["user"]),),
            submitted=when,
            attempt=when.isoformat() if when else match["when"],
            address=parts[0].removesuffix(f" - {match['file']}"),
        )

    def parse_all(self, entries: Iterable[ArchiveEntry]) -> Names:
        """Where several have the first number, it does not stand for a person."""
        parsed = super().parse_all(entries)
        numbers = {name.identifiers for name in parsed.values()}
        if len(numbers) < len({name.name for name in parsed.values()}):
            return {
                path: replace(name, identifiers=()) for path, name in parsed.items()
            }
        return parsed
