"""The documentation as a site: built without a warning, and no link leads nowhere."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.programs import start

PAGES = (
    *("students", "instructors", "new-assignment", "differences", "hub", "scale"),
    *("security", "architecture", "protocol", "changes", "formats", "results"),
)


class _Page(HTMLParser):
    """The links of a page, and what a link may name in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.append(value)
            elif value and name == "id":
                self.names.add(value)


@pytest.mark.slow
def test_the_site_has_every_page_no_warning_and_no_dead_link(
    project: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path]
    done = start(*command, cwd=project)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^(WARNING|ERROR)", done.stderr, re.M), done.stderr
    pages = {path: _Page(path) for path in tmp_path.rglob("*.html")}
    assert {tmp_path / name / "index.html" for name in PAGES} <= pages.keys()
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve()
            target = path if not parts.path else target
            target = target / "index.html" if target.is_dir() else target
            named = target in pages and parts.fragment in pages[target].names
            if not target.is_file() or (parts.fragment and not named):
                dead.append(f"{path.relative_to(tmp_path)}: {link}")
    assert not dead
    index = json.loads((tmp_path / "search/search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("/")[0] for entry in index["docs"]}
    assert {*PAGES} <= found
