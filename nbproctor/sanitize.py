"""Sanitizing: outputs and text of a student's cells, safe for anybody to open.

Outputs are rebuilt from harmless parts: plain text, and PNG and JPEG pictures. HTML,
JavaScript, SVG, Markdown, LaTeX and widgets are left out or become plain text, because
nbgrader's pages would run them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nbproctor.results import Output, error_output, stream_output

#: Attachments of a cell: name → media type → picture in base64.
Pictures = Mapping[str, Mapping[str, str]]
MAX_OUTPUTS = 400
MAX_TEXT = 200_000
MAX_IMAGES = 8 << 20
MAX_MARKDOWN = 50_000  # characters of one text
MAX_NOTEBOOK = 4_000_000  # characters of all text of a notebook
MAX_LINE = 10_000
MAX_QUOTED = 100  # characters of a student's in a sentence
MAX_TRACEBACK = 60  # lines

# The start of a cell. A program that separates cells by semicolons ignores quotes in
# the middle of a cell. East Asian programs accept wide characters, too.
_FORMULA = r"""(?=[\s"']*[-=+@\t\uff1d\uff0b\uff0d\uff20])"""
_BEFORE_FORMULA = re.compile(rf"(^|[;\t\n]){_FORMULA}")
_APOSTROPHE = re.compile(rf"(^|[;\t\n])'{_FORMULA}")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
# Characters that Python takes for printable, and that show nothing, not even a space.
_BLANKS = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f"
    r"\uffa0\U000e0100-\U000e01ef]"
)
_STARTS = re.compile(r"<(?=[A-Za-z/!?])|&(?=[\\#A-Za-z])(?![\w-]*=)")
# A browser ignores tabs and line ends in a link, and MathJax can make links, too.
_SCRIPTS = "|".join(r"\s*".join(word) for word in ("javascript", "vbscript"))
_SCRIPT = re.compile(rf"({_SCRIPTS})(\s*\\?:)", re.IGNORECASE)
# The name is not part of the match, because another link may begin inside it.
_ATTACHMENT = re.compile(
    r"(attachment)(\\?:)(?=(?P<name>[^)\s\"'>]{0,200}))", re.IGNORECASE
)
_PICTURE = re.compile(r"(\(data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+\))")
_MARKUP = re.compile(r"[<>\"&]")
_RUN = re.compile(r"(([^\w\n])\2{199})\2+|(\n{20})\n+")
#: Media types of pictures, and their first bytes.
IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_AS_TEXT = ("text/plain", "text/markdown", "text/latex", "application/json")


@dataclass
class DisplayBudget:
    """How much a notebook, or one cell's outputs, may still show."""

    characters: int = MAX_NOTEBOOK
    picture_characters: int = MAX_IMAGES  # of base64


def clean(outputs: object) -> list[Output]:
    """Return harmless, valid nbformat outputs of what a student process sent.

    They are new objects, limited in number and size. Unknown parts are left out.
    """
    if not isinstance(outputs, list):
        return []
    budget = DisplayBudget(MAX_TEXT)
    cleaned = [_output(output, budget) for output in outputs[:MAX_OUTPUTS]]
    return [output for output in cleaned if output]


def plain_text(text: object, limit: int = MAX_TEXT) -> str:
    """Return text without escape sequences, control characters and lone surrogates."""
    if not isinstance(text, str):
        return ""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text[:limit]))
    return text.encode("utf-8", "replace").decode()


def spreadsheet_cell(text: str) -> str:
    """Return a cell of a CSV file that no spreadsheet program takes for a formula.

    A name may begin with "=". An apostrophe before it marks the cell as text.
    """
    text = plain_text(text)
    if _NUMBER.fullmatch(text):
        return text
    return _BEFORE_FORMULA.sub(r"\1'", text)


def undo_spreadsheet_cell(cell: str) -> str:
    """Undo `spreadsheet_cell`."""
    return _APOSTROPHE.sub(r"\1", cell)


def one_line(text: object, limit: int = 300) -> str:
    """Return the text as one short line."""
    words = plain_text(text, 20 * limit).split()
    line = " ".join(words)
    if len(line) <= limit:
        return line
    return line[: limit - 1] + "…"


def is_hidden(character: str) -> bool:
    """Whether a character shows nothing, or changes how others show."""
    if character.isprintable():
        return bool(_BLANKS.match(character))
    return not character.isspace()


def visible(text: object, limit: int = 300) -> str:
    """Return a name as one short line in which every character shows.

    Two names that differ only in characters that do not show would look the same.
    """
    letters = [
        letter.encode("unicode_escape").decode() if is_hidden(letter) else letter
        for letter in str(text)[: 20 * limit]
    ]
    return one_line("".join(letters), limit)


def quote(text: object, mark: str = "'") -> str:
    """Return a student's words in quotes, for a sentence; they cannot end the quote."""
    words = visible(text, MAX_QUOTED).replace(mark, "\u2019")
    return f"{mark}{words}{mark}"


