"""Grading on a real Dask scheduler with two worker processes, some of which die."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from nbproctor.engine import Settings
from nbproctor.engine.cache import versions
from nbproctor.nbgrader import CourseError
from nbproctor.nbgrader.run import CACHE
from nbproctor.notebook import MasterNotebook
from nbproctor.results import SubmissionResult
from nbproctor.sandbox.forkserver import ForkServer
from tests.nbgrader.dask_cluster import RunningCluster, engine_cluster, engine_worker
from tests.nbgrader.rows import compare_classes, rows, url
from tests.nbgrader.tiny import HandIn, configure, graded, statuses
from tests.programs import run_python

pytestmark = pytest.mark.slow
STUDENTS = ["ana", "ben", "cem", "dĕa", "eva", "hal"]


@pytest.fixture(scope="module")
def cluster(module_path: Path) -> Iterator[RunningCluster]:
    running = RunningCluster(module_path, workers=2)
    yield running
    running.close()


@pytest.fixture
def a_class(course: Path, hand_in: HandIn) -> Path:
    """Right, wrong, unreadable; with a file beside, and one that a test reads."""
    for student in STUDENTS:
        hand_in(student, fizz=f"def fizz(n):  # {student}\n    return str(n)")
    helper = course / "submitted/eva/tiny/helper.py"
    helper.write_text("def fizz(n):\n    return 'fizz' if n % 3 == 0 else str(n)\n")
    hand_in("eva", fizz="from helper import fizz")
    (course / "submitted/ben/tiny/tiny.ipynb").write_text("{")
    return course


def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    executes = AssertionError("with a cluster, nothing is executed here")
    monkeypatch.setattr(ForkServer, "start", Mock(side_effect=executes))


def test_a_cluster_gives_the_gradebook_of_this_computer_though_a_worker_is_killed(
    cluster: RunningCluster,
    a_class: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local_course = shutil.copytree(a_class, tmp_path / "here")
    local = graded(local_course)
    assert local["eva"].score == 10

    nothing_here(monkeypatch)
    before = cluster.pids()
    students = []

    def kill_one(result: SubmissionResult) -> None:
        students.append(result.student)
        if len(students) == 1:
            os.kill(before[0], signal.SIGKILL)

    remote = graded(a_class, cluster=cluster.address, progress=kill_one)
    assert statuses(remote) == statuses(local)
    for student in STUDENTS:
        assert remote[student].reason == local[student].reason
    compare_classes(a_class, local_course)
    cluster.client.wait_for_workers(2, timeout=60)
    assert before[0] not in cluster.pids()


# The coordinator ends itself at the first mark, as a power cut would.
KILLED = """
import os, signal, sys
from pathlib import Path
from nbproctor import nbgrader

def kill(result):
    if result.score is not None:  # nothing was executed for the one without
        os.kill(os.getpid(), signal.SIGKILL)

nbgrader.grade(Path(sys.argv[1]), "tiny", progress=kill, cluster=sys.argv[2])
"""


def test_a_killed_coordinator_goes_on_with_the_same_workers(
    cluster: RunningCluster,
    a_class: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("hal", fizz="def fizz(n):  # held for hal\n    return str(n)")
    local_course = shutil.copytree(a_class, tmp_path / "here")
    graded(local_course)

    killed = run_python(KILLED, a_class, cluster.address, cwd=a_class, kind="nbproctor")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    executed, finished = (
        len([*c.glob(f"{CACHE}/??/*")]) for c in (local_course, a_class)
    )
    execute = engine_cluster.Cluster.execute

    def counted(*submission: Any) -> Any:
        sent.append(submission)
        cluster.let("hal")  # a worker has been at it since the first run
        return execute(*submission)

    sent: list[object] = []
    monkeypatch.setattr(engine_cluster.Cluster, "execute", counted)
    nothing_here(monkeypatch)
    graded(a_class, cluster=cluster.address)
    assert 1 <= finished < executed
    assert len(sent) == executed - finished
    compare_classes(a_class, local_course)


def test_a_submission_that_ends_its_worker_each_time_is_given_up_and_nobody_else(
    cluster: RunningCluster,
    a_class: Path,
    hand_in: HandIn,
) -> None:
    hand_in("cem", fizz="# end this worker\ndef fizz(n): pass")
    results = graded(a_class, cluster=cluster.address)
    assert results["cem"].status == "ungradable"
    assert "made 3 workers of the cluster end" in results["cem"].reason
    del results["cem"], results["ben"]
    assert {result.status for result in results.values()} == {"graded"}
    cluster.client.wait_for_workers(2, timeout=60)


# In what workers may differ, and what they say.
VERSIONS = {
    "numpy": r"cannot be used: it has numpy [\d.]+ \(the coordinator has 0\)",
    "nbproctor's source": "cannot be used: its nbproctor is not the",
}


def test_a_cluster_that_cannot_be_used_says_why_and_nothing_is_graded(
    cluster: RunningCluster,
    a_class: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(message: str, address: str = cluster.address) -> None:
        with pytest.raises(CourseError, match=message):
            graded(a_class, cluster=address)

    for name, message in VERSIONS.items():
        with monkeypatch.context() as patch:
            other = versions() | {name: "0"}
            patch.setattr(engine_worker, "versions", Mock(return_value=other))
            refused(message)
    cluster.let("no-sandbox")
    # No fork server of a coordinator before is warm for this.
    configure(a_class, "c.Nbproctor.memory_megabytes = 1000")
    try:
        refused(r"cannot be used: Landlock is missing\.")
    finally:
        (cluster.folder / "no-sandbox").unlink()
    configure(a_class, "c.Nbproctor.network = ['tiny']")
    refused("make the scheduler run any program")
    monkeypatch.setattr(engine_cluster, "CONNECT_SECONDS", 1)
    configure(a_class, "c.Nbproctor.network = []")
    refused("No Dask scheduler answers at tcp://127", "tcp://127.0.0.1:9")
    assert not rows(url(a_class))


def test_a_worker_of_several_threads_is_told_how_to_start(project: Path) -> None:
    path = project / "examples/tiny/source/tiny/tiny.ipynb"
    grader = engine_worker.Grader(MasterNotebook.read(path), Settings())
    grader.setup(SimpleNamespace(state=SimpleNamespace(nthreads=4)))
    assert "--nworkers 4 --nthreads 1" in grader.refusal
