"""`rank` on tables: counts, ties, places, satellites, weights, broken input."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import Goal, curve, rank, weights
from phusong.tables import PLAN, faults
from pydantic import ValidationError
from shapely import Point

STRONG, WEAK = -80.0, -130.0
PLAIN = Goal(poor_weight=0.0, near_poor_weight=0.0, max_sites=None)


def gaps_of(learners: dict[str, float], **columns: object) -> gpd.GeoDataFrame:
    names = list(learners)
    return gpd.GeoDataFrame(
        {"kind": "school", "name": names, "learners": list(learners.values()), **columns},
        geometry=[Point(1000.0 * i, 0.0) for i in range(len(names))], crs="EPSG:32648",
        index=pd.Index(names, name="point_id"))


def spots_of(sites: dict[str, tuple[float, float]], technology: dict[str, str] | None = None,
             **columns: object) -> gpd.GeoDataFrame:
    names = list(sites)
    kinds = technology or {}
    return gpd.GeoDataFrame(
        {"site_id": names, "status": "candidate", "intervention": "macro", "place": "hilltop",
         "technology": [kinds.get(n, "LTE") for n in names], **columns},
        geometry=[Point(*xy) for xy in sites.values()], crs="EPSG:32648",
        index=pd.Index([f"{n}-1" for n in names], name="cell_id"))


def reach_of(pairs: dict[str, str], level: float = STRONG) -> pd.DataFrame:
    """`pairs`: site -> the points it reaches, each one letter."""
    rows = [(p, f"{s}-1") for s, points in pairs.items() for p in points]
    index = pd.MultiIndex.from_tuples(rows, names=["point_id", "cell_id"])
    return pd.DataFrame({"operator": "shared", "technology": "LTE", "frequency_mhz": 945.0,
                         "received_dbm": level, "free_space_dbm": level}, index=index)


def costs_of(money: dict[str, float]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([(s, "site") for s in money], names=["site_id", "item"])
    value = np.array(list(money.values()))
    return pd.DataFrame({"present_value_low": 0.5 * value, "present_value_base": value,
                         "present_value_high": 2.0 * value, "currency": "USD"}, index=index)


THREE = {"A": (0.0, 0.0), "B": (500.0, 0.0), "C": (900.0, 0.0)}


def test_counts_of_a_case_worked_by_hand() -> None:
    """A reaches p q (300), B reaches q r (250), C reaches r (50): A first, then B with r only."""
    gaps = gaps_of({"p": 100.0, "q": 200.0, "r": 50.0}, learners_poor=[10.0, 20.0, 5.0],
                   learners_near_poor=[1.0, np.nan, 2.0])
    plan = rank(gaps, spots_of(THREE), reach_of({"A": "pq", "B": "qr", "C": "r"}),
                costs_of({"A": 2e6, "B": 1e6, "C": 4e6}), PLAIN)
    assert faults(plan, PLAN) == []
    assert plan["site_id"].tolist() == ["B", "A"]
    assert plan["students_gained"].tolist() == [250.0, 100.0]
    assert plan["students_total"].tolist() == [250.0, 300.0]
    assert plan["students_exclusive"].tolist() == [50.0, 100.0]
    assert plan["poor_students_gained"].tolist() == [27.0, 11.0]
    assert plan["points_gained"].tolist() == [2, 1]
    assert plan["students_per_cost"].tolist() == [250.0, 50.0]
    assert plan["cumulative_students"].tolist() == [250.0, 350.0]
    assert plan["cumulative_cost"].tolist() == [1e6, 3e6]
    assert plan["cost_high"].tolist() == [2e6, 4e6]
    assert plan["bound"].tolist() == [250.0, 350.0]


def test_budget_takes_the_large_site_that_beats_the_order() -> None:
    """Per cost B is best, but its cost leaves no room for A, which alone gains far more."""
    gaps = gaps_of({"p": 1000.0, "q": 20.0})
    case = (gaps, spots_of({"A": (0.0, 0.0), "B": (500.0, 0.0)}),
            reach_of({"A": "p", "B": "q"}), costs_of({"A": 100.0, "B": 1.0}))
    plan = rank(*case, PLAIN.model_copy(update={"budget": 100.0}))
    assert plan["site_id"].tolist() == ["A"]
    assert plan["cumulative_cost"].iloc[-1] <= 100.0
    assert curve(*case, PLAIN.model_copy(update={"budget": 100.0}))["site_id"].tolist() == \
        ["B", "A"]


def test_links_too_weak_for_the_definition_do_not_count() -> None:
    gaps = gaps_of({"p": 10.0})
    plan = rank(gaps, spots_of({"A": (0.0, 0.0)}), reach_of({"A": "p"}, WEAK),
                costs_of({"A": 1.0}), PLAIN)
    assert plan.empty
    assert faults(plan, PLAN) == []


def test_variants_at_one_place_are_not_both_built() -> None:
    """Two variants at the same position; with one_per_place the second never comes."""
    gaps = gaps_of({"p": 10.0, "q": 10.0})
    case = (gaps, spots_of({"A": (0.0, 0.0), "B": (0.2, 0.0)}),
            reach_of({"A": "p", "B": "pq"}), costs_of({"A": 1.0, "B": 3.0}))
    assert rank(*case, PLAIN)["site_id"].tolist() == ["A"]
    both = rank(*case, PLAIN.model_copy(update={"one_per_place": False}))
    assert both["site_id"].tolist() == ["A", "B"]
    assert both["students_gained"].tolist() == [10.0, 10.0]
    named = spots_of({"A": (0.0, 0.0), "B": (9000.0, 0.0)}, variant_of=["X", "X"])
    assert len(rank(gaps, named, *case[2:], PLAIN)) == 1


def test_satellites_come_last_unless_they_may_compete() -> None:
    gaps = gaps_of({"p": 10.0, "q": 10.0})
    spots = spots_of({"A": (0.0, 0.0), "T": (5.0, 0.0), "U": (9.0, 0.0)},
                     {"T": "SAT", "U": "SAT"})
    case = (gaps, spots, reach_of({"A": "p", "T": "p", "U": "q"}),
            costs_of({"A": 10.0, "T": 1.0, "U": 5.0}))
    assert rank(*case, PLAIN)["site_id"].tolist() == ["U", "A"]
    free = rank(*case, PLAIN.model_copy(update={"satellite": "compete"}))
    assert free["site_id"].tolist() == ["T", "U"]
    assert rank(*case, PLAIN.model_copy(update={"satellite": "never"}))["site_id"].tolist() == ["A"]
    assert (free["cost_total"] > 0).all()


def test_weights_by_hand() -> None:
    points = gaps_of({"p": 100.0, "q": np.nan, "r": 0.0}, learners_poor=[10.0, np.nan, 0.0],
                     learners_near_poor=[4.0, 1.0, 0.0], priority=[2.0, 3.0, np.nan],
                     lockdown_from=pd.to_datetime(["2021-09-01", None, None]))
    goal = Goal(poor_weight=2.0, near_poor_weight=0.5, lockdown_weight=1.0, point_weight=7.0)
    assert weights(points, goal).tolist() == [2.0 * (100 + 20 + 2 + 100), 21.0, 7.0]
    before = goal.model_copy(update={"lockdown_on": pd.Timestamp("2021-08-01").date()})
    assert weights(points, before).iloc[0] == 2.0 * (100 + 20 + 2)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_no_student_twice_and_row_order_changes_nothing(data: st.DataObject) -> None:
    points, sites = "pqrstuv", "ABCDEF"
    gaps = gaps_of({p: float(data.draw(st.integers(0, 90))) for p in points})
    spots = spots_of({s: (700.0 * i, 0.0) for i, s in enumerate(sites)})
    reach = reach_of({s: "".join(sorted(data.draw(st.sets(st.sampled_from(points)))))
                      for s in sites})
    costs = costs_of({s: float(data.draw(st.integers(1, 5))) for s in sites})
    plan = rank(gaps, spots, reach, costs, PLAIN)
    reached = reach.index.get_level_values("point_id").unique()
    assert plan["students_gained"].sum() == gaps.loc[reached, "learners"].sum()
    assert (plan["students_exclusive"] <= plan["students_gained"]).all()
    assert (plan["students_gained"] <= plan["students_total"]).all()
    assert (plan["cumulative_weight"] <= plan["bound"] + 1e-9).all()
    other = rank(*(frame.sample(frac=1.0, random_state=3) for frame in (gaps, spots, reach, costs)),
                 PLAIN)
    pd.testing.assert_frame_equal(plan, other)


def test_tables_that_do_not_belong_together_are_refused_with_all_faults() -> None:
    gaps, spots = gaps_of({"p": 1.0}), spots_of(THREE)
    with pytest.raises(InputError) as caught:
        rank(gaps, spots, reach_of({"A": "px", "Z": "p"}), costs_of({"A": 1.0, "B": 1.0}), PLAIN)
    assert {f.code for f in caught.value.faults} == {"unknown_cell", "unknown_point", "no_price"}


def test_goal_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match='Did you mean "poor_weight"'):
        Goal(poor_wieght=2.0)
    with pytest.raises(ValidationError, match="satellite"):
        Goal(satellite="first")
