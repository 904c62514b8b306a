"""The place in nbgrader's pipeline where a notebook gets its outputs."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor

from nbproctor.results import Report


class Execute(NbGraderPreprocessor):  # type: ignore[misc]
    """Fills in the outputs of an execution; stands in for nbgrader's own `Execute`."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the outputs of the submission's report into its cells."""
        report_of = getattr(self.parent.parent, "report", None)
        if report_of is None:
            raise NbGraderException(
                "nbproctor is only half switched on: nbgrader_config.py must call "
                "nbproctor.proctor(c)."
            )
        report: Report = report_of(resources["nbgrader"]["notebook"], nb)
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                outputs = report.tests.get(name, report.outputs.get(index, []))
                cell.outputs = [from_dict(output) for output in outputs]
        return nb, resources
