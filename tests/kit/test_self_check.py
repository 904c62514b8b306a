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
# A copy of a test without its checks is passed by.
COPY = 'print("Exercise 1 passes its public test.")'
CHANGED = f"Sigmoid.__call__ = lambda self, z: 0\nget_ipython().run_cell({COPY!r})"


@pytest.mark.slow
def test_each_row_says_how_its_exercise_stands_now_and_is_no_mark(
    project: Path, lab_master: MasterNotebook
) -> None:
    """Not as it stood when its test ran."""
    folder = project / "release" / LAB
    release = nbformat.read(folder / f"{LAB}.ipynb", as_version=4)
    right = sample.solutions(lab_master)
    done = ("sigmoid", "regularization", "initialize_parameters", "predict")
    some = {name: right[name] for name in (*done, "backward_propagation")}
    some["one_hot"] = "def one_hot(Y, n_classes):\n    return 3"
    some["compute_cost"] = "def compute_cost(A2, Y):\n    raise SystemExit"
    # All that is not prose or a demonstration; the table is the last cell.
    partly, solved = (
        [
            cell
            for cell in sample.solve(release, answers).cells
            if cell.cell_type == "code"
            and (cell.metadata.get("nbgrader") or cell.id == "try-self-check")
        ]
        for answers in (some, right)
    )
    partly = [cell for cell in partly if cell.id != "predict-public"]
    alone, change, table = map(
        nbformat.v4.new_code_cell, (ALONE, CHANGED, solved[-1].source)
    )
    release.cells = [alone, *partly, *solved, change, table]
    where = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(release, timeout=120, resources=where).execute()
    tables = []
    for cell in (partly[-1], solved[-1], table):
        *rows, _, last = "".join(o.text for o in cell.outputs).splitlines()
        assert last.startswith("This is no mark")
        tables.append([row[38:] for row in rows])
    assert tables[0] == [
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
        f"{NOT_STARTED}: its test has not run since the kernel started",
    ]
    assert tables[1] == 12 * [PASSES]
    assert tables[2][0].startswith(LOOK) and tables[2][2] == PASSES
