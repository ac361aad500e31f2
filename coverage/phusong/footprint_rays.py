"""Rays round a mast, and which pixel is looked at along which ray.

Rays leave the mast at equal angles, so many that their ends lie a fraction of
a pixel apart.  A pixel's profile is the nearest ray up to `APPROACH` steps
before the pixel, then the last samples of its own profile and its centre:
close to a handset on the ground every metre counts.  Rays depend on the mast,
its reach and the pixel size alone, not on what else is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.geo import DEGREES, transform
from phusong.terrain import Terrain
from phusong.terrain_kernels import fill_profiles, sample_grid

__all__ = ["APPROACH", "RAYS_PER_PIXEL", "Grid", "Rays"]

APPROACH = 4
"""How many samples before a pixel lie on its own profile."""

RAYS_PER_PIXEL = 2.0
"""Rays for each pixel of the circle at the end of the reach."""

NODE = 32
"""Every so many pixels positions are carried to other systems; between, they are interpolated
(30 km of a straight line bow by 19 m in degrees; 3 km by 0.2 m)."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def _between(nodes, row0, column0, out):
    """Fill `out` (layers, rows, columns) from `nodes` (layers, m, n) that stand NODE pixels apart.

    The pixel in row 0, column 0 stands `row0`, `column0` pixels from the first node.
    """
    for i in range(out.shape[1]):
        v = (row0 + i) / NODE
        k = min(int(v), nodes.shape[1] - 2)
        v -= k
        for j in range(out.shape[2]):
            u = (column0 + j) / NODE
            m = min(int(u), nodes.shape[2] - 2)
            u -= m
            for layer in range(out.shape[0]):
                a = nodes[layer, k, m] + (nodes[layer, k, m + 1] - nodes[layer, k, m]) * u
                b = (nodes[layer, k + 1, m]
                     + (nodes[layer, k + 1, m + 1] - nodes[layer, k + 1, m]) * u)
                out[layer, i, j] = a + (b - a) * v


