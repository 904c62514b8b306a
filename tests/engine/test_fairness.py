"""A mark says what a student can do: no exercise pays for another one's mistake.

The lab through the whole engine, in its sandbox, with follow-through marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

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

# Wrong variants that differ in kind; the audit tries every one, alone. In columns: a
# wrong value, a changed argument or model, a wrong shape, a wrong type or nothing at
# all, an error or a half of the answer, what is remembered from the call before.
WRONG = """
sigmoid: forgets_the_minus clips_the_callers_array flattens_the_result
    returns_a_nested_list math_exp_takes_one_number mutable_default_remembers
sigmoid_prime: forgets_the_square overwrites_the_callers_array diagonal_jacobian
    forgets_to_return calls_a_function_that_does_not_exist remembers_the_first_answer
one_hot: ones_up_to_the_label sorts_the_callers_labels transposed
    prints_and_returns_nothing indexes_with_the_row_vector remembers_by_shape
compute_cost: forgets_the_minus repairs_the_callers_zeros_and_ones
    returns_one_cost_per_class prints_and_returns_nothing no_clip remembers_by_shape
regularization: forgets_the_half squares_the_callers_weights only_the_last_layer
    returns_a_pair names_swapped keeps_the_first_strength
regularization_grad: wrong_sign scales_the_callers_weights transposed
    returns_a_tuple keys_of_the_weights keeps_the_first_signs
initialize_parameters: zero_weights seeded_with_the_clock flat_biases
    returns_and_sets_nothing parameters_in_a_dict does_nothing_the_second_time
forward_propagation: bias_subtracted sigmoid_in_place returns_only_the_output
    returns_nothing keys_in_lower_case keeps_the_first_answer
backward_propagation: penalty_subtracted overwrites_the_cache bias_gradients_flat
    returns_nothing_at_all keys_without_d keeps_the_first_m
update_parameters: climbs_instead_of_descends scales_grads_in_place
    bias_gradients_flattened only_local_names keys_without_d keeps_momentum
fit: one_epoch_too_few shuffles_the_callers_data batches_of_rows returns_nothing
    no_batch_size_crashes continues_from_old_parameters
predict: second_best starts_from_new_parameters a_column_of_labels
    labels_as_strings a_plain_list keeps_the_first_model
"""


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


# Hangs for a single label only: each call that hangs takes five seconds.
ENDLESS = """

right = one_hot
def one_hot(Y, n_classes):
    while Y.size == 1:
        pass
    return right(Y, n_classes)
"""


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


def halves(kinds: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Deal wrong answers out to notebooks: in each, every other exercise stays right.

    No notebook has the same kind of mistake twice in a row.
    """
    dealt = {}
    for odd in (0, 1):
        wrong = list(kinds)[odd::2]
        for number in range(max(map(len, kinds.values()))):
            dealt[f"{odd}-{number}"] = {
                name: kinds[name][(number + place) % len(kinds[name])]
                for place, name in enumerate(wrong)
            }
    return dealt


def test_wrong_variants_lose_points_of_their_own_exercises_only(
    graded: Grading, solutions: dict[str, str], project: Path
) -> None:
    """Each kind of mistake in each exercise, with five others and six right answers."""
    filed = Variants.read(project / "variants" / LAB, solutions).trials
    texts = {(t.exercise, t.name): t.source for t in filed if t.kind == "wrong"}
    kinds: dict[str, list[str]] = {}
    for row in re.sub(r"\n +", " ", WRONG).strip().splitlines():
        exercise, _, names = row.partition(": ")
        kinds[exercise] = [texts[exercise, name] for name in names.split()]
    assert kinds.keys() == solutions.keys()
    dealt = halves(kinds)
    reports = graded({name: solutions | wrong for name, wrong in dealt.items()})
    matrix = {name: lost(report) for name, report in reports.items()}
    assert matrix == {name: {*wrong} for name, wrong in dealt.items()}


def test_a_syntax_error_or_a_hang_loses_points_of_its_own_exercise_only(
    graded: Grading, solutions: dict[str, str]
) -> None:
    typo = {name: text.replace("):\n", ")\n", 1) for name, text in solutions.items()}
    for name, text in typo.items():
        with pytest.raises(SyntaxError):
            compile(text, name, "exec")
    dealt = halves({name: [text] for name, text in typo.items()})
    dealt["hangs"] = {"one_hot": solutions["one_hot"] + ENDLESS}
    reports = graded({name: solutions | wrong for name, wrong in dealt.items()})
    for name, report in reports.items():
        assert lost(report) == {*dealt[name]}
        assert name == "hangs" or not {*dealt[name]} & earned(report).keys()


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
