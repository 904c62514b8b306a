"""Functions of other exercises: right where an answer uses them, never within reach.

Each test plays a notebook of two exercises by follow-through: the first is answered
wrong, so the second, which uses it, is judged with the first one's reference.
"""

from __future__ import annotations

import pytest
from msgspec import msgpack

from nbproctor.judge import run
from nbproctor.notebook import Cell, Kind
from nbproctor.results import Job, Limits, Report, Verdict
from tests.forked import StudentProcess, spawn
from tests.judge.notebooks import earned, usual_limits
from tests.notebooks import student_cells

pytestmark = pytest.mark.slow

WRONG = "raise NotImplementedError"
HALF = "def half(x, by=2):\n    return x / by"
QUARTER = "def quarter(x): return half(half(x), by=2)"
FOURTH = "assert quarter(8.0) == 2.0"


def cell(
    name: str,
    kind: Kind,
    source: str,
    exercise: str | None = None,
) -> Cell:
    points = 1.0 if kind == "test" else 0.0
    stub = "" if kind == "solution" else source
    return Cell(name, kind, source, points, exercise, False, name, stub, {})


def notebook(
    first: str = HALF,
    second: str = QUARTER,
    test: str = FOURTH,
    provided: str = "",
) -> tuple[Cell, ...]:
    """Return a master notebook whose second exercise is scored by `test`."""
    return (
        cell("provided", "provided", f"import numpy as np\n{provided}"),
        cell("first", "solution", first, "first"),
        cell("first_test", "test", f"assert {first.split('(')[0][4:]}", "first"),
        cell("second", "solution", second, "second"),
        cell("second_test", "test", test, "second"),
    )


def play(
    source: tuple[Cell, ...],
    *,
    extra: str = "",
    limits: Limits | None = None,
    started: list[StudentProcess] | None = None,
    **answers: str,
) -> tuple[Report, Verdict]:
    """Grade a notebook whose first answer is wrong; return the second one's verdict."""
    answers.setdefault("first", WRONG)
    texts = [(c.id, answers.get(c.id, c.source)) for c in source if c.kind != "test"]
    if extra:
        texts.insert(2, ("extra", extra))
    children: list[StudentProcess] = [] if started is None else started

    def counted() -> StudentProcess:
        children.append(spawn())
        return children[-1]

    job = msgpack.encode(Job(source, student_cells(texts), limits or usual_limits()))
    report = msgpack.decode(run.main(job, counted), type=Report)
    assert all(child.pid == 0 for child in children), "a process is left"
    return report, report.verdicts[-1]


# what → reference of the first exercise, the second one's answer, its test
RIGHT: dict[str, tuple[str, str, str]] = {
    "a function": (HALF, QUARTER, FOURTH),
    "an argument that is changed in place": (
        "def fill(x, items):\n    x[...] = 7\n    items.append(1)",
        "def use():\n    x, items = np.zeros(2), []\n    fill(x, items)\n"
        "    return x, items",
        "x, items = use()\nassert list(x) == [7, 7] and items == [1]",
    ),
    "a function that needs its own imports and another one": (
        "from math import floor\ndef cut(x):\n    return half_of(floor(x))\n"
        "def half_of(x):\n    return x / 2",
        "def use(x): return cut(x) + half_of(2)",
        "assert use(4.5) == 3.0",
    ),
    "the test's own object": (
        "def ask(thing):\n    thing.n += 1\n    return thing.get()",
        "def use(thing): return ask(thing)",
        "class Thing:\n    n = 4\n    def get(self): return self.n\n"
        "assert use(Thing()) == 5",
    ),
    "an exception without its text": (
        "def check(x):\n    raise ValueError('a-mark-of-the-reference')",
        "def use():\n    try:\n        check(1)\n    except ValueError as error:\n"
        "        return 'a-mark' in str(error), check.__name__",
        "assert use()[1] == 'check'",
    ),
}


@pytest.mark.parametrize("function", RIGHT)
def test_a_function_works_as_if_it_were_in_the_notebook(function: str) -> None:
    source = notebook(*RIGHT[function])
    honest = play(source, first=source[1].source)[1]
    assert (honest.points, honest.source) == (1, "own")
    report, verdict = play(source)
    assert (verdict.points, verdict.source) == (1, "follow-through"), verdict.message
    assert report.verdicts[0].points == 0


