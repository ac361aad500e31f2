"""Rural macro path loss (3GPP TR 38.901 Tables 7.4.1-1 and 7.4.2-1, RMa)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.paths import Paths
from phusong.radio.medium import Medium, Number, spread

__all__ = ["rma", "rma_los", "rma_los_loss_db", "rma_los_probability", "rma_nlos",
           "rma_nlos_loss_db"]

Array = NDArray[np.float64]

_LIGHT = 3.0e8
"""Speed of light as TR 38.901 rounds it, m/s."""


def _near_term(d3d: Array, f_ghz: Array, h: Array) -> Array:
    """Return PL_1 of Table 7.4.1-1; `h` is the average building height."""
    return (20.0 * np.log10(40.0 * np.pi * d3d * f_ghz / 3.0)
            + np.minimum(0.03 * h ** 1.72, 10.0) * np.log10(d3d)
            - np.minimum(0.044 * h ** 1.72, 14.77) + 0.002 * np.log10(h) * d3d)


def rma_los_loss_db(frequency_mhz: ArrayLike, distance_m: ArrayLike, base_height_m: ArrayLike,
                    mobile_height_m: ArrayLike, *, building_height_m: ArrayLike = 5.0) -> Array:
    """Return PL_RMa-LOS, dB; no range is checked here.

    Parameters
    ----------
    frequency_mhz, distance_m : array_like
        500 to 30,000 MHz; horizontal distance 10 m to 10 km.
    base_height_m, mobile_height_m : array_like
        10 to 150 m; 1 to 10 m.
    building_height_m : array_like
        Average building height, 5 to 50 m.
    """
    f, d, hb, hm, h = (np.asarray(x, float) for x in (frequency_mhz, distance_m, base_height_m,
                                                      mobile_height_m, building_height_m))
    f_ghz, d3d = 1e-3 * f, np.hypot(d, hb - hm)
    breakpoint_m = 2.0 * np.pi * hb * hm * 1e6 * f / _LIGHT
    far = _near_term(breakpoint_m, f_ghz, h) + 40.0 * np.log10(d3d / breakpoint_m)
    return np.where(d <= breakpoint_m, _near_term(d3d, f_ghz, h), far)


def rma_nlos_loss_db(frequency_mhz: ArrayLike, distance_m: ArrayLike, base_height_m: ArrayLike,
                     mobile_height_m: ArrayLike, *, building_height_m: ArrayLike = 5.0,
                     street_width_m: ArrayLike = 20.0) -> Array:
    """Return PL_RMa-NLOS, dB: never less than the line-of-sight loss; 10 m to 5 km."""
    f, d, hb, hm, h = (np.asarray(x, float) for x in (frequency_mhz, distance_m, base_height_m,
                                                      mobile_height_m, building_height_m))
    d3d, log_hb = np.hypot(d, hb - hm), np.log10(hb)
    loss = (161.04 - 7.1 * np.log10(np.asarray(street_width_m, float)) + 7.5 * np.log10(h)
            - (24.37 - 3.7 * (h / hb) ** 2) * log_hb
            + (43.42 - 3.1 * log_hb) * (np.log10(d3d) - 3.0) + 20.0 * np.log10(1e-3 * f)
            - (3.2 * np.log10(11.75 * hm) ** 2 - 4.97))
    return np.maximum(rma_los_loss_db(f, d, hb, hm, building_height_m=h), loss)


def rma_los_probability(distance_m: ArrayLike) -> Array:
    """Return the probability of line of sight (Table 7.4.2-1, RMa)."""
    return np.exp(-np.maximum(np.asarray(distance_m, float) - 10.0, 0.0) / 1000.0)


def _run(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
         medium: Medium, farthest_m: float, kind: str) -> Array:
    n = len(paths)
    f, hb, hm = (spread(x, n) for x in (frequency_mhz, tx_height_m, rx_height_m))
    d = paths.distance_m
    known = ((f >= 500.0) & (f <= 30_000.0) & (hb >= 10.0) & (hb <= 150.0) & (hm >= 1.0)
             & (hm <= 10.0) & (d >= 10.0) & (d <= farthest_m))
    f, d, hb, hm = f[known], d[known], hb[known], hm[known]
    height, width = medium.building_height_m, medium.street_width_m
    out = np.full(n, np.nan)
    if kind == "los":
        out[known] = rma_los_loss_db(f, d, hb, hm, building_height_m=height)
        return out
    nlos = rma_nlos_loss_db(f, d, hb, hm, building_height_m=height, street_width_m=width)
    if kind == "mean":
        share = rma_los_probability(d)
        nlos = share * rma_los_loss_db(f, d, hb, hm, building_height_m=height) + (1 - share) * nlos
    out[known] = nlos
    return out


def rma_los(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
            medium: Medium) -> Array:
    """Return the RMa line-of-sight loss, (paths,) dB; NaN beyond 10 km or out of range."""
    return _run(paths, frequency_mhz, tx_height_m, rx_height_m, medium, 10_000.0, "los")


def rma_nlos(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
             medium: Medium) -> Array:
    """Return the RMa loss without line of sight, (paths,) dB; NaN beyond 5 km."""
    return _run(paths, frequency_mhz, tx_height_m, rx_height_m, medium, 5_000.0, "nlos")


def rma(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
        medium: Medium) -> Array:
    """Return the expected RMa loss, (paths,) dB.

    The mean in dB of the losses with and without line of sight, weighted by
    the probability of line of sight.  Looks at no terrain: only the length of
    a path counts.  NaN beyond 5 km or out of range.
    """
    return _run(paths, frequency_mhz, tx_height_m, rx_height_m, medium, 5_000.0, "mean")
