"""kit.py on a toy project: real environments, real interpreters, no mocks."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from nbproctor.cli import app
from tests.copies import link
from tests.programs import start, succeeded

WINDOWS = os.name == "nt"
BIN = "Scripts" if WINDOWS else "bin"
CALLED = """\
import json, os, shutil, sys
call = {"command": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix,
        "tool": shutil.which("python")}
print(json.dumps(call))
sys.exit(7 if "fail" in sys.argv else 0)
"""
BUILD = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "nbproctor"
version = "0"
"""
# Hatchling would be fetched and installed anew for each of the many environments.
BACKEND = """\
import os, zipfile

FILES = {
    "nbproctor.pth": os.getcwd(),
    "nbproctor-0.dist-info/METADATA": "Metadata-Version: 2.1|Name: nbproctor|"
    "Version: 0|",
    "nbproctor-0.dist-info/WHEEL": "Wheel-Version: 1.0|Root-Is-Purelib: true|"
    "Tag: py3-none-any|",
    "nbproctor-0.dist-info/RECORD": "",
}

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "nbproctor-0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text.replace("|", chr(10)))
    return name
"""


@pytest.fixture
def toy(project: Path, tmp_path: Path) -> Path:
    """kit.py with one small pin and a package that says how it is called."""
    return make_toy(project, tmp_path)


def make_toy(project: Path, folder: Path) -> Path:
    root = folder / "a toy"
    (root / "nbproctor").mkdir(parents=True)
    (root / "nbgrader_config.py").touch()
    shutil.copy(project / "kit.py", root)
    pin = re.search(r"^six==\S+$", (project / "requirements.txt").read_text(), re.M)
    assert pin
    (root / "requirements.txt").write_text(pin[0] + "\n")
    (root / "nbproctor" / "__init__.py").touch()
    (root / "nbproctor" / "__main__.py").write_text(CALLED)
    (root / "pyproject.toml").write_text(BUILD)
    (root / "backend.py").write_text(BACKEND)
    return root


