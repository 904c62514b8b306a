"""Compile the text of a cell to code, in IPython's own way but faster.

Where nothing in a cell's text can be a magic or an ``await``, IPython's search for them
takes longer than running the cell, so there it is left out.
"""

from __future__ import annotations

import re

from IPython.core.compilerop import CachingCompiler
from IPython.core.inputtransformer2 import TransformerManager

# Magics, commands and help; the signs at the start of a line are automatic quotes and
# calls.
_MAGIC = re.compile(r"[%!?]|^\s*[,;/]", re.MULTILINE)


class Compiler(CachingCompiler):
    """Remembers which of our cells a code name belongs to, and where that starts."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cell: str | None = None
        self.cells: dict[str, tuple[str, int]] = {}

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Name the code of a cell, as IPython does, and remember the name."""
        name: str = super().get_code_name(raw_code, transformed_code, number)
        if self.cell is not None:
            # IPython drops the empty lines at the top before it compiles.
            blank = len(raw_code) - len(raw_code.lstrip())
            self.cells[name] = self.cell, raw_code.count("\n", 0, blank)
        return name


class Transformer(TransformerManager):
    """Takes a cell apart into tokens only where a magic may be found."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._usual = list(self.token_transformers)

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Replace magics, if there can be any; a notebook may add its own kind."""
        if self.token_transformers == self._usual and not _MAGIC.search("".join(lines)):
            return lines
        changed: list[str]
        changed = super().do_token_transforms(lines)  # type: ignore[no-untyped-call]
        return changed


def may_await(source: str) -> bool:
    """Whether a cell may have an ``await`` outside of functions."""
    return "await" in source or "async" in source
