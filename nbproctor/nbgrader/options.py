"""What a course may set in ``nbgrader_config.py``, as ``c.Nbproctor.<name>``."""

from __future__ import annotations

from traitlets import Bool, Dict, Float, Integer
from traitlets.config import Configurable


class Nbproctor(Configurable):
    """The options of nbproctor; all others are nbgrader's own."""

    follow_through = Bool(
        True, help="Grade a failed exercise again among correct others."
    ).tag(config=True)
    call_seconds = Float(10.0, help="Time for a call of a function.").tag(config=True)
    cell_seconds = Float(60.0, help="Time for a cell.").tag(config=True)
    submission_seconds = Float(300.0, help="Time for a notebook.").tag(config=True)
    weak_sandbox = Bool(
        False, help="Grade even where layers of the sandbox are missing."
    ).tag(config=True)
    workers = Integer(
        0, help="Submissions executed at once; 0: as many as there are processors."
    ).tag(config=True)
    prefetch = Integer(32, help="Submissions prepared before nbgrader asks.").tag(
        config=True
    )
    points = Dict(
        {}, help="Assignment → points: a source whose sum differs is refused."
    ).tag(config=True)
