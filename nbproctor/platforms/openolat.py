"""OpenOlat: the archive of a *Task* course element, and its bulk download."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from nbproctor.platforms.person import Identifier, Kind
from nbproctor.platforms.platform import FileName, Platform

_STEP = re.compile(
    r"(\d+)_(?:(submissions|revisions)|task|corrections|assessment)(?:_\d+)?"
)


class OpenOlat(Platform):
    """OpenOlat, which numbers the steps of a task in the folder of each student."""

    name = "OpenOlat"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``Okafor_Amara_aokafor/2_submissions/lab.ipynb``, or a later revision.

        The task itself, and what a coach gave back, are no work of the student's.
        """
        step = _STEP.fullmatch(parts[1]) if len(parts) > 2 else None
        if step is None:
            return None
        return FileName(
            key=parts[0],
            file=PurePosixPath(*parts[2:]),
            identifiers=(Identifier(Kind.WORD, parts[0]),),
            attempt=step[1].zfill(4),
            kind="file" if step[2] else "course",
        )
