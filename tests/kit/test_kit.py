"""kit.py on a toy project: real environments, real interpreters, no mocks."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from nbproctor.cli import app
from tests.copies import link, write_program
from tests.notebooks import read_json
from tests.programs import complaint_of, start, succeeded
from tests.users import bound_by_rights

pytestmark = pytest.mark.slow
POSIX = pytest.mark.skipif(os.name == "nt", reason="programs of POSIX systems")
BIN = "Scripts" if os.name == "nt" else "bin"
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
    shutil.copy(project / "kit.py", root)
    pin = re.search(r"^six==\S+\n", (project / "requirements.txt").read_text(), re.M)
    assert pin
    for name, text in {
        "nbgrader_config.py": "",
        "requirements.txt": pin[0],
        "nbproctor/__init__.py": "",
        "nbproctor/__main__.py": CALLED,
        "pyproject.toml": BUILD,
        "backend.py": BACKEND,
    }.items():
        (root / name).write_text(text)
    return root


def kit(
    root: Path, *words: str, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    return start(python, root / "kit.py", *words, cwd=root, **variables)


@pytest.fixture(scope="module")
def first(
    project: Path, module_path: Path
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A toy next to the remains of an aborted run, and the result of its first run."""
    root = make_toy(project, module_path)
    (root / ".venv.old").touch()
    return root, kit(root, "grade", "neural_network")


@pytest.fixture
def used(first: tuple[Path, object]) -> Path:
    """The toy after its first run; its tests leave a whole environment, as they do."""
    return first[0]


def call_of(result: subprocess.CompletedProcess[str]) -> dict[str, object]:
    answer: dict[str, object] = json.loads(succeeded(result).stdout)
    return answer


def without_uv(tmp_path: Path) -> dict[str, str]:
    """Variables under which no uv is found."""
    if find_spec("uv"):
        pytest.skip("this Python has uv as a module")
    return {"PATH": str(tmp_path / "empty")}


def test_no_command_prints_the_commands_that_exist_and_makes_nothing(toy: Path) -> None:
    result = succeeded(kit(toy))
    named = set(re.findall(r"python kit\.py (\w+)  ", result.stdout))
    commands = {c.callback.__name__ for c in app.registered_commands if c.callback}
    assert named == commands | {"demo", "test"}
    assert not (toy / ".venv").exists()


def test_the_first_run_makes_the_environment_and_runs_the_command(
    first: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """The second installs nothing, and passes the status on."""
    root, result = first
    assert call_of(result) == {
        "command": ["grade", "neural_network"],
        "folder": str(root),
        "prefix": str(root / ".venv"),
        "tool": shutil.which("python", path=str(root / ".venv" / BIN)),
    }
    assert "Making .venv" in result.stderr
    assert not (root / ".venv.old").exists()
    stamp = root / ".venv/kit.json"
    written = stamp.stat().st_mtime_ns
    again = kit(root, "fail")
    assert (again.returncode, again.stderr) == (7, "")
    assert stamp.stat().st_mtime_ns == written


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


# What a shell does in .venv.
DAMAGE = {
    "no Python": "rm bin/python*",
    "half of a package": "rm lib/python*/site-packages/six.py",
    "an empty package": "rm -r lib/python*/site-packages/six-*.dist-info/*",
    "no stamp": "rm kit.json",
    "half of a stamp": """rm kit.json; echo '{"pins": {"require' > kit.json""",
    "a file": "cd .. && rm -r .venv && echo 'not a folder' > .venv",
}


@POSIX
def test_damage_or_a_move_is_noticed(used: Path, tmp_path: Path) -> None:
    def is_usable(root: Path = used) -> bool:
        kit = runpy.run_path(str(root / "kit.py"))
        return bool(kit["usable"](kit["read_stamp"]()))

    copied = partial(shutil.copytree, symlinks=True, copy_function=link)
    assert not is_usable(copied(used, tmp_path / "elsewhere"))
    venv = used / ".venv"
    whole = venv.rename(tmp_path / "whole")
    for name, damage in DAMAGE.items():
        copied(whole, venv)
        assert is_usable()
        subprocess.run(damage, cwd=venv, shell=True, check=True)
        assert not is_usable(), name
        subprocess.run(["rm", "-r", venv], check=True)
    whole.rename(venv)


def test_changed_pins_renew_the_environment_even_if_it_is_activated(used: Path) -> None:
    """And the pins of the site in the browser are added once, and again with it.

    Of two commands that start together, one renews it.
    """
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
    pins.write_text(pins.read_text() + "# and one more\n")
    with ThreadPoolExecutor() as threads:
        both = [*threads.map(partial(kit, used), ("grade", "lint"))]
    assert [call_of(done)["command"] for done in both] == [["grade"], ["lint"]]
    messages = "".join(done.stderr for done in both)
    assert messages.count("Renewing .venv") == 1
    assert messages.count("Adding the packages of requirements-browser.txt") == 1


# The discard port refuses at once.
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
    "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
    "UV_HTTP_RETRIES": "0",
}


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_without_a_network_nothing_is_left_half_made_and_what_was_there_stays(
    toy: Path,
    tmp_path: Path,
    tool: str,
) -> None:
    (toy / ".venv").write_text("not a folder")
    variables = NO_NETWORK | {"UV_CACHE_DIR": str(tmp_path / "cache")}
    if tool == "pip":
        variables |= without_uv(tmp_path)
    elif not shutil.which("uv"):
        pytest.skip("there is no uv here: see the test with pip")
    message = complaint_of(kit(toy, "grade", **variables))
    assert f"with {tool}." in message
    assert "internet" in message and "six" in message
    assert (toy / ".venv").read_text() == "not a folder"
    assert not (toy / ".venv.old").exists()


