"""How much dearer building becomes far from roads, high up and on slopes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["access_multiplier", "track_multiplier"]

_BINS = {"road_distance_m": (5_000.0, 10_000.0, 25_000.0, 50_000.0),
         "ground_m": (500.0, 1000.0, 2000.0, 3000.0),
         "slope_deg": (10.0, 20.0, 30.0, 40.0)}
_ROAD_SHARE = 0.15
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
    return _penalty(_score(sites))


def track_multiplier(sites: pd.DataFrame) -> NDArray[np.float64]:
    """Return the factor that the quality of the road adds to `access_multiplier`, (sites,).

    The mean class rises by 0.25 for each grade of the nearest road beyond the first (1 solid to
    5 soft): grade 5 by one class.  0.25 is the weight of the road's distance, 0.15, to that of all
    three parts, 0.60.  That the quality of the road counts like its distance is an assumption of
    this program; OnSSET has no such part.

    Parameters
    ----------
    sites : DataFrame
        As for `access_multiplier`, and ``road_grade``; an unknown grade adds nothing.

    Examples
    --------
    >>> track = pd.DataFrame({"road_distance_m": [0.0, 0.0], "road_grade": [1.0, 5.0]})
    >>> track_multiplier(track).round(4).tolist()
    [1.0, 1.0134]
    """
    if "road_grade" not in sites.columns:
        return np.ones(len(sites))
    grade = sites["road_grade"].to_numpy(np.float64)
    worse = np.where(np.isfinite(grade), np.clip(grade, 1.0, 5.0) - 1.0, 0.0)
    score = _score(sites)
    return _penalty(score + _ROAD_SHARE / sum(_SHARE.values()) * worse) / _penalty(score)


def _score(sites: pd.DataFrame) -> NDArray[np.float64]:
    """Return the mean class of a site, 1 (easy) to 5 (hard); 1 where nothing is known."""
    total, share = np.zeros(len(sites)), np.zeros(len(sites))
    for name, bins in _BINS.items():
        if name not in sites.columns:
            continue
        values = sites[name].to_numpy(np.float64)
        known = np.isfinite(values)
        score = 1.0 + np.searchsorted(np.array(bins), np.where(known, values, 0.0), side="left")
        total += np.where(known, score * _SHARE[name], 0.0)
        share += np.where(known, _SHARE[name], 0.0)
    return np.divide(total, share, out=np.ones(len(sites)), where=share > 0.0)


def _penalty(score: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 + (np.exp(0.85 * (score - 1.0)) - 1.0) / 100.0
