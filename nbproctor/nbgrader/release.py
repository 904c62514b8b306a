"""Release: check an assignment, and make its student version.

`check_sources` checks the source. `lint` checks that the reference solution earns every
point: once in a kernel, as stock nbgrader grades, and once in the engine, where tests
see proxies. Skipped cells do not run.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import from_dict
from nbgrader import nbgraderformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

from nbproctor.cells import RawCell, RawNotebook, grade_id, nbgrader_metadata, source_of
from nbproctor.engine import Pool, Settings
from nbproctor.markers import Markers
from nbproctor.nbgrader.changed_cells import check_cells
from nbproctor.nbgrader.course import Course
from nbproctor.nbgrader.failures import CourseError, run
from nbproctor.nbgrader.placement import apply_trust
from nbproctor.nbgrader.proof import kernel_faults, reference_faults, wrong_differences
from nbproctor.notebook import MasterNotebook, MasterNotebookError, temporary_copy
from nbproctor.pages.outline import headings_in, texts_in
from nbproctor.results import Check
from nbproctor.sandbox.layers import SandboxError, prepare

_REGION_STEPS = (ClearSolutions, ClearHiddenTests, ClearMarkScheme)
STOCK = "stock nbgrader"  # prefix of its faults
# Points at the end of a heading: "(7 points)", "(exercise 3, 7 points)".
_POINTS = re.compile(r"\((?:[^()]*, )?(\d+(?:\.\d+)?) points?\)$")
# An item of a list of what is graded: "- values of several shapes (3)".
_ITEM = re.compile(r"(.+) \((\d+(?:\.\d+)?)\)")


def check_sources(course: Course) -> None:
    """Check the source notebooks of the assignment before anything is made from them.

    `CourseError` names the file, every wrong cell, and the next step.
    """
    for notebook in course.sources():
        try:
            master = MasterNotebook.read(notebook, markers=course.markers)
        except MasterNotebookError as error:
            raise CourseError(str(error)) from error
        content = json.loads(notebook.read_text("utf-8"))
        cells = content["cells"]
        problems = [
            *_id_problems(content),
            *_cell_problems(cells, course),
            *_points_problems(cells),
            *_hidden_problems(master, course.markers),
        ]
        if problems:
            raise CourseError(
                f"{notebook} cannot be released:\n"
                + "\n".join(f"  - {problem}" for problem in problems)
                + "\nCorrect these cells in JupyterLab (View, Create Assignment), "
                "save, and run the command again."
            )


def _cell_problems(cells: list[RawCell], course: Course) -> Iterator[str]:
    """Yield what nbgrader refuses of metadata, solutions and hidden parts.

    It stops at the first such cell, and does not name it.
    """
    validator = nbgraderformat.MetadataValidator()
    converter = course.converter(GenerateAssignment)
    converter.log.setLevel("CRITICAL")
    steps = [step(parent=converter) for step in _REGION_STEPS]
    resources = {"language": next(iter(steps[0].code_stub))}
    for number, cell in enumerate(cells, 1):
        name = f"cell {number} ({grade_id(cell) or 'no grade_id'!r})"
        node = from_dict({**cell, "source": source_of(cell)})
        try:
            if nbgrader_metadata(cell):
                validator.validate_cell(node)
            for step in steps:
                step.preprocess_cell(node, resources, number)
        except nbgraderformat.SchemaTooOldError:
            yield (
                f"{name}: its nbgrader metadata is from an old version; run "
                "'nbgrader update .'"
            )
        except nbgraderformat.ValidationError as error:
            yield f"{name}: {error.message}"
        except RuntimeError as error:
            yield f"{name}: {error}"
        except KeyError as error:
            yield f"{name}: its nbgrader metadata has no {error}"


def _id_problems(content: RawNotebook) -> Iterator[str]:
    """Yield problems with cell ids, which format 4.5 requires, and with names."""
    ids = [cell.get("id") for cell in content["cells"]]
    if content.get("nbformat_minor", 0) >= 5 and not all(ids):
        # nbformat would make up new ids every time.
        yield "some cells have no id: open the notebook in JupyterLab and save it"
    names = Counter(map(grade_id, content["cells"]))
    for name, count in names.items():
        if name and count > 1:
            yield f"grade_id {name!r} is used by {count} cells; give each cell its own"


@dataclass(frozen=True)
class PointsSection:
    """A section whose heading has points; it ends at the next heading of its level."""

    tag: str  # of its heading: ``h1`` to ``h6``
    heading: str
    points: float
    heading_cell: RawCell
    cells: list[RawCell]  # graded cells, some with 0 points
    items: list[tuple[str, str]]  # items of its lists: text and points


def sections(cells: Iterable[RawCell]) -> list[PointsSection]:
    """Return the sections whose headings have points, outer ones first."""
    result = []
    open_ones: list[PointsSection] = []
    for cell in cells:
        meta = nbgrader_metadata(cell)
        if meta.get("grade"):
            for section in open_ones:
                section.cells.append(cell)
        if cell["cell_type"] != "markdown":
            continue
        text = source_of(cell)
        for tag, heading in headings_in(text):
            open_ones = [each for each in open_ones if each.tag < tag]
            if match := _POINTS.search(heading):
                section = PointsSection(
                    tag=tag,
                    heading=heading,
                    points=float(match[1]),
                    heading_cell=cell,
                    cells=[],
                    items=[],
                )
                open_ones.append(section)
                result.append(section)
        for section in open_ones:
            for tag, words in texts_in(text):
                if tag == "li" and (item := _ITEM.fullmatch(words)):
                    section.items.append((item[1], item[2]))
            if meta.get("task"):  # its own heading may have its points
                section.cells.append(cell)
    return result


def _points_problems(cells: list[RawCell]) -> Iterator[str]:
    """Compare the points in headings and lists with those of the cells.

    An item of a list is about the test cell that has the same words.
    """
    for section in sections(cells):
        points = 0.0
        by_hand = 0.0
        tests = []
        for cell in section.cells:
            meta = nbgrader_metadata(cell)
            worth = float(meta.get("points") or 0)
            points += worth
            if meta.get("solution") or meta.get("task"):
                by_hand += worth
            if worth:
                tests.append((source_of(cell), worth))
        # A heading may leave out the points that are given by hand.
        totals = (points - by_hand, points)
        if all(abs(section.points - total) > 1e-9 for total in totals):
            yield (
                f"the heading {section.heading!r} says {section.points:g} points, but "
                f"the test cells below it add up to {points:g}"
            )
        for item, number in section.items:
            about = [worth for source, worth in tests if item in source]
            if about and float(number) not in about:
                yield (
                    f"below the heading {section.heading!r}, a list gives {number} "
                    f"points for {item!r}, but that test cell has {about[0]:g}"
                )


def _hidden_problems(master: MasterNotebook, markers: Markers) -> Iterator[str]:
    for cell in master.cells:
        if markers.has_hidden_tests(cell.source) and cell.kind not in (
            "test",
            "helper",
        ):
            # It would run in the student's process, where students could read and
            # replace it.
            yield (
                f"{cell.id!r} contains hidden tests, but is not a test cell: give it "
                "points, or put helpers for hidden tests into a cell of their own"
            )


def generate(
    course: Path | Course,
    assignment: str,
    *,
    change_cells: bool = False,
) -> tuple[Path | None, list[str]]:
    """Make the student version of an assignment, and enter its cells in the gradebook.

    The release is made next to its final place and swapped in when it is complete,
    so that a failure leaves the old one as it was.

    Returns
    -------
    Path or None
        The copy of the gradebook, where `change_cells` has adapted it to other cells
        than somebody has marks for.
    list of str
        One sentence for each cell that has other points than in the last release.

    Raises
    ------
    CourseError
        The source breaks a rule, or has such cells; nothing was changed.
    """
    course = Course.load(course, assignment)
    release = course.folder("release")
    # First without the gradebook, so that a source with a fault does not change it.
    with _try_release(course) as temporary:
        changes = check_cells(course, change_cells)
        _generate(course, f"{temporary.name}/new", gradebook=True)
        release.parent.mkdir(parents=True, exist_ok=True)
        if release.exists():
            release.rename(temporary / "old")
        (temporary / "new" / assignment).rename(release)
    course.clear_cache()
    return changes


@contextmanager
def _try_release(course: Course) -> Iterator[Path]:
    """Yield a folder next to the release, with one in ``try``; `CourseError`: why not.

    The gradebook is left alone.
    """
    check_sources(course)
    with tempfile.TemporaryDirectory(
        prefix=".release-", dir=course.coursedir.root
    ) as name:
        folder = Path(name)
        _generate(course, f"{folder.name}/try", gradebook=False)
        yield folder


def _generate(
    course: Course,
    step: str,
    gradebook: bool,
) -> None:
    converter = course.converter(GenerateAssignment)
    converter.coursedir.release_directory = step
    for part, path in course.header_and_footer.items():
        # nbgrader looks for it in its working directory.
        converter.config.IncludeHeaderFooter[part] = str(path)
    if not gradebook:
        converter.no_database = True
        converter.config.SaveCells.enabled = False
    # nbgrader runs the reference for AUTOTEST lines: not in the source folder.
    with temporary_copy(course.folder("source")) as folder:
        converter.coursedir.source_directory = str(folder.parent)
        # Named, because nbgrader's own search reads a bracket in a path as a pattern.
        target = converter._format_source(course.assignment, ".")
        paths = [f"{target}/{path.name}" for path in course.sources()]
        converter.assignments = {target: paths}
        converter.init_notebooks = lambda: None
        run(converter, f"Making the release of {course.assignment!r}")


def lint(course: Path | Course, assignment: str) -> list[str]:
    """Grade the reference solution of an assignment in both ways, as a class is graded.

    `placement` determines again where each test cell is judged, and records it; then
    `proof` grades. Where layers of the sandbox are missing, it runs in those that there
    are.

    Returns
    -------
    list of str
        One sentence for each test cell in which it loses points.

    Raises
    ------
    CourseError
        The assignment cannot be read or released.
    EngineError
        The engine does not run on this computer.
    """
    course = Course.load(course, assignment)
    check_sources(course)
    settings = _settings(course)
    source = course.folder("source")
    faults = []
    with Pool(1) as pool:
        for master in course.place_tests(settings, pool, again=True):
            lost = kernel_faults(master, source, settings.limits.cell)
            faults += [f"{STOCK}: {fault}" for _, fault in lost]
            graded = apply_trust(master, course.options.trust)
            losses = reference_faults(graded, settings, pool)
            faults += [f"nbproctor: {fault}" for fault in losses]
    return faults


def differences(course: Course) -> list[str]:
    """Grade wrong answers to the assignment in both ways; say where their marks differ.

    The wrong answers are a blank notebook, and functions that always return the same.

    Returns
    -------
    list of str
        One sentence for each such answer and test cell.
    """
    settings = _settings(course)
    source = course.folder("source")
    sentences: list[str] = []
    with Pool(1) as pool:
        for master in course.masters:
            graded = apply_trust(master, course.options.trust)
            sentences += wrong_differences(graded, source, settings, pool)
    return sentences


def _settings(course: Course) -> Settings:
    settings = course.settings()
    try:
        prepare()
    except SandboxError:  # the code is the teacher's own
        settings = replace(settings, policy=replace(settings.policy, weak=True))
    return settings


def check_release(course: Course) -> list[Check]:
    """Check the source of the assignment, and its release if there is one.

    A release is made next to it and thrown away; the gradebook is left alone.
    """
    try:
        with _try_release(course) as folder:
            fresh = _contents(folder / "try" / course.assignment)
    except CourseError as error:
        return [Check("source", passed=False, finding=str(error))]
    markers = [
        marker
        for path, data in fresh.items()
        if path.suffix == ".ipynb"
        for marker in course.markers.find_markers(data.decode())
    ]
    finding = f"found {markers}" if markers else "no markers"
    checks = [
        Check("source", passed=True, finding="can be released"),
        Check("release is clean", passed=not markers, finding=finding),
    ]
    release = course.folder("release")
    if old := _contents(release):
        is_new = fresh == old
        mismatch = f"{release} does not match the source: make the release again"
        finding = "matches the source" if is_new else mismatch
        checks.append(Check("release is new", passed=is_new, finding=finding))
    return checks


def _contents(folder: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
