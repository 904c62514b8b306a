"""A scheduler that goes and comes back in the middle of a run."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbproctor.results import SubmissionResult
from tests.nbgrader.dask_cluster import RunningCluster, engine_cluster
from tests.nbgrader.rows import graded_files, rows, url
from tests.nbgrader.tiny import HandIn, graded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    running = RunningCluster(tmp_path_factory.mktemp("cluster"), workers=0)
    yield running
    running.close()


def test_a_scheduler_that_was_away_costs_nobody_anything(
    cluster: RunningCluster,
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for student in ("ana", "ben", "cem"):
        hand_in(student, fizz=f"def fizz(n):  # held for {student}\n    return str(n)")
    here = Path(shutil.copytree(course, tmp_path / "here"))
    graded(here)
    # Who is blamed for a single end of a worker is given up: nobody may be.
    monkeypatch.setattr(engine_cluster, "DEATHS", 1)
    monkeypatch.setattr(engine_cluster, "CONNECT_SECONDS", 5)
    # One reader: submissions come to the one worker in the order of their names.
    monkeypatch.setattr("nbproctor.submission.reading.processors", lambda: 1)
    cluster.let("ana")
    away = threading.Event()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "Failed to reconnect" in record.getMessage():
                away.set()

    def restart(result: SubmissionResult) -> None:
        later = {"ana": "ben", "ben": "cem"}.get(result.student)
        if later:
            cluster.kill_scheduler()
            cluster.let(later)  # or the worker cannot end
            if later == "cem":
                assert away.wait(60), "Dask tries for some seconds only"
            cluster.start_again()

    logging.getLogger("distributed.client").addHandler(watch := Watch())
    try:
        results = graded(course, cluster=cluster.address, progress=restart)
    finally:
        logging.getLogger("distributed.client").removeHandler(watch)
    assert [results[s].status for s in ("ana", "ben", "cem")] == ["graded"] * 3
    assert away.is_set()
    assert rows(url(course)) == rows(url(here))
    assert graded_files(course) == graded_files(here)
