"""Floors, order of priority and expected learners on tables, against trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError, UnknownNameError
from phusong.plan import Goal, optimise, rank
from phusong.plan.goal import Floor
from phusong.plan.reach import covering_problem
from phusong.service import levels
from phusong.tables import PLAN, faults
from pydantic import ValidationError
from test_optimise_tables import LEARNERS, PLAIN, SITES, tables

quick = settings(max_examples=15, deadline=None, derandomize=True)


def goal(**given: object) -> Goal:
    return Goal(**{"method": "optimise", "max_sites": None, **PLAIN, **given})


def with_provinces() -> tuple:
    """Province 1 holds p q r s, province 2 only t, which costs as much as p and q together."""
    gaps, *rest = tables(LEARNERS, SITES)
    return gaps.assign(province_code=["1", "1", "1", "1", "2"]), *rest


def test_a_floor_is_kept_and_its_price_told() -> None:
    """Without the floor A and B give 220 for 20; with it L (t) leaves money for G only."""
    tables_ = with_provinces()
    found = optimise(*tables_, goal(budget=20.0, floors=[Floor(by="province_code", share=0.5)]))
    assert sorted(found.plan["site_id"]) == ["G", "L"]
    assert found.solution.stopped == "optimal"
    assert found.solution.value == found.solution.bound == 125.0
    assert found.price_of_floors == (95.0, 95.0)
    assert [(d.name, d.asked, d.reached) for d in found.demands] == [
        ("province_code = 1", 110.0, 120.0), ("province_code = 2", 2.5, 5.0)]
    assert "the 2 floors cost 95 to 95" in str(found)
    assert found.as_dict()["price_of_floors"] == [95.0, 95.0]


def test_floors_that_cost_nothing() -> None:
    found = optimise(*with_provinces(), goal(
        budget=20.0, floors=[Floor(by="province_code", only="1", share=0.9)]))
    assert sorted(found.plan["site_id"]) == ["A", "B"]
    assert found.price_of_floors == (0.0, 0.0)


def test_a_floor_beyond_the_budget_names_the_money() -> None:
    found = optimise(*with_provinces(), goal(
        budget=8.0, floors=[Floor(by="province_code", only="2")]))
    assert found.solution.stopped == "infeasible"
    assert found.plan.empty
    assert found.money_for_floors == (9.0, 9.0)
    assert "the floors need at least 9" in str(found)


def test_a_floor_out_of_reach_names_the_points() -> None:
    gaps, *rest = tables({**LEARNERS, "nobody": 7.0}, SITES)
    gaps = gaps.assign(province_code=["1", "1", "1", "1", "2", "2"])
    asked = {"by": "province_code", "only": "2", "of": "points"}
    found = optimise(gaps, *rest, goal(budget=30.0, floors=[asked]))
    assert found.solution.stopped == "infeasible"
    assert found.unreachable == ("nobody",)
    assert "no money keeps the floors" in str(found)
    near = optimise(gaps, *rest, goal(budget=30.0, floors=[{**asked, "within_reach": True}]))
    assert near.solution.stopped == "optimal"
    assert "L" in set(near.plan["site_id"])


def test_what_comes_first_comes_first_and_no_more() -> None:
    """For 18, r and s alone could be reached by A or B only; first r, s, then the rest."""
    gaps, *rest = tables(LEARNERS, SITES)
    gaps = gaps.assign(priority_area=["I", "I", "III", "III", "III"])
    floor = {"by": "priority_area", "only": "III", "of": "points", "first": True}
    found = optimise(gaps, *rest, goal(budget=19.0, floors=[floor]))
    assert found.plan["site_id"].isin(["A", "B", "L"]).all()
    assert "L" in set(found.plan["site_id"])
    assert found.demands[0].asked == found.demands[0].reached == 2.0
    assert found.solution.value == 115.0
    rich = optimise(gaps, *rest, goal(budget=29.0, floors=[floor]))
    assert sorted(rich.plan["site_id"]) == ["A", "B", "L"]
    assert rich.price_of_floors == (0.0, 0.0)


def test_wrong_floors_are_refused() -> None:
    given_ = with_provinces()
    with pytest.raises(InputError, match="province_code"):
        optimise(*given_, goal(floors=[Floor(by="province_cod")]))
    with pytest.raises(InputError, match="which no gap has"):
        optimise(*given_, goal(floors=[Floor(by="province_code", only=("3",))]))
    with pytest.raises(ValidationError, match="method: optimise"):
        Goal(floors=[Floor(by="province_code")])
    with pytest.raises(ValidationError, match="needs no floors"):
        goal(cover="all", floors=[Floor(by="province_code")])
    with pytest.raises(ValidationError, match="counted together"):
        goal(floors=[Floor(by="a", first=True), Floor(by="a", of="points", first=True)])


def test_a_target_is_covered_at_least_cost() -> None:
    gaps, *rest = tables(LEARNERS, SITES)
    gaps = gaps.assign(targets=["list;other", "list", "", "", ""])
    found = optimise(gaps, *rest, goal(cover="list"))
    assert (list(found.plan["site_id"]), found.objective) == (["G"], "cost")
    everything = optimise(gaps, *rest, goal(cover="all"))
    assert everything.solution.value == 29.0
    with pytest.raises(UnknownNameError, match='Did you mean "list"'):
        optimise(gaps, *rest, goal(cover="lists"))


def test_kept_and_effort_of_the_goal_count() -> None:
    found = optimise(*tables(LEARNERS, SITES), goal(budget=20.0, kept=["L"], gap=0.5))
    assert "L" in set(found.plan["site_id"])


@st.composite
def chances(draw) -> tuple[tuple, np.ndarray]:
    """Tables whose links have levels around the one that is needed, and their probabilities."""
    learners = {p: float(draw(st.integers(1, 60))) for p in "pqrs"}
    sites = {s: ("".join(sorted(draw(st.sets(st.sampled_from("pqrs"), min_size=1)))),
                 float(draw(st.integers(2, 9)))) for s in "ABCD"}
    gaps, spots, reach, costs = tables(learners, sites)
    level = draw(st.lists(st.integers(-118, -95), min_size=len(reach), max_size=len(reach)))
    return (gaps, spots, reach.assign(received_dbm=np.array(level, float)), costs)


@quick
@given(chances(), st.integers(3, 25))
def test_expected_learners_equal_brute_force(case: tuple, budget: int) -> None:
    """Every set of sites: each learner counts by the best probability, in steps rounded down."""
    gaps, _, reach, costs = case
    want = goal(budget=float(budget), counts="expected")
    chance = levels(reach, want.need)["probability"]
    floor = np.floor(chance * 20 + 1e-12) / 20
    by = floor.reset_index()
    by["site"] = by["cell_id"].str[0]
    money = costs["present_value_base"].groupby(level="site_id").sum()
    best = 0.0
    for size in range(5):
        for chosen in itertools.combinations("ABCD", size):
            if money[list(chosen)].sum() <= budget:
                top = by[by["site"].isin(chosen)].groupby("point_id")["probability"].max()
                best = max(best, float((gaps["learners"].reindex(top.index) * top).sum()))
    found = optimise(*case, want)
    slack = 0.5 / 1024 * 20 * len(gaps)
    assert found.solution.stopped == "optimal"
    assert found.solution.value == pytest.approx(best, abs=slack)
    assert found.plan["students_gained"].sum() == pytest.approx(best, abs=slack)
    assert not faults(found.plan, PLAN)


def test_expected_learners_count_what_is_new_only() -> None:
    gaps, spots, reach, costs = tables({"p": 100.0}, {"A": ("p", 1.0)})
    want = goal(counts="expected")
    chance = float(levels(reach, want.need)["probability"].iloc[0])
    assert chance > 0.99
    free = rank(gaps, spots, reach, costs, Goal(counts="expected", **PLAIN))
    assert free["students_gained"].tolist() == pytest.approx([95.0])
    assert free["points_gained"].tolist() == [1]
    today = optimise(gaps.assign(probability=0.4), spots, reach, costs, want)
    assert today.plan["students_gained"].tolist() == pytest.approx([55.0])


def test_expected_levels_close_a_gap_where_it_would_be_covered() -> None:
    """points_gained of the plan of expected learners counts gaps that become covered."""
    gaps, spots, reach, costs = tables({"p": 10.0, "q": 10.0}, {"A": ("p", 1.0), "B": ("q", 1.0)})
    weak = reach["received_dbm"].to_numpy(float).copy()
    weak[1] = -109.0
    reach = reach.assign(received_dbm=weak)
    plan = rank(gaps, spots, reach, costs, Goal(counts="expected", **PLAIN))
    assert plan.set_index("site_id")["points_gained"].to_dict() == {"A": 1, "B": 0}
    case = covering_problem(gaps, spots, reach, costs, Goal(counts="expected", **PLAIN))
    assert case.part.sum() == pytest.approx(
        case.problem.weights.sum() / 10.0, abs=1e-2)
    assert isinstance(case.points, pd.DataFrame)
