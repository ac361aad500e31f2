"""Which points a plan would cover, site by site, read from the reach of its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.errors import Fault
from phusong.plan.goal import Goal
from phusong.plan.reach import covering_problem

__all__ = ["Gains", "gains"]


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """Who gains by which site.

    Parameters
    ----------
    new : mapping of int to tuple of str
        Rank -> the points that no site before it covers, in alphabetical order.
    alone : Series
        Learners that each candidate site reaches on its own, by ``site_id``.
    people : Series or None
        People at the points that each reaches on its own, where a raster counts them.
    faults : tuple of Fault
        Where plan and reach do not fit together; such sites are not drawn with links.
    """

    new: Mapping[int, tuple[str, ...]]
    alone: pd.Series
    people: pd.Series | None = None
    faults: tuple[Fault, ...] = ()


def gains(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
          costs: pd.DataFrame, goal: Goal) -> Gains:
    """Return the points that each site of `plan` adds to those before it.

    Parameters
    ----------
    plan : DataFrame
        PLAN.
    points : DataFrame
        POINTS; those that `reach` names are the gaps of the plan.
    spots : DataFrame
        SITES (candidates).
    reach : DataFrame
        LINKS from `spots` to the gaps.
    costs : DataFrame
        COSTS of `spots`.
    goal : Goal
        What the plan was made for.

    Notes
    -----
    Who reaches whom is asked of `phusong.plan.reach`, the room that made the
    plan.  The counts are compared with ``points_gained`` of the plan; a site
    where they differ is reported as a warning and gets no links.
    """
    gaps = points.loc[points.index.isin(reach.index.get_level_values("point_id"))]
    case = covering_problem(gaps, spots, reach, costs,
                            goal.model_copy(update={"counts": "covered"}))
    problem, names = case.problem, case.points.index

    def alone(column: str) -> pd.Series:
        counts = (case.points[column].fillna(0.0).to_numpy(np.float64)
                  if column in case.points.columns else np.zeros(len(names)))
        total = np.concatenate([[0.0], np.cumsum(counts[problem.indices])])
        return pd.Series(total[problem.indptr[1:]] - total[problem.indptr[:-1]], case.sites.index)

    number = pd.Series(np.arange(problem.sites), case.sites.index)
    reached = np.zeros(problem.points, bool)
    new: dict[int, tuple[str, ...]] = {}
    odd: list[int] = []
    for rank, site, count in zip(plan.index, plan["site_id"], plan["points_gained"], strict=True):
        j = number.get(site, -1)
        mine = (problem.indices[problem.indptr[j]:problem.indptr[j + 1]] if j >= 0
                else problem.indices[:0])
        added = [i for i in mine if not reached[i]]
        reached[mine] = True
        if len(added) == int(count):
            new[int(rank)] = tuple(sorted(names[added]))
        else:
            odd.append(int(rank))
    return Gains(new, alone("learners"), alone("people") if "people" in points.columns else None,
                 _faults(odd))


def _faults(odd: list[int]) -> tuple[Fault, ...]:
    if not odd:
        return ()
    return (Fault("plan_and_reach_differ", f"For {len(odd)} sites of the plan (first rank "
                  f"{odd[0]}) the reach given to the map holds other points than the plan counts; "
                  "their links are not drawn.",
                  "Draw with the same points, spots and reach that were ranked.",
                  severity="warning", count=len(odd)),)
