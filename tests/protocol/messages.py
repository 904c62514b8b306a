"""Values and messages for hypothesis, for each tag and field in the table of tags."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from datetime import datetime
from io import StringIO
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.extra import pandas as pd_st

from nbproctor.protocol import (
    pandas_values,  # noqa: F401 (their rows)
    rpc,
)
from nbproctor.protocol.calls import Answer
from nbproctor.protocol.frames import Encoded, Frame, ProtocolError, UnsendableError
from nbproctor.protocol.numpy_values import DTYPES
from nbproctor.protocol.objects import Ref
from nbproctor.protocol.table import FIELDS, ROWS, Receiver, Row

Values = st.SearchStrategy[Any]


class HandedObject(NamedTuple):  # `same` compares its parts
    """An object that is sent as a reference."""

    tag: str
    fields: tuple[Any, ...]


PART = ["a list of the request that is replied to"]


def default(value: Any) -> Any:
    """Name what the codec does not know."""
    if isinstance(value, HandedObject):
        return Ref(value.tag, value.fields)
    return unnamed(value)


def encoded(value: Any) -> Encoded:
    """Encode a value that may hold every tag."""
    return rpc.encode(value, default, {id(PART): 0})


def decoded(frame: Frame) -> Any:
    """Decode what `encoded` made."""
    return rpc.decode(frame, _resolve, track=True, request=[PART])


def _resolve(ref: Ref) -> Any:
    return Answer(*ref.fields) if ref.tag == "answer" else HandedObject(*ref)


def unnamed(value: Any) -> Any:
    """Let no object have a name."""
    raise UnsendableError(f"an object of type {type(value).__name__} cannot be sent")


def unknown(ref: Ref) -> Any:
    """Know no name."""
    raise ProtocolError(f"a reference ({ref.tag}) is not expected here")


def encode(value: Any, default: Any = unnamed, **about: Any) -> Encoded:
    """Encode a value, plain if nobody names its objects."""
    return rpc.encode(value, default, **about)


def decode(frame: Frame, resolve: Any = unknown, **about: Any) -> Receiver:
    """Decode a value, plain if nobody knows its names."""
    return rpc.decode(frame, resolve, **about)


def frame(packed: Encoded) -> Frame:
    """Return a frame as it would be received."""
    return Frame(0, packed.text, bytearray(b"".join(packed.buffers)))


def message(node: Any, raw: bytes | bytearray = b"") -> Frame:
    """Return a frame of a node, as anybody could send it."""
    return Frame(0, json.dumps(node).encode(), bytearray(raw))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the bit and in their exact types."""
    if isinstance(other, slice):
        return same(
            (one.start, one.stop, one.step), (other.start, other.stop, other.step)
        )
    if type(one) is not type(other):
        return False
    if type(one).__module__.startswith("pandas"):
        return same_table(one, other)
    if isinstance(one, np.ndarray) and one.dtype.kind == "O":
        return one.shape == other.shape and same([*one.flat], [*other.flat])
    if isinstance(one, np.ndarray | np.generic):
        return _array_facts(one) == _array_facts(other)
    if isinstance(one, float | complex):
        return repr(one) == repr(other)
    if isinstance(one, StringIO):
        return bool(one.__getstate__() == other.__getstate__())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    if isinstance(one, set | frozenset):  # a NaN is in no other set
        matches = (any(same(each, its) for its in other) for each in one)
        return len(one) == len(other) and all(matches)
    return bool(one == other)


def _array_facts(x: Any) -> tuple[Any, ...]:
    array = np.asarray(x)
    return x.dtype, x.shape, array.flags.fnc, x.flags.writeable, array.tobytes()


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


def read_on(stream: Any, count: int) -> Any:
    """Return a stream of which so much has been read."""
    stream.read(count)
    return stream


keys = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False)
    | st.binary(max_size=5)
    | st.tuples(st.integers(), st.text(max_size=3))
    | st.frozensets(st.integers(), max_size=3)
    | st.datetimes()
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
numbers = hnp.arrays(
    st.sampled_from([*(set(DTYPES) - {"<f16", "<c32"}), ">f8", ">i2", "<M8[25s]"]),
    hnp.array_shapes(
        min_dims=0,
        max_dims=4,
        min_side=0,
        max_side=5,
    ),
)
texts = hnp.arrays(
    "U4",
    hnp.array_shapes(
        min_dims=0,
        max_dims=3,
        min_side=0,
        max_side=3,
    ),
    elements=st.text("aé", max_size=4),
)