def kit(
    root: Path, *words: str, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    return start(python, root / "kit.py", *words, cwd=root, **variables)


@pytest.fixture(scope="module")
def first(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A toy next to the remains of an aborted run, and the result of its first run."""
    root = make_toy(project, tmp_path_factory.mktemp("made"))
    (root / ".venv.old").touch()
    return root, kit(root, "grade", "neural_network")


@pytest.fixture
def used(first: tuple[Path, object]) -> Path:
    """The toy after its first run; its tests leave a whole environment, as they do."""
    return first[0]


def call_of(result: subprocess.CompletedProcess[str]) -> dict[str, object]:
    succeeded(result)
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def without_uv(tmp_path: Path) -> dict[str, str]:
    """Variables under which no uv is found."""
    module = subprocess.run([sys.executable, "-m", "uv"], capture_output=True)
    if module.returncode == 0:
        pytest.skip("this Python has uv as a module")
    empty = tmp_path / "empty"
    empty.mkdir(exist_ok=True)
    return {"PATH": str(empty)}


@pytest.mark.slow
def test_no_command_prints_the_commands_that_exist_and_makes_nothing(toy: Path) -> None:
    result = succeeded(kit(toy))
    named = set(re.findall(r"python kit\.py (\w+)  ", result.stdout))
    commands = {c.callback.__name__ for c in app.registered_commands if c.callback}
    assert named == commands | {"demo", "test"}
    assert not (toy / ".venv").exists()


@pytest.mark.slow
def test_the_first_run_makes_the_environment_and_runs_the_command(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    root, result = first
    assert call_of(result) == {
        "command": ["grade", "neural_network"],
        "folder": str(root),
        "prefix": str(root / ".venv"),
        "tool": shutil.which("python", path=str(root / ".venv" / BIN)),
    }
    assert "Making .venv" in result.stderr
    assert not (root / ".venv.old").exists()


@pytest.mark.slow
def test_a_second_run_installs_nothing_and_passes_the_status_on(used: Path) -> None:
    stamp = used / ".venv/kit.json"
    written = stamp.stat().st_mtime_ns
    result = kit(used, "fail")
    assert result.returncode == 7
    assert result.stderr == ""
    assert stamp.stat().st_mtime_ns == written


@pytest.mark.slow
def test_a_command_works_in_the_course_around_the_working_directory(
    used: Path, tmp_path: Path
) -> None:
    """Where there is none, `new` starts one, and the others take that of the kit."""
    inside = tmp_path / "course/source"
    inside.mkdir(parents=True)
    (tmp_path / "course/nbgrader_config.py").touch()
    for command, folder, expected in (
        ("grade", inside, inside),
        ("grade", tmp_path, used),
        ("new", tmp_path, tmp_path),
    ):
        done = start(sys.executable, used / "kit.py", command, cwd=folder)
        assert call_of(done)["folder"] == str(expected)
        message = f"no course around this folder: the one in {used} is used"
        assert (message in done.stderr) == (expected == used)


def remove(venv: Path, pattern: str) -> None:
    for path in [*venv.rglob(pattern)]:
        path.unlink()


def replace(path: Path, text: str) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.write_text(text)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no Python": lambda venv: remove(venv, f"{BIN}/python*"),
    "half of a package": lambda venv: remove(venv, "six.py"),
    "an empty package": lambda venv: remove(venv, "six-*.dist-info/*"),
    "no stamp": lambda venv: (venv / "kit.json").unlink(),
    "half of a stamp": lambda venv: replace(venv / "kit.json", '{"pins": {"require'),
    "a file": lambda venv: replace(venv, "not a folder"),
}


@pytest.mark.slow
def test_damage_or_a_move_is_noticed(used: Path, tmp_path: Path) -> None:
    def usable(root: Path = used) -> bool:
        kit = runpy.run_path(str(root / "kit.py"))
        return bool(kit["usable"](kit["read_stamp"]()))

    copied = partial(shutil.copytree, symlinks=True, copy_function=link)
    assert not usable(copied(used, tmp_path / "elsewhere"))
    venv = used / ".venv"
    whole = tmp_path / "whole"
    copied(venv, whole)
    for name, damage in DAMAGE.items():
        assert usable()
        damage(venv)
        assert not usable(), name
        venv.unlink() if venv.is_file() else shutil.rmtree(venv)
        copied(whole, venv)


@pytest.mark.slow
def test_changed_pins_renew_the_environment_even_if_it_is_activated(used: Path) -> None:
    """And the pins of the site in the browser are added once."""
    pins = used / "requirements.txt"
    shutil.copy(pins, used / "requirements-browser.txt")
    pins.write_text(pins.read_text() + "# one more line\n")
    python = shutil.which("python", path=str(used / ".venv" / BIN))
    assert python
    words = ("release", "--pyodide=a folder")
    result = kit(used, *words, python=python)
    assert "Renewing .venv" in result.stderr
    assert "Adding the packages of requirements-browser.txt" in result.stderr
    call = call_of(result)
    assert call["command"] == [*words]
    assert call["prefix"] == str(used / ".venv")
    assert not (used / ".venv.old").exists()
    assert kit(used, *words).stderr == ""


@pytest.mark.parametrize("tool", ["uv", "pip"])
@pytest.mark.slow
def test_without_a_network_nothing_is_left_half_made_and_what_was_there_stays(
    toy: Path,
    tmp_path: Path,
    tool: str,
) -> None:
    (toy / ".venv").write_text("not a folder")
    nowhere = "http://127.0.0.1:9/simple"  # the discard port: refused at once
    variables = {
        "PIP_INDEX_URL": nowhere,
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "UV_DEFAULT_INDEX": nowhere,
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_HTTP_RETRIES": "0",
    }
    if tool == "pip":
        variables |= without_uv(tmp_path)
    elif not shutil.which("uv"):
        pytest.skip("there is no uv here: see the test with pip")
    result = kit(toy, "grade", **variables)
    assert result.returncode == 1
    assert f"with {tool}." in result.stderr
    assert "internet" in result.stderr and "six" in result.stderr
    assert "Traceback" not in result.stderr
    assert (toy / ".venv").read_text() == "not a folder"
    assert not (toy / ".venv.old").exists()


def run_as(toy: Path, preparation: str, **variables: str) -> str:
    """Run kit.py after some lines of Python; return what it complained of."""
    code = f"import runpy, sys; {preparation}; sys.argv = ['kit.py', 'demo']; "
    code += "runpy.run_path('kit.py', run_name='__main__')"
    result = start(sys.executable, "-c", code, cwd=toy, **variables)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert not (toy / ".venv").exists()
    return result.stderr


@pytest.mark.slow
def test_a_computer_that_does_not_fit_is_told_what_to_do(
    toy: Path, tmp_path: Path
) -> None:
    for minor in (10, 15):
        complaint = run_as(toy, f"sys.version_info = (3, {minor}, 4, 'final', 0)")
        assert f"This is Python 3.{minor}, but the kit needs 3.11 to 3.14" in complaint
        assert "https://www.python.org/downloads/latest/python3.14/" in complaint
    windows = "import os, shutil, subprocess; os.name = 'nt'"
    assert "Windows cannot fork processes" in run_as(toy, windows)
    complaint = run_as(toy, "sys.modules['ensurepip'] = None", **without_uv(tmp_path))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"sudo apt install python{version}-venv" in complaint


# ---- in a container ----------------------------------------------------------------

# Stands for Podman and Docker: it keeps images by name, and runs a container's command
# here, in the folder that the mount gives it.
ENGINE = """\
#!{python}
import json, os, pathlib, subprocess, sys
folder, words = pathlib.Path(__file__).parent, sys.argv[1:]
name, images = pathlib.Path(__file__).name, folder / "images"
options = dict(word.split("=", 1) for word in words if word[:2] == "--" and "=" in word)
if words == ["info"]:
    if (folder / (name + ".asleep")).exists():
        sys.exit("Cannot connect to " + name)
    says = folder / (name + ".says")
    print(says.read_text() if says.exists() else "rootless: no")
elif words[:2] == ["image", "inspect"]:
    sys.exit(not (images / words[2]).exists())
elif words[0] == "build":
    images.mkdir(exist_ok=True)
    (images / words[words.index("--tag") + 1]).touch()
elif words[0] == "run":
    (folder / "run.json").write_text(json.dumps(words))
    mount = dict(part.split("=") for part in options["--mount"].split(","))
    assert mount["type"] == "bind" and mount["source"] == mount["target"]
    image = next(i for i, word in enumerate(words) if word.startswith("nbproctor:"))
    assert (images / words[image]).exists()
    os.chdir(options["--workdir"])
    os.environ["PYTHONPATH"] = {package!r}
    sys.exit(subprocess.call([sys.executable, *words[image + 2 :]]))
"""


@pytest.fixture
def engines(toy: Path, tmp_path: Path) -> Path:
    """A folder of programs with a Podman and a Docker, for `PATH`."""
    recipe = toy / "examples/cluster/Containerfile"
    recipe.parent.mkdir(parents=True)
    recipe.touch()
    (toy / "requirements.lock").touch()
    folder = tmp_path / "engines"
    folder.mkdir()
    for name in ("podman", "docker"):
        text = ENGINE.format(python=sys.executable, package=str(toy))
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(WINDOWS, reason="its programs are no scripts")
def test_a_command_runs_in_a_container_with_the_course_and_no_network(
    toy: Path,
    engines: Path,
    tmp_path: Path,
) -> None:
    course = tmp_path / "a course"
    (course / "source").mkdir(parents=True)
    (course / "nbgrader_config.py").touch()
    for folder, below in ((toy.parent, toy), (course / "source", course / "source")):
        command = [sys.executable, toy / "kit.py", "grade", "--container", "lab"]
        done = start(*command, cwd=folder, PATH=str(engines))
        call = call_of(done)
        assert call["command"] == ["grade", "lab"]
        assert call["folder"] == str(below)
        words = json.loads((engines / "run.json").read_text())
        assert "--network=none" in words and "--rm" in words
        assert f"--user={os.getuid()}:{os.getgid()}" in words
        assert ("Building the image" in done.stderr) == (below == toy)  # once
    assert not (toy / ".venv").exists()
    (toy / "nbproctor/__init__.py").write_text("# changed")
    again = kit(toy, "fail", "--container", PATH=str(engines))
    assert again.returncode == 7 and "Building the image" in again.stderr
    same = json.loads((engines / "run.json").read_text())
    same = [word for word in same if word != "--userns=keep-id"]  # Podman's alone
    (engines / "podman").unlink()
    # In a rootless Docker, root is the user who started it outside.
    current_user = f"--user={os.getuid()}:{os.getgid()}"
    for info, user in (
        ("", current_user),
        ("Security Options: rootless", "--user=0:0"),
    ):
        (engines / "docker.says").write_text(info)
        assert kit(toy, "fail", "--container", PATH=str(engines)).returncode == 7
        words = json.loads((engines / "run.json").read_text())
        assert words == [user if word == current_user else word for word in same]


@pytest.mark.skipif(WINDOWS, reason="its programs are no scripts")
@pytest.mark.slow
def test_a_container_without_an_engine_says_what_is_missing(
    toy: Path, engines: Path
) -> None:
    (engines / "podman").unlink()
    (engines / "docker.asleep").touch()
    asleep = kit(toy, "grade", "--container", PATH=str(engines))
    assert "not running: docker (Cannot connect to docker)" in asleep.stderr
    (engines / "docker").unlink()
    missing = kit(toy, "grade", "--container", PATH=str(engines))
    assert "needs Podman or Docker, and neither is on this computer" in missing.stderr
    for done in (asleep, missing):
        assert done.returncode == 1 and "Traceback" not in done.stderr


# ---- other Pythons -----------------------------------------------------------------


def test_every_file_names_the_same_pythons(project: Path) -> None:
    script = (project / "kit.py").read_text()
    ast.parse(script, feature_version=(3, 7))  # an old one can read what is wrong
    versions = re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", script)
    assert versions
    minors = range(int(versions[1]), int(versions[2]) + 1)
    words = f"3.{minors[0]} to 3.{minors[-1]}"
    condition = f"(3, {minors[0]}) <= sys.version_info[:2] <= (3, {minors[-1]})"
    templates = project / "nbproctor/templates"
    for file in (project / "README.md", *templates.glob("start.*")):
        text = file.read_text("utf-8")
        assert words in text, file
        assert condition in text or file.suffix not in (".sh", ".bat"), file
    package = (project / "pyproject.toml").read_text()
    named = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', package)
    assert [*map(int, named)] == [*minors]
    assert f'requires-python = ">=3.{minors[0]}"' in package


# Stands for each Python: says its version, and notes what it is to run.
PYTHON_STUB = """\
#!/bin/sh
case "$*" in
  *version_info*) test "${0##*/}" = python3 && echo 3.11 || echo 3.14; exit;;
  *kit.ensure*) exit "${NO_PACKAGES:-0}";;
