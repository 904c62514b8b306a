"""Every page in a real browser: axe-core finds nothing, and no page is cut in print.

Needs Chromium and npm (for axe-core, which is fetched once into pytest's cache); skips
where one is missing.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nbproctor.pages.feedback import Feedback
from nbproctor.pages.summary import GradedNotebook
from tests.pages.axe import axe_core
from tests.pages.lab import Lab, verdicts

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
# All rules, those of level AAA and the experimental ones too, with everything opened.
RUN = """
document.querySelectorAll("details").forEach(d => d.open = true);
const rules = Object.fromEntries(axe.getRules().map(r => [r.ruleId, {enabled: true}]));
axe.run(document, {resultTypes: ["violations"], rules}).then(found => {
  const said = found.violations.map(v => [v.id, v.nodes[0].html]);
  const told = JSON.stringify([said, found.passes.length]);
  const text = btoa(unescape(encodeURIComponent(told)));
  document.body.innerHTML = `<pre id="axe">${text}</pre>`;
});
"""


@pytest.fixture(scope="module")
def axe(pytestconfig: pytest.Config) -> str:
    """The text of axe-core."""
    return axe_core(pytestconfig)


def chromium(tmp_path: Path, *arguments: str) -> str:
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'profile'}",
        *arguments,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def violations(
    page: str, axe: str, tmp_path: Path, *, dark: bool, width: int
) -> list[Any]:
    # The page itself forbids scripts, so the copy that is looked at must not.
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    scripts = f"<script>{axe}</script><script>{RUN}</script>"
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", f"{scripts}</body>"), "utf-8")
    arguments = [f"--window-size={width},900", "--virtual-time-budget=60000"]
    arguments += ["--blink-settings=preferredColorScheme=0"] if dark else []
    shown = chromium(tmp_path, *arguments, "--dump-dom", path.as_uri())
    answer = re.search('id="axe">([^<]+)<', shown)
    assert answer, "axe-core did not answer"
    found, passes = json.loads(base64.b64decode(answer[1]))
    assert passes > 20
    return list(found)


def pages(folder: Path) -> dict[str, str]:
    lab = Lab(folder)
    text = "# Mine\n\n| a | b |\n|---|---|\n| $x$ | [l](https://example.org) |\n"
    own = "def f(x: int) -> str:\n    return 'é'  # comment\nprint(1.5)"
    pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    ann = lab.graded(
        verdicts(first_values=0, first_public=0, second_public=0),
        {"text": text, "own": own},
        [
            {"output_type": "stream", "name": "stdout", "text": "1.5\n" * 100},
            {"output_type": "display_data", "data": {"image/png": pixel}},
            {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["Oh"]},
        ],
        comments={"first": "Look *here*."},
        late=9000.0,
    )
    cem = GradedNotebook("cem", "", "lab", "lab", "ungradable", ["It is no notebook."])
    mistakes = Feedback(ann, lab.outline).page()
    bob = lab.graded(student="bob", status="repaired", notes=["So."])
    return {
        "mistakes": mistakes,
        "all right": Feedback(bob, lab.outline).page(),
        "not graded": Feedback(cem, lab.outline).page(),
        "report": lab.report([ann, bob, cem]).page,
    }


@pytest.mark.parametrize("name", ["mistakes", "all right", "not graded", "report"])
def test_axe_finds_nothing_in_light_in_dark_and_on_a_phone(
    axe: str, tmp_path: Path, name: str
) -> None:
    page = pages(tmp_path)[name]
    for dark, width in ((False, 1200), (True, 1200), (False, 390)):
        assert violations(page, axe, tmp_path, dark=dark, width=width) == []


def test_axe_would_find_something(axe: str, tmp_path: Path) -> None:
    page = pages(tmp_path)["mistakes"].replace('<html lang="en">', "<html>")
    page = page.replace("--soft: #48515e", "--soft: #c0c0c0")
    found = violations(page, axe, tmp_path, dark=False, width=1200)
    assert {"html-has-lang", "color-contrast"} <= {rule for rule, _ in found}


def test_print_opens_what_is_folded(tmp_path: Path) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("there is no pdftotext")
    path, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    page = pages(tmp_path)["all right"]
    assert (
        "<details open>" not in page.split('id="exercise-1"')[1].split("</section>")[0]
    )
    path.write_text(page, "utf-8")
    chromium(tmp_path, f"--print-to-pdf={printed}", path.as_uri())
    text = subprocess.run(
        ["pdftotext", str(printed), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "def first(x):" in text and "Types." in text
    assert text.count("\f") <= 3  # pages
