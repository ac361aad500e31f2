"""Links: the same few, whatever the order, the threads and the pruning; and right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landscape import CRS, LEFT, TOP, cell_table, country, ground, hills, school_table
from phusong import links_search
from phusong.errors import InputError, UnknownNameError
from phusong.links import budget, link
from phusong.radio import path_loss
from phusong.radio.budget import Radio, reference_offset_db
from phusong.tables import LINKS, check, empty

FAST = Radio(model="p526", profile_step_m=100.0, max_range_m=9000.0, best_per_operator=2)


def equal(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_one_link_adds_up_from_the_radio_room() -> None:
    terrain = ground(hills(1))
    point = school_table(LEFT + 9000, TOP - 9000)
    cell = cell_table(LEFT + 2500, TOP - 3000, azimuth_deg=100.0, beamwidth_deg=65.0)
    row = link(point, cell, terrain, FAST).iloc[0]
    paths = terrain.profiles(LEFT + 2500, TOP - 3000, LEFT + 9000, TOP - 9000, 100.0)
    loss = path_loss("p526", paths, 1840.0, 30.0, 1.5, FAST.medium())[0]
    assert row["loss_db"] == pytest.approx(loss, abs=1e-9)
    assert row["distance_m"] == pytest.approx(np.hypot(6500, 6000))
    expected = 60.0 - reference_offset_db("LTE", 20.0) + row["pattern_db"] - loss
    assert row["received_dbm"] == pytest.approx(expected, abs=1e-9)
    assert row["free_space_dbm"] >= row["received_dbm"]
    assert row["bearing_deg"] == pytest.approx(90 + np.degrees(np.arctan(6000 / 6500)), abs=0.1)


@settings(deadline=None, derandomize=True, max_examples=6)
@given(st.integers(0, 10_000), st.sampled_from(["p526", "p1812", "free_space", "rma"]),
       st.integers(1, 4))
def test_neither_pruning_nor_order_changes_a_bit(seed: int, model: str, keep: int) -> None:
    points, cells, terrain = country(seed)
    radio = FAST.model_copy(update={"model": model, "best_per_operator": keep})
    expected = link(points, cells, terrain, radio)
    check(expected, LINKS)
    equal(expected, link(points, cells, terrain, radio, prune=False))
    if model != "rma":
        assert not (expected["received_dbm"] > expected["free_space_dbm"] + 1e-6).any()
    equal(expected, link(points.sample(frac=1, random_state=seed),
                         cells.sample(frac=1, random_state=seed + 1), terrain, radio))


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_points_far_from_every_cell_leave_the_others_as_they_are(
        at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    near = school_table(LEFT + 9000, TOP - 9000)
    far = [school_table(LEFT + 9000 + k * 1e6, TOP - 9000).rename(index=lambda i, k=k: f"{i}{k}")
           for k in (1, 2)]
    cell, radio = cell_table(LEFT + 2500, TOP - 3000), FAST.model_copy(update={"model": "hata"})
    points = pd.concat([near, *far])
    monkeypatch.setattr(links_search, "POINTS_AT_ONCE", at_once)
    found = link(points, cell, None, radio)
    check(found, LINKS)
    expected = link(near, cell, None, radio)
    assert len(expected) == 1
    equal(found.reset_index(), expected.reset_index())
    equal(link(pd.concat(far), cell, None, radio), empty(LINKS))


@settings(deadline=None, derandomize=True, max_examples=5)
@given(st.integers(0, 10_000))
def test_the_best_few_are_those_of_all_pairs(seed: int) -> None:
    points, cells, terrain = country(seed, points=8, cells=30)
    found = link(points, cells, terrain, FAST)
    every = FAST.model_copy(update={"best_per_operator": 100})
    everything = link(points, cells, terrain, every, prune=False)
    group = ["point_id", "operator", "technology", "frequency_mhz"]
    best = [f.dropna(subset="received_dbm")
            .sort_values(["received_dbm", "cell_id"], ascending=[False, True])
            .groupby(group).head(2).sort_index() for f in (found, everything)]
    columns = ["loss_db", "received_dbm", "clearance", "cells_considered"]
    equal(best[0][columns], best[1][columns])
    clear = [f.groupby(group)["free_space_dbm"].max() for f in (found, everything)]
    pd.testing.assert_series_equal(*clear)


def test_cells_considered_counts_all_of_the_operator_in_range() -> None:
    points, cells, terrain = country(5)
    found = link(points, cells, terrain, FAST).reset_index()
    for row in found.sample(20, random_state=1).itertuples():
        place = points.geometry[row.point_id]
        near = cells.geometry.distance(place) <= 9000.0
        assert row.cells_considered == int((near & (cells["operator"] == row.operator)).sum())


def test_threads_and_units_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    points, cells, terrain = country(7)
    monkeypatch.setenv("PHUSONG_THREADS", "1")
    expected = link(points, cells, terrain, FAST)
    monkeypatch.setenv("PHUSONG_THREADS", "3")
    monkeypatch.setattr(links_search, "POINTS_AT_ONCE", 4)
    told: list[tuple[str, int, int]] = []
    equal(expected, link(points, cells, terrain, FAST, progress=lambda *a: told.append(a)))
    assert told[-1] == ("link", len(points), len(points))
    assert len(told) > 3
    monkeypatch.setattr(links_search, "PAIRS_AT_ONCE", 10)
    equal(expected, link(points, cells, terrain, FAST))
    monkeypatch.setenv("PHUSONG_THREADS", "many")
    with pytest.raises(InputError, match="no number of threads"):
        link(points, cells, terrain, FAST)


def test_the_budget_of_a_link_agrees_to_the_last_bit() -> None:
    points, cells, terrain = country(11)
    for model in ("p1812", "p526", "free_space"):
        radio = FAST.model_copy(update={"model": model})
        for (point, cell), row in link(points, cells, terrain, radio).iloc[::9].iterrows():
            b = budget(point, cell, points, cells, terrain, radio)
            for name in ("distance_m", "clearance", "loss_db", "received_dbm", "free_space_dbm"):
                assert np.array_equal(getattr(b, name), row[name], equal_nan=True), name
            total = sum(line.sign * line.value for line in b.lines() if line.sign)
            assert total == pytest.approx(row["received_dbm"], abs=1e-9, nan_ok=True)
            assert b.along_m[-1] == max(b.distance_m, 1.0)


def test_a_budget_of_a_stranger_names_the_nearest() -> None:
    points, cells, terrain = country(11, points=3, cells=3)
    with pytest.raises(UnknownNameError, match='Did you mean "p001"'):
        budget("p01", "c001", points, cells, terrain, FAST)


def test_a_ridge_blocks_and_a_plain_does_not() -> None:
    flat = np.full((200, 200), 50.0)
    ridge = flat.copy()
    ridge[:, 90:110] += 300.0
    point, cell = school_table(LEFT + 9000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    free = link(point, cell, ground(flat), FAST).iloc[0]
    shut = link(point, cell, ground(ridge), FAST).iloc[0]
    assert free["clearance"] > 0
    assert shut["clearance"] < -1
    assert shut["loss_db"] > free["loss_db"] + 20
    # by hand: antennas at 80 and 51.5 m over 6 km, the ridge from 2.4 to 3.6 km at 350 m
    d1, d2 = 2430.0, 3570.0
    line = 80.0 + (51.5 - 80.0) * d1 / 6000.0
    bulge = d1 * d2 / (2 * 6_371_000 * 157 / (157 - 45))
    zone = np.sqrt(299.792458 / 1840 * d1 * d2 / 6000)
    assert shut["clearance"] == pytest.approx((line - 350.0 - bulge) / zone, rel=0.02)


def test_unknown_terrain_is_never_a_number() -> None:
    heights = np.full((200, 200), 50.0)
    heights[:, 100] = np.nan
    point, cell = school_table(LEFT + 9000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    for model in ("p526", "p1812"):
        radio = FAST.model_copy(update={"model": model})
        for terrain in (ground(heights), None, ground(heights[:, :100])):
            row = link(point, cell, terrain, radio).iloc[0]
            assert np.isnan(row["loss_db"])
            assert np.isnan(row["received_dbm"])
            assert np.isnan(row["clearance"])
            assert row["unknown_because"] == "no_elevation"
            assert np.isfinite(row["free_space_dbm"]), "the bound needs no terrain"


def test_a_model_without_terrain_works_without_terrain() -> None:
    point, cell = school_table(LEFT + 5000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    row = link(point, cell, None, FAST.model_copy(update={"model": "rma"})).iloc[0]
    assert np.isfinite(row["loss_db"])
    assert np.isnan(row["clearance"])
    far = link(school_table(LEFT + 11_000, TOP - 6000), cell, None,
               FAST.model_copy(update={"model": "rma"})).iloc[0]
    assert far["unknown_because"] == "out_of_model_range"
    assert np.isnan(far["loss_db"])


def test_near_paths_are_computed_by_the_model_that_takes_over_and_say_so() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    points = school_table([LEFT + 3000, LEFT + 3100, LEFT + 3400], [TOP - 6000] * 3)
    found = link(points, cell_table(LEFT + 3000, TOP - 6000), terrain,
                 FAST.model_copy(update={"model": "p1812"}))
    assert found["model"].sort_index().tolist() == ["p526", "p526", "p1812"]
    assert found["loss_db"].sort_index().is_monotonic_increasing
    assert np.isfinite(found["clearance"]).all()


def test_a_sector_radiates_to_its_own_side_and_an_unknown_azimuth_costs_3_db() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    point = school_table(LEFT + 9000, TOP - 6000)
    cells = cell_table([LEFT + 3000] * 4, [TOP - 6000] * 4, ids=["east", "west", "lost", "round"],
                       azimuth_deg=[90.0, 270.0, np.nan, np.nan],
                       beamwidth_deg=[65.0, 65.0, 65.0, 360.0], operator=list("ABCD"))
    pattern = link(point, cells, terrain, FAST)["pattern_db"].droplevel("point_id")
    assert pattern["east"] > -0.1
    assert pattern["west"] == pytest.approx(-25.0)
    assert pattern["lost"] == pytest.approx(pattern["round"] - 3.0)


def test_reach_and_range_are_both_limits() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    points = school_table([LEFT + 3100, LEFT + 3140, LEFT + 11_900], [TOP - 6000] * 3)
    cells = cell_table([LEFT + 3000] * 2, [TOP - 6000] * 2, ids=["macro", "sat"],
                       technology=["LTE", "SAT"], reach_m=[np.nan, 120.0], operator=["A", "S"],
                       frequency_mhz=[1840.0, 2400.0], eirp_dbm=[60.0, 20.0],
                       antenna_height_m=[30.0, 4.0])
    found = link(points, cells, terrain, FAST.model_copy(update={"max_range_m": 8500.0}))
    assert sorted(found.index) == [("p000", "macro"), ("p000", "sat"), ("p001", "macro")]
    sat = found.loc[("p000", "sat")]
    assert sat["pattern_db"] == 0.0
    assert -80 < sat["received_dbm"] < -40


def test_candidates_are_alternatives_and_do_not_push_each_other_out() -> None:
    terrain = ground(hills(3))
    rng = np.random.default_rng(0)
    x, y = LEFT + rng.uniform(1000, 11_000, 12), TOP - rng.uniform(1000, 11_000, 12)
    point = school_table(LEFT + 6000, TOP - 6000)
    standing = link(point, cell_table(x, y), terrain, FAST)
    assert 2 <= len(standing) <= 3, "the best two, and what free space would choose"
    spots = link(point, cell_table(x, y, status="candidate"), terrain, FAST)
    assert len(spots) == 12, "each site is a choice of its own"
    equal(spots["loss_db"].loc[standing.index].to_frame(), standing["loss_db"].to_frame())


def test_technologies_and_carriers_do_not_push_each_other_out() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    cells = cell_table([LEFT + 3000] * 6, [TOP - 6000] * 6, technology=["GSM"] * 5 + ["LTE"],
                       frequency_mhz=[945.0] * 5 + [1840.0])
    found = link(school_table(LEFT + 8000, TOP - 6000), cells, terrain, FAST)
    assert ("p000", "c005") in found.index, "five strong GSM cells do not hide the LTE cell"
    assert found["cells_considered"].unique().tolist() == [6]


def test_ties_are_settled_by_cell_id() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    ids = ["c9", "c1", "c5", "c3"]
    cells = cell_table([LEFT + 3000] * 4, [TOP - 6000] * 4, ids=ids)
    found = link(school_table(LEFT + 8000, TOP - 6000), cells, terrain, FAST)
    assert found.index.get_level_values("cell_id").tolist() == ["c1", "c3"]


def test_nothing_in_nothing_out() -> None:
    points, cells, terrain = country(1, points=4, cells=4)
    for p, c in ((points.iloc[:0], cells), (points, cells.iloc[:0]),
                 (points, cells.set_geometry(cells.translate(9e5, 0)))):
        out = link(p, c, terrain, FAST)
        assert len(out) == 0
        check(out, LINKS)
    nowhere = points.set_geometry([None] * 4, crs=CRS)
    assert len(link(nowhere, cells, terrain, FAST)) == 0


def test_inputs_are_left_as_they_are() -> None:
    points, cells, terrain = country(2, points=5, cells=5)
    before = points.copy(), cells.copy()
    link(points, cells, terrain, FAST)
    pd.testing.assert_frame_equal(points, before[0])
    pd.testing.assert_frame_equal(cells, before[1])


def test_degrees_mixed_systems_and_strange_technologies_are_refused() -> None:
    points, cells, terrain = country(2, points=3, cells=3)
    with pytest.raises(InputError, match="need metres: the points stand in EPSG:4326"):
        link(points.to_crs(4326), cells, terrain, FAST)
    with pytest.raises(InputError, match="one working CRS"):
        link(points, cells.to_crs(32647), terrain, FAST)
    with pytest.raises(InputError, match="Did you mean \"LTE\""):
        link(points, cells.assign(technology="LTEE"), terrain, FAST)
    with pytest.raises(InputError, match="eirp_dbm"):
        link(points, cells.drop(columns="eirp_dbm"), terrain, FAST)
    with pytest.raises(ValueError, match="kilometres"):
        Radio(max_range_m=30)
