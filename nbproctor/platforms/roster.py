"""Class list: who is meant by what a platform says. The one matcher of the package.

Identifiers match within their kind only. What fits several people, or nobody but by a
number of another kind, is asked and never assumed: a `Match` then holds a question.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import chain, count, islice
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
#: What parts the words of a folder's name; an id may hold the later of them.
_BETWEEN_WORDS = (r"[\s,;()\[\]]+", r"[\s,;()\[\]_]+", r"[\s,;()\[\]_-]+")


class RosterError(NbproctorError):
    """A class list cannot be read, or does not know somebody; says what to do."""


class Match(NamedTuple):
    """Who is meant. Neither a person nor a question: nobody of the class."""

    person: Person | None = None
    matched_by: str = ""  # the kind of an identifier, "name" or "--as"
    question: str = ""  # why it is not certain
    answer: str = ""  # the option that answers the question
    kind_suggestion: str = ""  # what may hold for all, for the option ``--same``

    def __str__(self) -> str:
        return f"{self.question} Skipped. To assign it to a student: {self.answer}"


@dataclass
class MergeResult:
    """What another class list brought."""

    new: int = 0
    changed: int = 0
    #: A line for each row that was not taken, with what answers it.
    questions: list[str] = field(default_factory=list)
    # What may answer many of them.
    kind_suggestions: set[str] = field(default_factory=set)


@dataclass
class Roster:
    """Everybody in the class, and who may be in it: those without an id."""

    people: list[Person] = field(default_factory=list)
    #: A teacher's answers: a text, and the id of the student who is meant by it; and of
    #: which kind those are that do not say so.
    answers: list[tuple[str, str]] = field(default_factory=list)
    kind_aliases: dict[Kind, Kind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Where in `people` somebody is: by an identifier of a kind, a word that may be
        # one, as a folder's name has it, and a text of any kind.
        self._indexes = defaultdict[tuple[str, str], set[int]](set)
        for index in range(len(self.people)):
            self._index(index)

    @property
    def students(self) -> list[Person]:
        """Everybody who is certain to be in the class."""
        return [person for person in self.people if person.student]

    @property
    def labels(self) -> dict[str, str]:
        """How each student is shown, by id."""
        return labels({person.student: person.name for person in self.students})

    def _index(self, index: int) -> None:
        person = self.people[index]
        names = spellings(person.last, person.first)
        keys: set[tuple[str, str]] = {(Kind.NAME, name) for name in names}
        for kind, value in person.all_identifiers():
            text = value.casefold()
            keys |= {(kind, text), (_ANY, text), (_ANY, text.partition("@")[0])}
            word = re.sub(r"\W", "", text)  # as OpenOlat writes it
            keys |= {(f"{kind} in words", text), (f"{kind} in words", word)}
        for key in keys:
            self._indexes[key].add(index)

    def _indexes_with(self, kind: str, text: str) -> Set[int]:
        """Return who has an identifier."""
        return self._indexes.get((kind, text.casefold()), set())

    def _at(self, student: str) -> int | None:
        """Return where in `people` the student with exactly this id is."""
        indexes = self._indexes_with(Kind.COURSE, student)
        return next((i for i in indexes if self.people[i].student == student), None)

    def answer(self, text: str, student: str) -> None:
        """Take a teacher's word for who is meant by a name or an identifier.

        Without a student it is somebody new. `RosterError`: it is not one student of
        the class list.
        """
        if not normalize(text):
            raise RosterError(
                'Write --as "NAME=ID": the name on the platform, and the student\'s id.'
            )
        self.answers.append((text, self.find_one(student).student if student else ""))

    def add_kind_alias(self, kind: str, other: str) -> None:
        """Take a teacher's word that identifiers of one kind are those of another.

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
        if target in UNCERTAIN:
            self.kind_aliases[target] = source
            return
        for index, person in enumerate(self.people):
            if not person.values(target):
                values = person.values(source)
                more = tuple(Identifier(target, value) for value in values)
                self._complete(index, replace(person, identifiers=more))

    def find(self, identity: Identity, namesakes: Container[int] = ()) -> Match:
        """Find who is meant: as a teacher answered, by identifiers, or by name.

        Those of `people` who are only `namesakes`, by their index, are not meant by a
        name alone.
        """
        answers = {student for text, student in self.answers if identity.matches(text)}
        if len(answers) == 1:
            index = self._at(answers.pop())
            return Match() if index is None else Match(self.people[index], "--as")
        claims = self._match_identifiers(identity)
        if not claims:
            claims = {
                i: "name" for i in self._match_name(identity) if i not in namesakes
            }
        if not claims:
            return self._ask_about_similar(identity)
        index, by = next(iter(claims.items()))
        several = "This may be {}." if len(claims) > 1 else ""
        if objection := several or self._objection(index, by, identity):
            return self._make_question(claims, objection, identity)
        return Match(self.people[index], by)

    def _match_identifiers(self, identity: Identity) -> dict[int, str]:
        """Return who has an identifier of the identity, of the same kind; and which."""
        claims: dict[int, str] = {}
        for kind, value in identity.identifiers:
            kinds = UNCERTAIN.get(kind, (kind,))
            if kind in self.kind_aliases:
                kinds = (self.kind_aliases[kind],)
            for each in kinds:
                claims |= dict.fromkeys(
                    self._indexes_with(each, value) - claims.keys(), each
                )
        if not claims:
            for index, text in self._in_words(identity.word):
                if self._is_named_in(text, index):
                    claims[index] = "id and name"
        return claims

    def _in_words(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield whose id is one of the words of a text, and the rest of the text."""
        certain = self.kind_aliases.get(Kind.WORD)
        for word in {w for between in _BETWEEN_WORDS for w in re.split(between, text)}:
            for kind in (certain,) if certain else WORD_KINDS:
                for index in self._indexes_with(f"{kind} in words", word):
                    yield index, text.replace(word, " ", 1)

    def _is_named_in(self, text: str, index: int) -> bool:
        """Whether a text names somebody: exactly, and nobody else, or of a sure kind.

        Beside the name it may hold more numbers, as in ``Okafor_Amara__4711``.
        """
        if Kind.WORD in self.kind_aliases:
            return self.people[index].may_be_called(text)
        name = re.sub(r"[^\W_]*\d[^\W_]*", " ", text)
        return self._indexes_with(Kind.NAME, normalize(name)) == {index}

    def _match_name(self, identity: Identity) -> set[int]:
        """Return who has exactly the name of the identity, however it is written."""
        spelled = {normalize(identity.text), *spellings(*split_name(identity.text))}
        return set().union(*(self._indexes_with(Kind.NAME, text) for text in spelled))

    def _objection(
        self,
        index: int,
        by: str,
        identity: Identity,
    ) -> str:
        """Return what speaks against somebody whom an identity fits, or nothing."""
        person = self.people[index]
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
                for other in self._indexes_with(Kind.NUMBER, value) - {index}:
                    owner = _described(self.people[other])
                    return f"This may be {{}}, but it has a number of {owner}."
        return ""

    def _ask_about_similar(self, identity: Identity) -> Match:
        """Ask where a number of another kind, or a word of a name, is somebody's."""
        suspects = {index for index, _ in self._in_words(identity.word)}
        for _, value in identity.identifiers:
            for text in (value, safe_file_name(value), value.partition("@")[0]):
                suspects |= self._indexes_with(_ANY, text)
        suspects = {
            i for i in suspects if not self.people[i].conflicting_kind(identity)
        }
        if not suspects:
            return Match()
        question = "No student has this identifier, but it looks like one of {}."
        match = self._make_question(suspects, question, identity)
        texts = {value.casefold() for _, value in identity.identifiers}
        kinds = (
            kind
            for index in sorted(suspects)
            for kind, value in reversed(self.people[index].all_identifiers())
            if value.casefold() in texts and kind is not Kind.NUMBER
        )
        return match._replace(
            answer=f'{match.answer}, or for a new student: --as "{identity.answer}="',
            kind_suggestion="".join(
                f"{identity.identifiers[0].kind}={k}" for k in islice(kinds, 1)
            ),
        )

    def _make_question(
        self,
        indexes: Iterable[int],
        question: str,
        identity: Identity,
    ) -> Match:
        people = [self.people[index] for index in sorted(indexes)]
        several = " and ".join(map(_described, people[:3]))
        first = next((person.student for person in people if person.student), "")
        answer = f'--as "{identity.answer}={first}"'
        return Match(question=question.format(several), answer=answer)

    def find_one(self, student: str) -> Person:
        """Return the student who has this id, login, e-mail or name.

        `RosterError`: nobody has, or several have.
        """
        indexes = {i for kind in WORD_KINDS for i in self._indexes_with(kind, student)}
        indexes = indexes or self._match_name(Identity(student))
        people = [self.people[i] for i in sorted(indexes) if self.people[i].student]
        if len(people) != 1:
            several = "; ".join(map(_described, people))
            raise RosterError(
                f"{student!r} does not identify one student in the class "
                f"list{f', but may be {several}' if several else ''}. Give the id."
            )
        return people[0]

    def new_person(self, identity: Identity) -> Person:
        """Return somebody who is not in the class list, with an id that nobody has."""
        ids = possible_ids(identity) or [safe_file_name(identity.name)]
        numbered = (f"{ids[0]}-{number}" for number in count(2))
        free_ids = (
            i for i in chain(ids, numbered) if not self._indexes_with(Kind.COURSE, i)
        )
        student = next(free_ids)
        last, first = split_name(identity.text)
        return Person(
            student=student,
            last=last,
            first=first,
        ).with_identifiers(identity.identifiers)

    def add(self, person: Person) -> bool:
        """Add somebody, or complete who has this id; return whether that is news."""
        index = self._at(person.student)
        if index is not None:
            return self._complete(index, person)
        self.people.append(person.with_identifiers(()))
        self._index(len(self.people) - 1)
        return True

    def add_identity(self, person: Person, identity: Identity) -> bool:
        """Know somebody by what a platform says; return whether that is news.

        A name that somebody else has is not kept: next time it may be theirs.
        """
        more = list(identity.identifiers)
        if not (self._match_name(identity) or person.may_be_called(identity.text)):
            more.append(Identifier(Kind.NAME, normalize(identity.text)))
        for unclear in self.people:
            if not unclear.student and not {*more}.isdisjoint(unclear.identifiers):
                more += unclear.identifiers
        is_news = self.add(Person(person.student, identifiers=tuple(more)))
        self._forget_unclear(more)
        return is_news

    def _forget_unclear(self, identifiers: Iterable[Identifier]) -> None:
        """Forget those without an id of whom all identifiers are somebody's now."""
        answered = set(identifiers)
        people = [p for p in self.people if p.student or {*p.identifiers} - answered]
        if len(people) < len(self.people):
            self.people = people
            self.__post_init__()

    def merge(self, people: Iterable[Person]) -> MergeResult:
        """Add the people of another list, and what it says of those who are known.

        People are the same by an identifier of one kind; by name only where nobody else
        of either list has it, and nothing says otherwise: a class may have two Kim
        Smiths. What the other list leaves empty is kept. Nobody is removed. Those who
        are asked about are kept without an id, so that nobody is taken for them.
        """
        result = MergeResult()
        rows = []
        for row in people:
            identifiers = (
                # The ids of another course are numbers here.
                i._replace(kind=Kind.NUMBER) if i.kind is Kind.COURSE else i
                for i in row.identifiers
            )
            rows.append(replace(row, identifiers=tuple(identifiers)))
        for row in rows:
            self._forget_unclear(row.identifiers)
        unclear = []
        # Who is in the other list by an identifier is nobody else's namesake there.
        taken = {
            index for row in rows for index in self._match_identifiers(row.identity)
        }
        matches = [self.find(row.identity, taken) for row in rows]
        by_name = Counter(m.person for m in matches if m.matched_by in ("name", "--as"))
        for row, match in zip(rows, matches, strict=True):
            identity = row.identity
            person = match.person
            if person and match.matched_by in ("name", "--as") and by_name[person] > 1:
                several = f"{by_name[person]} rows may belong to {_described(person)}."
                match = Match(question=several, answer=f'--as "{identity.answer}=…"')
            elif not (person or match.question):  # or who was added from another row
                match = self.find(identity, range(len(self.people)))
            if match.question:
                result.questions.append(f"{identity}: {match}")
                result.kind_suggestions |= {match.kind_suggestion} - {""}
                unclear.append(replace(row, student=""))
            elif match.person is None:
                self.add(replace(row, student=self.new_person(identity).student))
                result.new += 1
            elif match.person.may_be_called(identity.name):
                result.changed += self.add(replace(row, student=match.person.student))
            else:
                result.changed += self.add_identity(match.person, identity)
        for person in unclear:
            self.add(person)
        return result

    def _complete(self, index: int, person: Person) -> bool:
        """Add what is said of somebody; return whether that is news."""
        before = self.people[index]
        named = person if person.is_better_named(before) else before
        after = replace(
            before,
            last=named.last or before.last,
            first=named.first or before.first,
        ).with_identifiers(person.identifiers)
        self.people[index] = after
        self._index(index)
        return after != before


def _described(person: Person) -> str:
    return f"{person.name} ({person.student or 'in a class list'})"