NOT_LENT = {
    "a class": ("class Half:\n    by = 2", "def use(x): return x / Half.by"),
    "a method": (
        "@add_to(Box)\ndef half(self, x):\n    return x / 2",
        "def use(x): return Box().half(x)",
    ),
    "a function beside a value": (f"by = 2\n{HALF}", "def use(x): return half(x)"),
    "an object": (
        "def make():\n    return Box()",
        "def use(x):\n    return x / (2 if isinstance(make(), Box) else 0)",
    ),
    "a generator": (
        "def parts(x):\n    yield x / 2",
        "def use(x): return next(parts(x))",
    ),
}
BOX = (
    "def add_to(cls): return lambda method: setattr(cls, method.__name__, method)\n"
    "class Box: pass"
)


@pytest.mark.parametrize("function", NOT_LENT)
def test_only_plain_functions_of_plain_data_are_lent(function: str) -> None:
    source = notebook(*NOT_LENT[function], "assert use(4) == 2", BOX)
    assert play(source, first=source[1].source)[1].points == 1
    report, verdict = play(source)
    assert (verdict.points, verdict.source) == (0, "own")
    assert report.notes == []


def test_an_object_of_the_student_s_is_not_handed_to_a_reference() -> None:
    source = notebook(
        "def show(x):\n    return str(x)",
        "class Mine: pass\ndef use():\n    try:\n        return show(Mine())\n"
        "    except TypeError as error:\n        return 'two exercises'",
        "assert 'two exercises' in use() and show(1) == '1'",
    )
    assert play(source)[1].points == 1


TWO_TESTS = "assert quarter(8.0) == 2.0", "assert quarter(0.0) == 0.0"


def test_a_second_run_pays_for_tests_in_which_a_reference_was_called() -> None:
    """An answer that can tell where it runs might give another one there."""
    source = (*notebook(), cell("third_test", "test", TWO_TESTS[1], "second"))
    alone = "alone = 'first_answer' in globals()\n"
    answer = alone + "def quarter(x): return 3 if alone else half(half(x)) if x else x"
    report, _ = play(source, first="first_answer = 1", second=answer)
    assert earned(report) == [0, 1, 0]
    for line in ("half", "half(1)", "two = half(4)"):
        answer = f"{alone}def quarter(x): return 3 if alone else x / 4\nif 1: {line}"
        report, _ = play(source, first="first_answer = 1", second=answer)
        assert report.verdicts[1].points == report.verdicts[2].points == ("(" in line)


def test_what_was_no_answer_in_the_first_run_may_be_one_in_the_second() -> None:
    """What fails without an answer can be another cell's fault; a wrong answer, not."""
    takes = "def quarter(x): return sum([x]) / 4"
    for line, points in (("sum = 0", 1), ("def sum(x): return -1.0", 0)):
        report, _ = play(notebook(), first=f"{HALF}\n{line}", second=takes)
        assert earned(report) == [1, points]


# What a cell of the student's own takes from all cells after it.
@pytest.mark.parametrize(
    ("line", "first"), [("del np, Box", HALF), ("%reset -f", WRONG)]
)
def test_a_cell_that_removes_names_costs_no_exercise(line: str, first: str) -> None:
    source = notebook(
        second="@add_to(Box)\ndef shape(self, x): return np.shape(x)",
        test="assert Box().shape([1, 2]) == (2,)",
        provided=BOX,
    )
    report, verdict = play(source, first=first, extra=line)
    assert earned(report) == [float(first == HALF), 1]
    assert verdict.source == "follow-through"


def test_a_cell_of_ones_own_may_bind_a_name_anew() -> None:
    """What the exercise uses then is the student's, in the second run, too."""
    source = notebook(
        second="def quarter(x): return ratio * x", provided="ratio = 1 / 4"
    )
    assert play(source, extra="del ratio\nratio = 2")[1].points == 0
    assert play(source, extra="del ratio")[1].points == 1


def test_solution_cells_before_one_test_earn_together() -> None:
    source = (
        *notebook()[:3],
        cell("square", "solution", "def square(n): return n * n", "square"),
        cell("second", "solution", "answer = square(5)", "second"),
        cell("square_test", "test", "assert square(3) == 9", "second"),
        cell("answer_test", "test", "assert answer == 25", "second"),
    )
    report, _ = play(source, square="def square(n): return None", second="answer = 25")
    assert earned(report) == [0, 0, 1]


# A student's own line takes the name from the exercise that needs it.
@pytest.mark.parametrize("line", ["half = half(4)", "half = None", "del half"])
def test_a_name_that_a_students_line_breaks_costs_no_other_exercise(line: str) -> None:
    report, verdict = play(notebook(), first=HALF, extra=line)
    assert earned(report) == [1, 1]
    assert verdict.source == "follow-through"


