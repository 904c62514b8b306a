"""Matrix exercise × solution of an audit, as a page, as JSON and as lines to print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from nbproctor.audit.result import AuditResult
from nbproctor.templates import render


def write(result: AuditResult, folder: Path) -> tuple[Path, Path]:
    """Write ``<assignment>.html`` and ``<assignment>.json``; return their paths.

    Raises
    ------
    OSError
        They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    html, data = (folder / f"{result.assignment}.{end}" for end in ("html", "json"))
    text = render("audit.html", result=result, counts=[*result.counts()])
    html.write_text(text, "utf-8")
    summary = {
        "faults": result.faults,
        "killed": result.killed,
        "named": result.named,
        "silent": sum(entry.silent for entry in result.silent),
        "summary": [asdict(count) for count in result.counts()],
    }
    content = asdict(result) | summary
    data.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return html, data


def lines(result: AuditResult) -> Iterator[str]:
    """Yield what to print: the summary, then everything to act upon."""
    width = max([len(exercise) for exercise in result.tests], default=8) + 2
    yield (
        f"{'exercise':{width}}{'right':>9}{'wrong':>10}{'mutants':>12}"
        f"{'told':>10}{'silent':>8}"
    )
    for c in result.counts():
        right = f"{c.right - c.unfair}/{c.right}"
        wrong = f"{c.wrong - c.missed}/{c.wrong}"
        counted = c.mutants - c.equivalent
        mutants = f"{counted - c.survivors}/{counted}"
        told = f"{c.named}/{c.wrong}"
        yield (
            f"{c.exercise:{width}}{right:>9}{wrong:>10}{mutants:>12}"
            f"{told:>10}{c.silent:>8g}"
        )
    yield (
        "right ones that keep all points, wrong ones that lose some, mutants that are "
        "caught (without those filed as equivalent), wrong ones told their symptom, "
        "points that wrong ones lose although their public tests pass"
    )
    yield ""
    for check in result.checks:
        yield f"{'ok' if check.passed else 'NO':3} {check.name}: {check.found}"
    silent = sum(entry.silent for entry in result.silent)
    yield (
        f"Mutants caught: {result.killed:.1%}. Wrong variants told their symptom: "
        f"{result.named:.0%}. Silent loss: {silent:g} points of {len(result.silent)} "
        f"wrong variants. {result.seconds:.0f} seconds."
    )
    for count in result.counts():
        if count.idle:
            yield f"{count.exercise}: catch nothing alone: {', '.join(count.idle)}"
    for entry in result.entries:
        for note in entry.notes:
            yield f"Note: {entry.place or entry.name}: {note}"
    for entry in result.silent:
        cells = ", ".join(entry.caught)
        yield f"Silent: {entry.place} loses {entry.silent:g} points ({cells})"
    for entry in result.entries:
        if entry.unnamed:
            yield f"Unnamed: no message names the symptom of {entry.place}"
    for entry in result.survivors:
        yield f"\nSurvives in {entry.exercise}: {entry.name}"
        if entry.disagreement:
            yield f"It is wrong: {entry.disagreement}. A test should catch it."
        elif entry.fuzzed:
            yield "It agrees with the oracle: perhaps equivalent."
        yield entry.diff
    for hint in result.hints:
        yield f"Hint: {hint}"
    for fault in result.faults:
        yield f"FAULT {fault}"
