"""Archives are read within limits, and whatever is wrong with one is said."""

import contextlib
import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from nbproctor.submission import archives
from nbproctor.submission.archives import ArchiveError, TooBigError, extract, members

NOTEBOOK = b'{"cells": ["' + bytes(random.Random(1).choices(b"abc {}", k=500)) + b'"]}'
METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
KINDS = [*METHODS, "tar", "tar.gz", "tar.bz2", "tar.xz", "gz"]


def packed(kind: str, *files: tuple[str, bytes]) -> bytes:
    """Return an archive of these files, as the usual programs write it."""
    whole = io.BytesIO()
    if kind in METHODS:
        with zipfile.ZipFile(whole, "w", METHODS[kind]) as archive:
            for name, data in files:
                archive.writestr(name, data)
    elif kind.startswith("tar"):
        with tarfile.open(fileobj=whole, mode=f"w:{kind[4:]}") as tar:
            for name, data in files:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    else:
        whole.write(gzip.compress(files[0][1]))
    return whole.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.ipynb.gz"


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_in_an_archive_is_read_up_to_the_limit(
    kind: str, path: Path
) -> None:
    path.write_bytes(packed(kind, ("tiny.ipynb", NOTEBOOK)))
    assert archives.is_archive(path, path.read_bytes()[:512])
    assert members(path) == ["tiny.ipynb"]
    assert extract(path, "tiny.ipynb", len(NOTEBOOK)) == NOTEBOOK
    with pytest.raises(TooBigError):
        extract(path, "tiny.ipynb", len(NOTEBOOK) - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_is_said_to_be_one_whatever_the_damage(
    kind: str, path: Path
) -> None:
    whole = packed(kind, ("tiny.ipynb", NOTEBOOK))
    source = random.Random(kind)
    refused = 0
    for number in range(40):
        data = bytearray(whole)
        if number % 2:
            data = data[: source.randrange(len(data))]
        else:
            data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        path.write_bytes(data)
        try:
            for name in members(path):
                with contextlib.suppress(TooBigError):
                    extract(path, name, 10_000)
        except ArchiveError as error:
            refused += 1
            assert str(error)
    assert refused


@pytest.mark.parametrize("kind", ["deflate", "tar.gz"])
def test_what_programs_add_to_an_archive_is_no_notebook(kind: str, path: Path) -> None:
    names = [
        "__MACOSX/tiny.ipynb",
        "work/.ipynb_checkpoints/tiny.ipynb",
        "work/._tiny.ipynb",
        "._tiny.ipynb",
        "tiny.ipynb.txt",
        "work/TINY.IPYNB",
        "work/checkpoints/my._tiny.ipynb",
    ]
    path.write_bytes(packed(kind, *[(name, b"{}") for name in names]))
    assert members(path) == names[-2:]


@pytest.mark.parametrize("kind", ["deflate", "tar"])
def test_of_an_archive_with_too_many_files_the_first_are_looked_at(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    names = [f"{number}.ipynb" for number in range(4)]
    path.write_bytes(packed(kind, *[(name, b"{}") for name in names]))
    assert members(path) == names[:3]


def test_a_tar_is_not_unpacked_for_ever_to_find_what_lies_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_TAR_BYTES", 1000)
    files = [(f"{number}.ipynb", bytes(500)) for number in range(5)]
    path.write_bytes(packed("tar.gz", *files))
    assert members(path) == ["0.ipynb", "1.ipynb", "2.ipynb"]
    # Behind the limit nothing is taken either.
    assert extract(path, "1.ipynb", 1000) == bytes(500)
    assert extract(path, "4.ipynb", 1000) == b""


def test_a_folder_or_a_link_in_a_tar_is_empty_not_followed(path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        folder = tarfile.TarInfo("tiny.ipynb")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        link = tarfile.TarInfo("link.ipynb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        info = tarfile.TarInfo("tiny.ipynb")
        info.size = len(NOTEBOOK)
        tar.addfile(info, io.BytesIO(NOTEBOOK))
    path.write_bytes(whole.getvalue())
    assert extract(path, "link.ipynb", 1000) == b""
    assert extract(path, "tiny.ipynb", 1000) == NOTEBOOK


def test_a_member_that_an_archive_does_not_hold_is_an_archive_error(
    path: Path,
) -> None:
    path.write_bytes(packed("deflate", ("tiny.ipynb", NOTEBOOK)))
    with pytest.raises(ArchiveError):
        extract(path, "other.ipynb", 1000)
    path.unlink()
    with pytest.raises(ArchiveError):
        extract(path, "tiny.ipynb", 1000)
