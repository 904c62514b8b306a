"""What cells leave in a student process: outputs as of a kernel, or errors; bounded."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbproctor.judge.session import Session
from nbproctor.sanitize import clean
from nbproctor.student.outputs import IMAGE_BYTES, TEXT_BYTES
from tests.forked import spawn
from tests.judge.notebooks import usual_limits
from tests.kernels import run_in_kernel
from tests.programs import run_python, start, succeeded

pytestmark = pytest.mark.slow

Outputs = list[dict[str, Any]]
Run = Callable[..., Outputs]
RunAll = Callable[..., list[Outputs]]
# Half of what each figure waits for.
FIGURES = "matplotlib.backends.backend_agg", "matplotlib.figure"


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunAll:
    """Run cells, in order; the outputs of each."""
    monkeypatch.chdir(tmp_path)

    def run(*cells: str) -> list[Outputs]:
        session = Session(spawn(*FIGURES), usual_limits().cell)
        replies = [session.ask("run", cell, "a cell", False) for cell in cells]
        session.close()
        results: list[Outputs] = [outputs for outputs, *_ in replies]
        shown = [nbformat.v4.new_code_cell("", outputs=outputs) for outputs in results]
        nbformat.validate(nbformat.from_dict(nbformat.v4.new_notebook(cells=shown)))
        return results

    return run


@pytest.fixture
def run(run_all: RunAll) -> Run:
    """Run cells so; the last one's outputs."""
    return lambda *cells: run_all(*cells)[-1]


def text_of(outputs: Outputs, name: str) -> str:
    return "".join(o["text"] for o in outputs if o.get("name") == name)


def test_streams_and_results_keep_their_order(run: Run) -> None:
    cell = "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')\n1 + 1"
    *streams, result = run(cell)
    assert [(o.get("name"), o.get("text")) for o in streams] == [
        ("stdout", "a\n"),
        ("stderr", "b\n"),
        ("stdout", "c\n"),
    ]
    assert result == {
        "output_type": "execute_result",
        "data": {"text/plain": "2"},
        "metadata": {},
        "execution_count": 1,
    }


def test_an_exception_is_an_error_with_the_line_of_the_cell(run: Run) -> None:
    (output,) = run("x = 1\nx / 0")
    assert (output["ename"], output["evalue"]) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert any("----> 2 x / 0" in line for line in output["traceback"])
    assert "\x1b" not in "".join(output["traceback"])


@pytest.mark.parametrize(
    "before", ["", "%matplotlib inline\n", "%matplotlib notebook\n"], ids=repr
)
def test_a_figure_is_shown_at_the_end_of_its_cell(run_all: RunAll, before: str) -> None:
    cell = before + "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nprint('x')"
    outputs, after = run_all(cell, "print('next')")
    assert [o["output_type"] for o in outputs] == ["stream", "display_data"]
    assert outputs[1]["data"]["image/png"].startswith("iVBOR")
    assert [output["text"] for output in after] == ["next\n"]


def test_of_the_metadata_of_an_output_the_alternative_text_is_kept(run: Run) -> None:
    cell = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "meta = {'image/png': {'alt': 'A line.' + 9_999 * '.', 'width': 9}, 'own': 1}\n"
        "display(plt.gcf(), metadata=meta); plt.close()"
    )
    outputs = run(cell)
    metadata = {"image/png": {"alt": "A line." + 292 * "." + "…"}}
    assert [o["metadata"] for o in (*outputs, *clean(outputs))] == [metadata, metadata]


def test_figures_are_inline_even_where_pyplot_came_before_the_shell(
    tmp_path: Path,
) -> None:
    program = (
        "import matplotlib.pyplot as plt\n"
        "from nbproctor.student.shell import get_shell\n"
        "shell = get_shell(); shell.user_ns['plt'] = plt\n"
        "print([o['output_type'] for o in shell.run('plt.plot([1]);')])\n"
    )
    done = succeeded(start(sys.executable, "-c", program, cwd=tmp_path))
    assert done.stdout.splitlines()[-1] == "['display_data']"


PREPARED = r"""
from nbproctor.student.shell import get_shell, prepare_cells

cells = ["%precision 2\n1 / 3", "import asyncio\nawait asyncio.sleep(0, 5)"]
cells += ["display(1); 2"]
shell = get_shell()
prepare_cells(cells)
for cell in cells:
    shell.execution_count = 1
    prepared = shell.run(cell)
    shell.execution_count = 1
    print(prepared == shell.run(cell + " "), len(prepared))
"""


def test_a_prepared_cell_shows_what_it_shows_without(tmp_path: Path) -> None:
    done = run_python(PREPARED, cwd=tmp_path, kind="kernels")
    assert succeeded(done).stdout.splitlines() == ["True 1", "True 1", "True 2"]


def rehearsed(folder: Path, *cells: str) -> Any:
    """Return what tests.student.rehearsal says of cells."""
    done = run_python("tests.student.rehearsal", *cells, cwd=folder, kind="kernels")
    return json.loads(succeeded(done).stdout)


@pytest.mark.parametrize(
    ("cell", "counts"),
    [
        ("x = beside.value; open('beside.py').read()", True),
        ("x = open('beside.py')", False),
        ("with open('x', 'w') as file: file.write('a')", False),
        ("import sqlite3; x = sqlite3.connect('x')", False),
        ("import os; os.makedirs('x'); os.chdir('x')", False),
    ],
)
def test_opening_cells_run_once_if_all_they_leave_is_in_memory(
    tmp_path: Path,
    cell: str,
    counts: bool,
) -> None:
    (tmp_path / "beside.py").write_text("value = 3")
    cells = ["import beside", cell]
    counted, names, path, _ = rehearsed(tmp_path, *cells)
    assert counted == counts * cells
    assert ("beside" in names) == counts and "" not in path


