"""What a worker of a cluster does: keeps an assignment, executes submissions of it.

Coordinator and workers trust each other, and Dask carries Python objects between them.
What a student wrote goes both ways as text and numbers alone: code to execute, and the
report, which the judge made of plain data.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import msgpack

from nbproctor.engine.execution import ExecutionError, execute
from nbproctor.engine.servers import EngineError, Servers, Settings
from nbproctor.engine.versions import OWN, versions
from nbproctor.notebook import MasterNotebook
from nbproctor.results import StudentCell

Submitted = tuple[list[StudentCell], dict[bytes, bytes]]  # code, and files beside it
# A report, encoded; why there is none; why this worker cannot execute anything.
Answer = tuple[bytes, str, str]


@dataclass(frozen=True)
class Assignment:
    """Everything that a worker needs to execute submissions of an assignment.

    Attributes
    ----------
    key : str
        Names it on a worker.
    master, settings
        As for `engine.execute`.
    files
        Contents of the assignment's own files: place → path below it → content. The
        path is empty where the place is a file.
    versions
        Of the coordinator.
    """

    key: str
    master: MasterNotebook
    settings: Settings
    files: Mapping[str, Mapping[str, bytes]]
    versions: Mapping[str, str]

    @classmethod
    def pack(cls, key: str, master: MasterNotebook, settings: Settings) -> Assignment:
        """Read the assignment's files, which a worker may not have."""
        files = {}
        for place, name in settings.policy.files:
            path = Path(name)
            inside = [p for p in sorted(path.rglob("*")) if p.is_file()]
            files[place] = {str(p.relative_to(path)): p.read_bytes() for p in inside}
            if path.is_file():
                files[place] = {"": path.read_bytes()}
        return cls(key, replace(master, data=None), settings, files, versions())

    def unpack(self, folder: Path) -> Settings:
        """Write the files into a folder; return settings that name them there."""
        named = []
        for number, (place, contents) in enumerate(self.files.items()):
            base = folder / str(number)
            base.mkdir()
            for below, content in contents.items():
                path = base / below if below else base / Path(place).name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            named.append((place, str(path if "" in contents else base)))
        policy = replace(self.settings.policy, files=tuple(named))
        return replace(self.settings, policy=policy)

    def unlike(self, here: Mapping[str, str]) -> str:
        """Return what a worker has in other versions, in words, or nothing."""
        theirs = self.versions
        if here[OWN] != theirs[OWN]:
            return "its nbproctor is another version than the coordinator's"
        other = [
            f"{name} {here[name]} (the coordinator has {version})"
            for name, version in theirs.items()
            if name in here and here[name] != version
        ]
        return f"it has {', '.join(other[:3])}" if other else ""


class Here:
    """The assignments that one worker holds, and its fork servers."""

    def __init__(self) -> None:
        self.servers = Servers()
        self.known: dict[str, tuple[MasterNotebook, Settings, Path]] = {}

    @classmethod
    def of(cls, worker: Any) -> Here:
        """Return that of a Dask worker."""
        if not hasattr(worker, "nbproctor"):
            worker.nbproctor = cls()
        here: Here = worker.nbproctor
        return here


def receive(assignment: Assignment, dask_worker: Any = None) -> str:
    """Take an assignment, once; return why this worker refuses it, or nothing."""
    if why := assignment.unlike(versions()):
        return why
    here = Here.of(dask_worker)
    if assignment.key not in here.known:
        folder = Path(tempfile.mkdtemp(prefix="nbproctor-assignment-"))
        folder.chmod(0o755)  # student processes may have a user id of their own
        settings = assignment.unpack(folder)
        here.known[assignment.key] = assignment.master, settings, folder
    return ""


def forget(keys: Sequence[str], dask_worker: Any = None) -> None:
    """Give up assignments, with the fork servers: the coordinator is done."""
    here = Here.of(dask_worker)
    for key in keys:
        if key in here.known:
            shutil.rmtree(here.known.pop(key)[2], ignore_errors=True)
    if not here.known:
        here.servers.close()
        del dask_worker.nbproctor


def warm_up(key: str) -> str:
    """Start this thread's fork server; return why that cannot be, or nothing."""
    try:
        here = _here()
        master, settings, _ = here.known[key]
        here.servers.get(master, settings)
    except EngineError as error:
        return str(error)
    except Exception as error:  # Dask cannot carry every exception
        return repr(error)
    return ""


def run(key: str, batch: Sequence[bytes]) -> list[Answer] | None:
    """Execute submissions, one after the other; None: this worker is a new one."""
    here = _here()
    if key not in here.known:
        return None
    master, settings, _ = here.known[key]
    return [_run(submitted, master, settings, here.servers) for submitted in batch]


def packed(cells: Sequence[StudentCell], files: Mapping[str, bytes]) -> bytes:
    """Encode a submission for `run`; a name of a file need not be Unicode."""
    named = {os.fsencode(name): data for name, data in files.items()}
    return msgpack.encode((list(cells), named))


def _run(
    submitted: bytes, master: MasterNotebook, settings: Settings, servers: Servers
) -> Answer:
    try:
        cells, files = msgpack.decode(submitted, type=Submitted)
        named = {os.fsdecode(name): data for name, data in files.items()}
        report = execute(cells, master, settings, named, servers)
    except ExecutionError as error:
        return b"", str(error), ""
    except EngineError as error:
        return b"", "", str(error)
    except Exception as error:
        return b"", f"It could not be executed ({error!r}).", ""
    return msgpack.encode(report), "", ""


def _here() -> Here:
    from distributed import get_worker

    return Here.of(get_worker())
