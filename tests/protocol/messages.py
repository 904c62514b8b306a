"""Values and messages for hypothesis, for each tag and field in the table of tags."""

from __future__ import annotations

import math
import struct
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.extra import pandas as pd_st
from scipy import sparse

from nbproctor.protocol import (
    collection_values,
    pandas_values,
    scalars,
    scipy_values,
)
from nbproctor.protocol.decode import decode
from nbproctor.protocol.encode import encode
from nbproctor.protocol.frames import Frame
from nbproctor.protocol.limits import DTYPES
from nbproctor.protocol.namedtuples import StudentTuple
from nbproctor.protocol.sent import Encoded, ErrorItems, NamedItems, Ref
from nbproctor.protocol.tags import FIELDS, Tag

Values = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Thing:
    """An object that is sent as a reference."""

    tag: str
    fields: tuple[Any, ...]


Point = namedtuple("Point", "x y")
PART = ["a list of the request that is replied to"]


def default(value: Any) -> Any:
    """Name what the codec does not know."""
    if isinstance(value, Thing) and value.tag == Tag.ERROR_CLASS:
        return ErrorItems(*value.fields[:3], value.fields[3:])
    if isinstance(value, Thing):
        return Ref(value.tag, value.fields)
    return NamedItems(7, type(value).__name__, value._fields, tuple(value))


LIBRARIES = frozenset(["pandas", "scipy.sparse", "collections"])


def encoded(value: Any) -> Encoded:
    """Encode a value that may hold every tag."""
    return encode(value, default, {id(PART): 0}, LIBRARIES)


def decoded(frame: Frame) -> Any:
    """Decode what `encoded` made."""
    return decode(
        frame, lambda ref: Thing(*ref), track=True, request=[PART], libraries=LIBRARIES
    )


def frame(packed: Encoded) -> Frame:
    """Return a frame as it would be received."""
    return Frame(0, packed.text, bytearray(b"".join(packed.buffers)))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the bit and in their exact types."""
    if isinstance(other, Point | StudentTuple):
        return one._fields == other._fields and same(tuple(one), tuple(other))
    if isinstance(other, slice):
        return same(
            (one.start, one.stop, one.step), (other.start, other.stop, other.step)
        )
    if type(one) is not type(other):
        return False
    if sparse.issparse(one):
        return one.shape == other.shape and same(one.toarray(), other.toarray())
    if isinstance(one, pd.DataFrame | pd.Series | pd.Index) or is_pandas(one):
        return same_table(one, other)
    if isinstance(one, np.ndarray) and one.dtype.kind == "O":
        return one.shape == other.shape and same([*one.flat], [*other.flat])
    if isinstance(one, np.ndarray | np.generic):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and np.asarray(one).tobytes() == np.asarray(other).tobytes()
        )
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (
            math.isnan(one) and math.isnan(other)
        )
    if isinstance(one, Decimal):  # `==` says no of "NaN", and stops at "sNaN"
        return bool(one.as_tuple() == other.as_tuple())
    if isinstance(one, complex):
        return same((one.real, one.imag), (other.real, other.imag))
    if isinstance(one, deque):
        return one.maxlen == other.maxlen and same([*one], [*other])
    if isinstance(one, defaultdict) and one.default_factory != other.default_factory:
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    return bool(one == other)


def is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas"


def same_table(one: Any, other: Any) -> bool:
    """Whether two values of pandas are equal, by pandas's own account."""
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other, check_exact=True)
    elif isinstance(one, pd.Index):
        pd.testing.assert_index_equal(one, other, exact=True, check_exact=True)
        return getattr(one, "freq", None) == getattr(other, "freq", None)
    elif isinstance(one, pd.api.extensions.ExtensionArray):
        pd.testing.assert_extension_array_equal(one, other)
    else:
        return one is other or one == other
    return True


def _read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array


