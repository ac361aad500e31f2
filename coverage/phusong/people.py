"""People of a population raster, counted for points and communes; nobody twice, nobody lost.

A pixel is cut into equal parts small against what is asked (its people spread evenly over it);
each part belongs to one point or commune, or to none, and those are counted too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.errors import InputError
from phusong.geo import transform
from phusong.surroundings import Raster
from phusong.workers import thread_count

__all__ = ["Counted", "people_by_commune", "people_nearest", "people_within"]

Array = NDArray[np.float64]
_FINEST = 8
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """People by key.

    Parameters
    ----------
    people : Series of float64
        People for each row of the table asked for, in its order.
    beyond : float
        People that belong to no row: too far away, or outside every outline.
    total : float
        Everybody the raster knows; ``people.sum() + beyond`` is this, up to rounding.
    part_m : float
        Side of the parts that pixels were cut into, metres: the resolution of the count.
    """

    people: pd.Series
    beyond: float
    total: float
    part_m: float


def people_nearest(points: gpd.GeoDataFrame, population: Raster, *,
                   reach_m: float = 10_000.0) -> Counted:
    """Count for each point the people to whom it is the nearest one.

    Parameters
    ----------
    points : GeoDataFrame
        Places in the working CRS, of one kind (schools, say: a village takes nobody from a
        school).  A point without a position gets nobody.  Points on one spot share alike; the
        order of rows changes nothing.
    population : Raster
        People per pixel, in any CRS.
    reach_m : float
        People farther than this from every point are counted as beyond.

    Raises
    ------
    InputError
        If the reach is not positive, or the raster is no grid of people.
    """
    _positive(reach_m, "reach_m")
    there = _placed(points)
    spots, which = _spots(points, there)
    parts = _Parts(population, points.crs, np.inf)
    sums, beyond = np.zeros(len(spots)), 0.0
    tree = cKDTree(spots) if len(spots) else None
    for xy, people in parts:
        if tree is None:
            beyond += float(people.sum())
            continue
        _, nearest = tree.query(xy, distance_upper_bound=reach_m, workers=thread_count())
        inside = nearest < len(spots)
        sums += np.bincount(nearest[inside], people[inside], len(spots))
        beyond += float(people[~inside].sum())
    shares = np.zeros(len(points))
    shares[there] = (sums / np.maximum(np.bincount(which, minlength=len(spots)), 1))[which]
    return Counted(pd.Series(shares, index=points.index, name="people"), beyond, parts.total,
                   parts.part_m)


def people_within(points: gpd.GeoDataFrame, population: Raster, radius_m: float) -> pd.Series:
    """Return the people within a radius of each point; circles may overlap.

    Parameters
    ----------
    points : GeoDataFrame
        In the working CRS; NaN for a point without a position.
    population : Raster
        People per pixel.
    radius_m : float
        Metres.  Pixels are cut into parts of at most a fifth of it; a part counts if its middle
        lies inside.
    """
    _positive(radius_m, "radius_m")
    there = _placed(points)
    out = np.full(len(points), np.nan)
    spots, which = _spots(points, there)
    sums = np.zeros(len(spots))
    tree = cKDTree(spots) if len(spots) else None
    for xy, people in _Parts(population, points.crs, radius_m / 5.0):
        if tree is None:
            break
        near = np.flatnonzero(tree.query(xy, distance_upper_bound=radius_m)[0] <= radius_m)
        for first in range(0, near.size, 50_000):
            some = near[first:first + 50_000]
            hit = tree.query_ball_point(xy[some], radius_m)
            counts = np.fromiter(map(len, hit), np.int64, len(hit))
            sums += np.bincount(np.concatenate([np.asarray(h, np.int64) for h in hit]),
                                np.repeat(people[some], counts), len(spots))
    out[there] = sums[which]
    return pd.Series(out, index=points.index, name="people")


def people_by_commune(communes: gpd.GeoDataFrame, population: Raster) -> Counted:
    """Count the people in each commune.

    Parameters
    ----------
    communes : GeoDataFrame
        Polygons in the working CRS, indexed by code.  Where outlines overlap, the people are
        those of the lowest code; between outlines they are beyond.
    population : Raster
        People per pixel.
    """
    order = np.argsort(communes.index.to_numpy(str), kind="stable")
    shapes = np.asarray(communes.geometry.array, dtype=object)[order]
    sums = np.zeros(len(shapes))
    side = np.sqrt(np.median(shapely.area(shapes))) / 20.0 if len(shapes) else np.inf
    parts = _Parts(population, communes.crs, max(side, 1.0))
    for xy, people in parts:
        # asked by the outlines, which are prepared once each; points asked one by one are slow
        shape, part = shapely.STRtree(shapely.points(xy)).query(shapes, predicate="intersects")
        owner = np.full(len(people), len(shapes))
        np.minimum.at(owner, part, shape)
        inside = owner < len(shapes)
        sums += np.bincount(owner[inside], people[inside], len(shapes))
    out = np.empty(len(shapes))
    out[order] = sums
    return Counted(pd.Series(out, index=communes.index, name="people"),
                   parts.total - float(sums.sum()), parts.total, parts.part_m)


def _positive(value: float, name: str) -> None:
    if not value > 0.0:
        raise InputError(f"{name} = {value:g}: it must be a positive number of metres.")


def _placed(points: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    return np.asarray(~(points.geometry.is_empty | points.geometry.isna()), dtype=bool)


def _spots(points: gpd.GeoDataFrame, there: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """Return the different places, and at which of them each placed point stands."""
    xy = shapely.get_coordinates(points.geometry[there].array)
    spots, which = np.unique(xy.reshape(-1, 2), axis=0, return_inverse=True)
    return spots, which.ravel()


class _Parts:
    """The parts of a raster's inhabited pixels, a bounded number at a time: (x, y) and people."""

    def __init__(self, population: Raster, crs: object, wanted_m: float) -> None:
        if population.values.ndim != 2:
            raise InputError(f"People stand on a grid; this one has the shape "
                             f"{population.values.shape}.")
        self._raster, self._crs = population, crs
        known = np.nan_to_num(population.values, nan=0.0)
        if (known < 0).any():
            raise InputError("The raster counts fewer than no people somewhere. State its nodata "
                             "value.")
        self._rows, self._columns = np.nonzero(known)
        self._people = known[self._rows, self._columns].astype(np.float64)
        self.total = float(self._people.sum())
        side = self._side()
        most = wanted_m if np.isfinite(wanted_m) else 250.0
        self._cuts = int(np.clip(np.ceil(side / most), 1, _FINEST)) if side else 1
        self.part_m = side / self._cuts

    def _side(self) -> float:
        """Return the side of a square as large as a pixel in the middle of the grid, metres."""
        row, column = (n / 2 for n in self._raster.values.shape)
        corner = self._raster.transform
        x, y = zip(*(corner @ p for p in ((column, row), (column + 1, row), (column, row + 1))),
                   strict=True)
        x, y = (tuple(v) for v in transform(x, y, self._raster.crs, self._crs))
        area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
        return float(np.sqrt(area))

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        cuts = self._cuts
        inner = (np.arange(cuts) + 0.5) / cuts
        down, right = (g.ravel() for g in np.meshgrid(inner, inner, indexing="ij"))
        step = max(1, _AT_ONCE // cuts ** 2)
        a, b, c, d, e, f = tuple(self._raster.transform)[:6]
        for first in range(0, len(self._people), step):
            part = slice(first, first + step)
            u = (self._columns[part, None] + right).ravel()
            v = (self._rows[part, None] + down).ravel()
            x, y = transform(a * u + b * v + c, d * u + e * v + f, self._raster.crs, self._crs)
            yield np.column_stack([x, y]), np.repeat(self._people[part] / cuts ** 2, cuts ** 2)
