"""How good the road to a place is: grades of OpenStreetMap, 1 (solid) to 5 (soft)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

__all__ = ["FOOTPATHS", "drivable", "grades", "nearest_road"]

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


def nearest_road(places: Array, roads: gpd.GeoDataFrame | None) -> tuple[Array, Array]:
    """Return distance and grade of the nearest road that a lorry can use, for each place.

    Parameters
    ----------
    places : (places, 2) float64
        Positions in the working CRS.
    roads : GeoDataFrame or None
        Lines in the working CRS.

    Returns
    -------
    distance_m, grade : (places,) float64
        NaN where there is no road, or nothing tells its grade.  Of several roads at one distance
        (a junction) the worst known grade counts.
    """
    distance, grade = np.full(len(places), np.nan), np.full(len(places), np.nan)
    if roads is None or not len(places):
        return distance, grade
    lines = drivable(roads)
    if not len(lines):
        return distance, grade
    (mine, theirs), far = lines.sindex.nearest(shapely.points(places), return_all=True,
                                               return_distance=True)
    distance[mine] = far
    np.fmax.at(grade, mine, grades(lines)[theirs])
    return distance, grade
