"""Where people live: an outline, communes along the ridges, towns, hamlets, inhabitants."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from scipy import ndimage

from phusong.sources.fiction.erosion import as_grid, spread_cost, thin
from phusong.sources.fiction.names import commune_names, hamlet_names
from phusong.sources.fiction.relief import Relief, coarsen, fractal, grown, slope_of
from phusong.sources.fiction.sizes import Scale

__all__ = ["Ground", "Ways", "commune_polygons", "make_communes", "make_ground", "make_hamlets",
           "make_people", "scatter_people", "settle"]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The planning grid: what every part of a study needs to know of the terrain.

    Parameters
    ----------
    heights, slope : (rows, columns) float32 array
        Metres above sea level; degrees.
    homely : (rows, columns) float32 array
        How well one can live there, 0-1.
    inside : (rows, columns) bool array
        Within the outline.
    transform : Affine
        From (column, row) to (longitude, latitude).
    cell_m : float
        Edge of a cell, metres (mean of both).
    factor : int
        Terrain pixels per cell.
    """

    heights: NDArray[np.float32]
    slope: NDArray[np.float32]
    homely: NDArray[np.float32]
    inside: NDArray[np.bool_]
    transform: Affine
    cell_m: float
    factor: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.heights.shape[0], self.heights.shape[1]

    def row_column(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows and columns of flat cell numbers."""
        return cells // self.shape[1], cells % self.shape[1]

    def lonlat(self, row: NDArray[np.float64], column: NDArray[np.float64]
               ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return longitude and latitude of fractional rows and columns (corners at integers)."""
        return (self.transform.c + self.transform.a * column,
                self.transform.f + self.transform.e * row)

    def centres(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.float64],
                                                         NDArray[np.float64]]:
        """Return longitude and latitude of the centres of flat cell numbers."""
        row, column = self.row_column(cells)
        return self.lonlat(row + np.float64(0.5), column + np.float64(0.5))


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Whose land each cell of the planning grid is, and the easiest way to a centre.

    Parameters
    ----------
    owner : (rows, columns) int32 array
        Commune of each cell, -1 outside.
    root : (cells,) int32 array
        Commune whose centre is reached most easily (nearly always the owner).
    previous : (cells,) int64 array
        Next cell on that way; a centre points to itself.
    toil : (cells,) float32 array
        Cost of that way, in widths of a level cell.
    """

    owner: NDArray[np.int32]
    root: NDArray[np.int32]
    previous: NDArray[np.int64]
    toil: NDArray[np.float32]


def make_ground(relief: Relief, scale: Scale, rng: np.random.Generator) -> Ground:
    """Make the planning grid and draw the outline of the study on it."""
    heights = coarsen(relief.heights, scale.work)
    dy, dx = relief.pixel_m
    cell_m = 0.5 * (dx + dy) * scale.work
    slope = slope_of(heights, cell_m)
    homely = _homely(heights, slope, cell_m)
    transform = grown(relief.transform, scale.work)
    inside = _outline(heights.shape, scale.area_share, rng)
    return Ground(heights, slope, homely, inside, transform, cell_m, scale.work)


def _homely(heights: NDArray[np.float32], slope: NDArray[np.float32], cell_m: float
            ) -> NDArray[np.float32]:
    """People live on gentle ground, low, and near the floor of their valley."""
    span = max(3, int(2500 / cell_m) | 1)
    above_floor = heights - ndimage.minimum_filter(heights, span)
    return (np.exp(-(slope / 13) ** 2 - heights / 1100 - above_floor / 350)).astype(np.float32)


def _outline(shape: tuple[int, int], share: float, rng: np.random.Generator
             ) -> NDArray[np.bool_]:
    """A connected shape without holes that fills `share` of the grid and keeps off its rim."""
    y, x = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    u, v = 2 * (x + 0.5) / shape[1] - 1, 2 * (y + 0.5) / shape[0] - 1
    radius = (np.abs(u) ** 4 + np.abs(v) ** 4) ** 0.25
    field = radius + 0.05 * fractal(shape, 1.9, rng, longest=0.45)
    field[radius > 0.985] = np.inf
    level = np.partition(field.ravel(), int(share * field.size))[int(share * field.size)]
    labels, _ = ndimage.label(field <= level)
    inside = labels == labels[shape[0] // 2, shape[1] // 2]
    return ndimage.binary_fill_holes(inside)


def settle(ground: Ground, weight: NDArray[np.float32], count: int, spacing_cells: float,
           rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose `count` cells by chance in proportion to `weight`, well apart where there is room.

    Parameters
    ----------
    ground : Ground
        The planning grid.
    weight : (rows, columns) float32 array
        0 where nothing may be.
    count : int
        How many.
    spacing_cells : float
        Wanted least distance; it is shortened step by step where there is no room.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    (count,) int64 array
        Flat cell numbers, the most attractive first.
    """
    free = np.flatnonzero(weight.ravel() > 0)
    key = np.log(weight.ravel()[free]) + rng.gumbel(size=len(free))
    order = free[np.argsort(-key, kind="stable")]
    chosen = np.empty(0, np.int64)
    radius = spacing_cells
    while len(chosen) < count:
        taken = np.zeros(weight.size, bool)
        taken[chosen] = True
        if radius >= 1 and len(chosen):
            r, c = ground.row_column(chosen)
            near = np.ones(ground.shape, bool)
            near[r, c] = False
            taken |= (ndimage.distance_transform_edt(near) <= radius).ravel()
        chosen = np.concatenate([chosen, thin(order, ground.shape[1], ground.shape[0], radius,
                                              count - len(chosen), taken)])
        radius *= 0.7
    return chosen


