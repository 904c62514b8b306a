"""Collector for ``nbgrader zip_collect``, which reads the names that platforms give."""

from __future__ import annotations

from pathlib import PurePosixPath

from nbgrader.plugins import FileNameCollectorPlugin

from nbproctor.platforms.names import recognise
from nbproctor.platforms.people import safe, split_name


class PlatformCollector(FileNameCollectorPlugin):  # type: ignore[misc]
    """Reads names of Canvas, Moodle, Blackboard and Brightspace without an expression.

    ``--collector=nbproctor.nbgrader.collector.PlatformCollector`` is the option for it.
    It knows names only: `kit.py collect` also knows the class list, keeps what is
    there, and says what it could not place.
    """

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Return what a file's name says, as nbgrader's own plug-in does."""
        path = PurePosixPath(submitted_file.replace("\\", "/"))
        if path.suffix not in self.valid_ext:
            return None
        found = recognise([path])
        if found is None:
            return None
        handed = found.handed[path]
        last, first = split_name(handed.name)
        result = {
            "student_id": safe(next(iter(handed.ids), handed.key)),
            "file_id": handed.file.name,
            "first_name": first,
            "last_name": last,
        }
        if handed.submitted:
            result["timestamp"] = f"{handed.submitted.astimezone():%Y-%m-%d %H:%M:%S%z}"
        return result
