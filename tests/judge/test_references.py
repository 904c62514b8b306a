"""Reference solutions of other exercises: right where needed, and never within reach.

Each test plays a notebook of two exercises by follow-through: the first is answered
wrong, so the second, which uses it, is judged with the first one's reference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import msgpack

from nbproctor.judge import main
from nbproctor.notebook import Cell, Kind
from nbproctor.results import Job, Limits, Report, StudentCell, Verdict
from nbproctor.sandbox.fork import Fork
from tests.forked import spawn

pytestmark = pytest.mark.slow

LIMITS = Limits(call=2.0, cell=4.0, submission=60.0)
WRONG = "raise NotImplementedError"


def cell(name: str, kind: Kind, source: str, exercise: str | None = None) -> Cell:
    points = 1.0 if kind == "test" else 0.0
    stub = "" if kind == "solution" else source
    return Cell(name, kind, source, points, exercise, False, name, stub, {})


def notebook(provided: str, first: str, second: str, test: str) -> tuple[Cell, ...]:
    """Return a master notebook whose second exercise is scored by `test`."""
    return (
        cell("provided", "provided", provided),
        cell("first", "solution", first, "first"),
        cell("first_test", "test", "assert solved_first", "first"),
        cell("second", "solution", second, "second"),
        cell("second_test", "test", test, "second"),
    )


def spawn_counted(children: list[Fork]) -> Callable[[], Fork]:
    def counted() -> Fork:
        children.append(spawn())
        return children[-1]

    return counted


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[Fork]:
    """All processes that `play` starts."""
    children: list[Fork] = []
    monkeypatch.setattr(sys.modules[__name__], "_spawn", spawn_counted(children))
    return children


_spawn = spawn


def play(
    source: tuple[Cell, ...],
    *,
    extra: str = "",
    last: str = "",
    limits: Limits = LIMITS,
    **answers: str,
) -> tuple[Report, Verdict]:
    """Grade a notebook whose first answer is wrong; return the second one's verdict."""
    answers.setdefault("first", WRONG)
    texts = [(c.id, answers.get(c.id, c.source)) for c in source if c.kind != "test"]
    if extra:
        texts.insert(2, ("extra", extra))
    if last:
        texts.append(("last", last))
    student = tuple(StudentCell(n, *pair) for n, pair in enumerate(texts))
    job = Job(source, student, limits)
    report = msgpack.decode(main.main(msgpack.encode(job), _spawn), type=Report)
    return report, report.verdicts[-1]


