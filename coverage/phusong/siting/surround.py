"""What a place is like: ground, slope, road, power and network, and what forbids it."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.siting.settings import Siting
from phusong.siting.tracks import nearest_line, nearest_road
from phusong.surroundings import Surroundings
from phusong.terrain import Terrain

__all__ = ["allowed", "describe", "line_distance", "open_sky"]

_SKY_M = 3000.0
_DISH_M = 4.0

Array = NDArray[np.float64]


def line_distance(places: Array, lines: gpd.GeoDataFrame | None,
                  terrain: Terrain | None = None) -> Array:
    """Return the distance along the ground to the nearest line, metres; NaN if there are none."""
    out = np.full(len(places), np.nan)
    mine, _, far = nearest_line(places, lines, terrain)
    np.fmin.at(out, mine, far)
    return out


def _inside(places: Array, areas: gpd.GeoDataFrame | None) -> NDArray[np.bool_]:
    out = np.zeros(len(places), bool)
    if areas is not None and len(areas) and len(places):
        out[areas.sindex.query(shapely.points(places), predicate="intersects")[0]] = True
    return out


def describe(places: Array, terrain: Terrain | None, around: Surroundings) -> pd.DataFrame:
    """Return what is known of each place: ground, slope, distances, road; NaN = not known.

    Parameters
    ----------
    places : (places, 2) float64
        Positions in the working CRS.
    terrain : Terrain or None
        The relief.
    around : Surroundings
        Roads and power lines are read.
    """
    unknown = np.full(len(places), np.nan)
    x, y = places[:, 0], places[:, 1]
    road_m, grade = nearest_road(places, around.roads, terrain)
    return pd.DataFrame({
        "x": x, "y": y,
        "ground_m": unknown if terrain is None else terrain.sample(x, y),
        "slope_deg": unknown if terrain is None else terrain.slope_deg(x, y),
        "road_distance_m": road_m, "road_grade": grade,
        "power_distance_m": line_distance(places, around.power_lines, terrain)})


def allowed(places: pd.DataFrame, around: Surroundings, siting: Siting, terrain: Terrain | None,
            left_out: Counter[str]) -> NDArray[np.bool_]:
    """Tell where something may be built; what is left out is counted by its first reason.

    Too steep; too far from any road; ground not known although there is a
    terrain; water; protected; outside every commune. What is not known forbids
    nothing.
    """
    xy = places[["x", "y"]].to_numpy(np.float64)
    communes = around.communes
    outside = (~_inside(xy, communes) if communes is not None and len(communes)
               else np.zeros(len(xy), bool))
    reasons = {
        "outside_communes": outside,
        "no_elevation": places["ground_m"].isna().to_numpy() & (terrain is not None),
        "water": _inside(xy, around.water),
        "protected": _inside(xy, around.protected),
        "too_steep": (places["slope_deg"] > siting.max_slope_deg).to_numpy(),
        "far_from_road": (places["road_distance_m"] > siting.max_road_distance_m).to_numpy(),
    }
    good = np.ones(len(xy), bool)
    for reason, wrong in reasons.items():
        left_out[reason] += int((good & wrong).sum())
        good &= ~wrong
    return good


def open_sky(places: Array, terrain: Terrain | None, siting: Siting) -> NDArray[np.object_]:
    """Return ``open``, ``blocked`` or ``unknown`` for the sky over each place.

    Open: in at least `siting.sky_share` of 72 directions the terrain is known
    to stay below `siting.sky_elevation_deg`, seen from 4 m above ground, out to
    3 km (ground farther away would have to rise 1,400 m to reach 25 degrees).
    Blocked: it cannot reach that share even if all that is unknown were
    open. Trees and houses are not looked at.
    """
    if terrain is None or not len(places):
        return np.full(len(places), "unknown", object)
    horizon = terrain.horizon_deg(places[:, 0], places[:, 1], _DISH_M, max_m=_SKY_M)
    clear = (horizon < siting.sky_elevation_deg).mean(axis=1)
    perhaps = clear + np.isnan(horizon).mean(axis=1)
    return np.where(clear >= siting.sky_share, "open",
                    np.where(perhaps < siting.sky_share, "blocked", "unknown")).astype(object)
