"""A session against a student process that sends anything that the tables allow."""

from __future__ import annotations

import json
import socket
import struct
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbproctor.judge import session as session_of
from nbproctor.judge.proxy import ProcessEnded, Proxy, StudentError, StudentRaised
from nbproctor.judge.session import Session
from nbproctor.protocol.frames import ClosedError, Wire
from nbproctor.protocol.rpc import TO_JUDGE, decode
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
        *[ARGUMENTS[kind] for kind in TO_JUDGE[name].values()],
    ).map(list)
)
changes = st.lists(st.tuples(st.just("t"), st.integers(-1, 3), values).map(list))
replies = st.tuples(st.just("t"), values, changes.map(lambda parts: ["l", *parts]))
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


class Student:
    """A student process that has sent some frames; what it is told can be read."""

    def __init__(
        self, *sent: tuple[int, Any], raw: bytes = b"", leave: bool = True
    ) -> None:
        """`raw` comes with the last frame."""
        judges, self.sock = socket.socketpair()
        for number, (kind, node) in enumerate(sent, 1):
            text = json.dumps(node).encode()
            buffer = raw if number == len(sent) else b""
            head = HEAD.pack(b"NP", 1, kind, number, len(text), len(buffer))
            self.sock.sendall(head + text + buffer)
        if leave:
            self.sock.shutdown(socket.SHUT_WR)
        self.ended = 0
        child: Any = SimpleNamespace(
            sock=judges, close=self.close, processor_seconds=float
        )
        self.session = Session(child, 5.0, __name__)

    def close(self) -> None:
        self.ended += 1
        self.session._child.sock.close()

    def received(self) -> list[Any]:
        """Return all that it was sent."""
        self.session._child.sock.close()
        wire = Wire(self.sock)
        values = []
        while True:
            try:
                frame = wire.receive(time.monotonic() + 5)
            except ClosedError:
                return values
            values.append(decode(frame, lambda ref: ref).value)


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
        value = session.ask("call", spy, ([1], {"a": spy}), {})
    except ProcessEnded as end:
        assert session.end is end
        assert end.reason in ("died", "protocol")
    except BaseException as error:
        # The student's, or one that came of asking the test's object and was passed on.
        relayed = session._raised.values()
        assert isinstance(error, StudentRaised) or any(e is error for e in relayed)
    else:
        assert isinstance(value, Proxy) or repr(value) is not None
    finally:
        session.close()
        student.sock.close()
    assert type(spy).rate == 0.5
    assert callable(spy.first)


def test_a_student_process_that_keeps_to_the_protocol_is_heard() -> None:
    spy = Spy()
    items = [1]
    session = Student(
        (0, ["t", "call", 0, ["t", 5], ["d", "a", ["judge", 0]]]),
        (0, ["t", "method", 0, "first", ["t", 6], ["d"]]),
        (0, ["t", "item", 0, ["t", 1]]),
        (0, ["t", "set", 0, "rate", 0.25]),
        (1, ["t", ["t", 7, ["judge", 0]], ["l", ["t", 0, ["l", 2, 3]]]]),
    ).session
    assert session.ask("call", spy, (items,), {}) == (7, spy)
    assert spy.seen == [((5,), {"a": spy})]
    assert (spy.rate, items) == (0.25, [2, 3])
    session.close()


# --- limits, and what each side learns ------------------------------------------------


def call(number: int = 0) -> tuple[int, Any]:
    """Return the request to call an object of the test's."""
    return 0, ["t", "call", number, ["t"], ["d"]]


def value(node: Any) -> tuple[int, Any]:
    return 1, ["t", node, ["l"]]


def raised(base: str, relayed: object = None, text: str = "") -> tuple[int, Any]:
    message = ["l", base, "Kind\x1b", text, "cell", 3, relayed]
    return 2, ["t", message, ["l"]]


def test_a_call_that_asks_the_test_without_end_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_of, "MAX_CALLBACKS", 3)
    student = Student(call(), call(), call(), value(1), call(), value(2))
    session = student.session
    spy = Spy()
    assert session.ask("call", spy, (), {}) == 1
    assert session.ask("call", spy, (), {}) == 2  # each call counts anew
    student = Student(*[call()] * 4, value(1))
    with pytest.raises(ProcessEnded) as caught:
        student.session.ask("call", spy, (), {})
    assert caught.value.reason == "protocol"
    assert student.ended == 1


def test_calls_back_and_forth_end_at_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_of, "MAX_DEPTH", 2)
    student = Student(call(), call(), call(), value(3), value(2), value(1))
    calls = []

    def again() -> Any:
        calls.append(1)
        return student.session.ask("call", again, (), {})

    assert student.session.ask("call", again, (), {}) == 1
    assert len(calls) == 2
    assert "too deep" in repr(student.received()[3])


def test_an_exception_of_the_student_s_is_of_the_built_in_class() -> None:
    student = Student(raised("ZeroDivisionError", text="x" * 3000))
    with pytest.raises(ZeroDivisionError) as caught:
        student.session.ask("call", Spy(), (), {})
    error = caught.value
    assert isinstance(error, StudentError)
    assert (error.kind, error.cell, error.line) == ("Kind", "cell", 3)
    assert str(error) == "x" * 2000
    for other in ("open", "Missing", "__name__"):
        student = Student(raised(other))
        with pytest.raises(StudentError) as caught_other:
            student.session.ask("call", Spy(), (), {})
        kinds = type(caught_other.value).__mro__
        assert kinds[0] is StudentError or kinds[1] is StudentError
        built_in = [kind for kind in kinds if kind.__module__ == "builtins"]
        assert built_in == [Exception, BaseException, object]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_is_no_exception_in_a_kernel_is_none_here(kind: Any) -> None:
    student = Student(raised(kind.__name__))
    with pytest.raises(StudentRaised) as caught:
        student.session.ask("call", Spy(), (), {})
    assert isinstance(caught.value, kind)
    assert not isinstance(caught.value, Exception)


@pytest.mark.parametrize(
    "sent",
    [
        value(["judge", 99]),  # it was never handed over
        value(["library", "os", "system"]),
        value(["student", 1, 2]),
        raised("KeyError", relayed="0"),
        (2, ["t", ["l", 1, 2], ["l"]]),
        (0, ["t", "find", 0]),
        (0, ["t", "call", 0, ["l"], ["d"]]),
        (0, ["t", "call", "0", ["t"], ["d"]]),
    ],
)
def test_what_no_student_process_says_ends_it(sent: tuple[int, Any]) -> None:
    student = Student(sent)
    with pytest.raises(ProcessEnded) as caught:
        student.session.ask("call", Spy(), (), {})
    assert (caught.value.reason, student.ended) == ("protocol", 1)


def test_silence_ends_the_process_at_the_earlier_of_two_deadlines() -> None:
    for seconds, until in ((0.05, 60.0), (60.0, 0.05)):
        student = Student(leave=False)
        student.session.until = time.monotonic() + until
        started = time.monotonic()
        with pytest.raises(ProcessEnded) as caught:
            student.session.ask("call", Spy(), (), {}, seconds=seconds)
        assert time.monotonic() - started < 30
        assert caught.value.reason == "timeout"
        with pytest.raises(ProcessEnded) as again:  # at once, and for the same reason
            student.session.ask("get", Spy(), "x")
        assert again.value is caught.value
        assert student.ended == 1
