"""Grade one class with stock nbgrader, with Otter-Grader and with nbproctor.

The class is made from the variants: everybody has solved the lab, but for one wrong
and one unusual right answer. All grade the same files on the same machine in one run,
with feedback pages and without; what counts are the ratios, and processor seconds.
Scores are compared test by test, with follow-through off: the others have none.

    .venv/bin/python bench/grading.py                # 30 students
    .venv/bin/python bench/grading.py --stock 6 --otter PATH/bin/otter

Writes bench/results/grading.json and grading.png. Otter needs an environment of its
own, with the lab's packages: pip install otter-grader -c requirements.lock numpy
matplotlib seaborn tqdm wget ipykernel msgspec pandas.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import otter
import psutil
from msgspec import msgpack
from nbgrader.api import Gradebook
from threadpoolctl import threadpool_limits

from examples import sample_class
from nbproctor import nbgrader
from nbproctor.audit.variants import read_variants
from nbproctor.engine import Servers, Settings
from nbproctor.engine.servers import compile_tests
from nbproctor.expect import recording
from nbproctor.notebook import MasterNotebook, support_files
from nbproctor.results import Job, StudentCell
from nbproctor.sandbox.policy import Policy

ROOT = Path(__file__).parents[1]
LAB = "neural_network"
# Too slow for the 5,000 digits that stock nbgrader trains on: it stops the notebook.
SLOW = {
    "array_of_objects",
    "plain_python_loops",
    "broadcast_and_sum",
    "element_by_element",
    "loop_over_examples",
    "loop_over_units",
}
IMPORT, SWITCH = "from nbproctor import proctor\n", "proctor(c)\n"
LOOK_SECONDS = 0.25  # between two looks at what runs: a look costs 10 ms itself


def the_class(count: int) -> Iterator[sample_class.SampleStudent]:
    """Students 0, 1, …: a wrong answer to one exercise, a right one to the next."""
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    solutions = sample_class.solutions(master)
    folder, exercises = ROOT / "variants" / LAB, [*solutions]
    variants = {e: read_variants(folder / e, text)[0] for e, text in solutions.items()}
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
        yield sample_class.SampleStudent(name, name, "", None, chosen)


def course(
    place: Path, students: list[sample_class.SampleStudent], config: str
) -> Path:
    """Make a course with a release and everybody's submissions."""
    place.mkdir()
    (place / "source").symlink_to(ROOT / "source")
    (place / "data").symlink_to(ROOT / "data")
    (place / "nbgrader_config.py").write_text(config)
    if SWITCH in config:  # as the verb ``release`` does, once an assignment
        start = time.perf_counter()
        nbgrader.lint(place, LAB)
        seconds = time.perf_counter() - start
        print(f"proof of the reference, place of each test: {seconds:.1f} s")
    nbgrader.generate(place, LAB)
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    sample_class.write_class(students, place, master, ROOT / "variants" / LAB)
    return place


@dataclass
class Cost:
    """What a command took, for so many submissions."""

    name: str
    submissions: int
    wall: float
    cpu: float
    peak_mib: float  # of all processes together, shared pages counted once

    def line(self) -> str:
        each, rate = self.cpu / self.submissions, 60 * self.submissions / self.wall
        return (
            f"{self.name:38} {self.wall / self.submissions:7.3f} s a submission, "
            f"{rate:6.1f} a minute; {each:6.3f} CPU-s; peak {self.peak_mib:.0f} MiB"
        )


