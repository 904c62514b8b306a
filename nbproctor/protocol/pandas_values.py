"""Values of pandas as parts: imported only where pandas is.

A column is a NumPy array or one of pandas's own arrays; an index is a column with a
name. Labels are plain values with a hash of Python's own.
"""

from __future__ import annotations

import itertools
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from nbproctor.protocol import scalars
from nbproctor.protocol.libraries import Class, Parts
from nbproctor.protocol.limits import CODES, MAX_KEYS
from nbproctor.protocol.pandas_columns import (
    ARRAYS,
    COLUMNS,
    DTYPES,
    MAX_FREQ,
    MAX_HASHED,
    check,
    column,
    is_column,
    zone_of,
)

MAX_COLUMNS = 20_000
FEW_COLUMNS = 16  # that are sent one by one, even if all are of one kind
# Since version 3, a copy takes nothing until one of the two is changed.
_COPIES_LATER = int(pd.__version__.split(".")[0]) >= 3
_LABELS = {
    *(type(None), bool, int, float, complex, str, bytes),
    *(type(pd.NaT), type(pd.NA), pd.Timedelta, pd.Period),
}
_TICKS = ("D", "h", "min", "s", "ms", "us", "ns", "H", "T", "S", "L", "U", "N")


def _is_label(x: Any) -> bool:
    """Whether a value can be a label: it goes whole, and has a hash of Python's own."""
    kind = type(x)
    if kind in _LABELS:
        return True
    if kind is tuple:
        return all(map(_is_label, x))
    if kind is pd.Timestamp:
        return _timestamp_parts(x) is not None
    if kind is pd.Interval:
        return _is_label(x.left) and _is_label(x.right)
    return bool(scalars.parts(x)) or (isinstance(x, np.generic) and x.dtype in CODES)


# --- indexes --------------------------------------------------------------------------


def _may_label(values: Any) -> bool:
    """Whether a column of objects can be an index: pandas finds labels by their hash.

    Keys made to collide would keep the judge busy for hours, as in dictionaries.
    """
    if values.dtype != object:
        return True
    if len(values) > MAX_KEYS or not all(map(_is_label, values)):
        return False
    return _longest_run(sorted(((hash(x), x) for x in values), key=itemgetter(0))) < 100


def _longest_run(labels: list[tuple[int, Any]]) -> int:
    """Return how many labels in a row are unequal, but have the same hash."""
    run = longest = 0
    for (one, x), (other, y) in itertools.pairwise(labels):
        if one != other:
            run = 0
        elif x is not y and x != y:
            run += 1
        longest = max(longest, run)
    return longest


def _index_parts(x: Any) -> Parts | None:
    values = column(x.array)
    freq = getattr(x, "freq", None)
    kept = None if freq is None or isinstance(x, pd.PeriodIndex) else x.freqstr
    if not _may_label(values) or not _is_label(x.name):
        return None
    if kept is not None and not _is_quick(kept, len(x)):
        return None
    return values, x.name, kept


def _index(values: Any, name: Any, freq: Any) -> Any:
    check(is_column(values) and _may_label(values) and _is_label(name), "no labels")
    index = pd.Index(values, dtype=values.dtype, name=name, copy=False)
    if freq is not None:
        check(type(index) in (pd.DatetimeIndex, pd.TimedeltaIndex), "no dates")
        check(_is_quick(freq, len(index)), "no frequency")
        index.freq = to_offset(freq)
    return index


def _is_quick(freq: Any, length: int) -> bool:
    """Whether pandas compares dates with a frequency in no time: some, one by one."""
    ticks = type(freq) is str and freq.lstrip("-0123456789") in _TICKS
    return type(freq) is str and len(freq) <= MAX_FREQ and (ticks or length <= MAX_KEYS)


def _range_parts(x: Any) -> Parts | None:
    return (range(x.start, x.stop, x.step), x.name) if _is_label(x.name) else None


def _range(numbers: Any, name: Any) -> Any:
    check(type(numbers) is range and _is_label(name), "no range")
    return pd.RangeIndex(numbers, name=name)


def _levels_parts(x: Any) -> Parts | None:
    names = tuple(x.names)
    if not _is_label(names) or any(len(level) > MAX_HASHED for level in x.levels):
        return None
    return (names, tuple(x.levels), *map(np.array, x.codes))


def _levels(names: Any, levels: Any, *codes: Any) -> Any:
    check(type(names) is tuple and _is_label(names), "no names")
    check(type(levels) is tuple and len(levels) == len(codes), "no levels")
    for level, places in zip(levels, codes, strict=True):
        check(isinstance(level, pd.Index) and len(level) <= MAX_HASHED, "no levels")
        check(type(places) is np.ndarray and places.dtype.kind == "i", "no codes")
    return pd.MultiIndex(levels, codes, names=names)


