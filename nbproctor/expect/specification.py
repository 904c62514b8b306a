"""Specification of an exercise: one place from which its hidden tests are made.

It is in a helper cell near the exercise. A hidden test is then one line, such as
``check(MEAN, "values")``. In the judge, a student's function is called once with each
case, and all properties check the same answer.
"""

import contextlib
import copy
import itertools
import math
import operator
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from nbproctor.expect import numbers
from nbproctor.expect.calls import FunctionCall, answers_of
from nbproctor.expect.cases import Case, kinds
from nbproctor.expect.comparison import (
    AGAIN,
    WrongAnswers,
    entries_of,
    expect,
    expect_finite,
    expect_same,
    expect_shape,
    expect_unchanged,
    in_shape,
    is_of,
    is_same,
)
from nbproctor.expect.diagnoses import Factors
from nbproctor.protocol.calls import (
    VALUES,
    Answer,
    answer_and_overwrite,
    call_method,
    make_object,
    set_in_place,
)

State: TypeAlias = Mapping[str, Any]
Answered: TypeAlias = tuple[Case, Any]
Change: TypeAlias = tuple[State, State]
#: The cases to check: a name of `Specification.cases`, or several.
CaseNames: TypeAlias = str | Sequence[str]


@dataclass
class Record:
    """The answers to some cases, and the exception that ended the calls.

    `changes` has, for each case, what its call must not change, before and after.
    """

    answers: list[Any] = field(default_factory=list)
    failure: BaseException | None = None
    changes: list[Change] = field(default_factory=list)


#: In the judge: key of the questions → record of the answers. A kernel calls the
#: function again, because its code may have changed.
Records: TypeAlias = dict[tuple[Any, ...], Record]
recorded: Records | None = None
# Keys that were looked up since this was last cleared.
looked_up: set[tuple[Any, ...]] = set()
# Records that last for one test cell: their answers have objects of the student's
# process.
_cell_records: Records = {}


@dataclass(frozen=True)
class Target:
    """A function to call, or a method of an object that is made for each call.

    `owner` looks up the function, or the class of the `method`. An object is made
    without ``__init__``, and gets the `attributes` that belong to a state. If these are
    None, it is made as in the notebook: ``owner()()``.
    """

    owner: Callable[[], Any]
    method: str = ""
    attributes: Callable[[State], State | None] = lambda state: state

    def call(
        self,
        state: State,
        arguments: Case,
        reads: Sequence[str],
        read_only: bool = False,
    ) -> FunctionCall:
        """Return a call; that of a method also returns attributes of the object."""
        if not self.method:
            return (self.owner(), *arguments)
        return (
            call_method,
            self.owner(),
            self.method,
            self.attributes(state),
            arguments,
            reads,
            read_only,
        )

    def start(self, state: State) -> tuple[list[FunctionCall], FunctionCall]:
        """Return calls that make one object, and the start of all calls of its method.

        The arguments are still to be added. A call of a method starts with the answers
        to the first two calls of the message: the function and the object.
        """
        owner = self.owner()
        if not self.method:
            return [], (owner,)
        method = getattr, owner, self.method
        new_object = make_object, owner, self.attributes(state)
        return [method, new_object], (Answer(0), Answer(1))

    @property
    def origin(self) -> tuple[Any, ...]:
        """The identity of the target: the code that looks it up."""
        return _origin(self.owner), self.method, _origin(self.attributes)


# The two kinds of target: a plain function, or a method of a class.
calls_to = Target
calls_to_method = Target


def _no_mistakes(*case: Any) -> WrongAnswers:
    return {}


