"""Places worth trying: tops of the relief, middles of clusters, points along roads."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from phusong.geo import transform
from phusong.siting.sight import Gaps
from phusong.terrain import Terrain

__all__ = ["cluster_places", "clusters", "hilltops", "on_land", "roadsides"]

_FINE_M, _COARSE_M = 400.0, 1500.0
_RELIEF_M = 40.0
_LARGEST = 2000

Array = NDArray[np.float64]


def hilltops(terrain: Terrain, gaps: Gaps, view_m: float) -> tuple[Array, Array]:
    """Return tops of the relief within view of the gaps: all of them, and the far-seeing ones.

    A top is the highest pixel within 400 m (fine) or 1,500 m (coarse) that
    stands at least 40 m above the lowest ground within 1 km. Voids are nowhere
    a top.

    Returns
    -------
    fine, coarse : (n, 2) float64
        Positions in the working CRS, ordered by row and column of the grid.
    """
    if not len(gaps.xy):
        return np.zeros((0, 2)), np.zeros((0, 2))
    (left, bottom), (right, top) = gaps.xy.min(axis=0) - view_m, gaps.xy.max(axis=0) + view_m
    x0, y0, x1, y1 = terrain.bounds
    if left > x1 or right < x0 or bottom > y1 or top < y0:
        return np.zeros((0, 2)), np.zeros((0, 2))
    grid = terrain.window((left, bottom, right, top))
    heights = np.asarray(grid.heights)
    known = np.isfinite(heights)

    def around(metres: float) -> int:
        return 2 * max(1, round(metres / terrain.resolution_m)) + 1

    lowest = ndimage.minimum_filter(np.where(known, heights, np.inf), around(1000.0),
                                    mode="nearest")
    raised = np.where(known, heights, -np.inf)
    stands = known & (raised - lowest >= _RELIEF_M)
    out = []
    for metres in (_FINE_M, _COARSE_M):
        tops = stands & (raised == ndimage.maximum_filter(raised, around(metres), mode="nearest"))
        row, column = np.nonzero(tops)
        a, b, c, d, e, f = tuple(grid.transform)[:6]
        x, y = transform(a * (column + 0.5) + b * (row + 0.5) + c,
                         d * (column + 0.5) + e * (row + 0.5) + f, grid.crs, grid.metric_crs)
        out.append(np.column_stack([x, y]))
    return out[0], out[1]


def clusters(gaps: Gaps, radius_m: float) -> NDArray[np.int64]:
    """Return the number of the cluster that each gap belongs to, (gaps,).

    Density clusters (DBSCAN) are cut by complete linkage, so that no two gaps
    of one cluster lie farther apart than ``2 x radius_m``. Numbers follow the
    order of the gaps.
    """
    if not len(gaps.xy):
        return np.zeros(0, np.int64)
    from sklearn.cluster import DBSCAN, AgglomerativeClustering  # slow to load

    dense = DBSCAN(eps=2.0 * radius_m, min_samples=1).fit_predict(gaps.xy)
    out = np.full(len(gaps.xy), -1, np.int64)
    count = 0
    for number in range(dense.max() + 1):
        for mine in _cut(gaps.xy, np.flatnonzero(dense == number), 20.0 * radius_m):
            labels = np.zeros(len(mine), np.int64)
            if len(mine) > 1:
                labels = AgglomerativeClustering(
                    n_clusters=None, linkage="complete",
                    distance_threshold=2.0 * radius_m).fit_predict(gaps.xy[mine])
            out[mine] = labels + count
            count += int(labels.max()) + 1
    _, first, inverse = np.unique(out, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _cut(xy: Array, members: NDArray[np.int64], tile_m: float) -> list[NDArray[np.int64]]:
    """Cut a very large cluster into square tiles, because linkage is quadratic."""
    if len(members) <= _LARGEST:
        return [members]
    tile = np.floor(xy[members] / tile_m).astype(np.int64)
    _, number = np.unique(tile, axis=0, return_inverse=True)
    return [members[number == k] for k in range(number.max() + 1)]


def cluster_places(gaps: Gaps, labels: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Return nine places for each cluster: its weighted middle and eight around it.

    Returns
    -------
    places : (9 x clusters, 2) float64
    cluster : (9 x clusters,) int64
    """
    if not len(labels):
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    total = np.bincount(labels, gaps.weight)
    middle = np.column_stack([np.bincount(labels, gaps.weight * gaps.xy[:, k]) / total
                              for k in (0, 1)])
    turn = np.radians(np.arange(0.0, 360.0, 45.0))
    ring = 300.0 * np.column_stack([np.sin(turn), np.cos(turn)])
    shifts = np.vstack([[0.0, 0.0], ring])
    places = (middle[:, None, :] + shifts[None, :, :]).reshape(-1, 2)
    return places, np.repeat(np.arange(len(middle)), len(shifts))


def roadsides(roads: gpd.GeoDataFrame, gaps: Gaps, view_m: float, step_m: float) -> Array:
    """Return points along the roads within view of the gaps, `step_m` apart, (n, 2).

    Of points in the same square of half a step only one stays.
    """
    lines = np.asarray(shapely.get_parts(np.asarray(roads.geometry.to_numpy(), object)))
    lines = lines[np.isin(shapely.get_type_id(lines), (1, 2)) & ~shapely.is_empty(lines)]
    if not len(lines) or not len(gaps.xy):
        return np.zeros((0, 2))
    tree = shapely.STRtree(lines)
    near = np.unique(tree.query(shapely.points(gaps.xy), predicate="dwithin", distance=view_m)[1])
    lines = lines[near]
    length = shapely.length(lines)
    count = np.maximum(np.ceil(length / step_m).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(lines)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    along = (within + 0.5) * (length / count)[owner]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines[owner], along))
    xy = xy[np.lexsort((xy[:, 1], xy[:, 0]))]
    _, first = np.unique(np.floor(xy / (0.5 * step_m)).astype(np.int64), axis=0,
                         return_index=True)
    return xy[np.sort(first)]


def on_land(land: gpd.GeoDataFrame, gaps: Gaps, view_m: float, step_m: float) -> Array:
    """Return places on given land within view of the gaps: a grid and a point in each parcel.

    Parameters
    ----------
    land : GeoDataFrame
        Parcels (polygons) or single places (points), working CRS.
    view_m : float
        Parcels farther from every gap are left out.
    step_m : float
        Spacing of the grid, at least 100 m.

    Returns
    -------
    (n, 2) float64
        In ascending order of x, then y, each place once.
    """
    parts = np.asarray(shapely.get_parts(np.asarray(land.geometry.to_numpy(), object)))
    parts = parts[~shapely.is_empty(parts)]
    if not len(parts) or not len(gaps.xy):
        return np.zeros((0, 2))
    near = shapely.STRtree(parts).query(shapely.points(gaps.xy), predicate="dwithin",
                                        distance=view_m)[1]
    parts = parts[np.unique(near)]
    step = max(step_m, 100.0)
    found: list[Array] = [shapely.get_coordinates(shapely.point_on_surface(parts))]
    for part in parts[shapely.area(parts) > step * step]:
        west, south, east, north = np.floor(np.array(part.bounds) / step)
        east_of, north_of = np.meshgrid(np.arange(west, east + 1.0), np.arange(south, north + 1.0))
        grid = step * np.column_stack([east_of.ravel(), north_of.ravel()])
        found.append(grid[shapely.contains_xy(part, grid[:, 0], grid[:, 1])])
    return np.unique(np.vstack(found), axis=0)
