"""Grades out: into the file that a platform gave, as a table, or to be made there."""

from nbproctor.export.fill import Change, Filled, fill
from nbproctor.export.layout import ExportError
from nbproctor.export.table import write_table

__all__ = ["Change", "ExportError", "Filled", "fill", "write_table"]
