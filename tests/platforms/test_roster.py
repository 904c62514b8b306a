"""Class lists as platforms export them."""

from pathlib import Path

import pytest

from nbproctor.platforms import (
    Identity,
    Person,
    Roster,
    read_class_list,
    read_groups,
)
from tests.platforms.people import member, people_of

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Lab (77)
    Points Possible,,,,,100.00
"Okafor, Amara",1042,S1,aokafor,A,
"King, Jr., Bo",1043,,bking@example.edu,A,EX
"=HYPERLINK(""x""), Eve",1044,S3,eve,A,
"Student, Test",1099,,9c1f,A,
"""
BLACKBOARD = (
    '\ufeff"Last Name","First Name","Username","Student ID","Lab [Total Pts: 100 Score]'
    ' |12"\n"Okafor","Amara","aokafor","900",""\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Email,Lab Points Grade <Numeric "
    "MaxPoints:100>,End-of-Line Indicator\n#900,#aokafor,Okafor,Amara,a@x.edu,,#\n"
)
GERMAN = (
    "Vorname;Nachname;Matrikelnummer;E-Mail-Adresse\nAmara;Müller;900;amara@x.edu\n"
)


def people(
    tmp_path: Path,
    text: str,
    coding: str = "utf-8",
) -> list[Person]:
    path = tmp_path / "class.csv"
    path.write_bytes(text.encode(coding))
    return read_class_list(path)


IN_CANVAS = """\
aokafor; Okafor, Amara; login=aokafor sis=S1 canvas=1042
bking@example.edu; King, Jr., Bo; login=bking@example.edu canvas=1043
eve; =HYPERLINK("x"), Eve; login=eve sis=S3 canvas=1044
"""
WORKSHEETS = [
    """\
Identificador,Nom complet,Adreça electrònica,Estat,Qualificació
Participant 4711,Amara Okafor,ao@x.edu,?,
Participant 4712,Bo King,bk@x.edu,?,
""",
    """\
識別子,フルネーム,メールアドレス,ステータス,評点
参加者4711,Amara Okafor,ao@x.edu,?,
参加者4712,Bo King,bk@x.edu,?,
""",
    """\
