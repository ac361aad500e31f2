"""Most weight under a budget, with proof: reduction, relaxation, search, neighbourhoods, branching.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.plan.branch import branch_and_bound
from phusong.plan.decompose import decompose
from phusong.plan.greedy import best_single, greedy
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of, reduce_problem
from phusong.plan.relax import Relaxation, relax
from phusong.plan.search import improve, seeded
from phusong.plan.solution import PROMISE, Clock, Incumbent, Solution, grain
from phusong.plan.swap import swap

__all__ = ["maximise", "rest_of", "time_to_branch"]

_SMALL, _GOES = 24, 8
_PER_LINK, _ROOT = 3e-9, 3000
_HOT, _WARM, _COLD = 0.1, 0.04, 0.002


def rest_of(problem: Problem, kept: NDArray[np.int64], budget: float, max_sites: int | None
            ) -> tuple[Problem, NDArray[np.int64], float, int | None]:
    """Take the kept sites, what they reach and what they cost out of a problem.

    Returns
    -------
    problem : Problem
        Of the other sites that may still be built, and the points still open.
    site_of : (sites,) int64
        Their numbers in the original problem.
    budget, max_sites : float, int or None
        What is left.

    Raises
    ------
    InputError
        If the kept sites exclude one another, or cost more than there is.
    """
    if len(kept) and not 0 <= kept.min() <= kept.max() < problem.sites:
        raise InputError(f"A kept site has number {kept.max()}, but there are only "
                         f"{problem.sites} sites.")
    own = problem.groups[kept][problem.groups[kept] >= 0]
    if len(own) != len(np.unique(own)):
        raise InputError("Two kept sites are variants of one another; at most one of them can "
                         "be built. Keep only one.")
    spent = float(problem.costs[kept].sum())
    if spent > budget or (max_sites is not None and len(kept) > max_sites):
        raise InputError(f"The {len(kept)} kept sites cost {spent:,.10g}; that is more than the "
                         f"budget of {budget:,.10g} or the {max_sites} sites allow. Raise the "
                         f"limit or keep fewer.")
    may = ~np.isin(problem.groups, own)
    may[kept] = False
    rest = part_of(problem, may, problem.covered(kept) == 0)
    return rest, np.flatnonzero(may), budget - spent, (
        None if max_sites is None else max_sites - len(kept))


def time_to_branch(problem: Problem) -> float:
    """Return the CPU seconds below which branching would run over before its first split."""
    return _ROOT * len(problem.indices) * _PER_LINK


class _Run:
    """One search; its public face is `maximise`."""

    def __init__(self, problem: Problem, budget: float, max_sites: int | None, best: Incumbent,
                 seed: int, moves: int | None) -> None:
        self.budget, self.max_sites, self.best = budget, max_sites, best
        if budget == np.inf and max_sites is not None:
            problem = Problem(problem.indptr, problem.indices, problem.weights,
                              np.ones(problem.sites), problem.groups)
        self.limit = budget if budget < np.inf else float(
            np.inf if max_sites is None else max_sites)
        kept = reduce_problem(problem, budget=self.limit)
        self.problem, self.site_of = kept.problem, kept.site_of
        self.state, self.moves = seeded(seed), moves
        self.plan = np.empty(0, np.int64)
        best.prove(self.problem.reachable)

    def take(self, plan: NDArray[np.int64]) -> None:
        value = self.problem.value(plan)
        if value > self.problem.value(self.plan):
            self.plan = np.sort(plan)
        self.best.offer(self.site_of[plan], value)

    def greedy(self) -> None:
        """Begin with the greedy order and the best single site."""
        self.take(np.empty(0, np.int64))
        self.take(greedy(self.problem, budget=self.limit, max_sites=self.max_sites)[0])
        first = best_single(self.problem, self.limit)
        if first is not None and self.max_sites != 0:
            self.take(greedy(self.problem, budget=self.limit, max_sites=self.max_sites,
                             first=first)[0])
        self.best.tell("greedy")

    def relax(self) -> Relaxation:
        """Bound by the linear relaxation."""
        per_round = max(len(self.problem.indices), 1) * _PER_LINK
        rounds = int(np.clip(0.2 * self.best.clock.left / per_round, 200, 1500))
        found = relax(self.problem, budget=self.limit, max_sites=self.max_sites, rounds=rounds,
                      stop_at=self.best.value)
        self.best.prove(found.bound)
        self.best.tell("relaxation")
        return found

    def core(self, found: Relaxation) -> tuple[Problem, NDArray[np.int64]]:
        """Return the problem of the sites that a good plan may hold, and their numbers."""
        room = max(self.best.bound - self.best.value, 0.0)
        count = max(600, 30 * len(self.plan), self.problem.sites // 6)
        keep = np.zeros(self.problem.sites, bool)
        keep[np.argsort(-found.profit, kind="stable")[:count]] = True
        keep &= found.profit >= -room
        keep[self.plan] = True
        return part_of(self.problem, keep, np.ones(self.problem.points, bool)), np.flatnonzero(
            keep)

    def search(self, found: Relaxation, seconds: float, moves: int, hot: float = _HOT) -> None:
        """Better the plan; heat falls from block to block, several times over if it is cheap."""
        small, ids = self.core(found)
        if not small.sites or self.max_sites == 0:
            return
        few = len(self.plan) <= _SMALL
        if few:
            self.swaps(small, ids, 0.5 * seconds, min(moves, 2000))
        moves, turns = (min(moves // 20, 50 * small.sites), 2) if few else (moves, 1)
        speed, best = 2e-4, self.plan
        for turn in range(turns):
            warmer = 3.0 if turn % 2 else 1.0
            plan, done = np.searchsorted(ids, best), 0
            begun = time.process_time()
            while done < moves:
                ahead = max(0.0, seconds / turns - (time.process_time() - begun))
                whole = min(moves, done + int(ahead / speed)) if done else moves
                block = min(max(500, int(0.5 / speed)), moves - done)
                if whole - done < block // 2 or self.best.over:
                    break
                heat = [warmer * hot * (_COLD / hot) ** (k / max(whole, 1))
                        for k in (done, min(done + block, whole))]
                start = time.process_time()
                plan = improve(small, plan, rounds=block, state=self.state, budget=self.limit,
                               max_sites=self.max_sites, hot=heat[0], cold=heat[1])
                speed = max((time.process_time() - start) / block, 1e-7)
                done += block
                self.take(ids[plan])
        self.best.tell("search")

    def swaps(self, small: Problem, ids: NDArray[np.int64], seconds: float, rounds: int) -> None:
        """Better a plan of few sites by swaps, until a few goes in a row find nothing."""
        clock, idle = Clock(seconds), 0
        while idle < _GOES and not self.best.over and clock.left > 0.0:
            before = self.best.value
            self.take(ids[swap(small, np.searchsorted(ids, self.plan), rounds=rounds,
                               state=self.state, budget=self.limit, max_sites=self.max_sites)])
            idle = 0 if self.best.value > before else idle + 1
        self.best.tell("swaps")

    def branch(self, found: Relaxation) -> None:
        """Prove the plan, or find a better one, by branch and bound."""
        keep = found.profit >= -(self.best.bound - self.best.value)
        keep[self.plan] = True
        small, ids = part_of(self.problem, keep, np.ones(self.problem.points, bool)), \
            np.flatnonzero(keep)
        if self.best.clock.left < time_to_branch(small):
            self.best.cut = True
            return

        def stop(bound: float, value: float) -> bool:
            self.best.prove(max(bound, self.best.value))
            if value > self.best.value:
                self.best.tell("branching")
            return self.best.over

        tree = branch_and_bound(
            small, budget=self.limit, max_sites=self.max_sites, slack=self.best.room,
            start=np.searchsorted(ids, self.plan), rounds=400, heuristic=2000, state=self.state,
            stop=stop, found=lambda plan: self.take(ids[plan]))
        self.take(ids[tree.sites])
        self.best.nodes += tree.nodes
        self.best.prove(tree.bound)
        self.best.tell("branching")

    def neighbourhoods(self, found: Relaxation, size: float, seconds: float) -> None:
        """Bound by neighbourhoods solved exactly at the relaxation's prices."""
        p = self.problem
        paid = found.price * p.costs + found.toll
        fixed = (found.price * self.limit if found.price else 0.0) + (
            found.toll * float(self.max_sites or 0) if found.toll else 0.0)
        priced = Problem(p.indptr, p.indices, p.weights, paid, p.groups)
        parts = decompose(priced, self.plan, size=size, seconds=seconds, state=self.state)
        self.best.prove((parts.bound + fixed) * (1.0 + 1e-14))
        self.best.tell(f"{parts.parts} neighbourhoods of {size:g} sites")

    def go(self) -> None:
        self.greedy()
        if self.best.over or not self.problem.sites:
            self.best.prove(self.best.value if not self.problem.sites else np.inf)
            return
        found = self.relax()
        left = self.best.clock.left
        self.search(found, 0.35 * left, self.moves or 400_000)
        if not self.best.over and len(self.plan) > _SMALL:
            self.regions(found)
        if not self.best.over:
            self.branch(found)

    def regions(self, found: Relaxation) -> None:
        """Bound by ever larger neighbourhoods while there is time for them, and search on."""
        for size in (4.0, 8.0, 16.0):
            begun = self.best.clock.spent
            self.neighbourhoods(found, size, 0.5 * self.best.clock.left)
            took = self.best.clock.spent - begun
            if self.best.over:
                return
            self.search(found, 0.3 * self.best.clock.left, self.moves or 200_000, _WARM)
            if took > 0.5 * self.best.clock.left:
                break
        if not self.best.over:
            self.search(found, 0.97 * self.best.clock.left, self.moves or 1_000_000, _WARM)


