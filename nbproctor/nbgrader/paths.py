"""Paths that nbgrader would read as patterns: a course or student with ``[1]`` in it.

nbgrader puts whole paths into `glob`, where brackets mean something else. Then it finds
no notebook of ``anna[1]``, and does not leave out what is to be ignored.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader import utils
from nbgrader.converters.base import BaseConverter, NbGraderException


def take_literally() -> None:
    """Let nbgrader take the names of folders as they are, in its own commands too."""
    utils.is_ignored = _is_ignored
    BaseConverter.init_notebooks = _init_notebooks


def _is_ignored(filename: str, ignore_globs: Sequence[str] | None = None) -> bool:
    """Whether the name of a file (not of its folders) matches one of the patterns."""
    name = Path(filename).name
    return any(
        fnmatch.fnmatch(name, pattern)
        # As with `glob`, only a pattern with a dot in front matches a hidden file.
        and (pattern.startswith(".") or not name.startswith("."))
        for pattern in ignore_globs or ()
    )


def _init_notebooks(converter: BaseConverter) -> None:
    """List assignments and notebooks; only ids given by the user are patterns."""
    coursedir: Any = converter.coursedir
    pattern = converter._format_source(coursedir.assignment_id, coursedir.student_id)
    start = f"{coursedir.root}{os.sep}"
    folders = []
    if pattern.startswith(start):
        inside = pattern.removeprefix(start)
        # Strings, because nbgrader's own "source/./tiny" has to stay as it is.
        found = glob.glob(inside, root_dir=coursedir.root)  # noqa: PTH207
        folders = [start + name for name in found]
    converter.notebooks = []
    converter.assignments = {}
    # What does not match itself is a student id, given by name, with a bracket in it.
    for folder in {*folders, *([pattern] if Path(pattern).is_dir() else [])}:
        name = f"{coursedir.notebook_id}.ipynb"
        if names := glob.glob(name, root_dir=folder):  # noqa: PTH207
            converter.assignments[folder] = [f"{folder}{os.sep}{n}" for n in names]
    if not converter.assignments:
        message = f"No notebooks were matched by '{pattern}'"
        converter.log.error(message)
        raise NbGraderException(message)
