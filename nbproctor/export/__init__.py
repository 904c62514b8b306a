"""Export of grades: a platform's file filled in, a table, or an autograder."""

from nbproctor.export.fill import Change, Filled, fill
from nbproctor.export.layout import ExportError
from nbproctor.export.table import write_table

__all__ = ["Change", "ExportError", "Filled", "fill", "write_table"]