def test_the_first_error_of_a_fork_looks_up_no_module(tmp_path: Path) -> None:
    *_, indexed = rehearsed(tmp_path, "import colorsys")
    assert "colorsys" in indexed


def test_a_progress_bar_is_one_line_without_a_warning(run: Run) -> None:
    cell = "from tqdm.auto import tqdm\nfor i in tqdm(range(500), mininterval=0): pass"
    text = text_of(run(cell), "stderr")
    assert "500/500" in text
    assert len(text) < 200
    assert "Warning" not in text


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("import asyncio\nawait asyncio.sleep(0)\n'done'", "'done'"),
        ("h = display('a', display_id=True)\nh.update('b')", "'b'"),
        # Libraries look at this name to tell a notebook from a terminal.
        ("get_ipython().__class__.__name__", "'ZMQInteractiveShell'"),
    ],
)
def test_a_cell_shows_what_it_shows_in_a_notebook(
    run: Run,
    cell: str,
    shown: str,
) -> None:
    assert [output["data"]["text/plain"] for output in run(cell)] == [shown]


def test_a_wide_table_is_shown_as_in_a_kernel(tmp_path: Path) -> None:
    """All of its 20 columns, whatever was imported before the shell."""
    cell = "import pandas\nprint(pandas.DataFrame([[1000] * 20]))"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    run_in_kernel(book, tmp_path)
    program = (
        "from nbproctor.student.shell import get_shell, import_modules\n"
        "import_modules(['pandas'])\n"
        f"get_shell().run({cell!r})\n"
    )
    done = succeeded(start(sys.executable, "-c", program, cwd=tmp_path))
    (kernel,) = book.cells[0].outputs
    assert kernel.text.count("1000") == 20
    assert done.stdout.endswith(kernel.text)


def test_what_was_printed_can_be_cleared(run: Run) -> None:
    cell = "from IPython.display import clear_output\nprint(1)\nclear_output()"
    assert text_of(run(f"{cell}\nprint(2)"), "stdout") == "2\n"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("input('name')", "cannot be used"),
        ("import getpass; getpass.getpass()", "cannot be used"),
        ("import os\nos.popen('touch here')", "cannot be started"),
        ("import subprocess\nsubprocess.run(['touch', 'x'])", "cannot be started"),
    ],
)
def test_what_grading_does_not_give_is_an_error_that_says_so(
    run: Run,
    cell: str,
    message: str,
    tmp_path: Path,
) -> None:
    (output,) = run(cell)
    assert output["output_type"] == "error" and message in output["evalue"]
    assert ("be used" in message) != (output["ename"] == "PermissionError")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        "!touch here",
        "x = !touch here",
        "%%bash\ntouch here",
        "%sx touch here",
        "import os; os.system('touch here')",
    ],
)
def test_a_shell_command_says_that_it_does_not_run_and_the_cell_goes_on(
    run: Run,
    command: str,
    tmp_path: Path,
) -> None:
    outputs = run(command)
    assert "cannot be started" in text_of(outputs, "stderr")
    assert "touch here" in text_of(outputs, "stderr")
    assert not any(o["output_type"] == "error" for o in outputs)
    assert list(tmp_path.iterdir()) == []


def test_an_endless_print_is_cut_with_a_note(run: Run) -> None:
    for cell in ("for i in range(10**5): print(i)", "print('x' * 10**7)"):
        text = text_of(run(cell), "stdout")
        assert 100_000 <= len(text) < 100_200
        assert "output cut here" in text


def test_a_text_is_cut_and_what_is_called_a_picture_counts_as_one(
    run_all: RunAll,
) -> None:
    picture = base64.b64encode(bytes(range(256)) * 800).decode()
    long = f"two words{'x' * 3 * TEXT_BYTES}"
    too_many = 1 + IMAGE_BYTES // len(long)
    cells = [
        f"display({{'image/png': {picture!r}}}, raw=True)",
        f"display({{'application/pdf': {picture!r}, 'text/html': {long!r}}}, raw=True)",
        f"for _ in range({too_many}): display({{'image/png': {long!r}}}, raw=True)",
    ]
    whole, cut, counted = run_all(*cells)
    assert whole[0]["data"] == {"image/png": picture}
    for text in cut[0]["data"].values():
        assert len(text) < TEXT_BYTES + 100 and text.endswith("[cut here]")
    assert len(counted) == too_many
    assert "left out" in counted[-1]["data"]["text/plain"]


def test_many_displays_are_cut_with_a_note(run: Run) -> None:
    outputs = run("for i in range(500): display(i)")
    assert len(outputs) == 101
    assert "left out" in outputs[-1]["data"]["text/plain"]


@pytest.mark.parametrize(
    "cell",
    [
        "get_ipython().kernel.do_shutdown(True)",
        "%load_ext autoreload",
        "%time 1 + 1",
        "%timeit -n1 -r1 1",
        "%%capture out\nprint(1)",
        "%config InlineBackend.figure_format = 'retina'",
        "exit",
        "import warnings; warnings.warn('careful')",
        "import logging; logging.warning('careful')",
        "import multiprocessing as m\nwith m.Pool(2) as p: p.map(len, 'a')",
        "from concurrent.futures import ProcessPoolExecutor as P\n"
        "with P(2) as pool: assert [*pool.map(len, 'ab')] == [1, 1]",
        "import shutil\nopen('a', 'w').close()\nshutil.copy2('a', 'b')",
    ],
)
def test_what_notebooks_commonly_do_is_no_error(run: Run, cell: str) -> None:
    assert not [o for o in run(cell) if o["output_type"] == "error"]
