"""Text and outputs of students are harmless, and take no longer than their length."""

import base64
import csv
import io
import re
from html.parser import HTMLParser
from itertools import chain
from typing import Any

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbconvert.filters.markdown_mistune import markdown2html_mistune as rendered
from rich.markup import escape
from rich.table import Table

from nbproctor import sanitize
from nbproctor.cli.app import console, error_console
from nbproctor.platforms.sheet import write_rows
from nbproctor.results import stream_output
from tests.timing import grows_at_most, repeated, seconds

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def picture(size: int) -> str:
    """Return a PNG of about this many characters, in base64."""
    return base64.b64encode(PNG.ljust(size * 3 // 4, b"\0")).decode()


# --- Markdown -------------------------------------------------------------------


class Alive(HTMLParser):
    """Collects what a browser would run, or fetch from an attachment."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "style", "svg", "form"):
            self.found.append(tag)
        for name, value in attrs:
            scheme = "".join((value or "").split()).lower()
            if name.startswith("on") or scheme.startswith(
                ("javascript:", "vbscript:", "attachment:", "data:text")
            ):
                self.found.append(f"{name}={value}")


def alive(markdown: str) -> list[str]:
    parser = Alive()
    try:
        parser.feed(rendered(markdown))
    except InvalidNotebook as error:  # an attachment that is not there: no page at all
        parser.found.append(str(error))
    return parser.found


LINKS = [
    "x" * (sanitize.MAX_LINE - 3) + "[a](javascript:alert(1))",  # cut within
    "[a](javascript:alert(1))",
    "[a](JavaScript\\:alert(1))",
    "![a](attachment:evil)",
    "![a](attachment:[b](attachment:evil))",
    "attachment:[b](javascript:alert(1))",
    "attachment:[b](vbscript:alert(1))",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](java&#115;cript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a](<java\tscript:alert(1)>)",
    "&lt;script&gt;alert(1)",
]


@pytest.mark.parametrize("text", LINKS)
def test_a_link_or_tag_that_would_run_something_does_not(text: str) -> None:
    assert alive(sanitize.markdown(text)) == []
    assert len([link for link in LINKS if alive(link)]) >= 5  # as they are


@pytest.mark.parametrize("gap", ["", "\t", "\n", "\r\n", "\t\n "])
@pytest.mark.parametrize("word", ["javascript", "VBScript"])
def test_a_link_in_a_formula_runs_nothing(word: str, gap: str) -> None:
    # MathJax takes what stands in the braces as it is; a browser then leaves out gaps.
    for link in gap.join(f"{word}:"), f"{word}{gap}\\:":
        page = sanitize.markdown(f"$$\\href{{{link}alert(1)}}{{x}}$$")
        without_gaps = re.sub(r"[\t\r\n\\]", "", page)
        assert not re.search(rf"{{ *{word}:", without_gaps)


@given(
    st.lists(
        st.sampled_from([*LINKS, "[", "](", ")", "<", ">", "&", "`", "\n", "a", " "]),
        max_size=12,
    ).map("".join)
)
@example("attachment:[b](attachment:[c](javascript:alert(1)))")
def test_no_mixture_of_links_and_tags_runs_anything(text: str) -> None:
    assert alive(sanitize.markdown(text)) == []


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        (" " * 100_000 + "a", "[cut]"),
        ("a" + "\n" * 100_000 + "b", "[cut]"),
        ("ab" * 100_000, "[line cut]"),
        ("word\n" * 20_000, "[Cut here: more than 50,000 characters.]"),
        ("-" * (21 * sanitize.MAX_MARKDOWN) + "the end", "Cut here"),
        (
            f"![a](data:image/png;base64,{picture(5 << 20)})" * 2,
            "(a picture was left out)",
        ),
    ],
)
def test_what_is_too_long_is_cut_with_a_word(text: str, shortened: str) -> None:
    short = sanitize.markdown(text)
    assert shortened in short
    assert len(short) < len(text)


PATTERNS = [
    "a… ",
    "`…a",
    "[",
    "![a](",
    "attachment:",
    "javascript",
    "j… \t",
    "j\na\tv a ",
    "&…a-",
    "<a",
    "\x1b[…0",
    "\x1b]",
    "(data:image/png;base64,",
    "*a **b ",
    "(data:image/png;base64,…a",
]


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_time_grows_no_faster_than_the_text_and_a_page_shows_it(
    pattern: str,
) -> None:
    # 16 times the text; with its square it would be 256 times the time.
    small, large = (repeated(pattern, n) + "b" for n in (50_000, 800_000))
    assert grows_at_most(64, sanitize.markdown, small, large)
    assert grows_at_most(64, sanitize.plain_text, small, large)
    text = sanitize.markdown(large)
    assert seconds(lambda: rendered(text)) < 10


@pytest.mark.slow
def test_the_texts_of_a_notebook_share_their_room() -> None:
    """Screenshots pasted in Colab do not stop a notebook, nor do all of them stay."""
    budget = sanitize.DisplayBudget()
    screenshot = f"![a](data:image/png;base64,{'A' * (sanitize.MAX_IMAGES // 3)})"
    pages = [sanitize.markdown(screenshot, (), budget) for _ in range(4)]
    assert ["left out" in text for text in pages] == [False, False, True, True]
    assert sanitize.attachments({"a": {"image/png": picture(9_000_000)}}, budget) == {}
    words = [sanitize.markdown("word\n" * 9_000, (), budget) for _ in range(100)]
    assert words[0] == "word\n" * 9_000 and "Cut here" in words[99]
    assert sum(map(len, words)) < sanitize.MAX_NOTEBOOK + 100 * 100


# --- outputs --------------------------------------------------------------------


def shown(*mimebundles: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "output_type": "display_data",
            "data": data,
            "metadata": {},
        }
        for data in mimebundles
    ]


def test_each_kind_is_kept_up_to_the_limit_of_all_together() -> None:
    half = picture(sanitize.MAX_IMAGES // 2 - 1_000)
    cleaned = sanitize.clean(shown(*[{"image/png": half}] * 3))
    assert ["image/png" in output["data"] for output in cleaned] == [True, True, False]
    assert cleaned[2]["data"] == OTHER_KIND
    attached = {f"{n}.png": {"image/png": half} for n in range(3)}
    assert [*sanitize.attachments(attached)] == ["0.png", "1.png"]
    both = {
        "image/png": picture(900),
        "image/jpeg": base64.b64encode(b"\xff\xd8\xff").decode(),
    }
    assert sanitize.attachments({"a": both}) == {"a": both}
    text = "x" * (sanitize.MAX_TEXT - 10)
    streams = [stream_output(text, "stdout")] * 3
    lengths = [len(output["text"]) for output in sanitize.clean(streams)]
    assert lengths == [sanitize.MAX_TEXT - 10, 10, 0]
    outputs = shown({"text/plain": "1"}) * (sanitize.MAX_OUTPUTS + 1)
    assert len(sanitize.clean(outputs)) == sanitize.MAX_OUTPUTS


OTHER_KIND = {"text/plain": "[grading leaves out this kind of output]"}
HTML = {"text/html": "<script>", "application/javascript": "alert(1)"}
NO_PICTURES = [
    "no base64 !",
    "é" * 8,
    base64.b64encode(b"<svg onload=alert(1)>").decode(),
    base64.b64encode(b"GIF89a").decode(),
    ["iVBORw0KGgo="],
    None,
]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        *(({"image/png": data}, OTHER_KIND) for data in NO_PICTURES),
        ({"image/png": "\n ".join(picture(0))}, {"image/png": picture(0)}),
        (HTML, OTHER_KIND),
        (HTML | {"text/markdown": "*a*"}, {"text/plain": "*a*"}),
    ],
)
def test_of_a_mimebundle_only_text_and_pictures_are_kept(
    data: dict[str, Any], expected: dict[str, str]
) -> None:
    (output,) = sanitize.clean(shown(data))
    assert output["data"] == expected


def test_an_error_keeps_its_words_without_colours_and_controls() -> None:
    error = {
        "output_type": "error",
        "ename": "Value\nError" + "x" * 200,
        "evalue": "\x1b[31mred\x1b[0m\x07\u202e",
        "traceback": ["\x1b]8;;http://x\x07line", 7, *["more"] * 100],
    }
    (output,) = sanitize.clean([error])
    assert output["ename"].startswith("Value Error")
    assert len(output["ename"]) == 100
    assert output["evalue"] == "red"
    assert output["traceback"][:3] == ["line", "", "more"]
    assert len(output["traceback"]) == 60


@pytest.mark.parametrize(
    ("count", "expected"),
    [(3, 3), (0, 0), (-1, None), (True, None), (1 << 31, None), ("3", None)],
)
def test_an_execution_count_is_a_small_number_or_none(
    count: object, expected: int | None
) -> None:
    result = {
        "output_type": "execute_result",
        "data": {},
        "execution_count": count,
    }
    (output,) = sanitize.clean([result])
    assert output["execution_count"] == expected


EVIL = "=cmd|' /C calc'!A0\x1b]0;title\x07\x1b[31m\u202e"


def test_no_text_steers_a_terminal() -> None:
    table = Table(EVIL)
    table.add_row(EVIL)
    for each in console, error_console:
        with each.capture() as shown_text:
            each.print(f"[red]Stopped:[/] {escape(EVIL)}", table)
        assert shown_text.get().count("=cmd") == 3
        assert not set("\x1b\x07\u202e") & set(shown_text.get())


CELLS = st.text(alphabet="x5;,=+-@\t\n\r \"'\uff1d\ud83d", max_size=12) | st.text()


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_no_separator_makes_a_formula_of_a_name(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "names.csv"
    write_rows(path, rows)
    text = path.read_bytes().decode()
    read, with_semicolons = (
        list(csv.reader(io.StringIO(text, newline=""), delimiter=each)) for each in ",;"
    )
    names = [[sanitize.undo_spreadsheet_cell(cell) for cell in row] for row in read]
    assert names == [[sanitize.plain_text(cell) for cell in row] for row in rows]
    # Or by a program that takes no quote for one.
    for part in [*chain(*read, *with_semicolons), *re.split("[;\n]", text)]:
        cell = part.lstrip(' \t"\n')
        number = re.match(r'[-+][\d.]+(e[-+]?\d+)?(["\s,]|$)', cell)
        assert number or not cell.startswith(("=", "+", "-", "@", "\uff1d")), part


KEYS = ["output_type", "name", "text", "data", "ename", "evalue", "traceback"]
KEYS += ["text/plain", "image/png"]
KINDS = ["stream", "error", "display_data", "execute_result"]
VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.integers(),
            inner | st.sampled_from([*KINDS, "stdout", picture(0)]),
            max_size=6,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(VALUES | st.lists(VALUES, max_size=5))
def test_whatever_a_student_process_sends_becomes_valid_outputs(sent: object) -> None:
    cell = nbformat.v4.new_code_cell()  # type: ignore[no-untyped-call]
    cell["outputs"] = [nbformat.from_dict(o) for o in sanitize.clean(sent)]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)


def test_text_on_both_sides_of_a_picture_is_counted_together() -> None:
    image = f"![a](data:image/png;base64,{picture(0)})"
    half = "word\n" * (sanitize.MAX_MARKDOWN // 10)
    whole = image + half[:-100] + image + half[:-100]
    assert sanitize.markdown(whole) == whole
    short = sanitize.markdown(whole + half)
    assert "Cut here" in short
    assert len(short) < sanitize.MAX_MARKDOWN + 1_000


ORDINARY = [
    "# Title\n\nWhere $a < b$ and `x < y`, *it holds* that a & b.",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "![mine](attachment:mine.png)",
    f"![image.png](data:image/png;base64,{picture(300_000)})",
    "x" * sanitize.MAX_LINE,
    "lines\n" * (sanitize.MAX_MARKDOWN // 6),
    "-" * 200,
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((text, text) for text in ORDINARY),
        ("<b>bold</b>", "< b>bold< /b>"),
        ("&lt;", "& lt;"),
        ("a<b && c", "a< b && c"),
        ("[a](javascript:x)", "[a](javascript :x)"),
        ("![a](attachment:b.png)", "![a](attachment :b.png)"),
    ],
)
def test_text_that_is_harmless_or_made_so_can_be_read(text: str, shown: str) -> None:
    assert sanitize.markdown(text, {"mine.png"}) == shown


@pytest.mark.parametrize(
    "attachments", [None, 7, ["a"], {"a.png": 7}, {"a.png": {"image/png": 7}}], ids=repr
)
def test_attachments_of_any_other_kind_are_none(attachments: object) -> None:
    assert sanitize.attachments(attachments) == {}