@dataclass(frozen=True)
class Specification:
    """What one function of an exercise must return.

    Parameters
    ----------
    name
        The name of an answer in messages, such as ``'mean_of(values)'``.
    target
        The function to call: see `calls_to` and `calls_to_method`. A plain function has
        the state ``{}``.
    right
        Another way to compute the right answer to a case, not the reference solution.
    arguments
        The names of the arguments in messages.
    cases
        Name → function that makes cases, the arguments of calls. In cases whose name
        begins with ``square``, all sizes are equal, so a mistake in a formula seldom
        raises an exception.
    properties
        Name → list of checks, which are called in turn. Each property has one test
        cell.
    mistakes
        For a case, sentence → what an answer with this typical mistake returns. `prove`
        checks that each formula gets its own sentence.
    follows
        For a case and an answer, the right values for `Values`, if one entry is
        computed from another. So a mistake in one entry costs only its own property.
        `mistakes` then gets the answer, too.
    factors
        For a case, the factors of `expect`.
    plain
        Converts an answer before it is compared, if another property checks its form.
    has_state
        Whether a case begins with the state of an object.
    reads
        Attributes of the object that are the answer after a call. Without them, the
        answer is what the call returns.
    helpers
        A context in which other functions that an answer may use are right. A property
        that fails is checked once more in it.
    """

    name: str
    target: Target
    right: Callable[..., Any]
    _: KW_ONLY
    arguments: Sequence[str]
    cases: Mapping[str, Callable[[], Iterable[Case]]]
    properties: Mapping[str, Sequence["Judgement"]]
    mistakes: Callable[..., WrongAnswers] = _no_mistakes
    follows: Callable[..., Any] | None = None
    factors: Callable[..., Factors] = _no_mistakes
    plain: Callable[..., Any] = lambda answer, *case: answer
    has_state: bool = False
    reads: Sequence[str] = ()
    helpers: Callable[[], AbstractContextManager[None]] | None = None

    def state_and_arguments(self, case: Case) -> tuple[State, Case]:
        """Split a case; a plain function has no state."""
        if not self.has_state:
            return {}, case
        return case[0], case[1:]

    def ask(self, cases: Iterable[Case], read_only: bool = False) -> Record:
        """Call the student's function with each case, until it raises an exception.

        For `read_only`, see `answers_of`.
        """
        record = Record()
        copies: dict[int, Any] = {}
        try:
            split = [self.state_and_arguments(case) for case in cases]
            before = [self._untouchable(*parts) for parts in split]
            calls = [
                self.target.call(state, arguments, (*self.reads, *state), read_only)
                for state, arguments in split
            ]
            results = answers_of(
                *calls,
                copies=copies,
                read_only=read_only and not self.target.method,
            )
            for values, (state, arguments) in zip(before, split, strict=True):
                result = next(results)
                parts = iter(result if self.target.method else [result])
                answer = self.read(next(parts), parts)
                state_after = dict(zip(state, parts, strict=True))
                arguments_after = [copies.get(id(each), each) for each in arguments]
                after = self._untouchable(state_after, arguments_after)
                record.changes.append((values, after))
                record.answers.append(answer)
        except Exception as error:
            record.failure = error
        return record

    def _untouchable(self, state: State, arguments: Sequence[Any]) -> dict[str, Any]:
        """Return what a call must not change, by name.

        For an object of the test, these are its type and its public attributes.
        """
        values = {name: state[name] for name in state if name not in self.reads}
        values.update(zip(self.arguments, arguments, strict=True))
        untouchable = dict(values)
        for name, value in values.items():
            if _is_plain(value):
                continue
            untouchable[name] = type(value)
            stays_with_student = hasattr(type(value), "_nbproctor_calls")
            attributes = {} if stays_with_student else getattr(value, "__dict__", {})
            untouchable |= {
                attribute: copy.deepcopy(part)
                for attribute, part in attributes.items()
                if _is_plain(part) and not attribute.startswith("_")
            }
        return untouchable

    def read(self, answer: Any, later: Iterator[Any]) -> Any:
        """Return an answer: what the call returned, or the attributes read after it.

        If the call should return nothing, ``returned`` is what it returned.
        """
        attributes = {name: next(later) for name in self.reads}
        if attributes and answer is not None:
            attributes["returned"] = answer
        return attributes or answer

    @property
    def title(self) -> str:
        """The name of an answer in messages; attributes have their own names."""
        return "" if self.reads else self.name

    def key(self, name: str) -> tuple[Any, ...]:
        """Return a key for these cases that no other specification has.

        Two functions may have the same name. Helper cells run again before each test,
        so the key contains code, which stays the same, and no objects.
        """
        return (
            self.name,
            name,
            *self.reads,
            *self.target.origin,
            _origin(self.cases[name]),
        )

    def record(self, name: str) -> Record:
        """Return the answers to some cases; the judge makes the calls only once."""
        key = self.key(name)
        return _remember(key, lambda: self.ask(self.cases[name]()))

    def answered(
        self,
        name: str,
        otherwise: str = "",
        until_error: bool = False,
    ) -> Iterator[Answered]:
        """Yield cases with their answers, then raise what ended the calls."""
        name = self.usable(name, otherwise)
        record = self.record(name)
        # Make the cases again: a call may have changed an object that it was passed.
        yield from zip(self.cases[name](), record.answers, strict=False)
        if record.failure is not None and not until_error:
            raise record.failure

    def usable(self, name: str, otherwise: str) -> str:
        """Return the cases to check: others if these raise and values are wrong there.

        So a mistake that raises an exception costs no more than one that does not.
        Raising on purpose never earns more than a wrong value: such an answer raises in
        the square cases, too, or is right there. Without others, these cases are
        checked.
        """
        if not otherwise:
            return name
        failure = self.record(name).failure
        if failure is None:
            return name
        if not self.is_wrong_in_squares():
            raise failure
        return otherwise

    def is_wrong_in_squares(self) -> bool:
        """Whether a value is wrong in the square cases; exceptions do not count.

        Answers that the judge does not cache do not count: they may be wrong here, and
        right where they earn points.
        """
        for name in self.cases:
            if not name.startswith("square"):
                continue
            with contextlib.suppress(Exception):
                for case, answer in self.answered(name):
                    is_cached = recorded is None or self.key(name) in recorded
                    if is_cached and not is_same(answer, self.right(*case), answer):
                        return True
        return False

    def mistakes_of(self, case: Case, answer: Any) -> WrongAnswers:
        """Return what typical mistakes return for a case."""
        if self.follows:
            return self.mistakes(*case, answer)
        return self.mistakes(*case)

    def failure(self, name: str) -> Exception | None:
        """Check a property; return the exception that says what is wrong, or None."""
        try:
            for judgement in self.properties[name]:
                judgement(self)
        except Exception as error:
            return error
        return None

    def holds(self, name: str) -> bool:
        """Whether a property holds, for properties that depend on it.

        The judge caches this; a kernel does not.
        """
        key = "holds", self.name, name, *self.target.origin
        result = _remember(key, lambda: Record(failure=self.failure(name)))
        return result.failure is None


