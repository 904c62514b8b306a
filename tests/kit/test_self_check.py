"""The table at the end of the lab, in a kernel without nbgrader and nbproctor."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from nbproctor.kit import sample
from nbproctor.notebook import MasterNotebook

LAB = "neural_network"
ALONE = "import sys; sys.modules['nbgrader'] = sys.modules['nbproctor'] = None"
PASSES, LOOK, NOT_STARTED = "✓ passes its public test", "→ look here", "○ not started"


def table(project: Path, answers: dict[str, str], *left_out: str) -> list[str]:
    """Run what is not prose or a demonstration; return the rows of the table."""
    release = project / "release" / LAB
    notebook = nbformat.read(release / f"{LAB}.ipynb", as_version=4)
    solved = sample.solve(notebook, answers)
    solved.cells = [nbformat.v4.new_code_cell(ALONE)] + [
        cell
        for cell in solved.cells
        if cell.cell_type == "code"
        and (cell.metadata.get("nbgrader") or cell.id == "try-self-check")
        and cell.id not in left_out
    ]
    where = {"metadata": {"path": str(release)}}
    nbclient.NotebookClient(solved, timeout=120, resources=where).execute()
    text = "".join(output.text for output in solved.cells[-1].outputs)
    *rows, _, last = text.splitlines()
    assert last.startswith("This is no mark")
    return [row[38:] for row in rows]


@pytest.fixture(scope="module")
def reference(project: Path) -> dict[str, str]:
    path = project / "source" / LAB / f"{LAB}.ipynb"
    return sample.solutions(MasterNotebook.read(path))


@pytest.mark.slow
def test_the_table_of_a_solved_lab_has_twelve_rows_and_is_no_mark(
    project: Path, reference: dict[str, str]
) -> None:
    assert table(project, reference) == 12 * [PASSES]


@pytest.mark.slow
def test_each_row_says_how_its_exercise_stands(
    project: Path, reference: dict[str, str]
) -> None:
    done = ("sigmoid", "regularization", "initialize_parameters", "predict")
    answers = {name: reference[name] for name in done}
    answers["one_hot"] = "def one_hot(Y, n_classes):\n    return 3"
    answers["compute_cost"] = "def compute_cost(A2, Y):\n    raise SystemExit"
    answers["backward_propagation"] = reference["backward_propagation"]
    rows = table(project, answers, "predict-public")
    unrun = f"{NOT_STARTED}: its test has not run since the kernel started"
    assert rows == [
        PASSES,
        NOT_STARTED,
        f"{LOOK}: runs: an array is needed, but found int",
        f"{LOOK}: SystemExit",
        PASSES,
        NOT_STARTED,
        PASSES,
        NOT_STARTED,
        f"{LOOK}: exercise 2 is not written yet, and this test uses it: do that first",
        NOT_STARTED,
        NOT_STARTED,
        unrun,
    ]


@pytest.mark.slow
def test_the_table_shows_answers_as_they_are_now(
    project: Path, reference: dict[str, str]
) -> None:
    """Not as they were when the tests ran; a copy without its checks is passed by."""
    answers = dict(reference)
    copy = 'print("Exercise 1 passes its public test.")'
    answers["predict"] += (
        f"\n\nSigmoid.__call__ = lambda self, z: 0\nget_ipython().run_cell({copy!r})"
    )
    rows = table(project, answers)
    assert rows[0].startswith(LOOK) and rows[2] == PASSES
