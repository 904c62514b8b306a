"""Blackboard: names in *Assignment File Download*, and its grade book.

Its source is closed: this is what it documents, and what teachers' scripts read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.person import Identifier, Identity, Kind
from nbproctor.platforms.platform import (
    Names,
    Platform,
    SubmittedFile,
    common_length,
)

_TIME = r"\d{4}(?:-\d\d){5}"


class Blackboard(Platform):
    """Blackboard, which puts a page next to each attempt and takes no feedback."""

    name = "Blackboard"
    # ``Lab 5_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb``. Of a group it is the
    # group's name. Assignment and login may hold ``_``.
    path = (
        rf"(?P<name>[^/]*?_[^/_]+)_(?:attempt_(?P<attempt>{_TIME})_(?P<file>[^/]+)"
        rf"|(?P<page>attempt_(?P<attempt2>{_TIME})\.txt))"
    )
    titles = r"(.*) \[Total Pts: (?:up to )?([\d.,]+).*"  # "Lab [Total Pts: 100 Score]"

    def parse_all(self, entries: Iterable[ArchiveEntry]) -> Names:
        """No login begins behind what all names share: the assignment is one of it."""
        parsed = super().parse_all(entries)
        shared = common_length(name.key.split("_") for name in parsed.values())
        for path, name in parsed.items():
            words = name.key.split("_")
            starts = range(min(shared, len(words) - 1), 0, -1)
            # Of several only one is right, so nobody is known by it.
            kind = Kind.LOGIN if len(starts) == 1 else Kind.NUMBER
            logins = []
            for start in starts:
                logins.append(Identifier(kind, "_".join(words[start:])))
            parsed[path] = replace(
                name,
                name="",
                identifiers=tuple(logins),
                submitted=_read_time(name.attempt),
            )
        return parsed

    def students(self, files: Sequence[SubmittedFile]) -> list[Identity]:
        """Take name and login of the page next to an attempt, which has them whole."""
        for file in files:
            if file.kind != "page" or file.entry.size >= 1 << 20:
                continue
            text = file.entry.read().decode("utf-8", "replace")
            match = re.search(r"^\W*Name:\s*(.+?)\s*\(([^()]+)\)", text, re.M)
            if match:
                login = Identifier(Kind.LOGIN, match[2])
                return [Identity(match[1], (login,))]
        return super().students(files)


def _read_time(attempt: str) -> datetime | None:
    try:
        return datetime.strptime(attempt, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
