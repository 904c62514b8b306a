"""A notebook through nbgrader's steps, and its text, without nbconvert's copies.

nbconvert copies a notebook six times, and validates it three times, on the way through
nbgrader's two pipelines. Here nobody else holds the notebook, so none is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines, strip_transient

Resources = dict[str, Any]
Step = Callable[[NotebookNode, Resources], tuple[NotebookNode, Resources]]


def through(
    steps: Iterable[Step], notebook: NotebookNode, resources: Resources
) -> tuple[NotebookNode, Resources]:
    """Take a notebook through steps, which may change it."""
    for step in steps:
        notebook, resources = step(notebook, resources)
    return notebook, resources


def text_of(notebook: NotebookNode) -> str:
    """Return what `nbformat.writes` returns; the notebook is of no use afterwards.

    Python's own encoder is ten times faster without line breaks, which msgspec then
    puts in. What is no JSON, as not a number, msgspec does not take.

    Raises
    ------
    nbformat.ValidationError
        The result of the steps is not a valid notebook.
    """
    nbformat.validate(notebook, relax_add_props=True)
    whole = strip_transient(split_lines(notebook))
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True)
    try:
        return msgspec.json.format(text, indent=1) + "\n"
    except (msgspec.DecodeError, UnicodeEncodeError):
        return f"{nbformat.writes(notebook)}\n"
