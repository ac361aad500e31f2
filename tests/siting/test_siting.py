"""Candidates: found where they must be, left out where they must not, same for any row order."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.cost import Costs, price
from phusong.errors import UnknownNameError
from phusong.links import link
from phusong.plan import Goal, rank
from phusong.radio.budget import Radio
from phusong.service import assess
from phusong.siting import Siting, propose
from phusong.siting.places import clusters, hilltops, roadsides
from phusong.siting.sight import Gaps, spaced, views
from phusong.siting.surround import open_sky
from phusong.surroundings import Surroundings
from phusong.tables import SITES, faults
from phusong.terrain import Terrain
from pydantic import ValidationError
from shapely import LineString, Point, box

CRS = "EPSG:32648"
WEST, NORTH, STEP, SIZE = 500_000.0, 2_420_000.0, 50.0, 400


def land(heights: np.ndarray | None = None) -> Terrain:
    """20 x 20 km at 50 m: flat at 100 m with a cone of 400 m in the middle."""
    if heights is None:
        rows, columns = np.mgrid[:SIZE, :SIZE]
        far = np.hypot(rows - 200, columns - 200) * STEP
        heights = 100.0 + np.maximum(0.0, 400.0 - far / 3.0)
    return Terrain(heights, Affine(STEP, 0, WEST, 0, -STEP, NORTH), CRS, CRS)


def at(east_km: float, south_km: float) -> Point:
    return Point(WEST + 1000 * east_km, NORTH - 1000 * south_km)


def gaps_at(*places: Point, learners: float = 100.0) -> gpd.GeoDataFrame:
    names = [f"p{i}" for i in range(len(places))]
    return gpd.GeoDataFrame({"kind": "school", "name": names, "learners": learners},
                            geometry=list(places), crs=CRS, index=pd.Index(names, name="point_id"))


def masts_at(*places: Point, technology: str = "GSM", azimuth: float = 0.0) -> gpd.GeoDataFrame:
    names = [f"m{i}" for i in range(len(places))]
    return gpd.GeoDataFrame(
        {"site_id": names, "status": "standing", "operator": "O", "technology": technology,
         "frequency_mhz": 945.0, "bandwidth_mhz": 10.0, "antenna_height_m": 40.0,
         "azimuth_deg": azimuth, "tilt_deg": 2.0, "gain_dbi": 15.0, "eirp_dbm": 60.0},
        geometry=list(places), crs=CRS, index=pd.Index([f"{n}-1" for n in names], name="cell_id"))


ROADS = gpd.GeoDataFrame({"highway": ["trunk"]},
                         geometry=[LineString([at(1, 4), at(19, 4)])], crs=CRS)
POWER = gpd.GeoDataFrame({"voltage_v": [35_000.0]},
                         geometry=[LineString([at(2, 1), at(2, 19)])], crs=CRS)
AROUND = Surroundings(roads=ROADS, power_lines=POWER)
GAPS = gaps_at(at(7, 7), at(13, 13), at(13.5, 13.2))
MASTS = masts_at(at(2, 2))


def test_the_top_of_the_hill_is_found_and_the_table_is_as_declared() -> None:
    spots = propose(GAPS, MASTS, land(), AROUND, Siting(max_road_distance_m=20_000.0))
    assert faults(spots, SITES) == []
    assert (spots["status"] == "candidate").all()
    tops = spots[spots["place"] == "hilltop"]
    top = at(10.025, 10.025)
    assert (tops.geometry.distance(top) < 80.0).all()
    assert len(tops[tops["intervention"] == "macro"]) == 3
    assert set(spots["place"]) == {"hilltop", "cluster", "roadside", "standing", "point"}
    macro = tops[tops["intervention"] == "macro"].iloc[0]
    assert macro["ground_m"] == pytest.approx(500.0, abs=20.0)
    # on the map 6,025 m and 8,025 m; the way down from 500 m is longer
    assert 6025.0 < macro["road_distance_m"] == pytest.approx(6090.0, abs=50.0)
    assert 8025.0 < macro["power_distance_m"] == pytest.approx(8090.0, abs=50.0)
    assert macro["backhaul_distance_m"] == pytest.approx(np.hypot(8025, 8025), abs=70.0)
    assert macro["backhaul_sight"] == "clear"


def test_the_whole_river_from_here_closes_every_gap() -> None:
    terrain = land()
    spots = propose(GAPS, MASTS, terrain, AROUND, Siting())
    radio = Radio(model="p526")
    plan = rank(GAPS, spots, link(GAPS, spots, terrain, radio),
                price(spots, AROUND, Costs(currency="VND")), Goal(max_sites=None))
    assert plan["cumulative_points"].iloc[-1] == 3
    assert plan["students_gained"].sum() == 300.0
    assert (plan["cost_total"] > 0.0).all()
    built = spots[spots["site_id"].isin(plan["site_id"])]
    after = assess(GAPS, link(GAPS, built, terrain, radio), Goal().need)
    assert (after["status"] == "covered").all(), "what the plan promises is what assess then says"


def test_row_order_changes_nothing_and_names_follow_positions() -> None:
    near = masts_at(at(2, 2), at(17, 3), at(9, 16))
    spots = propose(GAPS, near, land(), AROUND, Siting())
    mixed = propose(GAPS.iloc[::-1], near.iloc[::-1], land(), AROUND, Siting())
    pd.testing.assert_frame_equal(pd.DataFrame(spots), pd.DataFrame(mixed))
    one = spots.drop_duplicates("variant_of").sort_values("variant_of")
    for _, places in one.groupby("place"):
        assert places.geometry.x.is_monotonic_increasing


def test_nothing_is_written_into_the_input() -> None:
    before = (GAPS.copy(), MASTS.copy())
    propose(GAPS, MASTS, land(), AROUND, Siting())
    pd.testing.assert_frame_equal(GAPS, before[0])
    pd.testing.assert_frame_equal(MASTS, before[1])


def test_what_forbids_building() -> None:
    """The top lies in water, then outside every commune, then too far from the road."""
    hill = box(*(np.array(at(10, 10).buffer(2500).bounds)))
    area = gpd.GeoDataFrame(geometry=[hill], crs=CRS)
    country = gpd.GeoDataFrame(geometry=[box(WEST, NORTH - 20_000, WEST + 20_000, NORTH)
                                         .difference(hill)], crs=CRS)
    only = Siting(methods=("hilltop",))
    assert len(propose(GAPS, MASTS, land(), Surroundings(), only))
    for around, siting, reason in (
            (Surroundings(water=area), only, "water"),
            (Surroundings(protected=area), only, "protected"),
            (Surroundings(communes=country), only, "outside_communes"),
            (AROUND, only.model_copy(update={"max_road_distance_m": 1000.0}), "far_from_road")):
        spots = propose(GAPS, MASTS, land(), around, siting)
        assert spots.empty, reason
        assert spots.attrs["left_out"][reason] >= 1
        assert faults(spots, SITES) == []


def test_steep_ground_is_left_out() -> None:
    steep = land(100.0 + 4.0 * (land().heights - 100.0))
    assert steep.slope_deg(*at(10, 9.5).coords[0])[0] > 45.0
    spots = propose(GAPS, MASTS, steep, AROUND, Siting(max_road_distance_m=5e4))
    fresh = spots[spots["place"].isin(["hilltop", "cluster", "roadside"])]
    assert (fresh["slope_deg"] <= 35.0).all()


def test_without_terrain_roads_power_or_masts_it_degrades_with_words() -> None:
    spots = propose(GAPS, MASTS.iloc[:0], None, None, Siting())
    assert set(spots["place"]) == {"cluster"}
    assert set(spots["intervention"]) == {"macro", "micro"}
    assert spots[["ground_m", "slope_deg", "road_distance_m", "power_distance_m",
                  "backhaul_distance_m"]].isna().all(axis=None)
    said = " ".join(spots.attrs["notes"])
    for word in ("No terrain", "No roads", "No standing site", "sky"):
        assert word in said
    assert spots.attrs["left_out"]["sky_unknown"] == 3
    assert faults(spots, SITES) == []


def test_no_gaps_no_candidates() -> None:
    spots = propose(GAPS.iloc[:0], MASTS, land(), AROUND, Siting())
    assert spots.empty
    assert faults(spots, SITES) == []


def test_sky_over_a_plain_over_a_pit_and_over_a_void() -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    pit = 100.0 + 900.0 * (np.hypot(rows - 200, columns - 200) * STEP > 300.0)
    xy = np.array([[WEST + 10_000.0, NORTH - 10_000.0]])
    assert open_sky(xy, land(np.full((SIZE, SIZE), 50.0)), Siting())[0] == "open"
    assert open_sky(xy, land(pit), Siting())[0] == "blocked"
    void = np.full((SIZE, SIZE), 50.0)
    void[100:300, 202:] = np.nan
    assert open_sky(xy, land(void), Siting())[0] == "unknown"
    assert open_sky(xy, None, Siting())[0] == "unknown"


def test_terminals_are_offered_under_open_sky_only() -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    pit = 100.0 + 900.0 * (np.hypot(rows - 200, columns - 200) * STEP > 300.0)
    gaps = gaps_at(at(10, 10), at(4, 4))
    spots = propose(gaps, MASTS, land(pit), AROUND, Siting(methods=("satellite",)))
    assert spots["technology"].tolist() == ["SAT"]
    assert spots.geometry.iloc[0] == at(4, 4)
    assert spots["reach_m"].tolist() == [150.0]
    assert spots.attrs["left_out"]["sky_blocked"] == 1


def test_a_new_sector_looks_at_the_gap_and_is_not_offered_twice() -> None:
    flat = land(np.full((SIZE, SIZE), 50.0))
    gap, siting = gaps_at(at(10, 5)), Siting(methods=("standing",))
    spots = propose(gap, masts_at(at(5, 5)), flat, AROUND, siting)
    assert spots["azimuth_deg"].tolist() == [90.0]
    assert spots["operator"].tolist() == ["O"]
    assert spots["antenna_height_m"].tolist() == [40.0]
    for azimuth, offered in ((100.0, 0), (np.nan, 0), (270.0, 1)):
        there = masts_at(at(5, 5), technology="LTE", azimuth=azimuth)
        assert len(propose(gap, there, flat, AROUND, siting)) == offered


def test_a_light_site_needs_a_mast_in_sight() -> None:
    """A wall between the only mast and the cluster: macro (with a relay), no light site."""
    wall = np.full((SIZE, SIZE), 50.0)
    wall[:, 100:104] = 900.0
    gap = gaps_at(at(12, 10))
    siting = Siting(methods=("cluster",), rungs=("macro", "light"))
    open_land = propose(gap, MASTS, land(np.full((SIZE, SIZE), 50.0)), None, siting)
    assert set(open_land["intervention"]) == {"macro", "light"}
    shut = propose(gap, MASTS, land(wall), None, siting)
    assert set(shut["intervention"]) == {"macro"}
    assert shut["backhaul_sight"].tolist() == ["blocked"] * 3
    bill = price(shut, None, Costs()).loc["C0001-macro"]
    assert bill.loc["relay_mast", "quantity"] == 1.0


def test_bands_and_heights_are_variants_of_one_place() -> None:
    siting = Siting(methods=("cluster",), rungs=("macro",), bands=("LTE 900", "LTE 1800"),
                    macro_heights_m=(30.0, 60.0))
    spots = propose(gaps_at(at(3, 3)), MASTS, land(), None, siting)
    assert spots["site_id"].nunique() == 4
    assert spots["variant_of"].unique().tolist() == ["C0001"]
    assert sorted(spots["antenna_height_m"].unique()) == [30.0, 60.0]


def test_broken_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match='Did you mean "hilltop"'):
        Siting(methods=("hiltop",))
    with pytest.raises(ValidationError, match='Did you mean "view_m"'):
        Siting(view=3)
    with pytest.raises(UnknownNameError, match='Did you mean "LTE 900"'):
        propose(GAPS, MASTS, land(), AROUND, Siting(bands=("LTE900",)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0, 2e4), st.floats(0, 2e4)), min_size=1, max_size=40))
def test_clusters_are_small_and_hold_every_gap(places: list[tuple[float, float]]) -> None:
    xy = np.array(places)
    gaps = Gaps(xy, np.ones(len(xy)), np.arange(len(xy)).astype(object))
    labels = clusters(gaps, 1500.0)
    assert set(labels) == set(range(labels.max() + 1))
    for number in range(labels.max() + 1):
        mine = xy[labels == number]
        assert np.hypot(*(mine[:, None] - mine[None]).T).max() <= 3000.0 + 1e-6


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0, 5e3), st.floats(0, 5e3)), min_size=1, max_size=30),
       st.floats(1, 3000))
def test_spacing_holds_and_leaves_no_room(places: list[tuple[float, float]], least: float) -> None:
    xy = np.array(places)
    kept = spaced(xy, np.arange(len(xy)), least, 99)
    far = np.hypot(*(xy[:, None] - xy[kept][None]).transpose(2, 0, 1))
    assert (far.min(axis=1) < least).all(), "every place is kept or has a kept one beside it"
    apart = far[kept] + np.where(np.eye(len(kept)), np.inf, 0.0)
    assert (apart >= least * (1 - 1e-9)).all()


def test_views_are_blocked_by_the_hill_and_unknown_over_a_void() -> None:
    gaps = Gaps.of(gaps_at(at(14, 10)))
    here = np.array([[*at(6, 10).coords[0]], [*at(10.025, 10.025).coords[0]]])
    seen = views(here, 42.0, gaps, land(), 5, 10_000.0).set_index("place")["value"]
    assert seen[0] == 0.0
    assert seen[1] > 0.0
    void = np.array(land().heights)
    void[:, 230] = np.nan
    assert views(here, 42.0, gaps, land(void), 5, 10_000.0)["value"].max() == 0.0


def test_roadsides_lie_on_the_road_and_hilltops_on_the_top() -> None:
    gaps = Gaps.of(GAPS)
    xy = roadsides(ROADS, gaps, 10_000.0, 400.0)
    assert len(xy) > 30
    assert np.ptp(xy[:, 1]) < 1e-6
    fine, coarse = hilltops(land(), gaps, 5000.0)
    assert len(coarse) == 1
    assert len(hilltops(land(np.full((SIZE, SIZE), np.nan)), gaps, 5000.0)[0]) == 0
    assert len(fine) >= 1
