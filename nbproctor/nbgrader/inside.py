"""Names inside nbgrader that nbproctor uses or replaces, by reason.

None of these names is part of nbgrader's public interface.
`tests/nbgrader/test_inside.py` lists those that differ between the installed nbgrader
and the tested versions.
"""

from nbproctor.nbgrader.speed import GRADEBOOK_USERS

#: Reason → places, as ``module:name``. A name in a module is replaced there.
NBGRADER_INTERNALS: dict[str, tuple[str, ...]] = {
    "nbgrader's own commands and formgrader grade with `ProctoredAutograde`": (
        "nbgrader.apps.autogradeapp:Autograde",
        "nbgrader.apps.api:Autograde",
    ),
    "nbgrader's own commands and formgrader make the pages of `ProctoredFeedback`": (
        "nbgrader.apps.generatefeedbackapp:GenerateFeedback",
        "nbgrader.apps.api:GenerateFeedback",
    ),
    "a bracket in a path is no pattern (`grading._is_ignored`)": (
        "nbgrader.utils:is_ignored",
    ),
    "an export names the work without a grade (`export.patch_export`)": (
        "nbgrader.apps.exportapp:ExportApp.start",
        "nbgrader.plugins.export:CsvExportPlugin.export",
    ),
    "a new gradebook is made without a command (`speed._get_alembic_version`)": (
        "nbgrader.api:get_alembic_version",
    ),
    "a run has one gradebook (`speed.share_gradebook`)": tuple(
        f"{module}:Gradebook" for module in GRADEBOOK_USERS
    ),
    "rows are read at once, and written in one transaction (`SharedGradebook`)": (
        "nbgrader.api:Gradebook.__init__",
        "nbgrader.api:Gradebook.__enter__",
        "nbgrader.api:Gradebook.__exit__",
        "nbgrader.api:Gradebook.close",
        "nbgrader.api:Gradebook.find_comment",
        "nbgrader.api:Gradebook.find_grade",
        "nbgrader.api:Gradebook.find_graded_cell",
        "nbgrader.api:Gradebook.find_source_cell",
    ),
    "it looks up rows that the gradebook has read at once (`SharedGradebook`)": (
        "nbgrader.preprocessors.saveautogrades:SaveAutoGrades",
    ),
    "verdicts stand in for an execution (`steps.Execute`)": (
        "nbgrader.preprocessors.execute:Execute",
        "nbgrader.utils:determine_grade",
    ),
    "a submission is read from a staging folder (`autograder.ProctoredAutograde`)": (
        "nbgrader.converters.base:BaseConverter.start",
        "nbgrader.converters.base:BaseConverter.init_notebooks",
        "nbgrader.converters.base:BaseConverter.convert_notebooks",
        "nbgrader.converters.base:BaseConverter._format_source",
        "nbgrader.converters.base:BaseConverter._format_dest",
        "nbgrader.converters.autograde:Autograde.init_assignment",
    ),
    "a notebook goes through both pipelines without copies": (
        "nbgrader.converters.base:BaseConverter.convert_single_notebook",
        "nbgrader.converters.base:BaseConverter.init_single_notebook_resources",
        "nbgrader.converters.base:BaseConverter.write_single_notebook",
        "nbgrader.converters.autograde:Autograde._sanitizing",
        "nbgrader.converters.autograde:Autograde._init_preprocessors",
        "nbgrader.converters.autograde:Autograde.convert_single_notebook",
    ),
    "a page is made for each submission (`feedback.ProctoredFeedback`)": (
        "nbgrader.converters.generate_feedback:GenerateFeedback",
    ),
    "students' files come in through one border (`exchange.ProctoredCollect`)": (
        "nbgrader.exchange.default.collect:ExchangeCollect._path_to_record",
        "nbgrader.exchange.default.collect:ExchangeCollect.copy_files",
        "nbgrader.apps.api:NbGraderAPI.get_submitted_timestamp",
    ),
    "pages are released student by student (`exchange.ProctoredReleaseFeedback`)": (
        "nbgrader.exchange.abc.exchange:Exchange.start",
        "nbgrader.exchange.default.release_feedback:ExchangeReleaseFeedback.copy_files",
    ),
}
