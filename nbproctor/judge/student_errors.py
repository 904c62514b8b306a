"""What goes wrong in a student process, as exceptions of the judge's own."""

from __future__ import annotations

from nbproctor.errors import NbproctorError

NOT_AS_SUCH = (StopIteration, StopAsyncIteration, ExceptionGroup)


class StudentError(NbproctorError):
    """Student code raised something; also an instance of the matching built-in class.

    Attributes
    ----------
    kind
        Name of the student's exception class.
    text
        Its message.
    cell, line
        Where it happened in the student's own cells, if it did.
    origin
        The session whose process raised it.
    """

    kind = "Exception"
    text = ""
    cell: str | None = None
    line: int | None = None
    origin: object = None

    def __str__(self) -> str:
        return self.text


class StudentGone(BaseException):
    """The student process hung, died, or broke the protocol, and is no more.

    Attributes
    ----------
    reason
        ``"timeout"``, ``"died"`` or ``"protocol"``.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def printable(text: str) -> str:
    """Return what a student process calls something, fit to be shown."""
    text = text[:100]
    return text if text.isprintable() else "".join(filter(str.isprintable, text))
