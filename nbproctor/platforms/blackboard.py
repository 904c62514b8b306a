"""Blackboard: names in *Assignment File Download*, and its grade book.

Its source is closed: this is what it documents, and what teachers' scripts read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

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

    def correct(self, names: Names) -> None:
        """No login begins behind what all names share: the assignment is one of it."""
        shared = common_length(name.key.split("_") for name in names.values())
        for path, name in names.items():
            words = name.key.split("_")
            starts = range(min(shared, len(words) - 1), 0, -1)
            # Of several only one is right, so nobody is known by it.
            kind = Kind.LOGIN if len(starts) == 1 else Kind.NUMBER
            logins = [Identifier(kind, "_".join(words[start:])) for start in starts]
            submitted = None
            with suppress(ValueError):
                submitted = datetime.strptime(name.attempt, "%Y-%m-%d-%H-%M-%S")
            names[path] = replace(
                name,
                name="",
                identifiers=tuple(logins),
                submitted=submitted,
            )

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
