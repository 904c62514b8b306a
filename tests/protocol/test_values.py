"""What the codec takes and refuses, at each of its limits, on both sides."""

from __future__ import annotations

import json
import resource
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dateutil import tz
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbproctor.protocol import rpc
from nbproctor.protocol.budget import LIMITS, MAX_BITS
from nbproctor.protocol.frames import Frame, ProtocolError, UnsendableError
from nbproctor.protocol.rpc import check_repeats
from tests.protocol.messages import (
    decode,
    decoded,
    encode,
    encoded,
    frame,
    message,
    same,
)

MAX_RANGE = LIMITS["length"]


def arrived(value: Any) -> Any:
    return decode(frame(encode(value))).value


def refused(node: Any, raw: bytes = b"") -> bool:
    try:
        decode(message(node, raw), request=[["a"]])
    except ProtocolError:
        return True
    return False


def sendable(value: Any) -> bool:
    try:
        encode(value)
    except UnsendableError:
        return False
    return True


# --- the budget -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "value", "more"),
    [
        ({"bytes": 96}, [b"x" * 48, np.zeros(6)], [b"x" * 48, np.zeros(7)]),
        ({"bytes": 32}, np.array(["abcd"] * 2), np.array(["abcd"] * 3)),
        ({"text": 16, "parts": 0}, "x" * 14, "x" * 15),
        ({"parts": 4}, [(), (), ()], [(), (), (), ()]),
        ({"parts": 4, "commas": 6}, ["a"] * 6, ["a"] * 7),
        (
            {"keys": 3},
            ({1}, {2: 3}, frozenset([4])),
            ({1}, {2: 3, 3: 4}, frozenset([4])),
        ),
        ({"length": 10}, [np.empty((0, 5)), np.empty((5, 0))], np.empty((0, 11))),
        ({"length": 10}, np.empty(11), [np.empty((0, 5)), np.empty((6, 0))]),
        ({"room": 4000}, np.empty(0, "U1000"), np.empty(0, "U1001")),
        (
            {"room": 4000},
            np.empty(1, "U1001"),
            [np.empty(0, "U600"), np.empty(0, "U600")],
        ),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) else "",
)
def test_both_sides_keep_each_limit(
    limits: dict[str, int],
    value: Any,
    more: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = encoded(more)
    for name, most in limits.items():
        monkeypatch.setitem(LIMITS, name, most)
    assert same(decoded(frame(encoded(value))).value, value)
    with pytest.raises(UnsendableError):
        encoded(more)
    if "bytes" not in limits:  # they are counted before a frame is read
        with pytest.raises(ProtocolError):
            decoded(frame(sent))


def text(node: str) -> Frame:
    return Frame(0, node.encode(), bytearray())


@pytest.mark.parametrize(
    "node",
    [
        '["l"' + ',["a","<U10000000",[0]]' * 9 + "]",
        '["a","<U100000000",[0]]',
        '["a","<U3",[1000000000]]',
        '["a","<f8",[0,1000000000]]',
        '["l"' + ',["a","<f8",[0,10000000]]' * 9 + "]",
        '["O",[1000000000,0]]',
        '["l"' + ',["R",0,10000000,1]' * 9 + "]",
        "[" + "{}," * 3_000_000 + "{}]",
        '["l"' + ',""' * 5_000_000 + "]",
    ],
    ids=lambda node: node[:24],
)
def test_what_is_short_to_say_but_long_to_read_is_refused(node: str) -> None:
    """In little time and with little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(ProtocolError):
        decode(text(node))
    assert time.process_time() - started < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10


@pytest.mark.parametrize(
    "container",
    [
        lambda keys: ["s", *keys],
        lambda keys: ["d", *(part for key in keys for part in (key, 0))],
        lambda keys: ["pandas.Index", ["O", [len(keys)], *keys], None, None],
    ],
    ids=["a set", "a dict", "labels"],
)
def test_keys_that_collide_are_counted_wherever_they_stand(
    container: Callable[[list[Any]], Any],
) -> None:
    prime = 2**61 - 1  # Python's hash of an integer is its rest

    def keys(count: int) -> list[Any]:
        both = [n * prime + n % 2 for n in range(2 * count)]  # hash 0, 1, 0, 1 …
        return [n if n < 1 << 63 else ["i", hex(n)] for n in both]

    assert not refused(container(keys(100)))
    assert refused(container(keys(110)))


def test_ranges_that_are_too_long_together_stay_where_they_are() -> None:
    unshared: list[Any] = []
    ranges = [range(MAX_RANGE - 9), range(9), range(1)]
    encode(ranges, lambda value: unshared.append(value) or "a handle")
    assert unshared == [range(1)]


class OwnList(list):  # type: ignore[type-arg]
    pass


class OwnTable(pd.DataFrame):
    @property
    def __class__(self) -> Any:
        return pd.DataFrame


@pytest.mark.parametrize(
    "value",
    [
        # Beyond the limits.
        datetime(2026, 1, 1, tzinfo=tz.gettz("Europe/Berlin")),
        range(MAX_RANGE + 1),
        range(10**30),
        # What NumPy alone knows.
        np.datetime64("2026", "12345s"),
        np.array(["2026"], "M8[12345s]"),
        np.zeros(2, "V8"),
        np.zeros(2, np.dtype("i1,f8", align=True)),  # with room between the fields
        # What has no row.
        *(object(), OwnList(), np.array([(1,)], "O,"), len),
        *(Fraction(1, 3), Decimal("1e99"), timedelta(1), deque([1]), pd.NaT, pd.NA),
        OwnTable({"a": [1]}),
        pd.DataFrame({"a": [1]}).groupby("a"),
        pd.DataFrame({"a": [1]}, index=pd.Index([object()], dtype=object)),
        pd.DataFrame({"a": [1]}, index=[pd.Timestamp(0, tz=tz.gettz("Europe/Rome"))]),
        pd.Series([1], name=object()),
        pd.Series(pd.Categorical([], [str(n) for n in range(10_001)])),
        pd.Series([1, None], dtype="Int64"),
        pd.DataFrame({"a": [pd.NaT, 1]}, dtype=object, index=[pd.NaT, 1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_row_or_is_beyond_the_limits_stays_where_it_is(value: Any) -> None:
    sent = encode([value], lambda stays: repr(type(stays)))
    assert decode(frame(sent)).value == [repr(type(value))]
    assert not sendable(value)


@pytest.mark.parametrize("levels", [40, 41])
def test_both_sides_count_depth_alike(levels: int) -> None:
    for inner in ([], (), np.ones(2), 1 << 70, 1j, np.float32(1), {}, b"x", range(2)):
        value: Any = inner
        for _ in range(levels):
            value = [value]
        if levels == 40:
            assert decode(frame(encode(value))).value is not None
        else:
            with pytest.raises(UnsendableError, match="deep"):
                encode(value)
    node: Any = ["t"]
    for _ in range(levels):
        node = ["l", node]
    if levels == 40:
        assert decode(text(json.dumps(node))).value
    else:
        with pytest.raises(ProtocolError, match="deep"):
            decode(text(json.dumps(node)))


def test_the_longest_integer_arrives_and_a_longer_one_is_refused() -> None:
    longest = 2**MAX_BITS - 1
    for number in (longest, -longest):
        assert decode(frame(encode(number))).value == number
    assert not sendable(longest + 1)
    assert refused(["i", hex(-16 * (longest + 1))])


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *([1] * 9 + [2**63], [2**63 - 1] * 9, [-(2**63)] * 9, [1.0] * 9 + [1]),
        *([True] * 10, [1] * 9 + [True], [np.float64(1)] * 9),
        *(-0.0, np.longdouble(1) / 3, 10**4000, "\ud800 é"),
        pd.Index([np.str_("labels"), np.str_("of np.unique")]),
        pd.Index([np.str_("labels"), np.bytes_(b"as objects")], dtype=object),
        pd.Index([1, "a"] * 1000, dtype=object),  # equal labels do not collide
    ],
)
def test_unusual_values_and_lists_that_look_like_numbers_arrive(value: Any) -> None:
    assert same(arrived(value), value)


def test_what_contains_itself_is_refused_and_a_repeated_part_is_sent_once() -> None:
    part: list[Any] = [0]
    whole = [part, {"a": part}, (part,)]
    got = arrived(whole)
    assert got == whole
    assert got[0] is got[1]["a"] is got[2][0]
    part.append({"b": [part]})
    assert not sendable(whole)


MALFORMED = """\
[]
{"a": 1}
["pickle", "abc"]
["d", ["l"], 1]
["R", 0, 1, 0]
["a", "<f8", [2]]
["a", "<f8", [2199023255552, 0]]
["O", [3], 1]
["O", [549755813888]]
["datetime", 2026, 2, 30, 0, 0, 0, 0]
["request", 1]
["t", ["l"], ["again", 1]]
["t", ["t"], ["t"], ["t"], [["zz"]]]
["pandas.read_pickle", "x"]
["pandas.Series", ["O", [1], "x"], ["l", "x"], null]
["pandas.Index", ["O", [1], ["l", 1]], null, null]
["pandas.Index", ["O", [1], ["student", 1, "x", "", false, "", ""]], null, null]
["pandas.Index", ["O", [2], "x"], null, null]
["pandas.Index", ["O", [1, 1], "x"], null, null]
["pandas.Index", ["O", [1], "x"], ["l"], null]
["pandas.RangeIndex", ["R", 0, 1099511627776, 1], null]
["pandas.Series", ["O", [2], "x", "y"], ROWS, null]
["pandas.DataFrame", NAMES, ROWS, ["O", [1], "x"], ["O", [2], "x", "y"]]
["pandas.DataFrame", NAMES, ROWS, ["O", [1], "x"], ["O", [1], "y"], ["O", [1], "z"]]
["pandas.DataFrame", NAMES, ROWS, ["a", "<f8", [0, 2]]]
["pandas.DataFrame", NAMES, NO_ROWS, ["a", "<f8", [0, 3]]]
["pandas.Categorical", ["O", [1], 0], NAMES, true]
["pandas.Categorical", ["a", "|i1", [0]], ["O", [1], "x"], true]
["pandas.strings", ["O", [1], "x"], "/etc/passwd", false]
["a", [["a", "|V7"]], [0]]
["a", [["a", "<f8", [0]]], [1152921504606846976]]
["a", [[["title", "a"], "<f8"]], [0]]
["a", "|S999999999", [2]]
"""
# What a table of these has is in order, but for one length or kind.
PARTS = {
    "NAMES": '["pandas.Index", ["O", [2], "a", "b"], null, null]',
    "NO_ROWS": '["pandas.RangeIndex", ["R", 0, 0, 1], null]',
    "ROWS": '["pandas.RangeIndex", ["R", 0, 1, 1], null]',
}
# Tables, the bytes of places that are in them, and of others that are not.
PLACES = """\
["pandas.Categorical", ["a", "|i1", [2]], NAMES, true] | 0001 | 0002
["pandas.Categorical", ["a", "|i1", [2]], NAMES, true] | ff00 | fe00
["pandas.MultiIndex", ["t", null], ["t", NAMES], ["a", "|i1", [2]]] | 0001 | 0007
"""
# These repeat a part that is not whole yet.
REPEATS = """\
["l", ["again", 0]]
["d", "a", ["l", ["again", 0]]]
["O", [1], ["again", 0]]
"""


@pytest.mark.parametrize(
    "node", [*(MALFORMED + REPEATS).splitlines(), "[" * 500 + "]" * 500]
)
def test_a_malformed_message_is_refused(node: str) -> None:
    for name, part in PARTS.items():
        node = node.replace(name, part)
    with pytest.raises(ProtocolError):
        decoded(text(node))


@pytest.mark.parametrize("row", PLACES.splitlines())
def test_places_outside_of_a_table_are_refused(row: str) -> None:
    text, *places = row.replace("NAMES", PARTS["NAMES"]).split(" | ")
    node = json.loads(text)
    inside, outside = (bytes.fromhex(each).ljust(16, b"\0") for each in places)
    assert not refused(node, inside)
    assert refused(node, outside)


def test_a_message_that_repeats_a_part_says_so() -> None:
    # Only then is it asked how long the value is when written out.
    assert decode(message(["t", ["l"], ["again", 0]])).has_repeats
    assert decode(message(["t", ["request", 0]]), request=[["a"]]).has_repeats
    assert not decode(message(["t", ["l"], ["l"]]), request=[["a"]]).has_repeats


def test_data_that_no_value_names_is_a_wire_error() -> None:
    with pytest.raises(ProtocolError):
        decode(message(1, b"x" * 16))


def test_a_bool_array_holds_nothing_but_zero_and_one() -> None:
    array = decode(message(["a", "|b1", [4]], bytes([0, 1, 2, 255]) + bytes(12))).value
    assert array.view(np.uint8).tolist() == [0, 1, 1, 1]


def test_an_array_of_text_holds_nothing_but_text() -> None:
    for code, raw in ("<U1", b"\0\0\x11\0"), (">U1", b"\0\x11\0\0"):
        assert refused(["a", code, [1]], raw + bytes(12))
        assert refused(["n", [["a", "<i4"], ["b", code]]], bytes(4) + raw + bytes(8))
        assert not refused(["a", code, [1]], bytes(16))


_JSON = ["[", "]", ",", ":", "{", "}", '"', "\\", "u", "d8", "00", "é", "-", "0", "1"]
_JSON += [".", "e", "+", "NaN", "Infinity", "null", "true", '"a"', " ", "\n", "\x01"]


@pytest.mark.slow
@given(st.lists(st.sampled_from(_JSON), max_size=12).map("".join))
@settings(max_examples=300)
@example('"\\ud800"')
@example("1e400")
@example("[1" + "0" * 30 + "]")
@example("-0")
@example("[" * 2000)
def test_json_is_read_as_python_reads_it(text: str) -> None:
    """Read by another library first, it is taken, refused and understood alike."""

    def read(decoder: Callable[[], Any]) -> Any:
        try:
            return repr(decoder())
        except (ValueError, RecursionError, ProtocolError):
            return "refused"

    strict = text == text.lstrip() and text.rstrip(" ") == text.rstrip()
    want = read(lambda: json.loads(text)) if strict else "refused"
    assert read(lambda: rpc._read_text(text.encode())) == want


# --- repeated parts -------------------------------------------------------------------


TEN: dict[str, Any] = {  # parts that count as ten items
    "text": "x" * 640,
    "bytes": b"x" * 640,
    "a range": range(9),
    "a list": [0] * 9,
    "a tuple": (0,) * 9,
    "a set": {*range(9)},
    "a frozenset": frozenset(range(9)),
    "a dict": dict.fromkeys(range(9)),
    "an array": np.zeros((3, 3)),
    "an array of objects": np.full(9, "x", object),
    "a table": pd.DataFrame(np.zeros((3, 3))),
    "an integer": 1 << 640,
    "a list in a list": [[0] * 7],  # 7 + 1 of the one, 1 + 1 of the other
}


@pytest.mark.parametrize("value", TEN)
def test_a_part_counts_as_often_as_it_stands_somewhere(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "MAX_REPEATED", 100)
    part = TEN[value]
    check_repeats([[part] * 11])  # ten times more than once
    check_repeats([part] * 11)
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([[part] * 12])
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([part] * 12)
    for small in (1.5, None, True, 7, -(2**62), "a word", b"", np.float32(1)):
        check_repeats([[small] * 1_000])


def test_a_value_that_is_too_deep_to_be_walked_or_in_itself_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ProtocolError, match="deep"):
        check_repeats([deep])
    items: list[Any] = []
    items.append(items)
    array = np.empty(1, object)
    array[0] = {"a": (array,)}
    for part in items, array:
        with pytest.raises(ProtocolError, match="itself"):
            check_repeats([part])
