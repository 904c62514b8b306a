"""Grading one submission where a platform runs the container, Gradescope for one.

``python -m nbproctor.nbgrader.container prepare ASSIGNMENT`` once, then
``… run ASSIGNMENT ROOT`` for each submission, in a course folder without students.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.export.gradescope import results
from nbproctor.nbgrader.course import (
    directory,
    folder,
    generate,
    load_config,
)
from nbproctor.nbgrader.grading import grade
from nbproctor.nbgrader.lint import lint
from nbproctor.nbgrader.masters import master_notebooks
from nbproctor.sandbox import doctor

STUDENT = "student"


def main() -> int:
    """Prepare the course, or grade what is in ``ROOT/submission``."""
    parser = argparse.ArgumentParser(prog="nbproctor.nbgrader.container")
    verbs = parser.add_subparsers(dest="verb", required=True)
    preparing, running = verbs.add_parser("prepare"), verbs.add_parser("run")
    for verb in (preparing, running):
        verb.add_argument("assignment")
    running.add_argument("root", type=Path)
    running.add_argument("--visibility", default="after_due_date")
    options = parser.parse_args()
    course = Path.cwd()
    try:
        if options.verb == "prepare":
            return prepare(course, options.assignment)
        return run(course, options.assignment, options.root, options.visibility)
    except NbproctorError as error:
        print(f"Stopped: {error}")
        return 1


def prepare(course: Path, assignment: str) -> int:
    """Make the release and its gradebook, and prove that the reference earns all."""
    generate(course, assignment)
    faults = lint(course, assignment)
    for fault in faults:
        print(fault)
    if not faults:
        print("The reference solution earns every point in this container.")
    return 1 if faults else 0


def run(course: Path, assignment: str, root: Path, visibility: str) -> int:
    """Grade ``root/submission`` and write ``root/results/results.json``."""
    start = time.monotonic()
    layers = doctor.probe()
    print("What protects this container from the code that it grades:")
    for layer in layers:
        line = f"  {'yes' if layer.ok else 'NO ':3}  {layer.name}: {layer.meaning}"
        print(f"{line}\n       {layer.remedy}" if layer.remedy else line)
    weak = not all(layer.ok for layer in layers if layer.mandatory)
    if weak:
        print("The sandbox is not whole here: a student's code may reach the tests.")
    there = directory(load_config(course))
    place = folder(there, "submitted", assignment, STUDENT)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(root / "submission", place, symlinks=True)
    (result,) = grade(course, assignment, [STUDENT], force=True, weak_sandbox=weak)
    masters = master_notebooks(there, assignment)
    content = results(result, masters, visibility, time.monotonic() - start)  # type: ignore[arg-type]
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(text + "\n", "utf-8")
    print(f"{result.status}. {result.reason}")
    if "tests" not in content:
        print("There is no score, and no 0: grade this submission by hand.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
