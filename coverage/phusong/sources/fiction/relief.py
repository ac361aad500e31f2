"""Mountain relief from a seed: uplifted ranges, fractal roughness, rivers that carve valleys."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage

from phusong.sources.fiction.erosion import as_grid, carve
from phusong.sources.fiction.sizes import Scale

__all__ = ["VOID", "Relief", "coarsen", "fractal", "grown", "make_relief", "slope_of"]

VOID = -32768
"""Value of a void in the terrain file, as in SRTM tiles."""

_M_PER_ARCSEC = 30.87
_ERODIBILITY = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """Terrain of a fictional study on its own grid, in degrees.

    Parameters
    ----------
    heights : (rows, columns) int16 array
        Metres above sea level, without voids.
    voids : (rows, columns) bool array
        Where the terrain file has no value.
    transform : Affine
        From (column, row) of a pixel's upper left corner to (longitude, latitude).
    drained_km2 : (rows / 2^k, columns / 2^k) float32 array
        Area that drains through each cell of the planning grid.
    """

    heights: NDArray[np.int16]
    voids: NDArray[np.bool_]
    transform: Affine
    drained_km2: NDArray[np.float32]

    @property
    def pixel_m(self) -> tuple[float, float]:
        """Height and width of a pixel, metres."""
        lat = self.transform.f + self.transform.e * self.heights.shape[0] / 2
        return (-self.transform.e * 110_700.0,
                self.transform.a * 111_320.0 * math.cos(math.radians(lat)))

    def sample(self, column: NDArray[np.float64], row: NDArray[np.float64]
               ) -> NDArray[np.float64]:
        """Return heights at fractional (column, row) of pixel corners, nearest pixel."""
        r = np.clip(row.astype(np.int64), 0, self.heights.shape[0] - 1)
        c = np.clip(column.astype(np.int64), 0, self.heights.shape[1] - 1)
        return self.heights[r, c].astype(np.float64)


def fractal(shape: tuple[int, int], slope: float, rng: np.random.Generator, *,
            longest: float = 1.0) -> NDArray[np.float32]:
    """Return a periodic fractal field with mean 0 and standard deviation 1.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    slope : float
        Amplitudes fall with frequency to the power of minus `slope`.
    rng : numpy Generator
        Source of chance.
    longest : float
        Longest wavelength, in units of the larger side.
    """
    rows, columns = shape
    fy = np.fft.fftfreq(rows)[:, None] * max(shape)
    fx = np.fft.rfftfreq(columns)[None, :] * max(shape)
    frequency = np.hypot(fy, fx)
    amplitude = np.zeros_like(frequency)
    keep = frequency >= 0.99 / longest
    amplitude[keep] = frequency[keep] ** -slope
    phase = rng.standard_normal((2, *amplitude.shape))
    field = np.fft.irfft2(amplitude * (phase[0] + 1j * phase[1]), s=shape)
    return ((field - field.mean()) / field.std()).astype(np.float32)


def grown(transform: Affine, factor: int) -> Affine:
    """Return the transform of a grid whose cells are `factor` pixels wide."""
    t = transform
    return Affine(t.a * factor, t.b, t.c, t.d, t.e * factor, t.f)


def coarsen(values: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Return block means over `factor` x `factor` pixels."""
    rows, columns = values.shape[0] // factor, values.shape[1] // factor
    cut = values[:rows * factor, :columns * factor]
    return cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3), dtype=np.float32)


def slope_of(heights: NDArray[np.generic], cell_m: float) -> NDArray[np.float32]:
    """Return the slope of a grid of heights, degrees."""
    dy, dx = np.gradient(heights.astype(np.float32), np.float32(cell_m))
    return np.degrees(np.arctan(np.hypot(dx, dy))).astype(np.float32)


