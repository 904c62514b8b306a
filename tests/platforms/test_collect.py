"""Downloads as platforms make them, whole and broken, into a folder of submissions."""

import random
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.utils import parse_utc

from nbproctor import platforms
from nbproctor.platforms import CollectError, Roster
from nbproctor.platforms.download import CollectedSubmission
from tests.platforms.downloads import (
    CLASS,
    Files,
    nested,
    problems_of,
    texts,
    understand,
    zipped,
)
from tests.platforms.people import member, people_of

KINDS = [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]

# --- platforms --------------------------------------------------------------------

MOODLE = "_assignsubmission_file/lab.ipynb"
# Groups may be called like somebody's number, too.
GROUPS = dict.fromkeys(["Team 11", "-", "4711", "Kim Smith"], CLASS.people[2:3])
GROUPS["Team 1"] = CLASS.people[:2]
# A download: its platform, and a message; lines with + are its class list, if it has
# one of its own. Each file: path | content, if that matters → where it is collected.
FILE = re.compile(r"(.*?)(?: [|] (.*?))?(?: → (.*))?$")
DOWNLOADS = """
= Canvas:
okaforamara_1042_88031_lab.ipynb → aokafor/lab.ipynb
okaforamara_1042_88032_data.csv → aokafor/data.csv
kingjrbo_LATE_1043_88033_lab-2.ipynb → bking/lab.ipynb

= Canvas: Text was typed in (text.html). If it is not a notebook
nguyễnminh_1044_text.html → nguyen/text.html

= Moodle: Text was typed in (onlinetext.html). If
Amara Okafor_9_assignsubmission_onlinetext/onlinetext.html → aokafor/onlinetext.html

= Canvas: text.html
okaforamara_1042_88031_lab.ipynb → aokafor/lab.ipynb
okaforamara_1042_text.html

= Canvas: The older one is now called lab (2).ipynb
okaforamara_1042_9_lab.ipynb → aokafor/lab (2).ipynb
okaforamara_1042_10_lab-1.ipynb → aokafor/lab.ipynb

= Moodle:
Amara Okafor_9_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb
Minh Nguyen_8_assignsubmission_file/lab.ipynb → nguyen/lab.ipynb
Bo King, Jr._7_assignsubmission_file/lab.ipynb → bking/lab.ipynb
Teilnehmerin_1050_assignsubmission_file/lab.ipynb → s1/lab.ipynb

= Moodle: This may be Smith, Kim (s1) and Smith, Kim (s2).
Kim Smith_1_assignsubmission_file/lab.ipynb

= Moodle: 2 submissions in the download seem to be by 'aokafor'
Amara Okafor_1_assignsubmission_file/lab.ipynb
Amara Okafor_2_assignsubmission_file/lab.ipynb

= Moodle: Zoë New: Not in the class list. Collected as '77'.
Amara Okafor_9_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb
Zoë New_77_assignsubmission_file/lab.ipynb → 77/lab.ipynb

= Moodle: Collected as '78'.
Uczestnik_4711_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb
Uczestnik_78_assignsubmission_file/lab.ipynb → 78/lab.ipynb

= Brightspace: The newest of 2
index.html
1042-9 - Amara Okafor - Nov 23, 2026 1030 PM/lab.ipynb
1042-9 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb → aokafor/lab.ipynb
7-9 - Bo King, Jr. - Nov 24, 2026 1230 AM - lab.ipynb → bking/lab.ipynb

= Brightspace: typed in or saved as a page (Text.html). If
7-9 - Bo King, Jr. - Nov 24, 2026 1030 PM/Text.html → bking/Text.html

= Brightspace:
1042-9 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb → aokafor/lab.ipynb
1042-9 - Minh Nguyen - Nov 24, 2026 1030 PM/lab.ipynb → nguyen/lab.ipynb
1042-9 - Bo King, Jr. - Nov 24, 2026 1030 PM/lab.ipynb → bking/lab.ipynb

= Teams: The newest of 3
Submitted files/Amara Okafor/Lab 5/Version 9/lab.ipynb
Submitted files/Amara Okafor/Lab 5/Version 10/lab.ipynb → aokafor/lab.ipynb
Submitted files/Amara Okafor/Lab 5/Version 1/lab.ipynb

= probably OpenOlat: solutions/lab.ipynb: OpenOlat does not use such
ita_Lab/King_Jr_Bo_bking/1_task/lab.ipynb
ita_Lab/Okafor_Amara_aokafor/1_task/lab.ipynb
ita_Lab/Okafor_Amara_aokafor/2_submissions/lab.ipynb
ita_Lab/Okafor_Amara_aokafor/3_corrections/lab.ipynb
ita_Lab/Okafor_Amara_aokafor/4_revisions_1/lab.ipynb → aokafor/lab.ipynb
ita_Lab/Okafor_Amara_aokafor/5_corrections_1/lab.ipynb
ita_Lab/solutions/lab.ipynb

= plain files: lab.ipynb: The name does not say who submitted this.
aokafor_lab.ipynb → aokafor/aokafor_lab.ipynb
lab.ipynb

= plain files:
Lab 5/Amara Okafor - Copy of lab.ipynb → aokafor/Amara Okafor - Copy of lab.ipynb
Lab 5/Minh Nguyen - lab.ipynb → nguyen/Minh Nguyen - lab.ipynb

= plain files: Section A: The files in it name students (King, Jr., Bo;
Section A/Amara Okafor.ipynb
Section A/Bo King.ipynb
Section B/Minh Nguyen.ipynb
Section B/x.csv

= Moodle: belongs to Okafor, Amara (aokafor), but the name is different. Skipped.
Team Green_4711_assignsubmission_file/lab.ipynb

= Moodle: belongs to Okafor, Amara (aokafor), but the name is different. Skipped.
Amara Okafor_4711_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb
Team Green_4711_assignsubmission_file/lab.ipynb

= Moodle: belongs to Okafor, Amara (aokafor), but the name is different. Skipped.
Minh Nguyen_4711_assignsubmission_file/lab.ipynb

= probably Moodle: readme.txt: Moodle does not use such
Group A-Amara Okafor_4711_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb
readme.txt

= Moodle:
Amara Jane Okafor_4711_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb

= Moodle: belongs to Okafor, Amara (aokafor), but the name is different. Skipped.
Amara_4711_assignsubmission_file/lab.ipynb

= Canvas: belongs to Okafor, Amara (aokafor), but the name is different. Skipped.
teamgreen_1042_88031_lab.ipynb

= Canvas:
okaforamarajane_1042_88031_lab.ipynb → aokafor/lab.ipynb

= Canvas: Not in the class list. Collected as 'anon_4711'.
anon_4711_88031_lab.ipynb → anon_4711/lab.ipynb

= probably Brightspace: readme.txt: Brightspace does not use such
1042-9 - Bo King, Jr. - Nov 23, 2026 1030 PM/lab.ipynb → bking/lab.ipynb
readme.txt

= Moodle: The Moodle participant belongs to Lee (lee), but the name is different.
+ lee; Lee; participant=1060
Bruce Lee_1060_assignsubmission_file/lab.ipynb

= Moodle: The Moodle participant belongs to Lee (lee), but the name is different.
+ lee; Lee; participant=1060
Lee Ann_1060_assignsubmission_file/lab.ipynb

= Moodle: The Moodle participant belongs to Lee (lee), but the name is different.
+ lee; Lee; participant=1060
Ann-Lee Kim_1060_assignsubmission_file/lab.ipynb

= Moodle:
+ lee; Lee; participant=1060
Lee_1060_assignsubmission_file/lab.ipynb → lee/lab.ipynb

= plain files:
aokafor/lab.ipynb → aokafor/lab.ipynb
aokafor/a.csv → aokafor/a.csv
aokafor/b/c.csv → aokafor/b/c.csv

= plain files:
Okafor, Amara/lab.ipynb → aokafor/lab.ipynb
Okafor, Amara/a.csv → aokafor/a.csv
Okafor, Amara/b/c.csv → aokafor/b/c.csv

= plain files:
+
Okafor, Amara/lab.ipynb → Okafor, Amara/lab.ipynb
Okafor, Amara/b/c.csv → Okafor, Amara/b/c.csv

= plain files: The name does not say who submitted this.
+
Copy of Lab 5 (1).ipynb
Copy of Lab 5 (2).ipynb
Copy of Lab 5 (3).ipynb

= Blackboard: No student has this identifier, but it looks like one of 1 (1).
+ 1; ; login=b
Lab_5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb

= Blackboard: Not in the class list. Collected as 'z_b'.
+ 1; ; login=b
+ 2; ; login=aokafor
Lab 5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb → z_b/lab.ipynb
Lab 5_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb → 2/lab.ipynb

= Canvas:
+ 1; de la Cruz, Ann; canvas=1042
+ 2; Blue, Team; canvas=1043
de_la_cruzann_1042_88031_my_lab_2.ipynb → 1/my_lab_2.ipynb
de_la_cruzann_LATE_1042_88032_lab.ipynb → 1/lab.ipynb
team_blue_1043_88031_7_8_lab-1.ipynb → 2/7_8_lab-1.ipynb

= Canvas:
aokafor_1042_5_lab.ipynb → aokafor/lab.ipynb
aokafor_1042_5_kingjrbo_1043_6_lab.ipynb → aokafor/kingjrbo_1043_6_lab.ipynb
kingjrbo_1043_6_lab.ipynb → bking/lab.ipynb

= Moodle:
Amara Okafor_1042_assignsubmission_file_lab.ipynb → aokafor/lab.ipynb
Amara Okafor_1042_assignsubmission_file_Bo King, Jr._1043_assignsubmission_file_lab.\
ipynb → aokafor/Bo King, Jr._1043_assignsubmission_file_lab.ipynb
Bo King, Jr._1043_assignsubmission_file_lab.ipynb → bking/lab.ipynb

= Blackboard:
Lab_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb → aokafor/lab.ipynb
Lab_aokafor_attempt_2026-11-24-22-30-00_Lab_bking_attempt_2027-11-24-23-30-00_lab.\
ipynb → aokafor/Lab_bking_attempt_2027-11-24-23-30-00_lab.ipynb
Lab_bking_attempt_2026-11-24-23-30-00_lab.ipynb → bking/lab.ipynb

= Brightspace:
1042-8 - Amara Okafor - Nov 24, 2026 1030 PM - lab.ipynb → aokafor/lab.ipynb
1042-8 - Amara Okafor - Nov 24, 2026 1030 PM - 1043-9 - Bo King, Jr. - \
Nov 24, 2027 1130 PM - lab.ipynb → \
aokafor/1043-9 - Bo King, Jr. - Nov 24, 2027 1130 PM - lab.ipynb
1043-9 - Bo King, Jr. - Nov 24, 2026 1130 PM - lab.ipynb → bking/lab.ipynb

= plain files:
aokafor/kingjrbo_1043_9001_lab1.ipynb → aokafor/kingjrbo_1043_9001_lab1.ipynb
aokafor/kingjrbo_1043_9001_lab2.ipynb → aokafor/kingjrbo_1043_9001_lab2.ipynb
bking/lab.ipynb → bking/lab.ipynb

= plain files:
aokafor/more/kingjrbo_1043_9001_lab1.ipynb → \
aokafor/more/kingjrbo_1043_9001_lab1.ipynb
aokafor/more/kingjrbo_1043_9001_lab2.ipynb → \
aokafor/more/kingjrbo_1043_9001_lab2.ipynb
aokafor/more/kingjrbo_1043_9001_lab3.ipynb → \
aokafor/more/kingjrbo_1043_9001_lab3.ipynb
bking/lab.ipynb → bking/lab.ipynb
nguyen/lab.ipynb → nguyen/lab.ipynb

= plain files:
aokafor/Bo King, Jr._4712_assignsubmission_file/lab1.ipynb → \
aokafor/Bo King, Jr._4712_assignsubmission_file/lab1.ipynb
aokafor/Bo King, Jr._4712_assignsubmission_file/lab2.ipynb → \
aokafor/Bo King, Jr._4712_assignsubmission_file/lab2.ipynb
bking/lab.ipynb → bking/lab.ipynb

= plain files:
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab1.ipynb → \
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab1.ipynb
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab2.ipynb → \
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab2.ipynb
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab3.ipynb → \
aokafor/more/Bo King, Jr._4712_assignsubmission_file/lab3.ipynb
bking/lab.ipynb → bking/lab.ipynb
nguyen/lab.ipynb → nguyen/lab.ipynb

= Blackboard: The newest of 2 attempts was collected.
+ aokafor; Okafor, Amara; login=z_b
Lab 5_z_b_attempt_2026-11-23-22-30-00.txt | Name: Amara Okafor (z_b)
Lab 5_z_b_attempt_2026-11-23-22-30-00_lab.ipynb
Lab 5_z_b_attempt_2026-11-24-22-30-00.txt | Name: Amara Okafor (z_b)
Lab 5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb → aokafor/lab.ipynb

= Blackboard: The newest attempt contains no file, so the one before it was collected.
+ aokafor; Okafor, Amara; login=z_b
Lab 5_z_b_attempt_2026-11-24-22-30-00.txt | Name: Amara Okafor (z_b)
Lab 5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb → aokafor/lab.ipynb
Lab 5_z_b_attempt_2026-11-25-22-30-00.txt | Name: Amara Okafor (z_b)

= Blackboard: this belongs to Okafor, Amara (aokafor), who has another login.
+ aokafor; Okafor, Amara; login=aokafor student=z_b
Lab 5_z_b_attempt_2026-11-24-22-30-00.txt | Name: Amara Okafor (z_b)
Lab 5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb

= Blackboard:
+
Lab 5_z_b_attempt_2026-11-24-22-30-00.txt | Name: Amara Okafor (z_b)
Lab 5_z_b_attempt_2026-11-24-22-30-00_lab.ipynb → z_b/lab.ipynb

= plain files:
Classroom/Course A/Lab 5/aokafor/lab/lab.ipynb → aokafor/lab.ipynb
Classroom/Course A/Lab 5/bking@example.edu.ipynb → bking/bking@example.edu.ipynb
Classroom/Course A/Lab 5/Minh Nguyen/lab.ipynb → nguyen/lab.ipynb

= plain files:
+
Lab 5/aokafor.ipynb → aokafor/aokafor.ipynb
Lab 5/bking@example.edu.ipynb → bking@example.edu/bking@example.edu.ipynb
Lab 5/Minh Nguyen.ipynb → Minh Nguyen/Minh Nguyen.ipynb

= plain files:
+
aokafor - lab.ipynb → aokafor/aokafor - lab.ipynb
Minh Nguyen - lab.ipynb → Minh Nguyen/Minh Nguyen - lab.ipynb

= plain files:
+ 3; Madonna
Madonna/lab.ipynb → 3/lab.ipynb

= Blackboard: No student has this identifier, but it looks like one of 1 (1) and 2 (2).
+ 1; ; email=kim@x.edu
+ 2; ; email=kim@y.edu
Lab_kim_attempt_2026-11-24-22-30-00_lab.ipynb

= plain files:
+ 20260013; Okafor, Amara; login=aok
Okafor, Amara (20260013)/lab.ipynb → 20260013/lab.ipynb

= plain files:
+ 20260013; Okafor, Amara; login=aok
20260013 Amara Okafor/lab.ipynb → 20260013/lab.ipynb

= plain files:
+ 20260013; Okafor, Amara; login=aok
+ 3; Madonna
+ 20260015; Müller-Groß, Séan; login=a.m-8
Okafor_Amara_aok_4711/lab.ipynb → 20260013/lab.ipynb
Madonna (3)/lab.ipynb → 3/lab.ipynb
MuellerGross_Sean_am8/lab.ipynb → 20260015/lab.ipynb

= plain files: King, Bo (20260013): No student has this identifier, but it looks
+ 20260013; Okafor, Amara; login=aok
+ 20260014; King, Bo; login=bo
King, Bo (20260013)/lab.ipynb

= plain files: Amara (20260013): No student has this identifier, but it looks
+ 20260013; Okafor, Amara; login=aok
Amara (20260013)/lab.ipynb

= plain files: Okafor, Amara Jane (20260013): No student has this identifier, but
+ 20260013; Okafor, Amara; login=aok
Okafor, Amara Jane (20260013)/lab.ipynb

= plain files: Okafor, Amara (20260014): No student has this identifier, but it looks
+ 20260013; Okafor, Amara; login=aok
+ 20260014; King, Bo; login=bo
Okafor, Amara (20260014)/lab.ipynb

= plain files: Madonna (20260013): No student has this identifier, but it looks
+ 20260013; Okafor, Amara; login=aok
+ 3; Madonna
Madonna (20260013)/lab.ipynb

= Canvas:
week 5.zip/group1.zip/okaforamara_1042_1_lab.ipynb → aokafor/lab.ipynb
week 5.zip/group2.zip/kingjrbo_1043_2_lab.ipynb → bking/lab.ipynb

= plain files:
bking.zip/lab.ipynb → bking/lab.ipynb
bking.zip/data/x.csv → bking/data/x.csv
aokafor.ipynb → aokafor/aokafor.ipynb

= plain files:
aokafor/lab.zip/kingjrbo_1043_9001_lab.ipynb → aokafor/kingjrbo_1043_9001_lab.ipynb
bking/lab.ipynb → bking/lab.ipynb

= plain files:
Class/aokafor/lab.zip/kingjrbo_1043_9001_lab.ipynb → \
aokafor/kingjrbo_1043_9001_lab.ipynb
Class/bking/lab.ipynb → bking/lab.ipynb

= plain files:
aokafor.zip/Bo King, Jr._4712_assignsubmission_file/lab.ipynb → \
aokafor/Bo King, Jr._4712_assignsubmission_file/lab.ipynb
bking.zip/lab.ipynb → bking/lab.ipynb

= plain files:
Class/aokafor.zip/Bo King, Jr._4712_assignsubmission_file/lab.ipynb → \
aokafor/Bo King, Jr._4712_assignsubmission_file/lab.ipynb
Class/bking.zip/lab.ipynb → bking/lab.ipynb

= plain files:
aokafor/lab.zip/lab/lab.ipynb → aokafor/lab/lab.ipynb
aokafor/lab.zip/lab/env.csv → aokafor/lab/env.csv
aokafor/lab.zip/lab/.venv/lib/site.py
aokafor/lab.zip/lab/env/lib/site.py
aokafor/lab.zip/lab/env/pyvenv.cfg
aokafor/lab.zip/lab/__pycache__/lib/site.py
aokafor/lab.zip/lab/.DS_Store
aokafor/lab.zip/__MACOSX/x
aokafor/lab.zip/
bking/lab.ipynb → bking/lab.ipynb

= plain files: lab (2).ipynb
aokafor/a:b?.ipynb → aokafor/a_b_.ipynb
aokafor/con.txt → aokafor/_con.txt
aokafor/Lab.ipynb → aokafor/Lab.ipynb
aokafor/lab.ipynb → aokafor/lab (2).ipynb

= Canvas:
aokafor_1042_4_lab.ipynb → aokafor/lab.ipynb
aokafor_1042_5_timestamp.txt → aokafor/handed-in-timestamp.txt

= Canvas:
aokafor_1042_4_lab.ipynb → aokafor/lab.ipynb
aokafor_1042_5_TimeStamp.TXT → aokafor/handed-in-TimeStamp.TXT

= Canvas:
aokafor_1042_4_lab.ipynb → aokafor/lab.ipynb
aokafor_1042_5_w.zip/timestamp.txt → aokafor/handed-in-timestamp.txt

= plain files: Smith, Kim; Smith, Kim: They submitted exactly the same file.
k1@example.edu/lab.ipynb | x → s1/lab.ipynb
k2@example.edu/lab.ipynb | x → s2/lab.ipynb

= plain files:
aokafor/lab.ipynb | x → aokafor/lab.ipynb
aokafor/before/lab.ipynb | x → aokafor/before/lab.ipynb
bking/lab.ipynb | x → bking/lab.ipynb

= Canvas: smithkim: This may be Smith, Kim (s1) and Smith, Kim (s2).
smithkim_12_88031_lab.ipynb

= Canvas: team1: The Canvas id belongs to Nguyễn, Minh (nguyen)
team1_1044_88031_lab.ipynb

= Blackboard:
Lab_Team 1_attempt_2026-11-24-22-30-00_lab.ipynb → aokafor/lab.ipynb & bking/lab.ipynb
Lab_Team 11_attempt_2026-11-24-22-30-00_lab.ipynb → nguyen/lab.ipynb

= GitHub Classroom:
+ aokafor; Okafor, Amara; github=amara-ok login=king
+ bking; King, Jr., Bo; github=king
lab-submissions/lab-amara-ok/lab.ipynb → aokafor/lab.ipynb
lab-submissions/lab-king/lab.ipynb → bking/lab.ipynb

= GitHub Classroom:
lab-submissions/lab-team-1/lab.ipynb → aokafor/lab.ipynb & bking/lab.ipynb
lab-submissions/lab-team-11/lab.ipynb → nguyen/lab.ipynb

= Moodle:
Team 1_171_assignsubmission_file/lab.ipynb → aokafor/lab.ipynb & bking/lab.ipynb
Team 11_1711_assignsubmission_file/lab.ipynb → nguyen/lab.ipynb

= Canvas:
team1_11_88031_lab.ipynb → aokafor/lab.ipynb & bking/lab.ipynb
team11_111_88031_lab.ipynb → nguyen/lab.ipynb
"""


