"""Operators on shared masts against trying every set of operators on every mast."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import Goal, optimise, rank, tenants
from phusong.plan.tenants import TENANT
from phusong.tables import POINTS, faults
from test_optimise_tables import tables

SHARES = {"Viettel": 0.5, "Mobi": 0.25}
SETS = [(), ("Viettel",), ("Mobi",), ("Mobi", "Viettel")]


def goal(budget: float) -> Goal:
    return Goal(method="optimise", budget=budget, max_sites=None, poor_weight=0.0,
                near_poor_weight=0.0)


@st.composite
def cases(draw) -> tuple[dict, dict, float]:
    learners = {p: float(4 * draw(st.integers(1, 15))) for p in "pqr"}
    sites = {s: ("".join(sorted(draw(st.sets(st.sampled_from("pqr"), min_size=1)))),
                 float(draw(st.integers(3, 9)))) for s in "ABC"}
    return learners, sites, float(draw(st.integers(1, 3)))


def best(learners: dict, sites: dict, extra: float, budget: float, shared: bool) -> float:
    """Every choice of operators for every mast: the most learners that a budget reaches."""
    found = 0.0
    for choice in itertools.product(SETS, repeat=len(sites)):
        money = sum((cost + extra * (len(own) - 1)) if shared else cost * len(own)
                    for own, (_, cost) in zip(choice, sites.values(), strict=True) if own)
        if money <= budget:
            served = {(p, name) for own, (points, _) in zip(choice, sites.values(), strict=True)
                      for name in own for p in points}
            found = max(found, sum(learners[p] * SHARES[name] for p, name in served))
    return found


@settings(max_examples=12, deadline=None, derandomize=True)
@given(cases(), st.integers(4, 30), st.booleans())
def test_shared_masts_equal_brute_force(case: tuple[dict, dict, float], budget: int,
                                        shared: bool) -> None:
    learners, sites, extra = case
    made = tenants(*tables(learners, sites), SHARES, equipment=(extra, extra, extra),
                   share_masts=shared)
    found = optimise(*made, goal(float(budget)), gap=0.0)
    want = best(learners, sites, extra, float(budget), shared)
    assert found.solution.value == found.solution.bound == want
    assert found.plan["students_gained"].sum() == pytest.approx(want)
    assert found.plan["cost_total"].sum() <= budget


def test_sharing_is_worth_the_second_mast() -> None:
    """One mast of 10 serves both for 12; apart they need 20."""
    given_ = tables({"p": 100.0}, {"A": ("p", 10.0)})
    both = [optimise(*tenants(*given_, SHARES, equipment=(1.0, 2.0, 3.0), share_masts=shared),
                     Goal(method="optimise", cover="all", max_sites=None)) for shared in
            (True, False)]
    assert [b.solution.value for b in both] == [12.0, 20.0]
    assert both[0].plan["site_id"].tolist() == ["A|Mobi+Viettel"]
    assert both[0].plan["cost_high"].tolist() == [13.0]
    assert sorted(both[1].plan["site_id"]) == ["A|Mobi", "A|Viettel"]


def test_tables_stay_tables_and_a_terminal_serves_everybody() -> None:
    gaps, spots, reach, costs = tables({"p": 100.0, "q": 8.0}, {"A": ("p", 10.0),
                                                               "T": ("q", 4.0)})
    gaps["learners"] = [100.0, None]
    spots.loc["T-1", "technology"] = "SAT"
    reach = reach.assign(technology=["SAT" if c == "T-1" else "LTE"
                                     for c in reach.index.get_level_values("cell_id")])
    made = tenants(gaps, spots, reach, costs, SHARES, equipment=(1.0, 2.0, 3.0))
    assert not [f for f in faults(made[0], POINTS) if f.severity == "error"]
    assert made[0].loc["q|Viettel", "priority"] == 0.5
    assert made[0].loc["p|Mobi", "learners"] == 25.0
    assert sorted(made[1]["site_id"]) == ["A|Mobi", "A|Mobi+Viettel", "A|Viettel",
                                          "T|Mobi+Viettel"]
    assert ("T|Mobi+Viettel", TENANT) not in made[3].index
    plan = rank(*made, Goal(max_sites=None))
    assert plan.set_index("site_id").loc["T|Mobi+Viettel", "points_gained"] == 2
    assert plan["cost_total"].gt(0).all()


@pytest.mark.parametrize(("shares", "equipment"), [
    ({}, (1, 2, 3)), ({"a": 0.7, "b": 0.7}, (1, 2, 3)), ({"a": 0.0}, (1, 2, 3)),
    ({"a": 0.5}, (3, 2, 1)), (dict.fromkeys("abcde", 0.1), (1, 2, 3))])
def test_impossible_shares_are_refused(shares: dict, equipment: tuple) -> None:
    with pytest.raises(InputError):
        tenants(*tables({"p": 1.0}, {"A": ("p", 1.0)}), shares, equipment=equipment)
