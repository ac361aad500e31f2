"""Terrain as the Irregular Terrain Model sees it: horizons, roughness, effective heights.

Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm"
(NTIA), sections on point-to-point preparation.  Equally spaced heights,
metres, radians.  Compiled.
"""

from __future__ import annotations

import math

import numpy as np

from phusong.radio.compiled import compiled

__all__ = ["MOST_SAMPLES", "describe_terrain"]

MOST_SAMPLES = 245
"""Largest number of samples that the roughness of a path is taken from."""


@compiled
def _horizons(z, step, h_tx, h_rx, radius):
    """Return (theta_tx, theta_rx, d_tx, d_rx): elevations and distances of the horizons."""
    n = z.shape[0] - 1
    d = n * step
    top_tx, top_rx = z[0] + h_tx, z[n] + h_rx
    theta_tx = (top_rx - top_tx) / d - d / (2.0 * radius)
    theta_rx = (top_tx - top_rx) / d - d / (2.0 * radius)
    d_tx, d_rx = d, d
    from_tx, from_rx = 0.0, d
    for i in range(1, n):
        from_tx += step
        from_rx -= step
        up = (z[i] - top_tx) / from_tx - from_tx / (2.0 * radius)
        if up > theta_tx:
            theta_tx, d_tx = up, from_tx
        up = (z[i] - top_rx) / from_rx - from_rx / (2.0 * radius)
        if up > theta_rx:
            theta_rx, d_rx = up, from_rx
    return theta_tx, theta_rx, d_tx, d_rx


@compiled
def _fitted_line(z, step, start, end):
    """Return the heights at both ends of the profile of a line fitted from `start` to `end`."""
    n = z.shape[0] - 1
    first = int(max(start / step, 0.0))
    last = n - int(max(n - end / step, 0.0))
    if last <= first:
        first = max(first - 1, 0)
        last = n - max(n - (last + 1), 0)
    length = float(last - first)
    x = -0.5 * length
    middle = last + x
    mean = 0.5 * (z[first] + z[last])
    slope = 0.5 * (z[first] - z[last]) * x
    for i in range(first + 1, last):
        x += 1.0
        mean += z[i]
        slope += z[i] * x
    mean /= length
    slope = slope * 12.0 / ((length * length + 2.0) * length)
    return mean - slope * middle, mean + slope * (n - middle)


@compiled
def _select(s, low, k):
    """Reorder ``s[low:]`` so that ``s[k]`` is what it would be if sorted; return it.

    Hoare's selection; afterwards nothing before `k` is greater and nothing
    behind it is less.
    """
    high = s.shape[0] - 1
    while low < high:
        first, middle, last = s[low], s[(low + high) // 2], s[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while s[i] < pivot:
                i += 1
            while s[j] > pivot:
                j -= 1
            if i <= j:
                s[i], s[j] = s[j], s[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return s[k]


@compiled
def _roughness(z, step, start, end, room):
    """Return delta h: interdecile range of heights about a fitted line, stretched to infinity.

    `room` is scratch space for `MOST_SAMPLES` values.
    """
    n = z.shape[0] - 1
    at, stop = start / step, end / step
    if stop - at < 2.0:
        return 0.0
    tenth = min(max(4, int(0.1 * (stop - at + 8.0))), 25)
    count = 10 * tenth - 5
    stride = (stop - at) / (count - 1)
    i = int(at)
    at -= i + 1.0
    s = room[:count]
    for j in range(count):
        while at > 0.0 and i + 1 < n:
            at -= 1.0
            i += 1
        s[j] = z[i + 1] + (z[i + 1] - z[i]) * at
        at += stride
    low, high = _fitted_line(s, 1.0, 0.0, float(count - 1))
    rise = (high - low) / (count - 1)
    for j in range(count):
        s[j] -= low
        low += rise
    low = _select(s, 0, tenth - 1)
    spread = _select(s, tenth, count - tenth) - low
    return spread / (1.0 - 0.8 * math.exp(-(end - start) / 50e3))


@compiled
def _smooth_horizon(height, radius, delta_h):
    """Return the distance of the horizon over rough ground from an effective height."""
    return (math.sqrt(2.0 * height * radius)
            * math.exp(-0.07 * math.sqrt(delta_h / max(height, 5.0))))


@compiled
def describe_terrain(z, step, h_tx, h_rx, radius, room, out):
    """Fill `out` with what the model takes from a profile.

    Parameters
    ----------
    z : (samples,) float64
        Heights above sea level, m, equally spaced.
    step : float
        Spacing, m.
    h_tx, h_rx : float
        Antenna heights above ground, m.
    radius : float
        Effective Earth radius, m.
    room : (MOST_SAMPLES,) float64
        Scratch space.
    out : (7,) float64
        theta_tx, theta_rx (rad), d_tx, d_rx (m), effective heights of both
        ends (m), delta h (m).
    """
    n = z.shape[0] - 1
    d = n * step
    theta_tx, theta_rx, d_tx, d_rx = _horizons(z, step, h_tx, h_rx, radius)
    start = min(15.0 * h_tx, 0.1 * d_tx)
    end = d - min(15.0 * h_rx, 0.1 * d_rx)
    delta_h = _roughness(z, step, start, end, room)
    if d_tx + d_rx > 1.5 * d:
        fit_tx, fit_rx = _fitted_line(z, step, start, end)
    else:
        fit_tx = _fitted_line(z, step, start, 0.9 * d_tx)[0]
        fit_rx = _fitted_line(z, step, d - 0.9 * d_rx, end)[1]
    e_tx = h_tx + max(z[0] - fit_tx, 0.0)
    e_rx = h_rx + max(z[n] - fit_rx, 0.0)
    if d_tx + d_rx > 1.5 * d:
        d_tx = _smooth_horizon(e_tx, radius, delta_h)
        d_rx = _smooth_horizon(e_rx, radius, delta_h)
        if d_tx + d_rx <= d:
            grow = (d / (d_tx + d_rx)) ** 2
            e_tx, e_rx = e_tx * grow, e_rx * grow
            d_tx = _smooth_horizon(e_tx, radius, delta_h)
            d_rx = _smooth_horizon(e_rx, radius, delta_h)
        q = math.sqrt(2.0 * e_tx * radius)
        theta_tx = (0.65 * delta_h * (q / d_tx - 1.0) - 2.0 * e_tx) / q
        q = math.sqrt(2.0 * e_rx * radius)
        theta_rx = (0.65 * delta_h * (q / d_rx - 1.0) - 2.0 * e_rx) / q
    out[:] = np.array((theta_tx, theta_rx, d_tx, d_rx, e_tx, e_rx, delta_h))