@pytest.mark.parametrize("case", DOWNLOADS.split("\n= ")[1:])
def test_each_file_is_found_to_be_whose_it_is(case: str) -> None:
    head, *lines = case.strip().splitlines()
    platform, _, message = head.partition(":")
    members = [line.lstrip("+ ") for line in lines if line.startswith("+")]
    files = [FILE.findall(line)[0] for line in lines if not line.startswith("+")]
    roster = Roster(people_of("\n".join(members))) if members else CLASS
    content = {path: text or path for path, text, _ in files}
    plan = understand(nested(content), roster, groups=GROUPS)
    assert str(plan.recognised).startswith(f"Read as: {platform} (")
    collected = {
        f"{student}/{file}": text
        for student, of_student in texts(plan).items()
        for file, text in of_student.items()
    }
    assert collected == {
        owner: content[path]
        for path, _, owners in files
        for owner in filter(None, owners.split(" & "))
    }
    assert not any("2027" in str(s.submitted) for s in plan.submissions)
    notes = [*plan.problems, *(note for s in plan.submissions for note in s.notes)]
    assert any(message.strip() in line for line in notes) if message else not notes


METADATA = """\
submission_1:
  :submitters:
  - :name: Amara Okafor
    :sid: '1042'
    :email: a.okafor@example.edu
  - :name: Bo King
    :sid:
    :email: bking@example.edu
  :created_at: 2026-11-24 21:30:17.104543000 Z
  :score: 0.0
submission_2:
  :submitters:
  - :name: Minh Nguyen
    :sid: '1044'
    :email: unknown@example.edu
"""


