"""Steps of nbgrader's two pipelines, with nbproctor's own, and without copies.

nbconvert copies a notebook six times and validates it three times. Here nothing else
uses the notebook, so no copy is needed.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader import preprocessors
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import CheckCellMetadata, NbGraderPreprocessor
from traitlets.utils.importstring import import_item

from nbproctor.cells import grade_id
from nbproctor.nbgrader.failures import CourseError


def replace_preprocessors(converter: Autograde) -> None:
    """Put `Execute` into nbgrader's pipeline.

    ``CheckCellMetadata`` is left out: the metadata comes from the source, which was
    checked when the release was made. `CourseError`: the configuration switches
    `Execute` off, or leaves it out.
    """
    if not converter.config.Execute.get("enabled", True):
        raise CourseError(
            "nbproctor always runs the notebooks. With --no-execute, a notebook whose "
            "outputs were cleared would earn every point. Nothing is graded."
        )
    for pipeline in ("sanitize_preprocessors", "autograde_preprocessors"):
        steps = []
        for name in getattr(converter, pipeline):
            step = import_item(name) if isinstance(name, str) else name
            if step is preprocessors.Execute:
                step = Execute
            if step is not CheckCellMetadata:
                steps.append(step)
        setattr(converter, pipeline, steps)
    if Execute not in converter.autograde_preprocessors:
        raise CourseError(
            "c.Autograde.autograde_preprocessors does not contain nbgrader's Execute, "
            "which nbproctor replaces. Add it. Nothing is graded."
        )


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
        report = report_of(resources["nbgrader"]["notebook"], nb)
        outputs_of = {verdict.cell_id: verdict.outputs() for verdict in report.verdicts}
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                outputs = report.outputs.get(index, [])
                outputs = outputs_of.get(grade_id(cell), outputs)
                cell.outputs = [from_dict(output) for output in outputs]
        return nb, resources
