"""A mark says what a student can do: no exercise pays for another one's mistake.

The lab through the whole engine, in its sandbox, with follow-through marks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from nbproctor.audit.trials import Trial
from nbproctor.audit.variants import Variants
from nbproctor.engine import Pool, Settings
from nbproctor.judge import main
from nbproctor.kit import sample
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Job, Limits, Report, StudentCell
from nbproctor.sandbox.fork import Fork
from nbproctor.sandbox.layers import Policy
from tests.forked import spawn

LAB = "neural_network"
NOTEBOOK = f"{LAB}/{LAB}.ipynb"
# Some variants are slow or never end. On a busy computer nothing else takes so long.
LIMITS = Limits(call=5.0, cell=30.0)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def master(project: Path) -> MasterNotebook:
    return MasterNotebook.read(
        project / "source" / NOTEBOOK, project / "release" / NOTEBOOK
    )


@pytest.fixture(scope="module")
def solutions(master: MasterNotebook) -> dict[str, str]:
    return sample.solutions(master)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    import seaborn  # noqa: F401 - forks have it, and need not import it

    with Pool() as workers:
        yield workers


def notebook(
    master: MasterNotebook, answers: Mapping[str, str]
) -> tuple[StudentCell, ...]:
    """Return what a student hands in who has answered some exercises."""
    return tuple(
        StudentCell(index, cell.id, answers.get(cell.id, cell.stub))
        for index, cell in enumerate(master.cells)
        if cell.kind not in ("helper", "text", "task")
    )


class Grading:
    """Grades many notebooks side by side."""

    def __init__(self, pool: Pool, master: MasterNotebook, folder: Path) -> None:
        self.pool, self.master = pool, master
        files = support_files(folder, master.data)
        policy = Policy(files=tuple(files.items()))
        self.settings = Settings(LIMITS, policy, follow_through=True)

    def __call__(self, answers: Mapping[str, Mapping[str, str]]) -> dict[str, Report]:
        """Return the report of each notebook, by the same names."""
        running = {
            name: self.pool.execute(
                notebook(self.master, some), self.master, self.settings, {}
            )
            for name, some in answers.items()
        }
        return {name: future.result() for name, future in running.items()}


@pytest.fixture(scope="module")
def graded(pool: Pool, master: MasterNotebook, project: Path) -> Grading:
    return Grading(pool, master, project / "source" / LAB)


def lost(report: Report) -> set[str | None]:
    """Exercises that lost points."""
    return {v.exercise for v in report.verdicts if v.points < v.max_points}


def earned(report: Report) -> dict[str | None, tuple[float, float]]:
    """Exercise → points, of how many; only where there are any."""
    found: dict[str | None, tuple[float, float]] = {}
    for v in report.verdicts:
        points, most = found.get(v.exercise, (0.0, 0.0))
        found[v.exercise] = points + v.points, most + v.max_points
    return {exercise: marks for exercise, marks in found.items() if marks[0]}


def six_at_a_time(trials: Iterable[Trial]) -> Iterator[dict[str, Trial]]:
    """Deal variants out to notebooks, at most one an exercise, until none is left.

    Exercises that have most left are taken more often, so that few notebooks remain
    with less than six. Half of each notebook stays right.
    """
    left: dict[str, list[Trial]] = {}
    for trial in trials:
        left.setdefault(trial.exercise, []).append(trial)
    chance = random.Random(0)
    while left:
        order = {name: chance.random() ** (1 / len(left[name])) for name in left}
        chosen = sorted(order, key=order.__getitem__, reverse=True)[:6]
        yield {name: left[name].pop() for name in chosen}
        left = {name: rest for name, rest in left.items() if rest}


def test_wrong_variants_lose_points_of_their_own_exercises_only(
    graded: Grading, solutions: dict[str, str], project: Path
) -> None:
    """Every wrong variant, in a notebook with five others and six right answers."""
    filed = Variants.read(project / "variants" / LAB, solutions).trials
    wrong = [trial for trial in filed if trial.kind == "wrong"]
    dealt = {
        " ".join(f"{t.exercise}/{t.name}" for t in some.values()): some
        for some in six_at_a_time(wrong)
    }
    assert sum(map(len, dealt.values())) == len(wrong)
    reports = graded(
        {
            name: solutions | {exercise: t.source for exercise, t in some.items()}
            for name, some in dealt.items()
        }
    )
    matrix = {name: lost(report) for name, report in reports.items()}
    assert matrix == {name: {*some} for name, some in dealt.items()}
    assert {trial.exercise for trial in wrong} == set(solutions)


def test_a_syntax_error_loses_points_of_its_own_exercise_only(
    graded: Grading, solutions: dict[str, str]
) -> None:
    typo = {name: text.replace("):\n", ")\n", 1) for name, text in solutions.items()}
    reports = graded({name: solutions | {name: typo[name]} for name in solutions})
    for name, report in reports.items():
        with pytest.raises(SyntaxError):
            compile(typo[name], name, "exec")
        assert lost(report) == {name}
        assert name not in earned(report)


def test_one_right_exercise_among_blanks_earns_exactly_its_points(
    graded: Grading, solutions: dict[str, str]
) -> None:
    reports = graded({name: {name: text} for name, text in solutions.items()})
    for name, report in reports.items():
        ((exercise, (points, most)),) = earned(report).items()
        assert exercise == name
        assert points == most > 0


def test_a_mark_earned_by_follow_through_says_so_and_no_other_does(
    graded: Grading, solutions: dict[str, str]
) -> None:
    """The reference of `fit` calls `one_hot` and `compute_cost`; `predict` no other."""
    report = graded({"": {name: solutions[name] for name in ("fit", "predict")}})[""]
    said = {(v.exercise, v.source, v.message) for v in report.verdicts if v.points}
    note = "Right, given correct solutions of the other exercises."
    assert said == {("fit", "follow-through", note), ("predict", "own", "")}


# --- what it costs ----------------------------------------------------------------


@pytest.fixture
def processes(
    master: MasterNotebook, project: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Count the student processes that grading a notebook takes."""
    monkeypatch.chdir(project)  # no sandbox here, and the data are found from there

    def count(answers: Mapping[str, str], follow_through: bool = True) -> int:
        started: list[Fork] = []

        def counted() -> Fork:
            started.append(spawn())
            return started[-1]

        cells = notebook(master, answers)
        main.grade(Job(master.cells, cells, LIMITS, follow_through), counted)
        return len(started)

    return count


def test_follow_through_costs_nothing_when_everything_passes(
    processes, solutions: dict[str, str]
) -> None:
    assert processes(solutions) == processes(solutions, follow_through=False) == 1


def test_follow_through_costs_two_processes_where_it_can_help(
    processes, solutions: dict[str, str]
) -> None:
    answers = {name: text for name, text in solutions.items() if name != "one_hot"}
    # Without `one_hot`, `fit` fails as well.
    assert processes(answers) == processes(answers, follow_through=False) + 2
