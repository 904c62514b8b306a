"""A cluster with certificates, whose scheduler goes and comes back in a run."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbproctor.nbgrader import CourseError
from nbproctor.results import SubmissionResult
from tests.nbgrader.dask_cluster import RunningCluster, engine_cluster
from tests.nbgrader.rows import compare_classes, rows, url
from tests.nbgrader.tiny import HandIn, graded
from tests.programs import start, succeeded

dask = pytest.importorskip("dask")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not there"),
]
FILES = {"cert": "own.pem", "key": "own.key"}


@pytest.fixture(scope="module")
def keys(project: Path, module_path: Path) -> Path:
    """Keys and certificates of an authority; in `other` those of another."""
    make = ["sh", str(project / "examples/cluster/keys.sh")]
    (module_path / "other").mkdir()
    for each in (module_path, module_path / "other"):
        succeeded(start(*make, cwd=each))
    return module_path


def settings(folder: Path) -> dict[str, str | bool]:
    """Dask's configuration with the keys of a folder."""
    files = {
        f"distributed.comm.tls.{role}.{kind}": str(folder / file)
        for role in ("client", "scheduler", "worker")
        for kind, file in FILES.items()
    }
    files["distributed.comm.tls.ca-file"] = str(folder / "ca.pem")
    return files | {"distributed.comm.require-encryption": True}


@pytest.fixture(scope="module")
def cluster(keys: Path) -> Iterator[RunningCluster]:
    env = {
        f"DASK_{name}".replace(".", "__"): str(value)
        for name, value in settings(keys).items()
    }
    running = RunningCluster(
        keys,
        workers=0,
        host="tls://127.0.0.1",
        env=env,
    )
    assert running.address.startswith("tls://")
    yield running
    running.close()


@pytest.mark.parametrize(
    ("folder", "changed", "scheme"),
    [
        ("", {"distributed.comm.tls.client.cert": None}, "tls"),
        ("other", {}, "tls"),
        ("", {}, "tcp"),
    ],
    ids=["no certificate", "another authority", "tcp"],
)
def test_what_is_wrong_with_a_coordinators_keys_is_said(
    cluster: RunningCluster,
    keys: Path,
    course: Path,
    hand_in: HandIn,
    folder: str,
    changed: dict[str, str | bool | None],
    scheme: str,
) -> None:
    hand_in("ana")
    address = cluster.address.replace("tls", scheme)
    with (
        dask.config.set(settings(keys / folder) | changed),
        pytest.raises(
            CourseError,
            match=f"(?s)at {address} .*begins with tls://, .* the same authority",
        ),
    ):
        graded(course, cluster=address)
    assert not rows(url(course))


def test_a_scheduler_that_was_away_costs_nobody_anything(
    cluster: RunningCluster,
    keys: Path,
    course: Path,
    hand_in: HandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for student in ("ana", "ben", "cem"):
        hand_in(student, fizz=f"def fizz(n):  # held for {student}\n    return str(n)")
    local_course = shutil.copytree(course, tmp_path / "here")
    graded(local_course)
    # Who is blamed for a single end of a worker is given up: nobody may be.
    monkeypatch.setattr(engine_cluster, "DEATHS", 1)
    monkeypatch.setattr(engine_cluster, "CONNECT_SECONDS", 5)
    # With one reader, submissions come to the one worker in the order of their names.
    cluster.let("ana")
    away = threading.Event()

    def notice(record: logging.LogRecord) -> bool:
        if "Failed to reconnect" in record.getMessage():
            away.set()
        return True

    def restart(result: SubmissionResult) -> None:
        later = {"ana": "ben", "ben": "cem"}.get(result.student)
        if later:
            cluster.kill_scheduler()
            cluster.let(later)  # or the worker cannot end
            if later == "cem":
                assert away.wait(60), "Dask tries for some seconds only"
            cluster.start_again()

    log = logging.getLogger("distributed.client")
    monkeypatch.setattr(log, "filters", [notice])
    with dask.config.set(settings(keys)):
        results = graded(course, cluster=cluster.address, progress=restart)
    assert {result.status for result in results.values()} == {"graded"}
    assert away.is_set()
    compare_classes(course, local_course)
