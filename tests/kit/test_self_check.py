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


def tables(
    project: Path, answers: dict[str, str], *left_out: str, then: str = ""
) -> list[list[str]]:
    """Run what is not prose or a demonstration; return the rows of the table.

    Then run a further cell, and return the rows of the table after it too.
    """
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
    check = solved.cells[-1]
    shown = [check]
    if then:
        shown.append(nbformat.v4.new_code_cell(check.source))
        solved.cells += [nbformat.v4.new_code_cell(then), shown[1]]
    where = {"metadata": {"path": str(release)}}
    nbclient.NotebookClient(solved, timeout=120, resources=where).execute()
    found = []
    for cell in shown:
        text = "".join(output.text for output in cell.outputs)
        *rows, _, last = text.splitlines()
        assert last.startswith("This is no mark")
        found.append([row[38:] for row in rows])
    return found


@pytest.fixture(scope="module")
def reference(lab_master: MasterNotebook) -> dict[str, str]:
    return sample.solutions(lab_master)


# A copy of a test without its checks is passed by.
COPY = 'print("Exercise 1 passes its public test.")'
CHANGED = f"Sigmoid.__call__ = lambda self, z: 0\nget_ipython().run_cell({COPY!r})"


@pytest.mark.slow
def test_the_table_shows_answers_as_they_are_now_and_is_no_mark(
    project: Path, reference: dict[str, str]
) -> None:
    """Not as they were when the tests ran."""
    solved, changed = tables(project, reference, then=CHANGED)
    assert solved == 12 * [PASSES]
    assert changed[0].startswith(LOOK) and changed[2] == PASSES


@pytest.mark.slow
def test_each_row_says_how_its_exercise_stands(
    project: Path, reference: dict[str, str]
) -> None:
    done = ("sigmoid", "regularization", "initialize_parameters", "predict")
    answers = {name: reference[name] for name in done}
    answers["one_hot"] = "def one_hot(Y, n_classes):\n    return 3"
    answers["compute_cost"] = "def compute_cost(A2, Y):\n    raise SystemExit"
    answers["backward_propagation"] = reference["backward_propagation"]
    (rows,) = tables(project, answers, "predict-public")
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
