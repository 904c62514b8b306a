"""`proctor`: switches nbproctor on, in ``nbgrader_config.py``."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
from nbgrader import utils
from nbgrader.converters.base import BaseConverter, NbGraderException
from traitlets.config import Config

from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import find_programs
from nbproctor.nbgrader.export import Export, watch_exports
from nbproctor.nbgrader.feedback import ProctoredFeedback


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    From then on, for this process only, ``Autograde`` is `ProctoredAutograde` and
    ``GenerateFeedback`` is `ProctoredFeedback` in nbgrader's own commands and behind
    formgrader's buttons; ``nbgrader export`` writes no 0 for what was not graded, or
    names whose work it is; and notebooks are not validated after every preprocessor.
    All else that the configuration says stays in force, before this call or after it.

    Where nbproctor is not installed, nbgrader would pass over the error and grade
    without a sandbox. What `nbproctor init` writes (`kit.starter.SWITCH`) has
    ``autograde`` refuse then, and nothing else.

    Parameters
    ----------
    config : Config
        The configuration that nbgrader is reading.
    """
    config.NotebookExporter.optimistic_validation = True
    config.ExportApp.setdefault("plugin_class", Export)
    watch_exports()
    find_programs()
    take_literally()
    config.Nbproctor.enabled = True


# As soon as a course asks for it: nbgrader passes over an error in a configuration, and
# would then grade without a sandbox. Without ``enabled``, this class grades nothing.
nbgrader.apps.autogradeapp.Autograde = ProctoredAutograde
nbgrader.apps.api.Autograde = ProctoredAutograde
nbgrader.apps.generatefeedbackapp.GenerateFeedback = ProctoredFeedback
nbgrader.apps.api.GenerateFeedback = ProctoredFeedback


def take_literally() -> None:
    """Let nbgrader take the names of folders as they are, in its own commands too.

    It puts whole paths into `glob`, where brackets mean something else. Then it finds
    no notebook of the student ``anna[1]``, and does not leave out what is ignored.
    """
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