# What makes a computer another one → what is to be done there.
VERSION = sysconfig.get_python_version()
COMPUTERS = {
    "sys.version_info = (3, 10, 4, 'final', 0)": (
        "This is Python 3.10, but the kit needs 3.11 to 3.14"
    ),
    "sys.version_info = (3, 15, 4, 'final', 0)": "This is Python 3.15, but the kit",
    "sys.version_info = (3, 9, 4, 'final', 0)": (
        "https://www.python.org/downloads/latest/python3.14/"
    ),
    "import os, shutil, subprocess; os.name = 'nt'": "Windows cannot fork processes",
    "sys.modules['ensurepip'] = None": f"sudo apt install python{VERSION}-venv",
}


def test_a_computer_that_does_not_fit_is_told_what_to_do(
    toy: Path, tmp_path: Path
) -> None:
    for preparation, message in COMPUTERS.items():
        code = f"import runpy, sys; {preparation}; sys.argv = ['kit.py', 'demo']; "
        code += "runpy.run_path('kit.py', run_name='__main__')"
        variables = without_uv(tmp_path) if "ensurepip" in code else {}
        done = start(sys.executable, "-c", code, cwd=toy, **variables)
        assert message in complaint_of(done)
        assert not (toy / ".venv").exists()


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
    (toy / "examples/cluster").mkdir(parents=True)
    (toy / "examples/cluster/Containerfile").touch()
    (toy / "requirements.lock").touch()
    folder = tmp_path / "engines"
    text = ENGINE.format(python=sys.executable, package=str(toy))
    for name in ("podman", "docker"):
        write_program(folder / name, text)
    return folder


@POSIX
def test_a_command_runs_in_a_container_with_the_course_and_no_network(
    toy: Path,
    engines: Path,
    tmp_path: Path,
) -> None:
    course = tmp_path / "a course"
    (course / "source").mkdir(parents=True)
    (course / "nbgrader_config.py").touch()
    record = engines / "run.json"
    current_user = f"--user={os.getuid()}:{os.getgid()}"
    for folder, below in ((toy.parent, toy), (course / "source", course / "source")):
        command = (sys.executable, toy / "kit.py", "grade", "--container", "lab")
        done = start(*command, cwd=folder, PATH=str(engines))
        call = call_of(done)
        assert call["command"] == ["grade", "lab"]
        assert call["folder"] == str(below)
        options = {"--network=none", "--rm", current_user}
        assert options <= {*read_json(record)}
        assert ("Building the image" in done.stderr) == (below == toy)  # once
    assert not (toy / ".venv").exists()
    (toy / "nbproctor/__init__.py").write_text("# changed")
    again = kit(toy, "fail", "--container", PATH=str(engines))
    assert again.returncode == 7 and "Building the image" in again.stderr
    # Docker is called as Podman is, but for an option of Podman's.
    expected = record.read_text().replace('"--userns=keep-id", ', "")
    (engines / "podman").unlink()
    # In a rootless Docker, root is the user who started it outside.
    for info, user in (
        ("", current_user),
        ("Security Options: rootless", "--user=0:0"),
    ):
        (engines / "docker.says").write_text(info)
        assert kit(toy, "fail", "--container", PATH=str(engines)).returncode == 7
        assert record.read_text() == expected.replace(current_user, user)


@POSIX
def test_a_container_without_an_engine_says_what_is_missing(
    toy: Path, engines: Path
) -> None:
    (engines / "podman").unlink()
    (engines / "docker.asleep").touch()
    for message in (
        "not running: docker (Cannot connect to docker)",
        "needs Podman or Docker, and neither is on this computer",
    ):
        done = kit(toy, "grade", "--container", PATH=str(engines))
        assert message in complaint_of(done)
        (engines / "docker").unlink(missing_ok=True)


# ---- the checks -------------------------------------------------------------------


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


@POSIX
@pytest.mark.parametrize(
    ("packages", "red", "message"),
    [
        ("0", "nothing", "every part has passed"),
        ("0", "sandbox", "FAILED: the sandbox without bubblewrap"),
        ("1", "--fast", "FAILED: fast tests without bubblewrap"),
        ("1", "--fast", "cannot be installed"),
    ],
)
def test_every_part_of_the_checks_runs_and_the_red_ones_are_named(
    project: Path,
    tmp_path: Path,
    packages: str,
    red: str,
    message: str,
) -> None:
    script = shutil.copytree(project / ".ci", tmp_path / ".ci") / "run"
    tools = tmp_path / "tools"
    for stub in (
        tools / "python3",
        tools / "python3.14",
        tmp_path / ".venv/bin/python",
    ):
        write_program(stub, PYTHON_STUB)
    for tool in ("bash", "dirname", "id", "mktemp", "rm", "sh", "tail", "tar"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    variables = {
        "PATH": str(tools),
        "NOTES": str(tmp_path / "notes"),
        "RED": red,
        "NO_PACKAGES": packages,
    }
    result = start("bash", script, cwd=tmp_path, **variables)
    output = result.stdout + result.stderr
    runs = [part for part in PARTS if packages == "0" or "3.14" not in part]
    assert (tmp_path / "notes").read_text().splitlines() == runs, output
    assert result.returncode == (red != "nothing") and message in output, output


@POSIX
def test_a_folder_that_cannot_be_written_is_named(toy: Path) -> None:
    toy.chmod(0o555)
    toy.parent.chmod(0o755)
    command = bound_by_rights(sys.executable, str(toy / "kit.py"), "demo")
    message = complaint_of(start(*command, cwd=Path("/")))
    assert str(toy) in message and "may write" in message
    assert not (toy / ".venv").exists()