def test_gradescope_s_list_says_whose_a_folder_is() -> None:
    forged = METADATA.replace("Amara Okafor", "Kim Smith")
    plan = understand(
        {
            "export/submission_1/lab.ipynb": "1",
            "export/submission_2/lab.ipynb": "2",
            "export/submission_2/submission_metadata.yml": forged,
            "export/submission_metadata.yml": METADATA,
            "notes.txt": "",
        }
    )
    assert plan.recognised.platform.name == "Gradescope"
    assert problems_of(plan).startswith("notes.txt: Gradescope does not use such")
    assert texts(plan) == {
        "aokafor": {"lab.ipynb": "1"},
        "bking": {"lab.ipynb": "1"},
        "nguyen": {"lab.ipynb": "2", "submission_metadata.yml": forged},
    }
    first, _, last = plan.submissions
    assert (first.group, last.group) == ("Amara Okafor and Bo King", "")
    assert f"{first.submitted:%d %H:%M %z}" == "24 21:30 +0000"


# --- people -----------------------------------------------------------------------


def found_by(files: Files, roster: Roster) -> dict[str, str]:
    """Return how each student of a download was recognised."""
    download = understand(files, roster)
    return {each.person.student: each.found_by for each in download.submissions}


# What a teacher says of a file of a download, and how that is recognised later.
ANSWERS = """\
kim  SMITH | Kim Smith_9_assignsubmission_file/lab.ipynb | Moodle participant
Moodle participant 9 | Kim Smith_9_assignsubmission_file/lab.ipynb | Moodle participant
Moodle participant 77 | Evi Sum_77_assignsubmission_file/lab.ipynb | Moodle participant
Nobody | Nobody.ipynb, readme.ipynb | name
Kim Smith | Kim Smith.ipynb, aokafor.ipynb | nothing: s1 has that name
"""


