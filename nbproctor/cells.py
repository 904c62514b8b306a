"""A student's cells, parsed once: text, blocks, names that they define, syntax tree.

It uses only the standard library, because students get this file with
``kit/submit.py``: the check before they submit must agree with grading. A cell that
does not compile has blocks, too. The time to cut a cell is proportional to its length,
whatever it contains.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from textwrap import dedent
from types import CodeType
from typing import Any

RawCell = dict[str, Any]  # decoded JSON
RawNotebook = dict[str, Any]
_Line = tuple[str, str]  # its text, and its code
MAX_CHARS = 200_000  # a longer text is a single block
MAX_REMEMBERED = 10_000  # characters; most texts are the same in a whole class

_STRING = (
    r"(?:\"\"\"(?:[^\"\\]|\\[\s\S]|\"(?!\"\"))*+(?:\"\"\"|\Z)"
    r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z)"
    r"|\"(?:[^\"\\\n]|\\[\s\S])*+\"?|'(?:[^'\\\n]|\\[\s\S])*+'?)"
)
_WORDS = re.compile(rf"({_STRING}|#[^\n]*)")
_TOKEN = re.compile(
    rf"(?P<lone>(?<![^\n])[ \trRuUbB]*+{_STRING}(?=[^\S\n]*(?:\n|\Z)))"
    rf"|(?P<comment>#[^\n]*)|(?P<string>{_STRING})"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\n)"
    r"|(?P<definition>\n(?=@|(?:async )?(?:def|class)\b))|(?P<line>\n)"
)
_HEADER = re.compile(r"(?:async )?(def|class)\s+(\w+)")
_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b|[)\]}]")
_IMPORT = re.compile(r"(?:from\s+\S+\s+)?import\s+(.+)", re.DOTALL)
_IMPORTED_NAME = re.compile(r"(?<![\w.])([\w*]++)(?:\.[\w.]*+)?\s*+(?:[,)]|\Z)")
_ASSIGNMENT = re.compile(r"(\w+(?:\s*,\s*\w+)*)\s*(?::[^=\n]+)?=(?!=)")
_NOTHING = re.compile(r"raise NotImplementedError\b.*|pass|\.\.\.|return|return None")
_LAST_RAISE = re.compile(
    r"^([^\S\n]++)(raise NotImplementedError\b.*+\s*+)\Z", re.MULTILINE
)
_BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
# IPython's syntax: a whole line, or the text after "x =".
_MAGIC = re.compile(r"^([^\S\n]*)(?:[%!?].*|[\w.]+\?+)$", re.MULTILINE)
_MAGIC_VALUE = re.compile(r"(?<==)[^\S\n]*[%!].*$", re.MULTILINE)


def parse_code(text: str, file: str = "<cell>") -> ast.Module:
    """Parse Python, whatever the options of this process: see `compile_code`."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text, file)


def compile_code(
    code: str | ast.Module | ast.Expression,
    file: str,
    mode: str = "exec",
    flags: int = 0,
) -> CodeType:
    """Compile Python, whatever the options of this process.

    Under ``python -O``, assertions stay, because tests consist of them. Under ``-W
    error``, a compiler warning does not make a cell a syntax error. So all code of
    notebooks and of an audit goes through this function and `parse_code`.
    """
    compiled: CodeType
    with warnings.catch_warnings(action="ignore"):
        compiled = compile(code, file, mode, flags, dont_inherit=True, optimize=0)
    return compiled


@dataclass(frozen=True)
class Block:
    """One top-level statement and the comments above it, as text and as code.

    `code` has its lines without comments, docstrings and empty lines.
    """

    text: str
    code: tuple[str, ...]

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """The decorators, without spaces."""
        lines = takewhile(lambda line: line.startswith("@"), self.code)
        return tuple("".join(line.split()) for line in lines)

    @cached_property
    def _statement(self) -> str:
        return "\n".join(self.code[len(self.decorators) :])

    @cached_property
    def name(self) -> str | None:
        """The name of the function or class; None for any other statement."""
        header = _HEADER.match(self._statement)
        return header[2] if header else None

    @property
    def is_import(self) -> bool:
        """Whether it is an import statement."""
        return bool(_IMPORT.match(self._statement))

    @property
    def signature(self) -> str:
        """The decorators and the name; empty for other statements."""
        if not self.name:
            return ""
        return "".join(self.decorators) + self.name

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that a definition, an import or an assignment binds."""
        if self.name:
            return frozenset({self.name})
        names = []
        if match := _IMPORT.match(self._statement):
            names = _IMPORTED_NAME.findall(match[1])
        elif match := _ASSIGNMENT.match(self._statement):
            names = re.findall(r"\w+", match[1])
        return frozenset(names)

    @cached_property
    def is_unwritten(self) -> bool:
        """Whether a function's body is ``raise NotImplementedError`` or the like."""
        if not self.name:
            return False
        _, colon, body = f"{self._statement}\n".partition(":\n")
        if not colon:  # a function in one line
            body = self.code[-1].rpartition(":")[2].strip()
        return all(map(_NOTHING.fullmatch, body.splitlines()))

    def defines(self, stub: Block) -> bool:
        """Whether it binds the stub's name, as ``f = lambda x: x`` does, too."""
        if stub.decorators:
            return self.signature == stub.signature
        return stub.name in self.binds