# --- tables ---------------------------------------------------------------------------


def _series_parts(x: Any) -> Parts | None:
    return (column(x.array), x.index, x.name) if _is_label(x.name) else None


def _series(values: Any, index: Any, name: Any) -> Any:
    check(is_column(values) and isinstance(index, pd.Index), "no series")
    check(len(values) == len(index) and _is_label(name), "no series")
    return pd.Series(values, index=index, dtype=values.dtype, name=name, copy=False)


def _frame_parts(x: Any) -> Parts | None:
    count = x.shape[1]
    if count > MAX_COLUMNS:
        return None
    kinds = set(x.dtypes) if count > FEW_COLUMNS else set()
    if len(kinds) == 1 and next(iter(kinds)).kind in "biufc":
        block = x.to_numpy()
        if type(block) is np.ndarray and block.dtype == next(iter(kinds)):
            return x.columns, x.index, block.T  # as pandas keeps it
    return x.columns, x.index, *(column(x.iloc[:, n].array) for n in range(count))


def _frame(columns: Any, index: Any, *values: Any) -> Any:
    check(isinstance(columns, pd.Index) and isinstance(index, pd.Index), "no labels")
    if len(values) == 1 and type(values[0]) is np.ndarray and values[0].ndim == 2:
        check(values[0].dtype.kind in "biufc", "no numbers")
        return pd.DataFrame(values[0].T, index=index, columns=columns, copy=False)
    check(len(values) == len(columns) <= MAX_COLUMNS, "no columns")
    made = {n: _series(column, index, None) for n, column in enumerate(values)}
    frame = pd.DataFrame(made, index=index, copy=False)
    frame.columns = columns
    return frame


def _same(one: Any, other: Any) -> bool:
    axes = zip(one.axes, other.axes, strict=True)
    named = isinstance(one, pd.DataFrame) or one.name == other.name
    return bool(one.equals(other)) and named and all(a.identical(b) for a, b in axes)


def _copy(x: Any) -> Any:
    return x.copy(deep=not _COPIES_LATER)


def _assign(old: Any, new: Any) -> None:
    type(old).__init__(old, new)  # what pandas's own ``inplace=True`` comes to


# --- scalars and dtypes ---------------------------------------------------------------


def _timestamp_parts(x: Any) -> Parts | None:
    zone = zone_of(x.tz)
    return None if x.tz is not None and zone is None else (x.to_datetime64(), zone)


def _timestamp(moment: Any, zone: Any) -> Any:
    check(isinstance(moment, np.datetime64), "no moment")
    stamp = pd.Timestamp(moment)
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


def _span(length: Any) -> Any:
    check(isinstance(length, np.timedelta64), "no time span")
    return pd.Timedelta(length)


def _period(ordinal: Any, freq: Any) -> Any:
    check(type(ordinal) is int and type(freq) is str, "no period")
    check(len(freq) <= MAX_FREQ, "no frequency")
    return pd.Period(ordinal=ordinal, freq=freq)


def _interval(left: Any, right: Any, closed: Any) -> Any:
    check(_is_label(left) and _is_label(right), "no interval")
    return pd.Interval(left, right, closed)


CLASSES = {
    **COLUMNS,
    "DataFrame": Class(_frame_parts, _frame, _same, _assign, _copy),
    "Series": Class(_series_parts, _series, _same, _assign, _copy),
    "Index": Class(_index_parts, _index),
    "RangeIndex": Class(_range_parts, _range),
    "MultiIndex": Class(_levels_parts, _levels),
    "Timestamp": Class(_timestamp_parts, _timestamp),
    "Timedelta": Class(lambda x: (x.to_timedelta64(),), _span),
    "Period": Class(lambda x: (x.ordinal, x.freqstr), _period),
    "Interval": Class(lambda x: (x.left, x.right, x.closed), _interval),
    "NaT": Class(lambda x: (), lambda: pd.NaT),
    "NA": Class(lambda x: (), lambda: pd.NA),
}
_INDEXES = (
    *(pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex),
    *(pd.CategoricalIndex, pd.IntervalIndex),
)
NAMES: dict[type, str] = {
    **ARRAYS,
    **dict.fromkeys(_INDEXES, "Index"),
    **dict.fromkeys(DTYPES, "dtype"),
    **{
        getattr(pd, name): name
        for name in ("DataFrame", "Series", "RangeIndex", "MultiIndex", "Timestamp")
    },
    **{getattr(pd, name): name for name in ("Timedelta", "Period", "Interval")},
    type(pd.NaT): "NaT",
    type(pd.NA): "NA",
}
