"""Every submission is read in a worker with limits: nobody pays for another one's."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from nbproctor.notebook import MasterNotebook
from nbproctor.sandbox.workers import (
    Allowance,
    ExceededError,
    OverdueError,
    WorkerError,
    Workers,
)
from nbproctor.submission import reading
from nbproctor.submission.files import fingerprint
from nbproctor.submission.reading import (
    ReaderSettings,
    ReadRequest,
    ReadSubmission,
    read,
    readers,
)
from nbproctor.submission.repair import repair
from tests.broken.cases import answered, gigabytes_on_the_disk, write
from tests.submission.test_repair import MASTER, RELEASE, SOURCE
from tests.timing import patience


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers[ReadSubmission]]:
    monkeypatch.setattr(reading, "ALLOWANCE", Allowance(1, 300 << 20))
    with readers([MASTER], [MASTER.notebook]) as started:
        yield started


def test_a_worker_reads_what_this_process_would(
    workers: Workers[ReadSubmission],
    tmp_path: Path,
) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9")  # a name need not be Unicode
    write(odd, answered(RELEASE), "tiny (1).ipynb")
    submission = workers.ask(ReadRequest(odd)).result()
    assert submission == ReadSubmission(fingerprint(odd), {"tiny": repair(odd, MASTER)})
    again = workers.ask(ReadRequest(odd, submission.fingerprint)).result()
    assert again == ReadSubmission(submission.fingerprint)  # nothing else was read


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stopped there")
def test_who_waited_for_a_busy_computer_is_not_said_to_have_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbproctor.sandbox.workers.WALL_TIME_FACTOR", 0.2 * patience())
    before = psutil.Process().children()
    with readers([MASTER], ["tiny"]) as busy:
        busy.ask(ReadRequest(tmp_path)).result()
        for worker in set(psutil.Process().children()) - {*before}:
            worker.suspend()
        with pytest.raises(OverdueError):
            busy.ask(ReadRequest(tmp_path)).result()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it is counted by the clock there")
def test_what_computes_has_its_time_on_a_busy_computer_too(
    workers: Workers[ReadSubmission],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the clock this takes longer than is allowed, as if others computed as well."""
    monkeypatch.setattr(workers, "_seconds", 0.5)
    monkeypatch.setattr("nbproctor.sandbox.workers.MIN_PROCESSOR_SHARE", 0.001)
    gigabytes_on_the_disk(tmp_path, RELEASE)
    error = workers.ask(ReadRequest(tmp_path)).exception()
    assert type(error) is ExceededError


def test_a_worker_that_cannot_start_is_no_submissions_fault() -> None:
    nothing = Workers("nbproctor.errors", None, int, Allowance(1, 1 << 30), 1)
    with nothing, pytest.raises(WorkerError, match=r"-m nbproctor\.errors"):
        nothing.ask(1).result()


def test_an_error_of_the_disk_crosses_as_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failure = (24, "Too many open files", "tiny.ipynb")
    monkeypatch.setattr(reading, "fingerprint", Mock(side_effect=OSError(*failure)))
    assert read(ReaderSettings([MASTER], []), ReadRequest(tmp_path)).failure == failure


def test_a_script_that_was_handed_out_is_nobodys_answer(tmp_path: Path) -> None:
    script = "\n\n".join(cell.source for cell in MASTER.of_kind("solution"))
    (tmp_path / "tiny.py").write_text(script)
    shutil.copy(SOURCE, tmp_path)
    master = MasterNotebook.read(tmp_path / "tiny.ipynb")
    write(tmp_path, RELEASE)
    assert repair(tmp_path, master).path.name == "tiny.ipynb"
    (tmp_path / "tiny.py").write_text(f"{script}\n# mine")
    assert repair(tmp_path, master).path.name == "tiny.py"
