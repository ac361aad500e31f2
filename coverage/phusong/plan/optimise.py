"""`optimise`: the best plan that can be found, and a proof of how good it is.

Most students under a budget or a number of sites, or all points of a target at
least cost; what is returned is a PLAN and its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError, UnknownNameError
from phusong.nouns import nearest
from phusong.plan.goal import Goal
from phusong.plan.greedy import greedy
from phusong.plan.least import minimise
from phusong.plan.most import maximise
from phusong.plan.problem import Problem
from phusong.plan.rank import table
from phusong.plan.reach import SitesAndPoints, covering_problem
from phusong.plan.reduce import part_of
from phusong.plan.solution import Solution

__all__ = ["Optimised", "optimise"]


@dataclass(frozen=True, slots=True, eq=False)
class Optimised:
    """A plan with its certificate.

    Parameters
    ----------
    plan : DataFrame
        PLAN: the sites in the order of weight gained per cost among themselves.
    solution : Solution
        Value, bound, gap, time, why the search ended. Its site and point
        numbers follow the alphabetical order of `site_id` and `point_id`.
    objective : {"weight", "cost"}
        What was to be as high, or as low, as possible.
    unreachable : tuple of str
        Under full cover: points that no candidate reaches.
    """

    plan: pd.DataFrame
    solution: Solution
    objective: str
    unreachable: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """How far value and bound are apart, as a share of the value."""
        return self.solution.gap

    def as_dict(self) -> dict[str, object]:
        """Return the certificate as plain JSON values, sites and points by name."""
        return {**self.solution.as_dict(), "objective": self.objective,
                "sites": [str(s) for s in self.plan["site_id"]],
                "unreachable": list(self.unreachable)}

    def __str__(self) -> str:
        words = f"{self.objective} {self.solution}"
        if self.unreachable:
            shown = ", ".join(self.unreachable[:5])
            words += (f"; {len(self.unreachable)} points are out of reach of every candidate: "
                      f"{shown}{' ...' if len(self.unreachable) > 5 else ''}")
        return words


def _numbers(names: Iterable[str], index: pd.Index, what: str) -> NDArray[np.int64]:
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


def _solve(case: SitesAndPoints, goal: Goal, kept: NDArray[np.int64],
           points: NDArray[np.int64] | None, gap: float, seconds: float, seed: int,
           progress: Callable[[str, int, int], None] | None) -> Solution:
    if points is not None:
        return minimise(case.problem, points=points, kept=kept, gap=gap, seconds=seconds,
                        seed=seed, progress=progress)
    return maximise(case.problem, budget=np.inf if goal.budget is None else goal.budget,
                    max_sites=goal.max_sites, kept=kept, gap=gap, seconds=seconds, seed=seed,
                    progress=progress)


def optimise(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
             goal: Goal, *, cover: Iterable[str] | None = None, kept: Iterable[str] = (),
             gap: float = 0.001, seconds: float = 60.0, seed: int = 0,
             progress: Callable[[str, int, int], None] | None = None) -> Optimised:
    """Return the best plan that can be found in the given time, and how good it is at least.

    Parameters
    ----------
    gaps, spots, reach, costs, goal
        As for `phusong.plan.rank`: points not covered today, candidates, links
        between them, prices, and what is to be achieved.
    cover : iterable of str, optional
        Names of points that must all be covered, at least cost; budget and
        number of sites of the goal are then left aside. None = as much weight
        as possible within budget and number of sites.
    kept : iterable of str
        Names of candidate sites that are ordered already: built in any case
        and paid from the same budget.
    gap : float
        Ends when value and bound differ by no more than this share of the value.
    seconds : float
        Ends after so much CPU time.
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
        limits, or gap or seconds are no positive numbers.
    UnknownNameError
        If a name of `cover` or `kept` is unknown.
    """
    if not (gap >= 0.0 and seconds > 0.0):
        raise InputError(f"A search needs a gap of at least 0 and more than 0 seconds; it was "
                         f"given {gap:g} and {seconds:g}.")
    case = covering_problem(gaps, spots, reach, costs, goal)
    points = None if cover is None else _numbers(cover, case.points.index, "gap")
    fixed = _numbers(kept, case.sites.index, "candidate site")
    found = _solve(case, goal, fixed, points, gap, seconds, seed, progress)
    order, gains = _ordered(case.problem, found.sites)
    whole, _ = greedy(case.problem)
    plan = table(case, order, gains, whole)
    lost = tuple(str(name) for name in case.points.index[found.unreachable])
    return Optimised(plan, found, "weight" if cover is None else "cost", lost)
