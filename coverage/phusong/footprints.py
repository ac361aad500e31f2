"""Footprints: the level of cells on every pixel of a map.

A pixel is a point like any other, and there are two ways to its level.
`exact` computes the full terrain profile from the mast to the pixel's centre
by the code that computes links, and agrees with `phusong.links.link` there.
`radial` walks along rays round each mast once for all pixels on the way: the
same formulas over the profile along the nearest ray, which passes beside the
pixel's own by a quarter of a pixel at most.  Where many cells overlap, those
that cannot be the best are left out by the same provable bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.footprint_radial import radial_levels, walks
from phusong.footprint_rays import Grid
from phusong.links_scene import Scene
from phusong.links_search import Search
from phusong.radio.budget import Radio
from phusong.tables import SITES, check
from phusong.terrain import Terrain
from phusong.workers import each

__all__ = ["Footprint", "footprint"]

TILE = 256
"""Pixels on a side of the tiles that are worked on one after the other."""

Bounds = tuple[float, float, float, float]
Report = Callable[[str, int, int], None]
Method = Literal["auto", "radial", "exact"]


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """The best level on every pixel, and the cell that gives it.

    Parameters
    ----------
    received_dbm : (rows, columns) float32
        Median outdoor level at an isotropic antenna, as in LINKS; NaN where
        no cell is in range or the level is not known.
    server : (rows, columns) int32
        Number in `cell_ids` of the best cell; -1 = none in range.  A pixel
        with a server but no level is not known.
    cell_ids : tuple of str
        The cells, in alphabetical order.
    transform : Affine
        From (column, row) of a pixel's upper left corner to the working CRS.
    crs : CRS
        The working CRS.
    method : {"radial", "exact"}
        How the levels were computed.
    """

    received_dbm: NDArray[np.float32]
    server: NDArray[np.int32]
    cell_ids: tuple[str, ...]
    transform: Affine
    crs: Any
    method: str = "exact"

    @property
    def pixel_m(self) -> float:
        """Side of a pixel."""
        return float(self.transform.a)

    def area_km2(self, received_dbm: float) -> float:
        """Return the area on which the level is at least `received_dbm`."""
        pixels = np.count_nonzero(self.received_dbm >= received_dbm)
        return pixels * self.pixel_m ** 2 / 1e6

    def __repr__(self) -> str:
        rows, columns = self.server.shape
        reached = float(np.isfinite(self.received_dbm).mean()) if self.server.size else 0.0
        return (f"Footprint({rows} x {columns}, {self.pixel_m:g} m, {len(self.cell_ids)} cells, "
                f"{reached:.1%} with a level, {self.method})")


def footprint(sites: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio, *,
              pixel_m: float = 90.0, bounds: Bounds | None = None, method: Method = "auto",
              fast: bool = False, progress: Report | None = None) -> Footprint:
    """Compute the best level of cells on a grid of pixels.

    Parameters
    ----------
    sites : GeoDataFrame
        SITES: the rows to draw (one cell, one operator's, all).  They are
        compared by level alone; choose one technology.
    terrain : Terrain or None
        The ground.
    radio : Radio
        As for `phusong.links.link`; pixels are heard at `receiver_height_m`.
    pixel_m : float
        Side of a pixel.
    bounds : (left, bottom, right, top), optional
        Box of the working CRS; None = everything in reach of the cells that
        the terrain covers.  It is widened to whole pixels of a grid through
        (0, 0), so that footprints of one pixel size lie on each other.
    method : {"auto", "radial", "exact"}
        See the module's first lines.  ``auto`` is ``radial`` where the model
        allows it (p1812 at 50 % of time or p526, terrain without clutter),
        else ``exact``.
    fast : bool
        With ``radial`` and p1812: leave out troposcatter where diffraction
        costs less than 30 dB; at most 0.2 dB too much loss where the loss is
        below 160 dB (0.01 dB on 95 % of such pixels).  It gains little: terms
        that provably change nothing are left out anyway.
    progress : callable, optional
        Called with ("footprint", done, in all): masts or pixels.

    Raises
    ------
    InputError
        If the tables are not as declared, there is nothing to draw, or the
        model cannot be computed by the method asked for.
    """
    check(sites, SITES)
    sites = sites.sort_index()
    if not len(sites):
        raise InputError("A footprint needs at least one cell.")
    if not pixel_m >= 1.0:
        raise InputError(f"pixel_m = {pixel_m:g}: write the side of a pixel in metres, at least 1.")
    box = _outline(sites, terrain, radio) if bounds is None else bounds
    if box[2] <= box[0] or box[3] <= box[1]:
        raise InputError(f"The box {', '.join(f'{v:.0f}' for v in box)} (left, bottom, right, "
                         f"top) holds no pixel. Check the order of its numbers.")
    grid = Grid.over(box, pixel_m)
    radial = _by_rays(method, fast, radio, terrain)
    if radial:
        assert terrain is not None
        found, server = radial_levels(sites, terrain, radio, grid, fast=fast, progress=progress)
        level = found.astype(np.float32)
    else:
        level, server = _by_pixels(sites, terrain, radio, grid, progress)
    return Footprint(level, server, tuple(map(str, sites.index)),
                     Affine(pixel_m, 0.0, grid.column * pixel_m, 0.0, -pixel_m,
                            -grid.row * pixel_m), sites.crs, "radial" if radial else "exact")


def _by_rays(method: str, fast: bool, radio: Radio, terrain: Terrain | None) -> bool:
    """Tell whether to walk along rays; refuse what cannot be."""
    if method not in ("auto", "radial", "exact"):
        raise InputError(f'There is no method "{method}" of computing a footprint: write auto, '
                         f"radial or exact.")
    can = walks(radio, terrain)
    if method == "radial" and not can:
        ground = ("no terrain" if terrain is None else "terrain with clutter"
                  if terrain.clutter is not None else "bare terrain")
        raise InputError(f'method = "radial" needs bare terrain and the model p1812 at 50 % of '
                         f"time, or p526; this is {radio.model} at {radio.time_percent:g} % over "
                         f'{ground}. Use method = "exact".')
    radial = can and method != "exact"
    if fast and not (radial and radio.model == "p1812"):
        raise InputError("fast = True shortens p1812 along rays and nothing else. Leave it out, "
                         'or use method = "radial" with p1812 at 50 % of time.')
    return radial


def _by_pixels(sites: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio, grid: Grid,
               progress: Report | None) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return level and server of every pixel, each computed as a link, tile by tile."""
    level = np.full((grid.rows, grid.columns), np.nan, np.float32)
    server = np.full(level.shape, -1, np.int32)
    one = radio.model_copy(update={"best_per_operator": 1})
    across, down = grid.centres()
    for i in range(0, grid.rows, TILE):
        for j in range(0, grid.columns, TILE):
            part = (slice(i, i + TILE), slice(j, j + TILE))
            x, y = np.meshgrid(across[part[1]], down[part[0]])
            level[part], server[part] = _tile(x, y, sites, terrain, one)
            if progress is not None:
                done = min(i * grid.columns + (j + TILE) * x.shape[0], level.size)
                progress("footprint", done, level.size)
    return level, server


def _outline(sites: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio) -> Bounds:
    """Return the box in reach of the cells that the terrain covers."""
    reach = _reach(sites, radio)
    x, y = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    box = ((x - reach).min(), (y - reach).min(), (x + reach).max(), (y + reach).max())
    if terrain is None:
        return box
    there = terrain.bounds
    return (max(box[0], there[0]), max(box[1], there[1]), min(box[2], there[2]),
            min(box[3], there[3]))


def _reach(sites: gpd.GeoDataFrame, radio: Radio) -> NDArray[np.float64]:
    own = sites["reach_m"].to_numpy(float) if "reach_m" in sites else np.full(len(sites), np.nan)
    return np.fmin(own, radio.max_range_m)


def _tile(x: NDArray[np.float64], y: NDArray[np.float64], sites: gpd.GeoDataFrame,
          terrain: Terrain | None,
          radio: Radio) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the best level and its cell on some pixels."""
    level, server = np.full(x.size, np.nan, np.float32), np.full(x.size, -1, np.int32)
    sx, sy = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    away = np.hypot(np.maximum(np.maximum(x.min() - sx, sx - x.max()), 0.0),
                    np.maximum(np.maximum(y.min() - sy, sy - y.max()), 0.0))
    near = np.flatnonzero(away <= _reach(sites, radio))
    if near.size:
        pixels = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x.ravel(), y.ravel()), crs=sites.crs)
        cells = sites.iloc[near]
        search = Search.of(Scene.of(pixels, cells, terrain, radio), cells, True, compete=True)
        for found, _ in each(search.best_levels, search.units()):
            if found:
                order = np.lexsort((found["cell"], -found["free_space_dbm"],
                                    -found["received_dbm"], found["point"]))
                pixel, first = np.unique(found["point"][order], return_index=True)
                level[pixel] = found["received_dbm"][order][first]
                server[pixel] = near[found["cell"][order][first]]
    return level.reshape(x.shape), server.reshape(x.shape)