def _objects(items: list[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(items), object)
    for number, item in enumerate(items):
        array[number] = item
    return array


keys = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False)
    | st.binary(max_size=5)
    | st.tuples(st.integers(), st.text(max_size=3))
    | st.frozensets(st.integers(), max_size=3)
    | st.builds(Fraction, st.integers(-9, 9), st.integers(1, 9))
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
numbers = hnp.arrays(
    st.sampled_from([code for code in DTYPES if code not in ("f16", "c32")]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


structured = st.sampled_from(
    [
        np.dtype([("a", "i4"), ("b", "f8")]),
        np.dtype([("text", "U3"), ("pair", "i2", (2,)), ("raw", "S2")]),
        np.dtype([("inner", [("x", "?"), ("y", "M8[D]")])]),
    ]
).flatmap(
    lambda dtype: st.builds(np.zeros, st.sampled_from([2, (1, 3), 0]), st.just(dtype))
)
labels = pd_st.indexes(dtype=int, max_size=6) | pd_st.indexes(
    elements=st.text(max_size=3), max_size=6
)
tables = pd_st.data_frames(
    [
        pd_st.column("a", dtype=float),
        pd_st.column("b", dtype=int),
        pd_st.column("c", elements=st.text(max_size=3)),
        pd_st.column("d", elements=st.datetimes(pd.Timestamp.min, pd.Timestamp.max)),
        pd_st.column("e", dtype=bool),
    ],
    index=labels,
)
_days = pd.date_range("2026-03-28", periods=3, freq="D")
columns = st.sampled_from(
    [
        _days.tz_localize("Europe/Berlin"),
        _days - _days[0],
        _days.to_period("M"),
        pd.interval_range(0, 3),
        pd.Categorical(["u", None, "u"], ["u", "v"], ordered=True),
        pd.array([1, None, 3], dtype="Int8"),
        pd.array([0.5, None, 3], dtype="Float32"),
        pd.array([True, None, False], dtype="boolean"),
        pd.array(["a", None, "é"], dtype="string"),
        pd.array(["a", None, "é"], dtype="str"),
        np.array([[1], {"a": 2}, (3,)], dtype=object),
        np.array([1, 2j, 3]),
    ]
)
others = st.sampled_from(
    [
        *(pd.NaT, pd.NA, pd.Timestamp("2026-03-29T02:30", tz="UTC"), _days[0]),
        *(pd.Timedelta("3s"), pd.Period("2026", "Y"), pd.Interval(0, 1.5, "left")),
        *(pd.RangeIndex(3, name="n"), pd.CategoricalDtype(["a"]), pd.Int64Dtype()),
        pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["p", None]),
        pd.Index([1, "a", None, (2, 3)], dtype=object, name=("a", 1)),
        _days,
        pd.bdate_range("2026", periods=4),
    ]
)
matrices = st.builds(
    lambda kind, cells: getattr(sparse, kind)(cells),
    st.sampled_from(
        [
            f"{form}_{kind}"
            for form in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")
            for kind in ("array", "matrix")
        ]
    ),
    hnp.arrays(
        "f8",
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=4),
        elements=st.sampled_from([0.0, 0.0, 1.5, -2.0]),
    ),
)


def values(inner: Values) -> dict[Tag, Values]:
    """For each tag, values that the encoder writes with it, made of other values."""
    items, small = st.lists(inner, max_size=4), st.integers(-9, 9)
    return {
        Tag.LIST: items,
        Tag.NUMBERS: st.lists(st.floats(), min_size=8, max_size=20)
        | st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=8, max_size=20),
        Tag.DICT: st.dictionaries(keys, inner, max_size=4),
        Tag.TUPLE: items.map(tuple),
        Tag.SET: st.sets(keys),
        Tag.FROZENSET: st.frozensets(keys),
        Tag.BYTES: st.binary(),
        Tag.INTEGER: st.integers(min_value=1 << 63) | st.integers(max_value=-1 << 64),
        Tag.COMPLEX: st.complex_numbers(),
        Tag.SLICE: st.builds(slice, inner, inner, small),
        Tag.RANGE: st.builds(range, small, small, small.filter(bool)),
        Tag.ELLIPSIS: st.just(...),
        Tag.SCALAR: st.decimals(-(10**9), 10**9, places=3)
        | st.sampled_from([Fraction(1, 3), Fraction(-(1 << 70), 3)])
        | st.dates()
        | st.datetimes()
        | st.datetimes(timezones=st.just(timezone(-timedelta(hours=3, minutes=30))))
        | st.datetimes(
            timezones=st.just(ZoneInfo("Europe/Berlin")), allow_imaginary=True
        )
        | st.times()
        | st.timedeltas()
        | st.sampled_from([UTC, ZoneInfo("America/Indiana/Knox")]),
        Tag.ARRAY: numbers | hnp.arrays("S3", 2),
        Tag.READ_ONLY: numbers.map(_read_only),
        Tag.NUMPY_SCALAR: numbers.filter(np.size).map(lambda a: a.reshape(-1)[0]),
        Tag.OBJECTS: items.map(_objects),
        Tag.TEXTS: hnp.arrays(
            "U4",
            hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
            elements=st.text("aé", max_size=4),
        ),
        Tag.STRUCTURED: structured,
        Tag.RECORD: structured.filter(np.size).map(lambda a: a.reshape(-1)[0]),
        Tag.DTYPE: st.sampled_from([*DTYPES.values()][:40]).filter(lambda d: d.isnative)
        | structured.map(lambda array: array.dtype)
        | st.sampled_from([np.dtype("O"), np.dtype("U3"), np.dtype("S9")]),
        Tag.OF_LIBRARY: tables
        | columns
        | columns.map(lambda column: pd.Series(column, name="s"))
        | labels
        | others
        | matrices
        | st.dictionaries(keys, inner, max_size=4).map(OrderedDict)
        | st.dictionaries(keys, inner, max_size=4).map(Counter)
        | st.builds(
            defaultdict,
            st.sampled_from([None, int, list]),
            st.dictionaries(keys, inner, max_size=4),
        )
        | st.builds(deque, items, st.none() | st.integers(0, 9)),
        Tag.NAMED_TUPLE: st.builds(Point, inner, inner),
        Tag.STUDENT: st.just(Thing("student", (3, "Net", "", True, "", ""))),
        Tag.ERROR_CLASS: st.just(Thing("error", (4, "Oops", "ValueError", "base"))),
        Tag.JUDGE: st.just(Thing("judge", (0, "Spy", "forward"))),
        Tag.LIBRARY: st.just(Thing("library", ("numpy", "tanh"))),
        Tag.REQUEST: st.just(PART),
        Tag.AGAIN: st.lists(inner, max_size=2).map(lambda part: (part, part)),
    }


