"""`rank`: candidates in the order of students gained per cost, each student counted once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.plan.bound import prefix_bounds
from phusong.plan.goal import GRAIN, Goal
from phusong.plan.greedy import best_single, greedy
from phusong.plan.problem import Problem
from phusong.plan.reach import SitesAndPoints, covering_problem
from phusong.tables import PLAN, empty

__all__ = ["curve", "decide", "rank", "table"]

_MILLION = 1e6


def rank(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
         goal: Goal) -> pd.DataFrame:
    """Return the sites to build in the order of weight gained per cost: PLAN.

    Lazy greedy: each step takes the site that adds the most weight per base
    present value, counting only learners whom nobody before it serves. Ties:
    higher gain, then lower cost, then `site_id` in alphabetical order.

    Under a budget a single large site can beat the whole order; if it does, it
    is built first and the rest is filled up greedily. The better of the two is
    within ``1 - 1/sqrt(e)`` of the best plan without variants (Khuller, Moss,
    Naor 1999); `bound` says how near it is proven to be in this very case.

    Parameters
    ----------
    gaps : DataFrame
        POINTS that are not covered today.
    spots : GeoDataFrame
        SITES (candidates), as `propose` returns them.
    reach : DataFrame
        LINKS from `spots` to `gaps`, as `link` returns them.
    costs : DataFrame
        COSTS of `spots`, as `price` returns them.
    goal : Goal
        Weights, budget, number of sites, definition of covered.

    Returns
    -------
    DataFrame
        PLAN, indexed by rank from 1; empty if no candidate reaches a gap.

    Raises
    ------
    InputError
        If the tables do not belong together.
    """
    case = covering_problem(gaps, spots, reach, costs, goal)
    whole, _ = greedy(case.problem)
    order, gains = decide(case.problem, goal)
    return table(case, order, gains, whole)


def decide(problem: Problem, goal: Goal) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the sites that `rank` builds, in order, and the weight that each adds."""
    budget = np.inf if goal.budget is None else goal.budget
    order, gains = greedy(problem, budget=budget, max_sites=goal.max_sites)
    single = best_single(problem, budget) if goal.budget is not None else None
    if single is not None and problem.alone()[single] > gains.sum():
        return greedy(problem, budget=budget, max_sites=goal.max_sites, first=single)
    return order, gains


def curve(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
          goal: Goal) -> pd.DataFrame:
    """Return students against money for every budget at once: PLAN of the whole greedy order.

    As `rank`, but `goal.budget` and `goal.max_sites` are left aside: it stops
    when no candidate adds anything.
    """
    free = goal.model_copy(update={"budget": None, "max_sites": None})
    return rank(gaps, spots, reach, costs, free)


def table(case: SitesAndPoints, order: NDArray[np.int64], gains: NDArray[np.float64],
          whole: NDArray[np.int64]) -> pd.DataFrame:
    """Return PLAN for sites built in `order`.

    Parameters
    ----------
    case : SitesAndPoints
        The problem and its names.
    order, gains : (chosen,) arrays
        Sites and the weight that each adds, as `greedy` returns them.
    whole : (sites,) int64
        The greedy order without limits, from which the bounds are taken.
    """
    if not len(order):
        return empty(PLAN)
    sites = case.sites.iloc[order]
    spent = np.cumsum(case.problem.costs[order])
    counts = _counts(case, order)
    out = pd.DataFrame({
        "site_id": sites.index.to_numpy(), "intervention": sites["intervention"].to_numpy(),
        "place": sites["place"].to_numpy(), "cost_low": sites["cost_low"].to_numpy(),
        "cost_total": sites["cost_total"].to_numpy(), "cost_high": sites["cost_high"].to_numpy(),
        "currency": sites["currency"].to_numpy(), **counts, "weight_gained": gains,
        "students_per_cost": _per(counts["students_gained"] * _MILLION,
                                  case.problem.costs[order]),
        "cumulative_students": np.cumsum(counts["students_gained"]),
        "cumulative_points": np.cumsum(counts["points_gained"]),
        "cumulative_cost": spent, "cumulative_weight": np.cumsum(gains),
        "bound": _to_grain(prefix_bounds(case.problem, whole, spent)),
    }, index=pd.RangeIndex(1, len(order) + 1, name="rank"))
    return out[[name for name in PLAN.columns if name in out.columns]]


def _to_grain(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower bounds to the next multiple of 1/1024: the weight of every plan is one."""
    return np.floor(bounds * GRAIN + 1e-4) / GRAIN


def _per(amount: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(amount, cost, out=np.full(len(cost), np.inf), where=cost > 0.0)


def _counts(case: SitesAndPoints, order: NDArray[np.int64]) -> dict[str, NDArray]:
    """Return learners and points of each site: newly gained, in all, and reached by it only."""
    problem, points = case.problem, case.points
    learners = _known(points, "learners")[case.row] * case.part
    poor = (_known(points, "learners_poor") + _known(points, "learners_near_poor"))[
        case.row] * case.part
    people = _known(points, "people")[case.row] * case.part
    times = problem.covered(order)
    reached = np.zeros(problem.points, bool)
    rows = []
    for j in order:
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        new = mine[~reached[mine]]
        reached[mine] = True
        rows.append((learners[new].sum(), learners[mine].sum(),
                     learners[mine[times[mine] == 1]].sum(), poor[new].sum(),
                     people[new].sum(), case.closes[new].sum()))
    names = ("students_gained", "students_total", "students_exclusive", "poor_students_gained",
             "people_gained", "points_gained")
    return {name: np.array(values, np.int64 if name == "points_gained" else np.float64)
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
            if name != "people_gained" or "people" in points.columns}


def _known(points: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in points.columns:
        return np.zeros(len(points))
    return points[column].fillna(0.0).to_numpy(np.float64)


