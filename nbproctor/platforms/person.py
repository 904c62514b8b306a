"""People: their names, and the identifiers by which platforms know them, by kind.

The same text can mean different people on different platforms: a student's login may be
the GitHub handle of somebody else. So every identifier has a `Kind`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from nbproctor.sanitize import is_hidden

_UMLAUTS = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
    }
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd)\.?", re.I)
_PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
    }
)


class Kind(StrEnum):
    """Kind of an identifier, in the order in which a new student's id is chosen."""

    COURSE = "id"  # in this course: the folder in ``submitted/``
    STUDENT = "student id"
    LOGIN = "login"
    #: A text of unknown kind, such as the name of a folder; and the identifier that a
    #: teacher typed into GitHub Classroom for each student.
    WORD = "word"
    IDENTIFIER = "roster identifier"
    SIS = "SIS id"
    #: Of another course, of an earlier class list, or a part of a name: it may be
    #: anything.
    NUMBER = "number"
    CANVAS = "Canvas id"
    EMAIL = "e-mail"
    GITHUB = "GitHub handle"
    BRIGHTSPACE = "Brightspace user"
    PARTICIPANT = "Moodle participant"
    ANONYMOUS = "Canvas anonymous id"
    NAME = "other name"  # only letters and digits of it


class KindRule(NamedTuple):
    """Properties of a kind."""

    column: str = ""  # title of its column in nbproctor's class list
    #: Titles of columns in other lists, normalized by `normalize`, the clearest first.
    titles: str = ""
    #: A person has only one, so another one belongs to another person.
    is_single: bool = False
    #: It is anonymous, so it is not expected in the class list.
    is_hidden: bool = False


KINDS = {
    Kind.COURSE: KindRule(is_single=True),  # in other lists, student_id is STUDENT
    Kind.STUDENT: KindRule(
        column="student_number",
        titles="studentid id",
        is_single=True,
    ),
    Kind.LOGIN: KindRule(
        column="login",
        titles="sisloginid loginid username benutzername anmeldename nomdutilisateur "
        "nombredeusuario",
        is_single=True,
    ),
    Kind.WORD: KindRule(titles="student userid"),
    Kind.IDENTIFIER: KindRule(
        titles="rosteridentifier identifier identificador identifiant identificativo "
        "identificatie"
    ),
    Kind.SIS: KindRule(
        column="sis_id",
        titles="sisuserid orgdefinedid idnumber idnummer matrikelnummer "
        "numerodidentification numerodeid codiceidentificativo",
        is_single=True,
    ),
    Kind.NUMBER: KindRule(column="numbers"),
    Kind.CANVAS: KindRule(
        column="canvas_id",
        titles="canvasuserid",
        is_single=True,
    ),
    Kind.EMAIL: KindRule(
        column="email",
        titles="emailaddress mail emailadresse adressedecourriel direcciondecorreo "
        "indirizzoemail emailadres",
    ),
    Kind.GITHUB: KindRule(
        column="github_handle",
        titles="githubusername",
        is_single=True,
    ),
    Kind.BRIGHTSPACE: KindRule(column="brightspace_user", is_single=True),
    # Moodle gives one for each assignment.
    Kind.PARTICIPANT: KindRule(column="participant", is_hidden=True),
    Kind.ANONYMOUS: KindRule(column="canvas_anonymous_id", is_hidden=True),
    Kind.NAME: KindRule(column="other_name"),
}
#: Unknown kinds, each with the kinds that such an identifier may be.
UNCERTAIN = {
    Kind.WORD: (Kind.COURSE, Kind.EMAIL),
    Kind.IDENTIFIER: (Kind.EMAIL,),
    Kind.NUMBER: (),
}
#: The kinds that a word next to a name may be.
WORD_KINDS = (Kind.COURSE, Kind.STUDENT, Kind.LOGIN, Kind.SIS, Kind.EMAIL)


class Identifier(NamedTuple):
    """An identifier of a person on a platform."""

    kind: Kind
    value: str

    def __str__(self) -> str:
        if self.kind is Kind.WORD:
            return self.value
        return f"{self.kind} {self.value}"


def split_name(name: str) -> tuple[str, str]:
    """Split a full name into last and first: at the comma, else before the last word.

    "King, Jr., Martin" has the last name "King, Jr."; a comma before "Jr." alone does
    not count ("Martin King, Jr."), unless only one word is before it. So this reverses
    `Person.full_name`.
    """
    last, *suffixes = [part.strip() for part in name.split(",")]
    if suffixes and not (" " in last and _SUFFIX.fullmatch(suffixes[-1])):
        first = suffixes.pop()
    else:
        first, _, last = " ".join(last.split()).rpartition(" ")
    return ", ".join([last, *suffixes]), first


