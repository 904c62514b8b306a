"""The command inside a platform's container, Gradescope for one.

``python -m nbproctor.cli.container prepare ASSIGNMENT`` once, then
``… run ASSIGNMENT ROOT`` for each submission, in a course folder without students.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.nbgrader import container
from nbproctor.platforms.platform import Visibility
from nbproctor.sandbox import doctor


def main() -> int:
    """Prepare the course, or grade what is in ``ROOT/submission``."""
    parser = argparse.ArgumentParser(prog="nbproctor.cli.container")
    verbs = parser.add_subparsers(dest="verb", required=True)
    preparing, running = verbs.add_parser("prepare"), verbs.add_parser("run")
    for verb in (preparing, running):
        verb.add_argument("assignment")
    running.add_argument("root", type=Path)
    running.add_argument("--visibility", default="after_due_date")
    options = parser.parse_args()
    try:
        if options.verb == "prepare":
            return _prepare(options.assignment)
        return _run(options.assignment, options.root, options.visibility)
    except NbproctorError as error:
        print(f"Stopped: {error}")
        return 1


def _prepare(assignment: str) -> int:
    faults = container.prepare(Path.cwd(), assignment)
    for fault in faults:
        print(fault)
    if not faults:
        print("The reference solution earns every point in this container.")
    return 1 if faults else 0


def _run(assignment: str, root: Path, visibility: Visibility) -> int:
    layers = doctor.probe()
    print("What protects this container from the code that it grades:")
    for layer in layers:
        line = f"  {'yes' if layer.ok else 'NO ':3}  {layer.name}: {layer.meaning}"
        print(f"{line}\n       {layer.remedy}" if layer.remedy else line)
    weak = not all(layer.ok for layer in layers if layer.mandatory)
    if weak:
        print("The sandbox is not whole here: a student's code may reach the tests.")
    result, scored = container.run(Path.cwd(), assignment, root, visibility, weak)
    print(f"{result.status}. {result.reason}")
    if not scored:
        print("There is no score, and no 0: grade this submission by hand.")
    return 0 if scored else 1


if __name__ == "__main__":
    sys.exit(main())
