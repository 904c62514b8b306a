"""People of a class: how programs write their names, and who is meant by one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbproctor.errors import NbproctorError

_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def split_name(name: str) -> tuple[str, str]:
    """Split a full name into last and first: at the comma, else before the last word.

    "King, Jr., Martin" has the last name "King, Jr."; a comma before "Jr." alone does
    not part anything ("Martin King, Jr.").
    """
    parts = [part.strip() for part in name.split(",")]
    suffix = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)\.?", re.I)
    if len(parts) > 1 and not suffix.fullmatch(parts[-1]):
        return ", ".join(parts[:-1]), parts[-1]
    words, tail = parts[0].split(), parts[1:]
    last = ", ".join([*words[-1:], *tail])
    return last, " ".join(words[:-1])


def safe(student: str) -> str:
    """Return an id that may name a folder on every system."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", student).strip(" .")
    if re.fullmatch(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", name, re.I):
        name = f"_{name}"
    return name[:120] or "_"


def letters(text: str) -> str:
    """Return a text without accents, case, punctuation and spaces."""
    flat = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return "".join(character for character in flat if character.isalnum())


def spellings(last: str, first: str) -> set[str]:
    """Return how a platform may write a name: in either order, without "Jr." too."""
    short = last.split(",")[0]
    names = {last + first, first + last, short + first, first + short}
    return {text for name in names if (text := letters(name))}


def _words(name: str) -> set[str]:
    return {letters(word) for word in re.split(r"[\s,_-]+", name)} - {""}


class RosterError(NbproctorError):
    """A class list cannot be read, or does not know somebody; says what to do."""


@dataclass(frozen=True)
class Person:
    """A student, as the class list has it; what is not known is empty."""

    student: str  # the id: name of the folder in ``submitted/``, row of the gradebook
    last: str = ""
    first: str = ""
    email: str = ""
    numbers: tuple[str, ...] = ()  # by which a platform knows this student, logins too
    participant: str = field(default="", compare=False)  # Moodle's, one of the numbers

    @property
    def name(self) -> str:
        """The name as a list sorts it, or the id where there is none."""
        return ", ".join(filter(None, (self.last, self.first))) or self.student

    def may_be_called(self, name: str) -> bool:
        """Whether a platform's name can be this student's: nothing says otherwise.

        It is a spelling of the name, or an id; or one of the two has all words of the
        other, as where a second first name is left out. Canvas joins the words.
        """
        spelled, joined = spellings(self.last, self.first), letters(name)
        if not joined or not spelled:
            return True
        own, given = _words(f"{self.last} {self.first}"), _words(name)
        ids = (self.student, *self.numbers, self.email, self.email.partition("@")[0])
        return (
            joined in {*spelled, *map(letters, ids)}
            or (len(own) > 1 and own <= given)
            or (len(given) > 1 and given <= own)
            or (len(given) == 1 < len(own) and all(word in joined for word in own))
        )


@dataclass
class Roster:
    """Everybody in the class."""

    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Where in `people` somebody is, by a kind of text about them and that text.
        self._known = defaultdict[tuple[str, str], set[int]](set)
        for index, person in enumerate(self.people):
            self._remember(index, person)

    def _remember(self, index: int, person: Person) -> None:
        email = person.email.casefold()
        about = [("id", each.casefold()) for each in (person.student, *person.numbers)]
        about += [("e-mail", email), ("head", email.partition("@")[0])] * bool(email)
        about += [("name", each) for each in spellings(person.last, person.first)]
        for each in about:
            self._known[each].add(index)

    def _found(self, kind: str, texts: Iterable[str]) -> set[int]:
        return set().union(*(self._known.get((kind, each), ()) for each in texts))

    def find(self, ids: Iterable[str], name: str = "") -> tuple[list[Person], str]:
        """Find who is meant: as a teacher said, by id or login, e-mail, or name.

        Return everybody who may be, and by what they were found.
        """
        wanted = [text.strip().casefold() for text in ids if text.strip()]
        ways = [
            ("--as", "id", [_said(text) for text in (*wanted, name)]),
            ("id", "id", wanted),
            ("e-mail", "e-mail", wanted),
            # A login may also be how an e-mail address begins, or an address a login.
            ("e-mail", "head", wanted),
            ("name", "name", [letters(name), *spellings(*split_name(name))]),
        ]
        for by, kind, texts in ways:
            if found := self._found(kind, texts):
                return [self.people[i] for i in sorted(found)], by
        return [], ""

    def call(self, text: str, student: str) -> None:
        """Know somebody by one more name or number, which counts more than any other.

        It is one more number, so a class list keeps it. `RosterError`: as `one`.
        """
        if not letters(text):
            raise RosterError(
                'Say it as --as "NAME=ID": how the platform names the work, and whose '
                "it is."
            )
        self.merge(Roster([Person(self.one(student).student, numbers=(_said(text),))]))

    def one(self, student: str) -> Person:
        """Return the student who has this id, login, e-mail or name.

        `RosterError`: nobody has, or several have.
        """
        people, _ = self.find([student], student)
        if len(people) != 1:
            several = "; ".join(f"{p.name} ({p.student})" for p in people)
            raise RosterError(
                f"{student!r} is not one student of the class list"
                f"{f', but may be {several}' if several else ''}. Give the id."
            )
        return people[0]

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
                found = {i for i in self._found("name", each) - taken if i < before}
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
        found = self._found("id", [person.student.casefold()])
        return found or self._found("e-mail", [person.email.casefold()])

    def _complete(self, found: set[int], person: Person) -> bool:
        """Add what another list says of somebody; return whether that is news."""
        index = min(found)
        old = self.people[index]
        numbers = (*old.numbers, person.student, *person.numbers)
        both = Person(
            old.student,
            person.last or old.last,
            person.first or old.first,
            person.email or old.email,
            tuple(n for n in dict.fromkeys(numbers) if n != old.student),
            person.participant or old.participant,
        )
        self.people[index] = both
        self._remember(index, both)
        return both != old


def _said(text: str) -> str:
    """Return how `Roster.call` writes down a name; no platform writes numbers so."""
    return f"={letters(text)}"
