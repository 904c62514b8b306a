"""Sanitizing: outputs and text of a student's cells, safe for anybody to open.

Everything is rebuilt from what is known to be harmless: plain text, and PNG and JPEG
pictures. HTML, JavaScript, SVG, Markdown, LaTeX and widgets are left out or kept as
text, because nbgrader's pages would show them alive.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Any

from nbproctor.results import Output, error_output, stream_output

MAX_OUTPUTS = 400
MAX_TEXT = 200_000
MAX_IMAGES = 8 << 20
MAX_MARKDOWN = 50_000  # characters of one text
MAX_NOTEBOOK = 4_000_000  # characters of all text of a notebook
MAX_LINE = 10_000
MAX_TRACEBACK = 60  # lines

# Where a cell begins, also to a program that separates by semicolons, for which the
# quotes of a cell in the middle mean nothing. East Asian programs take wide signs, too.
_FORMULA = r"""(?=[\s"']*[-=+@\t\uff1d\uff0b\uff0d\uff20])"""
_BEFORE_FORMULA = re.compile(rf"(^|[;\t\n]){_FORMULA}")
_APOSTROPHE = re.compile(rf"(^|[;\t\n])'{_FORMULA}")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_STARTS = re.compile(r"<(?=[A-Za-z/!?])|&(?=[\\#A-Za-z])(?![\w-]*=)")
# A browser leaves out tabs and line ends in a link, and MathJax makes links as well.
_SCRIPTS = "|".join(r"\s*".join(word) for word in ("javascript", "vbscript"))
_SCRIPT = re.compile(rf"({_SCRIPTS})(\s*\\?:)", re.IGNORECASE)
# The name is looked at and not taken: another link may begin inside it.
_ATTACHMENT = re.compile(
    r"(attachment)(\\?:)(?=(?P<name>[^)\s\"'>]{0,200}))", re.IGNORECASE
)
_PICTURE = re.compile(r"(\(data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+\))")
_MARKUP = re.compile(r"[<>\"&]")
_RUN = re.compile(r"(([^\w\n])\2{199})\2+|(\n{20})\n+")
_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_AS_TEXT = ("text/plain", "text/markdown", "text/latex", "application/json")


def clean(outputs: object) -> list[Output]:
    """Make harmless, valid nbformat outputs of whatever a student process sent.

    They are new, and limited in number and size. Parts that are not understood are left
    out.
    """
    if not isinstance(outputs, list):
        return []
    room = [MAX_TEXT, MAX_IMAGES]
    cleaned = (_output(o, room) for o in outputs[:MAX_OUTPUTS] if isinstance(o, dict))
    return [output for output in cleaned if output is not None]


def plain_text(text: object, limit: int = MAX_TEXT) -> str:
    """Return text without escape sequences, control characters and lone surrogates."""
    if not isinstance(text, str):
        return ""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text[:limit]))
    return text.encode("utf-8", "replace").decode()


def spreadsheet_cell(text: str) -> str:
    """Return a cell of a CSV file that no spreadsheet program takes for a formula.

    A name may begin with "="; an apostrophe before it says that it is text.
    """
    text = plain_text(text)
    return text if _NUMBER.fullmatch(text) else _BEFORE_FORMULA.sub(r"\1'", text)


def undo_spreadsheet_cell(cell: str) -> str:
    """Undo `spreadsheet_cell`."""
    return _APOSTROPHE.sub(r"\1", cell)


