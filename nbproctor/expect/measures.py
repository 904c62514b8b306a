"""Measures: numbers, with pictures, that a test reports without grading them."""

import base64
import io
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MAX_PICTURES = 6  # of a measured number
MAX_SIDE = 128  # pixels of a picture


class Measured(NamedTuple):
    """A number that a test has measured; a picture is its caption and base64 PNG."""

    name: str
    value: float
    note: str
    pictures: list[tuple[str, str]]
    of: float


#: In the judge, what a test has measured so far.
measured: list[Measured] | None = None
#: In the judge, the processor time of the student's process so far; elsewhere, 0.0.
student_seconds: Callable[[], float] = float


def measure(
    name: str,
    value: float,
    note: str = "",
    pictures: Sequence[tuple[str, npt.ArrayLike]] = (),
    of: float = 0,
) -> None:
    """Report a number that pages show under a name, and that is not graded.

    With `of`, the value is a count, and pages say *375 of 500 (75 %)*.
    Only the judge reports it. In a kernel and in the student's process, it is printed.
    `pictures` are shown below it: a caption that says what is seen, and an array
    (height, width) from 0 (white) to 1 (black). `ValueError`: it is no finite number,
    or there are more than 6, or one has more than 128 pixels a side.
    """
    number = float(value)
    if not math.isfinite(number) or len(pictures) > MAX_PICTURES:
        shown = f"{number}, with {len(pictures)} pictures"
        raise ValueError(f"The test measures {name} as {shown}.")
    drawn = [(caption, _png(array)) for caption, array in pictures]
    if measured is not None:
        measurement = Measured(
            name=name,
            value=number,
            note=note,
            pictures=drawn,
            of=of,
        )
        measured.append(measurement)
        return
    line = f"{name}: {number:g}"
    if of:
        line += f" of {of:g}"
    if note:
        line += f", {note}"
    sys.stdout.write(f"{line}\n")


def processor_seconds() -> float:
    """Return the processor time of the test so far, and of the answers that it calls.

    Unlike the time by the clock, it does not depend on how busy the computer is.
    """
    return time.process_time()  # in the judge, see `judge.clock`


def _png(picture: npt.ArrayLike) -> str:
    """Draw a picture in grey; only its numbers go into the file."""
    from PIL import Image  # few tests have pictures

    ink = np.nan_to_num(np.asarray(picture, dtype=float))
    has_pixels = ink.ndim == 2 and ink.size > 0
    if not has_pixels or max(ink.shape) > MAX_SIDE:
        raise ValueError(f"The test shows a picture of shape {ink.shape}.")
    grey = 255 * (1 - ink.clip(0, 1))
    pixels = grey.round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    png = file.getvalue()
    return base64.b64encode(png).decode()
