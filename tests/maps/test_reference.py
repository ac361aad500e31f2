"""Pictures of four studies at three zooms, compared with the ones that a person has looked at.

    PHUSONG_REDRAW=1 python -m pytest tests/maps/test_reference.py -m "slow or not slow"

draws them anew; look at them before they are kept.  Compared is the canvas alone
(no panel, no names of communes: letters differ from machine to machine), and a
picture fails where more than `MOST` of its pixels are clearly another colour.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phusong import pipeline
from phusong.maps import draw, save
from phusong.sources.fictional import fictional
from phusong.study import Study
from PIL import Image

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
KEPT = HERE / "reference"
ZOOMS = (0.0, 1.25, 2.5)
MOST = 0.02
CLEARLY = 48
REDRAW = bool(os.environ.get("PHUSONG_REDRAW"))

CANVAS = """(zoom) => {
  const { map, state, scene } = phusong.page, wide = 480, high = 360;
  const [[south, west], [north, east]] = state.header.area;
  map.setView([(south + north) / 2, (west + east) / 2], state.homeZoom + zoom, { animate: false });
  state.on.names = false;
  scene.groundKey = null;
  state.redraw();
  const out = document.createElement("canvas"), from = document.querySelector("canvas.scene");
  out.width = wide;
  out.height = high;
  const ctx = out.getContext("2d");
  ctx.fillStyle = "#dfe6e8";
  ctx.fillRect(0, 0, wide, high);
  ctx.drawImage(from, (from.width - wide) / 2, (from.height - high) / 2, wide,
    high, 0, 0, wide, high);
  return out.toDataURL("image/png").split(",")[1]; }"""


def _pictures(opened: Callable, page: Path) -> list[Image.Image]:
    shown = opened(page, 900, 640).page
    return [Image.open(io.BytesIO(base64.b64decode(shown.evaluate(CANVAS, zoom)))).convert("RGB")
            for zoom in ZOOMS]


def _differing(one: Image.Image, other: Image.Image) -> float:
    """Share of pixels of which a channel differs by more than `CLEARLY`."""
    a, b = (np.asarray(i.convert("RGB"), np.int16) for i in (one, other))
    assert a.shape == b.shape
    return float((np.abs(a - b).max(axis=2) > CLEARLY).mean())


def _as_kept(name: str, pictures: list[Image.Image]) -> None:
    wrong = []
    for number, picture in enumerate(pictures, start=1):
        path = KEPT / f"{name}-{number}.png"
        if REDRAW:
            # a palette by coverage keeps the rare colours of the signs
            picture.quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                path, optimize=True)
            continue
        assert path.exists(), f"{path.name} is not there; PHUSONG_REDRAW=1 draws it"
        share = _differing(picture, Image.open(path))
        if share > MOST:
            picture.save(path.with_suffix(".seen.png"))
            wrong.append(f"{path.name}: {share:.1%} of the pixels differ (seen: .seen.png)")
    assert not wrong, "\n".join(wrong)


def test_small_study(opened: Callable, small_page: Path) -> None:
    _as_kept("small", _pictures(opened, small_page))


def test_the_comparison_sees_what_is_missing(opened: Callable, small_page: Path) -> None:
    """Without the relief, or without the places, the picture is another."""
    shown = opened(small_page, 900, 640).page
    for layer in ("relief", "communes"):
        shown.evaluate("(l) => { phusong.page.state.on[l] = false; }", layer)
        raw = base64.b64decode(shown.evaluate(CANVAS, 0.0))
        kept = Image.open(KEPT / "small-1.png")
        assert _differing(Image.open(io.BytesIO(raw)), kept) > MOST, layer
        shown.evaluate("(l) => { phusong.page.state.on[l] = true; }", layer)


def _drawn(study: Study, folder: Path) -> Path:
    """The state of a study on its day, without a plan: what the inputs and the model say."""
    run = pipeline.run(study, until="service")
    page = draw(study, run.points, run.service, run.standing, terrain=run.terrain,
                around=run.around)
    return save(page, folder / "page.html")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["andorra", "lao_cai"])
def test_real_studies(name: str, opened: Callable, shared: Path, tmp_path: Path) -> None:
    study = Study.read(HERE.parent / "studies" / f"{name}.yml", folder=shared)
    _as_kept(name, _pictures(opened, _drawn(study, tmp_path)))


@pytest.mark.slow
def test_fictional_province(opened: Callable, tmp_path: Path) -> None:
    made: Any = fictional(tmp_path / "province", name="province", size="province", seed=2021)
    study = Study.read(Path(made) if str(made).endswith(".yml") else
                       tmp_path / "province" / "study.yml")
    _as_kept("fictional", _pictures(opened, _drawn(study, tmp_path)))
