"""Messages that are short to send and long to read, and exchanges that go wrong."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as clock_time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from dateutil import tz

from nbproctor.protocol.budget import LIMITS
from nbproctor.protocol.codec import (
    MAX_REPEATED,
    check_repeats,
    decode,
    encode,
    write_back,
)
from nbproctor.protocol.frames import Encoded, Frame, ProtocolError, UnsendableError
from nbproctor.protocol.rpc import RAISED, REQUEST, VALUE, Connection
from tests.protocol.messages import frame, same

MAX_RANGE = LIMITS["length"].most


def text(node: str) -> Frame:
    return Frame(0, node.encode(), bytearray())


def refused_at_once(action: Callable[[], object]) -> None:
    """Whether an action is refused in little time and with little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(ProtocolError):
        action()
    assert time.process_time() - started < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10


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
        '["p","<f8",100000000]',
        '["p","<f8",-1]',
        '["p","<f4",1]',
    ],
    ids=lambda node: node[:24],
)
def test_what_is_short_to_say_but_long_to_read_is_refused(node: str) -> None:
    refused_at_once(lambda: decode(text(node)))


@pytest.mark.parametrize(
    "value",
    [
        np.empty((0, MAX_RANGE + 1)),
        [np.empty((0, MAX_RANGE // 2 + 1)) for _ in range(2)],
        np.empty((MAX_RANGE + 1, 0), object),
        [np.empty(1, "<U20000000") for _ in range(4)],
        [0.5] * ((1 << 22) + 1),
        [1] * ((1 << 22) + 1),
        ["a"] * ((1 << 22) + 1),
    ],
    ids=["rows", "rows in all", "objects", "text", "floats", "integers", "commas"],
)
def test_the_sender_knows_the_limits_too(value: Any) -> None:
    with pytest.raises(UnsendableError):
        encode(value)


def test_ranges_that_are_too_long_together_stay_where_they_are() -> None:
    left: list[Any] = []
    ranges = [range(MAX_RANGE - 9), range(9), range(1)]
    encode(ranges, lambda value: left.append(value) or "a handle")
    assert left == [range(1)]


@pytest.mark.parametrize(
    "value",
    [
        Fraction(1 << 4096, 3),
        Fraction(3, 1 << 4096),
        Decimal("1e10001"),
        Decimal("1e-10001"),
        Decimal("1" * 10_001),
        datetime(2026, 1, 1, tzinfo=tz.gettz("Europe/Berlin")),
        clock_time(1, tzinfo=UTC),
        range(MAX_RANGE + 1),
        range(10**30),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_numbers_and_dates_beyond_the_limits_stay_where_they_are(value: Any) -> None:
    assert decode(frame(encode([value], lambda stays: repr(type(stays))))).value == [
        repr(type(value))
    ]


@pytest.mark.parametrize(
    "value",
    [Fraction((1 << 4096) - 1, 5), Decimal("1e10000"), Decimal("1e-10000")],
    ids=["fraction", "large", "small"],
)
def test_numbers_at_the_limits_arrive(value: Any) -> None:
    assert same(decode(frame(encode(value))).value, value)


def test_values_at_the_limits_arrive() -> None:
    for value in (
        np.empty((0, MAX_RANGE)),
        range(MAX_RANGE),
        [2**63 - 1, -(2**63)] * 8,
        [2**63] * 8,
        [*range(7), True, *range(7)],
        [1.0, 1] * 8,
        np.array([">"], dtype="<U9"),
        np.empty((3, 0), dtype="<U9"),
        10 ** (1 << 17),
    ):
        assert same(decode(frame(encode(value))).value, value)
    long = [1.5] * (1 << 22)
    assert decode(frame(encode(long))).value == long


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


# --- repeated parts ---------------------------------------------------------------


@pytest.mark.slow
def test_text_that_stands_at_many_places_once_is_not_repeated() -> None:
    words = ["x" * 1000 + str(n) for n in range(MAX_REPEATED // 1000 + 10)]
    check_repeats([words, words])
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([[words[0]] * MAX_REPEATED])
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([[1 << (1 << 20)] * 1000])
    check_repeats([["yes"] * MAX_REPEATED, ["yes"] * 9])


@pytest.mark.parametrize("kind", [list, tuple, dict.fromkeys, frozenset])
def test_parts_that_double_at_each_level_are_refused(kind: Any) -> None:
    part: Any = np.zeros(9) if kind is list else (1, 2)
    for _ in range(40):
        part = [kind([0, 1]), part, part]
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([part])


def test_an_array_of_objects_that_contains_itself_is_refused() -> None:
    array = np.empty(1, object)
    array[0] = {"a": (array,)}
    with pytest.raises(ProtocolError, match="contains itself"):
        check_repeats([array])


def test_a_part_can_be_changed_once() -> None:
    first, second = [1], [2]
    write_back([first, second], [(0, [3]), (1, [4])])
    assert (first, second) == ([3], [4])
    for numbers in ((0, 0), (1, 0)):
        with pytest.raises(ProtocolError):
            write_back([first, second], [(n, []) for n in numbers])


def test_a_set_of_true_is_no_longer_a_set_of_one() -> None:
    got = decode(frame(encode({1})), track=True)
    assert got.compare()[0] == []
    got.value.clear()
    got.value.add(True)
    assert got.compare()[0] == [(0, {True})]


# --- exchanges --------------------------------------------------------------------


class Reads:
    """A wire that holds some frames; a frame may be an exception instead."""

    def __init__(self, *frames: Any) -> None:
        self.frames = [*frames]
        self.sent: list[tuple[int, Encoded]] = []

    def send(self, kind: int, encoded: Encoded, deadline: float | None = None) -> None:
        self.sent.append((kind, encoded))

    def receive(self, deadline: float | None = None) -> Frame:
        read = self.frames.pop(0)
        if isinstance(read, Exception):
            raise read
        assert isinstance(read, Frame)
        return read


def connection(*frames: Any) -> Connection:
    wire: Any = Reads(*frames)
    return Connection(
        wire,
        {},
        lambda name, arguments: None,
        default=repr,
        resolve=lambda ref: ref,
        describe=repr,
        revive=ValueError,
    )


def reply(kind: int, value: Any) -> Frame:
    whole = frame(encode(value))
    return Frame(kind, whole.text, whole.raw)


def test_a_reply_that_could_not_be_read_ends_the_conversation() -> None:
    good = reply(VALUE, (1, []))
    assert connection(good).ask("get") == 1
    for error in (RecursionError(), MemoryError(), ValueError()):
        with pytest.raises(ProtocolError, match="lost"):
            connection(error, good).ask("get")


def test_an_exception_is_revived_after_its_changes_are_written() -> None:
    items = [1]
    with pytest.raises(ValueError, match="what"):
        connection(reply(RAISED, ("what", [(0, [1, 2])]))).ask("call", items)
    assert items == [1, 2]


@pytest.mark.parametrize("value", [1, (1,), (1, []), ("get", 1), ["get"], ("",), ()])
def test_a_request_that_does_not_exist_ends_the_conversation(value: Any) -> None:
    with pytest.raises(ProtocolError):
        connection(reply(REQUEST, value)).ask("get")
