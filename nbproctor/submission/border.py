"""The border: the only way in for files that students wrote.

A name is the student's, and can be made to lead anywhere, also between a check and its
use. So a path is opened step by step, each name in the folder before it; no link is
followed; and what is checked is the file that is open.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from nbproctor.errors import NbproctorError

MAX_FILES = 20_000
MAX_DEPTH = 30  # of folders
MAX_ENTRIES = 10  # times as many names as files are looked at, folders among them
#: Folders and files that no student wrote.
_IGNORED = """
    .DS_Store .git .idea .ipynb_checkpoints .mypy_cache .pytest_cache .venv .vscode
    __MACOSX Thumbs.db __pycache__ desktop.ini node_modules site-packages
"""
IGNORED = frozenset(_IGNORED.split())
TIMESTAMP_FILE = "timestamp.txt"  # when something was submitted, for nbgrader
ENVIRONMENT = "pyvenv.cfg"  # lies in every virtual environment
_BLOCK = 1 << 20  # bytes
LINK = "it is a link, and links are not followed"
NO_FILE = "it is not a regular file"
NO_PERMISSION = "there is no permission to read it"
# What the system says of a name that has become something else.
_REFUSALS = {
    errno.ELOOP: LINK,
    errno.ENOTDIR: "it is a link, or not a folder",
    errno.ENXIO: NO_FILE,
    errno.ENOENT: "it has disappeared",
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    # A lease of its owner's would have us wait for the better part of a minute.
    errno.EAGAIN: "another program has locked it",
}
# Of what is no regular file nothing is awaited, not even its opening.
_FLAGS = sum(
    getattr(os, name, 0)  # Windows has neither links that need no rights, nor these
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)
_FOLDER = _FLAGS | getattr(os, "O_DIRECTORY", 0)


class RefusedFileError(NbproctorError, OSError):
    """A file, or a folder, that does not pass the border; the message says why."""


class Refusal(NamedTuple):
    """A file that was left out: its place in the folder, and the reason."""

    relative_path: Path
    reason: str


@dataclass(frozen=True)
class StudentFile:
    """A regular file in a student's folder, which only `open` opens."""

    folder: Path
    relative_path: Path  # in the folder
    size: int  # bytes, as all below when it was looked at
    changed: int  # nanoseconds
    owners: frozenset[int]  # user ids of which one must be its owner's; empty: any

    def open(self) -> BufferedReader:
        """Open the file; `RefusedFileError` if it is another kind of thing by now."""
        try:
            with _open_folder(self.folder, self.relative_path.parent) as opened:
                number = _open(opened, self.relative_path.name)
        except OSError as error:
            raise _as_refusal(error) from error
        if reason := _reason(os.fstat(number), self.owners):
            os.close(number)
            raise RefusedFileError(reason)
        return os.fdopen(number, "rb")

    @property
    def is_readable(self) -> bool:
        """Whether it opens."""
        try:
            self.open().close()
        except RefusedFileError:
            return False
        return True

    def read(self) -> bytes:
        """Return what is in the file, at most its `size`: it may grow meanwhile."""
        with self.open() as file:
            return file.read(self.size)

    def copy(self, target: Path) -> None:
        """Copy content and time to a new file, at most its `size`."""
        missing = self.size
        with self.open() as source:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as copied:
                while missing and (block := source.read(min(missing, _BLOCK))):
                    copied.write(block)
                    missing -= len(block)
        with suppress(OSError, OverflowError):  # it may be of any time
            os.utime(target, ns=(self.changed, self.changed))


def find(folder: Path, name: str) -> StudentFile | None:
    """Return the file of that name in a student's folder, if one passes."""
    with suppress(OSError), _open_folder(folder, Path()) as opened:
        owners = _owners(opened)
        status = _stat(opened, name)
        if not _reason(status, owners):
            return StudentFile(
                folder=folder,
                relative_path=Path(name),
                size=status.st_size,
                changed=status.st_mtime_ns,
                owners=owners,
            )
    return None


