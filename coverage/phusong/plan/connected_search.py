"""`optimise_connected`: the best plan with feeders that is found, and how good it is at least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.plan.bound import prefix_bounds
from phusong.plan.connected import (
    Connected,
    Grown,
    as_plan,
    connected_problem,
    grow,
    replay,
    share_free,
)
from phusong.plan.connected_exact import prove
from phusong.plan.goal import Goal
from phusong.plan.greedy import greedy
from phusong.plan.most import maximise
from phusong.plan.network import Network
from phusong.plan.optimise import Optimised, optimise
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of
from phusong.plan.solution import Clock, Incumbent, Solution, grain

__all__ = ["best_connected", "bound_connected", "improve_connected", "maximise_connected",
           "optimise_connected"]

Ints = NDArray[np.int64]

_ROUNDS = 1000
_REMOVED = 5
_SHAKE = 0.3
_HEAT = 0.005
_ALONE_SECONDS = 10.0


def _filled(case: Connected, grown: Grown, budget: float, max_sites: int | None) -> Grown:
    """Build a grown plan as a whole, and what the money saved that way still buys."""
    whole = replay(case, grown.order, grown.forest.towards)
    return grow(case, budget=budget, max_sites=max_sites, start=whole)


def _removed(case: Connected, plan: Grown, chance: np.random.Generator) -> Ints:
    """Return the sites of a plan without a few: any one to five, or those that share its hops."""
    count = len(plan.order)
    gone = chance.permutation(count)[:chance.integers(1, min(count, _REMOVED) + 1)]
    if chance.random() < 0.3:
        node = int(case.node[plan.order[gone[0]]])
        hops = {step.start for step in plan.forest.way(node)} if node >= 0 else set()
        gone = np.array([k for k, j in enumerate(plan.order) if k == gone[0] or (
            case.node[j] >= 0 and hops & {s.start for s in plan.forest.way(int(case.node[j]))})])
    rest = np.delete(plan.order, gone)
    return chance.permutation(rest) if chance.random() < 0.2 else rest


def _paid_alone(case: Connected, budget: float, max_sites: int | None, seconds: float,
                seed: int) -> Grown:
    """Return the best plan in which every feeder is paid alone, its hops then shared."""
    problem = case.problem
    alone = np.concatenate([case.network.alone(), [0.0]])[case.node]
    price = problem.costs + np.where(np.isfinite(alone), alone, problem.costs.sum() + 1.0)
    found = maximise(Problem(problem.indptr, problem.indices, problem.weights, price,
                             problem.groups),
                     budget=budget, max_sites=max_sites, seconds=seconds, seed=seed).sites
    found = found[np.isfinite(alone[found])]
    joined = grow(case, budget=budget, max_sites=max_sites, first=found)
    return _filled(case, joined, budget, max_sites)


def improve_connected(case: Connected, *, budget: float = np.inf, max_sites: int | None = None,
                      rounds: int = _ROUNDS, seed: int = 0, clock: Clock | None = None) -> Grown:
    """Return the best plan that a search by taking out and building again finds.

    It sets out from the better of the greedy plan and the best plan in which every feeder
    is paid alone. Each round takes sites out, with the hops that only they need, and grows
    the plan again with shaken rates; one that is a little worse is sometimes kept to go on from.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    budget, max_sites
        Limits, as for `grow`.
    rounds : int
        How often.
    seed : int
        Equal seeds give equal plans, unless the clock ends the search.
    clock : Clock, optional
        Ends the search.
    """
    chance = np.random.default_rng(seed)
    here = _filled(case, grow(case, budget=budget, max_sites=max_sites), budget, max_sites)
    if len(here.order):
        seconds = _ALONE_SECONDS if clock is None else max(0.5 * clock.left, 0.01)
        other = _paid_alone(case, budget, max_sites, seconds, seed)
        here = max(here, other, key=lambda plan: plan.value)
    cost = case.cost(here.forest, here.order)
    best, least = here, cost
    for number in range(rounds if len(here.order) else 0):
        if clock is not None and clock.left <= 0.0:
            break
        rates = np.exp(chance.normal(0.0, _SHAKE, case.problem.sites))
        tried = grow(case, budget=budget, max_sites=max_sites,
                     first=_removed(case, here, chance), rates=rates)
        tried = _filled(case, tried, budget, max_sites)
        price = case.cost(tried.forest, tried.order)
        heat = _HEAT * best.value * (1.0 - number / rounds)
        worse = here.value - tried.value
        if worse < 0.0 or (worse == 0.0 and price <= cost) or (
                worse > 0.0 and chance.random() < np.exp(-worse / heat)):
            here, cost = tried, price
        if tried.value > best.value or (tried.value == best.value and price < least):
            best, least = tried, price
    return best


def maximise_connected(case: Connected, *, budget: float = np.inf, max_sites: int | None = None,
                       gap: float = 0.001, seconds: float = 60.0, seed: int = 0,
                       progress: Callable[[str, int, int], None] | None = None
                       ) -> tuple[Grown, Solution]:
    """Return the best plan with feeders and its certificate.

    First a search, then the bound of the problem without what may be shared
    (`share_free`), then HiGHS on the programme over layers for the time that is left.
    Without a budget hops do not matter: `maximise` chooses the sites, which are then joined.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    budget, max_sites
        Limits.
    gap : float
        Ends when value and bound differ by no more than this share of the value.
    seconds : float
        CPU seconds for the search; wall seconds for HiGHS.
    seed : int
        Of the search.
    progress : callable, optional
        Called with what was done, thousandths of the gap closed, 1000.
    """
    if budget == np.inf:
        return _without_money(case, max_sites, gap, seconds, seed, progress)
    clock = Clock(seconds)
    best = Incumbent(clock, gap, grain(case.problem.weights), progress)
    plan, interrupted = grow(case, budget=budget, max_sites=max_sites), False
    best.offer(plan.order, plan.value)
    try:
        found = improve_connected(case, budget=budget, max_sites=max_sites, seed=seed,
                                  clock=Clock(0.5 * seconds))
        if found.value >= plan.value:
            plan = found
        best.offer(plan.order, plan.value)
        best.prove(bound_connected(case, budget, max_sites))
        best.tell("search")
        if not best.over:
            proof = prove(case, budget=budget, max_sites=max_sites, seconds=clock.left, gap=gap)
            if proof.grown is not None and proof.grown.value > plan.value and \
                    case.cost(proof.grown.forest, proof.grown.order) <= budget:
                plan = proof.grown
            best.offer(plan.order, plan.value)
            best.prove(proof.bound)
            best.tell("programme over layers")
    except KeyboardInterrupt:
        interrupted = True
        best.prove(case.problem.reachable)
    return plan, Solution(np.sort(plan.order), plan.value, best.bound, clock.spent,
                          best.why(interrupted), case.cost(plan.forest, plan.order),
                          steps=tuple(best.said))


def _without_money(case: Connected, max_sites: int | None, gap: float, seconds: float, seed: int,
                   progress: Callable[[str, int, int], None] | None) -> tuple[Grown, Solution]:
    """Return the best plan where only the number of sites is limited."""
    can = np.isfinite(np.concatenate([case.network.alone(), [0.0]])[case.node])
    problem = part_of(case.problem, can, np.ones(case.problem.points, bool))
    found = maximise(problem, max_sites=max_sites, gap=gap, seconds=seconds, seed=seed,
                     progress=progress)
    sites = np.flatnonzero(can)[found.sites]
    plan = grow(case, max_sites=len(sites), first=sites)
    plan = replay(case, plan.order, plan.forest.towards)
    return plan, replace(found, sites=np.sort(plan.order),
                         cost=case.cost(plan.forest, plan.order))


def bound_connected(case: Connected, budget: float, max_sites: int | None) -> float:
    """Return a weight that no plan with feeders exceeds: what may be shared is left out.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    budget, max_sites
        Limits.
    """
    free = share_free(case)
    whole, _ = greedy(free)
    bound = case.problem.reachable
    if budget < np.inf and len(whole):
        bound = float(prefix_bounds(free, whole, np.array([budget]))[0])
    if max_sites is not None:
        bound = min(bound, float(np.sort(case.problem.alone())[::-1][:max_sites].sum()))
    return bound


def optimise_connected(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                       costs: pd.DataFrame, goal: Goal, network: Network, node_of: pd.Series, *,
                       gap: float = 0.001, seconds: float = 60.0, seed: int = 0,
                       progress: Callable[[str, int, int], None] | None = None) -> Optimised:
    """Return the best plan with feeders that can be found in the given time, with its proof.

    Every site is joined to the network over hops that exist; each hop is paid once;
    a mast that only passes hops on is put up where that pays, and not where a site of
    the plan stands anyway.

    Parameters
    ----------
    gaps, spots, reach, costs, goal, network, node_of
        As for `phusong.plan.rank_connected`.
    gap, seconds, seed, progress
        As for `phusong.plan.optimise`.

    Returns
    -------
    Optimised
        Plan and certificate; the cost of each site holds the hops that it is the first to need.
        ``plan.attrs["hops"]`` holds the forest, which `phusong.backhaul.feeders` reads.

    Raises
    ------
    InputError
        If the tables do not belong together, or gap or seconds are no positive numbers.
    """
    if not (gap >= 0.0 and seconds > 0.0):
        raise InputError(f"A search needs a gap of at least 0 and more than 0 seconds; it was "
                         f"given {gap:g} and {seconds:g}.")
    case, connected = connected_problem(gaps, spots, reach, costs, goal, network, node_of)
    budget = np.inf if goal.budget is None else goal.budget
    grown, solution = maximise_connected(connected, budget=budget, max_sites=goal.max_sites,
                                         gap=gap, seconds=seconds, seed=seed, progress=progress)
    plan = as_plan(case, connected, grown)
    plan.attrs["hops"] = [[int(part) for part in step] for step in grown.forest.towards.values()]
    best = Optimised(plan, solution, "weight")
    plan.attrs["certificate"] = best.certificate()
    return best


def best_connected(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                   costs: pd.DataFrame, goal: Goal, network: Network, node_of: pd.Series, *,
                   progress: Callable[[str, int, int], None] | None = None) -> Optimised:
    """Return the best plan for a goal: with shared feeders where the goal allows it.

    Under a budget or a number of sites hops are shared and paid once
    (`optimise_connected`). A goal that covers a target, keeps sites, has floors or counts
    expected learners is optimised by `phusong.plan.optimise` with each feeder paid alone,
    which costs no less than the shared ones; sites without a way are left out of both.

    Parameters
    ----------
    gaps, spots, reach, costs, goal, network, node_of, progress
        As for `optimise_connected`; the goal holds gap and seconds.
    """
    if not (goal.cover or goal.kept or goal.floors or goal.counts == "expected"):
        return optimise_connected(gaps, spots, reach, costs, goal, network, node_of, gap=goal.gap,
                                  seconds=goal.seconds, progress=progress)
    lost = (spots["site_id"].map(node_of) == -2).to_numpy(bool)
    near = ~reach.index.get_level_values("cell_id").isin(spots.index[lost])
    return optimise(gaps, spots[~lost], reach[near], costs, goal, progress=progress)
