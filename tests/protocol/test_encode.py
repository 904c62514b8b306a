"""What the encoder sends, leaves where it is, and refuses, at each of its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nbproctor.protocol.budget import LIMITS, MAX_BITS
from nbproctor.protocol.codec import decode, encode
from nbproctor.protocol.frames import UnsendableError
from nbproctor.protocol.objects import Ref
from tests.protocol.messages import frame


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lower some limits, for both sides."""

    def lower(**most: int) -> None:
        for name, number in most.items():
            monkeypatch.setitem(LIMITS, name, LIMITS[name]._replace(most=number))

    return lower


def arrived(value: Any) -> Any:
    return decode(frame(encode(value)), lambda ref: ref).value


def sendable(value: Any) -> bool:
    try:
        encode(value)
    except UnsendableError:
        return False
    return True


@pytest.mark.parametrize("code", "?bhilqBHILQefdg")
def test_every_kind_of_number_of_numpy_arrives_in_each_order_of_bytes(
    code: str,
) -> None:
    for order in "<>":
        dtype = np.dtype(code).newbyteorder(order)
        array = np.array([0, 1, 100], dtype)
        got = arrived(array)
        assert got.dtype == dtype
        assert got.tolist() == array.tolist()
        for number in array, np.array([np.array(1, dtype)[()]] * 3):
            scalar = arrived(number[1])
            assert isinstance(scalar, np.generic)
            assert scalar.dtype == np.dtype(code)
            assert scalar == 1


def test_an_array_of_numbers_in_any_layout_arrives() -> None:
    numbers = np.arange(24_000.0).reshape(20, 30, 40)  # too long to be copied
    for array in (numbers, numbers.T, numbers[::-1, ::2], numbers[:2, :2, :2].T):
        np.testing.assert_array_equal(arrived(array), array)


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64("2026", "12345s"),
        np.array(["2026"], "M8[12345s]"),
        np.zeros(2, "V8"),
        np.zeros(2, np.dtype("i1,f8", align=True)),  # with room between the fields
    ],
    ids=lambda value: str(value.dtype),
)
def test_what_numpy_alone_knows_stays_where_it_is(value: Any) -> None:
    ref = Ref("student", (7, "", "", False))
    assert decode(frame(encode([value], lambda _: ref)), lambda ref: ref).value == [ref]
    assert not sendable(value)


def test_the_bytes_of_a_value_are_counted_together(limited: Any) -> None:
    limited(bytes=96)
    assert sendable([b"x" * 48, np.zeros(6)])
    assert not sendable([b"x" * 48, np.zeros(7)])  # aligned, eight
    assert not sendable([1.5] * 13)
    assert sendable([np.array(["abcd"] * 3), np.array(["abcd"] * 3)])
    assert not sendable([np.array(["abcd"] * 3), np.array(["abcd"] * 4)])


def test_the_text_of_a_value_is_limited(limited: Any) -> None:
    limited(parts=0, text=12)
    assert sendable("x" * 10)
    assert not sendable("x" * 11)


def test_parts_commas_and_numbers_are_counted(limited: Any) -> None:
    limited(parts=4, commas=6, numbers=20)
    assert sendable([(), (), ()])
    assert not sendable([(), (), (), ()])
    assert sendable(["a"] * 6)
    assert not sendable(["a"] * 7)
    assert sendable([[1] * 10, [0.5] * 10])
    assert not sendable([[1] * 10, [0.5] * 11])


def test_an_integer_is_as_long_as_the_other_side_reads() -> None:
    assert sendable(2**MAX_BITS - 1)
    assert sendable(-(2**MAX_BITS) + 1)
    assert not sendable(2**MAX_BITS)


def test_a_list_that_looks_like_numbers_keeps_what_is_none() -> None:
    for value in (
        [1] * 9 + [2**63],
        [2**63 - 1] * 9,
        [-(2**63)] * 9,
        [1.0] * 9 + [1],
        [True] * 10,
        [1] * 9 + [True],
        [np.float64(1)] * 9,
    ):
        got = arrived(value)
        assert got == value
        assert [*map(type, got)] == [*map(type, value)]


def test_what_contains_itself_is_refused_and_a_repeated_part_is_sent_once() -> None:
    part: list[Any] = [0]
    whole = [part, {"a": part}, (part,)]
    got = arrived(whole)
    assert got == whole
    assert got[0] is got[1]["a"] is got[2][0]
    part.append({"b": [part]})
    assert not sendable(whole)
