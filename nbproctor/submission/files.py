"""Files that a student submitted, on the disk and in archives, read within one budget.

Nothing is unpacked to the disk, so names in an archive cannot lead outside a folder.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO

from nbproctor.cells import list_few
from nbproctor.errors import NbproctorError
from nbproctor.notebook import SCRIPT
from nbproctor.sanitize import quote
from nbproctor.submission.border import (
    ENVIRONMENT,
    IGNORED,
    MAX_FILES,
    NO_PERMISSION,
    Refusal,
    RefusedFileError,
    StudentFile,
    submitted_files,
)

MAX_NESTED = 2  # an archive may contain an archive
# Limits of size, after unpacking: what is collected can also be graded. `kit.submit`
# warns of much smaller files, because many platforms refuse them.
MAX_NOTEBOOK_BYTES = 300_000_000
MAX_SUBMISSION_BYTES = 1_000_000_000
MAX_SECONDS = 3.0  # of processor time, to look for the notebook among many files
FILE_COST = 2_000_000  # bytes of the budget for each notebook, besides its size
_HASHED_BYTES = MAX_NOTEBOOK_BYTES  # of a bigger file, only the size counts
_HEAD = 512  # bytes by which a file is recognised
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
#: Exceptions that a damaged zip archive raises, or one that Python cannot read.
ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # a password
)
# MemoryError: a worker has a limit.
_DAMAGE = (*ZIP_DAMAGE, tarfile.TarError, KeyError, MemoryError)
_KEYS = (b'"cells"', b'"metadata"', b'"nbformat"')  # of a notebook's JSON
_WRONG_FILES = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"bplist": "a placeholder of a file that iCloud has not downloaded",
    b"version https://git-lfs": "a pointer to a file in Git LFS",
    b"{\\rtf": "a text document (RTF)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<": "a web page (HTML)",
}


Opener = Callable[[], IO[bytes]]


class Ungradable(NbproctorError):  # noqa: N818 - the word of the gradebook, not an error
    """The submission cannot be graded; the message says why."""


@dataclass
class Budget:
    """What may still be read of one submission."""

    bytes: int = MAX_SUBMISSION_BYTES
    files: int = MAX_FILES
    # The processor time after which no other file is started, in seconds. The files
    # read by then are graded, long before the worker would be ended.
    until: float = field(default_factory=lambda: time.process_time() + MAX_SECONDS)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be read."""
        return self.is_low or self.files <= 0

    @property
    def is_low(self) -> bool:
        """Whether no other notebook may be started."""
        return self.bytes <= 0 or time.process_time() > self.until


@dataclass(frozen=True)
class Candidate:
    """A file that may be a notebook, alone or in an archive."""

    path: Path  # on the disk
    name: str  # in messages, relative to the student's folder
    cost: int  # bytes to unpack in order to read it, according to its archive
    head: bytes  # its first bytes
    open: Opener

    @property
    def quoted(self) -> str:
        """The name in quotes, for a sentence."""
        return quote(self.name)

    @property
    def base(self) -> str:
        """The file's own name, without folders."""
        return self.name.rpartition("/")[2]

    @property
    def is_script(self) -> bool:
        """Whether it is a Python script, which may have the code of a notebook."""
        return self.base.lower().endswith(SCRIPT)

    def content(self) -> bytes:
        """Return the content; `Ungradable` if it is unreadable or too big."""
        size = 0
        parts = []
        try:
            with self.open() as file:  # in parts, because `read` reserves its full size
                while part := file.read(1 << 20):
                    size += len(part)
                    parts.append(part)
                    if size > MAX_NOTEBOOK_BYTES:
                        limit = MAX_NOTEBOOK_BYTES // 1_000_000
                        raise self.fault(f"is bigger than {limit} MB")
            return b"".join(parts)
        except _DAMAGE as error:
            raise self.unreadable(error) from error

    def unreadable(self, error: Exception) -> Ungradable:
        """Return the fault that an error of the disk, or of an archive, means."""
        reason = getattr(error, "strerror", None)
        if isinstance(error, RefusedFileError):
            reason = str(error)
        if reason:
            return self.fault(f"cannot be read: {reason}")
        if isinstance(error, MemoryError):
            return self.fault("takes too much memory to be read")
        # The text of the error may contain names of files.
        reason = quote(str(error), "`") if str(error) else "it is cut short"
        return self.fault(f"cannot be unpacked: {reason}")

    def fault(self, predicate: str) -> Ungradable:
        """Return why the file cannot be graded, as a sentence about it."""
        return Ungradable(f"{self.quoted} {predicate}.")


