"""Heights and people on grids: GeoTIFF and SRTM tiles, read by window, voids kept as voids."""

from __future__ import annotations

import itertools
import re
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from phusong.errors import Fault, InputError, MissingFileError
from phusong.geo import DEGREES, earth_crs, transform
from phusong.nouns import nearest
from phusong.sources.coordinates import Box
from phusong.sources.source import Reading, Source
from phusong.surroundings import Raster
from phusong.terrain import Terrain

__all__ = ["MAX_PIXELS", "parts_of", "raster_box", "read_population", "read_terrain"]

MAX_PIXELS = 300_000_000
"""More pixels (1.2 GB of heights) than that are refused before anything is read."""
COARSE_M = 150.0
_SMALL = 25_000_000
_STRIP_PIXELS = 4_000_000
_LOWEST, _HIGHEST = -500.0, 9000.0
_VOID = -32768.0


@dataclass(frozen=True, slots=True)
class _Grid:
    """The grid a mosaic is put on: size, transform, CRS."""

    rows: int
    columns: int
    matrix: Affine
    crs: Any


def read_terrain(sources: Sequence[Source], folder: Path, metric_crs: Any,
                 area: Box | None = None) -> tuple[Terrain | None, list[Reading]]:
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
            parts += [(source, path) for path in _paths(source, folder)]
        except (InputError, MissingFileError) as error:
            readings.append(Reading(None, error.faults, file=source.file, role="terrain",
                                    credit=source.credit))
    if readings or not parts:
        return None, readings
    try:
        return _mosaic(parts, metric_crs, area)
    except InputError as error:
        return None, [Reading(None, error.faults, file=parts[0][0].file, role="terrain",
                              credit=parts[0][0].credit)]


def _paths(source: Source, folder: Path) -> list[str]:
    pattern = any(mark in source.file for mark in "*?[")
    found = sorted(Path(folder).glob(source.file)) if pattern else [Path(folder) / source.file]
    if not found or not all(path.is_file() for path in found):
        parent = (Path(folder) / source.file).parent
        there = [p.name for p in parent.iterdir() if p.is_file()] if parent.is_dir() else []
        cure = nearest(Path(source.file).name, there) if there else f"There is no folder {parent}."
        raise MissingFileError.of([Fault("missing_file", "There is no such file.", cure,
                                         file=source.file)])
    return [name for path in found for name in _inside(path, source.file)]


