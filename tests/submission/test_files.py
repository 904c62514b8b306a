"""Which files are read, on the disk and in archives, in which order and how much."""

import io
import os
import random
import tarfile
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from nbproctor.kit import submit
from nbproctor.platforms.archive import unzip
from nbproctor.submission import files
from nbproctor.submission.files import (
    Budget,
    Candidate,
    Ungradable,
    candidates,
    fingerprint,
)
from tests.copies import write_file


def put(folder: Path, *names: str) -> None:
    """Write a file under each name, with its name as content."""
    for name in names:
        write_file(folder / name, name)


def likely(
    folder: Path,
    budget: Budget | None = None,
    name: str = "tiny",
    siblings: Collection[str] = (),
) -> dict[str, Candidate]:
    """Return the files that may be the notebook, by name, the likeliest first."""
    files = candidates(folder, name, siblings, budget or Budget())
    return {candidate.name: candidate for candidate in files}


def test_the_file_with_the_right_name_is_the_likeliest(tmp_path: Path) -> None:
    names = "a/tiny.ipynb, TINY-Copy1.ipynb, a/b/tiny (1).ipynb, my tiny.ipynb, "
    names = f"{names}other.ipynb, b/a.ipynb, tiny.py".split(", ")
    put(tmp_path, *names[::-1], "a.txt", "._tiny.ipynb")
    assert [*likely(tmp_path)] == names
    (tmp_path / "a/tiny.ipynb").unlink()
    assert [*likely(tmp_path, name="Tiny")] == names[1:]
    names.remove("other.ipynb")
    assert [*likely(tmp_path, siblings={"other"})] == names[1:]


