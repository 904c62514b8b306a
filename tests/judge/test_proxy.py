"""The student's side as a test sees it, through a real student process."""

import json
import operator
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbproctor.expect import answers_of
from nbproctor.judge.proxy import StudentError
from nbproctor.judge.session import Session
from tests.forked import spawn

CELL = """
import numpy as np, collections, enum

class Net:
    def __init__(self, n): self.n = n
    def use(self, Z):
        return self.activation(Z) + self.activation.prime(Z)

class MyError(ValueError): pass
class Colour(enum.IntEnum):
    RED = 1

def identity(x): return x
kept = np.zeros(2)
def reused(x):
    kept[:] = 2 * x
    return kept
def calls(f, *args): return f(*args)
class Oracle:
    rate = prime = 5
    def twice(self): return 2 * self.prime(1)
class Closed:
    def __init_subclass__(cls): raise TypeError("closed")
def looked_at(oracle):
    oracle._mine = 3
    return isinstance(oracle, Oracle), oracle.rate, oracle.twice(), oracle._mine
def prime_of(oracle):
    return oracle.prime, oracle.prime(2), type(oracle).prime(oracle, 2)
def fail():
    y = 1
    raise MyError("bad label 7")
def swallow(f):
    try: f()
    except Exception as error: return type(error).__name__, str(error)
class Half:
    def __float__(self): return 0.5
    def __array__(self, *args, **kwargs): return np.array(0.5)
def half(): return Half()
def kinds():
    return [type("Own", (dict,), {})(a=1), np.matrix([[1, 2]]), np.float32(2),
            Colour.RED, np.array(3), np.bool_(True), np.ma.array([1, 2])]
Point = collections.namedtuple("Point", "x y")
def point(x): return Point(x, np.ones(2))
def x_of(p): return p.x, isinstance(p, Point)
def odd(n): return collections.namedtuple("Odd", "index count")("a", n)
def parts(url): return __import__("urllib.parse").parse.urlparse(url)
def spread(f):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool: return list(pool.map(f, range(50)))
class Layer:
    def __call__(self, x): return x + 1
    def __getattr__(self, name): return {"a": 1}[name]
def layer(): return Layer()
class Complex:
    def __array__(self, *args, **kwargs): return np.array([1 + 2j])
"""

Ask = Any


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    child = spawn()
    new_session = Session(child, 5.0, __name__)
    outputs = new_session.ask("run", CELL, "net", False)
    assert outputs == ([], False)
    yield new_session
    new_session.close()


@pytest.fixture
def ask(session: Session) -> Any:
    """Return a namespace of the student's names."""
    names = "Net identity calls fail swallow prime_of looked_at half near kinds"
    names += " point Point x_of odd parts spread layer Complex reused"
    return SimpleNamespace(**session.begin(names.split()))


