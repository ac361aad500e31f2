"""The air of a country, from the few places where its refractivity is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Places", "refractivity_at"]

Places = Mapping[str, tuple[float, float, float, float]]
"""Name of a place -> longitude and latitude (degrees), delta_n (N-units/km), n0 (N-units)."""


def refractivity_at(longitude_deg: ArrayLike, latitude_deg: ArrayLike,
                    places: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolate refractivity between places, weighted by inverse squared distance.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like
        Where, degrees; (n,).
    places : mapping
        At least one place.

    Returns
    -------
    delta_n, n0 : (n,) float64
        Lapse rate, N-units/km, and sea-level refractivity, N-units: never
        beyond the values of the places, and those themselves there.  The
        effective Earth radius factor is ``157 / (157 - delta_n)``
        (ITU-R P.1812-8 eq 5).
    """
    table = np.array(list(places.values()), float)
    here = _on_sphere(np.atleast_1d(longitude_deg), np.atleast_1d(latitude_deg))
    there = _on_sphere(table[:, 0], table[:, 1])
    square = ((here[:, None, :] - there[None, :, :]) ** 2).sum(axis=2)
    weight = 1.0 / np.maximum(square, 1e-16)
    weight /= weight.sum(axis=1, keepdims=True)
    low, high = table[:, 2:].min(axis=0), table[:, 2:].max(axis=0)
    # column by column, so that a place gets the same bits among others as alone
    found = [np.clip((weight * values).sum(axis=1), a, b)
             for values, a, b in zip(table[:, 2:].T, low, high, strict=True)]
    return found[0], found[1]


def _on_sphere(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.float64]:
    """Return unit vectors, (n, 3)."""
    lon, lat = np.radians(np.asarray(longitude_deg, float)), np.radians(
        np.asarray(latitude_deg, float))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
