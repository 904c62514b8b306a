"""Comparison of an answer with the right one: types, shapes, values, what changed."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

import numpy as np

from nbproctor.expect.diagnoses import Shape, diagnosis, fits, hint, not_finite

_NUMERIC = int, float, complex, np.generic, np.ndarray
AGAIN = "differs when the call is repeated: is something left over from the first call?"
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
        options: dict[str, Any] = {
            "rtol": rtol,
            "atol": atol,
            "factors": factors,
        }
        for key, (label, entry) in _entries(got, want, name).items():
            mistakes_of_entry = functools.partial(_mistakes_of_entry, mistakes, key)
            expect(entry, want[key], label, **options, mistakes=mistakes_of_entry)
        return
    right = np.asarray(want)
    if right.dtype.kind not in "iuf" or np.isnan(right).any():
        raise ValueError(f"The test of {name} is broken: it expects {want!r:.60}.")
    answer = _numbers(got, name, right.shape, lists=isinstance(want, list | tuple))
    with np.errstate(all="ignore"):
        exact = {answer.dtype.kind, right.dtype.kind} <= {"i", "u"}
        close = _is_close(answer, right.astype(float), rtol, atol)
        wrong = answer != right if exact else ~close
        if wrong.any():
            for symptom, wrong_answer in _resolve_mistakes(mistakes).items():
                values = np.asarray(wrong_answer, dtype=float)
                if values.shape == answer.shape and fits(answer, values, rtol):
                    _fail(name, symptom)
            all_factors = {"2": 2.0, **(factors or {})}
            _fail(name, diagnosis(answer, right, wrong, rtol, all_factors))


@np.errstate(all="ignore")
def _is_close(
    answer: Any,
    right: Any,
    rtol: float,
    atol: float,
) -> Any:
    """Return what `np.isclose` does; that takes five times as long for few numbers."""
    is_nan = (answer != answer) & (right != right)
    return is_nan | (answer == right) | (abs(answer - right) < atol + rtol * abs(right))


def _resolve_mistakes(mistakes: Mistakes) -> Mapping[str, Any]:
    return (mistakes() if callable(mistakes) else mistakes) or {}


def _mistakes_of_entry(mistakes: Mistakes, key: Any) -> Mapping[str, Any]:
    return {
        symptom: entries[key]
        for symptom, entries in _resolve_mistakes(mistakes).items()
        if key in entries
    }


def expect_shape(
    got: object,
    shape: tuple[int, ...],
    name: str,
) -> None:
    """Check that an answer is a numeric array of a shape; ``()`` is that of a number.

    Raises
    ------
    AssertionError
        `got` is None, no number or numeric array, or has another shape.
    """
    _numbers(got, name, shape)


def expect_unchanged(
    now: object,
    before: object,
    name: str,
) -> None:
    """Check that an argument or attribute is what it was before a call.

    `before` is a deep copy from before the call: a number, text, an array, or a list
    or mapping of these.

    Raises
    ------
    AssertionError
        A value, shape, dtype, length or key has changed; says where.
    """
    advice = "during the call, but must not be changed: work on a copy"
    if isinstance(before, list | tuple) and isinstance(now, list | tuple):
        now = dict(enumerate(now))
        before = dict(enumerate(before))
    if isinstance(before, Mapping):
        if not isinstance(now, Mapping) or set(now) != set(before):
            _fail(name, f"got other keys, or another length, {advice}")
        for key, (label, new) in _entries(now, before, name).items():
            expect_unchanged(new, before[key], label)
    elif _snapshot(now) != _snapshot(before):
        _fail(name, f"was changed {advice}")


def entries_of(answer: Any, right: Any) -> Any:
    """Return the entries that are judged, or all if no name is right."""
    if isinstance(right, Mapping) and isinstance(answer, Mapping):
        return {key: answer[key] for key in right if key in answer} or answer
    return answer


def is_same(
    answer: Any,
    other: Any,
    right: Any,
) -> bool:
    """Whether two answers agree, in the entries that the right one has."""
    try:
        expect_same(entries_of(answer, right), entries_of(other, right), "")
    except (AssertionError, TypeError, ValueError):
        return False
    return True


def expect_same(
    answer: object,
    other: object,
    name: str,
    reason: str = AGAIN,
) -> None:
    """Compare two answers to one question, whatever is right; `reason` is then said.

    Of two mappings, the entries of `other` count.
    """
    if isinstance(other, Mapping) and isinstance(answer, Mapping):
        for key, (label, entry) in _entries(answer, other, name).items():
            expect_same(entry, other[key], label, reason)
        return
    try:
        now = np.asarray(answer, dtype=float)
        then = np.asarray(other, dtype=float)
    except (TypeError, ValueError):
        expect_finite(answer, name)
        raise
    if now.shape != then.shape or not np.all(_is_close(now, then, 1e-4, 1e-6)):
        raise AssertionError(f"{name} {reason}")


def expect_entry(
    got: object,
    key: Any,
    shape: tuple[int, ...],
    name: str,
) -> Any:
    """Return one entry of a mapping as an array of a shape, or say why it is none."""
    ((label, entry),) = _entries(got, {key: None}, name).values()
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

    Mean, spread and form may each be six standard errors away, so a right answer fails
    by chance once in more than 100 million. So may the number of values that are more
    than three standard deviations away, if that is more than none.

    Raises
    ------
    AssertionError
        They do not; says which of the three is wrong.
    """
    values = (np.asarray(got, dtype=float) - mean) / spread
    bound = 6 / np.sqrt(values.size)
    inside = (np.abs(values) < 1).mean()
    if abs(values.mean()) > bound * max(1, values.std()):
        _fail(f"{name}:", f"the mean should be {mean:g}")
    if abs(values.std() - 1) > bound / np.sqrt(2):
        _fail(f"{name}:", f"the standard deviation should be {spread:g}")
    if abs(inside - 0.682689) > bound * 0.46543:  # of a standard deviation around it
        _fail(f"{name}:", "this is not a normal distribution")
    far = 0.0027 * values.size
    if (np.abs(values) > 3).sum() < far - 6 * np.sqrt(far):
        _fail(f"{name}:", f"values beyond {3 * spread:g} are missing")


