"""Collector for ``nbgrader zip_collect``, which reads the names that platforms give."""

from __future__ import annotations

from pathlib import PurePosixPath

from nbgrader.plugins import FileNameCollectorPlugin

from nbproctor.platforms.archive import ArchiveEntry
from nbproctor.platforms.registry import recognise
from nbproctor.platforms.roster import safe, split_name


class PlatformCollector(FileNameCollectorPlugin):  # type: ignore[misc]
    """Reads the names that learning platforms give, without an expression.

    ``--collector=nbproctor.nbgrader.collector.PlatformCollector`` is the option for it.
    It knows names only: `kit.py collect` also knows the class list, keeps what is
    there, and says what it could not place.
    """

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Return what a file's name says, as nbgrader's own plug-in does."""
        path = PurePosixPath(submitted_file.replace("\\", "/"))
        if path.suffix not in self.valid_ext:
            return None
        found = recognise([ArchiveEntry(path, 0, bytes)])
        if found is None:
            return None
        name = found.names[path]
        last, first = split_name(name.name)
        result = {
            "student_id": safe(next(iter(name.ids), name.key)),
            "file_id": name.file.name,
            "first_name": first,
            "last_name": last,
        }
        if name.submitted:
            result["timestamp"] = f"{name.submitted.astimezone():%Y-%m-%d %H:%M:%S%z}"
        return result
