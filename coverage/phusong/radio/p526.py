"""Free space plus delta-Bullington diffraction (ITU-R P.525-4 and P.526-15)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.compiled import compiled
from phusong.radio.diffraction import bullington_loss, delta_bullington
from phusong.radio.free_space import SPEED_OF_LIGHT_M_PER_S, free_space
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.profile import (
    extreme_slopes,
    largest_nu,
    obstructions,
    sea_share,
    smooth_surface,
    smooth_surface_for_diffraction,
    unpack,
)

__all__ = ["DIFFRACTION_COLUMNS", "diffraction", "p526", "packed"]

DIFFRACTION_COLUMNS = ("loss_db", "actual_db", "smooth_db", "spherical_db",
                       "hts_smooth_m", "hrs_smooth_m", "line_of_sight")
"""Columns of the result of `diffraction`."""


def packed(paths: Paths) -> tuple[NDArray[np.float64], NDArray[np.float64],
                                  NDArray[np.float64], NDArray[np.int8], NDArray[np.int64]]:
    """Return the arrays of `paths` as kernels want them: typed, contiguous, never None.

    Absent clutter and zones become empty arrays.  Arrays that already fit are
    not copied.
    """
    wanted: tuple[Literal["C"], Literal["W"]] = ("C", "W")
    clutter = np.empty(0) if paths.clutter_m is None else paths.clutter_m
    zones = np.empty(0, np.int8) if paths.zones is None else paths.zones
    return (np.require(paths.along_m, np.float64, wanted),
            np.require(paths.heights_m, np.float64, wanted),
            np.require(clutter, np.float64, wanted),
            np.require(zones, np.int8, wanted),
            np.require(paths.offsets, np.int64, wanted))


@compiled
def _diffraction_kernel(along_m, heights_m, clutter_m, zones, offsets, f_ghz, htg, hrg, radius_km,
                        speed_of_light, vertical, out):
    """Fill `out` (paths, 7) with the columns named in `DIFFRACTION_COLUMNS`."""
    longest = 0
    for k in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    d_all = np.empty(longest)
    g_all = np.empty(longest)
    for k in range(offsets.shape[0] - 1):
        a, b = offsets[k], offsets[k + 1]
        d, g, h = d_all[:b - a], g_all[:b - a], heights_m[a:b]
        known = unpack(along_m, heights_m, clutter_m, a, b, d, g)
        if not known or not (htg[k] > 0.0 and hrg[k] > 0.0 and f_ghz[k] > 0.0 and d[-1] > 0.0):
            out[k, :] = np.nan
            continue
        wavelength = 1e-9 * speed_of_light / f_ghz[k]
        curve = 500.0 / radius_km[k]
        hts, hrs = h[0] + htg[k], h[-1] + hrg[k]
        slope_tx, slope_rx = extreme_slopes(d, g, hts, hrs, curve)
        sight = slope_tx < (hrs - hts) / d[-1]
        nu = largest_nu(d, g, hts, hrs, curve, wavelength)[0] if sight else 0.0
        actual = bullington_loss(slope_tx, slope_rx, nu, hts, hrs, d[-1], wavelength)
        hst, hsr = smooth_surface(d, h)
        _, _, _, _, height, up_tx, up_rx = obstructions(d, h, hts, hrs, curve)
        hstd, hsrd = smooth_surface_for_diffraction(hst, hsr, h[0], h[-1], height, up_tx, up_rx)
        sea = sea_share(d, zones[a:b])
        loss, smooth, sphere = delta_bullington(actual, d, hts - hstd, hrs - hsrd, radius_km[k],
                                                f_ghz[k], wavelength, sea, vertical)
        out[k, 0] = loss
        out[k, 1] = actual
        out[k, 2] = smooth
        out[k, 3] = sphere
        out[k, 4] = hts - hstd
        out[k, 5] = hrs - hsrd
        out[k, 6] = 1.0 if sight else 0.0


def diffraction(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number, *,
                effective_radius_km: Number, vertical: bool = True,
                speed_of_light_m_per_s: float = SPEED_OF_LIGHT_M_PER_S) -> NDArray[np.float64]:
    """Return the delta-Bullington diffraction loss and its parts (P.526-15 4.5.2).

    Parameters
    ----------
    paths : Paths
        Terrain profiles; clutter, if any, is added between the ends.
    frequency_mhz, tx_height_m, rx_height_m : Number
        Frequency in MHz, antenna heights above ground in metres.
    effective_radius_km : Number
        Effective Earth radius.
    vertical : bool
        Polarisation: vertical or horizontal.
    speed_of_light_m_per_s : float
        Some editions round it; the choice moves a loss by thousandths of a dB.

    Returns
    -------
    (paths, 7) float64
        The columns named in `DIFFRACTION_COLUMNS`; loss in dB beyond free
        space, positive; NaN where a height is unknown.
    """
    n = len(paths)
    out = np.empty((n, len(DIFFRACTION_COLUMNS)))
    _diffraction_kernel(*packed(paths), 1e-3 * spread(frequency_mhz, n), spread(tx_height_m, n),
                        spread(rx_height_m, n), spread(effective_radius_km, n),
                        float(speed_of_light_m_per_s), vertical, out)
    return out


def p526(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
         medium: Medium) -> NDArray[np.float64]:
    """Return free-space loss plus delta-Bullington diffraction loss, (paths,) dB.

    Parameters
    ----------
    paths : Paths
        Terrain profiles; `SEA` samples count as sea in the spherical-Earth
        part.  NaN anywhere in a profile gives NaN.
    frequency_mhz, tx_height_m, rx_height_m : Number
        Frequency in MHz, antenna heights above ground in metres.
    medium : Medium
        `delta_n` (effective Earth radius) and `polarisation` are used.

    Notes
    -----
    Fast and easy to explain: no ducting, no troposcatter, hence pessimistic
    behind high ridges.  Two-way: the loss is the same from either end.
    """
    turns = {"vertical": (True,), "horizontal": (False,), "slant": (True, False)}
    losses = [diffraction(paths, frequency_mhz, tx_height_m, rx_height_m,
                          effective_radius_km=medium.effective_radius_km, vertical=turn)[:, 0]
              for turn in turns[medium.polarisation]]
    basic = free_space(paths, frequency_mhz, tx_height_m, rx_height_m, medium)
    return basic + sum(losses) / len(losses)
