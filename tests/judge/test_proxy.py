"""The student's side as a test sees it, through a real student process."""

import copy
import inspect
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbproctor.judge.proxy import Proxy
from nbproctor.judge.session import Session
from nbproctor.judge.student_errors import StudentError, StudentGone
from nbproctor.protocol.frames import UnsendableError
from tests.forked import spawn

CELL = '''
import numpy as np, os, time, collections, enum, fractions

class Net:
    scale = 2.0
    def __init__(self, n):
        self.n, self.W1 = n, np.ones((n, n))
    def forward(self, X):
        """Doc of forward."""
        return {"Z1": self.W1 @ X, "model": self}
    def double(self):
        self.W1 *= 2
    def use(self, Z):
        return self.activation(Z) + self.activation.prime(Z)
    def __getitem__(self, key): return key
    def __len__(self): return self.n
    def __add__(self, other): return Net(self.n + other.n)
    def __lt__(self, other): return self.n < other.n
    def __str__(self): return f"Net {self.n}"
    def __call__(self, x): return x + 1
    def __contains__(self, x): return x == 3

class Sub(np.ndarray): pass
class Yes:
    def __eq__(self, other): return True
    def __bool__(self): return True
    def __hash__(self): return 0
    def __array__(self, *args, **kwargs): return YesArray(3)
class Near:
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __lt__(self, other): return True
    def __abs__(self): return 0.0
    def __contains__(self, other): return True
    def __iter__(self): return iter(())
class YesArray(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
class YesFloat(float):
    def __eq__(self, other): return True
    def __abs__(self): return 0.0
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
class YesStr(str):
    def __eq__(self, other): return True
class MyError(ValueError): pass
class Colour(enum.IntEnum):
    RED = 1

def identity(x): return x
def calls(f, *args): return f(*args)
def prime_of(oracle): return oracle.prime, oracle.prime(2), repr(oracle.prime)
def add_one(x): x += 1
def add_one_in(box): box["x"] += 1; box["y"] = 5; box["list"].append(7)
def fail():
    y = 1
    raise MyError("bad label 7")
def swallow(f):
    try: f()
    except Exception as error: return type(error).__name__, str(error)
def count(n):
    for i in range(n): yield i
class Half:
    def __float__(self): return 0.5
    def __array__(self, *args, **kwargs): return np.array(0.5)
def half(): return Half()
def near(): return Near()
def stop(): raise StopIteration
def yes(): return Yes(), YesFloat(3), YesStr("no"), np.ones(2).view(YesArray)
def kinds():
    return [collections.OrderedDict(a=1), np.matrix([[1, 2]]), np.float32(2),
            Colour.RED, np.array(3), np.bool_(True), np.ma.array([1, 2])]
stash = []
Point = collections.namedtuple("Point", "x y")
def point(x): return Point(x, np.ones(2))
def x_of(p): return p.x, isinstance(p, Point)
def rename(box): box[0] = "zz"
class Layer:
    def __call__(self, x): return x + 1
    def __getattr__(self, name): return {"a": 1}[name]
def layer(): return Layer()
class Complex:
    def __array__(self, *args, **kwargs): return np.array([1 + 2j])
'''

Ask = Any


@pytest.fixture(scope="module")
def link() -> Iterator[Session]:
    child = spawn()
    made = Session(child, 5.0, __name__)
    outputs = made.ask("run", CELL, "net", (1000, 100, 10, 1000))
    assert outputs == []
    yield made
    made.close()


@pytest.fixture
def ask(link: Session) -> Any:
    """Return a namespace of the student's names."""
    names = [
        *[
            "Net",
            "Yes",
            "MyError",
            "identity",
            "calls",
            "add_one",
            "add_one_in",
            "fail",
            "swallow",
            "prime_of",
        ],
        *[
            "count",
            "half",
            "near",
            "stop",
            "yes",
            "kinds",
            "stash",
            "missing",
            "np",
            "os",
            "time",
            "point",
            "Point",
            "x_of",
            "rename",
            "layer",
            "Complex",
        ],
    ]
    return SimpleNamespace(**link.begin(names))


