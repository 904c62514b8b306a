"""Archive of feedback: one zip for the whole class, named as a platform wants it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from nbproctor.errors import NbproctorError

Naming = Callable[[str, str], str]  # student id, file name → path in the zip


class ArchiveError(NbproctorError):
    """The pages cannot be packed under the names that were given."""


def pack(pages: Iterable[tuple[str, Path]], target: Path, naming: Naming) -> Path:
    """Put everybody's pages, by student id, into one zip; an older one is replaced.

    Raises
    ------
    ArchiveError
        Two files would get one name, or a name leads out of the zip. Nothing is
        written.
    """
    named: dict[str, Path] = {}
    for student, path in pages:
        name = naming(student, path.name)
        parts = PurePosixPath(name.replace("\\", "/"))
        if not name or parts.is_absolute() or ".." in parts.parts or ":" in name:
            raise ArchiveError(f"{name!r} is no name for a file in a zip ({student}).")
        if str(parts) in named:
            raise ArchiveError(
                f"Two files would be {name!r} in the zip: {named[str(parts)]} and "
                f"{path}. Give each student a name of their own."
            )
        named[str(parts)] = path
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(named.items()):
            archive.write(path, name)
    temporary.replace(target)
    return target
