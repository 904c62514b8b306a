"""The class as a plain table: CSV, or Parquet for those who compute with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbproctor.export.layout import ExportError
from nbproctor.roster.textfile import harmless

if TYPE_CHECKING:
    import pandas as pd


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, as CSV or Parquet by the file's name.

    In the CSV file no cell is a formula to a spreadsheet program; a mark that was not
    given is an empty cell.

    Raises
    ------
    ExportError
        Parquet is asked for, and the package for it is not installed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        try:
            table.to_parquet(path)
        except ImportError as error:
            raise ExportError(
                "Parquet needs the package pyarrow: uv pip install pyarrow"
            ) from error
        return
    plain = table.reset_index()
    for column in plain.columns:
        if plain[column].dtype.kind == "M":
            plain[column] = plain[column].dt.strftime("%Y-%m-%d %H:%M:%S").fillna("")
        elif plain[column].dtype.kind not in "ifb":
            plain[column] = plain[column].fillna("").map(lambda x: harmless(str(x)))
    # With its mark, Excel reads UTF-8 as UTF-8.
    plain.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
