"""How much dearer building becomes far from roads, high up and on slopes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["access_multiplier"]

_BINS = {"road_distance_m": (5_000.0, 10_000.0, 25_000.0, 50_000.0),
         "ground_m": (500.0, 1000.0, 2000.0, 3000.0),
         "slope_deg": (10.0, 20.0, 30.0, 40.0)}
_SHARE = {"road_distance_m": 0.15, "ground_m": 0.15, "slope_deg": 0.30}


def access_multiplier(sites: pd.DataFrame) -> NDArray[np.float64]:
    """Return the factor by which difficult access raises the cost of building, (sites,).

    ``1 + (exp(0.85 (c - 1)) - 1) / 100`` with c from 1 (easy) to 5 (hard): the
    mean class of road distance (weight 0.15), height (0.15) and slope (0.30),
    each in five bins.  Bins, weights and form are those of OnSSET
    (onsset/onsset.py, penalty of the grid); its other two parts, substation and
    land cover, are left out and the rest is scaled up.  OnSSET scores easy
    ground 5, by which its penalty falls on easy ground; here hard ground scores 5.

    Parameters
    ----------
    sites : DataFrame
        Read are road_distance_m, ground_m and slope_deg; an unknown one is left
        out of the mean, and where all are unknown the factor is 1.

    Examples
    --------
    >>> flat = pd.DataFrame({"road_distance_m": [0.0], "ground_m": [10.0], "slope_deg": [1.0]})
    >>> float(access_multiplier(flat)[0])
    1.0
    """
    total, share = np.zeros(len(sites)), np.zeros(len(sites))
    for name, bins in _BINS.items():
        if name not in sites.columns:
            continue
        values = sites[name].to_numpy(np.float64)
        known = np.isfinite(values)
        score = 1.0 + np.searchsorted(np.array(bins), np.where(known, values, 0.0), side="left")
        total += np.where(known, score * _SHARE[name], 0.0)
        share += np.where(known, _SHARE[name], 0.0)
    score = np.divide(total, share, out=np.ones(len(sites)), where=share > 0.0)
    return 1.0 + (np.exp(0.85 * (score - 1.0)) - 1.0) / 100.0
