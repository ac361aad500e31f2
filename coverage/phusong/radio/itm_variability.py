"""Variability of the Irregular Terrain Model over time, locations and situations.

Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm"
(NTIA), section on statistics; curves of NBS Technical Note 101.  Compiled.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.radio.compiled import compiled
from phusong.radio.variability import inverse_normal

__all__ = ["attenuation_not_exceeded"]

# One column for each climate: equatorial, continental subtropical, maritime
# subtropical, desert, continental temperate, maritime temperate over land and over sea.
_MEDIAN = np.array((
    (-9.67, -0.62, 1.26, -9.21, -0.62, -0.39, 3.15),
    (12.7, 9.19, 15.5, 9.05, 9.19, 2.86, 857.9),
    (144.9e3, 228.9e3, 262.6e3, 84.1e3, 228.9e3, 141.7e3, 2222e3),
    (190.3e3, 205.2e3, 185.2e3, 101.1e3, 205.2e3, 315.9e3, 164.8e3),
    (133.8e3, 143.6e3, 99.8e3, 98.6e3, 143.6e3, 167.4e3, 116.3e3)))
_BELOW = np.array((
    (2.13, 2.66, 6.11, 1.98, 2.68, 6.86, 8.51),
    (159.5, 7.67, 6.65, 13.11, 7.16, 10.38, 169.8),
    (762.2e3, 100.4e3, 138.2e3, 139.1e3, 93.7e3, 187.8e3, 609.8e3),
    (123.6e3, 172.5e3, 242.2e3, 132.7e3, 186.8e3, 169.6e3, 119.9e3),
    (94.5e3, 136.4e3, 178.6e3, 193.5e3, 133.5e3, 108.9e3, 106.6e3)))
_ABOVE = np.array((
    (2.11, 6.87, 10.08, 3.68, 4.75, 8.58, 8.43),
    (102.3, 15.53, 9.60, 159.3, 8.12, 13.97, 8.19),
    (636.9e3, 138.7e3, 165.3e3, 464.4e3, 93.2e3, 216.0e3, 136.2e3),
    (134.8e3, 143.7e3, 225.7e3, 93.1e3, 135.9e3, 152.0e3, 188.5e3),
    (95.6e3, 98.6e3, 129.7e3, 94.2e3, 113.4e3, 122.7e3, 122.9e3)))
_DUCTING_SHARE = np.array((1.224, 0.801, 1.380, 1.000, 1.224, 1.518, 1.518))
_DUCTING_FROM = np.array((1.282, 2.161, 1.282, 20.0, 1.282, 1.282, 1.282))
_GAIN_BELOW = np.array(((1.0, 1.0, 1.0, 1.0, 0.92, 1.0, 1.0),
                        (0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0),
                        (0.0, 0.0, 0.0, 0.0, 1.77, 0.0, 0.0)))
_GAIN_ABOVE = np.array(((1.0, 0.93, 1.0, 0.93, 0.93, 1.0, 1.0),
                        (0.0, 0.31, 0.0, 0.19, 0.31, 0.0, 0.0),
                        (0.0, 2.00, 0.0, 1.79, 2.00, 0.0, 0.0)))


@compiled
def _curve(table, c, d_e):
    """Return the common curve of the statistics over effective distance."""
    share = (d_e / table[2, c]) ** 2
    hump = table[1, c] / (1.0 + ((d_e - table[3, c]) / table[4, c]) ** 2)
    return (table[0, c] + hump) * share / (1.0 + share)


@compiled
def _frequency_factor(table, c, f):
    """Return how deviations in time depend on frequency."""
    q = math.log(0.133 * f / 47.7)
    return table[0, c] + table[1, c] / ((table[2, c] * q) ** 2 + 1.0)


@compiled
def _effective_distance(d, f, e_tx, e_rx):
    """Return d_e, m: 130 km where diffraction hands over to scatter."""
    reach = (math.sqrt(18e6 * e_tx) + math.sqrt(18e6 * e_rx)
             + (575.7e12 / (f / 47.7)) ** (1.0 / 3.0))
    if d < reach:
        return 130e3 * d / reach
    return 130e3 + d - reach


@compiled
def _time_deviation(z, c, f, d_e):
    """Return sigma_T, dB, for a normal deviate `z` of time."""
    if z < 0.0:
        return _curve(_BELOW, c, d_e) * _frequency_factor(_GAIN_BELOW, c, f)
    plus = _curve(_ABOVE, c, d_e) * _frequency_factor(_GAIN_ABOVE, c, f)
    if z <= _DUCTING_FROM[c]:
        return plus
    duct = plus * _DUCTING_SHARE[c]
    return duct + (plus - duct) * _DUCTING_FROM[c] / z


@compiled
def attenuation_not_exceeded(reference, time, location, situation, climate, mode, f, d, e_tx, e_rx,
                             delta_h):
    """Return the attenuation beyond free space at given percentages, dB.

    Parameters
    ----------
    reference : float
        Reference attenuation, dB.
    time, location, situation : float
        Percentages.
    climate, mode : int
        Climate 1 to 7; mode of variability: 0 single message, 1 accidental,
        2 mobile, 3 broadcast, +10 without location, +20 without situation
        variability.
    f, d : float
        Frequency, MHz; path length, m.
    e_tx, e_rx, delta_h : float
        Effective antenna heights and roughness, m.
    """
    z_t = inverse_normal(0.01 * time)
    z_l = inverse_normal(0.01 * location)
    z_s = inverse_normal(0.01 * situation)
    c = climate - 1
    d_e = _effective_distance(d, f, e_tx, e_rx)
    situation_square = 0.0
    if mode < 20:
        situation_square = (5.0 + 3.0 * math.exp(-d_e / 100e3)) ** 2
    sigma_l = 0.0
    if mode % 20 < 10:
        q = delta_h * (1.0 - 0.8 * math.exp(-d / 50e3)) * f / 47.7
        sigma_l = 10.0 * q / (q + 13.0)
    kind = mode % 10
    if kind == 0:
        z_t = z_s
        z_l = z_s
    elif kind == 1:
        z_l = z_s
    elif kind == 2:
        z_l = z_t
    sigma_t = _time_deviation(z_t, c, f, d_e)
    rest = (situation_square + (sigma_t * z_t) ** 2 / (7.8 + z_s * z_s)
            + (sigma_l * z_l) ** 2 / (24.0 + z_s * z_s))
    y = 0.0
    if kind == 0:
        rest += sigma_t ** 2 + sigma_l ** 2
    elif kind == 1:
        y = sigma_t * z_t
        rest += sigma_l ** 2
    elif kind == 2:
        y = math.sqrt(sigma_t ** 2 + sigma_l ** 2) * z_t
    else:
        y = sigma_t * z_t + sigma_l * z_l
    out = reference - _curve(_MEDIAN, c, d_e) - y - math.sqrt(rest) * z_s
    if out < 0.0:
        out = out * (29.0 - out) / (29.0 - 10.0 * out)
    return out
