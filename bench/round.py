"""What a teacher waits for on a Sunday evening, step by step; again with nothing new.

A class is made from the variants (everybody has solved the lab, but for one wrong and
one unusual right answer) and packed as Canvas does. Each step is a process of its own,
as the teacher starts it, its start included.

    .venv/bin/python bench/round.py                      # 30 students, a few minutes
    .venv/bin/python bench/round.py --students 300
    .venv/bin/python bench/round.py --json round.json    # the numbers, for a program
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import psutil
from grading import LAB, ROOT, the_class

from examples import sample_class
from nbproctor import nbgrader
from nbproctor.notebook import MasterNotebook

INTERVAL = 0.2  # seconds between two looks at the processes of a step
# The parts of `kit.py grade`, which a teacher waits for as one.
PART = "from pathlib import Path; from nbproctor.nbgrader import *; {}"
PARTS = {
    "grade": f"grade(Path(), {LAB!r})",
    "feedback": f"feedback(Path(), {LAB!r})",
    "report": f"course = Course(Path(), {LAB!r})\nreport(course, participants(course))",
}


@dataclass(frozen=True)
class Step:
    """What one step took: by the clock, and of processors."""

    name: str
    wall: float
    cpu: float


def make_course(place: Path, count: int) -> None:
    """Make a course with a release, a grade book, and everybody's work in one zip."""
    place.mkdir()
    (place / "source").symlink_to(ROOT / "source")
    (place / "data").symlink_to(ROOT / "data")
    (place / "nbgrader_config.py").write_text(
        (ROOT / "nbgrader_config.py").read_text("utf-8"), "utf-8"
    )
    nbgrader.generate(place, LAB)
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    release = nbformat.read(place / f"release/{LAB}/{LAB}.ipynb", as_version=4)
    heads = ["Student", "ID", "SIS Login ID", "Section", f"{LAB} (77)"]
    rows = [heads, ["    Points Possible", "", "", "", "100.00"]]
    with zipfile.ZipFile(
        place / "submissions.zip", "w", zipfile.ZIP_DEFLATED
    ) as archive:
        for number, student in enumerate(the_class(count)):
            _, notebook = sample_class.submit(
                student, release, master, ROOT / "variants" / LAB
            )
            name = f"{student.id}_{1000 + number}_{90_000 + number}_{LAB}.ipynb"
            archive.writestr(name, nbformat.writes(notebook))
            rows.append([f"{student.id}, Ann", str(1000 + number), student.id, "A", ""])
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (place / "gradebook.csv").write_text(text.getvalue(), "utf-8", newline="")


def timed(name: str, place: Path, *command: str) -> Step:
    """Run a step; count what all of its processes used.

    Bubblewrap does not hand on what a fork server behind it used, forks included. So
    those are looked at while the step runs, and their last numbers are added.
    """
    before, start = spent_by_children(), time.perf_counter()
    running = psutil.Popen(
        [sys.executable, *command],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    behind: dict[tuple[int, float], float] = {}
    output: list[bytes] = []
    os.set_blocking(running.stdout.fileno(), False)
    while running.poll() is None:
        behind |= behind_bubblewrap(running)
        output.append(running.stdout.read() or b"")
        time.sleep(INTERVAL)
    wall = time.perf_counter() - start
    cpu = spent_by_children() - before + sum(behind.values())
    if running.returncode:
        output.append(running.stdout.read() or b"")
        sys.exit(f"{name} failed:\n{b''.join(output).decode()}")
    return Step(name, round(wall, 2), round(cpu, 2))


def behind_bubblewrap(process: psutil.Process) -> dict[tuple[int, float], float]:
    """Processor seconds of each fork server behind bubblewrap, its forks included."""
    found = {}
    try:
        for each in process.children(recursive=True):
            if each.name() != "bwrap" and each.parent().name() == "bwrap":
                key = each.pid, each.create_time()
                found[key] = sum(each.cpu_times()[:4])
    except (psutil.NoSuchProcess, AttributeError):
        pass  # one has just ended: its last numbers are known
    return found


def spent_by_children() -> float:
    """Processor seconds of all that this process has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def a_round(place: Path) -> Iterator[Step]:
    """Walk through the evening; then again, with nothing new."""

    def kit(name: str, *arguments: str) -> Step:
        return timed(name, place, "-m", "nbproctor", *arguments)

    yield kit("start (--version)", "--version")
    yield kit("roster", "roster", "gradebook.csv")
    yield kit("collect", "collect", "submissions.zip")
    for name, code in PARTS.items():
        yield timed(name, place, "-c", PART.format(code))
    yield kit("export gradebook", "export", "gradebook.csv", "--write")
    yield kit("export csv", "export", "csv")
    yield kit("export feedback", "export", "feedback")
    yield kit("collect, nothing new", "collect", "submissions.zip")
    yield kit("grade + feedback + report, nothing new", "grade")
    yield kit("the same, --alike", "grade", "--alike")
    yield kit("one student, nothing new", "grade", "--student=s0000")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=30)
    options.add_argument("--json", type=Path, help="write the numbers there, too")
    chosen = options.parse_args()
    steps = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "course")
        make_course(place, chosen.students)
        print(f"{chosen.students} students, {os.cpu_count()} processors")
        print(f"{'step':40} {'wall s':>8} {'CPU s':>8} {'CPU s a student':>16}")
        for step in a_round(place):
            steps.append(step)
            each = step.cpu / chosen.students
            print(f"{step.name:40} {step.wall:8.1f} {step.cpu:8.1f} {each:16.3f}")
        evening = [step for step in steps[1:] if "nothing new" not in step.name]
        evening = [step for step in evening if "--alike" not in step.name]
        wall, cpu = sum(s.wall for s in evening), sum(s.cpu for s in evening)
        print(
            f"{'the evening':40} {wall:8.1f} {cpu:8.1f} {cpu / chosen.students:16.3f}"
        )
    if chosen.json:
        about = {
            "students": chosen.students,
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "machine": platform.machine(),
        }
        numbers = about | {"steps": [asdict(step) for step in steps]}
        chosen.json.write_text(json.dumps(numbers, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
