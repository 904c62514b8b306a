"""Class list: find the person that a platform means. Only this module matches people.

Identifiers match only within their kind. If an identity fits several people, or only by
a number of another kind, nothing is assumed: the `Match` has a question for the
teacher.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import NamedTuple

from nbproctor.errors import NbproctorError
from nbproctor.platforms.person import (
    UNCERTAIN,
    WORD_KINDS,
    Identifier,
    Identity,
    Kind,
    Person,
    labels,
    normalize,
    possible_ids,
    safe_file_name,
    spellings,
    split_name,
)

_ANY = "any kind"  # of identifier
_Key = tuple[str, str]  # kind and text of an identifier
Groups = Mapping[str, list[Person]]  # the members, by the group's name
#: Separators of words in a folder's name; an id may contain the later ones.
_BETWEEN_WORDS = (r"[\s,;()\[\]]+", r"[\s,;()\[\]_]+", r"[\s,;()\[\]_-]+")


class RosterError(NbproctorError):
    """A class list cannot be read, or lacks somebody; the message says what to do."""


class Match(NamedTuple):
    """The person found, or a question. Without both, it is nobody in the class."""

    person: Person | None = None
    matched_by: str = ""  # the kind of an identifier, "name" or "--as"
    question: str = ""  # why it is not certain
    answer: str = ""  # the option that answers the question

    def __str__(self) -> str:
        return f"{self.question} Skipped. To assign it to a student: {self.answer}"


@dataclass
class MergeResult:
    """Result of merging another class list."""

    #: Ids of those in the other list who are in the class now; some of them are new.
    students: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    #: A line for each row that was skipped, with the option that answers it.
    questions: list[str] = field(default_factory=list)


@dataclass
class Roster:
    """Everybody in the class, and people without an id, who may be in it."""

    people: list[Person] = field(default_factory=list)
    #: A teacher's answers: a text, and the id of the student who is meant by it; and of
    #: which kind those are that do not say so.
    answers: list[tuple[str, str]] = field(default_factory=list)
    kind_aliases: dict[Kind, Kind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Who has an identifier of a kind, a word that may be one, as a folder's name
        # has it, or a text of any kind.
        self._index = defaultdict[_Key, set[Person]](set)
        for person in self.people:
            self._enter(person)

    @property
    def students(self) -> list[Person]:
        """Everybody who is certainly in the class."""
        return [person for person in self.people if person.student]

    @property
    def labels(self) -> dict[str, str]:
        """The name to show for each student id."""
        return labels({person.student: person.name for person in self.students})

    def _enter(self, person: Person) -> None:
        for key in _keys(person):
            self._index[key].add(person)

    def _people_with(self, kind: str, text: str) -> Set[Person]:
        """Return the people who have an identifier."""
        return self._index.get((kind, text.casefold()), set())

    def _person_with_id(self, student: str) -> Person | None:
        """Return the student with exactly this id."""
        for person in self._people_with(Kind.COURSE, student):
            if person.student == student:
                return person
        return None

    def _in_order(self, people: Iterable[Person]) -> list[Person]:
        return sorted(people, key=self.people.index)

    def answer(self, text: str, student: str) -> None:
        """Store a teacher's answer: the student meant by a name or an identifier.

        An empty student means somebody new. `RosterError`: it is not one student of the
        class list.
        """
        if not normalize(text):
            raise RosterError(
                'Write --as "NAME=ID": the name on the platform, and the student\'s id.'
            )
        if student:
            student = self.find_one(student).student
        self.answers.append((text, student))

    def add_kind_alias(self, kind: str, other: str) -> None:
        """Store a teacher's answer that two kinds of identifiers are the same.

        `RosterError`: there is no such kind.
        """
        try:
            target = Kind(kind)
            source = Kind(other)
        except ValueError as error:
            raise RosterError(
                f"{error}. The kinds are: {', '.join(Kind)}. Write, for example, "
                '--same "GitHub handle=login".'
            ) from error
        if UNCERTAIN.get(target):
            self.kind_aliases[target] = source
            return
        for person in self.people:
            if not person.values(target):
                values = person.values(source)
                more = tuple(Identifier(target, value) for value in values)
                self._complete(person, replace(person, identifiers=more))

    def find(self, identity: Identity, namesakes: Container[Person] = ()) -> Match:
        """Find a person: by a teacher's answer, by identifiers, or by name.

        One of the `namesakes` is never found by name only.
        """
        answers = {student for text, student in self.answers if identity.matches(text)}
        if len(answers) == 1:
            return Match(self._person_with_id(answers.pop()), "--as")
        texts = {text.casefold() for text, _ in self.answers}
        if any(value.casefold() in texts for _, value in identity.identifiers):
            return Match(
                question="Option --as does not say the kind of this identifier.",
                answer=f'--as "{identity.answer}=…"',
            )
        claims = self._match_identifiers(identity)
        if not claims:
            by_name = self._match_name(identity)
            claims = {person: "name" for person in by_name if person not in namesakes}
        if not claims:
            return self._ask_about_similar(identity)
        objection = "This may be {}."
        if len(claims) == 1:
            [(person, by)] = claims.items()
            objection = self._objection(person, by, identity)
            if not objection:
                return Match(person, by)
        return self._make_question(claims, objection, identity)

    def _match_identifiers(self, identity: Identity) -> dict[Person, str]:
        """Return who has an identifier of the same kind as the identity, and which."""
        claims: dict[Person, str] = {}
        for kind, value in identity.identifiers:
            kinds = UNCERTAIN.get(kind, (kind,))
            if kind in self.kind_aliases:
                kinds = (self.kind_aliases[kind],)
            for possible_kind in kinds:
                for person in self._people_with(possible_kind, value):
                    claims.setdefault(person, possible_kind)
        if not claims:
            for person, text in self._in_words(identity.word):
                if self._is_named_in(text, person):
                    claims[person] = "id and name"
        return claims

    def _in_words(self, text: str) -> Iterator[tuple[Person, str]]:
        """Yield people whose id is one of the words of a text, with the other words."""
        words = {w for between in _BETWEEN_WORDS for w in re.split(between, text)}
        kinds: tuple[Kind, ...] = WORD_KINDS
        if Kind.WORD in self.kind_aliases:
            kinds = (self.kind_aliases[Kind.WORD],)
        for word in words:
            for kind in kinds:
                for person in self._people_with(f"{kind} in words", word):
                    yield person, text.replace(word, " ", 1)

    def _is_named_in(self, text: str, person: Person) -> bool:
        """Whether a text names somebody: exactly, and nobody else, or of a sure kind.

        Beside the name it may hold more numbers, as in ``Okafor_Amara__4711``.
        """
        if Kind.WORD in self.kind_aliases:
            return person.may_be_called(text)
        name = re.sub(r"[^\W_]*\d[^\W_]*", " ", text)
        return self._people_with(Kind.NAME, normalize(name)) == {person}

    def _match_name(self, identity: Identity) -> set[Person]:
        """Return the people with exactly this name, in any spelling."""
        spelled = spellings(*split_name(identity.text))
        spelled.add(normalize(identity.text))
        return {p for text in spelled for p in self._people_with(Kind.NAME, text)}

    def _objection(
        self,
        person: Person,
        by: str,
        identity: Identity,
    ) -> str:
        """Return the reason why a person who fits may be wrong, or nothing."""
        if not person.student:
            return "This may be {}, who is not in the class list yet."
        if not person.may_be_called(identity.name):
            return f"The {by} belongs to {{}}, but the name is different."
        if kind := person.conflicting_kind(identity):
            return f"By the {by}, this belongs to {{}}, who has another {kind}."
        if by == "name":
            if person.has_another(Kind.EMAIL, identity):
                return "This may be {}, who has another e-mail address."
            for _, value in identity.identifiers:
                for other in self._people_with(Kind.NUMBER, value) - {person}:
                    owner = _described(other)
                    return f"This may be {{}}, but it has a number of {owner}."
        return ""

    def _ask_about_similar(self, identity: Identity) -> Match:
        """Return a question if a number of another kind, or a word of a name, fits."""
        similar = {person for person, _ in self._in_words(identity.word)}
        for _, value in identity.identifiers:
            for text in (value, safe_file_name(value), value.partition("@")[0]):
                similar |= self._people_with(_ANY, text)
        suspects = [p for p in similar if not p.conflicting_kind(identity)]
        if not suspects:
            return Match()
        question = "No student has this identifier, but it looks like one of {}."
        match = self._make_question(suspects, question, identity)
        return match._replace(
            answer=f'{match.answer}, or for a new student: --as "{identity.answer}="',
        )

    def _make_question(
        self,
        people: Iterable[Person],
        question: str,
        identity: Identity,
    ) -> Match:
        people = self._in_order(people)
        several = " and ".join(map(_described, people[:3]))
        students = [person.student for person in people if person.student]
        first = students[0] if students else ""
        return Match(
            question=question.format(several),
            answer=f'--as "{identity.answer}={first}"',
        )

    def find_one(self, student: str) -> Person:
        """Return the student who has this id, login, e-mail or name.

        `RosterError`: nobody has it, or several have it.
        """
        matches = {p for kind in WORD_KINDS for p in self._people_with(kind, student)}
        if not matches:
            matches = self._match_name(Identity(student))
        people = [person for person in self._in_order(matches) if person.student]
        if len(people) == 1:
            return people[0]
        if not people:  # a part of a name identifies nobody, but may be what is meant
            text = normalize(student)
            people = [p for p in self.students if text and text in normalize(p.name)]
        several = "; ".join(map(_described, people))
        if several:
            several = f", but may be {several}"
        raise RosterError(
            f"{student!r} does not identify one student in the class list{several}. "
            "Give the id."
        )

    def new_person(self, identity: Identity) -> Person:
        """Return a new person, with an id that nobody else has."""
        ids = possible_ids(identity.identifiers) or [safe_file_name(identity.name)]
        numbered = (f"{ids[0]}-{number}" for number in count(2))
        for student in chain(ids, numbered):
            if not self._people_with(Kind.COURSE, student):
                break
        last, first = split_name(identity.text)
        person = Person(
            student=student,
            last=last,
            first=first,
        )
        return person.with_identifiers(identity.identifiers)

    def add(self, person: Person) -> bool:
        """Add a person, or complete the one with this id; return whether it is new."""
        before = self._person_with_id(person.student)
        if before:
            return self._complete(before, person)
        person = person.with_identifiers(())
        self.people.append(person)
        self._enter(person)
        return True

    def add_identity(self, person: Person, identity: Identity) -> bool:
        """Add a platform's identity to a person; return whether this changed anything.

        A name that somebody else has is not stored, because next time it may be theirs.
        """
        more = [*identity.identifiers]
        name = identity.text
        if not (self._match_name(identity) or person.may_be_called(name)):
            more.append(Identifier(Kind.NAME, normalize(name)))
        for other in self.people:
            is_same = set(more) & set(other.identifiers)
            if is_same and not other.student:
                more += other.identifiers
        is_news = self.add(Person(person.student, identifiers=tuple(more)))
        self._forget_unclear(more)
        return is_news

    def _forget_unclear(self, identifiers: Iterable[Identifier]) -> None:
        """Remove people without an id whose identifiers all belong to somebody now."""
        answered = set(identifiers)
        people = [
            person
            for person in self.people
            if person.student or not answered.issuperset(person.identifiers)
        ]
        if len(people) < len(self.people):
            self.people = people
            self.__post_init__()

    def merge(self, people: Iterable[Person]) -> MergeResult:
        """Add the people of another list, and its data on people who are already known.

        People are the same by an identifier of one kind; by name only where nobody else
        of either list has it, and nothing says otherwise: a class may have two Kim
        Smiths. Fields that the other list leaves empty stay. Nobody is removed. People
        about whom there is a question are stored without an id, so that nobody is
        mistaken for them.
        """
        result = MergeResult()
        rows = [_without_course_ids(person) for person in people]
        for row in rows:
            self._forget_unclear(row.identifiers)
        # A person whom the other list has by an identifier is no namesake there.
        taken = {p for row in rows for p in self._match_identifiers(row.identity)}
        matches = [self.find(row.identity, taken) for row in rows]
        rows_by_name = Counter(
            match.person for match in matches if match.matched_by in ("name", "--as")
        )
        unclear = []
        for row, match in zip(rows, matches, strict=True):
            identity = row.identity
            person = match.person
            shared = rows_by_name[person]
            if person and match.matched_by in ("name", "--as") and shared > 1:
                match = Match(
                    question=f"{shared} rows may belong to {_described(person)}.",
                    answer=f'--as "{identity.answer}=…"',
                )
            elif not (person or match.question):  # or who was added from another row
                match = self.find(identity, self.people)
            if match.question:
                result.questions.append(f"{identity}: {match}")
                unclear.append(replace(row, student=""))
            elif not match.person:
                student = self.new_person(identity).student
                self.add(replace(row, student=student))
                result.new.add(student)
            else:
                student = match.person.student
                result.students.add(student)
                if self._add_row(row, match.person):
                    result.changed.add(student)
        for person in unclear:
            self.add(person)
        result.changed -= result.new
        result.students |= result.new
        return result

    def _add_row(self, row: Person, person: Person) -> bool:
        """Add what a row says of somebody; return whether that is news.

        Another name in a row with an identifier of the person's is the name that this
        person has now. The one before stays known: a platform may still have it.
        """
        identity = row.identity
        named_row = replace(row, student=person.student)
        if person.may_be_called(identity.name):
            return self.add(named_row)
        if person not in self._match_identifiers(identity):
            return self.add_identity(person, identity)
        self.add(named_row)
        self.add_identity(named_row, replace(identity, name=person.full_name))
        return True

    def _complete(self, before: Person, person: Person) -> bool:
        """Add data on a person; return whether this changed anything."""
        named = person if person.is_better_named(before) else before
        after = replace(
            before,
            last=named.last or before.last,
            first=named.first or before.first,
        ).with_identifiers(person.identifiers)
        self.people[self.people.index(before)] = after
        for key in _keys(before):
            self._index[key].discard(before)
        self._enter(after)
        return after != before


def _keys(person: Person) -> set[_Key]:
    """Return the kinds and texts by which a person can be found."""
    names = spellings(person.last, person.first)
    keys: set[_Key] = {(Kind.NAME, name) for name in names}
    for kind, value in person.all_identifiers():
        text = value.casefold()
        local_part = text.partition("@")[0]
        word = re.sub(r"\W", "", text)  # as OpenOlat writes it
        in_words = f"{kind} in words"
        keys |= {
            (kind, text),
            (_ANY, text),
            (_ANY, local_part),
            (in_words, text),
            (in_words, word),
        }
    return keys


def _described(person: Person) -> str:
    return f"{person.name} ({person.student or 'in a class list'})"


def _without_course_ids(person: Person) -> Person:
    """Return a person of another list: the ids of another course are numbers here."""
    identifiers = tuple(
        each._replace(kind=Kind.NUMBER) if each.kind is Kind.COURSE else each
        for each in person.identifiers
    )
    return replace(person, identifiers=identifiers)
