"""The JSON of a notebook is found in whatever a program or a transfer made of it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest

from nbproctor.submission import decode, read
from nbproctor.submission.decode import TWO_VERSIONS, Side, content
from nbproctor.submission.files import Candidate, Ungradable

NOTEBOOK = {"cells": [{"cell_type": "code", "source": "x = 'é'"}], "nbformat": 4}
TEXT = json.dumps(NOTEBOOK, ensure_ascii=False)


def given(
    folder: Path, data: bytes | str, name: str = "m.ipynb", side: Side = "ours"
) -> tuple[dict[str, Any], str]:
    """Return what is read of a file with this content, and the notes."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    notes: list[str] = []
    return content(Candidate(path, None, name), notes, side), " ".join(notes)


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
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_notebook_in_any_encoding_is_read(
    tmp_path: Path, data: bytes, note: str
) -> None:
    notebook, notes = given(tmp_path, data)
    assert notebook == NOTEBOOK
    assert note in notes
    assert bool(note) == bool(notes)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TEXT),
        json.dumps([NOTEBOOK]),
        json.dumps({"name": "m.ipynb", "content": NOTEBOOK}),
        json.dumps({"content": json.dumps([json.dumps(NOTEBOOK)])}),
    ],
    ids=["text", "list", "server", "all"],
)
def test_a_notebook_in_a_wrapper_is_unwrapped(tmp_path: Path, text: str) -> None:
    assert given(tmp_path, text) == (NOTEBOOK, "")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([NOTEBOOK, NOTEBOOK]),
        "[]",
        "7",
        json.dumps([[[[[NOTEBOOK]]]]]),
        "no notebook",
        "[" * 100_000,
        f'{{"cells": [{"1" * 5_000}]}}',
    ],
    ids=["two", "none", "number", "deep", "text", "endless", "long number"],
)
def test_what_holds_no_notebook_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(Ungradable, match=r"'m\.ipynb' is "):
        given(tmp_path, text)


@pytest.mark.parametrize(
    ("before", "behind", "note"),
    [
        ("Here is it:\n", "", "before your notebook"),
        ("", "\nSent from my phone", "behind the end"),
        (" \n", "\r\n\t ", ""),
        ("  ", "\0\0", ""),
    ],
)
def test_what_stands_around_a_notebook_is_ignored_with_a_word(
    tmp_path: Path, before: str, behind: str, note: str
) -> None:
    notebook, notes = given(tmp_path, before + TEXT + behind)
    assert notebook == NOTEBOOK
    assert note in notes
    assert bool(note) == bool(notes)