@pytest.mark.parametrize("row", ANSWERS.splitlines())
def test_what_a_teacher_says_is_kept_in_the_class_list(
    tmp_path: Path, row: str
) -> None:
    text, paths, later = row.split(" | ")
    roster = Roster(list(CLASS.people))
    roster.answer(text, "k2@example.edu")
    files = dict.fromkeys(paths.split(", "), "")
    assert found_by(files, roster)["s2"] == "--as"
    platforms.write_class_list(roster, tmp_path / "kept.csv")
    class_list = Roster(platforms.read_class_list(tmp_path / "kept.csv"))
    assert found_by(files, class_list).get("s2", "nothing") == later.partition(":")[0]


def test_a_number_is_said_with_its_kind() -> None:
    """It may be another number in a class list that is imported with the download."""
    roster = Roster(list(CLASS.people))
    roster.answer("77", "aokafor")
    result = roster.merge([member("new", "New, Eve", "student=77")])
    download = understand({f"Evi Sum_77{MOODLE}": ""}, roster)
    assert not download.submissions
    for line in (*result.questions, problems_of(download)):
        assert "--as does not say the kind" in line
    assert '--as "Moodle participant 77=…"' in problems_of(download)


# --- archives that are broken, or meant to harm -----------------------------------


BAD = "aokafor/lab.ipynb"


