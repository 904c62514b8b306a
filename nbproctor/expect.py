"""Diagnoses for hidden tests: one line that names the symptom, never the answer.

A test that only says "wrong" teaches nothing, and one that prints what it wanted gives
the answer away. The first diagnosis that fits is raised as an ``AssertionError``. Its
numbers are shapes, indices, counts and the factor 2: never an expected value, nor a
ratio that hidden data would show.
"""

import base64
import contextlib
import copy
import functools
import io
import math
import struct
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

_NUMERIC = int, float, complex, np.generic, np.ndarray
_VALUES = np.ndarray, dict, list, tuple
_Array: TypeAlias = npt.NDArray[Any]
_Shape: TypeAlias = tuple[int, ...]
Mistakes: TypeAlias = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None


def expect(
    got: object,
    want: object,
    name: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    factors: Mapping[str, float] | None = None,
    mistakes: Mistakes = None,
) -> None:
    """Compare type, shape and values of an answer with the right one.

    Parameters
    ----------
    got
        The answer, of any floating or integer dtype. A list is one only for a list.
    want
        A number, an array, a list of numbers, or a mapping of these, whose entries are
        judged as ``name["key"]``.
    name
        What the student calls it, such as ``'grads'``; every message starts with it.
    rtol, atol
        Right is ``|got - want| <= atol + rtol * |want|``; the defaults admit float32.
        Where both are integers they must be equal.
    factors
        Constant factors that tell the mistake, by their name in the formula:
        ``{"m": 7, "the number of classes": 4}``. Only the name is shown. The factor 2
        is always among them, and so is the inverse of each.
    mistakes
        Wrong answers that typical mistakes give, by the symptom to report: a mapping,
        or a function that returns it, called only if the answer is wrong. Where `want`
        is a mapping, each wrong answer is a mapping of some of its entries.

    Raises
    ------
    AssertionError
        One line, at most 160 characters, with the first diagnosis that fits.
    ValueError
        `want` has an unsupported type: the test is broken.
    """
    if isinstance(want, Mapping):
        options: dict[str, Any] = {"rtol": rtol, "atol": atol, "factors": factors}
        for key, (label, entry) in _entries(got, want, name).items():
            of_entry = functools.partial(_entry_of, mistakes, key)
            expect(entry, want[key], label, **options, mistakes=of_entry)
        return
    right = np.asarray(want)
    if right.dtype.kind not in "iuf" or np.isnan(right).any():
        raise ValueError(f"The test of {name} is broken: it wants {want!r:.60}.")
    answer = _numbers(got, name, right.shape, lists=isinstance(want, list | tuple))
    with np.errstate(all="ignore"):
        exact = {answer.dtype.kind, right.dtype.kind} <= {"i", "u"}
        close = np.isclose(answer, right.astype(float), rtol, atol)
        wrong = answer != right if exact else ~close
        if wrong.any():
            for symptom, mistake in _all(mistakes).items():
                values = np.asarray(mistake, dtype=float)
                if values.shape == answer.shape and fits(answer, values, rtol):
                    _fail(name, symptom)
            telling = {"2": 2.0, **(factors or {})}
            _fail(name, diagnosis(answer, right, wrong, rtol, telling))


def _all(mistakes: Mistakes) -> Mapping[str, Any]:
    return (mistakes() if callable(mistakes) else mistakes) or {}