@pytest.mark.parametrize("data", [b"", b" \r\n\t", bytes(100), b"\0 \0"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Ungradable, match="is empty"):
        given(tmp_path, data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT[:-1], "cut short"),
        (TEXT[:20], "cut short"),
        (TEXT[: TEXT.index("source") + 3], "cut short"),
        (TEXT.replace(":", " ", 1) + "}", "damaged in line 1"),
        ("{\n\n" + TEXT[1:].replace(",", ";", 1), "damaged in line 3"),
    ],
)
def test_a_broken_upload_is_told_from_damage(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(Ungradable, match=said):
        given(tmp_path, text)


@pytest.mark.parametrize("start", ["", "{\n"], ids=["from its start", "inside"])
@pytest.mark.parametrize("base", [False, True], ids=["two", "three"])
def test_of_two_versions_the_wanted_one_is_read(
    tmp_path: Path, start: str, base: bool
) -> None:
    head = "" if start else "{"  # a notebook on one line differs from its start
    one, old, two = (f'{head}"cells": [], "x": {n}\n' for n in (1, 0, 2))
    middle = f"||||||| base\n{old}" if base else ""
    both = f"{start}<<<<<<< HEAD\n{one}{middle}=======\n{two}>>>>>>> b\n}}"
    for side, number in (("ours", 1), ("theirs", 2)):
        chosen: Any = side
        notebook, notes = given(tmp_path, both, side=chosen)
        assert (notebook["x"], notes) == (number, TWO_VERSIONS)
    with pytest.raises(Ungradable, match="damaged"):
        given(tmp_path, f"{start}<<<<<<< HEAD\n{one}=======\n{two}")


def test_a_file_of_very_many_lists_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_BRACKETS", 3)
    assert given(tmp_path, '{"cells": [[]]}')[0] == {"cells": [[]]}
    for text in ('{"cells": [[], []]}', '{"cells": [{}, {}]}'):
        with pytest.raises(Ungradable, match="more lists"):
            given(tmp_path, text)


def test_of_a_huge_file_the_longest_strings_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = {"cells": ['a\\"b' * 2, "x" * 28, "y" * 29], "nbformat": 4}
    text = json.dumps(notebook)
    monkeypatch.setattr(decode, "MAX_STRING_BYTES", 30)
    monkeypatch.setattr(decode, "_LONG_BYTES", len(text))
    assert given(tmp_path, text)[0] == notebook
    monkeypatch.setattr(decode, "_LONG_BYTES", len(text) - 1)
    short = {"cells": [*notebook["cells"][:2], ""], "nbformat": 4}  # type: ignore[index]
    assert given(tmp_path, text)[0] == short


def test_the_cells_of_a_script_are_its_code(tmp_path: Path) -> None:
    script = (
        "import math\n\n"
        "# %%\nx = 1\n\n"
        "# %% [markdown]\n# Words\n"
        "# In[ ]:\n\nget_ipython().run_line_magic('matplotlib', 'inline')\ny = 2\n"
        "# %% [raw]\nnothing\n"
        "# In[12]:\n\n\n"
        "# In[*]:\nz = 3"
    )
    notebook, notes = given(tmp_path, script, "m.PY")
    sources = [cell["source"].strip() for cell in notebook["cells"]]
    assert sources == ["import math", "x = 1", "y = 2", "z = 3"]
    assert "no notebook; its code was graded" in notes


# --- the cells ------------------------------------------------------------------------


def cells_of(folder: Path, *cells: Any, **more: Any) -> tuple[list[Any], str]:
    path = folder / "m.ipynb"
    path.write_text(json.dumps({"cells": [*cells], **more}))
    handed = read.read(Candidate(path, None, "m.ipynb"))
    return handed.cells, " ".join(handed.notes)


def source_of(folder: Path, source: Any, kind: str = "code") -> tuple[str, str]:
    ((cell,), notes) = cells_of(folder, {"cell_type": kind, "source": source})
    return cell["source"], notes


def test_lines_of_a_cell_are_joined_with_or_without_their_ends(tmp_path: Path) -> None:
    assert source_of(tmp_path, ["a\n", "b"]) == ("a\nb", "")
    assert source_of(tmp_path, ["a", "b"]) == ("a\nb", "")
    assert source_of(tmp_path, ["a", 7, "b"])[0] == "a\nb"
    assert source_of(tmp_path, []) == ("", "")


@pytest.mark.parametrize("damaged", [{"source": 7}, {"source": ["a", 7]}, {}, 7])
def test_a_damaged_cell_is_spoken_of_and_the_others_are_read(
    tmp_path: Path, damaged: Any
) -> None:
    cells, notes = cells_of(tmp_path, damaged, {"source": "b", "cell_type": "code"})
    assert cells[-1]["source"] == "b"
    assert "damaged" in notes


def test_old_formats_are_read(tmp_path: Path) -> None:
    path = tmp_path / "m.ipynb"
    cell = {"cell_type": "code", "input": ["x = 1"]}
    sheets: list[Any] = [{"cells": [cell]}, 7, {"cells": 7}, {"cells": [cell]}]
    path.write_text(json.dumps({"worksheets": sheets}))
    handed = read.read(Candidate(path, None, "m.ipynb"))
    assert [cell["source"] for cell in handed.cells] == ["x = 1"] * 2
    assert "old format" in " ".join(handed.notes)
    path.write_text(json.dumps({"metadata": {}}))
    with pytest.raises(Ungradable, match="it has no cells"):
        read.read(Candidate(path, None, "m.ipynb"))


def test_line_ends_of_other_systems_are_those_of_python(tmp_path: Path) -> None:
    source, notes = source_of(tmp_path, "a\r\nb\rc\n")
    assert source == "a\nb\nc\n"
    assert "Line ends" in notes


def test_what_is_no_type_of_cell_is_text_and_marks_are_text_or_none(
    tmp_path: Path,
) -> None:
    kinds = ["code", "raw", "markdown", "heading", 7, None]
    cells, _ = cells_of(tmp_path, *[{"cell_type": k, "source": ""} for k in kinds])
    assert [cell["cell_type"] for cell in cells] == ["code", "raw"] + ["markdown"] * 4
    metas = [{"nbgrader": {"grade_id": "a"}}, {"nbgrader": {"grade_id": 7}}, 7]
    metas += [{"nbgrader": 7}, {}]
    cells, _ = cells_of(tmp_path, *[{"source": "", "metadata": m} for m in metas])
    assert [cell["grade_id"] for cell in cells] == ["a", None, None, None, None]


def test_fences_and_invisible_signs_are_taken_from_code_only(tmp_path: Path) -> None:
    fenced = "```python\nx = 1\n```"
    assert source_of(tmp_path, fenced)[0] == "x = 1"
    assert source_of(tmp_path, fenced, "markdown") == (fenced, "")
    assert source_of(tmp_path, f"y\n{fenced}") == (f"y\n{fenced}", "")
    marked = {"source": fenced, "metadata": {"nbgrader": {"grade_id": "area"}}}
    assert cells_of(tmp_path, marked)[0][0]["source"] == "x = 1"  # an answer as text
    pasted = "x\u00a0=\u200b 'a\u00a0b'  # \u200b"
    assert source_of(tmp_path, pasted)[0] == "x = 'a\u00a0b'  # \u200b"
    assert source_of(tmp_path, pasted, "markdown") == (pasted, "")


def test_too_much_is_cut_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_CELL_CHARS", 20)
    monkeypatch.setattr(read, "MAX_LINE_CHARS", 8)
    assert source_of(tmp_path, "x" * 20) == ("x" * 20, "")
    source, notes = source_of(tmp_path, "short\n" + "x" * 9 + "\nx = 12345\nx = 1234")
    assert source == "short\nx = 1234"
    assert "were cut" in notes
    assert source_of(tmp_path, "x = 1\n" * 4)[0] == ""
    monkeypatch.setattr(read, "MAX_SOURCE_CHARS", 10)
    cells_of(tmp_path, {"source": "12345"}, {"source": "67890"})
    with pytest.raises(Ungradable, match="more text"):
        cells_of(tmp_path, {"source": "12345"}, {"source": "678901"})
    monkeypatch.setattr(read, "MAX_CELLS", 2)
    with pytest.raises(Ungradable, match="more than 2 cells"):
        cells_of(tmp_path, *[{"source": ""}] * 3)


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"language": "R"}}, "R"),
        ({"language_info": {"name": "julia"}}, "julia"),
        (
            {"kernelspec": {"language": 7}, "language_info": {"name": "R"}},
            "R",
        ),
        ({"kernelspec": 7}, "python"),
        (7, "python"),
    ],
)
def test_the_language_of_a_notebook(
    tmp_path: Path, metadata: Any, language: str
) -> None:
    path = tmp_path / "m.ipynb"
    path.write_text(json.dumps({"cells": [], "metadata": metadata}))
    assert read.read(Candidate(path, None, "m.ipynb")).language == language