def named(name: str) -> bytes:
    return zipped({name: "evil", "bking/lab.ipynb": "good"})


def listed(
    offset: int,
    value: int,
    form: str = "<B",
) -> bytes:
    """Say something else of the first file in the archive's list."""
    data = bytearray(zipped({BAD: "x" * 5000, "bking/lab.ipynb": "good"}))
    struct.pack_into(form, data, data.index(b"PK\x01\x02") + offset, value)
    return bytes(data)


def damaged(compression: int) -> bytes:
    files: Files = {BAD: random.Random(1).randbytes(5000), "bking/lab.ipynb": "good"}
    data = bytearray(zipped(files, compression))
    start = 30 + len(BAD) + 8
    data[start : start + 1992] = bytes(1992)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (named("../../aokafor/lab.ipynb"), "points outside the archive"),
        (named("/etc/aokafor/lab.ipynb"), "points outside the archive"),
        (named("C:/aokafor/lab.ipynb"), "points outside the archive"),
        (named("aokafor\\..\\..\\lab.ipynb"), "points outside the archive"),
        (named("aokafor/la\nb.ipynb"), "control characters"),
        (named(f"../{'x' * 9000}"), "points outside the archive"),
        (listed(38, 0o120777 << 16, "<I"), "It is a link."),  # its permissions
        (
            zipped({BAD: bytes(12_000_000), "bking/lab.ipynb": "good"}),
            "bytes would unpack to 12 MB. Not unpacked.",
        ),
        (listed(24, 100, "<I"), f"{BAD}: It cannot be unpacked"),  # a size that lies
        (listed(8, 1), "protected by a password"),
        *((damaged(kind), f"{BAD}: It cannot be unpacked") for kind in KINDS),
    ],
)
def test_a_bad_file_is_said_and_leaves_the_others(data: bytes, reason: str) -> None:
    plan = understand(data)
    assert texts(plan) == {"bking": {"lab.ipynb": "good"}}
    assert reason in problems_of(plan)
    assert all(line.isprintable() and len(line) < 500 for line in plan.problems)


