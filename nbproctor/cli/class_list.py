"""Class list that was imported, joined with the people of the gradebook."""

from __future__ import annotations

from pathlib import Path

from nbproctor.platforms import Roster

FILE = Path("collected", "roster.csv")  # in the course


def read_class_list(course: Path) -> Roster:
    """Return everybody in the imported class list or in the gradebook."""
    from nbproctor import nbgrader

    path = course / FILE
    people = Roster.read(path) if path.is_file() else Roster()
    people.merge(Roster(nbgrader.people(course)))
    return people


def import_class_list(course: Path, people: Roster) -> None:
    """Keep a class list in the course, and tell the gradebook of everybody in it."""
    from nbproctor import nbgrader

    people.write(course / FILE)
    nbgrader.enrol_people(course, people.people)