def _inside(path: Path, file: str) -> list[str]:
    """Return GDAL names: the file itself, or the rasters in an archive."""
    if path.suffix.lower() != ".zip":
        return [str(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            items = [i for i in archive.infolist()
                     if i.filename.lower().endswith((".hgt", ".tif", ".tiff"))]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _refused("unreadable_file", f"The archive is damaged ({error}).",
                       "Download it again.", file) from error
    if not items:
        raise _refused("no_raster", "The archive holds no .hgt or .tif.", "Unpack it and name "
                       "the raster.", file)
    if sum(item.file_size for item in items) > 4 * MAX_PIXELS:
        raise _refused("too_large", "The archive would unpack to more than 1.2 GB.",
                       "Cut the raster to the study area first (gdalwarp -te).", file)
    return [f"/vsizip/{path}/{item.filename}" for item in items]


def _refused(code: str, what: str, cure: str, file: str) -> InputError:
    error = InputError.of([Fault(code, what, cure, file=file)])
    assert isinstance(error, InputError)
    return error


def _open(stack: ExitStack, source: Source, name: str) -> rasterio.DatasetReader:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            data = stack.enter_context(rasterio.open(name, NUM_THREADS="2") if _is_tiff(name)
                                       else rasterio.open(name))
    except (RasterioError, OSError, ValueError) as error:
        hint = ""
        if re.search(r"\.hgt", name, re.IGNORECASE):
            hint = "A tile is named by its south-west corner, e.g. N22E103.hgt. "
        raise _refused("unreadable_file", f"The raster cannot be read ({str(error)[:200]}).",
                       f"{hint}Export it again as GeoTIFF.", source.file) from error
    if data.crs is None and not source.crs:
        raise _refused("missing_crs", "The raster does not say in which CRS it is.",
                       'State it in the study file: crs: "EPSG:...".', source.file)
    if data.transform.is_identity or data.transform.determinant == 0:
        raise _refused("no_georeference", "The raster does not say where on earth it lies.",
                       "Export it again as GeoTIFF with georeference.", source.file)
    return data


def _is_tiff(name: str) -> bool:
    return name.lower().endswith((".tif", ".tiff"))


def _crs_of(data: rasterio.DatasetReader, source: Source) -> Any:
    return earth_crs(source.crs or data.crs.to_wkt(), source.file)


def parts_of(path: Path) -> set[Path]:
    """Return the files that a virtual raster (``.vrt``) is made of; none if it cannot be read."""
    try:
        with rasterio.open(path) as data:
            return {Path(name) for name in data.files} - {path}
    except (RasterioError, OSError, ValueError):
        return set()


def raster_box(source: Source, folder: Path) -> Box | None:
    """Return (west, south, east, north) of a raster in degrees; None if it cannot be read."""
    boxes = []
    try:
        with ExitStack() as stack:
            for name in _paths(source, folder):
                data = _open(stack, source, name)
                boxes.append(_degrees_box(data.bounds, _crs_of(data, source)))
    except (InputError, MissingFileError):
        return None
    west, south, east, north = np.array(boxes).T
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def _degrees_box(bounds: Sequence[float], crs: Any, back: bool = False) -> Box:
    """Carry a box to degrees (or, with `back`, from degrees to `crs`), along its whole outline."""
    left, bottom, right, top = bounds
    t = np.linspace(0.0, 1.0, 33)
    x = np.concatenate([left + t * (right - left)] * 2 + [t * 0 + left, t * 0 + right])
    y = np.concatenate([t * 0 + bottom, t * 0 + top] + [bottom + t * (top - bottom)] * 2)
    a, b = transform(x, y, *((DEGREES, crs) if back else (crs, DEGREES)))
    good = np.isfinite(a) & np.isfinite(b)
    if not good.any():
        return (float("nan"),) * 4
    return float(a[good].min()), float(b[good].min()), float(a[good].max()), float(b[good].max())


def _mosaic(parts: list[tuple[Source, str]], metric_crs: Any,
            area: Box | None) -> tuple[Terrain | None, list[Reading]]:
    with ExitStack() as stack:
        opened = [(source, _open(stack, source, name)) for source, name in parts]
        grid, offset = _windowed(_union(opened), area, opened[0][0].file, "heights")
        heights = np.full((grid.rows, grid.columns), np.nan, np.float32)
        readings = []
        for source, data in opened:
            faults: list[Fault] = []
            rows = _laid(heights, data, source, grid, offset, faults)
            readings.append(Reading(None, tuple(faults), rows_in=rows, accepted=rows,
                                    file=source.file, role="terrain", credit=source.credit))
    credit = "; ".join(dict.fromkeys(source.credit for source, _ in parts))
    if not np.isfinite(heights).any():
        raise _refused("no_heights", "The raster holds no height at all in the study area.",
                       "Name a raster that reaches it.", parts[0][0].file)
    terrain = Terrain(heights, grid.matrix, grid.crs, metric_crs, credit)
    if terrain.resolution_m > COARSE_M:
        note = Fault("coarse_terrain", f"The grid is {terrain.resolution_m:.0f} m wide: too coarse "
                     f"to judge single links (ridges are flattened).", "Use a grid of 90 m or "
                     "finer, e.g. Copernicus GLO-30.", "warning", parts[0][0].file)
        first = readings[0]
        readings[0] = Reading(None, (*first.faults, note), first.rows_in, first.accepted,
                              file=first.file, role="terrain", credit=first.credit)
    return terrain, readings


def _union(opened: list[tuple[Source, rasterio.DatasetReader]]) -> _Grid:
    """Return the grid of the first raster, stretched over all of them."""
    source, first = opened[0]
    crs = _crs_of(first, source)
    matrix, inverse = first.transform, ~first.transform
    corners = []
    for other_source, data in opened:
        box = data.bounds
        other = _crs_of(data, other_source)
        if other != crs:
            box = _degrees_box(_degrees_box(box, other), crs, back=True)
        corners += [inverse @ (x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    column, row = np.array(corners).T
    left, top = int(np.floor(column.min() + 1e-6)), int(np.floor(row.min() + 1e-6))
    return _Grid(int(np.ceil(row.max() - 1e-6)) - top, int(np.ceil(column.max() - 1e-6)) - left,
                 matrix @ Affine.translation(left, top), crs)


def _windowed(grid: _Grid, area: Box | None, file: str, what: str) -> tuple[_Grid, Affine]:
    """Cut a grid to the study area if it is large; refuse what is still too large."""
    if grid.rows * grid.columns > _SMALL and area is not None and np.isfinite(area).all():
        left, bottom, right, top = _degrees_box(area, grid.crs, back=True)
        corners = [~grid.matrix @ (x, y) for x in (left, right) for y in (bottom, top)]
        column, row = np.array(corners).T
        j0, j1 = np.clip([np.floor(column.min()) - 2, np.ceil(column.max()) + 2], 0, grid.columns)
        i0, i1 = np.clip([np.floor(row.min()) - 2, np.ceil(row.max()) + 2], 0, grid.rows)
        if j1 - j0 < 2 or i1 - i0 < 2:
            raise _refused("out_of_reach", f"The raster with {what} does not reach the study area "
                           f"(longitude {area[0]:.2f} to {area[2]:.2f}, latitude {area[1]:.2f} to "
                           f"{area[3]:.2f}).", "Name a raster that does.", file)
        grid = _Grid(int(i1 - i0), int(j1 - j0), grid.matrix @ Affine.translation(j0, i0),
                     grid.crs)
    if grid.rows * grid.columns > MAX_PIXELS:
        raise _refused("too_large", f"The raster has {grid.rows:,} x {grid.columns:,} pixels; more "
                       f"than {MAX_PIXELS:,} are not read.", "Cut it to the study area first, "
                       "e.g. gdalwarp -te WEST SOUTH EAST NORTH in.tif out.tif.", file)
    return grid, ~grid.matrix


def _laid(heights: NDArray[np.float32], data: rasterio.DatasetReader, source: Source, grid: _Grid,
          inverse: Affine, faults: list[Fault]) -> int:
    """Lay one raster into the mosaic where nothing is known yet; return its rows of pixels."""
    crs = _crs_of(data, source)
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
        with WarpedVRT(data, src_crs=crs.to_wkt(), nodata=_void(data),
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
        strip = _values(data, Window(j0 - column, top - row, j1 - j0, bottom - top))
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


def _aligned(data: rasterio.DatasetReader, row: int, column: int,
             grid: _Grid) -> tuple[NDArray[np.float32], tuple[slice, slice]]:
    i0, i1 = max(row, 0), min(row + data.height, grid.rows)
    j0, j1 = max(column, 0), min(column + data.width, grid.columns)
    if i1 <= i0 or j1 <= j0:
        return np.empty((0, 0), np.float32), (slice(0, 0), slice(0, 0))
    window = Window(j0 - column, i0 - row, j1 - j0, i1 - i0)
    return _values(data, window), (slice(i0, i1), slice(j0, j1))


def _void(data: rasterio.DatasetReader) -> float | None:
    return data.nodata if data.nodata is not None else (_VOID if data.dtypes[0] == "int16"
                                                        else None)


def _values(data: Any, window: Window | None) -> NDArray[np.float32]:
    """Read the first band: voids NaN, scale and offset applied."""
    try:
        raw = data.read(1, window=window, masked=True)
    except (RasterioError, OSError, ValueError) as error:
        raise _refused("unreadable_file", f"The raster is damaged ({str(error)[:200]}).",
                       "Export or download it again.", Path(data.name).name) from error
    values = np.asarray(raw.data, dtype=np.float32)
    if values is raw.data:
        values = values.copy()
    void = np.ma.getmaskarray(raw) | (values == np.float32(_VOID)) | ~np.isfinite(values)
    scale, offset = data.scales[0], data.offsets[0]
    if (scale, offset) != (1.0, 0.0):
        values = values * np.float32(scale) + np.float32(offset)
    values[void] = np.nan
    return values


def read_population(source: Source, folder: Path, area: Box | None = None) -> Reading:
    """Read people per pixel as a `Raster`; what is negative or no data is NaN.

    Parameters
    ----------
    source : Source
        A raster.
    folder : Path
        The study's folder.
    area : (west, south, east, north), optional
        Degrees; of a raster of more than 25 million pixels only this part is read.
    """
    try:
        with ExitStack() as stack:
            names = _paths(source, folder)
            if len(names) != 1:
                raise _refused("several_files", "One raster is wanted here.", "Name one.",
                               source.file)
            data = _open(stack, source, names[0])
            whole = _Grid(data.height, data.width, data.transform, _crs_of(data, source))
            grid, inverse = _windowed(whole, area, source.file, "people")
            column, row = inverse @ (data.transform.c, data.transform.f)
            values, _ = _aligned(data, round(row), round(column), grid)
    except (InputError, MissingFileError) as error:
        return Reading(None, error.faults, file=source.file, role="population",
                       credit=source.credit)
    values[values < 0] = np.nan
    faults = []
    if not np.isfinite(values).any():
        faults.append(Fault("no_people", "The raster holds no figure in the study area.",
                            "Name a raster that reaches it.", file=source.file))
    raster = Raster(values, grid.matrix, grid.crs, source.credit)
    return Reading(raster, tuple(faults), rows_in=grid.rows, accepted=grid.rows, file=source.file,
                   role="population", credit=source.credit)
