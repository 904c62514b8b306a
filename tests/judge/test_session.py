"""A session against a student process that sends anything that the tables allow."""

from __future__ import annotations

import json
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nbproctor.judge.proxy import Proxy
from nbproctor.judge.session import Session
from nbproctor.judge.student_errors import StudentError, StudentGone
from nbproctor.protocol.requests import TO_JUDGE
from tests.protocol import messages

HEAD = struct.Struct("<2sBBIIQ12x")


class Spy:
    """What the test hands over."""

    rate = 0.5

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.append((args, kwargs))
        return args

    def first(self, x: Any = None) -> Any:
        return x

    def __getitem__(self, key: Any) -> Any:
        return {"key": key}


values = messages.messages | st.sampled_from(
    [
        ["judge", 0],
        ["judge", 9],
        ["student", 1, "Net", "", True, "", ""],
        ["request", 0],
    ]
)
names = st.sampled_from(["first", "rate", "seen", "_secret", "__class__", "new"])
ARGUMENTS = {
    int: st.integers(-1, 2),
    str: names,
    tuple: st.lists(values, max_size=3).map(lambda items: ["t", *items]),
    dict: st.just(["d"]) | st.tuples(names, values).map(lambda pair: ["d", *pair]),
    object: values,
}
requests = st.sampled_from(sorted(TO_JUDGE)).flatmap(
    lambda name: st.tuples(
        st.just("t"),
        st.just(name),
        *[ARGUMENTS[kind] for kind in TO_JUDGE[name].arguments.values()],
    ).map(list)
)
changes = st.lists(st.tuples(st.just("t"), st.integers(-1, 3), values).map(list))
replies = st.tuples(st.just("t"), values, changes.map(lambda some: ["l", *some]))
errors = st.tuples(
    st.just("t"),
    st.tuples(
        st.just("l"),
        st.sampled_from(["ValueError", "StopIteration", "ExceptionGroup", "x", None]),
        st.text(),
        st.text(),
        st.none() | st.text(),
        st.none() | st.integers(),
        st.none() | st.integers(-1, 2),
    ).map(list),
    st.just(["l"]),
)
frames = st.lists(
    st.tuples(st.just(0), requests)
    | st.tuples(st.just(1), replies | values)
    | st.tuples(st.just(2), errors | replies)
    | st.tuples(st.integers(0, 9), values),
    max_size=6,
)


def session_with(sent: list[tuple[int, Any]], raw: bytes = b"") -> Session:
    """Return a session with a student process that has sent these frames and left."""
    judges, students = socket.socketpair()
    for number, (kind, node) in enumerate(sent, 1):
        text = json.dumps(node).encode()
        rest = raw if number == len(sent) else b""
        head = HEAD.pack(b"NP", 1, kind, number, len(text), len(rest))
        students.sendall(head + text + rest)
    students.shutdown(socket.SHUT_WR)

    def close() -> None:
        judges.close()
        students.close()

    child: Any = SimpleNamespace(sock=judges, close=close)
    return Session(child, 5.0, __name__)


@pytest.mark.slow
@given(frames, st.binary(max_size=64))
@example([(0, ["t", "set", 0, "seen", ["judge", 0]]), (1, ["t", 1, ["l"]])], b"")
@example([(2, ["t", ["l", "KeyError", "", "", "c", 10**4000, 0], ["l"]])], b"")
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_a_call_returns_raises_or_ends_the_process(
    sent: list[tuple[int, Any]], raw: bytes
) -> None:
    session, spy = session_with(sent, raw), Spy()
    try:
        value = session.ask("call", spy, ([1], {"a": spy}), {})
    except StudentGone as gone:
        assert session.gone is gone
        assert gone.reason in ("died", "protocol")
    except Exception as error:
        # The student's, or one that came of asking the test's object and was passed on.
        relayed = session._raised.values()
        assert isinstance(error, StudentError) or any(e is error for e in relayed)
    else:
        assert isinstance(value, Proxy) or repr(value) is not None
    finally:
        session.close()
    assert type(spy).rate == 0.5
    assert callable(spy.first)


def test_a_student_process_that_keeps_to_the_protocol_is_heard() -> None:
    spy, items = Spy(), [1]
    session = session_with(
        [
            (0, ["t", "call", 0, ["t", 5], ["d", "a", ["judge", 0]]]),
            (0, ["t", "method", 0, "first", ["t", 6], ["d"]]),
            (0, ["t", "item", 0, ["t", 1]]),
            (0, ["t", "set", 0, "rate", 0.25]),
            (1, ["t", ["t", 7, ["judge", 0]], ["l", ["t", 0, ["l", 2, 3]]]]),
        ]
    )
    assert session.ask("call", spy, (items,), {}) == (7, spy)
    assert spy.seen == [((5,), {"a": spy})]
    assert (spy.rate, items) == (0.25, [2, 3])
    session.close()
