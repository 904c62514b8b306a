"""Small notebooks, and what they earn: a promise each, in its name.

A head of a cell has three dashes, a name, and a kind, for a test with its points. The
first word of a test's name is its exercise. An `answer` is what the student wrote into
the solution cell of that name; an `own` cell is the student's, too; all others are
handed in as they are. What is expected of a test stands behind a colon: points, its
outcome or whose functions earned them, and a part of its message. The last part, if
there is one, are the notes on the submission.
"""

from __future__ import annotations

FIRST_RUN = r"""
=== whatever a test raises costs that test alone
--- f solution
def f(x): return x
--- f_public test: 0 failed: DID NOT RAISE
import pytest
with pytest.raises(ValueError):
    f(1)
--- f_hidden test 1: 0 failed: A hidden check fails.
import pytest
with pytest.raises(ValueError):
    f(1)
--- f_exits test 1: 0 failed: Your answer could not be checked: it leads to SystemExit.
made = 1
raise SystemExit
--- f_exit_comes_back test 1: 0 failed: it leads to SystemExit.
def leave(): raise SystemExit
f(leave)()
--- f_after test 1: 1
assert made == 1 and f(2) == 2

=== a helper of the teacher's that fails is the teacher's to know
--- f solution
def f(x): return x
--- before test 1: 1 passed
assert callable
--- divides helper
1 / 0
--- a test 1: 0 not-run: This test is broken. Please tell your teacher:
f(1)

=== a helper that Python cannot read is the teacher's to know
--- f solution
def f(x): return x
--- unreadable helper
def (
--- f_1 test 1: 0 not-run: This test is broken. Please tell your teacher:
f(1)

=== a helper that fails at an answer is the teacher's to know
--- f solution
def f(x): return x
--- raises helper
raise KeyError(f(1))
--- f_1 test 1: 0 not-run: This test is broken. Please tell your teacher:
f(1)

=== a helper that exits is the teacher's to know
--- f solution
def f(x): return x
--- exits helper
raise SystemExit
--- f_1 test 1: 0 not-run: This test is broken. Please tell your teacher:
f(1)

=== a helper that fails costs nothing that does not read what it defines
--- f solution
def f(x): return x
--- g solution
def g(x): return x
--- g_tools helper
TABLE = {1: 1 / 0}
--- f_1 test 1: 1
assert f(1) == 1
--- g_1 test 1: 0 not-run: This test is broken. Please tell your teacher:
assert g(1) == TABLE[1]
--- f_looks_up test 1: 0 not-run: This test is broken. Please tell your teacher:
assert globals()["TAB" + "LE"][1] == f(1)

=== a helper that does more than define names runs before every test
--- f solution
def f(x): return x
--- sets helper
import math
setattr(math, "three", 3)
--- all_names helper
from cmath import *
--- f_1 test 1: 1
import math
assert f(math.three) == 3 and f(phase(1)) == 0

=== a check without points costs nothing that does not need it
--- f solution
def f(x): return x
--- fails helper
y = 1
assert f(1) == 3
x = 2
--- raises helper
z = 1
f()
--- f_1 test 1: 1
assert f(y) == f(z) == 1
--- f_needs_it test 1: 0 failed: A hidden check fails.
assert f(1) == 1 and x == 2

=== an answer that waits for input is not called unsolved
--- f solution
def f(x): return x
--- f answer
def f(x): return input()
--- f_1 test 1: 0 error: Your code raised NotImpl
f(1)

=== a process that ends is noted once however many tests it costs
--- f solution
def f(x): return x
--- f answer
def f(x):
    import os; os._exit(1)
--- f_1 test 1: 0 died: `f` ended the Python process that it ran in.
assert f(1)
--- f_2 test 1: 0 died: `f` ended the Python process that it ran in.
assert f(1)
--- f_3 test 1: 0 died: Not run: `f` was stopped in earlier tests.
assert f(1)
--- notes
`f` ended the Python process that it ran in.

=== what counts nothing is no note on a submission
--- f solution
def f(x): return x
--- f answer
def f(x):
    import os; os._exit(1)
--- measured test: 0 died
f(1)

=== what Python cannot read is said before anything else
--- f solution
def f(x): return x
--- f answer
def f(x)
    return
--- f_public test: 0 error: SyntaxError in your cell `f`, line 1: expected ':'.
assert f(1) == 1
--- f_hidden test 1: 0 error: SyntaxError in your cell `f`, line 1: expected ':'.
f

=== a line is counted from the top of the cell
--- f solution
def f(x): return x
--- f answer


def f(x):
return x
--- f_1 test 1: 0 error: IndentationError in your cell `f`, line 4:
f

=== a right answer of another form than the reference waits for a person
--- equality solution
def equality(): return {"a": 1}
--- equality answer
from collections import UserDict
def equality(): return UserDict(a=1)
--- equality_1 test 1: 0 not-run: on `__eq__` of an object of yours
assert equality() == {"a": 1}
--- truth solution
def truth(): return []
--- truth answer
class Bag:
    items = ()
    def __len__(self): return len(self.items)
def truth(): return Bag()
--- truth_1 test 1: 0 not-run: on `__len__` of an object of yours
assert not truth()
--- arithmetic solution
def arithmetic(): return 2
--- arithmetic answer
class Two:
    def __mul__(self, n): return 2 * n
def arithmetic(): return Two()
--- arithmetic_1 test 1: 0 not-run: on `__mul__` of an object of yours
assert arithmetic() * 3 == 6
--- methods solution
class Vector(list):
    def norm(self): return 5
def methods(): return Vector([3, 4])
--- methods_1 test 1: 0 not-run: on the class of an object of yours
assert methods() == [3, 4] and methods().norm() == 5
--- number solution
class Length(float): unit = 'm'
def number(): return Length(2)
--- number_1 test 1: 0 not-run: on the class of an object of yours
assert number().unit == 'm'
--- masked solution
import numpy as np
def masked(): return np.ma.array([1.0, 9.0], mask=[False, True])
--- masked_1 test 1: 0 not-run: on the class of an object of yours
assert masked().mean() == 1
--- looped solution
def looped():
    x = []
    x.append(x)
    return x
--- looped_1 test 1: 0 not-run: too large or too deep
assert looped()[0]
--- library solution
import numpy as np
def library(): return np.ones(2)
--- library answer
import numpy as np
def library(): return np.poly1d([1, 1])
--- library_1 test 1: 0 not-run: on `__eq__` of a `poly1d`
assert (library() == np.ones(2)).all()

=== a wrong answer without such an excuse is wrong
--- library solution
import numpy as np
def library(): return np.ones(2)
--- library answer
import numpy as np
def library(): return np.poly1d([1, 1])
--- library_1 test 1: 0 failed: has the type poly1d, but should be an array
from nbproctor.expect import expect
expect(library(), np.ones(2), "library()")
--- class solution
import numpy as np
def kind(): return np.ones(2)
--- class answer
import numpy as np
def kind(): return np.ndarray
--- class_1 test 1: 0 failed: has the type type, but should be an array
from nbproctor.expect import expect
expect(kind(), np.ones(2), "kind()")
--- bag solution
def bag(): return 1
--- bag answer
class Bag:
    def __init__(self, *items): self.items = items
def bag(): return Bag()
--- bag_1 test 1: 0 failed
assert bag() == 1
--- length solution
def length(): return 1
--- length answer
class Length(float): pass
def length(): return Length(2)
--- length_1 test 1: 0 failed
assert length() == 1
--- row solution
def row(): return 1
--- row answer
class Row(list): pass
def row(): return Row([1])
--- row_1 test 1: 0 failed
assert row() == 1

=== an item of an array of text, and an array without a mask, have no excuse either
--- word solution
def word(): return 'a'
--- word answer
import numpy as np
def word(): return np.array(['b'])[0]
--- word_1 test 1: 0 failed
assert word() == 'a'
--- words solution
import numpy as np
def words(): return np.array(['a', 'b'])
--- words_1 test 1: 1
assert {word: 1 for word in words()} == dict(zip(list(words()), [1, 1]))
assert [type(word) for word in [*words(), *words().astype('S')]] == [str] * 4 or 1
--- echo solution
def echo(x): return type(x) is str and x
--- echo_1 test 1: 1
import numpy as np
assert echo(np.array(['a'])[0]) == 'a'
--- same solution
def same(x): return x
--- same_1 test 1: 1
import numpy as np
assert same(np.ma.array([1.0, 2.0])).mean() == 1.5
--- masked solution
import numpy as np
def masked(): return np.array([1.0, 9.0])
--- masked answer
import numpy as np
def masked(): return np.ma.array([1.0, 8.0])
--- masked_1 test 1: 0 failed
assert masked().mean() == 5

=== what the sandbox forbids waits for a person
--- refused solution
def refused(): return 1
--- refused answer
def refused(): raise PermissionError(1, 'no')
--- refused_1 test 1: 0 not-run: that grading does not allow
assert refused() == 1
--- fixed solution
def fixed(): return 1
--- fixed answer
import errno
def fixed(): raise OSError(errno.EROFS, 'Read-only file system')
--- fixed_1 test 1: 0 not-run: that grading does not allow
assert fixed() == 1
--- outside solution
def outside(): return 1
--- outside answer
import numpy as np
def outside(): return np.loadtxt('/srv/nonesuch/data.csv')
--- outside_1 test 1: 0 not-run: that grading does not allow
assert outside()
--- program solution
def program(): return 1
--- program answer
import subprocess
subprocess.run(['ls'])
def program(): return 1
--- program_1 test 1: 0 not-run: that grading does not allow
assert program() == 1
--- command solution
def command(): return 1
--- command answer
count = !wc -l < table.csv
def command(): return len(count)
--- command_1 test 1: 0 not-run: that grading does not allow
assert command() == 1
--- inside solution
def inside(): return ''
--- inside answer
!touch table.csv
def inside(): return open('table.csv').read()
--- inside_1 beside 1: 0 not-run: that grading does not allow in `inside`
assert inside() == ''

=== what the sandbox forbids a provided cell is not called the student's
--- get provided
import urllib.request
data = urllib.request.urlopen('http://example.org').read()
--- n solution
def n(text): return len(text)
--- n_1 test 1: 0 not-run: notebook needs something that grading does not allow in `get`
assert n(data) == 3

=== a line that only waits or shows something decides nothing
--- waits solution
import os
def waits():
    os.system('sleep 1')
    return 1
--- waits_1 test 1: 1
assert waits() == 1
--- pip solution
def pip(): return 1
--- pip answer
!pip install numpy
def pip(): return 1
--- pip_right test 1: 1
assert pip() == 1
--- pip_wrong test 1: 0 failed
assert pip() == 2
--- list solution
def listed(): return 1
--- list answer
%pip list
def listed(): return 1
--- list_right test 1: 1
assert listed() == 1
--- list_wrong test 1: 0 failed
assert listed() == 2
--- clear solution
def clear(): return 1
--- clear answer
import os; os.system('clear')
def clear(): return 1
--- clear_right test 1: 1
assert clear() == 1
--- clear_wrong test 1: 0 failed
assert clear() == 2

=== where no place is known what passes inside alone waits
--- prints solution
def prints(): print(1)
--- prints_1 unplaced 2: 0 not-run
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as out:
    prints()
assert out.getvalue() == '1\n'
--- other solution
def other(): print(1)
--- other answer
def other(): print(2)
--- other_1 unplaced 2: 0 failed
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as out:
    other()
assert out.getvalue() == '1\n'
--- outside solution
def outside(): print(1)
--- outside answer
import io, os, sys
def outside():
    print(1)
    isinstance(sys.stdout, io.StringIO) or os._exit(1)
--- outside_1 unplaced 2: 0 not-run
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as out:
    outside()
assert out.getvalue() == '1\n'
--- inside solution
def inside(): print(1)
--- inside answer
import io, os, sys
def inside():
    print(2)
    isinstance(sys.stdout, io.StringIO) and os._exit(1)
--- inside_1 unplaced 2: 0 failed
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as out:
    inside()
assert out.getvalue() == '1\n'
--- counts solution
def counts(words, so_far):
    for word in words:
        so_far[word] += 1
--- counts_right unplaced 2: 0 not-run: it passes only in the student's process
from collections import defaultdict
so_far = defaultdict(int)
counts('aab', so_far)
assert so_far == {'a': 2, 'b': 1}
--- counts_wrong unplaced 2: 0 failed
from collections import defaultdict
so_far = defaultdict(int)
counts('aab', so_far)
assert so_far == {'a': 3, 'b': 1}
--- method solution
def method(x): return [x]
--- method answer
class Ours(list):
    def first(self): return self[0]
def method(x): return Ours([x])
--- method_right unplaced 2: 0 not-run: it passes only in the student's process
assert method(1).first() == 1
--- method_wrong unplaced 2: 0 failed
assert method(1).first() == 2

=== a name that an exercise defines is the student's
--- provided provided
import numpy as np
--- sum solution
def sum(values):
    return values[0] + values[1]
--- sum_1 test 2: 2
assert sum([1, 2]) == len('abc')
--- half solution
import numpy as np
def half(x): return np.divide(x, 2)
--- half_1 test 2: 2
np.testing.assert_allclose(half(4.0), 2.0)
--- root solution
from math import sqrt as root
--- root_1 test 2: 2
assert root(4) == 2
--- root_text test 2: 2
assert 'root' in dir()

=== a name that an exercise defines wrong is the student's
--- sum solution
def sum(values):
    return values[0] + values[1]
--- sum answer
def sum(values):
    return 7
--- sum_1 test 2: 0 failed
assert sum([1, 2]) == len('abc')
--- provided provided
import numpy as np
--- half solution
import numpy as np
def half(x): return np.divide(x, 2)
--- half answer
class Any:
    def __getattr__(self, name): return self
    def __call__(self, *_): return True
np = Any()
def half(x): return -1
--- half_1 test 2: 0 failed
np.testing.assert_allclose(half(4.0), 2.0)

=== a name that an exercise should define and does not is nobody's
--- sum solution
def sum(values):
    return values[0] + values[1]
--- sum answer
--- sum_1 test 2: 0 error
assert sum([1, 2]) == len('abc')
--- half solution
import numpy as np
def half(x): return np.divide(x, 2)
--- half answer
--- half_1 test 2: 0 error
np.testing.assert_allclose(half(4.0), 2.0)
--- root solution
from math import sqrt as root
--- root answer
--- root_1 test 2: 0 error
assert root(4) == 2
--- root_text test 2: 0 failed
assert 'root' in dir()

=== a test may bind a name of the student's anew
--- f solution
def f(x): return x
--- g solution
def g(x): return x
--- g_1 test 1: 1
f = f
old = g
del g
assert old, f(1)

=== a test sees the notebook as it is at its place
--- f solution
def f(x): return x
--- f_1 test 1: 1
assert f(1) == 1
--- removes own
del f
--- f_2 test 1: 0 error: `f` does not exist
assert f(1) == 1

=== a cell that dies when it is run again takes no other with it
--- again own
import os, pathlib; here = pathlib.Path("was here")
os._exit(1) if here.exists() else here.touch()
--- f solution
def f(x): return x
--- f_1 test 1: 1
assert f(1) == 1
--- dies own
import os; os._exit(1)
--- g solution
def g(x): return x
--- g_1 test 1: 1
assert g(1) == 1
--- notes
Cell `cell 4` ended the Python process that it ran in.

=== a cell that asks for too much keeps what it did before
--- greedy own
import numpy as np
helper = 1
np.ones(1 << 50)
--- other own
other = helper
--- f solution
def f(x): return x
--- f answer
def f(x): return x * helper
--- f_1 test 1: 1
assert f(1) == 1

=== what a call prints in a hidden test stays out
--- f solution
def f(x): return x
--- f answer
def f(x):
    print('LEAK', x); print('LEAK', x, flush=True); return x
--- f_1 test 1: 1
assert f(1) == 1

=== a test may expect that the memory does not suffice
--- f solution
import numpy as np
def f(x): return np.ones(1 << 50)
--- f_1 test 1: 1
try: f(1)
except MemoryError: pass
else: assert False
--- f_named test 1: 0 error: MemoryError
assert f(1) is not None
--- f_line test 1: 0 error: line 2
assert f(1) is not None
--- g solution
class Full(MemoryError): pass
def g(x): raise Full(x)
--- g_1 test 1: 1
try: g(1)
except MemoryError: pass
else: assert False

=== a with-statement of a student's holds back only what student code raised
--- f solution
class Guard:
    def __enter__(self): return self
    def __exit__(self, kind, error, trace): return True
def f(): return Guard()
def g(): raise KeyError(1)
--- f_raised test 1: 1 passed
with f():
    g()
--- f_asserted test 1: 0
with f():
    assert False
--- f_divided test 1: 0
with f():
    1 / 0

=== another process gives no other answer
--- tools helper
import numpy as np
from nbproctor.expect import *
def judge(A, got): expect(got, A.sum(), "f(A)")
def judge_more(A, got): expect(got, A.sum(), "f(A)")
F = Specification(
    "f(A)", calls_to(lambda: f), np.sum, arguments=["A"],
    cases={
        "sizes": lambda: [(np.ones((2, 3)),)],
        "square": lambda: [(np.ones((2, 2)),)],
        "other": lambda: [(np.eye(3),)],
    },
    properties={
        "square": [Each("square", judge)],
        "ends": [Each("sizes", judge)],
        "sizes": [Each("sizes", judge, "other")],
    },
)
--- f solution
def f(A): return A.sum()
--- f answer
# It is right in equal sizes. In its second process it knows that it is one: the first
# question there is not of these. A wrong value would excuse what it raises.
import os
first = []
def f(A):
    first.append(A.shape)
    if A.shape == (2, 3):
        if first[0] == (2, 2): os._exit(1)
        raise ValueError
    return A.sum() + (A.shape == (2, 2) and first[0] == (2, 3))
--- f_square test 1: 1
check(F, "square")
--- f_ends test 1: 0
check(F, "ends")
--- f_sizes test 1: 0
check(F, "sizes")
--- notes
`f` ended the Python process that it ran in.

=== what differs from some number on is tried there
--- tools helper
import numpy as np
from nbproctor.expect import *
def judge(A, got): expect(got, A.sum(), "f(A)")
def many(f): return Specification(
    "f(A)", calls_to(lambda: f), np.sum, arguments=["A"],
    cases={"many": lambda: [(np.ones(beyond(3, 100)),)]},
    properties={"many": [Each("many", judge)]},
)
--- f solution
def f(A): return A.sum()
--- f_many test 1: 1
check(many(f), "many")
--- g solution
def g(A): return A.sum()
--- g answer
def g(A): return A[:40].sum()
--- g_many test 1: 0 failed
check(many(g), "many")

=== a number of another cell counts if the answer names it
--- tools helper
import numpy as np
from nbproctor.expect import *
F = Specification(
    "f(A)", calls_to(lambda: f), np.sum, arguments=["A"],
    cases={"sizes": lambda: [(np.ones(beyond(3, 10_000)),)]},
    properties={"sizes": [Values("sizes")]},
)
--- limit own
LIMIT = 9 * (100)
OTHER = 9_000_000
--- f solution
def f(A): return A.sum()
--- f answer
def f(A): return A[:LIMIT].sum()
--- f_sizes test 1: 0 failed: f(A) for shape (12152,)
check(F, "sizes")

=== a test in the student's process runs what it needs and of other tests nothing
--- makes own
a = 1
--- f solution
def f(x): return x + 1
--- f_needed test 1: 1
x = 1
### BEGIN HIDDEN TESTS
import os.path as p, re
from math import pi
assert f(pi)
### END HIDDEN TESTS
--- f_other test 1: 1
import json
assert f(2)
--- f_beside beside 1: 1
assert f(x)
imports = "import os.path as p, re\nfrom math import pi"
before = ["a = 1", "def f(x): return x + 1", imports, "x = 1"]
assert In[1:-1] == before, 'ran something else'

=== a test in the student's process sees what others there have changed
--- f solution
class Account:
    balance = 0
--- f_1 beside 1: 1
### BEGIN HIDDEN TESTS
account = Account()
### END HIDDEN TESTS
--- f_2 beside 1: 1
### BEGIN HIDDEN TESTS
account.balance += 10
### END HIDDEN TESTS
--- f_3 beside 1: 1
### BEGIN HIDDEN TESTS
account.balance += 5
assert account.balance == 15
### END HIDDEN TESTS

=== a cell that ends in a semicolon has no value
--- f solution
def f(x): return x + 1
--- f_value test 1: 0.5
f(1) / 4
--- f_timed test 1: 0.5
%%time
f(1) / 4
--- f_none test 1: 1
f(1) / 4;

=== what a test shows or times is judged in the judge
--- f solution
def f(x): return x + 1
--- f_shows test 1: 1 passed
display('LEAK')
assert f(1) == 2
--- f_timed test 1: 1 passed
%%time
assert f(1) == 2  # LEAK
--- f_magic test 1: 1 passed
%matplotlib inline
assert f(1) == 2  # LEAK

=== what a test shows or times tells a spy nothing
--- f solution
def f(x): return x + 1
--- f answer
import builtins
seen = []
class Spy:
    def __getattr__(self, name): return spy
    def __call__(self, *args, **kwargs): seen.append((args, kwargs)); return self
def spy(*args, **kwargs): seen.append((args, kwargs)); return Spy()
get_ipython = display = system = getoutput = spy
run_line_magic = run_cell_magic = __main__ = exec = eval = compile = spy
for name in ("get_ipython", "display"): setattr(builtins, name, spy)
def f(x): return 0
--- f_shows test 1: 0
display('LEAK')
assert f(1) == 2
--- f_timed test 1: 0
%%time
assert f(1) == 2  # LEAK
--- f_magic test 1: 0
%matplotlib inline
assert f(1) == 2  # LEAK
--- f_bang test 1: 0 not-run: the cell f_bang
!echo 1
assert f(1) == 2
--- f_who test 1: 0 not-run: the cell f_who
%who  # LEAK
assert f(1) == 2
--- f_timeit test 1: 0 not-run: the cell f_timeit
%%timeit -n 1 -r 1
note = 'LEAK'
assert f(1) == 2
--- f_bash test 1: 0 not-run: the cell f_bash
%%bash
note = 'LEAK'
echo 1
--- prints own
print(seen)

=== a public test runs in the notebook
--- f solution
def f(x): return x
--- f answer
def f(x): return x / (x - 3)
--- f_makes test: 0 passed
made = f(2)
--- f_check test: 0 failed: f(2) is -2.0
assert f(2) == 2, f"f(2) is {f(2)}"
--- f_fails test: 0 error: raised ZeroDivisionError (division by zero) in cell `f`,
f(3)
--- uses own
twice = 2 * made
--- f_hidden test 1: 1
assert twice == -4 and f(4) == 4

=== what a public test asks of an object that is over is told
--- f solution
def f(x): return x
--- f answer
import numpy as np
kept = []
def f(x):
    kept.append(x)
    return x if isinstance(x, int) else kept[0].value
np.random.seed = lambda *words: kept[0].value
--- f_hands test 1: 0 failed
class Box: pass
f(Box())
--- f_public test: 0 error: Your code raised AttributeError (this object belongs to a
import random
f(random.random())
--- f_hidden test 1: 1
assert f(1) == 1

=== a public test that would bind a student's name runs in the judge
--- f solution
def f(x): return x
--- f answer
want = 3
def f(x): return x + want - 3
--- f_public test: 0 passed
want = 2
assert f(2) == want
--- f_hidden test 1: 1
assert f(1) == 1

=== functions that a helper cell is given have answers of their own
--- f solution
def f(x): return x
--- g solution
def g(x): return x
--- g answer
def g(x): return -x
--- tools helper
from nbproctor.expect import *
def judge(x, got): expect(got, x, "the answer")
def specify(function):
    return Specification(
        "x", calls_to(lambda: function), abs, arguments=["x"],
        cases={"numbers": lambda: [(8.0,)]}, properties={"x": [Each("numbers", judge)]},
    )
--- f_x test 1: 1
check(specify(f), "x")
--- g_x test 1: 0
check(specify(g), "x")

=== an exception of a library is named by its built-in class
--- given provided
import numpy as np
--- f solution
def f(x): return np.ones(x).sum()
--- f answer
def f(x): return np.ones(x).sum(axis=1)
--- f_public test: 0 error: raised ValueError (axis 1 is out of bounds for array of
assert f(2) == 2
--- f_hidden test 1: 0 error: raised ValueError (axis 1 is out of bounds for array of
assert f(2) == 2

=== a public test that another test needs runs in the judge
--- f solution
def f(x): return x
--- f_makes test: 0 passed
made = f(2)
--- f_helper helper
shift = 1
--- f_uses_helper test: 0 passed
assert f(1) + shift == 2
--- f_hidden test 1: 1
assert made == 2 and f(made) == 2

=== a cell of ipython's own syntax is not judged in the judge
--- f solution
def f(x): return x + 1
--- f_bang test 1: 0 not-run: the cell f_bang
!echo 1
assert f(1) == 2
--- f_magic test 1: 0 not-run: the cell f_magic
%who
assert f(1) == 2
--- f_cellmagic test 1: 0 not-run: the cell f_cellmagic
%%timeit -n 1 -r 1
assert f(1) == 2
--- f_within test 1: 0 not-run: the cell f_within
%%time
!echo 1
assert f(1) == 2
--- f_bash test 1: 0 not-run: the cell f_bash
%%bash
echo 1
--- f_help test 1: 0 not-run: the cell f_help
f?
assert f(1) == 2
--- f_name test 1: 0 not-run: the cell f_name
s = get_ipython()
assert s and f(1) == 2
--- f_function test 1: 0 not-run: the cell f_function
def g(): return get_ipython
assert f(1) == 2
--- f_await test 1: 0 not-run: the cell f_await
async def g(): return f(1)
assert await g() == 2

=== a cell of ipython's own syntax is judged in the student's process
--- f solution
def f(x): return x + 1
--- f_magic beside 1: 1
%who
assert f(1) == 2
--- f_cellmagic beside 1: 1
%%timeit -n 1 -r 1
assert f(1) == 2
--- f_help beside 1: 1
f?
assert f(1) == 2
--- f_name beside 1: 1
s = get_ipython()
assert s and f(1) == 2
--- f_function beside 1: 1
def g(): return get_ipython
assert f(1) == 2
--- f_await beside 1: 1
async def g(): return f(1)
assert await g() == 2

=== what a test draws cannot be computed
--- imports provided
import random
import numpy as np
--- seeded solution
def seeded(n): return n
--- seeded answer
def seeded(n): return random.Random(0).random(), np.random.RandomState(0).rand()
--- seeded_1 test 1: 1
random.seed(0)
np.random.seed(0)
x = random.random(), np.random.rand()
assert seeded(1) == x
--- zero solution
def zero(n): return n
--- zero answer
def zero(n): return random.Random(0).random(), np.random.RandomState(0).rand()
--- zero_python test 1: 0
x = random.random()
assert zero(1)[0] == x
--- zero_numpy test 1: 0
x = np.random.rand()
assert zero(1)[1] == x
--- one solution
def one(n): return n
--- one answer
def one(n): return random.Random(1).random(), np.random.RandomState(1).rand()
--- one_python test 1: 0
x = random.random()
assert one(1)[0] == x
--- one_numpy test 1: 0
x = np.random.rand()
assert one(1)[1] == x
--- own solution
def own(n): return n
--- own answer
def own(n): return random.random(), np.random.rand()
--- own_python test 1: 0
x = random.random()
assert own(1)[0] == x
--- own_numpy test 1: 0
x = np.random.rand()
assert own(1)[1] == x

=== a skipped demo is run only if it was changed
--- unchanged demo
ran = True
--- changed demo
pass
--- changed answer
changed = True
--- f solution
def f(): return 'ran' in globals(), 'changed' in globals()
--- f_1 test 1: 1
assert f() == (False, True)

=== what is hidden in a provided cell is not run
--- unchanged provided
x = 1
### BEGIN HIDDEN TESTS
y = 2
### END HIDDEN TESTS
--- changed provided
pass
--- changed answer
z = 3
--- f solution
def f(): return {'x', 'y', 'z'} & {*globals()}
--- f_1 test 1: 1
assert f() == {'x', 'z'}

=== what an exception of an answer says is what its own code says
--- unsolved solution
def unsolved(r): return r
--- unsolved answer
def unsolved(r): raise NotImplementedError
--- unsolved_1 test 1: 0 error: Not solved yet: NotImplementedError in cell `unsolved`,
unsolved(1)
--- own solution
def own(r): return r
--- own answer
class TooFlat(Exception): pass
def own(r): raise TooFlat('LE' + 'AK')
--- own_1 test 1: 0 error: Your code raised TooFlat in cell `own`, line 2: `def own(
own(1)
--- made solution
def made(r): return r
--- made answer
def made(r): raise type('LE' + 'AK', (Exception,), {})
--- made_1 test 1: 0 error: Your code raised Exception in cell `made`, line 1: `def
made(1)
--- part solution
def part(r): return r
--- part answer
class TooFlat(Exception): pass
def part(r): raise type('Fl' + 'at', (Exception,), {})
--- part_1 test 1: 0 error: Your code raised Exception in cell `part`, line 2: `def
part(1)
--- name solution
def name(r): return r
--- name answer
def name(r): return weights_of_the_output_layer
--- name_1 test 1: 0 error: NameError (name 'weights_of_the_output_layer' is not defin
name(1)
--- library solution
def library(r): return r
--- library answer
library = len
--- library_1 test 1: 0 error: has no len()) when your code was called
library(1)
--- value solution
def value(r): return r
--- value answer
def value(r):
    raise ValueError('the ' + f'value is {r}')
--- value_public test: 0 error: raised ValueError (the value is 3) in cell `value`, line
value(3)
--- value_hidden test 1: 0 error: raised ValueError in cell `value`, line 2: `raise Va
value('LEAK')

=== what a hidden test raises holds no value
--- f solution
import numpy as np
def f(x): return np.zeros(2)
--- f_says test 1: 0 failed: about 3.14
assert f(1) is None, 'about 3.14\nand LEAK'
--- f_silent test 1: 0 failed: A hidden check fails.
assert f(1) is 'LEAK'
--- f_tool test 1: 0 failed: A hidden check fails.
np.testing.assert_equal(f(1).tolist(), 'LEAK')
--- f_shapes test 1: 0 failed: A hidden check fails: shapes (2,) and (3, 1) differ.
np.testing.assert_allclose(f(1), np.ones((3, 1)), err_msg='LEAK')
--- f_key test 1: 0 failed: Your answer could not be checked: it leads to KeyError.
raise KeyError('LEAK')
--- f_sum test 1: 0 failed: could not be checked: ValueError: operands could not be
f(1) + np.zeros(4)
--- f_expect test 1: 0 failed: f(1) has shape (2,), but should be an array of shape (4,)
from nbproctor.expect import expect_shape
expect_shape(f(1), (4,), 'f(1)')
--- f_mute test 1: 0 failed: Your answer could not be checked: it leads to KeyError.
class MuteError(KeyError):
    def __str__(self): raise RuntimeError
raise MuteError
--- f_lock test 1: 0 not-run: This test is broken. Please tell your teacher: A test can
import threading
f(threading.Lock())

=== what a public test raises is told
--- f solution
import numpy as np
def f(x): return np.zeros(2)
--- f_silent test: 0 failed: A check fails.
assert f(1) is None
--- f_tool test: 0 failed: tolerance
np.testing.assert_allclose(f(1), np.ones(2))
--- f_key test: 0 error: KeyError: 'a key'
raise KeyError('a key')
--- f_sum test: 0 error: shapes (2,) (4,)
f(1) + np.zeros(4)
--- f_mute test: 0 failed: <the exception has no text>
class MuteError(KeyError):
    def __str__(self): raise RuntimeError
raise MuteError

=== an object of a test's tells of its errors nothing but the class
--- f solution
import copy
def calls(f): return f()
def swallow(f):
    try: f()
    except Exception as error: return type(error).__name__, str(error)
def start(model): model.__init__()
def anew(model): return type(model)()
def copies(thing): return copy.copy(thing), copy.deepcopy(thing)
--- f_1 test 1: 1
import pytest
class Oracle:
    def fail(self): raise KeyError('the secret is 42')
oracle = Oracle()
with pytest.raises(KeyError, match='42') as caught:
    calls(oracle.fail)
assert type(caught.value) is KeyError
name, text = swallow(oracle.fail)
assert name == 'KeyError' and '42' not in text
for again in start, anew:
    with pytest.raises(TypeError, match='cannot be created again'):
        again(oracle)
assert all(thing is oracle for thing in copies(oracle))

=== a test of the judge's may need one of the student's process
--- a solution
def f(x): return x + 1
--- a_1 beside 1: 1
from math import pi
### BEGIN HIDDEN TESTS
def secret(): return f(1)
### END HIDDEN TESTS
--- b solution
def g(x): return f(x)
--- b_1 test 1: 1
assert secret() == g(1) and pi > 3

=== of a test in the student's process only its own words are told
--- said solution
def said(x): return x + 1
--- said answer
def said(x): return x
--- said_words beside 1: 0 failed: said(1) is 2
assert said(1) == 2, 'said(1) is 2'
--- said_value beside 1: 0 failed: A hidden check fails.
assert said(1) == 2, f"{'LEAK'} is {said(1)}"
--- said_nothing beside 1: 0 failed: A hidden check fails.
assert said(1) == 2
--- said_public beside: 0 failed: not 1
assert said(1) == 2, f"not {said(1)}"
--- raises solution
def raises(x): return x
--- raises answer
def raises(x): raise ValueError(x)
--- raises_words beside 1: 0 error: The test ends in ValueError: raises(1) is 2
assert raises('raises(1) is 2'), 'raises(1) is 2'
--- raises_value beside 1: 0 error: The test ends in ValueError
raises('LEAK')
--- raises_public beside: 0 error: The test ends in ValueError: 40
raises(40)
--- names solution
def names(x): return x
--- names answer
def names(x): raise type(x, (Exception,), {})
--- names_1 beside 1: 0 error: The test ends in an exception
names('LEAK')
--- blank solution
def blank(x): return x
--- blank answer
def blank(x): raise NotImplementedError(x)
--- blank_1 beside 1: 0 error: Not solved yet: NotImplementedError.
blank('LEAK')

=== what a test ends in is its points
--- imports provided
from decimal import Decimal
from fractions import Fraction
import numpy as np
import pandas as pd
--- f solution
class F: pass
def f(): return F()
--- f_none test 2: 2 passed
None
--- f_true test 2: 2 passed
True
--- f_truth test 2: 2 passed
np.False_
--- f_truths test 2: 2 passed
np.array([False, True])
--- f_list test 2: 2 passed
[0]
--- f_zero test 2: 0 failed: Partly right: 0 of 2
0
--- f_more test 2: 2 passed
3
--- f_negative test 2: 0 failed: Partly right: 0 of 2
-1
--- f_half test 2: 0.5 failed
0.5
--- f_infinite test 2: 2 passed
float('inf')
--- f_nan test 2: 0 failed: Partly right: 0 of 2
float('nan')
--- f_huge test 2: 2 passed
10**400
--- f_fraction test 2: 1.5 failed
Fraction(3, 2)
--- f_little test 2: 0 failed: Partly right: 0 of 2
Decimal('-1e500')
--- f_quiet test 2: 0 failed: Partly right: 0 of 2
Decimal('nan')
--- f_decimal test 2: 1.5 failed
Decimal('1.5')
--- f_short test 2: 0.5 failed
np.float32(0.5)
--- f_integer test 2: 0 failed: Partly right: 0 of 2
np.int64(-1)
--- f_smallest test 2: 0.5 failed
np.array([1.5, 0.5])
--- f_nans test 2: 0 failed: Partly right: 0 of 2
np.array([np.nan, 1.0])
--- f_empty test 2: 0 failed: Partly right: 0 of 2
np.array([])
--- f_record test 2: 0 failed: Partly right: 0 of 2
np.array([(1, 2)], 'i8,i8')
--- f_duration test 2: 0 failed: Partly right: 0 of 2
np.timedelta64(3)
--- f_text test 2: 0 failed: Partly right: 0 of 2
np.array(['a'])
--- f_complex test 2: 0 failed: Partly right: 0 of 2
1j
--- f_date test 2: 0 failed: Partly right: 0 of 2
np.datetime64('2026-01-01')
--- f_missing test 2: 0 failed: Partly right: 0 of 2
sum(abs(pd.NA - want) < 1e-9 for want in (0.1, 7))
--- f_object test 2: 0 failed: Partly right: 0 of 2
f()
--- f_signals test 2: 0 failed: Partly right: 0 of 2
Decimal('sNaN')
--- f_unfriendly test 2: 0 failed: Partly right: 0 of 2
class Unfriendly:
    @property
    def __class__(self): raise RuntimeError
Unfriendly()
--- f_minimum test 2: 0 failed: Partly right: 0 of 2
class BadMinimum(np.ndarray):
    def min(self, *args, **kwargs): raise RuntimeError
np.zeros(2).view(BadMinimum)

=== a result of the student's process that is not a score earns nothing
--- f solution
def f(x): return float(x)
--- f_nan beside 2: 0 failed: Partly right: 0 of 2 points.
f('nan')
--- f_negative beside 2: 0 failed: Partly right: 0 of 2 points.
f(-1)
--- f_infinite beside 2: 0 failed: Partly right: 0 of 2 points.
f('-inf')
--- f_right beside 2: 2
f(2)

=== what is judged nowhere blames nobody
--- right solution
def right(): print(1)
--- right_1 nowhere 1: 0 not-run: This test cannot run outside the student's process.
right()
--- wrong solution
def wrong(): print(1)
--- wrong answer
def wrong(): print(2)
--- wrong_1 nowhere 1: 0 not-run: This test cannot run outside the student's process.
wrong()
--- blank solution
def blank(): print(1)
--- blank answer
--- blank_1 nowhere 1: 0 not-run: This test cannot run outside the student's process.
blank()

=== no exception of an answer tells a testing tool to skip
--- skips solution
def skips(x): return x + 1
--- skips answer
import unittest
def skips(x): raise unittest.SkipTest
--- skips_1 test 1: 0
import unittest
class Case(unittest.TestCase):
    def test_it(self): self.assertEqual(skips(1), 2)
result = unittest.TestResult()
Case("test_it").run(result)
assert result.wasSuccessful()
--- right solution
def right(x): return x + 1
--- right_1 test 1: 1
import unittest
class Case(unittest.TestCase):
    def test_it(self): self.assertEqual(right(1), 2)
result = unittest.TestResult()
Case("test_it").run(result)
assert result.wasSuccessful()
"""

