"""What a later test hands over answers no earlier test, however it is sent there.

The course of these attacks has the fault that they need: a test hands over the answer
to the exercise before, or to the test before of the same exercise. A submission without
that answer notes it in its first run, in something that the kernel counts for all
processes, and reads it in its second run. As a control, each attack earns the point
where second runs come last. All of this in the sandbox, with bubblewrap and without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from msgspec import msgpack

from nbproctor.results import Job, Report
from nbproctor.sandbox.forkserver import ForkServer
from nbproctor.sandbox.policy import Policy
from tests.judge.notebooks import Case, judged
from tests.notebooks import student_cells
from tests.probes.second_runs import UNPROTECTED
from tests.sandbox.test_forkserver import LEVELS, start
from tests.timing import limits

pytestmark = pytest.mark.slow

SLOTS = 16  # so many values can be sent


class Way(NamedTuple):
    """A way to send a number from one process to another that starts later."""

    counter: str  # what all processes of a computer see count up
    slot: int  # so many counts make one value, at least
    step: str  # counts up


WAYS = {
    "process numbers": Way("newest()", 512, "newest()"),
    "pipe numbers": Way("max(pipe() for _ in range(1500))", 16384, "pipe()"),
    "the clock": Way("time.time() * 1000", 600, "time.sleep(0.001)"),
}
TOOLS = """
import os, threading, time

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
        for _ in range({slot} // 6):
            {step}
"""
BORROW = "def secret():\n    half(1)\n    return read()"
NOTE = "def use(thing):\n    send(thing.value())"
# A number that only tests know, and that nobody would read yet: one for each judge.
SECRET = "number = int(os.environ.setdefault('SECRET', str((read() + 2) % 16)))"
# A course with a secret that only tests know, and a fault: a later test tells it.
COURSE = """
--- helper helper
{helper}
--- half solution
def half(x): return x / 2
--- half_test test 1
assert half(2) == 1
--- secret solution
def secret(): return half(0)
--- secret_test test 1
assert secret() == number{use}
class Thing:
    def value(self): return number
use(Thing())
--- last solution
def last(): return 1
--- last_test test 1
assert last() == 1"""
USE = """
--- use solution
def use(thing): return thing.value()
--- use_test test 1"""
USE_TOGETHER = "\n--- secret_use test 1"  # a test of the same exercise


@pytest.fixture(scope="module", params=LEVELS)
def server(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    rehearsal = "nbproctor.student.shell:run_opening_cells", ()
    with start(request.param, Policy(), rehearsal, probe="second_runs") as new_server:
        yield new_server


def grade(
    server: ForkServer,
    job: Job,
    *,
    protected: bool,
) -> dict[str, float]:
    """Return the points of each test, with the protection or without it."""
    data = msgpack.encode(job)
    report = server.run(data if protected else UNPROTECTED + data, timeout=600)
    verdicts = msgpack.decode(report, type=Report).verdicts
    return {verdict.cell_id: verdict.points for verdict in verdicts}


def attack(
    server: ForkServer,
    protected: bool,
    helper: str,
    together: bool = False,
    **answers: str,
) -> float:
    """Return what a submission earns for a secret that it does not know."""
    texts = {
        "half": "raise NotImplementedError",
        "secret": "",
        "use": NOTE,
        "last": "def last(): return 2 - 1",
    }
    student = student_cells((texts | answers).items())
    use = USE_TOGETHER if together else USE
    course = Case.read("course" + COURSE.format(helper=helper, use=use))
    allowed = limits(call=30.0, cell=60.0, submission=200.0)
    job = Job(tuple(course.cells), student, allowed)
    points = grade(server, job, protected=protected)
    assert points["last_test"] == 1
    return points["secret_test"]


@pytest.mark.parametrize(
    ("way", "together"), [*((way, False) for way in WAYS), ("pipe numbers", True)]
)
def test_what_a_later_test_hands_over_is_not_sent_back(
    server: ForkServer,
    way: str,
    together: bool,
) -> None:
    def try_attack(slot: int, *, protected: bool) -> float:
        tools = TOOLS.format(**WAYS[way]._replace(slot=slot)._asdict(), slots=SLOTS)
        helper = f"{tools}\n{SECRET}"
        secret = f"{tools}\n{BORROW}\n{NOTE}"
        return attack(server, protected, helper, together, secret=secret)

    # Other programs count, too: the more they do, the more counts make one value.
    slots = [WAYS[way].slot * 3**number for number in range(4)]
    slot = next((s for s in slots if try_attack(s, protected=False)), None)
    assert slot, "the control: without the protection, the message arrives"
    # A number may fit by chance.
    assert not all(try_attack(slot, protected=True) for _ in range(4))


def test_a_cell_that_ends_tells_no_earlier_exercise(server: ForkServer) -> None:
    """Each end makes one process more, which the numbers of later ones show."""
    # The first run is number 0. After one end: 1, and the second run of `secret`,
    # after that of `half`, is number 3; without one it would be number 2.
    secret = BORROW.replace("read()", "process_number")
    ends = "import os\ndef use(thing):\n    if thing.value() == 3: os._exit(0)"
    for protected in False, True:  # the first is the control
        points = attack(server, protected, "number = 3", secret=secret, use=ends)
        assert points == (not protected)


BORROWED = """
--- half solution
def half(x): return x / 2
--- half_test test 1
assert half(2) == 1
--- other solution
def other(): return 2 * half(2)
--- other_test test 1
assert """


@pytest.mark.parametrize("answer", ["# half", "def other(): return half(2)"])
@pytest.mark.parametrize("test", ["half(4) == 2", "half(4) == other()"])
def test_a_test_of_borrowed_functions_alone_earns_nothing(
    answer: str, test: str
) -> None:
    """Of a wrong answer: a right one of another exercise has another test behind it."""
    cells = Case.read(f"course{BORROWED}{test}").cells
    right = "def other(): return half(2) * 2"
    for text, expected in (answer, 0), (right, int("other" in test)):
        handed_in = ("half", "x = 1"), ("other", text)
        report = judged(cells, *handed_in, follow_through=True)
        assert report.verdicts[-1].points == expected
