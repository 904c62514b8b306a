"""What several test files share."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import PROJECT, programs
from tests.gradebooks import quicken
from tests.programs import ForkedPopen

if TYPE_CHECKING:
    from nbproctor.engine import Servers
    from nbproctor.notebook import MasterNotebook

# Kernels, readers and what makes pages start as forks.
if hasattr(os, "fork"):
    subprocess.Popen = ForkedPopen  # type: ignore[misc]

# Each core has a process of tests already: more threads of NumPy wait for each other,
# here and in what the tests start. Read once, when NumPy is first imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

# Where this says how stock nbgrader and servers reach their kernels.
os.environ["JUPYTER_CONFIG_PATH"] = str(PROJECT / "tests/jupyter")

# Skips that are failures where `.ci/run` has made sure that the tests can run: it names
# them, by these words, in the variable NBPROCTOR_NO_SKIPS.
NO_SKIPS = tuple(filter(None, os.environ.get("NBPROCTOR_NO_SKIPS", "").split(",")))


# Characters of a test's id behind its file, and of a parameter's value in it.
MAX_ID = 100
MAX_VALUE = 24

# A test file with such a line has no fast test.
ALL_SLOW = re.compile(
    r"^pytestmark = pytest\.mark\.slow$|^    pytest\.mark\.slow,$", re.MULTILINE
)


def only_fast(config: pytest.Config) -> bool:
    """Whether this is the fast part, `kit.py test --fast`."""
    return bool(config.option.markexpr == "not slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files of slow tests out of the fast part: each worker imports all files."""
    if not only_fast(config) or not collection_path.match("test_*.py"):
        return None
    return bool(ALL_SLOW.search(collection_path.read_text("utf-8"))) or None


# Files that take longest. None of them is to be the last one, for which all wait.
LONGEST = """
    test_documented test_audit test_day test_hub test_exchange test_packaging
    test_postgresql test_platforms test_interpreter test_config test_autograder
    test_hostile test_stock test_cluster test_kit test_idioms test_regrade test_lab
    test_show_pieces test_other_users test_fairness test_release
    test_killed test_faults test_gradescope test_student test_cases test_table
    test_rooms test_names
"""


def pytest_configure(config: pytest.Config) -> None:
    """Let an example of hypothesis take as long as it needs on a busy computer."""
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "suite",
        deadline=None,
        max_examples=20 if only_fast(config) else 50,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("suite")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a value by its parameter where its text is long, or cannot be printed.

    pytest numbers those that have the same name.
    """
    if isinstance(val, str | int) and len(text := str(val)) <= MAX_VALUE:
        return None if text.isascii() and text.isprintable() else argname
    return argname if isinstance(val, str | int | bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first; refuse ids that nobody can read."""
    too_long = [
        item.nodeid for item in items if len(item.nodeid.split("::", 1)[1]) > MAX_ID
    ]
    if too_long:
        raise pytest.UsageError(
            f"These ids of tests have more than {MAX_ID} characters. Shorten the name "
            "or give ids:\n" + "\n".join(too_long)
        )
    order = {stem: number for number, stem in enumerate(LONGEST.split())}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_collection() -> None:
    """Collect tests without garbage collection: what they import stays to the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare garbage collection, here and in forks, what stays to the end anyway."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker a core, or up to two more: slow tests often wait for a limit."""
    from nbproctor.sandbox.processors import count_processors

    cores = count_processors()
    return cores if only_fast(config) else cores + min(cores, 2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if its reason speaks of what must be there."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else "")
        if any(word in reason for word in NO_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{reason}\nThis may not be skipped here."
    return report


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def lab_master(project: Path) -> MasterNotebook:
    """The lab's master notebook, beside its release."""
    from nbproctor.notebook import MasterNotebook

    path = "neural_network/neural_network.ipynb"
    return MasterNotebook.read(project / "source" / path, project / "release" / path)


@pytest.fixture(scope="session")
def tiny_master(project: Path) -> MasterNotebook:
    """The tiny course's master notebook."""
    from nbproctor.notebook import MasterNotebook

    return MasterNotebook.read(project / "examples/tiny/source/tiny/tiny.ipynb")


@pytest.fixture(scope="session")
def template(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course as the command `release` leaves it: one for all workers.

    It is recorded where its tests are judged, which else each grading finds out.
    """
    from filelock import FileLock

    from nbproctor import nbgrader

    base = tmp_path_factory.getbasetemp()
    shared_folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    course = shared_folder / "template/tiny"
    with FileLock(shared_folder / "template.lock"):
        if not course.exists():
            shutil.copytree(project / "examples/tiny", course)
            (course / "source/tiny/._tiny.ipynb").touch()  # as macOS leaves it
            nbgrader.generate(course, "tiny")
            assert nbgrader.lint(course, "tiny") == []
    return course


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of a file share."""
    return tmp_path_factory.mktemp("file")


@pytest.fixture(scope="module")
def class_course(template: Path, module_path: Path) -> Path:
    """The tiny course for a file whose tests share a class."""
    return shutil.copytree(template, module_path / "course")


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Fork servers that the tests of a file share."""
    from nbproctor.engine import Servers

    with Servers() as new_servers:
        yield new_servers


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this computer's clock be that of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


# What starts a process for each processor, and the files whose tests have it so.
COUNTED = "audit.trials", "engine.execution", "pages.making", "submission.reading"
ON_ALL = ("test_autograder",)
# These look at how readers start.
STARTED = ("test_reading",)


@pytest.fixture(scope="module", autouse=True)
def one_process_of_a_kind(request: pytest.FixtureRequest) -> Iterator[None]:
    """To start another takes longer than the few submissions of a test."""
    on_all = only_fast(request.config) or request.path.stem in ON_ALL
    with pytest.MonkeyPatch.context() as patch:
        for name in () if on_all else COUNTED:
            patch.setattr(f"nbproctor.{name}.count_processors", lambda: 1)
        if request.path.stem in STARTED:
            patch.setattr(programs, "FORKED", {})
        yield


@pytest.fixture(scope="session", autouse=True)
def gradebooks_open_quickly() -> None:
    """Prepare nbgrader."""
    quicken()


@pytest.fixture(scope="session", autouse=True)
def temporary_folders_for_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let other user ids pass through the folders above each `tmp_path`.

    Root grades as ordinary users, and pytest keeps its folders private.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        base = tmp_path_factory.getbasetemp()
        for folder in (base, *base.parents):
            if folder == Path(tempfile.gettempdir()):
                break
            folder.chmod(0o755)


@pytest.fixture(scope="session")
def npm_file(pytestconfig: pytest.Config) -> Callable[..., Path]:
    """Return a file that a command of npm makes; skip the test where it cannot."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("npm")

    def make_file(name: str, *command: str) -> Path:
        file = folder / name
        if not file.exists():
            done = subprocess.run(
                ["npm", *command],
                cwd=folder,
                capture_output=True,
                timeout=600,
            )
            if done.returncode:
                pytest.skip(f"npm cannot get {command[-1]} here")
        return file

    return make_file


@pytest.fixture(scope="session")
def axe(npm_file: Callable[..., Path]) -> str:
    """Return the text of axe-core."""
    name = "node_modules/axe-core/axe.min.js"
    script = npm_file(name, "install", "--no-audit", "--no-fund", "axe-core@4")
    return script.read_text("utf-8")
