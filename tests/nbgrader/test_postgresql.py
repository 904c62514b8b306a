"""A gradebook on PostgreSQL, through nbgrader's own ``db_url``: a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import inspect, text

from nbproctor import nbgrader
from tests.broken.cases import by_id
from tests.cli.term import Term, compare, play
from tests.cli.term_class import students
from tests.nbgrader.rows import rows
from tests.nbgrader.tiny import configure, source_of

pytest.importorskip("psycopg")
pytestmark = pytest.mark.slow


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


@pytest.fixture
def on_server(server: str, course: Path) -> Iterator[Path]:
    """The tiny course, its gradebook on the server."""
    configure(course, f"c.CourseDirectory.db_url = {server!r}")
    (course / "gradebook.db").unlink()
    nbgrader.generate(course, "tiny")
    yield course
    with Gradebook(server) as book:
        book.db.execute(text("DROP SCHEMA public CASCADE"))
        book.db.execute(text("CREATE SCHEMA public"))
        book.db.commit()


def test_a_term_on_postgresql_ends_with_the_marks_of_the_list(
    on_server: Path,
    server: str,
    utc: None,
) -> None:
    term = Term(on_server, students(12))
    play(term, server)
    compare(term, server)
    assert not (on_server / "gradebook.db").exists()
    with Gradebook(server) as book:
        tables = inspect(book.engine)
        for table, column in {  # where nbgrader looks up
            "grade": "notebook_id",
            "comment": "notebook_id",
            "submitted_notebook": "assignment_id",
        }.items():
            indices = [index["column_names"] for index in tables.get_indexes(table)]
            assert [column] in indices

    before = rows(server)
    with source_of(on_server, release=False) as notebook:
        cell = by_id(notebook, "fizz-multiples")
        cell["metadata"]["nbgrader"]["grade_id"] = "fizz-others"
    copy, _ = nbgrader.generate(on_server, "tiny", change_cells=True)
    assert rows(f"sqlite:///{copy}") == before != rows(server)


def test_a_server_that_has_gone_stops_the_run_with_a_word(on_server: Path) -> None:
    configure(
        on_server,
        "c.CourseDirectory.db_url = 'postgresql+psycopg://teacher@/book?host=/nowhere'",
    )
    with pytest.raises(nbgrader.CourseError, match="gradebook cannot be used"):
        nbgrader.scores(on_server, "tiny")
