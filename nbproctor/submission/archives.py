"""Archives handed in for a notebook: zip, tar and gzip, read within limits.

Nothing is unpacked to the disk, so names in an archive can lead nowhere.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbproctor.errors import NbproctorError

MAX_MEMBERS = 2_000
MAX_TAR_BYTES = 1_000_000_000
_MAGIC = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


class ArchiveError(NbproctorError):
    """The archive is damaged, or has a password."""


class TooBigError(NbproctorError):
    """What was unpacked is longer than allowed."""


def is_archive(path: Path, head: bytes) -> bool:
    """Whether a file may be an archive, by its first 512 bytes."""
    return head.startswith(_MAGIC) or head[257:262] == b"ustar"


def members(path: Path) -> list[str]:
    """Return the names of the notebooks in an archive.

    Raises
    ------
    ArchiveError
        It cannot be read.
    """
    with _errors():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()[:MAX_MEMBERS]
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                names = [info.name for info in _infos(tar)]
        else:
            with gzip.open(path) as packed:
                packed.read(1)
            names = [path.name.lower().removesuffix(".gz")]
    return [
        name
        for name in names
        if name.lower().endswith(".ipynb")
        and not {"__MACOSX", ".ipynb_checkpoints"} & set(name.split("/"))
        and not name.rpartition("/")[2].startswith("._")
    ]


def extract(path: Path, member: str, limit: int) -> bytes:
    """Return one notebook of an archive.

    Raises
    ------
    ArchiveError
        It cannot be read.
    TooBigError
        It is longer than `limit` bytes.
    """
    with _errors():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                data = file.read(limit + 1)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                same = (info for info in _infos(tar) if info.name == member)
                found = next((info for info in same if info.isfile()), None)
                unpacked = tar.extractfile(found) if found else None
                data = unpacked.read(limit + 1) if unpacked else b""
        else:
            with gzip.open(path) as packed:
                data = packed.read(limit + 1)
    if len(data) > limit:
        raise TooBigError
    return data


def _infos(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members; to pass one over, all of it has to be unpacked."""
    room = MAX_TAR_BYTES
    for _, info in zip(range(MAX_MEMBERS), tar, strict=False):
        yield info
        room -= info.size
        if room < 0:
            break


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,  # not gzip, or not readable
        NotImplementedError,  # a compression that Python does not know
        RuntimeError,  # a password
        KeyError,
        ValueError,
    ) as error:
        raise ArchiveError(str(error).rstrip(".") or "it is cut short") from error
