"""Heights and people on grids: GeoTIFF and SRTM tiles, read by window, voids kept as voids."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from phusong.errors import Fault, InputError, MissingFileError
from phusong.sources.coordinates import Box
from phusong.sources.raster_copies import Copies, Copy
from phusong.sources.raster_files import (
    MAX_PIXELS,
    crs_of,
    degrees_box,
    open_raster,
    paths_of,
    refused,
    values_of,
    void_of,
)
from phusong.sources.source import Reading, Source
from phusong.surroundings import Raster
from phusong.terrain import Terrain

__all__ = ["read_population", "read_terrain"]

COARSE_M = 150.0
_SMALL = 25_000_000
_STRIP_PIXELS = 4_000_000
_STEP = 512
_LOWEST, _HIGHEST = -500.0, 9000.0
_Part = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The grid a mosaic is put on: size, transform, CRS."""

    rows: int
    columns: int
    matrix: Affine
    crs: Any

    def part(self, row: int, column: int, rows: int, columns: int) -> _Grid:
        """Return a window of it."""
        return _Grid(rows, columns, self.matrix @ Affine.translation(column, row), self.crs)


def read_terrain(sources: Sequence[Source], folder: Path, metric_crs: Any,
                 area: Box | None = None, copies: Copies | None = None
                 ) -> tuple[Terrain | None, list[Reading]]:
    """Read heights.

    Several tiles become one mosaic on the grid of the first; tiles on another grid or in another
    CRS are resampled to it (bilinear) with a warning.

    Parameters
    ----------
    sources : sequence of Source
        GeoTIFF, ``.hgt``, or a ``.zip`` that holds one; a name may be a pattern (``*.hgt.zip``).
    folder : Path
        The study's folder.
    metric_crs : CRS
        The study's working CRS.
    area : (west, south, east, north), optional
        Degrees; of a raster of more than 25 million pixels only this part is read.
    copies : Copies, optional
        Where what was read is kept and found again.

    Returns
    -------
    terrain : Terrain or None
        None if a file could not be read, or none was named.
    readings : list of Reading
        One for each file; rows are rows of pixels.
    """
    parts: list[tuple[Source, str]] = []
    readings: list[Reading] = []
    for source in sources:
        try:
            parts += [(source, path) for path in paths_of(source, folder)]
        except (InputError, MissingFileError) as error:
            readings.append(Reading(None, error.faults, file=source.file, role="terrain",
                                    credit=source.credit))
    if readings or not parts:
        return None, readings
    try:
        return _mosaic(parts, metric_crs, area, copies)
    except InputError as error:
        return None, [Reading(None, error.faults, file=parts[0][0].file, role="terrain",
                              credit=parts[0][0].credit)]


def _mosaic(parts: list[tuple[Source, str]], metric_crs: Any, area: Box | None,
            copies: Copies | None) -> tuple[Terrain | None, list[Reading]]:
    with ExitStack() as stack:
        opened = [(source, open_raster(stack, source, name)) for source, name in parts]
        whole = _union(opened)
        outer, inner = _windowed(whole, area, opened[0][0].file, "heights")
        grid, cut = whole.part(*outer), whole.part(*inner)
        found = _again(copies, "terrain", parts, grid, outer, inner,
                       lambda: _poured_all(opened, grid))
    heights, readings = found.values, list(found.readings)
    credit = "; ".join(dict.fromkeys(source.credit for source, _ in parts))
    if not np.isfinite(heights).any():
        raise refused("no_heights", "The raster holds no height at all in the study area.",
                       "Name a raster that reaches it.", parts[0][0].file)
    terrain = Terrain(heights, cut.matrix, cut.crs, metric_crs, credit)
    if terrain.resolution_m > COARSE_M:
        note = Fault("coarse_terrain", f"The grid is {terrain.resolution_m:.0f} m wide: too coarse "
                     f"to judge single links (ridges are flattened).", "Use a grid of 90 m or "
                     "finer, e.g. Copernicus GLO-30.", "warning", parts[0][0].file)
        first = readings[0]
        readings[0] = Reading(None, (*first.faults, note), first.rows_in, first.accepted,
                              file=first.file, role="terrain", credit=first.credit)
    return terrain, readings


def _again(copies: Copies | None, role: str, parts: list[tuple[Source, str]], grid: _Grid,
           outer: _Part, inner: _Part, read: Callable[[], Copy]) -> Copy:
    """Return the inner part of what was read before, or read and keep the outer part."""
    top, left = inner[0] - outer[0], inner[1] - outer[1]
    if copies is not None:
        key = copies.key(parts, outer, tuple(grid.matrix)[:6], grid.crs.to_wkt())
        found = copies.recall(role, key, Window(left, top, inner[3], inner[2]))
        if found is not None:
            return found
    fresh = read()
    if copies is not None and np.isfinite(fresh.values).any():
        copies.keep(role, key, fresh, grid.matrix, grid.crs)
    return Copy(fresh.values[top:top + inner[2], left:left + inner[3]], fresh.readings)


