"""Feedback goes back under names that the platforms' own importers take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbproctor import platforms
from nbproctor.platforms import ExportError
from tests.platforms.downloads import CLASS, Files, understand
from tests.platforms.people import member


def collect(
    folder: Path, files: Files, *names: str, **options: Any
) -> list[tuple[str, Path, Path]]:
    """Collect a zip into `folder`; return the feedback on each one's notebooks."""
    download = understand(files, CLASS, *names, **options)
    platforms.write(download, lambda s: folder / "in" / s, folder, "z")
    pages = []
    for student in sorted(s.person.student for s in download.submissions):
        for name in names:
            page = folder / student / f"{name}.html"
            pages.append((student, page, page.with_suffix(".feedback.ipynb")))
    return pages


# The number of a group may be that of a participant who is a stranger to it.
KNOWN = member("aokafor", "Okafor, Amara", "participant=4711")
IN_MOODLE = [KNOWN, member("nguyen", "Nguyễn, Minh")]
# Platform; > what is collected, < names in the zip, - who gets nothing, and why.
# Blackboard takes no feedback.
# Canvas takes user and file from the first two numbers. It passes over a name whose
# last part is "link", and shows no page under the name of a notebook.
BACK = """
= Canvas
> okaforamara_1042_88031_lab.ipynb
> okaforamara_1042_88029_picture.png
> kingjrbo_LATE_1043_88032_lab-2.ipynb
> nguyenminh_1044_88033_my_work_2_link.ipynb
< kingjrbo_LATE_1043_88032_feedback.ipynb
< nguyenminh_1044_88033_feedback.ipynb
< okaforamara_1042_88031_feedback.ipynb

= Canvas
> okaforamara_1042_9_lab.ipynb
> okaforamara_1042_10_lab-1.ipynb
< okaforamara_1042_10_feedback.ipynb

= Canvas
> anon_Ab3Cd_LATE_88031_lab.ipynb
< anon_Ab3Cd_LATE_88031_feedback.ipynb

= Canvas
> okaforamara_1042_1_a.ipynb
> okaforamara_1042_2_b.ipynb
< okaforamara_1042_1_feedback.ipynb
< okaforamara_1042_2_feedback.ipynb
- aokafor: submitted no file called c

= Canvas
> teamblue_1043_88031_lab.ipynb
< teamblue_1043_88031_feedback.ipynb
- bking: gets the feedback with Team Blue

= Canvas
> okaforamara_1042_text.html
> kingjrbo_1043_5_lab.ipynb
< kingjrbo_1043_5_feedback.ipynb
- aokafor: typed text into Canvas
- visitor: was not collected from

= Moodle
> Amara Okafor_4711_assignsubmission_file/lab.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.feedback.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.html

= Moodle
> Amara Okafor_4711_assignsubmission_file_/lab.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.feedback.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.html

= Moodle
> Amara Okafor_4711_assignsubmission_file/sub/lab.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.feedback.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.html

= Moodle
> Amara Okafor_4711_assignsubmission_file_my_lab.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.feedback.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.html

= Moodle
> Amara Okafor_4711_assignsubmission_file_/lab.ipynb
> Amara Okafor_4711_assignsubmission_onlinetext_/onlinetext.html
< Amara Okafor_4711_assignsubmission_file_/lab.feedback.ipynb
< Amara Okafor_4711_assignsubmission_file_/lab.html

= Moodle
> Team Blue_4712_assignsubmission_file/lab.ipynb
< Team Blue_4711_assignsubmission_file_/lab.feedback.ipynb
< Team Blue_4711_assignsubmission_file_/lab.html
- nguyen: Import the grading worksheet

= Brightspace
> 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb
> 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/index.html
> index.html
< 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.feedback.ipynb
< 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.html
< index.html

= Brightspace
> Lab 5/1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.ipynb
> Lab 5/index.html
< 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.feedback.ipynb
< 1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM/lab.html
< index.html

= plain files
> aokafor/lab.ipynb
< aokafor/lab.feedback.ipynb
< aokafor/lab.html

= plain files
> Lab_aokafor_attempt_2026-11-24-22-30-00_lab.ipynb
< aokafor/lab.feedback.ipynb
< aokafor/lab.html
"""


@pytest.mark.parametrize("case", BACK.split("\n= ")[1:])
def test_each_platform_gets_the_names_that_it_knows(tmp_path: Path, case: str) -> None:
    platform, *lines = case.strip().splitlines()
    paths, names, reasons = (
        [line[2:] for line in lines if line.startswith(mark)] for mark in "><-"
    )
    without = dict(line.split(": ", 1) for line in reasons)
    blue = IN_MOODLE if platform == "Moodle" else CLASS.people[:2]
    pages = collect(
        tmp_path,
        {path: path for path in paths},
        *("abc" if paths[0].endswith("a.ipynb") else ("lab",)),
        groups={"Team Blue": blue} if "blue" in paths[0].lower() else {},
    )
    if "visitor" in without:
        pages.append(("visitor", tmp_path, tmp_path))
    back = platforms.feedback_names(pages, tmp_path)
    assert (back.platform.name, sorted(back.files)) == (platform, names)
    unmatched = dict(back.unmatched)
    assert unmatched.keys() == without.keys()
    assert back.students | without.keys() == {student for student, *_ in pages}
    assert all(without[student] in reason for student, reason in unmatched.items())
    if platform == "Brightspace":  # the list beside the folders, not a student's own
        assert back.files["index.html"].read_text() == paths[-1]


def test_no_page_replaces_another_under_the_same_name(tmp_path: Path) -> None:
    files = {"okaforamara_1042_8_lab.ipynb": "x", "kingjrbo_1043_9_lab.ipynb": "y"}
    pages = collect(tmp_path, files, "lab")
    record = tmp_path / "record.csv"
    text = record.read_text().replace("kingjrbo_1043_9_", "okaforamara_1042_8_")
    record.write_text(text)
    with pytest.raises(ExportError, match="Two files would have"):
        platforms.feedback_names(pages, tmp_path)
