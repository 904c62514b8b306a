"""Cells of a notebook as HTML: text with its formulas, code, outputs.

The HTML runs nothing and loads nothing from the network: HTML in a cell is removed, and
pictures are in the page or left out. Formulas are MathML, which a browser shows without
other fonts or scripts.
"""

from __future__ import annotations

import base64
import keyword
import mimetypes
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from html import escape, unescape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

from nbproctor.results import Output
from nbproctor.sanitize import IMAGES, Pictures

MAX_CODE = 50_000  # characters of a cell that are shown
MAX_OUTPUT = 20_000  # characters of an output that are shown
MAX_FORMULA = 2000  # characters of a formula that is laid out
HEAD = 40  # first lines of an output that are shown
TAIL = 10  # last lines of it
_MAX_PICTURE = 2 << 20  # bytes
_WEB = re.compile(r"(https?://|mailto:)", re.IGNORECASE)

# Pygments took 0.1 seconds for the code of one submission, which is all that a page may
# cost, and is quadratic in blank lines. This is one pass: each string ends at its
# quotes or at the end of its line or text, so no character is read twice.
TOKENS = re.compile(
    r"""(?P<c>\#[^\n]*)"""
    r"""|(?P<s>[rbfuRBFU]{0,2}(?:\"\"\"(?:[^"\\]|\\.|"(?!""))*(?:\"\"\"|\Z)"""
    r"""|'''(?:[^'\\]|\\.|'(?!''))*(?:'''|\Z)"""
    r"""|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))"""
    r"""|(?P<n>\b\d[\w.]*)"""
    r"""|(?P<w>[^\W\d]\w*)""",
    re.DOTALL,
)
_DEFINES = ("def", "class")


@lru_cache(maxsize=500)  # the cells of the assignment are the same on every page
def code(source: str) -> Markup:
    """Return Python code with its comments, strings, numbers and keywords marked."""
    if surplus := len(source[MAX_CODE:]):
        source = f"{source[:MAX_CODE]}\n[… {surplus} characters left out …]"
    parts = []
    end = 0
    before = ""
    for token in TOKENS.finditer(source):
        parts.append(escape(source[end : token.start()], quote=False))
        end = token.end()
        text = token[0]
        kind = token.lastgroup
        if kind == "w":
            if before in _DEFINES:
                kind = "d"
            elif keyword.iskeyword(text):
                kind = "k"
            else:
                kind = ""
            before = text
        shown = escape(text, quote=False)
        if kind:
            shown = f'<span class="{kind}">{shown}</span>'
        parts.append(shown)
    parts.append(escape(source[end:], quote=False))
    return Markup("".join(parts))


# What `latex2mathml` makes is rebuilt from these elements and attributes: its own
# output lets a formula carry HTML and links.
_ELEMENTS = re.compile(
    "math|menclose|mfrac|mi|mmultiscripts|mn|mo|mover|mpadded|mphantom|mprescripts|"
    "mroot|mrow|ms|mspace|msqrt|mstyle|msub|msubsup|msup|mtable|mtd|mtext|mtr|munder|"
    "munderover|none"
)
_ATTRIBUTES = re.compile(
    "accent|accentunder|columnalign|columnlines|display|displaystyle|fence|form|largeop|"
    "linethickness|lspace|maxsize|minsize|movablelimits|notation|rowspacing|rspace|"
    "scriptlevel|separator|stretchy|symmetric|width"
)
_VALUE = re.compile(r"[\w .%+-]{1,40}")
# Browsers support these variants only as separate letters.
_VARIANTS = ("bold", "double-struck", "fraktur", "script")


def _formula(latex: str, settings: Mapping[str, Any]) -> str:
    """Return a formula as MathML, or as its LaTeX if that cannot be parsed."""
    latex = latex.strip()
    display = "inline"
    start = "<math"
    if settings["display_mode"]:  # on lines of its own
        display = "block"
        # A formula that is wider than a phone scrolls separately, also by keyboard.
        start = '<math tabindex="0"'
    if latex and len(latex) <= MAX_FORMULA:
        supported = latex.replace("{aligned}", "{align*}")
        with suppress(Exception):  # its errors have no common base
            formula = _element(convert_to_element(supported, display=display))
            return formula.replace("<math", start, 1)
    return f"<code>{escape(latex)}</code>"


def _element(element: Element) -> str:
    name = element.tag if _ELEMENTS.fullmatch(element.tag) else "mrow"
    attributes = ""
    for key, value in element.attrib.items():
        if _ATTRIBUTES.fullmatch(key) and _VALUE.fullmatch(value):
            attributes += f' {key}="{value}"'
    text = unescape(element.text or "")
    variant = element.get("mathvariant", "")
    if variant in _VARIANTS:
        text = "".join(_letter(variant.upper(), letter) for letter in text)
    elif variant == "normal":
        attributes += ' mathvariant="normal"'
    if name == "mi" and len(text) > 1:  # a function's name, set off from its argument
        name = "mo"
        attributes += ' lspace=".17em" rspace=".17em"'
    inside = escape(text)
    for child in element:
        inside += _element(child)
    return f"<{name}{attributes}>{inside}</{name}>"


