"""Which files of a submission are read, in which order, and which are too much."""

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nbproctor.submission import files
from nbproctor.submission.files import (
    Candidate,
    Ungradable,
    candidates,
    fingerprint,
    readable,
    wrong_kind,
)


def put(folder: Path, *names: str) -> None:
    """Write a file under each name, with its name as content."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files.files(folder)]


def chosen(folder: Path) -> list[str]:
    return [candidate.name for candidate in candidates(folder, "tiny")]


def test_the_file_with_the_right_name_is_the_likeliest(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a/tiny.ipynb",
        "other.ipynb",
        "tiny.py",
        "TINY-Copy1.ipynb",
        "a/b/tiny (1).ipynb",
        "a.txt",
        "my tiny.ipynb",
        "b/a.ipynb",
    )
    likely = [
        "a/tiny.ipynb",
        "TINY-Copy1.ipynb",
        "a/b/tiny (1).ipynb",
        "my tiny.ipynb",
        "other.ipynb",
        "b/a.ipynb",
        "tiny.py",
    ]
    assert chosen(tmp_path) == likely
    (tmp_path / "a/tiny.ipynb").unlink()
    upper = [candidate.name for candidate in candidates(tmp_path, "Tiny")]
    assert upper == likely[1:]


def test_of_very_many_notebooks_the_likeliest_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_CANDIDATES", 2)
    put(tmp_path, "a.ipynb", "b.ipynb", "tiny.ipynb")
    assert chosen(tmp_path) == ["tiny.ipynb", "a.ipynb"]


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
    assert chosen(tmp_path) == ["tiny", "tiny.JSON", "tiny.ipynb.txt", "tiny.txt"]


def test_an_archive_with_the_name_of_a_notebook_is_read_as_one_or_the_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "tiny.ipynb.gz").write_bytes(gzip.compress(b"{}"))
    (tmp_path / "broken.ipynb.gz").write_bytes(b"\x1f\x8b and nothing")
    assert chosen(tmp_path) == ["tiny.ipynb.gz/tiny.ipynb", "broken.ipynb.gz"]


def test_an_archive_without_a_notebook_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("a.csv", "1")
    with pytest.raises(Ungradable, match=r"only data\.zip, which is a zip archive"):
        candidates(tmp_path, "tiny")


def test_what_lies_deep_or_after_very_many_files_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "deep/a/b/c.ipynb", "deep/d.ipynb", "e.ipynb", "z/f.ipynb")
    assert found(tmp_path) == [
        "e.ipynb",
        "deep/d.ipynb",
        "z/f.ipynb",
        "deep/a/b/c.ipynb",
    ]
    monkeypatch.setattr(files, "MAX_DEPTH", 3)
    assert len(found(tmp_path)) == 4
    monkeypatch.setattr(files, "MAX_DEPTH", 2)
    assert found(tmp_path) == ["e.ipynb", "deep/d.ipynb", "z/f.ipynb"]
    monkeypatch.setattr(files, "MAX_FILES", 2)
    assert found(tmp_path) == ["e.ipynb", "deep/d.ipynb"]


def test_an_environment_beside_the_work_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "env/pyvenv.cfg", "env/lib/a.ipynb", "work/tiny.ipynb")
    put(tmp_path, "pyvenv.cfg")  # what was handed in is read in any case
    assert found(tmp_path) == ["pyvenv.cfg", "work/tiny.ipynb"]


def test_a_folder_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "locked/a.ipynb", "work/tiny.ipynb")
    scandir = os.scandir

    def guarded(path: Path) -> object:  # root could read a folder without rights
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert found(tmp_path) == ["work/tiny.ipynb"]


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "secret.ipynb")
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "tiny.ipynb").symlink_to(outside / "secret.ipynb")
    (folder / "work").symlink_to(outside)
    assert found(folder) == []


@pytest.mark.parametrize(
    "pack",
    [("tiny.ipynb", bytes), ("tiny.ipynb.gz", gzip.compress)],
    ids=["file", "archive"],
)
def test_a_file_up_to_the_limit_is_read_and_a_bigger_one_is_said_to_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: tuple[str, Callable[[bytes], bytes]],
) -> None:
    monkeypatch.setattr(files, "MAX_NOTEBOOK_BYTES", 1_000_000)
    name, compress = pack
    (tmp_path / name).write_bytes(compress(b"{" * 1_000_000))
    (candidate,) = candidates(tmp_path, "tiny")
    assert candidate.base == "tiny.ipynb"
    assert candidate.content() == b"{" * 1_000_000
    (tmp_path / name).write_bytes(compress(b"{" * 1_000_001))
    with pytest.raises(Ungradable, match=r"'tiny\.ipynb.*' is bigger than 1 MB"):
        candidate.content()


def test_a_file_that_is_gone_or_unreadable_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Ungradable, match=r"'a\.ipynb' cannot be read: No such file"):
        Candidate(tmp_path / "a.ipynb", None, "a.ipynb").content()
    with pytest.raises(Ungradable, match=r"'a\.zip/b' cannot be unpacked: "):
        Candidate(tmp_path / "a.zip", "b", "a.zip/b").content()
    with pytest.raises(Ungradable, match="No file was handed in"):
        candidates(tmp_path / "nobody", "tiny")


def test_what_there_is_instead_of_a_notebook_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"\xef\xbb\xbf\n%PDF-1.7")
    with pytest.raises(Ungradable, match=r"only a\.pdf, which is a PDF file\)"):
        candidates(tmp_path, "tiny")
    put(tmp_path, "b.csv", "c.csv", "d.csv")
    with pytest.raises(Ungradable, match=r"\(only a\.pdf, b\.csv, c\.csv\)"):
        candidates(tmp_path, "tiny")


def test_a_file_with_half_a_character_in_its_name_can_be_spoken_of() -> None:
    assert readable(Path(os.fsdecode(b"a\xfc.ipynb"))) == "a\ufffd.ipynb"


def test_a_notebook_is_not_taken_for_another_kind_of_file() -> None:
    assert wrong_kind(b'{"cells": []}') is None
    assert wrong_kind(b'\xef\xbb\xbf {"source": "<p>%PDF"}') is None
    assert wrong_kind(b"\xef\xbb\xbf \n<p>") == "a web page (HTML)"


# --- the fingerprint, by which a submission that has changed is graded again --------


def test_a_submission_that_was_only_copied_has_the_same_fingerprint(
    tmp_path: Path,
) -> None:
    put(tmp_path / "one", "tiny.ipynb", "data/a.csv")
    put(tmp_path / "two", "data/a.csv", "tiny.ipynb", "__pycache__/tiny.pyc")
    os.utime(tmp_path / "two/tiny.ipynb", (0, 0))
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_any_change_of_a_submission_changes_its_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "tiny.ipynb", "a.csv")
    seen = {fingerprint(tmp_path)}
    (tmp_path / "a.csv").write_text("b.csv")  # as long as before
    seen.add(fingerprint(tmp_path))
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    seen.add(fingerprint(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "b.csv").rename(tmp_path / "data/b.csv")
    seen.add(fingerprint(tmp_path))
    (tmp_path / "data/b.csv").unlink()
    seen.add(fingerprint(tmp_path))
    monkeypatch.setattr(files, "_HASHED_BYTES", 10)  # the notebook's
    seen.add(fingerprint(tmp_path))
    monkeypatch.setattr(files, "_HASHED_BYTES", 9)
    big = fingerprint(tmp_path)
    (tmp_path / "tiny.ipynb").write_text("TINY.ipynb")
    assert fingerprint(tmp_path) == big  # too big to be read
    (tmp_path / "tiny.ipynb").write_text("TINY.ipynb ")
    assert fingerprint(tmp_path) != big
    assert len(seen) == 5