def test_methods_attributes_and_arrays_of_an_object(ask: Ask) -> None:
    net = ask.Net(3)
    got = net.forward(np.eye(3))
    assert type(got) is dict
    assert type(got["Z1"]) is np.ndarray
    np.testing.assert_array_equal(got["Z1"], np.ones((3, 3)))
    assert got["model"] is net
    assert ask.Net(3) is not net
    assert ask.Net(3) != net
    net.W1 = np.full((2, 2), 5.0)
    net.double()
    assert net.W1.tolist() == [[10, 10], [10, 10]]
    assert net.n == 3
    assert not hasattr(net, "nothing")
    assert hasattr(net, "n")
    assert net.forward.__doc__ == "Doc of forward."
    del net.n
    assert not hasattr(net, "n")


def test_an_object_can_be_made_without_its_init(ask: Ask) -> None:
    net = ask.Net.__new__(ask.Net)
    assert isinstance(net, ask.Net)
    assert not hasattr(net, "W1")
    assert not isinstance(5, ask.Net)


def test_a_missing_name_is_left_out(ask: Ask) -> None:
    assert not hasattr(ask, "missing")


def test_items_text_and_sums_of_objects_are_the_objects_own(ask: Ask) -> None:
    net = ask.Net(3)
    assert len(net) == 3
    assert net["key"] == "key"
    assert len(net + net) == 6
    assert str(net) == "Net 3"
    assert net(1) == 2
    assert callable(net)
    assert not callable(ask.count(2))
    assert len(copy.deepcopy(net)) == 3
    assert "Net 3" not in repr(net)


def test_what_a_test_computed_never_meets_an_objects_operators(ask: Ask) -> None:
    number = ask.half()
    assert abs(number - 0.75) == 0.25
    assert 2 * number == 1.0
    assert number < 1
    np.testing.assert_array_equal(np.ones(2) - number, [0.5, 0.5])
    near = ask.near()
    with pytest.raises(TypeError):
        near - 5
    with pytest.raises(TypeError):
        5 - near
    with pytest.raises(TypeError):
        assert near < 5
    with pytest.raises(TypeError):
        abs(near)
    with pytest.raises(TypeError, match="gives no object"):
        near - near
    assert 5 not in near


def test_a_call_that_raises_stop_iteration_ends_no_loop(ask: Ask) -> None:
    with pytest.raises(StudentError):
        all(map(lambda _: ask.stop(), range(3)))


def test_iterators_are_bounded_by_who_asks(ask: Ask) -> None:
    assert list(ask.count(4)) == [0, 1, 2, 3]
    endless = ask.count(10**12)
    assert [next(endless), next(endless)] == [0, 1]
    with pytest.raises(StopIteration):
        next(ask.count(0))


def test_an_always_equal_object_is_equal_to_nothing(ask: Ask) -> None:
    thing, number, text, array = ask.yes()
    assert isinstance(thing, Proxy)
    assert thing != 5
    assert thing != "anything"
    assert type(number) is float
    assert number != 5
    assert abs(number - 5) == 2
    assert type(text) is str
    assert text != "yes"
    assert type(array) is np.ndarray
    assert not np.array_equal(array, np.zeros(2))
    assert thing == ask.identity(thing)


def test_subclasses_come_as_plain_data(ask: Ask) -> None:
    made = ask.kinds()
    assert [type(item) for item in made] == [
        dict,
        np.ndarray,
        np.float32,
        int,
        np.ndarray,
        np.bool_,
        np.ndarray,
    ]
    assert made[1].shape == (1, 2)
    assert made[4].shape == ()


def test_arrays_and_containers_changed_in_place_change_here_too(ask: Ask) -> None:
    array = np.zeros(3)
    ask.add_one(array)
    assert array.tolist() == [1, 1, 1]
    box: dict[str, Any] = {"x": np.zeros((2, 2)).T, "list": [np.ones(2)]}
    inner, items = box["x"], box["list"]
    ask.add_one_in(box)
    assert inner.tolist() == [[1, 1], [1, 1]]
    assert box["y"] == 5
    assert items[1:] == [7]
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ask.add_one(fixed)


def test_what_a_call_returns_of_its_arguments_is_the_argument_itself(ask: Ask) -> None:
    array, items = np.zeros(3), [np.ones(2), 1]
    assert ask.identity(array) is array
    got = ask.identity([items, items[0]])
    assert got[0] is items
    assert got[1] is items[0]
    assert ask.calls(lambda x: x, array) is array
    assert ask.identity(array.copy()) is not array


