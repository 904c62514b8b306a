"""What is kept for short texts is what the function says of them."""

from __future__ import annotations

from nbproctor.submission.kept import MAX_CHARS, MAX_TEXTS, kept


def test_a_short_text_is_looked_at_once_and_a_long_one_each_time() -> None:
    seen = []

    @kept
    def size(text: str) -> int:
        seen.append(text)
        return len(text)

    short, long = "x" * MAX_CHARS, "x" * (MAX_CHARS + 1)
    assert [size(short), size(short), size(long), size(long)] == [
        MAX_CHARS,
        MAX_CHARS,
        MAX_CHARS + 1,
        MAX_CHARS + 1,
    ]
    assert seen == [short, long, long]


def test_the_memory_is_bounded() -> None:
    seen = []

    @kept
    def note(text: str) -> None:
        seen.append(text)

    for number in range(MAX_TEXTS + 1):
        note(str(number))
    note("0")  # the one that was not used for longest has gone
    note(str(MAX_TEXTS))
    assert seen[-1] == "0" and len(seen) == MAX_TEXTS + 2
