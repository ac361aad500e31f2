"""`optimise`: the best plan that can be found, and a proof of how good it is.

Most students under a budget or a number of sites, or all points of a target at
least cost; what is returned is a PLAN and its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError, UnknownNameError
from phusong.nouns import nearest
from phusong.plan.demands import Demand, demands
from phusong.plan.floors import Floors, maximise_with_floors, money_for_floors
from phusong.plan.goal import Goal
from phusong.plan.greedy import greedy
from phusong.plan.least import minimise
from phusong.plan.most import maximise
from phusong.plan.problem import Problem
from phusong.plan.rank import table
from phusong.plan.reach import SitesAndPoints, covering_problem
from phusong.plan.reduce import part_of
from phusong.plan.solution import Solution
from phusong.tables import split

__all__ = ["Effort", "Optimised", "gaps_of_target", "given", "numbers_of", "optimise", "to_cover"]


@dataclass(frozen=True, slots=True, eq=False)
class Optimised:
    """A plan with its certificate.

    Parameters
    ----------
    plan : DataFrame
        PLAN: the sites in the order of weight gained per cost among themselves;
        ``attrs["certificate"]`` is what `certificate` returns.
    solution : Solution
        Value, bound, gap, time, why the search ended. Its site and point
        numbers follow the alphabetical order of `site_id` and `point_id`.
    objective : {"weight", "cost"}
        What was to be as high, or as low, as possible.
    unreachable : tuple of str
        Points that no candidate reaches and that stand in the way of the cover,
        or of a floor.
    demands : tuple of Demand
        The floors: what each asked for, and what the plan gives.
    price_of_floors : (float, float) or None
        Between which figures the weight lies that the floors cost: what the best
        plan without them would gain more than the best one with them.
    money_for_floors : (float, float) or None
        Where no plan within the limits keeps the floors, or none was found:
        between which sums the least money lies that does (both infinite: none).
    """

    plan: pd.DataFrame
    solution: Solution
    objective: str
    unreachable: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    price_of_floors: tuple[float, float] | None = None
    money_for_floors: tuple[float, float] | None = None

    @property
    def gap(self) -> float:
        """How far value and bound are apart, as a share of the value."""
        return self.solution.gap

    def as_dict(self) -> dict[str, object]:
        """Return the certificate as plain JSON values, sites and points by name."""
        return {**self.solution.as_dict(), "objective": self.objective,
                "sites": [str(s) for s in self.plan["site_id"]],
                "unreachable": list(self.unreachable),
                "floors": [d.as_dict() for d in self.demands],
                "price_of_floors": _finite(self.price_of_floors),
                "money_for_floors": _finite(self.money_for_floors)}

    def certificate(self) -> dict[str, object]:
        """Return what is proven about the plan, without the names of its sites."""
        return {key: value for key, value in self.as_dict().items() if key != "sites"}

    def __str__(self) -> str:
        words = f"{self.objective} {self.solution}"
        if self.unreachable:
            shown = ", ".join(self.unreachable[:5])
            words += (f"; {len(self.unreachable)} points are out of reach of every candidate: "
                      f"{shown}{' ...' if len(self.unreachable) > 5 else ''}")
        if self.price_of_floors:
            low, high = self.price_of_floors
            words += (f"; the {len(self.demands)} floors cost "
                      f"{low:,.10g} to {high:,.10g} of {self.objective}")
        if self.money_for_floors:
            low, high = self.money_for_floors
            words += ("; no money keeps the floors" if np.isinf(low) else
                      f"; the floors need at least {low:,.10g}, and {high:,.10g} suffice")
        return words


def _finite(pair: tuple[float, float] | None) -> list[float | None] | None:
    return None if pair is None else [v if np.isfinite(v) else None for v in pair]


def numbers_of(names: Iterable[str], index: pd.Index, what: str) -> NDArray[np.int64]:
    """Return where names stand in an index, ascending.

    Raises
    ------
    UnknownNameError
        If one does not stand there.
    """
    wanted = pd.Index(pd.unique(pd.Series(list(names), dtype="object")))
    number = index.get_indexer(wanted)
    if (number < 0).any():
        lost = str(wanted[number < 0][0])
        raise UnknownNameError(f'There is no {what} "{lost}" ({int((number < 0).sum())} names are '
                               f"unknown). {nearest(lost, map(str, index))}")
    return np.sort(number).astype(np.int64)


def _ordered(problem: Problem, chosen: NDArray[np.int64]
             ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the chosen sites in greedy order with what each adds; those that add nothing last."""
    small = part_of(problem, np.isin(np.arange(problem.sites), chosen),
                    np.ones(problem.points, bool))
    order, gains = greedy(Problem(small.indptr, small.indices, small.weights, small.costs,
                                  np.full(small.sites, -1, np.int64)))
    rest = np.setdiff1d(np.arange(small.sites), order)
    return chosen[np.concatenate([order, rest])], np.concatenate([gains, np.zeros(len(rest))])


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how near a search goes.

    Parameters
    ----------
    gap : float
        Ends when value and bound differ by no more than this share.
    seconds : float
        Ends after so much CPU time.
    seed : int
        Of all random choices.
    progress : callable or None
        Told how far it is.
    """

    gap: float
    seconds: float
    seed: int
    progress: Callable[[str, int, int], None] | None

    @classmethod
    def of(cls, goal: Goal, gap: float | None, seconds: float | None, seed: int,
           progress: Callable[[str, int, int], None] | None) -> Effort:
        """Return what is asked for, else what the goal says; `InputError` if it is no number."""
        effort = cls(goal.gap if gap is None else gap,
                     goal.seconds if seconds is None else seconds, seed, progress)
        if not (effort.gap >= 0.0 and effort.seconds > 0.0):
            raise InputError(f"A search needs a gap of at least 0 and more than 0 seconds; it was "
                             f"given {effort.gap:g} and {effort.seconds:g}.")
        return effort


def to_cover(gaps: pd.DataFrame, goal: Goal, cover: Iterable[str] | None
             ) -> tuple[Goal, Iterable[str] | None]:
    """Return the goal and the gaps that must all be covered; None = weight is what counts."""
    if cover is None and goal.cover:
        cover = gaps_of_target(gaps, goal.cover)
    if cover is not None:
        goal = goal.model_copy(update={"counts": "covered"})
    return goal, cover


def _most(case: SitesAndPoints, goal: Goal, kept: NDArray[np.int64], effort: Effort) -> Solution:
    return maximise(case.problem, budget=np.inf if goal.budget is None else goal.budget,
                    max_sites=goal.max_sites, kept=kept, gap=effort.gap, seconds=effort.seconds,
                    seed=effort.seed, progress=effort.progress)


def _with_floors(case: SitesAndPoints, goal: Goal, kept: NDArray[np.int64], effort: Effort
                 ) -> tuple[Solution, tuple[Demand, ...], tuple[float, float] | None,
                            tuple[float, float] | None]:
    """Return the plan under floors, what they ask for, their price, and the money they need."""
    third = replace(effort, seconds=effort.seconds / 3.0)
    free = _most(case, goal, kept, third)
    wanted, asked = demands(case, goal, lambda problem: _most(
        replace(case, problem=problem), goal, kept, third))
    covered = case.problem.covered(free.sites) > 0
    if not wanted.short(covered).any():
        return free, given(asked, wanted, covered), (0.0, 0.0), None
    left = max(effort.seconds - free.seconds, 0.1 * effort.seconds)
    found = maximise_with_floors(
        case.problem, wanted, budget=np.inf if goal.budget is None else goal.budget,
        max_sites=goal.max_sites, kept=kept, gap=effort.gap, seconds=left, seed=effort.seed,
        progress=effort.progress)
    bound = max(min(found.bound, free.bound), found.value)
    found = replace(found, bound=bound, seconds=found.seconds + free.seconds)
    covered = case.problem.covered(found.sites) > 0
    asked = given(asked, wanted, covered)
    if found.stopped == "infeasible" or wanted.short(covered).any():
        return found, asked, None, money_for_floors(
            case.problem, wanted, kept=kept, seconds=0.3 * effort.seconds, seed=effort.seed)
    price = (max(0.0, free.value - found.bound), max(0.0, free.bound - found.value))
    return found, asked, price, None


def given(asked: tuple[Demand, ...], wanted: Floors, covered: NDArray[np.bool_]
           ) -> tuple[Demand, ...]:
    """Return the floors with what a plan gives them."""
    reached = wanted.amounts @ covered.astype(np.float64)
    return tuple(replace(d, reached=float(v)) for d, v in zip(asked, reached, strict=True))


def gaps_of_target(points: pd.DataFrame, target: str) -> list[str]:
    """Return the names of the gaps that belong to a target (``all`` = every gap).

    Raises
    ------
    UnknownNameError
        If no gap belongs to it.
    """
    if target == "all":
        return [str(name) for name in points.index]
    lists = (points["targets"].map(split) if "targets" in points.columns
             else pd.Series([[]] * len(points), points.index))
    found = [str(name) for name, own in lists.items() if target in own]
    if not found:
        known = {name for own in lists for name in own} | {"all"}
        raise UnknownNameError(f'No gap belongs to a target called "{target}": there is none of '
                               f"that name, or nothing of it is left to close. "
                               f"{nearest(target, known)}")
    return found


def optimise(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
             goal: Goal, *, cover: Iterable[str] | None = None, kept: Iterable[str] | None = None,
             gap: float | None = None, seconds: float | None = None, seed: int = 0,
             progress: Callable[[str, int, int], None] | None = None) -> Optimised:
    """Return the best plan that can be found in the given time, and how good it is at least.

    Parameters
    ----------
    gaps, spots, reach, costs, goal
        As for `phusong.plan.rank`: points not covered today, candidates, links
        between them, prices, and what is to be achieved.
    cover : iterable of str, optional
        Names of points that must all be covered, at least cost; budget and
        number of sites of the goal are then left aside, and coverage counts as
        covered or not. None = the gaps of the target ``goal.cover``, and if that
        is empty as much weight as possible within budget and number of sites.
    kept : iterable of str, optional
        Names of candidate sites that are ordered already: built in any case
        and paid from the same budget. None = ``goal.kept``.
    gap : float, optional
        Ends when value and bound differ by no more than this share of the
        value. None = ``goal.gap``.
    seconds : float, optional
        Ends after so much CPU time. None = ``goal.seconds``.
    seed : int
        Equal seeds give equal plans unless time cuts the search short.
    progress : callable, optional
        Called with what was done, thousandths of the gap closed, 1000.

    Returns
    -------
    Optimised
        With ``plan`` empty if no candidate reaches a gap. An interrupt gives
        the best so far.

    Raises
    ------
    InputError
        If the tables do not belong together, the kept sites do not fit the
        limits, a floor names a column that is not there, or gap or seconds are
        no positive numbers.
    UnknownNameError
        If a name of `cover` or `kept` is unknown.
    """
    effort = Effort.of(goal, gap, seconds, seed, progress)
    goal, cover = to_cover(gaps, goal, cover)
    case = covering_problem(gaps, spots, reach, costs, goal)
    fixed = numbers_of(goal.kept if kept is None else kept, case.sites.index, "candidate site")
    asked: tuple[Demand, ...] = ()
    price = money = None
    if cover is not None:
        found = minimise(case.problem, points=numbers_of(cover, case.points.index, "gap"),
                         kept=fixed, gap=effort.gap,
                         seconds=effort.seconds, seed=seed, progress=progress)
    elif goal.floors:
        found, asked, price, money = _with_floors(case, goal, fixed, effort)
    else:
        found = _most(case, goal, fixed, effort)
    order, gains = _ordered(case.problem, found.sites)
    whole, _ = greedy(case.problem)
    plan = table(case, order, gains, whole)
    lost = tuple(str(name) for name in case.points.index[np.unique(case.row[found.unreachable])])
    best = Optimised(plan, found, "weight" if cover is None else "cost", lost, asked, price, money)
    plan.attrs["certificate"] = best.certificate()
    return best
