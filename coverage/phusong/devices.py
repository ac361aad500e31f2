"""Devices for poor and near-poor learners: who gets the next ones, and who still has none.

The rule, in its order:

1. A school needs one device for each poor and near-poor learner without one.  What the points'
   file counts as held, and what the ledger has as delivered, is taken off.
2. Covered places first, because a computer without signal is useless; then those that the model
   cannot judge, then those with data missing, then uncovered ones.  Within each, localities
   under distancing first.  These eight classes are the tiers.
3. The tiers are served one after the other.  The tier that the devices do not suffice for is
   split in proportion to need, by largest remainder (Hamilton): every school gets its exact
   share rounded down, and the devices left over go one each to the largest remainders.  Equal
   remainders: the greater need first, then the ``point_id`` that comes first in the alphabet.

Largest remainder keeps every school within one device of its exact share and loses nothing.  Its
price is known: with one device more in all, a school in the split tier may get one fewer (the
Alabama paradox; no method keeps within the share and is free of every such paradox, Balinski and
Young 1982).  A tier as a whole never gets fewer.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.progress import locked_on
from phusong.tables import DEVICES

__all__ = ["TIERS", "allocate", "largest_remainder"]

TIERS: tuple[tuple[str, bool], ...] = tuple(
    (status, locked) for status in ("covered", "uncertain", "unknown", "uncovered")
    for locked in (True, False))
"""(status, locality under distancing) of tier 1, 2, ... 8."""


def largest_remainder(need: NDArray[np.int64], devices: int) -> NDArray[np.int64]:
    """Split `devices` in proportion to `need`, in whole devices.

    Parameters
    ----------
    need : (n,) int64
        Not negative; earlier rows come first among equal remainders and equal needs.
    devices : int
        Not negative.

    Returns
    -------
    (n,) int64
        Adds up to min(devices, sum of need); nobody gets more than its need, nor a device more
        or less than its exact share.  Integer arithmetic: nothing is rounded.

    Examples
    --------
    >>> largest_remainder(np.array([5, 3, 1]), 4).tolist()
    [2, 1, 1]
    """
    total = int(need.sum())
    if devices >= total:
        return need.copy()
    if not devices:
        return np.zeros_like(need)
    whole = np.array([int(n) * devices // total for n in need], np.int64)
    rest = np.array([int(n) * devices % total for n in need], np.int64)
    order = np.lexsort((np.arange(len(need)), -need, -rest))
    whole[order[:devices - int(whole.sum())]] += 1
    return whole


def allocate(points: pd.DataFrame, service: pd.DataFrame, devices: int, *,
             delivered: pd.DataFrame | None = None, day: dt.date | None = None,
             covered_only: bool = False) -> pd.DataFrame:
    """Split devices among the points by the poor and near-poor learners without one.

    Parameters
    ----------
    points : DataFrame
        POINTS.  ``devices`` counts what these learners held at the start.
    service : DataFrame
        SERVICE of the same points; only ``status`` is looked at.
    devices : int
        How many there are to give.
    delivered : DataFrame, optional
        Devices delivered since, as `phusong.ledger.told.delivery_table` returns them.
    day : date, optional
        On which localities under distancing are looked at; None = none is.
    covered_only : bool
        Keep devices back rather than give them to places that are not covered.

    Returns
    -------
    DataFrame
        DEVICES in the order of `points`.  A point of which no file counts the poor learners has
        an unknown need: it gets nothing, and its ``need`` and ``missing`` are empty, not zero.

    Raises
    ------
    InputError
        If `devices` is negative or not whole, or the two tables are about different points.
    """
    if isinstance(devices, bool) or devices != int(devices) or devices < 0:
        raise InputError(f"{devices} devices cannot be split. Give a whole number, 0 or more.")
    if not service.index.sort_values().equals(points.index.sort_values()):
        raise InputError("The points and their service are about different points. Compute both "
                         "from the same table.")
    frame = _needs(points, service.loc[points.index], delivered, day)
    need = frame["need"].fillna(0.0).to_numpy(np.int64)
    tier = frame["tier"].to_numpy(np.int64)
    given, left = np.zeros(len(frame), np.int64), int(devices)
    by_name = np.argsort(frame.index.to_numpy(str), kind="stable")
    for number, (status, _) in enumerate(TIERS, 1):
        if covered_only and status != "covered":
            break
        rows = by_name[tier[by_name] == number]
        given[rows] = largest_remainder(need[rows], left)
        left -= int(given[rows].sum())
    frame["allocated"] = given
    frame["missing"] = frame["need"] - given
    return frame[list(DEVICES.columns)]


def _needs(points: pd.DataFrame, service: pd.DataFrame, delivered: pd.DataFrame | None,
           day: dt.date | None) -> pd.DataFrame:
    def numbers(column: str) -> pd.Series:
        return points[column].astype("float64") if column in points.columns else \
            pd.Series(np.nan, index=points.index)

    poor, near = numbers("learners_poor"), numbers("learners_near_poor")
    came = 0 if delivered is None else delivered["delivered"].reindex(points.index).fillna(0)
    held = np.maximum(0, np.floor(numbers("devices").fillna(0.0)) + came).astype("int64")
    known = (poor.notna() | near.notna()).to_numpy(bool)
    want = np.floor(poor.fillna(0.0) + near.fillna(0.0) + 1e-9)
    need = np.maximum(0.0, want - held).where(known)
    locked = locked_on(points, day) if day is not None else pd.Series(False, index=points.index)
    status, shut = service["status"].to_numpy(object), locked.to_numpy(bool)
    tier = np.zeros(len(points), np.int64)
    for number, (name, is_locked) in enumerate(TIERS, 1):
        tier[(status == name) & (shut == is_locked) & (need > 0.0).to_numpy(bool)] = number
    text = {name: points[name] if name in points.columns else ""
            for name in ("name", "commune_code", "province_code")}
    return pd.DataFrame({"tier": tier, **text, "locked": locked.to_numpy(bool),
                         "status": service["status"].to_numpy(object), "learners_poor": poor,
                         "learners_near_poor": near, "held": held, "need": need},
                        index=pd.Index(points.index, name="point_id"))
