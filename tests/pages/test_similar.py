"""Answers that stand out as alike: copies under other names, and nobody else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nbproctor.audit.variants import read_variants
from nbproctor.notebook import MasterNotebook
from nbproctor.pages.outline import Outline
from nbproctor.pages.report import class_report
from nbproctor.pages.similar import similar
from nbproctor.pages.summary import GradedNotebook
from tests.broken.cases import write
from tests.notebooks import cell

pytestmark = pytest.mark.slow
LAB = "neural_network"
LONG = "backward_propagation"  # the longest answer of many students


@pytest.fixture(scope="module")
def outline(lab_master: MasterNotebook) -> Outline:
    return Outline.of(lab_master)


@pytest.fixture(scope="module")
def solutions(project: Path, outline: Outline) -> dict[str, str]:
    """The right variants of one exercise: each an answer found in its own way."""
    reference = outline.cells[LONG].source
    variants, _ = read_variants(project / "variants" / LAB / LONG, reference)
    return {v.name: v.source for v in variants if v.kind == "right"}


def disguised(answer: str) -> str:
    """Give every name of the student's own another one; add comments and space."""
    assigned = re.findall(r"^\s*(?:for )?(\w+)(?:, (\w+))?(?: =| in)", answer, re.M)
    for number, name in enumerate(sorted({n for pair in assigned for n in pair if n})):
        answer = re.sub(rf"(?<!\.)\b{name}\b", f"thing{number}", answer)
    answer = answer.replace(" * ", "*").replace(" - ", "-")
    return re.sub(r"(?m)^( {8}\S.*[^\\(,\[{])$", r"\1  # as I think\n", answer)


def test_what_the_lab_hands_out_brings_nobody_together(outline: Outline) -> None:
    stub = outline.cells[LONG].stub
    answers = {f"s{i}": stub + f"\n    x = {i}" for i in range(9)}
    assert similar({(LAB, LONG): answers}, {LAB: outline}) == []


@pytest.mark.parametrize(
    "text",
    ["'" * 20_000, "(" * 20_000, "x=" * 10_000, '"""' + "a\n" * 9_000, "\\" * 99],
)
def test_no_answer_stalls_the_report(outline: Outline, text: str) -> None:
    answers = {f"s{i}": text for i in range(3)}
    similar({(LAB, LONG): answers}, {LAB: outline})


def test_a_copy_under_other_names_is_reported_when_asked_and_nobody_else(
    outline: Outline,
    solutions: dict[str, str],
    tmp_path: Path,
) -> None:
    answers = {f"own{i:02}": text for i, text in enumerate(solutions.values())}
    reference = outline.cells[LONG].source
    answers |= {f"book{i:02}": reference for i in range(40)}  # as the text suggests
    copied = disguised(answers["own03"])
    assert copied != answers["own03"]
    answers["thief"] = copied + "\n        note = '<script>alert(1)</script>'"
    class_ = []
    for student, text in answers.items():
        cells = [cell(LONG, text, solution=True)]
        path = write(tmp_path, {"cells": cells}, f"{student}.ipynb")
        class_.append(GradedNotebook(student, "", LAB, LAB, "graded", path=path))

    def report(**options: Any) -> tuple[str, list[str]]:
        return class_report(class_, {LAB: outline}, {}, **options)

    page, lines = report()
    assert "Similar answers" not in page and len(lines) == 3
    page, lines = report(find_similar=True)
    assert lines[3].startswith("1 pair of students has unusually similar")
    pair = "<strong>own03</strong> and <strong>thief</strong>"
    (share,) = re.findall(rf"{pair}: .* \((\d+) %\)", page)
    assert int(share) > 95
    assert "not proof of copying" in page and "<script" not in page
    blue = dict.fromkeys(("own03", "thief"), "Blue")
    _, together = report(find_similar=True, groups=blue | {"own04": "Red"})
    assert class_.pop().student == "thief"
    _, without = report(find_similar=True)
    assert together[3] == without[3] == "No two long answers are unusually similar."
