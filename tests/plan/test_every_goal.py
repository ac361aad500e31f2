"""Every kind of plan through its public door against trying everything: see `small_plans`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import Floor, Goal, optimise, optimise_connected, rank, rank_connected
from phusong.plan.aim import Aim
from phusong.plan.connected import connected_problem
from phusong.plan.connected_exact import prove
from phusong.plan.optimise import Optimised, numbers_of

from .connected_instances import all_forests
from .small_plans import DBM, OPERATORS, Small, Truth, all_ways, goal_of

INF = float("inf")
KINDS = ("money", "money", "number", "both", "cover", "floors", "floors")


@st.composite
def smalls(draw: st.DrawFn, most_places: int = 3, fed: bool | None = None) -> Small:
    """Up to six sites and five points on two to four places; two operators sometimes.

    Sizes are drawn one by one, the figures all together from a seed.
    """
    places = draw(st.integers(2, most_places))
    operators = draw(st.sampled_from([False, False, True]))
    sites = draw(st.integers(1, 3) if operators else st.integers(3, 6))
    points = draw(st.integers(2, 3 if operators else 5))
    fed = draw(st.sampled_from([True, True, False])) if fed is None else fed
    chance = np.random.default_rng(draw(st.integers(0, 2 ** 32 - 1)))

    def many(of: list, count: int) -> list:
        return [of[k] for k in chance.integers(0, len(of), count)]

    terminal = many([False] * 5 + [True], sites)
    node = [-1 if t else n for n, t in zip(many([-1, places, *2 * list(range(places)),
                                                 *2 * list(range(places))], sites), terminal,
                                           strict=True)]
    group = [n if n >= 0 and g else -1 for n, g in zip(node, many([False, True], sites),
                                                      strict=True)]
    ends = sorted(links_of(places, chance))
    return Small(
        learners=[80 * k for k in many([1, 2, 3, 4, 5, 6], points)],
        priority=many([1, 1, 2], points), today=many([0.0, 0.0, 0.15, 0.45], points),
        province=many(["1", "2"], points), listed=many([False, True], points),
        reach=[{int(i): many([*DBM, -80.0, -80.0], 1)[0] for i in np.flatnonzero(
            chance.random(points) < 0.55)} or {0: -80.0} for _ in range(sites)],
        cost=many([1, 2, 3, 4, 5], sites), node=node, group=group, terminal=terminal, ends=ends,
        fibre=many([False, False, True], len(ends)),
        hop=many([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], len(ends)),
        relay=many([0.0, 1.0, 2.0, 3.0, INF], places), sky=many([5.0, INF, INF, INF], places),
        max_hops=many([1, 2, 3, 3], 1)[0], operators=operators,
        share_masts=bool(many([False, True, True], 1)[0]),
        equipment=many([0.0, 1.0, 2.0], 1)[0], fed=fed)


def links_of(places: int, chance: np.random.Generator) -> set[tuple[int, int]]:
    """Return hops: chains from place to place, some of them to one of the two masts."""
    ends = {(0, places)} if chance.random() < 0.9 else {(0, 1)}
    for v in range(1, places):
        if chance.random() < 0.8:
            ends.add((int(chance.integers(v)), v))
        if chance.random() < 0.35:
            ends.add((v, places + int(chance.integers(2))))
    while chance.random() < 0.4:
        a, b = sorted(chance.choice(places + 2, 2, replace=False).tolist())
        if a < places:
            ends.add((a, b))
    return ends


@st.composite
def floors(draw: st.DrawFn) -> list[Floor]:
    """One or two floors by province; those that come first count the same."""
    made = []
    of = draw(st.sampled_from(["learners", "points"]))
    for _ in range(draw(st.integers(1, 2))):
        made.append(Floor(by="province_code", only=draw(st.sampled_from([(), (), ("1",)])),
                          share=draw(st.sampled_from([0.3, 0.5, 0.8, 1.0])), of=of,
                          within_reach=draw(st.booleans()), first=draw(st.booleans())))
    return made


@st.composite
def asked(draw: st.DrawFn, most_places: int = 3, fed: bool | None = None,
          kinds: tuple[str, ...] = KINDS) -> tuple[Small, Goal]:
    """A small problem and a goal of any kind."""
    small = draw(smalls(most_places, fed))
    kind = draw(st.sampled_from(kinds))
    wanted: list[Floor] = []
    given_: dict[str, object] = {"counts": draw(st.sampled_from(["covered", "expected"])),
                                 "satellite": draw(st.sampled_from(["last", "compete", "never"]))}
    if kind in ("money", "both", "floors"):
        given_["budget"] = float(draw(st.integers(4, 30)))
    if kind in ("number", "both"):
        given_["max_sites"] = draw(st.integers(1, 3))
    if kind == "floors":
        wanted = draw(floors())
        if "1" not in small.province:
            wanted = [f.model_copy(update={"only": ()}) for f in wanted]
    if kind == "cover":
        given_["cover"] = draw(st.sampled_from(["all", "list"])) if any(small.listed) else "all"
    goal = goal_of(wanted, **given_)
    names = Truth(small, goal).names
    kept = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
    truth = Truth(small, goal.model_copy(update={"kept": tuple(kept)}))
    return small, truth.goal if truth.held.any() else goal


def forest_cost(small: Small, found: Optimised) -> float:
    """Walk every hop of a plan by hand: each leads on, and all are paid once; their money."""
    steps = {s: (e, h) for s, e, h, _ in found.plan.attrs["hops"]}
    assert len(steps) == len(found.plan.attrs["hops"]), "nothing hangs on two hops"
    places, masts = len(small.relay), set()
    node = {name: small.nodes[int(name[1:].split("|")[0])] for name in found.plan["site_id"]}
    for at in (n for n in node.values() if 0 <= n < places):
        radio, glass, way = 0, False, 0
        while at < places:
            end, hop = steps[at]
            if hop < 0:
                assert way == 0, "nobody hangs on a satellite feeder"
                break
            assert {at, end} == set(small.ends[hop])
            assert small.fibre[hop] or not glass, "fibre leads to fibre"
            glass |= small.fibre[hop]
            radio += not small.fibre[hop]
            if not small.fibre[hop] and end < places:
                masts.add(end)
            at, way = end, way + 1
        assert radio <= small.max_hops
    relays = sum(small.relay[m] for m in masts - set(node.values()))
    return relays + sum(small.hop[h] if h >= 0 else small.sky[s] for s, (_, h) in steps.items())


def solved(small: Small, goal: Goal, seconds: float = 30.0, gap: float = 0.0) -> Optimised:
    made, net = small.tables()
    if net:
        return optimise_connected(*made, goal, *net, seconds=seconds, gap=gap)
    return optimise(*made, goal, seconds=seconds, gap=gap)


def honest(small: Small, truth: Truth, found: Optimised) -> int:
    """Whatever it is worth: it may be built, all is paid, nobody counts twice; the row it is."""
    plan, goal = found.plan, truth.goal
    names = set(plan["site_id"])
    assert len(names) == len(plan)
    row = truth.row(names)
    assert row >= 0, "sites that exclude one another, or that nothing joins"
    assert set(goal.kept) <= names
    own = sum(truth.own[truth.names.index(n)] for n in names)
    money = own + (forest_cost(small, found) if small.fed and len(plan) else 0.0)
    assert found.solution.cost == pytest.approx(money, abs=1e-9)
    assert plan["cost_total"].sum() == pytest.approx(money, abs=1e-9)
    assert money >= truth.cost[row] - 1e-9
    if not goal.cover:
        assert money <= (INF if goal.budget is None else goal.budget) + 1e-9
        assert len(plan) <= (goal.max_sites or len(plan))
    assert plan["weight_gained"].sum() == pytest.approx(truth.value[row], abs=1e-9)
    assert plan["students_gained"].sum() == pytest.approx(float(
        truth.more[row] @ truth.learners), abs=1e-6)
    assert (plan["students_exclusive"] <= plan["students_total"] + 1e-9).all()
    assert plan["points_gained"].sum() == (truth.best[row] >= 0.9 - 1e-9).sum()
    return row


def judge_cover(truth: Truth, found: Optimised, row: int, exact: bool) -> None:
    wanted = np.ones(len(truth.points), bool) if truth.goal.cover == "all" else truth.listed
    reached = truth.best > 0.5
    most = (reached & wanted)[truth.held].sum(axis=1).max()
    lost = np.array([p in found.unreachable for p in truth.points])
    assert not (lost & ~wanted).any()
    assert (reached[row] | lost)[wanted].all()
    if exact:
        assert (wanted & ~lost).sum() == most, "as many as can be covered together"
        assert (found.solution.stopped == "infeasible") == (most < wanted.sum())
    least = truth.cost[truth.held & reached[:, wanted & ~lost].all(axis=1)].min()
    assert found.solution.bound <= least + 1e-9
    assert found.solution.value >= least - 1e-9
    if exact:
        assert found.solution.value == pytest.approx(least, abs=1e-9)
        assert found.solution.bound == pytest.approx(least, rel=1e-5, abs=1e-5)


def judge_money(truth: Truth, found: Optimised, exact: bool) -> None:
    """No plan within the limits keeps the floors: the least money that does."""
    held = truth.held & truth.meets
    least = truth.cost[held].min() if held.any() else INF
    assert found.money_for_floors is not None
    low, high = found.money_for_floors
    assert low <= least + 1e-9
    assert high >= least - 1e-9
    if exact:
        assert low == pytest.approx(least, rel=1e-5, abs=1e-5)
        assert high == pytest.approx(least, abs=1e-9)


def judge(small: Small, goal: Goal, seconds: float = 30.0, gap: float = 0.0) -> None:
    """A plan, its value and its bound against every set of sites and every forest."""
    truth, exact = Truth(small, goal), gap == 0.0 and seconds > 1.0
    try:
        found = solved(small, goal, seconds, gap)
    except InputError:
        assert len(goal.kept)
        assert not exact or not truth.within.any()
        return
    if goal.cover:
        judge_cover(truth, found, honest(small, truth, found), exact)
        return
    can = truth.within & truth.meets
    if not can.any():
        assert found.solution.stopped == "infeasible" or not exact
        assert set(found.plan["site_id"]) == set(goal.kept) or not exact
        judge_money(truth, found, exact)
        return
    row = honest(small, truth, found)
    best = truth.value[can].max()
    assert found.solution.bound >= best - 1e-9, "a bound below the optimum"
    assert not truth.meets[row] or found.solution.value <= best + 1e-9
    if exact:
        assert found.solution.value == best == found.solution.bound
        assert truth.meets[row]
        if goal.floors:
            assert found.price_of_floors is not None
            assert found.price_of_floors == pytest.approx(
                [truth.value[truth.within].max() - best] * 2, abs=1e-6)


def judge_ranked(small: Small, goal: Goal) -> None:
    """No plan of the same money gains more than a greedy prefix's bound; all is paid."""
    made, net = small.tables()
    free = goal.model_copy(update={"kept": (), "floors": (), "cover": ""})
    plan = rank_connected(*made, free, *net) if net else rank(*made, free)
    truth = Truth(small, free)
    for _, line in plan.iterrows():
        fits = truth.cost <= line["cumulative_cost"] + 1e-9
        assert line["bound"] >= truth.value[fits].max() - 1e-9
    if len(plan):
        row = truth.row(set(plan["site_id"]))
        assert truth.within[row]
        assert plan["cumulative_weight"].iloc[-1] == truth.value[row]
        assert plan["cumulative_cost"].iloc[-1] >= truth.cost[row] - 1e-9
        assert plan["cumulative_cost"].iloc[-1] <= (free.budget or INF)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(asked())
