"""Okumura-Hata and COST 231-Hata: empirical losses that look at no terrain.

Hata 1980 (IEEE Trans. Veh. Technol. 29-3) and COST 231 final report 4.4.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.paths import Paths
from phusong.radio.medium import Medium, Number, spread

__all__ = ["ENVIRONMENTS", "cost231", "cost231_loss_db", "hata", "hata_loss_db"]

ENVIRONMENTS = ("open", "suburban", "urban_small", "urban_large")
"""Surroundings; ``urban_small`` is Hata's small or medium city."""

Array = NDArray[np.float64]


def _check(environment: str) -> None:
    if environment not in ENVIRONMENTS:
        raise UnknownNameError(f'There is no environment "{environment}". '
                               f'{nearest(environment, ENVIRONMENTS)}')


def _mobile_correction(log_f: Array, f: Array, hm: Array, large_city: bool) -> Array:
    """Return a(h_m), dB (Hata 1980 eqs 9 to 11)."""
    if not large_city:
        return (1.1 * log_f - 0.7) * hm - (1.56 * log_f - 0.8)
    return np.where(f <= 300.0, 8.29 * np.log10(1.54 * hm) ** 2 - 1.1,
                    3.2 * np.log10(11.75 * hm) ** 2 - 4.97)


def hata_loss_db(frequency_mhz: ArrayLike, distance_m: ArrayLike, base_height_m: ArrayLike,
                 mobile_height_m: ArrayLike, environment: str = "open") -> Array:
    """Return the median loss of Hata 1980, dB; no range is checked here.

    Parameters
    ----------
    frequency_mhz, distance_m : array_like
        150 to 1,500 MHz; 1 to 20 km.
    base_height_m, mobile_height_m : array_like
        Effective base height 30 to 200 m, mobile 1 to 10 m.
    environment : str
        One of `ENVIRONMENTS`.
    """
    _check(environment)
    f, hb, hm = (np.asarray(x, float) for x in (frequency_mhz, base_height_m, mobile_height_m))
    log_f, log_hb = np.log10(f), np.log10(hb)
    loss = (69.55 + 26.16 * log_f - 13.82 * log_hb
            - _mobile_correction(log_f, f, hm, environment == "urban_large")
            + (44.9 - 6.55 * log_hb) * np.log10(1e-3 * np.asarray(distance_m, float)))
    if environment == "suburban":
        loss = loss - 2.0 * np.log10(f / 28.0) ** 2 - 5.4
    elif environment == "open":
        loss = loss - 4.78 * log_f ** 2 + 18.33 * log_f - 40.94
    return np.asarray(loss)


def cost231_loss_db(frequency_mhz: ArrayLike, distance_m: ArrayLike, base_height_m: ArrayLike,
                    mobile_height_m: ArrayLike, environment: str = "suburban") -> Array:
    """Return the median loss of COST 231-Hata (eq 4.4.3), dB; no range is checked here.

    1,500 to 2,000 MHz; heights and distances as `hata_loss_db`.  3 dB are
    added for ``urban_large`` (metropolitan centres); all other surroundings
    count as medium city and suburban.
    """
    _check(environment)
    f, hb, hm = (np.asarray(x, float) for x in (frequency_mhz, base_height_m, mobile_height_m))
    log_f, log_hb = np.log10(f), np.log10(hb)
    return np.asarray(46.3 + 33.9 * log_f - 13.82 * log_hb
                      - _mobile_correction(log_f, f, hm, False)
                      + (44.9 - 6.55 * log_hb) * np.log10(1e-3 * np.asarray(distance_m, float))
                      + (3.0 if environment == "urban_large" else 0.0))


def _within(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
            band: tuple[float, float]) -> tuple[Array, Array, Array, Array, NDArray[np.bool_]]:
    n = len(paths)
    f, hb, hm = (spread(x, n) for x in (frequency_mhz, tx_height_m, rx_height_m))
    d = paths.distance_m
    known = ((band[0] <= f) & (f <= band[1]) & (hb >= 30.0) & (hb <= 200.0) & (hm >= 1.0)
             & (hm <= 10.0) & (d >= 1000.0) & (d <= 20_000.0))
    return f, d, hb, hm, known


def hata(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
         medium: Medium) -> Array:
    """Return the loss by Okumura-Hata, (paths,) dB; only the length of a path counts.

    `medium.environment` is used.  NaN outside 150 to 1,500 MHz, 1 to 20 km,
    base 30 to 200 m, mobile 1 to 10 m.
    """
    f, d, hb, hm, known = _within(paths, frequency_mhz, tx_height_m, rx_height_m, (150.0, 1500.0))
    out = np.full(len(paths), np.nan)
    out[known] = hata_loss_db(f[known], d[known], hb[known], hm[known], medium.environment)
    return out


def cost231(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
            medium: Medium) -> Array:
    """Return the loss by COST 231-Hata, (paths,) dB; only the length of a path counts.

    As `hata`, for 1,500 to 2,000 MHz.
    """
    f, d, hb, hm, known = _within(paths, frequency_mhz, tx_height_m, rx_height_m, (1500.0, 2000.0))
    out = np.full(len(paths), np.nan)
    out[known] = cost231_loss_db(f[known], d[known], hb[known], hm[known], medium.environment)
    return out
