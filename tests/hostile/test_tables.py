"""Tables and estimators that lie: they earn nothing, and harm nobody.

The hidden tests are written as courses write them, with pandas's own assertions,
and ``isinstance``. `control` stays honest in every case.
"""

from __future__ import annotations

import pytest

from nbproctor.engine import Servers, Settings
from nbproctor.sandbox.policy import Policy
from tests.copies import read_document
from tests.hostile.trap import Assignment
from tests.timing import limits

pytestmark = pytest.mark.slow
SETUP = """\
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression"""
ANSWERS = {
    "table": """\
def table(n):
    return pd.DataFrame({"n": range(n), "square": [i * i for i in range(n)]})""",
    "model": """\
def model(X, y):
    return LinearRegression().fit(X, y)""",
    "count": """\
def count(frame):
    return len(frame)""",
    "control": """\
def total(frame):
    return frame["n"].sum()""",
}
FRAME = "want = pd.DataFrame({'n': range(4), 'square': [0, 1, 4, 9]})"
TESTS = f"""
--- table-equal 1
{FRAME}
pd.testing.assert_frame_equal(table(4), want)
--- table-class 1
assert isinstance(table(4), pd.DataFrame)
--- table-equals 1
{FRAME}
assert want.equals(table(4))
--- table-method 1
{FRAME}
assert table(4).equals(want)
--- table-all 1
{FRAME}
assert (table(4) == want).all().all()
--- table-loop 1
got = table(4)
assert len(got) == 4
assert [row.square for row in got.itertuples()] == [0, 1, 4, 9]
--- model-class 1
got = model(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
assert isinstance(got, LinearRegression)
--- model-type 1
got = model(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
assert type(got) is LinearRegression
assert type(got).__name__ == 'LinearRegression'
--- model-subclass 1
kind = type(model(np.array([[0.0], [1.0]]), np.array([0.0, 2.0])))
assert issubclass(kind, LinearRegression) or kind == LinearRegression
--- count-equal 1
assert count(pd.DataFrame({{'n': [1, 2]}})) == 2
--- count-in 1
assert count(pd.DataFrame({{'n': [1, 2]}})) in [2, 2.0]
--- control-sum 1
frame = pd.DataFrame({{'n': [1, 2]}})
assert total(frame) == 3
assert list(frame.columns) == ['n']"""
TABLES = Assignment("tables", SETUP, ANSWERS, TESTS)


