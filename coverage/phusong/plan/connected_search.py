"""The best plan with feeders that is found, and how good it is at least.

Two plain covering problems enclose it.  With every feeder paid alone a plan costs no less
than with shared ones: what `maximise`, `minimise` and `maximise_with_floors` find there can be
built.  With all left out that may be shared it costs no more: their bounds there are bounds here.
Between the two lie a search and the programme over layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, grow, replay, share_free
from phusong.plan.connected_build import build, improve_connected, money, within, worth
from phusong.plan.connected_exact import prove
from phusong.plan.connected_parts import parts_of, search_price
from phusong.plan.floors import maximise_with_floors, money_for_floors
from phusong.plan.least import minimise
from phusong.plan.most import maximise, rest_of
from phusong.plan.network import NoWayFoundError, Step
from phusong.plan.problem import Problem
from phusong.plan.reduce import part_of
from phusong.plan.relax import relax
from phusong.plan.solution import Clock, Incumbent, Solution, grain

__all__ = ["alone", "joinable", "plain", "solve_connected"]

_ROUNDS = 600
_PARTS = 12
_WHOLE = 2_000

Ints = NDArray[np.int64]
Progress = Callable[[str, int, int], None]


def alone(case: Connected) -> Problem:
    """Return the plain problem in which each site pays for its own feeder; all have a way."""
    problem = case.problem
    price = np.concatenate([case.network.alone(), [0.0]])[case.node]
    return Problem(problem.indptr, problem.indices, problem.weights, problem.costs + price,
                   problem.groups)


def joinable(case: Connected) -> tuple[Connected, Ints]:
    """Return the case without sites that have no way to the network, and their old numbers."""
    can = np.isfinite(np.concatenate([case.network.alone(), [0.0]])[case.node])
    if can.all():
        return case, np.arange(case.problem.sites)
    part = part_of(case.problem, can, np.ones(case.problem.points, bool))
    return Connected(part, case.network, case.node[can]), np.flatnonzero(can)


def plain(problem: Problem, aim: Aim, *, gap: float, seconds: float, seed: int = 0,
          progress: Progress | None = None) -> Solution:
    """Solve a problem without a network for the same aim.

    Parameters
    ----------
    problem : Problem
        With the prices that count.
    aim : Aim
        What is asked for.
    gap, seconds, seed, progress
        As in `phusong.plan.most.maximise`.
    """
    if aim.cheapest:
        return _cheapest(problem, aim, gap, seconds, seed)
    if aim.floors is not None:
        return maximise_with_floors(problem, aim.floors, budget=aim.budget,
                                    max_sites=aim.max_sites, kept=aim.kept, gap=gap,
                                    seconds=seconds, seed=seed, progress=progress)
    return maximise(problem, budget=aim.budget, max_sites=aim.max_sites, kept=aim.kept,
                    gap=gap, seconds=seconds, seed=seed, progress=progress)


def _cheapest(problem: Problem, aim: Aim, gap: float, seconds: float, seed: int) -> Solution:
    floors = aim.floors
    assert floors is not None
    if (np.diff(floors.amounts.indptr) == 1).all() and (floors.least > 0.0).all():
        return minimise(problem, points=floors.amounts.indices.astype(np.int64), kept=aim.kept,
                        gap=gap, seconds=seconds, seed=seed)
    clock = Clock(seconds)
    low, high = money_for_floors(problem, floors, kept=aim.kept, max_sites=aim.max_sites,
                                 seconds=seconds, seed=seed)
    return Solution(aim.kept, high, low, clock.spent,
                    "infeasible" if np.isinf(low) else "unfinished", high)


class _Run:
    """One search; its public face is `solve_connected`."""

    def __init__(self, case: Connected, aim: Aim, best: Incumbent, seed: int) -> None:
        self.case, self.aim, self.best, self.seed = case, aim, best, seed
        self.plan: Grown | None = None
        self.infeasible = False
        self.sign = -1.0 if aim.cheapest else 1.0
        self.small = case.problem.sites <= _WHOLE

    def take(self, plan: Grown | None) -> None:
        """Take a plan if it is better, or cheaper at the same worth."""
        if plan is None:
            return
        now = worth(self.case, self.aim, plan)
        if self.plan is None or (now, -money(self.case, plan)) > (
                worth(self.case, self.aim, self.plan), -money(self.case, self.plan)):
            self.plan = plan
        self.best.offer(plan.order, now)
        if self.aim.cheapest:
            self.best.scale = abs(self.best.value)

    def bound(self, seconds: float) -> None:
        """Bound by the plain problem without what may be shared."""
        found = plain(share_free(self.case), self.aim, gap=0.25 * self.best.aim,
                      seconds=max(seconds, 1e-3), seed=self.seed)
        self.infeasible = found.stopped == "infeasible" and (
            not self.aim.cheapest or np.isinf(found.bound))
        if found.stopped != "infeasible":
            self.best.prove(self.sign * found.bound)
        self.best.tell("bound without what may be shared")
        _stop_if(found.stopped == "interrupted")

    def search(self, seconds: float) -> None:
        """Set out from the plain problem with feeders paid alone, and better that."""
        clock, apart = Clock(seconds), alone(self.case)
        starts: tuple[Ints, ...] = ()
        if apart.costs[self.aim.kept].sum() <= self.aim.budget:
            start = plain(apart, self.aim, gap=self.best.aim,
                          seconds=max(0.5 * seconds, 1e-3), seed=self.seed)
            starts = (start.sites,)
            if start.stopped == "interrupted":
                self.take(build(self.case, self.aim, first=start.sites))
                raise KeyboardInterrupt
        improve_connected(self.case, self.aim, starts=starts, seed=self.seed,
                          clock=clock, found=self.take)
        self.best.tell("search")

    def exact(self) -> None:
        """Let HiGHS close what is left."""
        proof = prove(self.case, self.aim, seconds=max(self.best.clock.left, 1e-3),
                      gap=self.best.aim, start=self.plan)
        self.infeasible = proof.infeasible and self.plan is None
        if proof.infeasible:
            return
        if proof.grown is not None and self._holds(proof.grown):
            self.take(proof.grown)
        self.best.prove(self.sign * proof.bound)
        self.best.tell("programme over layers")
        _stop_if(proof.interrupted)

    def _holds(self, plan: Grown) -> bool:
        over = money(self.case, plan) > self.aim.budget
        return not over and not len(self.aim.short(self.case.problem.covered(plan.order) > 0))

    def parts(self) -> bool:
        """Where the map falls apart at the price of money, solve it part by part."""
        aim, case = self.aim, self.case
        if aim.cheapest or aim.floors is not None or aim.max_sites is not None:
            return False
        found = relax(share_free(case), budget=aim.budget, rounds=_ROUNDS)
        self.best.prove(found.bound)
        if self.best.over or found.price <= 0.0 or len(
                parts_of(case, aim, found.price)) < _PARTS:
            return self.best.over
        search_price(case, aim, found.price, gap=0.2 * self.best.aim,
                     clock=Clock((0.3 if self.small else 0.8) * self.best.clock.left),
                     offer=self.offer,
                     prove=self.proven)
        return True

    def offer(self, plan: Grown) -> None:
        """Take a plan if it is within the limits."""
        if within(self.case, self.aim, plan):
            self.take(plan)

    def proven(self, bound: float) -> bool:
        """Take a bound; tell whether it is near enough."""
        self.best.prove(bound)
        self.best.tell("parts at a price of money")
        return self.best.over

    def go(self) -> None:
        self.take(build(self.case, self.aim))
        parted = self.parts()
        if not parted:
            self.bound(0.2 * self.best.clock.left)
        if self.infeasible or self.best.over:
            return
        last = parted and not self.small
        self.search((0.9 if last else 0.4) * self.best.clock.left)
        if not self.best.over and not last:
            self.exact()


def _stop_if(interrupted: bool) -> None:
    if interrupted:
        raise KeyboardInterrupt


def _fruitless(case: Connected, aim: Aim) -> bool:
    return not case.problem.sites or (not len(aim.kept) and aim.floors is None
                                      and case.problem.reachable <= 0.0)


def solve_connected(case: Connected, aim: Aim, *, gap: float = 0.001, seconds: float = 60.0,
                    seed: int = 0, progress: Progress | None = None) -> tuple[Grown, Solution]:
    """Return the best plan with feeders, every hop paid once, and its certificate.

    Parameters
    ----------
    case : Connected
        Sites, points and network. Sites without a way are left aside.
    aim : Aim
        What is asked for. Without money in it (no budget, not the cheapest) hops do not
        matter: the plain problem chooses the sites, which are then joined.
    gap : float
        Ends when value and bound differ by no more than this share of the value.
    seconds : float
        CPU seconds.
    seed : int
        Of the search.
    progress : callable, optional
        Called with what was done, thousandths of the gap closed, 1000.

    Returns
    -------
    plan : Grown
    solution : Solution
        ``stopped="infeasible"`` if it is proven that no plan keeps all that is asked: the plan is
        then the kept sites alone.

    Raises
    ------
    InputError
        If a kept site has no way to the network, or the kept sites do not fit the limits.
    """
    small, site_of = joinable(case)
    if not np.isin(aim.kept, site_of).all():
        raise InputError("A kept site has no way to the network; leave it out of kept.")
    inner = replace(aim, kept=np.searchsorted(site_of, aim.kept))
    if aim.budget == np.inf and not aim.cheapest:
        plan, solution = _without_money(small, inner, gap, seconds, seed, progress)
    else:
        plan, solution = _with_money(small, inner, gap, seconds, seed, progress)
    plan = Grown(site_of[plan.order], plan.gains, plan.hops, plan.forest)
    return plan, replace(solution, sites=np.sort(plan.order))


def _with_money(case: Connected, aim: Aim, gap: float, seconds: float, seed: int,
                progress: Progress | None) -> tuple[Grown, Solution]:
    clock = Clock(seconds)
    rest_of(share_free(case), aim.kept, aim.budget, aim.max_sites)
    step = 0.0 if aim.cheapest else grain(case.problem.weights)
    best = Incumbent(clock, gap, step, progress)
    run, interrupted = _Run(case, aim, best, seed), False
    run.infeasible = bool(len(aim.short(np.diff(case.problem.by_point[0]) > 0)))
    if run.infeasible:
        best.prove(0.0)
    elif _fruitless(case, aim):
        run.take(build(case, replace(aim, max_sites=0)))
        best.prove(best.value)
    else:
        best.prove(0.0 if aim.cheapest else case.problem.reachable)
        try:
            run.go()
        except KeyboardInterrupt:
            interrupted = True
    found = run.plan is not None
    plan = run.plan or replay(case, *_kept_alone(case, aim))
    value = run.sign * worth(case, aim, plan)
    stopped = "infeasible" if run.infeasible else best.why(interrupted)
    if not found and stopped in ("optimal", "gap"):
        stopped = "unfinished"
    bound = value if run.infeasible else run.sign * best.bound
    if run.infeasible and len(aim.kept) and (aim.floors is None
                                             or money(case, plan) > aim.budget):
        raise InputError(f"The {len(aim.kept)} kept sites cost more with their feeders than the "
                         f"budget of {aim.budget:,.10g}. Raise the budget or keep fewer.")
    if not found and money(case, plan) > aim.budget:
        raise NoWayFoundError(f"No way was found in {clock.spent:.1f} CPU seconds to join the "
                         f"{len(aim.kept)} kept sites within the budget of {aim.budget:,.10g}: the "
                         f"cheapest costs {money(case, plan):,.10g} with them. Raise the budget, "
                         f"keep fewer, or give more seconds.")
    if not found and not aim.cheapest:
        bound = max(bound, value)
    return plan, Solution(np.sort(plan.order), value, bound, clock.spent, stopped,
                          money(case, plan), steps=tuple(best.said))


def _kept_alone(case: Connected, aim: Aim) -> tuple[Ints, dict[int, Step]]:
    """Return the kept sites and a forest that joins them."""
    plan = grow(case, must=aim.kept, max_sites=len(aim.kept))
    return plan.order, plan.forest.towards


def _without_money(case: Connected, aim: Aim, gap: float, seconds: float, seed: int,
                   progress: Progress | None) -> tuple[Grown, Solution]:
    """Return the best plan where only the number of sites is limited."""
    found = plain(alone(case), aim, gap=gap, seconds=seconds, seed=seed, progress=progress)
    plan = grow(case, must=found.sites, max_sites=len(found.sites))
    plan = replay(case, plan.order, plan.forest.towards)
    return plan, replace(found, cost=money(case, plan))
