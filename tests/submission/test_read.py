"""The cells of a notebook are found in whatever a program or a transfer made of it."""

from __future__ import annotations

import codecs
import json
from base64 import encodebytes
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from nbproctor.cells import HandedCell
from nbproctor.submission import read
from nbproctor.submission.files import Candidate, Ungradable
from nbproctor.submission.read import SIDES, Handed, Side

CODE = "x = 'é'"
NOTEBOOK = {"cells": [{"cell_type": "code", "source": CODE}], "nbformat": 4}
TEXT = json.dumps(NOTEBOOK, ensure_ascii=False)
DATA = TEXT.encode()
LINES = {"rawLines": json.dumps(NOTEBOOK, indent=1).split("\n")}


def handed(data: bytes | str, name: str = "m.ipynb", side: Side = "ours") -> Handed:
    """Return what is read of a file with this content."""
    data = data if isinstance(data, bytes) else data.encode()
    return Handed(Candidate(Path(name), name, 0, b"", BytesIO), data, side)


def given(data: bytes | str, name: str = "m.ipynb") -> tuple[list[str], str]:
    """Return the texts of the cells, and the notes."""
    made = handed(data, name)
    return [cell.text.text for cell in made.cells], " ".join(made.notes)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (TEXT.encode(), ""),
        (codecs.BOM_UTF8 + TEXT.encode(), "byte order mark"),
        (TEXT.encode("latin-1"), "Latin-1"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (TEXT.encode("utf-32-le"), "UTF-32"),
        (TEXT.encode("utf-32-be"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        ((TEXT + " ").encode("utf-16-le")[:-1], "UTF-16"),  # cut inside a sign
        (bytes(8) + TEXT.encode(), ""),
        (TEXT.encode() + bytes(5), ""),
        (TEXT.encode("utf-16-le") + bytes(5), "UTF-16"),
        # In a wrapper.
        (json.dumps(TEXT).encode(), ""),
        (json.dumps([NOTEBOOK]).encode(), ""),
        (json.dumps({"name": "m.ipynb", "content": NOTEBOOK}).encode(), ""),
        (json.dumps({"content": json.dumps([TEXT])}).encode(), ""),
        (json.dumps({"files": {"m.ipynb": {"size": 1, "content": TEXT}}}).encode(), ""),
        (json.dumps({"sha": "a", "content": encodebytes(DATA).decode()}).encode(), ""),
        # In a page: as a server shows a file, and as GitHub's own page holds it.
        (f"<html><pre>{escape(TEXT)}</pre></html>".encode(), "web page"),
        (f'<p>{{"a": 1}}</p>\n<script>{TEXT}</script>'.encode(), "web page"),
        (f"<script>{json.dumps({'payload': {'blob': LINES}})}".encode(), "web page"),
        # With something around it.
        (f"Here is it:\n{TEXT}".encode(), "before your notebook"),
        (f"{TEXT}\nSent from my phone".encode(), "behind the end"),
        (f" \n{TEXT}\r\n\t ".encode(), ""),
        (f"  {TEXT}\0\0".encode(), ""),
    ],
)
def test_a_notebook_is_read_in_any_encoding_and_wrapper(data: bytes, note: str) -> None:
    texts, notes = given(data)
    assert texts == [CODE]
    assert note in notes
    assert bool(note) == bool(notes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        *((data, "is empty") for data in ("", " \r\n\t", "\0" * 100, "\0 \0")),
        (json.dumps([NOTEBOOK, NOTEBOOK]), "is not a notebook"),
        ("[]", "is not a notebook"),
        ("7", "is not a notebook"),
        (json.dumps([[[[[NOTEBOOK]]]]]), "is not a notebook"),
        (f"<pre>{TEXT}</pre><pre>{TEXT}</pre>", "but several in one file"),
        ('<html>{"a": {"b": [1, "{"]}} {"', "is not a notebook but a web page"),
        (json.dumps({"content": "eyJ" + "A" * 50}), "it has no cells"),  # base64, cut
        ("no notebook", "is "),
        ("[" * 100_000, "is "),
        (f'{{"cells": [{"1" * 5_000}]}}', "is not a notebook"),
        (TEXT[:-1], "cut short"),
        (TEXT[:20], "cut short"),
        (TEXT[: TEXT.index("source") + 3], "cut short"),
        (TEXT.replace(":", " ", 1) + "}", "damaged in line 1"),
        ("{\n\n" + TEXT[1:].replace(",", ";", 1), "damaged in line 3"),
        (json.dumps({"metadata": {}}), "it has no cells"),
    ],
)
def test_what_is_no_notebook_is_said_to_be_none_with_the_reason(
    data: str, said: str
) -> None:
    with pytest.raises(
        Ungradable, match=rf"'m\.ipynb' is .*{said.removeprefix('is ')}"
    ):
        handed(data)


@pytest.mark.parametrize("start", ["", "{\n"], ids=["from its start", "inside"])
@pytest.mark.parametrize("base", [False, True], ids=["two", "three"])
def test_of_two_versions_the_wanted_one_is_read(start: str, base: bool) -> None:
    head = "" if start else "{"  # a notebook on one line differs from its start
    one, old, two = (
        f'{head}"cells": [{{"cell_type": "code", "source": "{n}"}}]\n'
        for n in ("one", "old", "two")
    )
    middle = f"||||||| base\n{old}" if base else ""
    both = f"{start}<<<<<<< HEAD\n{one}{middle}=======\n{two}>>>>>>> b\n}}"
    for side, text in zip(SIDES, ("one", "two"), strict=True):
        made = handed(both, side=side)
        assert made.merged and "two versions" in made.notes[0]
        assert [cell.text.text for cell in made.cells] == [text]
    with pytest.raises(Ungradable, match="damaged"):
        handed(f"{start}<<<<<<< HEAD\n{one}=======\n{two}")


