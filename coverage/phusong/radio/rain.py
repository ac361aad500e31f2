"""Rain on a microwave hop: specific attenuation (P.838-3) and what is exceeded 0.01 % of a year."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.errors import OutOfRangeError

__all__ = ["longest_hop_km", "rain_attenuation_db", "specific_attenuation_db_per_km"]

_K = {"horizontal": ((-5.33980, -0.10008, 1.13098), (-0.35351, 1.26970, 0.45400),
                     (-0.23789, 0.86036, 0.15354), (-0.94158, 0.64552, 0.16817)),
      "vertical": ((-3.80595, 0.56934, 0.81061), (-3.44965, -0.22911, 0.51059),
                   (-0.39902, 0.73042, 0.11899), (0.50167, 1.07319, 0.27195))}
_K_LINE = {"horizontal": (-0.18961, 0.71147), "vertical": (-0.16398, 0.63297)}
_ALPHA = {"horizontal": ((-0.14318, 1.82442, -0.55187), (0.29591, 0.77564, 0.19822),
                         (0.32177, 0.63773, 0.13164), (-5.37610, -0.96230, 1.47828),
                         (16.1721, -3.29980, 3.43990)),
          "vertical": ((-0.07771, 2.33840, -0.76284), (0.56727, 0.95545, 0.54039),
                       (-0.20238, 1.14520, 0.26809), (-48.2991, 0.791669, 0.116226),
                       (48.5833, 0.791459, 0.116479))}
_ALPHA_LINE = {"horizontal": (0.67849, -1.95537), "vertical": (-0.053739, 0.83433)}


def specific_attenuation_db_per_km(frequency_ghz: ArrayLike, rain_mm_per_h: ArrayLike,
                                   polarisation: str = "vertical") -> NDArray[np.float64]:
    """Return ``gamma_R = k R^alpha``, dB/km (ITU-R P.838-3, eqs 1 to 3).

    Parameters
    ----------
    frequency_ghz : array_like
        1 to 1000 GHz.
    rain_mm_per_h : array_like
        Rain rate.
    polarisation : {"vertical", "horizontal"}
        Of the hop.

    Raises
    ------
    OutOfRangeError
        If the frequency lies outside the coefficients' range, or a rain rate
        is negative.
    """
    f, rain = np.asarray(frequency_ghz, float), np.asarray(rain_mm_per_h, float)
    if (f < 1.0).any() or (f > 1000.0).any() or (rain < 0.0).any():
        raise OutOfRangeError("Rain attenuation needs 1 to 1000 GHz and a rain rate that is not "
                              "negative (P.838-3). Give frequencies in GHz.")
    log_f = np.log10(f)

    def curve(rows: tuple[tuple[float, float, float], ...], line: tuple[float, float]
              ) -> NDArray[np.float64]:
        bumps = sum(a * np.exp(-(((log_f - b) / c) ** 2)) for a, b, c in rows)
        return np.asarray(bumps + line[0] * log_f + line[1])

    k = 10.0 ** curve(_K[polarisation], _K_LINE[polarisation])
    return np.asarray(k * rain ** curve(_ALPHA[polarisation], _ALPHA_LINE[polarisation]))


def rain_attenuation_db(distance_km: ArrayLike, frequency_ghz: ArrayLike,
                        rain_mm_per_h: ArrayLike,
                        polarisation: str = "vertical") -> NDArray[np.float64]:
    """Return the rain attenuation exceeded 0.01 % of a year, dB (ITU-R P.530-18, 2.4.1).

    ``A = gamma_R d r`` with the distance factor of eq 34, at most 2.5.

    Parameters
    ----------
    distance_km : array_like
        Length of the hop, up to 60 km.
    frequency_ghz : array_like
        1 to 100 GHz.
    rain_mm_per_h : array_like
        Rain rate exceeded 0.01 % of a year (ITU-R P.837).

    Examples
    --------
    >>> round(float(rain_attenuation_db(10.0, 15.0, 74.0)))
    26
    """
    d = np.asarray(distance_km, float)
    f, rain = np.asarray(frequency_ghz, float), np.asarray(rain_mm_per_h, float)
    gamma = specific_attenuation_db_per_km(f, rain, polarisation)
    with np.errstate(divide="ignore"):
        alpha_power = rain ** (0.073 * _alpha(f, polarisation))
        below = 0.477 * d ** 0.633 * alpha_power * f ** 0.123 - 10.579 * (1 - np.exp(-0.024 * d))
        factor = np.where(below > 0.4, 1.0 / below, 2.5)
    return np.asarray(gamma * d * factor)


def _alpha(frequency_ghz: NDArray[np.float64], polarisation: str) -> NDArray[np.float64]:
    """Return the exponent alpha of P.838-3."""
    one = specific_attenuation_db_per_km(frequency_ghz, 1.0, polarisation)
    ten = specific_attenuation_db_per_km(frequency_ghz, 10.0, polarisation)
    return np.asarray(np.log10(ten / one))


def longest_hop_km(frequency_ghz: float, rain_mm_per_h: float, margin_db: float,
                   polarisation: str = "vertical", limit_km: float = 60.0) -> float:
    """Return the longest hop whose rain attenuation stays within `margin_db` 99.99 % of a year.

    Parameters
    ----------
    frequency_ghz, rain_mm_per_h : float
        As in `rain_attenuation_db`.
    margin_db : float
        Fade margin of the hop, taken as the same at every length.
    limit_km : float
        Never longer than this (P.530's rain method reaches 60 km).
    """
    lengths = np.arange(0.1, limit_km + 1e-9, 0.1)
    fits = rain_attenuation_db(lengths, frequency_ghz, rain_mm_per_h, polarisation) <= margin_db
    first_bad = int(np.argmin(fits)) if not fits.all() else len(fits)
    return float(lengths[first_bad - 1]) if first_bad else 0.0
