"""Gradebooks that open quickly, for processes that open many."""

from __future__ import annotations

import sys
from typing import Any


def quicken() -> None:
    """Let the gradebooks of this process share compiled SQL.

    nbgrader is not imported for this, which takes a second.
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

    api.create_engine = create_alike
