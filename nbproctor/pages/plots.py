"""Plots of the class report as SVG in the page: no picture files, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbproctor.pages.tested import WORDS, State

BINS = 10
_WIDTH, _HEIGHT, _BASE, _TOP = 640, 200, 170, 24
_ORDER: tuple[State, ...] = (
    "passed",
    "given",
    "partly",
    "failed",
    "not-started",
    "waiting",
    "not-run",
)


def bins(totals: Sequence[float], worth: float) -> list[tuple[float, float, int]]:
    """Count totals in ten steps of equal width, the highest including full marks.

    Returns
    -------
    list of (float, float, int)
        From, up to, and how many.
    """
    step = (worth or 1.0) / BINS
    counts = [0] * BINS
    for total in totals:
        counts[min(int(total / step), BINS - 1)] += 1  # extra credit is at the top
    return [(i * step, (i + 1) * step, count) for i, count in enumerate(counts)]


def histogram(totals: Sequence[float], worth: float) -> str:
    """Return the distribution of totals, with the counts above its bars."""
    counted = bins(totals, worth)
    most = max((count for *_, count in counted), default=0) or 1
    width = _WIDTH / BINS
    parts = []
    for number, (low, _, count) in enumerate(counted):
        height = (_BASE - _TOP) * count / most
        left = number * width + 3
        middle = number * width + width / 2
        parts.append(
            f'<rect x="{left:.1f}" y="{_BASE - height:.1f}" width="{width - 6:.1f}" '
            f'height="{height:.1f}" rx="2"/>'
        )
        if count:
            parts.append(
                f'<text x="{middle:.1f}" y="{_BASE - height - 6:.1f}">{count}</text>'
            )
        parts.append(
            f'<text class="axis" x="{number * width + 3:.1f}" y="{_BASE + 20}" '
            f'style="text-anchor:start">{low:g}</text>'
        )
    parts.append(
        f'<path d="M0 {_BASE}H{_WIDTH}" class="base"/>'
        f'<text class="axis" x="{_WIDTH}" y="{_BASE + 20}" '
        f'style="text-anchor:end">{worth:g}</text>'
    )
    label = "Distribution of totals; the same numbers are in the table below"
    return (
        f'<svg class="histogram" role="img" aria-label="{label}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'
    )


def outcomes(counts: Mapping[State, int]) -> str:
    """Return one bar, cut in proportion to how many students came to each outcome."""
    total = sum(counts.values()) or 1
    parts, left = [], 0.0
    for state in _ORDER:
        share = 100 * counts.get(state, 0) / total
        if share:
            parts.append(
                f'<rect class="{state}" x="{left:.2f}" y="0" '
                f'width="{max(share - 0.4, 0.2):.2f}" height="10"/>'
            )
        left += share
    label = ", ".join(f"{n} {WORDS[s]}" for s in _ORDER if (n := counts.get(s, 0)))
    return (
        f'<svg class="outcomes" role="img" aria-label="{label or "nobody"}" '
        f'viewBox="0 0 100 10" preserveAspectRatio="none">{"".join(parts)}</svg>'
    )
