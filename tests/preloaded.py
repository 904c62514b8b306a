"""What commands import, and set up when they first need it: done before they fork."""

import pandas  # noqa: F401
import typer._adapters  # noqa: F401
from nbgrader.api import Assignment, Base, Course, Student
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import nbproctor.cli
import nbproctor.kit.handout
import nbproctor.kit.starter
import nbproctor.nbgrader
import nbproctor.pages.report  # noqa: F401

try:
    import psycopg  # noqa: F401
    import sqlalchemy.dialects.postgresql  # noqa: F401
except ImportError:
    pass  # tests of PostgreSQL are skipped

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    for table in (Course, Assignment, Student):
        session.query(table).all()
engine.dispose()
