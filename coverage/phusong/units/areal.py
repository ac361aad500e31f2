"""Polygons of two days laid over each other: crosswalks by area, and what a layer lacks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.errors import InputError
from phusong.geo import is_metric
from phusong.units.crosswalk import Crosswalk

__all__ = ["Overlay", "holes", "overlaps", "overlay"]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Two layers laid over each other.

    Parameters
    ----------
    walk : Crosswalk
        From the old units to the new ones; shares by area, adding up to 1 for every old unit.
    uncovered : Series
        Share of each old unit's area that no new unit covers (gaps of the new layer); its people
        are divided over the parts that are covered.
    doubled : Series
        Share of each old unit's area that new units cover more than once (overlaps).
    """

    walk: Crosswalk
    uncovered: pd.Series
    doubled: pd.Series


def overlay(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, before: dt.date, after: dt.date,
            sliver: float = 0.005) -> Overlay:
    """Make a crosswalk from the outlines of two days, weighted by area.

    Parameters
    ----------
    old, new : GeoDataFrame
        Polygons indexed by code, in one CRS that counts in metres.
    before, after : date
        Days of the two layers.
    sliver : float
        Parts smaller than this share of both the old and the new unit are inaccuracies of drawing
        and are left out.

    Raises
    ------
    InputError
        If the layers are not in one metric CRS, or an old unit meets no new one.
    """
    if old.crs is None or old.crs != new.crs or not is_metric(old.crs):
        raise InputError("Both layers must be in the same CRS, and it must count in metres.")
    ours = np.asarray(old.geometry.array, dtype=object)
    theirs = np.asarray(new.geometry.array, dtype=object)
    which, other = shapely.STRtree(theirs).query(ours, predicate="intersects")
    area = shapely.area(shapely.intersection(ours[which], theirs[other]))
    whole, target = shapely.area(ours), shapely.area(theirs)
    real = (area > 0) & ((area >= sliver * whole[which]) | (area >= sliver * target[other]))
    covered = np.bincount(which, area, len(ours))
    lacking = sorted(set(range(len(ours))) - set(which[real].tolist()))
    if lacking:
        raise InputError(f"{len(lacking)} old units meet no new one, first: "
                         f"{old.index[lacking[0]]}. Is the new layer complete, and of this place?")
    pairs = pd.DataFrame({"old_code": old.index.to_numpy(object)[which[real]],
                          "new_code": new.index.to_numpy(object)[other[real]],
                          "people": area[real]})
    union = np.array([_union_area(ours[i], theirs[other[which == i]]) for i in range(len(ours))])
    return Overlay(Crosswalk.of(pairs, before=before, after=after, basis="area"),
                   pd.Series(np.clip(1 - union / whole, 0, 1), index=old.index),
                   pd.Series(np.clip((covered - union) / whole, 0, None), index=old.index))


def _union_area(shape: shapely.Geometry, over: np.ndarray) -> float:
    return float(shapely.area(shapely.intersection(shape, shapely.union_all(over))))


def overlaps(layer: gpd.GeoDataFrame, *, least_m2: float = 10_000.0) -> pd.DataFrame:
    """List the pairs of units whose outlines overlap.

    Parameters
    ----------
    layer : GeoDataFrame
        Polygons indexed by code, in a CRS that counts in metres.
    least_m2 : float
        Smaller overlaps are inaccuracies of drawing.

    Returns
    -------
    DataFrame
        ``one``, ``other`` (codes) and ``area_m2``, the largest first.
    """
    shapes = np.asarray(layer.geometry.array, dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    meet = ~shapely.touches(shapes[one], shapes[other])
    one, other = one[meet], other[meet]
    area = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    codes = layer.index.to_numpy(object)
    found = pd.DataFrame({"one": codes[one], "other": codes[other], "area_m2": area})
    return found[found["area_m2"] >= least_m2].sort_values(
        ["area_m2", "one", "other"], ascending=[False, True, True], ignore_index=True)


def holes(layer: gpd.GeoDataFrame, *, least_m2: float = 10_000.0) -> gpd.GeoSeries:
    """List the ground that a layer surrounds but gives to no unit.

    Parameters
    ----------
    layer : GeoDataFrame
        Polygons in a CRS that counts in metres.
    least_m2 : float
        Smaller holes are inaccuracies of drawing.

    Returns
    -------
    GeoSeries
        Polygons, the largest first.  Ground at the rim of the layer is no hole: where it ends
        is not known.
    """
    whole = shapely.union_all(np.asarray(layer.geometry.array, dtype=object))
    rings = [shapely.Polygon(ring) for part in shapely.get_parts(whole)
             if part.geom_type == "Polygon" for ring in part.interiors]
    kept = sorted((r for r in rings if r.area >= least_m2), key=lambda r: (-r.area, r.bounds))
    return gpd.GeoSeries(kept, crs=layer.crs)
