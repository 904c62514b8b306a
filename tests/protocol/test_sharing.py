"""Arguments that a student's function changes are changed for the test as well."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from nbproctor.protocol import codec
from nbproctor.protocol.codec import check_repeats, decode, encode, write_back
from nbproctor.protocol.frames import ProtocolError, UnsendableError, Wire
from nbproctor.protocol.rpc import Connection
from tests.protocol.messages import frame, same

REQUESTS = {"use": {"value": object}}


def unsendable(value: object) -> None:
    raise UnsendableError(str(value))


@contextmanager
def answered_by(answer: Callable[[Any], Any]) -> Iterator[Connection]:
    """Connect with a side that answers the request ``use`` by this function."""
    ours, others = socket.socketpair()

    def connect(sock: socket.socket) -> Connection:
        return Connection(
            Wire(sock),
            REQUESTS,
            lambda name, arguments: answer(*arguments),
            default=unsendable,
            resolve=lambda ref: ref,
            describe=repr,
            revive=lambda said: LookupError(said),
        )

    def serve() -> None:
        with pytest.raises(ProtocolError):  # at last, the other side is gone
            connect(others).serve()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield connect(ours)
    finally:
        ours.close()
        thread.join()
        others.close()


def turned(array: Any) -> None:
    array.shape = array.shape[::-1]


CHANGES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "a value of a dict": ({"W": 1, "b": 2}, lambda x: x.update(W=3)),
    "a key of a dict": ({"W": 1}, lambda x: x.update(V=x.pop("W"))),
    "the order of a dict": ({"W": 1, "b": 2}, lambda x: x.update(W=x.pop("W"))),
    "an item of a list": ([1, 2], lambda x: x.__setitem__(1, True)),
    "the order of a list": ([2, 1], lambda x: x.sort()),
    "an item of a set": ({1, 2}, lambda x: (x.remove(1), x.add(3))),
    "a number of an array": (np.zeros(3), lambda x: x.__setitem__(1, 5)),
    "the sign of a zero": (np.zeros(3), lambda x: x.__imul__(-1)),
    "the shape of an array": (np.arange(6).reshape(2, 3), turned),
    "nothing": ([1, {"a": np.ones(2)}], lambda x: None),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_in_place_reaches_the_one_who_asked(what: str) -> None:
    value, change = CHANGES[what]
    expected = decode(frame(encode(value))).value
    change(expected)
    given = decode(frame(encode(value))).value
    with answered_by(change) as connection:
        connection.ask("use", given)
    assert same(given, expected)


def test_what_was_handed_over_comes_back_as_itself_with_its_changes() -> None:
    inner = np.zeros(2)
    given = [inner, {"a": 1}]

    def answer(got: Any) -> Any:
        got[0][0] = 1
        got[1]["b"] = got[0]
        return got, got[0], got[1]

    with answered_by(answer) as connection:
        whole, array, table = connection.ask("use", given)
    assert whole is given
    assert array is inner
    assert table is given[1]
    assert table["b"] is inner
    assert inner.tolist() == [1, 0]


def test_what_was_changed_before_an_exception_is_changed() -> None:
    given = [1]

    def answer(got: Any) -> None:
        got.append(2)
        raise ValueError("after")

    with (
        answered_by(answer) as connection,
        pytest.raises(LookupError, match="after"),
    ):
        connection.ask("use", given)
    assert given == [1, 2]


def test_an_answer_that_cannot_be_sent_is_an_exception_and_no_end() -> None:
    with answered_by(lambda got: object() if got else "yes") as connection:
        with pytest.raises(LookupError, match="UnsendableError"):
            connection.ask("use", 1)
        assert connection.ask("use", 0) == "yes"


def test_an_array_that_was_made_another_in_place_leaves_the_test_s_as_it_was() -> None:
    given = np.arange(4.0)

    def answer(got: Any) -> Any:
        got.dtype = np.int32  # as many bytes, other numbers
        return got

    with answered_by(answer) as connection:
        got = connection.ask("use", given)
    assert got is not given
    assert got.dtype == np.int32
    assert given.tolist() == [0, 1, 2, 3]


def test_the_new_shape_of_a_view_that_cannot_have_it_costs_no_number() -> None:
    given = np.arange(12.0).reshape(3, 4)[:, :2]
    write_back([given], [(0, np.full((2, 3), 7.0))])
    assert given.shape == (3, 2)
    assert (given == 7).all()


def test_an_array_that_cannot_be_written_to_stays() -> None:
    given = np.zeros(2)
    given.flags.writeable = False
    write_back([given], [(0, np.ones(2))])
    assert given.tolist() == [0, 0]


@pytest.mark.parametrize(
    "change",
    [(2, [9]), (-1, [9]), ("0", [9]), (None, [9]), (0,), (0, [9], [9]), [0, [9]]],
    ids=repr,
)
def test_a_change_of_what_was_not_handed_over_ends_the_conversation(
    change: Any,
) -> None:
    given: list[list[int]] = [[1], [2]]
    with pytest.raises(ProtocolError):
        write_back(given, [change])
    assert given == [[1], [2]]


# --- how long a value is when its repeated parts are written out --------------------

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
    "an integer": 1 << 640,
    "a list in a list": [[0] * 7],  # 7 + 1 of the one, 1 + 1 of the other
}


@pytest.mark.parametrize("what", TEN)
def test_a_part_counts_as_often_as_it_stands_somewhere(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "MAX_REPEATED", 100)
    part = TEN[what]
    check_repeats([[part] * 11])  # ten times more than once
    check_repeats([part] * 11)
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([[part] * 12])
    with pytest.raises(ProtocolError, match="too often"):
        check_repeats([part] * 12)


def test_numbers_and_short_texts_count_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "MAX_REPEATED", 100)
    for small in (1.5, None, True, 7, -(2**62), "a word", b"", np.float32(1)):
        check_repeats([[small] * 1_000])


def test_a_value_that_is_too_deep_to_be_walked_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ProtocolError, match="deep"):
        check_repeats([deep])
