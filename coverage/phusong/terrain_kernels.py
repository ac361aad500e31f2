"""Compiled walks over a height grid: sampling, profiles, horizons.

Grid coordinates count pixel centres: the centre of the pixel in row 0, column
0 is (0.0, 0.0).  The outer half of the border pixels belongs to the grid;
farther out nothing is known.  A height between four pixels of which one is
void is not known.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["fill_clutter", "fill_profiles", "horizons", "sample_grid"]

BATCH = 64
"""Samples whose places are computed at once."""


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _bilinear(heights, column, row):
    """Return the height at grid coordinates, metres; NaN where it is not known."""
    rows, columns = heights.shape
    if not (column >= -0.5 and row >= -0.5 and column <= columns - 0.5 and row <= rows - 0.5):
        return math.nan
    column = min(max(column, 0.0), columns - 1.0)
    row = min(max(row, 0.0), rows - 1.0)
    j = min(int(column), columns - 2)
    i = min(int(row), rows - 2)
    u = column - j
    v = row - i
    above = float(heights[i, j]) + (float(heights[i, j + 1]) - float(heights[i, j])) * u
    below = float(heights[i + 1, j]) + (float(heights[i + 1, j + 1])
                                        - float(heights[i + 1, j])) * u
    return above + (below - above) * v


@njit(cache=True, nogil=True, error_model="numpy")
def sample_grid(heights, columns, rows, out):
    """Fill `out` with the bilinear heights at grid coordinates `columns`, `rows`."""
    for k in range(out.shape[0]):
        out[k] = _bilinear(heights, columns[k], rows[k])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _well_inside(heights, ends):
    """Tell whether a path keeps at least one pixel away from the edge of the grid.

    Between three points that keep two pixels away, a parabola bowed by less
    than one pixel does.
    """
    rows, columns = heights.shape
    inside = True
    for k in range(0, 6, 2):
        inside &= 2.0 <= ends[k] <= columns - 3.0
        inside &= 2.0 <= ends[k + 1] <= rows - 3.0
    bow_c = 2.0 * (ends[0] + ends[4]) - 4.0 * ends[2]
    bow_r = 2.0 * (ends[1] + ends[5]) - 4.0 * ends[3]
    return inside and abs(bow_c) < 4.0 and abs(bow_r) < 4.0


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_inside(heights, c0, r0, tilt_c, tilt_r, bow_c, bow_r, length, along_m, out, share, right,
                 below, pixel):
    """Fill one path that lies well inside the grid.

    First where the samples of a batch lie (arithmetic that the compiler does
    several at a time), then what stands there (memory).  The first three
    pairs are start, slope and bow of the path in grid coordinates; `right`,
    `below` and `pixel` are room for one batch.
    """
    columns = heights.shape[1]
    flat = heights.reshape(heights.size)
    one, row = np.uint64(1), np.uint64(columns)
    for begin in range(0, along_m.shape[0], BATCH):
        count = min(BATCH, along_m.shape[0] - begin)
        for i in range(count):
            t = (begin + i) * share
            along_m[begin + i] = t * length
            u = c0 + t * (tilt_c + t * bow_c)
            v = r0 + t * (tilt_r + t * bow_r)
            j, k = np.int32(u), np.int32(v)
            right[i], below[i] = u - j, v - k
            pixel[i] = np.int64(k) * columns + j
        for i in range(count):
            at = np.uint64(pixel[i])
            here, east = float(flat[at]), float(flat[at + one])
            south, across = float(flat[at + row]), float(flat[at + row + one])
            upper = here + (east - here) * right[i]
            lower = south + (across - south) * right[i]
            out[begin + i] = upper + (lower - upper) * below[i]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_profiles(heights, ends, distance_m, offsets, along_m, out):
    """Cut profiles out of a grid, sample by sample.

    Parameters
    ----------
    heights : (rows, columns) float32
        Heights, NaN = void.
    ends : (paths, 6) float64
        Grid column and row of the transmitter, of the middle and of the
        receiver of each path.  Samples lie on the parabola through the three.
    distance_m : (paths,) float64
        Plan length.
    offsets : (paths + 1,) int64
        Where each path begins in `along_m` and `out`.
    along_m, out : (samples,) float64
        Filled: distance from the transmitter and height, metres.
    """
    right, below, pixel = np.empty(BATCH), np.empty(BATCH), np.empty(BATCH, np.int64)
    for k in range(distance_m.shape[0]):
        a, last = offsets[k], offsets[k + 1] - offsets[k] - 1
        c0, r0, c2, r2 = ends[k, 0], ends[k, 1], ends[k, 4], ends[k, 5]
        bow_c = 2.0 * (c0 + c2) - 4.0 * ends[k, 2]
        bow_r = 2.0 * (r0 + r2) - 4.0 * ends[k, 3]
        tilt_c = c2 - c0 - bow_c
        tilt_r = r2 - r0 - bow_r
        share = 1.0 / last
        length = distance_m[k]
        if _well_inside(heights, ends[k]):
            _fill_inside(heights, c0, r0, tilt_c, tilt_r, bow_c, bow_r, length,
                         along_m[a:a + last], out[a:a + last], share, right, below, pixel)
        else:
            for i in range(1, last):
                t = i * share
                along_m[a + i] = t * length
                out[a + i] = _bilinear(heights, c0 + t * (tilt_c + t * bow_c),
                                       r0 + t * (tilt_r + t * bow_r))
        along_m[a] = 0.0
        out[a] = _bilinear(heights, c0, r0)
        along_m[a + last] = length
        out[a + last] = _bilinear(heights, c2, r2)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_clutter(clutter, ends, distance_m, offsets, clear_m, out):
    """Fill `out` with the clutter height of the pixel that holds each sample.

    Parameters
    ----------
    clutter : (rows, columns) float32
        Metres above ground, NaN = not known.
    ends, distance_m, offsets : arrays
        As in `fill_profiles`.
    clear_m : float
        Samples nearer than this to an end, and the ends, are free of clutter.
    out : (samples,) float64
        Filled; NaN where clutter is not known.
    """
    rows, columns = clutter.shape
    for k in range(distance_m.shape[0]):
        a, last = offsets[k], offsets[k + 1] - offsets[k] - 1
        c0, r0, c2, r2 = ends[k, 0], ends[k, 1], ends[k, 4], ends[k, 5]
        bow_c = 2.0 * (c0 + c2) - 4.0 * ends[k, 2]
        bow_r = 2.0 * (r0 + r2) - 4.0 * ends[k, 3]
        tilt_c = c2 - c0 - bow_c
        tilt_r = r2 - r0 - bow_r
        share = 1.0 / last
        out[a] = 0.0
        out[a + last] = 0.0
        for i in range(1, last):
            t = i * share
            along = t * distance_m[k]
            if along < clear_m or distance_m[k] - along < clear_m:
                out[a + i] = 0.0
                continue
            u = math.floor(c0 + t * (tilt_c + t * bow_c) + 0.5)
            v = math.floor(r0 + t * (tilt_r + t * bow_r) + 0.5)
            if 0 <= u < columns and 0 <= v < rows:
                out[a + i] = clutter[int(v), int(u)]
            else:
                out[a + i] = math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def horizons(heights, ends, length_m, samples, eye_m, radius_m, out):
    """Fill `out` with the elevation of the terrain horizon along rays, degrees.

    Parameters
    ----------
    heights, ends : arrays
        As in `fill_profiles`; a ray begins at the eye.
    length_m : float
        Length of every ray.
    samples : int
        Samples on every ray, the eye not counted.
    eye_m : (rays,) float64
        Height of the eye above the ground.
    radius_m : float
        Effective Earth radius.
    out : (rays,) float64
        Filled; NaN where any height along the ray is not known.
    """
    for k in range(out.shape[0]):
        c0, r0, c2, r2 = ends[k, 0], ends[k, 1], ends[k, 4], ends[k, 5]
        bow_c = 2.0 * (c0 + c2) - 4.0 * ends[k, 2]
        bow_r = 2.0 * (r0 + r2) - 4.0 * ends[k, 3]
        tilt_c = c2 - c0 - bow_c
        tilt_r = r2 - r0 - bow_r
        eye = _bilinear(heights, c0, r0) + eye_m[k]
        best = -math.inf
        total = eye
        for i in range(1, samples + 1):
            t = i / samples
            d = t * length_m
            height = _bilinear(heights, c0 + t * (tilt_c + t * bow_c),
                               r0 + t * (tilt_r + t * bow_r))
            total += height
            best = max(best, (height - eye) / d - d / (2.0 * radius_m))
        out[k] = math.degrees(math.atan(best)) if math.isfinite(total) else np.nan
