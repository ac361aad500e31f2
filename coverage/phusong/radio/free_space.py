"""Free-space basic transmission loss (ITU-R P.525-4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.medium import Medium, Number, spread

__all__ = ["SPEED_OF_LIGHT_M_PER_S", "free_space", "free_space_loss_db", "slant_distance_m"]

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0


def free_space_loss_db(distance_m: Number, frequency_mhz: Number) -> NDArray[np.float64]:
    """Return ``20 log10(4 pi d / lambda)`` (P.525-4 eq 3), dB; d in metres.

    Examples
    --------
    >>> round(float(free_space_loss_db(1000.0, 1000.0)), 4)
    92.4478
    """
    per_wavelength = np.asarray(distance_m, float) * np.asarray(frequency_mhz, float)
    with np.errstate(divide="ignore"):
        return np.asarray(20.0 * np.log10(4e6 * np.pi / SPEED_OF_LIGHT_M_PER_S * per_wavelength))


def slant_distance_m(paths: Paths, tx_height_m: Number, rx_height_m: Number) -> NDArray[np.float64]:
    """Return the straight distance between the two antennas, (paths,) metres.

    The ground heights of the two ends count; the Earth's curvature does not.
    """
    n = len(paths)
    top = paths.heights_m[paths.offsets[:-1]] + spread(tx_height_m, n)
    low = paths.heights_m[paths.offsets[1:] - 1] + spread(rx_height_m, n)
    return np.hypot(paths.distance_m, top - low)


def free_space(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
               medium: Medium) -> NDArray[np.float64]:
    """Return the free-space loss between the two antennas, (paths,) dB.

    Parameters
    ----------
    paths : Paths
        Only the two end heights are looked at; NaN there gives NaN.
    frequency_mhz, tx_height_m, rx_height_m : Number
        Frequency in MHz, antenna heights above ground in metres.
    medium : Medium
        Not used.
    """
    distance = slant_distance_m(paths, tx_height_m, rx_height_m)
    loss = free_space_loss_db(distance, spread(frequency_mhz, len(paths)))
    loss[~(np.isfinite(loss) & (paths.distance_m > 0.0))] = np.nan
    return loss
