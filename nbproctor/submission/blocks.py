"""The text of a code cell as blocks: top-level definitions and statements.

Students' code is not parsed: a cell that does not compile has blocks too, and reading
takes time in proportion to its length, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

MAX_CHARS = 200_000  # a longer text is one block

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<triple>\"\"\"(?:[^\"\\]|\\[\s\S]|\"(?!\"\"))*+(?:\"\"\"|\Z)"
    r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z))"
    r"|(?P<string>\"(?:[^\"\\\n]|\\[\s\S])*+\"?|'(?:[^'\\\n]|\\[\s\S])*+'?)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\n)"
)
INVISIBLE = re.compile("[\u00a0\u200b\u2060\ufeff]")
_HEADER = re.compile(r"(?:async )?(def|class)\s+(\w+)")
_STARTS = re.compile(r"(?:async )?(?:def|class)\b|@")
_DEFINITION = re.compile(r"^(?=@|(?:async )?(?:def|class)\b)", re.MULTILINE)
_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b|[)\]}]")
_IMPORT = re.compile(r"(?:from\s+\S+\s+)?import\s+(.+)", re.DOTALL)
_ASSIGNMENT = re.compile(r"(\w+(?:\s*,\s*\w+)*)\s*(?::[^=\n]+)?=(?!=)")
_NOTHING = re.compile(r"raise NotImplementedError\b.*|pass|\.\.\.|return|return None")


@dataclass(frozen=True)
class Block:
    """One top-level statement, with the comments above it.

    Attributes
    ----------
    text : str
        Its lines.
    code : tuple of str
        Its lines without comments, strings that stand alone, and empty lines.
    """

    text: str
    code: tuple[str, ...]

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """The decorators, without blanks."""
        head = []
        for line in self.code:
            if not line.startswith("@"):
                break
            head.append("".join(line.split()))
        return tuple(head)

    @cached_property
    def name(self) -> str | None:
        """The name of the function or class that is defined; None for a statement."""
        header = _HEADER.match(self._first)
        return header[2] if header else None

    @property
    def is_class(self) -> bool:
        """Whether a class is defined."""
        header = _HEADER.match(self._first)
        return bool(header and header[1] == "class")

    @property
    def signature(self) -> str:
        """The decorators and the name; empty for a statement."""
        return "".join(self.decorators) + self.name if self.name else ""

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that a definition, an import or an assignment binds."""
        if self.name:
            return frozenset({self.name})
        if match := _IMPORT.match(self._first):
            parts = re.sub(r"[()]", " ", match[1]).split(",")
            words = [part.split() for part in parts if part.split()]
            return frozenset(word[-1].split(".")[0] for word in words)
        if match := _ASSIGNMENT.match(self._first):
            return frozenset(re.findall(r"\w+", match[1]))
        return frozenset()

    @property
    def unwritten(self) -> bool:
        """Whether a function has no body but ``raise NotImplementedError`` or so."""
        if self.name is None:
            return False
        lines = self.code[len(self.decorators) :]
        ends = [i for i, line in enumerate(lines, 1) if line.endswith(":")]
        body = lines[ends[0] :] if ends else (lines[-1].rpartition(":")[2].strip(),)
        return all(map(_NOTHING.fullmatch, body))

    def methods(self) -> list[Block]:
        """Return the functions in the body of a class, without its indentation."""
        lines = self.text.split("\n")
        first = next((i for i, ln in enumerate(lines) if _HEADER.match(ln)), None)
        if first is None or not self.is_class:
            return []
        body = lines[first + 1 :]
        indent = next((ln[: -len(ln.lstrip())] for ln in body if ln.strip()), "")
        text = "\n".join(line.removeprefix(indent) for line in body)
        definitions = [block for block in blocks(text) if block.name and indent]
        # Above the first one stands the docstring of the class.
        starts = [_DEFINITION.search(block.text) for block in definitions]
        return [
            Block(block.text[start.start() :], block.code)
            for block, start in zip(definitions, starts, strict=True)
            if start
        ]

    @property
    def _first(self) -> str:
        """The statement itself, on one line if it is a short one."""
        return "\n".join(self.code[len(self.decorators) :])


def blocks(source: str) -> list[Block]:
    """Return the blocks of a cell in order; their texts joined are the cell's."""
    if len(source) > MAX_CHARS:
        return [Block(source, tuple(source.split("\n")))]
    finished: list[list[tuple[str, str]]] = []
    current: list[tuple[str, str]] = []
    complete = False  # the current block has more than decorators and comments
    for line, code, top in _lines(source):
        if top and code and not code[0].isspace():
            if complete and not _CONTINUES.match(code):
                rest = _trailing(current)
                finished.append(current[: len(current) - rest])
                current = current[len(current) - rest :]
                complete = False
            complete = complete or not code.startswith("@")
        current.append((line, code))
    if current:
        finished.append(current)
    return [
        Block(
            "\n".join(line for line, _ in block),
            tuple(short for _, code in block if (short := " ".join(code.split()))),
        )
        for block in finished
    ]


def code_of(source: str) -> tuple[str, ...]:
    """Return the lines of a cell without comments, docstrings and blanks."""
    return tuple(line for block in blocks(source) for line in block.code)


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


def _trailing(block: list[tuple[str, str]]) -> int:
    """Return how many lines at the end of a block belong to the next: its comments."""
    count = 0
    for line, code in reversed(block):
        if code.strip() or (line[:1].isspace() and line.strip()):
            break
        count += 1
    return count


def _lines(source: str) -> Iterator[tuple[str, str, bool]]:
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
