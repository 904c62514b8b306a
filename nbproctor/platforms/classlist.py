"""The class list: reading whatever CSV file a platform gives, and finding people in it.

Known are Canvas's grade book, Moodle's participants and grading worksheet (in any
language), Blackboard's and Brightspace's grade books, GitHub Classroom's roster, and
any CSV file whose titles say what a column is.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.platforms import titles
from nbproctor.platforms.people import letters, safe, spellings, split_name
from nbproctor.platforms.textfile import as_written, decode, delimiter, harmless
from nbproctor.platforms.worksheet import participant, read_worksheet


class RosterError(NbproctorError):
    """A class list cannot be read; the message says what it should hold."""


@dataclass(frozen=True)
class Person:
    """A student, as the class list has it.

    Attributes
    ----------
    student : str
        The id: name of the folder in ``submitted/``, and of the gradebook's row.
    last, first, email : str
        As people write them; empty where unknown.
    numbers : tuple of str
        Other ids, logins and numbers by which a platform knows this student.
    """

    student: str
    last: str = ""
    first: str = ""
    email: str = ""
    numbers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name as a list sorts it, or the id where there is none."""
        return ", ".join(filter(None, (self.last, self.first))) or self.student


_COLUMNS = ("student_id", "last_name", "first_name", "email", "numbers")
# Not kept when they say nothing about a person.
_NOBODY = {"points possible", "student, test", "test student"}


