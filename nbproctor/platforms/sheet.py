"""CSV files of other programs: single cells change, and every other byte stays."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from nbproctor.platforms.roster import letters

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a column is, by its title in several languages; of several columns for the id,
# the first named here that is filled is the student's id.
_TITLES: dict[str, tuple[str, ...]] = {
    kind: tuple(words.split())
    for kind, words in {
        "id": """
            studentid student sisloginid loginid login username benutzername
            anmeldename nomdutilisateur nombredeusuario githubusername orgdefinedid
            sisuserid idnumber idnummer matrikelnummer numerodidentification numerodeid
            codiceidentificativo rosteridentifier identifier identificador identifiant
            identificativo identificatie id lmsuserid integrationid userid canvasuserid
            numbers
        """,
        "email": """
            email emailaddress mail emailadresse adressedecourriel direcciondecorreo
            indirizzoemail emailadres
        """,
        "last": "lastname surname familyname nachname nom apellidos cognome achternaam",
        "first": "firstname givenname vorname prenom nombre voornaam",
        "name": """
            name fullname studentname vollstandigername nomcomplet nombrecompleto nome
            nomecompleto volledigenaam
        """,
        # Moodle's number, which names no folder.
        "participant": "participant",
        "group": """
            group groups groupname gruppe gruppen gruppenname groupe groupes grupo
            grupos gruppo groep team
        """,
    }.items()
}
#: Every title that says who somebody is.
ABOUT_PEOPLE = frozenset(title for names in _TITLES.values() for title in names)


def number(text: str) -> float | None:
    """Return the number in a cell, with point or comma, or None."""
    found = re.fullmatch(r"\s*(-?\d+(?:[.,]\d+)?)\s*", text)
    return float(found[1].replace(",", ".")) if found else None


@dataclass
class Sheet:
    """A table as another program wrote it."""

    rows: list[list[str]]  # cells as they stand in the file, with their quotes
    ends: list[str]  # what ends each row
    separator: str  # of cells: comma, semicolon or tab
    mark: bytes  # of the byte order
    coding: str

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """Part a file into cells."""
        text, mark, coding = decode(data)
        separator = _delimiter(text)
        cell = re.compile(
            rf'("(?:[^"]|"")*"[^{separator}\r\n]*|[^{separator}\r\n]*)'
            rf"({separator}|\r\n|\n|\r|\Z)"
        )
        rows: list[list[str]] = [[]]
        ends: list[str] = []
        place = 0
        while place < len(text):
            found = cell.match(text, place)
            assert found is not None  # the second alternative takes anything
            rows[-1].append(found[1])
            place = found.end()
            if found[2] == separator:
                if place == len(text):
                    rows[-1].append("")
                continue
            ends.append(found[2])
            rows.append([])
        if not rows[-1]:
            rows.pop()
        ends += [""] * (len(rows) - len(ends))
        return cls(rows, ends, separator, mark, coding)

    def value(self, row: int, column: int) -> str:
        """Return what a cell says; a cell that is not there says nothing."""
        cells = self.rows[row]
        return _unquoted(cells[column]) if column < len(cells) else ""

    def values(self, row: int) -> list[str]:
        """Return what the cells of a row say."""
        return [_unquoted(cell) for cell in self.rows[row]]

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
        return self.mark + "".join(lines).encode(self.coding)

    def people_columns(self) -> dict[str, list[int]]:
        """Return which columns are id, e-mail, last, first and full name."""
        plain = [letters(title) for title in self.values(0)]
        return {
            kind: [i for known in names for i, t in enumerate(plain) if t == known]
            for kind, names in _TITLES.items()
        }


def decode(data: bytes) -> tuple[str, bytes, str]:
    """Return a file's text, its byte order mark and coding.

    It is UTF-8 or UTF-16 by its mark, else UTF-8, else what Windows writes.
    """
    marked = [(mark, coding) for mark, coding in _MARKS if data.startswith(mark)]
    for mark, coding in [*marked, (b"", "utf-8"), (b"", "cp1252")]:
        try:
            return data.removeprefix(mark).decode(coding), mark, coding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), b"", "latin-1"


def _delimiter(text: str) -> str:
    """Return what parts the cells of a table: comma, semicolon or tab.

    The first line decides; a spreadsheet program of a country with decimal commas
    writes semicolons.
    """
    line = text.lstrip().partition("\n")[0]
    outside = "".join(line.split('"')[::2])
    return max(",;\t", key=outside.count)


def _unquoted(cell: str) -> str:
    if cell.startswith('"'):
        body, _, tail = cell[1:].rpartition('"')
        return body.replace('""', '"') + tail
    return cell
