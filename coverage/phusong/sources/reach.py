"""How far the terrain of a study reaches: points and cells outside it, or on a void."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from phusong.errors import Fault
from phusong.geo import to_degrees
from phusong.terrain import Terrain

__all__ = ["reach"]


def reach(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
          wanted: bool) -> list[Fault]:
    """Say how many points and cells the terrain does not reach, and where they lie.

    Parameters
    ----------
    points, sites : GeoDataFrame
        POINTS and SITES in the working CRS.
    terrain : Terrain or None
        None where the study names none, or it could not be read.
    wanted : bool
        Whether the study names terrain.
    """
    if terrain is None:
        if wanted:
            return []
        return [Fault("no_terrain", "The study names no terrain: models that need it know nothing.",
                      "Name a height raster under sources: terrain:.", "warning")]
    faults = []
    left, bottom, right, top = terrain.bounds
    for what, frame in (("points", points), ("cells", sites)):
        geometry = frame.geometry
        placed = frame[~(geometry.is_empty | geometry.isna())]
        if not len(placed):
            continue
        x, y = placed.geometry.x.to_numpy(), placed.geometry.y.to_numpy()
        out = (x < left) | (x > right) | (y < bottom) | (y > top)
        void = ~out & np.isnan(terrain.sample(x, y))
        if out.any():
            middle = to_degrees(placed[out]).geometry
            place = f"round latitude {middle.y.median():.3f}, longitude {middle.x.median():.3f}"
            whole = bool(out.all()) and what == "points"
            faults.append(Fault(
                "terrain_out_of_reach", f"The terrain ({terrain.source}) does not reach "
                f"{out.sum()} of {len(placed)} {what}, {place}, first: {placed.index[out][0]!r}.",
                "Name terrain that does" + ("." if whole else "; until then links there stay "
                                            "unknown."),
                "error" if whole else "warning", count=int(out.sum())))
        if void.any():
            faults.append(Fault("no_elevation", f"{void.sum()} of {len(placed)} {what} stand on a "
                                f"void of the terrain, first: {placed.index[void][0]!r}.",
                                "Fill the voids from another elevation model.", "warning",
                                count=int(void.sum())))
    return faults