def is_multiple(array: Any, *others: Any) -> bool:
    """Whether an array is a multiple of one of the others that is not zero.

    None, as `entry_in_any_shape` may return it, is no multiple, and has none.
    """
    for other in others:
        if array is None or other is None:
            continue
        factor = (array * other).sum() / ((other**2).sum() or 1)
        close = _is_close(array, factor * other, 1e-4, 1e-6)
        if abs(factor) > 1e-3 and np.all(close):
            return True
    return False


def entry_in_any_shape(
    got: Any,
    key: Any,
    shape: tuple[int, ...],
) -> Any:
    """Return an entry in a shape, transposed or of other dimensions; or None.

    Where another property judges the shape.
    """
    try:
        array = np.asarray(got[key], dtype=float)
    except (LookupError, TypeError, ValueError):
        return None
    if array.size != math.prod(shape) or not np.isfinite(array).all():
        return None
    return in_shape(array, shape)


def in_shape(array: Any, shape: tuple[int, ...]) -> Any:
    """Return an array in a shape of the same size: transposed, if that is its shape."""
    is_transposed = array.shape == shape[::-1] != shape
    return array.T if is_transposed else array.reshape(shape)


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


def _fail(name: str, symptom: str) -> NoReturn:
    line = " ".join(f"{name} {symptom}".split())
    raise AssertionError(line if len(line) <= 160 else line[:159] + "…")


def _snapshot(value: object) -> object:
    """Return what shows any change of a value, and to which nan is equal."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    return repr(value.item() if isinstance(value, np.generic) else value)


def _wrong_type(
    got: object,
    name: str,
    ask: str,
) -> NoReturn:
    if got is None:
        _fail(name, f"is None, but {ask}: is `return` (or an assignment) missing?")
    _fail(name, f"has the type {got.__class__.__name__:.40}, but {ask}")


def _entries(
    got: object,
    want: Mapping[Any, Any],
    name: str,
) -> dict[Any, tuple[str, object]]:
    """Return the entries that a mapping should have: key → name of the entry, value."""
    keys = ", ".join(map(repr, want))
    if not isinstance(got, Mapping):
        _wrong_type(got, name, f"should be a dict with {keys}")
    if missing := ", ".join(repr(key) for key in want if key not in got):
        _fail(name, f"lacks {missing}: it should have the keys {keys}")
    quoted = {key: f'"{key}"' if isinstance(key, str) else repr(key) for key in want}
    labels = {key: f"{name}[{quoted[key]}]" if name else key for key in want}
    return {key: (labels[key], got[key]) for key in want}


def _numbers(
    got: object,
    name: str,
    shape: Shape | None,
    lists: bool = False,
) -> Any:
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
        kinds = {"b": "truth values", "c": "complex numbers"}
        content = kinds.get(array.dtype.kind, "no numbers")
        _fail(name, f"holds {content}, but {ask}, of an integer or floating dtype")
    if shape is not None and array.shape != shape:
        actual = f"has shape {array.shape}" if array.shape else "is a single number"
        _fail(name, f"{actual}, but {ask}{hint(array.shape, shape)}")
    return array
