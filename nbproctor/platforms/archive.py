"""Archives: the files of a folder or a zip archive, read without harm.

Nothing is extracted to a path that an archive names. Entries are read one by one, by
name, with limits on number, size and compression; whatever is refused is reported.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from nbproctor.errors import NbproctorError
from nbproctor.sanitize import visible
from nbproctor.submission import border
from nbproctor.submission.border import IGNORED
from nbproctor.submission.files import (
    MAX_NOTEBOOK_BYTES,
    ZIP_DAMAGE,
    entry_name,
    environments,
)

MAX_ENTRIES = 200_000
MAX_FILE = MAX_NOTEBOOK_BYTES  # so that every gradable notebook can be collected
MAX_TOTAL = 20 << 30
MAX_RATIO = 200  # deflate reaches 1,032; notebooks with the same line 1,000 times, 100
SMALL = 10 << 20  # no bomb, whatever its ratio


class CollectError(NbproctorError):
    """Nothing can be collected from there; the message says why and what to do."""


@dataclass(frozen=True)
class ArchiveEntry:
    """One file: where it is in the download, its size in bytes, and how to read it."""

    path: PurePosixPath
    size: int
    read: Callable[[], bytes]


@dataclass
class Content:
    """The files of a download, and a line for each that cannot be read."""

    entries: list[ArchiveEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        size: int,
        reason: str,
        read: Callable[[], bytes],
    ) -> None:
        """Add a file, or say why it is refused; pass over what no student wrote."""
        path = PurePosixPath(name)
        if not IGNORED.isdisjoint(path.parts) or path.name.startswith("._"):
            return
        if not reason and size > MAX_FILE:
            reason = (
                f"It has {size / 1e6:.0f} MB. The limit is {MAX_FILE / 1e6:.0f} MB."
            )
        if reason:
            self.problems.append(f"{visible(name)}: {reason}")
        else:
            self.entries.append(
                ArchiveEntry(
                    path=path,
                    size=size,
                    read=read,
                )
            )


def read(source: Path) -> Content:
    """List the files of a folder, of a zip archive, or one file alone.

    `CollectError`: it does not exist, or is an archive that cannot be opened.
    """
    if source.is_dir():
        return _folder(source.resolve())  # the name is the teacher's
    if not source.is_file():
        raise CollectError(f"There is no file or folder {source}.")
    if is_zip(source.name):
        try:
            return unzip(source.open("rb"))
        except CollectError as error:
            raise CollectError(f"{source}: {error}") from error
    if re.search(r"\.(rar|7z|tar|gz|tgz|bz2|xz)$", source.name, re.I):
        raise CollectError(
            f"{source} is a kind of archive that no platform uses. Unpack it, and "
            "collect the folder."
        )
    content = Content()
    content.add(source.name, source.stat().st_size, "", source.read_bytes)
    return content


def is_zip(name: str) -> bool:
    """Whether a file is an archive by its name."""
    return name.lower().endswith(".zip")


def unzip(file: IO[bytes] | bytes) -> Content:
    """List the files of a zip archive, without environments, caches and the like.

    `CollectError`: it is none, is cut short, or would unpack to far too much.
    """
    stream = BytesIO(file) if isinstance(file, bytes) else file
    try:
        archive = zipfile.ZipFile(stream)
    except ZIP_DAMAGE as error:
        raise CollectError(
            f"The zip archive is broken ({error}). It may be cut short: download it "
            "again."
        ) from error
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_ENTRIES or total > MAX_TOTAL:
        raise CollectError(
            f"The zip archive would unpack to {len(infos)} files and "
            f"{total / 2**30:.0f} GB. Nothing was unpacked."
        )
    content = Content()
    # Not `ZipInfo.is_dir`, which fails where an entry has no name.
    files = [info for info in infos if not info.filename.endswith("/")]
    names = {info: entry_name(info) for info in files}
    environment_folders = environments(names.values())
    for info, name in names.items():
        if name and not name.startswith(environment_folders):
            entry = partial(_read_entry, archive, info)
            content.add(name, info.file_size, _refused(name, info), entry)
    return content


def write_zip(
    target: Path,
    files: Mapping[str, bytes | Path],
    mode: Callable[[str], int] = lambda name: 0o644,
) -> None:
    """Write a zip archive, whole or not at all; the same files give the same bytes.

    `mode` gives the permissions of a file by its name.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # dated 1980, on every computer
            entry.external_attr = mode(name) << 16
            entry.create_system = 3
            packed = name.endswith((".gz", ".zip"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            content = data if isinstance(data, bytes) else data.read_bytes()
            archive.writestr(entry, content)
    unfinished.replace(target)


def _folder(folder: Path) -> Content:
    content = Content()
    refusals: list[border.Refusal] = []
    for file in border.walk(folder, refusals, shared=True, max_files=MAX_ENTRIES):
        content.add(file.relative_path.as_posix(), file.size, "", file.read)
    for path, reason in refusals:
        content.add(path.as_posix(), 0, f"Not read: {reason}.", bytes)
    return content


def _refused(name: str, info: zipfile.ZipInfo) -> str:
    """Return why an entry is not read, or nothing."""
    if re.match(r"/|[A-Za-z]:", name) or ".." in name.split("/"):
        return "Its name points outside the archive. Not unpacked."
    if re.search(r"[\0-\x1f]", name):
        return "Its name contains control characters. Not unpacked."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "It is a link. Not unpacked."
    if info.flag_bits & 1:
        return "It is protected by a password. Unpack it, and collect the folder."
    if MAX_FILE >= info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
        size = info.file_size / 1e6
        return (
            f"{info.compress_size} bytes would unpack to {size:.0f} MB. Not unpacked."
        )
    return ""


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(MAX_FILE + 1)
    except ZIP_DAMAGE as error:
        raise CollectError(
            f"It cannot be unpacked ({error}). Download the archive again."
        ) from error
