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
assert Point(1, 2).y == 2"""
    (verdict,) = judged(servers, tests, "def answer():\n    return 42")
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
