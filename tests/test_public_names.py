"""What `import nbproctor` offers, and what it costs."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import nbproctor
from nbproctor import NbproctorError
from nbproctor.kit.submit import SubmitError
from tests.programs import start, succeeded


@pytest.mark.parametrize("name", nbproctor.__all__)
def test_a_public_name_is_there_and_explained(name: str) -> None:
    value = getattr(nbproctor, name)
    assert inspect.getdoc(value)
    assert value.__name__.rpartition(".")[2] == name


def test_type_checkers_see_the_same_names(project: Path) -> None:
    module = ast.parse((project / "nbproctor/__init__.py").read_text())
    block = next(node for node in module.body if isinstance(node, ast.If))
    names = {a.name for n in block.body for a in getattr(n, "names", [])}
    assert names == set(nbproctor.__all__)
    assert (project / "nbproctor/py.typed").exists()


def test_importing_the_package_and_expect_imports_nothing_heavy(project: Path) -> None:
    code = (
        "import sys, nbproctor, nbproctor.expect\n"
        "heavy = {'IPython', 'nbgrader', 'pandas', 'sqlalchemy', 'typer', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = succeeded(start(sys.executable, "-c", code, cwd=project))
    assert done.stdout == "[]\n"


def test_docstrings_quote_only_names_that_the_package_has(project: Path) -> None:
    """In single backticks; what others have stands in double ones."""
    files = (project / "nbproctor").rglob("*.py")
    source = "".join(path.read_text("utf-8") for path in files)
    code = re.sub(r'"""(?s:.*?)"""|#.*', "", source)
    names = {*re.findall(r"\w+", code)}
    quoted = {*re.findall(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)", source)}
    assert len(quoted) > 100
    assert {name for name in quoted if not names.issuperset(name.split("."))} == set()


def test_every_error_of_the_package_is_an_nbproctor_error() -> None:
    errors = set()
    for info in pkgutil.walk_packages(nbproctor.__path__, "nbproctor."):
        if info.name == "nbproctor.__main__":
            continue
        for value in vars(importlib.import_module(info.name)).values():
            error = isinstance(value, type) and issubclass(value, Exception)
            if error and value.__module__.startswith("nbproctor."):
                errors.add(value)
    assert len(errors) > 15
    errors.remove(SubmitError)  # students have its module without the package
    assert {e for e in errors if not issubclass(e, NbproctorError)} == set()
