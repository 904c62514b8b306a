"""A session against a student process that sends anything that the tables allow."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbproctor.judge import exports
from nbproctor.judge import session as session_of
from nbproctor.judge.proxy import ProcessEnded, Proxy, StudentRaised
from nbproctor.judge.session import Session
from nbproctor.protocol.rpc import TO_JUDGE
from nbproctor.protocol.table import ROWS
from tests.protocol import messages

HEAD = struct.Struct("<2sBBIIQ12x")


class Spy:
    """An object that a test hands over, of a class that the test cell defines."""

    __module__ = exports.MODULE
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
        *[ARGUMENTS[kind] for kind in TO_JUDGE[name].values()],
    ).map(list)
)
changes = st.lists(st.tuples(st.just("t"), st.integers(-1, 3), values).map(list))
replies = st.tuples(st.just("t"), values, changes.map(lambda parts: ["l", *parts]))
errors = st.tuples(
    st.just("t"),
    st.tuples(
        st.just("l"),
        st.sampled_from(
            ["ValueError", "StopIteration", "ExceptionGroup", "open", None]
        ),
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


class Student:
    """A student process that has sent some frames, and then left."""

    def __init__(self, *sent: tuple[int, Any], raw: bytes = b"") -> None:
        """`raw` comes with the last frame."""
        judges, self.sock = socket.socketpair()
        for number, (kind, node) in enumerate(sent, 1):
            text = json.dumps(node).encode()
            buffer = raw if number == len(sent) else b""
            head = HEAD.pack(b"NP", 1, kind, number, len(text), len(buffer))
            self.sock.sendall(head + text + buffer)
        self.sock.shutdown(socket.SHUT_WR)
        child: Any = SimpleNamespace(
            sock=judges,
            close=judges.close,
            processor_seconds=float,
        )
        self.session = Session(child, 5.0)


@pytest.mark.slow
@given(frames, st.binary(max_size=64))
@example([(0, ["t", "set", 0, "seen", ["judge", 0]]), (1, ["t", 1, ["l"]])], b"")
@example([(2, ["t", ["l", "KeyError", "", "", "c", 10**4000, 0], ["l"]])], b"")
@settings(max_examples=200)
def test_whatever_is_sent_a_call_returns_raises_or_ends_the_process(
    sent: list[tuple[int, Any]], raw: bytes
) -> None:
    student = Student(*sent, raw=raw)
    spy = Spy()
    session = student.session
    try:
        session.ask("call", spy, ([1], {"a": spy}), {})
    except ProcessEnded as end:
        assert session.end is end
        assert end.reason in ("died", "protocol")
    except BaseException as error:
        # The student's, or one that came of asking the test's object and was passed on.
        relayed = session._raised.values()
        assert isinstance(error, StudentRaised) or any(e is error for e in relayed)
    finally:
        session.close()
        student.sock.close()
    assert type(spy).rate == 0.5
    assert callable(spy.first)


@pytest.mark.parametrize("tag", ROWS)
def test_a_student_makes_no_object_of_a_class_of_ours(tag: str) -> None:
    """It could mean something to the judge, as an `Answer` would in a later call."""

    @given(messages.values(messages.plain)[tag])
    @settings(max_examples=5)
    def arrives(value: Any) -> None:
        sent = messages.encoded(value)
        node = json.loads(sent.text)
        student = Student((1, ["t", node, ["l"]]), raw=b"".join(sent.buffers))
        reply = None
        with contextlib.suppress(ProcessEnded):
            reply = student.session.ask("call", Spy(), ([],), {})
        student.session.close()
        student.sock.close()
        package, _, _ = type(reply).__module__.partition(".")
        assert issubclass(type(reply), Proxy) or package != "nbproctor"

    arrives()


CALL = '0 ["t", "call", 0, ["t"], ["d"]]'  # of an object of the test's
# Kinds of frames, and messages; the first object was never handed over.
WRONG = """\
1 ["t", ["judge", 99], ["l"]]
1 ["t", ["library", "os", "system"], ["l"]]
1 ["t", ["student", 1, 2], ["l"]]
2 ["t", ["l", 1, 2], ["l"]]
0 ["t", "find", 0]
0 ["t", "call", 0, ["l"], ["d"]]
0 ["t", "call", "0", ["t"], ["d"]]"""


def student_that_sends(lines: list[str]) -> Student:
    parts = (line.split(" ", 1) for line in lines)
    return Student(*((int(kind), json.loads(node)) for kind, node in parts))


@pytest.mark.parametrize("sent", [*WRONG.splitlines(), "\n".join([CALL] * 4)])
def test_what_no_student_process_says_or_says_too_often_ends_it(
    monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    monkeypatch.setattr(session_of, "MAX_CALLBACKS", 3)
    student = student_that_sends(sent.splitlines())
    with pytest.raises(ProcessEnded) as caught:
        student.session.ask("call", Spy(), (), {})
    assert caught.value.reason == "protocol"


def test_calls_back_and_forth_are_heard_up_to_a_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_of, "MAX_DEPTH", 2)
    monkeypatch.setattr(exports, "MODULE", __name__)  # `again` is a test cell's
    replies = [f'1 ["t", {number}, ["l"]]' for number in (3, 2, 1)]
    student = student_that_sends([CALL, CALL, CALL, *replies])
    calls = []

    def again() -> Any:
        calls.append(1)
        return student.session.ask("call", again, (), {})

    assert student.session.ask("call", again, (), {}) == 1
    assert len(calls) == 2
