"""Which way antennas look: azimuths and tilts towards the gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.siting.sight import Gaps

__all__ = ["best_azimuth", "sector_tilts"]

_BEAM_DEG = 70.0
_FLOOR_DB = 25.0
_STEEPEST_DEG = 12.0

Array = NDArray[np.float64]


def _bearings(seen: pd.DataFrame, places: Array, gaps: Gaps) -> Array:
    shift = gaps.xy[seen["gap"]] - places[seen["place"]]
    return np.degrees(np.arctan2(shift[:, 0], shift[:, 1])) % 360.0


def _off(bearing: Array, azimuth: Array | float) -> Array:
    return np.abs((bearing - azimuth + 180.0) % 360.0 - 180.0)


def best_azimuth(seen: pd.DataFrame, places: Array, gaps: Gaps, sectors: int) -> Array:
    """Return the azimuth of the first sector that serves the seen gaps best, (places,) degrees.

    The other sectors stand evenly around. Azimuths are tried every 10 degrees
    with the horizontal pattern of 3GPP TR 36.814 (70 degrees, at most 25 dB
    down); of equal ones the smallest is taken, and 0 where nothing is seen.
    """
    bearing = _bearings(seen, places, gaps)
    turn = 360.0 / sectors
    scores = []
    tried = np.arange(0.0, turn, 10.0)
    for azimuth in tried:
        off = np.min([_off(bearing, float(azimuth) + k * turn) for k in range(sectors)], axis=0)
        gain = 10.0 ** (-np.minimum(12.0 * (off / _BEAM_DEG) ** 2, _FLOOR_DB) / 10.0)
        scores.append(np.bincount(seen["place"], seen["value"] * gain, minlength=len(places)))
    return tried[np.argmax(np.round(scores, 6), axis=0)] if len(places) else np.zeros(0)


def sector_tilts(seen: pd.DataFrame, places: Array, gaps: Gaps, azimuth: Array,
                 usual_deg: float) -> Array:
    """Return the down-tilt towards the gaps within 60 degrees of each azimuth, (places,).

    The mean of their dips, weighted by what is seen, between 0 and 12 degrees;
    `usual_deg` where nothing is seen that way.
    """
    ahead = _off(_bearings(seen, places, gaps), azimuth[seen["place"]]) <= 60.0
    weight = seen["value"].to_numpy(np.float64) * ahead
    dip = np.nan_to_num(seen["dip_deg"].to_numpy(np.float64))
    total = np.bincount(seen["place"], weight, minlength=len(places))
    mean = np.divide(np.bincount(seen["place"], weight * dip, minlength=len(places)), total,
                     out=np.full(len(places), usual_deg), where=total > 0.0)
    return np.clip(mean, 0.0, _STEEPEST_DEG).round(1)
