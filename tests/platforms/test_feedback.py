"""Feedback goes back under names that the platforms' own importers take."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nbproctor import platforms
from nbproctor.platforms import ExportError, Person
from nbproctor.platforms.collected import FeedbackNames
from tests.platforms.test_collect import CLASS, Files, zipped

Back = Callable[..., tuple[FeedbackNames, dict[str, bytes]]]


@pytest.fixture
def back(tmp_path: Path) -> Back:
    """Collect a zip, pretend to grade it, and pack the feedback."""

    def run(
        files: Files, *others: str, notebooks: tuple[str, ...] = ("lab",), groups=None
    ):  # type: ignore[no-untyped-def]
        path = tmp_path / "submissions.zip"
        path.write_bytes(zipped(files))
        download = platforms.plan(path, "lab", list(notebooks), CLASS, groups=groups)
        platforms.write(download, lambda s: tmp_path / "in" / s, tmp_path / "c", "z")
        pages = []
        students = {s.person.student for s in download.submissions} | {*others}
        for student in sorted(students):
            for name in notebooks:
                page = tmp_path / "feedback" / student / f"{name}.html"
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(f"page of {student}")
                notebook = page.with_suffix(".feedback.ipynb")
                notebook.write_text(f"notebook of {student}")
                pages.append((student, page, notebook))
        made = platforms.feedback_names(pages, tmp_path / "c")
        platforms.write_zip(tmp_path / "back.zip", made.files)
        with zipfile.ZipFile(tmp_path / "back.zip") as archive:
            return made, {name: archive.read(name) for name in archive.namelist()}

    return run


def numbers(name: str) -> list[str]:
    """How Canvas finds user and file: the first two parts that are numbers."""
    return [part for part in name.split("_") if part.isdigit()][:2]


def test_canvas_finds_user_and_file_in_each_name(back: Back) -> None:
    made, content = back(
        {
            "okaforamara_1042_88031_lab.ipynb": "x",
            "okaforamara_1042_88029_picture.png": "x",
            "kingjrbo_LATE_1043_88032_lab-2.ipynb": "y",
            "nguyenminh_1044_88033_my_work_2_link.ipynb": "z",
        }
    )
    names = list(content)
    assert (made.platform.name, len(names), made.left) == ("Canvas", 3, [])
    assert [numbers(name) for name in names] == [
        ["1043", "88032"],
        ["1044", "88033"],
        ["1042", "88031"],
    ]
    # Canvas passes over a name whose last part begins so.
    assert not [n for n in names if n.split("_")[-1].startswith("link")]
    # It shows the file as "lab.ipynb", so a page would be no page.
    assert all(name.endswith(".ipynb") for name in names)
    assert content[names[0]] == b"notebook of bking"


def test_anonymous_canvas_submissions_get_theirs(back: Back) -> None:
    made, names = back({"anon_Ab3Cd_LATE_88031_lab.ipynb": "x"})
    # Without LATE, the two parts after "anon" are the submission's and the file's.
    parts = [part for part in next(iter(names)).split("_") if part != "LATE"]
    assert parts[:3] == ["anon", "Ab3Cd", "88031"] and not made.left


def test_of_several_notebooks_each_goes_to_its_own_file(back: Back) -> None:
    made, names = back(
        {"okaforamara_1042_1_a.ipynb": "x", "okaforamara_1042_2_b.ipynb": "y"},
        notebooks=("a", "b", "c"),
    )
    assert [numbers(name) for name in names] == [["1042", "1"], ["1042", "2"]]
    assert made.left == [("aokafor", "handed in no file called c")]


FOLDER = "Amara Okafor_4711_assignsubmission_file"
TYPED = "Amara Okafor_4711_assignsubmission_onlinetext_/onlinetext.html"


@pytest.mark.parametrize(
    "paths",
    [
        [f"{FOLDER}/lab.ipynb"],
        [f"{FOLDER}_/lab.ipynb"],
        [f"{FOLDER}/sub/lab.ipynb"],
        [f"{FOLDER}_my_lab.ipynb"],
        [f"{FOLDER}_/lab.ipynb", TYPED],
    ],
)
def test_moodle_finds_the_participant_in_each_folder(
    back: Back, paths: list[str]
) -> None:
    made, names = back(dict.fromkeys(paths, "x"))
    assert made.platform.name == "Moodle"
    # Older ones want five parts.
    assert [*names] == [f"{FOLDER}_/lab.feedback.ipynb", f"{FOLDER}_/lab.html"]


@pytest.mark.parametrize("around", ["", "Lab Download Nov 25, 2026/"])
def test_brightspace_gets_its_own_folders_and_list(back: Back, around: str) -> None:
    folder = "1042-88031 - Amara Okafor - Nov 24, 2026 1030 PM"
    files = {f"{folder}/lab.ipynb": "x", f"{folder}/index.html": "a student's own"}
    files["index.html"] = "the list"
    made, names = back({around + name: text for name, text in files.items()})
    assert made.platform.name == "Brightspace"
    pages = [f"{folder}/lab.feedback.ipynb", f"{folder}/lab.html"]
    assert list(names) == [*pages, "index.html"]
    assert names["index.html"] == b"the list"


def test_a_member_of_a_moodle_group_gets_it_under_the_own_number(back: Back) -> None:
    """The number of a group may be that of a participant who is a stranger to it."""
    known = Person("aokafor", "Okafor", "Amara", participant="4711")
    made, names = back(
        {"Team Blue_4712_assignsubmission_file/lab.ipynb": "x"},
        groups={"Team Blue": [known, CLASS.people[2]]},
    )
    assert list(names)[1] == "Team Blue_4711_assignsubmission_file_/lab.html"
    assert {name.split("_")[1] for name in names} == {"4711"}
    ((left, why),) = made.left
    assert left == "nguyen" and "import the grading worksheet" in why


def test_a_group_of_canvas_gets_one_file(back: Back) -> None:
    made, names = back(
        {"teamblue_1043_88031_lab.ipynb": "x"}, groups={"Team Blue": CLASS.people[:2]}
    )
    assert list(names) == ["teamblue_1043_88031_feedback.ipynb"]
    assert made.left == [("bking", "gets it with Team Blue")]


def test_without_a_platform_there_is_a_folder_for_each(back: Back) -> None:
    made, names = back({"aokafor/lab.ipynb": "x"})
    assert (made.platform.name, made.left) == ("plain files", [])
    assert list(names) == ["aokafor/lab.feedback.ipynb", "aokafor/lab.html"]


def test_who_gets_no_feedback_there_is_named(back: Back) -> None:
    made, names = back(
        {"okaforamara_1042_text.html": "x", "kingjrbo_1043_5_lab.ipynb": "y"}, "visitor"
    )
    assert [re.sub(r"_.*", "", name) for name in names] == ["kingjrbo"]
    left = dict(made.left)
    assert left.pop("visitor") == "was not collected from Canvas"
    assert left.pop("aokafor").startswith("typed a text into Canvas") and not left


def test_no_page_replaces_another_under_the_same_name(
    back: Back, tmp_path: Path
) -> None:
    back({"okaforamara_1042_8_lab.ipynb": "x", "kingjrbo_1043_9_lab.ipynb": "y"})
    record = tmp_path / "c" / "record.csv"
    record.write_text(record.read_text().replace("_1043_9_", "_1042_8_"))
    record.write_text(record.read_text().replace("kingjrbo", "okaforamara"))
    pages = [(s, tmp_path / s / "lab.html", tmp_path / s) for s in ("aokafor", "bking")]
    with pytest.raises(ExportError, match="Two files would be"):
        platforms.feedback_names(pages, tmp_path / "c")
