"""What Moodle calls people in a grading worksheet, whatever its language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbproctor.platforms.people import BLIND, letters


def read_worksheet(rows: list[list[str]], columns: dict[str, list[int]]) -> None:
    """Find the columns of Moodle's grading worksheet by their place and content.

    Its titles are in the teacher's language, which need not be one of `titles`.
    """
    filled = [row for row in rows[1:] if row]
    numbers = participants([row[0] for row in filled])
    if not numbers:
        return
    for row, number in zip(filled, numbers, strict=True):
        row[0] = f"Participant {number}"
    if 0 not in columns["id"]:
        columns["id"].append(0)
    width = min(map(len, filled))
    known = {place for places in columns.values() for place in places}
    for place in sorted(set(range(1, width)) - known):
        cells = [row[place].strip() for row in filled]
        if not columns["email"] and all("@" in cell for cell in cells if cell):
            columns["email"] = [place] if any(cells) else []
    # Names stand second; in a blind worksheet what everybody handed in does.
    second = {row[1].strip() for row in filled} if width > 1 else set()
    unnamed = not (columns["name"] or columns["last"] or 1 in columns["email"])
    if unnamed and len(second) == len(filled):
        columns["name"] = [1]


def participants(texts: Sequence[str]) -> list[str]:
    """Return the numbers in what Moodle calls people, in any language, or nothing.

    Of a language that is not known here: the same word for everybody, and a number.
    """
    numbers = [participant(text) for text in texts]
    if all(numbers):
        return numbers
    parts = [re.fullmatch(r"([^\W\d_]+)(\d+)", text.strip()) for text in texts]
    words = {part[1] if part else "" for part in parts}
    word = words.pop()
    if words or not (len(word) >= 8 or (word and not word.isascii())):
        return []  # not "student12", which may be a login
    return [part[2] for part in parts if part]


def participant(text: str) -> str:
    """Return the number in what Moodle calls somebody, "Participant 4711", or ""."""
    found = re.fullmatch(r"(\D+?)\s?(\d+)", text.strip())
    named = found and (found[1].endswith(("/in", "/a", "(e)")) or " " in text.strip())
    return found[2] if found and (named or letters(found[1]) in BLIND) else ""
