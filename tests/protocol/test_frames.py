"""Two sides over a socket: frames in time, and arguments that a call changes.

Whatever the other side does, a frame is numbered, limited and waited for no longer than
its deadline; what a student's function changes is changed for the test as well.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.judge.deadline import CallDeadline
from nbproctor.protocol.frames import (
    ClosedError,
    Frame,
    LateError,
    ProtocolError,
    UnsendableError,
    Wire,
)
from nbproctor.protocol.rpc import Connection, write_back
from tests.protocol import messages
from tests.protocol.messages import encode, same

HEAD = struct.Struct("<2sBBIIQ")


Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def soon(seconds: float = 0.2) -> CallDeadline:
    return CallDeadline(seconds, latest=math.inf, student_seconds=float)


def later() -> CallDeadline:
    """When what has been sent is there, however busy the computer is."""
    return soon(30)


@given(messages.anything, st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_frame_is_read_or_refused_but_never_waited_for(
    value: Any,
    position: int,
    flip: int,
) -> None:
    near, far = socket.socketpair()
    with near, far:
        Wire(near).send(0, messages.encoded(value), later())
        data = bytearray(far.recv(1 << 20))
        data[position % len(data)] ^= flip
        near.sendall(data) if len(data) < 1 << 16 else None
        near.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ProtocolError):
            messages.decoded(Wire(far).receive(later()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("magic", b"XX"),
        ("version", 2),
        ("number", 0),
        ("number", 2),
        ("text_size", 1 << 31),
        ("raw_size", 1 << 62),
    ],
)
def test_a_lying_head_is_refused_before_any_of_it_is_read(
    pair: Pair, field: str, value: Any
) -> None:
    head = dict(magic=b"NP", version=1, kind=0, number=1, text_size=16, raw_size=0)
    head[field] = value
    pair[0].sendall(HEAD.pack(*head.values()).ljust(32))
    with pytest.raises(ProtocolError) as caught:
        Wire(pair[1]).receive(later())
    assert not isinstance(caught.value, LateError)


def test_a_claimed_size_that_never_comes_costs_no_memory(pair: Pair) -> None:
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


def test_silence_and_single_bytes_end_at_the_deadline(pair: Pair) -> None:
    stop = threading.Event()

    def drip() -> None:
        data = HEAD.pack(b"NP", 1, 0, 1, 1 << 20, 0).ljust(32) + b" " * 10_000
        for byte in data:
            if stop.wait(0.005):
                return
            pair[0].send(bytes([byte]))

    thread = threading.Thread(target=drip)
    for patience, prepare in ((0.1, lambda: None), (0.4, thread.start)):
        prepare()
        started = time.monotonic()
        with pytest.raises(LateError):
            Wire(pair[1]).receive(soon(patience))
        assert time.monotonic() - started < 30
    stop.set()
    thread.join()


def test_a_reader_that_does_not_read_cannot_hold_the_sender(pair: Pair) -> None:
    with pytest.raises(LateError):
        Wire(pair[0]).send(0, encode(np.zeros(4 << 20)), soon())


def test_a_closed_peer_is_said_to_be_closed(pair: Pair) -> None:
    pair[0].sendall(b"NP\x01")
    pair[0].close()
    with pytest.raises(ClosedError):
        Wire(pair[1]).receive(later())


# --- arguments that a call changes ----------------------------------------------------

REQUESTS = {"use": {"value": object}}


def unsendable(value: object) -> None:
    raise UnsendableError(str(value))


@contextmanager
def answered_by(answer: Callable[[Any], Any]) -> Iterator[Connection]:
    """Connect with a side that answers the request ``use`` by this function."""
    near, others = socket.socketpair()

    def connect(sock: socket.socket) -> Connection:
        side = SimpleNamespace(
            answer=lambda name, arguments: answer(*arguments),
            default=unsendable,
            resolve=lambda ref: ref,
            describe_exception=repr,
            rebuild_exception=lambda text: LookupError(text),
        )
        return Connection(Wire(sock), REQUESTS, side)

    def serve() -> None:
        with pytest.raises(ProtocolError):  # at last, the other side is gone
            connect(others).serve()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield connect(near)
    finally:
        near.close()
        thread.join()
        others.close()


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
# What a call does to its argument `x`, by the value that it gets.
CHANGES: list[tuple[Any, str]] = [
    (
        {"W": 1, "b": 2},
        """\