def test_the_cells_of_a_script_are_its_code() -> None:
    script = (
        "import math\n\n"
        "# %%\nx = 1\n\n"
        "# %% [markdown]\n# Words\n"
        "# In[ ]:\n\nget_ipython().run_line_magic('matplotlib', 'inline')\ny = 2\n"
        "# %% [raw]\nnothing\n"
        "# In[12]:\n\n\n"
        "# In[*]:\nz = 3"
    )
    given("# %%\nx = 0", "m.py")  # of which nothing is kept
    texts, notes = given(script, "m.PY")
    assert [text.strip() for text in texts] == [
        "import math",
        "x = 1",
        "y = 2",
        "z = 3",
    ]
    assert "no notebook; its code was graded" in notes


# --- limits ---------------------------------------------------------------------------


def test_a_file_of_very_many_lists_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_BRACKETS", 3)
    given('{"cells": [[]]}')
    for text in ('{"cells": [[], []]}', '{"cells": [{}, {}]}'):
        with pytest.raises(Ungradable, match="more lists"):
            handed(text)


def test_of_a_huge_file_the_longest_strings_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = ['a\\"b' * 2, "x" * 28, "y" * 29]
    text = json.dumps({"cells": [{"source": text} for text in texts]})
    monkeypatch.setattr(read, "MAX_STRING_BYTES", 30)
    monkeypatch.setattr(read, "_LONG_BYTES", len(text))
    assert given(text)[0] == texts
    monkeypatch.setattr(read, "_LONG_BYTES", len(text) - 1)
    assert given(text)[0] == [*texts[:2], ""]
    with pytest.raises(Ungradable, match="cut short"):
        handed(text[:-10])


def test_too_much_is_cut_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_CELL_CHARS", 20)
    monkeypatch.setattr(read, "MAX_LINE_CHARS", 8)
    assert source_of("x" * 20) == ("x" * 20, "")
    source, notes = source_of("short\n" + "x" * 9 + "\nx = 12345\nx = 1234")
    assert source == "short\nx = 1234"
    assert "were cut" in notes
    assert source_of("x = 1\n" * 4)[0] == ""
    monkeypatch.setattr(read, "MAX_SOURCE_CHARS", 10)
    code = {"cell_type": "code"}
    cells_of(code | {"source": "12345"}, code | {"source": "67890"})
    with pytest.raises(Ungradable, match="more code"):
        cells_of(code | {"source": "12345"}, code | {"source": "678901"})
    assert source_of("words " * 9, "markdown") == ("words " * 9, "")
    monkeypatch.setattr(read, "MAX_CELLS", 2)
    with pytest.raises(Ungradable, match="more than 2 cells"):
        cells_of(*[{"source": ""}] * 3)


# --- the cells ------------------------------------------------------------------------


def cells_of(*cells: Any, **more: Any) -> tuple[list[HandedCell], str]:
    made = handed(json.dumps({"cells": [*cells], **more}))
    return made.cells, " ".join(made.notes)


def source_of(source: Any, kind: str = "code") -> tuple[str, str]:
    ((cell,), notes) = cells_of({"cell_type": kind, "source": source})
    return cell.text.text, notes


FENCED = "```python\nx = 1\n```"
PASTED = "x\u00a0=\u200b 'a\u00a0b'  # \u200b"


@pytest.mark.parametrize(
    ("source", "kind", "text", "note"),
    [
        (["a\n", "b"], "code", "a\nb", ""),
        (["a", "b"], "code", "a\nb", ""),  # lines without their ends
        (["a", 7, "b"], "code", "a\nb", "damaged"),
        ([], "code", "", ""),
        ("a\r\nb\rc\n", "code", "a\nb\nc\n", "Line ends"),
        (FENCED, "code", "x = 1", "Fences"),
        (f"\n{FENCED}  \n\n", "code", "x = 1", "Fences"),
        ("````\nx = 1````", "code", "x = 1", "Fences"),
        ("```\n```", "code", "", "Fences"),
        (FENCED, "markdown", FENCED, ""),
        (f"y\n{FENCED}", "code", f"y\n{FENCED}", ""),
        ("```\nx = 1\n``", "code", "```\nx = 1\n``", ""),
        ("```not this\nx\n```", "code", "```not this\nx\n```", ""),
        (PASTED, "code", "x = 'a\u00a0b'  # \u200b", "Invisible"),
        (PASTED, "markdown", PASTED, ""),
        (
            "if x:\n\u3000\u2003y = 'ä\u3000'",
            "code",
            "if x:\n  y = 'ä\u3000'",
            "Invisible",
        ),
        ("größe = 'ä'  # \u3000", "code", "größe = 'ä'  # \u3000", ""),
    ],
)
def test_the_text_of_a_cell_is_what_the_student_meant(
    source: Any, kind: str, text: str, note: str
) -> None:
    read_text, notes = source_of(source, kind)
    assert read_text == text
    assert note in notes
    assert bool(note) == bool(notes)


def test_an_answer_that_became_text_loses_its_fence() -> None:
    marked = {"source": FENCED, "metadata": {"nbgrader": {"grade_id": "area"}}}
    assert cells_of(marked)[0][0].text.text == "x = 1"


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"language": "R"}}, "R"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"language": 7}, "language_info": {"name": "R"}}, "R"),
        ({"kernelspec": 7}, "python"),
        (7, "python"),
    ],
)
def test_the_language_of_a_notebook(metadata: Any, language: str) -> None:
    made = handed(json.dumps({"cells": [], "metadata": metadata}))
    assert made.language == language