def _remember(key: tuple[Any, ...], ask: Callable[[], Record]) -> Record:
    """Return a record, which the judge caches."""
    looked_up.add(key)
    records = _cell_records | (recorded or {})
    if key in records:
        return records[key]
    record = ask()
    if recorded is not None:
        records = recorded if _is_value(record.answers) else _cell_records
        records[key] = record
    return record


@contextlib.contextmanager
def recording(records: Records, source: str | None = None) -> Iterator[None]:
    """Cache answers in `records`, and use those that are there.

    `source` is the text of the answer, for `beyond`; an empty text changes nothing.
    """
    global recorded, _cell_records
    before = recorded, _cell_records, numbers.answer_numbers
    recorded = records
    _cell_records = {}
    try:
        if source is not None:
            numbers.answer_numbers = numbers.numbers_in(source)
        yield
    finally:
        recorded, _cell_records, numbers.answer_numbers = before


def _origin(value: Any, depth: int = 5) -> Any:
    """Return the identity of a function: its code, and the code of its parts."""
    kind = type(value)
    if kind in (bool, int, float, str, types.NoneType):
        return value
    if kind is not types.FunctionType or not depth:
        # Two bound methods are equal only if they are of the same object. Each keeps
        # its object alive, so no other gets the same `id`.
        return types.MethodType(id, value)
    defaults = value.__defaults__ or ()
    named_defaults = value.__kwdefaults__ or {}
    parts = [*defaults, *named_defaults.values()]
    for cell in value.__closure__ or ():
        with contextlib.suppress(ValueError):  # the cell is empty
            parts.append(cell.cell_contents)
    origins = [_origin(part, depth - 1) for part in parts]
    return value.__code__, *origins


def _is_value(answer: Any) -> bool:
    """Whether an answer is a plain value, not an object of the student's process."""
    if type(answer) is dict:
        answer = [*answer.values()]
    if type(answer) in (list, tuple):
        return all(map(_is_value, answer))
    plain = bool, int, float, str, np.ndarray, np.generic, type(None)
    return issubclass(type(answer), plain)


Judgement: TypeAlias = Callable[[Specification], None]


def check(specification: Specification, name: str) -> None:
    """Check one property; an `AssertionError` says what is wrong."""
    failure = specification.failure(name)
    if failure and specification.helpers:
        with recording({}), specification.helpers():
            failure_with_helpers = specification.failure(name)
        # An assertion error describes values of the answer itself, so it is kept.
        if not failure_with_helpers or not isinstance(failure, AssertionError):
            failure = failure_with_helpers
    if failure:
        raise failure