def test_what_an_answer_defines_anew_is_its_own() -> None:
    own_code = "def half(x, by=1):\n    return x / 3\n"
    assert play(notebook(), second=own_code + QUARTER)[1].points == 0
    own_code = own_code.replace("x / 3", "x / 2")
    assert play(notebook(), second=own_code + QUARTER)[1].source == "own"


def test_one_that_kept_its_points_may_still_be_what_another_one_lacks() -> None:
    first = "def half(x, by=2):\n    return np.matrix(x / by)"
    report, verdict = play(
        notebook(test="assert quarter(np.ones(3)).shape == (3,)"), first=first
    )
    assert earned(report) == [1, 1]
    assert verdict.source == "follow-through"


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        (HALF, QUARTER, 1),  # everything passes
        # Only an answer that uses a function of another one is judged again.
        ("def half(x, by=2): return 0", "def quarter(x): return 0", 1),
        ("def half(x, by=2): return 0", "", 1),
        ("def half(x, by=2): return 0", QUARTER.replace("by=2", "by=3"), 3),
    ],
)
def test_there_is_no_second_run_without_a_reason(
    first: str,
    second: str,
    runs: int,
) -> None:
    started: list[StudentProcess] = []
    verdict = play(
        notebook(),
        first=first,
        second=second,
        started=started,
    )[1]
    assert verdict.points == (first == HALF)
    assert len(started) == runs


@pytest.mark.parametrize("line", ["sum = 0", "import builtins\nbuiltins.sum = 0"])
def test_what_another_answer_breaks_costs_no_other_exercise(line: str) -> None:
    adds = "def add(x): return sum(x)"
    source = notebook(second=adds, test="assert add([1, 2]) == 3")
    report, verdict = play(source, first=f"{HALF}\n{line}")
    assert earned(report) == [1, 1]
    assert verdict.source == "follow-through"


def test_a_cell_of_ones_own_has_the_time_of_a_cell_in_the_second_run_too() -> None:
    limits = usual_limits(call=0.3, cell=20.0)
    waits = "import time\nmoment = time.sleep(0.5)"
    assert play(notebook(), extra=waits, limits=limits)[1].points == 1


def test_a_reference_that_hangs_or_dies_ends_only_the_call() -> None:
    for body in ("while x < 0: pass", "if x < 0: __import__('os')._exit(1)"):
        first = f"def half(x, by=2):\n    {body}\n    return x / by"
        source = notebook(first, test="assert quarter(-1) is None")
        verdict = play(source, limits=usual_limits(call=0.5))[1]
        assert verdict.points == 0
        assert play(notebook(first), limits=usual_limits(call=0.5))[1].points == 1


def test_nothing_is_handed_on_from_the_first_run_to_the_second() -> None:
    """Which cell ended the process would tell the second run what the first learned."""
    learns = "if 'half' not in globals(): import os; os._exit(1)"
    tells = (
        "there = 'learned' in globals()\n"
        "def quarter(x): return half(4.0) if there else 0 * half(1)"
    )
    source = notebook()
    report, _ = play(source, second=tells, extra=f"{learns}\nlearned = True")
    assert report.verdicts[1].points == 1  # the cell runs again, where `half` is there


def with_third(answer: str) -> tuple[Cell, ...]:
    return (
        cell("third", "solution", answer, "third"),
        cell("third_test", "test", "assert three(3) == 1", "third"),
    )


def test_a_second_run_ends_with_the_last_test_of_its_exercise() -> None:
    source = (*notebook(), *with_third("def three(x): return x / 3"))
    # Would it run, the time of the submission would be over.
    third = "import time\nif 'half' in globals(): time.sleep(99)"
    report, _ = play(source, third=third, limits=usual_limits(cell=1.0))
    assert earned(report) == [0, 1, 0]
    assert "notebook's time" not in " ".join(report.notes)


def test_a_function_of_a_later_exercise_is_not_lent() -> None:
    """What it returns could be noted for the second run of its own exercise."""
    source = (*notebook(), *with_third("def three(x): return x / 3"))
    answer = "def quarter(x): return 6 * three(1) if half(2) else 0"
    report, _ = play(source, second=answer, third="")
    assert earned(report) == [0, 0, 0]


def test_exercises_get_their_second_chance_in_the_notebooks_order() -> None:
    """Each meets references of exercises before it, which have had their chance."""
    third = with_third("def three(x): return quarter(x) + 1 / 4")
    report, _ = play((*notebook(), *third), second="def quarter(x): return half(1)")
    assert [v.source for v in report.verdicts] == ["own", "own", "follow-through"]
