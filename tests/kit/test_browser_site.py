"""The lab in the browser: the site that `release --browser` makes, in Chromium.

`bench/browser.py` runs every cell there too, which needs all of Pyodide.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from nbproctor.kit import browser
from nbproctor.kit.handout import HandoutError
from nbproctor.nbgrader import Course
from tests.copies import LAB, lab_course
from tests.notebooks import read_json, read_notebook
from tests.pages.browser import MARKS, accessible
from tests.pages.browser import browser as chromium
from tests.programs import run_line
from tests.web import served

constants = pytest.importorskip("jupyterlite_pyodide_kernel.constants")
CDN = f"{constants.PYODIDE_CDN_URL}/"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(project: Path, module_path: Path) -> Path:
    return lab_course(
        project, module_path, "data", hand_in="Hand in on Moodle, task 3."
    )


@pytest.fixture(scope="module")
def site(course: Path) -> Path:
    return browser.make_site(Course(course, LAB))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """A web server that does nothing but hand out files, below a folder."""
    with served(site.parent) as server:
        yield f"{server}/{site.name}/"


@pytest.fixture(scope="module")
def pyodide(npm_file: Callable[..., Path]) -> Path:
    """Pyodide's core as npm has it, with the list of all packages of its release."""
    version = constants.PYODIDE_VERSION
    archive = npm_file(f"pyodide-{version}.tgz", "pack", f"pyodide@{version}")
    package = archive.with_name("package")
    if not package.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(archive.parent, filter="data")
    return package


def test_the_site_holds_the_lab_as_students_get_it(course: Path, site: Path) -> None:
    for path in (course / "release" / LAB).iterdir():
        for folder in (site / "files", site / "files/kit/original"):
            assert (folder / path.name).read_bytes() == path.read_bytes()
    digits = "data/mnist/train-images-idx3-ubyte.gz"
    assert (site / "files" / digits).read_bytes() == (course / digits).read_bytes()
    names = {path.name for path in (site / "files/kit").iterdir()}
    assert names == {"cells.py", "hand_in.txt", "original", "submit.py"}
    assert sum(path.stat().st_size for path in site.rglob("*.*")) < 50e6


def test_release_makes_the_site_of_any_course_without_pins_too_next_to_the_zip(
    project: Path, tmp_path: Path
) -> None:
    course = shutil.copytree(project / "examples/tiny", tmp_path / "course")
    site = course / "dist/tiny_browser"
    output = run_line("release --browser", course)
    # The first line comes at once, before half a minute of work.
    assert output.startswith("Grading the reference solution of tiny …")
    assert "For students:" in output and str(site) in output
    assert (course / "release/tiny/tiny.ipynb").is_file()
    assert (course / "dist/tiny.zip").is_file()
    assert 'href="lab/index.html?path=tiny.ipynb"' in (site / "index.html").read_text()
    assert not (site / "files/data").exists()


def test_every_package_is_one_of_pyodides_or_is_in_the_site(
    site: Path, pyodide: Path
) -> None:
    packages = read_json(pyodide / "pyodide-lock.json")["packages"]
    data = read_json(site / "jupyter-lite.json")["jupyter-config-data"]
    settings = data["litePluginSettings"][f"{browser.KERNEL}:kernel"]
    loaded = settings["loadPyodideOptions"]["packages"]
    wheels = [name for name in loaded if name.endswith(".whl")]
    assert {*loaded} - {*wheels} <= packages.keys()
    assert packages.keys() >= browser.KERNEL_NEEDS
    worker = next((site / "extensions" / browser.KERNEL / "static").glob("*.worker.*"))
    assert wheels and all((worker.parent / name).is_file() for name in wheels)


@MARKS[1]
def test_the_notebook_opens_and_only_pyodide_is_asked_of_the_outside(
    address: str,
    course: Path,
    axe: str,
) -> None:
    with chromium() as context:
        urls: list[str] = []
        context.on("request", lambda request: urls.append(request.url))
        context.route(f"{CDN}**", lambda route: route.abort())
        page = context.new_page()
        blocked = page.get_by_role("alert").get_by_text("cannot reach cdn.jsdelivr.net")
        assert "Hand in on Moodle, task 3." in accessible(page, address, axe)
        blocked.wait_for()
        with page.expect_request(f"{CDN}**"):  # the kernel starts with the notebook
            page.get_by_role("link", name=f"Open {LAB}.ipynb").click()
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", state="attached")
        page.get_by_text("Python (Pyodide)").first.wait_for()
        page.get_by_text("mnist.py").first.wait_for()
        blocked.wait_for()
        page.get_by_role("menuitem", name="File", exact=True).click()
        with page.expect_download() as download:
            page.locator(".lm-Menu-itemLabel", has_text="Download").first.click()
        assert download.value.suggested_filename == f"{LAB}.ipynb"
        downloaded, released = (
            [
                (cell.source, cell.id, cell.metadata.get("nbgrader"))
                for cell in read_notebook(path).cells
            ]
            for path in (download.value.path(), course / f"release/{LAB}/{LAB}.ipynb")
        )
        assert downloaded == released
        own_server = urljoin(address, "/")  # JupyterLite asks it for signs of life
        outside = [url for url in urls if re.match(r"https?:", url)]
        assert outside and all(u.startswith((own_server, CDN)) for u in outside)


def test_a_folder_that_is_not_all_of_pyodide_is_refused(
    course: Path, pyodide: Path
) -> None:
    # npm's has no packages.
    with pytest.raises(HandoutError, match=r"Get pyodide-[\d.]+\.tar\.bz2, unpack"):
        browser.make_site(Course(course, LAB), pyodide=pyodide)
