"""Mini-batches: what a training loop has used, beside what it should use."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbproctor.expect.comparison import expect, expect_shape


def expect_passes(
    batches: Sequence[tuple[Any, Any]],
    X: Any,
    labels: Any,
    size: int,
    name: str,
) -> None:
    """Check that mini-batches pass through all examples, each once a pass.

    Examples are columns, in any order; a pass ends with a batch that may be short.

    Parameters
    ----------
    batches
        What was used, in turn: columns of `X`, and of `labels`.
    X, labels
        All examples (n, m), and their one-hot labels (k, m).
    size
        How many examples a batch should hold.
    name
        What the student calls the loop, such as ``'fit'``.

    Raises
    ------
    AssertionError
        An example is missing, comes twice, has lost its label, or is changed.
    """
    m = X.shape[1]
    steps = -(-m // size)
    examples = m if m < 5000 else "more than 5000"
    reason = "is an example missing?"
    if m % size in (0, m):
        reason = "its batch_size divides the number of examples, or is above it"
    ends = "where does the loop over batches start and end?"
    assert len(batches), f"{name}: no batch was used; {ends}"
    for x, y in batches:
        count = x.shape[1]
        label_count = y.shape[1]
        assert count and label_count, f"{name}: an empty batch was found; {reason}"
        assert len(x) == len(X), (
            f"{name}: a batch must hold columns (examples) of the X that {name} is "
            "given, with all rows"
        )
        assert count == label_count, (
            f"{name}: X and Y of a batch hold different numbers of examples"
        )
    assert len(batches) % steps == 0, (
        f"{name}: {examples} examples in batches of {size} need {steps} updates an "
        f"epoch; {ends}"
    )
    assert all(x.shape[1] <= size for x, _ in batches), (
        f"{name}: batch_size is {size}, but a larger batch was found"
    )
    for start in range(0, len(batches), steps):
        epoch_X, epoch_labels = zip(*batches[start : start + steps], strict=True)
        _expect_pass(
            x=np.hstack(epoch_X),
            y=np.hstack(epoch_labels),
            X=X,
            labels=labels,
            name=name,
        )


def _expect_pass(
    x: Any,
    y: Any,
    X: Any,
    labels: Any,
    name: str,
) -> None:
    assert x.shape == X.shape, f"{name}: an epoch must use each example exactly once"
    expect_shape(y, labels.shape, "Y of one epoch, one-hot,")
    x, y = _sort_examples(x, y)
    X, labels = _sort_examples(X, labels)
    mistakes = {}
    if not np.allclose(x, X, 1e-4, 1e-6):
        mistakes = {
            "was divided by 255, but pixels are scaled already": X / 255,
            "was divided by its largest value": X / X.max(),
            "was shifted by its mean": X - X.mean(),
        }
        examples = set(map(tuple, X.T.round(4)))
        used_examples = set(map(tuple, x.T.round(4)))
        if used_examples <= examples:
            mistakes["holds some examples twice, and others never"] = x
        if np.allclose(np.sort(x, axis=None), np.sort(X, axis=None), atol=1e-5):
            mistakes["was shuffled by rows, but examples are columns"] = x
    expect(x, X, "X of one epoch", mistakes=mistakes)
    mistakes = {}
    if np.allclose(y.sum(axis=1), labels.sum(axis=1)):
        mistakes["belongs to other examples: X and Y were not shuffled alike"] = y
    expect(y, labels, "Y of one epoch", mistakes=mistakes)


def _sort_examples(X: Any, labels: Any) -> tuple[Any, Any]:
    """Return examples, with their labels, in an order that they alone determine."""
    order = np.lexsort(np.float32(X))
    return X[:, order], labels[:, order]