def _letter(variant: str, letter: str) -> str:
    case = "CAPITAL" if letter.isupper() else "SMALL"
    for prefix in ("MATHEMATICAL ", ""):
        with suppress(KeyError):
            return unicodedata.lookup(f"{prefix}{variant} {case} {letter}")
    return letter


class _Renderer(RendererHTML):
    """Markdown in a page: headings below the page's own, and no outside requests."""

    def heading_open(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        return f'<h4 class="{tokens[index].tag}">'

    def heading_close(self, *_: Any) -> str:
        return "</h4>\n"

    def image(
        self,
        tokens: Sequence[Token],
        index: int,
        options: OptionsDict,
        env: EnvType,
    ) -> str:
        token = tokens[index]
        alt = escape(self.renderInlineAsText(token.children or [], options, env))
        picture = _picture(str(token.attrGet("src") or ""), env)
        if not picture:
            return f"<em>[{alt or 'a picture'}: not included in this page]</em>"
        return f'<img src="{picture}" alt="{alt or "A picture of the text"}">'

    def link_open(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        target = str(tokens[index].attrGet("href") or "")
        if not _WEB.match(target):
            return "<a>"  # a place in the notebook is not one on this page
        return f'<a href="{escape(target)}" rel="noopener noreferrer">'

    def fence(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        token = tokens[index]
        text = escape(token.content, quote=False)
        if token.info.strip().startswith("py"):
            text = code(token.content)
        return f"<pre><code>{text}</code></pre>\n"


_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    .enable(["table", "strikethrough"])
    .use(
        dollarmath_plugin,
        allow_space=False,
        double_inline=True,
        renderer=_formula,
    )
)


def markdown(
    text: str,
    attached: Pictures | None = None,
    folder: Path | None = None,
) -> Markup:
    """Return Markdown as HTML.

    `attached` are pictures in the notebook, as `sanitize.attachments` returns them;
    others are looked for in the `folder`.
    """
    if "![" not in text:
        return _without_pictures(text)
    env = {"attached": attached or {}, "folder": folder}
    return Markup(_MARKDOWN.render(text, env))


@lru_cache(maxsize=500)  # the text of the assignment is the same on every page
def _without_pictures(text: str) -> Markup:
    return Markup(_MARKDOWN.render(text))


def _picture(source: str, env: EnvType) -> str:
    """Return a picture as a data URL, if the notebook contains it, or nothing."""
    if source.startswith("attachment:"):
        name = source.removeprefix("attachment:")
        for mime, data in env["attached"].get(name, {}).items():
            return f"data:{mime};base64,{data}"
        return ""
    folder = env["folder"]
    if not folder or ":" in source or source.startswith("/"):
        return ""
    path = folder / source
    mime, _ = mimetypes.guess_type(path.name)
    if mime not in IMAGES:
        return ""
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        if not inside or path.stat().st_size > _MAX_PICTURE:
            return ""
        content = path.read_bytes()
    except (OSError, ValueError):
        return ""
    if not content.startswith(IMAGES[mime]):
        return ""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def inline(text: str) -> Markup:
    """Return one sentence, with text between backticks as code."""
    sentence = escape(text)
    if sentence.count("`") % 2 == 0:  # none is left over
        sentence = re.sub("`([^`]*)`", r"<code>\1</code>", sentence)
    return Markup(sentence)


def outputs(shown: Sequence[Output]) -> Markup:
    """Return the outputs of a code cell, which `sanitize.clean` has returned."""
    parts = []
    alt = ""
    for output in shown:
        data = output.get("data", {})
        mime = "image/png" if "image/png" in data else "image/jpeg"
        if mime in data:
            alt = output["metadata"].get(mime, {}).get("alt", "")
            description = escape(alt or "Picture made by this cell")
            source = f"data:{mime};base64,{data[mime]}"
            parts.append(f'<img src="{source}" alt="{description}">')
        elif output["output_type"] == "error":
            error = f"{output['ename']}: {output['evalue']}"
            lines = output["traceback"] or [error]
            text = _text("\n".join(lines))
            parts.append(f'<pre class="error">{text}</pre>')
        elif alt and data.get("text/plain") == alt:
            alt = ""  # repeated for readers without alternative text
        elif text := output.get("text", data.get("text/plain", "")):
            parts.append(f"<pre>{_text(text)}</pre>")
    return Markup("".join(parts))


def _text(text: str) -> str:
    """Return text as HTML; a long text is shortened in the middle, with a note."""
    lines = text.rstrip("\n").split("\n")
    surplus = len(lines) - HEAD - TAIL
    if surplus > 1:
        lines[HEAD:-TAIL] = [f"[… {surplus} lines left out …]"]
    text = "\n".join(lines)
    surplus = len(text) - MAX_OUTPUT
    if surplus > 0:
        half = MAX_OUTPUT // 2
        note = f"[… {surplus} characters left out …]"
        text = "\n".join((text[:half], note, text[-half:]))
    return escape(text, quote=False)
