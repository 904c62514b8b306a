"""Master notebook: an assignment frozen for grading, read from its source.

A `MasterNotebook` is read from the *source* notebook, which holds what no student file
may decide: which cell is a test, what it is worth, and which exercise it scores.
"""

from nbproctor.notebook.cells import Cell, Kind, Where
from nbproctor.notebook.master import MasterNotebook, MasterNotebookError

__all__ = [
    "Cell",
    "Kind",
    "MasterNotebook",
    "MasterNotebookError",
    "Where",
]
