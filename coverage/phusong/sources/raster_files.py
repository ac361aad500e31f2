"""Raster files: found, opened, placed on earth and read as numbers; nothing is judged here."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from phusong.errors import Fault, InputError, MissingFileError
from phusong.geo import DEGREES, earth_crs, transform
from phusong.nouns import nearest
from phusong.sources.coordinates import Box
from phusong.sources.source import Source

__all__ = ["MAX_PIXELS", "crs_of", "degrees_box", "open_raster", "parts_of", "paths_of",
           "raster_box", "refused", "values_of", "void_of"]

MAX_PIXELS = 300_000_000
"""More pixels (1.2 GB of heights) than that are refused before anything is read."""
_VOID = -32768.0


def paths_of(source: Source, folder: Path) -> list[str]:
    """Return the names by which GDAL opens a source: files, rasters in archives, sorted.

    Raises
    ------
    InputError, MissingFileError
        If there is no such file, or an archive is damaged, empty or too large.
    """
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
        raise refused("unreadable_file", f"The archive is damaged ({error}).",
                       "Download it again.", file) from error
    if not items:
        raise refused("no_raster", "The archive holds no .hgt or .tif.", "Unpack it and name "
                       "the raster.", file)
    if sum(item.file_size for item in items) > 4 * MAX_PIXELS:
        raise refused("too_large", "The archive would unpack to more than 1.2 GB.",
                       "Cut the raster to the study area first (gdalwarp -te).", file)
    return [f"/vsizip/{path}/{item.filename}" for item in items]


def refused(code: str, what: str, cure: str, file: str) -> InputError:
    """Return the error that refuses a raster."""
    error = InputError.of([Fault(code, what, cure, file=file)])
    assert isinstance(error, InputError)
    return error


def open_raster(stack: ExitStack, source: Source, name: str) -> rasterio.DatasetReader:
    """Open a raster that says where on earth it lies.

    Raises
    ------
    InputError
        If it cannot be read, or lacks a CRS or a place.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            data = stack.enter_context(rasterio.open(name, NUM_THREADS="2") if _is_tiff(name)
                                       else rasterio.open(name))
    except (RasterioError, OSError, ValueError) as error:
        hint = ""
        if re.search(r"\.hgt", name, re.IGNORECASE):
            hint = "A tile is named by its south-west corner, e.g. N22E103.hgt. "
        raise refused("unreadable_file", f"The raster cannot be read ({str(error)[:200]}).",
                       f"{hint}Export it again as GeoTIFF.", source.file) from error
    if data.crs is None and not source.crs:
        raise refused("missing_crs", "The raster does not say in which CRS it is.",
                       'State it in the study file: crs: "EPSG:...".', source.file)
    if data.transform.is_identity or data.transform.determinant == 0:
        raise refused("no_georeference", "The raster does not say where on earth it lies.",
                       "Export it again as GeoTIFF with georeference.", source.file)
    return data


def _is_tiff(name: str) -> bool:
    return name.lower().endswith((".tif", ".tiff"))


def crs_of(data: rasterio.DatasetReader, source: Source) -> Any:
    """Return the CRS of a raster: the study file's word, else the raster's own."""
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
            for name in paths_of(source, folder):
                data = open_raster(stack, source, name)
                boxes.append(degrees_box(data.bounds, crs_of(data, source)))
    except (InputError, MissingFileError):
        return None
    west, south, east, north = np.array(boxes).T
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def degrees_box(bounds: Sequence[float], crs: Any, back: bool = False) -> Box:
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


def void_of(data: rasterio.DatasetReader) -> float | None:
    """Return the number that means "not known" in a raster, if any does."""
    return data.nodata if data.nodata is not None else (_VOID if data.dtypes[0] == "int16"
                                                        else None)


def values_of(data: Any, window: Window | None) -> NDArray[np.float32]:
    """Read the first band: voids NaN, scale and offset applied."""
    try:
        raw = data.read(1, window=window, masked=True)
    except (RasterioError, OSError, ValueError) as error:
        raise refused("unreadable_file", f"The raster is damaged ({str(error)[:200]}).",
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