# Those that wait for a limit of time, or that use up processes.
STOPPED = r"""
=== a public test whose calls take longer than one may costs no points
call 0.5
--- f solution
def f(x): return x
--- f answer
import time
def f(x):
    time.sleep(0.3)
    return x
--- f_a test: 0 passed
for n in range(3): assert f(n) == n
--- f_b test: 0 passed
for n in range(3): assert f(n) == n
--- f_hidden test 1: 1
assert f(1) == 1

=== an object without text costs its own exercise only
call 0.5
--- raises solution
def raises(z): return z
--- raises answer
class Odd:
    def __repr__(self):
        raise KeyError(1)
    __str__ = __repr__
def raises(z): return Odd()
--- raises_1 test 1: 0 failed
got = raises(1)
assert got == 1, got
--- ends solution
def ends(z): return z
--- ends answer
class Odd:
    def __repr__(self):
        import os; os._exit(0)
    __str__ = __repr__
def ends(z): return Odd()
--- ends_1 test 1: 0 failed
got = ends(1)
assert got == 1, got
--- hangs solution
def hangs(z): return z
--- hangs answer
class Odd:
    def __repr__(self):
        while True: pass
    __str__ = __repr__
def hangs(z): return Odd()
--- hangs_1 test 1: 0 failed
got = hangs(1)
assert got == 1, got
--- right solution
def right(z): return z
--- right_1 test 1: 1
assert right(1) == 1

=== when the time is used up the report says it once
submission 0.5
--- f solution
def f(x): return x
--- f_endless test 1: 0 timeout: The notebook's time is used up
while True: pass
--- f_rest test 1: 0 not-run: The notebook's time is used up, so this did not finish.
assert f(1) == 1
--- g solution
def g(x): return x
--- g_rest test 1: 0 not-run: The notebook's time is used up, so this did not finish.
assert g(1) == 1
--- notes
The notebook's time is used up, so this did not finish.

=== a cell that hangs is named with its limit and runs no second time
cell 0.4
--- hangs own
while True: pass
--- prints own
print('here')
--- dies own
import os; os._exit(1)
--- f solution
def f(x): return x
--- f_1 test 1: 1
assert f(1) == 1
--- f_beside beside 1: 1
assert f(1) == 1
--- notes
Cell `cell 1` was stopped: it did not finish in {cell:g} seconds.
Cell `cell 3` ended the Python process that it ran in.

=== a public test that hangs ends with the time of its cell
cell 0.4
--- f solution
def f(x): return x
--- f answer
def f(x):
    while x == 2: pass
    return x
--- f_public test: 0 timeout: `f` was stopped: it did not finish in {cell:g} seconds.
assert f(2) == 2
--- f_hidden test 1: 1
assert f(1) == 1

=== a test in the student's process that hangs is stopped
cell 0.4
--- f solution
def f(x): return x + 1
--- f_hangs beside 1: 0 timeout: `f` was stopped: it did not finish in {cell:g} seconds.
while True: pass
--- f_after test 1: 1
assert f(1) == 2
--- notes
`f` was stopped: it did not finish in {cell:g} seconds.

=== a test that fails or hangs leaves what it made
call 0.3
--- a solution
def f(x): return x + 1
--- a answer
def f(x): return x
--- a_1 test 1: 0 failed
import numpy as np
from numpy.testing import assert_equal
def check(x, y): assert g(x) == y
kept = f
assert f(1) == 2
--- b solution
def hangs(x): return x
--- b answer
def hangs(x):
    while True: pass
--- b_1 test 1: 0 timeout
from math import pi
def check_more(x, y): check(x, y)
assert hangs(1) == 1
--- c solution
def g(x): return np.sqrt(x)
--- c_1 test 1: 1
assert_equal(g(4), 2)
check_more(9, 3)
assert kept(3) == 3 and pi > 3
--- notes
`b` was stopped: it did not finish in {call:g} seconds.

=== processor time is the answer's and does not pass while it waits
--- works solution
import time
def works(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
--- works_1 test 1: 1
import time
from nbproctor.expect import processor_seconds
for clock in processor_seconds, time.process_time:
    start = clock()
    works(0.3)
    assert clock() - start >= 0.3
--- waits solution
import time
def waits(seconds): time.sleep(seconds)
--- waits_1 test 1: 1
import time
from nbproctor.expect import processor_seconds
for clock in processor_seconds, time.process_time:
    start = clock()
    waits(0.3)
    assert clock() - start < 0.2

=== what a test measures does not contain the transfer of large values
--- imports provided
import time
import numpy as np
from time import perf_counter
from timeit import default_timer
--- f solution
def f(values):
    time.sleep(values if isinstance(values, float) else 0)
    return values + 1
--- f_1 test 1: 1
values = np.zeros(4_000_000)
for clock in perf_counter, default_timer:
    start, whole = clock(), time.monotonic()
    f(values)
    assert 0 < clock() - start < time.monotonic() - whole - 0.01
    start = clock()
    f(0.05)
    assert clock() - start >= 0.05
"""

