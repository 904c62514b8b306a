"""Nobody's work is placed under somebody else, however numbers and names overlap."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproctor import platforms
from nbproctor.platforms import (
    CollectError,
    ExportError,
    Identifier,
    Identity,
    Kind,
    Person,
    Roster,
    fill,
)
from nbproctor.platforms.roster import Match
from tests.platforms.downloads import understand
from tests.platforms.people import member

NAMES = [("Smith", "Kim"), ("Lee", "Ann Kim"), ("Kim", "Lee"), ("Okafor", "Amara")]
KINDS = ["student", "login", "sis", "canvas", "github", "brightspace", "participant"]


#: Somebody, under the names that lists and downloads use.
Student = dict[str, str]


def student(last: str, first: str, *numbers: str) -> Student:
    """Return somebody with a number of each kind, and how platforms write the name."""
    fields = dict(zip(KINDS, numbers, strict=True))
    login = fields["login"]
    return fields | {
        "last": last,
        "first": first,
        "full": f"{first} {last}",
        "email": f"{login}@x.edu",
        "canvas_name": f"{last}{first}".lower().replace(" ", ""),
        "olat": f"{last}_{first}_{login}".replace(" ", "_"),
        "of_no_kind": " ".join(numbers),
    }


# What each platform exports as a list of its people: the titles, and a row.
LISTS = {
    "own": """\
student_id,name,email
{student},{full},{email}""",
    "canvas": """\
Student,ID,SIS User ID,SIS Login ID,Section,Lab (77)
"{last}, {first}",{canvas},{sis},{login},A,""",
    "moodle": """\
Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be \
changed
Participant {participant},{full},{sis},{email},Submitted,,100.00,Yes""",
    "blind": """\
Identifier,Status,Grade,Maximum Grade,Grade can be changed
Participant {participant},,,100.00,Yes""",
    "blackboard": """\
Last Name,First Name,Username,Student ID,Lab [Total Pts: 100 Score] |12
{last},{first},{login},{student},""",
    "brightspace": """\
OrgDefinedId,Username,Last Name,First Name,Email,Lab Points Grade <Numeric \
MaxPoints:100>,End-of-Line Indicator
#{sis},#{login},{last},{first},{email},,#""",
    # Of an earlier version, which did not keep the kinds of numbers.
    "old": """\
student_id,last_name,first_name,email,numbers,participant
{student},{last},{first},{email},{of_no_kind},{participant}""",
    "classroom by id": """\
identifier,github_username,github_id,name
{student},{github},77,""",
    "classroom by name": """\
identifier,github_username,github_id,name
{typed},{github},77,Kim Smith""",
}


def list_of(people: list[Student], name: str) -> str:
    """Return a list; a teacher types no text twice into GitHub Classroom."""
    titles, row = LISTS[name].split("\n")
    names = [person["full"] for person in people]
    lines = [
        row.format(**p, typed=p["email" if names.count(p["full"]) > 1 else "full"])
        for p in people
    ]
    return "\n".join([titles, *lines, ""])


WITH_MARKS = ("canvas", "moodle", "blind", "blackboard", "brightspace")
WITHOUT_NAMES = {"blind", "classroom by id", "classroom by name"}


# Under which name each platform gives the work of a student.
DOWNLOADS = {
    "canvas": "{canvas_name}_{canvas}_880{canvas}_lab.ipynb",
    "moodle": "{full}_{participant}_assignsubmission_file/lab.ipynb",
    "blind": "Participant_{participant}_assignsubmission_file/lab.ipynb",
    "blackboard": "Lab 5_{login}_attempt_2026-11-24-22-30-00_lab.ipynb",
    "brightspace": "{brightspace}-9 - {full} - Nov 24, 2026 1030 PM/lab.ipynb",
    "classroom": "lab-submissions/lab-{github}/lab.ipynb",
    "teams": "Submitted files/{full}/Lab 5/Version 1/lab.ipynb",
    "names": "{full}/lab.ipynb",
    "sakai": "Lab/{last}, {first}({login})/lab.ipynb",
    "ilias": "Lab/{last}_{first}_{login}_{canvas}/lab.ipynb",
    "openolat": "{olat}/1_submissions/lab.ipynb",
}


# What a teacher may say of a list or a download, which is true.
SAME = {
    "classroom by id": ["roster identifier=student id"],
    "sakai": ["word=login"],
    "ilias": ["word=login"],
    "openolat": ["word=login"],
}


