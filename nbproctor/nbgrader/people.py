"""People in nbgrader's gradebook."""

from __future__ import annotations

from collections.abc import Iterable

from nbproctor import platforms
from nbproctor.nbgrader.course import Course
from nbproctor.platforms import Identifier, Kind, Person

NAME_COLUMNS = ["last_name", "first_name", "email"]


def people(course: Course) -> list[Person]:
    """Return everybody in the gradebook."""
    with course.gradebook() as book:
        return [
            Person(
                student=student.id,
                last=student.last_name or "",
                first=student.first_name or "",
                identifiers=(Identifier(Kind.EMAIL, student.email),)
                if student.email
                else (),
            )
            for student in book.students
        ]


def labels(course: Course) -> dict[str, str]:
    """Return the name to show for each student id."""
    return platforms.labels({each.student: each.name for each in people(course)})


def list_names(course: Course, students: Iterable[str]) -> str:
    """Return the names to show for students, in one line."""
    names = labels(course)
    return "; ".join(names.get(student, student) for student in students)


def enrol(course: Course, class_list: Iterable[Person]) -> None:
    """Enter people into the gradebook.

    An empty field of a person does not overwrite the gradebook.
    """
    with course.gradebook() as book, book.transaction() as commit:
        for person in class_list:
            filled = {name: value for name, value in names_of(person).items() if value}
            book.update_or_create_student(person.student, **filled)
        commit()


def names_of(person: Person) -> dict[str, str]:
    """Return the values of `NAME_COLUMNS`."""
    return {
        "last_name": person.last,
        "first_name": person.first,
        "email": person.email,
    }
