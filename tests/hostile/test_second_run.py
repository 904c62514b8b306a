"""What a later test hands over answers no earlier test, however it is sent there.

The course of these attacks has the fault that they need: a test hands over the answer
to the exercise before, or to the test before of the same exercise. A submission without
that answer notes it in its first run, in something that the kernel counts for all
processes, and reads it in its second run. As a control, each attack earns the point
where second runs come last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nbproctor.judge import order, run
from nbproctor.judge.compiled import Tests
from nbproctor.notebook import Cell
from nbproctor.results import Job, StudentCell, Verdict
from nbproctor.sandbox.fork import Fork
from tests.forked import spawn
from tests.judge.notebooks import cell
from tests.timing import limits

pytestmark = pytest.mark.slow

SLOTS = 64  # so many values can be sent
AHEAD = 3  # the value to be sent is so far from the one that would be read before


class Way(NamedTuple):
    """A way to send a number from one process to another that starts later."""

    counter: str  # what all processes of a computer see count up
    slot: int  # so many counts make one value, for others count up, too
    step: str  # counts up


WAYS = {
    "process numbers": Way("newest()", 512, "start_new_thread(int, ())"),
    "pipe numbers": Way("max(pipe() for _ in range(1500))", 8192, "pipe()"),
    "the clock": Way("time.time() * 1000", 1000, "time.sleep(0.001)"),
}
TOOLS = """
import os, threading, time
from _thread import start_new_thread

def newest():
    numbers = []
    note = lambda: numbers.append(threading.get_native_id())
    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    return numbers[0]

def pipe():
    ends = os.pipe()
    number = os.fstat(ends[0]).st_ino
    for end in ends:
        os.close(end)
    return number

def read():
    return int({counter}) // {slot} % {slots}

def send(number):
    while read() != number:
        for _ in range({slot} // 16):
            {step}
"""
BORROW = "def secret():\n    half(1)\n    return read()"
NOTE = "def use(thing):\n    send(thing.value())"


def course(number: int, together: bool = False) -> tuple[Cell, ...]:
    """Return a course with a secret that only tests know, and a fault: they tell it.

    The test that does comes in a later exercise, or `together` with the secret's.
    """
    tells = f"class Thing:\n    def value(self): return {number}\nuse(Thing())"
    tests = {"half": "assert half(2) == 1", "secret": f"assert secret() == {number}"}
    tests |= {"use": tells, "last": "assert last() == 1"}
    answers = {
        "half": "def half(x): return x / 2",
        "secret": f"def secret(): return {number} + half(0)",
        "use": "def use(thing): return thing.value()",
        "last": "def last(): return 1",
    }
    if together:
        answers["secret"] += "\n" + answers["use"]
    cells = []
    for name, answer in answers.items():
        exercise = "secret" if together and name == "use" else name
        if exercise == name:
            cells.append(cell(name, "solution", answer, exercise=name, stub=""))
        cells.append(cell(f"{name}_test", "test", tests[name], 1.0, exercise=exercise))
    return tuple(cells)


def grade(job: Job, start: Callable[[], Fork]) -> dict[str, Verdict]:
    """Grade as submissions are."""
    return {v.cell_id: v for v in run.grade(job, start).verdicts}


def grade_with_second_runs_last(
    job: Job, start: Callable[[], Fork]
) -> dict[str, Verdict]:
    """Grade without the protection: see `order.with_second_runs`."""
    tests = Tests.of(job.cells)
    until = float("inf")
    first = run.NotebookRun(job, tests, start, until, max_stops=2)
    first.play(order.own_notebook(job, tests))
    second_runs = run.SecondRuns(job, tests, start, until, first.verdicts)
    for _ in order.with_second_runs(order.own_notebook(job, tests), second_runs.judge):
        pass
    return first.verdicts


def attack(
    number: int,
    grader: Any,
    start: Callable[[], Fork] = spawn,
    *,
    together: bool = False,
    **texts: str,
) -> float:
    """Return what a submission earns for a secret that it does not know."""
    answers = {"half": "raise NotImplementedError", "secret": BORROW, "use": NOTE}
    answers |= {"last": "def last(): return 1"} | texts
    student = tuple(StudentCell(n, *pair) for n, pair in enumerate(answers.items()))
    allowed = limits(call=30.0, cell=60.0, submission=200.0)
    verdicts = grader(Job(course(number, together), student, allowed), start)
    assert verdicts["last_test"].points == 1
    points: float = verdicts["secret_test"].points
    return points


@pytest.mark.parametrize("together", [False, True], ids=["exercises", "tests"])
@pytest.mark.parametrize("way", WAYS)
def test_what_a_later_test_hands_over_is_not_sent_back(
    way: str, together: bool
) -> None:
    tools = TOOLS.format(**WAYS[way]._asdict(), slots=SLOTS)
    space: dict[str, Any] = {}
    exec(tools, space)

    def grade_attack(grader: Any) -> float:
        secret = f"{tools}\n{BORROW}\n{NOTE}"
        number = (space["read"]() + AHEAD) % SLOTS
        return attack(number, grader, together=together, secret=secret)

    # On a busy computer a message may come too late, or a number may fit by chance.
    assert any(grade_attack(grade_with_second_runs_last) for _ in range(3)), (
        "no control"
    )
    assert not all(grade_attack(grade) for _ in range(3))


def test_a_cell_that_ends_tells_no_earlier_exercise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each end makes one process more, which the numbers of later ones show."""
    started: list[Fork] = []

    def start() -> Fork:
        monkeypatch.setenv("PROCESS", str(len(started)))
        started.append(spawn())
        return started[-1]

    def grade_attack(grader: Any) -> float:
        started.clear()
        # The first run is number 0. After one end: 1, and the second run of `secret`,
        # after that of `half`, is number 3; without one it would be number 2.
        secret = f"import os\n{BORROW}".replace("read()", "int(os.environ['PROCESS'])")
        ends = "def use(thing):\n    if thing.value() == 3: os._exit(0)"
        return attack(3, grader, start, secret=secret, use=ends)

    assert grade_attack(grade_with_second_runs_last) == 1, "no control"
    assert grade_attack(grade) == 0


@pytest.mark.parametrize("answer", ["# half", "def other(): return half(2)"])
@pytest.mark.parametrize("test", ["half(4) == 2", "half(4) == other()"])
def test_a_test_of_borrowed_functions_alone_earns_nothing(
    answer: str, test: str
) -> None:
    """Of a wrong answer: a right one of another exercise has another test behind it."""
    half, other = "def half(x): return x / 2", "def other(): return 2 * half(2)"
    cells = (
        cell("half", "solution", half, exercise="half", stub=""),
        cell("half_test", "test", "assert half(2) == 1", 1.0, exercise="half"),
        cell("other", "solution", other, exercise="other", stub=""),
        cell("last_test", "test", f"assert {test}", 1.0, exercise="other"),
    )
    for text, expected in (answer, 0), (other, int("other" in test)):
        student = StudentCell(0, "half", "x = 1"), StudentCell(1, "other", text)
        allowed = limits(call=30.0, cell=60.0, submission=200.0)
        verdicts = grade(Job(cells, student, allowed), spawn)
        assert verdicts["last_test"].points == expected