anything = st.recursive(
    plain, lambda inner: st.one_of(*values(inner).values()), max_leaves=12
)

# --- messages that no encoder wrote ---------------------------------------------------

_small = st.integers(-1, 4)
_CLASSES = [
    f"{library}.{name}"
    for library, table in (
        ("pandas", pandas_values),
        ("scipy.sparse", scipy_values),
        ("collections", collection_values),
    )
    for name in table.CLASSES
]
names = st.sampled_from(["x", "y", "count", "_x", "class", "ﬁ", "fi", ""])
# For each kind of field: JSON as it should be, more or less, and never as it should be.
RIGHT: dict[str, Values] = {
    "value": st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    "key": st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    "count": _small,
    "integer": _small | st.integers(),
    "float": st.floats(),
    "text": st.text(max_size=4),
    "flag": st.booleans(),
    "names": st.lists(names, max_size=3),
    "texts": st.lists(st.text(max_size=3), max_size=3),
    "hex": st.integers().map(hex) | st.text("0x-f", max_size=5),
    "class": st.sampled_from(sorted(scalars.KINDS)),
    "part": _small | st.sampled_from(["1.5", "NaN", "sNaN", "1e9999", "x", "UTC", "/"]),
    "dtype": st.sampled_from([*DTYPES, "O", "U4", ">f8", "M8"]),
    "shape": st.lists(_small, max_size=3),
    "kind": st.sampled_from([*_CLASSES, "pandas.read_pickle", "os.system", "pandas"]),
}
_WRONG_TEXT = [None, 1, 0.5, True, [], ["l"], {}]
_WRONG_INTEGER = [None, "1", 0.5, True, [], ["l"], {}]
WRONG: dict[str, list[Any]] = {
    "value": [[], {}, [1], ["l", {}], ["zz"], [["l"]], [None, 1]],
    "key": [[], {}, ["l"], ["d"], ["s"], ["t", ["l"]], ["a", "f8", [0]]],
    "count": [*_WRONG_INTEGER, -1, 1 << 40, 1 << 80],
    "integer": _WRONG_INTEGER,
    "float": [None, "1", 1, True, [], ["l"], {}],
    "text": _WRONG_TEXT,
    "flag": [None, 1, "true", [], {}],
    "names": [None, "x", {}, ["class"], ["x", "x"], ["_x"], [1], [["l"]], ["ﬁ", "fi"]],
    "texts": [None, "x", {}, [], ["x", "x"], [1], [["l"]], [None]],
    "hex": [*_WRONG_TEXT, "", "xyz", "0x", "f" * 300_000],
    "class": [*_WRONG_TEXT, "", "int", "Path", "__init__"],
    "part": [None, 0.5, True, [], ["l"], ["t"], {}, "", "xyz"],
    "dtype": [*_WRONG_TEXT, "", "O", "O8", "V8", "U4", "M8", "M8[25s]", ">f8", "f8,f8"],
    "kind": [*_WRONG_TEXT, "", "Series", "pandas.eval", "os.system", "numpy.ndarray"],
    "shape": [
        None,
        1,
        {},
        [-1],
        [True],
        [0.5],
        [[]],
        [1 << 20],
        [1 << 62, 0],
        [0] * 99,
    ],
}


def nodes(inner: Values) -> Values:
    """Lists with a tag and about the right fields."""
    kinds = {**RIGHT, "value": inner, "key": inner}

    def node(tag: Tag) -> Values:
        fields = [
            st.lists(kinds[kind.rstrip("*")], max_size=4)
            if kind.endswith("*")
            else kinds[kind].map(lambda field: [field])
            for kind in tag.fields
        ]
        return st.tuples(*fields).map(lambda parts: [str(tag), *chain(*parts)])

    return st.sampled_from(list(Tag)).flatmap(node)


messages = st.recursive(
    RIGHT["value"] | st.sampled_from([[], {}, ["zz"], ["l", {}]]), nodes, max_leaves=12
)
assert RIGHT.keys() == WRONG.keys() == FIELDS.keys()
