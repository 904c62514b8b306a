"""Make what README and docs/results.md show, from what two commands leave.

    python kit.py demo
    python kit.py audit
    .venv/bin/python docs/picture.py

docs/picture.png: on the left a student's notebook in JupyterLab, on the right that
student's feedback page, half in light and half in dark colours. docs/samples/: that
page, the class report and the audit, each with a picture of all of it; the notebook.
Needs Chromium.
tests/cli/test_documented.py compares the words of all with those of a new demo.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).parents[1]
PICTURE = PROJECT / "docs" / "picture.png"
SAMPLES = PROJECT / "docs" / "samples"
STUDENT, HEADING = "hivanova", "4.3 Backward propagation"
WIDTH, HEIGHT = 760, 900
COLOURS = Image.Quantize.MAXCOVERAGE  # it keeps a colour that few pixels have
PAGE = """
<style>
  body {{ margin: 0; display: flex; gap: 28px; padding: 28px; background: #dfe5ec }}
  div {{ position: relative; width: {width}px; height: {height}px; overflow: hidden;
         border-radius: 10px; box-shadow: 0 2px 14px #0004 }}
  img {{ position: absolute; inset: 0 }}
  .dark {{ clip-path: inset(0 0 0 50%) }}
</style>
<div><img src="{lab}"></div>
<div><img src="{light}"><img class="dark" src="{dark}"></div>
"""


def pages(browser: Browser, demo: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the feedback page in both colours, and the words on its first screen."""
    size = {"width": WIDTH, "height": HEIGHT}
    shots, words = {}, []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=size, color_scheme=scheme)
        folder = demo / "feedback" / STUDENT / "neural_network"
        page.goto((folder / "neural_network.html").as_uri())
        shots[scheme] = page.screenshot()
        words = page.locator("h1, .total, summary").all_inner_texts()
    return shots, [" ".join(text.split()) for text in words if text.strip()]


def notebook(browser: Browser, folder: Path) -> bytes:
    """Return the student's notebook in JupyterLab, at the exercise."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--no-browser", "--allow-root", f"--ServerApp.port={port}")
    options += ("--IdentityProvider.token=", f"--ServerApp.root_dir={folder}")
    jupyter = PROJECT / ".venv" / "bin" / "jupyter"
    # What the students' zip has: no menus for teachers.
    settings = PROJECT / "nbproctor" / "kit" / "jupyter"
    student = os.environ | {"JUPYTER_CONFIG_PATH": str(settings)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([jupyter, "lab", *options], env=student, **quiet)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"http://127.0.0.1:{port}/doc/tree/neural_network.ipynb?reset")
        page.wait_for_selector(".jp-Notebook h1", timeout=90_000)
        page.add_style_tag(content=".Toastify { display: none }")  # Jupyter's news
        heading = page.locator(".jp-Notebook h3", has_text=HEADING)
        while not heading.count():  # cells are drawn when they come near
            page.locator(".jp-WindowedPanel-outer").evaluate("e => e.scrollBy(0, 500)")
            page.wait_for_timeout(100)
        heading.scroll_into_view_if_needed()
        heading.evaluate("e => e.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(2_000)  # formulas are set after the text
        return page.screenshot()
    finally:
        server.terminate()


def samples(browser: Browser, project: Path) -> None:
    """Copy a page of each kind to docs/samples/, and take a picture of all of it."""
    made = {
        "feedback": f"demo/feedback/{STUDENT}/neural_network/neural_network.html",
        "report": "demo/report/neural_network.html",
        "audit": "audit/neural_network.html",
    }
    SAMPLES.mkdir(exist_ok=True)
    page = browser.new_page()
    for name, source in made.items():
        text = (project / source).read_text("utf-8")
        # A link to a page beside it would lead nowhere.
        text = re.sub(r'<a href="(?![#h])[^"]*">(.*?)</a>', r"\1", text, flags=re.S)
        (SAMPLES / f"{name}.html").write_text(text, "utf-8")
        width = 1200 if name == "audit" else 900  # its tables are wide
        page.set_viewport_size({"width": width, "height": 820})
        page.goto((SAMPLES / f"{name}.html").as_uri())
        save(page.screenshot(full_page=True), SAMPLES / f"{name}.png")


def save(shot: bytes, path: Path) -> None:
    """Write a picture with few colours, so that it is small."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.quantize(64, COLOURS).save(path, optimize=True)


def main() -> None:
    """Take the pictures, put them side by side, and write the file."""
    demo = PROJECT / "demo"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        samples(browser, PROJECT)
        shots, words = pages(browser, demo)
        shots["lab"] = notebook(
            browser, demo / "submitted" / STUDENT / "neural_network"
        )
        save(shots["lab"], SAMPLES / "lab.png")
        data = {
            name: "data:image/png;base64," + base64.b64encode(shot).decode()
            for name, shot in shots.items()
        }
        page = browser.new_page(viewport={"width": 1604, "height": 956})
        page.set_content(PAGE.format(width=WIDTH, height=HEIGHT, **data))
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shown = PngImagePlugin.PngInfo()
    shown.add_text("Shows", json.dumps(words))
    image.quantize(128, COLOURS).save(PICTURE, optimize=True, pnginfo=shown)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
