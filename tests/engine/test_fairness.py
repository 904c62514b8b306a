"""A mark says what a student can do: no exercise pays for another one's mistake.

The lab through the whole engine, in its sandbox, with follow-through marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from examples import sample_class
from nbproctor.audit.variants import Variants
from nbproctor.engine import Execution, Pool, Settings
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Report
from nbproctor.sandbox.policy import Policy
from tests.notebooks import student_cells
from tests.timing import limits

LAB = "neural_network"
Grade = Callable[[Mapping[str, Mapping[str, str]]], dict[str, Report]]

pytestmark = pytest.mark.slow

# Wrong variants that differ in kind, two of these for each exercise: a wrong value,
# a changed argument or model, a wrong shape, a wrong type or nothing at all, an error
# or a half of the answer, what is remembered from the call before. The audit tries
# every one, alone.
WRONG = """
sigmoid: forgets_the_minus math_exp_takes_one_number
sigmoid_prime: diagonal_jacobian calls_a_function_that_does_not_exist
one_hot: sorts_the_callers_labels remembers_by_shape
compute_cost: repairs_the_callers_zeros_and_ones prints_and_returns_nothing
regularization: names_swapped only_the_last_layer
regularization_grad: keys_of_the_weights transposed
initialize_parameters: does_nothing_the_second_time returns_and_sets_nothing
forward_propagation: keeps_the_first_answer standardizes_the_input_in_place
backward_propagation: bias_gradients_flat keys_without_d
update_parameters: keys_without_d climbs_instead_of_descends
fit: continues_from_old_parameters shifts_the_callers_labels
predict: labels_as_strings keeps_the_first_model
"""


@pytest.fixture(scope="module")
def solutions(lab_master: MasterNotebook) -> dict[str, str]:
    return sample_class.solutions(lab_master)


@pytest.fixture(scope="module")
def graded(lab_master: MasterNotebook, project: Path) -> Iterator[Grade]:
    """Grade many notebooks side by side; return the report of each, by the same names.

    Each is a choice of answers.
    """
    import seaborn  # noqa: F401 - forks have it, and need not import it

    files = support_files(project / "source" / LAB, lab_master.data)
    policy = Policy(files=tuple(files.items()))
    # Some variants are slow or never end. Nothing else takes so long.
    times = limits(
        call=2.0,
        cell=10.0,
        submission=300,
    )
    settings = Settings(times, policy, follow_through=True)

    def grade(choices: Mapping[str, Mapping[str, str]]) -> dict[str, Report]:
        running = {}
        for name, answers in choices.items():
            cells = student_cells(
                (cell.id, answers.get(cell.id, cell.stub))
                for cell in lab_master.cells
                if cell.kind not in ("helper", "text", "task")
            )
            running[name] = pool.execute(Execution(cells, lab_master, settings))
        return {name: future.result() for name, future in running.items()}

    with Pool() as pool:
        yield grade


def lost(report: Report) -> set[str | None]:
    """Exercises that lost points."""
    return {v.exercise for v in report.verdicts if v.points < v.max_points}


def halves(kinds: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Deal wrong answers out to notebooks: in each, every other exercise stays right.

    No notebook has the same kind of mistake twice in a row.
    """
    dealt = {}
    for odd in (0, 1):
        wrong = list(kinds)[odd::2]
        for number in range(max(map(len, kinds.values()))):
            dealt[f"{odd}-{number}"] = {
                name: kinds[name][(number + position) % len(kinds[name])]
                for position, name in enumerate(wrong)
            }
    return dealt


def test_wrong_variants_lose_points_of_their_own_exercises_only(
    graded: Grade,
    solutions: dict[str, str],
    project: Path,
) -> None:
    """Each kind of mistake in each exercise, with five others and six right answers."""
    filed = Variants.read(project / "variants" / LAB, solutions).trials
    texts = {(t.exercise, t.name): t.source for t in filed if t.kind == "wrong"}
    kinds: dict[str, list[str]] = {}
    for row in WRONG.strip().splitlines():
        exercise, _, names = row.partition(": ")
        kinds[exercise] = [texts[exercise, name] for name in names.split()]
    assert kinds.keys() == solutions.keys()
    dealt = halves(kinds)
    reports = graded({name: solutions | wrong for name, wrong in dealt.items()})
    matrix = {name: lost(report) for name, report in reports.items()}
    assert matrix == {name: {*wrong} for name, wrong in dealt.items()}


# Of those that are right in a notebook, none calls another.
RIGHT = """
fit regularization regularization_grad sigmoid
sigmoid_prime forward_propagation one_hot compute_cost
backward_propagation predict initialize_parameters update_parameters
"""


def test_right_exercises_among_blanks_earn_exactly_their_points(
    graded: Grade, solutions: dict[str, str]
) -> None:
    assert sorted(RIGHT.split()) == sorted(solutions)
    lines = RIGHT.strip().splitlines()
    reports = graded({line: {n: solutions[n] for n in line.split()} for line in lines})
    for names, report in reports.items():
        right = {*names.split()}
        assert {v.exercise for v in report.verdicts if v.points} == right
        assert not right & lost(report)