def fingerprint(folder: Path, closed: list[Path] | None = None) -> str:
    """Return the SHA-256 of the names and contents of all files of a submission.

    The time of submission does not count. Files and folders without the permission to
    read them are appended to `closed`.
    """
    total = hashlib.sha256()
    refusals: list[Refusal] = []
    for file in submitted_files(folder, refusals):
        content = f"{file.size} bytes"
        try:
            if file.size <= _HASHED_BYTES:
                with file.open() as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
        except RefusedFileError as error:
            refusals.append(Refusal(file.relative_path, str(error)))
            content = "closed"
        total.update(os.fsencode(file.relative_path))
        total.update(f"\0{content}\n".encode())
    for path, reason in refusals:
        if closed is not None and reason == NO_PERMISSION:
            closed.append(folder / path)
        total.update(os.fsencode(path))
    return total.hexdigest()


def candidates(
    folder: Path,
    notebook: str,
    siblings: Collection[str],
    budget: Budget,
) -> list[Candidate]:
    """Return the files that may be the notebook, the likeliest first.

    A file with the name of a sibling, another notebook of the assignment, is left out.
    `Ungradable`: there is no such file; the message says what was submitted instead.
    """
    refusals: list[Refusal] = []
    student_files = list(submitted_files(folder, refusals))
    budget.files -= len(student_files)
    sibling_files = {f"{sibling}.ipynb" for sibling in siblings}
    likely = []
    faults: list[str] = []
    for each in student_files:
        file = Candidate(
            path=folder / each.relative_path,
            name=str(each.relative_path),
            cost=each.size,
            head=_head(each.open),
            open=each.open,
        )
        likely += _notebooks(file, budget, faults)
    likely = [candidate for candidate in likely if candidate.base not in sibling_files]
    if not likely and faults:
        raise Ungradable(faults[0])
    if not likely:
        reason = _describe_submitted(student_files, notebook)
        for refused, reason_of_refusal in refusals[:1]:
            reason += f" {quote(str(refused))} was not read: {reason_of_refusal}."
        raise Ungradable(reason)

    def distance(candidate: Candidate) -> tuple[bool, bool, bool, int, str]:
        # The exact name first, then the names that browsers and Jupyter make of it.
        name = candidate.base
        is_alike = name.lower().startswith(notebook.lower())
        is_exact = name == f"{notebook}.ipynb"
        return (
            candidate.is_script,
            not is_exact,
            not is_alike,
            candidate.name.count("/"),
            candidate.name,
        )

    return sorted(likely, key=distance)


def _head(opener: Opener) -> bytes:
    """Return the first bytes of a file; none if it cannot be read."""
    try:
        with opener() as file:
            return file.read(_HEAD)
    except _DAMAGE:
        return b""


def _notebooks(
    file: Candidate,
    budget: Budget,
    faults: list[str],
    nested: int = 0,
) -> list[Candidate]:
    """Return the file if it may be a notebook; of an archive, such files in it."""
    if file.base.startswith("._"):  # macOS writes such a file next to each file
        return []
    is_archive = file.head[257:262] == b"ustar" or file.head.startswith(_ARCHIVES)
    if is_archive and nested < MAX_NESTED:
        members = []
        try:
            for member in _members(file, budget, nested > 0):
                members += _notebooks(member, budget, faults, nested + 1)
        except Ungradable as fault:
            faults.append(str(fault))
        if budget.is_spent and not members:
            faults.append(f"{file.quoted} is too large to read once it is unpacked.")
        if members:
            return members
    return [file] if _is_likely(file) else []