SHARED = """\
import numpy as np
def add_to(cls):
    def attach(method):
        setattr(cls, method.__name__, method)
        return method
    return attach
class Box:
    size = 3
    def __init__(self, n):
        self.n, self.log, self.W = n, [], np.zeros(n)
    def double(self):
        return 2 * self.n
"""
# what → reference of the first exercise, the second one's answer, its test
RIGHT: dict[str, tuple[str, str, str]] = {
    "a function": (
        "def half(x, by=2):\n    return x / by",
        "def quarter(x): return half(half(x), by=2)",
        "assert quarter(8.0) == 2.0",
    ),
    "an argument that is changed in place": (
        "def fill(x, items):\n    x[...] = 7\n    items.append(1)",
        "def use():\n    x, items = np.zeros(2), []\n    fill(x, items)\n"
        "    return x, items",
        "x, items = use()\nassert list(x) == [7, 7] and items == [1]",
    ),
    "a method on the student's object": (
        "@add_to(Box)\ndef grow(self, by):\n    self.n += by\n    return self.double()",
        "def use():\n    box = Box(2)\n    return box.grow(3), box.n",
        "assert use() == (10, 5)",
    ),
    "lists and arrays of an object are changed in place": (
        "@add_to(Box)\ndef step(self):\n    self.W += 1\n    self.log.append(self.n)\n"
        "    self.seen = seen = []\n    seen.append('x')",
        "def use():\n    box = Box(2)\n    W, log = box.W, box.log\n    box.step()\n"
        "    box.step()\n    return list(W), log, box.log is log, box.seen",
        "assert use() == ([2, 2], [2, 2], True, ['x'])",
    ),
    "a special method": (
        "@add_to(Box)\ndef __call__(self, z):\n    return z + self.n\n"
        "@add_to(Box)\ndef __len__(self):\n    return self.n",
        "@add_to(Box)\ndef prime(self, z): return self(z) * len(self)",
        "assert Box(3).prime(1) == 12",
    ),
    "self comes back as itself": (
        "@add_to(Box)\ndef fit(self):\n    self.fitted = True\n    return self",
        "def use():\n    box = Box(2)\n    return box.fit() is box, box.fitted",
        "assert use() == (True, True)",
    ),
    "a reference's method that calls the answer": (
        "@add_to(Box)\ndef run(self):\n    self.n = 5\n"
        "    return self.answer() + self.n",
        "@add_to(Box)\ndef answer(self):\n    self.n += 10\n    return self.n",
        "assert Box(1).run() == 30",
    ),
    "a method of a reference's own that nobody else names": (
        "@add_to(Box)\ndef _inner(self):\n    return self.n + 1\n"
        "@add_to(Box)\ndef outer(self):\n    return self._inner() * self.size",
        "def use(): return Box(1).outer()",
        "assert use() == 6",
    ),
    "a class that a reference defines": (
        "class Base:\n    def __init__(self, n):\n        self.n = n\n"
        "    @property\n    def twice(self):\n        return 2 * self.n\n"
        "    @staticmethod\n    def zero():\n        return 0\n"
        "    @classmethod\n    def of(cls, n):\n        return cls(n)\n"
        "class Middle(Base):\n    def __init__(self, n):\n        super().__init__(n)\n"
        "        self.m = n + 1",
        "class Top(Middle):\n    def total(self):\n"
        "        assert isinstance(self, Base)\n"
        "        return self.twice + self.m + self.zero() + Base.of(1).n",
        "assert Top(4).total() == 14",
    ),
    "an object that a reference makes": (
        "def make(n):\n    box = Box(n)\n    box.W += n\n    return box",
        "def use():\n    box = make(2)\n    box.n = 4\n"
        "    return box.double(), list(box.W)",
        "assert use() == (8, [2, 2])",
    ),
    "a generator": (
        "def batches(x, size):\n    for start in range(0, len(x), size):\n"
        "        yield x[start : start + size]",
        "def use(): return [sum(part) for part in batches([1, 2, 3], 2)]",
        "assert use() == [3, 3]",
    ),
    "a function that gets and gives functions": (
        "def twice(f):\n    return lambda x: f(f(x))",
        "def use(): return twice(lambda x: 3 * x)(1)",
        "assert use() == 9",
    ),
    "a value, a module and a library's function": (
        "import math as m\nfrom numpy.linalg import norm\nLIMIT = np.arange(3.0)",
        "def use(): return m.floor(2.5) + norm(LIMIT[:2])",
        "assert use() == 3.0",
    ),
    "a named tuple": (
        "from collections import namedtuple\nPair = namedtuple('Pair', 'a b')\n"
        "def pair(a):\n    return Pair(a, [a])\ndef add(pair):\n    return pair.a + 1",
        "def use():\n    made = pair(2)\n    return made.a, made.b, add(made)",
        "assert use() == (2, [2], 3)",
    ),
    "the test's own object": (
        "def ask(thing):\n    thing.n += 1\n    return thing.get()",
        "def use(thing): return ask(thing)",
        "class Thing:\n    n = 4\n    def get(self): return self.n\n"
        "assert use(Thing()) == 5",
    ),
}


@pytest.mark.parametrize("what", RIGHT)
def test_a_reference_works_as_if_it_were_in_the_notebook(what: str) -> None:
    first, second, test = RIGHT[what]
    source = notebook(SHARED, first + "\nsolved_first = True", second, test)
    honest = play(source, first=source[1].source)[1]
    assert (honest.points, honest.source) == (1, "own")
    report, verdict = play(source)
    assert (verdict.points, verdict.source) == (1, "follow-through"), verdict.message
    assert report.verdicts[0].points == 0


