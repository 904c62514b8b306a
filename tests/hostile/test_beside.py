"""What code can reach that shares its process with a test cell, and what it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nbproctor.engine import Execution, Servers, Settings, execute
from nbproctor.notebook import Where
from nbproctor.sandbox.policy import Policy
from tests.hostile.trap import MARK, TRAP
from tests.timing import limits

pytestmark = pytest.mark.slow
# Everything that Python can see of texts in this process, and of files.
SEARCH = """\
def found(word):
    import gc, linecache, sys
    entries = linecache.cache.values()
    texts = ["".join(lines) for entry in entries for lines in entry[2:3]]
    frame = sys._getframe()
    while frame:
        texts += [repr(x)[:5000] for x in frame.f_locals.values() if type(x) is str]
        frame = frame.f_back
    texts += [s for o in gc.get_objects() if type(o) is dict
              for s in o.values() if type(s) is str]
    texts += get_ipython().user_ns["In"]
    return any(word[::-1] in text for text in texts)
"""


Judged = Callable[..., dict[str, float]]
MOVED = "area-map", "control-values"


@pytest.fixture(scope="module")
def judged(servers: Servers) -> Judged:
    """Grade with the tests of `MOVED` at a place; return points by test."""

    def judge(where: Where, **cells: str) -> dict[str, float]:
        moved_master = TRAP.master.with_cells(
            # The tools of hidden tests are of another cell: these two need none.
            replace(c, where=where, source=c.source.replace("exact(r)", "3 * r * r"))
            if c.id in MOVED
            else c
            for c in TRAP.master.cells
        )
        settings = Settings(limits(call=1.0, cell=2.0, submission=40.0), Policy())
        execution = Execution(TRAP.handed_in(**cells), moved_master, settings)
        verdicts = execute(execution, servers).verdicts
        return {verdict.cell_id: verdict.points for verdict in verdicts}

    return judge


def test_an_honest_answer_earns_the_same_at_both_places(judged: Judged) -> None:
    honest = judged("judge")
    assert judged("beside") == honest
    assert sum(honest.values()) == 13


def test_it_can_forge_the_cell_beside_it_and_no_other(judged: Judged) -> None:
    forger = "import math\nmath.isclose = lambda *a: True\ndef area(r): return -1.0"
    assert judged("judge", area=forger)["area-map"] == 0
    points = judged("beside", area=forger)
    areas = {name for name, earned in points.items() if "area" in name and earned}
    assert areas == {"area-map"}  # as under stock nbgrader
    assert points["control-values"] == 2


def test_it_reads_the_text_of_the_cell_beside_it_and_of_no_other(
    judged: Judged,
) -> None:
    # Only whoever finds the text knows the answer.
    reader = SEARCH + "def area(r):\n    return 3 * r * r if found({!r}) else -1.0"
    for word, expected in {
        "math.isclose(area": 1,
        "np.allclose(area": 0,
        "mean_of([1, 2, 6])": 0,
        MARK: 0,
    }.items():
        assert judged("beside", area=reader.format(word[::-1]))["area-map"] == expected


def test_the_next_cell_beside_the_answer_gets_a_fresh_process(judged: Judged) -> None:
    stays = "def area(r):\n    open('left', 'w').close()\n    return 3 * r * r"
    looks = (
        "import os\ndef mean_of(numbers):\n"
        "    return 0 if os.path.exists('left') else sum(numbers) / len(numbers)"
    )
    points = judged("beside", area=stays, control=looks)
    assert [points[name] for name in MOVED] == [1, 2]
