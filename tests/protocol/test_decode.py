"""What the decoder takes and refuses, at each of its limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbproctor.protocol import codec
from nbproctor.protocol.budget import LIMITS, MAX_BITS
from nbproctor.protocol.codec import decode, encode
from nbproctor.protocol.frames import Frame, ProtocolError
from tests.protocol.messages import frame


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lower some limits, for both sides."""

    def lower(**most: int) -> None:
        for name, number in most.items():
            monkeypatch.setitem(LIMITS, name, LIMITS[name]._replace(most=number))

    return lower


def message(node: Any, raw: bytes = b"") -> Frame:
    return Frame(0, json.dumps(node).encode(), bytearray(raw))


def refused(node: Any, raw: bytes = b"") -> bool:
    try:
        decode(message(node, raw), request=[["a"]])
    except ProtocolError:
        return True
    return False


def test_a_message_that_repeats_a_part_says_so() -> None:
    # Only then is it asked how long the value is when written out.
    assert decode(message(["t", ["l"], ["again", 0]])).shared
    assert decode(message(["t", ["request", 0]]), request=[["a"]]).shared
    assert not decode(message(["t", ["l"], ["l"]]), request=[["a"]]).shared


@pytest.mark.parametrize(
    "node",
    [
        ["l", ["again", 0]],
        ["d", "a", ["l", ["again", 0]]],
        ["O", [1], ["again", 0]],
        ["l", ["again", 1]],
        ["t", ["l"], ["again", 1]],
        ["again", 0],
        ["t", ["request", 1]],
    ],
    ids=json.dumps,
)
def test_a_part_that_is_not_whole_or_not_there_cannot_be_named(node: Any) -> None:
    assert refused(node)


def test_the_longest_integer_arrives_and_a_longer_one_is_refused() -> None:
    longest = 2**MAX_BITS - 1
    for number in (longest, -longest):
        assert decode(frame(encode(number))).value == number
    assert refused(["i", hex(-16 * (longest + 1))])


def test_text_nested_without_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode(Frame(0, b"[" * 100_000, bytearray()))


def test_lists_of_numbers_count_together(limited: Any) -> None:
    limited(numbers=10)
    five, raw = ["p", "<i8", 5], bytes(48)
    assert not refused(["t", five, five], raw * 2)
    assert refused(["t", five, ["p", "<i8", 6]], raw * 2)
    assert refused(["p", "i4", 5], raw[:32])


def test_arrays_with_nothing_in_them_count_by_the_room_of_an_item(limited: Any) -> None:
    limited(room=4_000)
    assert not refused(["a", "<U1000", [0]])
    assert refused(["a", "<U1001", [0]])
    assert refused(["t", ["a", "<U600", [0]], ["a", "<U600", [0]]])


def test_only_arrays_with_nothing_in_them_count_by_their_rows(limited: Any) -> None:
    limited(length=10)
    assert not refused(["a", "|u1", [11]], bytes(16))
    empty = ["a", "|u1", [0, 5]]
    assert not refused(["t", empty, empty])
    assert refused(["t", empty, ["a", "|u1", [6, 0]]])


def test_an_empty_array_has_its_shape_and_dtype() -> None:
    got = decode(message(["a", "<f4", [2, 0, 3]])).value
    assert (got.shape, got.dtype) == ((2, 0, 3), np.dtype("f4"))


@pytest.mark.parametrize("tag", ["s", "d"])
def test_keys_that_collide_are_counted_wherever_they_stand(tag: str) -> None:
    prime = 2**61 - 1  # Python's hash of an integer is its rest

    def keys(count: int) -> list[Any]:
        both = [n * prime + n % 2 for n in range(2 * count)]  # hash 0, 1, 0, 1 …
        nodes = [n if n < 1 << 63 else ["i", hex(n)] for n in both]
        return [x for n in nodes for x in ((n, 0) if tag == "d" else (n,))]

    assert not refused([tag, *keys(100)])
    assert refused([tag, *keys(110)])


def test_many_keys_with_a_few_collisions_each_arrive() -> None:
    pairs = {x: 0 for n in range(500) for x in (n, n + 2**61 - 1)}
    assert decode(frame(encode(pairs))).value == pairs


def test_twenty_kinds_of_named_tuples_arrive_and_each_counts_once() -> None:
    kinds = [["N", n, f"Point{n}", ["x"], n] for n in range(20)]
    got = decode(message(["l", *kinds, *kinds])).value
    assert [item.x for item in got] == [*range(20)] * 2
    other = ["N", 1, "Point1", ["y"], 1]  # the same name, another class
    assert refused(["l", *kinds, other])


def test_parts_and_commas_of_a_message_are_counted(limited: Any) -> None:
    limited(parts=5, commas=8)
    assert not refused(["l", *[["l"]] * 4])
    assert refused(["l", *[["l"]] * 5])
    assert not refused(["l", *[1] * 8])
    assert refused(["l", *[1] * 9])


def test_behind_its_value_a_message_has_blanks_only() -> None:
    assert decode(Frame(0, b"1   ", bytearray())).value == 1
    for rest in (b" 2", b" x", b"\n", b"]"):
        with pytest.raises(ProtocolError):
            decode(Frame(0, b"1" + rest, bytearray()))


_JSON = ["[", "]", ",", ":", "{", "}", '"', "\\", "u", "d8", "00", "é", "-", "0", "1"]
_JSON += [".", "e", "+", "NaN", "Infinity", "null", "true", '"a"', " ", "\n", "\x01"]


@pytest.mark.slow
@given(st.lists(st.sampled_from(_JSON), max_size=12).map("".join))
@settings(max_examples=1000)
@example('"\\ud800"')
@example("1e400")
@example("[1" + "0" * 30 + "]")
@example("-0")
@example("[" * 2000)
def test_json_is_read_as_python_reads_it(text: str) -> None:
    """Read by another library first, it is taken, refused and understood alike."""

    def read(what: Callable[[], Any]) -> Any:
        try:
            return repr(what())
        except (ValueError, RecursionError, ProtocolError):
            return "refused"

    strict = text == text.lstrip() and text.rstrip(" ") == text.rstrip()
    want = read(lambda: json.loads(text)) if strict else "refused"
    assert read(lambda: codec._read_text(text.encode())) == want


def test_numbers_and_text_that_json_itself_has_not_arrive() -> None:
    value = [float("inf"), -float("inf"), "half \ud800 \udfff", "é", {"\udc00": [0.5]}]
    assert decode(frame(encode(value))).value == value
    (number,) = decode(frame(encode((float("nan"),)))).value
    assert number != number
    part = decode(frame(encode(complex(float("nan"), 1)))).value
    assert (part.real != part.real, part.imag) == (True, 1)
