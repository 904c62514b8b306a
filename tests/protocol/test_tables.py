"""Tables of pandas: sent whole, changed in place, and forged."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbproctor.protocol.frames import ProtocolError
from tests.protocol.messages import decoded, encoded, message


def node_of(value: Any) -> tuple[Any, bytearray]:
    sent = encoded(value)
    return json.loads(sent.text), bytearray(b"".join(sent.buffers))


def read(node: Any, raw: bytes | bytearray = b"") -> Any:
    return decoded(message(node, raw)).value


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
