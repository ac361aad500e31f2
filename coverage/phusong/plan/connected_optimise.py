"""`optimise_connected`: the best plan with feeders for a goal, and how good it is at least."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, as_plan, connected_problem
from phusong.plan.connected_search import joinable, solve_connected
from phusong.plan.demands import Demand, demands
from phusong.plan.floors import Floors, out_of_reach
from phusong.plan.goal import Goal
from phusong.plan.most import maximise
from phusong.plan.network import Network
from phusong.plan.optimise import Effort, Optimised, given, numbers_of, to_cover
from phusong.plan.reach import SitesAndPoints
from phusong.plan.solution import Solution

__all__ = ["optimise_connected"]

Ints = NDArray[np.int64]
Pair = tuple[float, float] | None


def optimise_connected(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                       costs: pd.DataFrame, goal: Goal, network: Network, node_of: pd.Series, *,
                       cover: Iterable[str] | None = None, kept: Iterable[str] | None = None,
                       gap: float | None = None, seconds: float | None = None, seed: int = 0,
                       progress: Callable[[str, int, int], None] | None = None) -> Optimised:
    """Return the best plan with feeders that can be found in the given time, with its proof.

    As `phusong.plan.optimise`, for every goal that it knows; but every site is joined to the
    network over hops that exist, each hop is paid once whoever uses it, and a mast that only
    passes hops on is put up where that pays, and not where a site of the plan stands anyway.

    Parameters
    ----------
    gaps, spots, reach, costs, goal, network, node_of
        As for `phusong.plan.rank_connected`.
    cover, kept, gap, seconds, seed, progress
        As for `phusong.plan.optimise`.

    Returns
    -------
    Optimised
        Plan and certificate; the cost of each site holds the hops that it is the first to need.
        ``plan.attrs["hops"]`` holds the forest, which `phusong.backhaul.feeders` reads.

    Raises
    ------
    InputError
        If the tables do not belong together, a kept site has no way to the network, the kept
        sites do not fit the limits, or gap or seconds are no positive numbers.
    UnknownNameError
        If a name of `cover` or `kept` is unknown.
    """
    effort = Effort.of(goal, gap, seconds, seed, progress)
    goal, cover = to_cover(gaps, goal, cover)
    names = list(goal.kept if kept is None else kept)
    cut_off = [name for name in names if name in node_of.index and node_of[name] == -2]
    if cut_off:
        raise InputError(f"The kept site {cut_off[0]} has no way to the network: no hop leads to "
                         f"it that is clear, short enough and within {network.max_hops} hops. "
                         f"Leave it out of kept, or allow more hops (feeder: max_hops).")
    case, connected = connected_problem(gaps, spots, reach, costs, goal, network, node_of)
    fixed = numbers_of(names, case.sites.index, "candidate site")
    asked: tuple[Demand, ...] = ()
    price: Pair = None
    money: Pair = None
    if cover is not None:
        grown, found = _cover(connected, numbers_of(cover, case.points.index, "gap"), fixed,
                              effort)
    elif goal.floors:
        grown, found, asked, price, money = _with_floors(case, connected, goal, fixed, effort)
    else:
        grown, found = _solve(effort, connected, _limits(goal, fixed))
    plan = as_plan(case, connected, grown)
    plan.attrs["hops"] = [[int(part) for part in step] for step in grown.forest.towards.values()]
    lost = tuple(str(name) for name in case.points.index[np.unique(case.row[found.unreachable])])
    best = Optimised(plan, found, "weight" if cover is None else "cost", lost, asked, price, money)
    plan.attrs["certificate"] = best.certificate()
    return best


def _solve(effort: Effort, case: Connected, aim: Aim, share: float = 1.0
           ) -> tuple[Grown, Solution]:
    return solve_connected(case, aim, gap=effort.gap, seconds=share * effort.seconds,
                           seed=effort.seed, progress=effort.progress)


def _limits(goal: Goal, kept: Ints) -> Aim:
    return Aim(budget=np.inf if goal.budget is None else goal.budget, max_sites=goal.max_sites,
               kept=kept)


def _cover(case: Connected, points: Ints, kept: Ints, effort: Effort) -> tuple[Grown, Solution]:
    """Return the cheapest plan that reaches all points that can be reached together."""
    small, site_of = joinable(case)
    count = case.problem.points
    wanted = np.zeros(count)
    wanted[points] = 1.0
    most = maximise(replace(small.problem, weights=wanted),
                    kept=np.searchsorted(site_of, kept[np.isin(kept, site_of)]),
                    seconds=0.2 * effort.seconds, seed=effort.seed)
    halted = most.stopped == "interrupted"
    can = small.problem.covered(most.sites) > 0
    grown, found = _solve(effort, case, Aim.covering(points[can[points]], count, kept),
                                1e-3 if halted else 0.8)
    lost = points[case.problem.covered(grown.order)[points] == 0]
    stopped = "interrupted" if halted else found.stopped
    if len(lost) and stopped != "interrupted":
        stopped = "infeasible"
    return grown, replace(found, unreachable=lost, stopped=stopped,
                          seconds=found.seconds + most.seconds)


def _with_floors(case: SitesAndPoints, connected: Connected, goal: Goal, kept: Ints,
                 effort: Effort) -> tuple[Grown, Solution, tuple[Demand, ...], Pair, Pair]:
    """Return the plan under floors, what they ask for, their price, and the money they need."""
    limits = _limits(goal, kept)
    plan, free = _solve(effort, connected, limits, 1.0 / 3.0)
    wanted, asked = demands(case, goal, lambda problem: _solve(
        effort, replace(connected, problem=problem), limits, 1.0 / 3.0)[1])
    covered = case.problem.covered(plan.order) > 0
    if not wanted.short(covered).any():
        return plan, free, given(asked, wanted, covered), (0.0, 0.0), None
    left = max(1.0 - free.seconds / effort.seconds, 0.1)
    plan, found = _solve(effort, connected, replace(limits, floors=wanted), left)
    bound = max(min(found.bound, free.bound), found.value)
    found = replace(found, bound=bound, seconds=found.seconds + free.seconds)
    covered = case.problem.covered(plan.order) > 0
    asked = given(asked, wanted, covered)
    if found.stopped == "infeasible" or wanted.short(covered).any():
        _, least = _solve(effort, connected, Aim(kept=kept, floors=wanted, cheapest=True), 0.3)
        found = replace(found, unreachable=out_of_reach(joinable(connected)[0].problem, wanted))
        none = least.stopped == "infeasible"
        return plan, found, asked, None, (np.inf, np.inf) if none else (
            least.bound, least.value if _keeps(least, connected, wanted) else np.inf)
    price = (max(0.0, free.value - found.bound), max(0.0, free.bound - found.value))
    return plan, found, asked, price, None


def _keeps(found: Solution, case: Connected, wanted: Floors) -> bool:
    return not wanted.short(case.problem.covered(found.sites) > 0).any()
