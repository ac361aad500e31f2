"""Cut off from every network by the kernel, the page shows the same picture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cut_off(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A Chromium in a network namespace of its own, which holds no device that is up."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("this kernel lets nobody make a network namespace (unshare -rn)")
    alone = subprocess.run([unshare, "-rn", "sh", "-c", "cat /proc/net/dev"], check=True,
                           capture_output=True, text=True).stdout
    assert [line.split(":")[0].strip() for line in alone.splitlines()[2:]] in ([], ["lo"])
    script = tmp_path_factory.mktemp("alone") / "chromium"
    script.write_text(f'#!/bin/sh\nexec {unshare} -rn {chromium.path} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    browser = chromium.launch(str(script))
    yield browser
    browser.close()


def _picture(browser: Any, page: Path) -> tuple[bytes, list[str], list[str]]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    seen, told, asked = context.new_page(), [], []
    seen.on("console", lambda m: told.append(m.text))
    seen.on("pageerror", lambda e: told.append(str(e)))
    seen.on("request", lambda r: asked.append(r.url))
    seen.goto(page.as_uri())
    seen.wait_for_selector("body[data-ready]")
    shot = seen.screenshot(animations="disabled", caret="hide")
    context.close()
    return shot, told, [r for r in asked if not r.startswith("data:")]


def test_the_picture_is_the_same_without_a_network(chromium: Any, cut_off: Any,
                                                   small_page: Path) -> None:
    with_network, told, asked = _picture(chromium, small_page)
    without, told_alone, asked_alone = _picture(cut_off, small_page)
    assert told == told_alone == []
    assert asked == asked_alone == [small_page.as_uri()]
    assert with_network == without


def test_the_namespace_is_a_real_one(cut_off: Any) -> None:
    """The same browser cannot reach even this machine."""
    page = cut_off.new_page()
    with pytest.raises(Exception, match="ERR_"):
        page.goto("http://127.0.0.1:9/", timeout=5000)
    page.close()
