"""The commands of the course kit, the same on Windows, macOS and Linux.

To try it:
    python kit.py demo      grade a sample class and show the score table
    python kit.py doctor    check how well this computer isolates student code
    python kit.py lab       open the lab in JupyterLab, as students get it
    python kit.py submit    check your notebook before you submit it

Before the term:
    python kit.py new       make a new assignment with one example exercise
    python kit.py adopt     turn a notebook with other tests into an assignment
    python kit.py lint      check that your own solutions earn every point
    python kit.py audit     check the hidden tests with correct and incorrect solutions
    python kit.py release   make the student version and the zip for students
                            (--browser: also a website with the lab)
    python kit.py roster    import a class list, so that tables show names

During the term:
    python kit.py watch     give feedback on submissions before the deadline
    python kit.py due       set when an assignment is due
    python kit.py extend    give one student more time
    python kit.py collect   copy the submissions in a platform's zip to submitted/
    python kit.py late      record submission times that the platform lacks
    python kit.py grade     grade what is in submitted/
    python kit.py export    fill in the platform's grade file and pack the feedback

In an existing nbgrader course:
    python kit.py init      switch nbproctor on
    python kit.py off       switch nbproctor off

To change this project:
    python kit.py test      run all checks (--fast: only the quick ones)

To see the options of a command: python kit.py grade --help

On macOS, add --container to grade and watch. On Windows, add it to these commands
and to adopt, audit, demo, init, lint and release. The command then runs in a
container, which needs Podman or Docker.

The first run installs packages into the folder .venv, next to kit.py. It changes
nothing else on the computer, and you do not have to activate anything.
"""

# Standard library only. This file must parse on every Python that is still in use,
# 2.7 included, so that an old one prints a message instead of a SyntaxError.
from __future__ import print_function

import errno
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 14)  # every pin has a wheel for these, for newer not yet
DOWNLOAD = "https://www.python.org/downloads/latest/python3.14/"
HERE = os.path.dirname(os.path.realpath(__file__))
# Students get this file too. Its commands are the files of the folder kit/ there.
STUDENT = os.path.join(HERE, "kit")
VENV = os.path.join(HERE, ".venv")
ASIDE = VENV + ".old"
LOCK = VENV + ".lock"  # of the command that installs packages
STAMP = os.path.join(VENV, "kit.json")
WINDOWS = os.name == "nt"
BIN = os.path.join(VENV, "Scripts" if WINDOWS else "bin")
PYTHON = os.path.join(BIN, "python.exe" if WINDOWS else "python")

RUNTIME = "requirements.txt"  # what a course needs
DEVELOPMENT = "requirements.lock"  # the same pins, and those of the checks
BROWSER = "requirements-browser.txt"  # what makes the site of `release --browser`
FORKING = {"adopt", "demo", "release", "grade", "watch", "init", "lint", "audit"}
RECIPE = os.path.join("examples", "cluster", "Containerfile")
IN_IMAGE = "/opt/nbproctor"  # where the recipe puts the project

TEST_HELP = """\
python kit.py test [--fast] [WHAT ...]

Run every check of the project: ruff, mypy and pytest. The first run adds the packages
that they need to .venv. The exit status is 1 if a check fails.

  --fast    leave out the tests that take a quarter of a second or more
  WHAT      arguments for pytest: a file or folder of tests, -k WORD, -x, ...

    python kit.py test --fast              twenty seconds on two quiet cores
    python kit.py test tests/platforms     the tests of one package folder
    python kit.py test                     everything: seven minutes on two quiet cores
"""

