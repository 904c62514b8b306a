"""Microsoft Teams: the folders of *Submitted files* in a class's document library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from nbproctor.platforms.platform import FileName, Platform


class Teams(Platform):
    """Teams, which makes a folder for each version that is submitted."""

    name = "Teams"

    def parse(self, parts: Sequence[str]) -> FileName | None:
        """``Amara Okafor/Lab 5/Version 2/lab.ipynb``; the newest version counts."""
        version = re.fullmatch(r"Vers\w+ (\d+)", parts[2]) if len(parts) > 3 else None
        if version is None:
            return None
        file = PurePosixPath(*parts[3:])
        return FileName(
            key=parts[0], file=file, name=parts[0], attempt=version[1].zfill(4)
        )