def _poured_all(opened: list[tuple[Source, rasterio.DatasetReader]], grid: _Grid) -> Copy:
    """Read every raster into one mosaic."""
    heights = np.full((grid.rows, grid.columns), np.nan, np.float32)
    readings = []
    for source, data in opened:
        faults: list[Fault] = []
        rows = _laid(heights, data, source, grid, ~grid.matrix, faults)
        readings.append(Reading(None, tuple(faults), rows_in=rows, accepted=rows,
                                file=source.file, role="terrain", credit=source.credit))
    return Copy(heights, tuple(readings))


def _union(opened: list[tuple[Source, rasterio.DatasetReader]]) -> _Grid:
    """Return the grid of the first raster, stretched over all of them."""
    source, first = opened[0]
    crs = crs_of(first, source)
    matrix, inverse = first.transform, ~first.transform
    corners = []
    for other_source, data in opened:
        box = data.bounds
        other = crs_of(data, other_source)
        if other != crs:
            box = degrees_box(degrees_box(box, other), crs, back=True)
        corners += [inverse @ (x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    column, row = np.array(corners).T
    left, top = int(np.floor(column.min() + 1e-6)), int(np.floor(row.min() + 1e-6))
    return _Grid(int(np.ceil(row.max() - 1e-6)) - top, int(np.ceil(column.max() - 1e-6)) - left,
                 matrix @ Affine.translation(left, top), crs)


def _windowed(grid: _Grid, area: Box | None, file: str, what: str) -> tuple[_Part, _Part]:
    """Return what to read of a grid, and what of that is wanted: (row, column, rows, columns).

    Of a large grid the study area is wanted; it is read up to whole blocks of 512 pixels, so that
    a study which grows a little finds the same copy again.  What is still too large is refused.
    """
    inner = outer = (0, 0, grid.rows, grid.columns)
    if grid.rows * grid.columns > _SMALL and area is not None and np.isfinite(area).all():
        left, bottom, right, top = degrees_box(area, grid.crs, back=True)
        corners = [~grid.matrix @ (x, y) for x in (left, right) for y in (bottom, top)]
        column, row = np.array(corners).T
        j0, j1 = np.clip([np.floor(column.min()) - 2, np.ceil(column.max()) + 2], 0, grid.columns)
        i0, i1 = np.clip([np.floor(row.min()) - 2, np.ceil(row.max()) + 2], 0, grid.rows)
        if j1 - j0 < 2 or i1 - i0 < 2:
            raise refused("out_of_reach", f"The raster with {what} does not reach the study area "
                          f"(longitude {area[0]:.2f} to {area[2]:.2f}, latitude {area[1]:.2f} to "
                          f"{area[3]:.2f}).", "Name a raster that does.", file)
        inner = (int(i0), int(j0), int(i1 - i0), int(j1 - j0))
        a0, b0 = inner[0] // _STEP * _STEP, inner[1] // _STEP * _STEP
        outer = (a0, b0, min(-int(-i1 // _STEP) * _STEP, grid.rows) - a0,
                 min(-int(-j1 // _STEP) * _STEP, grid.columns) - b0)
    if inner[2] * inner[3] > MAX_PIXELS:
        raise refused("too_large", f"The raster has {inner[2]:,} x {inner[3]:,} pixels; more "
                      f"than {MAX_PIXELS:,} are not read.", "Cut it to the study area first, "
                      "e.g. gdalwarp -te WEST SOUTH EAST NORTH in.tif out.tif.", file)
    return outer, inner


def _laid(heights: NDArray[np.float32], data: rasterio.DatasetReader, source: Source, grid: _Grid,
          inverse: Affine, faults: list[Fault]) -> int:
    """Lay one raster into the mosaic where nothing is known yet; return its rows of pixels."""
    crs = crs_of(data, source)
    column, row = inverse @ (data.transform.c, data.transform.f)
    step = inverse @ data.transform
    same = (crs == grid.crs and np.allclose([step.a, step.b, step.d, step.e], [1, 0, 0, 1],
                                            atol=1e-6)
            and abs(column - round(column)) < 1e-3 and abs(row - round(row)) < 1e-3)
    seen = _Seen()
    if same:
        _poured(heights, data, round(row), round(column), seen)
    else:
        faults.append(Fault("resampled", "The tile lies on another grid than the first one and "
                            "was resampled to it.", "Give all tiles on one grid.", "warning",
                            source.file))
        target = {"crs": grid.crs.to_wkt(), "transform": grid.matrix,
                  "width": grid.columns, "height": grid.rows}
        with WarpedVRT(data, src_crs=crs.to_wkt(), nodata=void_of(data),
                       resampling=Resampling.bilinear, **target) as warped:
            _poured(heights, warped, 0, 0, seen)
    if seen.odd:
        faults.append(Fault("implausible_height", f"{seen.odd} pixels lie below "
                            f"{_LOWEST:g} m or above {_HIGHEST:g} m and count as not known.",
                            "State the raster's nodata value in it.", "warning", source.file,
                            count=seen.odd))
    if seen.voids:
        faults.append(Fault("voids", f"{seen.voids} of {seen.pixels} pixels are voids; links over "
                            f"them stay unknown.", "Fill them from another elevation model.",
                            "warning", source.file, count=seen.voids))
    return seen.rows


@dataclass(slots=True)
class _Seen:
    """What was met while a raster was laid: rows and pixels, voids, impossible heights."""

    rows: int = 0
    pixels: int = 0
    voids: int = 0
    odd: int = 0


def _poured(heights: NDArray[np.float32], data: Any, row: int, column: int, seen: _Seen) -> None:
    """Lay a raster whose corner lies at (row, column) into the mosaic, strip by strip.

    Beside the mosaic itself only one strip is held in memory.
    """
    i0, i1 = max(row, 0), min(row + data.height, heights.shape[0])
    j0, j1 = max(column, 0), min(column + data.width, heights.shape[1])
    if i1 <= i0 or j1 <= j0:
        return
    tall = data.block_shapes[0][0]
    deep = max(1, _STRIP_PIXELS // ((j1 - j0) * tall)) * tall
    # strips begin and end with the blocks of the file, so that each is unpacked once
    cuts = [i0, *range(row + ((i0 - row) // deep + 1) * deep, i1, deep), i1]
    for top, bottom in itertools.pairwise(cuts):
        strip = values_of(data, Window(j0 - column, top - row, j1 - j0, bottom - top))
        odd = (strip < _LOWEST) | (strip > _HIGHEST)
        if odd.any():
            seen.odd += int(odd.sum())
            strip[odd] = np.nan
        void = np.isnan(strip)
        seen.voids += int(void.sum())
        there = heights[top:bottom, j0:j1]
        np.copyto(there, strip, where=np.isnan(there) & ~void)
    seen.rows += i1 - i0
    seen.pixels += (i1 - i0) * (j1 - j0)


def read_population(source: Source, folder: Path, area: Box | None = None,
                    copies: Copies | None = None) -> Reading:
    """Read people per pixel as a `Raster`; what is negative or no data is NaN.

    Parameters
    ----------
    source : Source
        A raster.
    folder : Path
        The study's folder.
    area : (west, south, east, north), optional
        Degrees; of a raster of more than 25 million pixels only this part is read.
    copies : Copies, optional
        Where what was read is kept and found again.
    """
    try:
        with ExitStack() as stack:
            names = paths_of(source, folder)
            if len(names) != 1:
                raise refused("several_files", "One raster is wanted here.", "Name one.",
                              source.file)
            data = open_raster(stack, source, names[0])
            whole = _Grid(data.height, data.width, data.transform, crs_of(data, source))
            outer, inner = _windowed(whole, area, source.file, "people")
            found = _again(copies, "population", [(source, names[0])], whole.part(*outer), outer,
                           inner, lambda: _people(data, source, outer))
    except (InputError, MissingFileError) as error:
        return Reading(None, error.faults, file=source.file, role="population",
                       credit=source.credit)
    values, cut = np.ascontiguousarray(found.values), whole.part(*inner)
    faults = []
    if not np.isfinite(values).any():
        faults.append(Fault("no_people", "The raster holds no figure in the study area.",
                            "Name a raster that reaches it.", file=source.file))
    raster = Raster(values, cut.matrix, cut.crs, source.credit)
    return Reading(raster, tuple(faults), rows_in=cut.rows, accepted=cut.rows, file=source.file,
                   role="population", credit=source.credit)


def _people(data: rasterio.DatasetReader, source: Source, part: _Part) -> Copy:
    values = values_of(data, Window(part[1], part[0], part[3], part[2]))
    values[values < 0] = np.nan
    return Copy(values, (Reading(None, (), part[2], part[2], file=source.file, role="population",
                                 credit=source.credit),))
