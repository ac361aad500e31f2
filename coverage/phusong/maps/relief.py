"""The shape of the land as a pale picture in Web Mercator, ready to lie under a map."""

from __future__ import annotations

import base64
import io
import math
import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phusong.geo import DEGREES, transform

__all__ = ["Heights", "Relief", "hillshade", "relief", "surrounding", "tint"]

_RADIUS = 6378137.0
_LIGHTS = ((315.0, 0.6), (270.0, 0.2), (0.0, 0.2))
_STEPS = np.array([0.0, 0.12, 0.3, 0.5, 0.7, 0.87, 1.0])
_PALE = np.array([[214, 226, 206], [224, 232, 209], [236, 234, 212], [240, 229, 205],
                  [233, 220, 201], [236, 230, 222], [250, 250, 250]], float)


class Heights(Protocol):
    """What a relief needs of a terrain (`phusong.terrain.Terrain` has it).

    Attributes
    ----------
    heights : (rows, columns) float array
        Metres above sea level, NaN where not known.
    transform : Affine
        From (column, row) of a pixel's upper left corner to the grid's own CRS.
    crs : CRS
        Of the grid.
    """

    @property
    def heights(self) -> Any: ...
    @property
    def transform(self) -> Any: ...
    @property
    def crs(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Relief:
    """A picture and where it lies.

    Parameters
    ----------
    uri : str
        ``data:image/webp;base64,...``
    bounds : tuple
        ((south, west), (north, east)) in degrees.
    """

    uri: str
    bounds: tuple[tuple[float, float], tuple[float, float]]


def hillshade(heights: NDArray[Any], dx_m: NDArray[Any] | float, dy_m: NDArray[Any] | float,
              *, exaggeration: float = 1.0) -> NDArray[np.float64]:
    """Return how bright each pixel lies in light from the north-west (0 dark … 1 bright).

    Parameters
    ----------
    heights : (rows, columns) array
        Metres; row 0 is the northern edge.
    dx_m, dy_m : float or array that broadcasts to `heights`
        Size of a pixel on the ground.
    exaggeration : float
        Factor on the heights.

    Notes
    -----
    Lambertian shading (Horn 1981, Proc. IEEE 69(1)), three lights at 45 degrees:
    north-west 0.6, west 0.2, north 0.2, so that no slope is lost in one shadow.
    """
    south, east = np.gradient(np.asarray(heights, np.float64) * exaggeration)
    to_east, to_north = east / dx_m, -south / dy_m
    steep = np.sqrt(1.0 + to_east**2 + to_north**2)
    out = np.zeros_like(to_east)
    for azimuth, share in _LIGHTS:
        angle = math.radians(azimuth)
        facing = -(to_east * math.sin(angle) + to_north * math.cos(angle))
        out += share * np.clip((facing + 1.0) * math.sqrt(0.5) / steep, 0.0, 1.0)
    return out


def tint(heights: NDArray[Any], light: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (rows, columns, 4) colours: pale by height, darker in the shade, clear if unknown."""
    known = np.isfinite(heights)
    low, high = (np.percentile(heights[known], [1, 99.5]) if known.any() else (0.0, 1.0))
    level = np.clip((np.where(known, heights, low) - low) / max(high - low, 50.0), 0.0, 1.0)
    colour = np.stack([np.interp(level, _STEPS, _PALE[:, c]) for c in range(3)], axis=-1)
    shade = np.where(np.isfinite(light), light, 0.7)[..., None]
    rgb = np.clip(colour * (0.64 + 0.5 * shade), 0, 255)
    return np.dstack([rgb, np.where(known, 255, 0)]).astype(np.uint8)


def surrounding(terrain: Heights, area: tuple[float, float, float, float], margin: float = 0.35
                ) -> tuple[float, float, float, float]:
    """Return `area` widened by `margin` of its longer side, as far as the terrain reaches.

    A screen is rarely as wide and high as a province: the land goes on around it.
    """
    rows, columns = np.asarray(terrain.heights).shape
    along = np.linspace(0.0, 1.0, 9)
    edge = np.concatenate([[(t, 0.0), (t, 1.0), (0.0, t), (1.0, t)] for t in along])
    grid, column, row = terrain.transform, edge[:, 0] * columns, edge[:, 1] * rows
    x = grid.a * column + grid.b * row + grid.c
    y = grid.d * column + grid.e * row + grid.f
    lon, lat = transform(x, y, terrain.crs, DEGREES)
    west, south, east, north = area
    more = margin * max(east - west, north - south)
    return (min(west, max(west - more, float(lon.min()))),
            min(south, max(south - more, float(lat.min()), -85.0)),
            max(east, min(east + more, float(lon.max()))),
            max(north, min(north + more, float(lat.max()), 85.0)))


def relief(terrain: Heights, area: tuple[float, float, float, float], *,
           longest_px: int = 1400, quality: int = 62) -> Relief | None:
    """Draw the terrain of an area.

    Parameters
    ----------
    terrain : Heights
        The heights.
    area : (west, south, east, north)
        Degrees; what lies outside the terrain stays clear.
    longest_px : int
        Longest side of the picture.
    quality : int
        WebP quality.

    Returns
    -------
    Relief or None
        None if the terrain does not reach the area.
    """
    x0, y0 = _to_mercator(area[0], area[1])
    x1, y1 = _to_mercator(area[2], area[3])
    pixel = max(x1 - x0, y1 - y0) / longest_px
    columns = max(2, math.ceil((x1 - x0) / pixel))
    rows = max(2, math.ceil((y1 - y0) / pixel))
    xs = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns
    ys = y1 - (np.arange(rows) + 0.5) * (y1 - y0) / rows
    lon = np.degrees(xs / _RADIUS)
    lat = np.degrees(2.0 * np.arctan(np.exp(ys / _RADIUS)) - math.pi / 2.0)
    ground_m = pixel * np.cos(np.radians(lat))[:, None]
    heights = _heights_at(terrain, lon, lat, float(ground_m.mean()))
    if not np.isfinite(heights).any():
        return None
    light = hillshade(heights, ground_m, ground_m, exaggeration=1.25)
    picture = Image.fromarray(tint(heights, light), "RGBA")
    if np.isfinite(heights).all():
        picture = picture.convert("RGB")
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=4)
    uri = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
    return Relief(uri, ((area[1], area[0]), (area[3], area[2])))


def _to_mercator(lon: float, lat: float) -> tuple[float, float]:
    bounded = max(-85.0, min(85.0, lat))
    return (_RADIUS * math.radians(lon),
            _RADIUS * math.log(math.tan(math.pi / 4.0 + math.radians(bounded) / 2.0)))


def _heights_at(terrain: Heights, lon: NDArray[Any], lat: NDArray[Any],
                pixel_m: float) -> NDArray[np.float64]:
    """Sample the terrain at every (lat, lon) pair, averaged to about one picture pixel."""
    grid_lon, grid_lat = np.meshgrid(lon, lat)
    x, y = transform(grid_lon.ravel(), grid_lat.ravel(), DEGREES, terrain.crs)
    to_grid = ~terrain.transform
    column = to_grid.a * x + to_grid.b * y + to_grid.c
    row = to_grid.d * x + to_grid.e * y + to_grid.f
    middle = len(lat) // 2 * len(lon) + len(lon) // 2
    step = abs(float(column[middle] - column[middle - 1]))
    block = max(1, math.floor(step))
    heights = _block_mean(np.asarray(terrain.heights), block)
    return _bilinear(heights, np.asarray(row) / block - 0.5, np.asarray(column) / block - 0.5
                     ).reshape(grid_lon.shape)


def _block_mean(heights: NDArray[Any], block: int) -> NDArray[np.float64]:
    if block == 1:
        return heights.astype(np.float64)
    rows, columns = (n // block * block for n in heights.shape)
    if not rows or not columns:
        return heights.astype(np.float64)
    cut = heights[:rows, :columns].reshape(rows // block, block, columns // block, block)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(cut, axis=(1, 3), dtype=np.float64)


def _bilinear(heights: NDArray[Any], row: NDArray[Any], column: NDArray[Any]
              ) -> NDArray[np.float64]:
    rows, columns = heights.shape
    inside = (row > -0.5) & (row < rows - 0.5) & (column > -0.5) & (column < columns - 0.5)
    r = np.clip(np.where(inside, row, 0.0), 0.0, rows - 1.0)
    c = np.clip(np.where(inside, column, 0.0), 0.0, columns - 1.0)
    r0 = np.minimum(r.astype(np.int64), max(rows - 2, 0))
    c0 = np.minimum(c.astype(np.int64), max(columns - 2, 0))
    r1, c1 = np.minimum(r0 + 1, rows - 1), np.minimum(c0 + 1, columns - 1)
    u, v = r - r0, c - c0
    value = ((heights[r0, c0] * (1 - v) + heights[r0, c1] * v) * (1 - u)
             + (heights[r1, c0] * (1 - v) + heights[r1, c1] * v) * u)
    return np.where(inside, value, np.nan)
