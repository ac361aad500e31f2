"""People of the population raster at the points of a study: each counted once, at the nearest."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
from affine import Affine

from phusong.errors import Fault
from phusong.people import people_nearest
from phusong.sources.raster_files import degrees_box
from phusong.surroundings import Raster

__all__ = ["REACH_M", "inhabited"]

REACH_M = 10_000.0
"""People farther than that from every place are counted at none."""


def inhabited(points: gpd.GeoDataFrame,
              population: Raster | None) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Add the people round each point: those to whom no other point of the study is nearer.

    All kinds of places share the people, so that figures of points add up and nobody counts
    twice; a school beside its village halves them with it.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS in the working CRS; left as it is.
    population : Raster or None
        People per pixel.

    Returns
    -------
    points : GeoDataFrame
        With a column ``people``, if there is a raster; a point without a position has none known.
    faults : list of Fault
        How people were counted, and how many belong to no point.
    """
    there = np.asarray(~(points.geometry.is_empty | points.geometry.isna()), dtype=bool)
    if population is None or not there.any():
        return points, []
    near = _near(population, points[there])
    counted = people_nearest(points, near, reach_m=REACH_M)
    people = counted.people.where(there)
    return points.assign(people=people), [Fault(
        "people_counted", f"{people.sum():,.0f} people of the population raster "
        f"({population.source or 'no source'}) are counted at the {int(there.sum()):,} points, "
        f"each once, at the nearest within {REACH_M / 1000:g} km; {counted.beyond:,.0f} round "
        f"them are farther from every point. Such a raster is an estimate.", "", "assumption",
        column="people")]


def _near(population: Raster, points: gpd.GeoDataFrame) -> Raster:
    """Return the part of a raster that holds all within reach of the points."""
    west, south, east, north = points.total_bounds
    box = (west - REACH_M, south - REACH_M, east + REACH_M, north + REACH_M)
    left, bottom, right, top = degrees_box(degrees_box(box, points.crs), population.crs, back=True)
    column, row = np.array([~population.transform @ (x, y) for x in (left, right)
                            for y in (bottom, top)]).T
    rows, columns = population.values.shape
    i0, i1 = np.clip([np.floor(row.min()) - 1, np.ceil(row.max()) + 1], 0, rows).astype(int)
    j0, j1 = np.clip([np.floor(column.min()) - 1, np.ceil(column.max()) + 1], 0,
                     columns).astype(int)
    if i1 <= i0 or j1 <= j0:
        return replace(population, values=np.full((1, 1), np.nan))
    return replace(population, values=population.values[i0:i1, j0:j1],
                   transform=population.transform @ Affine.translation(j0, i0))