Идентификатор,Полное имя,Адрес электронной почты,Статус,Оценка
Участник4711,Amara Okafor,ao@x.edu,?,
Участник4712,Bo King,bk@x.edu,?,
""",
]
IN_WORKSHEET = """\
ao; Okafor, Amara; email=ao@x.edu participant=4711
bk; King, Bo; email=bk@x.edu participant=4712
"""
IN_BLACKBOARD = "900; Okafor, Amara; student=900 login=aokafor"


@pytest.mark.parametrize(
    ("text", "coding", "expected"),
    [
        (CANVAS, "utf-8", IN_CANVAS),
        (BLACKBOARD, "utf-8", IN_BLACKBOARD),
        (BLACKBOARD[1:].replace(",", "\t"), "utf-16", IN_BLACKBOARD),
        (
            BRIGHTSPACE,
            "utf-8",
            "aokafor; Okafor, Amara; login=aokafor sis=900 email=a@x.edu",
        ),
        (GERMAN, "cp1252", "900; Müller, Amara; sis=900 email=amara@x.edu"),
        (
            # No participant of Moodle, no doctor, and parted as `full_name` joins it.
            "login,name,surname,firstname\nstudent11,Amara Okafor,,Amara\n"
            'mdr,"al Rahman, Md."\njlee,Jo van Lee,van Lee,Jo\nking,"King, Jr."',
            "utf-8",
            "student11; Okafor, Amara; login=student11\n"
            "mdr; al Rahman, Md.; login=mdr\njlee; van Lee, Jo; login=jlee\n"
            "king; King, Jr.; login=king",
        ),
        (
            "Идентификатор,Статус,Оценка\nУчастник11,Да,\nУчастник12,Да,\n",
            "utf-8",
            "11; ; participant=11\n12; ; participant=12",
        ),
        *((text, "utf-8", IN_WORKSHEET) for text in WORKSHEETS),
        (
            "LastName,FirstName,ID\n    Points Possible,,\nOkafor,Amara,1042\n"
            ",Madonna,1043\nStudent,Test,1099\n",
            "utf-8",
            "1042; Okafor, Amara; canvas=1042\n1043; , Madonna; canvas=1043",
        ),
    ],
)
def test_each_list_names_its_people(
    tmp_path: Path,
    text: str,
    coding: str,
    expected: str,
) -> None:
    assert people(tmp_path, text, coding) == people_of(expected)


CANVAS_GROUPS = """\
name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id
"Okafor, Amara",1042,S1,aokafor,A,Team Blue,7,
"King, Jr., Bo",1043,,bking@example.edu,A,Team Blue,7,
"=HYPERLINK(""x""), Eve",1044,S3,eve,A,,,
"""


@pytest.mark.parametrize(
    "text",
    [CANVAS_GROUPS, "group,student\nTeam Blue,aokafor\nTeam Blue,Bo King\n-,eve\n"],
)
def test_a_list_of_groups(tmp_path: Path, text: str) -> None:
    roster = Roster(people(tmp_path, CANVAS))
    (tmp_path / "groups.csv").write_text(text)
    groups = read_groups(tmp_path / "groups.csv", roster)
    assert groups == {"Team Blue": roster.people[:2]}


KIMS = {
    "smith": member("s1", "Smith, Kim", "login=s1"),
    "namesake": member("s2", "Smith, Kim", "login=s2"),
    "address": member("4711", "Smith, Kim", "email=k@x.edu sis=4711"),
    "other": member("s1", "Smith, Kim", "email=other@x.edu"),
}


# Two lists of them, and how many are added, changed, and asked for.
MERGES = """\
- smith,namesake 2 0 0 of one list: two people
smith,namesake namesake,smith 0 0 0
smith smith,namesake 1 0 0
smith namesake,smith 1 0 0
smith namesake 0 0 1 another login: it may be another one
other address 0 0 1
smith address,other 0 0 2 who of the two is it?
smith address 0 1 0 of two platforms: one person
"""


@pytest.mark.parametrize("line", MERGES.splitlines())
def test_namesakes_stay_apart_and_lists_of_two_platforms_meet(line: str) -> None:
    before, more, *counts = line.split()[:5]
    persons = [KIMS[name] for name in before.split(",") if name in KIMS]
    roster = Roster([*persons])
    result = roster.merge([KIMS[name] for name in more.split(",")])
    added, changed, questions = map(int, counts)
    assert (len(result.new), len(result.changed)) == (added, changed)
    assert len(result.questions) == questions
    # Nobody is taken for those who are asked about: they stay without an id.
    assert len(roster.people) == len(roster.students) + questions
    assert len({person.student for person in roster.students}) == len(persons) + added
    if changed:
        merged = member("s1", "Smith, Kim", "login=s1 sis=4711 email=k@x.edu")
        assert roster.people == [merged]


def test_a_new_name_is_taken_by_an_identifier_and_the_one_before_stays_known() -> None:
    """Of a row without an identifier of the student's, the name is only another one."""
    roster = Roster([member("s1", "Okafor, Amara", "sis=S1 login=ao")])
    for row, shown, other in (
        (member("", "King, Mo", "sis=S1 canvas=42"), "King, Mo", "Okafor, Amara"),
        (member("", "mo, the one", "github=mo"), "King, Mo", "mo, the one"),
        (member("", "mo, the one", "github=mo"), "King, Mo", "Okafor, Amara"),
    ):
        roster.answer(str(row.identifiers[0]), "s1")
        assert not roster.merge([row]).questions
        assert roster.labels == {"s1": shown}
        assert roster.find(Identity(other)).person == roster.people[0]


def test_who_was_asked_about_is_known_by_the_answer() -> None:
    """Without an identifier of the student's, another name is not shown."""
    roster = Roster([member("s1", "Okafor, Amara", "sis=S1")])
    unclear = member("", "King, Mo", "sis=S1")
    assert roster.merge([unclear]).questions
    roster.merge([member("", "Okafor, Amara", "sis=S1")])
    assert roster.people == roster.students
    roster.merge([unclear])
    roster.add_identity(roster.students[0], unclear.identity)
    roster.answer("GitHub handle mo", "s1")
    for _ in range(2):
        roster.merge([member("", "mo, the one", "github=mo")])
        assert roster.labels == {"s1": "Okafor, Amara"}
