"""Nothing but a student's own regular files passes, however it is put in the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from nbproctor.submission import border
from nbproctor.submission.border import Refusal, RefusedFileError
from tests.users import run_tests

if sys.platform == "win32":
    pytest.skip("it has no such files", allow_module_level=True)

import fcntl

from tests.copies import write_file

SECRET = "what only the teacher may read"
NAME = "tiny.ipynb"
STRANGER = 65533
IS_ROOT = os.geteuid() == 0
Trick = Callable[[Path, Path], None]
TRICKS: dict[str, Trick] = {}


def trick(make: Trick) -> Trick:
    """Enter a way to put `secret`, or what is no file, where a notebook should be."""
    TRICKS[make.__name__] = make
    return make


@trick
def symbolic_link(secret: Path, path: Path) -> None:
    path.symlink_to(secret)


@trick
def link_to_a_folder(secret: Path, path: Path) -> None:
    path.symlink_to(secret.parent)


@trick
def folder_that_is_a_link(secret: Path, path: Path) -> None:
    shutil.copyfile(secret, secret.with_name(path.name))
    shutil.rmtree(path.parent)
    path.parent.symlink_to(secret.parent)


@trick
def hard_link(secret: Path, path: Path) -> None:
    path.hardlink_to(secret)


@trick
def pipe(secret: Path, path: Path) -> None:
    os.mkfifo(path)


@trick
def local_socket(secret: Path, path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # its name may not be long
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path.name)
    os.chdir(before)


if IS_ROOT:

    @trick
    def device(secret: Path, path: Path) -> None:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero

    @trick
    def file_of_somebody_else_that_was_moved(secret: Path, path: Path) -> None:
        shutil.copyfile(secret, path)
        os.chown(path, STRANGER, STRANGER)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "course" / "secret.ipynb"
    path.parent.mkdir()
    path.write_text(SECRET)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "student" / "tiny"
    path.mkdir(parents=True)
    (path / "honest.py").write_text("x = 1")
    return path


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("name", TRICKS)
def test_what_takes_a_file_s_place_is_refused_and_named_also_after_a_look(
    secret: Path,
    folder: Path,
    tmp_path: Path,
    name: str,
    depth: int,
) -> None:
    path = folder.joinpath(*"abcde"[:depth], NAME)
    write_file(path, "{}")
    (file,) = (f for f in border.walk(folder) if f.relative_path.name == NAME)
    assert file.read() == b"{}"
    path.unlink()
    TRICKS[name](secret, path)
    copy = tmp_path / "copy"
    for attempt in (file.read, lambda: file.copy(copy)):
        with pytest.raises(RefusedFileError):
            attempt()
    assert not file.is_readable
    assert not copy.exists()
    is_linked = folder.is_symlink()
    honest = [] if is_linked else ["honest.py"]
    refusals: list[Refusal] = []
    assert [file.relative_path.name for file in border.walk(folder, refusals)] == honest
    assert refusals
    with pytest.raises(RefusedFileError, match="link") if is_linked else nullcontext():
        assert border.copy(folder, copy, 1 << 20) == refusals
    assert [path.name for path in copy.rglob("*") if not path.is_dir()] == honest


def test_a_folder_swapped_for_a_link_without_pause_shows_nothing(
    secret: Path, folder: Path
) -> None:
    a = folder / "a"
    a.mkdir()
    (a / secret.name).write_text("{}")
    (folder / "b").symlink_to(secret.parent)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for one, other in ("a", "c"), ("b", "a"), ("a", "b"), ("c", "a"):
                (folder / one).rename(folder / other)

    swapping = threading.Thread(target=swap)
    swapping.start()
    contents = set[bytes]()
    looked_through = 0
    try:
        for number in range(100_000):  # a busy computer may swap seldom
            if looked_through and number >= 300:
                break
            for file in border.walk(folder):
                with suppress(OSError):
                    contents.add(file.read())
            with suppress(OSError):  # the control
                looked_through += (a / secret.name).read_text() == SECRET
    finally:
        over.set()
        swapping.join()
    assert contents <= {b"{}", b"x = 1"}
    assert looked_through


def test_a_file_that_its_owner_holds_back_keeps_nobody_waiting(
    folder: Path,
) -> None:
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # "let go of the file"
    with (folder / "honest.py").open("a") as opened:
        try:
            fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            pytest.skip("this file system has no leases")
        (file,) = border.walk(folder)
        assert not file.is_readable  # who waits for 45 seconds may read it
        fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    signal.signal(signal.SIGIO, before)
    assert file.read() == b"x = 1"


def test_more_than_is_allowed_is_said_and_not_copied(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "more.py").write_text("x")
    (folder / "folders" / "/".join("0" * 40)).mkdir(parents=True)
    for number in range(30):
        (folder / f"folders/a{number}").mkdir()
    for limit, count, reason in (
        (1, 1, "more than 1 files"),
        (2, 2, "too many files and folders"),
        (20, 2, "more than 30 folders deep"),
    ):
        refusals: list[Refusal] = []
        assert len([*border.walk(folder, refusals, max_files=limit)]) == count
        assert reason in str(refusals)
    copy = tmp_path / "copy"
    with pytest.raises(RefusedFileError, match="too big"):
        border.copy(folder, copy, 5)
    assert not [*copy.iterdir()]


def test_a_file_that_grows_meanwhile_is_read_up_to_its_size(folder: Path) -> None:
    (file,) = border.walk(folder)
    (folder / "honest.py").write_text("x = 12345")
    assert file.read() == b"x = 1"


OWNERS = {
    "ada": 65531,
    "ada/tiny": 65531,
    "ada/tiny/own.py": 65531,
    "ada/tiny/bobs.py": 65532,
    "bob": 65532,
    "bob/own.py": 65532,
}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files of several users")
def test_in_a_folder_of_many_students_each_has_an_owner(tmp_path: Path) -> None:
    for name, owner in OWNERS.items():
        path = tmp_path / name
        if path.suffix:
            path.touch()
        else:
            path.mkdir()
        os.chown(path, owner, owner)
    refusals: list[Refusal] = []
    files = border.walk(tmp_path, refusals, shared=True)
    names = [str(file.relative_path) for file in files]
    assert names == ["bob/own.py", "ada/tiny/own.py"]
    assert [str(location) for location, _ in refusals] == ["ada/tiny/bobs.py"]


@pytest.mark.slow
@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_all_of_this_holds_for_an_ordinary_user() -> None:
    run_tests(Path(__file__))
