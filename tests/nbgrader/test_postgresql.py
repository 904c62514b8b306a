"""A gradebook on PostgreSQL, through nbgrader's own ``db_url``: a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import inspect, text

from nbproctor import nbgrader
from nbproctor.platforms import Person
from nbproctor.results import SubmissionResult
from tests.nbgrader.rows import graded_files, rows, url
from tests.nbgrader.tiny import (
    HandIn,
    change_source,
    configure,
    graded,
    run_nbgrader,
    without_zero,
)

pytest.importorskip("psycopg")
pytestmark = pytest.mark.slow
STUDENTS = ["ana", "ben", "cem", "dĕa"]


def programs() -> Path:
    """Where PostgreSQL's own programs are; Debian does not put them on PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    path = str(versions[-1]) if versions else shutil.which("initdb")
    if path is None:
        pytest.skip("PostgreSQL is not installed here: apt-get install postgresql")
    return Path(path).parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own, without a network: it listens on a socket in a folder."""
    bin_ = programs()
    # It refuses root, and the path of a socket is short.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if as_user:
            shutil.chown(folder, "postgres", "postgres")

        def run(program: str, *options: str | Path) -> None:
            command = [*as_user, bin_ / program, *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

        data = ("-D", folder / "data")
        initial = ("-U", "teacher", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("initdb", *data, *initial)
        settings = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", *data, "-w", "start", "-o", settings, "-l", folder / "log")
        try:
            run("createdb", "-h", folder, "-U", "teacher", "book")
            yield f"postgresql+psycopg://teacher@/book?host={folder}"
        finally:
            run("pg_ctl", *data, "-w", "stop", "-m", "fast")


def untimed(results: Iterable[SubmissionResult]) -> list[SubmissionResult]:
    return [replace(result, seconds={}) for result in results]


@pytest.fixture
def on_server(server: str, course: Path, hand_in: HandIn) -> Iterator[Path]:
    """The tiny course, its gradebook on the server; four students."""
    for student in STUDENTS:
        hand_in(student, fizz=f"def fizz(n):  # {student}\n    return str(n)")
    hand_in("ana")
    zero = "def fizz(n):\n    return 'fizz' if n and n % 3 == 0 else str(n)"
    hand_in("dĕa", fizz=zero)  # loses a point only as long as 0 is asked
    (course / "submitted/ben/tiny/tiny.ipynb").write_text("{")
    late = course / "submitted/cem/tiny/timestamp.txt"
    late.write_text("2026-01-01 12:00:00 UTC")
    configure(course, f"c.CourseDirectory.db_url = {server!r}")
    nbgrader.generate(course, "tiny")
    yield course
    with Gradebook(server) as book:
        book.db.execute(text("DROP SCHEMA public CASCADE"))
        book.db.execute(text("CREATE SCHEMA public"))
        book.db.commit()


def test_a_class_on_postgresql_is_graded_regraded_and_exported_as_on_sqlite(
    on_server: Path, server: str, tmp_path: Path
) -> None:
    local = Path(shutil.copytree(on_server, tmp_path / "local"))
    configure(local, f"c.CourseDirectory.db_url = {url(local)!r}")
    (on_server / "gradebook.db").unlink()
    assert untimed(graded(on_server).values()) == untimed(graded(local).values())
    assert rows(server) == rows(url(local))
    assert graded_files(on_server) == graded_files(local)
    assert not (on_server / "gradebook.db").exists()
    with Gradebook(server) as book:
        looked = inspect(book.engine)
        indices = {
            (table, *index["column_names"])
            for table in ("grade", "comment", "submitted_notebook")
            for index in looked.get_indexes(table)
        }
    assert {  # where nbgrader looks up
        ("grade", "notebook_id"),
        ("comment", "notebook_id"),
        ("submitted_notebook", "assignment_id"),
    } <= indices

    class_list = [Person("ana", "Okafor", "Ana"), Person("zoe", "Missing", "Zoë")]
    nbgrader.enrol(on_server, class_list)
    nbgrader.enrol(local, class_list)
    for course in (on_server, local):
        without_zero(course)
    again, changes = nbgrader.regrade(on_server, "tiny")
    same, same_changes = nbgrader.regrade(local, "tiny")
    assert (untimed(again), changes) == (untimed(same), same_changes)
    assert changes
    assert rows(server) == rows(url(local))
    nbgrader.feedback(on_server, "tiny")
    table = nbgrader.scores(on_server, "tiny")
    assert table.equals(nbgrader.scores(local, "tiny"))
    assert table.total["ana"] == 10

    exported = run_nbgrader(on_server, "export")
    assert exported.returncode == 0, exported.stderr
    run_nbgrader(local, "export")
    assert sorted((on_server / "grades.csv").read_text().splitlines()) == sorted(
        (local / "grades.csv").read_text().splitlines()
    )

    before = rows(server)
    renamed = ("fizz-multiples", "fizz-others")
    copies = [
        change_source(course, *renamed, change_cells=True)
        for course in (on_server, local)
    ]
    assert [rows(f"sqlite:///{copy}") for copy in copies] == [before] * 2
    assert rows(server) == rows(url(local)) != before


def test_a_server_that_has_gone_stops_the_run_with_a_word(on_server: Path) -> None:
    configure(
        on_server,
        "c.CourseDirectory.db_url = 'postgresql+psycopg://teacher@/book?host=/nowhere'",
    )
    with pytest.raises(nbgrader.CourseError, match="gradebook cannot be used"):
        graded(on_server)
