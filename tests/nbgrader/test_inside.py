"""What nbproctor touches inside nbgrader is as it was when it was tested."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import pkgutil
import re
from typing import Any

import nbgrader

from nbproctor import nbgrader as room
from nbproctor.nbgrader.inside import NBGRADER_INTERNALS

ALL = [place for places in NBGRADER_INTERNALS.values() for place in places]
# SHA-256 of the source of each place in nbgrader 0.9.6. In 0.9.5, the preprocessor
# OverwriteKernelspec and the class GenerateFeedback are others; all else is the same.
SOURCES = """\
347bc79c nbgrader.apps.autogradeapp:Autograde
94bf9495 nbgrader.apps.api:Autograde
b89f7c22 nbgrader.apps.generatefeedbackapp:GenerateFeedback
94bf9495 nbgrader.apps.api:GenerateFeedback
4e5a5001 nbgrader.utils:is_ignored
3db2e6b2 nbgrader.api:get_alembic_version
1e5c9c17 nbgrader.apps.exportapp:ExportApp.start
56e313eb nbgrader.plugins.export:CsvExportPlugin.export
1a185774 nbgrader.converters.autograde:Gradebook
56eefd9d nbgrader.preprocessors.latesubmissions:Gradebook
fe855f99 nbgrader.preprocessors.overwritecells:Gradebook
196c78bc nbgrader.preprocessors.overwritekernelspec:Gradebook
e4ff90ad nbgrader.preprocessors.saveautogrades:Gradebook
f71f7e30 nbgrader.api:Gradebook.__init__
d3b0d9fa nbgrader.api:Gradebook.__enter__
f7594468 nbgrader.api:Gradebook.__exit__
431ec0f6 nbgrader.api:Gradebook.close
adbe642c nbgrader.api:Gradebook.find_comment
2006dab8 nbgrader.api:Gradebook.find_grade
a4c56049 nbgrader.api:Gradebook.find_graded_cell
28125731 nbgrader.api:Gradebook.find_source_cell
23258f35 nbgrader.preprocessors.saveautogrades:SaveAutoGrades
5b29a67a nbgrader.preprocessors.execute:Execute
1a299271 nbgrader.utils:determine_grade
ad6b1214 nbgrader.converters.base:BaseConverter.start
84832145 nbgrader.converters.base:BaseConverter.init_notebooks
28b2cb6c nbgrader.converters.base:BaseConverter.convert_notebooks
27397feb nbgrader.converters.base:BaseConverter._format_source
3b0d99bb nbgrader.converters.base:BaseConverter._format_dest
a35f68fb nbgrader.converters.autograde:Autograde.init_assignment
34716374 nbgrader.converters.base:BaseConverter.convert_single_notebook
0ed4fc26 nbgrader.converters.base:BaseConverter.init_single_notebook_resources
3e542242 nbgrader.converters.base:BaseConverter.write_single_notebook
3d2d6f41 nbgrader.converters.autograde:Autograde._sanitizing
6f4b086f nbgrader.converters.autograde:Autograde._init_preprocessors
76ada2d1 nbgrader.converters.autograde:Autograde.convert_single_notebook
7eaa4e96 nbgrader.converters.generate_feedback:GenerateFeedback
483504f1 nbgrader.exchange.default.collect:ExchangeCollect._path_to_record
938a755d nbgrader.exchange.default.collect:ExchangeCollect.copy_files
5fc64627 nbgrader.apps.api:NbGraderAPI.get_submitted_timestamp
c46fa991 nbgrader.exchange.abc.exchange:Exchange.start
a4c8a7d7 nbgrader.exchange.default.release_feedback:ExchangeReleaseFeedback.copy_files
"""
TESTED = {name: sha for sha, name in map(str.split, SOURCES.splitlines())}
# Private names of other packages than nbgrader.
ELSEWHERE = {
    "_asdict",  # a row of SQLAlchemy
    "_cleanup_kernel",  # jupyter_client
    "_init_resources",  # nbconvert
    "_mapping",  # SQLAlchemy
    "_preprocessors",  # nbconvert
}


def digest(qualified_name: str) -> str:
    """Return that of a definition; of a name that a module imports, the module's."""
    module, _, name = qualified_name.partition(":")
    text = inspect.getsource(importlib.import_module(module))
    lines = text.splitlines()
    node: Any = ast.parse(text)
    for part in name.split("."):
        definitions = [
            statement
            for statement in node.body
            if part == getattr(statement, "name", "")
            or f"{part} = " in lines[statement.lineno - 1]
        ]
        node = definitions[0] if definitions else node
    source = ast.get_source_segment(text, node) or text
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def test_nbgrader_is_the_one_that_was_tested_where_we_touch_it() -> None:
    digests = {name: digest(name) for name in ALL}
    assert digests == TESTED, f"Read these again in nbgrader {nbgrader.__version__}"


def test_every_place_that_is_touched_stands_in_the_table() -> None:
    names = [info.name for info in pkgutil.iter_modules(room.__path__)]
    modules = [importlib.import_module(f"{room.__name__}.{name}") for name in names]
    overridden = {
        name
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        for base in kind.__mro__
        if base.__module__.startswith("nbgrader.")
        for name in vars(kind).keys() & vars(base).keys()
        if inspect.isfunction(vars(base)[name])
    }
    text = "\n".join(map(inspect.getsource, modules))
    used = set(re.findall(r"\.(_[a-z]\w*)", text))
    defined = set(re.findall(r"(?:def |self\.|^|    )(_[a-z]\w*)(?=[(:,]| [:=])", text))
    table = {re.split("[:.]", qualified_name)[-1] for qualified_name in ALL}
    assert overridden | (used - defined - ELSEWHERE) <= table
