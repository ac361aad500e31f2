"""How far each dated target is, on any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from phusong.nouns import Noun, Text
from phusong.service import Need
from phusong.tables import split

__all__ = ["Target", "locked_on", "members", "on_air", "on_list", "snapshot_dates"]


class Target(Noun):
    """A dated list of points that shall be covered.

    Parameters
    ----------
    name : str
        Short name; the points' ``targets`` column holds it.
    label : Text
        What the briefing calls it.
    deadline : date
        Day by which the goal shall be reached.
    goal : int or None
        How many points; None = all points of the list.
    start : date or None
        First day of the programme.
    need : Need
        Definition of covered (the study file names one of its definitions).
    file : str or None
        File with a column ``point_id``; None = the points' own ``targets`` column.
    kinds, communes, provinces : tuple of str
        Kinds of points, codes of communes, codes of provinces.
    lockdown_on : date or None
        Points whose locality is under distancing on that day.
        Where any of these four is given, all points that meet every one given
        belong to the list, beside those of `file` and of the column.
    every : {"month", "week", "day"}
        How often progress is measured from `start` on: on the first of every month, every seventh
        day, or every day.  What went on air between two measured days is seen on the later one.
    window_weeks : int
        Weeks before the day spoken of whose pace the forecast goes on with.
    source : str
        Who set the target, where it is written.
    """

    name: str
    label: Text = Text()
    deadline: dt.date
    goal: int | None = Field(default=None, ge=0)
    start: dt.date | None = None
    need: Need = Need()
    file: str | None = None
    kinds: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    lockdown_on: dt.date | None = None
    every: Literal["month", "week", "day"] = "month"
    window_weeks: int = Field(default=12, ge=2, le=520)
    source: str = ""

    @model_validator(mode="after")
    def _dates_in_order(self) -> Target:
        if self.start is not None and self.start > self.deadline:
            raise ValueError(f'target "{self.name}" starts on {self.start}, after its deadline '
                             f"{self.deadline}. Swap the two dates.")
        return self


def members(points: pd.DataFrame, target: Target) -> pd.Series:
    """Tell which points belong to `target` by the study's files (bool, aligned to the points)."""
    if "targets" in points.columns:
        code, cells = pd.factorize(points["targets"])
        there = np.array([*(target.name in split(cell) for cell in cells), False], bool)
        named = pd.Series(there[code], index=points.index)
    else:
        named = pd.Series(False, index=points.index)
    rules = [(column, wanted) for column, wanted in (
        ("kind", target.kinds), ("commune_code", target.communes),
        ("province_code", target.provinces)) if wanted]
    if not rules and target.lockdown_on is None:
        return named
    meets = pd.Series(True, index=points.index)
    for column, wanted in rules:
        meets &= points[column].isin(wanted) if column in points.columns else False
    if target.lockdown_on is not None:
        meets &= locked_on(points, target.lockdown_on)
    return named | meets


def locked_on(points: pd.DataFrame, day: dt.date | pd.Timestamp) -> pd.Series:
    """Tell which points lie in a locality under distancing on `day` (bool, aligned).

    First and last day count; a spell without a last day goes on.
    """
    when = pd.Timestamp(day)
    if "lockdown_from" not in points.columns:
        return pd.Series(False, index=points.index)
    begun = points["lockdown_from"] <= when
    if "lockdown_to" not in points.columns:
        return begun
    return begun & ~(points["lockdown_to"] < when)


def on_list(points: pd.DataFrame, target: Target, register: pd.DataFrame | None = None) -> pd.Index:
    """Return the points of `target` on one day: the files' list, moved by the register.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    target : Target
        The list.
    register : DataFrame, optional
        The register of gap points as it stands on that day (`Ledger.gaps`).  A
        point that it has open under the target's name is on the list; one that
        it has withdrawn or merged is not.  A row that names no target speaks of
        the point wherever the files list it.

    Returns
    -------
    Index
        In the order of `points`; points that only the register knows come last,
        by ``point_id``.
    """
    listed = points.index[members(points, target).to_numpy(bool)]
    if register is None or not len(register):
        return listed
    about = register[register["target"].isin(["", target.name])]
    open_here = about.index[((about["status"] == "open")
                             & (about["target"] == target.name)).to_numpy(bool)]
    closed = about.index[(about["status"] != "open").to_numpy(bool)]
    kept = points.index[points.index.isin(listed.union(open_here)) & ~points.index.isin(closed)]
    return kept.append(open_here.difference(points.index).sort_values())


def on_air(sites: pd.DataFrame, day: dt.date | pd.Timestamp) -> pd.DataFrame:
    """Return the cells of `sites` that stand and are on air on `day`.

    A cell without ``on_air_from`` always was on air; ``off_air_from`` is the
    first day without it.
    """
    when = pd.Timestamp(day)
    there = sites["status"] == "standing"
    if "on_air_from" in sites.columns:
        there &= ~(sites["on_air_from"] > when)
    if "off_air_from" in sites.columns:
        there &= ~(sites["off_air_from"] <= when)
    return sites.copy(deep=False) if there.all() else sites[there]


def snapshot_dates(targets: Iterable[Target], as_of: dt.date) -> list[dt.date]:
    """Return the days on which progress is measured, oldest first.

    The first day of the programme, the first of every month after it, every
    deadline that has passed, and `as_of`; for a target measured every week or day also
    those from its first day on.
    """
    known = list(targets)
    starts = [t.start for t in known if t.start is not None and t.start <= as_of]
    days = {as_of, *starts, *(t.deadline for t in known if t.deadline <= as_of)}
    if starts:
        month = pd.Timestamp(min(starts)) + pd.offsets.MonthBegin(1)
        while month.date() < as_of:
            days.add(month.date())
            month += pd.offsets.MonthBegin(1)
    for target in known:
        if target.start is not None and target.every != "month":
            step = 7 if target.every == "week" else 1
            span = (as_of - target.start).days
            days |= {target.start + dt.timedelta(days=n) for n in range(0, span, step)}
    return sorted(days)
