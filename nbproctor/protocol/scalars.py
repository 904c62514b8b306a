"""Fractions, decimals, dates and time zones: values that are sent as their parts.

Tests compare them by ``==`` like numbers, so they are sent whole, not as handles. Both
sides check the limits: what is short to send may take long to compute with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Parts = tuple[int | str, ...]
_MAX_FRACTION = 1 << 4096
# ``int(Decimal("1e999999999"))`` would never end.
_MAX_DIGITS, _MAX_EXPONENT = 10_000, 10_000
# Of a time zone; its file is looked for by this name.
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z][A-Za-z0-9_+-]{0,31}){0,2}")


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
    zone = _zone(x.tzinfo) if type(x) is datetime else ()
    # Which of two equal hours it is when the clocks go back.
    return (*clock, x.fold, *zone) if zone else ()


def _zone(zone: Any) -> Parts:
    if type(zone) is timezone:  # a fixed offset
        offset = zone.utcoffset(None)
        return offset.days, offset.seconds, offset.microseconds
    if type(zone) is ZoneInfo and _ZONE.fullmatch(zone.key or ""):
        return (zone.key,)
    return ()


def _datetime(*parts: Any) -> datetime:
    if len(parts) <= 7:
        return datetime(*parts)
    fold, *zone = parts[7:]
    return datetime(*parts[:7]).replace(tzinfo=_make_zone(*zone), fold=fold)


def _make_zone(*parts: Any) -> timezone | ZoneInfo:
    if len(parts) == 1:
        if type(parts[0]) is not str or not _ZONE.fullmatch(parts[0]):
            raise ValueError("a time zone has an impossible name")
        return ZoneInfo(parts[0])
    return timezone(timedelta(*parts))


_PARTS: dict[type, Callable[[Any], Parts]] = {
    Decimal: _decimal,
    Fraction: _fraction,
    date: lambda x: (x.year, x.month, x.day),
    datetime: _time,
    time: _time,
    timedelta: lambda x: (x.days, x.seconds, x.microseconds),
    timezone: _zone,
    ZoneInfo: _zone,
}
KINDS = {kind.__name__: kind for kind in _PARTS}
_MAKERS: dict[str, Callable[..., Any]] = {
    "datetime": _datetime,
    "timezone": _make_zone,
    "ZoneInfo": _make_zone,
}
_KINDS_OF_PARTS = {"Decimal": (str,), "ZoneInfo": (str,), "datetime": (int, str)}


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
    if not all(type(part) in _KINDS_OF_PARTS.get(kind, (int,)) for part in fields):
        raise ValueError(f"a {kind} cannot be made of such parts")
    if kind == "Fraction" and max(map(abs, fields), default=0) >= _MAX_FRACTION:
        raise ValueError("a fraction is too long")
    if kind == "Decimal" and any(len(part) > _MAX_DIGITS for part in fields):
        raise ValueError("a decimal is too long")
    try:
        value = _MAKERS.get(kind, KINDS[kind])(*fields)
    except (TypeError, ArithmeticError, LookupError, OSError) as error:
        raise ValueError(f"a {kind} cannot be made of such parts") from error
    if not parts(value):
        raise ValueError(f"a {kind} beyond the limits")
    return value