esac
echo "${0##*/} $*" >> "$NOTES"
case "$*" in *"$RED"*) exit 1;; esac
"""
PARTS = [
    "python3 kit.py test --fast",
    "python -m pytest -n auto --dist loadfile tests/sandbox",
    "python3.14 kit.py test --fast",
    "python3 kit.py test",
]


@pytest.mark.skipif(WINDOWS, reason="a shell script")
@pytest.mark.parametrize(
    ("packages", "red", "named"),
    [
        (True, "nothing", "every part has passed"),
        (True, "sandbox", "FAILED: the sandbox without bubblewrap"),
        (False, "--fast", "FAILED: fast tests without bubblewrap"),
    ],
)
@pytest.mark.slow
def test_every_part_of_the_checks_runs_and_the_red_ones_are_named(
    project: Path,
    tmp_path: Path,
    packages: bool,
    red: str,
    named: str,
) -> None:
    script = shutil.copytree(project / ".ci", tmp_path / ".ci") / "run"
    for name in ("tools/python3", "tools/python3.14", ".venv/bin/python"):
        stub = tmp_path / name
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(PYTHON_STUB)
        stub.chmod(0o755)
    for tool in ("bash", "dirname", "id", "mktemp", "rm", "sh", "tail", "tar"):
        (tmp_path / "tools" / tool).symlink_to(str(shutil.which(tool)))
    notes = tmp_path / "notes"
    variables = {
        "PATH": str(tmp_path / "tools"),
        "NOTES": str(notes),
        "RED": red,
    }
    variables["NO_PACKAGES"] = "0" if packages else "1"
    result = start("bash", script, cwd=tmp_path, **variables)
    output = result.stdout + result.stderr
    runs = [part for part in PARTS if packages or "3.14" not in part]
    assert notes.read_text().splitlines() == runs, output
    assert result.returncode == (red != "nothing") and named in output, output
    assert ("cannot be installed" in output) == (not packages)


@pytest.mark.skipif(WINDOWS, reason="POSIX permissions")
@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_named(toy: Path) -> None:
    toy.chmod(0o555)
    toy.parent.chmod(0o755)
    command: list[str | Path] = [sys.executable, toy / "kit.py", "demo"]
    if os.geteuid() == 0:  # whom no rights of files hold
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere here: there is no setpriv")
        command = ["setpriv", "--bounding-set=-dac_override", *command]
    result = start(*command, cwd=Path("/"))
    assert result.returncode == 1
    assert str(toy) in result.stderr and "may write" in result.stderr
    assert not (toy / ".venv").exists()