def _is_likely(file: Candidate) -> bool:
    """Whether a file may be a notebook, or a script, by its name or first bytes."""
    base = file.base.lower()
    if base.endswith((".json", SCRIPT)) or ".ipynb" in base:
        return True
    # "tiny", "tiny.txt": editors and mail programs change the ending.
    start = _start(file.head)
    return any(key in start for key in _KEYS) and start.startswith(b"{")


def _members(
    file: Candidate,
    budget: Budget,
    nested: bool,
) -> list[Candidate]:
    """Return the student's files in an archive; `Ungradable` if it is damaged."""
    try:
        if file.head.startswith(b"PK"):
            source = BytesIO(file.content()) if nested else file.open()
            contents = list(_in_zip(zipfile.ZipFile(source)))
        else:
            contents = list(_in_tar(file, budget))
    except _DAMAGE as error:
        raise file.unreadable(error) from error
    environment_folders = environments(name for name, *_ in contents)
    members = [
        Candidate(
            path=file.path,
            name=f"{file.name}/{name}",
            cost=cost,
            head=head,
            open=opener,
        )
        for name, cost, head, opener in contents
        if not name.startswith(environment_folders)
    ]
    members = members[: max(budget.files, 0)]
    budget.files -= len(members)
    return members


def environments(names: Iterable[str]) -> tuple[str, ...]:
    """Return the virtual environments in an archive, such as ``lab/env/``."""
    mark = f"/{ENVIRONMENT}"
    return tuple(
        name.removesuffix(ENVIRONMENT) for name in names if name.endswith(mark)
    )


def entry_name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry in a zip archive, with ``/`` between folders.

    A name without the UTF-8 flag is cp437 according to the format, but macOS and many
    servers write UTF-8.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        # Otherwise the name is cp437, or its encoding cannot be known.
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")  # some programs on Windows write a backslash


_Member = tuple[str, int, bytes, Opener]  # name, cost, head, opener


def _in_zip(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        name = entry_name(info)
        is_file = name and not name.endswith("/")  # `is_dir` fails without a name
        if is_file and IGNORED.isdisjoint(name.split("/")):
            opener = partial(archive.open, info.filename)
            yield name, info.file_size, _head(opener), opener


def _in_tar(file: Candidate, budget: Budget) -> Iterator[_Member]:
    """Yield the files in a tar archive; each must be unpacked, even to skip it."""
    with _open_tar(file) as archive:
        for info in archive:
            budget.bytes -= info.size
            if budget.is_spent:
                return
            unpacked = archive.extractfile(info) if info.isfile() else None
            if unpacked and IGNORED.isdisjoint(info.name.split("/")):
                cost = info.offset_data + info.size
                opener = partial(_untar, file, info)
                yield info.name, cost, unpacked.read(_HEAD), opener


@contextmanager
def _open_tar(file: Candidate) -> Iterator[tarfile.TarFile]:
    with file.open() as stream, tarfile.open(fileobj=stream) as archive:
        yield archive


def _untar(file: Candidate, info: tarfile.TarInfo) -> IO[bytes]:
    content = b""
    with _open_tar(file) as archive:
        if unpacked := archive.extractfile(info):
            content = unpacked.read(MAX_NOTEBOOK_BYTES + 1)
    return BytesIO(content)


def _describe_submitted(student_files: list[StudentFile], notebook: str) -> str:
    if not student_files:
        return f"No file was submitted. Expected: '{notebook}.ipynb'."
    shown = list_few([quote(str(each.relative_path)) for each in student_files])
    kind = wrong_kind(_head(student_files[0].open))
    if kind and len(student_files) == 1:
        shown += f", which is {kind}"
    return f"'{notebook}.ipynb' is missing. Submitted: only {shown}."


def _start(data: bytes) -> bytes:
    return data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()


def wrong_kind(data: bytes) -> str:
    """Return the kind of a file that is certainly not a notebook, or nothing."""
    head = _start(data)
    if head.startswith(b"<<<<<<<"):  # merge markers
        return ""
    for first_bytes, kind in _WRONG_FILES.items():
        if head.startswith(first_bytes):
            return kind
    return ""


def replace_surrogates(text: str | Path) -> str:
    """Return a text, or a file's name, with lone surrogates replaced."""
    return re.sub("[\ud800-\udfff]", "\ufffd", str(text))
