"""Terrain and people: voids stay voids, tiles join, absurd sizes are refused before reading."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import rasterio.vrt
from affine import Affine
from phusong.geo import transform
from phusong.sources.raster_files import MAX_PIXELS, raster_box
from phusong.sources.rasters import read_population, read_terrain
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


def _sparse(path: Path, side: int, at: tuple[int, int], value: float) -> None:
    """Write a raster of which one block is there; the rest takes no room on disk."""
    with rasterio.open(path, "w", driver="GTiff", dtype="float32", count=1, crs="EPSG:4326",
                       width=side, height=side, sparse_ok=True, tiled=True, bigtiff="yes",
                       blockxsize=512, blockysize=512,
                       transform=Affine(0.0001, 0, 100, 0, -0.0001, 40)) as data:
        data.write(np.full((512, 512), value, np.float32), 1,
                   window=rasterio.windows.Window(at[1], at[0], 512, 512))


def test_a_raster_of_160_gigabytes_is_read_by_window_in_little_memory(tmp_path: Path) -> None:
    _sparse(tmp_path / "giant.tif", 200_192, (51_200, 102_400), 321.0)
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from phusong.sources.rasters import read_population, read_terrain
from phusong.sources.source import Source
area = (110.24, 34.83, 110.29, 34.88)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
terrain, readings = read_terrain([Source(file="giant.tif")], Path(sys.argv[1]), 32649, area)
people = read_population(Source(file="giant.tif"), Path(sys.argv[1]), area).table
for values in (terrain.heights, people.values):
    assert values.shape[0] < 600 and np.nanmax(values) == 321.0, values.shape
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True,
                          text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 150, "megabytes more than before reading"
    too_much = read(tmp_path, "giant.tif", area=(101, 21, 119, 39))[1]
    assert codes(too_much) == ["too_large"]


def test_strips_of_any_height_lay_the_same_mosaic(tmp_path: Path, dem: Dem,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    from phusong.sources import rasters

    rng = np.random.default_rng(5)
    heights = rng.integers(0, 3000, (130, 90)).astype(np.int16)
    heights[rng.random(heights.shape) < 0.05] = -32768
    heights[7, 7] = 9500
    dem(tmp_path / "a.tif", heights=heights[:80], tiled=True, blockxsize=16, blockysize=16)
    dem(tmp_path / "b.tif", heights=heights[70:], north=22.5 - 70 * 0.001, tiled=True,
        blockxsize=32, blockysize=32)
    x, y = transform(103.72, 22.48, 4326, 32648)
    dem(tmp_path / "c.tif", heights=heights[:30], crs="EPSG:32648",
        transform=Affine(90, 0, float(x), 0, -90, float(y)))
    whole, faults = read(tmp_path, "a.tif", "b.tif", "c.tif")
    for pixels in (1, 90 * 17, 90 * 64):
        monkeypatch.setattr(rasters, "_STRIP_PIXELS", pixels)
        again, others = read(tmp_path, "a.tif", "b.tif", "c.tif")
        assert np.array_equal(again.heights, whole.heights, equal_nan=True)
        assert others == faults


@pytest.mark.parametrize("name", ["N22E103.SRTMGL1.hgt.zip", "n22_e103_1arc_v3.hgt.zip",
                                  "N22E103.SRTMGL1.hgt"])
def test_one_second_tiles_under_their_publishers_names(tmp_path: Path, name: str) -> None:
    content = np.full((3601, 3601), 812, ">i2").tobytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as a:
            a.writestr("N22E103.hgt", content)
    else:
        (tmp_path / name).write_bytes(content)
    terrain, faults = read(tmp_path, name)
    assert terrain.shape == (3601, 3601)
    assert np.unique(terrain.heights).tolist() == [812]
    assert terrain.resolution_m == pytest.approx(30, abs=1.5)
    assert not faults


def test_copernicus_tiles_join_without_a_seam(tmp_path: Path, dem: Dem) -> None:
    """Their pixels' centres lie on whole arc seconds, so a tile begins half a pixel outside."""
    step = 1 / 1200
    whole = (np.arange(1200 * 60) % 3001).astype(np.float32).reshape(1200, 60)
    for i, name in enumerate(("N22_00_E103_00", "N21_00_E103_00")):
        dem(tmp_path / f"Copernicus_DSM_COG_30_{name}_DEM.tif", heights=whole[i * 600:][:600],
            nodata=None, transform=Affine(step, 0, 103 - step / 2, 0, -step,
                                          23 + step / 2 - i * 600 * step))
    terrain, faults = read(tmp_path, "Copernicus_DSM_COG_30_*_DEM.tif")
    assert np.array_equal(terrain.heights, whole)
    assert not faults


def test_a_virtual_raster_is_read_and_its_parts_count(tmp_path: Path, dem: Dem) -> None:
    from phusong.sources.raster_files import parts_of

    dem(tmp_path / "a.tif", heights=np.full((10, 10), 7, np.int16))
    with rasterio.open(tmp_path / "a.tif") as data, rasterio.vrt.WarpedVRT(data) as view:
        rasterio.shutil.copy(view, tmp_path / "a.vrt", driver="VRT")
    assert np.unique(read(tmp_path, "a.vrt")[0].heights).tolist() == [7]
    assert parts_of(tmp_path / "a.vrt") == {tmp_path / "a.tif"}
    (tmp_path / "b.vrt").write_text("<VRTDataset>")
    assert parts_of(tmp_path / "b.vrt") == set()
