"""Pairs of students whose answers are unusually similar, for a teacher to check.

The method is winnowing (Schleimer, Wilkerson and Aiken 2003, the algorithm of MOSS and
copydetect) over tokens instead of characters. All variables are the same token, so
renaming hides nothing. Comments, docstrings and layout are not tokens. Code that many
students wrote because the task asks for it counts little: the fewer students have a
fingerprint, the more it counts. Nothing here is a verdict.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import combinations
from math import log2
from operator import attrgetter
from typing import NamedTuple

from nbproctor.pages.html import TOKENS
from nbproctor.pages.outline import Outlines

Answers = dict[tuple[str, str], dict[str, str]]
"""Notebook and exercise → student → text of the answer, at most `MAX_TEXT` signs."""

GRAM = 8  # tokens of a fingerprint: shorter passages do not count
WINDOW = 5  # so every passage of GRAM + WINDOW - 1 = 12 tokens counts
MAX_TEXT = 20_000  # characters of an answer that are compared
MAX_CLASS_SHARE = 0.1  # more common fingerprints make no pair
_WORDS = {*keyword.kwlist, *dir(builtins)}
MIN_SHARED = 12  # fingerprints that a pair must share: short answers are always alike
# Share of the unusual code of the shorter answer that the longer one must have.
MIN_SIMILARITY = 0.8


class SimilarAnswer(NamedTuple):
    """One answer that two students share."""

    shared: int  # fingerprints
    share: float  # of the unusual code of the shorter answer, 0 to 1
    exercise: str
    answers: tuple[str, str]  # in the order of the students


Pair = tuple[tuple[str, str], list[SimilarAnswer]]
"""Two students, and the answers in which they are alike, the most alike first."""


def similar(
    answers: Answers,
    outlines: Outlines,
    group: Mapping[str, str] = {},
) -> list[Pair]:
    """Find pairs of students whose long answers are unusually similar.

    The pairs that share most come first. `outlines` are the assignment's, by notebook.
    `group` has student → name of the group; the answers of a group are not compared
    with each other.
    """
    pairs = defaultdict(list)
    for notebook, outline in outlines.items():
        handed_out = set()
        for cell in outline.master.cells:
            handed_out |= fingerprints(cell.stub)
        for exercise in outline.exercises:
            texts = answers.get((notebook, exercise.id), {})
            teams = {student: group.get(student, student) for student in texts}
            # If a team submits one text, the last student represents the team.
            authors = {
                (teams[student], text): student for student, text in texts.items()
            }
            marks = {
                student: fingerprints(texts[student]) - handed_out
                for student in authors.values()
            }
            for students, shared, share in similar_pairs(marks):
                first, second = students
                if teams[first] != teams[second]:
                    similar_answer = SimilarAnswer(
                        shared=shared,
                        share=share,
                        exercise=exercise.name,
                        answers=(texts[first], texts[second]),
                    )
                    pairs[students].append(similar_answer)
    for similar_answers in pairs.values():
        similar_answers.sort(key=attrgetter("shared"), reverse=True)
    return sorted(pairs.items(), key=_rank)


def _rank(pair: Pair) -> tuple[int, tuple[str, str]]:
    """Return the sort key of a pair: the number of shared fingerprints."""
    students, similar_answers = pair
    return -sum(answer.shared for answer in similar_answers), students


def tokens(text: str) -> Iterator[str]:
    """Yield the tokens of an answer, code or prose, that are hard to disguise.

    A name counts only if it is one of Python's own, or an attribute.
    """
    end = 0
    for match in TOKENS.finditer(text):
        start = match.start()
        before = text[end:start]
        end = match.end()
        yield from "".join(before.split())
        word = match[0]
        match match.lastgroup:
            case "s":
                line_start = text.rfind("\n", 0, start) + 1
                stands_alone = not text[line_start:start].strip()
                has_triple_quotes = word.endswith(('"' * 3, "'" * 3))
                if not (stands_alone and has_triple_quotes):
                    yield "text"  # no docstring
            case "w" if word not in _WORDS and not before.endswith("."):
                yield "name"
            case "w" | "n":
                yield word
    yield from "".join(text[end:].split())


def fingerprints(text: str) -> set[int]:
    """Return the winnowed fingerprints of a text: the least hash of each window."""
    parts = list(tokens(text))
    hashes = []
    for start in range(len(parts) - GRAM + 1):
        gram = "\0".join(parts[start : start + GRAM])
        digest = hashlib.blake2b(gram.encode(), digest_size=8).digest()
        hashes.append(int.from_bytes(digest))
    window_count = max(len(hashes) - WINDOW + 1, 1)
    windows = (hashes[start : start + WINDOW] for start in range(window_count))
    return {min(window) for window in windows if window}


def similar_pairs(
    marks: Mapping[str, set[int]],
) -> Iterator[tuple[tuple[str, str], int, float]]:
    """Yield pairs of students, how many fingerprints they share, and which part.

    `marks`: student → fingerprints of the answer.
    """
    owners = defaultdict(list)
    for student in sorted(marks):
        for mark in marks[student]:
            owners[mark].append(student)

    weights = {
        mark: log2(len(marks) / len(students)) for mark, students in owners.items()
    }

    def weigh(answer: Set[int]) -> float:
        return sum(weights[mark] for mark in answer)

    totals = {student: weigh(answer) for student, answer in marks.items()}
    max_owners = max(2, MAX_CLASS_SHARE * len(marks))
    rare_shared: Counter[tuple[str, str]] = Counter()
    for students in owners.values():
        if len(students) <= max_owners:
            rare_shared.update(combinations(students, 2))
    for pair, rare in sorted(rare_shared.items()):
        if rare < MIN_SHARED:
            continue
        first, second = pair
        shorter = min(totals[first], totals[second])
        if not shorter:
            continue
        shared = marks[first] & marks[second]
        share = weigh(shared) / shorter
        if share >= MIN_SIMILARITY:
            yield pair, len(shared), share
