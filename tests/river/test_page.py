"""The page of a run in a real browser: no console error, no request, the figures of the run."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which(
    "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run"]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_opens_offline_and_shows_the_run(commune: Path, done: dict[str, Any]) -> None:
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    asked: list[str] = []

    def opened() -> str:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
                page.on("pageerror", lambda e: said.append(str(e)))
                page.on("request", lambda r: asked.append(r.url))
                page.goto(Path(done["map"]).as_uri())
                page.wait_for_timeout(1500)
                return page.inner_text("body")
            finally:
                browser.close()

    # a thread of its own: other tests may keep a browser open in this one
    with ThreadPoolExecutor(1) as thread:
        text = thread.submit(opened).result()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    for status in ("covered", "uncertain", "uncovered", "unknown"):
        assert str(done["points"][status]) in text
    assert "DỮ LIỆU GIẢ ĐỊNH" in text
    assert "15/12/2021" in text
