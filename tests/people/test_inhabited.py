"""People go through a study: points, plans, communes, page; without a raster nothing changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong import people_nearest, sources
from phusong.geo import transform
from phusong.maps.figures import plan_rows, situation
from phusong.plan import Goal, rank
from phusong.profile import Profile
from phusong.sources.inhabitants import REACH_M, inhabited
from phusong.sources.source import Source
from phusong.surroundings import Raster
from phusong.tables import PLAN, POINTS, faults
from shapely import Point

UTM = "EPSG:32648"
LEFT, TOP = 400_000.0, 2_500_000.0


def places(xy: list[tuple[float, float]], **columns: Any) -> gpd.GeoDataFrame:
    names = [f"p{i}" for i in range(len(xy))]
    return gpd.GeoDataFrame({"kind": "school", "name": names, **columns},
                            geometry=gpd.points_from_xy(*np.array(xy).T), crs=UTM,
                            index=pd.Index(names, name="point_id"))


def wide(seed: int, pixels: int = 80) -> Raster:
    """People in squares of 0.01 degrees, far beyond the points."""
    lon, lat = transform(LEFT, TOP, UTM, 4326)
    values = np.random.default_rng(seed).gamma(0.4, 50, (pixels, pixels)).astype(np.float32)
    values[np.random.default_rng(seed + 1).random(values.shape) < 0.2] = np.nan
    return Raster(values, Affine(0.01, 0, float(lon) - 0.3, 0, -0.01, float(lat) + 0.3), 4326,
                  "people.tif; CC-BY-4.0; WorldPop")


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 99), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)),
                                    min_size=1, max_size=6, unique=True))
def test_what_is_cut_off_the_raster_belongs_to_nobody(seed: int,
                                                      cells: list[tuple[int, int]]) -> None:
    """Only the raster's part within reach is looked at; the counts are those of the whole."""
    points = places([(LEFT + 700.0 * i, TOP - 900.0 * j) for i, j in cells])
    people = dataclasses.replace(wide(seed), crs=rasterio.crs.CRS.from_epsg(4326).to_wkt())
    whole = people_nearest(points, people, reach_m=REACH_M)
    carried, told = inhabited(points, people)
    assert np.allclose(carried["people"], whole.people, rtol=1e-9)
    assert "people" not in points, "hands off the guest's frame"
    assert [f.code for f in told] == ["people_counted"]
    assert not [f for f in faults(carried, POINTS, "points") if f.column == "people"]


def test_every_person_counts_once_whatever_the_kind() -> None:
    points = places([(LEFT + 100, TOP - 100), (LEFT + 900, TOP - 100), (LEFT, TOP)],
                    kind=["school", "village", "school"])
    points.loc["p2", "geometry"] = None
    grid = Raster(np.full((2, 10), 10.0), Affine(100, 0, LEFT, 0, -100, TOP), UTM)
    carried, told = inhabited(points, grid)
    assert carried["people"].tolist()[:2] == [100.0, 100.0]
    assert np.isnan(carried.loc["p2", "people"]), "without a position nothing is known"
    assert "200 people" in told[0].what
    assert "no source" in told[0].what


def test_far_from_the_raster_nobody_is_counted_and_that_is_told() -> None:
    carried, told = inhabited(places([(LEFT + 900_000, TOP)]), wide(1))
    assert carried["people"].tolist() == [0.0]
    assert "0 people of the population raster (people.tif; CC-BY-4.0; WorldPop)" in told[0].what


def test_without_a_raster_nothing_changes() -> None:
    points = places([(LEFT, TOP)])
    same, told = inhabited(points, None)
    assert same is points
    assert told == []


