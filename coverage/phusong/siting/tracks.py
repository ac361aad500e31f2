"""How good the road to a place is: grades of OpenStreetMap, 1 (solid) to 5 (soft)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.terrain import SHORTEST_PATH_M, Terrain

__all__ = ["FOOTPATHS", "drivable", "grades", "nearest_line", "nearest_road"]

FOOTPATHS = frozenset(("path", "footway", "steps", "pedestrian", "cycleway", "bridleway",
                       "via_ferrata", "corridor", "platform", "elevator", "proposed",
                       "construction", "abandoned", "razed"))
"""Values of ``highway`` on which no lorry brings a mast."""

_TRACKTYPE = {f"grade{n}": float(n) for n in range(1, 6)}
_SMOOTHNESS = {"excellent": 1.0, "good": 1.0, "intermediate": 2.0, "bad": 3.0, "very_bad": 4.0,
               "horrible": 5.0, "very_horrible": 5.0, "impassable": 5.0}
_SURFACE = {"asphalt": 1.0, "paved": 1.0, "concrete": 1.0, "concrete:lanes": 1.0,
            "concrete:plates": 1.0, "paving_stones": 1.0, "sett": 1.0, "chipseal": 1.0,
            "bricks": 1.0, "compacted": 2.0, "fine_gravel": 2.0, "cobblestone": 2.0,
            "unhewn_cobblestone": 2.0, "gravel": 3.0, "pebblestone": 3.0, "unpaved": 3.0,
            "ground": 4.0, "dirt": 4.0, "earth": 4.0, "grass": 4.0, "clay": 5.0, "mud": 5.0,
            "sand": 5.0, "rock": 5.0}
_CLASS = {f"{name}{end}": 1.0 for name in ("motorway", "trunk", "primary", "secondary", "tertiary")
          for end in ("", "_link")} | {"residential": 1.0, "living_street": 1.0}

_SAID: Mapping[str, Mapping[str, float]] = MappingProxyType({
    "tracktype": _TRACKTYPE, "smoothness": _SMOOTHNESS, "surface": _SURFACE, "highway": _CLASS})
"""Tag -> its value -> grade; the first tag that says something counts."""

Array = NDArray[np.float64]


def drivable(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads that are no footpaths."""
    if "highway" not in roads.columns:
        return roads
    return roads[~roads["highway"].isin(FOOTPATHS)]


def grades(roads: pd.DataFrame) -> Array:
    """Return the grade of each road, 1 (solid) to 5 (soft); NaN where nothing tells it.

    ``tracktype`` is such a grade by itself (OpenStreetMap: grade1 solid, usually paved; grade2
    mostly solid; grade3 even; grade4 mostly soft; grade5 soft).  Where it is not given,
    ``smoothness``, then ``surface``, then the class of the road stand for it; these three
    readings are assumptions of this program.

    Parameters
    ----------
    roads : DataFrame
        Any of tracktype, smoothness, surface, highway.

    Examples
    --------
    >>> grades(pd.DataFrame({"highway": ["track", "track", "primary"],
    ...                      "tracktype": ["grade4", "", ""], "surface": ["", "", ""]})).tolist()
    [4.0, nan, 1.0]
    """
    out = np.full(len(roads), np.nan)
    for tag, known in _SAID.items():
        if tag in roads.columns:
            said = roads[tag].map(known).to_numpy(np.float64)
            out = np.where(np.isnan(out), said, out)
    return out


def nearest_road(places: Array, roads: gpd.GeoDataFrame | None,
                 terrain: Terrain | None = None) -> tuple[Array, Array]:
    """Return distance and grade of the nearest road that a lorry can use, for each place.

    Parameters
    ----------
    places : (places, 2) float64
        Positions in the working CRS.
    roads : GeoDataFrame or None
        Lines in the working CRS.
    terrain : Terrain, optional
        As for `nearest_line`.

    Returns
    -------
    distance_m, grade : (places,) float64
        NaN where there is no road, or nothing tells its grade.  Of several roads at one distance
        (a junction) the worst known grade counts.
    """
    lines = None if roads is None else drivable(roads)
    distance, grade = np.full(len(places), np.nan), np.full(len(places), np.nan)
    mine, theirs, far = nearest_line(places, lines, terrain)
    np.fmin.at(distance, mine, far)
    if lines is not None and len(mine):
        np.fmax.at(grade, mine, grades(lines)[theirs])
    return distance, grade


def nearest_line(places: Array, lines: gpd.GeoDataFrame | None, terrain: Terrain | None = None
                 ) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return for each place its nearest lines on the map, and how far they are along the ground.

    Parameters
    ----------
    places : (places, 2) float64
        Positions in the working CRS.
    lines : GeoDataFrame or None
        Lines in the working CRS.
    terrain : Terrain, optional
        The straight way to the line is laid over it; where heights are not known, and without
        terrain, the ground counts as flat.

    Returns
    -------
    mine, theirs : (pairs,) int64
        Place and line; several lines at one distance each make a pair.
    distance_m : (pairs,) float64
        Never less than the distance on the map.
    """
    if lines is None or not len(lines) or not len(places):
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0)
    points = shapely.points(places)
    (mine, theirs), far = lines.sindex.nearest(points, return_all=True, return_distance=True)
    if terrain is not None:
        way = shapely.get_coordinates(shapely.shortest_line(
            points[mine], np.asarray(lines.geometry.array, object)[theirs])).reshape(-1, 4)
        far = np.maximum(far, _over_ground(way, terrain))
    return mine, theirs, far


def _over_ground(way: Array, terrain: Terrain) -> Array:
    """Return how long straight ways on the map, rows of x0, y0, x1, y1, are on the ground."""
    x0, y0, x1, y1 = way.T
    paths = terrain.profiles(x0, y0, x1, y1, terrain.resolution_m)
    rise = np.nan_to_num(np.diff(paths.heights_m))
    length = np.hypot(np.diff(paths.along_m), rise)
    length[paths.offsets[1:-1] - 1] = 0.0    # from the end of one way to the begin of the next
    out = np.add.reduceat(length, paths.offsets[:-1])
    return np.where(np.hypot(x1 - x0, y1 - y0) < SHORTEST_PATH_M, 0.0, out)
