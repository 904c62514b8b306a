"""What the files of right and wrong solutions promise to those who write them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nbproctor.audit.variants import apply_diff, read_variants
from nbproctor.notebook import MasterNotebook

TEXT = """\
def area(a, b):
    if a < 0:
        return 0
    if b < 0:
        return 0
    return a * b
"""


@pytest.mark.parametrize(
    ("diff", "old", "new"),
    [
        ("-    return a * b\n+    return a + b\n", "a * b", "a + b"),
        ("-    return a * b\n", "    return a * b\n", ""),
        (
            "     if b < 0:\n+        print(b)\n         return 0\n",
            "    if b < 0:\n",
            "    if b < 0:\n        print(b)\n",
        ),
        (  # what is replaced is found in the text as it was, in any order
            "-    return a * b\n+    if a:\n@@\n-    if a < 0:\n+    return a * b\n",
            TEXT[17:],
            TEXT[17:]
            .replace("return a * b", "if a:")
            .replace("if a < 0:", "return a * b"),
        ),
        (
            "     if a < 0:\n-        return 0\n+        return 1\n",
            "if a < 0:\n        return 0",
            "if a < 0:\n        return 1",
        ),
    ],
)
def test_a_diff_changes_the_lines_that_it_names(
    diff,
    old,
    new,
):
    assert apply_diff(TEXT, diff) == TEXT.replace(old, new)


REFERENCE = """\
def area(a, b):
    \"\"\"Area of a rectangle.\"\"\"
    return a * b
"""
TURNED = '''"""The sides in the other order."""

def area(a, b):
    return b * a
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An exercise with a right variant."""
    variants_folder = tmp_path / "variants/geometry/area"
    (variants_folder / "right").mkdir(parents=True)
    (variants_folder / "right/turned.py").write_text(TURNED)
    return variants_folder


def test_a_wrong_variant_changes_the_reference_or_a_right_one(folder):
    (folder / "wrong.toml").write_text("""\
of = "turned"

[adds]
why = "Adds."
says = "was added"
of = "reference"
diff = '''
-    return a * b
+    return a + b
'''

[half]
why = "Takes a triangle for it."
says = ["half", "divided by 2"]
announced = "rectangles"
diff = '''
-    return b * a
+    return b * a / 2
'''

[added_twice]  # Takes the circumference for it.
of = "reference"
says = "was added"
edit = { "a * b" = "a + b", "return" = "return 2 *" }

[largest]
unnamed = true
body = '''
a = max(a, b)
return a
'''

[cell]
why = "A cell of its own."
unnamed = true
cell = "area = max"
""")
    variants, problems = read_variants(folder, REFERENCE)
    assert problems == []
    turned, adds, half, added_twice, largest, unnamed_variant = variants
    assert TURNED.endswith(f"{turned.source}\n") and turned.kind == "right"
    assert turned.location == "variants/geometry/area/right/turned.py"
    assert adds.source == REFERENCE.replace("*", "+")
    assert half.source == "def area(a, b):\n    return b * a / 2\n"
    assert added_twice.source == REFERENCE.replace("return a * b", "return 2 * a + b")
    assert largest.source == "def area(a, b):\n    a = max(a, b)\n    return a\n"
    assert adds.says == ("was added",) and half.says == ("half", "divided by 2")
    assert (half.announced, half.unnamed) == ("rectangles", False)
    assert half.location == "variants/geometry/area/wrong.toml, half"
    assert unnamed_variant.unnamed and unnamed_variant.source == "area = max"


# Lines of an entry, and what is said of it. A diff is of whole lines.
BAD_ENTRIES = """\
says = 'x' | one of the keys edit, body, diff, cell is required
says = 'x'; diff = '-a'; cell = 'b' | one of the keys edit, body, diff
says = 'x'; edit = {'a' = 'b'} | no longer fits: the text it replaces, 'a'
says = 'x'; edit = {'' = 'b'} | no longer fits: the text it replaces, ''
why = 'x'; cell = 'x = 1' | needs says =
why = 'x'; says = 'x'; unnamed = true; cell = 'x = 1' | needs says =
why = 'x'; says = 'x'; of = 'y'; diff = '-x' | changes 'y', but there is
says = 'x'; diff = '-    return b' | no longer fits: the text
says = 'x'; diff = '-return a * b' | occurs 0 times
says = 'x'; diff = '+    x' | the text it replaces, '',
says = 'x'; diff = 'return a' | should start with -, + or a space
why = 'x'; says = 'x'; cell = 'x =' | does not parse
why = 'x'; says = 'x'; cell = 'x = 1'; symptom = 'x' | the keys of an entry
"""


@pytest.mark.parametrize("row", BAD_ENTRIES.splitlines())
def test_a_bad_entry_is_named_and_the_others_are_read(folder, row):
    lines, reason = row.split(" | ")
    entry = lines.replace("; ", "\n")
    good = "[good]\nwhy = 'x'\nsays = 'x'\ncell = 'x = 1'\n"
    (folder / "wrong.toml").write_text(f"[bad]\n{entry}\n{good}")
    variants, problems = read_variants(folder, REFERENCE)
    assert [v.name for v in variants] == ["turned", "good"]
    assert len(problems) == 1
    assert problems[0].startswith("variants/geometry/area/wrong.toml, bad: ")
    assert reason in problems[0]


def test_files_that_cannot_be_used_are_named(folder):
    (folder / "right/no_python.py").write_text("def area(a, b) return a")
    (folder / "wrong").mkdir()
    (folder / "wrong/old.py").write_text("area = max")
    (folder / "wrong.toml").write_text("[open")
    variants, problems = read_variants(folder, REFERENCE)
    assert [v.name for v in variants] == ["turned"]
    first, second, third = problems
    assert first.startswith("variants/geometry/area/right/no_python.py: does not parse")
    assert second.startswith("variants/geometry/area/wrong.toml cannot be read")
    assert "wrong/old.py: needs says" in third and "wrong.toml" in third


@pytest.mark.slow
@pytest.mark.parametrize("course", [".", "examples/tiny"])
def test_every_variant_applies_and_no_two_are_the_same(project, course):
    for notebook in (project / course).glob("source/*/*.ipynb"):
        for cell in MasterNotebook.read(notebook).of_kind("solution"):
            folder = project / course / "variants" / notebook.parent.name / cell.id
            variants, problems = read_variants(folder, cell.source)
            assert problems == []
            texts = [ast.dump(ast.parse(v.source)) for v in variants]
            assert len({*texts}) == len(texts)
