"""Comparison of an answer with the right one: types, shapes, values, changes."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

import numpy as np

from nbproctor.expect.diagnoses import Factors, Shape, diagnosis, fits, hint, not_finite

_NUMERIC = (int, float, complex, np.generic, np.ndarray)
_LISTS = (list, tuple)
AGAIN = "differs when the call is repeated: is something left over from the first call?"
WrongAnswers: TypeAlias = Mapping[str, Any]  # by the symptom to report
Mistakes: TypeAlias = WrongAnswers | Callable[[], WrongAnswers]


def expect(
    got: object,
    want: object,
    name: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    factors: Factors = {},  # noqa: B006 - only read
    mistakes: Mistakes = {},  # noqa: B006 - only read
) -> None:
    """Compare type, shape and values of an answer with the right one.

    Parameters
    ----------
    got
        The answer, of any floating or integer dtype. A list is accepted only if `want`
        is a list.
    want
        A number, an array, a list of numbers, or a mapping of these, whose entries are
        judged as ``name["key"]``.
    name
        What the student calls it, such as ``'grads'``; every message starts with it.
    rtol, atol
        Right is ``|got - want| <= atol + rtol * |want|``; the defaults admit float32.
        Where both are integers they must be equal.
    factors
        Constant factors of typical mistakes, by their name in the formula: ``{"m": 7,
        "the number of classes": 4}``. Only the name is shown. The factor 2 and the
        inverse of each factor are always included.
    mistakes
        The answers of typical mistakes, by the symptom to report: a mapping, or a
        function that returns it, which is called only if the answer is wrong. Where
        `want` is a mapping, each wrong answer is a mapping of some of its entries.

    Raises
    ------
    AssertionError
        One line, at most 160 characters, with the first diagnosis that fits.
    ValueError
        `want` has an unsupported type: the test is broken.
    """
    if isinstance(want, Mapping):
        for key, label, entry in _entries(got, want, name):
            expect(
                entry,
                want[key],
                label,
                rtol=rtol,
                atol=atol,
                factors=factors,
                mistakes=functools.partial(_mistakes_of_entry, mistakes, key),
            )
        return
    right = np.asarray(want)
    is_numeric = right.dtype.kind in "iuf"
    if not is_numeric or np.isnan(right).any():
        raise ValueError(f"The test of {name} is broken: it expects {want!r:.60}.")
    is_list = isinstance(want, list | tuple)
    answer = _numbers(
        got,
        name,
        right.shape,
        lists=is_list,
    )
    number_kinds = {answer.dtype.kind, right.dtype.kind}
    with np.errstate(all="ignore"):
        if number_kinds <= {"i", "u"}:
            wrong = answer != right
        else:
            wrong = ~_is_close(answer, right.astype(float), rtol, atol)
        if not wrong.any():
            return
        for symptom, wrong_answer in _resolve_mistakes(mistakes).items():
            values = np.asarray(wrong_answer, dtype=float)
            if values.shape == answer.shape and fits(answer, values, rtol):
                _fail(name, symptom)
        all_factors = {"2": 2.0, **factors}
        symptom = diagnosis(
            got=answer,
            want=right,
            wrong=wrong,
            rtol=rtol,
            factors=all_factors,
        )
        _fail(name, symptom)


@np.errstate(all="ignore")
def _is_close(
    answer: Any,
    right: Any,
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> Any:
    """Like ``np.isclose``, but five times as fast for few numbers."""
    is_nan = (answer != answer) & (right != right)
    tolerance = atol + rtol * abs(right)
    is_near = abs(answer - right) < tolerance
    is_equal = answer == right
    return is_nan | is_equal | is_near


def _resolve_mistakes(mistakes: Mistakes) -> WrongAnswers:
    if callable(mistakes):
        mistakes = mistakes()
    return mistakes


def _mistakes_of_entry(mistakes: Mistakes, key: Any) -> WrongAnswers:
    return {
        symptom: entries[key]
        for symptom, entries in _resolve_mistakes(mistakes).items()
        if key in entries
    }


def expect_shape(
    got: object,
    shape: Shape,
    name: str,
) -> None:
    """Check that an answer is a numeric array of a shape; a number has shape ``()``.

    Raises
    ------
    AssertionError
        `got` is None, no number or numeric array, or has another shape.
    """
    _numbers(got, name, shape)


def expect_unchanged(
    now: Any,
    before: Any,
    name: str,
) -> None:
    """Check that a call has not changed an argument or attribute.

    `before` is a deep copy from before the call: a number, text, an array, or a list
    or mapping of these.

    Raises
    ------
    AssertionError
        A value, shape, dtype, length or key has changed; says where.
    """
    advice = "during the call, but must not be changed: work on a copy"
    if isinstance(before, _LISTS) and is_of(now, *_LISTS):
        now = dict(enumerate(now))
        before = dict(enumerate(before))
    if not isinstance(before, Mapping):
        if _snapshot(now) != _snapshot(before):
            _fail(name, f"was changed {advice}")
        return
    if not is_of(now, Mapping) or set(now) != set(before):
        _fail(name, f"got other keys, or another length, {advice}")
    for key, label, entry in _entries(now, before, name):
        expect_unchanged(entry, before[key], label)


def entries_of(answer: Any, right: Any) -> Any:
    """Return the entries to compare, or all if none has a right name."""
    if isinstance(right, Mapping) and is_of(answer, Mapping):
        entries = {key: answer[key] for key in right if key in answer}
        return entries or answer
    return answer


def is_same(
    answer: Any,
    other: Any,
    right: Any,
) -> bool:
    """Whether two answers are equal in the entries of the right one."""
    try:
        expect_same(entries_of(answer, right), entries_of(other, right), "")
    except (AssertionError, TypeError, ValueError):
        return False
    return True


def expect_same(
    answer: Any,
    other: Any,
    name: str,
    reason: str = AGAIN,
) -> None:
    """Compare two answers to the same call; if they differ, the message is `reason`.

    Of two mappings, the entries of `other` are compared.
    """
    if is_of(other, Mapping) and is_of(answer, Mapping):
        for key, label, entry in _entries(answer, other, name):
            expect_same(entry, other[key], label, reason)
        return
    try:
        now = np.asarray(answer, dtype=float)
        then = np.asarray(other, dtype=float)
    except (TypeError, ValueError):
        expect_finite(answer, name)
        raise
    has_same_shape = now.shape == then.shape
    if not has_same_shape or not _is_close(now, then).all():
        raise AssertionError(f"{name} {reason}")


def expect_entry(
    got: object,
    key: Any,
    shape: Shape,
    name: str,
) -> Any:
    """Return one entry of a mapping as an array of a shape, or raise why not."""
    [(_, label, entry)] = _entries(got, {key: None}, name)
    expect_shape(entry, shape, label)
    expect_finite(entry, label)
    return np.asarray(entry, dtype=float)


def expect_normal(
    got: Any,
    mean: float,
    spread: float,
    name: str,
) -> None:
    """Check that random numbers come from a normal distribution.

    Mean, standard deviation and form may each be six standard errors away, so a right
    answer fails by chance less than once in 100 million. The same holds for the number
    of values beyond three standard deviations, if there are any.

    Raises
    ------
    AssertionError
        They do not; says which of the three is wrong. Or some are nan or inf.
    """
    values = (np.asarray(got, dtype=float) - mean) / spread
    expect_finite(values, name)  # of nan, no comparison below holds
    name = f"{name}:"
    bound = 6 / np.sqrt(values.size)
    deviation = values.std()
    if abs(values.mean()) > bound * max(1, deviation):
        _fail(name, f"the mean should be {mean:g}")
    deviation_bound = bound / np.sqrt(2)
    if abs(deviation - 1) > deviation_bound:
        _fail(name, f"the standard deviation should be {spread:g}")
    distances = np.abs(values)
    inside = (distances < 1).mean()
    if abs(inside - 0.682689) > bound * 0.46543:  # of a standard deviation around it
        _fail(name, "this is not a normal distribution")
    far = (distances > 3).sum()
    expected_far = 0.0027 * values.size
    if far < expected_far - 6 * np.sqrt(expected_far):
        _fail(name, f"values beyond {3 * spread:g} are missing")


def is_multiple(array: Any, *others: Any) -> bool:
    """Whether an array is a multiple of one of the others, and not zero.

    None, which `entry_in_any_shape` may return, is not a multiple.
    """
    for other in others:
        if array is None or other is None:
            continue
        square = np.vdot(other, other) or 1
        factor = np.vdot(array, other) / square
        if np.all(_is_close(array, factor * other)) and abs(factor) > 1e-3:
            return True
    return False


def entry_in_any_shape(
    got: Any,
    key: Any,
    shape: Shape,
) -> Any:
    """Return an entry, transposed or reshaped to a shape if necessary, or None.

    For tests in which another property checks the shape.
    """
    try:
        array = np.asarray(got[key], dtype=float)
    except (LookupError, TypeError, ValueError):
        return None
    has_size = array.size == math.prod(shape)
    if not has_size or not np.isfinite(array).all():
        return None
    return in_shape(array, shape)


def in_shape(array: Any, shape: Shape) -> Any:
    """Return an array in a shape of the same size: transposed, if that is its shape."""
    if array.shape == shape[::-1] != shape:
        return array.T
    return array.reshape(shape)


def expect_finite(got: object, name: str) -> None:
    """Check that an answer is a number or numeric array without nan and inf.

    Raises
    ------
    AssertionError
        It is not; says where the first nan or inf is, and how many there are.
    """
    answer = _numbers(got, name, None)
    bad = ~np.isfinite(answer)
    if bad.any():
        _fail(name, not_finite(answer, bad))


def is_of(value: object, *kinds: type) -> bool:
    """Whether a value, or the object for which a proxy stands, has one of some classes.

    The judge knows the class of a proxy's object, and records other uses: see `Proxy`.
    """
    return issubclass(_class_of(value), kinds)


def _class_of(value: object) -> Any:
    return getattr(type(value), "_nbproctor_class", type)(value)


def _fail(name: str, symptom: str) -> NoReturn:
    line = " ".join(f"{name} {symptom}".split())
    if len(line) > 160:
        line = line[:159] + "…"
    raise AssertionError(line)


def _snapshot(value: Any) -> object:
    """Return a copy that shows any change of a value; nan is equal to nan."""
    if is_of(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    if is_of(value, np.generic):
        value = value.item()
    return type(value), repr(value)  # an object of the student's may say any text


def _wrong_type(
    got: object,
    name: str,
    ask: str,
) -> NoReturn:
    if got is None:
        _fail(name, f"is None, but {ask}: is `return` (or an assignment) missing?")
    kind = _class_of(got).__name__
    _fail(name, f"has the type {kind:.40}, but {ask}")


def _entries(
    got: Any,
    want: Mapping[Any, Any],
    name: str,
) -> list[tuple[Any, str, Any]]:
    """Return the entries that a mapping should have: key, name of the entry, value."""
    keys = ", ".join(map(repr, want))
    if not is_of(got, Mapping):
        _wrong_type(
            got=got,
            name=name,
            ask=f"should be a dict with {keys}",
        )
    missing = [repr(key) for key in want if key not in got]
    if missing:
        _fail(name, f"lacks {', '.join(missing)}: it should have the keys {keys}")
    entries = []
    for key in want:
        quoted = f'"{key}"' if isinstance(key, str) else repr(key)
        label = f"{name}[{quoted}]" if name else key
        entries.append((key, label, got[key]))
    return entries


def _numbers(
    got: object,
    name: str,
    shape: Shape | None,
    lists: bool = False,
) -> Any:
    """Return an answer as a numeric array of a shape, or raise why it is not one."""
    ask = "should be a number"
    if shape is None:
        ask = "should hold numbers"
    elif shape:
        ask = f"should be an array of shape {shape}"
    # NumPy would convert a list, or any object with a length, to an array.
    is_list = lists and is_of(got, *_LISTS)
    if not is_list and not is_of(got, *_NUMERIC):
        if shape is None and is_of(got, *_LISTS, Mapping):
            ask = "another type is asked for"  # it may hold numbers
        _wrong_type(
            got=got,
            name=name,
            ask=ask,
        )
    try:
        if type(got) is int and abs(got) >> 63:
            got = float(got)
        array = np.asarray(got)
    except (OverflowError, TypeError, ValueError):
        _fail(name, f"is too large, or too uneven, to be read as numbers; it {ask}")
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(float)  # what is too large for a double is inf here
    if kind not in "iuf":
        contents = {"b": "truth values", "c": "complex numbers"}
        content = contents.get(kind, "no numbers")
        ask += ", of an integer or floating dtype"
        _fail(name, f"holds {content}, but {ask}")
    if shape is not None and array.shape != shape:
        actual = "is a single number"
        if array.shape:
            actual = f"has shape {array.shape}"
        advice = hint(array.shape, shape)
        _fail(name, f"{actual}, but {ask}{advice}")
    return array
