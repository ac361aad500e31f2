"""The medium between two antennas: air, ground, statistics.

Everything that a propagation model needs and that is neither in the terrain
profile nor in the equipment.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Environment", "Medium", "Number", "Polarisation", "spread"]

Number = float | NDArray[np.float64]
"""A scalar, or one value for each path."""

Polarisation = Literal["vertical", "horizontal", "slant"]
Environment = Literal["open", "suburban", "urban_small", "urban_large"]


@dataclass(frozen=True, slots=True)
class Medium:
    """Air, ground and statistics for a batch of paths.

    Fields typed `Number` take a scalar or one value for each path.

    Parameters
    ----------
    delta_n : Number
        Median radio-refractivity lapse rate over the lowest kilometre,
        N-units/km, positive (ITU-R P.1812 section 3.5).
    n0 : Number
        Median sea-level surface refractivity, N-units.
    time_percent : Number
        Percentage of time for which the loss is not exceeded.
    location_percent : Number
        Percentage of locations for which the loss is not exceeded.
    pixel_width_m : Number
        Width of the square area over which location variability is meant.
    location_sigma_db : Number or None
        Standard deviation of location variability; None = computed from
        frequency, `pixel_width_m` and the height above clutter (P.1812 4.7).
    polarisation : {"vertical", "horizontal", "slant"}
        ``"slant"`` (+-45 degrees) is the mean of the two losses in dB.
    latitude_deg : Number
        Latitude of the middle of the path, degrees.
    coast_tx_km, coast_rx_km : Number
        Distance over land from each terminal to the coast along the path
        (``d_ct``, ``d_cr``), km; 500 = far inland.
    permittivity, conductivity_s_per_m : float
        Ground constants for the models that use them (ITM).
    climate : int
        ITM radio climate 1..7 (1 equatorial, 2 continental subtropical,
        3 maritime subtropical, 4 desert, 5 continental temperate,
        6 maritime temperate over land, 7 over sea).
    variability_mode : int
        ITM mode of variability (``mdvar``); 12 = broadcast, 2 = mobile with
        10 added when location variability is left out.
    situation_percent : float
        ITM percentage of situations (confidence).
    environment : {"open", "suburban", "urban_small", "urban_large"}
        Surroundings for the Hata family.
    street_width_m, building_height_m : float
        Surroundings for TR 38.901 RMa.
    """

    delta_n: Number = 45.0
    n0: Number = 325.0
    time_percent: Number = 50.0
    location_percent: Number = 50.0
    pixel_width_m: Number = 100.0
    location_sigma_db: Number | None = None
    polarisation: Polarisation = "vertical"
    latitude_deg: Number = 21.0
    coast_tx_km: Number = 500.0
    coast_rx_km: Number = 500.0
    permittivity: float = 15.0
    conductivity_s_per_m: float = 0.005
    climate: int = 1
    variability_mode: int = 12
    situation_percent: float = 50.0
    environment: Environment = "open"
    street_width_m: float = 20.0
    building_height_m: float = 5.0

    @property
    def effective_radius_km(self) -> Number:
        """Median effective Earth radius ``a_e``, km (P.1812 eqs 5 and 6a)."""
        return 6371.0 * 157.0 / (157.0 - self.delta_n)

    def of(self, which: NDArray[np.int64]) -> Medium:
        """Return the medium of the paths numbered `which`; scalars stay scalars."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        return Medium(**{name: value[which] if np.ndim(value) == 1 else value
                         for name, value in values.items()})


def spread(value: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return `value` as a fresh contiguous float64 array of length `count`.

    Parameters
    ----------
    value : array_like
        A scalar, or `count` values.
    count : int
        Number of paths.
    """
    out = np.empty(count, np.float64)
    out[:] = np.asarray(value, np.float64)
    return out
