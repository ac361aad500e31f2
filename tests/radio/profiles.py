"""Terrain profiles for tests, drawn by hypothesis or made by formula."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from phusong.paths import Paths, pack


def ridge(distance_m: float, count: int, at: int, height_m: float) -> Paths:
    """Flat land at sea level with one sharp edge."""
    heights = np.zeros(count)
    heights[at] = height_m
    return pack([np.linspace(0.0, distance_m, count)], [heights])


def rolling(seed: int, count: int, distance_m: float, roughness_m: float) -> Paths:
    """A random walk of heights."""
    steps = np.random.default_rng(seed).normal(0.0, roughness_m, count)
    heights: NDArray[np.float64] = 300.0 + np.cumsum(steps)
    return pack([np.linspace(0.0, distance_m, count)], [heights])


def join(paths: list[Paths]) -> Paths:
    """Pack single paths behind each other."""
    return pack([p.along_m for p in paths], [p.heights_m for p in paths])


rolling_paths = st.builds(rolling, st.integers(0, 10**6), st.integers(9, 120),
                          st.floats(1000.0, 40_000.0), st.floats(0.0, 12.0))

frequencies = st.floats(100.0, 5900.0)
masts = st.floats(5.0, 80.0)
handsets = st.floats(1.5, 15.0)
