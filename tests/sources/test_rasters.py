"""Terrain and people: voids stay voids, tiles join, absurd sizes are refused before reading."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from phusong.geo import transform
from phusong.sources.rasters import MAX_PIXELS, raster_box, read_population, read_terrain
from phusong.sources.source import Source
from rasterio.errors import NotGeoreferencedWarning

Dem = Callable[..., Path]


def read(folder: Path, *names: str, area: Any = None, **said: Any) -> tuple[Any, list[Any]]:
    sources = [Source(file=name, **said) for name in names]
    terrain, readings = read_terrain(sources, folder, 32648, area)
    return terrain, [fault for reading in readings for fault in reading.faults]


def codes(faults: list[Any]) -> list[str]:
    return [fault.code for fault in faults]


def test_voids_and_nodata_are_unknown_never_sea_level(tmp_path: Path, dem: Dem) -> None:
    heights = np.full((20, 20), 500, np.int16)
    heights[3, 4], heights[5, 6], heights[7, 8] = -32768, 0, -9999
    dem(tmp_path / "a.tif", heights=heights, nodata=-9999)
    terrain, faults = read(tmp_path, "a.tif")
    assert np.isnan(terrain.heights[3, 4])
    assert np.isnan(terrain.heights[7, 8])
    assert terrain.heights[5, 6] == 0
    assert codes(faults) == ["voids"]
    assert faults[0].count == 2


def test_scale_and_offset(tmp_path: Path, dem: Dem) -> None:
    path = dem(tmp_path / "a.tif", heights=np.full((9, 9), 10, np.uint8), nodata=None)
    with rasterio.open(path, "r+") as data:
        data.scales, data.offsets = (31.5,), (-50.0,)
    assert np.allclose(read(tmp_path, "a.tif")[0].heights, 265.0)


def test_tiles_on_one_grid_become_one_exactly(tmp_path: Path, dem: Dem) -> None:
    whole = np.arange(40 * 60, dtype=np.int16).reshape(40, 60)
    dem(tmp_path / "w.tif", heights=whole)
    dem(tmp_path / "a.tif", heights=whole[:, :31])
    dem(tmp_path / "b.tif", heights=whole[:, 30:], west=103.7 + 30 * 0.001)
    one, _ = read(tmp_path, "w.tif")
    for names in (("a.tif", "b.tif"), ("b.tif", "a.tif")):
        two, faults = read(tmp_path, *names)
        assert np.array_equal(one.heights, two.heights)
        assert np.allclose(one.transform[:6], two.transform[:6])
        assert not faults
    pattern, _ = read(tmp_path, "[ab].tif")
    assert np.array_equal(one.heights, pattern.heights)


def test_a_gap_between_tiles_is_unknown(tmp_path: Path, dem: Dem) -> None:
    dem(tmp_path / "a.tif", heights=np.ones((10, 10), np.int16))
    dem(tmp_path / "b.tif", heights=np.ones((10, 10), np.int16), west=103.7 + 0.015)
    terrain, _ = read(tmp_path, "a.tif", "b.tif")
    assert terrain.shape == (10, 25)
    assert np.isnan(terrain.heights[:, 10:15]).all()


def test_a_tile_on_another_grid_is_resampled_and_said(tmp_path: Path, dem: Dem) -> None:
    dem(tmp_path / "a.tif", heights=np.full((30, 30), 700, np.int16))
    x, y = transform(103.731, 22.499, 4326, 32648)
    dem(tmp_path / "b.tif", heights=np.full((30, 30), 700, np.int16), crs="EPSG:32648",
        transform=Affine(90, 0, float(x), 0, -90, float(y)))
    terrain, faults = read(tmp_path, "a.tif", "b.tif")
    assert "resampled" in codes(faults)
    known = terrain.heights[np.isfinite(terrain.heights)]
    assert known.size > 1300
    assert np.allclose(known, 700)


def test_hgt_is_named_by_its_corner_big_endian_with_voids(tmp_path: Path) -> None:
    values = np.full((1201, 1201), 1500, ">i2")
    values[600, 600] = -32768
    (tmp_path / "N22E103.hgt").write_bytes(values.tobytes())
    with zipfile.ZipFile(tmp_path / "N22E103.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "N22E103.hgt", "N22E103.hgt")
    for name in ("N22E103.hgt", "N22E103.hgt.zip"):
        terrain, faults = read(tmp_path, name)
        assert terrain.shape == (1201, 1201)
        assert np.isnan(terrain.heights[600, 600])
        assert terrain.heights[0, 0] == 1500
        assert codes(faults) == ["voids"]
        assert raster_box(Source(file=name), tmp_path) == pytest.approx((103, 22, 104, 23),
                                                                        abs=1e-3)


def test_a_coarse_grid_is_said_to_be_so(tmp_path: Path, dem: Dem) -> None:
    dem(tmp_path / "a.tif", heights=np.ones((20, 20), np.int16), step=0.004)
    _, faults = read(tmp_path, "a.tif")
    assert codes(faults) == ["coarse_terrain"]


def test_absurd_sizes_are_refused_before_reading(tmp_path: Path) -> None:
    side = int(np.sqrt(MAX_PIXELS)) + 600
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", dtype="int16", count=1, crs="EPSG:4326",
                       width=side, height=side, sparse_ok=True, tiled=True, nodata=-1,
                       transform=Affine(0.0001, 0, 103, 0, -0.0001, 23)):
        pass
    terrain, faults = read(tmp_path, "a.tif")
    assert terrain is None
    assert codes(faults) == ["too_large"]
    assert "gdalwarp" in faults[0].cure
    _, faults = read(tmp_path, "a.tif", area=(103.1, 22.8, 103.2, 22.9))
    assert codes(faults) == ["no_heights"]


def test_a_large_raster_is_read_by_window(tmp_path: Path) -> None:
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", dtype="int16", count=1,
                       crs="EPSG:4326", width=6000, height=6000, sparse_ok=True, tiled=True,
                       transform=Affine(0.001, 0, 100, 0, -0.001, 25)) as data:
        data.write(np.full((256, 256), 77, np.int16), 1,
                   window=rasterio.windows.Window(3072, 2048, 256, 256))
    terrain, _ = read(tmp_path, "a.tif", area=(103.1, 22.75, 103.2, 22.9))
    assert max(terrain.shape) < 200
    x, y = transform(103.15, 22.8, 4326, 32648)
    assert terrain.sample(x, y)[0] == 77
    assert codes(read(tmp_path, "a.tif", area=(50, 20, 51, 21))[1]) == ["out_of_reach"]


@pytest.mark.parametrize(("name", "content", "code"), [
    ("a.tif", b"II*\x00garbage", "unreadable_file"), ("a.hgt", b"x" * 99, "unreadable_file"),
    ("a.zip", b"PK", "unreadable_file"), ("b.tif", b"", "unreadable_file")])
def test_damaged_rasters(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    terrain, faults = read(tmp_path, name)
    assert terrain is None
    assert codes(faults) == [code]


def test_a_truncated_tiff_is_refused(tmp_path: Path, dem: Dem) -> None:
    path = dem(tmp_path / "a.tif", compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    terrain, faults = read(tmp_path, "a.tif")
    assert terrain is None
    assert codes(faults) == ["unreadable_file"]


def test_a_raster_without_place_or_crs(tmp_path: Path, dem: Dem) -> None:
    dem(tmp_path / "a.tif", crs=None)
    assert codes(read(tmp_path, "a.tif")[1]) == ["missing_crs"]
    assert read(tmp_path, "a.tif", crs="EPSG:4326")[0] is not None
    with pytest.warns(NotGeoreferencedWarning), rasterio.open(
            tmp_path / "b.png", "w", driver="PNG", dtype="uint8", count=1, width=9,
            height=9) as data:
        data.write(np.zeros((9, 9), np.uint8), 1)
    assert codes(read(tmp_path, "b.png", crs="EPSG:4326")[1]) == ["no_georeference"]
    assert codes(read(tmp_path, "c.tif")[1]) == ["missing_file"]


def test_people_below_zero_are_unknown(tmp_path: Path, dem: Dem) -> None:
    values = np.full((10, 10), 2.5, np.float32)
    values[0, 0], values[1, 1] = -99999, -3
    dem(tmp_path / "a.tif", heights=values, nodata=-99999)
    raster = read_population(Source(file="a.tif"), tmp_path).table
    assert np.nansum(raster.values) == pytest.approx(98 * 2.5)
    assert np.isnan(raster.values[0, 0])
    assert np.isnan(raster.values[1, 1])


@pytest.mark.parametrize("name", ["N42E001", "N43E007", "N37W119", "N38W120"])
def test_real_srtm_tiles(shared: Path, name: str) -> None:
    low, high, voids = {"N42E001": (349, 3100, 7652), "N43E007": (-11, None, 1595),
                        "N37W119": (1165, 4333, 0), "N38W120": (1221, 3783, 0)}[name]
    source = Source(file=f"data/dem_srtm3_tiles/{name}.hgt.zip")
    terrain, _ = read_terrain([source], shared, 32631)
    assert terrain is not None
    assert np.nanmin(terrain.heights) == low
    assert high is None or np.nanmax(terrain.heights) == high
    assert np.isnan(terrain.heights).sum() == voids
