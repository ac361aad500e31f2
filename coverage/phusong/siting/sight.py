"""Who sees whom: a quick comparison of places before any link is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.radio.clearance import fresnel_clearance
from phusong.radio.medium import Medium
from phusong.terrain import Terrain

__all__ = ["Gaps", "called_for", "pairs", "spaced", "views"]

_CHUNK = 20_000
_STEPS = 120
_GRAZING = 0.3
_EYE_M = 1.5
_MHZ = 900.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Where the gaps are and how many learners each stands for, in the order of their ids.

    Parameters
    ----------
    xy : (gaps, 2) float64
        Positions in the working CRS, metres.
    weight : (gaps,) float64
        Learners, at least 1.
    ids : (gaps,) str
        Their `point_id`.
    """

    xy: Array
    weight: Array
    ids: NDArray[np.object_]

    @classmethod
    def of(cls, points: pd.DataFrame) -> Gaps:
        """Take them from POINTS; points without position are left out."""
        there = points[~(points.geometry.isna() | points.geometry.is_empty)].sort_index()
        learners = (there["learners"].to_numpy(np.float64) if "learners" in there.columns
                    else np.full(len(there), np.nan))
        return cls(np.column_stack([there.geometry.x, there.geometry.y]).reshape(-1, 2),
                   np.maximum(np.nan_to_num(learners), 1.0), there.index.to_numpy(object))


def pairs(places: Array, gaps: Gaps, nearest: int, view_m: float
          ) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return (place, gap, distance) for the nearest places of each gap within view.

    Never more than ``gaps x nearest`` pairs.
    """
    if not len(places) or not len(gaps.xy):
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0)
    count = min(nearest, len(places))
    distance, place = cKDTree(places).query(gaps.xy, k=count, distance_upper_bound=view_m)
    distance = distance.reshape(len(gaps.xy), count)
    place = place.reshape(len(gaps.xy), count)
    gap, column = np.nonzero(np.isfinite(distance))
    return place[gap, column].astype(np.int64), gap.astype(np.int64), distance[gap, column]


def views(places: Array, height_m: float, gaps: Gaps, terrain: Terrain | None, nearest: int,
          view_m: float) -> pd.DataFrame:
    """Return what each place sees of each gap near it: place, gap, distance_m, value, dip_deg.

    ``value`` is the gap's learners, less with distance; all of them on a clear
    line over the curved earth (effective radius), a part where it grazes, none
    where it is blocked or the terrain is not known. Without terrain nothing is
    in the way. ``dip_deg`` is how far below the horizon the gap lies.

    Parameters
    ----------
    places : (places, 2) float64
        Positions in the working CRS.
    height_m : float
        Antenna above ground.
    gaps : Gaps
        What is to be seen.
    terrain : Terrain or None
        The relief.
    nearest : int
        How many places are tried for each gap.
    view_m : float
        Farthest distance tried.
    """
    place, gap, distance = pairs(places, gaps, nearest, view_m)
    clear, dip = np.ones(len(place)), np.zeros(len(place))
    if terrain is not None:
        for first in range(0, len(place), _CHUNK):
            part = slice(first, first + _CHUNK)
            a, b = places[place[part]], gaps.xy[gap[part]]
            step = max(terrain.resolution_m, view_m / _STEPS)
            paths = terrain.profiles(a[:, 0], a[:, 1], b[:, 0], b[:, 1], step)
            clearance, _ = fresnel_clearance(paths, _MHZ, height_m, _EYE_M, Medium())
            clear[part] = np.where(clearance >= 0.0, 1.0,
                                   np.where(clearance >= -1.0, _GRAZING, 0.0))
            ends = paths.heights_m[paths.offsets[:-1]] - paths.heights_m[paths.offsets[1:] - 1]
            dip[part] = np.degrees(np.arctan2(ends + height_m - _EYE_M, paths.distance_m))
    near = 1.0 / (1.0 + (2.0 * distance / view_m) ** 2)
    return pd.DataFrame({"place": place, "gap": gap, "distance_m": distance,
                         "value": clear * near * gaps.weight[gap], "dip_deg": dip})


def called_for(seen: pd.DataFrame, score: Array, places: Array, per_gap: int
               ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places that are among the best of some gap, and the best rank that each has.

    For each gap its places are ordered by whether they see it, then by `score`
    (all they see), then by position.
    """
    if not len(seen):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = seen.assign(sees=seen["value"] > 0.0, score=score[seen["place"]],
                        x=places[seen["place"], 0], y=places[seen["place"], 1])
    order = order.sort_values(["gap", "sees", "score", "x", "y"],
                              ascending=[True, False, False, True, True], kind="stable")
    rank = order.groupby("gap", sort=False).cumcount()
    best = rank[rank < per_gap].groupby(order["place"]).min().sort_index()
    return best.index.to_numpy(np.int64), best.to_numpy(np.int64)


def spaced(places: Array, order: NDArray[np.int64], spacing_m: float, limit: int
           ) -> NDArray[np.int64]:
    """Walk through `order` and keep a place if no kept one is nearer than `spacing_m`.

    Parameters
    ----------
    places : (places, 2) float64
        Positions.
    order : (n,) int64
        Place numbers, the best first.
    spacing_m : float
        Least distance between kept places; 0 keeps all.
    limit : int
        Most places that are kept.
    """
    if not len(order):
        return order
    tree = cKDTree(places[order])
    gone = np.zeros(len(order), bool)
    kept: list[int] = []
    for k in range(len(order)):
        if gone[k]:
            continue
        kept.append(k)
        if len(kept) >= limit:
            break
        if spacing_m > 0.0:
            gone[tree.query_ball_point(places[order[k]], np.nextafter(spacing_m, 0.0))] = True
    return order[np.array(kept, np.int64)]