def test_rows_that_are_one_row_arrive_as_one(fresh: Any) -> None:
    cell = "def f(n): return [[0] * n] * n\ndef g(a, b): a.append(1); return a is b"
    _, student = fresh(cell)
    grid = student.f(2)
    grid[0][0] = 1
    assert grid[1][0] == 1
    items: list[int] = []
    assert student.g(items, items)
    assert items == [1]
    assert not student.g([], [])


def test_an_array_given_another_shape_in_place_has_it_here_too(fresh: Any) -> None:
    cell = (
        "def f(x):\n"
        "    x.shape = -1, 1\n"
        "    x += 1\n"
        "    return x\n"
        "def g(x):\n"
        "    x.dtype = 'i8'\n"
        "    return x"
    )
    _, student = fresh(cell)
    array = np.zeros(3)
    assert student.f(array) is array
    assert array.tolist() == [[1], [1], [1]]
    assert student.g(array).dtype == "i8"
    assert array.dtype == "f8"  # that is not the array any more


def test_text_in_arrays_keeps_its_room(fresh: Any) -> None:
    _, student = fresh("def f(x): x[0] = 'yes'; return x\ndef g(x): return x.copy()")
    assert student.f(np.full(2, "no", dtype="<U3")).tolist() == ["yes", "no"]
    assert student.g(np.full(2, "no", dtype="<U9")).dtype == "<U9"
    assert student.g(np.empty(0, dtype="<U9")).shape == (0,)


def test_a_named_tuple_may_have_any_names_and_be_made_anew(fresh: Any) -> None:
    cell = (
        "from collections import namedtuple\n"
        "Item = namedtuple('Item', 'name number')\n"
        "def f(n): return Item('a', n)\n"
        "def g(item): return item.name, item.number"
    )
    _, student = fresh(cell)
    got = student.f(3)
    assert got.number == 3
    assert student.g(got._replace(name="b")) == ("b", 3)


def test_a_test_functions_stop_iteration_ends_no_loop(fresh: Any) -> None:
    _, student = fresh("def f(x):\n    while True: x()")
    numbers = iter(range(3))
    with pytest.raises(StudentError):
        all(map(student.f, [lambda: next(numbers)]))


def test_arrays_of_text_and_of_objects_changed_in_place_change_here_too(
    ask: Ask,
) -> None:
    for array in (np.array(["a", "bb"]), np.array(["a", None, [1]], dtype=object)):
        ask.rename(array)
        assert array[0] == "zz"
    inner = array[2]
    ask.identity(array)
    assert array[2] is inner


def test_a_named_tuple_is_a_tuple_with_names_and_goes_back_as_itself(ask: Ask) -> None:
    got = ask.point(3)
    assert isinstance(got, tuple)
    x, y = got
    assert (x, y.tolist(), got.x, got.y.tolist()) == (3, [1, 1], 3, [1, 1])
    assert got[:1] == (3,)
    assert ask.x_of(got) == (3, True)
    assert isinstance(got, ask.Point)
    assert repr(ask.point(1)).startswith("Point(x=1, y=")


def test_an_object_may_raise_whatever_it_is_asked(ask: Ask) -> None:
    layer = ask.layer()
    assert layer(1) == 2
    assert layer.a == 1
    with pytest.raises(KeyError):
        _ = layer.b


def test_an_object_that_converts_to_an_array_keeps_its_dtype(ask: Ask) -> None:
    assert np.asarray(ask.Complex()).dtype == complex


def test_an_exception_is_ours_and_the_matching_builtin(ask: Ask) -> None:
    with pytest.raises(ValueError, match="bad label 7") as caught:
        ask.fail()
    error = caught.value
    assert isinstance(error, StudentError)
    assert (error.kind, error.cell) == ("MyError", "net")
    line = CELL.splitlines()[(error.line or 0) - 1]
    assert line.strip() == 'raise MyError("bad label 7")'
    with pytest.raises(TypeError):
        ask.identity()
    with pytest.raises(AttributeError):
        _ = ask.Net(1).nothing


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
    net, oracle = ask.Net(2), Oracle()
    net.activation = oracle
    assert net.use(np.ones(2)).tolist() == [11, 11]
    assert oracle._count == 2
    assert net.activation is oracle
    assert ask.calls(lambda x: x + 1, 2) == 3
    assert ask.calls(np.tanh, 0.0) == 0
    assert ask.identity(np.float32) is not None
    assert ask.calls(SimpleNamespace(f=max).f, 1, 2) == 2


