"""Tables of pandas: sent whole, changed in place, and forged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbproctor.protocol.frames import Frame, ProtocolError
from tests.protocol.messages import decoded, encoded, frame


def received(value: Any) -> Any:
    return decoded(frame(encoded(value))).value


def node_of(value: Any) -> tuple[Any, bytearray]:
    sent = encoded(value)
    return json.loads(sent.text), bytearray(b"".join(sent.buffers))


def read(node: Any, raw: bytes | bytearray = b"") -> Any:
    return decoded(Frame(0, json.dumps(node).encode(), bytearray(raw))).value


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})

# --- what is imported -----------------------------------------------------------------


def test_a_library_is_imported_for_a_notebook_that_imports_it_and_for_no_other() -> (
    None
):
    code = (
        "import sys, nbproctor.judge.run, nbproctor.student.process\n"
        "from nbproctor.protocol import frames, rpc, table\n"
        "used = table.libraries_used\n"
        "assert used(['math', 'numpy']) == []\n"
        "assert used(['seaborn.objects']) == used(['pandas']) != []\n"
        "table.load_rows()\n"
        "rpc.encode([1, 'a', slice(1), ...], None)\n"
        "try: rpc.decode(frames.Frame(0, b'[\"pandas.RangeIndex\"]', b''), None)\n"
        "except frames.ProtocolError: pass\n"
        "else: raise AssertionError\n"
        "assert not {'pandas', 'scipy', 'pyarrow'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- forged ---------------------------------------------------------------------------


def arrays_in(node: Any) -> list[Any]:
    if not isinstance(node, list) or not node:
        return []
    inner = [array for field in node for array in arrays_in(field)]
    return [node, *inner] if node[0] in ("a", "O") else inner


def longer(array: list[Any], raw: bytearray) -> None:
    """Make a column one longer."""
    if array[0] == "a":
        array[2] = [n + 1 for n in array[2]]
        raw += bytes(4096)  # enough for any of them
    else:
        array[1] = [len(array) - 1]
        array += ["one more"]


def of_objects(array: list[Any], raw: bytearray) -> None:
    array[:] = ["O", [3], "x", "y", "z"]


@pytest.mark.parametrize(
    ("value", "forge"),
    [
        (FRAME, longer),
        (FRAME["a"], longer),
        (pd.DataFrame(np.ones((2, 30))), longer),
        (pd.Categorical(["u", "v", "u"]), of_objects),
    ],
)
def test_a_table_with_a_column_of_another_length_or_kind_is_refused(
    value: Any, forge: Callable[[list[Any], bytearray], None]
) -> None:
    assert arrays_in(node_of(value)[0])
    for index in range(len(arrays_in(node_of(value)[0]))):
        node, raw = node_of(value)
        array = arrays_in(node)[index]
        if forge is of_objects and array[0] == "O":
            continue  # as it should be
        forge(array, raw)
        with pytest.raises(ProtocolError):
            read(node, raw)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        (pd.Categorical(["u", "v"]), [0, 2]),
        (pd.Categorical(["u", "v"]), [-2, 0]),
        (pd.MultiIndex.from_arrays([["u", "v"]]), [0, 7]),
    ],
)
def test_places_outside_of_a_table_are_refused(value: Any, places: list[int]) -> None:
    node, raw = node_of(value)
    assert read(node, raw) is not None
    raw[: len(places)] = np.array(places, np.int8).tobytes()
    with pytest.raises(ProtocolError):
        read(node, raw)


def test_equal_labels_are_none_that_collide() -> None:
    index = pd.Index([1, "a"] * 1000, dtype=object)
    assert received(index).equals(index)
