"""People of a class, written shortly for tests."""

from nbproctor.platforms import Identifier, Kind, Person


def member(student_id: str, last: str = "", first: str = "", **kinds: str) -> Person:
    """A student; each keyword is a `Kind`, with its identifiers between spaces."""
    identifiers = [
        Identifier(Kind[name.upper()], value)
        for name, values in kinds.items()
        for value in values.split()
    ]
    return Person(student_id, last, first).with_identifiers(identifiers)