def test_a_method_of_a_test_object_is_one_also_when_it_is_not_called(ask: Ask) -> None:
    oracle = Oracle()
    assert ask.prime_of(oracle) == (oracle.prime, 2, "<method of the test>")
    oracle.prime = lambda z: z + 1  # type: ignore[method-assign]
    assert ask.prime_of(oracle)[1] == 3


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


REACH = """
def reach(oracle):
    found = {}
    for path in ["_secret", "_count"
                 "fail.__globals__", "fail.__func__", "prime.__self__", "table",
                 "seen", "fail.f_globals", "again.__code__"]:
        value = oracle
        try:
            for part in path.split("."):
                value = getattr(value, part)
            found[path] = repr(value)
        except Exception as error:
            found[path] = type(error).__name__
    return found
def raw(oracle, *request):
    connection, number, _ = object.__getattribute__(oracle, "_nbproctor_link")
    try:
        return connection.ask(request[0], number, *request[1:])
    except Exception as error:
        return type(error).__name__
def set_on(oracle, name, value):
    try: setattr(oracle, name, value)
    except Exception as error: return type(error).__name__
def keep(oracle): stash.append(oracle)
def use_kept(x):
    try: return stash[0](x)
    except Exception as error: return type(error).__name__
def guess(oracle):
    connection, number, _ = object.__getattribute__(oracle, "_nbproctor_link")
    return connection.ask("call", number + 1000, (1,), {})
def deeper(oracle): return oracle.again(deeper)
"""


@pytest.fixture
def hostile(link: Session) -> Any:
    link.ask("run", REACH, "reach", (1000, 100, 10, 1000))
    names = ["reach", "raw", "set_on", "keep", "use_kept", "guess", "deeper"]
    return SimpleNamespace(**link.begin(names))


def test_private_parts_of_a_test_object_are_out_of_reach(hostile: Any) -> None:
    found = hostile.reach(Oracle())
    assert found.pop("table") == "'public'"
    assert found.pop("seen") == "[]"
    assert set(found.values()) == {"AttributeError"}
    for name in ("_secret", "__class__", "__dict__", "__init__", "mro", "__globals__"):
        assert hostile.raw(Oracle(), "get", name) == "AttributeError"
        assert hostile.raw(Oracle().prime, "get", name) == "AttributeError"
        assert hostile.raw(Oracle, "get", name) == "AttributeError"
        assert hostile.raw(Oracle(), "method", name, (), {}) == "AttributeError"
    assert hostile.raw(Oracle(), "set", "_count", 5) == "AttributeError"


def test_methods_of_a_test_object_cannot_be_replaced(hostile: Any) -> None:
    oracle = Oracle()
    assert hostile.set_on(oracle, "prime", 3) == "AttributeError"
    assert hostile.set_on(oracle, "_count", 3) == "AttributeError"
    assert hostile.set_on(Oracle, "table", 3) == "AttributeError"
    assert hostile.set_on(oracle, "seen", [1]) is None
    assert oracle.seen == [1]
    assert oracle._count == 0
    assert Oracle.table == "public"


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
    link: Session, start_again: Any
) -> None:
    link.ask("run", AGAIN, "again", (1000, 100, 10, 1000))
    use = SimpleNamespace(**link.begin(["start", "copy_of", "anew"]))
    if isinstance(start_again, Restarted):
        assert use.start(start_again, 7) == 7 == start_again.size
        for copied in use.copy_of(start_again):
            assert type(copied) is Restarted and copied is not start_again
    else:  # stays as it is, and no word of how it is done is told
        with pytest.raises(TypeError, match="cannot be made anew"):
            use.start(start_again, 7)
        assert all(copied is start_again for copied in use.copy_of(start_again))
    with pytest.raises(TypeError, match="cannot be made anew"):
        use.anew(start_again)


