"""A student's day and a teacher's look at it in a real browser.

Needs Chromium, Playwright and npm (for axe-core); skips where one is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import pytest

from examples import sample_class
from nbproctor import nbgrader
from nbproctor.kit import handout
from nbproctor.notebook import MasterNotebook
from tests.copies import PLOT, lab_course, shorten_lab
from tests.kernels import brief
from tests.notebooks import read_json, read_notebook
from tests.pages.browser import LOOKS, MARKS, accessible, browser
from tests.programs import run_python, start, succeeded

pytestmark = MARKS
LAB = "neural_network"


@pytest.fixture(scope="module")
def course(project: Path, module_path: Path) -> Path:
    """The lab up to its third exercise, with one plot, in a folder with a space.

    All of it is opened in tests/kit/test_browser_site.py.
    """
    folder = module_path / "my course"
    lab_course(project, folder, "data")
    shorten_lab(folder / f"source/{LAB}/{LAB}.ipynb", plots=True)
    for part in ("nbgrader_config.py", "requirements.txt", "kit.py"):
        shutil.copy(project / part, folder)
    nbgrader.generate(folder, LAB)
    return folder


@contextmanager
def jupyter(
    command: list[str],
    folder: Path,
    home: Path,
) -> Iterator[str]:
    """Run a Jupyter server of its own settings; yield its address, without the path."""
    command += ["--no-browser", "--allow-root", "--IdentityProvider.token=secret"]
    log = home / "server.log"
    # The sockets of a kernel are there, and a socket's path may not be long.
    with TemporaryDirectory() as runtime:
        environment = os.environ | {
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),  # see `brief`
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_RUNTIME_DIR": runtime,
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            yield f"http://127.0.0.1:{port_of(process, Path(runtime))}"
        finally:
            process.terminate()
            process.wait(timeout=30)
            # What went wrong in a server, if the browser waited for nothing.
            print(log.read_text("utf-8")[-3000:])


def port_of(process: subprocess.Popen[bytes], runtime: Path) -> int:
    """Return the port that a server has chosen, waiting for two minutes at most."""
    for _ in range(480):
        for path in runtime.glob("jpserver-*.json"):
            with suppress(ValueError):  # it is being written
                return read_json(path)["port"]
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.25)
            break
    pytest.fail("the server did not start")


def solve(
    page: Any,
    notebook: Any,
    cell: str,
    source: str,
) -> None:
    """Go to a cell, run all above it, type an answer over it, and run that."""
    go_to(page, notebook, cell)
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(source)
    page.keyboard.press("Shift+Enter")


def go_to(
    page: Any,
    notebook: Any,
    cell: str,
) -> None:
    """Select a cell, as a click after scrolling does; JupyterLab draws only some."""
    index = [c.id for c in notebook.cells].index(cell)
    page.evaluate(
        """async index => {
          const content = jupyterapp.shell.currentWidget.content;
          content.activeCellIndex = index;
          await content.scrollToCell(content.activeCell);
          content.node.focus();
        }""",
        index,
    )


def work_in_jupyterlab(
    page: Any,
    folder: Path,
    home: Path,
    answers: Any,
) -> str:
    """Solve two exercises, look at the plot, validate, save; return what was said."""
    notebook = read_notebook(folder / "kit" / "original" / f"{LAB}.ipynb")
    command = [sys.executable, str(folder / "kit" / "lab.py")]
    command.append("--LabApp.expose_app_in_browser=True")
    with jupyter(command, folder, home) as address:
        page.goto(f"{address}/lab/tree/{LAB}.ipynb?token=secret")
        page.get_by_role("button", name="| Idle").wait_for()
        menus = page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
        assert "Run" in menus and "Nbgrader" not in menus
        assert page.get_by_text("Create Assignment").count() == 0
        assert page.get_by_text("Jupyter news").count() == 0
        go_to(page, notebook, "sigmoid")
        page.locator(".lm-MenuBar-item", has_text="Run").first.click()
        page.get_by_role("menuitem", name="Run All Above Selected Cell").first.click()
        solve(page, notebook, "sigmoid", answers["sigmoid"])
        go_to(page, notebook, "sigmoid-public")
        page.keyboard.press("Shift+Enter")
        page.get_by_text("Exercise 1 passes its public test.").wait_for()
        solve(page, notebook, "sigmoid-prime", answers["sigmoid_prime"])
        go_to(page, notebook, PLOT)
        page.keyboard.press("Shift+Enter")
        go_to(page, notebook, PLOT)
        page.locator(".jp-Cell.jp-mod-selected .jp-OutputArea img").wait_for()
        page.keyboard.press("ControlOrMeta+s")
        page.locator(".jp-mod-dirty").wait_for(state="hidden")
        page.get_by_role("button", name="Validate").click()
        dialog = page.locator(".jp-Dialog", has_text="Validation Results")
        dialog.wait_for()
        return str(dialog.inner_text())


def test_from_the_zip_of_the_lab_to_the_page_with_its_marks(
    course: Path,
    lab_master: MasterNotebook,
    tmp_path: Path,
    axe: str,
) -> None:
    with ZipFile(handout.pack(nbgrader.Course(course, LAB))) as archive:
        archive.extractall(tmp_path / "Übung {1}")
    folder = tmp_path / "Übung {1}" / LAB
    home = tmp_path / "home"
    home.mkdir()
    brief(home)
    answers = sample_class.solutions(lab_master)
    with browser() as context:
        # The student: two exercises, a plot, Validate, and the file to submit.
        output = work_in_jupyterlab(context.new_page(), folder, home, answers)
        # Of exercise 3, not done.
        assert "failed" in output and "Each column has" in output
        command = [sys.executable, "-I", folder / "kit.py", "submit"]
        done = start(*command, cwd=folder)
        assert "2 of 3 exercises are answered." in done.stdout

        # The teacher grades.
        shutil.copytree(folder / "hand_in", course / "submitted" / "ann" / LAB)
        succeeded(run_python("nbproctor", "grade", LAB, "--sandbox=weak", cwd=course))
        assert nbgrader.scores(course, LAB)["total"]["ann"] == 9  # 5 + 4

        # What both look at; each look of each page is in test_browser.py.
        page = context.new_page()
        feedback = course / "feedback" / "ann" / LAB / f"{LAB}.html"
        text = accessible(page, feedback.as_uri(), axe, LOOKS[:1])
        assert "9 / " in text
        assert "Your own cell" not in text  # the lab has hints and pictures in HTML
        accessible(page, (folder / "START.html").as_uri(), axe, LOOKS[:1])
