"""The points on a target's list on one day, with all that is counted of them, as numbers.

What is text in a table is a code here: a status its place in `STATUSES`, a province or commune its
place among those of the list.  Counting is then one pass over each array.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.progress import Target, locked_on, on_list
from phusong.tables import STATUSES, split

__all__ = ["BESIDE", "MOVES", "PLACES", "Counted", "Lists", "Moved", "Roll", "Services", "count",
           "moved"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Services = Mapping[dt.date, Mapping[str, pd.DataFrame]]
"""SERVICE of all points by day and by name of the definition."""

BESIDE = {"claimed": ("covered", "uncovered"), "declared": ("covered", "uncovered"),
          "measured": ("covered", "uncertain", "uncovered")}
"""Evidence beside the model, and the statuses that are counted of it."""
PLACES = {"province": "province_code", "commune": "commune_code", "kind": "kind"}
"""What a list is broken down by, and the column of POINTS that says it."""
MOVES = ("won", "lost", "joined", "joined_covered", "left", "left_covered")
"""What can happen to a point between two snapshots."""
_LEARNERS = {"learners": "learners", "poor": "learners_poor", "near_poor": "learners_near_poor"}
_COVERED, _UNKNOWN = STATUSES.index("covered"), STATUSES.index("unknown")


@dataclass(frozen=True, slots=True, eq=False)
class _List:
    """The points on a list, and what no snapshot changes of them.

    Parameters
    ----------
    ids : Index
        The points.
    rows : (n,) int64
        Their rows in POINTS; -1 = only the register knows the point.
    learners : dict of str to (n,) float64
        All, ``poor`` and ``near_poor``.
    places : dict of str to (codes, values)
        By each of `PLACES`; values are sorted.
    """

    ids: pd.Index
    rows: Ints
    learners: dict[str, Floats]
    places: dict[str, tuple[Ints, NDArray[np.object_]]]


@dataclass(frozen=True, slots=True, eq=False)
class Roll:
    """A list on one day.

    Parameters
    ----------
    day : date
    listed : _List
    status : (n,) int64
        Place in `STATUSES`.
    locked : (n,) bool
        In a locality under distancing.
    beside : dict of str to (n,) int64
        Status on each evidence beside the model; what is not there was not looked at.
    uncounted : tuple of str
        Of ``poor`` and ``near_poor`` those that the points do not tell.
    service : DataFrame
        SERVICE, for what is text.
    at : (n,) int64
        Rows in `service`; -1 = it does not speak of the point.
    """

    day: dt.date
    listed: _List
    status: Ints
    locked: Bools
    beside: dict[str, Ints]
    uncounted: tuple[str, ...]
    service: pd.DataFrame
    at: Ints

    def __len__(self) -> int:
        return len(self.status)

    def text(self, name: str, rows: Ints) -> NDArray[np.object_]:
        """Return a column of SERVICE for some rows of the list (-1 = not on it): "" = nothing."""
        at = np.append(self.at, -1)[rows]
        if name not in self.service:
            return np.full(len(rows), "", object)
        return _texts(self.service[name], at)

    def words(self, rows: Ints) -> NDArray[np.object_]:
        """Return the status of some rows of the list as text; "" = not on it."""
        return np.array([*STATUSES, ""], object)[np.append(self.status, -1)[rows]]


class Lists:
    """Who is on which list when, worked out once for all that is counted of it.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    registers : mapping of date to DataFrame
        The register of gap points on each day; see `on_list`.
    """

    def __init__(self, points: pd.DataFrame, registers: Mapping[dt.date, pd.DataFrame]) -> None:
        self._points, self._registers = points, registers
        self._spells = pd.DataFrame({name: points[name] for name in (
            "lockdown_from", "lockdown_to") if name in points}, index=points.index)
        self._known: dict[Any, _List] = {}
        self._uncounted = tuple(
            short for short, column in list(_LEARNERS.items())[1:]
            if column not in points or points[column].isna().all())

    def rolls(self, services: Services, target: Target, beside: Mapping[str, Services],
              operator: str = "") -> Iterator[Roll]:
        """Yield the list of `target` on every day of `services`, oldest first.

        Parameters
        ----------
        services : mapping of date to mapping of definition to DataFrame
            SERVICE.
        target : Target
        beside : mapping of evidence to the same
            By the names of `BESIDE`.
        operator : str
            Whose word counts of what is beside; empty = everybody's.
        """
        for day in sorted(services):
            service = services[day].get(target.need.name)
            if service is None:
                continue
            listed = self._listed(target, day)
            at = service.index.get_indexer(listed.ids)
            said = {short: _status(found, found.index.get_indexer(listed.ids), operator)
                    for short in BESIDE
                    if (found := beside.get(short, {}).get(day, {}).get(target.need.name))
                    is not None}
            known = listed.rows >= 0
            locked = np.zeros(len(listed.rows), bool)
            locked[known] = locked_on(self._spells.iloc[listed.rows[known]], day).to_numpy(bool)
            yield Roll(day, listed, _status(service, at), locked, said, self._uncounted,
                       service, at)

    def label(self, listed: _List, commune: Ints) -> NDArray[np.object_]:
        """Return the name of each commune of a list: that of its first point."""
        codes, values = listed.places["commune"]
        first = np.full(len(values), -1, np.int64)
        there, row = np.unique(codes, return_index=True)
        first[there] = listed.rows[row]
        if "commune_name" not in self._points:
            return np.full(len(commune), "", object)
        return _texts(self._points["commune_name"], np.append(first, -1)[commune])

    def _listed(self, target: Target, day: dt.date) -> _List:
        register = self._registers.get(day)
        moved_by = day if register is not None and len(register) else None
        key = target.name, moved_by
        if key not in self._known:
            self._known[key] = self._made(on_list(self._points, target, register))
        return self._known[key]

    def _made(self, ids: pd.Index) -> _List:
        rows = self._points.index.get_indexer(ids)
        learners = {short: _numbers(self._points, column, rows)
                    for short, column in _LEARNERS.items()}
        places = {}
        for by, column in PLACES.items():
            texts = _texts(self._points[column], rows) if column in self._points else \
                np.full(len(rows), "", object)
            codes, values = pd.factorize(texts, sort=True)
            places[by] = codes.astype(np.int64), np.asarray(values, object)
        return _List(pd.Index(ids, name="point_id"), rows, learners, places)


def _texts(column: pd.Series, rows: Ints) -> NDArray[np.object_]:
    """Return text by row; -1 and what is missing as ""."""
    found = np.full(len(rows), "", object)
    there = rows >= 0
    here = column.iloc[rows[there]]
    found[there] = here.fillna("").to_numpy(object)
    return found


def _numbers(points: pd.DataFrame, column: str, rows: Ints) -> Floats:
    found = np.zeros(len(rows))
    if column in points:
        there = rows >= 0
        found[there] = np.nan_to_num(points[column].to_numpy(float, na_value=np.nan)[rows[there]],
                                     nan=0.0)
    return found


def _status(service: pd.DataFrame, at: Ints, operator: str = "") -> Ints:
    """Return the status of points by their rows in a table; of an operator only its yes."""
    there = at >= 0
    found = np.full(len(at), _UNKNOWN, np.int64)
    if operator:
        codes, cells = pd.factorize(service["operators"].iloc[at[there]])
        place = [_COVERED if operator in split(cell) else _UNKNOWN for cell in cells]
    else:
        codes, cells = pd.factorize(service["status"].iloc[at[there]])
        place = [STATUSES.index(cell) for cell in cells]
    found[there] = np.array([*place, _UNKNOWN], np.int64)[codes]
    return found


class Moved(NamedTuple):
    """What happened to every point on either of two lists.

    Parameters
    ----------
    ids : Index
        The points: those of the later list, then those that left.
    happened : dict of str to (n,) bool
        By `MOVES`.
    at, was_at : (n,) int64
        Their places on the later and the earlier list; -1 = not on it.
    """

    ids: pd.Index
    happened: dict[str, Bools]
    at: Ints
    was_at: Ints


def moved(before: Roll, now: Roll) -> Moved:
    """Compare a list with that of the snapshot before."""
    ids = now.listed.ids
    if before.listed is now.listed:
        at = was_at = np.arange(len(ids))
    else:
        ids = ids.union(before.listed.ids, sort=False)
        at, was_at = (roll.listed.ids.get_indexer(ids) for roll in (now, before))
    on, was_on = at >= 0, was_at >= 0
    is_covered, was_covered = (np.append(roll.status == _COVERED, False)[place]
                               for roll, place in ((now, at), (before, was_at)))
    both = on & was_on
    return Moved(ids, {
        "won": both & is_covered & ~was_covered, "lost": both & was_covered & ~is_covered,
        "joined": on & ~was_on, "joined_covered": on & ~was_on & is_covered,
        "left": was_on & ~on, "left_covered": was_on & ~on & was_covered}, at, was_at)


class Counted(NamedTuple):
    """Figures of a list, group by group.

    Parameters
    ----------
    values : list of str
        The groups' codes, sorted.
    place : (groups,) int64
        Of each its place among the list's own groups; -1 = nobody is left in it.
    figures : dict of str to (groups,)
        By the names of PROGRESS; NaN where nothing is known.
    """

    values: list[str]
    place: Ints
    figures: dict[str, NDArray[Any]]


def count(roll: Roll, before: Roll | None, by: str = "") -> Counted:
    """Count a list and what changed since the snapshot before.

    Parameters
    ----------
    roll, before : Roll
        A snapshot, and the one before it.
    by : str
        One of `PLACES`; empty = all of the list in one group.
    """
    change = None if before is None else moved(before, roll)
    values, place, mine, group_of = _groups(roll, before, change, by)
    figures = _figures(roll, mine, len(values))
    for name in MOVES:
        figures[name] = np.zeros(len(values), np.int64) if change is None else np.bincount(
            group_of[change.happened[name]], minlength=len(values))
    return Counted(values, place, figures)


def _groups(roll: Roll, before: Roll | None, change: Moved | None,
            by: str) -> tuple[list[str], Ints, Ints, Ints]:
    """Return the groups, their places, and the group of each point of the roll and of `change`."""
    if not by:
        every = 0 if change is None else len(change.ids)
        return [""], np.zeros(1, np.int64), np.zeros(len(roll), np.int64), np.zeros(every, np.int64)
    codes, values = roll.listed.places[by]
    if before is None or change is None or before.listed is roll.listed:
        return list(values), np.arange(len(values)), codes, codes
    was_codes, was_values = before.listed.places[by]
    both = np.array(sorted({*values, *was_values}), object)
    mine, theirs = (pd.Index(both).get_indexer(own)[code]
                    for own, code in ((values, codes), (was_values, was_codes)))
    group_of = np.where(change.at >= 0, np.append(mine, 0)[change.at],
                        np.append(theirs, 0)[change.was_at])
    return list(both), pd.Index(values, dtype=object).get_indexer(both), mine, group_of


def _figures(roll: Roll, mine: Ints, groups: int) -> dict[str, NDArray[Any]]:
    """Count all that one snapshot says, given the group of each point."""
    def points(which: Bools) -> Ints:
        return np.bincount(mine[which], minlength=groups)

    def of(weights: Floats, which: Bools) -> Floats:
        return np.bincount(mine[which], weights[which], groups).astype(np.float64)

    learners, everybody = roll.listed.learners, np.ones(len(roll), bool)
    is_on = {name: roll.status == code for code, name in enumerate(STATUSES)}
    found: dict[str, NDArray[Any]] = {
        "points": points(everybody), **{name: points(which) for name, which in is_on.items()},
        "learners": of(learners["learners"], everybody)}
    for short, weights in learners.items():
        found |= {f"{short}_{name}": of(weights, which) for name, which in is_on.items()}
    found["learners_poor_uncovered"] = of(learners["poor"] + learners["near_poor"],
                                          is_on["uncovered"])
    found["locked"] = points(roll.locked)
    found["locked_uncovered"] = points(roll.locked & is_on["uncovered"])
    asserted = np.zeros(len(roll), bool)
    for short, counted in BESIDE.items():
        said = roll.beside.get(short, np.full(len(roll), _UNKNOWN))
        found |= {f"{short}_{name}": points(said == STATUSES.index(name)).astype(float)
                  for name in counted}
        found[f"learners_{short}"] = of(learners["learners"], said == _COVERED)
        if short != "measured":
            asserted |= said == _COVERED
    found["disputed"] = points(asserted & is_on["uncovered"])
    return found | dict.fromkeys(_absent(roll), np.full(groups, np.nan))


def _absent(roll: Roll) -> list[str]:
    """Return the figures of which nothing is known."""
    found = [f"{short}_{name}" for short in roll.uncounted for name in STATUSES]
    found += ["learners_poor_uncovered"] if len(roll.uncounted) == 2 else []
    for short, kinds in BESIDE.items():
        if len(roll) and short not in roll.beside:
            found += [*(f"{short}_{kind}" for kind in kinds), f"learners_{short}"]
    return found
