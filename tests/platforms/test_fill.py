"""Marks into files exactly as platforms give them: only the cells of marks change."""

from math import nan

import pytest

from nbproctor.platforms import ExportError, FilledGradeFile, Roster, fill
from tests.platforms.people import people_of

PEOPLE = """\
aokafor; Okafor, Amara; login=aokafor email=ao@example.edu canvas=1042 \
    participant=1042 sis=900 student=900
bking; King, Jr., Bo; login=bking email=bk@example.edu canvas=1043 \
    participant=1043 sis=901 student=901
eve; =HYPERLINK("x"), Eve; login=eve email=eve@example.edu canvas=1044 \
    participant=1044 sis=902 student=902
nguyen; Nguyễn, Minh; login=nguyen email=mn@example.edu canvas=1045 \
    participant=1045 sis=903 student=903
pia; Ångström, Pia; login=pia email=pia@example.edu canvas=1046 \
    participant=1046 sis=904 student=904
"""
CLASS = Roster(people_of(PEOPLE))
SCORES = {
    "aokafor": 87.5,
    "bking": 100.0,
    "eve": 66.666,
    "nguyen": nan,
    "pia": 90.0,
}

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Intro (76),Neural Network (77),"
    "Assignments Current Score,Final Grade\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,10.00,100.00,(read only),(read only)\r\n"
    '"Okafor, Amara",1042,900,aokafor,A,9.50,,95.00,A\r\n'
    '"King, Jr., Bo",1043,901,bking,A,,80.00,,\r\n'
    '"=HYPERLINK(""x""), Eve",1044,902,eve,A,"7,5",,,\r\n'
    '"Nguyễn, Minh",1045,903,nguyen,A,,,,\r\n'
    '"Ångström, Pia",1046,904,pia,A,,EX,,\r\n'
    '"Gone, Long",1999,999,gone,A,,,,\r\n'
    '"Student, Test",1100,,9f2,A,,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,"
    "Grade can be changed,Last modified (submission),Last modified (grade),"
    "Feedback comments\n"
    'Participant 4711,"Amara Okafor",ao@example.edu,"Submitted for grading - ",,100.00,'
    'Yes,"Tuesday, 24 November 2026, 10:30 PM",-,""\n'
    'Participant 4712,"Bo King, Jr.",bk@example.edu,"Graded",80.00,100.00,Yes,-,'
    '"Tuesday, 24 November 2026, 11:30 PM","<p>Said ""well"",\nand more</p>"\n'
    "Participant 4713,Minh Nguyễn,mn@example.edu,No submission,,100.00,Yes,-,-,\n"
    "Participant 4714,Pia Ångström,pia@example.edu,Graded,50.00,100.00,No,-,-,\n"
)
GERMAN = (
    "\ufeffID,Vollständiger Name,ID-Nummer,E-Mail-Adresse,Status,Bewertung,"
    "Bestwertung,Bewertung kann geändert werden,Zuletzt geändert (Abgabe),"
    "Zuletzt geändert (Bewertung),Feedback als Kommentar\n"
    'Teilnehmer/in4711,Amara Okafor,900,ao@example.edu,Abgegeben,,"100,00",Ja,-,-,\n'
    'Teilnehmer/in4712,"Bo King, Jr.",901,bk@example.edu,Bewertet,"80,00","100,00",Ja,'
    "-,-,\n"
    'Teilnehmer/in4714,Pia Ångström,904,pia@example.edu,Bewertet,"50,00","100,00",'
    "Nein,-,-,\n"
)
SPANISH = (
    "Identificador,Nombre completo,Dirección de correo,Estado,Calificación,"
    "Calificación máxima,La calificación puede ser cambiada,"
    "Última modificación (entrega),Última modificación (calificación),"
    "Comentarios de retroalimentación\n"
    'Participante 4711,Amara Okafor,ao@example.edu,Enviado,,"100,00",Sí,-,-,\n'
    'Participante 4712,"Bo King, Jr.",bk@example.edu,Enviado,,"100,00",Sí,-,-,\n'
)
APART = (
    "LastName,FirstName,ID,SIS Login ID,Section,Neural Network (77)\r\n"
    "    Points Possible,,,,,100.00\r\n"
    "Okafor,Amara,1042,aokafor,A,\r\n"
    '"King, Jr.",Bo,1043,bking,A,80.00\r\n'
    "Ångström,Pia,1046,pia,A,N/A\r\n"
    "Student,Test,1100,9f2,A,\r\n"
)
BLACKBOARD = (
    '\ufeff"Last Name","First Name","Username","Student ID","Last Access",'
    '"Availability","Weighted Total [Total Pts: up to 100 Percentage] |9",'
    '"Neural Network [Total Pts: 100 Score] |12"\r\n'
    '"Okafor","Amara","aokafor","900","2026-11-24 22:30:00","Yes","",""\r\n'
    '"King, Jr.","Bo","bking","901","","Yes","","80"\r\n'
    '"=HYPERLINK(""x"")","Eve","eve","902","","Yes","","Needs Grading"\r\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Email,"
    "Neural Network Points Grade <Numeric MaxPoints:100>,End-of-Line Indicator\r\n"
    "#900,#aokafor,Okafor,Amara,ao@example.edu,,#\r\n"
    '#901,#bking,"King, Jr.",Bo,bk@example.edu,80,#\r\n'
    '#902,#eve,"=HYPERLINK(""x"")",Eve,eve@example.edu,,#\r\n'
)
BLIND = (
    "Identifier,Status,Grade,Maximum Grade,Grade can be changed\n"
    "Participant 1042,Submitted,,100.00,Yes\nParticipant 1043,Submitted,,100.00,Yes\n"
)


