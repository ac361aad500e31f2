"""A rough guess of who hears whom, good enough to draw up lists of places without signal.

Free space and one knife edge (ITU-R P.526-15, 4.1).  The engine of the house is never used here:
a fictional study must not be made from the answers that it is there to test.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.sources.fiction.relief import Relief

__all__ = ["guess_dbm"]

_FREQUENCY_MHZ = 1800.0
_RADIUS_M = 8_500_000.0


@njit(cache=True, nogil=True)
def _levels(heights, pixel_y, pixel_x, py, px, sy, sx, mast_m, eirp, pairs, offsets, out):
    """Fill `out` with the best level of each point over its candidate sites, dBm."""
    wavelength = 299.792458 / 1800.0
    for k in range(py.shape[0]):
        for q in range(offsets[k], offsets[k + 1]):
            s = pairs[q]
            north, east = (sy[s] - py[k]) * pixel_y, (sx[s] - px[k]) * pixel_x
            distance = max(50.0, np.sqrt(north * north + east * east))
            low = heights[int(py[k]), int(px[k])] + 2.0
            high = heights[int(sy[s]), int(sx[s])] + mast_m[s]
            steps = max(2, int(distance / max(pixel_y, pixel_x)))
            worst = -9.0
            for i in range(1, steps):
                t = i / steps
                bulge = distance * distance * t * (1 - t) / (2 * 8_500_000.0)
                ground = heights[int(py[k] + t * (sy[s] - py[k])), int(px[k] + t * (sx[s] - px[k]))]
                over = ground + bulge - (low + t * (high - low))
                nu = over * np.sqrt(2.0 / (wavelength * distance * t * (1 - t)))
                worst = max(worst, nu)
            edge = 0.0
            if worst > -0.78:
                w = worst - 0.1
                edge = 6.9 + 20.0 * np.log10(np.sqrt(w * w + 1.0) + w)
            loss = 32.45 + 20.0 * np.log10(distance / 1000.0 * 1800.0) + 1.4 * edge
            out[k] = max(out[k], eirp[s] - 30.8 - loss)


def guess_dbm(relief: Relief, row: NDArray[np.float64], column: NDArray[np.float64],
              site_row: NDArray[np.float64], site_column: NDArray[np.float64],
              mast_m: NDArray[np.float64], eirp_dbm: NDArray[np.float64], *, nearest: int = 12
              ) -> NDArray[np.float64]:
    """Return a rough guess of the best reference-signal level at each point.

    Parameters
    ----------
    relief : Relief
        Terrain.
    row, column : (points,) array
        Fractional terrain pixels.
    site_row, site_column : (sites,) array
        The same for masts.
    mast_m, eirp_dbm : (sites,) array
        Antenna height above ground; EIRP of one port (20 MHz LTE).
    nearest : int
        How many of the nearest masts are tried.

    Returns
    -------
    (points,) float64 array
        dBm; -200 where no mast is within 25 km.
    """
    dy, dx = relief.pixel_m
    out = np.full(len(row), -200.0)
    if len(site_row) == 0:
        return out
    tree = cKDTree(np.c_[site_row * dy, site_column * dx])
    wanted = min(nearest, len(site_row))
    distance, number = tree.query(np.c_[row * dy, column * dx], k=wanted)
    distance, number = distance.reshape(len(row), wanted), number.reshape(len(row), wanted)
    near = distance < 25_000
    offsets = np.concatenate([[0], np.cumsum(near.sum(axis=1))]).astype(np.int64)
    _levels(relief.heights, dy, dx, row, column, site_row, site_column, mast_m, eirp_dbm,
            number[near].astype(np.int64), offsets, out)
    return out