def test_a_zip_bomb_of_a_student_stays_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"lab.ipynb": bytes(12_000_000)})
    plan = understand({"aokafor/lab.zip": bomb, "bking/lab.ipynb": "good"})
    assert [str(p) for p in plan.submissions[0].files] == ["lab.zip"]
    assert "would unpack to 12 MB" in problems_of(plan)
    monkeypatch.setattr("nbproctor.platforms.archive.MAX_TOTAL", 1 << 20)
    with pytest.raises(CollectError, match="Nothing was unpacked"):
        understand(bomb)


@pytest.mark.parametrize(
    ("path", "coding", "student"),
    [
        # Without the flag, as macOS writes it, and in the format's own coding.
        ("Minh Nguyễn_1", "utf-8", "Nguyễn, Minh"),
        ("José Núñez_1", "cp437", "Núñez, José"),
    ],
)
def test_names_in_two_codings_are_read(path: str, coding: str, student: str) -> None:
    coded = f"{path}{MOODLE}".encode(coding)
    twin = "J" * len(coded)
    data = zipped({twin: "x"}).replace(twin.encode(), coded)
    assert [*texts(understand(data, Roster([member("jn", student)])))] == ["jn"]


# --- writing ----------------------------------------------------------------------


Put = Callable[..., dict[str, CollectedSubmission]]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(
        files: Files, times: Mapping[str, str] = {}, **options: bool
    ) -> dict[str, CollectedSubmission]:
        download = understand(files, times=times)
        platforms.write(
            download,
            lambda student: tmp_path / "submitted" / student / "lab",
            tmp_path / "collected",
            "submissions.zip",
            **options,
        )
        return {s.person.student: s for s in download.submissions}

    return write