def make_relief(scale: Scale, rng: np.random.Generator) -> Relief:
    """Make the terrain of a study.

    Ranges are lifted along the north-west to south-east grain of northern Indochina, rivers
    carve them on ever finer grids, floors of large valleys are filled.
    """
    coarse = 2 ** (len(scale.levels) - 1)
    pad = max(8, scale.rows // coarse // 8)
    shape = (scale.rows // coarse + 2 * pad, scale.columns // coarse + 2 * pad)
    cell_m = scale.arcsec * _M_PER_ARCSEC * coarse
    uplift = _uplift(shape, cell_m, rng)
    heights = 40.0 + 60.0 * fractal(shape, 1.2, rng)
    area = np.zeros(shape, np.float32)
    for level, steps in enumerate(scale.levels):
        if level:
            heights, uplift = _refine(heights), _refine(uplift)
            heights += np.float32(cell_m * 0.012) * _tiled(heights.shape, 1.3, rng)
            if steps < 0:
                heights += _crags(heights, cell_m, rng)
            cell_m /= 2
        if steps > 0:
            soft = _ERODIBILITY * np.exp(0.45 * rng.standard_normal(heights.shape, np.float32)
                                         + 0.35 * fractal(heights.shape, 1.0, rng))
            heights, area = carve(as_grid(heights), as_grid(uplift), as_grid(soft), cell_m, steps)
            heights = _relax(heights, cell_m)
            heights = _fill_floors(heights, area, cell_m)
    edge = pad * coarse
    heights = heights[edge:edge + scale.rows, edge:edge + scale.columns]
    share = heights.shape[0] // (area.shape[0] - 2 * edge * area.shape[0] // (
        scale.rows + 2 * edge))
    edge //= share
    area = area[edge:edge + scale.rows // share, edge:edge + scale.columns // share] / 1e6
    metres = _to_metres(heights, scale)
    pixel = scale.arcsec / 3600
    return Relief(metres, _voids(metres, scale, rng),
                  Affine(pixel, 0, scale.west, 0, -pixel, scale.north),
                  area.astype(np.float32))


def _to_metres(heights: NDArray[np.float32], scale: Scale) -> NDArray[np.int16]:
    """Stretch heights to the wanted range; broad swells give way where there is no room."""
    lowest, highest = scale.heights_m
    if float(np.ptp(heights)) > 1.3 * (highest - lowest):
        cell_km = scale.arcsec * _M_PER_ARCSEC / 1000 * 16
        swell = ndimage.gaussian_filter(coarsen(heights, 16), 14 / cell_km, mode="nearest")
        swell -= swell.mean()
        swell *= np.float32(1.0 - 0.32 * (highest - lowest) / np.ptp(swell))
        heights = heights - ndimage.zoom(swell, 16, order=1, mode="nearest", grid_mode=True)
    low, high = float(np.percentile(heights, 0.02)), float(heights.max())
    metres = heights - np.float32(low)
    metres *= np.float32((highest - lowest) / (high - low))
    metres += np.float32(lowest)
    return np.clip(np.rint(metres), lowest - 5, highest).astype(np.int16)


def _uplift(shape: tuple[int, int], cell_m: float, rng: np.random.Generator
            ) -> NDArray[np.float32]:
    """Uplift per step: parallel ranges that run north-west to south-east, and basins."""
    y, x = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    bend = fractal(shape, 2.2, rng, longest=0.8)
    across = (x - y) / math.sqrt(2) * cell_m / 1000
    length = max(9.0, min(38.0, 0.3 * max(shape) * cell_m / 1000))
    ranges = 0.5 + 0.5 * np.sin(2 * math.pi * (across / length + 0.28 * bend))
    blocks = 1 / (1 + np.exp(-1.8 * fractal(shape, 2.0, rng, longest=0.7)))
    tilt = 1.15 - 0.5 * (x / shape[1] * 0.6 + y / shape[0] * 0.4)
    return (cell_m * 0.06 * tilt * (0.45 + ranges * (0.25 + 0.8 * blocks))).astype(np.float32)


def _refine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return ndimage.zoom(values, 2, order=1, mode="nearest", grid_mode=True)


def _tiled(shape: tuple[int, ...], slope: float, rng: np.random.Generator
           ) -> NDArray[np.float32]:
    """Fractal noise made from one periodic tile, so that memory stays small."""
    side = min(1024, max(64, 2 ** math.ceil(math.log2(max(shape)))))
    tile = fractal((side, side), slope, rng, longest=0.1)
    times = [-(-n // side) for n in shape]
    return np.tile(tile, times)[:shape[0], :shape[1]]


def _crags(heights: NDArray[np.float32], cell_m: float, rng: np.random.Generator
           ) -> NDArray[np.float32]:
    """Roughness where no drainage is computed any more: strong on slopes, none on floors."""
    dy, dx = np.gradient(heights, np.float32(cell_m))
    rough: NDArray[np.float32] = np.hypot(dx, dy)
    del dx, dy
    rough = np.minimum(rough, np.float32(0.6))
    rough *= np.float32(0.5 * cell_m) * _tiled(heights.shape, 1.5, rng)
    return rough


def _relax(heights: NDArray[np.float32], cell_m: float) -> NDArray[np.float32]:
    """Soften slopes a little, as soil creep does."""
    return (0.6 * heights + 0.4 * ndimage.gaussian_filter(heights, 0.8)).astype(np.float32)


def _fill_floors(heights: NDArray[np.float32], area: NDArray[np.float32], cell_m: float
                 ) -> NDArray[np.float32]:
    """Give large rivers a flat valley floor whose width grows with the drained area."""
    river = area > 8.0e6
    if not river.any():
        return heights
    distance, (r, c) = ndimage.distance_transform_edt(~river, return_indices=True)
    width = 130.0 * (area[r, c] / 8.0e6) ** 0.33
    t = np.clip(distance.astype(np.float32) * np.float32(cell_m) / width * 1.5 - 0.5, 0, 1)
    floor = heights[r, c]
    return np.where(t < 1, floor + (heights - floor) * t * t * (3 - 2 * t), heights)


def _voids(heights: NDArray[np.int16], scale: Scale, rng: np.random.Generator
           ) -> NDArray[np.bool_]:
    """Small holes on steep slopes, as radar shadow leaves them in SRTM."""
    voids = np.zeros(heights.shape, bool)
    rows, columns = heights.shape
    tries = scale.void_count * 6
    r = rng.integers(12, rows - 12, tries)
    c = rng.integers(12, columns - 12, tries)
    steep = np.abs(heights[r + 2, c].astype(np.int32) - heights[r - 2, c])
    for k in np.argsort(-steep, kind="stable")[:scale.void_count]:
        tall, wide = rng.integers(2, 6), rng.integers(1, 4)
        y, x = np.ogrid[-6:7, -6:7]
        blob = (y / tall) ** 2 + ((x + 0.4 * y) / wide) ** 2 <= 1
        voids[r[k] - 6:r[k] + 7, c[k] - 6:c[k] + 7] |= blob
    return voids
