"""Microwave hops: in sight over the terrain, and short enough for the rain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.backhaul.places import near_pairs
from phusong.backhaul.settings import Feeder
from phusong.geo import DEGREES, transform
from phusong.radio.clearance import fresnel_clearance
from phusong.radio.medium import Medium
from phusong.terrain import Terrain

__all__ = ["clear_view", "microwave_hops", "relayed"]

_STEPS = 300
_CHUNK = 10_000
_TRIED = 12

Array = NDArray[np.float64]


def _medium(k: float) -> Medium:
    """Return air in which the earth's effective radius is `k` times its own."""
    return Medium(delta_n=157.0 * (1.0 - 1.0 / k))


USUAL, BENT = _medium(4.0 / 3.0), _medium(0.6)


def clear_view(xy: Array, mast_m: Array, pairs: NDArray[np.int64], frequency_mhz: Array,
               terrain: Terrain | None, medium: Medium) -> Array:
    """Return the clearance of each pair in Fresnel radii, NaN = terrain not known, (pairs,)."""
    out = np.full(len(pairs), np.nan)
    if terrain is None:
        return out
    distance = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    order = np.argsort(distance, kind="stable")
    for first in range(0, len(pairs), _CHUNK):
        part = order[first:first + _CHUNK]
        a, b = pairs[part].T
        step = max(terrain.resolution_m, float(distance[part].max()) / _STEPS)
        paths = terrain.profiles(xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], step)
        out[part], _ = fresnel_clearance(paths, frequency_mhz[part], mast_m[a], mast_m[b], medium)
    return out


def microwave_hops(nodes: pd.DataFrame, terrain: Terrain | None, feeder: Feeder,
                   crs: object) -> pd.DataFrame:
    """Return every microwave hop that could be built between near nodes.

    Without any terrain nobody knows what is in sight: hops are then listed by
    length and rain alone, with an empty clearance. A void on the way is no hop.

    Parameters
    ----------
    nodes : DataFrame
        As `phusong.backhaul.places.places` returns them.
    terrain : Terrain or None
        The relief.
    feeder : Feeder
        Bands, rain, clearance.
    crs : CRS
        Working CRS, in which nodes lie.

    Returns
    -------
    DataFrame
        a, b (numbers of the nodes), length_m, clearance, band_ghz, rain_db.
    """
    pairs = near_pairs(nodes, feeder.neighbours, feeder.max_hop_m)
    xy, mast = nodes[["x", "y"]].to_numpy(np.float64), nodes["mast_m"].to_numpy(np.float64)
    distance = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    middle = 0.5 * (xy[pairs[:, 0]] + xy[pairs[:, 1]])
    longitude, latitude = transform(middle[:, 0], middle[:, 1], crs, DEGREES)
    band, rain = feeder.band_for(distance, feeder.rain_at(longitude, latitude)
                                 if len(pairs) else np.zeros(0))
    good = np.isfinite(band) & (distance > 0.0)
    pairs, distance, band, rain = pairs[good], distance[good], band[good], rain[good]
    clearance = clear_view(xy, mast, pairs, 1000.0 * band, terrain, USUAL)
    if terrain is not None:
        clear = clearance >= feeder.clearance
        bent = clear_view(xy, mast, pairs[clear], 1000.0 * band[clear], terrain, BENT)
        good = np.flatnonzero(clear)[bent >= feeder.clearance_bent]
        pairs, distance, band, rain = pairs[good], distance[good], band[good], rain[good]
        clearance = clearance[good]
    return pd.DataFrame({"a": pairs[:, 0], "b": pairs[:, 1], "length_m": distance,
                         "clearance": clearance, "band_ghz": band, "rain_db": rain})


def relayed(light: pd.DataFrame, masts: pd.DataFrame, terrain: Terrain | None,
            reach_m: float) -> pd.DataFrame:
    """Return the standing mast that each light site relays: the nearest one in sight.

    Parameters
    ----------
    light : DataFrame
        One row for each light site: x, y, antenna_height_m, frequency_mhz.
    masts : DataFrame
        Standing masts: x, y, mast_m.
    terrain : Terrain or None
        The relief; None = the nearest mast, clearance not known.
    reach_m : float
        Masts farther away are not tried.

    Returns
    -------
    DataFrame
        Indexed as `light`, rows without a mast left out: mast (row number in `masts`), length_m,
        clearance.
    """
    count = min(_TRIED, len(masts))
    out = pd.DataFrame({"mast": -1, "length_m": np.nan, "clearance": np.nan}, index=light.index)
    if not count or not len(light):
        return out.iloc[:0]
    here, there = light[["x", "y"]].to_numpy(np.float64), masts[["x", "y"]].to_numpy(np.float64)
    distance, mast = cKDTree(there).query(here, k=count, distance_upper_bound=reach_m)
    distance, mast = distance.reshape(-1, count), mast.reshape(-1, count)
    row, column = np.nonzero(np.isfinite(distance))
    pairs = np.column_stack([row, len(light) + mast[row, column]])
    heights = np.concatenate([light["antenna_height_m"], masts["mast_m"]]).astype(np.float64)
    clearance = clear_view(np.vstack([here, there]), heights, pairs,
                           light["frequency_mhz"].to_numpy(np.float64)[row], terrain, USUAL)
    good = np.flatnonzero((clearance >= 0.0) | (terrain is None))
    first = good[np.unique(row[good], return_index=True)[1]]
    out.iloc[row[first], :] = np.column_stack([
        mast[row[first], column[first]], distance[row[first], column[first]], clearance[first]])
    out = out.iloc[row[first]]
    return out.assign(mast=out["mast"].astype(np.int64))
