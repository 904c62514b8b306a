"""Idioms of public courses: a right answer, a wrong one, and how a test looks at them.

A wrong answer that differs in one line is that line behind its number; without text, it
lacks it. Test cells are separated by a line of dashes; the last one counts. ``%%``
separates an answer that comes between two test cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Idiom:
    """A small exercise: its name says what is special about it.

    `reason`: why it is judged in the student's process; empty if not.
    """

    name: str
    right: str
    wrong: str
    test: str
    reason: str = ""


def _read(text: str) -> list[Idiom]:
    idioms = []
    for part in text.strip().split("\n=== ")[0:]:
        title, _, body = part.removeprefix("=== ").partition("\n")
        name, _, reason = title.partition(" | ")
        right, wrong, test = (p.strip("\n") for p in body.split("\n>>>\n"))
        if changed := re.fullmatch(r"(\d+):(?: (.+))?", wrong):
            lines = right.split("\n")
            number = int(changed[1])
            lines[number - 1 : number] = [changed[2]] if changed[2] else []
            wrong = "\n".join(lines)
        idioms.append(Idiom(name.strip(), right, wrong, test, reason.strip()))
    return idioms


IDIOMS = _read(
    '''
=== names of an earlier test cell
def area(s): return s.a * s.b
>>>
def area(s): return s.a
>>>
from numpy.testing import assert_equal
class Shape:
    def __init__(self, a, b): self.a, self.b = a, b
def runtests(cases):
    for given, want in cases:
        assert area(given) == want
data = [(Shape(2, 3), 6), (Shape(1, 4), 4)]
-----
runtests(data)
assert_equal(area(Shape(3, 3)), 9)
=== what earlier test cells made, kept and called
def f(n): return list(range(n))
class Box:
    def __init__(self): self.n = 0
    def more(self): self.n += 1
>>>
4:     def more(self): self.n += 2
>>>
import math
result, box = f(3), Box()
box.more()
-----
def want(x): return math.floor(x) + 1
-----
box.more()
assert box.n == 2 and result == [0, 1, 2] and want(2.5) == len(f(3))
=== what an earlier test cell changed in place
options = {"step": 1, "rates": {}, "names": []}
>>>
options = {"step": 2, "rates": {}, "names": []}
>>>
options["step"] += 4
options["rates"]["decay"] = 0.01
options["names"].append("a")
-----
del options["names"][0]
-----
assert options == {"step": 5, "rates": {"decay": 0.01}, "names": []}
=== names of a test cell that the answer uses
%%
import math
scale = 3
def check(x): return x > 0
assert check(1) and math.pi > scale
%%
def f(x): return scale * math.sqrt(x) if check(x) else 0
>>>
7: def f(x): return scale * math.floor(x) if check(x) else 0
>>>
assert f(2.25) == 4.5 and f(-3) == 0
=== checks that run only in a main module
def f(x): return x + 1
>>>
def f(x): return x
>>>
def test_f():
    assert f(1) == 2
if __name__ == "__main__":
    test_f()
=== plain values
def f(): return {"a": [3, 2.5, (None, True)], "b": {4}, "c": ["x" * 3, 2 + 3j]}
>>>
def f(): return {"a": [3, 2.5, [None, True]], "b": {4}, "c": ["x" * 3, 2 + 3j]}
>>>
got = f()
assert got == {"a": [3, 2.5, (None, True)], "b": {4}, "c": ["xxx", 2 + 3j]}
assert type(got["a"][0]) == int and got["c"][1].imag == 3
=== values of the standard library
from datetime import datetime, timedelta
def f(): return ["ä".encode(), datetime(2024, 2, 29, 12) + timedelta(days=1)]
>>>
2: def f(): return ["a".encode(), datetime(2024, 2, 29, 12) + timedelta(days=1)]
>>>
from datetime import date, datetime
c, d = f()
assert c == b"\\xc3\\xa4"
assert d == datetime(2024, 3, 1, 12)
assert d.date() == date(2024, 3, 1)
=== arrays
import numpy as np
def f(n): return np.arange(n, dtype=np.float32).reshape(1, -1) ** 2
>>>
2: def f(n): return np.arange(n).reshape(1, -1) ** 2
>>>
import numpy as np
got = f(4)
np.testing.assert_array_equal(got, [[0, 1, 4, 9]])
assert isinstance(got, np.ndarray) and got.shape == (1, 4) and got.dtype == np.float32
=== arrays of dates, text and complex numbers
import numpy as np
d = np.array(["2024-01-01", "2024-01-03"], dtype="datetime64[D]")
def f(): return d[1], np.array(["ab", "c"]), np.exp(1j * np.pi * np.arange(3))
>>>
2: d = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")
>>>
import numpy as np
day, text, z = f()
assert day == np.datetime64("2024-01-03") and d[1] - d[0] == np.timedelta64(2, "D")
assert d.dtype.kind == "M" and list(text) == ["ab", "c"] and np.allclose(z, [1, -1, 1])
=== a data frame and a series
import pandas as pd
def f(): return pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
s = pd.Series([1.0, 2.0], index=["x", "y"], name="v")
>>>
def f(): return {"a": [1, 2], "b": ["x", "y"]}
>>>
import pandas as pd
df = f()
assert isinstance(df, pd.DataFrame) and df.shape == (2, 2) and df["a"].sum() == 3
assert list(df.columns) == ["a", "b"]
assert s["y"] == 2.0 and s.name == "v" and s.mean() == 1.5
=== data frames filtered, grouped and compared
import pandas as pd
def f(df): return df[df.c > 1].groupby(["a", "b"]).sum()
>>>
2: def f(df): return df[df.c > 1].groupby("a").sum()
>>>
import pandas as pd
df = pd.DataFrame({"a": ["x", "x", "y"], "b": [1, 1, 2], "c": [3, 4, 1]})
assert f(df).loc[("x", 1), "c"] == 7 and list(f(df).index.names) == ["a", "b"]
want = pd.DataFrame({"a": ["x"], "b": [1], "c": [7]})
pd.testing.assert_frame_equal(f(df).reset_index(), want)
=== a frame of many kinds of columns
import pandas as pd
def f():
    return pd.DataFrame({"when": pd.to_datetime(["2026-03-29"]).tz_localize("UTC"),
                         "what": pd.Categorical(["u"]), "who": ["x"], "n": [1]})
>>>
import pandas as pd
def f():
    return pd.DataFrame({"when": ["2026-03-29"], "what": ["u"], "who": ["x"], "n": [1]})
>>>
got = f()
assert list(got.dtypes.astype(str))[1:] == ["category", "str", "int64"]
assert got.when.dt.month.tolist() == [3] and got.what.cat.categories[0] == "u"
assert got.iloc[0]["who"] == "x" and got["n"].sum() == 1 and got.shape == (1, 4)
=== a sparse matrix | a sparse matrix stays in the student's process
from scipy import sparse
def f(n): return sparse.csr_matrix(([1.0] * n, (range(n), range(n))), shape=(n, n))
>>>
2: def f(n): return sparse.csr_matrix((n, n))
>>>
from scipy import sparse
got = f(3)
assert sparse.issparse(got) and got.format == "csr" and got.nnz == 3
assert (got @ sparse.eye(3)).sum() == 3
=== a structured array | a structured array stays in the student's process
import numpy as np
def f(): return np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f8")])
>>>
2: def f(): return np.array([(1, 2)], dtype=[("n", "i4"), ("x", "i4")])
>>>
import numpy as np
got = f()
assert got.dtype == np.dtype([("n", "i4"), ("x", "f8")]) and got["x"][0] == 2.5
=== an own estimator
from sklearn.base import BaseEstimator
class Mean(BaseEstimator):
    def fit(self, X, y): self.mean_ = sum(y) / len(y); return self
    def predict(self, X): return [self.mean_ for _ in X]
>>>
class Mean:
    def fit(self, X, y): self.mean_ = sum(y) / len(y); return self
    def predict(self, X): return [self.mean_ for _ in X]
>>>
from sklearn.base import BaseEstimator
assert issubclass(Mean, BaseEstimator) and isinstance(Mean(), BaseEstimator)
assert Mean().fit([[1], [2]], [2, 4]).predict([[1]]) == [3]
=== data classes and enumerations
from dataclasses import dataclass
from enum import Enum
@dataclass
class P:
    x: int
    y: int = 0
class Color(Enum):
    RED = 1
    BLUE = 2
>>>
9:     BLUE = 3
>>>
assert P(1) == P(1, 0) and repr(P(1)) == "P(x=1, y=0)"
assert Color.RED.value == 1 and Color(2) is Color.BLUE and Color.BLUE.name == "BLUE"
=== dictionaries that stay what they are
from collections import Counter, OrderedDict
def letters(word): return Counter(word)
def ordered(d): return OrderedDict(sorted(d.items()))
>>>
2: def letters(word): return dict(Counter(word))
>>>
from collections import Counter, OrderedDict
found = letters("banana")
assert type(found) is Counter and found["z"] == 0
assert found.most_common(1) == [("a", 3)] and found - Counter("ban") == Counter("ana")
found = ordered({"b": 1, "a": 2})
assert found == OrderedDict([("a", 2), ("b", 1)])
found.move_to_end("a")
assert list(found) == ["b", "a"]
=== text and bytes in memory, handed over, read and written
import csv
def cells(file): return [row for row in csv.reader(file)]
def save(file): file.write("done")
def pack(file): file.write("ab"); return file
>>>
3: def save(file): file.write("none")
>>>
import io
text, out = io.StringIO("a,b\\n1,2"), io.StringIO("was ")
out.seek(0, 2)
assert cells(text) == [["a", "b"], ["1", "2"]] and text.read() == ""
save(out)
assert out.getvalue() == "was done"
data = io.StringIO()
assert pack(data) is data and data.getvalue() == "ab"
=== functions in other forms
import functools
def logged(function):
    @functools.wraps(function)
    def inner(*args, **named): return function(*args, **named)
    return inner
class Twice:
    def __call__(self, x): return 2 * x
if True:
    twice, square = Twice(), lambda x: x * x
    @logged
    def third(x, y=1):
        """Return a third."""
        return x / 3 + y
>>>
7:     def __call__(self, x): return x
>>>
assert twice(2) == 4 and square(3) == 9 and callable(twice)
assert list(map(twice, [1, 2])) == [2, 4] and sorted([2, 1], key=square) == [1, 2]
assert third(3, y=2) == 3 and third.__name__ == "third" and "third" in third.__doc__
=== right values of other types
import numpy as np
from collections import OrderedDict
def f(): return [np.int64(3), np.float32(0.5), np.bool_(True), (1, 2),
    OrderedDict(a=1), frozenset({1})]
>>>
3: def f(): return [np.float64(3), np.float32(0.5), np.bool_(True), (1, 2),
>>>
import numpy as np
n, x, yes, pair, table, one = f()
assert n == 3 and x == 0.5 and yes and table == {"a": 1} and one == {1}
assert list(pair) == [1, 2] and pair != [1, 2] and isinstance(pair, tuple)
assert isinstance(n, np.integer) and not isinstance(n, int) and x.dtype == np.float32
assert yes is not True and isinstance(yes, np.bool_) and str(yes) == "True"
=== generators, closures and arguments by name
def squares(n):
    for i in range(n): yield i * i
def adder(n): return lambda x: x + n
def f(a, *, b=2, **more): return a + b + sum(more.values())
>>>
3: def adder(n): return lambda x: x
>>>
g, endless = squares(3), squares(10**12)
assert next(g) == 0 and list(g) == [1, 4]
assert [next(endless), next(endless)] == [0, 1]
assert adder(2)(3) == 5 and f(1) == 3 and f(1, b=1, c=5) == 7
=== a generator passed to the answer | an iterator of the test is not a plain value
def first(it, n): return [next(it) for _ in range(n)]
>>>
def first(it, n): return []
>>>
assert first((i * i for i in range(9)), 3) == [0, 1, 4]
=== exceptions built in
def f(x):
    if x < 0: raise ValueError("negative")
    return x
>>>
def f(x): return x
>>>
import numpy as np
try:
    f(-1)
except Exception as error:
    assert type(error) is ValueError and "negative" in str(error)
else:
    raise AssertionError("no error")
np.testing.assert_raises(ValueError, f, -1)
=== exceptions of a library | the judge does not have the class
import json, numpy as np
def solve(a, b): return np.linalg.solve(a, b)
def read(text): return json.loads(text)
>>>
import json, numpy as np
def solve(a, b):
    if np.linalg.det(a) == 0: raise ValueError("singular")
    return np.linalg.solve(a, b)
def read(text): return json.loads(text)
>>>
import json, unittest, numpy as np
try:
    solve(np.zeros((2, 2)), np.ones(2))
except np.linalg.LinAlgError as error:
    assert type(error) is np.linalg.LinAlgError and "ingular" in str(error)
else:
    assert False
case = unittest.TestCase()
with case.assertRaisesRegex(json.JSONDecodeError, "Expecting"):
    read("{]}")
=== properties, class methods and inheritance
class A:
    """Has a side."""
    def __init__(self, r): self.r = r
    @property
    def d(self): return 2 * self.r
    @classmethod
    def unit(cls): return cls(1)
    @staticmethod
    def pi(): return 3
    def name(self): return "A"
class B(A):
    def name(self): return super().name() + "B"
>>>
5:     def d(self): return self.r
>>>
assert A.unit().d == 2 and A.pi() == 3 and "side" in A.__doc__
assert issubclass(B, A) and isinstance(B(2), A) and B(2).name() == "AB"
assert hasattr(B(2), "r") and callable(B(2).name) and "unit" in dir(A)
import copy
b, bare = B([2]), B.__new__(B)
assert copy.deepcopy(b).r == [2] and B(2) != B(2) and not hasattr(bare, "r")
b.r = bare
assert b.r is bare and isinstance(bare, A) and not isinstance(5, A)
del b.r
assert not hasattr(b, "r")
=== name and type of a class
class Point: pass
def make(): return Point()
>>>
class point: pass
Point = point
def make(): return Point()
>>>
assert type(make()) == Point and Point.__name__ == type(Point()).__name__ == "Point"
=== objects compared, alone, in a list and in a set
class P:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
    def __hash__(self): return hash(self.x)
>>>
class P:
    def __init__(self, x): self.x = x
>>>
assert P(1) == P(1) and P(1) != P(2) and [P(1), P(2)] == [P(1), P(2)]
assert len({P(1), P(1), P(2)}) == 2
=== objects added and ordered
class V:
    def __init__(self, x, next=None): self.x, self.next = x, next
    def __add__(self, o): return V(self.x + o.x)
    def __lt__(self, o): return self.x < o.x
>>>
3:     def __add__(self, o): return V(self.x)
>>>
assert (V(1) + V(3)).x == 4 and V(1) < V(2)
assert [v.x for v in sorted([V(3), V(1), V(2)])] == [1, 2, 3]
assert V(1, V(2)).next.x == 2 and V(1, V(2)).next.next is None
=== two objects whose product is a number | an operator's result must be an object
class V:
    def __init__(self, x, y): self.x, self.y = x, y
    def __mul__(self, o): return self.x * o.x + self.y * o.y
>>>
3:     def __mul__(self, o): return 0
>>>
assert V(1, 2) * V(3, 4) == 11
=== an object multiplied by a number | an operator is applied to a value of the test
class V:
    def __init__(self, x): self.x = x
    def __mul__(self, k): return V(self.x * k)
>>>
3:     def __mul__(self, k): return V(self.x)
>>>
assert (V(2) * 3).x == 6
=== an object compared with a number | an operator is applied to a value of the test
class M:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other
>>>
2:     def __init__(self, x): self.x = x + 1
>>>
assert M(3) == 3
=== text, length, items and containment
class Bag:
    def __init__(self, *xs): self.xs = list(xs)
    def __len__(self): return len(self.xs)
    def __getitem__(self, i): return self.xs[i]
    def __contains__(self, x): return x in self.xs
    def __iter__(self): return iter(self.xs)
    def __str__(self): return f"of {self.xs}"
    def __repr__(self): return f"Bag{self.xs}"
>>>
6:     def __iter__(self): return iter(())
>>>
b = Bag(4, 5)
assert len(b) == 2 and b[1] == 5 and list(b) == [4, 5] and 4 in b and 9 not in b
assert str(b) == "of [4, 5]" == f"{b}" and repr(b) == "Bag[4, 5]"
=== the truth value of an object | the judge never uses the truth value of an object
class Bag:
    def __init__(self, *xs): self.xs = xs
    def __bool__(self): return bool(self.xs)
>>>
3:
>>>
assert Bag(1) and not Bag()
=== an object used in with
class R:
    def __init__(self): self.log = []
    def __enter__(self): self.log.append("in"); return self
    def __exit__(self, *e): self.log.append("out")
>>>
3:     def __enter__(self): return self
>>>
with R() as r:
    pass
assert r.log == ["in", "out"]
=== an exception class of the answer, in unittest | the judge does not have the class
class TooFew(ValueError):
    def __init__(self, missing):
        super().__init__(f"{missing} too few")
        self.missing = missing
def f(xs):
    if not xs: raise TooFew(2)
>>>
6:     if not xs: raise ValueError("2 too few")
>>>
import unittest
case = unittest.TestCase()
with case.assertRaises(TooFew) as caught:
    f([])
case.assertEqual((str(caught.exception), caught.exception.missing), ("2 too few", 2))
assert issubclass(TooFew, ValueError) and TooFew.__name__ == "TooFew"
assert str(TooFew(3)) == "3 too few" and isinstance(TooFew(3), ValueError)
=== several exception classes of the answer | the judge does not have the class
class BankError(Exception): pass
class Empty(BankError): pass
def take(n): raise Empty(n)
>>>
2: class Empty(Exception): pass
>>>
try:
    take(3)
except BankError as error:
    assert type(error) is Empty and isinstance(error, Empty)
    assert error.args == (3,)
else:
    raise AssertionError
=== a subclass made by the test | the judge does not have the student's class
class Base:
    def run(self): return self.step() * 2
    def step(self): raise NotImplementedError
>>>
2:     def run(self): return self.step()
>>>
class Mine(Base):
    def step(self): return 4
assert Mine().run() == 8
=== an abstract class
from abc import ABC, abstractmethod
class S(ABC):
    @abstractmethod
    def area(self): ...
>>>
class S:
    def area(self): ...
>>>
try:
    S()
except TypeError:
    pass
else:
    raise AssertionError("S can be made")
=== the seed of the test's
import numpy as np
def f(): return np.random.rand(2)
>>>
2: def f(): return np.random.rand(3)[1:]
>>>
import numpy as np
np.random.seed(3)
want = np.random.rand(2)
np.random.seed(3)
assert np.allclose(f(), want)
=== a database and a coroutine of the answer's, in unittest
import sqlite3
con = sqlite3.connect(":memory:")
con.executescript("CREATE TABLE sale (amount); INSERT INTO sale VALUES (4), (5)")
def add():
    total = 0
    while True: total += yield total
>>>
6:     while True: total = yield total
>>>
import unittest
tc, adding = unittest.TestCase(), add()
tc.assertEqual(con.execute("SELECT SUM(amount) FROM sale").fetchall(), [(9,)])
tc.assertEqual([next(adding), adding.send(2), adding.send(3)], [0, 2, 5])
adding.close(); tc.assertRaises(StopIteration, next, adding)
=== printed output that is captured | printed text stays in the student's process
def hello(): print("hi")
>>>
def hello(): print("ho")
>>>
import io
from contextlib import redirect_stdout
out = io.StringIO()
with redirect_stdout(out):
    hello()
assert out.getvalue() == "hi\\n"
=== a replaced sys.stdout | printed text stays in the student's process
def hello(name): print("hello", name)
>>>
def hello(name): print("hello")
>>>
import io, sys
old, sys.stdout = sys.stdout, io.StringIO()
try:
    hello("Ada")
    text = sys.stdout.getvalue()
finally:
    sys.stdout = old
assert "Ada" in text
=== a patched print | a name of Python is replaced for the answer
def hello(): print("hi", 1)
>>>
def hello(): print("hi")
>>>
from unittest import mock
with mock.patch("builtins.print") as fake:
    hello()
fake.assert_called_with("hi", 1)
=== a patched input | a name of Python is replaced for the answer
def ask(): return int(input("n? ")) + 1
>>>
def ask(): return 0
>>>
from unittest import mock
with mock.patch("builtins.input", return_value="41"):
    assert ask() == 42
=== a replaced helper of the answer | a global name of the answer is replaced
def square(x): return x * x
def total(xs): return sum(square(x) for x in xs)
>>>
2: def total(xs): return sum(x * x for x in xs)
>>>
old_square = square
try:
    del square
    try:
        total([1, 2])
    except NameError:
        pass
    else:
        raise AssertionError("total does not use square")
finally:
    square = old_square
=== a mocked global function | a global name of the answer is replaced
def fetch(): return 0
def twice(): return 2 * fetch()
>>>
2: def twice(): return 0
>>>
fetch = lambda: 21
assert twice() == 42
=== a changed global number of the answer | a global name of the answer is replaced
k = 2
def f(x): return k * x
>>>
2: def f(x): return 2 * x
>>>
k = 5
assert f(3) == 15
=== the source of an answer | the judge does not have the answer's source
def f(n):
    return 1 if n < 2 else n * f(n - 1)
>>>
def f(n):
    import math
    return math.factorial(n)
>>>
import inspect
assert "f(n - 1)" in inspect.getsource(f)
=== the signature of an answer | the judge does not have the answer's code
def f(a, b=2): ...
>>>
def f(a, b): ...
>>>
import inspect
assert list(inspect.signature(f).parameters) == ["a", "b"]
assert inspect.signature(f).parameters["b"].default == 2
=== a file that an answer writes | files stay in the student's folder
def save(name):
    with open(name, "w") as file: file.write("done")
>>>
2:     with open(name, "w") as file: file.write("")
>>>
save("idiom_out.txt")
assert open("idiom_out.txt").read() == "done"
=== labels of a plot
import matplotlib.pyplot as plt
def draw():
    fig, ax = plt.subplots()
    ax.plot([1, 2], [3, 4]); ax.set_xlabel("t"); ax.set_title("T")
    return ax
>>>
4:     ax.plot([1, 2], [3, 4])
>>>
ax = draw()
assert ax.get_xlabel() == "t" and ax.get_title() == "T"
assert list(ax.lines[0].get_ydata()) == [3, 4]
=== the current plot after a call | a plot cannot be passed by name
import matplotlib.pyplot as plt
def draw(): plt.plot([1, 2]); plt.ylabel("y")
>>>
2: def draw(): plt.plot([1, 2])
>>>
import matplotlib.pyplot as plt
plt.close("all")
draw()
assert plt.gca().get_ylabel() == "y"
=== arrays and lists changed in place
def double(a, xs):
    a *= 2
    xs.sort()
>>>
2:     a = a * 2
>>>
import numpy as np
a, xs = np.arange(3.0), [3, 1, 2]
assert double(a, xs) is None
assert a.tolist() == [0, 2, 4] and xs == [1, 2, 3]
=== calls counted by a list's method | a method of the test's list is not a plain value
def twice(f): f(1); f(2)
>>>
def twice(f): f(1)
>>>
calls = []
twice(calls.append)
assert calls == [1, 2]
=== a mock passed to the answer | a mock is not an object that the test defines
def use(api): return api.get("k") + 1
>>>
def use(api): return 1
>>>
from unittest.mock import Mock
api = Mock()
api.get.return_value = 4
assert use(api) == 5
=== a name looked for by its text
zz = [1]
>>>
z = [1]
>>>
for name in ["zz"]:
    assert name in globals() and name in dir() and locals()[name] == [1]
assert vars()["zz"] == eval("zz + []") == [1]
=== names that must not be there
def f(x): return sum(x)
>>>
total = 0
def f(x): return sum(x)
>>>
for name in ["count", "total"]:
    assert name not in dir() and name not in globals().keys()
assert f([1, 2]) == 3
=== a cell that ends in a table of results
def f(x): return x % 2 == 0
>>>
def f(x): return True
>>>
assert all(f(x) == (x % 2 == 0) for x in range(5))
{"checked": 5}
=== pytest's raises
def f(x):
    if x < 0: raise ValueError
    return x
>>>
def f(x): return x
>>>
import pytest
with pytest.raises(ValueError):
    f(-1)
=== an exit that is wanted
import sys
def f(x): sys.exit(x)
>>>
def f(x): raise ValueError(x)
>>>
import pytest
with pytest.raises(SystemExit):
    f(1)
=== an exit where an error is wanted
def f(x): raise ValueError(x)
>>>
import sys
def f(x): sys.exit(x)
>>>
try:
    f(1)
except Exception:
    passed = True
assert passed
=== a function of the test's that leaves by an exit
def f(stop): return stop(3)
>>>
def f(stop): return 3
>>>
import sys, pytest
def stop(n): sys.exit(n)
with pytest.raises(SystemExit) as caught:
    f(stop)
assert caught.value.code == 3
=== calls asked at once
import numpy as np
kept = np.zeros(2)
def reused(x):
    kept[:] = 2 * x
    return kept
class Net:
    def __init__(self, n): self.n = n
def fail(): raise ValueError("bad label 7")
>>>
4:     kept[:] = 3 * x
>>>
import operator, numpy as np, pytest
from nbproctor.expect import Answer, answers_of
x, net = np.ones(2), Net(2)
calls = (reused, x), (operator.iadd, x, 1), (reused, x)
first, _, second = answers_of(*calls)
assert (first.tolist(), second.tolist()) == ([2, 2], [4, 4])
first, _, second = answers_of(*calls, keep=True)
assert (first.tolist(), second.tolist()) == ([4, 4], [4, 4])
assert x.tolist() == [1, 1]
assert [*answers_of((setattr, net, "n", 5), (getattr, net, "n"))] == [None, 5]
made = answers_of((Net, 7), (getattr, Answer(0), "n"), (reused, Answer(1)))
assert [answer.tolist() for answer in [*made][2:]] == [[14, 14]]
answers = answers_of((len, "a"), (fail,), (len, "b"))
assert next(answers) == 1
with pytest.raises(ValueError, match="bad label 7"):
    next(answers)
=== methods of a test's object, by value
def run(net):
    outputs = []
    for x in range(3):
        attributes = net.count, net.weights.sum(), net.part.count, net.twice
        outputs.append((*attributes, net(x)))
        net.add(x)
    return outputs, sum(net.one() for _ in range(300_000))
>>>
6:         net.add(1)
>>>
import numpy as np
from nbproctor.expect import by_value
def plus(x, y): return x + y
class Part: pass
class Net:
    def __init__(self):
        self.count, self.weights, self.part = 0, np.ones(2), Part()
        self.part.count = 5
    @by_value
    def __call__(self, x): return plus(10 * x, self.count)
    @by_value
    def one(self): return 1
    @property
    def twice(self): return 2 * self.count
    def add(self, x):
        self.count += x
        self.weights[0] += x
        self.part.count -= x
net = Net()
outputs, total = run(net)
assert outputs == [(0, 2, 5, 0, 0), (0, 2, 5, 0, 10), (1, 3, 4, 2, 21)]
assert (net.count, total) == (3, 300_000)
=== objects that convert to an array
import numpy as np
class Half:
    def __float__(self): return 0.5
    def __array__(self, *args, **kwargs): return np.array(0.5)
class Complex:
    def __array__(self, *args, **kwargs): return np.array([1 + 2j])
def half(): return Half()
>>>
4:     def __array__(self, *args, **kwargs): return np.array(1.5)
>>>
import numpy as np
assert np.asarray(Complex()).dtype == complex and float(half()) == 0.5
assert (np.ones(2) - half()).tolist() == [0.5, 0.5]
=== subclasses of plain values
import enum, numpy as np
class Colour(enum.IntEnum): RED = 1
def kinds(): return [type("Own", (dict,), {})(a=1), np.float32(2), Colour.RED,
    np.array(3), np.bool_(True), np.ma.array([1, 2])]
>>>
3: def kinds(): return [type("Own", (dict,), {})(a=1), 2.0, Colour.RED,
>>>
import numpy as np
own, two, red, three, true, masked = kinds()
assert isinstance(own, dict) and own["a"] == 1 and type(two) is np.float32 and red == 1
assert three.shape == () and type(true) is np.bool_ and masked.tolist() == [1, 2]
=== named tuples, returned and passed back | the judge does not have the class
import collections, numpy as np
from urllib.parse import urlparse
Point = collections.namedtuple("Point", "x y")
def point(x): return Point(x, np.ones(2))
def x_of(p): return p.x, isinstance(p, Point)
def odd(n): return collections.namedtuple("Odd", "index count")("a", n)
>>>
3: Point = collections.namedtuple("Point", "y x")
>>>
got = point(3)
x, y = got
assert isinstance(got, tuple) and isinstance(got, Point) and got[:1] == (3,)
assert (x, y.tolist(), got.x, got.y.tolist()) == (3, [1, 1], 3, [1, 1])
assert x_of(got) == (3, True) and odd(3).count == 3
assert urlparse("https://a.b/c").netloc == "a.b"
assert repr(point(1)).startswith("Point(x=1, y=")
=== an object that raises what it is asked for
class Layer:
    def __call__(self, x): return x + 1
    def __getattr__(self, name): return {"a": 1}[name]
def layer(): return Layer()
>>>
3:     def __getattr__(self, name): return {"a": 2}[name]
>>>
import pytest
assert layer()(1) == 2 and layer().a == 1
with pytest.raises(KeyError):
    layer().b
=== objects of the test's, called by the answer
import numpy as np
class Net:
    def __init__(self, n): self.n = n
    def use(self, Z): return self.activation(Z) + self.activation.prime(Z)
def calls(f, *args): return f(*args)
def prime_of(oracle): return oracle.prime, type(oracle).prime(oracle, 2)
>>>
4:     def use(self, Z): return self.activation(Z)
>>>
import json, numpy as np
from types import SimpleNamespace
class Oracle:
    def __init__(self): self.n = 0
    def __call__(self, z): self.n += 1; return z * 10
    def prime(self, z): self.n += 1; return z
net, oracle = Net(2), Oracle()
net.activation = oracle
assert net.use(np.ones(2)).tolist() == [11, 11] and oracle.n == 2
assert net.activation is oracle and prime_of(oracle) == (oracle.prime, 2)
assert [calls(np.tanh, 0.0), calls(len, "ab"), calls(json.dumps, [1])] == [0, 2, "[1]"]
assert calls(lambda x: x + 1, 2) == 3 and calls(SimpleNamespace(f=max).f, 1, 2) == 2
=== an array changed by a function of the test's
def calls(f, x): f(x)
>>>
def calls(f, x): f(x.copy())
>>>
import numpy as np
def fill(x): x[:] = 7
x = np.zeros(2)
calls(fill, x)
assert x.tolist() == [7, 7]
=== a class of the test's under a name of the answer's
class Oracle: pass
def look_at(oracle):
    oracle.mine = 3
    return isinstance(oracle, Oracle), oracle.rate, oracle.mine
>>>
4:     return isinstance(oracle, int), oracle.rate, oracle.mine
>>>
class Oracle:
    rate = 5
oracle = Oracle()
oracle.rate = 7
assert look_at(oracle) == (True, 7, 3)
=== threads of the answer's that call the test's function
from concurrent.futures import ThreadPoolExecutor
def spread(f):
    with ThreadPoolExecutor(4) as pool: return list(pool.map(f, range(50)))
>>>
3:     return [f(0)] * 50
>>>
assert spread(lambda i: i * i) == [i * i for i in range(50)]
=== a model of the test's made anew and copied
import copy
def start(model, size):
    model.__init__(size)
    return model.size
def copies(thing): return copy.copy(thing), copy.deepcopy(thing)
def anew(model): return type(model)(3)
>>>
3:     pass
>>>
class Restarted:
    def __init__(self, size): self.size = size
    def init_again(self, size): self.__init__(size)
    def copied(self): return Restarted(self.size)
model = Restarted(1)
assert start(model, 7) == 7 == model.size
assert all(type(c) is Restarted and c is not model for c in copies(model))
assert anew(model) is not model and anew(model).size == 3 and model.size == 7
=== a class of a library, returned and inherited
from sklearn.linear_model import LinearRegression
def model(): return LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
class Mine(LinearRegression): pass
def kind(): return LinearRegression
>>>
3: class Mine: pass
>>>
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
assert isinstance(model(), LinearRegression) and isinstance(model(), object)
assert isinstance(model(), (str, BaseEstimator)) and not isinstance(model(), type)
assert isinstance(model(), str | LinearRegression) and not isinstance(model(), Mine)
assert not isinstance(model(), (LogisticRegression, ClassifierMixin))
assert type(model()) is LinearRegression and type(model()).__name__ in str(kind())
assert type(model()) in [LogisticRegression, LinearRegression]
assert model().__class__.__name__ == "LinearRegression"
assert isinstance(Mine(), LinearRegression) and isinstance(Mine(), Mine)
assert type(Mine()) is not LinearRegression and type(Mine()).__name__ == "Mine"
assert issubclass(Mine, LinearRegression) and issubclass(Mine, Mine)
assert issubclass(Mine, BaseEstimator) and issubclass(Mine, object)
assert not issubclass(Mine, (ClassifierMixin, int)) and Mine != LinearRegression
assert kind() == LinearRegression and kind() != LogisticRegression
assert not model() == LinearRegression and not model() == 1
assert model() != LinearRegression and abs(model().coef_[0] - 2) < 1e-9
=== a comprehension and a global in an earlier test
x = 7
def f(n): return n + 1
>>>
1: x = 8
>>>
assert [x for x in (1, 2)] == [1, 2]
def count():
    global seen
    seen = 1
count()
-----
assert f(1) == 2
-----
assert x == 7 and f(seen) == 2
    '''
)
# What a test may raise: each ends it, as in a kernel.
ENDS = """
AssertionError() SystemExit(0) KeyboardInterrupt() GeneratorExit() StopIteration()
BaseException() MemoryError() unittest.SkipTest("no") pytest.fail.Exception("no")
pytest.skip.Exception("no") asyncio.CancelledError() ExceptionGroup("no",[OSError()])
BaseExceptionGroup("no",[SystemExit()])
"""
IDIOMS += [
    Idiom(
        name=f"a test that raises {error}",
        right="def f(x): return x",
        wrong="def f(x): return -x",
        test=f"import asyncio, pytest, unittest\nif f(1) != 1:\n    raise {error}",
    )
    for error in ENDS.split()
]
