"""An installed Chromium, and pages drawn once for all tests that look at them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

_BINARIES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
              "--disable-component-update", "--disable-sync", "--no-first-run"]


@dataclass
class Opened:
    """A page in the browser and everything that went wrong with it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium, or a skip that says what is missing."""
    binary = os.environ.get("PHUSONG_CHROMIUM") or next(
        (found for name in _BINARIES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip("no Chromium is installed (set PHUSONG_CHROMIUM to its path)")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as driver:
        def launch(path: str) -> Any:
            return driver.chromium.launch(executable_path=path, args=_ARGUMENTS)

        browser = launch(binary)
        browser.path, browser.launch = binary, launch
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Open a file and wait until it has drawn itself; closed after the test."""
    contexts = []

    def open_file(path: Path, width: int = 1280, height: int = 720) -> Opened:
        context = chromium.new_context(viewport={"width": width, "height": height},
                                       locale="en-GB", offline=True)
        contexts.append(context)
        out = Opened(context.new_page())
        out.page.on("console", lambda m: out.errors.append(f"{m.type}: {m.text}"))
        out.page.on("pageerror", lambda e: out.errors.append(str(e)))
        out.page.on("dialog", lambda d: (out.errors.append(f"dialog {d.message}"), d.dismiss()))
        out.page.on("request", lambda r: out.requests.append(r.url))
        out.page.goto(path.as_uri())
        out.page.wait_for_selector("body[data-ready]", timeout=30_000)
        return out

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """The arguments of `draw` for a small invented study."""
    from small_study import small_study

    return small_study()


@pytest.fixture(scope="session")
def small_page(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study as a sealed page."""
    from phusong.maps import draw, save

    return save(draw(**small), tmp_path_factory.mktemp("maps") / "small.html")
