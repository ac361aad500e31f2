"""Service: who is covered, by whom, and why not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landscape import CRS, LEFT, TOP, cell_table, country, ground, school_table
from phusong.links import link
from phusong.radio.budget import Radio
from phusong.radio.entry import entry_loss_db
from phusong.service import DEFINITIONS, Need, assess, levels, serves
from phusong.tables import LINKS, SERVICE, check, empty
from pydantic import ValidationError
from scipy.stats import norm

FAST = Radio(model="p526", profile_step_m=100.0, max_range_m=9000.0, best_per_operator=2)
TIGHT = Need(technologies=("LTE", "UMTS"), received_dbm=-80.0)


def heard(*rows: tuple) -> pd.DataFrame:
    """LINKS from (point, cell, operator, received, free space, clearance) rows."""
    frame = pd.DataFrame(rows, columns=["point_id", "cell_id", "operator", "received_dbm",
                                        "free_space_dbm", "clearance"])
    frame = frame.assign(technology="LTE", frequency_mhz=1840.0, distance_m=1000.0, model="p526",
                         loss_db=100.0, cells_considered=1)
    return frame.set_index(["point_id", "cell_id"])


def schools(*ids: str) -> gpd.GeoDataFrame:
    return school_table(np.arange(len(ids)) + LEFT, np.full(len(ids), TOP), ids=list(ids))


def one(need: Need, *rows: tuple) -> pd.Series:
    return assess(schools("p"), heard(*rows), need).loc["p"]


INSIDE = (0.52 + 0.024 * 1.84) * 100.0 ** 0.28 * (1.0 - 1.5 / 10.0)
"""Scatter inside 100 m at 1,840 MHz for a handset at 1.5 m in the open (P.1812 4.7 and 4.9), dB."""
SPREAD = np.hypot(8.0, INSIDE)


def test_probability_is_normal_about_the_level_at_the_device() -> None:
    row = one(Need(), ("p", "c", "A", -100.0, -80.0, 0.5))
    assert row["received_dbm"] == -103.0, "3 dB are lost in hand and body"
    assert row["margin_db"] == 7.0
    assert row["probability"] == pytest.approx(norm.cdf(7 / SPREAD), abs=1e-12)
    assert (row["status"], row["reason"]) == ("uncertain", "margin_too_thin")


@pytest.mark.parametrize(("received", "status"), [
    (-107.0 + 1.2816 * SPREAD, "covered"), (-107.0 + 1.2815 * SPREAD, "uncertain"),
    (-107.0 + 0.01, "uncertain"), (-107.0 - 0.01, "uncovered")])
def test_statuses_change_at_the_stated_probabilities(received: float, status: str) -> None:
    assert one(Need(), ("p", "c", "A", received, -60.0, 0.5))["status"] == status


def test_scatter_inside_the_pixel_joins_that_of_the_model() -> None:
    link_ = heard(("p", "c", "A", -100.0, -80.0, 0.5))
    chance = [levels(link_, Need(pixel_width_m=width, sigma_model_db=sigma))["probability"].iloc[0]
              for width, sigma in ((0.0, 8.0), (100.0, 8.0), (500.0, 8.0), (100.0, 0.0))]
    assert chance[0] == pytest.approx(norm.cdf(7 / 8), abs=1e-12)
    assert chance[0] > chance[1] > chance[2] > 0.5
    assert chance[3] == pytest.approx(norm.cdf(7 / INSIDE), abs=1e-12)


def test_a_classroom_is_behind_a_wall_and_a_roof_antenna_gains() -> None:
    link_ = heard(("p", "c", "A", -90.0, -80.0, 0.5))
    outdoor, classroom, roof = (levels(link_, Need(place=place)).iloc[0]
                                for place in ("outdoor", "classroom", "roof"))
    wall = float(entry_loss_db(1840.0, 0.5))
    assert classroom["level_dbm"] == pytest.approx(outdoor["level_dbm"] - wall, abs=1e-9)
    assert roof["level_dbm"] == -90.0 + 6.5
    p = (np.arange(4000) + 0.5) / 4000
    dense = norm.cdf((-93.0 - entry_loss_db(1840.0, p) + 110.0) / SPREAD).mean()
    assert classroom["probability"] == pytest.approx(dense, abs=2e-3), "integrated over P.2109"
    own = levels(link_, Need(place="classroom", gain_dbi=1.0, body_loss_db=0.0)).iloc[0]
    assert own["level_dbm"] == pytest.approx(classroom["level_dbm"] + 4.0)


def test_reasons() -> None:
    cases = {
        "terrain_blocked": ("p", "c", "A", -140.0, -60.0, -2.0),
        "signal_too_weak": ("p", "c", "A", -140.0, -60.0, 0.2),
        "no_elevation": ("p", "c", "A", np.nan, -60.0, np.nan),
        "out_of_model_range": ("p", "c", "A", np.nan, -60.0, 0.7),
    }
    for reason, row in cases.items():
        assert one(Need(), row)["reason"] == reason
    far = one(Need(), ("p", "c", "A", -140.0, -130.0, -2.0))
    assert far["reason"] == "signal_too_weak", "even with nothing in the way it would not do"
    assert one(Need(technologies=("NR",)), cases["terrain_blocked"])["reason"] == "no_site_in_range"
    none = assess(schools("p"), empty(LINKS), Need()).loc["p"]
    assert (none["status"], none["reason"]) == ("uncovered", "no_site_in_range")


def test_an_unknown_loss_matters_only_if_it_could_help() -> None:
    weak = ("p", "c", "A", -140.0, -60.0, 0.2)
    assert one(Need(), weak, ("p", "d", "A", np.nan, -60.0, np.nan))["status"] == "unknown"
    assert one(Need(), weak, ("p", "d", "A", np.nan, -130.0, np.nan))["status"] == "uncovered"
    strong = ("p", "c", "A", -70.0, -60.0, 0.2)
    assert one(Need(), strong, ("p", "d", "A", np.nan, -60.0, np.nan))["status"] == "covered"


def test_an_incomplete_list_of_towers_proves_no_gap() -> None:
    partial = Need(site_list="partial")
    none = assess(schools("p"), empty(LINKS), partial).loc["p"]
    assert (none["status"], none["reason"]) == ("unknown", "no_site_data")
    assert one(partial, ("p", "c", "A", -140.0, -60.0, 0.2))["reason"] == "no_site_data"
    assert one(partial, ("p", "c", "A", -60.0, -60.0, 0.2))["status"] == "covered"


def test_every_point_has_one_row_in_its_own_order() -> None:
    points = schools("z", "a", "m")
    points = points.set_geometry([points.geometry["z"], None, points.geometry["m"]], crs=CRS)
    found = heard(("m", "c", "A", -60.0, -60.0, 1.0), ("q", "c", "A", -60.0, -60.0, 1.0))
    out = assess(points, found, Need())
    check(out, SERVICE)
    assert out.index.tolist() == ["z", "a", "m"]
    assert out["reason"].tolist() == ["no_site_in_range", "no_location", "covered"]
    assert out["status"].tolist() == ["uncovered", "unknown", "covered"]


def test_two_operators_needed_are_two_different_ones() -> None:
    two = Need(operators_needed=2)
    a1, a2 = ("p", "c1", "A", -60.0, -60.0, 1.0), ("p", "c2", "A", -60.0, -60.0, 1.0)
    b = ("p", "c3", "B", -102.0, -60.0, 1.0)
    assert one(two, a1, a2)["status"] == "uncovered"
    assert one(two, a1, a2)["operators"] == "A"
    assert one(two, a1, a2)["reason"] == "no_site_in_range"
    both = one(two, a1, b)
    assert both["status"] == "uncertain"
    assert both["probability"] == pytest.approx(norm.cdf(5 / SPREAD)), "that of the second operator"
    assert both["best_cell_id"] == "c1"


def test_a_satellite_terminal_is_judged_outdoors_at_its_median() -> None:
    row = heard(("p", "c", "S", -106.9, -106.9, 1.0)).assign(technology="SAT")
    for place in ("outdoor", "classroom"):
        assert levels(row, Need(place=place))["probability"].tolist() == [1.0]
    weaker = row.assign(received_dbm=-107.1)
    assert levels(weaker, Need())["probability"].tolist() == [0.0]


def test_serves_is_what_assess_would_say_of_the_link_alone() -> None:
    points, cells, terrain = country(4)
    found = link(points, cells, terrain, FAST)
    says = serves(found, TIGHT)
    assert 0 < says.sum() < len(says)
    for key in found.index[::7]:
        alone = assess(points, found.loc[[key]], TIGHT).loc[key[0]]
        assert says[key] == (alone["status"] == "covered")


@settings(deadline=None, derandomize=True, max_examples=8)
@given(st.integers(0, 10_000), st.sampled_from(["outdoor", "classroom"]))
def test_one_more_cell_never_uncovers_a_point(seed: int, place: str) -> None:
    points, cells, terrain = country(seed, cells=30)
    need = Need(technologies=("LTE", "UMTS"), received_dbm=-90.0, place=place)
    before = assess(points, link(points, cells.iloc[:-6], terrain, FAST), need)
    after = assess(points, link(points, cells, terrain, FAST), need)
    was = before["status"] == "covered"
    assert (after.loc[was, "status"] == "covered").all()
    assert not (after.loc[before["status"] == "uncertain", "status"] == "uncovered").any()


@settings(deadline=None, derandomize=True, max_examples=4)
@given(st.integers(0, 10_000))
def test_shuffled_rows_and_a_second_run_change_no_bit(seed: int) -> None:
    points, cells, terrain = country(seed)
    found = link(points, cells, terrain, FAST)
    expected = assess(points, found, TIGHT)
    pd.testing.assert_frame_equal(expected, assess(points, link(points, cells, terrain, FAST),
                                                   TIGHT), check_exact=True)
    mixed = assess(points.sample(frac=1, random_state=seed),
                   found.sample(frac=1, random_state=seed), TIGHT)
    pd.testing.assert_frame_equal(expected, mixed.loc[expected.index], check_exact=True)
    assert len(expected["status"].unique()) >= 2


def test_moving_a_mountain_between_tower_and_school_cuts_it_off() -> None:
    aside, between = np.full((200, 200), 100.0), np.full((200, 200), 100.0)
    rows, columns = np.indices((200, 200))
    aside += 800 * np.exp(-((rows - 20) ** 2 + (columns - 100) ** 2) / 200)
    between += 800 * np.exp(-((rows - 100) ** 2 + (columns - 100) ** 2) / 200)
    point, cell = school_table(LEFT + 9000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    for model in ("p1812", "p526"):
        radio = FAST.model_copy(update={"model": model})
        seen = [assess(point, link(point, cell, ground(h), radio), Need()).iloc[0]
                for h in (aside, between)]
        assert (seen[0]["status"], seen[0]["reason"]) == ("covered", "covered")
        assert (seen[1]["status"], seen[1]["reason"]) == ("uncovered", "terrain_blocked")


def test_a_hole_in_the_terrain_makes_the_point_unknown() -> None:
    heights = np.full((200, 200), 100.0)
    heights[80:120, 100] = np.nan
    point, cell = school_table(LEFT + 9000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    row = assess(point, link(point, cell, ground(heights), FAST), Need()).iloc[0]
    assert (row["status"], row["reason"]) == ("unknown", "no_elevation")
    assert np.isnan(row["received_dbm"])
    assert np.isnan(row["probability"])
    assert row["best_cell_id"] == "c000"


def test_a_hole_beside_a_known_mountain_leaves_no_doubt() -> None:
    heights = np.full((200, 200), 100.0)
    heights[:, 70:110] = 1500.0
    heights[:, 120] = np.nan
    point, cell = school_table(LEFT + 9000, TOP - 6000), cell_table(LEFT + 3000, TOP - 6000)
    found = link(point, cell, ground(heights), FAST)
    row = assess(point, found, Need()).iloc[0]
    assert np.isnan(found["received_dbm"].iloc[0]), "it stays unknown how much is lost"
    assert (row["status"], row["reason"]) == ("uncovered", "terrain_blocked")
    heights[:, 120] = 100.0
    filled = link(point, cell, ground(heights), FAST)
    assert found["best_case_dbm"].iloc[0] == filled["received_dbm"].iloc[0]


def test_definitions_are_named_sourced_and_ordered() -> None:
    assert [DEFINITIONS[n].received_dbm for n in ("voice", "data", "class", "school")] == [
        -115.0, -110.0, -105.0, -95.0]
    for name, need in DEFINITIONS.items():
        assert need.name == name
        assert need.label.en
        assert need.label.vi
        assert "not regulation" in need.source


def test_nonsense_is_refused_with_the_nearest_spelling() -> None:
    with pytest.raises(ValidationError, match='Did you mean "LTE"'):
        Need(technologies=("LTEE",))
    with pytest.raises(ValidationError, match='Did you mean "received_dbm"'):
        Need(recieved_dbm=-100)
    with pytest.raises(ValidationError, match="covered and uncovered at once"):
        Need(probability=0.5, gap_probability=0.6)
    with pytest.raises(ValidationError):
        Need(received_dbm=110)


def test_inputs_are_left_as_they_are() -> None:
    points, found = schools("p"), heard(("p", "c", "A", -90.0, -80.0, 0.5))
    before = found.copy()
    assess(points, found, Need(place="classroom"))
    pd.testing.assert_frame_equal(found, before)
