"""The optimiser against brute force, for every variant, and against published values."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import branch
from phusong.plan.branch import branch_and_bound
from phusong.plan.decompose import decompose
from phusong.plan.instances import read_instance
from phusong.plan.most import maximise
from phusong.plan.problem import Problem
from phusong.plan.reduce import components, reduce_problem
from phusong.plan.relax import relax
from phusong.plan.search import improve, seeded
from phusong.plan.solution import grain
from plan_instances import allowed, optimum, problems, subsets

quick = settings(max_examples=40, deadline=None, derandomize=True)
TINY = 1e-9


def within(problem: Problem, sites: np.ndarray, budget: float, most: int | None) -> bool:
    return bool(problem.costs[sites].sum() <= budget and len(set(sites)) == len(sites)
                and (most is None or len(sites) <= most) and allowed(problem, tuple(sites)))


@quick
@given(problems(grouped=True), st.integers(0, 30))
def test_budget_equals_brute_force(problem: Problem, budget: int) -> None:
    found = maximise(problem, budget=budget, moves=200)
    assert found.stopped == "optimal"
    assert found.value == found.bound == optimum(problem, budget)
    assert problem.value(found.sites) == found.value
    assert within(problem, found.sites, budget, None)
    assert found.cost == problem.costs[found.sites].sum()


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(problems(grouped=True), st.integers(1, 30), st.sampled_from([None, 1, 2, 3]))
def test_limits_equal_brute_force_many_times(problem: Problem, budget: int,
                                             most: int | None) -> None:
    found = maximise(problem, budget=budget, max_sites=most, moves=50)
    assert found.value == found.bound == optimum(problem, budget, most)
    assert within(problem, found.sites, budget, most)


@quick
@given(problems(grouped=True), st.integers(0, 4))
def test_number_of_sites_equals_brute_force(problem: Problem, most: int) -> None:
    found = maximise(problem, max_sites=most, moves=200)
    assert found.value == found.bound == optimum(problem, max_sites=most)
    assert within(problem, found.sites, np.inf, most)


@quick
@given(problems(grouped=True), st.integers(1, 30), st.integers(1, 3))
def test_both_limits_equal_brute_force(problem: Problem, budget: int, most: int) -> None:
    found = maximise(problem, budget=budget, max_sites=most, moves=200)
    assert found.value == found.bound == optimum(problem, budget, most)
    assert within(problem, found.sites, budget, most)


@quick
@given(problems(grouped=True), st.integers(1, 40), st.data())
def test_kept_sites_equal_brute_force(problem: Problem, budget: int, data: st.DataObject) -> None:
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, problem.sites - 1), max_size=2))),
                    np.int64)
    if problem.costs[kept].sum() > budget or not allowed(problem, tuple(kept)):
        with pytest.raises(InputError):
            maximise(problem, budget=budget, kept=kept)
        return
    found = maximise(problem, budget=budget, kept=kept, moves=200)
    best = max(value for chosen, cost, value in subsets(problem)
               if cost <= budget and set(kept) <= set(chosen))
    assert found.value == found.bound == best
    assert set(kept) <= set(found.sites)
    assert within(problem, found.sites, budget, None)


@quick
@given(problems(grouped=True), st.integers(1, 30))
def test_reductions_keep_the_optimum(problem: Problem, budget: int) -> None:
    kept = reduce_problem(problem, budget=budget)
    assert optimum(kept.problem, budget) == optimum(problem, budget)
    for chosen, cost, value in subsets(kept.problem):
        back = kept.site_of[list(chosen)]
        assert problem.value(back) == value
        assert problem.costs[back].sum() == cost
        assert allowed(problem, tuple(back))


def priced_optimum(problem: Problem, prices: np.ndarray) -> float:
    return max(value - prices[list(chosen)].sum() for chosen, _, value in subsets(problem))


@quick
@given(problems(grouped=True), st.integers(1, 30), st.integers(1, 3), st.integers(1, 200))
def test_relaxation_is_never_below_the_optimum(problem: Problem, budget: int, most: int,
                                               rounds: int) -> None:
    """However early it is stopped, and under every mixture of limits and prices."""
    prices = np.arange(problem.sites) % 4.0
    for limit, count in ((budget, None), (np.inf, most), (budget, most), (np.inf, None)):
        found = relax(problem, budget=limit, max_sites=count, rounds=rounds)
        assert found.bound >= optimum(problem, limit, count)
        assert found.value <= found.bound + TINY or (problem.groups >= 0).any()
    assert relax(problem, prices=prices, rounds=rounds).bound >= priced_optimum(problem, prices)


@quick
@given(problems(grouped=True), st.integers(1, 30), st.integers(1, 100))
def test_profits_bound_what_a_site_can_bring(problem: Problem, budget: int, rounds: int) -> None:
    """A plan with a site of profit -d is worth at most bound - d; without one of profit d too."""
    found = relax(problem, budget=budget, rounds=rounds)
    for chosen, cost, value in subsets(problem):
        if cost > budget:
            continue
        for j in range(problem.sites):
            if j in chosen and found.profit[j] < 0.0:
                assert value <= found.bound + found.profit[j] + 1e-6
            if j not in chosen and found.profit[j] > 0.0 and problem.groups[j] < 0:
                assert value <= found.bound - found.profit[j] + 1e-6


@quick
@given(problems(grouped=True))
def test_branching_of_priced_problems_equals_brute_force(problem: Problem) -> None:
    prices = problem.costs * 2.0
    found = branch_and_bound(problem, prices=prices, state=seeded(0), heuristic=50)
    best = priced_optimum(problem, prices)
    assert found.value == pytest.approx(best, abs=1e-7)
    assert found.bound >= best - TINY
    assert found.bound == pytest.approx(found.value, rel=1e-6, abs=1e-6)


@quick
@given(problems(max_sites=8, max_points=10), st.integers(1, 3))
def test_neighbourhoods_are_never_below_the_optimum(problem: Problem, size: int) -> None:
    priced = Problem(problem.indptr, problem.indices, problem.weights, problem.costs * 1.5,
                     problem.groups)
    plan = improve(priced, np.empty(0, np.int64), rounds=50, state=seeded(0), priced=True)
    for seconds in (0.0, 5.0):
        found = decompose(priced, plan, size=float(size), seconds=seconds, state=seeded(0))
        assert found.bound >= priced_optimum(priced, priced.costs) - TINY


def villages(seed: int, count: int) -> Problem:
    """Villages in the plane and round reaches that overlap, so that neighbourhoods share sites."""
    draw = np.random.default_rng(seed)
    side = 10.0 * np.sqrt(count)
    place = draw.uniform(0, side, (12 * count, 2))
    at = draw.uniform(0, side, (20 * count, 2))
    reach = [np.flatnonzero(np.hypot(*(place - a).T) <= r) for a, r in
             zip(at, draw.uniform(3, 7, len(at)), strict=True)]
    return Problem.of(np.concatenate([[0], np.cumsum([len(r) for r in reach])]),
                      np.concatenate(reach), draw.integers(1, 60, len(place)),
                      draw.integers(40, 160, len(at)))


def test_neighbourhoods_prove_more_than_the_relaxation() -> None:
    problem = villages(3, 12)
    plan = improve(problem, np.empty(0, np.int64), rounds=2000, state=seeded(0), priced=True)
    value = problem.value(plan) - problem.costs[plan].sum()
    whole = branch_and_bound(problem, prices=problem.costs, state=seeded(0), start=plan)
    parts = decompose(problem, plan, size=3.0, state=seeded(0))
    line = relax(problem, prices=problem.costs, rounds=4000)
    assert parts.parts > 1
    assert value <= whole.value <= parts.bound + TINY
    assert parts.bound <= line.bound + 1e-6


@quick
@given(problems(grouped=True), st.integers(5, 30), st.integers(0, 3))
def test_search_keeps_the_limits_and_never_gets_worse(problem: Problem, budget: int,
                                                      seed: int) -> None:
    start = np.empty(0, np.int64)
    once = improve(problem, start, rounds=60, state=seeded(seed), budget=budget, max_sites=3)
    again = improve(problem, once, rounds=60, state=seeded(seed), budget=budget, max_sites=3)
    assert within(problem, once, budget, 3)
    assert within(problem, again, budget, 3)
    assert problem.value(again) >= problem.value(once)
    same = improve(problem, start, rounds=60, state=seeded(seed), budget=budget, max_sites=3)
    assert same.tolist() == once.tolist()


@quick
@given(problems())
def test_components_share_no_site(problem: Problem) -> None:
    point_part, site_part = components(problem)
    for j in range(problem.sites):
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        assert (point_part[mine] == site_part[j]).all()
    assert (site_part[np.diff(problem.indptr) == 0] == -1).all()


def test_same_seed_same_plan_and_less_time_never_lies() -> None:
    problem = villages(5, 30)
    budget = 1500.0
    one, two = (maximise(problem, budget=budget, moves=3000, seed=4, gap=0.02) for _ in "ab")
    assert one.sites.tolist() == two.sites.tolist()
    assert (one.value, one.bound) == (two.value, two.bound)
    short = maximise(problem, budget=budget, seconds=1e-9)
    assert one.gap > 0.0
    assert short.stopped == "time"
    assert short.value <= one.bound
    assert short.bound >= one.value
    assert problem.costs[short.sites].sum() <= budget


def test_an_interrupt_gives_the_best_so_far() -> None:
    problem = villages(7, 10)
    calls = []

    def progress(what: str, done: int, of: int) -> None:
        calls.append(what)
        if len(calls) == 2:
            raise KeyboardInterrupt

    found = maximise(problem, budget=900.0, progress=progress)
    assert found.stopped == "interrupted"
    assert found.value == problem.value(found.sites) > 0.0
    assert found.bound >= found.value


def test_a_gap_ends_the_search() -> None:
    found = maximise(villages(9, 30), budget=2000.0, gap=0.5, seconds=20.0)
    assert found.stopped in ("gap", "optimal")
    assert found.gap <= 0.5


def test_the_step_of_the_values() -> None:
    assert grain(np.array([3.0, 5.0])) == 1.0
    assert grain(np.array([3.5, 5.0])) == 0.5
    assert grain(np.array([1.0 / 1024])) == 1.0 / 1024
    assert grain(np.array([0.1])) == 0.0


@pytest.mark.parametrize("kept", [[0, 9], [0, 1]])
def test_kept_sites_that_cannot_be_are_refused(kept: list[int]) -> None:
    problem = Problem.of([0, 1, 2], [0, 1], [5.0, 5.0], [3.0, 3.0], [0, 0])
    with pytest.raises(InputError):
        maximise(problem, budget=10.0, kept=np.array(kept))


@pytest.mark.slow
def test_provincial_instance_is_proven(shared: Path) -> None:
    """SCIP needs 79 CPU seconds for the same proof."""
    folder = shared / "vectors" / "optimisation" / "synthetic"
    problem = read_instance(folder / "provincial.npz").problem
    begun = time.process_time()
    found = maximise(problem, budget=197.0, seconds=120.0, seed=1)
    assert (found.value, found.bound, found.stopped) == (171_739.0, 171_739.0, "optimal")
    assert time.process_time() - begun < 120.0


def test_a_node_of_which_every_site_falls_away_is_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last site may go in the last round of narrowing: there is nothing left to split."""
    sites = branch._NARROWED
    problem = Problem.of(np.arange(sites + 1), np.arange(sites), np.full(sites, 5.0),
                         np.ones(sites))

    def one_falls(self: object, node: Any, rounds: int, aim: float) -> tuple[Any, np.ndarray]:
        return node, np.where(np.arange(len(node.open_sites)) == 0, -1e9, 0.0)

    monkeypatch.setattr(branch._Tree, "relax", one_falls)
    found = branch_and_bound(problem, prices=np.zeros(sites), budget=3.0, state=seeded(0))
    assert found.nodes == 1
    assert found.value == problem.value(found.sites)
    assert found.bound >= found.value
