"""An autograder for Jupyter notebooks, on top of nbgrader, that cannot be tricked.

A course switches it on with ``proctor(c)`` in its ``nbgrader_config.py``. Hidden tests
may use the module `nbproctor.expect`.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbproctor import expect
    from nbproctor.engine import Execution, Pool, Servers, Settings, execute
    from nbproctor.errors import NbproctorError
    from nbproctor.nbgrader import generate, grade, proctor
    from nbproctor.nbgrader.feedback import feedback
    from nbproctor.nbgrader.release import lint
    from nbproctor.nbgrader.tables import scores
    from nbproctor.notebook import MasterNotebook
    from nbproctor.results import Limits, Report, StudentCell, SubmissionResult, Verdict
    from nbproctor.sandbox.policy import Policy

__version__ = "1.0.0"
__all__ = [
    "Execution",
    "Limits",
    "MasterNotebook",
    "NbproctorError",
    "Policy",
    "Pool",
    "Report",
    "Servers",
    "Settings",
    "StudentCell",
    "SubmissionResult",
    "Verdict",
    "execute",
    "expect",
    "feedback",
    "generate",
    "grade",
    "lint",
    "proctor",
    "scores",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())

# Imported when first asked for: nbgrader, pandas and IPython take a second, and test
# cells that want `expect` need none of them.
_HOMES = {
    "engine": ("Execution", "Pool", "Servers", "Settings", "execute"),
    "errors": ("NbproctorError",),
    "nbgrader": ("feedback", "generate", "grade", "lint", "proctor", "scores"),
    "notebook": ("MasterNotebook",),
    "results": ("Limits", "Report", "StudentCell", "SubmissionResult", "Verdict"),
    "sandbox.policy": ("Policy",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    if name == "expect":
        return import_module(f"{__name__}.expect")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