def maximise(problem: Problem, *, budget: float = np.inf, max_sites: int | None = None,
             kept: NDArray[np.int64] | None = None, gap: float = 0.0, seconds: float = 60.0,
             seed: int = 0, moves: int | None = None,
             progress: Callable[[str, int, int], None] | None = None) -> Solution:
    """Return the plan that covers the most weight within its limits, and a proven bound.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups. Exact if weights are multiples of 1/1024.
    budget : float
        Greatest summed cost.
    max_sites : int, optional
        Greatest number of sites.
    kept : (sites,) int64, optional
        Sites that are ordered already: built in any case, paid from the budget.
    gap : float
        Ends when bound and value differ by no more than this share of the value.
    seconds : float
        Ends after so much CPU time (of one thread).
    seed : int
        Of all random choices. Equal seeds give equal plans unless time cuts
        the search short.
    moves : int, optional
        Moves of the search; None = 400,000.
    progress : callable, optional
        Called with what was done, thousandths of the gap closed, 1000.

    Notes
    -----
    An interrupt (Ctrl-C) gives the best plan so far, ``stopped="interrupted"``.
    """
    clock, kept = Clock(seconds * PROMISE), np.asarray([] if kept is None else kept, np.int64)
    rest, site_of, left, most = rest_of(problem, kept, budget, max_sites)
    best = Incumbent(clock, gap, grain(problem.weights), progress)
    base = problem.value(kept)
    interrupted = False
    try:
        _Run(rest, left, most, best, seed, moves).go()
    except KeyboardInterrupt:
        interrupted = True
    chosen = np.sort(np.concatenate([kept, site_of[best.sites]]))
    value = problem.value(chosen)
    bound = max(value, base + min(best.bound, rest.reachable))
    return Solution(chosen, value, bound, clock.spent, best.why(interrupted),
                    float(problem.costs[chosen].sum()), best.nodes, steps=tuple(best.said))
