"""Diagnoses for hidden tests: one line that names the symptom, never the answer.

A test that only says "wrong" teaches nothing, and one that prints what it wanted gives
the answer away. The first diagnosis that fits is raised as an ``AssertionError``. Its
numbers are shapes, indices, counts and the factor 2: never an expected value, nor a
ratio that hidden data would show.
"""

from nbproctor.expect.batches import expect_passes
from nbproctor.expect.calls import answers_of, by_value, quiet, replaced
from nbproctor.expect.cases import changed, kinds, neutral, sizes
from nbproctor.expect.comparison import (
    entry_in_any_shape,
    expect,
    expect_entry,
    expect_finite,
    expect_normal,
    expect_same,
    expect_shape,
    expect_unchanged,
    is_multiple,
)
from nbproctor.expect.measures import measure, processor_seconds
from nbproctor.expect.numbers import beyond
from nbproctor.expect.specification import (
    After,
    Anew,
    Each,
    Shape,
    Specification,
    Unchanged,
    Values,
    calls_to,
    calls_to_method,
    check,
    prove,
    recording,
)
from nbproctor.protocol.calls import Answer

__all__ = [
    "After",
    "Anew",
    "Answer",
    "Each",
    "Shape",
    "Specification",
    "Unchanged",
    "Values",
    "answers_of",
    "beyond",
    "by_value",
    "calls_to",
    "calls_to_method",
    "changed",
    "check",
    "entry_in_any_shape",
    "expect",
    "expect_entry",
    "expect_finite",
    "expect_normal",
    "expect_passes",
    "expect_same",
    "expect_shape",
    "expect_unchanged",
    "is_multiple",
    "kinds",
    "measure",
    "neutral",
    "processor_seconds",
    "prove",
    "quiet",
    "recording",
    "replaced",
    "sizes",
]