class CellText:
    """The text of a cell, and its parts, each computed when it is first needed."""

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def parse(text: str) -> CellText:
        """Return the parsed text; short ones are cached."""
        return _remembered(text) if len(text) <= MAX_REMEMBERED else CellText(text)

    @cached_property
    def plain(self) -> str:
        """The text without indentation and empty lines, for comparisons."""
        lines = [line.strip() for line in self.text.split("\n")]
        return "\n".join(filter(None, lines))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks in order; together, their texts are the text of the cell."""
        if len(self.text) > MAX_CHARS:
            return (Block(self.text, tuple(self.text.split("\n"))),)
        blocks = []
        for lines in _cut(self.text):
            text = "\n".join(line for line, _ in lines)
            code = [" ".join(code.split()) for _, code in lines]
            blocks.append(Block(text, tuple(filter(None, code))))
        return tuple(blocks)

    @cached_property
    def code(self) -> tuple[str, ...]:
        """The lines without comments, docstrings and empty lines."""
        return tuple(line for block in self.blocks for line in block.code)

    @cached_property
    def codes(self) -> frozenset[tuple[str, ...]]:
        """The code of each block."""
        return frozenset(block.code for block in self.blocks)

    @cached_property
    def definitions(self) -> tuple[Block, ...]:
        """The blocks that define a function or class."""
        return tuple(block for block in self.blocks if block.name)

    @cached_property
    def signatures(self) -> frozenset[str]:
        """The functions and classes that are defined, each with its decorators."""
        return frozenset(block.signature for block in self.definitions)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that definitions and assignments bind, without imports."""
        named = [block.binds for block in self.blocks if not block.is_import]
        return frozenset().union(*named)

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that the blocks bind."""
        return frozenset().union(*(block.binds for block in self.blocks))

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree without IPython's syntax; None if it is not Python.

        It is never executed, because IPython itself translates the code that is run.
        """
        text = dedent(self.text)  # as IPython does
        if text.lstrip().startswith("%%"):  # a cell magic, such as %%bash
            return ast.Module([], [])
        without_magics = _MAGIC_VALUE.sub(" None", _MAGIC.sub(r"\1pass", text))
        for code in (text, without_magics):  # a line of plain Python may start with %
            with suppress(*_NO_PYTHON):
                return parse_code(code)
        return None

    @cached_property
    def compiled(self) -> CodeType | None:
        """The code, which is never run; None if it does not compile as a cell."""
        if not self.tree:
            return None
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        with suppress(*_NO_PYTHON):
            return compile_code(self.tree, "<cell>", flags=flags)
        return None

    @property
    def compiles(self) -> bool:
        """Whether it compiles as a cell."""
        return self.compiled is not None

    @cached_property
    def uses(self) -> frozenset[str]:
        """The global names and attributes in the code; none if it does not compile."""
        names = set[str]()
        codes = [self.compiled] if self.compiled else []
        for code in codes:
            names.update(code.co_names)
            codes += [part for part in code.co_consts if isinstance(part, CodeType)]
        return frozenset(names)

    # ---- an answer and its stub ------------------------------------------------------

    @cached_property
    def functions_to_write(self) -> tuple[Block, ...]:
        """The functions of a stub without a body; if all have a body, all of them.

        A finished helper function next to them is given code, not part of the answer.
        """
        unwritten = tuple(block for block in self.definitions if block.is_unwritten)
        return unwritten or self.definitions

    def defines(self, stub: CellText) -> bool:
        """Whether it defines every function of a stub, even if only as a stub."""
        functions = stub.functions_to_write
        if not functions:
            return False
        return all(
            any(block.defines(function) for block in self.blocks)
            for function in functions
        )

    def writes(self, block: Block) -> bool:
        """Whether a block of an answer adds anything to this stub."""
        return not block.is_unwritten and block.code not in self.codes

    def answers(self, stub: CellText, *, words: bool) -> bool:
        """Whether the cell has more than its stub, in code or in `words`."""
        if words:
            return self.plain not in ("", stub.plain)
        if not self.code or self.code == stub.code:
            return False
        same = [block for block in self.blocks if block.signature in stub.signatures]
        if not same:
            return True
        return any(stub.writes(block) for block in same)

    def without_stub_line(
        self, stub: CellText, reference: CellText | None = None
    ) -> CellText:
        """Comment out ``raise NotImplementedError`` at the end of a finished answer.

        This is done only for functions that are empty in the stub, and that do not end
        so in the reference solution. Without a change, the result is this object.
        """
        empty = {block.signature for block in stub.definitions if block.is_unwritten}
        for block in reference.definitions if reference else ():
            if block.code[-1].startswith("raise NotImplementedError"):
                empty.discard(block.signature)
        parts = [
            _LAST_RAISE.sub(r"\1# \2", block.text)
            if block.signature in empty and not block.is_unwritten
            else block.text
            for block in self.blocks
        ]
        new = CellText.parse("\n".join(parts))
        if new.text == self.text or not new.compiles:
            return self
        return new

    def visible(self) -> str:
        """Return the code with plain spaces and no invisible characters in it.

        Strings and comments are not changed.
        """
        if self.text.isascii():
            return self.text
        parts = _WORDS.split(self.text)  # every second one is a string or a comment
        for number in range(0, len(parts), 2):
            code = _BLANK.sub(" ", parts[number])
            parts[number] = _INVISIBLE.sub("", code)
        return "".join(parts)


