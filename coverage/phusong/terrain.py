"""The lie of the land: a height grid that can be sampled, cut and looked at.

Heights stay on the grid of the file they came from, in its own CRS; nothing
is resampled.  Positions come in the working CRS of the study, in metres.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from phusong.errors import TerrainError
from phusong.geo import is_metric, parse_crs, transform
from phusong.paths import Paths
from phusong.terrain_kernels import fill_clutter, fill_profiles, horizons, sample_grid

__all__ = ["SHORTEST_PATH_M", "Terrain", "sample_counts"]

SHORTEST_PATH_M = 1.0
"""A path shorter than this is stretched to it: no model holds at the antenna itself."""

Array = NDArray[np.float64]


def sample_counts(distance_m: ArrayLike, step_m: float) -> NDArray[np.int64]:
    """Return how many equally spaced samples a profile of each length has.

    ``max(2, ceil(D / step) + 1)``: the spacing is at most `step_m`, and both
    ends are samples.

    Examples
    --------
    >>> sample_counts([10.0, 60.0, 61.0], 30.0).tolist()
    [2, 3, 4]
    """
    steps = np.ceil(np.asarray(distance_m, float) / step_m).astype(np.int64)
    return np.maximum(steps, 1) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Ground heights on a regular grid.

    Parameters
    ----------
    heights : (rows, columns) array
        Metres above sea level, kept as float32.  NaN = not known (a void is
        never sea level).
    transform : Affine
        From (column, row) of a pixel's upper left corner to (x, y) in `crs`;
        any sign and any rotation.
    crs : CRS, str or int
        Of the grid: geographic or projected.
    metric_crs : CRS, str or int
        Working CRS of the study, in which positions are given.
    source : str
        File and licence.
    clutter : (rows, columns) array, optional
        Height of trees and houses above `heights`, on the same grid, metres;
        NaN = not known; None = none anywhere.  `sample` is ground without it.

    Raises
    ------
    TerrainError
        If the heights are no grid, clutter lies on another one or below
        ground, or `metric_crs` does not count in metres.

    Notes
    -----
    A straight line of the working CRS is carried to the grid through three
    points, its ends and its middle; samples lie on the parabola through them.
    Over 30 km in a grid of degrees this stays within 1 m of the geodesic; a
    straight grid line would be 8 m off at 21 degrees latitude, 19 m at 42.
    """

    heights: NDArray[np.float32]
    transform: Affine
    crs: Any
    metric_crs: Any
    source: str = ""
    clutter: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        heights = np.asarray(self.heights)
        if heights.ndim != 2 or min(heights.shape) < 2:
            raise TerrainError(f"Terrain needs a grid of at least 2 x 2 heights; this one has the "
                               f"shape {heights.shape}.")
        heights = np.ascontiguousarray(heights, dtype=np.float32).view()
        heights.flags.writeable = False
        matrix = Affine(*tuple(self.transform)[:6])
        if matrix.determinant == 0.0:
            raise TerrainError(f"The transform {tuple(matrix)[:6]} of the terrain has pixels of no "
                               f"size. Check the georeferencing of {self.source or 'the file'}.")
        if not is_metric(self.metric_crs):
            raise TerrainError(f'"{self.metric_crs}" cannot be the working CRS: it does not count '
                               f"in metres. Use a UTM zone.")
        if self.clutter is not None:
            clutter = np.ascontiguousarray(self.clutter, dtype=np.float32).view()
            if clutter.shape != heights.shape or np.fmin.reduce(clutter, axis=None) < 0.0:
                raise TerrainError(f"Clutter of the shape {clutter.shape} does not stand on "
                                   f"heights of the shape {heights.shape}: it needs a height "
                                   f">= 0 for each pixel of the same grid.")
            clutter.flags.writeable = False
            object.__setattr__(self, "clutter", clutter)
        for name, value in (("heights", heights), ("transform", matrix),
                            ("crs", parse_crs(self.crs)),
                            ("metric_crs", parse_crs(self.metric_crs))):
            object.__setattr__(self, name, value)

    # -- where ------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the grid."""
        return self.heights.shape[0], self.heights.shape[1]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of the grid's outline in the working CRS, metres."""
        rows, columns = self.shape
        t = np.linspace(0.0, 1.0, 33)
        zero, one = np.zeros_like(t), np.ones_like(t)
        column = columns * np.concatenate([t, one, t, zero])
        row = rows * np.concatenate([zero, t, one, t])
        x, y = transform(*self._from_grid(column - 0.5, row - 0.5), self.crs, self.metric_crs)
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    @property
    def resolution_m(self) -> float:
        """Side of a square as large as the pixel in the middle of the grid, metres."""
        return float(np.sqrt(abs(np.linalg.det(self._jacobians(np.array([self.shape[0] / 2]))[0]))))

    @property
    def share_known(self) -> float:
        """Share of the pixels whose height is known, 0 to 1."""
        return float(np.isfinite(self.heights).mean())

    @property
    def relief_m(self) -> tuple[float, float]:
        """(lowest, highest) known height, metres; NaN if none is known."""
        low = np.fmin.reduce(self.heights, axis=None)
        return float(low), float(np.fmax.reduce(self.heights, axis=None))

    def to_grid(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return (column, row) of positions in the working CRS; whole numbers are pixel centres."""
        gx, gy = transform(np.atleast_1d(x), np.atleast_1d(y), self.metric_crs, self.crs)
        a, b, c, d, e, f = tuple(~self.transform)[:6]
        return a * gx + b * gy + c - 0.5, d * gx + e * gy + f - 0.5

    def _from_grid(self, column: Array, row: Array) -> tuple[Array, Array]:
        """Return x, y in the CRS of the grid."""
        a, b, c, d, e, f = tuple(self.transform)[:6]
        u, v = column + 0.5, row + 0.5
        return a * u + b * v + c, d * u + e * v + f

    def _regridded(self, column: int, row: int, stride: int) -> Affine:
        """Return the transform of every `stride`-th pixel from (column, row) on."""
        a, b, c, d, e, f = tuple(self.transform)[:6]
        return Affine(a * stride, b * stride, a * column + b * row + c,
                      d * stride, e * stride, d * column + e * row + f)

    def _jacobians(self, rows: Array) -> Array:
        """Return d(x, y)/d(column, row) in the middle of given rows, (rows, 2, 2) metres."""
        column = np.full(rows.shape, self.shape[1] / 2)
        steps = [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)]
        x, y = zip(*(transform(*self._from_grid(column + du, rows + dv), self.crs, self.metric_crs)
                     for du, dv in steps), strict=True)
        return np.stack([np.stack([x[0] - x[1], x[2] - x[3]], -1),
                         np.stack([y[0] - y[1], y[2] - y[3]], -1)], -2)

    def window(self, bounds: tuple[float, float, float, float]) -> Terrain:
        """Return the part of the grid that holds a box of the working CRS, plus one pixel.

        Parameters
        ----------
        bounds : (left, bottom, right, top)
            Box in the working CRS, metres.

        Raises
        ------
        TerrainError
            If the grid does not reach the box at all.
        """
        left, bottom, right, top = bounds
        t = np.linspace(0.0, 1.0, 33)
        across, up = left + t * (right - left), bottom + t * (top - bottom)
        zero = np.zeros_like(t)
        column, row = self.to_grid(np.concatenate([across, across, zero + left, zero + right]),
                                   np.concatenate([zero + bottom, zero + top, up, up]))
        rows, columns = self.shape
        j0, j1 = (int(np.clip(np.floor(column.min()) - 1, 0, columns)),
                  int(np.clip(np.ceil(column.max()) + 2, 0, columns)))
        i0, i1 = (int(np.clip(np.floor(row.min()) - 1, 0, rows)),
                  int(np.clip(np.ceil(row.max()) + 2, 0, rows)))
        if j1 - j0 < 2 or i1 - i0 < 2:
            here = ", ".join(f"{v:.0f}" for v in self.bounds)
            raise TerrainError(f"The terrain ({self.source or 'no source'}) reaches from {here} "
                               f"(left, bottom, right, top); the box "
                               f"{', '.join(f'{v:.0f}' for v in bounds)} lies outside. Add a "
                               f"height file that covers it.")
        clutter = None if self.clutter is None else self.clutter[i0:i1, j0:j1]
        return replace(self, heights=self.heights[i0:i1, j0:j1], clutter=clutter,
                       transform=self._regridded(j0, i0, 1))

    # -- heights ----------------------------------------------------------------------------

    def sample(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return ground heights at positions in the working CRS, (n,) metres.

        Bilinear; NaN outside the grid and where one of the four neighbours
        that count is void.
        """
        column, row = self.to_grid(x, y)
        out = np.empty(column.shape[0])
        sample_grid(self.heights, column, row, out)
        return out

    def profiles(self, x0: ArrayLike, y0: ArrayLike, x1: ArrayLike, y1: ArrayLike,
                 step_m: float, *, clear_m: float = 0.0) -> Paths:
        """Cut terrain profiles from transmitters (0) to receivers (1).

        Parameters
        ----------
        x0, y0, x1, y1 : array_like
            Ends in the working CRS, metres; (n,) or scalars.
        step_m : float
            Largest spacing of samples; see `sample_counts`.
        clear_m : float
            Samples nearer than this to an end are free of clutter, as the ends are.

        Returns
        -------
        Paths
            Equally spaced samples; NaN where the height is not known.  Paths
            shorter than `SHORTEST_PATH_M` are given that length.
        """
        if not step_m > 0.0:
            raise TerrainError(f"step_m = {step_m}: the spacing of samples must be positive.")
        ends = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float))
                                     for v in (x0, y0, x1, y1)))
        x0, y0, x1, y1 = ends
        distance = np.maximum(np.hypot(x1 - x0, y1 - y0), SHORTEST_PATH_M)
        return self.profiles_on_grid(self._three_points(x0, y0, x1, y1), distance, step_m, clear_m)

    def _three_points(self, x0: Array, y0: Array, x1: Array, y1: Array) -> Array:
        """Return grid coordinates of begin, middle and end of lines, (n, 6)."""
        places = ((x0, y0), (0.5 * (x0 + x1), 0.5 * (y0 + y1)), (x1, y1))
        return np.stack([part for x, y in places for part in self.to_grid(x, y)], axis=-1)

    def profiles_on_grid(self, ends: Array, distance_m: Array, step_m: float,
                         clear_m: float = 0.0) -> Paths:
        """Cut profiles between places whose grid coordinates are already known.

        Parameters
        ----------
        ends : (n, 6) float64
            (column, row) of transmitter, middle and receiver, as `to_grid` gives them.
        distance_m : (n,) float64
            Plan length, metres, at least `SHORTEST_PATH_M`.
        step_m, clear_m : float
            As for `profiles`.
        """
        offsets = np.zeros(distance_m.shape[0] + 1, np.int64)
        np.cumsum(sample_counts(distance_m, step_m), out=offsets[1:])
        along, heights = np.empty(offsets[-1]), np.empty(offsets[-1])
        ends, clutter = np.ascontiguousarray(ends), None
        fill_profiles(self.heights, ends, distance_m, offsets, along, heights)
        if self.clutter is not None:
            clutter = np.empty(offsets[-1])
            fill_clutter(self.clutter, ends, distance_m, offsets, float(clear_m), clutter)
        return Paths(along, heights, offsets, clutter)

    def horizon_deg(self, x: ArrayLike, y: ArrayLike, height_m: ArrayLike = 2.0,
                    azimuths: ArrayLike = tuple(range(0, 360, 5)), max_m: float = 15_000.0,
                    step_m: float | None = None, *,
                    effective_radius_m: float = 6_371_000.0 * 4.0 / 3.0) -> Array:
        """Return how high the terrain stands round places, seen from there.

        Parameters
        ----------
        x, y : array_like
            Places in the working CRS, metres.
        height_m : array_like
            Height of the eye (the dish, the antenna) above the ground.
        azimuths : array_like
            Directions in degrees, clockwise from grid north.
        max_m : float
            How far to look.
        step_m : float, optional
            Spacing of samples; None = `resolution_m`.
        effective_radius_m : float
            Effective Earth radius; the curved Earth lowers distant ground.

        Returns
        -------
        (n, azimuths) float64
            Elevation of the horizon, degrees, negative where one looks down;
            NaN where any height on the way is not known.
        """
        x, y, eye = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float))
                                          for v in (x, y, height_m)))
        turn = np.radians(np.atleast_1d(np.asarray(azimuths, float)))
        samples = max(1, int(np.ceil(max_m / (self.resolution_m if step_m is None else step_m))))
        out = np.empty((x.shape[0], turn.shape[0]))
        for first in range(0, x.shape[0], 4096):
            part = slice(first, first + 4096)
            px, py = np.repeat(x[part], turn.size), np.repeat(y[part], turn.size)
            count = px.size // turn.size
            qx = px + max_m * np.tile(np.sin(turn), count)
            qy = py + max_m * np.tile(np.cos(turn), count)
            flat = np.empty(px.shape[0])
            horizons(self.heights, self._three_points(px, py, qx, qy), float(max_m), samples,
                     np.repeat(eye[part], turn.size), float(effective_radius_m), flat)
            out[part] = flat.reshape(-1, turn.size)
        return out

    def slope_deg(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return the slope of the ground at places, (n,) degrees, over two pixels' width."""
        x, y = np.broadcast_arrays(np.atleast_1d(np.asarray(x, float)),
                                   np.atleast_1d(np.asarray(y, float)))
        h = self.resolution_m
        east = (self.sample(x + h, y) - self.sample(x - h, y)) / (2.0 * h)
        north = (self.sample(x, y + h) - self.sample(x, y - h)) / (2.0 * h)
        return np.degrees(np.arctan(np.hypot(east, north)))

    # -- pictures ---------------------------------------------------------------------------

    def hillshade(self, azimuth_deg: float = 315.0, altitude_deg: float = 45.0, *,
                  exaggeration: float = 1.0) -> NDArray[np.float32]:
        """Return the relief as light and shadow on the grid itself, (rows, columns).

        Parameters
        ----------
        azimuth_deg, altitude_deg : float
            Where the light comes from: clockwise from grid north, and above
            the horizon.
        exaggeration : float
            Heights are multiplied by it.

        Returns
        -------
        (rows, columns) float32
            0 = in shadow, 1 = facing the light; NaN where the slope is not known.
        """
        by_row, by_column = np.gradient(self.heights)
        by_column, by_row = exaggeration * by_column, exaggeration * by_row
        j = self._jacobians(np.arange(self.shape[0], dtype=float))
        det = np.linalg.det(j)[:, None]
        east = (by_column * j[:, 1, 1, None] - by_row * j[:, 1, 0, None]) / det
        north = (by_row * j[:, 0, 0, None] - by_column * j[:, 0, 1, None]) / det
        azimuth, altitude = np.radians(azimuth_deg), np.radians(altitude_deg)
        facing = np.sin(altitude) - np.cos(altitude) * (east * np.sin(azimuth)
                                                        + north * np.cos(azimuth))
        return np.asarray(np.clip(facing / np.sqrt(1.0 + east ** 2 + north ** 2), 0.0, 1.0),
                          dtype=np.float32)

    def __repr__(self) -> str:
        low, high = self.relief_m
        rows, columns = self.shape
        return (f"Terrain({rows} x {columns}, {self.resolution_m:.0f} m, {low:.0f} to {high:.0f} "
                f"m, {self.share_known:.1%} known, {self.crs.to_string()}, "
                f"{self.source or 'no source'})")

    def _repr_html_(self) -> str:
        stride = max(1, max(self.shape) // 320)
        small = replace(self, heights=self.heights[::stride, ::stride], clutter=None,
                        transform=self._regridded(0, 0, stride)) \
            if min(self.shape) >= 2 * stride else self
        grey = np.nan_to_num(small.hillshade() * 215.0 + 40.0, nan=0.0).astype(np.uint8)
        data = base64.b64encode(_png(grey)).decode()
        return (f'<figure><img alt="Hillshade" src="data:image/png;base64,{data}"/>'
                f"<figcaption>{escape(repr(self))}</figcaption></figure>")


def _png(grey: NDArray[np.uint8]) -> bytes:
    """Return an 8-bit grey picture as PNG (ISO/IEC 15948)."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (struct.pack(">I", len(body)) + kind + body
                + struct.pack(">I", zlib.crc32(kind + body)))

    rows, columns = grey.shape
    lines = np.hstack([np.zeros((rows, 1), np.uint8), grey]).tobytes()
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))
