"""Values of the standard library that travel as their parts: fractions and dates.

They are compared by ``==`` like numbers, so a test needs them themselves. Both sides
check the limits: what is short to say may be long to compute with.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

Parts = tuple[int | str, ...]
_MAX_FRACTION = 1 << 4096
# ``int(Decimal("1e999999999"))`` would never end.
_MAX_DIGITS, _MAX_EXPONENT = 10_000, 10_000


def _decimal(x: Decimal) -> Parts:
    fits = len(text := str(x)) <= _MAX_DIGITS and abs(x.adjusted()) <= _MAX_EXPONENT
    return (text,) if fits else ()


def _fraction(x: Fraction) -> Parts:
    fits = max(abs(x.numerator), x.denominator) < _MAX_FRACTION
    return (x.numerator, x.denominator) if fits else ()


def _time(x: time | datetime) -> Parts:
    if x.tzinfo is not None:
        return ()
    day = (x.year, x.month, x.day) if isinstance(x, datetime) else ()
    return (*day, x.hour, x.minute, x.second, x.microsecond)


_PARTS: dict[type, Callable[[Any], Parts]] = {
    Decimal: _decimal,
    Fraction: _fraction,
    date: lambda x: (x.year, x.month, x.day),
    datetime: _time,
    time: _time,
    timedelta: lambda x: (x.days, x.seconds, x.microseconds),
}
_KINDS = {kind.__name__: kind for kind in _PARTS}


def parts(x: Any) -> Parts:
    """Return a kind's name and what such a value is made of; empty for all others."""
    kind = type(x)
    found = _PARTS[kind](x) if kind in _PARTS else ()
    return (kind.__name__, *found) if found else ()


def build(kind: Any, *made_of: Any) -> Any:
    """Make a value of its parts.

    Raises
    ------
    ValueError
        These are no parts of such a value, or it is beyond the limits.
    """
    if type(kind) is not str or kind not in _KINDS:
        raise ValueError("an unknown kind of value")
    wanted = str if kind == "Decimal" else int
    if not all(type(part) is wanted for part in made_of):
        raise ValueError(f"these are no parts of a {kind}")
    if kind == "Fraction" and max(map(abs, made_of), default=0) >= _MAX_FRACTION:
        raise ValueError("a fraction is too long")
    if kind == "Decimal" and any(len(part) > _MAX_DIGITS for part in made_of):
        raise ValueError("a decimal is too long")
    try:
        made = _KINDS[kind](*made_of)
    except (TypeError, ArithmeticError) as error:
        raise ValueError(f"these are no parts of a {kind}") from error
    if not parts(made):
        raise ValueError(f"a {kind} beyond the limits")
    return made
