"""``nbgrader export``: no zeros for what was not graded; and tables as files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook
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
        """Write the file, then empty the scores that nobody gave."""
        super().export(gradebook)
        import pandas as pd  # a quarter of a second, which few commands need

        path = Path(self.to or "grades.csv")
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        scored_work = {work for work, scored in _scored(gradebook) if any(scored)}
        works = zip(table["assignment"], table["student_id"], strict=True)
        has_no_score = [work not in scored_work for work in works]
        table.loc[has_no_score, ["raw_score", "score"]] = ""
        # With names that the platform, or students, chose.
        write_rows(path, _rows(table))


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
    lacking = []
    with Gradebook(app.coursedir.db_url, app.coursedir.course_id) as book:
        for (assignment, student), scored in _scored(book):
            if not all(scored):
                lacking.append(f"{student} ({assignment})")
    if lacking:
        app.log.warning(
            "Not graded, or not completely. A 0 that %s writes for these students is "
            "not a mark: %s",
            app.plugin_class.__name__,
            ", ".join(lacking),
        )


def _scored(book: Gradebook) -> Iterator[tuple[tuple[str, str], list[bool]]]:
    """Yield assignment and student, and of each graded cell whether it has a score."""
    for assignment in book.assignments:
        for submission in assignment.submissions:
            scored = []
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    scores = (grade.auto_score, grade.manual_score)
                    scored.append(scores != (None, None))
            yield (assignment.name, submission.student.id), scored


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, as CSV or Parquet by the file's name.

    In the CSV file no cell is a formula to a spreadsheet program; a mark that was not
    given is an empty cell.
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
    for name, column in plain.items():
        if column.dtype.kind == "M":
            plain[name] = column.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("")
        elif column.dtype.kind not in "ifb":
            plain[name] = column.fillna("").map(str)
    # With its mark, Excel reads UTF-8 as UTF-8.
    write_rows(path, _rows(plain), "utf-8-sig")


def _rows(table: pd.DataFrame) -> Iterator[Sequence[str | float]]:
    yield [str(column) for column in table.columns]
    cells = table.astype(object).where(table.notna(), "")
    yield from cells.itertuples(index=False, name=None)
