"""Switching nbproctor on, in ``nbgrader_config.py``."""

from __future__ import annotations

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.preprocessors import CheckCellMetadata
from nbgrader.preprocessors import Execute as StockExecute
from traitlets.config import Config

from nbproctor.nbgrader import database  # noqa: F401 (sets how SQLite waits)
from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import find_programs
from nbproctor.nbgrader.export import Export
from nbproctor.nbgrader.preprocessors import Execute, HideHiddenTests


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    What nbgrader's own commands and formgrader do differently then:

    - ``Autograde`` becomes `ProctoredAutograde`, in the two modules of nbgrader that
      name it (``nbgrader.apps.autogradeapp`` and ``nbgrader.apps.api``), for this
      process only;
    - in ``Autograde.sanitize_preprocessors`` and ``autograde_preprocessors``, `Execute`
      stands for nbgrader's own, and ``CheckCellMetadata`` is left out, because the
      metadata comes from the source, which was checked for the release;
    - ``GenerateFeedback.preprocessors`` begins with `HideHiddenTests`;
    - ``nbgrader export`` writes no 0 for what was not graded (unless the course names
      a plug-in of its own);
    - notebooks are not validated after every single preprocessor.

    All else that the configuration says stays in force. A second call changes nothing.

    Parameters
    ----------
    config : Config
        The configuration that nbgrader is reading.
    """
    for name in ("sanitize_preprocessors", "autograde_preprocessors"):
        stock = Autograde.class_traits()[name].default()
        config.Autograde[name] = [
            Execute if preprocessor is StockExecute else preprocessor
            for preprocessor in config.Autograde.get(name, stock)
            if preprocessor is not CheckCellMetadata
        ]
    stock = GenerateFeedback.class_traits()["preprocessors"].default()
    chosen = config.GenerateFeedback.get("preprocessors", stock)
    if HideHiddenTests not in chosen:
        config.GenerateFeedback.preprocessors = [HideHiddenTests, *chosen]
    config.NotebookExporter.optimistic_validation = True
    config.ExportApp.setdefault("plugin_class", Export)
    # A course that does not list our `Execute` still gets the stock autograder from it.
    nbgrader.apps.autogradeapp.Autograde = ProctoredAutograde
    nbgrader.apps.api.Autograde = ProctoredAutograde
    find_programs()