def markdown(
    text: str,
    attached: Collection[str] = (),
    budget: DisplayBudget | None = None,
) -> str:
    """Return Markdown in which neither HTML nor a link can run anything.

    A space is added in what would start a tag or an entity, and in links to scripts and
    to attachments that are not `attached`, for which no page could be made. (It is not
    replaced by ``&lt;``, because formulas contain ``a<b``, and links are unescaped
    twice.)

    A text that would take too long to show is cut, with a note: the time of Markdown
    converters grows with the square of a run of spaces. `budget` is shared by all texts
    of a notebook.
    """
    budget = budget or DisplayBudget()

    def unlinked(match: re.Match[str]) -> str:
        space = "" if match["name"] in attached else " "
        return f"{match[1]}{space}{match[2]}"

    parts = _PICTURE.split(text)  # every second part is a picture inside a link
    reserve = max(budget.characters - MAX_MARKDOWN, 0)  # for other texts
    for position, part in enumerate(parts):
        if position % 2 == 0:
            parts[position] = _shorten(part, max(budget.characters - reserve, 0))
            budget.characters -= len(parts[position])
        elif len(part) <= budget.picture_characters:
            budget.picture_characters -= len(part)
        else:
            parts[position] = "(a picture was left out)"
    text = _STARTS.sub(r"\g<0> ", "".join(parts))
    text = _SCRIPT.sub(r"\1 \2", text)
    return _ATTACHMENT.sub(unlinked, text)


def _shorten(text: str, limit: int) -> str:
    """Cut a text, its lines, and runs of the same character, each with a note."""
    start = text[: 20 * limit]
    short_runs = _RUN.sub(r"\1\3 [cut] ", start)
    lines = [
        f"{line[:MAX_LINE]} [line cut]" if len(line) > MAX_LINE else line
        for line in short_runs.split("\n")
    ]
    shortened = "\n".join(lines)
    if start == text and len(shortened) <= limit:
        return shortened
    note = f"[Cut here: more than {MAX_MARKDOWN:,} characters.]"
    return f"{shortened[:limit]}\n\n{note}"


def attachments(raw: object, budget: DisplayBudget | None = None) -> Pictures:
    """Return the pictures among a text cell's attachments, within the budget."""
    budget = budget or DisplayBudget()
    pictures: dict[str, dict[str, str]] = {}
    if not isinstance(raw, dict):
        return pictures
    for name, bundle in raw.items():
        if isinstance(bundle, dict) and (by_type := _pictures(bundle, budget)):
            pictures[str(name)] = by_type
    return pictures


def _output(output: Any, budget: DisplayBudget) -> Output | None:
    # Only text is compared: the comparison of an array would have no truth value.
    match output:
        case {"output_type": str("stream"), "name": str("stdout" | "stderr" as name)}:
            return stream_output(_text(output.get("text"), budget), name)
        case {"output_type": str("error")}:
            error = one_line(output.get("ename"), 100)
            text = _text(output.get("evalue"), budget)
            lines = []
            traceback = output.get("traceback")
            if isinstance(traceback, list):
                lines = [_text(line, budget) for line in traceback[:MAX_TRACEBACK]]
            return error_output(
                name=error,
                text=text,
                lines=lines,
            )
        case {
            "output_type": str("display_data" | "execute_result" as kind),
            "data": dict(data),
        }:
            bundle = _mimebundle(data, budget)
            shown: Output = {
                "output_type": kind,
                "data": bundle,
                "metadata": alternative_texts(output.get("metadata"), bundle),
            }
            if kind == "execute_result":
                count = output.get("execution_count")
                is_plain = type(count) is int and 0 <= count < 1 << 31
                shown["execution_count"] = count if is_plain else None
            return shown
    return None


def _mimebundle(data: dict[Any, Any], budget: DisplayBudget) -> dict[str, str]:
    bundle = _pictures(data, budget)
    for mime in _AS_TEXT:
        if isinstance(data.get(mime), str):
            bundle["text/plain"] = _text(data[mime], budget)
            break
    if not bundle:
        bundle["text/plain"] = "[grading leaves out this kind of output]"
    return bundle


def _pictures(bundle: dict[Any, Any], budget: DisplayBudget) -> dict[str, str]:
    """Return the pictures in a bundle, by media type."""
    return {
        mime: picture
        for mime in IMAGES
        if (picture := _picture(bundle.get(mime), mime, budget))
    }


def alternative_texts(metadata: object, bundle: dict[str, str]) -> dict[str, Any]:
    """Return the alternative texts of pictures, safe in a page that escapes nothing."""
    pictures: dict[str, Any] = {}
    if not isinstance(metadata, dict):
        return pictures
    for mime in IMAGES.keys() & bundle.keys():
        entry = metadata.get(mime)
        if isinstance(entry, dict):
            alt = _MARKUP.sub("", one_line(entry.get("alt")))
            if alt:
                pictures[mime] = {"alt": alt}
    return pictures


def _text(text: object, budget: DisplayBudget) -> str:
    short = plain_text(text, max(budget.characters, 0))
    budget.characters -= len(short)
    return short


def _picture(
    data: object,
    mime: str,
    budget: DisplayBudget,
) -> str:
    """Decode and encode a picture, so that the result is only base64, or nothing."""
    if not isinstance(data, str):
        return ""
    if len(data) > budget.picture_characters:
        return ""
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    if not raw.startswith(IMAGES[mime]):
        return ""
    budget.picture_characters -= len(data)
    return base64.b64encode(raw).decode()