def _entry_of(mistakes: Mistakes, key: Any) -> Mapping[str, Any]:
    return {
        say: answers[key] for say, answers in _all(mistakes).items() if key in answers
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is no part of an answer: warnings, and progress bars on stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def answer_of(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function answers to copies of the arguments.

    So an answer that changes its arguments spoils neither the next one nor what it is
    compared with; `expect_pure` is the test that says so.
    """
    with quiet():
        return function(*copy.deepcopy(args))


def answers_of(*calls: tuple[Any, ...], keep: bool = False) -> Iterator[Any]:
    """Yield what calls answer, made one after another: ``(function, *arguments)`` each.

    If any part is a student's, one message asks all. They get copies of the arguments,
    the same one of an array that comes twice; ``operator.iadd`` and ``setattr`` may
    stand between them. With `keep`, what a later call has changed in an earlier answer
    shows; else each answer is copied at once. A call that raises does so when its turn
    comes.
    """
    # An object of the student's is no value, and no copy of it is sent.
    memo = {id(x): x for call in calls for x in call if not isinstance(x, _VALUES)}
    copies = [(call[0], *copy.deepcopy(call[1:], memo)) for call in calls]
    things = (thing for call in calls for thing in call)
    students = (thing for thing in things if hasattr(type(thing), "_nbproctor_calls"))
    with quiet():
        if (student := next(students, None)) is not None:
            answers = type(student)._nbproctor_calls(student, copies, keep)
        else:
            answers = in_turn(copies, keep)
    return _with_the_rest(answers, copies)


def _with_the_rest(answers: list[Any], calls: list[tuple[Any, ...]]) -> Iterator[Any]:
    yield from answers
    for function, *arguments in calls[len(answers) :]:
        with quiet():
            answer = function(*arguments)
        yield answer


def in_turn(calls: Sequence[tuple[Any, ...]], keep: bool) -> list[Any]:
    """Make the calls of `answers_of`, where its functions are, until one raises."""
    answers = []
    with contextlib.suppress(Exception):
        for function, *arguments in calls:
            answer = function(*arguments)
            kept = keep or not isinstance(answer, _VALUES)
            answers.append(answer if kept else copy.deepcopy(answer))
    return answers


def expect_pure(
    function: Callable[..., Any], *args: Any, names: Sequence[str] = ()
) -> Any:
    """Check that a function leaves its arguments as they were; return its answer.

    It is called once, with copies of the arguments.

    Parameters
    ----------
    names
        What the student calls the arguments, ``("X", "Y", "cache")``; without them
        they are counted.

    Raises
    ------
    AssertionError
        An argument has changed; says which, as ``cache["A2"]``.
    """
    copies = copy.deepcopy(args)
    with quiet():
        got = function(*copies)
    for number, (now, before) in enumerate(zip(copies, args, strict=True)):
        name = names[number] if number < len(names) else f"argument {number + 1}"
        expect_unchanged(now, before, name)
    return got


def expect_shape(got: object, shape: tuple[int, ...], name: str) -> None:
    """Check that an answer is a numeric array of a shape; ``()`` is that of a number.

    Raises
    ------
    AssertionError
        `got` is None, no number or numeric array, or has another shape.
    """
    _numbers(got, name, shape)


def expect_unchanged(now: object, before: object, name: str) -> None:
    """Check that an argument or attribute is what it was before a call.

    `before` is a deep copy from before the call: a number, text, an array, or a list
    or mapping of these.

    Raises
    ------
    AssertionError
        A value, shape, dtype, length or key has changed; says where.
    """
    advice = "during the call, but must stay as it was: work on a copy"
    if isinstance(before, list | tuple) and isinstance(now, list | tuple):
        now, before = dict(enumerate(now)), dict(enumerate(before))
    if isinstance(before, Mapping):
        if not isinstance(now, Mapping) or set(now) != set(before):
            _fail(name, f"got other keys, or another length, {advice}")
        for key, (label, new) in _entries(now, before, name).items():
            expect_unchanged(new, before[key], label)
    elif _frozen(now) != _frozen(before):
        _fail(name, f"was changed {advice}")


def expect_finite(got: object, name: str) -> None:
    """Check that an answer is a number or numeric array without nan and inf.

    Raises
    ------
    AssertionError
        It is not; says where the first nan or inf is, and how many there are.
    """
    answer = _numbers(got, name, None)
    if not np.isfinite(answer).all():
        _fail(name, not_finite(answer, ~np.isfinite(answer)))


# Name, number, note; and pictures: caption, PNG in base64.
Measured: TypeAlias = list[tuple[str, float, str, list[tuple[str, str]]]]
measured: Measured | None = None  # in the judge, what a test has measured so far
student_seconds: Callable[[], float] | None = None  # there, of the student's process
MAX_PICTURES, MAX_SIDE = 6, 128  # of a measured number; pixels of a picture


def measure(
    name: str,
    value: float,
    note: str = "",
    pictures: Sequence[tuple[str, npt.ArrayLike]] = (),
) -> None:
    """Report a number that pages show under a name, and that never counts.

    Only the judge's are reported; in a kernel, and beside the answer, it is printed.
    `pictures` are shown below it: a caption that says what is seen, and an array
    (height, width) from 0 (white) to 1 (black). `ValueError`: it is no finite number,
    or there are more than 6, or one has more than 128 pixels a side.
    """
    number = float(value)
    if not math.isfinite(number) or len(pictures) > MAX_PICTURES:
        shown = f"{number}, with {len(pictures)} pictures"
        raise ValueError(f"The test measures {name} as {shown}.")
    drawn = [(caption, _png(array)) for caption, array in pictures]
    if measured is not None:
        measured.append((name, number, note, drawn))
    else:
        sys.stdout.write(f"{name}: {number:g}{note and f' ({note})'}\n")


def processor_seconds() -> float:
    """Return the processor time of the test so far, and of the answers that it calls.

    What a test measures or leaves out by it does not depend on how busy the computer
    is; by the time of day, it would.
    """
    return time.process_time() + (student_seconds() if student_seconds else 0.0)


def _png(picture: npt.ArrayLike) -> str:
    """Draw a picture in grey, from its numbers alone: whoever made it, it is one."""
    ink = np.nan_to_num(np.asarray(picture, dtype=float))
    if ink.ndim != 2 or not 0 < min(ink.shape) <= max(ink.shape) <= MAX_SIDE:
        raise ValueError(f"The test shows a picture of shape {ink.shape}.")
    grey = (255 * (1 - ink.clip(0, 1))).round().astype(np.uint8)
    head = struct.pack(">2I5B", *grey.shape[::-1], 8, 0, 0, 0, 0)
    rows = zlib.compress(np.insert(grey, 0, 0, axis=1).tobytes())
    file = b"\x89PNG\r\n\x1a\n"
    for kind, data in (b"IHDR", head), (b"IDAT", rows), (b"IEND", b""):
        check = zlib.crc32(kind + data)
        file += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
    return base64.b64encode(file).decode()


def _fail(name: str, symptom: str) -> NoReturn:
    line = " ".join(f"{name} {symptom}".split())
    raise AssertionError(line if len(line) <= 160 else line[:159] + "…")


def _frozen(value: object) -> object:
    """Return what shows any change of a value, and to which nan is equal."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    return repr(value.item() if isinstance(value, np.generic) else value)


def _wrong_type(got: object, name: str, ask: str) -> NoReturn:
    if got is None:
        _fail(name, f"is None, but {ask}: is `return` (or an assignment) missing?")
    _fail(name, f"has the type {type(got).__name__:.40}, but {ask}")


def _entries(
    got: object, want: Mapping[Any, Any], name: str
) -> dict[Any, tuple[str, object]]:
    """Return the entries that a mapping should have: key → name of the entry, value."""
    keys = ", ".join(map(repr, want))
    if not isinstance(got, Mapping):
        _wrong_type(got, name, f"should be a dict with {keys}")
    if missing := ", ".join(repr(key) for key in want if key not in got):
        _fail(name, f"lacks {missing}: it should have the keys {keys}")
    quoted = {key: f'"{key}"' if isinstance(key, str) else repr(key) for key in want}
    return {key: (f"{name}[{quoted[key]}]", got[key]) for key in want}


def _numbers(got: object, name: str, shape: _Shape | None, lists: bool = False) -> Any:
    """Return an answer as a numeric array of a shape, or say why it is none."""
    ask = f"should be an array of shape {shape}" if shape else "should be a number"
    ask = "should hold numbers" if shape is None else ask
    # NumPy would take a list, or any object with a length, for an array.
    if not isinstance(got, (*_NUMERIC, list, tuple) if lists else _NUMERIC):
        _wrong_type(got, name, ask)
    try:
        array = np.asarray(float(got) if type(got) is int and abs(got) >> 63 else got)
    except (OverflowError, TypeError, ValueError):
        _fail(name, f"is too large, or too uneven, to be read as numbers; it {ask}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(float)  # what is too large for a double is inf here
    if array.dtype.kind not in "iuf":
        held = {"b": "truth values", "c": "complex numbers"}.get(array.dtype.kind)
        held = f"holds {held or 'no numbers'}"
        _fail(name, f"{held}, but {ask}, of an integer or floating dtype")
    if shape is not None and array.shape != shape:
        actual = f"has shape {array.shape}" if array.shape else "is a single number"
        _fail(name, f"{actual}, but {ask}{hint(array.shape, shape)}")
    return array


# Symptoms of a wrong array, in words that never give an expected value away.


def hint(actual: _Shape, shape: _Shape) -> str:
    """Say how a wrong shape may have come about."""
    alike = [n for n in actual if n != 1] == [n for n in shape if n != 1]
    if actual == shape[::-1]:
        return ": it is transposed"
    if alike and len(actual) < len(shape):
        return ": a dimension was lost (keepdims=True or a reshape keeps it)"
    if alike and len(actual) > len(shape):
        return ": there are too many dimensions"
    if not actual:
        return ": all went into one number, is an `axis` missing?"
    if not shape or any(w == 1 < n for n, w in zip(actual, shape, strict=False)):
        return ": is a sum missing, or were two shapes broadcast?"
    return ""


def not_finite(got: _Array, bad: _Array) -> str:
    """Say where the first nan or inf of an answer is, and how many are `bad`."""
    if not got.ndim:
        return f"is {'nan' if np.isnan(got) else 'inf'}"
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    kind = "nan" if np.isnan(got[index]) else "inf"
    return f"has {kind} at index {list(index)} ({bad.sum()} of {bad.size} are bad)"


def fits(got: _Array, want: _Array, rtol: float) -> bool:
    """Compare by the scale of the whole, so that tiny numbers fit nothing by chance."""
    scale = np.abs(want).max()
    close = np.isclose(got, want, rtol=rtol, atol=1e-6 * scale)
    return bool(0 < scale < np.inf and close.all())


def diagnosis(
    got: _Array, want: _Array, wrong: _Array, rtol: float, factors: Mapping[str, float]
) -> str:
    """Name what is wrong with the values of an answer of the right shape."""
    integers = got.dtype.kind in "iu"
    got, want = got.astype(float), want.astype(float)
    bad = wrong & ~np.isfinite(got)
    if bad.any():
        return not_finite(got, bad)
    everywhere = " everywhere" if got.size > 1 else ""
    if fits(got, -want, rtol):
        return f"has the wrong sign{everywhere}"
    ratios = {f"multiplied by {label}": factor for label, factor in factors.items()}
    ratios |= {f"divided by {label}": 1 / f for label, f in factors.items() if f}
    ratios = {words: r for words, r in ratios.items() if abs(r - 1) > 0.01}
    for sign, also in (1, ""), (-1, "has the wrong sign and "):
        fitting = (k for k, r in ratios.items() if fits(got, sign * r * want, rtol))
        if words := " or ".join(fitting):
            return f"{also}is off by a factor: it was {words}"
    if got.ndim == 2 and got.shape == got.T.shape and fits(got.T, want, rtol):
        return "has the values of the transposed answer"
    whole = bool((want == np.trunc(want)).all())
    if whole and np.unique(got - want).tolist() in ([1], [-1]):
        return f"is off by one{everywhere}"
    if integers and not whole and (np.abs(got - want) < 1).all():
        return "was cut to whole numbers: was it stored in an integer array?"
    if not got.any():
        return f"is zero{everywhere}"
    if np.ptp(got) == 0 < np.ptp(want):
        return "has the same value in every entry"
    if any(np.allclose(got, np.round(want, n), 1e-6, 0) for n in range(5)):
        return "was rounded"
    least, most = got.min(), got.max()
    inside = (least < got) & (got < most)
    if inside.any() and wrong.sum() > 1 and fits(got, np.clip(want, least, most), rtol):
        return "is cut off: its largest or smallest values are wrong"
    if not got.ndim:
        return "is one number, as it should be, but not the right one"
    if wrong.all():
        return f"has the right type and shape, but is wrong{everywhere}"
    flipped = np.isclose(got, -want, rtol)[wrong].all()
    why = "has the wrong sign" if flipped else "is wrong"
    return f"{why} in {wrong.sum()} of {got.size} entries{_pattern(wrong)}"


def _pattern(wrong: _Array) -> str:
    """Say in which rows or columns the wrong entries are, when that tells something."""
    axes = {"row": (1,), "column": (0,)} if wrong.ndim == 2 else {"index": ()}
    for word, others in axes.items() if wrong.ndim < 3 else ():
        hit = np.flatnonzero(lines := wrong.any(axis=others))
        if hit.size == 1 or hit.size <= min(3, lines.size // 2):
            return f", only at {word} {', '.join(map(str, hit))}"
    return f", the first at index {np.argwhere(wrong)[0].tolist()}"
