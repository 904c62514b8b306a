"""Lets the site have what stands outside docs/; mkdocs.yml names this file as a hook.

A link from a document to a file of the project works in the repository as it is. On the
site, README and others of its kind become pages, and what else is linked is copied.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "reporting.md",
}
LINK = re.compile(r"(?<=\]\()([\w./-]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add pages of the project's own texts, and copies of all files that are linked."""
    texts = {PROJECT / name: page for name, page in PAGES.items()}
    for path, page in texts.items():
        files.append(File.generated(config, page, content=path.read_text("utf-8")))
    for path in (*texts, *(PROJECT / "docs").glob("*.md")):
        for link in LINK.findall(path.read_text("utf-8")):
            name = _name(path, link)
            if name not in files.src_uris and (PROJECT / name).is_file():
                source = str(PROJECT / name)
                files.append(File.generated(config, name, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links mean what is on the site."""
    outside = {there: PROJECT / here for here, there in PAGES.items()}
    source = outside.get(page.file.src_uri, PROJECT / "docs" / page.file.src_uri)
    return LINK.sub(lambda link: _name(source, link[1]), markdown)


def _name(source: Path, link: str) -> str:
    """Return what a linked file is called on the site."""
    path = os.path.relpath(os.path.normpath(source.parent / link), PROJECT)
    return PAGES.get(path, path.removeprefix("docs/"))
