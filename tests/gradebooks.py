"""Gradebooks that open quickly, for processes that open many."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any


def quicken() -> None:
    """Let the gradebooks of this process share compiled SQL and alembic's answer.

    nbgrader starts alembic's command for each new gradebook, which takes a second. It
    is not imported for this, which takes a second, too.
    """
    if "nbgrader.api" not in sys.modules:
        return
    from nbgrader import api

    create_engine = api.create_engine
    first = create_engine("sqlite://")
    first.connect().close()  # it asks SQLite for its version

    def create_alike(url: str, **options: Any) -> Any:
        engine = create_engine(url, **options)
        if engine.name == first.name:
            engine.dialect = engine.pool._dialect = first.dialect
            engine._compiled_cache = first._compiled_cache
        return engine

    @functools.cache
    def read_version() -> str | None:
        from alembic.script import ScriptDirectory

        scripts = Path(api.__file__).with_name("alembic")
        return ScriptDirectory(str(scripts)).get_current_head()

    api.create_engine = create_alike
    api.get_alembic_version = read_version
