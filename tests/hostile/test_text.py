"""Text that student code has sent is not executed in the judge, however a test does it.

A test may evaluate an answer, run the examples of a docstring, or unpickle bytes. Such
a test has to run in the student's process, as the source's own answer shows.
"""

from __future__ import annotations

import pytest

from nbproctor.engine import Servers
from nbproctor.results import Verdict
from tests.hostile.test_hostile import settings
from tests.hostile.trap import SETUP, Assignment
from tests.notebooks import parts

pytestmark = pytest.mark.slow

ANSWER = """\
def answer():
    return "6 * 7"
"""
# What the student sends, in each of its forms, leaves a mark in the process it runs in.
EVIL = """\
MARK = "__import__('builtins').__dict__.update(marked=True)"
class Evil:
    def __reduce__(self):
        return eval, (MARK,)
def answer():
    return MARK
def packed():
    import pickle
    return pickle.dumps(Evil())
answer.__doc__ = f">>> {MARK}"
def numbers():
    import numpy as np
    return np.frombuffer(packed(), np.uint8)
def listed():
    return list(packed())
def code():
    import marshal
    return marshal.dumps(compile(MARK, "x", "eval"))
def condition():
    return "a == @mark()"
named = type(MARK, (), {})()
"""
# What executes it; a second test finds the mark.
EXECUTED = """
--- eval
eval(answer())
--- exec
exec(f"x = {answer()}")
--- compile
exec(compile(answer().strip(), "x", "exec"))
--- function
(lambda text: eval(text))(answer())
--- error
try:
    eval(answer())
except Exception:
    pass
--- doctest
import doctest
doctest.run_docstring_examples(answer, {})
--- timeit
import timeit
timeit.timeit(answer(), number=1)
--- pickle
import pickle
pickle.loads(packed())
--- numbers
import pickle
pickle.loads(numbers().tobytes())
--- integers
import pickle
pickle.loads(bytes(listed()))
--- marshal
import marshal
eval(marshal.loads(code()))
--- annotation
import typing
class Point:
    __annotations__ = {"x": answer()}
typing.get_type_hints(Point)
--- condition
import builtins
import pandas as pd
def mark():
    builtins.marked = 1
    return 1
pd.DataFrame({"a": [1]}).query(condition(), engine="python")
--- class-name
eval(named.__class__.__name__)
--- module
from pathlib import Path
Path("written.py").write_text(answer())
__import__("written")
"""
FINDS = "import builtins\nassert not hasattr(builtins, 'marked')"


CASES = {name: test for (name,), test in parts(EXECUTED)}


def judged(servers: Servers, tests: str, answer: str) -> list[Verdict]:
    """Judge an answer by tests of a course of their own."""
    assignment = Assignment("text", SETUP, {"answer": ANSWER}, tests)
    return assignment.judge(servers, settings(), answer=answer).verdicts


@pytest.mark.parametrize("name", CASES)
def test_no_text_of_a_student_s_is_executed(servers: Servers, name: str) -> None:
    tests = f"\n--- answer-runs 1\n{CASES[name]}\n--- answer-finds 1\n{FINDS}"
    _, finds = judged(servers, tests, EVIL)
    assert finds.outcome == "passed"


def test_text_of_a_test_s_own_is_executed(servers: Servers) -> None:
    tests = """
--- answer-runs 1
from collections import namedtuple
names = ["answer", "str"]
assert [eval(f"{name}()") for name in names][1] == ""
assert eval("answer.__doc__ or answer.__name__") == "answer"
assert eval("len(names)") == 2
Point = namedtuple("Point", "x y")
assert Point(1, 2).y == 2
import ast, pandas as pd
name = answer.__name__
assert ast.literal_eval(repr(name)) == ast.parse(name).body[0].value.id
assert len(pd.DataFrame({"a": [1, 2]}).query("a > 1")) == 1
__import__("imaplib")"""
    (verdict,) = judged(servers, tests, "def answer():\n    return 42")
    assert verdict.points == 1


FORMATS = """
--- method
answer().format(point)
--- function
str.format(answer(), point)
--- mapped
[*map(str.format, [answer()], [point])][0]
--- joined
f"{answer()}".format(point)
--- formatter
import string
string.Formatter().format(answer(), point)
--- mapping
answer().format_map({"0": point})
"""
POINT = """
class Point:
    secret = "42"
point = Point()
"""


@pytest.mark.parametrize("template", ["{0.secret}", "{0[x].y}", "{0:{0.secret}}"])
@pytest.mark.parametrize("way", parts(FORMATS), ids=lambda way: way[0][0])
def test_a_template_of_a_student_s_reads_no_attribute(
    servers: Servers, way: tuple[list[str], str], template: str
) -> None:
    *above, last = way[1].strip().split("\n")
    test = "\n".join([*above, POINT, f"assert {last} == '42'"])
    answer = f"def answer():\n    return {template!r}"
    (verdict,) = judged(servers, f"\n--- answer-formats 1\n{test}", answer)
    assert (verdict.outcome, verdict.points) == ("failed", 0)
    assert verdict.message.startswith("The text of a template may contain")


def test_a_plain_template_is_filled_in(servers: Servers) -> None:
    tests = f"""
--- answer-formats 1
{POINT}
template = "{{0.secret}}"
def shown():
    return template.format(point)
assert answer().format(4, x="y") == "4.00 'y' {{}}"
assert shown() == "{{0.secret}}".format(point) == "42"
assert str.format(answer(), 4, x="y") == "4.00 'y' {{}}"
"""
    answer = "def answer():\n    return '{:.2f} {x!r} {{}}'"
    (verdict,) = judged(servers, tests, answer)
    assert verdict.points == 1


SAYS = ["Not solved yet: NotImplementedError", "Not run: `answer` was stopped"]


@pytest.mark.parametrize("text", SAYS)
def test_no_text_of_a_student_s_makes_a_verdict_another_one(
    servers: Servers, text: str
) -> None:
    tests = """
--- answer-says 1
said = answer()
assert said == "42", said"""
    (verdict,) = judged(servers, tests, f"def answer():\n    return {text!r}")
    assert (verdict.outcome, verdict.message) == ("failed", text)
    assert not (verdict.is_unsolved or verdict.is_skipped)


def test_an_answer_that_is_not_written_is_unsolved(servers: Servers) -> None:
    tests = """
--- answer-asks 1
assert answer() == "42"
"""
    (verdict,) = judged(servers, tests, "def answer():\n    raise NotImplementedError")
    assert verdict.is_unsolved