def test_an_exception_of_a_reference_is_one_without_its_text() -> None:
    first = (
        "def check(x):\n    raise ValueError('a-mark-of-the-reference')\n"
        "solved_first = True"
    )
    second = (
        "def use():\n    try:\n        check(1)\n    except ValueError as error:\n"
        "        return str(error)"
    )
    test = "got = use()\nassert got and 'a-mark' not in got"
    assert play(notebook("", first, second, test))[1].points == 1


def test_an_exception_of_a_reference_is_not_told_as_the_students() -> None:
    first = "def check(x): raise ValueError(x)\nsolved_first = True"
    source = notebook("", first, "def use(): return check(1)", "use()\nassert False")
    limits = replace(LIMITS, call=3.0)
    told: list[str] = []
    seen = main.NotebookRun.play

    def play_and_tell(self: Any, steps: Any) -> None:
        seen(self, steps)
        told.extend(v.message for v in self.verdicts.values())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main.NotebookRun, "play", play_and_tell)
        play(source, limits=limits)
    assert told[-1] == "Your code raised ValueError in code of another exercise"


def test_hidden_parts_of_a_provided_cell_are_in_no_students_process() -> None:
    hidden = "x = 1\n### BEGIN HIDDEN TESTS\nsecret = 2\n### END HIDDEN TESTS"
    second = "def use(): return 'secret' in globals() or x != 1"
    source = notebook(hidden, "solved_first = True", second, "assert use() is False")
    shown = replace(source[0], stub="x = 1")
    verdict = play((shown, *source[1:]))[1]
    assert verdict.points == 1
    assert play((shown, *source[1:]), first=source[1].source)[1].points == 1
    assert play(source)[1].points == 0


LIES = {
    "attributes that are no dictionary": "__dict__ = property(lambda self: 3)",
    "attributes that raise": "__dict__ = property(lambda self: 1 / 0)",
    "attributes without end": "def __getattr__(self, name): return self",
    "a list that holds itself": "loop = []\n    loop.append(loop)\n"
    "    def __init__(self, n): self.log = self.loop",
    "more attributes than a message may have": "def __init__(self, n):\n"
    "        vars(self).update((f'a{i}', i) for i in range(60_000))",
    "attributes that cannot be set": "__slots__ = ()\n"
    "    def __setattr__(self, name, value): raise TypeError",
    "methods instead of data": "n = log = W = property(lambda self: (lambda: None))",
    "another class": "__class__ = int",
}


@pytest.mark.parametrize("what", LIES)
def test_an_object_that_lies_to_a_reference_harms_only_the_call(what: str) -> None:
    first = (
        "@add_to(Box)\ndef step(self):\n    self.log.append(self.n)\n"
        "    self.n += 1\n    return self.n\nsolved_first = True"
    )
    second = (
        f"class Liar(Box):\n    {LIES[what]}\n"
        "def lie(): return Liar(1).step()\ndef use(): return Box(1).step()"
    )
    test = "try: lie()\nexcept Exception: pass\nassert use() == 2"
    verdict = play(notebook(SHARED, first, second, test))[1]
    assert verdict.points == 1, verdict.message


# --- what is played -------------------------------------------------------------


