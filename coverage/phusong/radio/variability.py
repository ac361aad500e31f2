"""Location variability and the normal distribution (ITU-R P.1812-8 4.7, 4.9, Attachment 2)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.radio.compiled import compiled

__all__ = ["inverse_normal", "location_sigma_db"]


@compiled
def _upper(x):
    """Return I(x) for 0 < x <= 0.5 (Attachment 2, eqs 97a to 97c)."""
    t = math.sqrt(-2.0 * math.log(x))
    top = (0.010328 * t + 0.802853) * t + 2.515516698
    bottom = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    return t - top / bottom


@compiled
def inverse_normal(x):
    """Return I(x), the inverse complementary cumulative normal distribution.

    The Recommendation's own approximation, good to 0.00054 for
    1e-6 <= x <= 1 - 1e-6; x is limited to this range.

    Examples
    --------
    >>> round(inverse_normal(0.1), 3), inverse_normal(0.5)
    (1.282, 0.0)
    """
    x = min(max(x, 1e-6), 1.0 - 1e-6)
    if x == 0.5:
        return 0.0
    if x < 0.5:
        return _upper(x)
    return -_upper(1.0 - x)


def location_sigma_db(frequency_mhz: ArrayLike, pixel_width_m: ArrayLike, rx_height_m: ArrayLike,
                      clutter_m: ArrayLike) -> NDArray[np.float64]:
    """Return ``u(h) sigma_L``, the standard deviation inside a pixel, dB.

    ``sigma_L = (0.52 + 0.024 f_GHz) w_a^0.28``; u(h) is 1 below the clutter
    height R, falls to 0 at R + 10 m, and is 0 above (P.1812 4.7, 4.9).

    Parameters
    ----------
    frequency_mhz, pixel_width_m : array_like
        Frequency and width of the pixel.
    rx_height_m, clutter_m : array_like
        Receiver height and clutter height R, above ground.
    """
    f_ghz = 1e-3 * np.asarray(frequency_mhz, float)
    sigma = (0.52 + 0.024 * f_ghz) * np.asarray(pixel_width_m, float) ** 0.28
    above = np.asarray(rx_height_m, float) - np.asarray(clutter_m, float)
    return np.asarray(sigma * np.clip(1.0 - above / 10.0, 0.0, 1.0))