def walk(
    folder: Path,
    refusals: list[Refusal] | None = None,
    *,
    shared: bool = False,
    max_files: int = MAX_FILES,
) -> Iterator[StudentFile]:
    """Yield the regular files under a folder, in a stable order, shallow ones first.

    They have no second name on the disk, and belong to who owns the folder, to root or
    to who asks. Virtual environments, caches and the like are passed over; after
    `max_files` files nothing more is read. What does not pass is appended to
    `refusals`. In a `shared` folder, each folder in it may be of another owner.
    """
    refusals = [] if refusals is None else refusals
    files = max_files
    names = max_files * MAX_ENTRIES
    waiting = deque([(Path(), frozenset[int]())])
    while waiting:
        relative_path, owners = waiting.popleft()
        depth = len(relative_path.parts)
        try:
            with _open_folder(folder, relative_path) as opened:
                if depth == shared:
                    owners = _owners(opened)
                entries = list(_scan_folder(opened, names))
        except OSError as error:
            refusals.append(Refusal(relative_path, str(_as_refusal(error))))
            continue
        names -= len(entries)
        if names <= 0:
            refusals.append(
                Refusal(relative_path, "there are too many files and folders")
            )
            return
        if depth and any(name == ENVIRONMENT for name, _ in entries):
            continue
        for name, status in entries:
            inside = relative_path / name
            if stat.S_ISDIR(status.st_mode):
                if name in IGNORED:
                    continue
                if depth < MAX_DEPTH:
                    waiting.append((inside, owners))
                else:
                    reason = f"it is more than {MAX_DEPTH} folders deep"
                    refusals.append(Refusal(inside, reason))
            elif reason := _reason(status, owners):
                refusals.append(Refusal(inside, reason))
            elif not files:
                refusals.append(
                    Refusal(inside, f"there are more than {max_files:,} files")
                )
                return
            else:
                files -= 1
                yield StudentFile(
                    folder=folder,
                    relative_path=inside,
                    size=status.st_size,
                    changed=status.st_mtime_ns,
                    owners=owners,
                )


def submitted_files(
    folder: Path, refusals: list[Refusal] | None = None
) -> Iterator[StudentFile]:
    """Yield a student's own files: all but the record of when they were submitted."""
    for file in walk(folder, refusals):
        if file.relative_path != Path(TIMESTAMP_FILE):
            yield file


def copy(
    folder: Path,
    target: Path,
    most: int,
    owner: int | None = None,
) -> list[Refusal]:
    """Copy the files of a student's to a new folder; return what was passed over.

    `RefusedFileError`: the folder does not pass, has more than `most` bytes, or is not
    that of its `owner` any more.
    """
    refusals: list[Refusal] = []
    target.mkdir(parents=True)
    files = list(walk(folder, refusals))
    if owner is not None:
        owners = {owner, os.geteuid(), 0}
        if any(file.owners != owners for file in files):
            raise RefusedFileError("it was replaced by another folder")
    for relative_path, reason in refusals:
        if relative_path == Path():
            raise RefusedFileError(reason)
    size = sum(file.size for file in files)
    if size > most:
        limit = most / 1e6
        raise RefusedFileError(f"it is too big: {size / 1e6:,.0f} of {limit:,.0f} MB")
    for file in files:
        try:
            file.copy(target / file.relative_path)
        except RefusedFileError as error:
            refusals.append(Refusal(file.relative_path, str(error)))
    return refusals


def _reason(status: os.stat_result, owners: frozenset[int]) -> str:
    """Return why a file does not pass, or nothing."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    if not stat.S_ISREG(status.st_mode):
        return NO_FILE
    if status.st_nlink > 1:
        return "it has a second name elsewhere on the disk (a hard link)"
    if owners and status.st_uid not in owners:
        return f"it does not belong to the same account as its folder ({status.st_uid})"
    return ""


def _as_refusal(error: OSError) -> RefusedFileError:
    """Return what an error says of a file; raise one of the computer's again."""
    if isinstance(error, RefusedFileError):
        return error
    if error.errno not in _REFUSALS:
        raise error
    return RefusedFileError(_REFUSALS[error.errno])


# A folder that is open: its descriptor, or where the system has none, its path.
if sys.platform == "win32":
    _Opened = Path

    @contextmanager
    def _open_folder(folder: Path, relative_path: Path) -> Iterator[_Opened]:
        for step in (relative_path, *relative_path.parents):
            if (folder / step).is_symlink():
                raise RefusedFileError(LINK)
        yield folder / relative_path

    def _open(opened: _Opened, name: str) -> int:
        return os.open(opened / name, _FLAGS)

    def _stat(opened: _Opened, name: str) -> os.stat_result:
        return os.lstat(opened / name)

    def _owners(opened: _Opened) -> frozenset[int]:
        return frozenset()

else:
    _Opened = int

    @contextmanager
    def _open_folder(folder: Path, relative_path: Path) -> Iterator[_Opened]:
        """Open a folder in a student's, step by step."""
        opened = os.open(folder, _FOLDER)
        try:
            for name in relative_path.parts:
                outer = opened
                opened = os.open(name, _FOLDER, dir_fd=outer)
                os.close(outer)
            yield opened
        finally:
            os.close(opened)

    def _open(opened: _Opened, name: str) -> int:
        return os.open(name, _FLAGS, dir_fd=opened)

    def _stat(opened: _Opened, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=opened, follow_symlinks=False)

    def _owners(opened: _Opened) -> frozenset[int]:
        """Return whose files pass in a folder."""
        return frozenset({os.fstat(opened).st_uid, os.geteuid(), 0})


def _scan_folder(opened: _Opened, most: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what a folder holds, by name: not more than may still be looked at."""
    with os.scandir(opened) as entries:
        names = [entry.name for entry in islice(entries, most)]
    for name in sorted(names):
        with suppress(FileNotFoundError):  # it is being replaced
            yield name, _stat(opened, name)