def safe_file_name(student: str) -> str:
    """Return an id that may name a folder on every system."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", student)
    name = "".join(letter for letter in name if not is_hidden(letter)).strip(" .")
    if re.fullmatch(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", name, re.I):
        name = f"_{name}"
    return name[:120] or "_"


def normalize(text: str) -> str:
    """Return a text without accents, case, punctuation and spaces."""
    flat = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return "".join(character for character in flat if character.isalnum())


def spellings(last: str, first: str) -> set[str]:
    """Return spellings of a name: in either order, and also without "Jr.".

    Umlauts may be two letters, as in *Mueller*.
    """
    names = {
        name
        for family_name in (last, last.split(",")[0])
        for name in (family_name + first, first + family_name)
    }
    names |= {name.casefold().translate(_UMLAUTS) for name in names}
    return {normalize(name) for name in names} - {""}


def _words(name: str) -> set[str]:
    return {normalize(word) for word in re.split(r"[\s,_-]+", name)} - {""}


Identifiers = tuple[Identifier, ...]


@dataclass(frozen=True)
class Identity:
    """Identity of a person according to one file: a name, identifiers, or both."""

    name: str = ""
    identifiers: Identifiers = ()

    def __str__(self) -> str:
        return self.name or " ".join(map(str, self.identifiers[:1]))

    @property
    def word(self) -> str:
        """The text of no known kind, or nothing."""
        for kind, value in self.identifiers:
            if kind is Kind.WORD:
                return value
        return ""

    @property
    def text(self) -> str:
        """The name, or a text that may contain it."""
        return self.name or self.word

    @property
    def answer(self) -> str:
        """The left side of ``--as``: an identifier if there is one, or the name."""
        return str(self.identifiers[0]) if self.identifiers else self.name

    def matches(self, text: str) -> bool:
        """Whether a text is the name, or an identifier together with its kind."""
        texts = [str(identifier).casefold() for identifier in self.identifiers]
        words = text.casefold().split()
        return text.casefold() in texts or words == self.name.casefold().split()


def labels(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names to show, by id; a shared name is shown with the id.

    `names` are those of a class, by id.
    """
    counts = Counter(names.values())
    return {
        student: name if counts[name] == 1 else f"{name} ({student})"
        for student, name in names.items()
    }


def in_order_of_kinds(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Return identifiers in the order of `Kind`."""
    kinds = [*Kind]
    return sorted(identifiers, key=lambda identifier: kinds.index(identifier.kind))


def possible_ids(identifiers: Iterable[Identifier]) -> list[str]:
    """Return possible ids for somebody in a course, the best first."""
    ids = []
    for kind, value in in_order_of_kinds(identifiers):
        if kind is Kind.EMAIL:
            ids.append(safe_file_name(value.partition("@")[0]))
        ids.append(safe_file_name(value))
    return ids


@dataclass(frozen=True)
class Person:
    """A student in the class list; unknown fields are empty."""

    #: The id: the name of the folder in ``submitted/``, and in the gradebook. It is
    #: empty if a teacher has to decide who this is.
    student: str
    last: str = ""
    first: str = ""
    identifiers: Identifiers = ()

    @property
    def name(self) -> str:
        """The name, last name first, or the id if there is no name."""
        return self.full_name or self.student or str(self.identity)

    @property
    def full_name(self) -> str:
        """The name, last name first, or nothing."""
        return ", ".join(filter(None, (self.last, self.first)))

    @property
    def email(self) -> str:
        """The most recent e-mail address, or nothing."""
        return next(reversed(self.values(Kind.EMAIL)), "")

    @property
    def identity(self) -> Identity:
        """Name and identifiers, without the id in this course."""
        return Identity(self.full_name, self.identifiers)

    def values(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the identifiers of some kinds."""
        return tuple(value for kind, value in self.all_identifiers() if kind in kinds)

    def all_identifiers(self) -> Identifiers:
        """Return the identifiers, and the id."""
        if not self.student:
            return self.identifiers
        return (Identifier(Kind.COURSE, self.student), *self.identifiers)

    def with_identifiers(self, more: Iterable[Identifier]) -> Person:
        """Return this student with more identifiers."""
        more = tuple(more)
        earlier = [i for i in self.identifiers if i not in more]
        # The most recent identifiers come last.
        identifiers = dict.fromkeys([*earlier, *more])
        unusable = (*UNCERTAIN, Kind.COURSE)
        certain = [i for i in identifiers if i.kind not in unusable]
        # When the kind of a number becomes known, drop the entry of unknown kind.
        values = {identifier.value for identifier in certain}
        for identifier in identifiers:
            if identifier.kind is Kind.NUMBER and identifier.value not in values:
                certain.append(identifier)
        return replace(self, identifiers=tuple(in_order_of_kinds(certain)))

    def is_better_named(self, other: Person) -> bool:
        """Whether this spelling of a name is better than the one in another list.

        A list of full names does not show where the last name begins, so only its last
        word was used.
        """
        if normalize(self.full_name) in other.values(Kind.NAME):
            return False
        if len(self.last.split()) >= len(other.last.split()):
            return True
        other_name = normalize(other.first + other.last)
        return other_name not in spellings(self.last, self.first)

    def has_another(self, kind: Kind, identity: Identity) -> bool:
        """Whether an identity has other identifiers of a kind than this student."""
        values = {value.casefold() for value in self.values(kind)}
        others = {v.casefold() for k, v in identity.identifiers if k is kind}
        return bool(values and others) and values.isdisjoint(others)

    def conflicting_kind(self, identity: Identity) -> str:
        """Return a kind of which this student has another identifier, or nothing."""
        for kind, rule in KINDS.items():
            if rule.is_single and self.has_another(kind, identity):
                return kind
        return ""

    def may_be_called(self, name: str) -> bool:
        """Whether a platform's name is compatible with this student.

        It is a spelling of the name, or an id; or one of the two has all words of the
        other, for example if a middle name is left out. Canvas joins the words.
        """
        spelled = spellings(self.last, self.first)
        joined = normalize(name)
        ids = [value for _, value in self.all_identifiers()]
        ids.append(self.email.partition("@")[0])
        if not spelled or joined in {"", *spelled, *map(normalize, ids)}:
            return True
        own_words = _words(f"{self.last} {self.first}")
        words = _words(name)
        if len(words) == 1 < len(own_words):
            return all(word in joined for word in own_words)
        fewer, more = sorted((own_words, words), key=len)
        return len(fewer) > 1 and fewer <= more
