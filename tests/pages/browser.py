"""Pages in a real browser: Chromium, driven by Playwright, with axe-core.

axe-core is fetched once by npm into pytest's cache; tests skip where one is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
# All rules, those of level AAA and the experimental ones too, with everything opened.
# Contrast takes three quarters of the time: it is asked once, for what level AAA wants.
AXE = """async () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const all = Object.fromEntries(axe.getRules().map(r => [r.ruleId, {enabled: true}]));
  all["color-contrast-enhanced"].enabled = false;
  const options = {
    contrastRatio: {normal: {expected: 7}, large: {expected: 4.5}},
    boldValue: 700, boldTextPt: 14, largeTextPt: 18,
    ignoreUnicode: true, ignoreLength: false, ignorePseudo: false,
    pseudoSizeThreshold: 0.25, shadowOutlineEmMax: 0.1,
  };
  axe.configure({checks: [{id: "color-contrast", options}]});
  const found = await axe.run(document, {resultTypes: ["violations"], rules: all});
  return [found.violations.map(v => [v.id, v.nodes[0].html]), found.passes.length];
}"""
LOOKS = ("light", 390), ("dark", 1200)


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium; yield a context in which a page may be given scripts."""
    tool = pytest.importorskip("playwright.sync_api", reason="there is no Playwright")
    with tool.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        size = {"width": 1300, "height": 900}
        context = chromium.new_context(viewport=size, bypass_csp=True)
        context.set_default_timeout(300_000)  # milliseconds: on a busy computer
        try:
            yield context
        finally:
            chromium.close()


def violations(page: Any, axe: str) -> list[Any]:
    """Return what axe-core has to say about a page: rule and place."""
    page.evaluate(axe)
    broken_rules, passes = page.evaluate(AXE)
    assert passes > 15, "axe-core did not look"
    return list(broken_rules)


def accessible(
    page: Any,
    address: str,
    axe: str,
    looks: Any = LOOKS,
) -> str:
    """Look at a page in light colours, narrow, and in dark ones; return its text."""
    for scheme, width in looks:
        page.emulate_media(color_scheme=scheme, forced_colors="none")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        assert violations(page, axe) == [], (address, scheme, width)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is cut at {width} pixels"
    return str(page.locator("body").inner_text())
