"""What a plan is to achieve: which points count how much, and what may be spent."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from phusong.nouns import Noun
from phusong.service import Need

__all__ = ["GRAIN", "Floor", "Goal", "weights"]

GRAIN = 1024
"""Weights are rounded to 1/1024: sums of them are then exact in double precision."""


class Floor(Noun):
    """What a plan must cover at least, whatever else it could gain.

    ``{by: province_code, share: 0.8}`` asks for at least 80 % of each province's
    learners; ``{by: priority_area, only: [III], share: 1, of: points, first: true}``
    puts every point of those places before everything else.

    Parameters
    ----------
    by : str
        Column of the points; each of its values has a floor of its own.
    only : tuple of str
        The values that have one; empty = all.
    share : float
        Share of the gaps there that must be closed.
    of : {"learners", "points"}
        What is counted.  Points without known learners count nothing as learners.
    within_reach : bool
        Whether the share is taken of what some candidate reaches; if not, of
        all gaps there, and one out of reach may make the floor impossible.
    first : bool
        Whether, if the limits do not allow the share, as much of it as they
        allow is asked for, before any other weight counts.
    """

    by: str
    only: tuple[str, ...] = ()
    share: float = Field(default=1.0, gt=0.0, le=1.0)
    of: Literal["learners", "points"] = "learners"
    within_reach: bool = False
    first: bool = False

    @field_validator("only", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given


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
    counts : {"covered", "expected"}
        ``expected``: a learner counts by the probability of being covered, that
        of the best site of the plan (sites near one another fade together: no
        credit is given for a second one), in steps of 5 % rounded down, less
        the probability today where the gaps carry it.
    method : {"greedy", "optimise"}
        How `run` makes the plan: in the order of weight per cost, or the best
        plan that can be found, with a proof (`phusong.plan.optimise`).
    cover : str
        Name of a target all of whose gaps must be closed, at least cost; budget
        and number of sites are then left aside. ``all`` = every gap.
    kept : tuple of str
        Candidate sites that are ordered already: built in any case, and paid.
    floors : tuple of Floor
        What must be covered at least.
    gap, seconds : float
        The search ends at this share between value and bound, or after so much
        CPU time.
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
    counts: Literal["covered", "expected"] = "covered"
    method: Literal["greedy", "optimise"] = "greedy"
    cover: str = ""
    kept: tuple[str, ...] = ()
    floors: tuple[Floor, ...] = ()
    gap: float = Field(default=0.001, ge=0.0, le=1.0)
    seconds: float = Field(default=60.0, gt=0.0)

    @model_validator(mode="after")
    def _only_the_optimiser(self) -> Goal:
        if self.method == "greedy":
            asked = [name for name in ("cover", "kept", "floors") if getattr(self, name)]
            if asked:
                raise ValueError(f"{', '.join(asked)}: the greedy order cannot keep to that. Say "
                                 f"method: optimise.")
        if self.cover and self.floors:
            raise ValueError("cover and floors: a plan that closes every gap needs no floors. Say "
                             "one of them.")
        if len({floor.of for floor in self.floors if floor.first}) > 1:
            raise ValueError("floors: those that come first are counted together, so all of them "
                             "count learners or all of them points.")
        return self


    def varied(self, *, budget: float | None = None, max_sites: int | None = None,
               cover: str = "", gap: float | None = None, seconds: float | None = None) -> Goal:
        """Return the goal with other limits, for the optimiser; None or empty = as it is.

        A new budget alone lifts the limit on the number of sites; a target to
        cover lifts the floors.
        """
        new: dict[str, object] = {"method": "optimise"}
        if budget is not None:
            new |= {"budget": budget, "max_sites": None}
        new |= {name: value for name, value in (("max_sites", max_sites), ("gap", gap),
                                                ("seconds", seconds)) if value is not None}
        if cover:
            new |= {"cover": cover, "floors": ()}
        return self.model_copy(update=new)


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