def study_of(folder: Path, **more: Any) -> Any:
    pd.DataFrame({"id": ["a", "b"], "name": ["A", "B"], "lon": [104.0, 104.02],
                  "lat": [22.3, 22.3], "learners": [10, 20]}).to_csv(folder / "s.csv", index=False)
    with rasterio.open(folder / "people.tif", "w", driver="GTiff", width=20, height=10, count=1,
                       dtype="float32", crs="EPSG:4326", nodata=-1,
                       transform=Affine(0.005, 0, 103.96, 0, -0.005, 22.325)) as data:
        data.write(np.full((10, 20), 3.0, np.float32), 1)
    said = SimpleNamespace(points=(Source(file="s.csv", kind="school", licence="x"),), sites=(),
                           terrain=(), communes=None, lockdowns=None, reports=(),
                           **{"population": None, **more})
    return sources.collect(said, folder=folder, profile=Profile.load("generic"))


def test_people_and_the_licence_of_their_raster_come_through_the_door(tmp_path: Path) -> None:
    bare, _, _, without = study_of(tmp_path)
    points, _, _, around = study_of(tmp_path, population=Source(
        file="people.tif", licence="CC-BY-4.0", attribution="WorldPop"))
    assert points["people"].sum() == pytest.approx(600.0, rel=1e-6)
    row = around.readings.set_index("role").loc["population"]
    assert (row["licence"], row["attribution"]) == ("CC-BY-4.0", "WorldPop")
    assert any("CC-BY-4.0; WorldPop" in f.what for f in around.faults)
    pd.testing.assert_frame_equal(pd.DataFrame(points.drop(columns="people")), pd.DataFrame(bare))
    assert "people_counted" not in {f.code for f in without.faults}


def planned(**columns: Any) -> pd.DataFrame:
    """A reaches p0 and p1, B reaches p1 and p2."""
    gaps = places([(0, 0), (1, 0), (2, 0)], learners=[100.0, 200.0, 50.0], **columns)
    spots = gpd.GeoDataFrame(
        {"site_id": ["A", "B"], "status": "candidate", "intervention": "macro",
         "place": "hilltop", "technology": "LTE"}, geometry=[Point(0, 0), Point(500, 0)],
        crs=UTM, index=pd.Index(["A-1", "B-1"], name="cell_id"))
    reach = pd.DataFrame(
        {"operator": "shared", "technology": "LTE", "frequency_mhz": 945.0, "received_dbm": -80.0,
         "free_space_dbm": -80.0}, index=pd.MultiIndex.from_tuples(
             [("p0", "A-1"), ("p1", "A-1"), ("p1", "B-1"), ("p2", "B-1")],
             names=["point_id", "cell_id"]))
    costs = pd.DataFrame({"present_value_low": 1.0, "present_value_base": 1.0,
                          "present_value_high": 1.0, "currency": "USD"},
                         index=pd.MultiIndex.from_product([["A", "B"], ["site"]],
                                                          names=["site_id", "item"]))
    return rank(gaps, spots, reach, costs, Goal(max_sites=None))


def test_a_plan_tells_people_beside_students_and_ranks_by_students() -> None:
    plan = planned(people=[5.0, float("nan"), 9000.0])
    assert plan["site_id"].tolist() == ["A", "B"], "people do not decide"
    assert plan["people_gained"].tolist() == [5.0, 9000.0]
    assert faults(plan, PLAN, "plan") == []
    assert [row["people_gained"] for row in plan_rows(plan)] == [5, 9000]
    bare = planned()
    assert "people_gained" not in bare
    pd.testing.assert_frame_equal(plan.drop(columns="people_gained"), bare)
    assert "people_gained" not in plan_rows(bare)[0]


def test_the_situation_tells_people_only_where_they_are_counted() -> None:
    points = places([(0, 0), (1, 0)], learners=[1.0, 2.0], people=[40.0, 60.0])
    service = pd.DataFrame({"status": ["covered", "uncovered"], "reason": ["covered",
                                                                           "terrain_blocked"]},
                           index=points.index)
    counted = situation(points, service)["status"]
    assert (counted["uncovered"]["people"], counted["total"]["people"]) == (60, 100)
    assert "people" not in situation(points.drop(columns="people"), service)["status"]["total"]
