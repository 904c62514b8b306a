"""The cells of a notebook are found in whatever a program or a transfer made of it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from nbproctor.submission.files import Candidate, Ungradable
from nbproctor.submission.read import read_versions

CODE = "x = 'é'"
NOTEBOOK = {"cells": [{"cell_type": "code", "source": CODE}], "nbformat": 4}
TEXT = json.dumps(NOTEBOOK, ensure_ascii=False)


def texts_and_notes(data: bytes) -> tuple[list[str], str]:
    """Return what is read of a file that holds one version of a notebook."""
    candidate = Candidate(Path("m.ipynb"), "m.ipynb", 0, b"", BytesIO)
    (version,) = read_versions(candidate, data)
    return version.texts, " ".join(version.notes)


@pytest.mark.parametrize(
    ("content", "coding", "note"),
    [
        ("NOTEBOOK", "utf-8", ""),
        ("NOTEBOOK", "utf-8-sig", "byte order mark"),
        ("NOTEBOOK", "latin-1", "Latin-1"),
        ("NOTEBOOK", "utf-16", "UTF-16"),
        ("NOTEBOOK", "utf-16-le", "UTF-16"),
        ("NOTEBOOK\0\0", "utf-16-le", "UTF-16"),
        ("NOTEBOOK", "utf-32", "UTF-32"),
        ("[NOTEBOOK]", "utf-8", "Other text"),
        ('{"name": "m.ipynb", "content": NOTEBOOK}', "utf-8", "before or after"),
        ("Here is it:\nNOTEBOOK", "utf-8", "Other text"),
        ("NOTEBOOK\nSent from my phone", "utf-8", "Other text"),
        ("  NOTEBOOK\r\n\0\0", "utf-8", ""),
    ],
)
def test_a_notebook_is_read_in_any_encoding_and_wrapper(
    content: str,
    coding: str,
    note: str,
) -> None:
    texts, notes = texts_and_notes(content.replace("NOTEBOOK", TEXT).encode(coding))
    assert texts == [CODE]
    assert note in notes
    assert bool(note) == bool(notes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (" \r\n\t", "is empty"),
        ("\0" * 100, "is empty"),
        ("[]", "is not a notebook"),
        ('<html>{"a": {"b": [1, "{"]}} {"', "is not a notebook but a web page"),
        ("[" * 100_000, "is "),
        (f'{{"cells": [{"1" * 5_000}]}}', "is not a notebook"),
        (TEXT[:-1], "is cut short"),
        (TEXT[: TEXT.index("source") + 3], "is cut short"),
        (TEXT.replace(":", " ", 1) + "}", "is damaged in line 1"),
        ("{\n\n" + TEXT[1:].replace(",", ";", 1), "is damaged in line 3"),
        (json.dumps({"metadata": {}}), "is not a notebook: it has no cells"),
    ],
)
def test_what_is_no_notebook_is_said_to_be_none_with_the_reason(
    data: str, reason: str
) -> None:
    with pytest.raises(Ungradable, match=rf"'m\.ipynb' {reason}"):
        texts_and_notes(data.encode())


# --- the cells ------------------------------------------------------------------------

FENCED = "```python\nx = 1\n```"
PASTED = "x\u00a0=\u200b 'a\u00a0b'  # \u200b"


@pytest.mark.parametrize(
    ("source", "kind", "text", "note"),
    [
        (["a\n", "b"], "code", "a\nb", ""),
        (["a", "b"], "code", "a\nb", ""),  # lines without their ends
        (["a", 7, "b"], "code", "a\nb", "damaged"),
        ("a\r\nb\rc\n", "code", "a\nb\nc\n", ""),
        (f"\n{FENCED}  \n\n", "code", "x = 1", "Code fences"),
        (FENCED, "markdown", FENCED, ""),
        (f"y\n{FENCED}", "code", f"y\n{FENCED}", ""),
        ("```not this\nx\n```", "code", "```not this\nx\n```", ""),
        (PASTED, "code", "x = 'a\u00a0b'  # \u200b", "Invisible"),
        (PASTED, "markdown", PASTED, ""),
    ],
)
def test_the_text_of_a_cell_is_what_the_student_meant(
    source: Any,
    kind: str,
    text: str,
    note: str,
) -> None:
    cell = {"cell_type": kind, "source": source}
    texts, notes = texts_and_notes(json.dumps({"cells": [cell]}).encode())
    assert texts == [text]
    assert note in notes
    assert bool(note) == bool(notes)