def make_communes(ground: Ground, scale: Scale, rng: np.random.Generator
                  ) -> tuple[pd.DataFrame, Ways]:
    """Found communes in the valleys and divide the land among them along the ridges.

    Returns
    -------
    communes : DataFrame
        One row per commune, in the order of its code: ``code``, ``name``, ``province_code``,
        ``town``, ``cell``, ``population``.
    ways : Ways
        Whose land each cell is, and the way to the commune's centre.
    """
    spacing = 0.62 * np.sqrt(ground.inside.sum() / scale.communes)
    weight = np.where(ndimage.binary_erosion(ground.inside, iterations=3),
                      ground.homely + 1e-4, 0).astype(np.float32)
    cells = settle(ground, weight, scale.communes, spacing, rng)
    province, order = _provinces(ground, cells, scale, rng)
    cells, province = cells[order], province[order]
    town = _towns(ground, cells, province, scale)
    cost = as_grid(1 + (ground.slope / 9) ** 2)
    owner, _, _ = spread_cost(cost, ground.inside, cells, False)
    root, previous, toil = spread_cost(cost, ground.inside, cells, True)
    step = 3 if scale.communes < 1000 else 32_000 // scale.communes
    first = 2647 if scale.communes < 1000 else 1
    room = np.bincount(owner[owner >= 0], ground.homely.ravel()[owner >= 0], scale.communes)
    charm = (room + 0.08 * room.mean()) ** 0.55 * rng.lognormal(0, 0.35, scale.communes)
    charm *= np.where(town, 1.9, 1.0)
    communes = pd.DataFrame({
        "code": [f"{first + step * i:05d}" for i in range(scale.communes)],
        "name": commune_names(town, rng), "province_code": province, "town": town, "cell": cells,
        "population": _share_out(charm, scale.population)})
    return communes, Ways(owner.reshape(ground.shape), root, previous, toil)


def _provinces(ground: Ground, cells: NDArray[np.int64], scale: Scale,
               rng: np.random.Generator) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Province code of each commune, and an order by province."""
    if scale.provinces == 1:
        return np.full(len(cells), "08", object), np.arange(len(cells))
    r, c = ground.row_column(cells)
    seats = settle(ground, ground.inside.astype(np.float32), scale.provinces,
                   0.7 * np.sqrt(ground.inside.sum() / scale.provinces), rng)
    sr, sc = ground.row_column(np.sort(seats))
    nearest = np.argmin((r[:, None] - sr) ** 2 + (c[:, None] - sc) ** 2, axis=1)
    codes = np.array([f"{i + 1:02d}" for i in range(scale.provinces)], object)
    return codes[nearest], np.argsort(nearest, kind="stable")


def _towns(ground: Ground, cells: NDArray[np.int64], province: NDArray[np.object_],
           scale: Scale) -> NDArray[np.bool_]:
    """The communes in the widest valleys are towns, well apart."""
    wide = ndimage.uniform_filter(ground.homely, max(3, int(3000 / ground.cell_m)))
    order = cells[np.argsort(-wide.ravel()[cells], kind="stable")]
    apart = 0.55 * np.sqrt(ground.inside.sum() / scale.towns)
    towns = np.empty(0, np.int64)
    while len(towns) < scale.towns:
        taken = np.zeros(ground.inside.size, bool)
        taken[towns] = True
        towns = thin(order, ground.shape[1], ground.shape[0], apart, scale.towns, taken)
        apart *= 0.8
    return np.isin(cells, towns)


def _share_out(weight: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to `weight` that add up to `total` (largest remainder)."""
    exact = weight / weight.sum() * total
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[:total - int(whole.sum())]] += 1
    return whole


