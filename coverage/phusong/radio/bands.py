"""Frequency bands by the number that people call them by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["BANDS_MHZ", "band_of"]

BANDS_MHZ: dict[int, float] = {
    450: 465.0, 700: 775.0, 800: 806.0, 850: 881.0, 900: 942.0, 1500: 1486.0, 1800: 1842.0,
    2100: 2140.0, 2300: 2350.0, 2600: 2655.0, 3500: 3550.0, 4700: 4700.0}
"""Name of a band -> the middle of its downlink, MHz (TS 36.101 Table 5.5-1, TS 38.101-1 5.2-1)."""


def band_of(frequency_mhz: ArrayLike) -> NDArray[np.int64]:
    """Return the band whose downlink middle is nearest on a logarithmic scale, (n,).

    Examples
    --------
    >>> band_of([768.0, 945.0, 1840.0, 2590.0]).tolist()
    [700, 900, 1800, 2600]
    """
    names = np.array(list(BANDS_MHZ), np.int64)
    middle = np.log(np.array(list(BANDS_MHZ.values())))
    away = np.abs(np.log(np.atleast_1d(np.asarray(frequency_mhz, float)))[:, None] - middle)
    return names[np.argmin(away, axis=1)]
