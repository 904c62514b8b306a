"""Formulas as MathML, which a browser shows without a font or a script from outside.

`latex2mathml` reads the LaTeX. What it makes is built anew here from known elements
and attributes: its own output lets a formula carry HTML and links.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MAX_LENGTH = 2000
_ELEMENTS = frozenset(
    {
        "math",
        "menclose",
        "mfrac",
        "mi",
        "mmultiscripts",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mroot",
        "mrow",
        "ms",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
        "mtable",
        "mtd",
        "mtext",
        "mtr",
        "munder",
        "munderover",
        "mprescripts",
        "none",
    }
)
_ATTRIBUTES = frozenset(
    {
        "accent",
        "accentunder",
        "columnalign",
        "columnlines",
        "displaystyle",
        "fence",
        "form",
        "largeop",
        "linethickness",
        "lspace",
        "maxsize",
        "minsize",
        "movablelimits",
        "notation",
        "rowspacing",
        "rspace",
        "scriptlevel",
        "separator",
        "stretchy",
        "symmetric",
        "width",
    }
)
_VALUE = re.compile(r"[\w .%+-]{1,40}")
# Browsers know these only as letters of their own.
_VARIANTS = {
    "bold": "BOLD",
    "double-struck": "DOUBLE-STRUCK",
    "fraktur": "FRAKTUR",
    "script": "SCRIPT",
}


def mathml(latex: str, *, block: bool) -> str:
    """Return a formula as MathML, or as its own LaTeX where that cannot be read.

    Parameters
    ----------
    latex
        What stands between the dollar signs.
    block
        Whether the formula has a line of its own.
    """
    latex = latex.strip()
    if latex and len(latex) <= MAX_LENGTH:
        known = latex.replace("{aligned}", "{align*}")
        try:
            element = convert_to_element(known, display="block" if block else "inline")
            return _html(element)
        except Exception:  # its errors have no common base
            pass
    return f"<code>{escape(latex)}</code>"


def _html(element: Element) -> str:
    name = element.tag if element.tag in _ELEMENTS else "mrow"
    attributes = ""
    if name == "math":
        attributes = f' display="{escape(element.get("display", "inline"))}"'
    for key, value in element.attrib.items():
        if key in _ATTRIBUTES and _VALUE.fullmatch(value):
            attributes += f' {key}="{value}"'
    text = unescape(element.text or "")
    variant = _VARIANTS.get(element.get("mathvariant", ""))
    if variant:
        text = "".join(_letter(variant, letter) for letter in text)
    elif element.get("mathvariant") == "normal":
        attributes += ' mathvariant="normal"'
    inside = "".join(map(_html, element))
    return f"<{name}{attributes}>{escape(text)}{inside}</{name}>"


def _letter(variant: str, letter: str) -> str:
    kind = "CAPITAL" if letter.isupper() else "SMALL"
    for name in (f"MATHEMATICAL {variant} {kind}", f"{variant} {kind}"):
        try:
            return unicodedata.lookup(f"{name} {letter}")
        except KeyError:
            pass
    return letter
