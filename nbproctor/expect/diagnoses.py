"""Symptoms of a wrong array, in words that never give an expected value away."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
#: Factors of typical mistakes, by their name in the formula.
Factors: TypeAlias = Mapping[str, float]


def hint(actual: Shape, shape: Shape) -> str:
    """Say how a wrong shape may have come about."""
    if actual == shape[::-1]:
        return ": it is transposed"
    if _without_ones(actual) == _without_ones(shape):
        if len(actual) < len(shape):
            return ": a dimension was lost (keepdims=True or a reshape keeps it)"
        if len(actual) > len(shape):
            return ": there are too many dimensions"
    if not actual:
        return ": if all was added up, is an `axis` missing?"
    has_axis_to_sum = any(
        length > 1 == right for length, right in zip(actual, shape, strict=False)
    )
    if has_axis_to_sum or not shape:
        return ": is a sum missing, or were two shapes broadcast?"
    return ""


def _without_ones(shape: Shape) -> list[int]:
    return [length for length in shape if length != 1]


def not_finite(got: Array, bad: Array) -> str:
    """Say where the first nan or inf of an answer is, and how many are `bad`."""
    first = got[bad][0]
    kind = "nan" if np.isnan(first) else "inf"
    if not got.ndim:
        return f"is {kind}"
    index = np.argwhere(bad)[0].tolist()
    count = bad.sum()
    return f"has {kind} at index {index} ({count} of {bad.size} are bad)"


def fits(
    got: Array,
    want: Array,
    rtol: float,
) -> bool:
    """Compare by the scale of the whole, so that tiny numbers do not fit by chance."""
    scale = np.abs(want).max()
    if not 0 < scale < np.inf:
        return False
    return np.allclose(
        got,
        want,
        rtol=rtol,
        atol=1e-6 * scale,
    )


def diagnosis(
    got: Array,
    want: Array,
    wrong: Array,
    rtol: float,
    factors: Factors,
) -> str:
    """Name what is wrong with the values of an answer of the right shape."""
    is_integer = got.dtype.kind in "iu"
    precision = 1e-6 if got.dtype == np.float32 else 1e-12
    got = got.astype(float)
    want = want.astype(float)
    bad = wrong & ~np.isfinite(got)
    if bad.any():
        return not_finite(got, bad)
    everywhere = " everywhere" if got.size > 1 else ""
    if fits(got, -want, rtol):
        return f"has the wrong sign{everywhere}"
    if ratios := _fitting_ratios(got, want, rtol, factors):
        return f"is off by a factor: it was {ratios}"
    if ratios := _fitting_ratios(got, -want, rtol, factors):
        return f"has the wrong sign and is off by a factor: it was {ratios}"
    is_square = got.ndim == 2 and got.shape == got.T.shape
    if is_square and fits(got.T, want, rtol):
        return "has the values of the transposed answer"
    difference = got - want
    should_be_whole = (want == np.trunc(want)).all()
    if should_be_whole:
        differences = np.unique(difference).tolist()
        if differences in ([1], [-1]):
            return f"is off by one{everywhere}"
    is_near = np.abs(difference) < 1
    if is_integer and not should_be_whole and is_near.all():
        return "was cut to whole numbers: was it stored in an integer array?"
    if not got.any():
        return f"is zero{everywhere}"
    is_constant = np.ptp(got) == 0 < np.ptp(want)
    for digits in range(1 if is_constant else 0, 5):
        if np.allclose(got, np.round(want, digits), precision, 0):
            return "was rounded"
    if is_constant:
        return "has the same value in every entry"
    wrong_count = wrong.sum()
    if wrong_count > 1 and _is_cut_off(got, want, rtol):
        return "is cut off: its largest or smallest values are wrong"
    if not got.ndim:
        return "is one number, as it should be, but not the right one"
    if wrong_count == got.size:
        return f"has the right shape, but is wrong{everywhere}"
    symptom = "is wrong"
    if np.allclose(got[wrong], -want[wrong], rtol):
        symptom = "has the wrong sign"
    where = _pattern(wrong)
    return f"{symptom} in {wrong_count} of {got.size} entries{where}"


def _fitting_ratios(
    got: Array,
    want: Array,
    rtol: float,
    factors: Factors,
) -> str:
    """Return by which factors an answer is off, in words; none is nearly 1."""
    ratios = {f"multiplied by {label}": factor for label, factor in factors.items()}
    ratios |= {f"divided by {name}": 1 / each for name, each in factors.items() if each}
    return " or ".join(
        words
        for words, ratio in ratios.items()
        if abs(ratio - 1) > 0.01 and fits(got, ratio * want, rtol)
    )


def _is_cut_off(
    got: Array,
    want: Array,
    rtol: float,
) -> bool:
    least = got.min()
    most = got.max()
    inside = (least < got) & (got < most)
    if not inside.any():
        return False
    return fits(got, np.clip(want, least, most), rtol)


#: Number of dimensions → how lines of entries are called, and the axes along them.
_LINES: dict[int, dict[str, tuple[int, ...]]] = {
    1: {"index": ()},
    2: {"row": (1,), "column": (0,)},
}


def _pattern(wrong: Array) -> str:
    """Say in which rows or columns the wrong entries are, if they are few."""
    for word, other_axes in _LINES.get(wrong.ndim, {}).items():
        lines = wrong.any(axis=other_axes)
        numbers = np.flatnonzero(lines)
        few = max(1, min(3, lines.size // 2))
        if numbers.size <= few:
            listed = ", ".join(map(str, numbers))
            return f", only at {word} {listed}"
    first = np.argwhere(wrong)[0].tolist()
    return f", the first at index {first}"
