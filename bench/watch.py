"""How long a student waits for feedback when the whole class hands in at the end.

Arrivals pile up before the deadline: half of the class comes in the last tenth of the
time. Each hands in once, while `watch` looks; what counts is the longest wait from the
moment the files are there to the moment the page is.

    .venv/bin/python bench/watch.py                  # 300 students in ten minutes
    .venv/bin/python bench/watch.py --students 60 --minutes 2
"""

import argparse
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grading import IMPORT, LAB, ROOT, SWITCH, course, the_class

HALF_IN_THE_LAST = 0.1  # of the time


def arrivals(count: int, seconds: float) -> list[float]:
    """Seconds after the start, sorted; denser towards the end."""
    # A power of the share still to come: half of the class comes in the last tenth.
    power = math.log(HALF_IN_THE_LAST) / math.log(0.5)
    return [seconds * (1 - (1 - (i + 0.5) / count) ** power) for i in range(count)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=300)
    options.add_argument("--minutes", type=float, default=10)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = (ROOT / "nbgrader_config.py").read_text("utf-8")
        assert IMPORT in config
        assert SWITCH in config
        place = course(Path(folder, "c"), list(the_class(chosen.students)), config)
        submitted, waiting = place / "submitted", place / "waiting"
        submitted.rename(waiting)
        submitted.mkdir()
        command = [sys.executable, "-m", "nbproctor", "watch", LAB]
        with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE) as running:
            assert running.stdout
            running.stdout.readline()
            waits = watched(place, waiting, submitted, 60 * chosen.minutes)
            running.terminate()
    print(
        f"{len(waits)} students in {chosen.minutes:g} minutes: wait for the page "
        f"{statistics.median(waits):.1f} s in the median, {max(waits):.1f} s at most"
    )


def watched(place: Path, waiting: Path, submitted: Path, seconds: float) -> list[float]:
    """Hand in one student after the other; return how long each waited, in seconds."""
    students = sorted(path.name for path in waiting.iterdir())
    due = list(zip(arrivals(len(students), seconds), students, strict=True))
    came: dict[str, float] = {}
    waits: list[float] = []
    start = time.monotonic()
    while due or came:
        now = time.monotonic()
        while due and due[0][0] <= now - start:
            student = due.pop(0)[1]
            shutil.move(waiting / student, submitted / student)
            came[student] = now
        for student in [*came]:
            if (place / "feedback" / student / LAB / f"{LAB}.html").exists():
                waits.append(now - came.pop(student))
        time.sleep(0.1)
    return waits


if __name__ == "__main__":
    main()
