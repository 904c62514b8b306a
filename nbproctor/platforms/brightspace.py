"""Brightspace: names in *Download* of a folder's submissions, grade book, feedback.

Its source is closed: this is what it documents, and what teachers' scripts read. It
wants its download back: the folders under their names, with feedback in them, and its
``index.html``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.platform import Names, Platform
from nbproctor.platforms.sheet import read_time


class Brightspace(Platform):
    """Brightspace, by D2L."""

    name = "Brightspace"
    # ``1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb``
    path = (
        r"(?P<address>(?P<BRIGHTSPACE>\d+)-\d+ -  *(?P<name>[^/]+?)  *- "
        r"(?P<attempt>[^/-]*\b\d{4}\b[^/-]*?))(?: - |/)(?P<file>.+)"
    )
    titles = r"(.*?) Points Grade(?:.*MaxPoints:([\d.,]+))?.*"
    upload = "the assignment's submissions > Add Feedback Files"
    listing = "index.html"

    def parse_all(self, entries: Iterable[ArchiveEntry]) -> Names:
        """Where several have the first number, it does not stand for a person."""
        parsed = super().parse_all(entries)
        numbers = {name.identifiers for name in parsed.values()}
        people = {name.name for name in parsed.values()}
        for path, name in parsed.items():
            when = read_time(name.attempt, "en")
            parsed[path] = replace(
                name,
                identifiers=name.identifiers if len(numbers) >= len(people) else (),
                submitted=when,
                attempt=when.isoformat() if when else name.attempt,
            )
        return parsed
