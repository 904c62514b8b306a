"""A text that is too long is cut; a picture, which is one long word, is not."""

import base64

import pytest

from nbproctor.student.outputs import OutputLimits, Outputs


def shown(item: str) -> str:
    outputs = Outputs(OutputLimits(text_bytes=1_000))
    outputs.show("display_data", {"image/png": item})
    (output,) = outputs.finish()
    kept: str = output["data"]["image/png"]
    return kept


def test_a_picture_longer_than_a_text_may_be_is_kept_whole() -> None:
    picture = base64.b64encode(bytes(range(256)) * 8).decode()
    assert shown(picture) == picture


@pytest.mark.parametrize("start", ["two words ", "<svg>", "größer"])
def test_a_text_is_cut_whatever_it_is_called(start: str) -> None:
    kept = shown(start + "x" * 3_000)
    assert len(kept) < 1_100
    assert kept.endswith("[cut here]")
