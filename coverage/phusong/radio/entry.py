"""Building entry loss (ITU-R P.2109-2; walls of TR 38.901)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.errors import UnknownNameError
from phusong.nouns import nearest

__all__ = ["BUILDINGS", "Building", "entry_loss_db", "midpoints", "quantiles",
           "wall_loss_db"]

Building = Literal["traditional", "thermally_efficient"]

BUILDINGS: dict[str, tuple[float, ...]] = {
    "traditional": (12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0),
    "thermally_efficient": (28.19, -3.00, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1),
}
"""Coefficients r, s, t, u, v, w, x, y, z of P.2109-2 Table 1."""


def entry_loss_db(frequency_mhz: ArrayLike, probability: ArrayLike = 0.5, *,
                  building: str = "traditional",
                  elevation_deg: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Return the building entry loss not exceeded with `probability`, dB.

    P.2109-2 eqs (1) to (9): the sum of two lognormal distributions and a
    constant of -3 dB.

    Parameters
    ----------
    frequency_mhz : array_like
        80 to 100,000 MHz; NaN is returned outside.
    probability : array_like
        Between 0 and 1, ends excluded.
    building : {"traditional", "thermally_efficient"}
        Kind of building.
    elevation_deg : array_like
        Elevation of the path at the facade, degrees.

    Raises
    ------
    UnknownNameError
        If there is no such kind of building.
    """
    from scipy.special import ndtri  # a tenth of a second that links alone need not wait for

    if building not in BUILDINGS:
        raise UnknownNameError(f'There is no building type "{building}". '
                               f'{nearest(building, BUILDINGS)}')
    r, s, t, u, v, w, x, y, z = BUILDINGS[building]
    f = np.asarray(frequency_mhz, float)
    log_f = np.log10(np.where((f >= 80.0) & (f <= 100_000.0), 1e-3 * f, np.nan))
    p = np.asarray(probability, float)
    normal = ndtri(np.where((p > 0.0) & (p < 1.0), p, np.nan))
    median = r + s * log_f + t * log_f ** 2 + 0.212 * np.abs(np.asarray(elevation_deg, float))
    first = normal * (u + v * log_f) + median
    second = normal * (y + z * log_f) + w + x * log_f
    return np.asarray(10.0 * np.log10(10.0 ** (0.1 * first) + 10.0 ** (0.1 * second)
                                      + 10.0 ** (0.1 * -3.0)))


def midpoints(count: int = 16) -> NDArray[np.float64]:
    """Return the middles of `count` equal slices of probability, for integrating.

    Examples
    --------
    >>> midpoints(4).tolist()
    [0.125, 0.375, 0.625, 0.875]
    """
    return (np.arange(count) + 0.5) / count


def quantiles(frequency_mhz: ArrayLike, *, building: str = "traditional", count: int = 16,
              elevation_deg: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Return entry losses at equally likely quantiles, (..., count) dB.

    The mean of any function of the loss over the last axis is its expectation
    over buildings.
    """
    f = np.asarray(frequency_mhz, float)[..., None]
    up = np.asarray(elevation_deg, float)[..., None]
    return entry_loss_db(f, midpoints(count), building=building, elevation_deg=up)


def wall_loss_db(frequency_mhz: ArrayLike, kind: str = "low") -> NDArray[np.float64]:
    """Return the loss through an outer wall, dB (3GPP TR 38.901 Tables 7.4.3-1 and 7.4.3-2).

    Parameters
    ----------
    frequency_mhz : array_like
        Frequency in MHz.
    kind : {"low", "high"}
        ``low``: 30 % standard glass, 70 % concrete; ``high``: 70 % coated
        glass, 30 % concrete.  5 dB are added for oblique incidence.

    Raises
    ------
    UnknownNameError
        If there is no such kind of wall.
    """
    f_ghz = 1e-3 * np.asarray(frequency_mhz, float)
    concrete = 5.0 + 4.0 * f_ghz
    walls = {"low": (0.3, 2.0 + 0.2 * f_ghz, 0.7), "high": (0.7, 23.0 + 0.3 * f_ghz, 0.3)}
    if kind not in walls:
        raise UnknownNameError(f'There is no kind of wall "{kind}". {nearest(kind, walls)}')
    glass_share, glass, concrete_share = walls[kind]
    through = glass_share * 10.0 ** (-0.1 * glass) + concrete_share * 10.0 ** (-0.1 * concrete)
    return np.asarray(5.0 - 10.0 * np.log10(through))
