"""Feeders: every hop clear, every site walks to the network, shared hops are paid once."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.backhaul import Backhaul, Feeder, feeders, hops, own_feeders
from phusong.cost import Costs, price, settle
from phusong.errors import InputError, UnknownNameError
from phusong.plan import (
    Floor,
    Goal,
    optimise,
    optimise_connected,
    rank_connected,
    tenants,
    tenants_nodes,
    why,
)
from phusong.profile import Profile
from phusong.surroundings import Surroundings
from phusong.tables import FEEDERS, HOPS, faults
from phusong.terrain import Terrain
from pydantic import ValidationError
from shapely import LineString, Point

CRS = "EPSG:32648"
WEST, NORTH, STEP, SIZE = 500_000.0, 2_420_000.0, 200.0, 400
USD = Costs(currency="USD")


def land(heights: np.ndarray | None = None) -> Terrain:
    """80 x 80 km at 200 m, flat unless told."""
    flat = np.full((SIZE, SIZE), 50.0) if heights is None else heights
    return Terrain(flat, Affine(STEP, 0, WEST, 0, -STEP, NORTH), CRS, CRS)


def masts(places: dict[str, tuple[float, float]], status: str, intervention: str = "macro"
          ) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"site_id": list(places), "status": status, "intervention": intervention,
         "antenna_height_m": 60.0, "frequency_mhz": 945.0},
        geometry=[Point(WEST + 1000 * x, NORTH - 1000 * y) for x, y in places.values()], crs=CRS,
        index=pd.Index([f"{n}-1" for n in places], name="cell_id"))


def roads(*lines: list[tuple[float, float]]) -> Surroundings:
    return Surroundings(roads=gpd.GeoDataFrame(
        {"highway": ["track"] * len(lines)}, geometry=[
            LineString([(WEST + 1000 * x, NORTH - 1000 * y) for x, y in line]) for line in lines],
        crs=CRS))


LINE = {"A": (20.0, 40.0), "B": (30.0, 40.0), "C": (40.0, 40.0)}
NETWORK = masts({"N": (10.0, 40.0)}, "standing")
CHAIN = Feeder(media=("microwave",), bands_ghz=(7.5,), max_hop_m=12_000.0)


def net_of(spots: gpd.GeoDataFrame, feeder: Feeder, terrain: Terrain | None = None,
           around: Surroundings | None = None, sites: gpd.GeoDataFrame = NETWORK) -> Backhaul:
    possible = hops(spots, sites, terrain or land(), around, feeder)
    assert faults(possible, HOPS) == []
    return Backhaul.of(spots, sites, possible, USD, feeder)


def test_a_chain_walks_to_the_network_and_shares_its_hops() -> None:
    spots = masts(LINE, "candidate")
    net = net_of(spots, CHAIN)
    forest = feeders(["A", "C", "B"], net)
    assert faults(forest, FEEDERS) == []
    assert forest.loc["C", "from_id"].tolist() == ["C", "B", "A"]
    assert forest.loc["C", "to_id"].tolist() == ["B", "A", "N"]
    assert forest.loc["C", "paid_by"].tolist() == ["C", "C", "A"]
    assert forest.loc["C", "sites"].tolist() == [1, 2, 3]
    own = forest[(forest["paid_by"] == forest.index.get_level_values("site_id")).to_numpy()]
    assert len(own) == 3, "three sites, three hops"
    assert forest["cost_share"].sum() == pytest.approx(own["cost"].sum()), "shared, paid once"
    # C was joined before B stood: B's mast was first put up only to pass on
    assert forest["relay"].loc["C"].tolist() == [True, False, False]
    later = feeders(["A", "B", "C"], net)
    assert not later["relay"].any()
    relay = USD.item("relay_mast").base * (1 + 0.10 * USD.annuity)
    assert own["cost"].sum() - later.drop_duplicates("from_id")["cost"].sum() == \
        pytest.approx(relay, rel=1e-9)


def test_bills_hold_the_hops_of_the_plan_and_only_once() -> None:
    spots = masts(LINE, "candidate")
    net = net_of(spots, CHAIN)
    alone = price(spots, None, USD, feeders=own_feeders(net))
    assert alone.loc[("C", "microwave_hop_short"), "quantity"] == 3
    assert alone.loc[("C", "relay_mast"), "quantity"] == 2
    assert alone.loc[("C", "microwave_hop_short"), "note"].startswith("7.5 GHz, 10.0 km to B; ")
    assert "relay_mast" not in alone.loc["A"].index
    forest = feeders(["A", "B", "C"], net)
    bills = settle(alone, forest, USD)
    assert (bills.xs("microwave_hop_short", level="item")["quantity"] == 1.0).all()
    assert "relay_mast" not in bills.index.get_level_values("item")
    paid = bills[bills["feeder"].to_numpy(bool)]["present_value_base"].groupby(level=0).sum()
    cost = forest[(forest["paid_by"] == forest.index.get_level_values("site_id")).to_numpy()]
    assert paid.to_numpy() == pytest.approx(cost["cost"].groupby(level=0).sum().to_numpy())
    pd.testing.assert_frame_equal(bills[~bills["feeder"].to_numpy(bool)],
                                  alone[~alone["feeder"].to_numpy(bool)])


def test_relays_and_depth_may_be_limited_and_then_there_is_no_way() -> None:
    spots = masts(LINE, "candidate")
    for less in ({"relays": False}, {"max_hops": 2}):
        net = net_of(spots, CHAIN.model_copy(update=less))
        assert net.node_of["C"] == -2
        assert "C" not in own_feeders(net).index.get_level_values("site_id")
        with pytest.raises(InputError, match="C has no way to the network"):
            feeders(["C"], net)
    assert net_of(spots, CHAIN).node_of["C"] >= 0


def test_a_wall_or_a_void_in_the_way_is_no_hop() -> None:
    spots = masts({"A": LINE["A"]}, "candidate")
    assert len(hops(spots, NETWORK, land(), None, CHAIN)) == 1
    for height in (400.0, np.nan):
        wall = np.full((SIZE, SIZE), 50.0)
        wall[:, 75] = height
        assert len(hops(spots, NETWORK, land(wall), None, CHAIN)) == 0
    blind = hops(spots, NETWORK, None, None, CHAIN)
    assert blind["clearance"].isna().all(), "without a terrain nobody knows, which is said"
    assert len(blind) == 1


def test_air_that_bends_rays_up_blocks_a_long_hop_that_is_usually_clear() -> None:
    """30 km over the flat: earth bulge 13.2 m at k = 4/3, 29.4 m at 0.6; F1 at 7.5 GHz 17.3 m.

    Antennas of 30 m: clearance (30 - 13.2) / 17.3 = 0.97 and (30 - 29.4) / 17.3 = 0.03; with a
    dam of 2 m in the middle the second is negative.
    """
    spots, far = masts({"A": (20.0, 40.0)}, "candidate"), masts({"N": (50.0, 40.0)}, "standing")
    feeder = Feeder(media=("microwave",), bands_ghz=(7.5,), rain_mm_per_h=30.0)
    far = far.assign(antenna_height_m=30.0)
    found = hops(spots, far, land(), None, feeder)
    assert found["clearance"].iloc[0] == pytest.approx(0.97, abs=0.02)
    dam = np.full((SIZE, SIZE), 50.0)
    dam[:, 175] = 52.0
    assert len(hops(spots, far, land(dam), None, feeder)) == 0
    low = feeder.model_copy(update={"clearance_bent": -1.0})
    assert len(hops(spots, far, land(dam), None, low)) == 1


def test_bands_by_rain_and_length() -> None:
    feeder = Feeder(rain_mm_per_h=90.0)
    far = np.array([2000.0, 4300.0, 8000.0, 25_000.0, 31_000.0])
    band, rain = feeder.band_for(far, np.full(5, 90.0))
    assert band[:4].tolist() == [23.0, 18.0, 15.0, 7.5]
    assert np.isnan(band[4])
    assert (rain[:4] <= 30.0).all()
    assert feeder.band_for(np.array([8000.0]), np.array([20.0]))[0][0] == 23.0


def test_the_rain_of_vietnam_is_that_of_p837_at_its_seven_places() -> None:
    profile = Profile.load("vietnam")
    assert "P.837" in profile.rain_source
    feeder = Feeder(**Feeder.of_profile(profile))
    assert len(feeder.rain) == 7
    for longitude, latitude, rate in feeder.rain.values():
        assert feeder.rain_at(np.array([longitude]), np.array([latitude]))[0] == \
            pytest.approx(rate, abs=1e-6)
    between = feeder.rain_at(np.array([104.0]), np.array([21.6]))[0]
    assert 65.0 <= between <= 104.0
    said = feeder.model_copy(update={"rain_mm_per_h": 50.0})
    assert said.rain_at(np.array([104.0]), np.array([21.6]))[0] == 50.0
    assert Feeder().rain_at(np.zeros(2), np.zeros(2)).tolist() == [90.0, 90.0]


def test_fibre_follows_the_road_and_is_straight_times_a_factor_without_roads() -> None:
    spots = masts({"A": (14.0, 43.0)}, "candidate")
    glass = Feeder(media=("fibre",))
    around = roads([(10.0, 40.0), (14.0, 40.0)], [(14.0, 40.0), (14.0, 43.0)])
    by_road = own_feeders(net_of(spots, glass, around=around)).loc["A"].iloc[0]
    assert by_road["length_m"] == pytest.approx(7000.0)
    assert by_road["cost"] == pytest.approx(70_000 * (1 + 0.05 * USD.annuity))
    straight = own_feeders(net_of(spots, glass)).loc["A"].iloc[0]
    assert straight["length_m"] == pytest.approx(5000.0)
    assert straight["cost"] == pytest.approx(1.2 * 50_000 * (1 + 0.05 * USD.annuity))
    torn = roads([(10.0, 40.0), (13.0, 40.0)], [(14.0, 40.0), (14.0, 43.0)])
    assert net_of(spots, glass, around=torn).node_of["A"] == -2, "roads that do not meet"


def test_fibre_to_a_neighbour_on_the_way_is_shared() -> None:
    spots = masts({"A": (14.0, 40.5), "B": (18.0, 40.5)}, "candidate")
    glass = Feeder(media=("fibre",))
    around = roads([(10.0, 40.0), (30.0, 40.0)])
    forest = feeders(["A", "B"], net_of(spots, glass, around=around))
    assert forest.loc["B", "to_id"].tolist() == ["A", "N"]
    assert forest.loc["B", "length_m"].tolist() == pytest.approx([5000.0, 4500.0])
    assert forest.loc["B", "paid_by"].tolist() == ["B", "A"]


def test_satellite_is_the_last_resort_unless_it_may_compete_and_is_never_free() -> None:
    spots = masts({"A": LINE["A"], "Z": (75.0, 5.0)}, "candidate")
    feeder = CHAIN.model_copy(update={"media": ("microwave", "satellite")})
    last = own_feeders(net_of(spots, feeder))
    assert last["medium"].to_dict() == {("A", 1): "microwave", ("Z", 1): "satellite"}
    assert last.loc[("Z", 1), "cost"] > 0.0
    assert last.loc[("Z", 1), "capacity_mbps"] == 20.0
    cheap = USD.model_copy(update={"multipliers": {"satellite_backhaul_service": 0.1}})
    possible = hops(spots, NETWORK, land(), None, feeder)
    compete = feeder.model_copy(update={"satellite": "compete"})
    own = own_feeders(Backhaul.of(spots, NETWORK, possible, cheap, compete))
    assert set(own["medium"]) == {"satellite"}
    items = price(spots, None, USD, feeders=last).loc["Z"]
    assert items.loc["satellite_backhaul_service", "opex_base_per_year"] == \
        pytest.approx(20 * 309.91)


def test_variants_share_a_place_and_light_sites_relay_a_mast_in_sight() -> None:
    spots = pd.concat([
        masts({"H-macro-60m": LINE["A"]}, "candidate").assign(variant_of="H"),
        masts({"H-macro-20m": LINE["A"]}, "candidate").assign(variant_of="H",
                                                              antenna_height_m=20.0),
        masts({"H-light": LINE["A"]}, "candidate", "light").assign(variant_of="H"),
        masts({"N-sector": (10.0, 40.0)}, "candidate", "sector").assign(variant_of="S")])
    net = net_of(spots, CHAIN)
    assert net.nodes.index.tolist() == ["H", "N"]
    assert net.nodes["mast_m"].tolist() == [20.0, 60.0]
    assert net.node_of.to_dict() == {"H-light": -1, "H-macro-20m": 0, "H-macro-60m": 0,
                                     "N-sector": -1}
    forest = feeders(["H-light", "N-sector"], net)
    assert forest.index.tolist() == [("H-light", 1)]
    assert forest["medium"].tolist() == ["relay"]
    assert forest["cost"].tolist() == [0.0]
    wall = np.full((SIZE, SIZE), 50.0)
    wall[:, 75] = 400.0
    assert net_of(spots, CHAIN, land(wall)).node_of["H-light"] == -2


def test_the_forest_of_an_optimised_plan_is_the_one_that_is_built_and_paid() -> None:
    """C alone needs two relays; with B in the plan its mast stands there, and only A is a relay."""
    spots = masts(LINE, "candidate").assign(technology="LTE", place="hilltop")
    net = net_of(spots, CHAIN)
    alone = price(spots, None, USD, feeders=own_feeders(net))
    gaps = gpd.GeoDataFrame({"kind": "school", "learners": [300.0, 300.0]}, crs=CRS,
                            geometry=[Point(WEST, NORTH)] * 2,
                            index=pd.Index(["p", "q"], name="point_id"))
    reach = pd.DataFrame({"received_dbm": -60.0, "free_space_dbm": -60.0, "technology": "LTE",
                          "frequency_mhz": 945.0, "distance_m": 1000.0, "operator": "x"},
                         index=pd.MultiIndex.from_tuples([("p", "C-1"), ("q", "B-1")],
                                                         names=["point_id", "cell_id"]))
    goal = Goal(budget=2e6, max_sites=None, gap=0.0, seconds=20.0)
    found = optimise_connected(gaps, spots, reach, alone, goal, net.network, net.node_of)
    assert set(found.plan["site_id"]) == {"B", "C"}
    assert found.plan.attrs["certificate"]["stopped"] == found.solution.stopped == "optimal"
    forest = feeders(found.plan, net)
    assert forest.drop_duplicates("from_id")["relay"].sum() == 1
    bills = settle(alone, forest, USD)["present_value_base"].groupby(level="site_id").sum()
    assert bills.loc[found.plan["site_id"]].to_numpy() == \
        pytest.approx(found.plan["cost_total"].to_numpy())
    assert found.solution.cost == pytest.approx(found.plan["cost_total"].sum())
    ranked = rank_connected(gaps, spots, reach, alone, goal, net.network, net.node_of)
    assert found.plan["cost_total"].sum() <= ranked["cost_total"].sum() + 1e-6
    kept = optimise_connected(gaps, spots, reach, alone, goal.model_copy(
        update={"method": "optimise", "kept": ("A",)}), net.network, net.node_of)
    assert "A" in set(kept.plan["site_id"])
    every = {"cover": goal.model_copy(update={"method": "optimise", "cover": "all"}),
             "kept": goal.model_copy(update={"method": "optimise", "kept": ("C",)}),
             "floors": goal.model_copy(update={"method": "optimise", "floors": (
                 Floor(by="kind", share=1.0, of="points"),)}),
             "expected": goal.model_copy(update={"counts": "expected"})}
    for name, asked in every.items():
        plan = optimise_connected(gaps, spots, reach, alone, asked, net.network, net.node_of)
        assert set(plan.plan["site_id"]) == {"B", "C"}, name
        assert plan.plan["cost_total"].sum() == pytest.approx(found.solution.cost), name
        assert plan.solution.stopped == "optimal" or plan.gap < 1e-5, name
        dear = optimise(gaps, spots, reach, alone, asked)
        assert dear.solution.cost > plan.solution.cost * 1.1, f"{name}: B pays A's hop once"


def _line(learners: dict[str, float]) -> tuple[Any, ...]:
    """A, B and C in a line behind one mast, each with a gap of its own; priced, with its network.
    """
    spots = masts({name: LINE[name] for name in LINE}, "candidate").assign(
        technology="LTE", place="hilltop")
    net = net_of(spots, CHAIN)
    gaps = gpd.GeoDataFrame({"kind": "school", "learners": list(learners.values())}, crs=CRS,
                            geometry=[Point(WEST, NORTH)] * len(learners),
                            index=pd.Index([f"p{n}" for n in learners], name="point_id"))
    reach = pd.DataFrame({"received_dbm": -60.0, "free_space_dbm": -60.0, "technology": "LTE",
                          "frequency_mhz": 945.0, "distance_m": 1000.0, "operator": "x"},
                         index=pd.MultiIndex.from_tuples([(f"p{n}", f"{n}-1") for n in learners],
                                                         names=["point_id", "cell_id"]))
    return gaps, spots, reach, price(spots, None, USD, feeders=own_feeders(net)), net


@pytest.mark.parametrize("budget", [3e5, 7e5, 9e5])
@pytest.mark.parametrize("learners", [{"A": 100.0, "B": 90.0, "C": 80.0},
                                      {"A": 20.0, "B": 150.0, "C": 140.0}])
def test_why_counts_the_shared_bill_and_its_flips_are_solved_again(
        learners: dict[str, float], budget: float) -> None:
    gaps, spots, reach, costs, net = _line(learners)
    goal = Goal(budget=budget, max_sites=None)
    plan = rank_connected(gaps, spots, reach, costs, goal, net.network, net.node_of)
    alone = costs["present_value_base"].groupby(level="site_id").sum()
    own = costs.loc[~costs["feeder"].to_numpy(bool), "present_value_base"].groupby(
        level="site_id").sum()

    def ranked(site: str, change: float) -> set[str]:
        item = costs.loc[[site]][~costs.loc[[site], "feeder"].to_numpy(bool)].index[0]
        other = costs.copy()
        other.loc[item, "present_value_base"] += change
        return set(rank_connected(gaps, spots, reach, other, goal, net.network,
                                  net.node_of)["site_id"])

    for site in "ABC":
        found = why(site, gaps, spots, reach, costs, goal, net.network, net.node_of)
        assert found.cost_alone == pytest.approx(alone[site])
        assert own[site] <= found.cost_last <= found.cost_alone + 1e-6
        assert (found.rank > 0) == (site in set(plan["site_id"]))
        if found.rank:
            assert found.cost == pytest.approx(plan.loc[found.rank, "cost_total"])
            assert found.gained_in_turn == plan.loc[found.rank, "weight_gained"]
        if np.isfinite(found.flip_cost):
            change = found.flip_cost - found.cost
            assert -own[site] <= change
            assert (site in ranked(site, change)) == (found.rank == 0)
            assert (site in ranked(site, change * (1.0 - 1e-4))) == (found.rank > 0)
    assert "after all others" in why("C", gaps, spots, reach, costs, goal, net.network,
                                     net.node_of).text()


def test_two_operators_share_masts_and_the_hops_that_lead_to_them() -> None:
    """Both want A, B and C: three masts, three hops, each once, and three times more equipment."""
    gaps, spots, reach, costs, net = _line({"A": 100.0, "B": 150.0, "C": 140.0})
    goal = Goal(method="optimise", cover="all", max_sites=None, gap=0.0, seconds=20.0)
    one = optimise_connected(gaps, spots, reach, costs, goal, net.network, net.node_of)
    tables = tenants(gaps, spots, reach, costs, {"x": 0.5, "y": 0.5}, equipment=(1e4, 2e4, 3e4))
    nodes = tenants_nodes(net.node_of, tables[1])
    both = optimise_connected(*tables, goal, net.network, nodes)
    assert sorted(both.plan["site_id"]) == ["A|x+y", "B|x+y", "C|x+y"]
    assert both.solution.cost == pytest.approx(one.solution.cost + 3 * 2e4)
    assert both.gap < 1e-6
    with pytest.raises(InputError, match="not in the network, first 'A'"):
        tenants_nodes(net.node_of.drop("A"), tables[1])


def test_a_kept_site_without_a_way_is_refused_by_name() -> None:
    spots = masts({**LINE, "X": (5.0, 5.0)}, "candidate").assign(technology="LTE", place="hilltop")
    wall = np.full((SIZE, SIZE), 50.0)
    wall[60:, :] = wall[:, 60:] = 900.0
    net = net_of(spots, CHAIN, land(wall))
    cut_off = [name for name, node in net.node_of.items() if node == -2]
    assert cut_off
    alone = price(spots, None, USD, feeders=own_feeders(net))
    gaps = gpd.GeoDataFrame({"kind": ["school"], "learners": [3.0]}, crs=CRS,
                            geometry=[Point(WEST, NORTH)], index=pd.Index(["p"], name="point_id"))
    reach = pd.DataFrame({"received_dbm": -60.0, "free_space_dbm": -60.0, "technology": "LTE",
                          "frequency_mhz": 945.0, "distance_m": 1000.0, "operator": "x"},
                         index=pd.MultiIndex.from_tuples([("p", "C-1")],
                                                         names=["point_id", "cell_id"]))
    goal = Goal(method="optimise", kept=(cut_off[0],))
    with pytest.raises(InputError, match=f"kept site {cut_off[0]} has no way"):
        optimise_connected(gaps, spots, reach, alone, goal, net.network, net.node_of)


def test_unknown_names_and_wrong_settings_are_refused() -> None:
    spots = masts(LINE, "candidate")
    with pytest.raises(UnknownNameError, match="Z9"):
        feeders(["Z9"], net_of(spots, CHAIN))
    with pytest.raises(UnknownNameError, match="same candidates"):
        Backhaul.of(spots.iloc[1:], NETWORK, hops(spots, NETWORK, land(), None, CHAIN), USD, CHAIN)
    for wrong, said in (({"bands_ghz": (7500.0,)}, "GHz"), ({"media": ("fiber",)}, "fibre"),
                        ({"rain": {"x": (105.0, 21.0, 900.0)}}, "mm/h")):
        with pytest.raises(ValidationError, match=said):
            Feeder(**wrong)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.data())
def test_forest_properties(data: st.DataObject) -> None:
    """Everybody fed walks to a standing mast within the limit, over hops that are possible."""
    at = st.tuples(st.integers(5, 75), st.integers(5, 75))
    spread = data.draw(st.lists(at, min_size=3, max_size=14, unique=True))
    number = data.draw(st.integers(1, 2))
    standing = masts({f"N{i}": p for i, p in enumerate(spread[:number])}, "standing")
    spots = masts({f"H{i:02d}": p for i, p in enumerate(spread[number:])}, "candidate")
    feeder = Feeder(max_hops=data.draw(st.integers(1, 4)), media=("microwave",))
    hills = land(50.0 + 150.0 * np.sin(np.arange(SIZE) / 20.0)[:, None] * np.ones((1, SIZE)))
    possible = hops(spots, standing, hills, None, feeder)
    assert (possible["clearance"] >= 0.6).all()
    assert (possible["rain_db"] <= feeder.fade_margin_db).all()
    net = Backhaul.of(spots, standing, possible, USD, feeder)
    wanted = sorted(data.draw(st.sets(st.sampled_from(sorted(spots["site_id"])), min_size=1)))
    wanted = [site for site in wanted if net.node_of[site] >= 0]
    forest = feeders(wanted, net)
    assert wanted == list(dict.fromkeys(forest.index.get_level_values("site_id")))
    for site in wanted:
        way = forest.loc[site]
        assert len(way) <= feeder.max_hops
        assert way["from_id"].iloc[0] == site
        assert way["to_id"].iloc[:-1].tolist() == way["from_id"].iloc[1:].tolist()
        assert way["to_id"].iloc[-1] in set(standing["site_id"])
        for pair in zip(way["from_id"], way["to_id"], strict=True):
            assert (*pair, "microwave") in possible.index or \
                (*pair[::-1], "microwave") in possible.index
    turned = hops(spots.iloc[::-1], standing.iloc[::-1], hills, None, feeder)
    pd.testing.assert_frame_equal(possible, turned)
    again = Backhaul.of(spots.iloc[::-1], standing.iloc[::-1], turned, USD, feeder)
    pd.testing.assert_frame_equal(forest, feeders(wanted, again))