def filled(text: str, coding: str = "utf-8", **options: object) -> FilledGradeFile:
    return fill(
        text.encode(coding),
        "neural_network",
        SCORES,
        100.0,
        CLASS,
        **options,  # type: ignore[arg-type]
    )


def marks(result: FilledGradeFile) -> dict[str, str]:
    return {change.student: change.after for change in result.changes}


# A file, and the lines that get a mark: before, and after.
FILES = {
    "canvas": (
        CANVAS,
        """\
aokafor,A,9.50,,95.00,A → aokafor,A,9.50,87.50,95.00,A
bking,A,,80.00,, → bking,A,,100.00,,
eve,A,"7,5",,, → eve,A,"7,5",66.67,,""",
    ),
    "apart": (APART, "aokafor,A, → aokafor,A,87.50\nbking,A,80.00 → bking,A,100.00"),
    "blind": (
        BLIND,
        """\
1042,Submitted,,100.00 → 1042,Submitted,87.50,100.00
1043,Submitted,,100.00 → 1043,Submitted,100.00,100.00""",
    ),
    "moodle": (
        MOODLE,
        """\
"Submitted for grading - ",,100.00 → "Submitted for grading - ",87.50,100.00
"Graded",80.00,100.00 → "Graded",100.00,100.00""",
    ),
    "german": (
        GERMAN,
        """\
Abgegeben,,"100,00" → Abgegeben,"87,50","100,00"
Bewertet,"80,00","100,00" → Bewertet,"100,00","100,00\"""",
    ),
    "spanish": (
        SPANISH,
        """\
ao@example.edu,Enviado,,"100,00" → ao@example.edu,Enviado,"87,50","100,00"
bk@example.edu,Enviado,,"100,00" → bk@example.edu,Enviado,"100,00","100,00\"""",
    ),
    "blackboard": (
        BLACKBOARD,
        """\
22:30:00","Yes","","" → 22:30:00","Yes","","87.5"
"","Yes","","80" → "","Yes","","100"
"","Yes","","Needs Grading" → "","Yes","","66.67\"""",
    ),
    "brightspace": (
        BRIGHTSPACE,
        """\
ao@example.edu,,# → ao@example.edu,87.5,#
bk@example.edu,80,# → bk@example.edu,100,#
eve@example.edu,,# → eve@example.edu,66.67,#""",
    ),
    "with ids like words": (  # no worksheet of Moodle
        BRIGHTSPACE.replace("#90", "studentin90"),
        """\
ao@example.edu,,# → ao@example.edu,87.5,#
bk@example.edu,80,# → bk@example.edu,100,#
eve@example.edu,,# → eve@example.edu,66.67,#""",
    ),
}


