"""Least cost for all points, with proof, or the points that stand in the way.

Without variants that exclude one another the problem is set cover. Missing a
point is priced at the cheapest site that reaches it: paying that is as good as
building the site, so that the priced problem has the same optimum and all that
is known about priced problems applies.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phusong.plan.branch import branch_and_bound
from phusong.plan.cover import improve_cover, no_redundant
from phusong.plan.decompose import decompose
from phusong.plan.greedy import greedy
from phusong.plan.most import maximise, rest_of, time_to_branch
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of, reduce_problem
from phusong.plan.refine import refine_cover
from phusong.plan.relax import Relaxation, relax
from phusong.plan.search import seeded
from phusong.plan.solution import PROMISE, Clock, Incumbent, Solution, grain

__all__ = ["minimise", "priced"]

_SMALL = 40
_FEW = 900
_PER_LINK = 3e-9
_FREE = 1e-12


def priced(problem: Problem) -> Problem:
    """Return the priced problem of a full cover: missing a point costs its cheapest site.

    With variants that exclude one another, missing a point costs more than all
    sites together, since its cheapest site may be excluded.
    """
    if (problem.groups >= 0).any():
        weights = np.full(problem.points, float(problem.costs.sum()) + 1.0)
    else:
        by_indptr, by_indices = problem.by_point
        weights = np.minimum.reduceat(problem.costs[by_indices], by_indptr[:-1])
    return Problem(problem.indptr, problem.indices, weights, problem.costs, problem.groups)


class _Run:
    """One search; its public face is `minimise`. Costs count as negative worth."""

    def __init__(self, problem: Problem, best: Incumbent, seed: int, moves: int | None) -> None:
        self.whole, self.best, self.moves = problem, best, moves
        kept = reduce_problem(problem, cover=True)
        self.problem, self.site_of = kept.problem, kept.site_of
        self.state = seeded(seed)
        self.plan = np.empty(0, np.int64)
        self.free = float("inf")

    def take(self, plan: NDArray[np.int64]) -> None:
        """Take a plan if it covers everything and costs less."""
        plan = no_redundant(self.problem, plan)
        own = self.problem.groups[plan][self.problem.groups[plan] >= 0]
        if (self.problem.covered(plan) == 0).any() or len(own) != len(np.unique(own)):
            return
        cost = float(self.problem.costs[plan].sum())
        if cost < self.free:
            self.plan, self.free = plan, cost
            self.best.scale = cost
            self.best.offer(self.site_of[plan], -cost)

    def relax(self) -> Relaxation:
        """Bound by the linear relaxation, and begin with a greedy cover."""
        problem = self.priced = priced(self.problem)
        per_round = max(len(problem.indices), 1) * _PER_LINK
        rounds = int(np.clip(0.2 * self.best.clock.left / per_round, 200, 2500))
        found = relax(problem, prices=problem.costs, rounds=rounds)
        self.prove(found.bound)
        least = 1e-6 * max(float(found.worth.max(initial=0.0)), 1e-9)
        for worth in (np.maximum(found.worth, least), np.ones(problem.points)):
            led = Problem(problem.indptr, problem.indices, worth, problem.costs, problem.groups)
            self.take(greedy(led)[0])
        self.best.tell("relaxation and greedy")
        return found

    def prove(self, bound: float) -> None:
        """Take an upper bound of the priced problem as a lower bound of the cost."""
        total = float(self.priced.weights.sum())
        least = total - bound - 1e-15 * total * np.sqrt(self.priced.points)
        step = self.best.step
        least = np.ceil(least / step * (1.0 - 1e-15) - 1e-9) * step if step else least
        self.best.bound = max(min(self.best.bound, -max(float(least), 0.0)), self.best.value)

    def core(self, found: Relaxation) -> tuple[Problem, NDArray[np.int64]]:
        """Return the problem of the sites that a good cover may hold, and their numbers."""
        count = max(400, 3 * len(self.plan), min(2 * self.problem.points, self.problem.sites // 4))
        keep = np.zeros(self.problem.sites, bool)
        keep[np.argsort(-found.profit, kind="stable")[:count]] = True
        keep[self.plan] = True
        return part_of(self.problem, keep, np.ones(self.problem.points, bool)), np.flatnonzero(
            keep)

    def search(self, found: Relaxation, seconds: float, moves: int) -> None:
        """Better the cover by local search among the sites a good cover may hold."""
        small, ids = self.core(found)
        clock, done, speed = Clock(seconds), 0, 5e-5
        while done < moves and not self.best.over:
            block = min(max(2000, int(1.0 / speed)), moves - done)
            if done and clock.left < block * speed:
                break
            start = clock.spent
            plan = improve_cover(small, np.searchsorted(ids, self.plan), rounds=block,
                                 state=self.state, floor=-self.best.bound)
            speed = max((clock.spent - start) / block, 1e-7)
            done += block
            self.take(ids[plan])
        self.best.tell("search")

    def branch(self, found: Relaxation, seconds: float) -> None:
        """Prove the cover, or find a cheaper one, by branch and bound."""
        z = self.priced
        room = max(self.best.value - self.best.room + float(z.weights.sum()), 0.0)
        slack = found.bound - room
        keep = found.profit >= -max(slack, 0.0)
        keep[self.plan] = True
        small, ids = part_of(z, keep, np.ones(z.points, bool)), np.flatnonzero(keep)
        clock = Clock(seconds)
        if clock.left < time_to_branch(small):
            self.best.cut = True
            return

        def stop(bound: float, value: float) -> bool:
            self.prove(max(bound, value))
            return self.best.over or clock.left <= 0.0

        tree = branch_and_bound(
            small, prices=small.costs, slack=self.best.room, rounds=600, heuristic=0,
            start=np.searchsorted(ids, self.plan), state=self.state, stop=stop,
            found=lambda plan: self.complete(ids[plan]))
        self.best.nodes += tree.nodes
        self.prove(tree.bound)
        self.best.tell("branching")

    def complete(self, plan: NDArray[np.int64]) -> None:
        """Buy the cheapest site of each point that a priced plan leaves open."""
        chosen = list(plan)
        by_indptr, by_indices = self.problem.by_point
        for i in np.flatnonzero(self.problem.covered(plan) == 0):
            own = by_indices[by_indptr[i]:by_indptr[i + 1]]
            chosen.append(own[np.argmin(self.problem.costs[own])])
        self.take(np.unique(np.array(chosen, np.int64)))

    def go(self) -> None:
        """Search and prove until the gap or the time is reached."""
        if not self.problem.points:
            self.best.offer(np.empty(0, np.int64), 0.0)
            self.best.bound = 0.0
            return
        found = self.relax()
        self.search(found, 0.05 * self.best.clock.left, self.moves or 500_000)
        if self.best.over:
            return
        room = self.best.bound - self.best.value
        if int((found.profit >= -room).sum()) <= _FEW:
            self.branch(found, 0.5 * self.best.clock.left)
        if not self.best.over:
            self.search(found, 0.05 * self.best.clock.left, self.moves or 3_000_000)
        if len(self.plan) > _SMALL:
            self.neighbourhoods(found)
        if not self.best.over:
            self.search(found, 0.3 * self.best.clock.left, self.moves or 3_000_000)
        if not self.best.over:
            self.branch(found, self.best.clock.left)

    def neighbourhoods(self, found: Relaxation) -> None:
        """Better the cover region by region, and bound it by neighbourhoods, ever larger ones."""
        self.refine(0.15 * self.best.clock.left)
        alone = bool((self.problem.groups < 0).all())
        for size in (4.0, 7.0, 12.0):
            if self.best.over:
                return
            begun = self.best.clock.spent
            parts = decompose(self.priced, self.plan, size=size, cover=alone, state=self.state,
                              seconds=0.75 * self.best.clock.left)
            self.prove(parts.bound)
            self.best.tell(f"{parts.parts} neighbourhoods of {size:g} sites, "
                           f"{parts.proven} solved")
            if self.best.clock.spent - begun > 0.8 * self.best.clock.left:
                break
        self.refine(0.9 * self.best.clock.left, size=20, rounds=5000)

    def refine(self, seconds: float, *, size: int = 12, rounds: int = 2000, often: int = 6
               ) -> None:
        """Cover regions of the plan anew, with all sites there are."""
        if self.best.over or (self.problem.groups >= 0).any():
            return
        refine_cover(self.problem, self.plan, size=size, rounds=rounds, state=self.state,
                     seconds=seconds, often=1 if self.moves else often, better=self.take)
        self.best.tell(f"regions of {size} sites")


def _together(problem: Problem, seconds: float, seed: int, moves: int | None
              ) -> tuple[Problem, Solution]:
    """Leave out the points that cannot be covered beside the others; with a plan for the rest."""
    ones = Problem(problem.indptr, problem.indices, np.ones(problem.points), problem.costs,
                   problem.groups)
    most = maximise(ones, seconds=seconds, seed=seed, moves=moves)
    can = problem.covered(most.sites) > 0
    return part_of(problem, np.ones(problem.sites, bool), can), most


def minimise(problem: Problem, *, points: NDArray[np.int64] | None = None,
             kept: NDArray[np.int64] | None = None, gap: float = 0.0, seconds: float = 60.0,
             seed: int = 0, moves: int | None = None,
             progress: Callable[[str, int, int], None] | None = None) -> Solution:
    """Return the cheapest plan that reaches all points, and a proven bound.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups; weights count nothing.
    points : (wanted,) int64, optional
        Points that must be covered; None = all.
    kept : (sites,) int64, optional
        Sites that are ordered already: built in any case, counted in the cost.
    gap : float
        Ends when bound and cost differ by no more than this share of the cost.
    seconds, seed, moves, progress
        As in `phusong.plan.most.maximise`; moves None = 3,000,000.

    Notes
    -----
    Points that no site reaches stand in `unreachable`; the plan covers all
    others, ``stopped="infeasible"``. Where variants exclude one another, so many
    points as can be covered together are looked for first (`maximise`); the others
    stand there too, and value and bound are those of covering all but them.
    """
    clock, kept = Clock(seconds * PROMISE), np.asarray([] if kept is None else kept, np.int64)
    inside = np.zeros(problem.points, bool)
    inside[slice(None) if points is None else np.asarray(points, np.int64)] = True
    lost = np.flatnonzero(inside & (np.diff(problem.by_point[0]) == 0))
    wanted = part_of(problem, np.ones(problem.sites, bool), inside)
    rest, site_of, _, _ = rest_of(wanted, kept, np.inf, None)
    names = np.flatnonzero(inside)[wanted.covered(kept) == 0]
    may = np.diff(rest.by_point[0]) > 0
    lost = np.unique(np.concatenate([lost, names[~may]]))
    free = (rest.costs <= _FREE) & (rest.groups < 0)
    gifts = np.flatnonzero(free & (np.diff(rest.indptr) > 0))
    open_points = may & (rest.covered(gifts) == 0)
    small = part_of(rest, ~free, open_points)
    best, first = Incumbent(clock, gap, grain(problem.costs), progress), None
    if (small.groups >= 0).any():
        small, first = _together(small, 0.2 * seconds, seed, moves)
    run, interrupted = _Run(small, best, seed, moves), False
    if first is not None:
        best.offer(first.sites, -float(small.costs[first.sites].sum()))
        best.scale, interrupted = -best.value, first.stopped == "interrupted"
    try:
        if not interrupted:
            run.go()
    except KeyboardInterrupt:
        interrupted = True
    found = site_of[np.flatnonzero(~free)[best.sites]]
    chosen = np.sort(np.concatenate([kept, site_of[gifts], found]))
    left = np.flatnonzero(inside & (problem.covered(chosen) == 0))
    lost = np.union1d(lost, left)
    cost = float(problem.costs[chosen].sum())
    base = cost - float(small.costs[best.sites].sum())
    bound = min(cost, base + max(0.0, -best.bound if np.isfinite(best.bound) else 0.0))
    stopped = "infeasible" if len(lost) else best.why(interrupted)
    return Solution(chosen, cost, bound, clock.spent, stopped, cost, best.nodes, lost,
                    tuple(best.said))