def test_every_goal_equals_trying_everything(both: tuple[Small, Goal]) -> None:
    judge(*both)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(asked(), st.sampled_from([(1e-3, 0.0), (30.0, 0.2)]))
def test_cut_short_the_bound_still_holds(both: tuple[Small, Goal],
                                         effort: tuple[float, float]) -> None:
    judge(*both, *effort)
    judge_ranked(*both)


@pytest.mark.slow
@settings(max_examples=2600, deadline=None, derandomize=True)
@given(asked(most_places=4))
def test_every_goal_equals_trying_everything_many_times(both: tuple[Small, Goal]) -> None:
    judge(*both)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, derandomize=True)
@given(asked(most_places=4), st.sampled_from([(1e-3, 0.0), (30.0, 0.2), (30.0, 0.02)]))
def test_cut_short_the_bound_still_holds_many_times(both: tuple[Small, Goal],
                                                    effort: tuple[float, float]) -> None:
    judge(*both, *effort)
    judge_ranked(*both)


def judge_programme(small: Small, goal: Goal) -> None:
    """The programme over layers alone: its bound is the optimum, its plan can be paid."""
    made, net = small.tables()
    names, case = connected_problem(*made, goal, *net)
    truth = Truth(small, goal)
    aim = Aim(INF if goal.budget is None else goal.budget, goal.max_sites,
              numbers_of(goal.kept, names.sites.index, "site"))
    proof = prove(case, aim)
    if not truth.within.any():
        assert proof.infeasible
        return
    assert proof.bound == truth.value[truth.within].max()
    if proof.grown is not None:
        row = truth.row({names.sites.index[j] for j in proof.grown.order})
        assert truth.within[row]
        assert truth.value[row] == proof.bound
        money = case.cost(proof.grown.forest, proof.grown.order)
        assert truth.cost[row] - 1e-9 <= money <= aim.budget + 1e-6


@settings(max_examples=40, deadline=None, derandomize=True)
@given(asked(fed=True, kinds=("money", "both")))
def test_the_programme_alone_equals_trying_everything(both: tuple[Small, Goal]) -> None:
    judge_programme(*both)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, derandomize=True)
@given(asked(most_places=4, fed=True, kinds=("money", "both")))
def test_the_programme_alone_equals_trying_everything_many_times(both: tuple[Small, Goal]
                                                                 ) -> None:
    judge_programme(*both)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(smalls(fed=True))
def test_the_forests_tried_are_those_of_the_slower_list(small: Small) -> None:
    """Two ways of listing every forest, one place after the other and all at once."""
    money, joined, mast = all_ways(small)
    mine = sorted(zip(money.tolist(), map(tuple, joined.tolist()), map(tuple, mast.tolist()),
                      strict=True))
    places = range(len(small.relay))
    slow = sorted((m, tuple(v in on for v in places), tuple(v in masts for v in places))
                  for m, on, masts in all_forests(small.network()))
    assert mine == slow


def test_the_shares_leave_whole_learners() -> None:
    """Values are compared exactly: every share of eighty learners, in steps of 5 %, is whole."""
    assert all((80 * share * 0.05) % 1 == 0 for share in OPERATORS.values())
