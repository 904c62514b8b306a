"""Files that a student handed in, and those among them that may be the notebook."""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbproctor.errors import NbproctorError
from nbproctor.submission import archives

MAX_FILES = 20_000
MAX_DEPTH = 30
MAX_CANDIDATES = 20
MAX_NOTEBOOK_BYTES = 300_000_000
_HASHED_BYTES = MAX_NOTEBOOK_BYTES  # of a bigger file only the size is read
_IGNORED = {
    ".git",
    ".idea",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".pytest_cache",
    ".venv",
    ".vscode",
    "__MACOSX",
    "__pycache__",
    "node_modules",
    "site-packages",
}
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


class Ungradable(NbproctorError):  # noqa: N818 - the word of the gradebook, not an error
    """The submission cannot be graded; the message says why, in words."""


@dataclass(frozen=True)
class Candidate:
    """A file that may be a notebook, alone or in an archive.

    Attributes
    ----------
    path : Path
        The file on the disk.
    member : str or None
        Its name in the archive that `path` is.
    name : str
        What to call it, relative to the student's folder.
    """

    path: Path
    member: str | None
    name: str

    @property
    def base(self) -> str:
        """The file's own name, without folders."""
        return (self.member or self.path.name).rpartition("/")[2]

    def content(self) -> bytes:
        """Return what is in the file.

        Raises
        ------
        Ungradable
            It cannot be read, or is too big.
        """
        limit = MAX_NOTEBOOK_BYTES
        try:
            if self.member is not None:
                data = archives.extract(self.path, self.member, limit)
            elif self.path.stat().st_size > limit:
                raise archives.TooBigError
            else:
                data = self.path.read_bytes()
        except archives.TooBigError:
            raise Ungradable(
                f"'{self.name}' is bigger than {limit // 1_000_000} MB."
            ) from None
        except archives.ArchiveError as error:
            raise Ungradable(f"'{self.name}' cannot be unpacked: {error}.") from error
        except OSError as error:
            reason = error.strerror
            raise Ungradable(f"'{self.name}' cannot be read: {reason}.") from error
        return data


def files(folder: Path) -> Iterator[Path]:
    """Yield the regular files under `folder`, in a stable order, shallow ones first.

    Symbolic links are never followed, whatever they point to, so that nothing
    outside the folder is ever read in a student's name. Virtual environments, caches
    and the like are passed over; after `MAX_FILES` files nothing more is read.
    """
    count = 0
    waiting = deque([(folder, 0)])
    while waiting:
        here, depth = waiting.popleft()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        if depth and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                if count == MAX_FILES:
                    return
                count += 1
                yield Path(entry.path)
            elif (
                entry.is_dir(follow_symlinks=False)
                and entry.name not in _IGNORED
                and depth < MAX_DEPTH
            ):
                waiting.append((Path(entry.path), depth + 1))


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of names and contents of what is read of a submission."""
    total = hashlib.sha256()
    for path in files(folder):
        size = path.stat().st_size
        content = f"{size} bytes"
        if size <= _HASHED_BYTES:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        name = os.fsencode(path.relative_to(folder))
        total.update(name + f"\0{content}\n".encode())
    return total.hexdigest()


def candidates(folder: Path, notebook: str) -> list[Candidate]:
    """Return the files that may be the notebook, the likeliest first.

    Raises
    ------
    Ungradable
        There is nothing that could be a notebook; says what there is instead.
    """
    handed = list(files(folder))
    likely = [c for path in handed for c in _candidates(folder, path, notebook)]
    if not likely:
        raise Ungradable(_instead(folder, handed, notebook))

    def distance(candidate: Candidate) -> tuple[bool, bool, bool, int, str]:
        # The very name first, then what browsers and Jupyter make of it.
        name = candidate.base
        alike = name.lower().startswith(notebook.lower())
        script = name.endswith(".py")
        depth = candidate.name.count("/")
        exact = name == f"{notebook}.ipynb"
        return script, not exact, not alike, depth, candidate.name

    return sorted(likely, key=distance)[:MAX_CANDIDATES]


def _candidates(folder: Path, path: Path, notebook: str) -> Iterator[Candidate]:
    name = readable(path.relative_to(folder))
    lower = path.name.lower()
    named = ".ipynb" in lower or lower.endswith(".json")
    head = _head(path)
    if archives.is_archive(path, head):
        try:
            members = archives.members(path)
        except archives.ArchiveError:
            members = []
        for member in members:
            yield Candidate(path, member, readable(f"{name}/{member}"))
        named = named and not members
    # "tiny", "tiny.txt": editors and mail programs change the ending.
    named = named or (head.startswith(b"{") and b'"cells"' in head)
    if named or lower.endswith(".py"):
        yield Candidate(path, None, name)


def _instead(folder: Path, handed: list[Path], notebook: str) -> str:
    if not handed:
        return f"No file was handed in; '{notebook}.ipynb' was expected."
    shown = ", ".join(readable(path.relative_to(folder)) for path in handed[:3])
    kind = wrong_kind(_head(handed[0]))
    what = f"only {shown}" + (f", which is {kind}" if kind and not handed[1:] else "")
    return f"No notebook was handed in ({what}); '{notebook}.ipynb' was expected."


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return b""


def wrong_kind(data: bytes) -> str | None:
    """Return what a file is by its first bytes, if it is surely no notebook."""
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<<<<<<<"):  # marks of a merge
        return None
    return next((kind for m, kind in _WRONG_FILES.items() if head.startswith(m)), None)


def readable(text: str | Path) -> str:
    """Return text, or a file's name, without the half characters of a broken coding."""
    return re.sub("[\ud800-\udfff]", "\ufffd", str(text))
