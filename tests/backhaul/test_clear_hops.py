"""Plans over hills: every hop that is chosen is clear by hand, every feeder is paid."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.backhaul import Backhaul, Feeder, feeders, hops, own_feeders
from phusong.cost import price, settle
from phusong.plan import Goal, optimise_connected
from shapely import Point

from .test_backhaul import CRS, NORTH, SIZE, STEP, USD, WEST, land, masts

EARTH_M = 6_371_000.0


def hills(chance: np.random.Generator) -> np.ndarray:
    """A few ridges and peaks up to some hundred metres."""
    row, column = np.mgrid[0:SIZE, 0:SIZE] * STEP / 1000.0
    heights = np.full((SIZE, SIZE), 20.0)
    for _ in range(25):
        y, x, width, tall = chance.uniform([20, 20, 1, 10], [60, 60, 6, 90])
        heights += tall * np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2.0 * width ** 2))
    return heights


def clearance(heights: np.ndarray, a: np.ndarray, b: np.ndarray, tops: tuple[float, float],
              ghz: float, k: float) -> float:
    """Return the least clearance over a path, in radii of the first Fresnel zone.

    a, b: metres east and south of the corner; antennas at `tops` metres above the ground.
    """
    far = float(np.hypot(*(b - a)))
    part = np.linspace(0.0, 1.0, 400)[1:-1]
    east, south = (a[i] + part * (b[i] - a[i]) for i in (0, 1))

    def ground(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Between the four centres of pixels around, in proportion."""
        u, v = x / STEP - 0.5, y / STEP - 0.5
        i, j = np.floor(v).astype(int), np.floor(u).astype(int)
        p, q = v - i, u - j
        return (heights[i, j] * (1 - p) * (1 - q) + heights[i + 1, j] * p * (1 - q)
                + heights[i, j + 1] * (1 - p) * q + heights[i + 1, j + 1] * p * q)

    first, last = (float(ground(*np.atleast_2d(end).T)[0]) + top
                   for end, top in zip((a, b), tops, strict=True))
    line = first + part * (last - first)
    bulge = far ** 2 * part * (1.0 - part) / (2.0 * k * EARTH_M)
    radius = np.sqrt(0.299792458 / ghz * far * part * (1.0 - part))
    return float(((line - ground(east, south) - bulge) / radius).min())


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 2 ** 32 - 1), st.integers(5, 12))
def test_every_hop_of_a_plan_is_clear_and_every_feeder_is_paid(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    heights = hills(chance)
    at = chance.uniform(22.0, 58.0, (count + 1, 2))
    standing = masts({"N": tuple(at[0])}, "standing")
    spots = masts({f"H{i}": tuple(p) for i, p in enumerate(at[1:])}, "candidate").assign(
        technology="LTE", place="hilltop")
    feeder = Feeder(media=("microwave", "satellite"), rain_mm_per_h=40.0)
    possible = hops(spots, standing, land(heights), None, feeder)
    net = Backhaul.of(spots, standing, possible, USD, feeder)
    costs = price(spots, None, USD, feeders=own_feeders(net))
    names = [f"p{i}" for i in range(count)]
    gaps = gpd.GeoDataFrame({"kind": "school", "learners": chance.integers(50, 500, count) * 1.0},
                            geometry=[Point(WEST, NORTH)] * count, crs=CRS,
                            index=pd.Index(names, name="point_id"))
    reach = pd.DataFrame(
        {"received_dbm": -60.0, "free_space_dbm": -60.0, "technology": "LTE",
         "frequency_mhz": 945.0, "distance_m": 1000.0, "operator": "x"},
        index=pd.MultiIndex.from_tuples([(p, f"H{i}-1") for i, p in enumerate(names)],
                                        names=["point_id", "cell_id"]))
    budget = float(chance.uniform(0.3, 1.0)) * costs["present_value_base"].sum()
    best = optimise_connected(gaps, spots, reach, costs, Goal(budget=budget, max_sites=None),
                              net.network, net.node_of, gap=0.0, seconds=10.0)
    forest = feeders(best.plan, net)
    where = dict(zip(["N", *spots["site_id"]], at * 1000.0, strict=True))
    for _, hop in forest[forest["medium"] == "microwave"].iterrows():
        ends = where[hop["from_id"]], where[hop["to_id"]]
        tops = 30.0, 60.0 if hop["to_id"] == "N" else 30.0
        for k, least in ((4.0 / 3.0, 0.6), (0.6, 0.0)):
            clear = clearance(heights, *ends, tops, hop["band_ghz"], k)
            assert clear >= least - 0.05, "sampled every 100 m here, by pixel there"
    assert (forest["cost"] > 0.0).all(), "no hop and no satellite is free"
    bills = settle(costs, forest, USD)["present_value_base"].groupby(level="site_id").sum()
    assert bills.loc[best.plan["site_id"]].sum() == pytest.approx(best.solution.cost)
    own = forest[(forest["paid_by"] == forest.index.get_level_values("site_id")).to_numpy()]
    assert not own.duplicated(["from_id", "to_id"]).any(), "each hop is paid once"
    assert set(forest["paid_by"]) <= set(best.plan["site_id"])
    assert best.solution.cost <= budget