x.update(W=3)
x.update(V=x.pop("W"))
x.update(W=x.pop("W"))""",
    ),
    (
        [2, 1],
        """\
x[1] = True
x.sort()
pass""",
    ),
    (
        {1, 2},
        """\
x.remove(1); x.add(3)
x.clear(); x.add(True)""",
    ),
    (
        np.arange(6.0).reshape(2, 3),
        """\
x[1, 1] = 5
x *= -1
x.shape = 3, 2""",
    ),
    ([1, {"a": np.ones(2)}], "pass"),
    (
        FRAME,
        """\
x.drop(columns="a", inplace=True)
x.insert(1, "c", [7, 8, 9])
x.rename(columns={"a": "A"}, inplace=True)
x.sort_values("b", ascending=False, inplace=True)
x["a"] = x["a"] * 2
x.loc[0, "a"] = 99
x.dropna(inplace=True)
x.index.set_names("n", inplace=True)""",
    ),
]


@pytest.mark.parametrize(
    ("value", "change"),
    [(value, line) for value, lines in CHANGES for line in lines.split("\n")],
)
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_a_change_in_place_reaches_the_one_who_asked(value: Any, change: str) -> None:
    expected = deepcopy(value)
    exec(change, {"x": expected})
    argument = deepcopy(value)
    with answered_by(lambda x: exec(change, {"x": x})) as connection:
        connection.ask("use", argument)
    assert same(argument, expected)


def test_an_answer_that_cannot_be_sent_is_an_exception_and_no_end() -> None:
    with answered_by(lambda got: object() if got else "yes") as connection:
        with pytest.raises(LookupError, match="UnsendableError"):
            connection.ask("use", 1)
        assert connection.ask("use", 0) == "yes"


def test_an_array_that_was_made_another_in_place_leaves_the_test_s_as_it_was() -> None:
    array = np.arange(4.0)

    def answer(got: Any) -> Any:
        got.dtype = np.int32  # as many bytes, other numbers
        return got

    with answered_by(answer) as connection:
        got = connection.ask("use", array)
    assert got is not array
    assert got.dtype == np.int32
    assert array.tolist() == [0, 1, 2, 3]


def test_of_an_array_only_what_it_can_take_is_changed() -> None:
    view = np.arange(12.0).reshape(3, 4)[:, :2]
    write_back([view], [(0, np.full((2, 3), 7.0))])
    assert view.shape == (3, 2)
    assert (view == 7).all()
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    write_back([fixed], [(0, np.ones(2))])
    assert fixed.tolist() == [0, 0]


# Of a list and an array; each is named once, in order.
UNFIT = """\
None
[1]
[[0, [9]]]
[(0,)]
[(0, [9], [9])]
[(2, [9])]
[(5, [9])]
[(-1, [9])]
[("0", [9])]
[(None, [9])]
[(True, [9])]
[(0, {9: 9})]
[(0, np.ones(1))]
[(1, [9])]
[(1, np.ones(3))]
[(1, np.ones(2, complex))]
[(0, [1]), (0, [9])]
[(1, np.zeros(2)), (0, [9])]"""


@pytest.mark.parametrize("changes", UNFIT.splitlines())
def test_a_change_that_does_not_fit_ends_the_conversation(changes: str) -> None:
    items = [1]
    array = np.zeros(2)
    with pytest.raises(ProtocolError):
        write_back([items, array], eval(changes))
    assert (items, array.tolist()) == ([1], [0, 0])
    write_back([items, array], [(0, [3]), (1, np.ones(2))])
    assert (items, array.tolist()) == ([3], [1, 1])


# --- exchanges ------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), ValueError()])
def test_a_reply_that_could_not_be_read_ends_the_conversation(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(deadline: CallDeadline | None = None) -> Frame:
        raise error

    with answered_by(lambda got: got) as connection:
        assert connection.ask("use", 1) == 1
        monkeypatch.setattr(connection.wire, "receive", lost)
        with pytest.raises(ProtocolError, match="lost"):
            connection.ask("use", 1)


def test_what_was_changed_before_an_exception_is_changed() -> None:
    def fails(got: list[int]) -> None:
        got.append(2)
        raise KeyError("what")

    items = [1]
    with answered_by(fails) as connection, pytest.raises(LookupError, match="what"):
        connection.ask("use", items)
    assert items == [1, 2]
