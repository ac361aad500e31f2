"""Every variant of a plan with shared feeders against every set of sites and every forest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import connected_optimise as desk
from phusong.plan import connected_search as room
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown
from phusong.plan.connected_exact import prove
from phusong.plan.connected_parts import at_price, parts_of
from phusong.plan.connected_search import joinable, solve_connected
from phusong.plan.floors import Floors
from phusong.plan.network import Network
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of
from phusong.plan.solution import Clock
from scipy import sparse

from .connected_instances import best_for, connected_cases, every_plan, keeps
from .test_connected import chain, walks


@st.composite
def aimed(draw: st.DrawFn, most_places: int = 3) -> tuple[Connected, Aim]:
    """A small case and any mixture of budget, number, kept sites, floors, cover, least cost."""
    case = draw(connected_cases(most_places))
    problem, _ = case.problem, None
    can = joinable(case)[1]
    kept = draw(st.sets(st.sampled_from(can.tolist()), max_size=2)) if len(can) else set()
    groups = [g for g in problem.groups[list(kept)] if g >= 0]
    fixed = np.array(sorted(kept) if len(groups) == len(set(groups)) else [], np.int64)
    if draw(st.booleans()):
        reached = np.flatnonzero(np.diff(joinable(case)[0].problem.by_point[0]) > 0)
        wanted = draw(st.sets(st.sampled_from(reached.tolist()))) if len(reached) else set()
        return case, Aim.covering(np.array(sorted(wanted), np.int64), problem.points, fixed)
    rows = draw(st.lists(st.lists(st.integers(0, 4), min_size=problem.points,
                                  max_size=problem.points), max_size=2))
    floors = None
    if rows:
        share = draw(st.lists(st.sampled_from([0.0, 0.3, 0.6, 1.0]), min_size=len(rows),
                              max_size=len(rows)))
        floors = Floors(sparse.csr_matrix(np.array(rows, float)),
                        np.array(share) * np.array(rows).sum(axis=1))
    if floors is not None and draw(st.booleans()):
        return case, Aim(kept=fixed, floors=floors, cheapest=True)
    return case, Aim(draw(st.sampled_from([4.0, 9.0, 15.0, 25.0, np.inf])),
                     draw(st.sampled_from([None, 2, 4])), fixed, floors)


def judge(case: Connected, aim: Aim) -> None:
    """The optimum of all sets and forests, as a plan that can be walked and paid; or the proof."""
    best = best_for(case, aim)
    try:
        plan, found = solve_connected(case, aim, gap=0.0, seconds=30.0)
    except InputError:
        assert len(aim.kept)
        assert best is None
        return
    walks(case, plan)
    if best is None:
        assert found.stopped == "infeasible"
        assert sorted(plan.order) == sorted(aim.kept)
        return
    cost = case.cost(plan.forest, plan.order)
    assert keeps(case, aim, tuple(plan.order), cost - 1e-9)
    assert found.cost == pytest.approx(cost)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert found.bound == pytest.approx(best, abs=1e-6)
    assert found.bound <= best + 1e-9 if aim.cheapest else found.bound >= best - 1e-9
    assert set(found.sites.tolist()) == set(plan.order.tolist())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(aimed())
def test_every_variant_equals_brute_force(both: tuple[Connected, Aim]) -> None:
    judge(*both)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, derandomize=True)
@given(aimed(most_places=4))
def test_every_variant_equals_brute_force_many_times(both: tuple[Connected, Aim]) -> None:
    judge(*both)


def test_a_cover_shares_the_hop_that_feeders_alone_would_pay_twice() -> None:
    case = chain()
    plan, found = solve_connected(case, Aim.covering(np.array([0, 1]), 3), gap=0.0)
    assert found.value == found.bound == 36.0, "two sites of 10, two hops of 8, no relay"
    assert sorted(plan.order) == [0, 1]
    assert room.alone(case).costs[:2].sum() == 48.0


def test_an_interrupt_gives_the_best_so_far_and_a_bound_that_holds(
        monkeypatch: pytest.MonkeyPatch) -> None:
    case = chain()
    truth = {aim.cheapest: best_for(case, aim) for aim in (
        Aim(40.0), Aim.covering(np.array([0, 1]), 3))}

    def halted(*_: object, **__: object) -> Grown:
        raise KeyboardInterrupt

    for name in ("plain", "improve_connected", "prove"):
        with monkeypatch.context() as patch:
            patch.setattr(room, name, halted)
            for aim in (Aim(40.0), Aim.covering(np.array([0, 1]), 3)):
                plan, found = solve_connected(case, aim, gap=0.0)
                best = truth[aim.cheapest]
                assert best is not None
                assert keeps(case, aim, tuple(plan.order), case.cost(plan.forest, plan.order))
                assert found.bound <= best if aim.cheapest else found.bound >= best
                assert found.stopped in ("interrupted", "optimal")


def test_kept_sites_that_no_money_joins_are_refused() -> None:
    with pytest.raises(InputError, match="cost"):
        solve_connected(chain(), Aim(27.0, kept=np.array([0, 1])))
    alone = [cost for sites, _, cost in every_plan(chain()) if sites == (0, 1)]
    assert alone == [36.0]


def judge_parts(case: Connected, budget: float, kept: np.ndarray, price: float) -> None:
    """At any price of money the bound holds, and what is built can be walked and paid."""
    small, site_of = joinable(case)
    aim = Aim(budget, kept=np.searchsorted(site_of, kept))
    best = best_for(case, Aim(budget, kept=kept))
    pieces = parts_of(small, aim, price)
    told = [j for part in pieces for j in part.site_of]
    assert len(told) == len(set(told)), "no site stands in two parts"
    now = at_price(small, aim, price, pieces, gap=0.0, clock=Clock(60.0))
    walks(small, now.plan)
    assert now.whole
    assert now.cost == pytest.approx(case.problem.costs[site_of[now.plan.order]].sum()
                                     + now.plan.hops[:, 1].sum())
    if best is not None:
        assert now.bound >= best - 1e-9
    if now.cost <= budget and best is not None:
        assert now.plan.value <= best


def kept_of(case: Connected, data: st.DataObject) -> np.ndarray:
    """At most one site that can be joined."""
    can = joinable(case)[1].tolist()
    return np.array(sorted(data.draw(st.sets(st.sampled_from(can), max_size=1)) if can else []),
                    np.int64)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(connected_cases(3), st.integers(1, 25), st.sampled_from([0.1, 0.5, 1.0, 3.0]), st.data())
def test_parts_at_a_price_of_money_bound_every_plan(case: Connected, budget: int, price: float,
                                                    data: st.DataObject) -> None:
    judge_parts(case, float(budget), kept_of(case, data), price)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, derandomize=True)
@given(connected_cases(4), st.integers(1, 25), st.sampled_from([0.05, 0.3, 0.7, 1.0, 2.0, 4.0]),
       st.data())
def test_parts_at_a_price_of_money_many_times(case: Connected, budget: int, price: float,
                                              data: st.DataObject) -> None:
    judge_parts(case, float(budget), kept_of(case, data), price)


def test_many_valleys_are_solved_part_by_part() -> None:
    """Thirty copies of one valley and money for some of them: near the bound, within budget."""
    one, count = chain(), 30
    network, problem = one.network, one.problem
    nodes = np.arange(count)[:, None, None] * network.nodes
    whole = Network(np.tile(network.standing, count),
                    (network.ends[None] + nodes).reshape(-1, 2), np.tile(network.fibre, count),
                    np.tile(network.hop_values, (count, 1)),
                    np.tile(network.relay_values, (count, 1)),
                    np.tile(network.satellite_values, (count, 1)), network.max_hops)
    costs = np.tile(problem.costs, count) + np.repeat(np.arange(count) % 7, problem.sites)
    indptr = np.arange(count * problem.sites + 1)
    case = Connected(Problem.of(indptr, indptr[:-1], np.tile(problem.weights, count), costs),
                     whole, np.concatenate([np.where(one.node < 0, -1, one.node + 3 * k)
                                            for k in range(count)]))
    plan, found = solve_connected(case, Aim(500.0), gap=0.0, seconds=20.0)
    assert any("price of money" in step for step in found.steps)
    walks(case, plan)
    assert found.cost == pytest.approx(case.cost(plan.forest, plan.order))
    assert found.cost <= 500.0
    assert found.value <= found.bound <= 1.03 * found.value
    exact = prove(case, Aim(500.0), seconds=20.0, gap=0.0)
    assert found.value <= exact.bound <= found.bound + 1e-9


def test_an_interrupted_cover_says_so_and_names_what_stands_in_the_way(
        monkeypatch: pytest.MonkeyPatch) -> None:
    case, effort = chain(), desk.Effort(0.0, 20.0, 0, None)
    points = np.arange(3)
    lone = Connected(part_of(case.problem, np.array([True, True, False]), np.ones(3, bool)),
                     case.network, case.node[:2])
    _, found = desk._cover(lone, points, np.empty(0, np.int64), effort)
    assert (found.stopped, found.unreachable.tolist(), found.value) == ("infeasible", [2], 36.0)

    def halted(*_: object, **__: object) -> Grown:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "improve_connected", halted)
    monkeypatch.setattr(room, "plain", halted)
    plan, found = desk._cover(lone, points, np.empty(0, np.int64), effort)
    assert found.stopped == "interrupted"
    assert found.unreachable.tolist() == [2]
    assert sorted(plan.order) == [0, 1]
    assert found.bound <= 36.0 <= found.value
