"""Leaving out IPython's search for magics changes nothing that it would have found."""

import warnings

from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.async_helpers import _should_be_async
from IPython.core.inputtransformer2 import TokenTransformBase, TransformerManager

from nbproctor.student.shell import Transformer, may_await

PIECES = (
    "%matplotlib inline", "%%time", "!ls", "x = !ls", "x = %pwd", "name?", "??name",
    "/f 1", ", f a", ";f a", "x", "(", ")", "'''", '"', "f'{x}'", "# ?", "\\", "\n",
    "\n", "    ", " ", "\t", "async def f():", "await f()", "async with a: pass",
    "[x async for x in y]", "def f():", "return 1", ":", "print(x % 2)", "\x0c", "é",
    "€", "0777", "\r\n",
)  # fmt: skip
CELLS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text()


def transformed(manager: TransformerManager, cell: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(manager.transform_cell(cell))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@given(CELLS)
@example("x = [1\n  ,2]")
def test_every_cell_becomes_what_ipython_makes_of_it(cell: str) -> None:
    assert transformed(Transformer(), cell) == transformed(TransformerManager(), cell)


@given(CELLS)
def test_no_await_is_missed(cell: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert may_await(cell) or not _should_be_async(cell)


def test_a_notebook_may_have_magics_of_its_own_kind() -> None:
    class Shout(TokenTransformBase):
        @classmethod
        def find(cls, lines: list[list]) -> "Shout | None":
            first = lines[0][0]
            return cls(first.start) if first.string == "shout" else None

        def transform(self, lines: list[str]) -> list[str]:
            return ["print('!')\n", *lines[1:]]

    manager = Transformer()
    manager.token_transformers.append(Shout)
    assert manager.transform_cell("shout\n") == "print('!')\n"
