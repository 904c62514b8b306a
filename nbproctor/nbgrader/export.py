"""``nbgrader export``: no zeros for what was not graded; and tables as files."""

from __future__ import annotations

import csv
import warnings
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Grade, Gradebook
from nbgrader.apps.exportapp import ExportApp
from nbgrader.plugins import CsvExportPlugin

from nbproctor.platforms.sheet import write_rows

if TYPE_CHECKING:
    import pandas as pd


class Export(CsvExportPlugin):  # type: ignore[misc]
    """nbgrader's CSV file, with empty scores where there is no grade.

    nbgrader itself writes 0 both for what was not graded and for what was not
    submitted.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the file, then empty the scores that were never given."""
        super().export(gradebook)
        path = Path(self.to or "grades.csv")
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        scored = _scored(gradebook)
        for row in rows:
            # nbgrader puts no quotes around a name with a comma, or a line break.
            if len(row) < len(header):
                continue
            work = row[0], row[3]  # assignment, student_id
            if not any(scored[work]):
                row[-4] = ""  # raw_score
                row[-2] = ""  # score
        # Names are chosen by the platform or by students.
        write_rows(path, [header, *rows])


_stock_start = ExportApp.start


def patch_export() -> None:
    """Let ``nbgrader export`` list submissions without a grade, for every plug-in.

    A course's own plug-in reads nbgrader's sums, in which a missing score counts as 0.
    Nothing can change what it writes then.
    """
    ExportApp.start = _start


def _start(app: ExportApp) -> None:
    _stock_start(app)
    if issubclass(app.plugin_class, Export):
        return
    with Gradebook(app.coursedir.db_url, app.coursedir.course_id) as book:
        works = sorted(_scored(book).items())
    lacking = [
        f"{student} ({assignment})"
        for (assignment, student), scored in works
        if not all(scored)
    ]
    if lacking:
        app.log.warning(
            "Not graded, or not completely. A 0 that %s writes for these students is "
            "not a mark: %s",
            app.plugin_class.__name__,
            ", ".join(lacking),
        )


def _scored(book: Gradebook) -> defaultdict[tuple[str, str], list[bool]]:
    """Return (assignment, student) → for each graded cell, whether it has a score."""
    works = defaultdict(list)
    for grade in book.db.query(Grade):
        scores = (grade.auto_score, grade.manual_score)
        work = grade.assignment.name, grade.student.id
        works[work].append(scores != (None, None))
    return works


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, as CSV or Parquet by the file's name.

    In the CSV file, a spreadsheet program reads no cell as a formula. A missing mark is
    an empty cell.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it says about pandas's options
            import fastparquet  # takes most of a second
        # Not pandas's own writer, which wants pyarrow: where that is installed, pandas
        # imports it into every process, and it starts a thread. No fork server can
        # work with one.
        fastparquet.write(path, table)
        return
    plain = table.reset_index()
    for name, column in plain.select_dtypes("datetime").items():
        plain[name] = column.dt.strftime("%Y-%m-%d %H:%M:%S")
    cells = plain.astype(object).where(plain.notna(), "")
    rows = [[*plain.columns], *cells.itertuples(index=False, name=None)]
    # With its mark, Excel reads UTF-8 as UTF-8.
    write_rows(path, rows, "utf-8-sig")