@dataclass(frozen=True)
class Each:
    """Check each answer to some cases with a function of the case and the answer.

    `cases` is a name, or several; without a name, these are all cases. If a call raises
    an exception, and a value is wrong where all sizes are equal, the cases `otherwise`
    are checked. With `until_error`, the answers before an exception are checked, and
    the exception costs another property.
    """

    cases: CaseNames
    judge: Callable[..., None]
    otherwise: str = ""
    until_error: bool = False

    def __call__(self, specification: Specification) -> None:
        """Check the answers, one by one."""
        for name in _names(self.cases) or specification.cases:
            answered = specification.answered(
                name=name,
                otherwise=self.otherwise,
                until_error=self.until_error,
            )
            for case, answer in answered:
                self.judge(*case, answer)


@dataclass(frozen=True)
class Values:
    """Compare the values of each answer with the right ones, and with mistakes.

    `cases` is a name, or several; `name` is a text, or a function of the case;
    `options` are those of `expect`. Of dictionaries, only `entries` are checked, or all
    entries if there are none. With `any_shape`, an answer of another shape is right,
    because another property checks the shape. For `otherwise`, see `Each`.
    """

    cases: CaseNames
    name: str | Callable[..., str] = ""
    options: Mapping[str, float] = field(default_factory=dict)
    entries: Sequence[str] = ()
    any_shape: bool = False
    otherwise: str = ""

    def __call__(self, specification: Specification) -> None:
        """Compare each answer with the right one."""
        answered = itertools.chain.from_iterable(
            specification.answered(name, self.otherwise) for name in _names(self.cases)
        )
        earlier = []
        for case, answer in answered:
            earlier.append((case, answer))
            right = specification.right(*case)
            if specification.follows:
                right = specification.follows(*case, answer)
            if self.entries:
                right = {key: right[key] for key in self.entries}
            plain = specification.plain(answer, *case)
            is_array = self.any_shape and is_of(plain, np.ndarray)
            if is_array and plain.size == np.size(right):
                plain = in_shape(plain, np.shape(right))
            expect(
                plain,
                right,
                self._title(specification, case),
                factors=specification.factors(*case),
                mistakes=partial(_fitting_mistakes, specification, earlier, answered),
                **self.options,
            )

    def _title(self, specification: Specification, case: Case) -> str:
        """Return the name of the answer to a case, for messages."""
        name = self.name(*case) if callable(self.name) else self.name
        if name:
            return name
        # Other cases may be right, so the message describes this one.
        shape = max(map(np.shape, case), key=math.prod)
        if math.prod(shape) > 300:
            return f"{specification.title} for shape {shape}"
        return specification.title


def _fitting_mistakes(
    specification: Specification,
    earlier: Sequence[Answered],
    later: Iterable[Answered],
) -> WrongAnswers:
    """Return the mistakes of the last case; those that fit all answers first."""
    mistakes = specification.mistakes_of(*earlier[-1])
    fitting = dict(mistakes)
    with contextlib.suppress(Exception):  # an answer of another form
        for case, answer in itertools.chain(earlier, later):
            plain = specification.plain(answer, *case)
            formulas = specification.mistakes_of(case, answer)
            for sentence in fitting.keys() & formulas.keys():
                if not is_same(plain, formulas[sentence], formulas[sentence]):
                    del fitting[sentence]
    return {**fitting, **mistakes}  # in this order: the first one that fits is named


@dataclass(frozen=True)
class After:
    """Check something only if another property holds, so a mistake costs one.

    If it does not hold, the answers to some cases must still be finite numbers, not all
    zero and not all the same. So a function that computes nothing fails here, too.
    """

    earlier: str
    judgement: Judgement
    cases: str

    def __call__(self, specification: Specification) -> None:
        """Check the answers, or only that they are numbers."""
        if specification.holds(self.earlier):
            self.judgement(specification)
            return
        answers = [answer for _, answer in specification.answered(self.cases)]
        _expect_numbers(specification, answers)
        first, *others = answers
        if others and all(is_same(other, first, other) for other in others):
            raise AssertionError(f"{specification.name}: {_SAME}")


def _expect_numbers(specification: Specification, answers: Sequence[Any]) -> None:
    """Check that answers are finite numbers, and not all zero."""
    is_zero = True
    for answer in answers:
        entries = answer if is_of(answer, Mapping) else {"": answer}
        for key, value in entries.items():
            expect_finite(value, f"{specification.name} {key}".strip())
            if np.any(value):
                is_zero = False
    assert not is_zero, f"{specification.name} is zero everywhere"


