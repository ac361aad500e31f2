"""`optimise` on tables: names, kept sites, what cannot be reached, broken input."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from phusong.errors import InputError, UnknownNameError
from phusong.plan import Goal, rank
from phusong.plan.optimise import optimise
from phusong.tables import PLAN, faults
from shapely import Point

STRONG = -80.0
PLAIN = {"poor_weight": 0.0, "near_poor_weight": 0.0}


def tables(learners: dict[str, float], sites: dict[str, tuple[str, float]]) -> tuple:
    """gaps, spots, reach, costs; `sites`: name -> the points it reaches, its cost."""
    gaps = gpd.GeoDataFrame(
        {"kind": "school", "name": list(learners), "learners": list(learners.values())},
        geometry=[Point(1000.0 * i, 0.0) for i in range(len(learners))], crs="EPSG:32648",
        index=pd.Index(list(learners), name="point_id"))
    names = list(sites)
    spots = gpd.GeoDataFrame(
        {"site_id": names, "status": "candidate", "intervention": "macro", "place": "hilltop",
         "technology": "LTE"}, geometry=[Point(300.0 * i, 500.0) for i in range(len(names))],
        crs="EPSG:32648", index=pd.Index([f"{n}-1" for n in names], name="cell_id"))
    rows = [(p, f"{s}-1") for s, (points, _) in sites.items() for p in points]
    reach = pd.DataFrame(
        {"operator": "shared", "technology": "LTE", "frequency_mhz": 945.0,
         "received_dbm": STRONG, "free_space_dbm": STRONG},
        index=pd.MultiIndex.from_tuples(rows, names=["point_id", "cell_id"]))
    value = np.array([money for _, money in sites.values()])
    costs = pd.DataFrame(
        {"present_value_low": value, "present_value_base": value, "present_value_high": value,
         "currency": "USD"},
        index=pd.MultiIndex.from_tuples([(s, "site") for s in names], names=["site_id", "item"]))
    return gaps, spots, reach, costs


LEARNERS = {"p": 60.0, "q": 60.0, "r": 50.0, "s": 50.0, "t": 5.0}
SITES = {"A": ("pr", 10.0), "B": ("qs", 10.0), "G": ("pq", 9.0), "L": ("t", 9.0)}


def test_better_than_greedy_where_greedy_is_caught() -> None:
    """G gains most per cost, and then no second site fits; A and B are the best plan."""
    goal = Goal(budget=20.0, max_sites=None, **PLAIN)
    given = tables(LEARNERS, SITES)
    assert rank(*given, goal)["cumulative_weight"].iloc[-1] == 170.0
    found = optimise(*given, goal)
    assert sorted(found.plan["site_id"]) == ["A", "B"]
    assert found.solution.value == found.solution.bound == 220.0
    assert found.plan["cumulative_weight"].iloc[-1] == 220.0
    assert not faults(found.plan, PLAN)
    assert found.as_dict()["sites"] == list(found.plan["site_id"])
    assert "weight 220" in str(found)


def test_kept_sites_are_in_the_plan_and_paid() -> None:
    found = optimise(*tables(LEARNERS, SITES), Goal(budget=20.0, max_sites=None, **PLAIN),
                     kept=["L"])
    assert sorted(found.plan["site_id"]) == ["G", "L"]
    assert found.solution.cost == 18.0


def test_cover_of_a_list_at_least_cost() -> None:
    found = optimise(*tables(LEARNERS, SITES), Goal(budget=1.0, max_sites=1, **PLAIN),
                     cover=["p", "q"])
    assert list(found.plan["site_id"]) == ["G"]
    assert (found.solution.value, found.solution.bound, found.solution.stopped) == (9, 9,
                                                                                   "optimal")


def test_points_that_stand_in_the_way_are_named() -> None:
    learners = {**LEARNERS, "nobody": 7.0}
    found = optimise(*tables(learners, SITES), Goal(**PLAIN), cover=list(learners))
    assert found.solution.stopped == "infeasible"
    assert found.unreachable == ("nobody",)
    assert "nobody" in str(found)
    assert found.solution.value == found.solution.bound == 29.0
    assert found.plan["cumulative_points"].iloc[-1] == 5


def test_row_order_changes_nothing() -> None:
    goal = Goal(budget=28.0, max_sites=None, **PLAIN)
    given = tables(LEARNERS, SITES)
    turned = tuple(t.iloc[::-1] for t in given)
    pd.testing.assert_frame_equal(optimise(*given, goal, seed=3).plan,
                                  optimise(*turned, goal, seed=3).plan)


def test_nothing_to_build_is_an_empty_plan() -> None:
    found = optimise(*tables(LEARNERS, SITES), Goal(budget=1.0, **PLAIN))
    assert found.plan.empty
    assert found.solution.value == found.solution.bound == 0.0
    assert found.gap == 0.0


def test_wrong_names_and_numbers_are_refused() -> None:
    given = tables(LEARNERS, SITES)
    with pytest.raises(UnknownNameError, match="candidate site"):
        optimise(*given, Goal(), kept=["LL"])
    with pytest.raises(UnknownNameError, match="gap"):
        optimise(*given, Goal(), cover=["x"])
    with pytest.raises(InputError, match="0 seconds"):
        optimise(*given, Goal(), seconds=0.0)
    with pytest.raises(InputError):
        optimise(*given, Goal(), gap=-0.1)