BROKEN = {
    "a name that holds something else": "half = half(2.0)",
    "a name that is gone": "del half",
    "all names are gone": "%reset -f",
    "a method that is gone": "Box.double = None",
    "a module that is gone": "np = 3",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_name_that_a_students_line_breaks_costs_no_other_exercise(what: str) -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    second = "def use(): return half(np.ones(2)).sum() + Box(2).double()"
    source = notebook(SHARED, first, second, "assert use() == 5")
    report, verdict = play(source, first=first, extra=BROKEN[what])
    assert report.verdicts[0].points == 1
    assert (verdict.points, verdict.source) == (1, "follow-through"), verdict.message


def test_an_answer_may_replace_what_an_earlier_reference_defined() -> None:
    first = "def half(x): return x / 2\ndef four(): return 4\nsolved_first = True"
    first += "\n@add_to(Box)\ndef run(self): return 1"
    second = (
        "half = lambda x: x / four()\nBox.run = Box.double = lambda self: half(8.0)"
    )
    test = "assert (half(8.0), Box(1).run(), Box(1).double()) == (2, 2, 2)"
    source = notebook(SHARED, first, second, test)
    late = (*source[:-1], cell("late", "provided", "x = 1"), source[-1])
    assert play(source)[1].points == 1
    assert play(late, last="x = 1")[1].points == 1


def test_a_student_may_define_a_name_of_the_references_for_herself() -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    own = "def half(x, by):\n    return x / by"
    source = notebook(SHARED, first, "def use(): return half(8.0)", "assert use() == 4")
    verdict = play(source, extra=own, second="def use(): return half(8.0, 2)")[1]
    assert verdict.points == 1


def test_a_student_may_define_a_given_function_anew_for_herself() -> None:
    given = "def scale(x):\n    return x"
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    second = "def use(): return half(scale(8.0))"
    own = "def scale(x, by):\n    return x * by"
    source = notebook(given, first, second, "assert use() == 4")
    answer = "def use(): return half(scale(2.0, 4))"
    verdict = play(source, extra=own, second=answer)[1]
    assert (verdict.points, verdict.source) == (1, "follow-through"), verdict.message


def test_an_answer_that_waits_for_a_wrong_one_gets_its_second_chance() -> None:
    """Its cell hangs in the student's own notebook, so it is a culprit there."""
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    second = "while half(2) != 1: pass\ndef use(): return half(4)"
    source = notebook("", first, second, "assert use() == 2")
    limits = replace(LIMITS, cell=1.0)
    verdict = play(source, first="def half(x): return 0", limits=limits)[1]
    assert (verdict.points, verdict.source) == (1, "follow-through")


def test_a_cell_of_ones_own_that_hung_is_not_run_again(spawned: list[Fork]) -> None:
    source = notebook(
        "", "solved_first = True", "def two(): return 2", "assert two() == 3"
    )
    limits = replace(LIMITS, cell=1.0)
    report, _ = play(source, extra="while True: pass", limits=limits)
    assert "Cell `cell 3` was stopped" in report.notes[0]
    # The own run, once more after the hang; two processes for each exercise.
    assert len(spawned) == 2 + 2 + 2


def test_a_cell_of_ones_own_has_the_time_of_a_cell_beside_references_too() -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    second = "def use(): return half(8.0) + late"
    source = notebook("", first, second, "assert use() == 5")
    limits = replace(LIMITS, call=1.5, cell=20.0)
    slow = "import time\ntime.sleep(1.8)\nlate = 1"
    report, verdict = play(source, extra=slow, second=second, limits=limits)
    assert (verdict.points, verdict.source) == (1, "follow-through"), verdict.message
    assert report.notes == []


def test_a_test_that_was_passed_stays_ones_own() -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    second = "def use(x): return half(x) if x else 0"
    source = (
        *notebook("", first, second, "assert use(0) == 0"),
        cell("more_test", "test", "assert use(2) == 1", "second"),
    )
    report, _ = play(source)
    assert [v.source for v in report.verdicts] == ["own", "own", "follow-through"]
    assert [v.points for v in report.verdicts] == [0, 1, 1]


def test_a_deleted_exercise_gets_no_second_chance(spawned: list[Fork]) -> None:
    source = notebook(
        "", "solved_first = True", "def two(): return 2", "assert two() == 3"
    )
    student = (StudentCell(0, "provided", ""), StudentCell(1, "first", WRONG))
    main.grade(Job(source, student, LIMITS), spawn_counted(spawned))
    assert len(spawned) == 1


def test_no_process_is_left(spawned: list[Fork]) -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    play(notebook("", first, "def use(): return half(2)", "assert use() == 1"))
    assert len(spawned) == 3
    assert all(child.pid == 0 for child in spawned)


def test_two_answers_chosen_by_where_they_run_do_not_add_up() -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    source = (
        *notebook("", first, "def use(x): return x", "assert use(1) == 1"),
        cell("more_test", "test", "assert use(2) == 2", "second"),
    )
    double = (
        "try:\n    half(1)\n    here = 2\nexcept Exception:\n    here = 1\n"
        "def use(x): return here if x == here else 0"
    )
    report, _ = play(source, second=double)
    assert [v.points for v in report.verdicts] == [0, 1, 0]


@pytest.mark.parametrize("extra", ["", "x = 1"])
def test_a_blank_exercise_is_not_tried_again_if_nothing_else_can_answer_it(
    monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    tried: list[str] = []
    plan = main.order.among_references
    monkeypatch.setattr(
        main.order,
        "among_references",
        lambda job, one, outer: tried.append(one) or plan(job, one, outer),
    )
    source = notebook(
        "", "solved_first = True", "def two(): return 2", "assert two() == 2"
    )
    texts = {"provided": "", "first": "", "extra": extra, "second": ""}
    student = tuple(StudentCell(n, *pair) for n, pair in enumerate(texts.items()))
    main.grade(Job(source, student, LIMITS), spawn)
    assert tried == (["first", "second"] if extra else [])


def test_a_follow_through_ends_with_the_last_test_of_its_exercise() -> None:
    first = "def half(x):\n    return x / 2\nsolved_first = True"
    source = (
        *notebook("", first, "def use(): return half(2)", "assert use() == 1"),
        cell("third", "solution", "def late(): return 1", "third"),
        cell("third_test", "test", "assert late() == 1", "third"),
    )
    # Would it run, the time of the submission would be over.
    report, _ = play(
        source, third="import time\nif 'half' in globals(): time.sleep(99)"
    )
    assert [v.points for v in report.verdicts] == [0, 1, 0]
    assert "notebook's time" not in " ".join(report.notes)
    assert report.verdicts[1].source == "follow-through"


def test_a_reference_of_a_later_exercise_is_not_lent() -> None:
    """What it returns could be noted for the second chance of its own exercise."""
    source = notebook(
        "",
        "def one(): return 1\nsolved_first = True",
        "def two(): return 2",
        "assert two() == 2",
    )
    third = (
        cell("third", "solution", "def three(): return 3", "third"),
        cell("third_test", "test", "assert three() == 3", "third"),
    )
    report, _ = play(
        (*source, *third), second="def two(): return three() - 1", third=""
    )
    assert [v.points for v in report.verdicts] == [0, 0, 0]


def test_exercises_get_their_second_chance_in_the_notebooks_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []
    plan = main.order.among_references
    monkeypatch.setattr(
        main.order,
        "among_references",
        lambda job, one, outer: order.append(one) or plan(job, one, outer),
    )
    source = (
        *notebook(
            "", "solved_first = True", "def two(): return 2", "assert two() == 2"
        ),
        cell("third", "solution", "def three(): return 3", "third"),
        cell("third_test", "test", "assert three() == 3", "third"),
    )
    limits = Limits(call=1.0, cell=0.5, submission=30.0)
    texts = {"provided": "", "first": WRONG, "second": "while True: pass", "third": "1"}
    student = tuple(StudentCell(n, *pair) for n, pair in enumerate(texts.items()))
    main.grade(Job(source, student, limits), spawn)
    assert order == ["second", "third"]  # nothing that `first` could depend on


def test_the_history_of_the_references_is_not_lent() -> None:
    """IPython keeps the text of cells under names that an answer could mention."""
    mark = "planted" + "_in_the_reference"
    spy = (
        "# _i _ii _iii _ih In _oh Out _dh _1 _2 _3 _i1 _i2 _i3 _i4 _i5 _i6\n"
        "def use():\n"
        "    texts = [str(value) for value in list(globals().values())]\n"
        "    return half(4), any('planted' + '_in_the' in text for text in texts)"
    )
    provided, *first, second, test = notebook(
        "import numpy as np",
        f"def half(x):\n    note = '{mark}'\n    return x / 2",
        "def use(): return half(4), False",
        "half_of_4, seen = use()\nassert half_of_4 == 2.0 and not seen, seen",
    )
    # The references run more cells than the student, so their last number is free.
    middle = (
        cell("middle", "solution", f"def third(x): return x / 3, '{mark}'", "middle"),
        cell("middle_test", "test", "assert third(3)[0] == 1", "middle"),
    )
    source = (provided, *first, *middle, second, test)
    _, verdict = play(source, middle=WRONG, second=spy)
    assert (verdict.points, verdict.source) == (1.0, "follow-through"), verdict
