"""From judged links to one verdict for each point: who decides, what status, which cell is best.

Everything is an array with one entry for each link or each point; what a link's probability is and
what a definition asks for is settled before (`phusong.service`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.tables import joined

__all__ = ["Heard", "Texts", "Verdicts", "places_of", "verdicts"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Links of which the technology counts.

    Parameters
    ----------
    point : (n,) int64
        Number of the point.
    operator : (n,) int64
        Number of the operator.
    cell : (n,) int64
        Number of the cell; a lower one comes first in the alphabet.
    probability, free_space, best_case : (n,) float64
        That it serves: by the model, with nothing in the way, with unknown ground as low as can
        be.  NaN = not known.
    level_dbm, margin_db, free_space_dbm, distance_m, clearance : (n,) float64
        As in LINKS and `phusong.service.levels`.
    no_ground : (n,) bool
        Elevation is what is missing.
    """

    point: Ints
    operator: Ints
    cell: Ints
    probability: Floats
    free_space: Floats
    best_case: Floats
    level_dbm: Floats
    margin_db: Floats
    free_space_dbm: Floats
    distance_m: Floats
    clearance: Floats
    no_ground: Bools

    def of(self, rows: Ints) -> Heard:
        """Return some of the links."""
        return Heard(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """One verdict for each point.

    Parameters
    ----------
    status, reason, operators : (points,) object
        As in SERVICE.
    probability : (points,) float64
        Of the operator that decides.
    best : (points,) int64
        Its best link; -1 = it has none.
    """

    status: Texts
    reason: Texts
    operators: Texts
    probability: Floats
    best: Ints


def places_of(index: pd.MultiIndex, level: int, ids: pd.Index) -> Ints:
    """Return the place of each row's key among `ids`; -1 = it is not there."""
    places = ids.get_indexer(index.levels[level])
    return np.asarray(np.append(places, -1)[index.codes[level]], np.int64)


def verdicts(heard: Heard, points: int, names: Texts, *, needed: int, probability: float,
             gap_probability: float, complete: bool) -> Verdicts:
    """Give every point one status with one reason; see `phusong.service.assess`.

    Parameters
    ----------
    heard : Heard
        Links.
    points : int
        How many points there are.
    names : (operators,) object
        The operators' names.
    needed : int
        How many operators a point needs.
    probability, gap_probability : float
        Covered at or above the first, uncovered below the second.
    complete : bool
        Whether nothing stands that the list of sites does not have.
    """
    decisive = _decisive(heard, heard.probability, points, len(names), needed)
    optimist = np.where(np.isnan(heard.probability), heard.best_case, heard.probability)
    hope = _decisive(heard, optimist, points, len(names), needed)

    def any_of(mask: Bools) -> Bools:
        out = np.zeros(points, bool)
        out[heard.point[mask]] = True
        return out

    lost = np.isnan(heard.probability)
    hopeless = lost & ~(heard.best_case >= gap_probability)
    blocked = any_of((heard.free_space >= probability) & ~(heard.probability >= probability)
                     & ((heard.clearance < 0.0) | hopeless))
    no_ground = any_of(lost & heard.no_ground)
    status = np.full(points, "uncovered", dtype=object)
    reason = np.full(points, "signal_too_weak", dtype=object)
    reason[blocked] = "terrain_blocked"
    there = _by_operator(heard, points, len(names), np.ones(len(heard.point), bool))
    reason[there.sum(axis=1) < needed] = "no_site_in_range"
    if not complete:
        status[:], reason[:] = "unknown", "no_site_data"
    might = (hope >= gap_probability) & any_of(lost)
    status[might] = "unknown"
    reason[might] = np.where(no_ground, "no_elevation", "out_of_model_range")[might]
    for low, name, why in ((gap_probability, "uncertain", "margin_too_thin"),
                           (probability, "covered", "covered")):
        status[decisive >= low] = name
        reason[decisive >= low] = why
    covering = _by_operator(heard, points, len(names), heard.probability >= probability)
    return Verdicts(status, reason, _joined(covering, names), decisive, _best(heard, points))


def _by_operator(heard: Heard, points: int, operators: int, which: Bools) -> Bools:
    """Tell of which operators each point has a link among `which`, (points, operators)."""
    found = np.zeros((points, operators), bool)
    found[heard.point[which], heard.operator[which]] = True
    return found


def _decisive(heard: Heard, chance: Floats, points: int, operators: int, needed: int) -> Floats:
    """Return for each point the probability of its n-th best operator (0 = there is none)."""
    if operators < needed:
        return np.zeros(points)
    best = np.full((points, operators), -1.0)
    known = ~np.isnan(chance)
    np.maximum.at(best, (heard.point[known], heard.operator[known]), chance[known])
    return np.maximum(np.partition(best, operators - needed, axis=1)[:, operators - needed], 0.0)


def _joined(sets: Bools, names: Texts) -> Texts:
    """Return for each row the names that go with it, joined; each set of names is joined once."""
    _, first, which = np.unique(np.packbits(sets, axis=1), axis=0, return_index=True,
                                return_inverse=True)
    words = np.array([joined(names[sets[n]]) for n in first], object)
    return np.asarray(words[which.reshape(-1)])


def _best(heard: Heard, points: int) -> Ints:
    """Return the most probable link of each point; ties by level, then by cell."""
    rank = np.where(np.isnan(heard.probability), -np.inf, heard.probability)
    top = np.full(points, -np.inf)
    np.maximum.at(top, heard.point, rank)
    may = np.flatnonzero(rank == top[heard.point])
    falling = [np.where(np.isnan(value[may]), np.inf, -value[may])
               for value in (heard.free_space_dbm, heard.level_dbm)]
    order = may[np.lexsort((heard.cell[may], *falling, heard.point[may]))]
    mine = heard.point[order]
    first = np.flatnonzero(np.diff(mine, prepend=-1))
    found = np.full(points, -1, np.int64)
    found[mine[first]] = order[first]
    return found
