"""People are counted once: conserved, the same in any order, close to the exact areas."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong import people_by_commune, people_nearest, people_within
from phusong.errors import InputError
from phusong.sources.rasters import read_population
from phusong.sources.source import Source
from phusong.surroundings import Raster

UTM = "EPSG:32648"


def grid(values: np.ndarray, side: float = 1000.0) -> Raster:
    return Raster(values.astype(np.float32), Affine(side, 0, 500_000, 0, -side, 2_400_000), UTM)


def places(xy: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.array(xy).T), crs=UTM,
                            index=pd.Index([f"p{i}" for i in range(len(xy))], name="point_id"))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([800.0, 4000.0, 1e6]))
@settings(max_examples=25, deadline=None)
def test_nobody_twice_nobody_lost_in_any_order(seed: int, count: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.gamma(0.5, 40, (9, 11))
    values[rng.random(values.shape) < 0.3] = np.nan
    points = places([(500_000 + 11_000 * a, 2_400_000 - 9_000 * b) for a, b in
                     rng.random((count, 2))])
    found = people_nearest(points, grid(values), reach_m=reach)
    assert found.total == pytest.approx(np.nansum(values), rel=1e-6)
    assert found.people.sum() + found.beyond == pytest.approx(found.total, rel=1e-9)
    other = people_nearest(points.iloc[::-1], grid(values), reach_m=reach)
    assert np.array_equal(other.people.loc[points.index], found.people)


def test_two_points_share_a_row_of_pixels_at_their_middle() -> None:
    points = places([(500_500, 2_399_500), (502_500, 2_399_500)])
    found = people_nearest(points, grid(np.array([[100.0, 100.0, 100.0]])))
    assert found.people.tolist() == pytest.approx([150.0, 150.0])
    assert found.part_m == pytest.approx(250.0)


def test_points_on_one_spot_share_alike_and_one_without_position_gets_none() -> None:
    points = places([(500_500, 2_399_500), (500_500, 2_399_500), (0, 0)])
    points.loc["p2", "geometry"] = None
    found = people_nearest(points, grid(np.array([[90.0]])))
    assert found.people.tolist() == [45.0, 45.0, 0.0]
    assert people_nearest(points.iloc[2:], grid(np.array([[90.0]]))).beyond == 90.0


def test_a_circle_holds_the_people_of_its_area() -> None:
    points = places([(510_000, 2_390_000), (0, 0)])
    points.loc["p1", "geometry"] = None
    found = people_within(points, grid(np.full((20, 20), 100.0)), 3000.0)
    assert found["p0"] == pytest.approx(100 * np.pi * 9, rel=0.02)
    assert np.isnan(found["p1"])


def _communes() -> gpd.GeoDataFrame:
    tri = shapely.Polygon([(500_300, 2_399_700), (504_100, 2_399_900), (502_000, 2_394_400)])
    box = shapely.box(501_000, 2_393_000, 506_500, 2_396_000)
    return gpd.GeoDataFrame({"name": ["b", "a"]}, geometry=[box, tri], crs=UTM,
                            index=pd.Index(["00002", "00001"], name="commune_code"))


def test_communes_come_close_to_exact_areas_and_overlaps_are_counted_once() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 500, (7, 7)).astype(float)
    communes = _communes()
    found = people_by_commune(communes, grid(values))
    assert found.people.sum() + found.beyond == pytest.approx(values.sum(), rel=1e-9)
    tri, box = communes.geometry["00001"], communes.geometry["00002"]
    for code, shape in (("00001", tri), ("00002", box.difference(tri))):
        exact = sum(values[i, j] * shape.intersection(shapely.box(
            500_000 + 1000 * j, 2_399_000 - 1000 * i, 501_000 + 1000 * j,
            2_400_000 - 1000 * i)).area / 1e6 for i in range(7) for j in range(7))
        assert found.people[code] == pytest.approx(exact, rel=0.02)


def test_what_cannot_be_counted() -> None:
    with pytest.raises(InputError, match="reach_m = 0"):
        people_nearest(places([(0, 0)]), grid(np.ones((2, 2))), reach_m=0)
    with pytest.raises(InputError, match="fewer than no people"):
        people_nearest(places([(0, 0)]), grid(-np.ones((2, 2))))


def test_worldpop_of_two_real_provinces(shared: Path) -> None:
    """87 communes and the raster of the same box: their official population is the yardstick."""
    folder = shared / "data/study_area/vn_lao_cai"
    raster = read_population(Source(file="population_worldpop_2020_1km.tif"), folder).table
    communes = gpd.read_file(folder / "communes_2025.gpkg").set_index("code").to_crs(UTM)
    found = people_by_commune(communes, raster)
    assert found.total == pytest.approx(1_073_000, rel=0.01)
    assert found.people.sum() + found.beyond == pytest.approx(found.total, rel=1e-9)
    official = pd.to_numeric(communes["population"], errors="coerce")
    whole = communes.within(gpd.GeoSeries([shapely.box(103.4, 21.9, 104.5, 22.9)],
                                          crs=4326).to_crs(UTM)[0]) & official.notna()
    ratio = found.people[whole] / official[whole]
    assert whole.sum() > 40
    assert 0.7 < ratio.median() < 1.3
