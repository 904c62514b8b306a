"""A text that is too long is cut; a picture, which is one long word, is not."""

import base64

import pytest

from nbproctor.student.outputs import TEXT_BYTES, Outputs


def shown(item: str) -> str:
    outputs = Outputs()
    outputs.show("display_data", {"image/png": item})
    (output,) = outputs.finish()
    kept: str = output["data"]["image/png"]
    return kept


def test_a_picture_longer_than_a_text_may_be_is_kept_whole() -> None:
    picture = base64.b64encode(bytes(range(256)) * 800).decode()
    assert shown(picture) == picture


@pytest.mark.parametrize("start", ["two words ", "<svg>", "größer"])
def test_a_text_is_cut_whatever_it_is_called(start: str) -> None:
    kept = shown(start + "x" * 3 * TEXT_BYTES)
    assert len(kept) < TEXT_BYTES + 100
    assert kept.endswith("[cut here]")
