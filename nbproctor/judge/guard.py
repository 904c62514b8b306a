"""Text of the student's in the judge: it is not executed, and it looks nothing up.

A text does not show where it came from. So once a running test may have text of the
student's, every text counts as such, unless the code of a test or of a library spells
it out. If the reference solution passes such a test only in the student's process, the
test is judged there.
"""

from __future__ import annotations

import string
import sys
import tempfile
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from nbproctor.errors import NbproctorError
from nbproctor.judge.compiled import TEST_FILE, BrokenTestError
from nbproctor.judge.session import Session

#: The process that the running test asks; nothing between two tests.
running_session: deque[Session] = deque(maxlen=1)

# Events by which data becomes code, or another program runs.
_EXECUTING = {
    "code.__new__",
    "compile",
    "marshal.load",
    "marshal.loads",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "pty.spawn",
    "sqlite3.enable_load_extension",
    "sqlite3.load_extension",
    "subprocess.Popen",
}
_IMPORTERS = ("importlib._bootstrap", "importlib._bootstrap_external")
# Modules that may compile a text even so. All others are refused, unless they are just
# being imported.
_COMPILERS = {
    "ast",  # ``literal_eval`` executes nothing
    "collections",  # ``namedtuple`` checks that the text is names
    "dataclasses",
    "networkx.utils.decorators",  # it repeats the parameters of a function
    "scipy.stats._distn_infrastructure",
}
_own_files: dict[str, int] = {}  # modules beside the notebook, and their last change


class TemplateError(NbproctorError, AssertionError):
    """A text of the student's that a test formats would look up something."""


@cache
def guard_text() -> None:
    """Let this process, a judge, execute no text of the student's; for good."""
    for path in Path.cwd().rglob("*.py*"):
        _own_files[str(path)] = path.lstat().st_ctime_ns
    vformat = string.Formatter.vformat

    def check_and_format(
        formatter: string.Formatter, template: str, *arguments: Any
    ) -> str:
        return vformat(formatter, check_template(template), *arguments)

    string.Formatter.vformat = check_and_format  # type: ignore[assignment]
    sys.addaudithook(_refuse_sent_text)


def _refuse_sent_text(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to execute anything for a test that may have text of the student's.

    This is an audit hook of the judge, which runs no student code.
    """
    if event not in _EXECUTING or not running_session:
        return
    # Bytes may also be made of numbers, as in ``bytes(answer())``.
    is_of_bytes = event != "compile" and running_session[0].has_answered
    if not is_of_bytes and not _may_be_sent():
        return
    caller = sys._getframe(1)
    if _is_imported(caller, event, arguments):
        return
    if event != "compile" or not _may_compile(arguments[0], caller):
        raise BrokenTestError("it executes text that student code could have written")


def _may_be_sent() -> bool:
    """Whether a text in the running test may be the student's."""
    return bool(running_session) and running_session[0].has_sent_text


def _is_imported(
    caller: FrameType,
    event: str,
    arguments: tuple[Any, ...],
) -> bool:
    """Whether a module is being imported, other than one that the test has written."""
    if _module_of(caller) in _IMPORTERS:
        if event == "compile":
            return not _is_written(arguments[1])
        return not _is_written(caller.f_locals.get("bytecode_path"))
    # The code of a module does not know the student's text.
    frame: FrameType | None = caller
    while frame and not _is_of_test(frame):
        if _module_of(frame) in _IMPORTERS:
            return True
        frame = frame.f_back
    return False


def _may_compile(text: Any, caller: FrameType | None) -> bool:
    if _module_of(caller) == "ast" and caller:
        # ``ast.parse``: a test cannot execute the tree, but a library may follow it.
        caller = caller.f_back
        if _is_of_test(caller):
            return True
    module = _module_of(caller)
    if module in _COMPILERS or module.startswith("nbproctor."):
        return True
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return type(text) is str and _is_spelled_out(text, caller)


def _is_spelled_out(text: str, frame: FrameType | None) -> bool:
    """Whether code that runs, of a test or of a library, contains a text."""
    while frame:
        if text in frame.f_code.co_consts:
            return True
        if _module_of(frame).startswith("pandas.core."):
            text = frame.f_locals.get("expr", text)  # of which it has made the text
        frame = frame.f_back
    return False


def _module_of(frame: FrameType | None) -> str:
    return str(frame.f_globals.get("__name__")) if frame else ""


def _is_of_test(frame: FrameType | None) -> bool:
    """Whether code is of a test cell, or of a module beside the notebook."""
    own_files = TEST_FILE, str(Path.cwd())
    return frame is not None and frame.f_code.co_filename.startswith(own_files)


def _is_written(file: Any) -> bool:
    """Whether a file lies where a test can write, and has been written since."""
    path = str(file)
    if not path.startswith((str(Path.cwd()), tempfile.gettempdir())):
        return False
    with suppress(OSError):
        return Path(path).lstat().st_ctime_ns != _own_files.get(path)
    return True


# --- templates ------------------------------------------------------------------------


class _Formats:
    """Stands for ``str`` in ``str.format``."""

    @staticmethod
    def format(template: Any, *args: Any, **kwargs: Any) -> str:
        """Format, as ``str`` does."""
        return str.format(check_template(template), *args, **kwargs)

    @staticmethod
    def format_map(template: Any, mapping: Any) -> str:
        """Format, as ``str`` does."""
        return str.format_map(check_template(template), mapping)


def check_template(owner: Any) -> Any:
    """Return what a test formats with; `TemplateError`: it may not.

    ``"{0.__class__.__init__.__globals__}"`` reads whatever the object can reach. So a
    text that may be the student's has plain fields, such as ``{}``, ``{name}`` and
    ``{0:.2f}``. `compiled` calls this for each ``owner.format``.
    """
    if owner is str:
        return _Formats
    if not issubclass(type(owner), str) or not _may_be_sent():
        return owner
    template = str(owner)
    if _looks_up(template) and not _is_spelled_out(template, sys._getframe(1)):
        raise TemplateError(
            "The text of a template may contain fields such as {} and {name}, but no "
            "attributes or items of them."
        )
    return owner


def _looks_up(template: str) -> bool:
    """Whether a field of a template, or of a format in it, has a dot or a bracket."""
    with suppress(ValueError):  # ``str.format`` says what is wrong with it
        for _, field, form, _ in string.Formatter().parse(template):
            if not {".", "["}.isdisjoint(field or "") or _looks_up(form or ""):
                return True
    return False
