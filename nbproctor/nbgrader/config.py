"""Switching nbproctor on, in ``nbgrader_config.py``."""

from __future__ import annotations

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
from nbgrader.converters import Autograde
from nbgrader.preprocessors import CheckCellMetadata
from nbgrader.preprocessors import Execute as StockExecute
from traitlets.config import Config

from nbproctor.nbgrader import database  # noqa: F401 (sets how SQLite waits)
from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.course import find_programs
from nbproctor.nbgrader.export import Export
from nbproctor.nbgrader.feedback import ProctoredFeedback
from nbproctor.nbgrader.preprocessors import Execute


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    Everything else that the configuration says about `Autograde` and
    `GenerateFeedback` stays in force.
    """
    for name in ("sanitize_preprocessors", "autograde_preprocessors"):
        stock = Autograde.class_traits()[name].default()
        chosen = config.Autograde.get(name, stock)
        # nbgrader's metadata is taken from the source, which was checked when the
        # release was made: no need to check each cell again, twice a submission.
        config.Autograde[name] = [
            Execute if preprocessor is StockExecute else preprocessor
            for preprocessor in chosen
            if preprocessor is not CheckCellMetadata
        ]
    # nbconvert else validates the notebook after every preprocessor.
    config.NotebookExporter.optimistic_validation = True
    config.ExportApp.setdefault("plugin_class", Export)
    # nbgrader's command line and formgrader's button name the class here. A course
    # that does not list our `Execute` still gets the stock autograder from it.
    nbgrader.apps.autogradeapp.Autograde = ProctoredAutograde
    nbgrader.apps.api.Autograde = ProctoredAutograde
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = ProctoredFeedback
    nbgrader.apps.api.GenerateFeedback = ProctoredFeedback
    find_programs()
