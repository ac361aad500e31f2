"""Shortcuts of the kernels against the plain definitions they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from phusong.radio.diffraction import bullington_loss, smooth_bullington_loss
from phusong.radio.profile import (
    extreme_slopes,
    largest_nu,
    largest_nu_in_sight,
    longest_run,
    obstructions,
    sea_share,
    smooth_surface,
)

many = settings(max_examples=100, deadline=None, derandomize=True)
heights = st.floats(0.0, 3.0).map(lambda power: 10.0 ** power)


def spaced(seed: int, count: int, total_km: float, even: bool) -> NDArray[np.float64]:
    """Distances of samples, km, evenly or unevenly spaced."""
    steps = np.ones(count) if even else np.random.default_rng(seed).uniform(0.1, 3.0, count)
    return total_km * np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()


distances = st.builds(spaced, st.integers(0, 10**6), st.integers(2, 200),
                      st.floats(0.25, 300.0), st.booleans())


@many
@given(distances, heights, heights, st.sampled_from([6371.0, 8500.0, 19113.0]),
       st.floats(0.05, 3.0))
def test_smooth_bullington_by_bisection(d: NDArray[np.float64], hts: float, hrs: float,
                                        radius: float, wavelength: float) -> None:
    """Bisection finds what looking at every sample finds (P.1812 4.3.1 with g = 0)."""
    curve, flat = 500.0 / radius, np.zeros_like(d)
    slopes = extreme_slopes(d, flat, hts, hrs, curve)
    nu = largest_nu(d, flat, hts, hrs, curve, wavelength)[0]
    plain = bullington_loss(*slopes, nu, hts, hrs, d[-1], wavelength)
    assert smooth_bullington_loss(d, hts, hrs, curve, wavelength) == pytest.approx(plain, abs=1e-9)


@many
@given(distances, st.integers(0, 10**6), st.floats(0.0, 20.0), heights, heights)
def test_profile_statistics(d: NDArray[np.float64], seed: int, rough: float, up: float,
                            low: float) -> None:
    """One pass gives the maxima that numpy gives, and the fast nu is the plain nu."""
    h = np.random.default_rng(seed).normal(0.0, rough, d.size)
    hts, hrs, curve, i = h[0] + up, h[-1] + low, 500.0 / 8500.0, slice(1, -1)
    rest, tilt = d[-1] - d, (hrs - hts) / d[-1]
    found = obstructions(d, h, hts, hrs, curve)
    seen_tx = (h[i] - hts) / d[i] - curve * d[i]
    seen_rx = (h[i] - hrs) / rest[i] - curve * rest[i]
    above = h[i] - hts - tilt * d[i]
    told = (seen_tx.max(), seen_tx.argmax() + 1, seen_rx.max(), seen_rx.argmax() + 1, above.max(),
            (above / d[i]).max(), (above / rest[i]).max())
    assert found == pytest.approx(told, rel=1e-9, abs=1e-9)
    if seen_tx.max() < tilt - curve * d[-1]:
        plain = largest_nu(d, h, hts, hrs, curve, 0.3)
        fast = largest_nu_in_sight(d, h, hts, hrs, curve, 0.3)
        assert fast == pytest.approx(plain, rel=1e-9)


@many
@given(distances, st.floats(-500.0, 500.0), st.floats(-500.0, 500.0))
def test_smooth_surface_of_a_plane_is_the_plane(d: NDArray[np.float64], left: float,
                                                right: float) -> None:
    plane = left + (right - left) * d / d[-1]
    assert smooth_surface(d, plane) == pytest.approx((left, right), abs=1e-6)


@many
@given(distances, st.integers(0, 10**6))
def test_zones(d: NDArray[np.float64], seed: int) -> None:
    """Shares add up, and runs change half-way between samples."""
    zones = np.random.default_rng(seed).choice(np.array([1, 3, 4], np.int8), d.size)
    middle = np.concatenate([[0.0], 0.5 * (d[1:] + d[:-1]), [d[-1]]])
    width = np.diff(middle)
    assert sea_share(d, zones) == pytest.approx(width[zones == 1].sum() / d[-1], abs=1e-9)
    for lowest in (3, 4):
        best = run = 0.0
        for share, inside in zip(width, zones >= lowest, strict=True):
            run = run + share if inside else 0.0
            best = max(best, run)
        assert longest_run(d, zones, lowest) == pytest.approx(best, abs=1e-9)
    assert longest_run(d, np.empty(0, np.int8), 4) == d[-1]
    assert sea_share(d, np.empty(0, np.int8)) == 0.0
