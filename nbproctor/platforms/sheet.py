"""CSV files of other programs: single cells change, and every other byte stays."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from math import nan
from pathlib import Path

import babel
from babel.localedata import locale_identifiers

from nbproctor.platforms.person import KINDS, normalize
from nbproctor.sanitize import spreadsheet_cell, undo_spreadsheet_cell
from nbproctor.writing import write_file

# Byte order marks and codings, as they are tried.
_CODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"", "utf-8"),
    (b"", "cp1252"),  # what Windows writes
    (b"", "latin-1"),  # which every file is
)
# What a column is, by its title in several languages; the most telling comes first.
TITLES = {
    **{str(k): f"{normalize(rule.column)} {rule.titles}" for k, rule in KINDS.items()},
    "last": "lastname surname familyname nachname nom apellidos cognome achternaam",
    "first": "firstname givenname vorname prenom nombre voornaam",
    "name": """
        name fullname studentname vollstandigername nomcomplet nombrecompleto nome
        nomecompleto volledigenaam
    """,
    "group": """
        group groups groupname gruppe gruppen gruppenname groupe groupes grupo grupos
        gruppo groep team
    """,
    # No titles: what a platform's own list has.
    "submitted": "",
    "ignored": "",
    "time": "time submitted handedin date timestamp",
}
#: What a column is, by a title that says who somebody is, or when they submitted.
KIND_OF_TITLE = {
    title: kind for kind, titles in TITLES.items() for title in titles.split()
}


def number(text: str) -> float:
    """Return the number in a cell, with point or comma; NaN: there is none."""
    match = re.fullmatch(r"\s*(-?\d+(?:[.,]\d+)?)\s*", text)
    if not match:
        return nan
    return float(match[1].replace(",", "."))


@cache
def _words(language: str) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """Return a language's names of months, of days of the week, of halves of a day.

    Months are 1 to 12, Monday is 0, and of halves there are the letters alone.
    """
    locale = babel.Locale(language)
    months = {
        _flat(name).rstrip("."): month
        for forms in locale.months.values()
        for width in ("wide", "abbreviated")
        for month, name in forms[width].items()
    }
    days = {
        _flat(name): day
        for forms in locale.days.values()
        for day, name in forms["wide"].items()
    }
    halves = {
        normalize(name): half
        for names in locale.day_periods["format"].values()
        for half, name in names.items()
    }
    return months, days, halves | {"am": "am", "pm": "pm"}


def _flat(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _named(text: str, names: dict[str, int]) -> set[int]:
    return {
        number
        for name, number in names.items()
        if name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    }


def read_time(text: str, *languages: str) -> datetime | None:
    """Read a day and a time, as ``mardi 24 novembre 2026, 22:30``; None: it is unclear.

    Where it may be in any language, the day of the week must be there, and be right. A
    date in numbers begins with its year.
    """
    parts = re.fullmatch(
        r"(.*?)(?<!\d)(\d{1,2})(?:[:.h]| h )?(\d\d)(\D*)", _flat(text), re.S
    )
    if not parts:
        return None
    date = parts[1]
    numbers = [int(digits) for digits in re.findall(r"\d+", date)]
    if len(numbers) not in (2, 3):
        return None
    words = {normalize(word) for word in re.findall(r"[^\W\d]+", date)}
    half = normalize(parts[4])
    every_language = [name for name in locale_identifiers() if "_" not in name]
    for language in languages or ("en", *every_language):
        months, weekdays, halves = _words(language)
        named_days = _named(date, weekdays)
        if words and not (languages or named_days):
            continue
        hour = int(parts[2])
        before = [word for word in words & halves.keys() if len(word) > 1]
        if before and hour <= 12:  # a half before the time: "오후 10:30"
            continue
        if half:
            if halves.get(half) not in ("am", "pm") or hour > 12:
                continue
            hour %= 12
            if halves[half] == "pm":
                hour += 12
        numbers_of_date = numbers
        if len(numbers) == 2:
            numbers_of_date = [max(numbers), *_named(date, months), min(numbers)]
        # Where not one month is named, there are too few or too many numbers.
        with suppress(ValueError):
            year, month, day = numbers_of_date
            when = datetime(year, month, day, hour, int(parts[3]))
            if year > 1000 and named_days <= {when.weekday()}:
                return when
    return None


@dataclass
class Sheet:
    """A table as another program wrote it."""

    #: Cells as they stand in the file, with their quotes; below the last row is an
    #: empty one.
    rows: list[list[str]]
    line_ends: list[str]  # what ends each row
    separator: str  # of cells: comma, semicolon or tab
    byte_order_mark: bytes  # of the byte order
    encoding: str

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """Part a file into cells.

        It is UTF-8 or UTF-16 by its mark, else UTF-8, else what Windows writes.
        """
        for mark, encoding in _CODINGS:
            if data.startswith(mark):
                with suppress(UnicodeDecodeError):
                    text = data.removeprefix(mark).decode(encoding)
                    break
        separator = _delimiter(text)
        cell = re.compile(
            rf'((?:"(?:[^"]|"")*")?[^{separator}\r\n]*)({separator}|\r\n|\n|\r|\Z)'
        )
        sheet = cls(
            rows=[[]],
            line_ends=[],
            separator=separator,
            byte_order_mark=mark,
            encoding=encoding,
        )
        for content, end in cell.findall(text):
            sheet.rows[-1].append(content)
            if end != separator:
                sheet.rows.append([])
                sheet.line_ends.append(end)
        return sheet

    def value(self, row: int, column: int) -> str:
        """Return what a cell says; a cell that is not there says nothing."""
        cells = self.rows[row]
        return _unquoted(cells[column]) if column < len(cells) else ""

    def texts(self, row: int, columns: Iterable[int]) -> list[str]:
        """Return what some cells of a row say, but for those that say nothing."""
        texts = [self.value(row, column) for column in columns]
        return [undo_spreadsheet_cell(text) for text in texts if text]

    @cached_property
    def titles(self) -> list[str]:
        """The titles of the columns, from the first row."""
        return [_unquoted(cell) for cell in self.rows[0]]

    @cached_property
    def body(self) -> list[int]:
        """Which rows below the titles say something."""
        numbered = enumerate(self.rows)
        return [row for row, cells in numbered if row and any(map(_unquoted, cells))]

    def column(self, index: int) -> list[str]:
        """Return what a column says in each row of the body."""
        return [self.value(row, index) for row in self.body]

    def put(
        self,
        row: int,
        column: int,
        value: str,
    ) -> None:
        """Change a cell; it keeps its quotes, and has them where it needs them."""
        cells = self.rows[row]
        cells += [""] * (column + 1 - len(cells))
        quoted = cells[column].startswith('"') or self.separator in value
        cells[column] = f'"{value}"' if quoted else value

    def to_bytes(self) -> bytes:
        """Return the file."""
        rows = zip(self.rows, self.line_ends, strict=False)
        text = "".join(self.separator.join(cells) + end for cells, end in rows)
        return self.byte_order_mark + text.encode(self.encoding)


def write_rows(
    path: Path,
    rows: Iterable[Iterable[str | float]],
    encoding: str = "utf-8",
) -> None:
    """Write a table of our own: text is in quotes, and no cell of it is a formula.

    All CSV files are written here, but for those of a platform that are filled in.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    for row in rows:
        writer.writerow(
            spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in row
        )
    write_file(path, text.getvalue().encode(encoding))


def _delimiter(text: str) -> str:
    """Return what parts the cells of a table: comma, semicolon or tab.

    The first line decides; a spreadsheet program of a country with decimal commas
    writes semicolons.
    """
    line = text.lstrip().partition("\n")[0]
    unquoted = "".join(line.split('"')[::2])
    return max(",;\t", key=unquoted.count)


def _unquoted(cell: str) -> str:
    """Return what a cell says, without spaces around it."""
    if not cell.startswith('"'):
        return cell.strip()
    body, _, tail = cell[1:].rpartition('"')
    text = body.replace('""', '"') + tail
    return text.strip()
