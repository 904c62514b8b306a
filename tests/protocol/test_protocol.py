import contextlib
import json
import os
import random
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbproctor.protocol.codec import decode, encode, write_back
from nbproctor.protocol.frames import (
    ClosedError,
    Frame,
    LateError,
    ProtocolError,
    UnsendableError,
    Wire,
)
from tests.protocol import messages

HEAD = struct.Struct("<2sBBIIQ")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def through(value: Any) -> Any:
    """Send a value through a real socket and read it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=Wire(ours).send, args=(0, encode(value)))
        sender.start()
        made = decode(Wire(theirs).receive(time.monotonic() + 10)).value
        sender.join()
        return made


def frame(text: object, raw: bytes = b"") -> Frame:
    return Frame(0, json.dumps(text).encode(), bytearray(raw))


def soon() -> float:
    return time.monotonic() + 0.2


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(24, dtype=">i4").reshape(2, 3, 4)[:, ::2],
        np.array(5.0),
        np.empty((0, 3), "f4"),
        np.array([["a", "bb"]]),
        np.longdouble(1) / 3,
        Fraction(-1, 3),
        Decimal("1.10"),
        Decimal("-Infinity"),
        date(2026, 2, 28),
        datetime(2026, 2, 28, 23, 59, 59, 7),
        time_of_day(23, 59),
        timedelta(days=-1, microseconds=3),
        10**4000,
        -(2**63),
        "\ud800 é",
    ],
    ids=repr,
)
def test_unusual_values_arrive(value: Any) -> None:
    got = through(value)
    assert type(got) is type(value)
    np.testing.assert_array_equal(got, value)
    if isinstance(value, np.ndarray):
        assert got.dtype == value.dtype
        assert got.shape == value.shape
        assert got.flags.writeable


def test_a_read_only_array_stays_read_only() -> None:
    array = np.ones(3)
    array.flags.writeable = False
    assert not through(array).flags.writeable


class Ours(list):  # type: ignore[type-arg]
    pass


deep: list[Any] = []
for _ in range(60):
    deep = [deep]
round_and_round: list[Any] = []
round_and_round.append(round_and_round)


@pytest.mark.parametrize(
    "value",
    [object(), Ours(), np.array([(1,)], "O,"), len, deep, round_and_round],
    ids=["object", "subclass", "records", "function", "deep", "circular"],
)
def test_what_has_no_place_in_the_protocol_is_refused_by_the_sender(value: Any) -> None:
    with pytest.raises(UnsendableError):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        {},
        {"a": 1},
        [],
        [1],
        [["l"]],
        ["l", []],
        ["pickle", "abc"],
        ["d", 1],
        ["d", ["l"], 1],
        ["s", ["l"]],
        ["a"],
        ["a", "<f8", [2]],
        ["a", "<f8", [-1]],
        ["a", "<f8", [1 << 41, 0]],
        ["a", "<f8", [0] * 80],
        ["a", "|O", [1]],
        ["a", "f8", [0]],
        ["a", [], [0]],
        ["a", "<f8", [True]],
        ["n", "<f8", 1],
        ["b", -1],
        ["b", 5],
        ["b", 1 << 80],
        ["O", [3], 1],
        ["O", [1 << 39]],
        ["a", "<U1", [1], "x"],
        ["i", 7],
        ["i", "0x"],
        ["c", 1, 2],
        ["S", 1],
        ["R", 0, 1, 0],
        ["E", 1],
        ["Decimal"],
        ["Path", "x"],
        ["Fraction", 1, 0],
        ["Fraction", ["i", hex(1 << 4096)], 3],
        ["Fraction", "1", 3],
        ["Decimal", "1e10001"],
        ["Decimal", "one"],
        ["date", 2026, 2, 30],
        ["timedelta", 10**10],
        ["student", 3],
        ["request", 0],
        ["request", -1],
        ["request"],
        ["N", 1, "Point", ["x"], 1, 2],
        ["N", 1, "Point", ["class"], 1],
        ["N", 1, "Point", ["x", "x"], 1, 2],
        ["N", 1, "Point", [["l"]], 1],
        ["N", 1, "Point", [f"x{n}" for n in range(101)], *range(101)],
        ["N", "1", "Point", ["x"], 1],
        ["l", *[["N", 1, f"Point{n}", ["x"], 1] for n in range(21)]],
        ["t"] + [["t"]] * 3 + [[["zz"]]],
        json.loads("[" * 500 + "]" * 500),
    ],
    ids=lambda text: json.dumps(text)[:40],
)
def test_a_malformed_message_is_a_protocol_error(text: object) -> None:
    with pytest.raises(ProtocolError):
        decode(frame(text))


def test_data_that_no_value_names_is_a_wire_error() -> None:
    with pytest.raises(ProtocolError):
        decode(frame(1, b"x" * 16))


def test_a_bool_array_holds_nothing_but_zero_and_one() -> None:
    array = decode(frame(["a", "|b1", [4]], bytes([0, 1, 2, 255]) + bytes(12))).value
    assert array.view(np.uint8).tolist() == [0, 1, 1, 1]


def test_more_keys_than_a_test_needs_are_refused_on_both_sides() -> None:
    keys = range(50_001)
    with pytest.raises(UnsendableError, match="keys"):
        encode([dict.fromkeys(keys)])
    with pytest.raises(ProtocolError, match="keys"):
        decode(frame(["l", ["s", *keys[:30_000]], ["z", *keys[:30_000]]]))
    assert len(through(set(keys[1:]))) == 50_000


def test_keys_made_to_collide_are_refused_at_once() -> None:
    collide = [n * (2**61 - 1) for n in range(1, 20_000)]
    text = ["s", *[n if n < 1 << 63 else ["i", hex(n)] for n in collide]]
    started = time.process_time()
    with pytest.raises(ProtocolError, match="hash"):
        decode(frame(text))
    assert time.process_time() - started < 5


@given(st.binary(max_size=300), st.binary(max_size=64))
@settings(max_examples=300, deadline=None)
def test_random_bytes_decode_or_are_a_wire_error(text: bytes, raw: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode(Frame(0, text, bytearray(raw)), track=True)


@given(messages.anything, st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_frame_is_read_or_refused_but_never_waited_for(
    value: Any, place: int, flip: int
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Wire(ours).send(0, messages.encoded(value), soon())
        data = bytearray(theirs.recv(1 << 20))
        data[place % len(data)] ^= flip
        ours.sendall(data) if len(data) < 1 << 16 else None
        ours.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ProtocolError):
            messages.decoded(Wire(theirs).receive(soon()))


def test_random_bytes_on_the_socket_are_a_wire_error(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    source = random.Random(5)
    for _ in range(200):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(source.randbytes(source.randrange(1, 400)))
            ours.close()
            with pytest.raises(ProtocolError):
                Wire(theirs).receive(soon())


@pytest.mark.parametrize(
    "head",
    [
        (b"XX", 1, 0, 1, 16, 0),
        (b"NP", 2, 0, 1, 16, 0),
        (b"NP", 1, 0, 2, 16, 0),
        (b"NP", 1, 0, 1, 1 << 31, 0),
        (b"NP", 1, 0, 1, 16, 1 << 62),
    ],
    ids=["magic", "version", "sequence", "text size", "raw size"],
)
def test_a_lying_head_is_refused_before_any_of_it_is_read(
    pair: tuple[socket.socket, socket.socket], head: tuple[Any, ...]
) -> None:
    pair[0].sendall(HEAD.pack(*head).ljust(32))
    with pytest.raises(ProtocolError) as caught:
        Wire(pair[1]).receive(soon())
    assert not isinstance(caught.value, LateError)


def test_a_claimed_size_that_never_comes_costs_no_memory(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].sendall(HEAD.pack(b"NP", 1, 0, 1, 16, 200 << 20).ljust(48))
    child = os.fork()  # whose peak of memory starts anew
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            Wire(pair[1]).receive(soon())
        except LateError:
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            os._exit(0 if grown < 50 << 10 else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_silence_ends_at_the_deadline(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    started = time.monotonic()
    with pytest.raises(LateError):
        Wire(pair[1]).receive(started + 0.1)
    assert time.monotonic() - started < 2


def test_a_slow_drip_ends_at_the_deadline(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    stop = threading.Event()

    def drip() -> None:
        data = HEAD.pack(b"NP", 1, 0, 1, 1 << 20, 0).ljust(32) + b" " * 10_000
        for byte in data:
            if stop.wait(0.005):
                return
            pair[0].send(bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    with pytest.raises(LateError):
        Wire(pair[1]).receive(started + 0.4)
    assert time.monotonic() - started < 3
    stop.set()
    thread.join()


def test_endless_data_is_refused(pair: tuple[socket.socket, socket.socket]) -> None:
    child = os.fork()
    if child == 0:
        try:
            pair[1].close()
            while True:
                pair[0].sendall(b"NP\x01" + b"\0" * 8000)
        except OSError:
            os._exit(0)
    pair[0].close()
    with pytest.raises(ProtocolError):
        wire = Wire(pair[1])
        while True:
            wire.receive(soon())
    pair[1].close()
    assert os.waitpid(child, 0)[1] == 0


def test_a_reader_that_does_not_read_cannot_hold_the_sender(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(LateError):
        Wire(pair[0]).send(0, encode(np.zeros(4 << 20)), soon())


def test_a_closed_peer_is_said_to_be_closed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].close()
    with pytest.raises(ClosedError):
        Wire(pair[1]).receive(soon())


def test_messages_that_come_together_are_read_one_by_one(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender, reader = Wire(pair[0]), Wire(pair[1])
    for number in range(20):
        sender.send(number, encode([number, np.arange(number)]), soon())
    for number in range(20):
        got = reader.receive(soon())
        assert got.kind == number
        assert decode(got).value[1].tolist() == list(range(number))


def test_changes_in_a_copy_are_written_into_the_original() -> None:
    array, untouched = np.arange(6.0).reshape(2, 3), np.ones(3)
    items, table, tags = [1, 2], {"a": array.T.copy()}, {"x"}
    value = [array, untouched, items, table, tags]
    packed = encode(value)
    copy = decode(
        Frame(0, packed.text, bytearray(b"".join(packed.buffers))), track=True
    )
    assert copy.compare()[0] == []
    copy.value[0][0, 0] = 9
    copy.value[2].append(3)
    copy.value[3]["a"] *= 2
    copy.value[3]["b"] = 1
    copy.value[4].clear()
    write_back(packed.mutables, through(copy.compare()[0]))
    assert array[0, 0] == 9
    assert untouched.tolist() == [1, 1, 1]
    assert items == [1, 2, 3]
    assert table["b"] == 1
    np.testing.assert_array_equal(table["a"], [[0, 6], [2, 8], [4, 10]])
    assert tags == set()


@pytest.mark.parametrize(
    "changes",
    [
        None,
        [1],
        [(5, [1])],
        [(-1, [1])],
        [(0, [1])],
        [(True, np.ones(2))],
        [(0, np.ones(3))],
        [(0, np.ones(2, complex))],
    ],
    ids=repr,
)
def test_a_change_that_does_not_fit_is_a_wire_error(changes: Any) -> None:
    array = np.zeros(2)
    with pytest.raises(ProtocolError):
        write_back([array], changes)
    assert array.tolist() == [0, 0]
