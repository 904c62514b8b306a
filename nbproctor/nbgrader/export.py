"""``nbgrader export`` without zeros for what was not graded."""

from __future__ import annotations

import csv
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from nbproctor.nbgrader.gradebook import graded


class Export(CsvExportPlugin):  # type: ignore[misc]
    """nbgrader's CSV file, with empty scores where there is no grade.

    nbgrader itself writes 0 both for what was not graded and for what was not handed
    in.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the file, then empty the scores that nobody gave."""
        super().export(gradebook)
        path = Path(self.to or "grades.csv")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        known = {
            (assignment.name, submission.student.id)
            for assignment in gradebook.assignments
            for submission in assignment.submissions
            if graded(submission)
        }
        for row in rows:
            if (row["assignment"], row["student_id"]) not in known:
                row |= dict.fromkeys(("raw_score", "score"), "")
        if rows:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
