"""Grade one class twice: with stock `nbgrader autograde`, and with nbproctor.

The class is made from the variants: everybody has solved the lab, but for one wrong
and one unusual right answer. Both runs are nbgrader's own command in a process of its
own; the configurations differ in one line, `proctor(c)`. Scores are compared test by
test, with follow-through off, because stock nbgrader has none.

    .venv/bin/python bench/grading.py                  # 100 students, 15 minutes
    .venv/bin/python bench/grading.py --stock 12       # stock grades only 12 of them
    .venv/bin/python bench/grading.py --stock 0 --students 1000
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import psutil
from msgspec import msgpack
from nbgrader.api import Gradebook

from nbproctor import nbgrader
from nbproctor.audit.variant_files import read
from nbproctor.engine import Servers, Settings, compile_tests
from nbproctor.kit import sample
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Job, StudentCell
from nbproctor.sandbox.layers import Policy

ROOT = Path(__file__).parents[1]
LAB = "neural_network"
# Right, but too slow for the 5,000 digits that stock nbgrader trains on.
SLOW = {
    "plain_python_loops",
    "broadcast_and_sum",
    "element_by_element",
    "loop_over_examples",
    "loop_over_units",
}
SWITCH = "proctor(c)\n"
# nbgrader's command, and then what it took: seconds of its own and of all that it
# started, and its memory.
COMMAND = """
import json, resource, sys
from nbgrader.apps import NbGraderApp
try:
    NbGraderApp.launch_instance(["autograde", "neural_network", "--log-level=ERROR"])
finally:
    own, rest = (resource.getrusage(who) for who in (0, -1))
    seconds = [r.ru_utime + r.ru_stime for r in (own, rest)]
    print(json.dumps([*seconds, own.ru_maxrss / 1024]), file=sys.stderr)
"""


def the_class(count: int) -> Iterator[sample.Student]:
    """Students 0, 1, …: a wrong answer to one exercise, a right one to the next."""
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    solutions = sample.solutions(master)
    folder, exercises = ROOT / "variants" / LAB, [*solutions]
    variants = {e: read(folder / e, text)[0] for e, text in solutions.items()}
    answers: dict[tuple[str, str], Iterator[str]] = {}
    for exercise in exercises:
        for side in ("right", "wrong"):
            names = sorted(v.name for v in variants[exercise] if v.kind == side)
            usable = [f"{side}/{name}" for name in names if name not in SLOW]
            answers[exercise, side] = cycle(usable)
    for number, exercise in enumerate(islice(cycle(exercises), count)):
        other = exercises[(number + 1) % len(exercises)]
        chosen = {
            exercise: next(answers[exercise, "wrong"]),
            other: next(answers[other, "right"]),
        }
        name = f"s{number:04}"
        yield sample.Student(name, name, "", None, chosen)


def course(place: Path, students: list[sample.Student], config: str) -> Path:
    """Make a course with a release and everybody's submissions."""
    place.mkdir()
    (place / "source").symlink_to(ROOT / "source")
    (place / "data").symlink_to(ROOT / "data")
    (place / "nbgrader_config.py").write_text(config)
    nbgrader.generate(place, LAB)
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    sample.write_class(students, place, master, ROOT / "variants" / LAB)
    return place


