"""Grade ever larger classes: what does one submission cost, and how much memory?

    .venv/bin/python bench/growth.py                        # 10, 100 and 1000
    .venv/bin/python bench/growth.py 100,1000,10000 --canned 48

With --canned only so many submissions are executed, before the clock runs. All others
hand in the same files, and the results are kept: what is measured is the command alone
(read, repair, nbgrader's steps, gradebook, files), in classes that would take too long
to be executed.

Writes bench/results/growth.json and growth.png.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

from grading import ROOT, Cost, course, measure, nbgrader_, the_class

from nbproctor.nbgrader.placement import FILE as PLACES
from nbproctor.nbgrader.run import CACHE


def grow(sizes: list[int], canned: int, work: Path) -> list[Cost]:
    """Return the cost of each class, executed as a whole or with canned reports."""
    config = (ROOT / "nbgrader_config.py").read_text()
    costs, executed = [], work / "executed"
    if canned:
        course(executed, list(the_class(canned)), config)
        subprocess.run(nbgrader_("autograde"), cwd=executed, check=True)
    for size in sizes:
        few = min(canned or size, size)
        place = course(work / f"class{size}", list(the_class(few)), config)
        if canned:
            shutil.copytree(executed / CACHE, place / CACHE)
            shutil.copy(executed / PLACES, place)
            repeat(place / "submitted", few, size)
        name = f"class of {size:,}" + (", canned reports" if canned else "")
        costs.append(measure(name, size, nbgrader_("autograde"), cwd=place))
        shutil.rmtree(place)
    return costs


def repeat(submitted: Path, few: int, size: int) -> None:
    """Let a class of `few` become one of `size`; the files are copies of theirs."""
    for number in range(few, size):
        first = submitted / f"s{number % few:04}"
        shutil.copytree(first, submitted / f"s{number:04}")


def plot(costs: list[Cost], path: Path, title: str) -> None:
    """Processor time of a submission, and memory, by the size of the class."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    sizes = [cost.submissions for cost in costs]
    for ax, values, label in (
        (axes[0], [c.cpu / c.submissions for c in costs], "CPU-seconds a submission"),
        (axes[1], [c.peak_mib for c in costs], "peak memory, all processes (MiB)"),
    ):
        ax.plot(sizes, values, "o-", color="#4c72b0")
        for size, value in zip(sizes, values, strict=True):
            ax.annotate(
                f"{value:.3g}", (size, value), (4, 6), textcoords="offset points"
            )
        ax.set(xscale="log", xlabel="students", title=label)
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
        ax.set_ylim(0, 1.25 * max(values))
        ax.margins(x=0.12)
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("sizes", nargs="?", default="10,100,1000")
    options.add_argument("--canned", type=int, default=0, help="how many to execute")
    options.add_argument("--out", type=Path, default=ROOT / "bench/results")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sizes = [int(size) for size in chosen.sizes.split(",")]
        costs = grow(sizes, chosen.canned, Path(name))
    chosen.out.mkdir(parents=True, exist_ok=True)
    told = f"canned reports of {chosen.canned} submissions" if chosen.canned else ""
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "reports": told or "each submission executed",
        "costs": [asdict(cost) for cost in costs],
    }
    (chosen.out / "growth.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(costs, chosen.out / "growth.png", told or "each submission executed")


if __name__ == "__main__":
    main()
