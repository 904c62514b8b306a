"""People of a class, written shortly for tests."""

from nbproctor.platforms import Identifier, Kind, Person


def member(
    student_id: str,
    name: str = "",
    numbers: str = "",
) -> Person:
    """A student, called "Last, First"; each number is a `Kind`, ``=`` and a value."""
    pairs = (number.split("=") for number in numbers.split())
    identifiers = [Identifier(Kind[kind.upper()], value) for kind, value in pairs]
    return Person(student_id, *name.rsplit(", ", 1)).with_identifiers(identifiers)


def people_of(text: str) -> list[Person]:
    """Students, each in a line: what `member` takes, parted by a semicolon."""
    return [member(*line.split("; ")) for line in text.splitlines()]