def make_hamlets(ground: Ground, communes: pd.DataFrame, ways: Ways, scale: Scale,
                 rng: np.random.Generator) -> pd.DataFrame:
    """Found hamlets: the centre of each commune and others up the side valleys.

    Returns
    -------
    DataFrame
        ``commune`` (row of `communes`), ``rank`` (0 = centre), ``cell``, ``row``, ``column``
        (fractional, of the planning grid), ``height_m``, ``remote`` (0-1), ``name``, ``homely``.
    """
    owner = ways.owner
    same = np.ones(ground.shape, bool)
    for axis in (0, 1):
        for shift in (-1, 1):
            same &= owner == np.roll(owner, shift, axis)
    same &= owner >= 0
    centre = communes["cell"].to_numpy()
    same.ravel()[centre] = False
    weight = np.where(same, ground.homely ** 0.55 + 0.004, 0).astype(np.float32)
    weight[weight < 0.012] = 0
    more = scale.hamlets - len(communes)
    cells = settle(ground, weight, more, max(1.0, 900 / ground.cell_m), rng)
    cells = np.concatenate([centre, cells])
    r, c = ground.row_column(cells)
    home = owner.ravel()[cells]
    walk = ways.toil[cells] * ground.cell_m / 1000
    remote = 1 - np.exp(-walk / 16 - ground.heights.ravel()[cells] / 2600)
    frame = pd.DataFrame({
        "commune": home, "rank": (np.arange(len(cells)) >= len(centre)).astype(np.int64),
        "cell": cells, "row": r + rng.uniform(0.1, 0.9, len(cells)),
        "column": c + rng.uniform(0.1, 0.9, len(cells)),
        "height_m": ground.heights.ravel()[cells], "remote": remote,
        "name": hamlet_names(len(cells), rng), "homely": ground.homely.ravel()[cells]})
    frame = frame.sort_values(["commune", "rank", "cell"], kind="stable", ignore_index=True)
    frame["rank"] = frame.groupby("commune").cumcount()
    return frame


def commune_polygons(ground: Ground, communes: pd.DataFrame, owner: NDArray[np.int32]
                     ) -> gpd.GeoDataFrame:
    """Return communes as a valid, gapless partition in EPSG:4326."""
    found = list(shapes(owner, mask=owner >= 0, connectivity=4))
    number = np.array([int(value) for _, value in found])
    polygons = np.array([shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:])
                         for shape, _ in found], object)[np.argsort(number, kind="stable")]
    polygons = shapely.transform(shapely.segmentize(polygons, 1.0), np.rint)
    simple = shapely.coverage_simplify(polygons, 1.4)
    t = ground.transform
    simple = shapely.transform(simple, lambda xy: xy * [t.a, t.e] + [t.c, t.f])
    frame = communes.drop(columns=["cell"]).copy()
    return gpd.GeoDataFrame(frame, geometry=simple, crs="EPSG:4326")


def make_people(ground: Ground, hamlets: pd.DataFrame, communes: pd.DataFrame,
                scale: Scale) -> NDArray[np.float32]:
    """Return how strongly each pixel of the population grid draws people."""
    times = ground.factor // scale.people
    shape = (scale.rows // scale.people, scale.columns // scale.people)
    size = communes["population"].to_numpy()[hamlets["commune"]]
    weight = size / hamlets.groupby("commune")["rank"].transform("size")
    weight = weight * np.where(hamlets["rank"] == 0, 3.0, 1.0)
    r = np.clip((hamlets["row"].to_numpy() * times).astype(int), 0, shape[0] - 1)
    c = np.clip((hamlets["column"].to_numpy() * times).astype(int), 0, shape[1] - 1)
    pull = np.zeros(shape, np.float32)
    np.add.at(pull, (r, c), weight.astype(np.float32))
    pixel_m = ground.cell_m / times
    near = ndimage.gaussian_filter(pull, 260 / pixel_m, truncate=5)
    near += 0.35 * ndimage.gaussian_filter(pull, 700 / pixel_m, truncate=4)
    homely = ground.homely
    if times > 1:
        homely = np.repeat(np.repeat(homely, times, axis=0), times, axis=1)
    return near * (homely + 0.02) + 1e-7 * homely


def scatter_people(pull: NDArray[np.float32], owner: NDArray[np.int32],
                   population: NDArray[np.int64], rng: np.random.Generator
                   ) -> NDArray[np.float32]:
    """Return whole people per pixel that add up to each commune's population exactly.

    Parameters
    ----------
    pull : (rows, columns) float32 array
        Relative density.
    owner : (rows, columns) int32 array
        Commune of each pixel of the same grid, -1 outside.
    population : (communes,) int64 array
        People per commune.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    (rows, columns) float32 array
        NaN outside.
    """
    flat = owner.ravel()
    cells = np.flatnonzero(flat >= 0)
    cells = cells[np.argsort(flat[cells], kind="stable")]
    home = flat[cells]
    drawn = pull.ravel()[cells].astype(np.float64)
    start = np.searchsorted(home, np.arange(len(population)))
    stop = np.searchsorted(home, np.arange(len(population)), side="right")
    before = np.concatenate([[0.0], np.cumsum(drawn)])
    share = (before[1:] - before[start][home]) / (before[stop] - before[start])[home]
    upto = share * population[home]
    start_at = rng.random(len(population))[home]
    whole = np.floor(upto + start_at)
    whole[stop - 1] = population
    counts = np.diff(whole, prepend=0.0)
    counts[start] = whole[start]
    result = np.full(flat.shape, np.nan, np.float32)
    result[cells] = counts
    return result.reshape(owner.shape)
