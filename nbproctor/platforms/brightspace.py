"""Brightspace: names in *Download* of a folder's submissions, grade book, feedback.

Its source is closed: this is what it documents, and what teachers' scripts read. It
wants its download back: the folders under their names, with feedback in them, and its
``index.html``.
"""

from __future__ import annotations

from dataclasses import replace

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

    def correct(self, names: Names) -> None:
        """Where several have the first number, it does not stand for a person."""
        numbers = {name.identifiers for name in names.values()}
        people = {name.name for name in names.values()}
        for path, name in names.items():
            when = read_time(name.attempt, "en")
            names[path] = replace(
                name,
                identifiers=name.identifiers if len(numbers) >= len(people) else (),
                submitted=when,
                attempt=when.isoformat() if when else name.attempt,
            )
