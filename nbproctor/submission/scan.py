"""Scan code without parsing it: strings, comments, brackets and top-level lines.

It works on text that does not compile, and takes time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbproctor.submission.kept import kept

MAX_CHARS = 200_000  # a longer text is one block

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<triple>\"\"\"(?:[^\"\\]|\\[\s\S]|\"(?!\"\"))*+(?:\"\"\"|\Z)"
    r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z))"
    r"|(?P<string>\"(?:[^\"\\\n]|\\[\s\S])*+\"?|'(?:[^'\\\n]|\\[\s\S])*+'?)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\n)"
)
INVISIBLE = re.compile("[\u00a0\u200b\u2060\ufeff]")
_STARTS = re.compile(r"(?:async )?(?:def|class)\b|@")


def lines(source: str) -> Iterator[tuple[str, str, bool]]:
    """Yield line, the line without comments and lone strings, and if it is top level.

    A line is top level where no bracket, string or backslash of an earlier line is
    still open. A definition at the left margin ends every bracket: one that is never
    closed must not swallow the rest of the cell.
    """
    code, tops = _strip(source)
    start = 0
    for line, short in zip(source.split("\n"), code.split("\n"), strict=True):
        yield line, short, start in tops
        start += len(line) + 1


def visible(source: str) -> str:
    """Return code with common blanks, and nothing invisible, outside of strings."""
    parts, at = [], 0
    for token in _TOKEN.finditer(source):
        if token.lastgroup in ("comment", "triple", "string"):
            parts += [_plain_blanks(source[at : token.start()]), token[0]]
            at = token.end()
    return "".join([*parts, _plain_blanks(source[at:])])


def _plain_blanks(code: str) -> str:
    return INVISIBLE.sub("", code.replace("\u00a0", " "))


@kept
def open_at_the_end(source: str) -> bool:
    """Whether a text ends before its last statement does."""
    text = source[-MAX_CHARS:]
    code, _ = _strip(text, strings=True)
    last = code.rstrip().rpartition("\n")[2]
    return last.endswith((":", "\\")) or last.startswith("@") or _depth(text) > 0


def _depth(source: str) -> int:
    """Return how many brackets are open at the end (a string counts as one)."""
    depth = 0
    for token in _TOKEN.finditer(source):
        kind, text = token.lastgroup, token[0]
        depth += (kind == "open") - (kind == "close")
        unclosed = len(text) < 6 or text[:3] != text[-3:]
        if kind == "triple" and token.end() == len(source) and unclosed:
            return 1
    return depth


def _strip(source: str, *, strings: bool = False) -> tuple[str, set[int]]:
    """Return the source without comments and lone strings, and its top-level lines.

    Line breaks stay where they are; top-level lines are named by where they start.
    Lone strings stay too if `strings` is true.
    """
    parts: list[str] = []
    tops: set[int] = set()
    at = line = depth = 0

    def pass_lines(end: int, inside: bool) -> None:
        nonlocal line, depth
        while line <= end:
            if not inside and depth and _STARTS.match(source, line):
                depth = 0
            if not inside and not depth:
                tops.add(line)
            following = source.find("\n", line)
            line = following + 1 if following >= 0 else len(source) + 1

    tops.add(0)
    line = source.find("\n") + 1 or len(source) + 1
    for token in _TOKEN.finditer(source):
        pass_lines(token.start(), inside=False)
        parts.append(source[at : token.start()])
        kind, text, at = token.lastgroup, token[0], token.end()
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
        alone = not strings and kind in ("triple", "string") and _alone(source, token)
        parts.append("\n" * text.count("\n") if kind == "comment" or alone else text)
        pass_lines(token.end() - 1 + (kind == "joined"), inside=True)
    pass_lines(len(source), inside=False)
    parts.append(source[at:])
    return "".join(parts), tops


def _alone(source: str, token: re.Match[str]) -> bool:
    """Whether a string is a statement of its own, as a docstring is."""
    start = source.rfind("\n", max(0, token.start() - 200), token.start()) + 1
    end = source.find("\n", token.end(), token.end() + 200)
    before = source[max(start, token.start() - 200) : token.start()]
    after = source[token.end() : end if end >= 0 else token.end() + 200]
    return not before.strip(" \trRuUbBfF") and not after.strip()
