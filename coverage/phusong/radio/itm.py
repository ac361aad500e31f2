"""Longley-Rice point to point: the Irregular Terrain Model as NTIA's version 1.4 behaves."""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.compiled import compiled
from phusong.radio.itm_loss import reference_attenuation
from phusong.radio.itm_terrain import MOST_SAMPLES, describe_terrain
from phusong.radio.itm_variability import attenuation_not_exceeded
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.p526 import packed

__all__ = ["ITM_INTERMEDIATES", "itm", "itm_intermediates"]

ITM_INTERMEDIATES = ("theta_hzn_tx_rad", "theta_hzn_rx_rad", "d_hzn_tx_m", "d_hzn_rx_m",
                     "h_e_tx_m", "h_e_rx_m", "delta_h_m", "n_s", "a_ref_db", "a_fs_db", "mode")
"""Names of what `itm_intermediates` returns: horizons, effective heights,
roughness, surface refractivity, reference attenuation, free-space loss, and
the way of arrival (1 sight, 2 diffraction, 3 scatter)."""


@compiled
def _even_heights(along_m, heights_m, a, b, z):
    """Fill `z` with equally spaced heights; interpolate if the samples are not so."""
    n = b - a - 1
    step = along_m[b - 1] / n
    total = 0.0
    for i in range(n + 1):
        total += heights_m[a + i]
    even = True
    for i in range(n + 1):
        z[i] = heights_m[a + i]
        even &= abs(along_m[a + i] - i * step) <= 1e-6 * step
    if not even:
        k = a
        for i in range(1, n):
            while k + 1 < b - 1 and along_m[k + 1] <= i * step:
                k += 1
            share = (i * step - along_m[k]) / (along_m[k + 1] - along_m[k])
            z[i] = heights_m[k] + share * (heights_m[k + 1] - heights_m[k])
    return math.isfinite(total), step


@compiled
def _surface_refractivity(z, n0):
    """Return N_s from the mean height of the middle eight tenths of the path."""
    n = z.shape[0] - 1
    tenth = int(0.1 * n)
    height = 0.0
    for i in range(tenth, n - tenth + 1):
        height += z[i]
    height /= n - 2 * tenth + 1
    return n0 * math.exp(-height / 9460.0)


@compiled
def _in_range(f, h_tx, h_rx, n0, d):
    return (20.0 <= f <= 20_000.0 and 0.5 <= h_tx <= 3000.0 and 0.5 <= h_rx <= 3000.0
            and 250.0 <= n0 <= 400.0 and 0.0 < d <= 2e6)


@compiled
def _itm_kernel(along_m, heights_m, offsets, terms, climate, mode, permittivity, conductivity,
                vertical, loss, detail):
    """Fill `loss` (paths,) and `detail` (paths, 11).

    `terms`: frequency (MHz), two antenna heights, N_0, time, location and
    situation percentages.
    """
    longest = 0
    for k in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    z_all = np.empty(longest)
    room = np.empty(MOST_SAMPLES)
    for k in range(offsets.shape[0] - 1):
        a, b = offsets[k], offsets[k + 1]
        z, t = z_all[:b - a], detail[k, :7]
        f, h_tx, h_rx, n0 = terms[k, 0], terms[k, 1], terms[k, 2], terms[k, 3]
        d = along_m[b - 1]
        loss[k] = np.nan
        known, step = _even_heights(along_m, heights_m, a, b, z)
        if not known or not _in_range(f, h_tx, h_rx, n0, d):
            detail[k, :] = np.nan
            continue
        ns = _surface_refractivity(z, n0)
        radius = 1.0 / (157e-9 * (1.0 - 0.04665 * math.exp(ns / 179.3)))
        ground = complex(permittivity, 18000.0 * conductivity / f)
        impedance = cmath.sqrt(ground - 1.0)
        if vertical:
            impedance = impedance / ground
        if (ns < 150.0 or ns > 400.0 or not 4000e3 <= radius <= 13333e3
                or impedance.real <= abs(impedance.imag)):
            detail[k, :] = np.nan
            continue
        describe_terrain(z, step, h_tx, h_rx, radius, room, t)
        reference, way = reference_attenuation(d, f, t, h_tx, h_rx, radius, ns, impedance)
        free = 32.45 + 20.0 * math.log10(f) + 20.0 * math.log10(d / 1000.0)
        loss[k] = free + attenuation_not_exceeded(reference, terms[k, 4], terms[k, 5], terms[k, 6],
                                                  climate, mode, f, d, t[4], t[5], t[6])
        detail[k, 7] = ns
        detail[k, 8] = reference
        detail[k, 9] = free
        detail[k, 10] = way


def _run(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
         medium: Medium, vertical: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = len(paths)
    along, heights, _, _, offsets = packed(paths)
    columns = (frequency_mhz, tx_height_m, rx_height_m, medium.n0, medium.time_percent,
               medium.location_percent, medium.situation_percent)
    terms = np.stack([spread(column, n) for column in columns], axis=1)
    loss, detail = np.empty(n), np.empty((n, len(ITM_INTERMEDIATES)))
    _itm_kernel(along, heights, offsets, terms, int(medium.climate), int(medium.variability_mode),
                float(medium.permittivity), float(medium.conductivity_s_per_m), vertical, loss,
                detail)
    return loss, detail


_TURNS: dict[str, tuple[bool, ...]] = {"vertical": (True,), "horizontal": (False,),
                                       "slant": (True, False)}


def itm(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
        medium: Medium) -> NDArray[np.float64]:
    """Return the basic transmission loss by Longley-Rice, (paths,) dB.

    Parameters
    ----------
    paths : Paths
        Terrain profiles; clutter and zones are not looked at.  Samples that
        are not equally spaced are interpolated to as many that are.
    frequency_mhz, tx_height_m, rx_height_m : Number
        20 to 20,000 MHz; 0.5 to 3,000 m above ground.
    medium : Medium
        `n0`, `time_percent`, `location_percent`, `situation_percent`,
        `climate`, `variability_mode`, `permittivity`,
        `conductivity_s_per_m`, `polarisation`.

    Returns
    -------
    (paths,) float64
        NaN where a height is unknown or an argument is out of range.

    Notes
    -----
    The model is ill-conditioned: a tenth of a metre on a profile can move the
    loss by decibels.  Use it for comparison.
    """
    losses = [_run(paths, frequency_mhz, tx_height_m, rx_height_m, medium, vertical)[0]
              for vertical in _TURNS[medium.polarisation]]
    return losses[0] if len(losses) == 1 else 0.5 * (losses[0] + losses[1])


def itm_intermediates(paths: Paths, frequency_mhz: Number, tx_height_m: Number,
                      rx_height_m: Number, medium: Medium) -> dict[str, NDArray[np.float64]]:
    """Return what Longley-Rice takes from each path, by the names in `ITM_INTERMEDIATES`.

    Parameters are those of `itm`; with slant polarisation the values are those
    of vertical polarisation.
    """
    detail = _run(paths, frequency_mhz, tx_height_m, rx_height_m, medium,
                  _TURNS[medium.polarisation][0])[1]
    return {name: detail[:, i].copy() for i, name in enumerate(ITM_INTERMEDIATES)}
