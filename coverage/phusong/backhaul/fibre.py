"""Fibre along the roads: how far it is by road from place to place."""

from __future__ import annotations

import heapq

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numba import njit
from numpy.typing import NDArray

from phusong.backhaul.places import near_pairs
from phusong.backhaul.settings import Feeder

__all__ = ["fibre_hops", "road_distances"]

_SPUR_M = 5000.0
_GRAIN_M = 1.0

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def _segments(roads: gpd.GeoDataFrame) -> Array:
    """Return the straight pieces of all roads, ends rounded to 1 m so that they meet, (n, 4)."""
    lines = np.asarray(shapely.get_parts(np.asarray(roads.geometry.to_numpy(), object)))
    lines = lines[np.isin(shapely.get_type_id(lines), (1, 2)) & ~shapely.is_empty(lines)]
    xy, line = shapely.get_coordinates(lines, return_index=True)
    xy = np.round(xy / _GRAIN_M) * _GRAIN_M
    same = line[1:] == line[:-1]
    pieces = np.column_stack([xy[:-1], xy[1:]])[same]
    return pieces[(pieces[:, :2] != pieces[:, 2:]).any(axis=1)]


@njit(cache=True, nogil=True)
def _walk(indptr, head, length, sources, targets, limit, count):
    """Return (source, target, metres) of the `count` nearest targets of each source by road."""
    nodes = indptr.shape[0] - 1
    far = np.full(nodes, np.inf)
    rows = np.empty((sources.shape[0] * count, 3))
    total = 0
    for s in range(sources.shape[0]):
        touched = [sources[s]]
        far[sources[s]] = 0.0
        heap = [(0.0, sources[s])]
        found = 0
        while len(heap) and found < count:
            metres, u = heapq.heappop(heap)
            if metres > far[u]:
                continue
            if targets[u] and u != sources[s]:
                rows[total, 0], rows[total, 1], rows[total, 2] = sources[s], u, metres
                total += 1
                found += 1
            for a in range(indptr[u], indptr[u + 1]):
                v = head[a]
                longer = metres + length[a]
                if longer < far[v] and longer <= limit:
                    if far[v] == np.inf:
                        touched.append(v)
                    far[v] = longer
                    heapq.heappush(heap, (longer, v))
        for v in touched:
            far[v] = np.inf
    return rows[:total]


def _graph(xy: Array, roads: gpd.GeoDataFrame) -> tuple[Ints, Ints, Array]:
    """Return the road graph with the places `xy` as its first nodes: indptr, head, metres.

    A place hangs on the nearest road by a straight spur of at most 5 km.
    """
    pieces = _segments(roads)
    ends, number = np.unique(pieces.reshape(-1, 2), axis=0, return_inverse=True)
    number = number.reshape(-1, 2) + len(xy)
    tree = shapely.STRtree(shapely.linestrings(pieces.reshape(-1, 2, 2)))
    (place, piece), spur = tree.query_nearest(shapely.points(xy), max_distance=_SPUR_M,
                                              return_distance=True, all_matches=False)
    a, b = pieces[piece, :2], pieces[piece, 2:]
    whole = np.hypot(*(b - a).T)
    along = np.clip(((xy[place] - a) * (b - a)).sum(axis=1) / whole ** 2, 0.0, 1.0) * whole
    joins = [np.column_stack([place, number[piece, 0], spur + along]),
             np.column_stack([place, number[piece, 1], spur + whole - along])]
    order = np.lexsort((place, along, piece))
    same = piece[order][1:] == piece[order][:-1]
    one, two = order[:-1][same], order[1:][same]
    joins.append(np.column_stack([place[one], place[two],
                                  spur[one] + spur[two] + along[two] - along[one]]))
    metres = np.hypot(*(pieces[:, 2:] - pieces[:, :2]).T)
    edges = np.vstack([*joins, np.column_stack([number, metres])])
    both = np.vstack([edges, edges[:, [1, 0, 2]]])
    both = both[np.lexsort((both[:, 2], both[:, 1], both[:, 0]))]
    counts = np.bincount(both[:, 0].astype(np.int64), minlength=len(xy) + len(ends))
    return (np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            both[:, 1].astype(np.int64), np.ascontiguousarray(both[:, 2]))


def road_distances(xy: Array, new: NDArray[np.bool_], roads: gpd.GeoDataFrame, limit_m: float,
                   count: int) -> tuple[Ints, Array]:
    """Return how far it is by road from each new place to those nearest by road.

    Parameters
    ----------
    xy : (places, 2) float64
        Places in the working CRS.
    new : (places,) bool
        From which of them the way is looked for.
    roads : GeoDataFrame
        Lines in the working CRS; they meet where they share a vertex.
    limit_m : float
        No farther than this.
    count : int
        How many of the nearest places, from each.

    Returns
    -------
    pairs : (n, 2) int64
        Numbers of places, a < b, each pair once.
    metres : (n,) float64
        By road, the spurs to it included.
    """
    if not len(xy) or not len(_segments(roads)):
        return np.zeros((0, 2), np.int64), np.zeros(0)
    indptr, head, length = _graph(xy, roads)
    targets = np.zeros(len(indptr) - 1, bool)
    targets[:len(xy)] = True
    rows = _walk(indptr, head, length, np.flatnonzero(new), targets, limit_m, count)
    pairs, metres = np.sort(rows[:, :2].astype(np.int64), axis=1), rows[:, 2]
    order = np.lexsort((metres, pairs[:, 1], pairs[:, 0]))
    pairs, metres = pairs[order], metres[order]
    first = np.concatenate([[True], (pairs[1:] != pairs[:-1]).any(axis=1)]) if len(pairs) \
        else np.zeros(0, bool)
    return pairs[first], metres[first]


def fibre_hops(nodes: pd.DataFrame, roads: gpd.GeoDataFrame | None,
               feeder: Feeder) -> pd.DataFrame:
    """Return where fibre could run: along the roads, or straight where none are known.

    Parameters
    ----------
    nodes : DataFrame
        As `phusong.backhaul.places.places` returns them.
    roads : GeoDataFrame or None
        Lines in the working CRS.
    feeder : Feeder
        Longest fibre, number of neighbours.

    Returns
    -------
    DataFrame
        a, b (numbers of the nodes), length_m, along_road (False: the straight distance, which
        pricing takes times a route factor).
    """
    xy, new = nodes[["x", "y"]].to_numpy(np.float64), ~nodes["standing"].to_numpy(bool)
    known = roads is not None and len(roads) > 0
    if known:
        pairs, metres = road_distances(xy, new, roads, feeder.max_fibre_m, feeder.neighbours)
    else:
        pairs = near_pairs(nodes, feeder.neighbours, feeder.max_fibre_m)
        metres = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    good = metres > 0.0
    return pd.DataFrame({"a": pairs[good, 0], "b": pairs[good, 1], "length_m": metres[good],
                         "along_road": known})
