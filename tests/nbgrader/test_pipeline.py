"""Text of a graded notebook: byte for byte what nbformat itself would write."""

from __future__ import annotations

import copy
import math

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode, v4

from nbproctor.nbgrader.steps import text_of

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    LEAVES, lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside)
)


def notebook(source: str, data: object, metadata: object) -> NotebookNode:
    shown = v4.new_output(
        "display_data",
        {"text/plain": source, "image/svg+xml": source, "application/json": data},
        metadata={"about": metadata},
    )
    outputs = [shown, v4.new_output("stream", text=source)]
    cells = [
        v4.new_code_cell(source, outputs=outputs, id="one"),
        v4.new_markdown_cell(source, id="two", metadata={"trusted": True, "a": data}),
    ]
    return v4.new_notebook(cells=cells, metadata={"signature": "x", "m": metadata})


@pytest.mark.slow
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(), JSON)
def test_the_text_is_what_nbformat_writes(source: str, data: object) -> None:
    made = notebook(source, data, data)
    assert text_of(copy.deepcopy(made)) == nbformat.writes(made) + "\n"


@pytest.mark.parametrize(
    "odd",
    [
        math.nan,
        math.inf,
        1e16,
        1e-7,
        2**70,
        "\x00\x1f\x7f\u2028\ud83d\udc00",
        '\b\f"\\/',
    ],
)
def test_so_is_what_json_has_no_word_for(odd: object) -> None:
    made = notebook("a\r\nb\u2028c\n\nd", {"odd": [odd, [], {}]}, odd)
    assert text_of(copy.deepcopy(made)) == nbformat.writes(made) + "\n"


def test_what_is_no_notebook_is_not_written() -> None:
    made = notebook("", None, None)
    made.cells[0].cell_type = "sound"
    with pytest.raises(nbformat.ValidationError):
        text_of(made)