def one_line(text: object, limit: int = 300) -> str:
    """Return the text as one short line."""
    line = " ".join(plain_text(text, 20 * limit).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def room_for_notebook() -> list[int]:
    """Return how many characters of text, and of pictures, a notebook may show."""
    return [MAX_NOTEBOOK, MAX_IMAGES]


def markdown(
    text: str,
    attached: Collection[str] = (),
    room: list[int] | None = None,
) -> str:
    """Return Markdown in which neither HTML nor a link can run anything.

    A space takes the meaning from what would start a tag or an entity, and from links
    to scripts and to attachments other than `attached`, for which no page can be made.
    (It is not ``&lt;``, because formulas hold ``a<b`` and links are unescaped twice.)

    What is too long to be shown in time is cut, and the text says where: converters of
    Markdown take time with the square of a run of blanks. It takes of the `room` that
    other texts of the notebook have left.
    """
    room = room_for_notebook() if room is None else room

    def unlinked(match: re.Match[str]) -> str:
        return match[1] + ("" if match["name"] in attached else " ") + match[2]

    parts = _PICTURE.split(text)  # every second one is a picture inside a link
    end = room[0] - MAX_MARKDOWN
    for position, part in enumerate(parts):
        if position % 2:
            fits = len(part) <= room[1]
            room[1] -= len(part) * fits
            parts[position] = part if fits else "(a picture was left out)"
        else:
            parts[position] = _shorten(part, max(room[0] - max(end, 0), 0))
            room[0] -= len(parts[position])
    text = _STARTS.sub(r"\g<0> ", "".join(parts))
    return _ATTACHMENT.sub(unlinked, _SCRIPT.sub(r"\1 \2", text))


def _shorten(text: str, room: int) -> str:
    """Cut text, its lines, and runs of one sign, each with a word."""
    whole = len(text)
    text = _RUN.sub(r"\1\3 [cut] ", text[: 20 * room])
    text = "\n".join(
        line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} [line cut]"
        for line in text.split("\n")
    )
    if whole > 20 * room or len(text) > room:
        text = text[:room] + f"\n\n[Cut here: more than {MAX_MARKDOWN:,} characters.]"
    return text


def attachments(
    raw: object, room: list[int] | None = None
) -> dict[str, dict[str, str]]:
    """Return the pictures among a text cell's attachments, as far as there is room."""
    room = room_for_notebook() if room is None else room
    pictures = {}
    for name, mimes in raw.items() if isinstance(raw, dict) else ():
        for mime in _IMAGES:
            data = mimes.get(mime) if isinstance(mimes, dict) else None
            if picture := _picture(data, mime, room):
                pictures[str(name)] = {mime: picture}
    return pictures


def _output(output: dict[Any, Any], room: list[int]) -> Output | None:
    # An array in their place would be compared item by item, and have no truth.
    if not all(isinstance(output.get(key, ""), str) for key in ("output_type", "name")):
        return None
    match output:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name}:
            return stream_output(_text(output.get("text"), room), name)
        case {"output_type": "error"}:
            traceback = output.get("traceback")
            lines = traceback[:MAX_TRACEBACK] if isinstance(traceback, list) else []
            name = one_line(output.get("ename"), 100)
            text = _text(output.get("evalue"), room)
            return error_output(name, text, [_text(line, room) for line in lines])
        case {
            "output_type": "display_data" | "execute_result" as kind,
            "data": dict(data),
        }:
            bundle = _mimebundle(data, room)
            shown = {
                "output_type": kind,
                "data": bundle,
                "metadata": alternative_texts(output.get("metadata"), bundle),
            }
            if kind == "execute_result":
                count = output.get("execution_count")
                plain = type(count) is int and 0 <= count < 1 << 31
                shown["execution_count"] = count if plain else None
            return shown
    return None


def _mimebundle(data: dict[Any, Any], room: list[int]) -> dict[str, str]:
    bundle = {}
    for mime in _IMAGES:
        if picture := _picture(data.get(mime), mime, room):
            bundle[mime] = picture
    for mime in _AS_TEXT:
        if isinstance(data.get(mime), str):
            bundle["text/plain"] = _text(data[mime], room)
            break
    if not bundle:
        bundle["text/plain"] = "[grading leaves out this kind of output]"
    return bundle


def alternative_texts(metadata: object, bundle: dict[str, str]) -> dict[str, Any]:
    """Keep the alternative texts of pictures, safe in a page that escapes nothing."""
    pictures = {}
    for mime in _IMAGES.keys() & bundle.keys():
        entry = metadata.get(mime) if isinstance(metadata, dict) else None
        alt = one_line(entry.get("alt")) if isinstance(entry, dict) else ""
        if alt := _MARKUP.sub("", alt):
            pictures[mime] = {"alt": alt}
    return pictures


def _text(text: object, room: list[int]) -> str:
    short = plain_text(text, max(room[0], 0))
    room[0] -= len(short)
    return short


def _picture(
    data: object,
    mime: str,
    room: list[int],
) -> str | None:
    """Decode and encode again: what is left is base64 and nothing else."""
    if not isinstance(data, str) or len(data) > room[1]:
        return None
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not raw.startswith(_IMAGES[mime]):
        return None
    room[1] -= len(data)
    return base64.b64encode(raw).decode()
