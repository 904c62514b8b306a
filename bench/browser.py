"""Run every cell of the solved lab in a browser, and grade what is downloaded.

Makes the site of `release --browser` with the solved student version in it, serves it
from 127.0.0.1, opens it in Chromium, chooses Run All Cells, saves, and downloads the
notebook, as a student does. Prints which cells failed or wrote to stderr, what was
asked of the outside, the seconds of wall and of the browser's processors, the grades.

    .venv/bin/python bench/browser.py                     Pyodide from its own address
    .venv/bin/python bench/browser.py --pyodide FOLDER    nothing asked of the outside
    .venv/bin/python bench/browser.py --site FOLDER       a site that is there already
    .venv/bin/python bench/browser.py --browser firefox   Playwright's own Firefox

No part of the tests: all of Pyodide is 400 MB to download, what the lab loads of it 40.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import Page, sync_playwright

from examples import sample_class
from nbproctor.kit.browser import make_site
from nbproctor.nbgrader import Course
from nbproctor.notebook import MasterNotebook

ROOT, LAB = Path(__file__).parents[1], "neural_network"
STATE = """() => {
  const cells = jupyterapp.shell.currentWidget.content.model.cells;
  const code = [...cells].filter(c => c.type == "code" && c.sharedModel.source.trim());
  return code.map(c => [c.id, Boolean(c.executionCount)]); }"""


# What the first page asks of students before they hand in.
SUBMIT = """async () => {
  const notebook = jupyterapp.shell.currentWidget.content;
  await jupyterapp.commands.execute("notebook:insert-cell-below");
  notebook.activeCell.model.sharedModel.setSource("%run kit/submit.py");
  await jupyterapp.commands.execute("notebook:run-cell");
  const said = notebook.activeCell.model.outputs.toJSON().map(o => o.text || o.evalue);
  await jupyterapp.commands.execute("notebook:delete-cell");
  return said.flat().join(""); }"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


def course_in(folder: Path) -> Path:
    """The course, with its release."""
    for name in (f"source/{LAB}", f"release/{LAB}", "data"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def solve(folder: Path, target: Path) -> None:
    """Write the student version of a course, all of it solved."""
    master = MasterNotebook.read(folder / "source" / LAB / f"{LAB}.ipynb")
    path = folder / "release" / LAB / f"{LAB}.ipynb"
    solved = sample_class.solve(nbformat.read(path, 4), sample_class.solutions(master))
    nbformat.write(solved, target)


def processor() -> float:
    """Return the seconds that the browser's processes have spent."""
    family = psutil.Process().children(recursive=True)
    times = [p.cpu_times() for p in family if "chrom" in p.name()]
    return sum(t.user + t.system for t in times)


def choose(page: Page, menu: str, entry: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=entry).first.click()


def work(page: Page, address: str, minutes: float, target: Path) -> None:
    """Open the notebook, run all cells, save and download it."""
    start = time.monotonic()
    page.goto(f"{address}lab/index.html?path={LAB}.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", state="attached")
    page.get_by_text("Python (Pyodide) | Idle").wait_for()
    ready = time.monotonic() - start
    choose(page, "Run", "Run All Cells")
    running, until, before = [""], start + 60 * minutes, processor()
    opened, spent = before, Counter[str]()
    while running and time.monotonic() < until:
        page.wait_for_timeout(500)
        cells = page.evaluate(STATE)
        now = processor()
        spent[running[0]] += now - before
        before, running = now, [name for name, done in cells if not done]
    seconds = time.monotonic() - start
    print(f"{len(cells) - len(running)} of {len(cells)} cells ran in {seconds:.0f} s,")
    print(f"of which {ready:.0f} until the notebook was open")
    print(f"processor seconds of Chromium: {opened:.0f} until the notebook was open,")
    print(f"then {before - opened:.0f}, most of them in these cells:")
    for name, used in spent.most_common(20):
        print(f"{used:8.1f}  {name}")
    choose(page, "File", "Save Notebook")
    print("kit/submit.py:", page.evaluate(SUBMIT))
    choose(page, "File", "Save Notebook")
    with page.expect_download() as download:
        choose(page, "File", "Download")
    assert download.value.suggested_filename == f"{LAB}.ipynb"
    download.value.save_as(target)


def tell(path: Path) -> None:
    """Print what went wrong in a notebook, and what it says of its kernel."""
    notebook = json.loads(path.read_text("utf-8"))
    print(json.dumps(notebook["metadata"]))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error" or output.get("name") == "stderr":
                words = output.get("evalue") or "".join(output["text"])
                print(f"{cell['id']}: {' '.join(words.split())[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pyodide", type=Path)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    browsers = "chromium", "firefox"
    parser.add_argument("--browser", choices=browsers, default="chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = course_in(Path(folder))
        site = options.site or make_site(Course(course, LAB), pyodide=options.pyodide)
        solve(course, site / "files" / f"{LAB}.ipynb")
        settings = json.loads((site / "jupyter-lite.json").read_text())
        settings["jupyter-config-data"]["exposeAppInBrowser"] = True  # as jupyterapp
        (site / "jupyter-lite.json").write_text(json.dumps(settings))
        handed = course / "handed_in" / "ann" / f"{LAB}.ipynb"
        handed.parent.mkdir(parents=True)
        served = partial(Quiet, directory=site)
        with (
            ThreadingHTTPServer(("127.0.0.1", 0), served) as server,
            sync_playwright() as playwright,
        ):
            program = shutil.which(options.browser) or shutil.which("google-chrome")
            launcher = getattr(playwright, options.browser)
            chromium = {"executable_path": program, "args": ["--no-sandbox"]}
            is_chromium = options.browser == "chromium"
            pages = launcher.launch(**chromium if is_chromium else {}).new_context()
            pages.set_default_timeout(120_000)
            threading.Thread(target=server.serve_forever).start()
            address = f"http://127.0.0.1:{server.server_port}/"
            asked: set[str] = set()
            pages.on("request", lambda request: asked.add(request.url))
            try:
                work(pages.new_page(), address, options.minutes, handed)
            finally:
                server.shutdown()
        outside = {u for u in asked if re.match("https?:", u)}
        outside = {u for u in outside if not u.startswith(address)}
        print("asked of the outside:", *sorted(outside) or ["nothing"], sep="\n  ")
        tell(handed)
        command = [sys.executable, "-P", "-m", "nbproctor", "--course", folder]
        for verb in (["release"], ["collect", "handed_in"], ["grade"]):
            subprocess.run([*command, *verb], check=True)


if __name__ == "__main__":
    main()