@st.composite
def classes(draw: st.DrawFn) -> list[Student]:
    """A class whose numbers are of the same small range in each kind."""
    size = draw(st.integers(2, 5))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=size, max_size=size))
    ranges = st.permutations([str(number) for number in range(1, size + 4)])
    numbers = [draw(ranges)[:size] for _ in KINDS]
    rows = zip(names, *numbers, strict=True)
    return [student(*name, *of_student) for name, *of_student in rows]


def name_kinds(
    roster: Roster,
    name: str,
    chance: random.Random,
) -> None:
    """Let the teacher say what the numbers of a list or a download are, or not."""
    if chance.random() < 0.5:
        for each in SAME.get(name, ()):
            roster.add_kind_alias(*each.split("="))


def import_list(roster: Roster, text: str) -> Roster:
    """Merge a list, then write and read the class list, as the commands do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        path.write_text(text)
        roster.merge(platforms.read_class_list(path))
        platforms.write_class_list(roster, path)
        return Roster(platforms.read_class_list(path))


def collect(files: dict[str, str], roster: Roster) -> list[tuple[Person, bytes]]:
    try:
        download = understand(files, roster)
    except CollectError:
        return []
    for submission in download.submissions:
        if not submission.found_by:
            roster.add(submission.person)
    return [(s.person, next(iter(s.files.values()))) for s in download.submissions]


def owners(person: Person, class_: list[Student]) -> set[int]:
    """Return whose numbers somebody of the class list has."""
    return {
        index
        for index, fields in enumerate(class_)
        for kind, value in person.identifiers
        if value == fields.get(kind.name.lower())
    }


@pytest.mark.slow
@given(
    classes(),
    # A list with everybody's name, at least: of a namesake in none nobody can know.
    st.lists(st.sampled_from(sorted(LISTS)), min_size=1, max_size=4).filter(
        lambda names: not WITHOUT_NAMES.issuperset(names)
    ),
    st.lists(st.sampled_from(sorted(DOWNLOADS)), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_nobody_s_work_is_ever_placed_under_somebody_else(
    class_: list[Student],
    lists: list[str],
    downloads: list[str],
    chance: random.Random,
) -> None:
    roster = Roster()
    for name in lists:
        name_kinds(roster, name, chance)
        rows = chance.sample(class_, len(class_))
        roster = import_list(roster, list_of(rows, name))
    for name in downloads:
        handed_in = chance.sample(class_, chance.randint(1, len(class_)))
        files: dict[str, str] = {
            DOWNLOADS[name].format(**s): str(class_.index(s)) for s in handed_in
        }
        name_kinds(roster, name, chance)
        for person, content in collect(files, roster):
            if owners(person, class_):  # else the class list has only a name
                assert owners(person, class_) == {int(content)}, (name, person)
    for person in roster.people:
        assert len(owners(person, class_)) <= 1, person
    scores = {
        person.student: float(owner)
        for person in roster.people
        for owner in owners(person, class_)
    }
    for name in WITH_MARKS:
        try:
            filled = fill(list_of(class_, name).encode(), "Lab", scores, 100.0, roster)
        except ExportError as error:  # it does not know the column, or asks
            assert "seem to be" in str(error) or name == "blind"
            continue
        table_rows = csv.DictReader(io.StringIO(filled.data.decode()))
        for index, row in enumerate(table_rows):
            assert float(row[filled.column] or index) == index, (name, row)


def on_github(handle: str) -> Identity:
    return Identity(identifiers=(Identifier(Kind.GITHUB, handle),))


def test_a_teacher_says_that_somebody_is_new_or_that_two_kinds_are_one() -> None:
    roster = Roster([member("7", "Okafor, Amara", "login=bo")])
    roster.answer("GitHub handle 7", "")
    assert roster.find(on_github("7")) == Match(matched_by="--as")
    assert roster.new_person(on_github("7")).student == "7-2"
    roster.add_kind_alias("GitHub handle", "login")
    assert roster.find(on_github("bo")).person == roster.people[0]


STRANGERS = """\
okafor_amara_2026_11_{0}.ipynb
Copy of Lab 5 ({0}).ipynb
team-{0}/lab.ipynb
foobar{0}_971{0}_8801{0}_lab.ipynb
Foo Bar{0}_971{0}_assignsubmission_file/lab.ipynb
1-9 - Foo{0} Bar - Nov 24, 2026 1030 PM/lab.ipynb
lab-submissions/lab-team-{0}/lab.ipynb
"""


@pytest.mark.parametrize("form", STRANGERS.splitlines())
def test_a_download_that_names_nobody_of_the_class_is_refused(
    form: str,
) -> None:
    with pytest.raises(CollectError, match="is in the class list"):
        understand({form.format(n): "x" for n in range(5)})
