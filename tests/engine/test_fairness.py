"""A mark says what a student can do: no exercise pays for another one's mistake.

The lab through the whole engine, in its sandbox, with follow-through marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from examples import sample_class
from nbproctor.audit.variants import Variants
from nbproctor.engine import Execution, Pool, Settings
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Report
from nbproctor.sandbox.policy import Policy
from tests.notebooks import submitted
from tests.timing import limits

LAB = "neural_network"
Grade = Callable[[Mapping[str, Mapping[str, str]]], dict[str, Report]]

pytestmark = pytest.mark.slow

# Notebooks, each with a wrong variant of every other exercise, and right answers to the
# others. Variants differ in kind: a wrong value, a changed argument or model, a wrong
# shape, a wrong type or nothing at all, an error or a half of the answer, what is
# remembered from the call before. The audit tries every one, alone.
WRONG = """
sigmoid: forgets_the_minus
one_hot: remembers_by_shape
regularization: names_swapped
initialize_parameters: returns_and_sets_nothing
backward_propagation: bias_gradients_flat
fit: shifts_the_callers_labels

sigmoid: math_exp_takes_one_number
one_hot: sorts_the_callers_labels
regularization: only_the_last_layer
initialize_parameters: does_nothing_the_second_time
backward_propagation: keys_without_d
fit: continues_from_old_parameters

sigmoid_prime: diagonal_jacobian
compute_cost: prints_and_returns_nothing
regularization_grad: keys_of_the_weights
forward_propagation: standardizes_the_input_in_place
update_parameters: keys_without_d
predict: keeps_the_first_model

sigmoid_prime: calls_a_function_that_does_not_exist
compute_cost: repairs_the_callers_zeros_and_ones
regularization_grad: transposed
forward_propagation: keeps_the_first_answer
update_parameters: climbs_instead_of_descends
predict: labels_as_strings
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
            cells = submitted(lab_master.cells, answers)
            running[name] = pool.execute(Execution(cells, lab_master, settings))
        return {name: future.result() for name, future in running.items()}

    with Pool() as pool:
        yield grade


def lost(report: Report) -> set[str | None]:
    """Exercises that lost points."""
    return {v.exercise for v in report.verdicts if v.points < v.max_points}


def test_wrong_variants_lose_points_of_their_own_exercises_only(
    graded: Grade,
    solutions: dict[str, str],
    project: Path,
) -> None:
    """Each kind of mistake in each exercise, with five others and six right answers."""
    filed = Variants.read(project / "variants" / LAB, solutions).trials
    texts = {f"{t.exercise}: {t.name}": t.source for t in filed if t.kind == "wrong"}
    notebooks = {
        rows: {row.partition(":")[0]: texts[row] for row in rows.splitlines()}
        for rows in WRONG.strip().split("\n\n")
    }
    reports = graded({rows: solutions | wrong for rows, wrong in notebooks.items()})
    expected = {rows: {*wrong} for rows, wrong in notebooks.items()}
    assert {rows: lost(report) for rows, report in reports.items()} == expected
    assert {*solutions} == set().union(*expected.values())


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
