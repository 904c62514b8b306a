"""The text of a code cell as blocks: top-level definitions and statements.

Students' code is not parsed: a cell that does not compile has blocks too, and reading
takes time in proportion to its length, whatever is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from nbproctor.submission.kept import kept
from nbproctor.submission.scan import MAX_CHARS, lines

_HEADER = re.compile(r"(?:async )?(def|class)\s+(\w+)")
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


@kept
def blocks(source: str) -> tuple[Block, ...]:
    """Return the blocks of a cell in order; their texts joined are the cell's."""
    if len(source) > MAX_CHARS:
        return (Block(source, tuple(source.split("\n"))),)
    finished: list[list[tuple[str, str]]] = []
    current: list[tuple[str, str]] = []
    complete = False  # the current block has more than decorators and comments
    for line, code, top in lines(source):
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
    return tuple(
        Block(
            "\n".join(line for line, _ in block),
            tuple(short for _, code in block if (short := " ".join(code.split()))),
        )
        for block in finished
    )


def code_of(source: str) -> tuple[str, ...]:
    """Return the lines of a cell without comments, docstrings and blanks."""
    return tuple(line for block in blocks(source) for line in block.code)


def _trailing(block: list[tuple[str, str]]) -> int:
    """Return how many lines at the end of a block belong to the next: its comments."""
    count = 0
    for line, code in reversed(block):
        if code.strip() or (line[:1].isspace() and line.strip()):
            break
        count += 1
    return count
