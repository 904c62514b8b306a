"""`proctor`: switches nbproctor on, in ``nbgrader_config.py``."""

from __future__ import annotations

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
from traitlets.config import Config

from nbproctor.nbgrader.autograder import ProctoredAutograde
from nbproctor.nbgrader.converters import take_literally
from nbproctor.nbgrader.course import find_programs
from nbproctor.nbgrader.export import Export, watch_exports
from nbproctor.nbgrader.feedback import ProctoredFeedback


def proctor(config: Config) -> None:
    """Switch nbproctor on: call it in ``nbgrader_config.py`` with ``c``.

    What nbgrader's own commands and formgrader do differently then:

    - ``Autograde`` is `ProctoredAutograde`, in the two modules of nbgrader that name it
      (``nbgrader.apps.autogradeapp`` and ``nbgrader.apps.api``), for this process only.
      When it starts, `Execute` stands for nbgrader's own in the two pipelines, and
      ``CheckCellMetadata`` is left out;
    - ``GenerateFeedback`` is `ProctoredFeedback`, likewise: pages of our own;
    - ``nbgrader export`` writes no 0 for what was not graded; a plug-in of the
      course's own may, and the command then names whose work it is;
    - notebooks are not validated after every single preprocessor.

    All else that the configuration says stays in force, before this call or after it.
    A second call changes nothing.

    Where nbproctor is not installed, nbgrader would pass over the error and grade
    without a sandbox; these lines end it instead::

        try:
            from nbproctor import proctor
        except ImportError as error:
            raise SystemExit(f"Nothing is graded: {error}")

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