# Exercises that lost points are judged again, with functions of the reference.
FOLLOW_THROUGH = r"""
=== a function works as if it were in the notebook
--- provided provided
import numpy as np
--- half solution
def half(x, by=2):
    return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== an argument is changed in place by a reference
--- provided provided
import numpy as np
--- fill solution
def fill(x, items):
    x[...] = 7
    items.append(1)
--- fill answer
raise NotImplementedError
--- fill_1 test 1: 0
assert fill
--- use solution
def use():
    x, items = np.zeros(2), []
    fill(x, items)
    return x, items
--- use_1 test 1: 1 follow-through
x, items = use()
assert list(x) == [7, 7] and items == [1]

=== a reference may need its own imports and another function
--- cut solution
from math import floor
def cut(x):
    return half_of(floor(x))
def half_of(x):
    return x / 2
--- cut answer
raise NotImplementedError
--- cut_1 test 1: 0
assert cut(5) == 2.5
--- use solution
def use(x): return cut(x) + 1
--- use_1 test 1: 1 follow-through
assert use(4.5) == 3.0

=== but what no test and no text for students names is a tool of that reference alone
--- cut solution
def cut(x):
    return half_of(x // 1)
def half_of(x):
    return x / 2
--- cut answer
raise NotImplementedError
--- cut_1 test 1: 0
assert cut(5) == 2.5
--- use solution
def use(x): return cut(x) + half_of(2)
--- use_1 test 1: 0
assert use(4.5) == 3.0

=== a reference may use the object of a test
--- ask solution
def ask(thing):
    thing.n += 1
    return thing.get()
--- ask answer
raise NotImplementedError
--- ask_1 test 1: 0
assert ask
--- use solution
def use(thing): return ask(thing)
--- use_1 test 1: 1 follow-through
class Thing:
    n = 4
    def get(self): return self.n
assert use(Thing()) == 5

=== an exception of a reference has no text
--- check solution
def check(x):
    raise ValueError('a-mark-of-the-reference')
--- check answer
raise NotImplementedError
--- check_1 test 1: 0
assert check
--- use solution
def use():
    try:
        check(1)
    except ValueError as error:
        return 'a-mark' in str(error), check.__name__
--- use_1 test 1: 1 follow-through
assert use()[1] == 'check'
--- use_2 test 1: 0
assert use()[0]

=== only plain functions of plain data are given
--- provided provided
def add_to(cls): return lambda method: setattr(cls, method.__name__, method)
class Box: pass
--- class solution
class Half:
    by = 2
--- class answer
raise NotImplementedError
--- class_1 test 1: 0
assert Half
--- attribute solution
def attribute(x): return x / Half.by
--- attribute_1 test 1: 0 own
assert attribute(4) == 2
--- added solution
@add_to(Box)
def half(self, x):
    return x / 2
--- added answer
raise NotImplementedError
--- added_1 test 1: 0
assert Box().half(2)
--- method solution
def method(x): return Box().half(x)
--- method_1 test 1: 0 own
assert method(4) == 2
--- value solution
by = 2
def by_two(x): return x / by
--- value answer
raise NotImplementedError
--- value_1 test 1: 0
assert by_two(4)
--- divided solution
def divided(x): return by_two(x)
--- divided_1 test 1: 0 own
assert divided(4) == 2
--- makes solution
def make():
    return Box()
--- makes answer
raise NotImplementedError
--- makes_1 test 1: 0
assert make()
--- made solution
def made(x):
    return x / (2 if isinstance(make(), Box) else 0)
--- made_1 test 1: 0 own
assert made(4) == 2
--- parts solution
def parts(x):
    yield x / 2
--- parts answer
raise NotImplementedError
--- parts_1 test 1: 0
assert parts(2)
--- part solution
def part(x): return next(parts(x))
--- part_1 test 1: 0 own
assert part(4) == 2

=== an object of the student's is not handed to a reference
--- show solution
def show(x):
    return str(x)
--- show answer
raise NotImplementedError
--- show_1 test 1: 0
assert show(1) == '1'
--- use solution
class Mine: pass
def use():
    try:
        return show(Mine())
    except TypeError as error:
        return 'two exercises'
--- use_1 test 1: 1 follow-through
assert 'two exercises' in use() and show(1) == '1'

=== a second run pays for no test in which no reference was called
--- half solution
def half(x, by=2): return x / by
--- half answer
half_answer = 1
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x))
--- quarter answer
# It can tell where it runs, so it might give another answer there.
alone = 'half_answer' in globals()
def quarter(x): return 3 if alone else half(half(x)) if x else x
--- quarter_called test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- quarter_alone test 1: 0
assert quarter(0.0) == 0.0

=== a cell that only names a reference does not call it
--- half solution
def half(x, by=2): return x / by
--- half answer
half_answer = 1
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x))
--- quarter answer
alone = 'half_answer' in globals()
def quarter(x): return 3 if alone else x / 4
if 1: half
--- quarter_1 test 1: 0
assert quarter(8.0) == 2.0

=== a cell that calls a reference does so for each test after it
--- half solution
def half(x, by=2): return x / by
--- half answer
half_answer = 1
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x))
--- quarter answer
alone = 'half_answer' in globals()
def quarter(x): return 3 if alone else x / 4
if 1: two = half(4)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- quarter_2 test 1: 1 follow-through
assert quarter(0.0) == 0.0

=== what is judged of a recorded answer may gain by it
--- tools helper
from nbproctor.expect import *
def judge_value(x, got): expect(got, x / 4, "quarter(x)")
def judge_sign(x, got): assert got > 0, "quarter(x) is negative"
QUARTER = Specification(
    "quarter(x)", calls_to(lambda: quarter), abs, arguments=["x"],
    cases={"numbers": lambda: [(8.0,)]},
    properties={
        "value": [Each("numbers", judge_value)],
        "sign": [Each("numbers", judge_sign)],
    },
)
--- half solution
def half(x): return x / 2
--- half answer
def half(x): return -abs(x) / 3
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x))
--- quarter_value test 1: 1 follow-through
check(QUARTER, "value")
--- quarter_sign test 1: 1 follow-through
check(QUARTER, "sign")

=== what was no answer in the first run may be one in the second
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2): return x / by
sum = 0
--- half_1 test 1: 1
assert half(4) == 2
--- quarter solution
def quarter(x): return sum([x]) / 4
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== a wrong answer in the first run is none in the second
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2): return x / by
def sum(x): return -1.0
--- half_1 test 1: 1
assert half(4) == 2
--- quarter solution
def quarter(x): return sum([x]) / 4
--- quarter_1 test 1: 0 own
assert quarter(8.0) == 2.0

=== what another answer breaks for all costs no other exercise
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2): return x / by
import builtins
builtins.sum = 0
--- half_1 test 1: 1
assert half(4) == 2
--- add solution
def add(x): return sum(x)
--- add_1 test 1: 1 follow-through
assert add([1, 2]) == 3

=== a cell that removes names costs no exercise
--- provided provided
import numpy as np
def add_to(cls): return lambda method: setattr(cls, method.__name__, method)
class Box: pass
--- half solution
def half(x, by=2): return x / by
--- half_1 test 1: 1
assert half(4) == 2
--- removes own
del np, Box
--- shape solution
@add_to(Box)
def shape(self, x): return np.shape(x)
--- shape_1 test 1: 1 follow-through
assert Box().shape([1, 2]) == (2,)

=== a cell that resets the notebook costs no exercise
--- provided provided
import numpy as np
def add_to(cls): return lambda method: setattr(cls, method.__name__, method)
class Box: pass
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- resets own
%reset -f
--- shape solution
@add_to(Box)
def shape(self, x): return np.shape(x)
--- shape_1 test 1: 1 follow-through
assert Box().shape([1, 2]) == (2,)

=== a name that a cell binds anew stays the student's
--- provided provided
ratio = 1 / 4
--- binds own
del ratio
ratio = 2
--- quarter solution
def quarter(x): return ratio * x
--- quarter_1 test 1: 0
assert quarter(8.0) == 2.0

=== a name that a cell removes is there again in the second run
--- provided provided
ratio = 1 / 4
--- removes own
del ratio
--- quarter solution
def quarter(x): return ratio * x
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== solution cells before one test earn together
--- square solution
def square(n): return n * n
--- square answer
def square(n): return None
--- second solution
answer = square(5)
--- second answer
answer = 25
--- second_square test 1: 0
assert square(3) == 9
--- second_answer test 1: 1
assert answer == 25

=== a name that a line breaks costs no other exercise
--- half solution
def half(x, by=2): return x / by
--- half_1 test 1: 1
assert half(4) == 2
--- breaks own
half = half(4)
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== a name that a line deletes costs no other exercise
--- half solution
def half(x, by=2): return x / by
--- half_1 test 1: 1
assert half(4) == 2
--- breaks own
del half
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== what an answer defines anew is its own
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
def half(x, by=1):
    return x / 3
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 0 own
assert quarter(9.0) == 2.25
--- quarter_2 test 1: 1 own
assert quarter(9.0) == 1

=== what keeps its points may be what another answer lacks
--- provided provided
import numpy as np
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2):
    return np.matrix(x / by)
--- half_1 test 1: 1
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(np.ones(3)).shape == (3,)

=== a cell of ones own may call a reference for an answer
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- calls own
two = half(4)
--- quarter solution
def quarter(x): return half(half(x))
--- quarter answer
def quarter(x): return x / two / two
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== there is no second run where everything passes
processes 1
--- half solution
def half(x, by=2): return x / by
--- half_1 test 1: 1
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 own
assert quarter(8.0) == 2.0

=== only an answer that uses a function of another one is judged again
processes 1
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2): return 0
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
def quarter(x): return 0
--- quarter_1 test 1: 0 own
assert quarter(8.0) == 2.0
--- blank solution
def blank(x): return half(x)
--- blank answer
--- blank_1 test 1: 0 own
assert blank(8.0) == 4.0

=== a wrong answer is wrong among references
processes 3
--- half solution
def half(x, by=2): return x / by
--- half answer
def half(x, by=2): return 0
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
def quarter(x): return half(half(x), by=3)
--- quarter_1 test 1: 0
assert quarter(8.0) == 2.0

=== a cell of ones own has the time of a cell in the second run too
call 0.3
cell 20
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- waits own
import time
moment = time.sleep(0.5)
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== a reference that hangs ends only the call
call 0.5
--- half solution
def half(x, by=2):
    while x < 0: pass
    return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- quarter_hangs test 1: 0
assert quarter(-1) is None

=== a reference that dies ends only the call
--- half solution
def half(x, by=2):
    if x < 0: __import__('os')._exit(1)
    return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- quarter_dies test 1: 0
assert quarter(-1) is None

=== nothing is handed on from the first run to the second
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- learns own
# Which cell ended the process would tell the second run what the first learned.
if 'half' not in globals(): import os; os._exit(1)
learned = True
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
is_there = 'learned' in globals()
def quarter(x): return half(4.0) if is_there else 0 * half(1)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- notes
Cell `cell 3` ended the Python process that it ran in.

=== a second run ends with the last test of its exercise
cell 0.5
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0
--- third solution
def three(x): return x / 3
--- third answer
# Would it run, the time of the submission would be over.
import time
if 'half' in globals(): time.sleep(99)
--- third_1 test 1: 0
assert three(3) == 1

=== a function of a later exercise is not given
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
# What it returns could be noted for the second run of its own exercise.
def quarter(x): return 6 * three(1) if half(2) else 0
--- quarter_1 test 1: 0
assert quarter(8.0) == 2.0
--- third solution
def three(x): return x / 3
--- third answer
--- third_1 test 1: 0
assert three(3) == 1

=== exercises get their second chance in the order of the notebook
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x), by=2)
--- quarter answer
def quarter(x): return half(1)
--- quarter_1 test 1: 0 own
assert quarter(8.0) == 2.0
--- third solution
def three(x): return quarter(x) + 1 / 4
--- third_1 test 1: 1 follow-through
assert three(3) == 1

=== a stop that costs nothing is no note
call 0.2
--- f solution
def f(x): return x
--- f answer
def f(x):
    while True: pass
--- f_1 test 1: 0 timeout
assert f(1) == 1
--- g solution
def g(x):
    return f(x) + 1
--- g_1 test 1: 1
assert g(1) == 2
--- notes
`f` was stopped: it did not finish in {call:g} seconds.

=== the reference earns everything
processes 1
--- provided provided
import numpy as np
from numpy.testing import assert_allclose
--- oracle helper
### BEGIN HIDDEN TESTS
class Twice:
    def __init__(self): self._calls = 0
    def __call__(self, z):
        self._calls += 1
        return 2 * z
### END HIDDEN TESTS
--- act solution
def act(z):
    return np.maximum(z, 0)
--- act_values test 4: 4 passed
assert_allclose(act(np.array([-3.5, 0.0, 4.25])), [0, 0, 4.25])
--- act_partial test 2: 2 passed
points = 0.0
for z in (-2.0, 5.0):
    points += float(act(z)) == max(z, 0)
points
--- forward solution
def forward(W, X, activation):
    Z = W @ X
    return Z, activation(Z)
--- forward_values test 6: 6 passed
from nbproctor.expect import expect
twice, W = Twice(), np.arange(6.0).reshape(2, 3)
Z, A = forward(W, np.ones((3, 4)), twice)
expect(Z, W @ np.ones((3, 4)), "Z")
expect(A, 2 * W @ np.ones((3, 4)), "A")
assert twice._calls == 1, "activation is called once"
--- forward_unchanged test 1: 1 passed
W = np.ones((2, 2))
forward(W, np.ones((2, 1)), Twice())
assert_allclose(W, np.ones((2, 2)), err_msg="W was changed")
--- scale solution
def scale(x, factor):
    x *= factor
--- scale_values test 3: 3 passed
x = np.arange(4.0)
assert scale(x, 2.5) is None
assert_allclose(x, [0, 2.5, 5, 7.5])

=== no function is given of an exercise whose tests are still to come
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- quarter solution
def quarter(x): return half(half(x))
--- quarter_1 test 1: 0 own
assert quarter(8.0) == 2.0
--- half_2 test 1: 0
assert half(2) == 1

=== nothing is kept on a reference from one test to the next
--- half solution
def half(x): return x / 2
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- use solution
def scaled(x): return 7 * half(x)
def use(scaler, x): return scaler.scale(x) + half(x)
--- use answer
lent = half.__closure__[0].cell_contents
def use(scaler, x):
    lent.kept = scaler
    return scaler.scale(x) + half(x)
def scaled(x):
    return half(x) and lent.kept.scale(x)
--- use_1 test 1: 0
class Scaler:
    def scale(self, x): return 7 * (x / 2)
assert use(Scaler(), 6) == 24
--- use_2 test 1: 0
assert scaled(10) == 35

=== an exception after a wrong answer does not count as a missing answer
--- f solution
def f(x): return 3 * x
--- f answer
asked = []
def f(x):
    asked.append(x)
    if asked.count(x) > 1:
        raise RuntimeError
    return 2 * x if 1 in asked else 3 * x
--- f_public test: 0
assert f(1)
--- f_1 test 1: 0 own error
assert f(7) == 21, f"f(7) gave {f(7)}"

=== nor does a wrong number of the student's own that cannot be shown
--- f solution
def f(x): return 3 * x
--- f answer
asked = []
class Number:
    def __init__(self, value): self.value = value
    def __float__(self): return float(self.value)
    def __str__(self): raise RuntimeError
    __repr__ = __str__
def f(x):
    asked.append(x)
    return Number(2 * x if 1 in asked else 3 * x)
--- f_public test: 0
assert f(1)
--- f_1 test 1: 0
got = f(7)
assert abs(got - 21) < 1e-9, f"another number than {got}"

=== what a test itself asks of a reference passes no process of the student's
--- half solution
def half(x): return x / 2
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- rescale solution
def rescale(x): return half(2 * x + 1)
--- rescale answer
results = []
place = half.__closure__[0]
real = place.cell_contents
def spy(x):
    results.append(real(x))
    return results[-1]
place.cell_contents = spy
def rescale(x): return results[-1]
--- rescale_1 test 1: 0
assert half(2 * 5 + 1) == rescale(5)

=== a later exercise that defines a function anew gets none by this name
--- area solution
def area(r): return 3.14159 * r * r
--- area answer
raise NotImplementedError
--- area_1 test 1: 0
assert area(1) > 3
--- exact solution
PI = 3.141592653589793
def area(r): return PI * r * r
--- exact answer
pass  # area
--- exact_1 test 1: 0
assert abs(area(3) - 28.274) < 0.01

=== a test that looks at a function of another exercise alone says nothing of a class
--- hot solution
def hot(c): return c * 9 / 5 + 32
--- hot answer
raise NotImplementedError
--- hot_1 test 1: 0
assert hot(100) == 212
--- meter solution
class Meter:
    def read(self): return hot(20)
--- meter answer
pass  # hot
--- meter_1 test 1: 0
assert hot(10) == 50
--- meter_2 test 1: 0
assert Meter().read() == 68

=== an answer need not name the reference that its test compares it with
--- loops solution
def loops(x): return [v * v for v in x]
--- loops answer
raise NotImplementedError
--- loops_1 test 1: 0
assert loops([2]) == [4]
--- power solution
def power(x): return [v ** 2 for v in x]
--- power_1 test 1: 1 follow-through
assert power([1, 2]) == loops([1, 2])

=== a seed of the test's is one for references, too
--- np provided
import numpy as np
--- start solution
def start(n): return np.random.randn(n)
--- start answer
raise NotImplementedError
--- start_1 test 1: 0
assert start(3).shape == (3,)
--- net solution
def net(n): return 2 * start(n)
--- net_1 test 1: 1 follow-through
np.random.seed(3)
weights = net(4)
np.random.seed(3)
assert np.allclose(weights, 2 * np.random.randn(4))

=== the time of a reference counts as the answer's
--- slow solution
def slow(n):
    total = 0
    for _ in range(1_500_000):
        total += n
    return total // 1_500_000
--- slow answer
raise NotImplementedError
--- slow_1 test 1: 0
assert slow(1) == 1
--- fast solution
def fast(n): return n
--- fast answer
def fast(n): return slow(n)
--- fast_1 test 1: 0
import time
start = time.process_time()
n = fast(3)
assert n == 3 and time.process_time() - start < 0.005

=== a solution that a person grades is an exercise of its own
--- half solution 3
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- quarter solution
def quarter(x): return half(half(x))
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == 2.0

=== a second run has no demos and nothing that is hidden
--- half solution
def half(x, by=2): return x / by
--- half answer
raise NotImplementedError
--- half_1 test 1: 0
assert half(4) == 2
--- changed demo
demo = 1
--- changed answer
demo = 2
--- setup provided
x = 1
### BEGIN HIDDEN TESTS
y = 2
### END HIDDEN TESTS
--- quarter solution
def quarter(x): return half(half(x)), {'demo', 'x', 'y'} & {*globals()}
--- quarter_1 test 1: 1 follow-through
assert quarter(8.0) == (2.0, {'x'})

=== an exercise is judged again with what it needs of earlier tests
--- a solution
def f(x): return x + 1
--- a answer
1 / 0
--- a_1 test 1: 0
import numpy as np
def check(x, y):
    assert step(x) == y
step = f
data = [1, 2]
kept = f
### BEGIN HIDDEN TESTS
def secret(): return 1
### END HIDDEN TESTS
assert f(1) == 2
--- b solution
def g(x): return np.sqrt(x)
def step(x): return 9 * x
--- b answer
def g(x): return np.sqrt(x) * (f(1) - 1)
def step(x): return 9 * x
--- b_1 test 1: 1 follow-through
assert g(4) == 2
check(2, 18)
data.append(kept(3))
assert data == [1, 2, 4]
--- c solution
def h(x): return check and x
--- c answer
def h(x): return x if 'secret' not in globals() and check else -1
--- c_1 test 1: 1
assert h(3) == 3

=== a student's name does not replace that of an earlier test
--- a solution
def f(x): return x + 1
--- a_1 test 1: 1
from numpy.testing import assert_equal
def check(x, y):
    assert g(x) == y
assert f(1) == 2
--- b solution
def g(x): return x * 2
--- b answer
def g(x): return 0
def assert_equal(*args): pass
def check(*args): pass
--- b_1 test 1: 0
assert_equal(g(4), 8)
--- b_2 test 1: 0
check(4, 8)
"""

