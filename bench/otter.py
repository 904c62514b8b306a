"""The lab as an assignment for Otter-Grader, made from the same master notebook.

One test file an exercise, one test case a graded test cell: its text, run where the
student's names are, after the helper cells above it. Otter gives all points of a case
or none, as the cells of the lab do. The tests import `nbproctor.expect`, so Otter's
Python has to find the package: `PYTHONPATH`.
"""

import json
import shutil
import subprocess
from pathlib import Path

from nbproctor.notebook import MasterNotebook

CASE = """
@test_case(name={name!r}, points={points!r}, hidden=True)
def {function}(env):
    ran = env.setdefault("_helpers_that_ran", set())
    for number, helper in enumerate({helpers!r}):
        if number not in ran:
            exec(helper, env)
            ran.add(number)
    exec({source!r}, env)
"""


def pack(master: MasterNotebook, beside: Path, work: Path, otter: Path) -> Path:
    """Make the zip that ``otter run`` reads; return its path."""
    tests = work / "tests"
    tests.mkdir(parents=True)
    helpers: list[str] = []
    files: dict[str, str] = {}
    for cell in master.cells:
        if cell.kind == "helper":
            helpers.append(cell.source)
        if cell.kind != "test" or not cell.points:
            continue
        opening = (
            "from otter.test_files import test_case\n\nOK_FORMAT = False\n\n"
            f"name = {cell.exercise!r}\npoints = None\n"
        )
        files.setdefault(str(cell.exercise), opening)
        files[str(cell.exercise)] += CASE.format(
            name=cell.id,
            points=cell.points,
            function=f"test_{cell.id}",
            helpers=helpers,
            source=cell.source,
        )
    for name, text in files.items():
        (tests / f"{name}.py").write_text(text)
    options = ["--no-environment", "--no-requirements", "--no-config"]
    shutil.copy(beside, work)
    subprocess.run(
        [otter, "generate", "-t", "tests", *options, beside.name],
        cwd=work,
        check=True,
        capture_output=True,
    )
    return work / "autograder.zip"


def points(results: Path) -> dict[str, float]:
    """What Otter gave: exercise → points."""
    tests = json.loads(results.read_text())["tests"]
    return {test["name"]: float(test["score"]) for test in tests if "score" in test}