def measure(name: str, count: int, *commands: list, cwd: Path, **env: str) -> Cost:
    """Run commands one after the other, and add up what they and all they start take.

    Looks at the whole tree of processes often: the kernel counts a process that has
    ended in its parent's times, but bubblewrap does not hand on what its own did.
    """
    wall = cpu = peak = 0.0
    for command in commands:
        start, seen, looks = time.perf_counter(), 0.0, 0
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            root = psutil.Process(running.pid)
            while running.poll() is None:
                family = _family(root)
                seen = max(seen, sum(map(_times, family)))
                if looks % 4 == 0:
                    peak = max(peak, sum(map(_pss, family)) / 2**20)
                looks += 1
                time.sleep(LOOK_SECONDS)
        if running.returncode:  # stock nbgrader's, where a submission timed out
            print(f"{name} ended with status {running.returncode}.")
        wall += time.perf_counter() - start
        cpu += seen
    cost = Cost(name, count, wall, cpu, peak)
    print(cost.line(), flush=True)
    return cost


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _times(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0


def _pss(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except (psutil.Error, AttributeError):
        return 0


def nbgrader_(*arguments: str) -> list:
    return [sys.executable, "-m", "nbgrader", *arguments, LAB, "--log-level=ERROR"]


def waited_for(course: Path, ours: bool) -> list[list]:
    """The commands after which a teacher can look at marks, feedback and table."""
    if ours:
        return [[sys.executable, "-m", "nbproctor", "grade"]]
    return [nbgrader_("autograde"), nbgrader_("generate_feedback")]


def points(place: Path) -> dict[tuple[str, str], float | None]:
    """Automatic score of each test cell of each student."""
    found = {}
    with Gradebook(f"sqlite:///{place}/gradebook.db") as book:
        for submission in book.assignment_submissions(LAB):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    found[submission.student.id, grade.cell.name] = grade.auto_score
    return found


def breakdown(rounds: int = 30) -> dict[str, float]:
    """Processor seconds of the engine, for the reference, layer by layer."""
    layers: dict[str, float] = {}
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    files = support_files(ROOT / "source" / LAB, master.data)
    settings = Settings(policy=Policy(files=tuple(files.items())))
    every = tuple(
        StudentCell(number, cell.id, cell.source)
        for number, cell in enumerate(master.cells)
        if cell.kind != "helper"
    )
    tests = {cell.id for cell in master.of_kind("test")}
    answers = tuple(cell for cell in every if cell.id not in tests)
    compiled = compile_tests(master)  # as each job has them: a judge compiles nothing
    code = master.of_kind("provided", "solution")
    steps = {
        "two forks, two sandboxes": Job((), (), tests=compiled),
        "+ cells of the notebook": Job(code, answers, tests=compiled),
        "+ tests, calls, the student's own computing": Job(
            master.cells, every, tests=compiled
        ),
    }
    before = 0.0
    print(f"engine, processor seconds a submission (reference, mean of {rounds}):")
    with Servers() as servers, servers.acquire(master, settings) as lent:
        process = psutil.Process(lent.pid)
        for name, job in steps.items():
            data, start = msgpack.encode(job), _spent(process)
            for _ in range(rounds):
                lent.run(data, timeout=60)
            each = (_spent(process) - start) / rounds
            layers[name] = each - before
            before = each
    computing = sum(plain(master) for _ in range(5)) / 5
    layers["of all this, in one plain process"] = computing
    layers["overhead"] = before - computing
    for name, seconds in layers.items():
        print(f"  {name:45} {seconds:6.3f}")
    return layers


def plain(master: MasterNotebook) -> float:
    """Processor seconds of the same cells and tests in one plain Python process.

    Each question is asked once, as in the judge; a kernel would ask some repeatedly.
    With one thread, as in forks: others would spin while they wait for a busy core.
    """
    os.chdir(ROOT / "source" / LAB)
    sys.path.insert(0, "")  # mnist.py lies beside the notebook
    names: dict = {}
    start = 0.0
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        threadpool_limits(1),
        recording({}),
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


def by_exercise(master: MasterNotebook, scores: dict) -> dict[str, float]:
    """Points of one student's test cells, added up for each exercise."""
    total: dict[str, float] = {}
    for cell in master.of_kind("test"):
        if cell.points:
            name = str(cell.exercise)
            total[name] = total.get(name, 0.0) + (scores[cell.id] or 0.0)
    return total


def run_otter(
    program: Path, place: Path, students: list[sample_class.SampleStudent], work: Path
) -> tuple[Cost, dict[str, dict[str, float]]]:
    """Grade with ``otter run``, one submission after the other, as it does."""
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    work.mkdir()
    (work / "data").symlink_to(ROOT / "data")  # above where Otter runs the notebook
    packed = otter.pack(master, ROOT / f"source/{LAB}/mnist.py", work / "make", program)
    (work / "tmp").mkdir()
    commands = []
    for student in students:
        out = work / student.id
        out.mkdir()
        notebook = place / "submitted" / student.id / LAB / f"{LAB}.ipynb"
        options = ["--no-logo", "-a", packed, "-o", out]
        commands.append([program, "run", *options, notebook])
    cost = measure(
        "Otter-Grader, otter run",
        len(students),
        *commands,
        cwd=work,
        TMPDIR=str(work / "tmp"),
        PYTHONPATH=str(ROOT),
        PATH=f"{program.parent}:{os.environ['PATH']}",
    )
    return cost, {s.id: otter.points(work / s.id / "results.json") for s in students}


def plot(costs: list[Cost], path: Path) -> None:
    """Submissions a minute and processor seconds of each, as bars."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 0.6 + 0.45 * len(costs)))
    names = [f"{cost.name} ({cost.submissions})" for cost in costs]
    for axes, values, title in (
        (left, [60 * c.submissions / c.wall for c in costs], "submissions a minute"),
        (right, [c.cpu / c.submissions for c in costs], "CPU-seconds a submission"),
    ):
        bars = axes.barh(names, values, color="#4c72b0")
        axes.bar_label(bars, [f" {value:.3g}" for value in values])
        axes.set(title=title)
        axes.margins(x=0.15)
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
    right.set_yticklabels([])
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=30)
    options.add_argument("--stock", type=int, help="how many stock nbgrader grades")
    options.add_argument("--otter", type=Path, help="Otter-Grader's own program")
    options.add_argument("--otter-count", type=int, default=3)
    options.add_argument("--out", type=Path, default=ROOT / "bench/results")
    chosen = options.parse_args()
    out = chosen.out.absolute()  # the breakdown works in another folder
    students = list(the_class(chosen.students))
    count = len(students)
    few = students[: count if chosen.stock is None else chosen.stock]
    config = (ROOT / "nbgrader_config.py").read_text()
    alone = f"{SWITCH}c.Nbproctor.follow_through = False\n"
    master = MasterNotebook.read(ROOT / f"source/{LAB}/{LAB}.ipynb")
    costs, differ = [], {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        first = course(work / "first", students, config)
        costs.append(measure("nbproctor", count, nbgrader_("autograde"), cwd=first))
        waits = course(work / "waits", students, config)
        costs += [
            measure(f"nbproctor, {told}", count, *waited_for(waits, True), cwd=waits)
            for told in ("feedback, report, table", "the same, nothing new")
        ]
        last = course(work / "last", students, config.replace(SWITCH, alone))
        costs.append(
            measure("nbproctor, no follow-through", count, nbgrader_("autograde"),
                    cwd=last)
        )  # fmt: skip
        ours = points(last)
        if few:
            plain_config = config.replace(IMPORT, "").replace(SWITCH, "")
            stock = course(work / "stock", few, plain_config)
            grading, feedback = waited_for(stock, False)
            costs.append(measure("stock nbgrader", len(few), grading, cwd=stock))
            pages = measure("stock nbgrader, feedback", len(few), feedback, cwd=stock)
            both = Cost(
                "stock nbgrader, grading and feedback",
                len(few),
                costs[-1].wall + pages.wall,
                costs[-1].cpu + pages.cpu,
                max(costs[-1].peak_mib, pages.peak_mib),
            )
            costs.append(both)
            theirs = points(stock)
            differ["stock nbgrader"] = [
                f"{s} {cell}: {theirs.get((s, cell))}, nbproctor {score}"
                for (s, cell), score in ours.items()
                if s in {student.id for student in few}
                and theirs.get((s, cell)) != score
            ]
        if chosen.otter:
            some = students[: chosen.otter_count]
            cost, given = run_otter(
                chosen.otter.absolute(), first, some, work / "otter"
            )
            costs.append(cost)
            differ["Otter-Grader"] = [
                f"{s.id} {exercise}: {given[s.id].get(exercise)}, nbproctor {score}"
                for s in some
                for exercise, score in by_exercise(
                    master, {c: v for (who, c), v in ours.items() if who == s.id}
                ).items()
                if given[s.id].get(exercise) != score
            ]
    for other, lines in differ.items():
        print(f"scores that differ from {other}'s: {len(lines)}")
        print("".join(f"  {line}\n" for line in lines), end="")
    engine = breakdown()
    out.mkdir(parents=True, exist_ok=True)
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "costs": [asdict(cost) for cost in costs],
        "scores_that_differ": differ,
        "engine_cpu_seconds": engine,
    }
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (out / "grading.json").write_text(text + "\n")
    plot(costs, out / "grading.png")


if __name__ == "__main__":
    main()