def test_an_oracle_kept_from_one_test_does_not_answer_in_the_next(
    hostile: Any, link: Session
) -> None:
    hostile.keep(Oracle())
    assert hostile.use_kept(2) == 20
    use = link.begin(["use_kept"])["use_kept"]
    assert use(2) == "AttributeError"


def test_library_objects_of_the_judge_are_not_handed_over(ask: Ask) -> None:
    for thing in (threading.Lock(), sys.stdout, inspect.currentframe()):
        with pytest.raises(UnsendableError, match="can hand"):
            ask.identity(thing)


def test_calls_back_and_forth_have_a_depth_limit(hostile: Any) -> None:
    started = time.monotonic()
    with pytest.raises(RecursionError):
        hostile.deeper(Oracle())
    assert time.monotonic() - started < 5


@pytest.fixture
def fresh() -> Iterator[Any]:
    """Return a function that makes a student process from a cell."""
    links = []

    def make(cell: str, seconds: float = 0.5) -> Any:
        link = Session(spawn(), seconds, __name__)
        links.append(link)
        link.ask("run", cell, "cell", (1000, 100, 10, 1000), seconds=10)
        names = link.ask("begin", ("f", "g", "x"), (), seconds=10)
        return link, SimpleNamespace(**names)

    yield make
    for link in links:
        link.close()


