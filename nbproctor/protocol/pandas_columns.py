"""Columns of pandas as parts: its own arrays, and their dtypes."""

from __future__ import annotations

from datetime import timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from nbproctor.protocol import scalars
from nbproctor.protocol.libraries import Class, Parts

MAX_FREQ = 40  # characters
MAX_HASHED = 10_000  # labels that pandas hashes while it makes a value


def check(holds: bool, what: str) -> None:
    """Raise `ValueError` where parts do not fit."""
    if not holds:
        raise ValueError(what)


def column(values: Any) -> Any:
    """Return a NumPy array where that is all there is to a column.

    Raises
    ------
    ValueError
        It is an array of a class that is not sent.
    """
    if type(values) is pd.arrays.NumpyExtensionArray:
        return values.to_numpy()
    dtype = values.dtype
    if type(dtype) is np.dtype and dtype.kind in "mM":
        return values.to_numpy()
    check(type(values) in ARRAYS, "an array of an unknown class")
    return values


def is_column(values: Any) -> bool:
    """Whether a part can be a column."""
    if type(values) is np.ndarray:
        return bool(values.ndim == 1 and values.dtype.kind in "biufcmMO")
    return isinstance(values, pd.api.extensions.ExtensionArray)


def _masked_parts(x: Any) -> Parts:
    missing = x.isna()
    return x.to_numpy(x.dtype.numpy_dtype, na_value=x.dtype.type(0)), missing


def _masked(kind: Any) -> Any:
    def build(data: Any, mask: Any) -> Any:
        check(type(data) is np.ndarray and data.ndim == 1, "no data")
        return kind(data, mask, copy=False)

    return build


def _strings_parts(x: Any) -> Parts:
    is_nan = x.dtype.na_value is not pd.NA
    return x.to_numpy(object, na_value=None), x.dtype.storage, is_nan


def _strings(values: Any, storage: Any, is_nan: Any) -> Any:
    check(type(values) is np.ndarray and values.dtype == object, "no text")
    check(all(type(x) is str or x is None for x in values), "no text")
    check(storage in ("python", "pyarrow"), "an unknown storage")
    dtype = (
        pd.StringDtype(storage, na_value=np.nan) if is_nan else pd.StringDtype(storage)
    )
    return pd.array(values, dtype=dtype)


def _categories_parts(x: Any) -> Parts | None:
    if len(x.categories) > MAX_HASHED:
        return None
    return np.array(x.codes), x.categories, bool(x.ordered)


def _categories(codes: Any, categories: Any, ordered: Any) -> Any:
    check(isinstance(categories, pd.Index) and type(codes) is np.ndarray, "no codes")
    check(codes.dtype.kind == "i" and type(ordered) is bool, "no codes")
    check(len(categories) <= MAX_HASHED, "too many categories")
    dtype = pd.CategoricalDtype(categories, ordered)
    return pd.Categorical.from_codes(codes, dtype=dtype)


def _dates_parts(x: Any) -> Parts | None:
    if x.tz is None:
        return x.to_numpy(), None
    zone = zone_of(x.tz)
    return None if zone is None else (x.tz_convert(None).to_numpy(), zone)


def _dates(values: Any, zone: Any) -> Any:
    check(type(values) is np.ndarray and values.dtype.kind == "M", "no dates")
    dates = pd.DatetimeIndex(values)
    return (dates if zone is None else dates.tz_localize("UTC").tz_convert(zone)).array


def zone_of(zone: Any) -> Any:
    """Return a time zone as one of Python's own, if it is one."""
    return zone if scalars.parts(zone) and type(zone) in (timezone, ZoneInfo) else None


def _spans(values: Any) -> Any:
    check(type(values) is np.ndarray and values.dtype.kind == "m", "no time spans")
    return pd.TimedeltaIndex(values).array


def _periods(ordinals: Any, freq: Any) -> Any:
    check(type(ordinals) is np.ndarray and ordinals.dtype == "i8", "no periods")
    check(type(freq) is str and len(freq) <= MAX_FREQ, "no frequency")
    return pd.arrays.PeriodArray(ordinals, dtype=pd.PeriodDtype(freq))


def _intervals(left: Any, right: Any, closed: Any) -> Any:
    check(isinstance(left, pd.Index) and isinstance(right, pd.Index), "no intervals")
    return pd.arrays.IntervalArray.from_arrays(left, right, closed)


def _dtype_parts(x: Any) -> Parts | None:
    return (pd.array([], dtype=x),)


def _dtype(empty: Any) -> Any:
    check(isinstance(empty, pd.api.extensions.ExtensionArray), "no dtype")
    return empty.dtype


COLUMNS = {
    "Categorical": Class(_categories_parts, _categories),
    "IntegerArray": Class(_masked_parts, _masked(pd.arrays.IntegerArray)),
    "FloatingArray": Class(_masked_parts, _masked(pd.arrays.FloatingArray)),
    "BooleanArray": Class(_masked_parts, _masked(pd.arrays.BooleanArray)),
    "StringArray": Class(_strings_parts, _strings),
    "DatetimeArray": Class(_dates_parts, _dates),
    "TimedeltaArray": Class(lambda x: (x.to_numpy(),), _spans),
    "PeriodArray": Class(lambda x: (x.asi8, x.freqstr), _periods),
    "IntervalArray": Class(
        lambda x: (pd.Index(x.left), pd.Index(x.right), x.closed), _intervals
    ),
    "dtype": Class(_dtype_parts, _dtype),
}
# Arrays of text are of several classes, by how they are stored.
_TEXTS = {
    type(pd.Series([], dtype=dtype).array)
    for dtype in ("str", "string", "string[python]")
} - {pd.arrays.NumpyExtensionArray}
ARRAYS: dict[type, str] = {
    **dict.fromkeys(_TEXTS, "StringArray"),
    **{
        getattr(pd.arrays, n, None) or getattr(pd, n): n
        for n in COLUMNS
        if n not in ("dtype", "StringArray")
    },
}
DTYPES = (
    *(pd.CategoricalDtype, pd.StringDtype, pd.DatetimeTZDtype, pd.PeriodDtype),
    *(pd.IntervalDtype, pd.BooleanDtype, pd.Float32Dtype, pd.Float64Dtype),
    *(pd.Int8Dtype, pd.Int16Dtype, pd.Int32Dtype, pd.Int64Dtype),
    *(pd.UInt8Dtype, pd.UInt16Dtype, pd.UInt32Dtype, pd.UInt64Dtype),
)
