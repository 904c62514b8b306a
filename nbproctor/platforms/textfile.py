"""Text files of other programs: their coding, and how their cells are parted."""

from __future__ import annotations

import codecs
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Decoded(NamedTuple):
    """A file's text, and how to write it back: byte order mark and coding."""

    text: str
    mark: bytes
    coding: str

    def encode(self, text: str) -> bytes:
        """Return other text in the same coding.

        Raises
        ------
        UnicodeEncodeError
            The coding cannot say it.
        """
        return self.mark + text.encode(self.coding)


def decode(data: bytes) -> Decoded:
    """Decode a file as UTF-8 or UTF-16 by its mark, as UTF-8, or as Windows does."""
    marked = [(mark, coding) for mark, coding in _MARKS if data.startswith(mark)]
    for mark, coding in [*marked, (b"", "utf-8"), (b"", "cp1252")]:
        try:
            return Decoded(data.removeprefix(mark).decode(coding), mark, coding)
        except UnicodeDecodeError:
            continue
    return Decoded(data.decode("latin-1"), b"", "latin-1")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula.

    A name may begin with "="; an apostrophe before it says that it is text.
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_written(cell: str) -> str:
    """Undo `harmless`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def delimiter(text: str) -> str:
    """Return what parts the cells of a table: comma, semicolon or tab.

    The first line decides; a spreadsheet program of a country with decimal commas
    writes semicolons.
    """
    line = text.lstrip().partition("\n")[0]
    outside = "".join(line.split('"')[::2])
    return max(",;\t", key=outside.count)