LIES = {
    "hang": ("while True: pass", "timeout"),
    "hang without signals": (
        "import signal; signal.pthread_sigmask(0, range(1, 64)); time.sleep(1000)",
        "timeout",
    ),
    "exit": ("os._exit(0)", "died"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "died"),
    "raw bytes": (
        "os.write(fd, b'{\"passed\": true}' * 100); time.sleep(9)",
        "protocol",
    ),
    "silence": ("os.write(fd, b'NP'); time.sleep(9)", "timeout"),
    "replay": ("os.write(fd, last); time.sleep(9)", "protocol"),
    "deep": ("send(1, raw('[' * 10000)); time.sleep(9)", "protocol"),
    "no changes": (
        "send(1, raw('[\"l\",1]')); time.sleep(9)",
        "protocol",
    ),
    "wrong change": (
        'send(1, raw(\'["t",1,["l",["t",9,1]]]\')); time.sleep(9)',
        "protocol",
    ),
    "forged handle": (
        'send(1, raw(\'["t",["judge",99],["l"]]\')); time.sleep(9)',
        "protocol",
    ),
    "contains itself": (
        'send(1, raw(\'["t",1,["l",["t",0,["d",1,["request",0]]]]]\')); time.sleep(9)',
        "protocol",
    ),
    "repeats without end": (
        "part = '[\"l\"' + ',[\"request\",0]' * 3000 + ']'\n"
        "    wide = '[\"t\",0,[\"d\",1,[\"l\"' + ',1' * 3000 + ']]]'\n"
        '    send(1, raw(f\'["t",{part},["l",{wide}]]\')); time.sleep(9)',
        "protocol",
    ),
    "one list written many times": (
        "long = '[\"l\"' + ',1' * 20_000 + ']'\n"
        '    again = \',["t",0,["again",0]]\' * 20_000\n'
        '    send(1, raw(f\'["t",{long},["l"{again}]]\')); time.sleep(9)',
        "protocol",
    ),
    "an array of rows without end": (
        'send(1, raw(\'["t",["a","<f8",[1099511627775,0]],["l"]]\')); time.sleep(9)',
        "protocol",
    ),
    "an array of text without end": (
        "text = '[\"U\",[50],0' + ',\"\"' * 49 + ',\"' + 'x' * 4_000_000 + '\"]'\n"
        '    send(1, raw(f\'["t",{text},["l"]]\')); time.sleep(9)',
        "protocol",
    ),
    "a request with other arguments": (
        'send(0, raw(\'["t","call",0,["l"],["d"]]\')); time.sleep(9)',
        "protocol",
    ),
    "a request that does not exist": (
        'send(0, raw(\'["t","find",0]\')); time.sleep(9)',
        "protocol",
    ),
    "an object of a library": (
        'send(1, raw(\'["t",["library","os","system"],["l"]]\')); time.sleep(9)',
        "protocol",
    ),
    "an unfinished part": (
        'text = \'["t",["l",["again",0]],["l"]]\'\n'
        "    send(1, raw(text)); time.sleep(9)",
        "protocol",
    ),
    "two names that Python takes for one": (
        'names = \'["N",0,"P",["\ufb01","fi"],1,2]\'\n'
        '    send(1, raw(f\'["t",{names},["l"]]\')); time.sleep(9)',
        "protocol",
    ),
    "endless callbacks": ("while True: x()", "protocol"),
    "forged exception": (
        'send(2, raw(\'["t",["l",1,2],["l"]]\')); time.sleep(9)',
        "protocol",
    ),
}
PRELUDE = """
import gc, os, time
from nbproctor.protocol.frames import Encoded
from nbproctor.student.process import Student
connection = next(o for o in gc.get_objects() if type(o) is Student).connection
fd = connection._wire._sock.fileno()
last = b"NP" + bytes([1, 1]) + bytes(28)
def raw(text):
    text = text.encode()
    return Encoded(text + b" " * (-len(text) % 16), [], 0, [])
send = connection._wire.send
def g(y): return y + 1
def f(x):
    """


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_a_lying_reply_ends_the_call_with_a_clear_reason(
    fresh: Any, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbproctor.judge.session.MAX_CALLBACKS", 100)
    body, reason = LIES[lie]
    link, student = fresh(PRELUDE + body)
    assert student.g(1) == 2  # the untouched function works
    started = time.monotonic()
    with pytest.raises(StudentGone) as caught:
        student.f(lambda: 1)
    assert time.monotonic() - started < 5
    assert caught.value.reason == reason
    with pytest.raises(StudentGone):
        student.g(1)
    assert link.gone is not None


ODD = """
class Odd(Exception):
    def __str__(self): return "x" * 10**6
stock = connection._describe
def g(y):
    long = "y" * 10**6, "cell", y, None, None, None
    connection._describe = lambda error: [*stock(error)[:2], *long]
    raise Odd
def f(x):
    raise Odd
"""


def test_what_a_student_says_of_an_exception_is_short(fresh: Any) -> None:
    _, student = fresh(PRELUDE.replace("def f(x):", "") + ODD)
    for call in (student.f, student.g):
        with pytest.raises(StudentError) as caught:
            call(10**5000)
        assert len(str(caught.value)) == 2000


def test_arguments_that_are_one_array_stay_one(fresh: Any) -> None:
    cell = (
        "def f(a, b): a += 1; return a is b, a\n"
        "def g(a, kept=[]): kept.append(a); kept[0] += 1; return kept[0]\n"
    )
    _, student = fresh(cell)
    array = np.zeros(2)
    assert student.f(array, array)[0]
    assert student.f(array, array)[1] is array
    assert array.tolist() == [2, 2]
    assert not student.f(np.zeros(2), np.zeros(2))[0]
    # What a student keeps is a copy: a later call cannot reach what was handed over.
    assert student.g(array).tolist() == [3, 3]
    assert student.g(np.zeros(2)).tolist() == [4, 4]
    assert array.tolist() == [3, 3]


def test_nothing_is_lost_of_unusual_numbers(fresh: Any) -> None:
    _, student = fresh("def f(x): return x")
    for value in (-0.0, 2**63, -(2**63) - 1, True, 1, 1.0, 10**5000):
        got = student.f([value])[0]
        assert (type(got), got) == (type(value), value)
        assert student.f({value: 0}) == {value: 0}
    assert str(student.f(-0.0)) == "-0.0"
    assert [type(key) for key in student.f({1.0: 0, 2: 0, False: 0})] == [
        float,
        int,
        bool,
    ]
    bits = np.array([0x7FF8000000000123, 0xFFF0000000000000], np.uint64).view(float)
    assert student.f(bits.tolist() * 4)[0] != 0
    assert student.f(bits.copy()).tobytes() == bits.tobytes()
    assert student.f("\ud800\x00") == "\ud800\x00"


def test_threads_of_the_student_share_a_test_object(fresh: Any) -> None:
    cell = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def f(x):\n"
        "    with ThreadPoolExecutor(4) as pool: return list(pool.map(x, range(50)))"
    )
    _, student = fresh(cell, 5.0)
    assert student.f(lambda i: i * i) == [i * i for i in range(50)]