def read(tmp_path: Path) -> str:
    return (tmp_path / "submitted/aokafor/lab/lab.ipynb").read_text()


def canvas(attachment: int, text: str) -> Files:
    return {f"okaforamara_1042_{attachment}_lab.ipynb": text}


RECORDED = (
    '"bking","King, Jr., Bo","Canvas","","yes","5","submissions.zip",'
    '"kingjrbo_LATE_1043_5_lab.ipynb","","",""\n'
)


def test_the_same_download_twice_changes_nothing_but_an_older_record(
    put: Put, tmp_path: Path
) -> None:
    files: Files = {"kingjrbo_LATE_1043_5_lab.ipynb": "x"}
    assert put(files, dry_run=True)["bking"].state == "new"
    assert not [*tmp_path.iterdir()]
    assert put(files)["bking"].state == "new"
    record = tmp_path / "collected/record.csv"
    whole = record.read_text()
    assert whole.endswith(f"\n{RECORDED}")
    with_fewer_columns = re.sub(r"(,[^,\n]*){3}$", "", whole, flags=re.MULTILINE)
    for before in whole, with_fewer_columns:
        record.write_text(before)
        assert put(files)["bking"].state == "same"
        assert record.read_text() == whole


def test_a_newer_attempt_replaces_and_nothing_else_does_unasked(
    put: Put, tmp_path: Path
) -> None:
    put(canvas(99, "old"))
    assert put(canvas(100, "new"))["aokafor"].state == "replaced"
    assert read(tmp_path) == "new"
    assert (tmp_path / "collected/replaced/aokafor/1/lab.ipynb").read_text() == "old"
    assert put(canvas(99, "old"))["aokafor"].reason == "The one in submitted/ is newer."
    assert read(tmp_path) == "new"
    other = {"aokafor/lab.ipynb": "other"}
    assert put(other)["aokafor"].state == "kept"
    assert read(tmp_path) == "new"
    put(other, replace=True)
    assert read(tmp_path) == "other"
    assert (tmp_path / "collected/replaced/aokafor/2/lab.ipynb").read_text() == "new"


def test_moodle_s_worksheet_says_when_each_was_handed_in(
    put: Put, tmp_path: Path
) -> None:
    """That it is read is looked at in tests/cli/test_term.py."""
    times = {"aokafor": "Dienstag, 24. November 2026, 22:30"}
    files: Files = {f"Amara Okafor_9{MOODLE}": "x", f"Bo King, Jr._8{MOODLE}": "y"}
    put(files)
    assert put(files, times)["aokafor"].state == "same"  # it may come later
    stamp = tmp_path / "submitted/aokafor/lab/timestamp.txt"
    assert parse_utc(stamp.read_text()) == datetime(2026, 11, 24, 21, 30)
    assert not stamp.parents[2].joinpath("bking/lab/timestamp.txt").exists()
    stamp.write_text("by hand")
    put(files, times)
    put(files)
    assert stamp.read_text() == "by hand"
    files[f"Amara Okafor_9{MOODLE}"] = "other"
    assert put(files, times)["aokafor"].state == "kept"
    later = {"aokafor": times["aokafor"].replace("22:30", "23:30")}
    assert put(files, later)["aokafor"].state == "replaced"
    plan = understand(files, times={"aokafor": "gestern"})
    assert "'gestern' is not a readable submission time." in problems_of(plan)
