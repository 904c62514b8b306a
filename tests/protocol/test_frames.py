"""Frames over a socket: numbered, limited, in time, whatever the other side does."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbproctor.protocol.frames import ClosedError, LateError, ProtocolError, Wire
from nbproctor.protocol.rpc import decode, encode
from tests.protocol import messages

HEAD = struct.Struct("<2sBBIIQ")


Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon() -> float:
    return time.monotonic() + 0.2


def later() -> float:
    """When what has been sent is there, however busy the computer is."""
    return time.monotonic() + 30


@given(messages.anything, st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_frame_is_read_or_refused_but_never_waited_for(
    value: Any, place: int, flip: int
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Wire(ours).send(0, messages.encoded(value), later())
        data = bytearray(theirs.recv(1 << 20))
        data[place % len(data)] ^= flip
        ours.sendall(data) if len(data) < 1 << 16 else None
        ours.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ProtocolError):
            messages.decoded(Wire(theirs).receive(later()))


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
    pair: Pair, head: tuple[Any, ...]
) -> None:
    pair[0].sendall(HEAD.pack(*head).ljust(32))
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
            Wire(pair[1]).receive(started + patience)
        assert time.monotonic() - started < 30
    stop.set()
    thread.join()


def test_endless_data_is_refused(pair: Pair) -> None:
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
            wire.receive(later())
    pair[1].close()
    assert os.waitpid(child, 0)[1] == 0


def test_a_reader_that_does_not_read_cannot_hold_the_sender(pair: Pair) -> None:
    with pytest.raises(LateError):
        Wire(pair[0]).send(0, encode(np.zeros(4 << 20)), soon())


def test_a_closed_peer_is_said_to_be_closed(pair: Pair) -> None:
    pair[0].sendall(b"NP\x01")
    pair[0].close()
    with pytest.raises(ClosedError):
        Wire(pair[1]).receive(later())


def test_messages_that_come_together_are_read_one_by_one(pair: Pair) -> None:
    sender, reader = Wire(pair[0]), Wire(pair[1])
    for number in range(20):
        sender.send(number, encode([number, np.arange(number)]), later())
    for number in range(20):
        got = reader.receive(later())
        assert got.kind == number
        assert decode(got).value[1].tolist() == list(range(number))