@dataclass(frozen=True)
class Shape:
    """Compare the shape of each answer with that of the right one.

    For `otherwise`, see `Each`; for `entries`, see `Values`.
    """

    cases: str
    otherwise: str = ""
    entries: Sequence[str] = ()

    def __call__(self, specification: Specification) -> None:
        """Compare the shapes."""
        for case, answer in specification.answered(self.cases, self.otherwise):
            right = specification.right(*case)
            if not self.entries:
                expect_shape(answer, np.shape(right), specification.name)
            for key in self.entries:
                expect_shape(answer[key], np.shape(right[key]), key)


@dataclass(frozen=True)
class Unchanged:
    """Check that calls do not change their arguments or the state of their object.

    Attributes that are the answer may change; attributes of the test's objects may not.
    `cases` is a name, or several. The first is also called with all types and memory
    orders, and with read-only arrays: an answer that converts its arguments copies some
    of them, but not others.
    """

    cases: CaseNames
    otherwise: str = ""

    def __call__(self, specification: Specification) -> None:
        """Make the calls that show a change, and compare."""
        names = _names(self.cases)
        names[0] = specification.usable(names[0], self.otherwise)
        first, *_ = specification.cases[names[0]]()
        cases = kinds(*first, narrow=True)
        record = specification.ask(cases, read_only=True)
        changes = [*record.changes]
        is_changed_back = False
        # If it raises with writable arrays, too, properties of values fail.
        for case in cases if record.failure else ():
            if specification.ask([case], read_only=True).failure:
                writable = specification.ask([case])
                changes += writable.changes
                if writable.failure is None:
                    is_changed_back = True
                    break
        for name in names:
            changes += specification.record(name).changes
        for before, after in changes:
            for name, value in after.items():
                expect_unchanged(value, before.get(name), name)
        assert not is_changed_back, (
            f"{specification.name}: an argument was changed, even if it was changed "
            "back later: work on a copy"
        )


def _names(cases: CaseNames) -> list[str]:
    return [cases] if isinstance(cases, str) else [*cases]


def _is_plain(value: Any) -> bool:
    return isinstance(value, (*VALUES, int, float, str, np.generic))


@dataclass(frozen=True)
class Anew:
    """Check that no call depends on an earlier call.

    One object is called with all cases, best those of `changed`, and must return what a
    new object returns. A new object may have cached something, too. So not all answers
    may equal the first one, and none may be the right answer to the previous case,
    unless the property `after` does not hold: then this may have another reason. The
    object and the arguments are changed in place. Then the first cases are called again
    with new arrays, and the last one twice, with its first answer overwritten in
    between. Attributes that are the answer must not share memory; with `shares`, two
    answers may.
    """

    cases: str
    otherwise: str = ""
    after: str = ""
    shares: bool = False

    def __call__(self, specification: Specification) -> None:
        """Call one object again and again."""
        answered = [*specification.answered(self.cases, self.otherwise)]
        keep = not self.shares and not specification.reads
        if keep:
            *others, last = answered
            repeated = [*others[:2], last, last]
        else:
            others = answered
            repeated = answered[:1]
        questions = [answered[0], *others, *repeated]
        cases = [case for case, _ in questions]
        is_right = not self.after or specification.holds(self.after)
        earlier = specification.right(*cases[0])
        used: list[Any] = []
        repeats = []
        turn = 1 + len(others)
        answers = _ask_one_object(
            specification=specification,
            cases=cases,
            turn=turn,
            keep=keep,
        )
        for (case, fresh), answer in zip(questions, answers, strict=True):
            right = specification.right(*case)
            is_other = not is_same(right, earlier, right)
            reason = _OLD if is_other else AGAIN
            if not used:
                reason = _SHARED if keep else _RANDOM
            elif keep and len(used) == len(cases) - 1:
                reason = _IN_PLACE
            expect_same(
                entries_of(answer, right),
                entries_of(fresh, right),
                specification.title,
                reason,
            )
            if is_other:
                is_old = is_right and is_same(answer, earlier, right)
                assert not is_old, f"{specification.name} {_OLD}"
                if _shapes(right) == _shapes(earlier):
                    repeats.append(is_same(answer, used[-1], right))
            used.append(answer)
            earlier = right
        if repeats and all(repeats):
            _expect_numbers(specification, used)
            raise AssertionError(f"{specification.name}: {_SAME}")


_SAME = "every call returns the same result: does it depend on the arguments?"
_SHARED = "changes when another call is made: do two results share an array?"
_RANDOM = "differs between two new objects: is it random, without a seed?"
_OLD = (
    "does not change when its argument or object changes: is it the result of an "
    "earlier call?"
)
_IN_PLACE = (
    "changes when another result is changed in place: do the two share an array?"
)