def test_a_notebook_is_found_by_what_it_holds_where_its_name_says_nothing(
    tmp_path: Path,
) -> None:
    for name, text in {
        "tiny": '\ufeff \n{"cells": []}',
        "tiny.txt": '{"metadata": {}, "cells": []}',
        "notes": '{"cellular": 1}',
        "list": '["cells", {"cells": 1}]',
        "tiny.ipynb.txt": "",
        "tiny.JSON": "",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert [*likely(tmp_path)] == ["tiny", "tiny.JSON", "tiny.ipynb.txt", "tiny.txt"]


# --- archives -------------------------------------------------------------------------

NOTEBOOK = b'{"cells": ["' + bytes(random.Random(1).choices(b"abc {}", k=500)) + b'"]}'
METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
KINDS = [*METHODS, "tar", "tar.gz", "tar.bz2", "tar.xz"]


def packed(kind: str, *members: tuple[str, bytes]) -> bytes:
    """Return an archive of these files, as the usual programs write it."""
    whole = io.BytesIO()
    if kind in METHODS:
        with zipfile.ZipFile(whole, "w", METHODS[kind]) as archive:
            for name, data in members:
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=whole, mode=f"w:{kind[4:]}") as tar:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return whole.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.ipynb.gz"


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_in_an_archive_is_read_up_to_the_limit(
    kind: str,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path.write_bytes(packed(kind, ("tiny.ipynb", NOTEBOOK)))
    monkeypatch.setattr(files, "MAX_NOTEBOOK_BYTES", len(NOTEBOOK))
    (candidate,) = likely(path.parent).values()
    assert candidate.name == "tiny.ipynb.gz/tiny.ipynb"
    assert candidate.content() == NOTEBOOK
    monkeypatch.setattr(files, "MAX_NOTEBOOK_BYTES", len(NOTEBOOK) - 1)
    with pytest.raises(Ungradable, match=r"'tiny\.ipynb.*' is bigger than 0 MB"):
        likely(path.parent)[candidate.name].content()


def test_what_may_be_submitted_may_be_collected_and_graded() -> None:
    assert submit.MANY_BYTES < files.MAX_NOTEBOOK_BYTES < files.MAX_SUBMISSION_BYTES


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_is_said_to_be_one_whatever_the_damage(
    kind: str, tmp_path: Path
) -> None:
    whole = packed(kind, ("tiny.ipynb", NOTEBOOK))
    source = random.Random(kind)
    refused = 0
    for _ in range(90):
        position = source.randrange(len(whole))
        end = -source.randint(1, 120)  # where a zip archive says what is in it
        data = bytearray(whole)
        match source.choice(["cut short", "changed", "changed at its end"]):
            case "cut short":
                del data[position:]
            case "changed":
                data[position] ^= 1 << source.randrange(8)
            case _:
                data[end] = source.choice((0, 255))
        (tmp_path / "work.zip").write_bytes(data)
        try:
            for candidate in likely(tmp_path).values():
                candidate.content()
        except Ungradable as error:
            refused += 1
            assert "work.zip" in str(error)
    assert refused


@pytest.mark.parametrize("kind", ["deflate", "tar.gz"])
def test_what_programs_add_to_an_archive_is_no_notebook_and_counts_for_nothing(
    kind: str, path: Path
) -> None:
    names = "__MACOSX/tiny.ipynb work/.ipynb_checkpoints/tiny.ipynb work/._tiny.ipynb"
    names += " ._tiny.ipynb lab/.venv/lib/tiny.ipynb lab/env/pyvenv.cfg"
    names += " lab/env/share/tiny.ipynb lab/environment/TINY.IPYNB work/my._tiny.ipynb"
    members = [(name, b"{}") for name in names.split()]
    path.write_bytes(packed(kind, *members))
    students = [f"{path.name}/{name}" for name in names.split()[-2:]]
    assert [*likely(path.parent)] == students
    path.write_bytes(packed(kind, *members[4:7], *members[-2:]))
    budget = Budget(files=1 + 1)  # the archive itself is one
    assert [*likely(path.parent, budget)] == students[:1]
    assert budget.is_spent


def test_a_tar_is_not_unpacked_for_ever_to_find_what_lies_behind(path: Path) -> None:
    members = [(f"{number}.ipynb", bytes(500)) for number in range(5)]
    path.write_bytes(packed("tar.gz", *members))
    assert len(likely(path.parent, Budget(bytes=1001))) == 2
    first = ("video.mp4", bytes(1000))
    path = path.rename(path.with_name("lab.tgz"))
    path.write_bytes(packed("tar.gz", first, *members))
    with pytest.raises(Ungradable, match="too large to read once"):
        likely(path.parent, Budget(bytes=1000))


def test_an_archive_in_an_archive_is_read_and_not_one_in_that(path: Path) -> None:
    inner = packed("tar.gz", ("tiny.ipynb", NOTEBOOK))
    middle = packed("deflate", ("lab\\inner.tgz", inner))
    path.with_name("lab.zip").write_bytes(middle)
    (candidate,) = likely(path.parent).values()
    assert candidate.name == "lab.zip/lab/inner.tgz/tiny.ipynb"
    assert candidate.content() == NOTEBOOK
    path.with_name("lab.zip").write_bytes(packed("stored", ("middle.zip", middle)))
    with pytest.raises(Ungradable, match="is missing"):
        likely(path.parent)


@pytest.mark.parametrize("coding", ["utf-8", "cp437"])
def test_a_name_in_a_zip_is_read_as_in_a_download(path: Path, coding: str) -> None:
    name = "José/tiny.ipynb"
    coded = name.encode(coding)
    twin = "J" * len(coded)  # of ASCII: no flag says which coding it has
    data = packed("stored", (twin, NOTEBOOK)).replace(twin.encode(), coded)
    path.with_name("lab.zip").write_bytes(data)
    (candidate,) = likely(path.parent).values()
    assert candidate.name == f"lab.zip/{name}"
    assert candidate.content() == NOTEBOOK
    assert [str(entry.path) for entry in unzip(data).entries] == [name]


def test_a_folder_or_a_link_in_a_tar_is_not_followed(path: Path) -> None:
    path.write_bytes(packed("tar", ("tiny.ipynb", NOTEBOOK)))
    with tarfile.open(path, "a") as tar:
        for name, kind in ("tiny.ipynb", tarfile.DIRTYPE), ("x.ipynb", tarfile.SYMTYPE):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "/etc/passwd"
            tar.addfile(info)
    (candidate,) = likely(path.parent).values()
    assert candidate.content() == NOTEBOOK


# --- the fingerprint, by which a submission that has changed is graded again --------


def test_a_copy_has_the_same_fingerprint_and_any_change_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / "original"
    copy = tmp_path / "copy"
    put(original, "tiny.ipynb", "data/a.csv")
    put(copy, "data/a.csv", "tiny.ipynb", "__pycache__/tiny.pyc", "timestamp.txt")
    os.utime(copy / "tiny.ipynb", (0, 0))
    (copy / "empty").mkdir()
    fingerprints = [fingerprint(original)]
    assert fingerprint(copy) == fingerprints[0]
    changes: list[Callable[[], object]] = [
        lambda: (copy / "data/a.csv").write_text("data/b.csv"),  # as long as before
        lambda: (copy / "data/a.csv").rename(copy / "data/b.csv"),
        lambda: (copy / "data/b.csv").rename(copy / "b.csv"),
        lambda: (copy / "b.csv").unlink(),
    ]
    for change in changes:
        change()
        assert fingerprint(copy) not in fingerprints
        fingerprints.append(fingerprint(copy))
    monkeypatch.setattr(files, "_HASHED_BYTES", 10)  # the notebook's
    assert fingerprint(copy) == fingerprints[-1]
    monkeypatch.setattr(files, "_HASHED_BYTES", 9)
    big = fingerprint(copy)
    (copy / "tiny.ipynb").write_text("TINY.ipynb")
    assert fingerprint(copy) == big  # too big to be read
    (copy / "tiny.ipynb").write_text("TINY.ipynb ")
    assert fingerprint(copy) != big
