"""The command inside a platform's container, Gradescope for one.

It grades one submission where the platform runs the container:
``python -m nbproctor.cli.container prepare ASSIGNMENT`` once, then
``… run ASSIGNMENT ROOT`` for each submission, in a course folder without students.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from nbproctor import nbgrader
from nbproctor.cli.authoring import print_layers
from nbproctor.errors import NbproctorError
from nbproctor.platforms.gradescope import results
from nbproctor.platforms.platform import Visibility

STUDENT = "student"


def main() -> int:
    """Prepare the course, or grade what is in ``ROOT/submission``."""
    parser = argparse.ArgumentParser(prog="nbproctor.cli.container")
    parser.add_argument("verb", choices=("prepare", "run"))
    parser.add_argument("assignment")
    parser.add_argument("root", type=Path, nargs="?", default=Path("/autograder"))
    parser.add_argument("--visibility", default="after_due_date")
    options = parser.parse_args()
    try:
        if options.verb == "prepare":
            return _prepare(options.assignment)
        return _run(options.assignment, options.root, options.visibility)
    except NbproctorError as error:
        print(f"Stopped: {error}")
        return 1


def _prepare(assignment: str) -> int:
    """Make the release and its gradebook, and grade the reference solution."""
    course = nbgrader.Course(Path.cwd())
    nbgrader.generate(course, assignment)
    faults = nbgrader.lint(course, assignment)
    proved = "The reference solution earns every point in this container."
    print("\n".join(faults) or proved)
    return 1 if faults else 0


def _run(assignment: str, root: Path, visibility: Visibility) -> int:
    """Grade ``root/submission`` and write ``root/results/results.json``.

    The platform is never given a 0 for what could not be graded: then there is no
    score, and the status is 1.
    """
    start = time.monotonic()
    print("What protects this container from the code that it grades:")
    weak = not print_layers()
    if weak:
        print("The sandbox is not whole here: a student's code may reach the tests.")
    course = nbgrader.Course(Path.cwd())
    submitted = course.folder("submitted", assignment, STUDENT)
    shutil.rmtree(submitted, ignore_errors=True)
    shutil.copytree(root / "submission", submitted, symlinks=True)
    (result,) = nbgrader.grade(
        course, assignment, [STUDENT], force=True, weak_sandbox=weak
    )
    masters = course.masters(assignment)
    content = results(result, masters, visibility, time.monotonic() - start)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(text + "\n", "utf-8")
    print(f"{result.status}. {result.reason}")
    if "tests" in content:
        return 0
    print("There is no score, and no 0: grade this submission by hand.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
