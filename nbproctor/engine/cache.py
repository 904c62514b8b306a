"""Cached reports: a submission that was run once is not run again.

A report depends only on what `key` includes, so a run that was killed continues where
it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import zlib
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import msgspec

from nbproctor.engine.execution import Execution, Executor
from nbproctor.engine.servers import Settings
from nbproctor.notebook import MasterNotebook
from nbproctor.results import Report
from nbproctor.sandbox.policy import PACKAGE, site_packages

SCANS = 10  # the folder is measured again whenever a tenth of its bound was written
SOURCE_KEY = "nbproctor's source"
# No report depends on pip. Of nbproctor, the source counts, not the version.
IGNORED_PACKAGES = {"pip", "nbproctor"}


def key(execution: Execution, conditions: str) -> str:
    """Return the name of a report: the hash of everything that it depends on.

    `conditions` is what `CachingExecutor.conditions_digest` returns.
    """
    files = execution.files.items()
    contents = {name: hashlib.sha256(data).hexdigest() for name, data in files}
    return _hash(list(execution.cells), contents, conditions)


def _hash(*parts: object) -> str:
    # JSON with only ASCII can also contain file names that are not Unicode.
    encoded = json.dumps(msgspec.to_builtins(parts), sort_keys=True)
    return hashlib.blake2b(encoded.encode(), digest_size=32).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of nbproctor, of Python and of the installed packages.

    A worker of a cluster must have the same versions. The version of nbproctor is the
    SHA-256 of its modules, because its number stays the same while somebody edits them.
    """
    source = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        source.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
        source.update(path.read_bytes() + b"\0")
    versions_by_name = {
        SOURCE_KEY: source.hexdigest(),
        "Python": platform.python_version(),
    }
    for folder in site_packages():
        # Only names of folders: reading all metadata takes 0.2 seconds.
        for path in sorted(Path(folder).glob("*.dist-info")):
            name, _, version = path.stem.partition("-")
            if name.lower() not in IGNORED_PACKAGES:
                versions_by_name.setdefault(name.lower(), version)
    return versions_by_name


@dataclass
class Cache:
    """Reports in a folder; those that were used least recently are removed first.

    Several processes may use it at once.
    """

    folder: Path
    max_bytes: int  # of all reports; it may be exceeded by a tenth
    _bytes_until_scan: int = 0  # to write before the next scan
    _lock: Lock = field(default_factory=Lock)

    def read(self, name: str) -> Report | None:
        """Return a report, or None if it is missing or damaged."""
        path = self._path(name)
        try:
            data = zlib.decompress(path.read_bytes())
            report = msgspec.msgpack.decode(data, type=Report)
        except (OSError, zlib.error, msgspec.MsgspecError):
            return None
        with suppress(OSError):
            os.utime(path)  # used just now
        return report

    def write(self, name: str, report: Report) -> None:
        """Write a report to the cache; `read` ignores one that was cut short."""
        path = self._path(name)
        data = zlib.compress(msgspec.msgpack.encode(report), 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)  # its checksum shows whether it is complete
        with self._lock:
            self._bytes_until_scan -= len(data)
            if self._bytes_until_scan < 0:
                self._shrink()
                self._bytes_until_scan = self.max_bytes // SCANS

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _shrink(self) -> None:
        reports = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):  # another run has removed it
                status = path.stat()
                reports.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in reports)
        for _, size, path in sorted(reports):
            if total <= self.max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size


@dataclass
class CachingExecutor:
    """An executor that first looks for a cached report."""

    cache: Cache
    executor: Executor  # for what is not cached
    force: bool = False  # then for everything
    _versions: dict[str, str] = field(default_factory=lambda: versions())
    _conditions: dict[tuple[str, Settings], str] = field(default_factory=dict)
    _deferred_prepare: tuple[MasterNotebook, Settings] | None = None

    @property
    def concurrency(self) -> int:
        """How many submissions are executed at the same time."""
        return self.executor.concurrency

    def prepare(
        self, master: MasterNotebook, settings: Settings, expected: int = 0
    ) -> None:
        """Prepare the executor if executions are expected, or when one is not cached.

        A fork server takes seconds to start.
        """
        self._deferred_prepare = master, settings
        if expected:
            self.executor.prepare(master, settings, expected)
            self._deferred_prepare = None

    def execute(self, execution: Execution) -> Future[Report]:
        """Return the cached report, or run the submission and cache its report."""
        conditions = self.conditions_digest(execution.master, execution.settings)
        name = key(execution, conditions)
        report = None if self.force else self.cache.read(name)
        future: Future[Report] = Future()
        if report:
            future.set_result(report)
            return future
        if self._deferred_prepare:
            self.executor.prepare(*self._deferred_prepare)
            self._deferred_prepare = None
        running = self.executor.execute(execution)
        running.add_done_callback(lambda done: self._cache_report(name, done, future))
        return future

    def conditions_digest(self, master: MasterNotebook, settings: Settings) -> str:
        """Return the hash of what a report depends on, except the submission.

        ``grading.json`` has it, too: a submission counts as already graded if neither
        its files nor this hash have changed. A result from a weak sandbox does not
        count in a complete sandbox.
        """
        dependencies = master.digest, settings
        if dependencies not in self._conditions:  # it reads the assignment's files
            self._conditions[dependencies] = _hash(
                master.digest,
                settings.digest(),
                settings.policy.weak,
                self._versions,
            )
        return self._conditions[dependencies]

    def _cache_report(
        self,
        name: str,
        done: Future[Report],
        future: Future[Report],
    ) -> None:
        """Write the result of an execution to the cache before returning it."""
        try:
            report = done.result()
            self.cache.write(name, report)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(report)
