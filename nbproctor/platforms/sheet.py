"""A CSV file in which single cells are changed, and every other byte stays."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbproctor.platforms.textfile import Decoded, decode, delimiter


@dataclass
class Sheet:
    """A table as another program wrote it.

    Attributes
    ----------
    rows : list of list of str
        Cells as they stand in the file, with their quotes.
    ends : list of str
        What ends each row.
    separator : str
        What parts cells: comma, semicolon or tab.
    source : Decoded
        Coding and byte order mark.
    """

    rows: list[list[str]]
    ends: list[str]
    separator: str
    source: Decoded

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """Part a file into cells."""
        source = decode(data)
        separator = delimiter(source.text)
        cell = re.compile(
            rf'("(?:[^"]|"")*"[^{separator}\r\n]*|[^{separator}\r\n]*)'
            rf"({separator}|\r\n|\n|\r|\Z)"
        )
        rows: list[list[str]] = [[]]
        ends: list[str] = []
        place = 0
        while place < len(source.text):
            found = cell.match(source.text, place)
            assert found is not None  # the second alternative takes anything
            rows[-1].append(found[1])
            place = found.end()
            if found[2] == separator:
                if place == len(source.text):
                    rows[-1].append("")
                continue
            ends.append(found[2])
            rows.append([])
        if not rows[-1]:
            rows.pop()
        ends += [""] * (len(rows) - len(ends))
        return cls(rows, ends, separator, source)

    def value(self, row: int, column: int) -> str:
        """Return what a cell says; a cell that is not there says nothing."""
        cells = self.rows[row]
        return unquoted(cells[column]) if column < len(cells) else ""

    def values(self, row: int) -> list[str]:
        """Return what the cells of a row say."""
        return [unquoted(cell) for cell in self.rows[row]]

    def put(self, row: int, column: int, value: str) -> None:
        """Change a cell; it keeps its quotes, and has them where it needs them."""
        cells = self.rows[row]
        cells += [""] * (column + 1 - len(cells))
        quoted = cells[column].startswith('"') or self.separator in value
        cells[column] = f'"{value}"' if quoted else value

    def to_bytes(self) -> bytes:
        """Return the file."""
        lines = (
            self.separator.join(cells) + end
            for cells, end in zip(self.rows, self.ends, strict=True)
        )
        return self.source.encode("".join(lines))


def unquoted(cell: str) -> str:
    """Return what a cell says."""
    if cell.startswith('"'):
        body, _, tail = cell[1:].rpartition('"')
        return body.replace('""', '"') + tail
    return cell
