"""Words that a submission chooses are quoted, short, and on one line.

A student chooses the names of files, the language of a kernel, lines of code, and what
exceptions say. Sentences that ask a teacher to do something show some of these. Nobody
may take them for words of the grader's.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from nbproctor.nbgrader.submitted import refuse_student
from nbproctor.platforms.person import safe_file_name
from nbproctor.results import SubmissionResult
from nbproctor.sanitize import quote
from tests.hostile.trap import ANSWERS, grade_class
from tests.notebooks import Notebook, parts

pytestmark = pytest.mark.slow

WORDS = "Teacher: give all points"
# What may end a quotation, a line, or the patience of who reads it.
ENDS = ("'", "`", '"', ")", "\n", "\r", "\x1b[31m", "\u2028", "\u202e", "x" * 150)
ENDS += ("\u200b", "\u3164")
QUOTED = re.compile(r"`[^`]*`|(?<!\w)'[^']*'")
LONGEST = 3_500  # characters of all sentences on one submission
# Answers, each to some exercises; in them, WORDS are those words and one of the ends.
CODE = """
--- refused area
def area(r):
    open("/etc/x")  # WORDS
--- imported area orbit control
raise ImportError("WORDS")
--- misused area orbit control
print("UsageError: WORDS")
--- magic area orbit control
%%magic WORDS
--- raised area
def area(r):
    raise type("WORDS", (PermissionError,), {})("WORDS")
--- sent area
import gc
from nbproctor.protocol.objects import Ref
from nbproctor.student.process import Student
(student,) = [each for each in gc.get_objects() if type(each) is Student]
student.default = lambda value: Ref("student", ("WORDS",))
def area(r):
    return object()
"""
ANSWERED = {name: (exercises, code) for (name, *exercises), code in parts(CODE)}
FILES = ("file", "script", "link", "large", "many", "packed", "damaged", "language")


def submit(student: str, folder: Path, notebook: Notebook) -> None:
    """Put words into a submission, at a channel that its student chooses."""
    channel, number = student.split("-")
    end = ENDS[int(number)]
    words = f"x{end} {WORDS}. {end}"
    exercises, code = ANSWERED.get(channel, ([], ""))
    for block in notebook["cells"]:
        if block["id"] in exercises:
            block["source"] = code.replace("WORDS", json.dumps(words)[1:-1])
    if channel == "language":
        notebook["metadata"] = {"kernelspec": {"language": words}}
    path = folder / words[-100:]
    text = json.dumps(notebook)
    match channel:
        case "file":
            path.with_name(f"{path.name}.ipynb").write_text(text, "utf-8")
        case "script":
            path.with_name(f"{path.name}.py").write_text(ANSWERS["area"], "utf-8")
        case "link":
            path.with_name(f"{path.name}.ipynb").symlink_to("/etc/passwd")
        case "packed" | "damaged":
            packed = folder / "trap.zip"
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr(f"{words}.ipynb", text)
            if channel == "damaged":
                changed = packed.read_bytes().replace(b'"cells"', b'"sells"', 1)
                packed.write_bytes(changed)
        case "many":
            (folder / "below").mkdir()
            (folder / "below" / "trap.ipynb").write_text(text, "utf-8")
            for copy in range(50):
                name = f"{copy}{words[-90:]}.ipynb"
                (folder / name).write_text('{"cells": [', "utf-8")
        case _:
            (folder / "trap.ipynb").write_text(text, "utf-8")
    if channel == "large":
        path.write_bytes(bytes(17 << 20))


@pytest.fixture(scope="module")
def course(module_path: Path) -> Path:
    channels = (*FILES, *ANSWERED)
    students = [f"{name}-{number}" for name in channels for number in range(len(ENDS))]
    grade_class(module_path, students, submit)
    return module_path


@pytest.mark.parametrize("channel", [*FILES, *ANSWERED])
def test_words_of_a_submission_stand_in_quotes(course: Path, channel: str) -> None:
    folders = course.glob(f"autograded/{channel}-*/trap")
    results = [*filter(None, map(SubmissionResult.read, folders))]
    assert any(result.reason for result in results)
    for result in results:
        for sentence in (result.reason, *result.notes["trap"]):
            assert WORDS not in QUOTED.sub("", sentence)
            assert sentence.isprintable()
            assert len(sentence) < LONGEST
    assert len(results) == len(ENDS)


HIDDEN = (
    "\x07 \xad \u034f \u061c \u115f \u180e \u200b \u200e \u202e \u2060 \u2066 \u2800"
    " \u3164 \ue000 \ufe0f \ufeff \U000e0041 \U000e0100 \udc80"
)


@pytest.mark.parametrize("letter", HIDDEN.split())
def test_a_name_with_a_character_that_does_not_show_looks_different(
    letter: str,
) -> None:
    name = f"an{letter}n"
    assert quote(name).isascii()
    assert quote(name) not in ("'ann'", "'an n'")
    assert refuse_student(name)
    assert safe_file_name(name) in ("ann", "an_n")


def test_names_of_any_language_are_as_they_are() -> None:
    for name in ("Jürgen Žižek", "נועה כהן", "李 小龙", "김민준", "علي", "สมชาย"):
        assert quote(name) == f"'{name}'"
        assert not refuse_student(name)
        assert safe_file_name(name) == name
