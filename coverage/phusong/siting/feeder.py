"""How a new site would reach the network: the nearest standing mast, and whether it is in sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.radio.clearance import fresnel_clearance
from phusong.radio.medium import Medium
from phusong.terrain import Terrain

__all__ = ["feeder"]

_TRIED = 12
_STEPS = 200

Array = NDArray[np.float64]


def feeder(places: Array, height_m: float, masts: Array, mast_m: Array, terrain: Terrain | None, *,
           frequency_mhz: float, clearance: float) -> tuple[Array, NDArray[np.object_]]:
    """Return the distance to the nearest standing mast, one in sight where there is one.

    Of the twelve nearest masts the nearest with a clear line is taken; if none
    is clear, the nearest of all, which then takes one relay more.

    Parameters
    ----------
    places : (places, 2) float64
        New sites, working CRS.
    height_m : float
        Antenna of the new site above ground.
    masts, mast_m : (masts, 2) and (masts,) float64
        Standing masts and how high up an antenna may hang there.
    terrain : Terrain or None
        The relief; None = nobody knows what is in sight.
    frequency_mhz : float
        Of the feeder.
    clearance : float
        Needed clearance in radii of the first Fresnel zone, over the earth of
        effective radius: 0.6 for microwave (ITU-R P.530-18, 2.2.2.1, k = 4/3).

    Returns
    -------
    distance_m : (places,) float64
        NaN if no mast stands.
    sight : (places,) object
        ``clear``, ``blocked`` or ``unknown``.
    """
    count = min(_TRIED, len(masts))
    if not count or not len(places):
        return np.full(len(places), np.nan), np.full(len(places), "unknown", object)
    distance, mast = cKDTree(masts).query(places, k=count)
    distance, mast = distance.reshape(-1, count), mast.reshape(-1, count)
    if terrain is None:
        return distance[:, 0], np.full(len(places), "unknown", object)
    margin = np.full(distance.shape, np.nan)
    for k in range(count):
        there = masts[mast[:, k]]
        step = max(terrain.resolution_m, float(distance[:, k].max()) / _STEPS)
        paths = terrain.profiles(places[:, 0], places[:, 1], there[:, 0], there[:, 1], step)
        margin[:, k], _ = fresnel_clearance(paths, frequency_mhz, height_m, mast_m[mast[:, k]],
                                            Medium())
    clear = margin >= clearance
    first = np.where(clear.any(axis=1), clear.argmax(axis=1), 0)
    sight = np.where(clear.any(axis=1), "clear",
                     np.where(np.isnan(margin).all(axis=1), "unknown", "blocked"))
    return distance[np.arange(len(places)), first], sight.astype(object)
