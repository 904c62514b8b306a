"""Brightspace: names in *Download* of a folder's submissions, grade book, feedback.

Its source is closed: this is what it documents, and what teachers' scripts read. It
wants its download back: the folders under their names, with feedback in them, and its
``index.html``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.platform import FileName, Names, Platform
from nbproctor.platforms.sheet import read_time


class Brightspace(Platform):
    """Brightspace, by D2L."""

    name = "Brightspace"
    path = (
        r"(?P<address>(?P<BRIGHTSPACE>\d+)-\d+ -  *(?P<name>[^/]+?)  *- "
        r"(?P<attempt>[^/-]*\b\d{4}\b[^/-]*?))(?: - |/)(?P<file>.+)"
    )
    titles = r"(.*?) Points Grade(?:.*MaxPoints:([\d.,]+))?.*"
    upload = "the assignment's submissions > Add Feedback Files"
    listing = "index.html"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb``."""
        name = super().parse(parts)
        if name is None:
            return None
        when = read_time(name.attempt, "en")
        attempt = when.isoformat() if when else name.attempt
        key = f"{name.key} {name.name}"
        return replace(
            name,
            key=key,
            submitted=when,
            attempt=attempt,
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
