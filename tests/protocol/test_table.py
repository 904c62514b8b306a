"""Sender, receiver, strategies and documents against the table of types."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.rpc import TO_JUDGE, TO_STUDENT
from nbproctor.protocol.table import FIELDS, ROWS
from nbproctor.student.process import Student
from tests.copies import read_document
from tests.protocol import messages
from tests.protocol.messages import decoded, encoded, frame, same

VALUES = messages.values(messages.plain)
REFERENCES = {"student", "judge", "library", "answer"}


def tags_in(node: Any) -> set[str]:
    if not isinstance(node, list) or not node:
        return set()
    inner = (tags_in(field) for field in node)
    return {str(node[0])}.union(*inner)


def test_each_type_and_field_has_a_strategy() -> None:
    assert VALUES.keys() == ROWS.keys()
    assert messages.RIGHT.keys() == messages.WRONG.keys() == FIELDS.keys()
    used = {kind.rstrip("*") for row in ROWS.values() for kind in row.fields.split()}
    assert used == FIELDS.keys()


@pytest.mark.parametrize("tag", ROWS)
def test_a_value_of_each_type_arrives_as_it_was(tag: str) -> None:
    written = False

    @given(VALUES[tag])
    def arrives(value: Any) -> None:
        nonlocal written
        sent = encoded(value)
        written = written or tag in tags_in(json.loads(sent.text))
        assert sent.size == sum(map(len, sent.buffers))
        got = decoded(frame(sent))
        assert same(got.value, value)
        assert got.compare()[0] == []

    arrives()
    assert written


@pytest.mark.slow
@given(messages.anything)
@settings(max_examples=200)
def test_a_value_of_values_arrives_as_it_was(value: Any) -> None:
    assert same(decoded(frame(encoded(value))).value, value)


@pytest.mark.parametrize("tag", sorted(ROWS.keys() - REFERENCES))
def test_a_wrong_missing_or_further_field_is_a_protocol_error(tag: str) -> None:
    kinds = ROWS[tag].fields.split()

    def refused(node: Any, raw: bytes) -> None:
        with pytest.raises(ProtocolError):
            decoded(messages.message(node, raw))

    @given(VALUES[tag])
    @settings(max_examples=5)
    def each_is_refused(value: Any) -> None:
        sent = encoded(value)
        raw = b"".join(sent.buffers)
        node = json.loads(sent.text)
        if tag == "again":
            node = node[2]
        for position in range(1, len(node) + 1):
            kind = kinds[min(position, len(kinds)) - 1] if kinds else "none"
            wrong = messages.WRONG.get(kind.rstrip("*"), [None, 0, "x", ["l"]])
            if position == len(node) and not kind.endswith("*"):
                wrong = [None, 0, "x", ["l"]]  # one more field
            for field in wrong:
                refused([*node[:position], field, *node[position + 1 :]], raw)

    each_is_refused()
    if any(not kind.endswith("*") for kind in kinds):
        refused([tag], b"")


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


WORDS = "Teacher: give all points"


def in_words(node: Any) -> Any:
    """Return a message in which each text, but for tags, is a sentence."""
    if isinstance(node, list):
        return [*map(in_words, node)]
    return WORDS if isinstance(node, str) and node not in ROWS else node


@pytest.mark.slow
@given(messages.messages.map(in_words), st.binary(max_size=64))
@example([WORDS, 1], b"")
@example(["i", WORDS], b"")
@example(["pandas.Index", ["a", "<M8[ns]", [2]], None, WORDS], bytes(16))
@settings(max_examples=200)
def test_what_is_refused_is_not_quoted(message: Any, raw: bytes) -> None:
    """People read why a process was ended."""
    try:
        decoded(messages.message(message, raw))
    except ProtocolError as error:
        assert WORDS[:20] not in str(error)


@pytest.mark.slow
@given(messages.messages, st.binary(max_size=64))
@settings(max_examples=200)
def test_what_is_read_of_a_hostile_message_can_be_sent_on(
    message: Any, raw: bytes
) -> None:
    with contextlib.suppress(ProtocolError):
        got = decoded(messages.message(message, raw))
        got.compare()
        repr(got.value)
        assert same(decoded(frame(encoded(got.value))).value, got.value)


def test_each_request_is_answered_and_no_other() -> None:
    ends = socket.socketpair()
    assert Student(ends[0], cast(Any, None)).handlers.keys() == TO_STUDENT.keys()
    for end in ends:
        end.close()


def test_the_page_on_the_protocol_has_these_tables() -> None:
    page = read_document("protocol")
    tables = [
        {tag: fields.replace("`", "").replace(", raw", "") for tag, fields in rows}
        for rows in (
            re.findall(r"^\| `([\w.]+)` \|.*\| ([^|]*) \|$", part, re.MULTILINE)
            for part in page.split("|---|---|---|\n")
        )
    ]
    types = {tag: ", ".join(row.fields.split()) for tag, row in ROWS.items()}
    assert {**tables[1], **tables[2]} == types
    for table, requests in zip(tables[3:], (TO_STUDENT, TO_JUDGE), strict=True):
        assert table == {
            name: ", ".join(f"{n}: {kind.__name__}" for n, kind in arguments.items())
            for name, arguments in requests.items()
        }
    kinds = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", page, re.MULTILINE)
    assert sorted(kinds) == sorted(FIELDS)
