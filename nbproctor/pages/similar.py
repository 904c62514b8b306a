"""Pairs of students whose answers are unusually similar, for a teacher to check.

The method is winnowing (Schleimer, Wilkerson and Aiken 2003, the algorithm of MOSS and
copydetect) over tokens instead of characters. A variable is only *a name*, so renaming
it hides nothing. Comments, docstrings and layout are not tokens. Code that many
students wrote because the task asks for it counts little: the fewer students have a
fingerprint, the more it counts. Nothing here is a verdict.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import log2
from typing import NamedTuple, TypeAlias

from nbproctor.pages.html import TOKENS
from nbproctor.pages.outline import Outline

Answers: TypeAlias = dict[tuple[str, str], dict[str, str]]
"""Notebook and exercise → student → text of the answer, at most `MAX_TEXT` signs."""

GRAM = 8  # tokens of a fingerprint: what is shorter is not seen
WINDOW = 5  # so a passage of GRAM + WINDOW - 1 = 12 tokens is always seen
MAX_TEXT = 20_000  # characters of an answer that are compared
MAX_CLASS_SHARE = 0.1  # a fingerprint that more of the class have makes no pair
_WORDS = frozenset([*keyword.kwlist, *dir(builtins)])
MIN_SHARED = 12  # fingerprints that two must share: shorter answers are alike by nature
# Of what is special about the shorter answer, the longer one has so much.
MIN_SIMILARITY = 0.8


class SimilarAnswer(NamedTuple):
    """One answer that two students share."""

    shared: int  # fingerprints
    share: float  # of what is special about the shorter answer, 0 to 1
    exercise: str
    answers: tuple[str, str]  # in the order of the students


@dataclass
class Pair:
    """Two students, and the answers in which they are alike, the most alike first."""

    students: tuple[str, str]
    similar_answers: list[SimilarAnswer] = field(default_factory=list)

    @property
    def shared(self) -> int:
        """How many fingerprints they share, in all exercises."""
        return sum(each.shared for each in self.similar_answers)


def similar(
    answers: Answers,
    outlines: Mapping[str, Outline],
    group: Mapping[str, str] = {},
) -> list[Pair]:
    """Find pairs of students whose long answers are unusually similar.

    Those who share most come first. `outlines` are the assignment's, by notebook. For a
    group (`group`: student → its name), an answer is compared once, and never with
    another one of the group.
    """
    pairs: dict[tuple[str, str], Pair] = {}
    for notebook, outline in outlines.items():
        stubs = [cell.stub for cell in outline.master.cells]
        handed_out = {mark for text in stubs for mark in fingerprints(text)}
        for exercise in outline.exercises:
            submitted = answers.get((notebook, exercise.id), {})
            once = {(group.get(s, s), text): s for s, text in submitted.items()}
            texts = {student: text for (_, text), student in once.items()}
            marks = {
                student: set(fingerprints(text)) - handed_out
                for student, text in texts.items()
            }
            for both, share, shared in similar_pairs(marks):
                if group.get(both[0], both[0]) == group.get(both[1], both[1]):
                    continue
                two = texts[both[0]], texts[both[1]]
                similar_answer = SimilarAnswer(
                    shared=shared,
                    share=share,
                    exercise=exercise.name,
                    answers=two,
                )
                pairs.setdefault(both, Pair(both)).similar_answers.append(
                    similar_answer
                )
    for pair in pairs.values():
        pair.similar_answers.sort(key=lambda each: -each.shared)
    return sorted(pairs.values(), key=lambda pair: (-pair.shared, pair.students))


def tokens(text: str) -> Iterator[str]:
    """Yield what an answer, code or prose, consists of but for what is easily changed.

    A name says something only where it is one of Python's, or an attribute.
    """
    end = 0
    for match in TOKENS.finditer(text):
        before = text[end : match.start()]
        end = match.end()
        yield from "".join(before.split())
        word = match[0]
        match match.lastgroup:
            case "s":
                line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
                if line.strip() or len(word) < 6 or word[:3] != word[-3:]:
                    yield "text"  # no docstring
            case "w":
                is_fixed = word in _WORDS or before.endswith(".")
                yield word if is_fixed else "name"
            case "n":
                yield word
    yield from "".join(text[end:].split())


def fingerprints(text: str) -> Iterator[int]:
    """Yield the winnowed fingerprints of a text: the least hash of each window."""
    parts = list(tokens(text))
    starts = range(len(parts) - GRAM + 1)
    texts = ("\0".join(parts[i : i + GRAM]).encode() for i in starts)
    hashes = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
    grams = [int.from_bytes(each) for each in hashes]
    last = -1
    for start in range(max(len(grams) - WINDOW + 1, min(len(grams), 1))):
        window = range(start, min(start + WINDOW, len(grams)))
        least = min(window, key=lambda i: (grams[i], -i))
        if least != last:
            last = least
            yield grams[least]


def similar_pairs(
    marks: Mapping[str, set[int]],
) -> Iterator[tuple[tuple[str, str], float, int]]:
    """Yield pairs of students, how alike their answers are, and what they share.

    `marks`: student → fingerprints of the answer.
    """
    owners = defaultdict(list)
    for student in sorted(marks):
        for mark in marks[student]:
            owners[mark].append(student)
    worth = {mark: log2(len(marks) / len(have)) for mark, have in owners.items()}
    total = {s: sum(worth[m] for m in answer) for s, answer in marks.items()}
    rare_shared: Counter[tuple[str, str]] = Counter()
    for have in owners.values():
        if len(have) <= max(2, MAX_CLASS_SHARE * len(marks)):
            rare_shared.update(combinations(have, 2))
    for (first, second), rare in sorted(rare_shared.items()):
        both = marks[first] & marks[second]
        least = min(total[first], total[second])
        if rare < MIN_SHARED or not least:
            continue
        share = sum(worth[mark] for mark in both) / least
        if share >= MIN_SIMILARITY:
            yield (first, second), share, len(both)