@pytest.mark.parametrize("together", [False, True])
def test_calls_asked_at_once_answer_as_one_after_another(
    ask: Ask, session: Session, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    results: dict[str, Any] = {}
    exec(CELL, results)
    names = ask if together else SimpleNamespace(**results)
    x = np.ones(2)
    net = names.Net(2)
    messages = []
    of_class = Session.ask

    def counted(self: Session, request: str, *arguments: Any) -> Any:
        messages.append(request)
        return of_class(self, request, *arguments)

    monkeypatch.setattr(Session, "ask", counted)
    calls = (names.reused, x), (operator.iadd, x, 1), (names.reused, x)
    first, _, second = answers_of(*calls)
    assert (first.tolist(), second.tolist()) == ([2, 2], [4, 4])
    first, _, second = answers_of(*calls, keep=True)
    assert (first.tolist(), second.tolist()) == ([4, 4], [4, 4])
    assert x.tolist() == [1, 1]
    assert [*answers_of((setattr, net, "n", 5), (getattr, net, "n"))] == [None, 5]
    assert messages == 3 * together * ["calls"]
    answers = answers_of((names.identity, 1), (names.fail,), (names.identity, 2))
    assert next(answers) == 1
    with pytest.raises(ValueError, match="bad label 7"):
        next(answers)


def test_an_object_that_is_a_number_is_computed_with_as_one(ask: Ask) -> None:
    number = ask.half()
    assert abs(number - 0.75) == 0.25
    assert 2 * number == 1.0
    assert number < 1
    np.testing.assert_array_equal(np.ones(2) - number, [0.5, 0.5])


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_subclasses_come_as_plain_data(ask: Ask) -> None:
    values = ask.kinds()
    kinds = [dict, np.ndarray, np.float32, int, np.ndarray, np.bool_, np.ndarray]
    assert [type(item) for item in values] == kinds
    assert values[1].shape == (1, 2)
    assert values[4].shape == ()


def test_a_named_tuple_is_a_tuple_with_names_and_goes_back_as_itself(ask: Ask) -> None:
    got = ask.point(3)
    assert isinstance(got, tuple)
    x, y = got
    assert (x, y.tolist(), got.x, got.y.tolist()) == (3, [1, 1], 3, [1, 1])
    assert got[:1] == (3,)
    assert ask.x_of(got) == (3, True)
    assert isinstance(got, ask.Point)
    assert ask.x_of(got._replace(x=4)) == (4, False)
    assert ask.odd(3).count == 3
    assert ask.parts("https://a.b/c").netloc == "a.b"  # of a library
    assert repr(ask.point(1)).startswith("Point(x=1, y=")


def test_an_object_may_raise_whatever_it_is_asked(ask: Ask) -> None:
    layer = ask.layer()
    assert layer(1) == 2
    assert layer.a == 1
    with pytest.raises(KeyError):
        _ = layer.b


def test_an_object_that_converts_to_an_array_keeps_its_dtype(ask: Ask) -> None:
    assert np.asarray(ask.Complex()).dtype == complex


class Oracle:
    """What a test hands over."""

    table = "public"
    _secret = 42

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._count = 0

    def __call__(self, z: Any) -> Any:
        self._count += 1
        return z * 10

    def prime(self, z: Any) -> Any:
        self._count += 1
        return z

    def fail(self) -> None:
        raise KeyError("the secret is 42")

    def again(self, f: Any) -> Any:
        return f(self)


def test_a_test_object_is_called_back(ask: Ask) -> None:
    net = ask.Net(2)
    oracle = Oracle()
    net.activation = oracle
    assert net.use(np.ones(2)).tolist() == [11, 11]
    assert oracle._count == 2
    assert net.activation is oracle
    assert ask.calls(lambda x: x + 1, 2) == 3
    assert [ask.calls(np.tanh, 0.0), ask.calls(len, "ab")] == [0, 2]
    assert ask.calls(json.dumps, [1]) == "[1]" and ask.identity(json) is not None
    assert ask.identity(np.float32) is not None
    assert ask.calls(SimpleNamespace(f=max).f, 1, 2) == 2


def test_a_method_of_a_test_object_is_one_also_when_it_is_not_called(ask: Ask) -> None:
    oracle = Oracle()
    assert ask.prime_of(oracle) == (oracle.prime, 2, 2)
    oracle.prime = lambda z: z + 1  # type: ignore[method-assign]
    assert ask.prime_of(oracle)[1:] == (3, 3)


def test_a_test_object_is_one_of_the_notebooks_class_of_its_name(ask: Ask) -> None:
    oracle = Oracle()
    oracle.rate = 7  # type: ignore[attr-defined]
    assert ask.looked_at(oracle) == (True, 7, 2, 3)
    for name in ("Closed", "np", "Missing"):
        one = type(name, (Oracle,), {"__module__": __name__})()
        assert ask.calls(one, 2) == 20


def test_a_test_functions_own_changes_reach_the_student(ask: Ask) -> None:
    def fill(x: Any) -> None:
        x[:] = 7

    array = np.zeros(2)
    ask.calls(fill, array)
    assert array.tolist() == [7, 7]


def test_a_test_exception_comes_back_itself_and_tells_the_student_nothing(
    ask: Ask,
) -> None:
    oracle = Oracle()
    with pytest.raises(KeyError, match="42") as caught:
        ask.calls(oracle.fail)
    assert not isinstance(caught.value, StudentError)
    name, text = ask.swallow(oracle.fail)
    assert name == "KeyError"
    assert "42" not in text


def test_threads_of_the_student_share_a_test_object(ask: Ask) -> None:
    assert ask.spread(lambda i: i * i) == [i * i for i in range(50)]


class Restarted:
    """A test's model that an answer may initialize again, and copy."""

    def __init__(self, size: int) -> None:
        self.size = size

    def init_again(self, size: int) -> None:
        self.__init__(size)  # type: ignore[misc]

    def copied(self) -> Any:
        return Restarted(self.size)


AGAIN = """
import copy
def start(model, size):
    model.__init__(size)
    return model.size
def copy_of(thing): return copy.copy(thing), copy.deepcopy(thing)
def anew(model): return type(model)(3)
"""


@pytest.mark.parametrize("start_again", [Restarted(1), Oracle()])
def test_a_tests_object_says_whether_it_is_initialized_again_and_copied(
    session: Session, start_again: Any
) -> None:
    session.ask("run", AGAIN, "again", False)
    use = SimpleNamespace(**session.begin(["start", "copy_of", "anew"]))
    if isinstance(start_again, Restarted):
        assert use.start(start_again, 7) == 7 == start_again.size
        for copied in use.copy_of(start_again):
            assert type(copied) is Restarted and copied is not start_again
        anew = use.anew(start_again)
        assert anew is not start_again and (anew.size, start_again.size) == (3, 7)
    else:  # stays as it is, and no word of how it is done is told
        with pytest.raises(TypeError, match="cannot be created again"):
            use.start(start_again, 7)
        assert all(copied is start_again for copied in use.copy_of(start_again))
        with pytest.raises(TypeError, match="cannot be created again"):
            use.anew(start_again)
