"""Methods looked up and called in one expression: plain Python, in one message."""

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from nbproctor.judge.methods import is_called
from nbproctor.judge.session import Session
from nbproctor.judge.student_errors import StudentError
from nbproctor.protocol.sent import UnsendableError
from tests.forked import spawn

CELL = """
class Base:
    def inherited(self, x): return "inherited", x

class Net(Base):
    count = 5
    def __init__(self): self.log = []
    def forward(self, x, *, y=0): return x + y
    def swap(self, x):
        self.forward = lambda x: ("swapped", x)
        return x
    def drop(self, x):
        type(self).swap = None
        return x
    @staticmethod
    def static(x): return "static", x
    @classmethod
    def of(cls, x): return cls.__name__, x
    @property
    def scaled(self):
        self.log.append("looked up")
        return lambda x: 10 * x
    def looked_up(self): return len(self.log)
    def itself(self): return self
    def fails(self, x): raise KeyError("from within")
    def run(self, function): return function(0)

class Layer:
    def __call__(self, x): return "layer", x
    def __getattr__(self, name):
        if name == "missing": raise AttributeError("nothing called missing")
        return lambda x: (name, x)

class Oops(ValueError): pass

net, layer, other = Net(), Layer(), Net()
net.layer, net.text, net.items, net.Oops = layer, "text", [3, 1], Oops
net.nothing = None
net.held = net.forward
"""


@pytest.fixture
def link() -> Iterator[Session]:
    made = Session(spawn(), 5.0, __name__)
    assert made.ask("run", CELL, "net", (1000, 100, 10, 1000)) == []
    yield made
    made.close()


@pytest.fixture
def student(link: Session) -> SimpleNamespace:
    names = ["Net", "Layer", "Base", "net", "layer", "other", "Oops"]
    return SimpleNamespace(**link.begin(names))


def messages(link: Session, use: Callable[[], Any]) -> int:
    """Return how many requests the judge sends."""
    before = link._connection._wire._sent
    use()
    return link._connection._wire._sent - before


def outcome(use: Callable[[Any], Any], names: Any) -> Any:
    """Return what an expression gives, or the exception that it raises."""
    try:
        return use(names)
    except Exception as error:
        builtin = next(k for k in type(error).__mro__ if k.__module__ == "builtins")
        return builtin, str(error)


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.net.forward(1),
        lambda s: s.net.forward(1, y=2),
        lambda s: s.net.inherited(1),
        lambda s: s.net.static(1),
        lambda s: s.net.of(1),
        lambda s: s.net.held(1),
        lambda s: s.net.scaled(1),
        lambda s: s.layer.whatever(1),
        lambda s: s.Net.forward(s.net, 1),
        lambda s: s.Net.of(1),
        lambda s: s.Net.__new__(s.Net).forward(1),
    ],
)
def test_a_call_of_a_method_is_one_message(
    use: Any, link: Session, student: Any
) -> None:
    plain: dict[str, Any] = {}
    exec(CELL, plain)
    assert outcome(use, student) == outcome(use, SimpleNamespace(**plain))
    calls = 2 if use.__code__.co_names.count("__new__") else 1
    assert messages(link, lambda: use(student)) == calls


@pytest.mark.parametrize(
    "use",
    [
        # What is evaluated between the name and the call comes between them.
        lambda s: s.net.forward(s.net.swap(1)),
        lambda s: (s.net.swap(1), s.net.forward(2)),
        lambda s: s.net.swap(s.net.drop(s.net.swap(1))),
        lambda s: s.net.forward(s.other.forward(s.net.count)),
        lambda s: [s.net.missing(s.net.swap(1)), 0],
        lambda s: s.net.itself().itself().forward(3),
        # What is called is no method.
        lambda s: s.net.layer(1),
        lambda s: s.net.count(1),
        lambda s: s.net.text(),
        lambda s: s.net.items(),
        lambda s: s.net.nothing(s.net.forward(2)),
        lambda s: s.net.missing(1),
        lambda s: s.layer.missing(1),
        lambda s: str(s.net.Oops("why")),
        # It is not called, or not at once.
        lambda s: (hasattr(s.net, "forward"), hasattr(s.net, "missing")),
        lambda s: getattr(s.net, "missing", "none"),
        lambda s: (lambda f: (s.net.swap(1), f(2)))(s.net.forward),
        lambda s: s.net.forward(*[1], **{"y": 3}),
        lambda s: callable(s.net.forward),
        # It raises.
        lambda s: s.net.forward(),
        lambda s: s.net.fails(1),
        lambda s: s.net.forward("text"),
    ],
)
def test_a_test_sees_what_plain_python_gives(use: Any, student: Any) -> None:
    plain: dict[str, Any] = {"__name__": "__main__"}
    exec(CELL, plain)
    assert outcome(use, student) == outcome(use, SimpleNamespace(**plain))


def test_only_what_the_student_process_raises_is_the_students(student: Any) -> None:
    with pytest.raises(TypeError, match="'int' object is not callable") as caught:
        student.net.count(1)
    assert not isinstance(caught.value, StudentError)
    with pytest.raises(StudentError):
        student.net.forward()


def test_a_name_whose_arguments_fail_is_not_looked_up_later(student: Any) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            student.net.scaled(1 / 0)
    assert student.net.looked_up() == 0
    assert student.net.scaled(student.net.count) == 50
    assert student.net.looked_up() == 1


def test_a_function_of_the_test_s_own_takes_what_cannot_be_sent(student: Any) -> None:
    def same(x: Any) -> Any:
        return x

    thing = object()
    student.net.activation = same
    assert student.net.activation(thing) is thing
    with pytest.raises(UnsendableError):
        student.net.forward(thing)
    assert student.net.activation(3) == 3


def test_a_call_that_raises_what_cannot_be_sent_is_made_once(student: Any) -> None:
    calls = []

    def unsendable(x: Any) -> Any:
        calls.append(x)
        raise UnsendableError("of the test's own")

    with pytest.raises(UnsendableError, match="of the test's own"):
        student.net.run(unsendable)
    assert calls == [0]


def test_what_a_method_changes_in_place_is_changed_here(link: Session) -> None:
    link.ask("run", "def add(self, x): x.append(1)\nNet.add = add", "c", (9, 9, 9, 9))
    items: list[int] = []
    link.begin(["net"])["net"].add(items)
    assert items == [1]


def test_a_call_is_told_from_other_uses_of_a_name() -> None:
    seen: dict[str, bool] = {}

    class Named:
        def __getattribute__(self, name: str) -> Any:
            seen[name] = is_called(sys._getframe(1))
            return lambda *args, **kwargs: self

    many = "\n".join(f"n{number} = x.attribute{number}" for number in range(300))
    exec(
        f"{many}\nx.called(1)\n[x.in_loop(i) for i in '1']\n(lambda: x.inner())()\n"
        "x.first(x.argument).second(k=1)\nprint(x.printed, file=x.f)\nx.stars(*[1])\n"
        "f = x.kept\nf(1)\nhasattr(x, 'asked')\ngetattr(x, 'got')(1)",
        {"x": Named(), "print": lambda *args, **kwargs: None},
    )
    called = {"called", "in_loop", "inner", "first", "second"}
    assert {name for name, is_one in seen.items() if is_one} == called
