"""The best level of many cells on a grid of pixels, by rays round every mast.

Cells at one place and height on one carrier share their losses.  Masts are
taken strongest first; where a mast could not beat the level a pixel has
already, were there nothing in the way, its loss is not computed.  What is
found does not depend on the order, on the threads, or on the box drawn.  The
air is that of the mast, where it differs from place to place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from phusong.footprint_rays import APPROACH, Grid, Rays
from phusong.links_scene import Ends, Scene, bound_slack_db
from phusong.radio import MODELS
from phusong.radio.budget import Radio
from phusong.radio.radial import Receivers, radial_loss
from phusong.terrain import Terrain
from phusong.terrain_kernels import sample_grid
from phusong.workers import each

__all__ = ["radial_levels", "walks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Report = Callable[[str, int, int], None]

RAYS_AT_ONCE = 256
"""Rays of one unit of work."""


def walks(radio: Radio, terrain: Terrain | None) -> bool:
    """Tell whether rays can be walked: P.1812 at 50 % of time or P.526, over bare ground."""
    return terrain is not None and terrain.clutter is None and (
        radio.model == "p526" or (radio.model == "p1812" and radio.time_percent == 50.0))


@dataclass(frozen=True, slots=True)
class _Board:
    """What is known so far, on the whole grid."""

    grid: Grid
    level: Floats
    server: NDArray[np.int32]
    hope: Floats


def radial_levels(sites: gpd.GeoDataFrame, terrain: Terrain, radio: Radio, grid: Grid, *,
                  fast: bool = False, prune: bool = True,
                  progress: Report | None = None) -> tuple[Floats, NDArray[np.int32]]:
    """Return the best level and the number of its cell on every pixel.

    Parameters
    ----------
    sites : GeoDataFrame
        SITES, checked and sorted by ``cell_id``.
    terrain, radio
        As for `phusong.footprints.footprint`; `walks` holds for them.
    grid : Grid
        The pixels.
    fast : bool
        As for `phusong.radio.radial.radial_loss`.
    prune : bool
        Leave out what cannot be the best; the result is the same without.
    progress : callable, optional
        Called with ("footprint", masts done, masts in all).

    Returns
    -------
    level : (rows, columns) float64
        dBm; NaN = not known or out of reach.
    server : (rows, columns) int32
        Row number in `sites`; -1 = none in reach.  Of equal levels the one
        with the better free-space level, then the first; where no level is
        known, the one with the best free-space level.
    """
    scene = Scene.of(gpd.GeoDataFrame({"antenna_height_m": []}, geometry=[], crs=sites.crs), sites,
                     terrain, radio)
    shape = (grid.rows, grid.columns)
    board = _Board(grid, np.full(shape, np.nan), np.full(shape, -1, np.int32),
                   np.full(shape, -np.inf))
    stacks = _stacks(scene)
    for number, cells in enumerate(stacks):
        _draw(board, scene, cells, fast, prune)
        if progress is not None:
            progress("footprint", number + 1, len(stacks))
    return board.level, board.server


def _stacks(scene: Scene) -> list[Ints]:
    """Return the numbers of cells that share their losses, the strongest stack first."""
    c = scene.cells
    keys = np.stack([c.x, c.y, c.height_m, scene.frequency_mhz, scene.reach_m])
    order = np.lexsort(keys[::-1])
    cuts = np.flatnonzero((np.diff(keys[:, order], axis=1) != 0.0).any(axis=0)) + 1
    strength = scene.strength_dbm()
    return sorted((np.sort(part) for part in np.split(order, cuts)),
                  key=lambda part: (-strength[part].max(), part[0]))


def _draw(board: _Board, scene: Scene, cells: Ints, fast: bool, prune: bool) -> None:
    """Let the cells of one stack compete for the pixels in their reach."""
    c, one = scene.cells, cells[0]
    x0, y0, reach = float(c.x[one]), float(c.y[one]), float(scene.reach_m[one])
    grid = board.grid.within(Grid.over((x0 - reach, y0 - reach, x0 + reach, y0 + reach),
                                       board.grid.pixel_m))
    if not grid.rows or not grid.columns:
        return
    part = grid.slices(board.grid)
    x, y = grid.centres()
    square = (x - x0)[None, :] ** 2 + (y - y0)[:, None] ** 2
    wanted = np.sqrt(square) <= reach
    level, slack = board.level[part], bound_slack_db(scene.radio)
    if prune:
        with np.errstate(divide="ignore"):
            bound = scene.strength_dbm()[cells].max() + slack - 10.0 * np.log10(
                np.maximum(square, 1.0))
        wanted &= ~(bound + 1e-6 < level)
    if not wanted.any():
        return
    pixels = np.flatnonzero(wanted)
    local = _looking(scene, grid, pixels, int(one))
    flat = np.arange(pixels.size)
    aims = [local.aim(flat, np.full(pixels.size, cell)) for cell in cells]
    use = np.ones(pixels.size, bool)
    if prune:
        best = np.max([aim.free_space_dbm for aim in aims], axis=0)
        use = ~(best + slack < level.ravel()[pixels])
        wanted.ravel()[pixels] = use
    loss = _losses(local, grid, wanted, use, aims[0].distance_m, one, fast)
    for cell, aim in zip(cells, aims, strict=True):
        found = local.received(np.full(pixels.size, cell), aim.pattern_db, loss)
        _compete(board, part, pixels, use, found, aim.free_space_dbm, int(cell))


def _looking(scene: Scene, grid: Grid, pixels: Ints, cell: int) -> Scene:
    """Return the scene with the centres of some pixels as its points, in the air of a mast."""
    terrain = scene.terrain
    assert terrain is not None
    column, row, latitude = (layer.ravel()[pixels] for layer in grid.places(terrain))
    x, y = grid.centres()
    ground = np.empty(pixels.size)
    sample_grid(terrain.heights, column, row, ground)
    return replace(scene, points=Ends(
        x[pixels % grid.columns], y[pixels // grid.columns],
        np.full(pixels.size, scene.radio.receiver_height_m), ground, column, row, latitude,
        np.zeros(pixels.size), *(None if air is None else np.full(pixels.size, air[cell])
                                 for air in (scene.cells.delta_n, scene.cells.n0))))


def _losses(scene: Scene, grid: Grid, wanted: NDArray[np.bool_], use: NDArray[np.bool_],
            distance_m: Floats, cell: int, fast: bool) -> Floats:
    """Return the loss from a mast to the points of a scene; NaN where not in use."""
    c, p, radio, terrain = scene.cells, scene.points, scene.radio, scene.terrain
    assert terrain is not None
    model = MODELS[radio.model]
    loss = np.full(use.shape, np.nan)
    close = max(model.distance_m[0], (APPROACH + 1) * radio.profile_step_m)
    near = np.flatnonzero(use & (distance_m < close))
    loss[near] = scene.losses(near, np.full(near.size, cell), distance_m[near])
    place = np.full(wanted.size, -1, np.int64)
    place[np.flatnonzero(wanted)] = np.flatnonzero(use)
    far = wanted.copy()
    far.ravel()[np.flatnonzero(wanted)[np.searchsorted(np.flatnonzero(use), near)]] = False
    f, up = float(scene.frequency_mhz[cell]), float(c.height_m[cell])
    valid = model.out_of_range(model.distance_m[1], f, up, radio.receiver_height_m)[0] == ""
    if not valid or not far.any():
        return loss
    rays = Rays.of(terrain, grid, far, float(c.x[cell]), float(c.y[cell]),
                   float(scene.reach_m[cell]), radio.profile_step_m)
    middle = 0.5 * (p.latitude_deg + c.latitude_deg[cell])
    air = radio.medium(delta_n=None if c.delta_n is None else float(c.delta_n[cell]),
                       n0=None if c.n0 is None else float(c.n0[cell]))

    def walk(begin: int) -> tuple[Ints, Floats]:
        some = rays.part(begin, min(begin + RAYS_AT_ONCE, len(rays)))
        which = place[some.pixel]
        spacing, heights = some.approaches(terrain, p.column[which], p.row[which],
                                           distance_m[which])
        receivers = Receivers(some.first, some.before, distance_m[which], p.ground_m[which],
                              middle[which], spacing, heights)
        return which, radial_loss(radio.model, *some.profiles(terrain), receivers, f, up,
                                  radio.receiver_height_m, air, fast=fast)

    for which, found in each(walk, range(0, len(rays), RAYS_AT_ONCE)):
        loss[which] = found
    return loss


def _compete(board: _Board, part: tuple[slice, slice], pixels: Ints, use: NDArray[np.bool_],
             found: Floats, clear: Floats, cell: int) -> None:
    """Write a cell's levels where they are the best so far; `hope` is their free-space level."""
    level, server, hope = (a[part] for a in (board.level, board.server, board.hope))
    i, j = np.divmod(pixels, level.shape[1])
    old, old_clear, old_cell = level[i, j], hope[i, j], server[i, j]
    known, had = ~np.isnan(found), ~np.isnan(old)
    first = (clear > old_clear) | ((clear == old_clear) & ((old_cell < 0) | (cell < old_cell)))
    with np.errstate(invalid="ignore"):
        better = np.where(known & had, (found > old) | ((found == old) & first),
                          known | (~had & first))
    better &= use
    i, j = i[better], j[better]
    level[i, j], hope[i, j], server[i, j] = found[better], clear[better], cell
