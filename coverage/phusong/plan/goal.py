"""What a plan is to achieve: which points count how much, and what may be spent."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from phusong.nouns import Noun
from phusong.service import Need

__all__ = ["GRAIN", "Goal", "weights"]

GRAIN = 1024
"""Weights are rounded to 1/1024: sums of them are then exact in double precision."""


class Goal(Noun):
    """What a plan is to achieve.

    A point is worth ``priority x (learners + extra weight of the poor, the near
    poor and those under distancing)``. A point whose learners are not known, or
    that has none (a commune, a village), is worth ``priority x point_weight``.

    Parameters
    ----------
    need : Need
        The definition of covered that counts.
    closes : tuple of {"uncovered", "uncertain", "unknown"}
        Statuses of the points that count as gaps.  An unknown is not an
        uncovered: to plan for points of which data are missing is a choice
        that the study file states.
    budget : float or None
        Greatest present value of all sites together, in the currency of the
        costs; None = no limit.
    max_sites : int or None
        Greatest number of sites; None = no limit.
    poor_weight, near_poor_weight : float
        Extra weight of each poor and near-poor learner: 1 counts them twice,
        0 like everybody else. A choice of policy, not a measurement.
    lockdown_weight : float
        Extra weight of each learner in a locality under distancing.
    lockdown_on : date or None
        Day on which distancing is judged; None = a locality that has a first
        day of distancing counts, whenever that is.
    point_weight : float
        Weight of a point without known learners, counted in learners.
    one_per_place : bool
        At most one of the variants that stand at one place (column
        ``variant_of``; without it, candidates at the same position) is built.
    interventions : tuple of str
        Rungs of the ladder that may be used; empty = all.
    satellite : {"last", "compete", "never"}
        ``last``: a terminal counts only for points that nothing else reaches,
        since Vietnam treats satellite as temporary until terrestrial coverage
        arrives (dangcongsan.vn, satellite terminals in Thanh Hoa, 2026-09);
        ``compete``: it competes with masts by learners per cost.
    """

    need: Need = Field(default_factory=Need)
    closes: tuple[Literal["uncovered", "uncertain", "unknown"], ...] = ("uncovered",)
    budget: float | None = Field(default=None, gt=0.0)
    max_sites: int | None = Field(default=10, ge=1)
    poor_weight: float = Field(default=1.0, ge=0.0, le=100.0)
    near_poor_weight: float = Field(default=1.0, ge=0.0, le=100.0)
    lockdown_weight: float = Field(default=0.0, ge=0.0, le=100.0)
    lockdown_on: dt.date | None = None
    point_weight: float = Field(default=1.0, ge=0.0, le=100_000.0)
    one_per_place: bool = True
    interventions: tuple[str, ...] = ()
    satellite: str = Field(default="last", pattern="^(last|compete|never)$")


def _numbers(points: pd.DataFrame, column: str) -> pd.Series:
    if column not in points.columns:
        return pd.Series(np.nan, points.index, dtype="float64")
    return points[column].astype("float64")


def _under_distancing(points: pd.DataFrame, day: dt.date | None) -> pd.Series:
    if "lockdown_from" not in points.columns:
        return pd.Series(False, points.index)
    start = points["lockdown_from"]
    if day is None:
        return start.notna()
    end = (points["lockdown_to"] if "lockdown_to" in points.columns
           else pd.Series(pd.NaT, points.index))
    when = pd.Timestamp(day)
    return (start <= when) & ~(end < when)


def weights(points: pd.DataFrame, goal: Goal) -> pd.Series:
    """Return what each point is worth, indexed as `points`, in multiples of 1/1024.

    Parameters
    ----------
    points : DataFrame
        POINTS; of its columns learners, learners_poor, learners_near_poor,
        priority, lockdown_from and lockdown_to are read where they are there.
    goal : Goal
        The weights.

    Notes
    -----
    Unknown poor learners add nothing; an unknown priority is 1.
    """
    learners = _numbers(points, "learners")
    worth = learners.fillna(0.0)
    worth = worth + goal.poor_weight * _numbers(points, "learners_poor").fillna(0.0)
    worth = worth + goal.near_poor_weight * _numbers(points, "learners_near_poor").fillna(0.0)
    locked = _under_distancing(points, goal.lockdown_on)
    worth = worth + goal.lockdown_weight * learners.fillna(0.0).where(locked, 0.0)
    worth = worth.where(learners.fillna(0.0) > 0.0, goal.point_weight)
    worth = worth * _numbers(points, "priority").fillna(1.0)
    return ((worth * GRAIN).round() / GRAIN).rename("weight")
