"""Most weight under floors: so much of this group of points at least, whatever else is built.

A floor is a row ``sum of amounts of its covered points >= least``. Priced by a
multiplier it becomes extra weight of its points, so that every bound of the
problem without floors is a bound of the problem with them (Lagrangian
relaxation); a plan that keeps the floors is made greedily; HiGHS closes what
is left between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.errors import InputError
from phusong.plan.greedy import greedy
from phusong.plan.mip import solve_mip
from phusong.plan.most import maximise, rest_of
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of, reduce_problem
from phusong.plan.solution import Clock, Incumbent, Solution, grain

__all__ = ["Floors", "maximise_with_floors", "money_for_floors"]

_SMALL = 4_000
_TURNS = 6
_NEAR = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Floors:
    """What must be covered at least.

    Parameters
    ----------
    amounts : (floors, points) csr_matrix
        What each covered point adds to each floor; not negative.
    least : (floors,) float64
        What each floor asks for.
    """

    amounts: sparse.csr_matrix
    least: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.amounts.shape[0] != len(self.least):
            raise InputError(f"{self.amounts.shape[0]} rows of amounts and {len(self.least)} "
                             f"floors do not belong together.")
        if (self.amounts.data < 0).any() or not np.isfinite(self.amounts.data).all():
            raise InputError("The amounts of a floor must be finite and not negative.")

    def short(self, covered: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return by how much each floor is missed, (floors,); 0 = kept."""
        lack = self.least - self.amounts @ covered.astype(np.float64)
        return np.where(lack > _NEAR * np.maximum(self.least, 1.0), lack, 0.0)


def _part(problem: Problem, kept: NDArray[np.int64]) -> tuple[Problem, NDArray[np.int64]]:
    """Leave out sites that another one makes needless for every point, and what they exclude.

    The sites that are built in any case stay.
    """
    same = replace(problem, weights=np.ones(problem.points))
    keep = np.zeros(problem.sites, bool)
    keep[reduce_problem(same).site_of] = True
    keep[kept] = True
    return part_of(problem, keep, np.ones(problem.points, bool)), np.flatnonzero(keep)


