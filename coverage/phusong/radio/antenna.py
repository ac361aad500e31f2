"""Antenna patterns: how much weaker a sector radiates off its main beam.

Every pattern returns a relative gain in dB, 0 in the main beam and negative
elsewhere.  Angles are in degrees: bearings clockwise from north, elevation
positive above the horizon, tilt positive downwards.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.errors import UnknownNameError
from phusong.nouns import nearest

__all__ = ["PATTERNS", "UNKNOWN_AZIMUTH_DB", "elevation_deg", "f1336_sector_db", "off_axis_deg",
           "pattern_db", "tr36814_db", "tr38901_element_db"]

Array = NDArray[np.float64]

UNKNOWN_AZIMUTH_DB = -3.0
"""Relative gain of a sector whose azimuth is not known: three sectors overlap
so that the average direction sees about 3 dB less than the main beam."""


def off_axis_deg(bearing_deg: ArrayLike, azimuth_deg: ArrayLike) -> Array:
    """Return the signed angle from `azimuth_deg` to `bearing_deg`, within [-180, 180).

    Examples
    --------
    >>> float(off_axis_deg(10.0, 350.0))
    20.0
    """
    turn = np.asarray(bearing_deg, float) - np.asarray(azimuth_deg, float)
    return np.asarray((turn + 180.0) % 360.0 - 180.0)


def elevation_deg(tx_above_sea_m: ArrayLike, rx_above_sea_m: ArrayLike, distance_m: ArrayLike,
                  effective_radius_km: ArrayLike = 8500.0) -> Array:
    """Return the elevation at which the transmitter sees the receiver, degrees.

    Negative when looking down; the curved Earth lowers the receiver by
    ``d^2 / 2 a_e``.
    """
    d = np.asarray(distance_m, float)
    rise = np.asarray(rx_above_sea_m, float) - np.asarray(tx_above_sea_m, float)
    rise = rise - d ** 2 / (2000.0 * np.asarray(effective_radius_km, float))
    return np.asarray(np.degrees(np.arctan2(rise, d)))


def tr36814_db(off_axis: ArrayLike, elevation: ArrayLike, tilt_deg: ArrayLike = 0.0, *,
               horizontal_beamwidth_deg: ArrayLike = 70.0,
               vertical_beamwidth_deg: ArrayLike = 10.0, front_to_back_db: float = 25.0,
               side_lobe_db: float = 20.0) -> Array:
    """Return the 3-sector macro pattern of 3GPP TR 36.814 Table A.2.1.1-2, dB <= 0.

    ``A_H = -min(12 (phi/phi_3dB)^2, A_m)``,
    ``A_V = -min(12 ((theta - tilt)/theta_3dB)^2, SLA_v)``,
    ``A = -min(-(A_H + A_V), A_m)``; theta counts downwards.
    """
    across = np.asarray(off_axis, float) / np.asarray(horizontal_beamwidth_deg, float)
    down = -np.asarray(elevation, float) - np.asarray(tilt_deg, float)
    down = down / np.asarray(vertical_beamwidth_deg, float)
    loss = np.minimum(12.0 * across ** 2, front_to_back_db)
    loss = loss + np.minimum(12.0 * down ** 2, side_lobe_db)
    return np.asarray(-np.minimum(loss, front_to_back_db))


def tr38901_element_db(off_axis: ArrayLike, elevation: ArrayLike, tilt_deg: ArrayLike = 0.0, *,
                       horizontal_beamwidth_deg: ArrayLike = 65.0,
                       vertical_beamwidth_deg: ArrayLike = 65.0, front_to_back_db: float = 30.0,
                       side_lobe_db: float = 30.0) -> Array:
    """Return the single-element pattern of 3GPP TR 38.901 Table 7.3-1, dB <= 0."""
    return tr36814_db(off_axis, elevation, tilt_deg,
                      horizontal_beamwidth_deg=horizontal_beamwidth_deg,
                      vertical_beamwidth_deg=vertical_beamwidth_deg,
                      front_to_back_db=front_to_back_db, side_lobe_db=side_lobe_db)


def _tilted(off_axis: Array, elevation: Array, mechanical: Array,
            electrical: Array) -> tuple[Array, Array]:
    """Return the direction as the tilted antenna sees it (F.1336-5 recommends 3.3)."""
    theta, phi, beta = np.radians(elevation), np.radians(off_axis), np.radians(mechanical)
    sine = np.sin(theta) * np.cos(beta) + np.cos(theta) * np.cos(phi) * np.sin(beta)
    up = np.arcsin(np.clip(sine, -1.0, 1.0))
    along = -np.sin(theta) * np.sin(beta) + np.cos(theta) * np.cos(phi) * np.cos(beta)
    across = np.cos(up)
    ratio = np.divide(along, across, out=np.ones_like(along), where=across > 1e-12)
    side = np.degrees(np.arccos(np.clip(ratio, -1.0, 1.0)))
    flat = mechanical == 0.0
    up, side = np.where(flat, elevation, np.degrees(up)), np.where(flat, np.abs(off_axis), side)
    shifted = up + electrical
    half = np.where(shifted >= 0.0, 90.0 + electrical, 90.0 - electrical)
    return side, np.where(electrical == 0.0, up, 90.0 * shifted / half)


def f1336_sector_db(off_axis: ArrayLike, elevation: ArrayLike, tilt_deg: ArrayLike = 0.0, *,
                    horizontal_beamwidth_deg: ArrayLike = 65.0,
                    vertical_beamwidth_deg: ArrayLike | None = None, gain_dbi: ArrayLike = 18.0,
                    mechanical_tilt_deg: ArrayLike = 0.0, average: bool = False,
                    k_peak: float = 0.7, k_horizontal: float = 0.7,
                    k_vertical: float = 0.3) -> Array:
    """Return the sectoral pattern of ITU-R F.1336-5 recommends 3.1, dB <= 0.

    Parameters
    ----------
    off_axis, elevation : array_like
        Azimuth off the main beam and elevation above the horizon, degrees.
    tilt_deg, mechanical_tilt_deg : array_like
        Electrical and mechanical downtilt, degrees.
    horizontal_beamwidth_deg, vertical_beamwidth_deg : array_like
        3 dB beamwidths; the vertical one, if None, follows from `gain_dbi`:
        ``31000 10^(-0.1 G0) / phi_3``.
    gain_dbi : array_like
        Peak gain, used for the vertical beamwidth only.
    average : bool
        Average side lobes (recommends 3.1.2) instead of peaks (3.1.1).
    k_peak, k_horizontal, k_vertical : float
        The Recommendation's side-lobe parameters (k_p or k_a, k_h, k_v).
    """
    phi, theta, tilt, beta, phi3, gain = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (off_axis, elevation, tilt_deg, mechanical_tilt_deg,
                                         horizontal_beamwidth_deg, gain_dbi)))
    theta3 = (31000.0 * 10.0 ** (-0.1 * gain) / phi3 if vertical_beamwidth_deg is None
              else np.broadcast_to(np.asarray(vertical_beamwidth_deg, float), phi.shape))
    side, up = _tilted(phi, theta, beta, tilt)
    base = -15.0 if average else -12.0
    back = base + 10.0 * np.log10(1.0 + 8.0 * k_peak) - 15.0 * np.log10(180.0 / theta3)

    def across(x: Array) -> Array:
        power = np.maximum(x, 0.5) ** (2.0 - k_horizontal)
        far = -12.0 * power - 3.0 * (1.0 - 0.5 ** -k_horizontal)
        return np.maximum(np.where(x <= 0.5, -12.0 * x ** 2, far), back)

    down = _f1336_vertical(np.abs(up) / theta3, theta3, back, base, k_peak, k_vertical)
    ahead, behind = across(side / phi3), across(180.0 / phi3)
    return np.asarray(ahead + (ahead - behind) / (0.0 - behind) * down)


def _f1336_vertical(x: Array, theta3: Array, back: Array, base: float, k_peak: float,
                    k_vertical: float) -> Array:
    """Return G_vr(x_v) of F.1336-5 recommends 3.1.1 (base -12) or 3.1.2 (base -15)."""
    near = 1.0 - 0.36 * k_vertical if base == -12.0 else 1.33 - 0.33 * k_vertical
    at_four = 4.0 ** -1.5 + k_vertical
    slope = (10.0 * np.log10((180.0 / theta3) ** 1.5 * at_four / (1.0 + 8.0 * k_peak))
             / np.log10(22.5 / theta3))
    offset = -base - slope * np.log10(4.0) - 10.0 * np.log10(at_four)
    safe = np.maximum(x, 1e-9)
    middle = base + 10.0 * np.log10(safe ** -1.5 + k_vertical)
    far = -offset - slope * np.log10(safe)
    return np.select([x < np.sqrt(near), x < 4.0, x < 90.0 / theta3], [-12.0 * x ** 2, middle, far],
                     back)


PATTERNS: dict[str, Callable[..., Array]] = {
    "tr36814": tr36814_db,
    "tr38901_element": tr38901_element_db,
    "f1336": f1336_sector_db,
}
"""Antenna patterns by the name that a study uses."""


def pattern_db(azimuth_deg: ArrayLike, tilt_deg: ArrayLike, bearing_deg: ArrayLike,
               elevation_deg: ArrayLike, *, pattern: str = "tr36814",
               horizontal_beamwidth_deg: ArrayLike = 70.0) -> Array:
    """Return the relative gain of sectors towards receivers, dB <= 0.

    Parameters
    ----------
    azimuth_deg : array_like
        Main beam, degrees clockwise from north.  NaN = not known: the
        horizontal pattern is flat and `UNKNOWN_AZIMUTH_DB` is added.
    tilt_deg : array_like
        Total downtilt, degrees.  NaN gives NaN.
    bearing_deg, elevation_deg : array_like
        Direction of the receiver seen from the antenna, degrees.
    pattern : str
        A key of `PATTERNS`.
    horizontal_beamwidth_deg : array_like
        3 dB beamwidth; 360 or more = an omnidirectional antenna, whose
        azimuth does not matter and costs nothing.

    Raises
    ------
    UnknownNameError
        If there is no such pattern.
    """
    if pattern not in PATTERNS:
        raise UnknownNameError(f'There is no antenna pattern "{pattern}". '
                               f'{nearest(pattern, PATTERNS)}')
    azimuth, width = np.asarray(azimuth_deg, float), np.asarray(horizontal_beamwidth_deg, float)
    omni = width >= 360.0
    unknown = np.isnan(azimuth) & ~omni
    off_axis = np.where(omni | unknown, 0.0, off_axis_deg(bearing_deg, azimuth))
    gain = PATTERNS[pattern](off_axis, elevation_deg, tilt_deg,
                             horizontal_beamwidth_deg=np.where(omni, 70.0, width))
    return np.asarray(gain + np.where(unknown, UNKNOWN_AZIMUTH_DB, 0.0))
