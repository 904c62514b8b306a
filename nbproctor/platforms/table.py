"""The class as a plain table: CSV, or Parquet for those who compute with it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from nbproctor.platforms.textfile import harmless

if TYPE_CHECKING:
    import pandas as pd


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
    for column in plain.columns:
        if plain[column].dtype.kind == "M":
            plain[column] = plain[column].dt.strftime("%Y-%m-%d %H:%M:%S").fillna("")
        elif plain[column].dtype.kind not in "ifb":
            plain[column] = plain[column].fillna("").map(lambda x: harmless(str(x)))
    # With its mark, Excel reads UTF-8 as UTF-8.
    plain.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