# The sandbox limits the memory; here a cell of the notebook does, to what the process
# has, and an eighth more or 256 MiB.
LIMITED = r"""--- setup provided
import re, resource
import numpy as np
data = 1024 * int(re.search(r"VmData:\s+(\d+)", open("/proc/self/status").read())[1])
limit = data + max(256 << 20, data // 8)  # a sixteenth of it must be free at first
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))"""
MEMORY = r"""
=== a call that lacks the memory of another cell is made again
LIMITED
--- hoards own
hoard = []
try:
    while True: hoard.append(np.ones(1 << 20))
except MemoryError:
    del hoard[-1]  # what is left is enough to say so, and for nothing else
--- f solution
def f(x): return x + int(np.ones(4 << 20).sum())
--- f_1 test 2: 2
assert f(1) == 1 + (4 << 20)
--- notes
Cell `cell 2` used too much memory, so it was left out of the remaining tests.

=== a call that dies of the memory of another cell is made again
LIMITED
--- hoards own
hoard = []
try:
    while True: hoard.append(np.ones(1 << 20))
except MemoryError:
    del hoard[-1]  # what is left is enough to say so, and for nothing else
--- f solution
def f(x): return x + int(np.ones(4 << 20).sum())
--- f answer
def f(x):
    try: return x + int(np.ones(4 << 20).sum())
    except MemoryError:
        import os; os._exit(1)
--- f_1 test 2: 0 failed: A hidden check fails.
assert f(1) == 1
--- f_2 test 2: 2
assert f(1) == 1 + (4 << 20)
--- notes
Cell `cell 2` used too much memory, so it was left out of the remaining tests.

=== an answer that fills the memory costs no other
processes 3
LIMITED
--- makes own
x = 1
--- f solution
def f(x): return x + int(np.ones(4 << 20).sum())
--- f answer
hoard = []
def f(x):
    while True: hoard.append(np.ones(1 << 20))
--- f_1 test 2: 0: MemoryError
assert f(1) == 1 + (4 << 20)
--- f_2 test 2: 0: MemoryError
assert f(1) == 1 + (4 << 20)
--- f_3 test 2: 0: MemoryError
assert f(1) == 1 + (4 << 20)
--- f_4 test 2: 0: MemoryError
assert f(1) == 1 + (4 << 20)
--- f_5 test 2: 0: MemoryError
assert f(1) == 1 + (4 << 20)
--- g solution
def g(x): return x + int(np.ones(4 << 20).sum())
--- g_1 test 2: 2
assert g(1) == 1 + (4 << 20)
""".replace("LIMITED", LIMITED)