# Replaces what goes over the wire in the place of a `Token`.
FORGE = """\
from nbproctor.protocol.table import Row, add_rows
class Token: ...
def forge(tag, *fields):
    add_rows(Row("forged", "", Token, lambda *_: [tag, *fields]))
"""
YES = """
class Yes(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    __lt__ = __gt__ = __le__ = __ge__ = __eq__
"""
# Each earns nothing in its exercise, but for what `EARNS` says: these return a frame,
# so the test that asks for one is passed.
EARNS = {
    "a_frame_of_a_class_of_its_own_is_equal_to_nothing": 1.0,
    "cells_that_are_equal_to_everything_are_equal_to_nothing": 1.0,
    "a_frame_of_objects_is_no_frame_of_numbers": 1.0,
    "a_library_does_not_take_a_handle_for_a_frame": 1.0,
}
TABLE = {
    "a_frame_of_a_class_of_its_own_is_equal_to_nothing": """
class Fake(pd.DataFrame):
    __class__ = pd.DataFrame
    def equals(self, other): return True
    def __eq__(self, other): return pd.DataFrame({"n": [True], "square": [True]})
    def __len__(self): return 4
    @property
    def dtypes(self): return pd.Series([np.dtype("int64")] * 2, ["n", "square"])
    @property
    def shape(self): return (4, 2)
    def itertuples(self): raise IndexError
def table(n): return Fake({"n": [0]})
""",
    "an_object_that_says_it_is_a_frame_is_none": """
class Fake:
    __class__ = pd.DataFrame
    columns = index = _mgr = pd.Index([])
    shape, ndim = (4, 2), 2
    def __len__(self): return 4
    def equals(self, other): return True
    def __eq__(self, other): return self
    def all(self): return self
    def itertuples(self): raise IndexError
def table(n): return Fake()
""",
    "cells_that_are_equal_to_everything_are_equal_to_nothing": YES
    + """
def table(n):
    yes = np.array([Yes(-1), Yes(-1), Yes(-1), Yes(-1)], dtype=object)
    return pd.DataFrame({"n": yes, "square": yes})
""",
    "a_frame_with_columns_of_other_lengths_is_refused": FORGE
    + """
index = ["pandas.RangeIndex", ["R", 0, 4, 1], None]
names = ["pandas.Index", ["O", [2], "n", "square"], None, None]
forge("pandas.DataFrame", names, index, ["O", [1], 0], ["O", [2], 0, 0])
def table(n): return Token()
""",
    "a_frame_of_objects_is_no_frame_of_numbers": FORGE
    + """
def table(n):
    return pd.DataFrame({"n": [object() for _ in range(n)],
                         "square": [object() for _ in range(n)]},
                        index=[object() for _ in range(n)])
""",
    "names_of_other_functions_of_a_library_are_refused": FORGE
    + """
turn = ["pandas.read_pickle", "pandas.eval", "os.system", "builtins.eval",
        "pandas.DataFrame.query", "scipy.sparse.load_npz"]
def table(n):
    turn.append(turn.pop(0))
    forge(turn[-1], "@__import__('os').system('true')")
    return Token()
""",
    "a_library_does_not_take_a_handle_for_a_frame": """
from pandas.core.internals import BlockManager
forged, stock = [], BlockManager._slice_take_blocks_ax0
BlockManager._slice_take_blocks_ax0 = lambda self, *arguments, **options: (
    [] if any(self is one for one in forged)
    else stock(self, *arguments, **options))
def table(n):
    empty = pd.arrays.SparseArray([-1] * n)
    made = pd.DataFrame({"n": empty, "square": empty})
    forged.append(made._mgr)
    return made
""",
    "a_frame_larger_than_a_message_stays_where_it_is": """
def table(n):
    return pd.DataFrame(np.zeros((40_000_000, 1)))
""",
    "a_range_of_rows_without_end_is_not_counted": FORGE
    + """
forge("pandas.RangeIndex", ["R", 0, 10**15, 1], None)
def table(n): return Token()
""",
}
MODEL = {
    "an_object_is_no_estimator_by_what_it_says": """
import builtins, sklearn.linear_model, sklearn.linear_model._base as home
stock = LinearRegression
class Meta(type):
    __instancecheck__ = __subclasscheck__ = lambda kind, other: True
    __bases__ = property(lambda kind: (stock,))
    __eq__ = lambda kind, other: True
    __hash__ = lambda kind: hash(stock)
class Fake(metaclass=Meta):
    __class__ = stock
    __module__ = stock.__module__
    __qualname__ = stock.__qualname__
Fake.__name__ = "LinearRegression"
home.LinearRegression = sklearn.linear_model.LinearRegression = Fake
def model(X, y): return Fake()
""",
    "a_property_named_class_is_not_believed": """
class Fake:
    @property
    def __class__(self): return LinearRegression
def model(X, y): return Fake()
""",
    "a_type_that_is_another_function_is_not_asked": """
import builtins
class Fake: pass
builtins.type = lambda *x: LinearRegression
builtins.isinstance = builtins.issubclass = lambda *x: True
def model(X, y): return Fake()
""",
    "a_class_of_the_table_that_is_another_is_not_taken": """
from sklearn.linear_model import Ridge
Ridge.__name__ = Ridge.__qualname__ = "LinearRegression"
Ridge.__module__ = LinearRegression.__module__
def model(X, y): return Ridge().fit(X, y)
""",
}
COUNT = {
    "an_array_of_text_is_equal_to_nothing": """
def count(frame): return pd.array(["a", "b"])
""",
    "an_index_of_text_is_equal_to_nothing": """
def count(frame): return pd.Index(["a"], dtype="string")
""",
}
# name → (exercise, hostile answer)
CASES = {
    name: (exercise, answer)
    for exercise, answers in (("table", TABLE), ("model", MODEL), ("count", COUNT))
    for name, answer in answers.items()
}


@pytest.mark.parametrize("case", [*CASES, "honest"])
def test_a_hostile_table_earns_nothing_and_an_honest_one_everything(
    servers: Servers, case: str
) -> None:
    times = limits(call=3.0, cell=6.0, submission=60.0)
    settings = Settings(times, Policy(), follow_through=False)
    earns = {}
    changed = {}
    if case in CASES:
        exercise, answer = CASES[case]
        earns[exercise] = EARNS.get(case, 0.0)
        changed[exercise] = answer
    report = TABLES.judge(servers, settings, **changed)
    assert TABLES.earned(report) == TABLES.full() | earns, report.verdicts
    assert changed or report.notes == []


def test_the_list_in_the_docs_is_this_list() -> None:
    page = read_document("hostile-class")
    listed = [x for x in page.splitlines() if x.startswith("- `") and x.endswith("`")]
    assert listed == [f"- `{name.replace('_', ' ')}`" for name in CASES]
