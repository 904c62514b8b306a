"""Feedback back to the platform: what ``export feedback`` does."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from nbproctor.cli.app import CommandError, at_work, console, print_list


def give_back(course: Path, assignment: str, to: Path | None) -> None:
    """Pack everybody's feedback into one zip, named as the platform takes it."""
    from nbproctor import nbgrader, platforms
    from nbproctor.nbgrader.feedback import pages
    from nbproctor.pages.archive import pack
    from nbproctor.pages.workers import notebook_of

    with at_work("Bringing the pages up to date"):  # a comment may be newer than them
        nbgrader.feedback(course, assignment)
    made = [(s, page, notebook_of(page)) for s, page in pages(course, assignment)]
    named = platforms.feedback_names(made, course / "collected" / assignment)
    target = to or course / "exported" / f"{assignment}_feedback.zip"
    students = {student for student, _ in named.files if student}
    if not students:
        raise CommandError("Nobody's feedback has a place there: collect again, first.")
    pack(named.files, target, lambda student, file: named.names[student, file])
    by = named.platform or "A folder for each student"
    console.print(
        f"{by}: {len(students)} students, {escape(str(target))}", soft_wrap=True
    )
    if named.platform:
        console.print(f"Upload it there: {platforms.HOW[named.platform]}.")
    else:
        console.print("Mail the pages, or attach each to its student's work by hand.")
    names = {person.student: person.name for person in nbgrader.people(course)}
    left = [f"{names.get(student, student)}: {why}" for student, why in named.left]
    print_list("Not in it:", left)
