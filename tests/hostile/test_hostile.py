"""No hostile submission earns, reads, changes or leaves what is not its own."""

from __future__ import annotations

import json
import operator
import re
import site
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import pytest

import nbproctor
from nbproctor.engine import Execution, Servers, Settings, execute
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report, StudentCell
from nbproctor.sandbox.policy import Policy
from nbproctor.student.process import Student
from nbproctor.student.shell import ZMQInteractiveShell
from tests.copies import read_document, write_file
from tests.hostile import test_tables
from tests.hostile.cases import ATTEMPT, CASES, Case
from tests.hostile.trap import FULL, MARK, TRAP
from tests.timing import limits

pytestmark = pytest.mark.slow

SECRET = "a-word-from-outside-the-sandbox"
POLICY = Policy(
    memory=512 << 20,
    threads=16,
    scratch=32 << 20,
    scratch_files=500,
)
# What the next student can see of what the one before did.
LOOK_AROUND = """\
import os, sys, tempfile
import numpy as np
print(sorted(os.listdir(".")), os.listdir(tempfile.gettempdir()), sorted(os.environ))
print(np.allclose(1, 2), abs(-1), sys.path, len(get_ipython().ast_transformers))
"""


NOTHING: Mapping[str, bytes] = {}


def settings(submission: float = 40.0) -> Settings:
    return Settings(limits(call=0.4, cell=1.2, submission=submission), POLICY)


@dataclass(frozen=True)
class Court:
    """Where the class is judged: a course with things worth stealing."""

    course: Path
    master: MasterNotebook
    honest: Report
    servers: Servers
    processes: frozenset[int]

    def execute(
        self, code: Sequence[StudentCell], files: Mapping[str, bytes] = NOTHING
    ) -> Report:
        return execute(Execution(code, self.master, settings(), files), self.servers)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    others = _processes()  # of tests before, in this worker
    course = tmp_path_factory.mktemp("course")
    master = TRAP.write(course)
    for name in ("gradebook.db", "secret.txt", "submitted/other/trap/trap.ipynb"):
        path = course / name
        write_file(path, SECRET)
        path.chmod(0o666)  # only the sandbox is in the way
    with pytest.MonkeyPatch.context() as patch, Servers() as servers:
        patch.setenv("COURSE_SECRET_TOKEN", SECRET)
        code = TRAP.handed_in(LOOK_AROUND)
        honest = execute(Execution(code, master, settings()), servers)
        yield Court(course, master, honest, servers, _processes())
    assert _processes() <= others


def _processes() -> frozenset[int]:
    return frozenset(child.pid for child in psutil.Process().children(recursive=True))


def _state(folder: Path) -> dict[Path, tuple[bytes, int, int, int]]:
    """Return contents, rights, owners and times of everything in a folder."""
    state = {}
    for path in folder.rglob("*"):
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        state[path] = content, info.st_mode, info.st_uid, info.st_mtime_ns
    return state


LEFT_BEHIND = "hostile_was_here*"


def _left_behind() -> list[Path]:
    names = ["/", "/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir()]
    names += [*site.PREFIXES, *site.getsitepackages()]
    folders = [Path.home(), Path(nbproctor.__file__).parent, *map(Path, names)]
    leftovers = (Path.home() / ".cache/nbproctor").rglob(LEFT_BEHIND)
    return [*leftovers, *(p for folder in folders for p in folder.glob(LEFT_BEHIND))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_submission(court: Court, case: Case) -> None:
    before = _state(court.course)
    cells = {
        name: text.replace("COURSE", repr(str(court.course)))
        for name, text in case.cells.items()
    }
    report = court.execute(TRAP.handed_in(**cells), case.files)

    assert TRAP.earned(report) == FULL | case.earns

    output_text = json.dumps(report.outputs)
    assert "DONE" not in output_text
    tried = [text.removeprefix(ATTEMPT) for text in cells.values()]
    assert ("refused" in output_text) == any("attempt(" in text for text in tried)
    assert not any(word in output_text for word in ("<script", "<svg", "onerror"))
    everything = msgspec.json.encode(report).decode()
    assert SECRET not in everything
    assert MARK not in everything
    assert len(everything) < 1_000_000

    assert _state(court.course) == before
    assert _left_behind() == []
    assert _processes() == court.processes, "a process survived, or a server died"
    if case in CASES[::6] or case is CASES[-1]:  # one that looks around for six
        assert court.execute(TRAP.handed_in(LOOK_AROUND)) == court.honest


def test_the_honest_submission_earns_everything(court: Court) -> None:
    assert TRAP.earned(court.honest) == TRAP.full()
    assert court.honest.notes == []


def test_the_table_in_the_docs_has_each_case_and_what_it_earns() -> None:
    page = read_document("hostile-class")
    rows = re.findall(r"^\| `(.*)` \| .+ \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == len(CASES)
    assert dict(rows) == {
        case.name.replace("_", " "): " · ".join(
            f"{points:g}" for points in (FULL | case.earns).values()
        )
        for case in CASES
    }


def test_what_an_answer_takes_hold_of_is_there() -> None:
    """An attack on a name that is gone would hold without any defence."""
    texts = [text for case in CASES for text in case.cells.values()]
    texts += [text for _, text in test_tables.CASES.values()]
    one, other = socket.socketpair()
    with one, other:
        student = Student(one, ZMQInteractiveShell())
        reached = {
            name for text in texts for name in re.findall(r"\bme((?:\.\w+)+)", text)
        }
        assert len(reached) > 5
        for name in reached:
            operator.attrgetter(name[1:])(student)
