"""`why_best`: why a site is, or is not, in the best plan; what would flip that, with proof.

Two plans answer it: the best one that must hold the site, and the best one that must not.
The site is in where the first is worth as much as the second.

* **Cost.** The second plan does not change with what the site costs. The site stays in for as long
  as some plan with it is worth as much and fits the budget: the cheapest such plan, the site itself
  left aside, says what may be paid for the site. One problem of least cost gives the figure.
* **Weight.** Every plan with the site reaches all its points, so that their weight counts in full
  there; a plan without it reaches a part of them. Each plan without the site gives a line, and the
  factor at which the site comes in is where the highest of these lines is met (Dinkelbach 1967).

Where a search ends before its gap is closed, the figures are intervals that hold all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from phusong.errors import InputError, UnknownNameError
from phusong.nouns import nearest
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, connected_problem, replay, share_free
from phusong.plan.connected_search import joinable, solve_connected
from phusong.plan.demands import demands
from phusong.plan.floors import Floors
from phusong.plan.goal import Goal
from phusong.plan.most import maximise, rest_of
from phusong.plan.network import Forest, Network, NoWayFoundError
from phusong.plan.optimise import Effort, numbers_of, to_cover
from phusong.plan.problem import Problem
from phusong.plan.reach import SitesAndPoints, covering_problem
from phusong.plan.reduce import part_of
from phusong.plan.solution import Clock, Solution
from phusong.plan.why_words import WhyBest

__all__ = ["why_best"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Span = tuple[float, float]
Span3 = tuple[float, float, float]

_NEVER = (np.inf, np.inf)
_TURNS = 12
_STEP = 5e-6
_FINE = 1024.0


@dataclass(frozen=True, slots=True, eq=False)
class _Best:
    """What the best plan is worth, between two figures, and the best plan that was found."""

    low: float
    high: float
    plan: Grown | None


class _Desk:
    """One question; its public face is `why_best`."""

    def __init__(self, case: Connected, aim: Aim, site: int, effort: Effort) -> None:
        self.case, self.aim, self.site, self.effort = case, aim, site, effort
        self.clock, self.halted = Clock(effort.seconds), False
        self.weight = float(case.problem.alone()[site])
        self.own = float(case.problem.costs[site])
        keep = np.arange(case.problem.sites) != site
        self.others = np.flatnonzero(keep)
        self.rest = Connected(part_of(case.problem, keep, np.ones(case.problem.points, bool)),
                              case.network, case.node[keep])
        self.rest_aim = replace(aim, kept=np.searchsorted(self.others, aim.kept))
        self.in_aim = replace(aim, kept=np.union1d(aim.kept, [site]))

    def solve(self, case: Connected, aim: Aim, share: float) -> _Best:
        """Return the most weight, or the least cost, within a share of all seconds."""
        seconds = 1e-3 if self.halted else max(share * self.effort.seconds, 1e-3)
        worst = (-np.inf, -np.inf) if not aim.cheapest else _NEVER
        try:
            plan, found = solve_connected(case, aim, gap=self.effort.gap, seconds=seconds,
                                          seed=self.effort.seed)
        except NoWayFoundError:
            return _Best(0.0, np.inf, None) if aim.cheapest else _Best(
                -np.inf, case.problem.reachable, None)
        except InputError:
            return _Best(*worst, None)
        self.halted |= found.stopped == "interrupted"
        if self.effort.progress is not None:
            self.effort.progress("why", int(min(999, 1000 * self.clock.spent
                                                / self.effort.seconds)), 1000)
        if found.stopped == "infeasible":
            return _Best(*worst, None)
        whole = not len(aim.short(case.problem.covered(plan.order) > 0))
        if aim.cheapest:
            return _Best(found.bound, found.value if whole else np.inf, plan if whole else None)
        return _Best(found.value if whole else -np.inf, found.bound, plan if whole else None)

    def without(self, share: float) -> _Best:
        """Return the best plan that does not hold the site."""
        found = self.solve(self.rest, self.rest_aim, share)
        return found if found.plan is None else replace(found, plan=replace(
            found.plan, order=self.others[found.plan.order]))

    def costing(self, cost: float) -> Connected:
        """Return the case with another cost of the site itself."""
        costs = self.case.problem.costs.copy()
        costs[self.site] = cost
        return replace(self.case, problem=replace(self.case.problem, costs=costs))

    def flip_cost(self, outside: _Best) -> Span:
        """Return between which costs of the site itself the choice flips."""
        free = self.costing(0.0)
        if self.aim.cheapest:
            inside = self.solve(free, self.in_aim, 0.25)
            return _less(outside.low, inside.high), _less(outside.high, inside.low)
        if self.aim.budget == np.inf:
            return np.nan, np.nan
        sure = self.solve(free, self.at_least(outside.high), 0.15)
        near = sure if outside.low == outside.high else self.solve(
            free, self.at_least(outside.low), 0.15)
        return self.aim.budget - sure.high, self.aim.budget - near.low

    def at_least(self, weight: float) -> Aim:
        """Ask for the cheapest plan with the site that is worth so much."""
        problem, floors = self.case.problem, self.aim.floors
        rows = [] if floors is None else [floors.amounts]
        least = np.empty(0) if floors is None else floors.least
        if weight > 0.0:
            rows.append(sparse.csr_matrix(problem.weights[None, :]))
            least = np.append(least, weight)
        amounts = sparse.vstack(rows).tocsr() if rows else sparse.csr_matrix((0, problem.points))
        return Aim(max_sites=self.aim.max_sites, kept=self.in_aim.kept,
                   floors=Floors(amounts, least), cheapest=True)

    def solved_again(self, span: Span, outside: _Best) -> bool:
        """Solve once more a little above and a little below the flip of the cost."""
        low, high = span
        scale = [v for v in (self.own, abs(high), outside.high if self.aim.cheapest else 0.0)
                 if np.isfinite(v)]
        step, good = _STEP * max(*scale, 1e-9), True
        if np.isfinite(high) and high + step > 0.0:
            above = self.solve(self.costing(high + step), self.in_aim, 0.1)
            good = (above.low > outside.high if self.aim.cheapest
                    else above.high < outside.low or above.high == -np.inf)
        if np.isfinite(low) and low - step > 0.0:
            below = self.solve(self.costing(low - step), self.in_aim, 0.1)
            good &= below.high <= outside.low if self.aim.cheapest else below.low >= outside.high
        return good

    def flip_weight(self, inside: _Best, outside: _Best) -> Span:
        """Return between which factors on the weight of its points the choice flips."""
        if self.aim.cheapest or self.weight <= 0.0 or inside.high == -np.inf:
            return np.nan, np.nan
        if outside.high == -np.inf:
            return 0.0, 0.0
        problem = self.case.problem
        mine = np.zeros(problem.points, bool)
        mine[problem.indices[problem.indptr[self.site]:problem.indptr[self.site + 1]]] = True
        beside, surely = inside.low - self.weight, inside.high - self.weight
        reached = np.diff(self.rest.problem.by_point[0]) > 0
        most = float(problem.weights[mine & reached].sum())
        at = low = 0.0
        for turn in range(_TURNS):
            plan, high = outside.plan, outside.high
            if turn:
                weights = np.where(mine, np.ceil(problem.weights * at * _FINE * 1024.0)
                                   / 1024.0, problem.weights * _FINE)
                again = self.solve(replace(self.rest, problem=replace(
                    self.rest.problem, weights=weights)), self.rest_aim, 0.2 / _TURNS)
                plan, high = again.plan, again.high / _FINE
                plan = None if plan is None else replace(plan, order=self.others[plan.order])
            now = (1.0 if not turn else at) * self.weight + beside
            room = _STEP * max(abs(now), 1.0)
            before = at
            if plan is not None:
                covered = problem.covered(plan.order) > 0
                part = float(problem.weights[covered & mine].sum())
                rest = float(problem.weights[covered & ~mine].sum())
                low = max(low, _root(rest - surely, self.weight - part))
                at = max(at, _root(rest - beside, self.weight - part))
            if at == np.inf:
                return low, np.inf
            if turn and (high <= now + room or at <= before * (1.0 + 1e-12)):
                over = max(high - now - room, 0.0)
                top = before + (_root(over, self.weight - most) if over else 0.0)
                return low, max(top, low)
        return low, np.inf


def _less(a: float, b: float) -> float:
    """Return a - b where either may be infinite: nothing can be said of two infinities."""
    return float("nan") if np.isinf(a) and np.isinf(b) else a - b


def _root(up: float, slope: float) -> float:
    """Return where a line of this slope has risen by `up`; 0 = it has, inf = it never will."""
    if up <= 0.0:
        return 0.0
    return up / slope if slope > 1e-12 * up else np.inf


def _aim(case: SitesAndPoints, connected: Connected, goal: Goal, cover: Ints | None, kept: Ints,
         effort: Effort) -> Aim:
    """Return what is asked for, floors and cover as rows."""
    limits = Aim(np.inf if goal.budget is None else goal.budget, goal.max_sites, kept)
    if cover is not None:
        small, site_of = joinable(connected)
        wanted = np.zeros(case.problem.points)
        wanted[cover] = 1.0
        most = maximise(replace(small.problem, weights=wanted), seconds=0.1 * effort.seconds,
                        kept=np.searchsorted(site_of, kept), seed=effort.seed)
        can = small.problem.covered(most.sites) > 0
        return Aim.covering(cover[can[cover]], case.problem.points, kept)
    if not goal.floors:
        return limits

    def most_of(problem: Problem) -> Solution:
        return solve_connected(replace(connected, problem=problem), limits, gap=effort.gap,
                               seconds=0.1 * effort.seconds, seed=effort.seed)[1]

    def all_of(problem: Problem) -> Solution:
        every = np.arange(problem.sites)
        return Solution(every, 0.0, 0.0, 0.0, "optimal", 0.0)

    rows, asked = demands(case, goal, most_of)
    if asked != demands(case, goal, all_of)[1]:
        raise InputError("The limits do not allow the floors that come first in full, so that a "
                         "site counts by what it adds to them before anything else. What flips "
                         "such a choice is not worked out: raise the limits or lower the share.")
    return replace(limits, floors=rows)


def why_best(site_id: str, gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
             costs: pd.DataFrame, goal: Goal, network: Network | None = None,
             node_of: pd.Series | None = None, *, gap: float | None = 0.0,
             seconds: float | None = None, seed: int = 0,
             progress: Callable[[str, int, int], None] | None = None) -> WhyBest:
    """Return why a site is, or is not, in the plan of `optimise` or `optimise_connected`.

    Parameters
    ----------
    site_id : str
        Any candidate site.
    gaps, spots, reach, costs, goal, network, node_of
        As for `phusong.plan.optimise_connected`; without a network as for
        `phusong.plan.optimise`.
    gap : float, optional
        Each problem may end at this share between value and bound. None = ``goal.gap``.
    seconds : float, optional
        CPU seconds of all problems together. None = ``goal.seconds``.
    seed : int
        Of the searches.
    progress : callable, optional
        Called with ``why``, thousandths of the time, 1000.

    Returns
    -------
    WhyBest
        Every figure that is not proven is an interval.

    Raises
    ------
    UnknownNameError
        If there is no such candidate, the goal rules it out, or it has no way to the network.
    InputError
        If the tables do not belong together, the kept sites do not fit the limits, or floors
        that come first cannot be kept in full.
    """
    effort = Effort.of(goal, gap, seconds, seed, progress)
    goal, cover = to_cover(gaps, goal, None)
    if network is None or node_of is None:
        names = covering_problem(gaps, spots, reach, costs, goal)
        alone = np.array([[np.inf] * 3])
        whole = Connected(names.problem, Network(
            np.ones(1, bool), np.empty((0, 2), np.int64), np.empty(0, bool), np.empty((0, 3)),
            alone, alone, 1), np.full(names.problem.sites, -1, np.int64))
    else:
        names, whole = connected_problem(gaps, spots, reach, costs, goal, network, node_of)
    small, site_of = joinable(whole)
    known = names.sites.index[site_of]
    if site_id not in known:
        raise UnknownNameError(f'There is no candidate site "{site_id}" in this plan\'s problem. '
                               f"{nearest(site_id, known)}")
    kept = numbers_of(goal.kept, names.sites.index, "candidate site")
    aim = _aim(names, whole, goal, None if cover is None else numbers_of(
        cover, names.points.index, "gap"), kept, effort)
    aim = replace(aim, kept=np.searchsorted(site_of, kept))
    rest_of(share_free(small), aim.kept, aim.budget, aim.max_sites)
    desk = _Desk(small, aim, int(np.flatnonzero(known == site_id)[0]), effort)
    return _told(desk, known, str(names.sites.loc[site_id, "currency"]),
                 any(f.first for f in goal.floors))


def _told(desk: _Desk, known: pd.Index, currency: str, first: bool) -> WhyBest:
    site, aim = desk.site, desk.aim
    inside = desk.solve(desk.case, desk.in_aim, 0.15)
    if site in aim.kept:
        outside = _Best(np.nan, np.nan, None)
        cost, weight, again = (np.nan, np.nan), (np.nan, np.nan), False
    else:
        outside = desk.without(0.2)
        cost = desk.flip_cost(outside)
        if first and outside.high == -np.inf:
            cost = (cost[0], np.inf)
        weight = desk.flip_weight(inside, outside)
        again = desk.solved_again(cost, outside)
    gained, prices = _figures(desk, inside.plan, outside.plan)
    with_, without = (set() if b.plan is None else set(known[b.plan.order])
                      for b in (inside, outside))
    return WhyBest(
        site_id=str(known[site]), objective="cost" if aim.cheapest else "weight",
        kept=bool(site in aim.kept), value_with=(inside.low, inside.high),
        value_without=(outside.low, outside.high), currency=currency, cost=desk.own,
        cost_alone=prices[0], cost_in_turn=prices[1], cost_last=prices[2],
        gained_alone=gained[0], gained_in_turn=gained[1], gained_last=gained[2],
        rivals=tuple(sorted(without - with_)) if with_ else (),
        partners=tuple(sorted(with_ - without - {str(known[site])})) if without else (),
        flip_cost=cost, flip_weight=weight, solved_again=again, seconds=desk.clock.spent,
        interrupted=desk.halted)


def _figures(desk: _Desk, plan: Grown | None, other: Grown | None) -> tuple[Span3, Span3]:
    """Return what the site gains and costs alone, in its turn and last: of the best plan with it.

    Without such a plan its turn comes after the best plan without it.
    """
    case, site, problem = desk.case, desk.site, desk.case.problem
    alone = float(case.prices(Forest(case.network))[site])
    if plan is None:
        left = problem.weights.copy()
        if other is not None:
            left[problem.covered(other.order) > 0] = 0.0
        gain = float(replace(problem, weights=left).alone()[site])
        price = alone if other is None else float(case.prices(other.forest)[site])
        return (desk.weight, gain, gain), (alone, price, price)
    k = int(np.flatnonzero(plan.order == site)[0])
    others = np.delete(plan.order, k)
    last = problem.value(plan.order) - problem.value(others)
    fewer = replay(case, others, plan.forest.towards)
    price = case.cost(plan.forest, plan.order) - case.cost(fewer.forest, fewer.order)
    return ((desk.weight, float(plan.gains[k]), last),
            (alone, float(problem.costs[site] + plan.hops[k, 1]), price))

