"""Support files: what lies beside an assignment's notebook, for every student."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__")  # as nbgrader does


def files(
    source: Path, data: str | None, ignored: Sequence[str] = IGNORED
) -> dict[str, str]:
    """Return the assignment's own files.

    Parameters
    ----------
    source
        Folder with the notebooks, which are left out.
    data
        The data folder, if the assignment has one.
    ignored
        Patterns for the names of files and folders that do not count.

    Returns
    -------
    dict
        Place in a student's folder → real path.
    """
    places = (path.relative_to(source) for path in sorted(source.rglob("*")))
    found = {
        place.as_posix(): str((source / place).resolve())
        for place in places
        if (source / place).is_file()
        and place.suffix != ".ipynb"
        and not any(fnmatch(part, name) for part in place.parts for name in ignored)
    }
    if data and not any(Path(place).parts[0] == "data" for place in found):
        found["data"] = data
    return found


def data_folder(notebook: Path) -> str | None:
    """Return the nearest folder ``data`` beside or above a notebook, in its course."""
    for folder in notebook.resolve().parents:
        if (folder / "data").is_dir():
            return str(folder / "data")
        if (folder / "nbgrader_config.py").exists():
            return None
    return None
