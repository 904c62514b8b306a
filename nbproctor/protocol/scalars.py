"""Fractions, decimals and dates: values that are sent as their parts.

Tests compare them by ``==`` like numbers, so they are sent whole, not as handles. Both
sides check the limits: what is short to send may take long to compute with.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
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
    day = (x.year, x.month, x.day) if isinstance(x, datetime) else ()
    clock = (*day, x.hour, x.minute, x.second, x.microsecond)
    if x.tzinfo is None:
        return clock
    if type(x) is datetime and type(x.tzinfo) is timezone:  # a fixed offset
        offset = x.tzinfo.utcoffset(None)
        return (*clock, offset.days, offset.seconds, offset.microseconds)
    return ()


def _datetime(*parts: Any) -> datetime:
    clock, offset = parts[:7], parts[7:]
    return datetime(*clock, *([timezone(timedelta(*offset))] if offset else ()))


_PARTS: dict[type, Callable[[Any], Parts]] = {
    Decimal: _decimal,
    Fraction: _fraction,
    date: lambda x: (x.year, x.month, x.day),
    datetime: _time,
    time: _time,
    timedelta: lambda x: (x.days, x.seconds, x.microseconds),
}
KINDS = {kind.__name__: kind for kind in _PARTS}


def parts(x: Any) -> Parts:
    """Return the name of a value's class and its parts; empty for other classes."""
    kind = type(x)
    fields = _PARTS[kind](x) if kind in _PARTS else ()
    return (kind.__name__, *fields) if fields else ()


def build(kind: Any, *fields: Any) -> Any:
    """Make a value from what `parts` returned.

    Raises
    ------
    ValueError
        There is no such value, or it is beyond the limits.
    """
    if type(kind) is not str or kind not in KINDS:
        raise ValueError("an unknown kind of value")
    wanted = str if kind == "Decimal" else int
    if not all(type(part) is wanted for part in fields):
        raise ValueError(f"a {kind} cannot be made of such parts")
    if kind == "Fraction" and max(map(abs, fields), default=0) >= _MAX_FRACTION:
        raise ValueError("a fraction is too long")
    if kind == "Decimal" and any(len(part) > _MAX_DIGITS for part in fields):
        raise ValueError("a decimal is too long")
    try:
        make = _datetime if kind == "datetime" else KINDS[kind]
        value = make(*fields)
    except (TypeError, ArithmeticError) as error:
        raise ValueError(f"a {kind} cannot be made of such parts") from error
    if not parts(value):
        raise ValueError(f"a {kind} beyond the limits")
    return value
