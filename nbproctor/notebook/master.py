"""Master notebook: read from the source, and asked for cells and exercises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from nbproctor.errors import NbproctorError
from nbproctor.markers import imports
from nbproctor.notebook.cells import Cell, Kind, cell_name, read_cells
from nbproctor.support_files import data_folder


class MasterNotebookError(NbproctorError):
    """The source notebook cannot be read as an assignment."""


@dataclass(frozen=True)
class MasterNotebook:
    """An assignment frozen for grading.

    Attributes
    ----------
    assignment, notebook : str
        Folder name and notebook name (without ``.ipynb``).
    cells : tuple of Cell
        In source order: all code, and the Markdown that nbgrader knows.
    modules : tuple of str
        Dotted names that provided cells import, in order of first use.
    data : str or None
        Folder of data files: ``data`` beside the notebook or in a folder above it,
        up to the one that holds ``nbgrader_config.py``.
    language : str
        Of its kernel, in small letters; ``python`` where it does not say.
    """

    assignment: str
    notebook: str
    cells: tuple[Cell, ...]
    modules: tuple[str, ...]
    data: str | None
    language: str = "python"

    @classmethod
    def read(
        cls,
        path: Path,
        release: Path | None = None,
        header: Path | None = None,
        footer: Path | None = None,
    ) -> MasterNotebook:
        """Read a source notebook ``…/source/<assignment>/<notebook>.ipynb``.

        Parameters
        ----------
        path : Path
            The source notebook.
        release : Path, optional
            The same notebook as students get it; its texts become the stubs.
        header, footer : Path, optional
            Notebooks whose cells are put before and after its own in the release.

        Raises
        ------
        MasterNotebookError
            The file is missing, is no notebook, or leaves a region open.
        """
        content = _content(path)
        raw = [
            cell
            for part in (header, path, footer)
            if part is not None
            for cell in _raw_cells(content if part is path else _content(part))
        ]
        released = {}
        if release is not None and release.exists():
            given = _raw_cells(_content(release))
            released = {cell_name(c, i): c for i, c in enumerate(given)}
        try:
            cells = tuple(read_cells(raw, released))
        except (KeyError, ValueError, TypeError) as error:
            raise MasterNotebookError(f"{path}: {error}") from error
        modules = tuple(
            dict.fromkeys(
                name
                for cell in cells
                if cell.kind == "provided"
                for name in imports(cell.source)
            )
        )
        names = path.parent.name, path.stem
        return cls(*names, cells, modules, data_folder(path), _language(content))

    def with_cells(self, cells: Iterable[Cell]) -> MasterNotebook:
        """Return the same notebook with other texts in its cells."""
        return replace(self, cells=tuple(cells))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that it holds, but for the place of the data."""
        frozen = replace(self, data=None)
        return hashlib.sha256(
            msgspec.json.encode(frozen, order="deterministic")
        ).hexdigest()

    @property
    def exercises(self) -> tuple[str, ...]:
        """Names of the exercises in source order."""
        return tuple(dict.fromkeys(c.exercise for c in self.cells if c.exercise))

    def of_kind(self, *kinds: Kind) -> tuple[Cell, ...]:
        """Cells of the given kinds, in source order."""
        return tuple(cell for cell in self.cells if cell.kind in kinds)

    @property
    def opening(self) -> tuple[str, ...]:
        """Locked code before the first exercise, which most notebooks begin with.

        It is the text that students have: hidden parts stay where they are safe.
        """
        sources = []
        for cell in self.cells:
            if cell.kind == "solution":
                break
            if cell.kind == "provided" and cell.locked and not cell.skip:
                sources.append(cell.stub)
        return tuple(sources)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content["cells"], list):
            return dict(content)
        raise TypeError("its cells are no list")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MasterNotebookError(
            f"{path}: not a readable notebook ({error})"
        ) from error


def _raw_cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in content["cells"] if isinstance(cell, dict)]


def _language(content: dict[str, Any]) -> str:
    meta = content.get("metadata") or {}
    named = (meta.get("kernelspec") or {}).get("language")
    named = named or (meta.get("language_info") or {}).get("name")
    return str(named or "python").lower()
