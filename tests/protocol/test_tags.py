"""Encoder, decoder and documents against the table of tags and that of requests."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbproctor.protocol.frames import Frame, ProtocolError
from nbproctor.protocol.requests import TO_JUDGE, TO_STUDENT, Request
from nbproctor.protocol.tags import FIELDS, Tag
from nbproctor.student.process import Student
from tests.protocol import messages
from tests.protocol.messages import decoded, encoded, frame, same

VALUES = messages.values(messages.plain)
RAW = {str(tag) for tag in Tag if tag.raw}
REFERENCES = {Tag.STUDENT, Tag.JUDGE, Tag.LIBRARY}  # whoever resolves them checks them
calm = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def tags_in(node: Any) -> set[str]:
    if not isinstance(node, list) or not node:
        return set()
    inner = (tags_in(field) for field in node)
    return {str(node[0])}.union(*inner)


@pytest.mark.parametrize("tag", Tag)
def test_a_value_of_each_tag_arrives_as_it_was(tag: Tag) -> None:
    written = False

    @given(VALUES[tag])
    @calm
    def arrives(value: Any) -> None:
        nonlocal written
        sent = encoded(value)
        node = json.loads(sent.text)
        written = written or tag in tags_in(node)
        assert not sent.buffers or tags_in(node) & RAW
        got = decoded(frame(sent))
        assert same(got.value, value)
        assert got.compare()[0] == []

    arrives()
    assert written


@pytest.mark.slow
@given(messages.anything)
@settings(calm, max_examples=500)
def test_a_value_of_values_arrives_as_it_was(value: Any) -> None:
    assert same(decoded(frame(encoded(value))).value, value)


@pytest.mark.parametrize("tag", sorted(set(Tag) - REFERENCES))
def test_a_wrong_field_is_a_protocol_error(tag: Tag) -> None:
    @given(VALUES[tag], st.data())
    @settings(calm, max_examples=60)
    def refused(value: Any, data: st.DataObject) -> None:
        sent = encoded(value)
        node = json.loads(sent.text)
        if tag == Tag.AGAIN:
            node = node[2]
        kinds = [*tag.fields]
        position = data.draw(st.integers(1, len(node)))
        kind = kinds[min(position, len(kinds)) - 1] if kinds else "*"
        if position == len(node) and not kind.endswith("*"):
            node += [data.draw(st.sampled_from([None, 0, "x", ["l"]]))]
        else:
            wrong = messages.WRONG[kind.rstrip("*") or "value"]
            node[position : position + 1] = [data.draw(st.sampled_from(wrong))]
        raw = bytearray(b"".join(sent.buffers))
        with pytest.raises(ProtocolError):
            decoded(Frame(0, json.dumps(node).encode(), raw))

    refused()


@pytest.mark.parametrize("tag", sorted(set(Tag) - REFERENCES))
def test_a_missing_field_is_a_protocol_error(tag: Tag) -> None:
    if any(not kind.endswith("*") for kind in tag.fields):
        with pytest.raises(ProtocolError):
            decoded(Frame(0, json.dumps([tag]).encode(), bytearray()))
    else:
        assert set(tag.fields) <= {"value*", "key*"}


@pytest.mark.slow
@given(messages.messages, st.binary(max_size=64))
@settings(calm, max_examples=500)
def test_what_is_read_of_a_hostile_message_can_be_sent_on(
    message: Any, raw: bytes
) -> None:
    with contextlib.suppress(ProtocolError):
        got = decoded(Frame(0, json.dumps(message).encode(), bytearray(raw)))
        got.compare()
        repr(got.value)
        assert same(decoded(frame(encoded(got.value))).value, got.value)


def test_each_field_is_explained_and_used() -> None:
    used = {kind.rstrip("*") for tag in Tag for kind in tag.fields}
    assert used == FIELDS.keys()


def test_each_request_is_answered_and_no_other() -> None:
    answers = {name[3:] for name in dir(Student) if name.startswith("on_")}
    assert answers == TO_STUDENT.keys()


def test_the_page_on_the_protocol_shows_these_tables(project: Path) -> None:
    page = (project / "docs" / "protocol.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        *(f"| `{tag}` | {tag.meaning} | {fields(tag)} |" for tag in Tag),
        *(f"| `{kind}` | {meaning} |" for kind, meaning in FIELDS.items()),
        *(row(name, request) for name, request in TO_STUDENT.items()),
        *(row(name, request) for name, request in TO_JUDGE.items()),
    ], "the page is not up to date"


def fields(tag: Tag) -> str:
    return ", ".join([f"`{kind}`" for kind in tag.fields] + ["raw"] * tag.raw)


def row(name: str, request: Request) -> str:
    arguments = ", ".join(
        f"{argument}: `{kind.__name__}`" for argument, kind in request.arguments.items()
    )
    return f"| `{name}` | {request.meaning} | {arguments} |"
