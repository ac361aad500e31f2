"""Floors of a goal as rows over the points of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from phusong.errors import InputError
from phusong.nouns import nearest
from phusong.plan.floors import Floors
from phusong.plan.goal import GRAIN, Floor, Goal
from phusong.plan.problem import Problem
from phusong.plan.reach import SitesAndPoints
from phusong.plan.solution import Solution

__all__ = ["Demand", "demands"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one floor asks for, and what a plan gives.

    Parameters
    ----------
    name : str
        ``column = value``.
    of : str
        What is counted: learners or points.
    total : float
        All of it in the gaps there.
    reachable : float
        What some candidate reaches.
    asked : float
        What must be reached.
    reached : float
        What the plan reaches.
    """

    name: str
    of: str
    total: float
    reachable: float
    asked: float
    reached: float = 0.0

    def as_dict(self) -> dict[str, str | float]:
        """Return it as plain JSON values."""
        return asdict(self)


def _amounts(case: SitesAndPoints, floor: Floor) -> NDArray[np.float64]:
    """Return what each gap adds, (gaps,)."""
    if floor.of == "points":
        return np.ones(len(case.points))
    if "learners" not in case.points.columns:
        return np.zeros(len(case.points))
    return case.points["learners"].fillna(0.0).to_numpy(np.float64)


def _values(case: SitesAndPoints, floor: Floor) -> pd.Series:
    if floor.by not in case.points.columns:
        raise InputError(f'A floor asks for the column "{floor.by}", which the points do not '
                         f"have. {nearest(floor.by, map(str, case.points.columns))}")
    return case.points[floor.by].astype("object").where(case.points[floor.by].notna(), None)


def demands(case: SitesAndPoints, goal: Goal, most: Callable[[Problem], Solution]
            ) -> tuple[Floors, tuple[Demand, ...]]:
    """Return the floors of a goal as rows over the points of a problem.

    Parameters
    ----------
    case : SitesAndPoints
        The problem and its names.
    goal : Goal
        With floors.
    most : callable
        Solves a problem of other weights within the limits of the goal: what the
        limits allow a floor that comes first.

    Raises
    ------
    InputError
        If a floor names a column that is not there, or a value that no gap has.
    """
    found: list[Demand] = []
    rows: list[NDArray[np.float64]] = []
    reached = np.diff(case.problem.by_point[0]) > 0
    first = np.zeros(case.problem.points)
    firsts: list[int] = []
    for floor in goal.floors:
        values, amount = _values(case, floor), _amounts(case, floor)
        known = sorted({str(v) for v in values if v is not None})
        lost = [v for v in floor.only if v not in known]
        if lost:
            raise InputError(f'A floor asks for {floor.by} = "{lost[0]}", which no gap has. '
                             f"{nearest(lost[0], known)}")
        for value in floor.only or known:
            inside = (values.astype(str) == value).to_numpy(bool) & values.notna().to_numpy(bool)
            row = (amount * inside)[case.row] * case.part
            total, near = float((amount * inside).sum()), float(row[reached].sum())
            asked = floor.share * (near if floor.within_reach or floor.first else total)
            if floor.first:
                first += row
                firsts.append(len(rows))
            rows.append(row)
            found.append(Demand(f"{floor.by} = {value}", floor.of, total, near, asked))
    if firsts:
        found, rows = _first(case, found, rows, firsts, first, most)
    amounts = sparse.csr_matrix(np.array(rows).reshape(len(rows), case.problem.points))
    return Floors(amounts, np.array([d.asked for d in found])), tuple(found)


def _first(case: SitesAndPoints, found: list[Demand], rows: list[NDArray[np.float64]],
           firsts: list[int], weight: NDArray[np.float64], most: Callable[[Problem], Solution]
           ) -> tuple[list[Demand], list[NDArray[np.float64]]]:
    """Ask of what comes first no more than the limits allow it: one floor over all of it."""
    worth = np.round(weight * GRAIN) / GRAIN
    best = most(replace(case.problem, weights=worth))
    asked = sum(found[k].asked for k in firsts)
    reached = float(weight[case.problem.covered(best.sites) > 0].sum())
    if reached >= asked * (1.0 - 1e-9):
        return found, rows
    together = Demand("; ".join(found[k].name for k in firsts), found[firsts[0]].of,
                      sum(found[k].total for k in firsts),
                      sum(found[k].reachable for k in firsts), reached)
    others = [k for k in range(len(found)) if k not in firsts]
    return [found[k] for k in others] + [together], [rows[k] for k in others] + [weight]