def _shapes(right: Any) -> Any:
    if isinstance(right, Mapping):
        return {key: np.shape(value) for key, value in right.items()}
    return np.shape(right)


def _ask_one_object(
    specification: Specification,
    cases: Sequence[Case],
    turn: int,
    keep: bool,
) -> Iterator[Any]:
    """Yield the answers of one object; case number `turn` gets new arrays.

    With `keep`, its answer to the last but one is overwritten before the last.
    Attributes that are the answer must have the values that were set; otherwise, two of
    them share memory.
    """
    split = [specification.state_and_arguments(case) for case in cases]
    first_state, objects = split[0]
    calls, beginning = specification.target.start(first_state)
    owner = beginning[-1]
    reads = [(getattr, owner, name, None) for name in specification.reads]
    is_answer = [False] * len(calls)  # whether the result of each call is yielded
    for number, (state, arguments) in enumerate(split):
        gets_new = number == turn
        set_value = setattr if gets_new else set_in_place
        state_before, _ = split[number - 1]
        changes = []
        for name, value in state.items():
            is_other = value is not state_before[name]
            if is_other or gets_new or name in specification.reads:
                new = copy.deepcopy(value) if _is_plain(value) else value
                changes.append((set_value, owner, name, new))
        new_objects = copy.deepcopy(arguments)
        if gets_new:
            objects = new_objects
        else:
            pairs = zip(objects, new_objects, strict=True)
            objects = tuple(_in_place(old, new, changes) for old, new in pairs)
        call = (*beginning, *objects)
        if keep and number == len(cases) - 2:
            call = (answer_and_overwrite, *call)
        calls += [*changes, *reads, call, *reads]
        is_answer += [False] * len(changes)
        is_answer += [True] * (len(calls) - len(is_answer))
    answers = itertools.compress(answers_of(*calls, keep=keep), is_answer)
    for state, _ in split:
        for name in specification.reads:
            value = next(answers)
            if is_of(value, np.ndarray):
                # An answer may use numbers of 16 bits.
                expect_same(value, state[name].astype(value.dtype), name, _IN_PLACE)
        yield specification.read(next(answers), answers)


def _in_place(
    old: Any,
    new: Any,
    calls: list[FunctionCall],
) -> Any:
    """Add calls that change an argument in place, or return the new argument."""
    are_dictionaries = isinstance(old, dict) and isinstance(new, dict)
    if are_dictionaries and old.keys() == new.keys():
        entries = {key: _in_place(old[key], new[key], calls) for key in new}
        is_changed_in_place = all(entries[key] is old[key] for key in old)
        return old if is_changed_in_place else entries
    are_arrays = isinstance(old, np.ndarray) and isinstance(new, np.ndarray)
    if are_arrays and (old.shape, old.dtype) == (new.shape, new.dtype):
        calls.append((operator.setitem, old, (), new))
        return old
    return new


def prove(specification: Specification) -> list[str]:
    """Check that each mistake fails and is named; return those that are not.

    All properties check what its formula returns. The sentence of another mistake is
    accepted if its formula returns the same.
    """
    if specification.mistakes is _no_mistakes:
        return []  # there may be no right answer
    tables: dict[str, list[tuple[Any, WrongAnswers]]] = {}
    sentences: dict[str, Any] = {}
    for name, make in specification.cases.items():
        tables[name] = []
        for case in make():
            right = specification.right(*case)
            table = specification.mistakes_of(case, right)
            tables[name].append((right, table))
            sentences |= table
    failures = []
    for sentence in sentences:
        records: Records = {}
        for name, pairs in tables.items():
            wrong = [_with_mistake(*pair, sentence) for pair in pairs]
            records[specification.key(name)] = Record(wrong)
        with recording(records):
            faults = [*map(specification.failure, specification.properties)]
        messages = [str(fault) for fault in faults if fault]
        text = "\n".join(messages)
        if not any(each in text for each in sentences):
            first = messages[:1]
            failures.append(f"{specification.name} {sentence}: {first}")
    return failures


def _with_mistake(
    right: Any,
    table: WrongAnswers,
    sentence: str,
) -> Any:
    """Return the answer of a mistake; entries that it leaves out are right."""
    if isinstance(right, Mapping):
        return {**right, **table.get(sentence, {})}
    return table.get(sentence, right)