@dataclass(frozen=True, slots=True)
class Grid:
    """Whole pixels of a grid through (0, 0) of the working CRS.

    Parameters
    ----------
    pixel_m : float
        Side of a pixel.
    row, column : int
        Number of the first row (counted southwards) and column (eastwards).
    rows, columns : int
        How many there are.
    """

    pixel_m: float
    row: int
    column: int
    rows: int
    columns: int

    @classmethod
    def over(cls, box: tuple[float, float, float, float], pixel_m: float) -> Grid:
        """Return the pixels that a box (left, bottom, right, top) touches."""
        left, bottom, right, top = (v / pixel_m for v in box)
        column, row = math.floor(left), math.floor(-top)
        return cls(pixel_m, row, column, math.ceil(-bottom) - row, math.ceil(right) - column)

    def within(self, other: Grid) -> Grid:
        """Return the pixels that both have (rows or columns may be none)."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        last_row = min(self.row + self.rows, other.row + other.rows)
        last_column = min(self.column + self.columns, other.column + other.columns)
        return Grid(self.pixel_m, row, column, max(last_row - row, 0),
                    max(last_column - column, 0))

    def slices(self, whole: Grid) -> tuple[slice, slice]:
        """Return where these pixels lie in the array of a grid that holds them."""
        i, j = self.row - whole.row, self.column - whole.column
        return slice(i, i + self.rows), slice(j, j + self.columns)

    def centres(self) -> tuple[Floats, Floats]:
        """Return x of the columns and y of the rows, metres."""
        column = np.arange(self.column, self.column + self.columns, dtype=np.float64)
        row = np.arange(self.row, self.row + self.rows, dtype=np.float64)
        return (column + 0.5) * self.pixel_m, -(row + 0.5) * self.pixel_m

    def places(self, terrain: Terrain) -> tuple[Floats, Floats, Floats]:
        """Return terrain column, terrain row and latitude of all centres, (rows, columns) each."""
        first_row, first_column = self.row // NODE, self.column // NODE
        m = (self.row + self.rows) // NODE - first_row + 2
        n = (self.column + self.columns) // NODE - first_column + 2
        x = ((first_column + np.arange(n)) * NODE + 0.5) * self.pixel_m
        y = -((first_row + np.arange(m)) * NODE + 0.5) * self.pixel_m
        x, y = (np.ascontiguousarray(v).ravel() for v in np.meshgrid(x, y))
        column, row = terrain.to_grid(x, y)
        latitude = transform(x, y, terrain.metric_crs, DEGREES)[1]
        nodes = np.stack([column, row, latitude]).reshape(3, m, n)
        out = np.empty((3, self.rows, self.columns))
        _between(nodes, self.row - first_row * NODE, self.column - first_column * NODE, out)
        return out[0], out[1], out[2]


@njit(cache=True, nogil=True, error_model="numpy")
def _sort_pixels(x, y, wanted, x0, y0, step_m, approach, rays, samples):
    """Sort wanted pixels by ray, then outwards; return pixel numbers, first and samples before.

    Returns
    -------
    pixel : (wanted,) int64
        Number of the pixel, row by row.
    first : (rays + 1,) int64
        Where each ray begins in `pixel`.
    before : (wanted,) int64
        Samples of the ray that lie at least half a step before the approach of the pixel.
    """
    rows, columns = wanted.shape
    ray, ahead = np.empty(wanted.size, np.int64), np.empty(wanted.size, np.int64)
    pixel = np.empty(wanted.size, np.int64)
    per_turn = rays / (2.0 * math.pi)
    number = 0
    by_ray, by_ahead = np.zeros(rays + 1, np.int64), np.zeros(samples + 1, np.int64)
    for i in range(rows):
        dy = y[i] - y0
        for j in range(columns):
            if wanted[i, j]:
                dx = x[j] - x0
                turn = int((math.atan2(dx, dy) + 2.0 * math.pi) * per_turn + 0.5) % rays
                steps = math.sqrt(dx * dx + dy * dy) / step_m
                own = approach * steps / math.ceil(steps)
                steps = min(max(int(steps - own + 0.5), 1), samples)
                pixel[number], ray[number], ahead[number] = i * columns + j, turn, steps
                by_ray[turn + 1] += 1
                by_ahead[steps] += 1
                number += 1
    for k in range(rays):
        by_ray[k + 1] += by_ray[k]
    for k in range(samples):
        by_ahead[k + 1] += by_ahead[k]
    # two stable counting sorts: by samples before, then by ray
    order = np.empty(number, np.int64)
    for k in range(number):
        steps = ahead[k] - 1
        order[by_ahead[steps]] = k
        by_ahead[steps] += 1
    first = by_ray.copy()
    sorted_pixel, before = np.empty(number, np.int64), np.empty(number, np.int64)
    for i in range(number):
        k = order[i]
        at = by_ray[ray[k]]
        sorted_pixel[at], before[at] = pixel[k], ahead[k]
        by_ray[ray[k]] = at + 1
    return sorted_pixel, first, before


@dataclass(frozen=True, slots=True)
class Rays:
    """Rays from one mast, and the pixels looked at along them.

    Parameters
    ----------
    ends : (rays, 6) float64
        Terrain column and row of the mast, of the middle and of the end of each ray
        that has pixels.
    step_m : float
        Spacing of samples along a ray.
    samples : int
        Samples of each ray, the mast included.
    pixel, before : (pixels,) int64
        Pixel numbers (row by row in their grid), sorted by ray and outwards,
        and how many samples lie before each.
    first : (rays + 1,) int64
        Where each ray begins in `pixel`.
    """

    ends: Floats
    step_m: float
    samples: int
    pixel: Ints
    before: Ints
    first: Ints

    @classmethod
    def of(cls, terrain: Terrain, grid: Grid, wanted: NDArray[np.bool_], x0: float, y0: float,
           reach_m: float, step_m: float) -> Rays:
        """Lay rays round (x0, y0) over the `wanted` pixels of a grid, none beyond `reach_m`."""
        count = max(8, math.ceil(RAYS_PER_PIXEL * 2.0 * math.pi * reach_m / grid.pixel_m))
        samples = math.ceil(reach_m / step_m) + 1
        x, y = grid.centres()
        pixel, first, before = _sort_pixels(x, y, wanted, x0, y0, step_m, APPROACH, count,
                                           samples)
        used = np.flatnonzero(np.diff(first))
        angle, length = used.astype(np.float64) * (2.0 * math.pi / count), (samples - 1) * step_m
        away = np.outer([0.5, 1.0], length * np.sin(angle)), np.outer([0.5, 1.0],
                                                                      length * np.cos(angle))
        ends = np.empty((used.size, 6))
        ends[:, 0:1], ends[:, 1:2] = terrain.to_grid(x0, y0)
        column, row = terrain.to_grid((x0 + away[0]).ravel(), (y0 + away[1]).ravel())
        ends[:, 2], ends[:, 4] = column.reshape(2, -1)
        ends[:, 3], ends[:, 5] = row.reshape(2, -1)
        return cls(ends, step_m, samples, pixel, before, np.append(first[used], first[-1]))

    def __len__(self) -> int:
        return int(self.ends.shape[0])

    def part(self, begin: int, end: int) -> Rays:
        """Return rays number `begin` to `end` - 1 with their pixels."""
        a, b = self.first[begin], self.first[end]
        return Rays(self.ends[begin:end], self.step_m, self.samples, self.pixel[a:b],
                    self.before[a:b], self.first[begin:end + 1] - a)

    def profiles(self, terrain: Terrain) -> tuple[Floats, Floats, Ints]:
        """Cut the terrain along the rays; return distances, heights and offsets, packed."""
        length = np.full(len(self), (self.samples - 1) * self.step_m)
        offsets = np.arange(len(self) + 1) * self.samples
        along, heights = np.empty(offsets[-1]), np.empty(offsets[-1])
        fill_profiles(terrain.heights, self.ends, length, offsets, along, heights)
        return along, heights, offsets

    def approaches(self, terrain: Terrain, column: Floats, row: Floats,
                   distance_m: Floats) -> tuple[Floats, Floats]:
        """Return spacing (pixels,) and heights (pixels, APPROACH) of the samples before pixels.

        They are those of the pixel's own profile, as `Terrain.profiles` would
        cut it, but for the bow of a straight line over so short a way.

        Parameters
        ----------
        terrain : Terrain
            The ground.
        column, row : (pixels,) float64
            Pixels on the terrain's grid.
        distance_m : (pixels,) float64
            From the mast.
        """
        spacing = distance_m / np.ceil(distance_m / self.step_m)
        back = (spacing / distance_m)[:, None] * np.arange(APPROACH, 0, -1)
        column, row = column[:, None], row[:, None]
        heights = np.empty(back.size)
        sample_grid(terrain.heights, (column + (self.ends[0, 0] - column) * back).ravel(),
                    (row + (self.ends[0, 1] - row) * back).ravel(), heights)
        return spacing, heights.reshape(back.shape)