labels = pd_st.indexes(dtype=int, max_size=6) | pd_st.indexes(
    elements=st.text(max_size=3), max_size=6
)
frames = pd_st.data_frames(
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
_strings = [["a", None, "é"], ["", "b"]]
# Values of pandas, by their tag.
of_pandas: dict[str, Values] = {
    "DataFrame": frames | hnp.arrays("f8", (2, 20)).map(pd.DataFrame),
    "Index": labels.filter(lambda index: not isinstance(index, pd.RangeIndex))
    | st.sampled_from(
        [
            pd.Index(
                [1, "a", None, (2, 3), datetime(2026, 3, 28)], dtype=object, name="n"
            ),
            *(_days, _days - _days[0]),
            *(pd.bdate_range("2026", periods=4), pd.CategoricalIndex(["a", "b"])),
        ]
    ),
    "RangeIndex": st.builds(pd.RangeIndex, st.integers(0, 9), name=st.text()),
    "MultiIndex": st.just(
        pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["p", None])
    ),
    "Categorical": st.builds(
        pd.Categorical, st.just(["u", None]), st.just(["u", "v"]), st.booleans()
    ),
    "strings": st.builds(
        pd.array, st.sampled_from(_strings), st.sampled_from(["str", "string"])
    ),
    "Timestamp": st.sampled_from([_days[0], pd.Timestamp(7)]),
}
of_pandas["Series"] = st.one_of(
    *(of_pandas[n] for n in ("Categorical", "strings")),
    st.just(_days.array),
    st.just(np.array([[1], {"a": 2}, (3,)], dtype=object)),
    st.just(np.array([1, 2j, 3])),
).map(lambda column: pd.Series(column, name="s"))


def values(inner: Values) -> dict[str, Values]:
    """For each tag, values that the sender writes with it, made of other values."""
    items = st.lists(inner, max_size=4) | st.lists(st.floats(), min_size=8, max_size=20)
    small = st.integers(-9, 9)
    dicts = st.dictionaries(keys, inner, max_size=4)
    return {
        "l": items,
        "d": dicts,
        "t": items.map(tuple),
        "s": st.sets(keys),
        "z": st.frozensets(keys),
        "b": st.binary(),
        "i": st.integers(min_value=1 << 63) | st.integers(max_value=-1 << 64),
        "c": st.complex_numbers(),
        "S": st.builds(slice, inner, inner, small),
        "R": st.builds(range, small, small, small.filter(bool)),
        "E": st.just(...),
        "datetime": st.datetimes(),
        "a": numbers
        | numbers.map(np.transpose)
        | numbers.map(_read_only)
        | texts
        | hnp.arrays("S3", 2),
        "O": items.map(_objects),
        "n": numbers.filter(np.size).map(lambda a: a.reshape(-1)[0]),
        "D": st.sampled_from([*DTYPES.values()])
        | st.sampled_from([np.dtype("O"), np.dtype("U3"), np.dtype(">i4")]),
        "student": st.just(HandedObject("student", (3, "Net", "", True, "", ""))),
        "judge": st.just(HandedObject("judge", (0, "Spy", b"", {}, "forward"))),
        "library": st.just(HandedObject("library", ("numpy", "tanh"))),
        "answer": st.builds(Answer, small),
        "request": st.just(PART),
        "again": st.lists(inner, max_size=2).map(lambda part: (part, part)),
        "Counter": dicts.map(Counter),
        "OrderedDict": dicts.map(OrderedDict),
        "StringIO": st.builds(read_on, st.text().map(StringIO), small),
        **{f"pandas.{name}": strategies for name, strategies in of_pandas.items()},
    }


anything = st.recursive(
    plain, lambda inner: st.one_of(*values(inner).values()), max_leaves=12
)

# --- messages that no encoder wrote ---------------------------------------------------