@dataclass
class Roster:
    """Everybody in the class."""

    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_number: dict[str, set[int]] = {}
        self._by_email: dict[str, set[int]] = {}
        self._by_name: dict[str, set[int]] = {}
        for index, person in enumerate(self.people):
            self._remember(index, person)

    def _remember(self, index: int, person: Person) -> None:
        for number in (person.student, *person.numbers):
            self._by_number.setdefault(number.casefold(), set()).add(index)
        if person.email:
            self._by_email.setdefault(person.email.casefold(), set()).add(index)
        for name in spellings(person.last, person.first):
            self._by_name.setdefault(name, set()).add(index)

    def find(self, ids: Iterable[str], name: str = "") -> tuple[list[Person], str]:
        """Find who is meant: by id or login, then e-mail, then name.

        Returns
        -------
        people : list of Person
            One: found. None: nobody. Several: it cannot be told which.
        by : str
            By what they were found.
        """
        wanted = [text.strip().casefold() for text in ids if text.strip()]
        # A login may also be how an e-mail address begins, or an address a login.
        heads = {email.partition("@")[0]: i for email, i in self._by_email.items()}
        ways: list[tuple[str, Mapping[str, set[int]], list[str]]] = [
            ("id", self._by_number, wanted),
            ("e-mail", self._by_email, wanted),
            ("e-mail", heads, wanted),
            ("name", self._by_name, _written(name)),
        ]
        for by, index, keys in ways:
            found: set[int] = set().union(*(index.get(key, set()) for key in keys))
            if found:
                return [self.people[i] for i in sorted(found)], by
        return [], ""

    def merge(self, other: Roster) -> tuple[int, int]:
        """Add the people of another list; say how many are new, how many changed.

        People are the same by id or e-mail; by name only where nobody else of either
        list has it, and no e-mail says otherwise: a class may have two Kim Smiths. What
        the other list leaves empty is kept. Nobody is removed.
        """
        before, taken = len(self.people), set[int]()
        named, new, changed = [], 0, 0
        for person in other.people:
            if len(found := self._same(person)) == 1:
                changed += self._complete(found, person)
                taken |= found
            else:
                named.append(person)
        names = [spellings(person.last, person.first) for person in named]
        count = Counter(name for each in names for name in each)
        for person, each in zip(named, names, strict=True):
            found = self._same(person)  # as somebody just added
            if not found and all(count[name] == 1 for name in each):
                found = set().union(*(self._by_name.get(name, set()) for name in each))
                found = {i for i in found - taken if i < before}
                emails = {self.people[i].email.casefold() for i in found}
                if person.email and emails - {"", person.email.casefold()}:
                    found = set()
            if len(found) == 1:
                changed += self._complete(found, person)
            else:
                self.people.append(person)
                self._remember(len(self.people) - 1, person)
                new += 1
        return new, changed

    def _same(self, person: Person) -> set[int]:
        """Return who has the id of a person, or else the e-mail address."""
        found = self._by_number.get(person.student.casefold(), set())
        return found or self._by_email.get(person.email.casefold(), set())

    def _complete(self, found: set[int], person: Person) -> bool:
        """Add what another list says of somebody; return whether that is news."""
        index = min(found)
        old = self.people[index]
        both = Person(
            old.student,
            person.last or old.last,
            person.first or old.first,
            person.email or old.email,
            tuple(
                _others(old.student, (*old.numbers, person.student, *person.numbers))
            ),
        )
        self.people[index] = both
        self._remember(index, both)
        return both != old

    def write(self, path: Path) -> None:
        """Write the list as a CSV file that `read` takes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for p in sorted(self.people, key=lambda person: person.student):
            row = p.student, p.last, p.first, p.email, " ".join(p.numbers)
            writer.writerow(map(harmless, row))
        path.write_text(text.getvalue(), "utf-8")

    @classmethod
    def read(cls, path: Path) -> Roster:
        """Read a class list.

        Raises
        ------
        RosterError
            It is no CSV file, or no column says who somebody is.
        """
        try:
            text = decode(path.read_bytes()).text
        except OSError as error:
            raise RosterError(f"{path} cannot be read: {error.strerror}.") from error
        if "\0" in text or text.startswith("PK\x03\x04"):
            raise RosterError(
                f"{path} is no CSV file. In a spreadsheet program, save it as CSV."
            )
        rows = list(csv.reader(StringIO(text), delimiter=delimiter(text)))
        if not rows:
            raise RosterError(f"{path} is empty.")
        columns = titles.columns(rows[0])
        read_worksheet(rows, columns)
        if not (columns["id"] or columns["email"]):
            raise RosterError(
                f"{path} has no column that says who somebody is. Its titles are: "
                f"{', '.join(rows[0])}. One should be student_id, login, username, id "
                "or e-mail."
            )
        people = list(_people(rows[1:], columns))
        if not people:
            raise RosterError(f"{path} lists nobody.")
        return cls(people)


def _people(
    rows: Iterable[Sequence[str]], columns: Mapping[str, list[int]]
) -> Iterator[Person]:
    seen = set()
    for row in rows:
        values = {
            kind: [
                as_written(row[i].strip())
                for i in places
                if i < len(row) and row[i].strip()
            ]
            for kind, places in columns.items()
        }
        name = next(iter(values["name"]), "")
        last, first = next(iter(values["last"]), ""), next(iter(values["first"]), "")
        if name and not (last and first):
            last, first = split_name(name)
        email = next(iter(values["email"]), "")
        # Moodle's worksheet calls people "Participant 4711": not an id for a folder.
        participants = [n for v in values["id"] if (n := participant(v))]
        numbers = [
            n.lstrip("#") for v in values["id"] if not participant(v) for n in v.split()
        ]
        ids = [*numbers, email.partition("@")[0], *participants]
        student = next(filter(None, ids), "")
        numbers += participants
        if name.strip().casefold() in _NOBODY or not student or student in seen:
            continue
        seen.add(student)
        folder = safe(student)
        others = _others(folder, (student, *numbers))
        yield Person(folder, last, first, email, tuple(others))


def _others(student: str, numbers: Iterable[str]) -> list[str]:
    return [number for number in dict.fromkeys(numbers) if number != student]


def _written(name: str) -> list[str]:
    last, first = split_name(name)
    return [letters for letters in (letters(name), *spellings(last, first)) if letters]
