"""Outputs of one cell, in nbformat's form and within limits.

The shell and its streams write here. When a limit is reached, a note replaces the
remaining output, so an endless loop that prints uses little memory.
"""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from nbproctor.results import Output, error_output, stream_output
from nbproctor.sanitize import alternative_texts

# Limits for one cell.
TEXT_BYTES = 100_000  # of both streams together, and of any single text
DISPLAYS = 100  # displayed objects and results
IMAGE_BYTES = 8 << 20  # of all images together, in base64


class Outputs:
    """The outputs of one cell, while it runs."""

    def __init__(self) -> None:
        self._outputs: list[Output] = []
        self._displayed = defaultdict[str | None, list[Output]](list)  # by their ids
        self._bytes = 0
        self._displays = 0
        self._images = 0
        self._truncated: set[str] = set()
        self._clear_next = False

    def write(self, name: str, text: str) -> None:
        """Append to the stream ``stdout`` or ``stderr``."""
        if not text or "stream" in self._truncated:
            return
        self._start()
        room = TEXT_BYTES - self._bytes
        if len(text) > room:
            # Progress bars write much that they overwrite.
            self._drop_all_overwritten()
            room = TEXT_BYTES - self._bytes
        fitting = text[:room]
        self._bytes += len(fitting)
        self._stream(name, fitting)
        if len(fitting) < len(text):
            self._truncated.add("stream")
            self._stream(
                name,
                f"\n[output cut here: a cell may print {TEXT_BYTES:,} bytes]\n",
            )

    def has_stream(self, name: str) -> bool:
        """Whether anything was written to a stream."""
        return any(output.get("name") == name for output in self._outputs)

    def show(
        self,
        kind: str,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *,
        display_id: str | None = None,
        update: bool = False,
        execution_count: int | None = None,
    ) -> None:
        """Append a ``display_data`` or ``execute_result``, or update one by its id."""
        mimebundle = {}
        image_bytes = 0
        for name, item in data.items():
            mime = str(name)
            if isinstance(item, bytes):
                item = base64.b64encode(item).decode()
            if mime.startswith("image/") and isinstance(item, str):
                image_bytes += len(item)
            else:
                item = _shorten(item)
            mimebundle[mime] = item
        alternative = alternative_texts(metadata, mimebundle)
        if update:
            for earlier in self._displayed[display_id]:
                earlier.update(data=mimebundle, metadata=alternative)
            return
        self._start()
        self._displays += 1
        self._images += image_bytes
        if self._displays > DISPLAYS or self._images > IMAGE_BYTES:
            if "display" in self._truncated:
                return
            self._truncated.add("display")
            kind = "display_data"
            note = "[left out: a cell may not show more displays or images]"
            mimebundle = {"text/plain": note}
            alternative = {}
            display_id = None
        output: Output = {
            "output_type": kind,
            "data": mimebundle,
            "metadata": alternative,
        }
        if kind == "execute_result":
            output["execution_count"] = execution_count
        if display_id is not None:
            self._displayed[display_id].append(output)
        self._append(output)

    def error(
        self,
        name: str,
        value: str,
        traceback: list[str],
    ) -> None:
        """Append an error."""
        self._start()
        output = error_output(
            name=name[:200],
            text=_shorten(value),
            lines=[_shorten(line) for line in traceback[-50:]],
        )
        self._append(output)

    def clear(self, wait: bool) -> None:
        """Delete all outputs, now or before the next one."""
        self._clear_next = True
        if not wait:
            self._start()

    def finish(self) -> list[Output]:
        """Return the outputs, without text that carriage returns have overwritten."""
        self._drop_all_overwritten()
        return [o for o in self._outputs if o.get("text") != ""]

    def _start(self) -> None:
        if self._clear_next:
            self._clear_next = False
            self._outputs.clear()

    def _append(self, output: Output) -> None:
        if len(self._outputs) < 4 * DISPLAYS:
            self._outputs.append(output)

    def _stream(self, name: str, text: str) -> None:
        last = self._outputs[-1] if self._outputs else {}
        if last.get("name") == name:
            last.setdefault("parts", []).append(text)
        else:
            self._append(stream_output("", name) | {"parts": [text]})

    def _drop_all_overwritten(self) -> None:
        for output in self._outputs:
            if "parts" in output:
                text = output["text"] + "".join(output.pop("parts"))
                short = _visible(text)
                self._bytes -= len(text) - len(short)
                output["text"] = short


def _shorten(item: Any) -> Any:
    """Cut a text that is too long."""
    if isinstance(item, str) and len(item) > TEXT_BYTES:
        return item[:TEXT_BYTES] + "\n[cut here]"
    return item


def _visible(text: str) -> str:
    """Drop what carriage returns have overwritten, such as states of a progress bar."""
    if "\r" not in text:
        return text
    lines = text.split("\n")
    return "\n".join(line.rstrip("\r").split("\r")[-1] for line in lines)


def exception_text(error: BaseException) -> str:
    """Return the text of an exception, whose class may be a student's."""
    try:
        return str(error)
    except BaseException:
        return "<the exception has no text>"


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a shell: writes to its current outputs."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, shell: Any) -> None:
        super().__init__()
        self.name = f"<{name}>"
        self._channel = name
        self._shell = shell

    def write(self, text: str) -> int:
        """Append `text` to the current outputs."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.outputs.write(self._channel, text)
        return len(text)

    def writable(self) -> bool:
        """Return True: a stream of a cell can only be written."""
        return True