@pytest.mark.parametrize(
    ("name", "coding"),
    [*((name, "utf-8") for name in FILES), ("apart", "utf-16"), ("apart", "cp1252")],
)
def test_only_the_marks_change_and_once(name: str, coding: str) -> None:
    """Byte for byte."""
    text, marked = FILES[name]
    expected = text
    for line in marked.splitlines():
        before, after = line.split(" → ")
        assert expected.count(before) == 1, line
        expected = expected.replace(before, after)
    result = filled(text, coding)
    assert result.data == expected.encode(coding)
    again = filled(expected, coding)
    assert not again.changes and again.unchanged == len(result.changes)
    assert again.data == result.data


GONE = '"Gone, Long",1999,999,gone'
AMARA = '"Okafor, Amara",1042,900,aokafor,A,9.50,,95.00,A\r\n'
LEFT = {
    "not graded": (CANVAS, "Nguyễn, Minh", "no mark: no notebook"),
    "excused": (CANVAS, "Ångström, Pia", "is excused (EX)"),
    "of no class": (CANVAS, "Gone, Long", "is not in this course"),
    "not assigned": (
        CANVAS.replace("EX", "N/A"),
        "Ångström, Pia",
        "has no such submission on the platform (N/A)",
    ),
    "locked": (MOODLE, "Ångström, Pia", "is locked on the platform"),
    "locked, in German": (GERMAN, "Ångström, Pia", "is locked on the platform"),
    "a zero that the platform gave": (
        CANVAS.replace("1045,903,nguyen,A,,,,", "1045,903,nguyen,A,,0.00,,"),
        "Nguyễn, Minh",
        "no mark: no notebook (the file says 0.00)",
    ),
    "another one's number": (  # one platform's may be another's of somebody else
        CANVAS.replace(GONE, GONE.replace("999", "900")).replace(AMARA, ""),
        "Gone, Long",
        "The SIS id belongs to Okafor, Amara (aokafor), but the name is different.",
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_who_gets_no_mark_is_said_and_the_row_stays(case: str) -> None:
    text, name, reason = LEFT[case]
    result = filled(text, reasons={"nguyen": "no notebook"})
    assert dict(result.skipped)[name] == reason
    written = "Pia Ångström" if name not in text else name  # with the first name first
    row = next(line for line in text.splitlines() if written in line)
    assert row in result.data.decode().splitlines()


def test_a_lower_mark_is_known_as_one() -> None:
    result = filled(CANVAS.replace("80.00", "100.50"))
    assert [c.student for c in result.changes if c.is_lower] == ["bking"]


def worth(points: str, mark: str) -> str:
    """Return Canvas's file for an assignment that is worth something else there."""
    return CANVAS.replace("100.00,(read", f"{points},(read").replace("80.00", mark)


FIVE = CANVAS.replace("Neural Network (77)", "Lab five (77)")
AGAIN = "#900,#aokafor,Okafor,Amara,ao@example.edu,,#\r\n"
REFUSED = [
    (worth("10.00", "8.00"), False, "worth 10 points there and 100 here"),
    (worth("0.00", "0.00"), True, "worth 0 points there and 100 here"),
    (FIVE, False, r"Intro \(76\)\n  Lab five \(77\)"),
    (BRIGHTSPACE + AGAIN, False, "Rows 2 and 5 both seem to be 'aokafor'"),
    ("", False, "The file is empty"),
    ("a,b\n1,2\n", False, "is not from Canvas"),
    ("Student,Mark\nx,1\n", False, "is not from Canvas"),
]


@pytest.mark.parametrize(("text", "scale", "reason"), REFUSED)
def test_what_is_unclear_is_refused(
    text: str,
    scale: bool,
    reason: str,
) -> None:
    with pytest.raises(ExportError, match=reason):
        filled(text, scale=scale)


def test_a_teacher_says_what_is_unclear() -> None:
    assert marks(filled(worth("10.00", "8.00"), scale=True))["aokafor"] == "8.75"
    assert filled(FIVE, column="five").column == "Lab five (77)"
    assert filled(FIVE, column="77").column == "Lab five (77)"