class _Run:
    """One search; its public face is `maximise_with_floors`."""

    def __init__(self, problem: Problem, floors: Floors, budget: float, max_sites: int | None,
                 kept: NDArray[np.int64], best: Incumbent, seed: int) -> None:
        self.floors, self.budget, self.best, self.seed = floors, budget, best, seed
        self.max_sites = max_sites
        self.problem, self.site_of = _part(problem, kept)
        self.kept = np.searchsorted(self.site_of, kept)
        self.infeasible = False

    def take(self, plan: NDArray[np.int64]) -> None:
        """Take a plan if it keeps floors and limits."""
        p = self.problem
        plan = np.unique(np.concatenate([plan, self.kept]).astype(np.int64))
        own = p.groups[plan][p.groups[plan] >= 0]
        if (self.floors.short(p.covered(plan) > 0).any() or p.costs[plan].sum() > self.budget
                or (self.max_sites is not None and len(plan) > self.max_sites)
                or len(own) != len(np.unique(own))):
            return
        self.best.offer(plan, p.value(plan))

    def repair(self, plan: NDArray[np.int64]) -> NDArray[np.int64]:
        """Build what the floors need most per cost until they hold, then by weight per cost."""
        p = self.problem
        chosen = [int(j) for j in plan]
        reach = sparse.csc_matrix((np.ones(len(p.indices)), p.indices, p.indptr),
                                  shape=(p.points, p.sites))
        while len(chosen) < p.sites:
            built = np.array(chosen, np.int64)
            covered = p.covered(built) > 0
            lack = self.floors.short(covered)
            left = self.budget - p.costs[built].sum()
            taken = p.groups[built][p.groups[built] >= 0]
            may = (p.costs <= left) & ~np.isin(p.groups, taken)
            may[built] = False
            rate = np.zeros(p.sites)
            if lack.any():
                rows = self.floors.amounts[np.flatnonzero(lack)] @ sparse.diags(
                    (~covered).astype(np.float64)) @ reach
                part = np.minimum(rows.toarray(), lack[lack > 0][:, None])
                rate = (part / lack[lack > 0][:, None]).sum(axis=0)
            else:
                rate = reach.T @ (p.weights * ~covered)
            rate = np.where(may, rate / np.maximum(p.costs, 1e-9), 0.0)
            if rate.max() <= 0.0 or (self.max_sites is not None
                                     and len(chosen) >= self.max_sites):
                break
            chosen.append(int(np.argmax(rate)))
        return np.array(chosen, np.int64)

    def lagrange(self, seconds: float) -> None:
        """Price the floors, solve without them, and move the prices; several times."""
        p, floors = self.problem, self.floors
        scale = 1.0 / np.maximum(np.asarray(floors.amounts.sum(axis=1)).ravel(), 1e-9)
        price, length = np.zeros(len(floors.least)), 1.0
        clock = Clock(seconds)
        for turn in range(_TURNS):
            extra = np.round((floors.amounts.T @ price) * 1024.0) / 1024.0
            priced = replace(p, weights=p.weights + extra)
            share = clock.left / (_TURNS - turn)
            found = maximise(priced, budget=self.budget, max_sites=self.max_sites, kept=self.kept,
                             gap=1e-4, seconds=max(share, 1e-3), seed=self.seed)
            slip = 2.0 ** -10 * float((extra > 0).sum())
            bound = found.bound - float(price @ floors.least) + (slip if price.any() else 0.0)
            self.best.prove(bound)
            covered = p.covered(found.sites) > 0
            self.take(found.sites)
            self.take(self.repair(self.kept if turn == 0 else self.dropped(found.sites)))
            self.best.tell(f"floors priced, turn {turn + 1}")
            if found.stopped == "interrupted":
                raise KeyboardInterrupt
            if self.best.over or clock.left <= 0.0:
                break
            way = (floors.least - floors.amounts @ covered.astype(np.float64)) * scale
            apart = bound - (self.best.value if np.isfinite(self.best.value) else 0.8 * bound)
            move = way * length * max(apart, 1e-3 * abs(bound)) / max(float(way @ way), 1e-12)
            price = np.maximum(price + move * scale, 0.0)
            length *= 0.6

    def dropped(self, plan: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the better half of a plan, for the floors to be repaired around it."""
        p = self.problem
        times = p.covered(plan)
        own = [p.weights[mine[times[mine] == 1]].sum() for mine in
               (p.indices[p.indptr[j]:p.indptr[j + 1]] for j in plan)]
        order = np.argsort(-np.array(own) / np.maximum(p.costs[plan], 1e-9), kind="stable")
        return np.union1d(self.kept, plan[order[:len(plan) // 2]])

    def mip(self, seconds: float, gap: float) -> None:
        """Let HiGHS close what is left."""
        start = self.best.sites if np.isfinite(self.best.value) else None
        found = solve_mip(self.problem, amounts=self.floors.amounts, least=self.floors.least,
                          budget=self.budget, max_sites=self.max_sites, must=self.kept,
                          start=start, gap=gap, seconds=seconds, seed=self.seed)
        if found.sites is not None:
            self.take(found.sites)
        self.infeasible = found.infeasible and start is None
        if not self.infeasible:
            self.best.prove(found.bound)
        self.best.tell("HiGHS")
        if found.interrupted:
            raise KeyboardInterrupt

    def go(self) -> None:
        self.best.prove(self.problem.reachable)
        everything = np.diff(self.problem.by_point[0]) > 0
        if self.floors.short(everything).any():
            self.infeasible = True
            return
        if len(self.problem.indices) > _SMALL:
            self.lagrange(0.5 * self.best.clock.left)
        if not self.best.over:
            self.mip(max(self.best.clock.left, 1e-3), self.best.aim)


def maximise_with_floors(problem: Problem, floors: Floors, *, budget: float = np.inf,
                         max_sites: int | None = None, kept: NDArray[np.int64] | None = None,
                         gap: float = 0.0, seconds: float = 60.0, seed: int = 0,
                         progress: Callable[[str, int, int], None] | None = None) -> Solution:
    """Return the plan of most weight that keeps the floors, and a proven bound.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups. Exact if weights are multiples of 1/1024.
    floors : Floors
        What must be covered at least.
    budget, max_sites, kept, gap, seconds, seed, progress
        As in `phusong.plan.most.maximise`; HiGHS reads the clock on the wall.

    Returns
    -------
    Solution
        ``stopped="infeasible"`` if it is proven that no plan within the limits
        keeps the floors: the plan is then the kept sites alone, and `unreachable`
        holds the points of floors that ask for more than all sites together
        reach. If none was found in time, the plan is the kept sites too, and
        `stopped` says ``time``.
    """
    kept = np.sort(np.asarray([] if kept is None else kept, np.int64))
    rest_of(problem, kept, budget, max_sites)
    best = Incumbent(Clock(seconds), gap, grain(problem.weights), progress)
    run, interrupted = _Run(problem, floors, budget, max_sites, kept, best, seed), False
    try:
        run.go()
    except KeyboardInterrupt:
        interrupted = True
    found = np.isfinite(best.value)
    chosen = run.site_of[best.sites] if found else kept
    value = problem.value(chosen)
    lost = np.empty(0, np.int64)
    if run.infeasible:
        lost = out_of_reach(problem, floors)
    stopped = "infeasible" if run.infeasible else best.why(interrupted)
    if not found and stopped in ("optimal", "gap"):
        stopped = "unfinished"
    return Solution(chosen, value, max(best.bound, value), best.clock.spent, stopped,
                    float(problem.costs[chosen].sum()), best.nodes, lost, tuple(best.said))


def out_of_reach(problem: Problem, floors: Floors) -> NDArray[np.int64]:
    """Return the points that no site reaches, of floors that cannot be kept without them."""
    reached = np.diff(problem.by_point[0]) > 0
    broken = np.flatnonzero(floors.short(reached))
    wanted = np.asarray(floors.amounts[broken].sum(axis=0)).ravel() > 0.0
    return np.flatnonzero(wanted & ~reached)


def money_for_floors(problem: Problem, floors: Floors, *, kept: NDArray[np.int64] | None = None,
                     max_sites: int | None = None, seconds: float = 20.0, seed: int = 0
                     ) -> tuple[float, float]:
    """Return between which two sums the least money lies that keeps the floors.

    Parameters
    ----------
    problem, floors, kept, max_sites, seconds, seed
        As in `maximise_with_floors`.

    Returns
    -------
    low, high : float
        Both infinite if no money keeps them; `high` alone if no plan was found in time.
    """
    kept = np.sort(np.asarray([] if kept is None else kept, np.int64))
    small, site_of = _part(problem, kept)
    if floors.short(np.diff(problem.by_point[0]) > 0).any():
        return np.inf, np.inf
    led = replace(small, weights=np.asarray(floors.amounts.sum(axis=0)).ravel())
    must = np.searchsorted(site_of, kept)
    start = None
    if not (small.groups >= 0).any() and not len(kept) and max_sites is None:
        start = greedy(led)[0]
    found = solve_mip(small, amounts=floors.amounts, least=floors.least, must=must, cheapest=True,
                      max_sites=max_sites, start=start, seconds=seconds, seed=seed)
    if found.infeasible:
        return np.inf, np.inf
    high = np.inf if found.sites is None else float(small.costs[found.sites].sum())
    step = grain(problem.costs)
    low = max(found.bound, 0.0)
    low = np.ceil(low / step - 1e-9) * step if step else low
    return min(float(low), high), high
