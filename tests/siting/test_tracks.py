"""How good the road to a site is, and what a bad one adds to its bill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.cost import Costs, price
from phusong.cost.access import access_multiplier, track_multiplier
from phusong.siting.surround import line_distance
from phusong.siting.tracks import FOOTPATHS, grades, nearest_road
from phusong.terrain import Terrain
from shapely import LineString, Point

UTM = "EPSG:32648"
GRADE = st.one_of(st.none(), st.integers(1, 5)).map(lambda g: float("nan") if g is None else g)


def roads(*rows: tuple[float, str, str]) -> gpd.GeoDataFrame:
    """Straight roads along x, each with its y, class and tracktype."""
    return gpd.GeoDataFrame({"highway": [r[1] for r in rows], "tracktype": [r[2] for r in rows]},
                            geometry=[LineString([(0, r[0]), (1000, r[0])]) for r in rows],
                            crs=UTM)


@pytest.mark.parametrize(("tags", "grade"), [
    ({"highway": "track", "tracktype": "grade5", "surface": "asphalt"}, 5.0),
    ({"highway": "track", "smoothness": "very_bad"}, 4.0),
    ({"highway": "track", "smoothness": "horrible", "surface": "concrete"}, 5.0),
    ({"highway": "unclassified", "surface": "gravel"}, 3.0),
    ({"highway": "tertiary", "surface": ""}, 1.0),
    ({"highway": "track", "tracktype": "grade9", "surface": "plastic"}, float("nan")),
    ({"highway": "service"}, float("nan"))])
def test_the_first_tag_that_says_something_counts(tags: dict[str, str], grade: float) -> None:
    found = grades(pd.DataFrame([tags]))[0]
    assert found == grade or (np.isnan(found) and np.isnan(grade))


def test_no_lorry_comes_on_a_footpath() -> None:
    lines = roads((10.0, "path", ""), (20.0, "steps", ""), (300.0, "track", "grade3"))
    distance, grade = nearest_road(np.array([[500.0, 0.0]]), lines)
    assert (distance[0], grade[0]) == (300.0, 3.0)
    assert np.isnan(nearest_road(np.array([[500.0, 0.0]]), lines.iloc[:2])[0][0])
    assert not FOOTPATHS & {"track", "service", "unclassified", "residential", "primary"}


def test_at_a_junction_the_worst_road_counts_in_any_order() -> None:
    lines = roads((50.0, "track", "grade2"), (-50.0, "track", "grade4"), (50.0, "service", ""))
    for order in (lines, lines.iloc[::-1]):
        distance, grade = nearest_road(np.array([[500.0, 0.0]]), order)
        assert (distance[0], grade[0]) == (50.0, 4.0)


def test_distances_are_those_along_the_ground() -> None:
    """A slope of 3 in 4: 400 m on the map are 500 m on the ground; a void counts as flat."""
    x, y = np.meshgrid(np.arange(200), np.arange(100))
    slope = Terrain(0.75 * 10.0 * (100.0 - y) + 0.0 * x, Affine(10, 0, 0, 0, -10, 1000), UTM, UTM)
    lines = roads((500.0, "track", ""))
    place = np.array([[505.0, 105.0]])
    flat, _ = nearest_road(place, lines)
    assert flat[0] == pytest.approx(395.0)
    assert nearest_road(place, lines, slope)[0][0] == pytest.approx(395.0 * 1.25, rel=1e-6)
    assert line_distance(place, lines, slope)[0] == pytest.approx(395.0 * 1.25, rel=1e-6)
    void = replace(slope, heights=np.full((100, 200), np.nan, np.float32))
    assert nearest_road(place, lines, void)[0][0] == pytest.approx(395.0)
    many = np.array([[505.0, 105.0], [105.0, 500.0], [905.0, 805.0]])
    assert nearest_road(many, lines, slope)[0] == pytest.approx([493.75, 0.0, 305.0 * 1.25])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(0, 80_000), st.floats(0, 3500), st.floats(0, 60), GRADE, GRADE)
def test_a_worse_road_is_never_cheaper(road: float, ground: float, slope: float, one: float,
                                       other: float) -> None:
    site = pd.DataFrame({"road_distance_m": [road], "ground_m": [ground], "slope_deg": [slope]})
    assert track_multiplier(site)[0] == 1.0
    low, high = (track_multiplier(site.assign(road_grade=g))[0]
                 for g in sorted((one, other), key=lambda g: 0.0 if np.isnan(g) else g))
    assert 1.0 <= low <= high
    both = access_multiplier(site)[0] * track_multiplier(site.assign(road_grade=5.0))[0]
    assert both <= 1.0 + (np.exp(0.85 * 5.0) - 1.0) / 100.0 + 1e-9


def candidates(**columns: Any) -> gpd.GeoDataFrame:
    frame = {"site_id": ["A", "B"], "intervention": ["macro", "light"], "road_distance_m": 100.0,
             "ground_m": 1200.0, "slope_deg": 25.0, "power_distance_m": 500.0, **columns}
    return gpd.GeoDataFrame(frame, geometry=[Point(0, 0), Point(9000, 0)], crs=UTM,
                            index=pd.Index(["A-1", "B-1"], name="cell_id"))


def test_the_bill_names_the_road_and_its_source() -> None:
    bare = price(candidates(), None, Costs())
    good = price(candidates(road_grade=[1.0, float("nan")]), None, Costs())
    pd.testing.assert_frame_equal(bare, good)
    bad = price(candidates(road_grade=[5.0, 3.0]), None, Costs())
    extra = bad.xs("track_surcharge", level="item")
    assert extra.index.tolist() == ["A", "B"]
    assert extra.loc["A", "note"].startswith("the nearest road is of grade 5")
    assert extra["source"].str.startswith("Assumption").all()
    assert (extra["unit"] == "share of capex").all()
    pd.testing.assert_frame_equal(bad.drop(index="track_surcharge", level="item"), bare)
    # grade 3 on a light site, slope 25 (class 3), 1,200 m (class 3), road near (class 1)
    score = (0.15 * 1 + 0.15 * 3 + 0.30 * 3) / 0.60
    share = (np.exp(0.85 * (score + 0.5 - 1)) - np.exp(0.85 * (score - 1))) / 100
    assert extra.loc["B", "quantity"] == pytest.approx(share)
    assert extra.loc["B", "capex_base"] == pytest.approx(
        share * bad.loc[("B", "light_site"), "capex_base"])