_small = st.integers(-1, 4)
_CODES = [*DTYPES, "|O", "<U4", "|S2", ">f8", "<M8", "<M8[25s]"]
_INDEX = ["pandas.RangeIndex", ["R", 0, 2, 1], None]
_OBJECTS = ["O", [2], "x", "y"]
# For each kind of field: JSON as it should be, more or less …
RIGHT: dict[str, Values] = {
    "value": plain,
    "key": plain,
    "count": _small,
    "integer": _small | st.integers(),
    "float": st.floats(),
    "text": st.text(max_size=4),
    "flag": st.booleans(),
    "hex": st.integers().map(hex) | st.text("0x-f", max_size=5),
    "dtype": st.sampled_from(_CODES),
    "shape": st.lists(_small, max_size=3),
    "layout": st.sampled_from(["F", "r"]),
    "places": st.just(["a", "|i1", [2]]),
    "strings": st.just(_OBJECTS),
    "column": st.sampled_from([_OBJECTS, ["a", "<f8", [2]]]),
    "label": plain,
    "labels": st.just(_OBJECTS),
    "titles": st.just(["t", "p", None]),
    "index": st.just(_INDEX),
    "few": st.just(_INDEX),
    "levels": st.just(["t", _INDEX, _INDEX]),
    "range": st.just(["R", 0, 2, 1]),
    "steps": st.sampled_from([None, "D", "B"]),
    "storage": st.sampled_from(["python", "pyarrow"]),
    "moment": st.just(["n", "<M8[ns]"]),
}
# … and never as it should be.
WRONG: dict[str, list[Any]] = json.loads("""{
    "value": [[], {}, [1], ["l", {}], ["zz"], [["l"]], [null, 1]],
    "key": [[], {}, ["l"], ["d"], ["s"], ["t", ["l"]], ["a", "<f8", [0]]],
    "count": [null, "1", 0.5, true, [], ["l"], {}, -1, 1099511627776],
    "integer": [null, "1", 0.5, true, [], ["l"], {}],
    "float": [null, "1", 1, true, [], ["l"], {}],
    "text": [null, 1, 0.5, true, [], ["l"], {}],
    "flag": [null, 1, "true", [], {}],
    "hex": [null, 1, 0.5, true, [], ["l"], {}, "", "xyz", "0x"],
    "dtype": [
        null, 1, 0.5, true, [], ["l"], {}, "", "O", "|O8", "|V8", "f8", "<M8[0s]",
        "<f8,<f8", "(2,)<f8", "object", [["a", "|O"]], [["a", "<f8", [-1]]], [["a"]],
        [[1, "<f8"]], [["a", []]], [["a", "<f8"], ["a", "<f8"]],
        [["a", "<f8", [1099511627776]]]
    ],
    "shape": [
        null, 1, {}, [-1], [true], [0.5], [[]], [1048576], [4611686018427387904, 0]
    ],
    "layout": ["", "C", "f", null, 1, true, [], ["F"]],
    "label": [["l"], ["d"], ["E"], ["S", 1, 2, 3], ["t", ["l"]]],
    "steps": [1, true, [], ["l"]]
}""")
WRONG["count"].append(1 << 80)
WRONG["hex"].append("f" * 300_000)
WRONG["shape"].append([0] * 99)
WRONG["steps"].append("x" * 41)
# All others are values that are none of these.
_NONE = [None, 1, True, 0.5, "x" * 41, [], {}, ["l"], ["d"], ["a", "<c16", [0, 0, 0]]]
WRONG |= {kind: _NONE for kind in FIELDS.keys() - WRONG.keys()}


def nodes(inner: Values) -> Values:
    """Lists with a tag and about the right fields."""
    kinds = {**RIGHT, "value": inner, "key": inner}

    def node(row: Row) -> Values:
        fields = [
            st.lists(kinds[kind.rstrip("*")], max_size=4)
            if kind.endswith("*")
            else kinds[kind].map(lambda field: [field])
            for kind in row.fields.split()
        ]
        return st.tuples(*fields).map(lambda parts: [row.tag, *chain(*parts)])

    return st.sampled_from([*ROWS.values()]).flatmap(node)


messages = st.recursive(
    RIGHT["value"] | st.sampled_from([[], {}, ["zz"], ["l", {}]]), nodes, max_leaves=12
)
