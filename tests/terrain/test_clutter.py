"""Clutter: trees cost signal, yards are free, what is not known stays unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio.warp
from affine import Affine
from phusong.errors import TerrainError
from phusong.radio import Medium, path_loss
from phusong.radio.budget import Radio
from phusong.radio.clutter import Clutter
from phusong.sources.land_cover import read_land_cover
from phusong.sources.source import Source
from phusong.terrain import Terrain
from pydantic import ValidationError

UTM = "EPSG:32648"
GRID = Affine(30, 0, 500_000, 0, -30, 2_000_000)


def flat(clutter: np.ndarray | float | None, shape: tuple[int, int] = (60, 400)) -> Terrain:
    grown = None if clutter is None else np.broadcast_to(clutter, shape)
    return Terrain(np.full(shape, 100.0), GRID, UTM, UTM, clutter=grown)


def loss(terrain: Terrain, step_m: float, model: str = "p1812", clear_m: float = 50.0) -> float:
    """Mast of 40 m, handset at 1.5 m, 10 km over level ground, 1,840 MHz."""
    paths = terrain.profiles(500_500.0, 1_999_100.0, 510_500.0, 1_999_100.0, step_m,
                             clear_m=clear_m)
    return float(path_loss(model, paths, 1840.0, 40.0, 1.5, Medium())[0])


@pytest.mark.parametrize("model", ["p1812", "p526"])
def test_trees_add_loss(model: str) -> None:
    bare, nothing, trees, forest = (loss(flat(c), 30.0, model) for c in (None, 0.0, 10.0, 15.0))
    assert nothing == pytest.approx(bare, abs=1e-9)
    assert trees > bare + 5.0
    assert forest > trees + 1.0


def test_the_step_matters_and_only_with_clutter() -> None:
    """Why the step of profiles is fixed: finer samples put trees nearer to the handset."""
    bare = [loss(flat(None), step) for step in (90.0, 30.0)]
    grown = [loss(flat(10.0), step, clear_m=0.0) for step in (90.0, 30.0)]
    assert bare[1] == pytest.approx(bare[0], abs=0.1)
    assert 3.0 < grown[1] - grown[0] < 8.0


def test_a_yard_helps() -> None:
    losses = [loss(flat(10.0), 30.0, clear_m=clear) for clear in (0.0, 50.0, 200.0)]
    assert losses[0] > losses[1] + 1.0
    assert losses[1] > losses[2] + 1.0


def test_samples_take_the_pixel_they_lie_in() -> None:
    clutter = np.zeros((60, 400))
    clutter[:, 100:103] = 12.0      # x from 503,000 to 503,090
    paths = flat(clutter).profiles(500_500.0, 1_999_100.0, 510_500.0, 1_999_100.0, 30.0)
    x = 500_500.0 + paths.along_m
    inside = (x > 503_000.0) & (x < 503_090.0)
    assert inside.sum() == 3
    assert (paths.clutter_m == np.where(inside, 12.0, 0.0)).all()
    turned = flat(clutter).profiles(510_500.0, 1_999_100.0, 500_500.0, 1_999_100.0, 30.0)
    assert (turned.clutter_m[::-1] == paths.clutter_m).all()
    cut = flat(clutter).window((502_000.0, 1_998_800.0, 505_000.0, 1_999_400.0))
    again = cut.profiles(502_500.0, 1_999_100.0, 504_500.0, 1_999_100.0, 10.0)
    assert again.clutter_m.sum() == pytest.approx(12.0 * 9, abs=12.1)


def test_unknown_clutter_is_no_open_field() -> None:
    clutter = np.zeros((60, 400))
    clutter[:, 150] = np.nan
    assert np.isnan(loss(flat(clutter), 30.0))
    # the yard of a school needs no land cover
    clutter[:, 150] = 0.0
    clutter[:, 16:18] = np.nan
    assert np.isfinite(loss(flat(clutter), 30.0))


def test_clutter_that_does_not_fit_is_refused() -> None:
    for wrong in (np.zeros((3, 3)), np.full((60, 400), -1.0)):
        with pytest.raises(TerrainError, match="does not stand on"):
            Terrain(np.zeros((60, 400)), GRID, UTM, UTM, clutter=wrong)
    with pytest.raises(ValidationError, match="between 0 and 100"):
        Radio(clutter={"heights_m": {10: 1500.0}})


def written(path: Path, classes: np.ndarray, crs: str = "EPSG:4326") -> Source:
    """WorldCover-like classes, about 10 m, over the terrain (and a little more)."""
    box = rasterio.warp.transform_bounds(UTM, crs, 499_900, 1_998_100, 512_100, 2_000_100)
    matrix = Affine((box[2] - box[0]) / classes.shape[1], 0.0, box[0],
                    0.0, (box[1] - box[3]) / classes.shape[0], box[3])
    with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, crs=crs, nodata=0,
                       width=classes.shape[1], height=classes.shape[0], transform=matrix) as file:
        file.write(classes.astype(np.uint8), 1)
    return Source(file=path.name)


def test_land_cover_becomes_clutter(tmp_path: Path) -> None:
    classes = np.full((200, 1200), 40)
    classes[:, 600:] = 10
    source = written(tmp_path / "cover.tif", classes)
    reading = read_land_cover(source, tmp_path, flat(None), Clutter())
    grown = reading.table.clutter
    assert set(np.unique(grown)) == {0.0, 15.0}
    # the border lies at x = 506,000: column 200
    assert (grown[:, :198] == 0.0).all()
    assert (grown[:, 202:] == 15.0).all()
    assert [fault.code for fault in reading.faults] == ["clutter_added"]
    assert (reading.table.heights == flat(None).heights).all()


def test_land_cover_that_says_too_little(tmp_path: Path) -> None:
    classes = np.full((200, 1200), 40)
    classes[:, :300], classes[:, 900:] = 0, 77
    reading = read_land_cover(written(tmp_path / "cover.tif", classes), tmp_path, flat(None),
                              Clutter())
    assert {fault.code for fault in reading.faults} == {"unknown_class", "land_cover_gaps",
                                                        "clutter_added"}
    assert np.isnan(reading.table.clutter).mean() == pytest.approx(0.5, abs=0.02)
    own = read_land_cover(Source(file="cover.tif"), tmp_path, flat(None),
                          Clutter(heights_m={1: 5.0}))
    assert own.table is None
    assert own.failed
