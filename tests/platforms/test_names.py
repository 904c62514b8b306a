"""Names that platforms make: built from students as their sources do, read back."""

import re
import string
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor.platforms import Roster, read_time, registry
from nbproctor.platforms.archive import ArchiveEntry

WORD = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
NAME = st.lists(WORD, min_size=2, max_size=3).map(" ".join)
ID = st.integers(1, 10**9).map(str)
TIME = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(
    lambda when: when.replace(second=0, microsecond=0)
)


def entries(*paths: str) -> list[ArchiveEntry]:
    return [ArchiveEntry(PurePosixPath(path), 0, bytes) for path in paths]


PARTS = {
    "name": NAME,
    "user": ID,
    "item": ID,
    "code": st.text(string.ascii_letters + string.digits, min_size=5, max_size=5),
    "login": st.from_regex(r"[a-z0-9.@-]{1,12}", fullmatch=True),
    "title": st.from_regex(r"[A-Za-z0-9 -]{1,20}", fullmatch=True),
    "file": st.from_regex(r"[A-Za-z0-9 _()-]{1,20}\.ipynb", fullmatch=True),
    "when": TIME,
}
# A platform, a name that it makes, and what is read of it.
FORMS = """\
Canvas | {short}_{user}_{item}_{file} | identifiers=Canvas id {user}, number={item}, \
late=False
Canvas | {short}_LATE_{user}_{item}_{file} | identifiers=Canvas id {user}, \
number={item}, late=True
Canvas | anon_{code}_{item}_{file} | key=anon_{code}, late=False
Canvas | LATE_anon_{code}_{item}_{file} | name=, late=True
Moodle | {name}_{user}_assignsubmission_file/{file} | name={name}, \
identifiers=Moodle participant {user}
Moodle | {name}_{user}_assignsubmission_file_/{file} | name={name}, \
identifiers=Moodle participant {user}
Moodle | {name}_{user}_assignsubmission_file_{file} | name={name}, \
identifiers=Moodle participant {user}
Moodle | Lab-77/{name}_{user}_assignsubmission_file/{file} | name={name}, \
identifiers=Moodle participant {user}
Blackboard | {title}_{login}_attempt_{when:%Y-%m-%d-%H-%M-%S}_{file} | \
identifiers=login {login}, submitted={when}
Brightspace | {user}-{item} - {name} - {day}/{file} | name={name}, \
identifiers=Brightspace user {user}, submitted={when}
Brightspace | {user}-{item} - {name} - {day} - {file} | name={name}, \
identifiers=Brightspace user {user}, submitted={when}
"""


@pytest.mark.parametrize("line", FORMS.splitlines())
@given(parts=st.fixed_dictionaries(PARTS))
def test_names_that_a_platform_makes_are_read_back(
    line: str, parts: dict[str, Any]
) -> None:
    platform, form, expected = line.split(" | ")
    # As Canvas's `sanitize_user_name` and `sanitize_file_name` do.
    parts["short"] = re.sub(r"[\W_]", "", parts["name"].lower()) or "x"
    when = parts["when"]
    hour = when.hour % 12 or 12
    parts["day"] = f"{when:%b} {when.day}, {when.year} {hour}{when:%M %p}"
    path = form.format(**parts)
    parsed = registry.recognise(entries(path))
    assert parsed is not None
    handed = parsed.names[PurePosixPath(path)]
    assert (parsed.platform.name, str(handed.file)) == (platform, parts["file"])
    for field_and_text in expected.split(", "):
        field, text = field_and_text.split("=")
        value = getattr(handed, field)
        # Of several identifiers, as a name may be parted, one is right.
        values = value if isinstance(value, tuple) else [value]
        assert text.format(**parts) in map(str, values)


# As Moodle's language packs write times, and what no one can be sure of; listopada is
# October in Croatia, and this one a Saturday.
TIMES = """\
22:30 Tuesday, 24 November 2026, 10:30 PM
00:05 Tuesday, November 24, 2026, 12:05 AM
22:30 Dienstag, 24. November 2026, 22:30
22:30 martes, 24 de noviembre de 2026, 22:30
22:30 martes, 24 de noviembre de 2026, 10:30 p. m.
22:30 Mardi 24 novembre 2026 à 22h30
22:30 terça-feira, 24 de novembro de 2026 às 22:30
22:30 tiistai, 24. marraskuuta 2026, 22.30
22:30 wtorek, 24 listopada 2026, 22:30
22:30 вторник, 24 ноября 2026, 22:30
22:30 2026年 11月 24日(火曜日) 22:30
22:30 2026. november 24., kedd, 22:30
22:30 الثلاثاء، ٢٤ نوفمبر ٢٠٢٦، ١٠:٣٠ م
22:30 2026-11-24 22:30
----- utorak, 24. listopada 2026, 22:30
----- Montag, 24. November 2026, 22:30
----- 24 November 2026, 22:30
----- 24.11.2026 22:30
----- 2026년 11월 24일 화요일, 오후 10:30
----- 2026년 11월 24일 화요일, 오후 12:30
----- Tuesday, 24 November 2026, 13:30 PM
----- Tuesday, 24 November 2026, 10:30 in the evening
----- Tuesday, 24 November 2026
"""


@pytest.mark.parametrize("line", TIMES.splitlines())
def test_moodle_s_times_are_read_in_any_language_or_not_at_all(line: str) -> None:
    at, _, text = line.partition(" ")
    when = None if at == "-----" else datetime.fromisoformat(f"2026-11-24 {at}")
    assert read_time(text) == when


@given(st.lists(st.text(max_size=40), max_size=5))
def test_no_name_ends_the_class(paths: list[str]) -> None:
    whole = entries(*(path for path in paths if PurePosixPath(path).parts))
    registry.recognise(whole)
    registry.read_plain_files(whole, ["lab"], Roster())