DEMO = "examples/demo.py"  # uses the package from outside
# What is checked, how long it takes, and the command.
CHECKS = (
    ("the style of the code", "seconds", ["ruff", "check", "."]),
    ("its types", "up to a minute", ["mypy", "--strict", "nbproctor", DEMO]),
    (
        "what it does",
        "on two quiet cores seven minutes, with --fast twenty seconds",
        # On all cores; the tests of a file share what was graded for them.
        ["pytest", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
        + ["--durations=10"],
    ),
)


class KitError(Exception):
    """Something the person at the keyboard has to put right."""


def main(arguments):
    """Run one command; return the exit status."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found, newest = dotted(sys.version_info[:2]), dotted(NEWEST)
        raise KitError(
            "This is Python %s, but the kit needs %s to %s. Install %s (you can\n"
            "keep this one too) from %s\n"
            "or from your system's packages. Then run, for example:  python%s kit.py"
            % (found, dotted(OLDEST), newest, newest, DOWNLOAD, newest)
        )
    if os.path.isdir(STUDENT):
        return student(arguments)
    contained = "--container" in arguments
    arguments = [word for word in arguments if word != "--container"]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    testing = arguments[0] == "test"
    if contained and not testing:
        return container(arguments)
    if WINDOWS and FORKING.intersection(arguments) and "--help" not in arguments:
        raise KitError(
            "Windows cannot fork processes, and this command needs that. Add\n"
            "--container, which needs Podman or Docker, or use WSL 2."
        )
    if testing and ("-h" in arguments or "--help" in arguments):
        print(TEST_HELP.strip())
        return 0
    wanted = set(word.split("=")[0] for word in arguments)
    if testing:
        ensure([RUNTIME, DEVELOPMENT])
    elif arguments[0] == "release" and wanted.intersection(("--browser", "--pyodide")):
        ensure([RUNTIME, BROWSER])
    else:
        ensure([RUNTIME])
    if testing:
        os.chdir(HERE)
    elif "--course" not in wanted:
        os.chdir(working_folder(arguments[0] in ("new", "adopt")))
    if testing:
        return check(arguments[1:])
    os.environ["NBPROCTOR_TYPED"] = typed(arguments)
    return run([PYTHON] + program(arguments, HERE) + arguments)


def program(arguments, home):
    """Return what Python runs; `demo` is not in the package: it needs a clone.

    -P: a file of the course must not be imported instead of a package.
    """
    if "demo" in arguments:
        return [os.path.join(home, "examples", "demo.py")]
    return ["-P", "-m", "nbproctor"]


def typed(arguments):
    """Return the words before the command, for messages that say how to use one."""
    words = [os.path.basename(sys.orig_argv[0])] + sys.orig_argv[1:]
    return " ".join(words[: words.index(arguments[0])]).replace(".exe ", " ")


def course():
    """Return the course around the working directory, or None if there is none."""
    here = os.getcwd()
    while not os.path.isfile(os.path.join(here, "nbgrader_config.py")):
        here, below = os.path.dirname(here), here
        if here == below:
            return None
    return here


def working_folder(starts_course=False):
    """Return the folder to work in: this one, or the kit's with a message."""
    here = os.getcwd()
    if course() or (starts_course and not (here + os.sep).startswith(HERE + os.sep)):
        return here
    if os.path.isfile(os.path.join(HERE, "nbgrader_config.py")):
        say("There is no course around this folder: the one in %s is used." % HERE)
    return HERE


def student(arguments):
    """Run a command of the folder that students get; only `lab` needs packages."""
    commands = {
        "lab": "open the lab",
        "submit": "check your notebook, and write the file to submit",
    }
    if not arguments or arguments[0] not in commands:
        for command in sorted(commands):
            print("python kit.py %-8s%s" % (command, commands[command]))
        return 0 if not arguments or arguments[0] in ("-h", "--help") else 2
    if arguments[0] == "lab":
        ensure([RUNTIME])
    python = PYTHON if arguments[0] == "lab" else sys.executable
    script = os.path.join(STUDENT, arguments[0] + ".py")
    return run([python, script] + arguments[1:])


# ---- in a container ----------------------------------------------------------------


def container(arguments):
    """Run a command in the project's image, which is built if it does not exist.

    The container has the course's folder, under the name that it has here, and no
    network. Its files belong to the user who started it.
    """
    engine, told = container_engine()
    image = "nbproctor:" + image_version()
    known = [engine, "image", "inspect", image]
    if subprocess.call(known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        say(
            "Building the image %s with %s. This takes a few minutes, once."
            % (image, engine)
        )
        recipe = os.path.join(HERE, RECIPE)
        build = [engine, "build", "--tag", image, "--file", recipe, HERE]
        if subprocess.call(build, stdout=sys.stderr):
            raise KitError(
                "The image could not be built: the lines above say why. The first\n"
                "build needs the internet. Then run the same command again."
            )
    folder = working_folder()
    root = course() or HERE
    there = "/course" if WINDOWS else root
    below = os.path.relpath(folder, root)
    command = [engine, "run", "--rm", "--network=none", "--security-opt=label=disable"]
    command += ["--mount=type=bind,source=%s,target=%s" % (root, there)]
    command += ["--workdir=%s/%s" % (there, below.replace(os.sep, "/"))]
    command += ["--env=HOME=/tmp", "--env=NBPROCTOR_TYPED=" + typed(arguments)]
    if not WINDOWS:  # there, the engine's own machine maps who owns what
        rootless_docker = engine == "docker" and b"rootless" in told
        owner = (0, 0) if rootless_docker else (os.getuid(), os.getgid())
        command += ["--user=%d:%d" % owner]
        if engine == "podman" and os.getuid() != 0:
            command += ["--userns=keep-id"]
    if sys.stdin.isatty() and sys.stdout.isatty():
        command += ["--interactive", "--tty"]
    command += [image, "python"] + program(arguments, IN_IMAGE) + arguments
    sys.stdout.flush()
    return subprocess.call(command)


def image_version():
    """Return what the image is named after: the hash of all that goes into it."""
    names = [RECIPE, DEVELOPMENT, "pyproject.toml", "kit.py"]
    names += glob.glob(os.path.join("examples", "*.py"), root_dir=HERE)
    for folder, _, files in os.walk(os.path.join(HERE, "nbproctor")):
        names += [os.path.join(folder, f) for f in files if not f.endswith(".pyc")]
    content = hashlib.sha256()
    for name in sorted(os.path.relpath(os.path.join(HERE, n), HERE) for n in names):
        with open(os.path.join(HERE, name), "rb") as file:
            content.update(hashlib.sha256(file.read()).digest())
    return content.hexdigest()[:16]


def container_engine():
    """Return the name of Podman or Docker, whichever is running, and its answer."""
    asleep = []
    for engine in ("podman", "docker"):
        try:
            asked = [engine, "info"]
            return engine, subprocess.check_output(asked, stderr=subprocess.STDOUT)
        except OSError:
            pass  # not here
        except subprocess.CalledProcessError as problem:
            lines = problem.output.decode("utf-8", "replace").strip().split("\n")
            asleep.append("%s (%s)" % (engine, lines[-1].strip()))
    if asleep:
        raise KitError(
            "Installed, but not running: %s.\nStart it (Docker Desktop, Podman "
            "Desktop, or podman machine start),\nthen run the same command again."
            % "; ".join(asleep)
        )
    raise KitError(
        "--container needs Podman or Docker, and neither is on this computer. Install\n"
        "Podman (https://podman.io) or Docker (https://docs.docker.com/get-docker/),\n"
        "then run the same command again."
    )


# ---- checks ------------------------------------------------------------------------


def check(options):
    """Run every check, the tests last; return 0 only if none failed."""
    if "--fast" in options:
        options = [o for o in options if o != "--fast"] + ["-m", "not slow"]
    variables = environment()
    # Each of the many processes of the tests would compile all that it imports.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    failed = []
    for number, (what, duration, command) in enumerate(CHECKS, 1):
        print("Check %d of %d: %s (%s)" % (number, len(CHECKS), what, duration))
        if command[0] == "pytest":
            command = command + options
        print("$ " + " ".join(command), flush=True)
        start = time.time()
        if subprocess.call([PYTHON, "-m"] + command, env=variables):
            failed.append(command[0])
        print("%s: %d seconds\n" % (command[0], time.time() - start))
    print("Failed: " + ", ".join(failed) if failed else "Every check has passed.")
    return 1 if failed else 0


def run(command):
    """Hand over to `command`, and end as it ends."""
    sys.stdout.flush()
    if WINDOWS:  # there, exec would give the prompt back at once
        return subprocess.call(command, env=environment())
    return os.execve(command[0], command, environment())


def environment():
    """Return the variables of an activated .venv.

    Its own programs come first on PATH: nbgrader starts `alembic` from there. A
    PYTHONPATH or PYTHONHOME would mix in packages of another Python.
    """
    kept = dict(os.environ, VIRTUAL_ENV=VENV)
    kept["PATH"] = os.pathsep.join([BIN, os.environ.get("PATH", os.defpath)])
    for name in ("PYTHONPATH", "PYTHONHOME"):
        kept.pop(name, None)
    return kept


# ---- the virtual environment -------------------------------------------------------


def ensure(files):
    """Make .venv hold the pins of `files`, doing only what is missing.

    A new .venv also holds what was added to the one before. Of two commands at the
    same time, the second waits, and uses what the first has installed.
    """
    if not missing(files, read_stamp()):
        return
    with open(LOCK, "a") as lock:
        wait_for(lock)
        state = read_stamp()
        if RUNTIME in missing(files, state):
            previous = state["pins"] if state else {}
            added = [name for name in (DEVELOPMENT, BROWSER) if name in previous]
            files = files + [name for name in added if name not in files]
            state = build(state is not None or os.path.lexists(VENV))
        for name in missing(files, state):
            say("Adding the packages of %s to .venv (about a minute)." % name)
            install(installer(), ["-r", os.path.join(HERE, name)])
            state["pins"][name] = fingerprint(name)
            write_stamp(state)


def missing(files, state):
    """Return the files of pins whose packages are not in .venv."""
    pins = state["pins"] if usable(state) else {}
    return [name for name in files if pins.get(name) != fingerprint(name)]


def wait_for(lock):
    """Wait until no other command has the lock, which ends with its process."""
    waits = False
    while is_locked(lock):
        if not waits:
            say("Another command is installing packages into .venv. Waiting for it.")
        waits = True
        time.sleep(0.2)


def is_locked(lock):
    """Say whether another process has the lock; if none has it, take it."""
    try:
        if WINDOWS:
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        # Others come from a file system without locks.
        return problem.errno in (errno.EACCES, errno.EAGAIN)
    return False


def build(anew):
    """Make .venv; a failure leaves the one that was there before, or none.

    The old one is moved aside, not mended: half of it may be missing.
    """
    tool = installer()
    say(
        "%s .venv for Python %s with %s. This happens once and takes a minute or two."
        % ("Renewing" if anew else "Making", dotted(sys.version_info[:3]), tool[-1])
    )
    remove(ASIDE)
    if os.path.lexists(VENV):
        os.rename(VENV, ASIDE)
    try:
        os.mkdir(VENV)
        # Not sys.executable: in an activated .venv that has just been moved aside.
        python = getattr(sys, "_base_executable", sys.executable)
        if tool[-1] == "uv":
            call(tool + ["venv", "--quiet", "--python", python, VENV])
        else:
            call([python, "-m", "venv", VENV])
        install(tool, ["-r", os.path.join(HERE, RUNTIME)])
        if os.path.exists(os.path.join(HERE, "pyproject.toml")):
            install(tool, ["--no-deps", "--editable", HERE])
        state = {"pins": {RUNTIME: fingerprint(RUNTIME)}}
        write_stamp(state)
    except BaseException:  # Ctrl-C included
        remove(VENV)
        if os.path.lexists(ASIDE):
            os.rename(ASIDE, VENV)
        raise
    remove(ASIDE)
    say("Done.")
    return state


def installer():
    """Return the command of uv where it works, else of this Python's pip."""
    for uv in (["uv"], [sys.executable, "-m", "uv"]):
        try:  # asked to run, not only looked for: it may be a shim without a uv
            subprocess.check_output(uv + ["--version"], stderr=subprocess.STDOUT)
            return uv
        except (OSError, subprocess.CalledProcessError):
            pass
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise KitError(
            "This Python cannot make virtual environments. On Debian and Ubuntu, this\n"
            "part is a separate package. Install it, then run the command again:\n"
            "    sudo apt install python%s-venv" % dotted(sys.version_info[:2])
        )
    return [PYTHON, "-m", "pip"]


def install(tool, what):
    """Install into .venv with uv or pip."""
    if tool[-1] == "uv":
        command = tool + ["pip", "install", "--quiet", "--python", PYTHON]
    else:
        command = tool + ["install", "--quiet", "--disable-pip-version-check"]
    call(command + what)


def call(command):
    """Run a step of the installation, its output shown only when it fails."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment()
    )
    output = process.communicate()[0].decode("utf-8", "replace").strip()
    if process.returncode:
        raise KitError(
            output + "\n\n"
            "The packages could not be installed, and .venv is as it was before.\n"
            "If the lines above name a connection: the first run needs the\n"
            "internet (or your package index). Then run the same command again."
        )


def read_stamp():
    """Return what the last complete installation noted, or None."""
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write_stamp(state):
    """Note, as the last step, that .venv is complete."""
    version = interpreter()
    state.update(place=VENV, python=version, packages=packages(version))
    with open(STAMP + ".new", "w") as file:
        json.dump(state, file)
    os.replace(STAMP + ".new", STAMP)


def usable(state):
    """Say whether .venv is whole, where it was made, and starts."""
    if state is None or state.get("place") != VENV:
        return False  # half-made, or moved: its programs name the old place
    version = interpreter()
    if state["python"] != version:
        return False  # the Python that it was made from is gone or was replaced
    now = packages(version)
    return all(now.get(name, -1) >= size for name, size in state["packages"].items())


def interpreter():
    """Return the version of .venv's Python, or None where it does not start."""
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        with open(os.devnull, "w") as silence:
            output = subprocess.check_output(
                [PYTHON, "-I", "-S", "-c", show], stderr=silence
            )
    except (OSError, subprocess.CalledProcessError):
        return None
    return output.decode().strip()


def packages(version):
    """Return what is installed: name and number of entries, enough to miss a part."""
    if WINDOWS:
        library = os.path.join(VENV, "Lib")
    else:
        library = os.path.join(VENV, "lib", "python" + version)
    found = {}
    for folder in (os.path.join(library, "site-packages"), BIN):
        if os.path.isdir(folder):
            for entry in os.scandir(folder):
                found[entry.name] = len(os.listdir(entry)) if entry.is_dir() else 0
    return found


def fingerprint(name):
    """Return the hash of a file of pins, whatever its line ends."""
    with open(os.path.join(HERE, name)) as file:
        return hashlib.sha256(file.read().encode("utf-8")).hexdigest()


def remove(path):
    """Remove a file, a link or a folder, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def dotted(version):
    """Write a version tuple as people do."""
    return ".".join(str(part) for part in version)


def say(text):
    """Print a message on stderr, apart from the output of a command."""
    sys.stderr.write("kit: " + text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
        sys.exit(status)
    except KitError as problem:
        say(str(problem))
        sys.exit(1)
    except (IOError, OSError) as problem:
        if problem.errno == errno.EPIPE:  # the reader has stopped: kit.py grade | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        say("%s\nCheck that you may write into %s and try again." % (problem, HERE))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
