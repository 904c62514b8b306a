"""Names of people and folders, as different programs write them."""

from __future__ import annotations

import re
import unicodedata

_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
# What Moodle writes for a name where marking is blind.
BLIND = {"participant", "teilnehmerin", "teilnehmer", "participante", "partecipante"}
BLIND |= {"deelnemer", "partaidea"}


def split_name(name: str) -> tuple[str, str]:
    """Split a full name into last and first: at the comma, else before the last word.

    "King, Jr., Martin" has the last name "King, Jr."; a comma before "Jr." alone does
    not part anything ("Martin King, Jr.").
    """
    parts = [part.strip() for part in name.split(",")]
    suffix = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)\.?", re.I)
    if len(parts) > 1 and not suffix.fullmatch(parts[-1]):
        return ", ".join(parts[:-1]), parts[-1]
    words, tail = parts[0].split(), parts[1:]
    last = ", ".join([*words[-1:], *tail])
    return last, " ".join(words[:-1])


def safe(student: str) -> str:
    """Return an id that may name a folder on every system."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", student).strip(" .")
    if re.fullmatch(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", name, re.I):
        name = f"_{name}"
    return name[:120] or "_"


def letters(text: str) -> str:
    """Return a text without accents, case, punctuation and spaces."""
    flat = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    return "".join(character for character in flat if character.isalnum())


def spellings(last: str, first: str) -> set[str]:
    """Return how a platform may write a name: in either order, without "Jr." too."""
    short = last.split(",")[0]
    names = {last + first, first + last, short + first, first + short}
    return {text for name in names if last and (text := letters(name))}
