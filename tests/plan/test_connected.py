"""Plans with feeders against every forest there is: cheapest way, budget, bound, one payer."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan.aim import Aim
from phusong.plan.bound import prefix_bounds
from phusong.plan.connected import Connected, Grown, grow, replay, share_free
from phusong.plan.connected_build import improve_connected
from phusong.plan.connected_exact import prove
from phusong.plan.connected_search import joinable, solve_connected
from phusong.plan.greedy import greedy
from phusong.plan.network import Forest, Network
from phusong.plan.problem import Problem

from .connected_instances import all_forests, best_value, connected_cases, networks


def check_single_ways(network: Network) -> None:
    """Joining one node costs what the cheapest of all forests costs."""
    forests = all_forests(network)
    prices = Forest(network).prices()
    for v in np.flatnonzero(~network.standing):
        best = min((money + sum(network.relay_values[m, 1] for m in masts if m != v)
                    for money, joined, masts in forests if v in joined), default=np.inf)
        assert prices[v] == best
    for v in np.flatnonzero(np.isfinite(prices)):
        forest = Forest(network)
        steps = forest.join(int(v))
        assert network.values(steps)[1] == prices[v]
        assert network.values(steps)[0] <= prices[v] <= network.values(steps)[2]
        assert forest.prices()[v] == 0.0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(networks(most_places=3))
def test_the_cheapest_way_alone_is_the_cheapest_of_all_forests(network: Network) -> None:
    check_single_ways(network)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(networks())
def test_the_cheapest_way_alone_on_larger_networks(network: Network) -> None:
    check_single_ways(network)


def walks(case: Connected, grown: Grown) -> None:
    """Every site reaches a standing mast or the sky over hops that exist, never too many."""
    for j in grown.order:
        node = int(case.node[j])
        way = grown.forest.way(node) if node >= 0 else ()
        at, radio = node, 0
        for step in way:
            assert step.start == at
            if step.hop >= 0:
                assert {step.start, step.end} == set(case.network.ends[step.hop].tolist())
                radio += not case.network.fibre[step.hop]
            at = step.end
        assert radio <= case.network.max_hops
        assert node < 0 or at == -1 or case.network.standing[at]


def check_grown(case: Connected, budget: int, most: int) -> None:
    """A grown plan is whole, within its limits, and below the optimum, which is below the bound."""
    grown = grow(case, budget=float(budget), max_sites=most)
    order = grown.order
    walks(case, grown)
    spent = case.problem.costs[order].sum() + grown.hops[:, 1].sum()
    assert spent <= budget
    assert spent == pytest.approx(case.cost(grown.forest, order)), "every hop is paid once"
    assert len(order) <= most
    assert grown.value == case.problem.value(order)
    groups = [g for g in case.problem.groups[order] if g >= 0]
    assert len(groups) == len(set(groups))
    optimum = best_value(case, float(budget), most)
    assert grown.value <= optimum
    free = share_free(case)
    whole, _ = greedy(free)
    assert prefix_bounds(free, whole, np.array([float(budget)]))[0] >= optimum
    assert not len(order) or prefix_bounds(free, whole, np.array([spent]))[0] >= grown.value


@settings(max_examples=40, deadline=None, derandomize=True)
@given(connected_cases(most_places=3), st.integers(1, 25), st.integers(1, 4))
def test_a_grown_plan_keeps_its_promises(case: Connected, budget: int, most: int) -> None:
    check_grown(case, budget, most)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(connected_cases(), st.integers(1, 25), st.integers(1, 4))
def test_larger_grown_plans_keep_their_promises(case: Connected, budget: int, most: int) -> None:
    check_grown(case, budget, most)


def chain(own: float = 10.0) -> Connected:
    """Mast 2; place 0 beside it, place 1 behind place 0. Sites 0 and 1 gain 5 each, site 2 gains
    6 at the other end of nowhere for 24."""
    network = Network(np.array([False, False, True]), np.array([[0, 2], [0, 1]]),
                      np.zeros(2, bool), np.full((2, 3), 8.0), np.full((3, 3), 4.0),
                      np.full((3, 3), np.inf), 3)
    problem = Problem.of([0, 1, 2, 3], [0, 1, 2], [5, 5, 6], [own, own, 24.0])
    return Connected(problem, network, np.array([0, 1, -1]))


def test_a_hop_is_paid_by_the_first_who_needs_it() -> None:
    grown = grow(chain())
    assert grown.order.tolist() == [0, 1, 2]
    assert grown.hops[:, 1].tolist() == [8.0, 8.0, 0.0]
    alone = Forest(chain().network).prices()
    assert alone.tolist() == [8.0, 20.0, 0.0], "two hops and a relay between them"
    behind = grow(chain(), first=np.array([1]))
    assert behind.hops[:, 1].tolist() == [20.0, 0.0, 0.0], "the relay's mast carries the site"
    assert Counter(s.hop for s in behind.forest.towards.values()) == {0: 1, 1: 1}


def test_ties_are_settled_by_gain_then_cost_then_number() -> None:
    problem = Problem.of([0, 1, 2, 3], [0, 1, 2], [4, 2, 2], [2.0, 1.0, 1.0])
    free = Connected(problem, chain().network, np.full(3, -1))
    assert grow(free).order.tolist() == [0, 1, 2]


def test_broken_networks_are_refused() -> None:
    case = chain()
    with pytest.raises(InputError, match="no way"):
        Forest(Network(np.array([False, True]), np.zeros((0, 2), np.int64), np.zeros(0, bool),
                       np.zeros((0, 3)), np.zeros((2, 3)), np.full((2, 3), np.inf), 3)).join(0)
    with pytest.raises(InputError, match="node number 7"):
        Connected(case.problem, case.network, np.array([0, 7, -1]))
    with pytest.raises(InputError, match="not be negative"):
        Network(case.network.standing, case.network.ends, case.network.fibre,
                -case.network.hop_values, case.network.relay_values,
                case.network.satellite_values, 3)


def check_exact(case: Connected, budget: int, most: int) -> None:
    """The programme over layers finds the optimum of all forests, with a forest that is paid."""
    proof = prove(case, Aim(budget=float(budget), max_sites=most), seconds=60.0)
    optimum = best_value(case, float(budget), most)
    assert proof.bound == optimum
    if optimum:
        assert proof.grown is not None
        assert proof.grown.value == optimum
        walks(case, proof.grown)
        assert case.cost(proof.grown.forest, proof.grown.order) <= budget + 1e-6


@settings(max_examples=40, deadline=None, derandomize=True)
@given(connected_cases(most_places=3), st.integers(1, 25), st.integers(1, 4))
def test_the_programme_is_exact(case: Connected, budget: int, most: int) -> None:
    check_exact(case, budget, most)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(connected_cases(), st.integers(1, 25), st.integers(1, 4))
def test_the_programme_is_exact_on_larger_cases(case: Connected, budget: int, most: int) -> None:
    check_exact(case, budget, most)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(connected_cases(most_places=3), st.integers(1, 25), st.integers(1, 4))
def test_the_search_is_within_its_limits_and_proven(case: Connected, budget: int, most: int
                                                    ) -> None:
    optimum, aim = best_value(case, float(budget), most), Aim(float(budget), most)
    small, site_of = joinable(case)
    plan = improve_connected(small, aim, rounds=8)
    assert plan is not None
    walks(small, plan)
    assert small.cost(plan.forest, plan.order) <= budget + 1e-9
    assert small.problem.value(plan.order) == plan.value <= optimum
    found, solution = solve_connected(case, aim, seconds=20.0, gap=0.0)
    walks(case, found)
    assert solution.value == solution.bound == optimum
    assert solution.cost <= budget + 1e-6
    again = improve_connected(small, aim, rounds=8)
    assert again is not None
    assert again.order.tolist() == plan.order.tolist()
    assert (np.diff(site_of) > 0).all()


def test_a_plan_made_as_a_whole_buys_no_relay_where_a_site_of_it_stands() -> None:
    case = chain()
    behind = grow(case, first=np.array([1]), max_sites=2)
    assert case.cost(behind.forest, behind.order) == 20 + 16 + 4
    whole = replay(case, behind.order, behind.forest.towards)
    assert case.cost(whole.forest, whole.order) == 20 + 16
    assert whole.hops[:, 1].tolist() == [8.0, 8.0]
    assert whole.forest.prices().tolist() == [0.0, 0.0, 0.0]


def test_a_site_whose_fibre_another_one_shuts_out_goes_first() -> None:
    """Place 1 has fibre over place 0 only; once 0 hangs on free microwave, nothing leads to 1."""
    network = Network(np.array([False, False, True]), np.array([[0, 1], [0, 2], [0, 2]]),
                      np.array([True, False, True]), np.outer([0.0, 0.0, 4.0], [1, 1, 1]),
                      np.full((3, 3), np.inf), np.full((3, 3), np.inf), 3)
    case = Connected(Problem.of([0, 1, 2], [0, 1], [5, 4], [2.0, 2.0]), network, np.array([0, 1]))
    assert grow(case).order.tolist() == [0], "by weight per cost alone"
    both = grow(case, must=np.array([0, 1]), max_sites=2)
    assert sorted(both.order) == [0, 1]
    assert case.cost(both.forest, both.order) == 8.0
    for aim in (Aim(max_sites=2), Aim(8.0), Aim.covering(np.array([0, 1]), 2)):
        plan, found = solve_connected(case, aim, gap=0.0, seconds=20.0)
        walks(case, plan)
        assert sorted(plan.order) == [0, 1]
        assert found.cost == 8.0
    tight, found = solve_connected(case, Aim(7.0), gap=0.0, seconds=20.0)
    assert (tight.order.tolist(), found.bound) == ([0], 5.0)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(connected_cases(most_places=3), st.integers(1, 4))
def test_without_a_budget_only_the_number_of_sites_counts(case: Connected, most: int) -> None:
    plan, solution = solve_connected(case, Aim(max_sites=most), gap=0.0, seconds=20.0)
    walks(case, plan)
    assert len(plan.order) <= most
    assert plan.value == solution.value == solution.bound == best_value(case, np.inf, most)
