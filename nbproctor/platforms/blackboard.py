"""Blackboard: names in *Assignment File Download*, and its grade book.

Its source is closed: this is what it documents, and what teachers' scripts read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.platform import FileName, Platform

_NAME = re.compile(
    r"(?P<assignment>.*?)_(?P<user>[^_]+)_attempt_"
    r"(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"
)


class Blackboard(Platform):
    """Blackboard, which puts a page beside each attempt and takes no feedback."""

    name = "Blackboard"
    titles = r"(.*) \[Total Pts: (?:up to )?([\d.,]+).*"  # "Lab [Total Pts: 100 Score]"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``Lab 5_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb``."""
        match = _NAME.fullmatch(parts[0])
        if match is None or len(parts) > 1:
            return None
        try:
            when = datetime.strptime(match["when"], "%Y-%m-%d-%H-%M-%S")
        except ValueError:
            return None
        return FileName(
            match["user"],
            PurePosixPath(match["file"] or "attempt.txt"),
            ids=(match["user"],),
            submitted=when,
            attempt=match["when"],
            kind="file" if match["file"] else "page",
        )

    def students(
        self, files: Sequence[tuple[ArchiveEntry, FileName]]
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Add name and login as the page beside an attempt has them.

        A login with ``_`` is cut in the names of the files.
        """
        for entry, file in files:
            if file.kind == "page" and entry.size < 1 << 20:
                text = entry.read().decode("utf-8", "replace")
                if found := re.search(r"^\W*Name:\s*(.+?)\s*\(([^()]+)\)", text, re.M):
                    return [(found[1], (found[2], *file.ids))]
        return super().students(files)