def grade(place: Path) -> tuple[float, list[float]]:
    """Wall seconds, and what `COMMAND` reports, of grading a whole course."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], cwd=place, capture_output=True, text=True
    )
    return time.perf_counter() - start, json.loads(done.stderr.splitlines()[-1])


def points(place: Path) -> dict[tuple[str, str], float | None]:
    """Automatic score of each test cell of each student."""
    found = {}
    with Gradebook(f"sqlite:///{place}/gradebook.db") as book:
        for submission in book.assignment_submissions(LAB):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    found[submission.student.id, grade.cell.name] = grade.auto_score
    return found


def breakdown(rounds: int = 30) -> None:
    """Processor seconds of the engine, for the reference, layer by layer."""
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    settings = Settings(policy=Policy(files=(("data", str(ROOT / "data")),)))
    every = tuple(
        StudentCell(number, cell.id, cell.source)
        for number, cell in enumerate(master.cells)
        if cell.kind != "helper"
    )
    tests = {cell.id for cell in master.of_kind("test")}
    answers = tuple(cell for cell in every if cell.id not in tests)
    steps = {
        "two forks, two sandboxes": Job((), ()),
        "+ cells of the notebook": Job(master.of_kind("provided", "solution"), answers),
        "+ tests, calls, the student's own computing": Job(
            master.cells, every, tests=compile_tests(master)
        ),
    }
    before = 0.0
    print(f"engine, processor seconds a submission (reference, mean of {rounds}):")
    with Servers() as servers:
        fork_server = servers.get(master, settings).process
        process = psutil.Process(fork_server.pid)
        for name, job in steps.items():
            data, start = msgpack.encode(job), _spent(process)
            for _ in range(rounds):
                fork_server.run(data, timeout=60)
            each = (_spent(process) - start) / rounds
            print(f"  {name:45} {each - before:6.3f}")
            before = each
    computing = sum(plain(master) for _ in range(5)) / 5
    print(f"  {'of all this, in one plain process':45} {computing:6.3f}")
    print(f"  {'overhead':45} {before - computing:6.3f}")


def plain(master: MasterNotebook) -> float:
    """Processor seconds of the same cells and tests in one plain Python process."""
    os.chdir(ROOT / "source" / LAB)
    names: dict = {}
    start = 0.0
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        for cell in master.cells:
            if cell.kind != "provided" or not cell.skip:
                if (
                    cell.kind == "solution" and not start
                ):  # what opens it is not counted
                    start = time.process_time()
                exec(cell.source.replace("%matplotlib inline", ""), names)
    return time.process_time() - start


def _spent(server: psutil.Process) -> float:
    family = [server, *server.children(recursive=True)]
    return sum(sum(process.cpu_times()[:4]) for process in family)


def report(name: str, count: int, wall: float, used: list[float]) -> float:
    """Print a line, return submissions a minute."""
    own, rest, memory = used
    rate = 60 * count / wall
    # Bubblewrap does not hand on what the fork servers used: see the breakdown.
    kernels = f", kernels {rest / count:.3f}" if rest > 1 else ""
    print(
        f"{name:34} {wall / count:6.3f} s a submission, {rate:6.1f} a minute; "
        f"CPU-s a submission: command {own / count:.3f}{kernels}; "
        f"memory of the command {memory:.0f} MiB"
    )
    return rate


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=100)
    options.add_argument("--stock", type=int, help="how many stock nbgrader grades")
    chosen = options.parse_args()
    students = list(the_class(chosen.students))
    few = students[: chosen.students if chosen.stock is None else chosen.stock]
    config = (ROOT / "nbgrader_config.py").read_text()
    alone = f"{SWITCH}c.ProctoredAutograde.follow_through = False\n"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        first = course(work / "first", students, config)
        before = report("nbproctor", len(students), *grade(first))
        shutil.rmtree(first)
        if few:
            stock = course(work / "stock", few, config.replace(SWITCH, ""))
            base = report("stock nbgrader", len(few), *grade(stock))
            last = course(work / "last", students, config.replace(SWITCH, alone))
            after = report("nbproctor, no follow-through", len(students), *grade(last))
            print(
                f"submissions a minute, ratio: {before / base:.1f}, {after / base:.1f}"
            )
            ours, theirs = points(last), points(stock)
            differ = {key for key, score in theirs.items() if ours[key] != score}
            print(f"scores: {len(theirs)} test cells compared, {len(differ)} differ")
            for student, cell in sorted(differ):
                print(f"  {student} {cell}: stock {theirs[student, cell]}, "
                      f"nbproctor {ours[student, cell]}")  # fmt: skip
    breakdown()


if __name__ == "__main__":
    main()
