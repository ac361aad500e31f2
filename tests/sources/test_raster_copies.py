"""Checked copies of rasters: Cloud-Optimised, the same to the bit, made anew when in doubt."""

from __future__ import annotations

import json
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from phusong import sources
from phusong.profile import Profile
from phusong.sources import raster_copies, rasters
from phusong.sources.raster_copies import Copies, Copy
from phusong.sources.rasters import read_population, read_terrain
from phusong.sources.source import Reading, Source
from rasterio.windows import Window
from small_register import Place

Dem = Callable[..., Path]
MATRIX = Affine(0.001, 0, 103.7, 0, -0.001, 22.5)
CRS = rasterio.crs.CRS.from_epsg(4326)


def read(folder: Path, *names: str, area: Any = None, **said: Any) -> Any:
    """Read terrain through the copies of the folder."""
    return read_terrain([Source(file=name, **said) for name in names], folder, 32648, area,
                        Copies(folder / "rasters"))


def made(folder: Path, role: str = "terrain") -> Path:
    one, = (folder / "rasters").glob(f"{role}-*.tif")
    return one


@pytest.fixture
def only_copies(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on no pixel of a source may be read."""
    def refuse(*_: Any) -> None:
        raise AssertionError("a pixel was read from the source")

    return lambda: monkeypatch.setattr(rasters, "values_of", refuse)


def directories(path: Path) -> list[dict[int, tuple[int, ...]]]:
    """Return the image directories of a TIFF in their order: tag -> values; 0 -> its offset."""
    raw = path.read_bytes()
    order = {b"II": "<", b"MM": ">"}[raw[:2]]
    assert struct.unpack(f"{order}H", raw[2:4])[0] == 42
    at = struct.unpack(f"{order}I", raw[4:8])[0]
    sizes = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 12: "d", 16: "Q"}
    found = []
    while at:
        count = struct.unpack_from(f"{order}H", raw, at)[0]
        tags: dict[int, tuple[int, ...]] = {0: (at,)}
        for n in range(count):
            tag, kind, many = struct.unpack_from(f"{order}HHI", raw, at + 2 + 12 * n)
            form = f"{order}{many * len(sizes[kind])}{sizes[kind][0]}"
            where = at + 10 + 12 * n
            if struct.calcsize(form) > 4:
                where = struct.unpack_from(f"{order}I", raw, where)[0]
            tags[tag] = struct.unpack_from(form, raw, where)
        found.append(tags)
        at = struct.unpack_from(f"{order}I", raw, at + 2 + 12 * count)[0]
    return found


def assert_cloud_optimised(path: Path) -> None:
    """Check what GDAL's validator checks: order of directories and of data, tiles, overviews."""
    tile_width, tile_offsets, width, kind = 322, 324, 256, 254
    ifds = directories(path)
    assert [ifd[0][0] for ifd in ifds] == sorted(ifd[0][0] for ifd in ifds)
    assert all(tile_width in ifd for ifd in ifds), "tiled, not striped"
    widths = [ifd[width][0] for ifd in ifds]
    assert widths == sorted(widths, reverse=True), "the full picture first, then ever smaller"
    assert [ifd.get(kind, (0,))[0] & 1 for ifd in ifds] == [0] + [1] * (len(ifds) - 1)
    assert widths[-1] <= 512 < widths[0] or len(ifds) == 1, "overviews down to one tile"
    data = [[offset for offset in ifd[tile_offsets] if offset] for ifd in ifds]
    assert min(min(offsets) for offsets in data) > max(ifd[0][0] for ifd in ifds)
    firsts = [min(offsets) for offsets in data]
    assert firsts == sorted(firsts, reverse=True), "the coarsest data stand first"
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
        assert file.block_shapes == [(512, 512)]
        assert len(file.overviews(1)) == len(ifds) - 1


def test_a_mosaic_of_zipped_tiles_is_kept_cloud_optimised(
        tmp_path: Path, only_copies: Callable[[], None]) -> None:
    rng = np.random.default_rng(3)
    tiles = {name: rng.integers(-5, 3000, (1201, 1201)).astype(">i2")
             for name in ("N22E103", "N22E104")}
    tiles["N22E103"][7, 9], tiles["N22E104"][600, 600:700] = 0, -32768
    for name, values in tiles.items():
        with zipfile.ZipFile(tmp_path / f"{name}.hgt.zip", "w") as archive:
            archive.writestr(f"{name}.hgt", values.tobytes())
    said = {"licence": "public domain", "attribution": "NASA"}
    bare, _ = read_terrain([Source(file="*.hgt.zip", **said)], tmp_path, 32648)
    first, told = read(tmp_path, "*.hgt.zip", **said)
    only_copies()
    again, also = read(tmp_path, "*.hgt.zip", **said)
    assert again is not None
    for terrain in (first, again):
        assert np.array_equal(terrain.heights, bare.heights, equal_nan=True)
        assert (terrain.transform, terrain.crs, terrain.source) == (bare.transform, bare.crs,
                                                                    bare.source)
    assert [f.code for r in also for f in r.faults] == ["voids"]
    assert [(r.rows_in, r.faults, r.credit) for r in also] == [
        (r.rows_in, r.faults, r.credit) for r in told]
    assert_cloud_optimised(made(tmp_path))
    with rasterio.open(made(tmp_path)) as file:
        assert (file.dtypes[0], file.nodata) == ("int16", -32768)
        assert file.read(1)[7, 9] == 0, "sea level is a height"
        assert (file.read(1) == -32768).sum() == np.isnan(bare.heights).sum()
        assert file.crs.to_epsg() == 4326
        assert "public domain; NASA" in file.tags()["made_from"]
        assert "phusong" in file.tags()["made_by"]


@given(values=arrays(np.float32, st.tuples(st.integers(2, 9), st.integers(2, 9)),
                     elements=st.one_of(st.floats(-500, 9000, width=32), st.just(float("nan")),
                                        st.integers(-500, 9000).map(float), st.just(-0.0))),
       whole=st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_comes_back_to_the_bit(tmp_path: Path, values: np.ndarray,
                                            whole: bool) -> None:
    values = np.rint(values) if whole else values
    copies = Copies(tmp_path / "rasters")
    told = Reading(None, (), 3, 3, file="a.tif", role="terrain", credit="a.tif; CC0")
    copies.keep("terrain", "k" * 64, Copy(values, (told,)), MATRIX, CRS)
    found = copies.recall("terrain", "k" * 64, Window(0, 0, values.shape[1], values.shape[0]))
    assert found is not None
    known = ~np.isnan(values)
    assert np.array_equal(np.isnan(found.values), ~known)
    assert found.values[known].tobytes() == values[known].tobytes(), "also the sign of zero"
    part = copies.recall("terrain", "k" * 64, Window(1, 1, 1, 1))
    assert part is not None
    assert np.array_equal(part.values, values[1:2, 1:2], equal_nan=True)
    assert (found.readings[0].rows_in, found.readings[0].credit) == (3, "a.tif; CC0")


def test_a_source_of_other_bytes_is_read_anew(tmp_path: Path, dem: Dem) -> None:
    path = dem(tmp_path / "a.tif", heights=np.full((20, 20), 500, np.int16))
    read(tmp_path, "a.tif")
    before, when = made(tmp_path), path.stat().st_mtime_ns
    dem(tmp_path / "a.tif", heights=np.full((20, 20), 501, np.int16))
    os.utime(path, ns=(when, when))
    copies = Copies(tmp_path / "rasters")
    terrain, _ = read_terrain([Source(file="a.tif")], tmp_path, 32648, None, copies)
    assert np.unique(terrain.heights).tolist() == [501], "same name, size and time"
    copies.sweep()
    assert made(tmp_path) != before, "one copy stays: that of today's source"
    assert sorted(p.suffix for p in (tmp_path / "rasters").iterdir()) == [".json", ".tif"]


def test_another_licence_or_system_is_another_copy(tmp_path: Path, dem: Dem) -> None:
    dem(tmp_path / "a.tif", heights=np.full((20, 20), 500, np.int16))
    source = Source(file="a.tif")
    keys = {Copies(tmp_path).key([(said, str(tmp_path / "a.tif"))]) for said in (
        source, source.model_copy(update={"licence": "CC0-1.0"}),
        source.model_copy(update={"crs": "EPSG:4756"}))}
    assert len(keys) == 3


@pytest.mark.parametrize("harm", [
    lambda tif: tif.write_bytes(tif.read_bytes()[:-100]),
    lambda tif: tif.write_bytes(b""),
    lambda tif: tif.write_bytes(bytes([*tif.read_bytes()[:-9], 255, *tif.read_bytes()[-8:]])),
    lambda tif: tif.unlink(),
    lambda tif: tif.with_suffix(".json").unlink(),
    lambda tif: tif.with_suffix(".json").write_text("{"),
    lambda tif: tif.with_suffix(".json").write_text("[]"),
    lambda tif: tif.with_suffix(".json").write_text(json.dumps(
        {**json.loads(tif.with_suffix(".json").read_text()), "key": "of another"})),
], ids=["cut", "empty", "one byte", "gone", "no note", "half a note", "odd note", "other key"])
def test_a_damaged_copy_is_made_anew(tmp_path: Path, dem: Dem,
                                     harm: Callable[[Path], Any]) -> None:
    heights = np.random.default_rng(1).integers(0, 900, (700, 700)).astype(np.int16)
    dem(tmp_path / "a.tif", heights=heights)
    read(tmp_path, "a.tif")
    sound = made(tmp_path).read_bytes()
    harm(made(tmp_path))
    terrain, readings = read(tmp_path, "a.tif")
    assert np.array_equal(terrain.heights, heights)
    assert not readings[0].faults
    assert made(tmp_path).read_bytes() == sound


def test_a_failing_write_leaves_nothing_half(tmp_path: Path, dem: Dem,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    dem(tmp_path / "a.tif", heights=np.full((20, 20), 500, np.int16))

    def full(_: str, target: str, **__: Any) -> None:
        Path(target).write_bytes(b"half")
        raise rasterio.errors.RasterioIOError("no space left on device")

    monkeypatch.setattr(raster_copies, "copy", full)
    with pytest.raises(OSError, match="room on the disk"):
        read(tmp_path, "a.tif")
    assert not list((tmp_path / "rasters").iterdir())


def test_what_a_killed_run_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    old, new = tmp_path / ".terrain-old", tmp_path / ".terrain-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "plain.tif").write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    Copies(tmp_path).sweep()
    assert not old.exists()
    assert new.exists(), "another run may be at it"


def test_windows_near_each_other_share_one_copy(tmp_path: Path,
                                                only_copies: Callable[[], None]) -> None:
    rng = np.random.default_rng(7)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", dtype="int16", count=1,
                       crs="EPSG:4326", width=6000, height=6000, sparse_ok=True, tiled=True,
                       nodata=-1, transform=Affine(0.001, 0, 100, 0, -0.001, 25)) as data:
        data.write(rng.integers(0, 999, (1024, 1024)).astype(np.int16), 1,
                   window=Window(3072, 2048, 1024, 1024))
    areas = ((103.1, 22.75, 103.2, 22.9), (103.11, 22.74, 103.25, 22.93))
    bare = [read_terrain([Source(file="a.tif")], tmp_path, 32648, area) for area in areas]
    read(tmp_path, "a.tif", area=areas[0])
    only_copies()
    for area, (terrain, readings) in zip(areas, bare, strict=True):
        again, told = read(tmp_path, "a.tif", area=area)
        assert again.shape == terrain.shape != (512, 512)
        assert again.transform == terrain.transform
        assert np.array_equal(again.heights, terrain.heights, equal_nan=True)
        assert [r.faults for r in told] == [r.faults for r in readings]
    with rasterio.open(made(tmp_path)) as file:
        assert (file.width % 512, file.height % 512) == (0, 0)


def test_people_are_kept_too(tmp_path: Path, dem: Dem, only_copies: Callable[[], None]) -> None:
    values = np.full((10, 10), 2.5, np.float32)
    values[0, 0], values[1, 1] = -99999, -3
    dem(tmp_path / "a.tif", heights=values, nodata=-99999)
    source = Source(file="a.tif", licence="CC-BY-4.0")
    first = read_population(source, tmp_path, None, Copies(tmp_path / "rasters"))
    only_copies()
    again = read_population(source, tmp_path, None, Copies(tmp_path / "rasters"))
    assert np.array_equal(first.table.values, again.table.values, equal_nan=True)
    assert np.isnan(again.table.values[1, 1])
    assert again.credit == "a.tif; CC-BY-4.0"
    with rasterio.open(made(tmp_path, "population")) as file:
        assert np.isnan(file.nodata)
        assert "CC-BY-4.0" in file.tags()["made_from"]


def test_a_study_finds_its_terrain_again_when_its_schools_change(
        place: Place, only_copies: Callable[[], None]) -> None:
    def collect() -> Any:
        return sources.collect(place.sources(), folder=place.folder,
                               profile=Profile.load("vietnam"), copies=place.folder / "kept")

    first = collect()[2]
    text = (place.folder / "schools.csv").read_text()
    (place.folder / "schools.csv").write_text(text.replace("350", "351"))
    only_copies()
    assert np.array_equal(collect()[2].heights, first.heights)
