"""Footprints as files and outlines: what is read back is what was computed."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from landscape import CRS, LEFT, TOP, country
from phusong.errors import InputError
from phusong.footprints import Footprint, footprint
from phusong.radio.budget import Radio
from phusong.sources.cog import polygons, write_cog, write_footprint

RADIO = Radio(profile_step_m=120.0, max_range_m=5000.0)
MATRIX = Affine(100.0, 0.0, LEFT, 0.0, -100.0, TOP)


def made_up(server: np.ndarray, level: np.ndarray | None = None) -> Footprint:
    level = np.where(server >= 0, -90.0, np.nan) if level is None else level
    return Footprint(level.astype(np.float32), server.astype(np.int32), ("a", "b", "c"), MATRIX,
                     CRS)


def test_a_footprint_survives_the_file(tmp_path: Path) -> None:
    _, cells, terrain = country(3, cells=9)
    map_ = footprint(cells, terrain, RADIO, pixel_m=40.0)
    level, server = write_footprint(tmp_path / "new", "demo", map_)
    with rasterio.open(level) as file:
        assert np.array_equal(file.read(1), map_.received_dbm, equal_nan=True)
        assert np.isnan(file.nodata)
        assert file.transform == map_.transform
        assert file.crs.to_epsg() == 32648
        assert file.descriptions == ("received_dbm",)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(256, 256)]
        assert file.overviews(1), "a map that zooms needs overviews"
    with rasterio.open(server) as file:
        assert np.array_equal(file.read(1), map_.server)
        assert file.nodata == -1
        assert file.tags()["cell_3"] == map_.cell_ids[3]
    assert sorted(p.name for p in level.parent.iterdir()) == ["demo_received_dbm.tif",
                                                               "demo_server.tif"]


def test_a_failing_write_leaves_the_old_file(tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_cog(tmp_path / "a.tif", np.ones((5, 5), np.float32), MATRIX, CRS)
    before = path.read_bytes()

    def full(_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("phusong.whole.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_cog(path, np.zeros((5, 5), np.float32), MATRIX, CRS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_raster_is_refused(tmp_path: Path) -> None:
    for array, words in ((np.ones(4), "shape"), (np.ones((0, 3)), "shape"),
                         (np.ones((2, 2), bool), "bool")):
        with pytest.raises(InputError, match=words):
            write_cog(tmp_path / "a.tif", array, MATRIX, CRS)
    with pytest.raises(InputError, match="2 descriptions"):
        write_cog(tmp_path / "a.tif", np.ones((2, 2)), MATRIX, CRS, descriptions=("x", "y"))
    assert not list(tmp_path.iterdir())


@settings(max_examples=30, deadline=None, derandomize=True)
@given(arrays.arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)),
                     elements=st.integers(-1, 2)))
def test_outlines_hold_exactly_their_pixels(server: np.ndarray) -> None:
    map_ = made_up(server)
    found = polygons(map_, -100.0, 0.0)
    rows, columns = np.indices(server.shape)
    centres = shapely.points(LEFT + 100.0 * (columns + 0.5), TOP - 100.0 * (rows + 0.5))
    for number, cell in enumerate(map_.cell_ids):
        mine = server == number
        assert (cell in found.index) == mine.any()
        if mine.any():
            assert np.array_equal(shapely.contains(found.geometry[cell], centres), mine)
            assert found["area_km2"][cell] == pytest.approx(0.01 * mine.sum())
    assert polygons(map_, -80.0, 0.0).empty


def test_simplified_outlines_neither_overlap_nor_drift() -> None:
    _, cells, terrain = country(3, cells=9)
    map_ = footprint(cells, terrain, RADIO, pixel_m=60.0)
    fine, coarse = polygons(map_, -110.0, 0.0), polygons(map_, -110.0)
    assert fine["area_km2"].sum() == pytest.approx(map_.area_km2(-110.0))
    assert coarse["area_km2"].sum() == pytest.approx(fine["area_km2"].sum(), rel=0.02)
    assert (shapely.get_num_coordinates(coarse.geometry.to_numpy()).sum()
            < 0.7 * shapely.get_num_coordinates(fine.geometry.to_numpy()).sum())
    assert shapely.is_valid(coarse.geometry.to_numpy()).all()
    whole = shapely.area(shapely.union_all(coarse.geometry.to_numpy())) / 1e6
    assert whole == pytest.approx(coarse["area_km2"].sum()), "nothing lies in two outlines"
    holes = shapely.union_all(fine.geometry.to_numpy())
    assert abs(shapely.area(holes) / 1e6 - whole) < 0.02 * whole
    large = polygons(map_, -110.0, least_km2=0.05)
    assert min(p.area for p in shapely.get_parts(large.geometry.to_numpy())) >= 0.05e6
    with pytest.raises(InputError, match="negative"):
        polygons(map_, -110.0, -1.0)


def test_an_unknown_level_is_not_inside() -> None:
    level = np.array([[-90.0, np.nan], [-120.0, -90.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = polygons(made_up(np.zeros((2, 2)), level), -110.0, 0.0)
    assert found["area_km2"].tolist() == pytest.approx([0.02])