_remembered = lru_cache(maxsize=1_000)(CellText)  # no assignment has so many cells


@dataclass(frozen=True)
class SubmittedCell:
    """One submitted cell; anything else that the file claims is ignored."""

    text: CellText
    kind: str = "code"  # code, markdown or raw
    id: str = ""
    name: str = ""  # nbgrader's ``grade_id``; empty if there is none
    is_text: bool = False  # whether nbgrader released it as Markdown
    attachments: Any = None
    is_released: bool = False  # whether it is unchanged, according to its checksum

    @classmethod
    def read(cls, raw: RawCell, source: str) -> SubmittedCell:
        """Read a cell of a notebook; `source` is its text."""
        grader = nbgrader_metadata(raw)
        name = grader.get("grade_id")
        kind = raw.get("cell_type")
        id = raw.get("id")
        return cls(
            kind=kind if kind in ("code", "raw") else "markdown",
            id=id if isinstance(id, str) else "",
            name=name if isinstance(name, str) else "",
            is_text=grader.get("cell_type") == "markdown",
            text=CellText.parse(source),
            attachments=raw.get("attachments") if kind == "markdown" else None,
        )


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names of all modules that code imports."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(str(module), level=0):
                yield module


def nbgrader_metadata(raw: RawCell) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; empty if it is damaged."""
    match raw.get("metadata"):
        case {"nbgrader": dict(grader)}:
            return grader
    return {}


def grade_id(raw: RawCell) -> str:
    """Return nbgrader's name of a cell; empty if it has none."""
    return str(nbgrader_metadata(raw).get("grade_id") or "")


def error_output_of(raw: RawCell) -> dict[str, Any]:
    """Return the output with the error of a cell; empty if there is none."""
    outputs = raw.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict) and output.get("output_type") == "error":
            return output
    return {}


def source_of(raw: RawCell) -> str:
    """Return the text of a cell, without parts that are not text."""
    source = raw.get("source")
    if isinstance(source, str):
        return source
    if not isinstance(source, list):
        return ""
    lines = [line for line in source if isinstance(line, str)]
    # Some programs leave out the line ends that belong to the format.
    line_end = "" if any("\n" in line for line in lines) else "\n"
    return line_end.join(lines)


def list_few(names: Sequence[str], most: int = 3) -> str:
    """Return the first `most` names for a sentence, and how many more there are."""
    shown = ", ".join(names[:most])
    if len(names) > most:
        shown += f" and {len(names) - most} more"
    return shown


# ---- scanning ------------------------------------------------------------------------


def _cut(source: str) -> list[list[_Line]]:
    """Cut a text into blocks of lines, each with its code."""
    finished = []
    current: list[_Line] = []
    complete = False  # the current block has more than decorators and comments
    for text, code in _logical_lines(source):
        if code[:1].strip():
            if complete and not _CONTINUES.match(code):
                end = len(current) - _trailing(current)
                finished.append(current[:end])
                current = current[end:]
                complete = False
            if not code.startswith("@"):
                complete = True
        current += zip(text.split("\n"), code.split("\n"), strict=True)
    return [*finished, current]


def _trailing(block: list[_Line]) -> int:
    """Return how many lines at the end of a block are comments on the next one."""
    count = 0
    for line, code in reversed(block):
        is_indented = line[:1].isspace() and line.strip()
        if is_indented or code.strip():
            break
        count += 1
    return count


def _logical_lines(source: str) -> Iterator[tuple[str, str]]:
    """Yield each logical line, and its code without comments and docstrings.

    An open bracket, an open string or a backslash continues a line. A definition at the
    left margin closes all brackets, so that one open bracket does not affect the rest
    of the cell.
    """
    start = position = depth = 0
    code = []
    for token in _TOKEN.finditer(source):
        kind = token.lastgroup
        code.append(source[position : token.start()])
        position = token.end()
        is_end = kind == "line" and not depth
        if is_end or kind == "definition":
            yield source[start : token.start()], "".join(code)
            start = position
            depth = 0
            code = []
        elif kind in ("lone", "comment"):
            code.append("\n" * token[0].count("\n"))
        else:
            code.append(token[0])
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
    code.append(source[position:])
    yield source[start:], "".join(code)
