"""How clear the line of sight is, in radii of the first Fresnel zone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.compiled import compiled
from phusong.radio.free_space import SPEED_OF_LIGHT_M_PER_S
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.p526 import packed
from phusong.radio.profile import largest_nu, unpack

__all__ = ["fresnel_clearance"]


@compiled
def _clearance_kernel(along_m, heights_m, clutter_m, offsets, wavelength_m, htg, hrg, radius_km,
                      out):
    """Fill `out` (paths, 2): least clearance, and where it is (m from the transmitter)."""
    longest = 0
    for k in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    d_all = np.empty(longest)
    g_all = np.empty(longest)
    for k in range(offsets.shape[0] - 1):
        a, b = offsets[k], offsets[k + 1]
        d, g = d_all[:b - a], g_all[:b - a]
        if not unpack(along_m, heights_m, clutter_m, a, b, d, g) or not d[-1] > 0.0:
            out[k, :] = np.nan
            continue
        nu, index = largest_nu(d, g, g[0] + htg[k], g[-1] + hrg[k], 500.0 / radius_km[k],
                               wavelength_m[k])
        out[k, 0] = -nu / math.sqrt(2.0)
        out[k, 1] = along_m[a + index]


def fresnel_clearance(paths: Paths, frequency_mhz: Number, tx_height_m: Number,
                      rx_height_m: Number,
                      medium: Medium) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least clearance of each path and the distance at which it is found.

    Clearance is counted in radii of the first Fresnel zone, over the Earth of
    effective radius (`medium.delta_n`), clutter included between the ends:
    1 = the zone is free, 0 = the ray grazes, negative = the ray is blocked.
    It equals ``-nu / sqrt(2)`` (P.526-15 section 4.1).

    Parameters
    ----------
    paths : Paths
        Terrain profiles; an unknown height anywhere gives NaN.
    frequency_mhz, tx_height_m, rx_height_m : Number
        Frequency in MHz, antenna heights above ground in metres.
    medium : Medium
        `delta_n` is used.

    Returns
    -------
    clearance : (paths,) float64
        In Fresnel radii; +inf where there is no sample between the ends.
    at_m : (paths,) float64
        Distance from the transmitter, m.
    """
    n = len(paths)
    along, heights, clutter, _, offsets = packed(paths)
    out = np.empty((n, 2))
    _clearance_kernel(along, heights, clutter, offsets,
                      1e-6 * SPEED_OF_LIGHT_M_PER_S / spread(frequency_mhz, n),
                      spread(tx_height_m, n), spread(rx_height_m, n),
                      spread(medium.effective_radius_km, n), out)
    return out[:, 0], out[:, 1]
