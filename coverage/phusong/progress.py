"""How far each dated target is, on any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import pandas as pd
from pydantic import Field, model_validator

from phusong.nouns import Noun, Text
from phusong.service import Need
from phusong.tables import PROGRESS, STATUSES, empty, split

__all__ = ["Target", "members", "on_air", "snapshot_dates", "track"]


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
    kinds : tuple of str
        Kinds of points that belong to the list as a whole; empty = none.
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
    source: str = ""

    @model_validator(mode="after")
    def _dates_in_order(self) -> Target:
        if self.start is not None and self.start > self.deadline:
            raise ValueError(f'target "{self.name}" starts on {self.start}, after its deadline '
                             f"{self.deadline}. Swap the two dates.")
        return self


def members(points: pd.DataFrame, target: Target) -> pd.Series:
    """Tell which points belong to `target` (bool, aligned to ``points.index``)."""
    if "targets" in points.columns:
        named = points["targets"].map(lambda cell: target.name in split(cell)).astype(bool)
    else:
        named = pd.Series(False, index=points.index)
    return named | points["kind"].isin(target.kinds)


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
    return sites[there]


def snapshot_dates(targets: Iterable[Target], as_of: dt.date) -> list[dt.date]:
    """Return the days on which progress is measured, oldest first.

    The first day of the programme, the first of every month after it, every
    deadline that has passed, and `as_of`.
    """
    known = list(targets)
    starts = [t.start for t in known if t.start is not None and t.start <= as_of]
    days = {as_of, *starts, *(t.deadline for t in known if t.deadline <= as_of)}
    if starts:
        month = pd.Timestamp(min(starts)) + pd.offsets.MonthBegin(1)
        while month.date() < as_of:
            days.add(month.date())
            month += pd.offsets.MonthBegin(1)
    return sorted(days)


def track(points: pd.DataFrame, services: Mapping[dt.date, Mapping[str, pd.DataFrame]],
          targets: Iterable[Target]) -> pd.DataFrame:
    """Count every target on every snapshot.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    services : mapping of date to mapping of definition name to DataFrame
        SERVICE of all points on each day, by the name of the definition.
    targets : iterable of Target
        What was promised.

    Returns
    -------
    DataFrame
        PROGRESS, indexed by (target, date).  An unknown is counted as
        unknown, never as uncovered.
    """
    rows = []
    for target in targets:
        inside = points[members(points, target)]
        for day in sorted(services):
            service = services[day][target.need.name].loc[inside.index]
            rows.append(_row(target, day, inside, service))
    if not rows:
        return empty(PROGRESS)
    return pd.DataFrame(rows).set_index(["target", "date"])


def _row(target: Target, day: dt.date, inside: pd.DataFrame, service: pd.DataFrame) -> dict:
    counts = service["status"].value_counts()
    learners = _numbers(inside, "learners")
    poor = _numbers(inside, "learners_poor") + _numbers(inside, "learners_near_poor")
    covered = service["status"] == "covered"
    return {
        "target": target.name, "date": pd.Timestamp(day),
        "goal": len(inside) if target.goal is None else target.goal, "points": len(inside),
        **{status: int(counts.get(status, 0)) for status in STATUSES},
        "learners": float(learners.sum()), "learners_covered": float(learners[covered].sum()),
        "learners_poor_uncovered": float(poor[service["status"] == "uncovered"].sum()),
        "deadline": pd.Timestamp(target.deadline), "evidence": "modelled",
    }


def _numbers(points: pd.DataFrame, column: str) -> pd.Series:
    if column not in points.columns:
        return pd.Series(0.0, index=points.index)
    return points[column].fillna(0.0)
