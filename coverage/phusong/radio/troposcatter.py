"""Tropospheric scatter (ITU-R P.1812-8 section 4.4).  Compiled."""

from __future__ import annotations

import math

from phusong.radio.compiled import compiled

__all__ = ["troposcatter_loss"]


@compiled
def troposcatter_loss(f_ghz, d_km, theta_mrad, n0, p):
    """Return L_bs, loss by tropospheric scatter (P.1812 eqs 44 and 45), dB.

    Parameters
    ----------
    f_ghz, d_km : float
        Frequency and path length.
    theta_mrad : float
        Path angular distance: the angle between the two horizon rays.
    n0 : float
        Sea-level surface refractivity, N-units.
    p : float
        Time percentage, at most 50.
    """
    half = math.log10(0.5 * f_ghz)
    frequency_term = 25.0 * math.log10(f_ghz) - 2.5 * half * half
    time_term = 0.0
    if p < 50.0:
        time_term = 10.125 * math.log10(50.0 / p) ** 0.7
    return (190.1 + frequency_term + 20.0 * math.log10(d_km) + 0.573 * theta_mrad
            - 0.15 * n0 - time_term)
