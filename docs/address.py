"""Write the address of the published site where it has to stand.

    .venv/bin/python docs/address.py

The address is `site_url` in mkdocs.yml and nowhere else: this puts it into README,
documents and package metadata, and takes it out again where there is none.
"""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SETTING = re.compile(r'^site_url: "?([^"\s]*)"?', re.MULTILINE)
# File → what stands there with an address, and what it stands before.
LINES = {
    "README.md": (
        "All of this, and the lab in your browser: <{}>\n\n",
        "Read: ",
    ),
    "docs/results.md": (
        "Published: [this page]({0}results/), [the lab in your browser]({0}lab/).\n\n",
        "## A student's feedback page\n",
    ),
    "pyproject.toml": (
        '[project.urls]\nDocumentation = "{}"\n\n',
        "[project.scripts]\n",
    ),
}


def with_address(text: str, line: str, before: str, address: str) -> str:
    """Return a file's text with the line that names the address, or without one."""
    pattern = r"\S+?".join(map(re.escape, re.split(r"\{0?\}", line)))
    text = re.sub(f"{pattern}(?={re.escape(before)})", "", text)
    if not address:
        return text
    if before not in text:
        raise ValueError(f"there is no {before!r}, before which the address stands")
    return text.replace(before, line.format(address) + before, 1)


def main(project: Path = PROJECT) -> None:
    """Bring all files up to date."""
    setting = SETTING.search((project / "mkdocs.yml").read_text("utf-8"))
    address = setting[1] if setting else ""
    for name, (line, before) in LINES.items():
        path = project / name
        text = path.read_text("utf-8")
        path.write_text(with_address(text, line, before, address), "utf-8")


if __name__ == "__main__":
    main()
