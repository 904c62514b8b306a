"""Values of pandas, sent by their parts. It is imported only if pandas is.

A column is a NumPy array or one of pandas's own arrays; an index is a column with a
name. Labels are plain values whose hash is Python's own. After the fields of all parts
are checked, the receiver makes the value by pandas's own constructors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.arrays import NumpyExtensionArray
from pandas.tseries.frequencies import to_offset

from nbproctor.protocol.budget import LIMITS, hashes_collide
from nbproctor.protocol.numpy_values import DTYPES, is_array
from nbproctor.protocol.python_values import STANDARD
from nbproctor.protocol.table import (
    FIELDS,
    Change,
    Parts,
    Row,
    add_rows,
    exactly,
    parts_of,
)

_MAX_FREQ = 40  # characters
_MAX_HASHED = 10_000  # labels that pandas hashes while it makes a value
_MAX_COLUMNS = 2_000
_MAX_LABELS = LIMITS["keys"]
# Since version 3, a copy takes no memory until it or the original is changed.
_COPY_ON_WRITE = int(pd.__version__.split(".")[0]) >= 3
_TICKS = ("D", "h", "min", "s", "ms", "us", "ns", "H", "T", "S", "L", "U", "N")

# The class of an array of text depends on its storage.
_TEXTS = {
    type(pd.array([], dtype=name)) for name in ("str", "string", "string[python]")
} - {NumpyExtensionArray}
_ARRAYS = (pd.Categorical, *_TEXTS)
_INDEXES = (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex)
_SCALARS = (pd.Timestamp, *STANDARD)
_TEXT_ITEMS = {type(None), str, np.str_}  # the last one from an array of text
_PLAIN_LABELS = {*_TEXT_ITEMS, bool, int, float, complex, bytes, np.bytes_}


def _check(holds: bool, subject: str) -> None:
    """Raise `ValueError` if parts do not fit together."""
    if not holds:
        raise ValueError(subject)


# --- what a part can be ---------------------------------------------------------------


def _has_parts(x: Any) -> bool:
    """Whether a part has parts itself, so that its value is not sent without it."""
    return parts_of(x) is not None


def _is_column(x: Any) -> bool:
    if type(x) in _ARRAYS:
        return _has_parts(x)
    return is_array("biufcmMO")(x)


def _is_label(x: Any) -> bool:
    """Whether a value can be a label: it is sent as such, and Python hashes it."""
    kind = type(x)
    if kind is tuple:
        return all(map(_is_label, x))
    if kind in _PLAIN_LABELS:
        return True
    if isinstance(x, np.generic):
        return x.dtype.str in DTYPES
    return kind in _SCALARS and _has_parts(x)


def _are_labels(x: Any) -> bool:
    """Whether a column can be an index: its hashes are not made to collide."""
    if not _is_column(x):
        return False
    if x.dtype != object:
        return True
    are_labels = len(x) <= _MAX_LABELS and all(map(_is_label, x))
    return are_labels and not hashes_collide(x, _are_equal)


def _are_equal(one: Any, other: Any) -> bool:
    """Whether two labels are equal; nan is not equal to itself, but the same."""
    return one is other or bool(one == other)


def _is_index(x: Any) -> bool:
    kinds = (*_INDEXES, pd.RangeIndex, pd.MultiIndex)
    return type(x) in kinds and _has_parts(x)


def _is_small_index(x: Any) -> bool:
    return _is_index(x) and len(x) <= _MAX_HASHED


FIELDS |= {
    "strings": lambda x: is_array("O")(x) and {*map(type, x)} <= _TEXT_ITEMS,
    "column": _is_column,
    "label": _is_label,
    "labels": _are_labels,
    "titles": lambda x: type(x) is tuple and _is_label(x),
    "index": _is_index,
    "few": _is_small_index,
    "levels": lambda x: type(x) is tuple and all(map(_is_small_index, x)),
    "range": exactly(range),
    "steps": lambda x: x is None or (type(x) is str and len(x) <= _MAX_FREQ),
    "storage": lambda x: type(x) is str and x in ("python", "pyarrow"),
    "moment": exactly(np.datetime64),
}

# --- columns and scalars --------------------------------------------------------------


def _column(values: Any) -> Any:
    """Return the NumPy array of a column if it has nothing else, or else the column."""
    dates = isinstance(values.dtype, np.dtype) and values.dtype.kind in "mM"
    if dates or type(values) is NumpyExtensionArray:
        return values.to_numpy()
    return values


def _strings_parts(x: Any) -> Parts:
    is_nan = x.dtype.na_value is not pd.NA
    values = x.to_numpy(object, na_value=None)
    return values, x.dtype.storage, is_nan


def _strings(
    values: Any,
    storage: Any,
    is_nan: Any,
) -> Any:
    na = {"na_value": np.nan} if is_nan else {}
    return pd.array(values, dtype=pd.StringDtype(storage, **na))


# --- indexes and tables ---------------------------------------------------------------


def _index_parts(x: Any) -> Parts | None:
    freq = getattr(x, "freq", None)
    steps = None if freq is None else x.freqstr
    if not _is_fast_frequency(steps, len(x)):
        return None
    return _column(x.array), x.name, steps


def _index(
    values: Any,
    name: Any,
    steps: Any,
) -> Any:
    index = pd.Index(
        values,
        dtype=values.dtype,
        name=name,
        copy=False,
    )
    if steps is not None:
        _check(type(index) in (pd.DatetimeIndex, pd.TimedeltaIndex), "no dates")
        _check(_is_fast_frequency(steps, len(index)), "no frequency")
        index.freq = to_offset(steps)
    return index


def _is_fast_frequency(steps: Any, length: int) -> bool:
    """Whether pandas compares dates with this frequency quickly, not one by one."""
    ticks = steps is None or steps.lstrip("-0123456789") in _TICKS
    return ticks or length <= _MAX_LABELS


def _series(
    values: Any,
    index: Any,
    name: Any,
) -> Any:
    _check(len(values) == len(index), "a series of another length than its index")
    return pd.Series(
        values,
        index=index,
        dtype=values.dtype,
        name=name,
        copy=False,
    )


def _frame_parts(x: Any) -> Parts | None:
    count = x.shape[1]
    if count > _MAX_COLUMNS:
        return None
    columns = [_column(x.iloc[:, n].array) for n in range(count)]
    return x.columns, x.index, *columns


def _frame(columns: Any, index: Any, *values: Any) -> Any:
    _check(len(values) == len(columns) <= _MAX_COLUMNS, "no columns")
    series = {n: _series(column, index, None) for n, column in enumerate(values)}
    frame = pd.DataFrame(series, index=index, copy=False)
    frame.columns = columns
    return frame


def _same(one: Any, other: Any) -> bool:
    try:
        axes = zip(one.axes, other.axes, strict=True)
        return (
            one.equals(other)
            and all(axis.identical(other_axis) for axis, other_axis in axes)
            and (isinstance(one, pd.DataFrame) or bool(one.name == other.name))
        )
    except Exception:  # pandas cannot compare everything
        return False


_TABLE = Change(
    copy=lambda x: x.copy(deep=not _COPY_ON_WRITE),
    same=_same,
    # This has the effect of pandas's own ``inplace=True``.
    assign=lambda old, new: type(old).__init__(old, new),
)
add_rows(
    Row(
        tag="pandas.DataFrame",
        fields="index index column*",
        classes=pd.DataFrame,
        parts=_frame_parts,
        build=_frame,
        change=_TABLE,
    ),
    Row(
        tag="pandas.Series",
        fields="column index label",
        classes=pd.Series,
        parts=lambda x: (_column(x.array), x.index, x.name),
        build=_series,
        change=_TABLE,
    ),
    Row(
        tag="pandas.Index",
        fields="labels label steps",
        classes=_INDEXES,
        parts=_index_parts,
        build=_index,
    ),
    Row(
        tag="pandas.RangeIndex",
        fields="range label",
        classes=pd.RangeIndex,
        parts=lambda x: (range(x.start, x.stop, x.step), x.name),
        build=lambda numbers, name: pd.RangeIndex(numbers, name=name),
    ),
    Row(
        tag="pandas.MultiIndex",
        fields="titles levels places*",
        classes=pd.MultiIndex,
        parts=lambda x: (tuple(x.names), tuple(x.levels), *map(np.array, x.codes)),
        build=lambda names, levels, *codes: pd.MultiIndex(levels, codes, names=names),
    ),
    Row(
        tag="pandas.Categorical",
        fields="places few flag",
        classes=pd.Categorical,
        parts=lambda x: (np.array(x.codes), x.categories, bool(x.ordered)),
        build=lambda codes, categories, ordered: pd.Categorical.from_codes(
            codes, dtype=pd.CategoricalDtype(categories, ordered)
        ),
    ),
    Row(
        tag="pandas.strings",
        fields="strings storage flag",
        classes=tuple(_TEXTS),
        parts=_strings_parts,
        build=_strings,
    ),
    Row(
        tag="pandas.Timestamp",
        fields="moment",
        classes=pd.Timestamp,
        parts=lambda x: (x.to_numpy(),) if x.tz is None else None,
        build=pd.Timestamp,
    ),
)
