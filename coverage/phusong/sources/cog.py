"""Rasters out: Cloud-Optimised GeoTIFF, and the outlines of what is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from rasterio.io import MemoryFile
from rasterio.shutil import copy

from phusong.errors import InputError
from phusong.footprints import Footprint
from phusong.geo import parse_crs
from phusong.whole import write_whole

__all__ = ["polygons", "write_cog", "write_footprint"]

_FOUR_SIDES = 4
_KINDS = ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")


def write_cog(path: Path, array: NDArray[Any], transform: Affine, crs: Any, *,
              nodata: float | None = None, descriptions: tuple[str, ...] = (),
              notes: dict[str, str] | None = None) -> Path:
    """Write a grid as Cloud-Optimised GeoTIFF; a reader sees the old file or the new one.

    Tiled, deflated, with overviews by nearest neighbour: every number in an
    overview is one of the grid's own.

    Parameters
    ----------
    path : Path
        Its folder is made where there is none.
    array : (rows, columns) or (bands, rows, columns)
        Numbers; NaN of floating grids is declared as no data.
    transform : Affine
        From (column, row) of a pixel's upper left corner to `crs`.
    crs : CRS, str or int
        System of the grid.
    nodata : float, optional
        What means "not known" in a grid of whole numbers.
    descriptions : tuple of str
        One for each band, e.g. ``received_dbm``.
    notes : dict of str to str, optional
        Kept in the file as tags: where it came from.

    Raises
    ------
    InputError
        If the grid has no pixel, another number of dimensions, or a type that
        GeoTIFF does not know.
    """
    values = np.asarray(array)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or 0 in values.shape:
        raise InputError(f"A raster has rows and columns, and perhaps bands; this one has the "
                         f"shape {np.shape(array)}.")
    if values.dtype.name not in _KINDS:
        raise InputError(f"A raster of {values.dtype} cannot be written; convert it to one of "
                         f"{', '.join(_KINDS)}.")
    if descriptions and len(descriptions) != len(values):
        raise InputError(f"{len(values)} bands, but {len(descriptions)} descriptions: give one "
                         f"for each.")
    void = float("nan") if values.dtype.kind == "f" else nodata
    with MemoryFile() as plain, MemoryFile() as optimised:
        with plain.open(driver="GTiff", count=len(values), height=values.shape[1],
                        width=values.shape[2], dtype=values.dtype.name, nodata=void,
                        transform=transform, crs=parse_crs(crs).to_wkt()) as target:
            target.write(values)
            target.update_tags(**(notes or {}))
            for band, text in enumerate(descriptions, start=1):
                target.set_band_description(band, text)
        _optimise(plain, optimised, values.dtype.kind)
        return write_whole(Path(path), bytes(optimised.getbuffer()))


def _optimise(plain: MemoryFile, optimised: MemoryFile, kind: str) -> None:
    """Rewrite a GeoTIFF in memory as COG."""
    predictor = "FLOATING_POINT" if kind == "f" else "STANDARD"
    copy(plain.name, optimised.name, driver="COG", compress="DEFLATE", predictor=predictor,
         blocksize=256, overview_resampling="NEAREST", num_threads="1")


def write_footprint(folder: Path, name: str, footprint: Footprint) -> tuple[Path, Path]:
    """Write ``<name>_received_dbm.tif`` and ``<name>_server.tif`` (COG) into a folder.

    The second holds for each pixel the number of its best cell, -1 where none
    is in reach; its tags (``cell_0``, ``cell_1``, ...) say which cell that is.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    name : str
        What the files are called.
    footprint : Footprint
        As `phusong.footprints.footprint` returns it.
    """
    notes = {"method": footprint.method, "what": "median outdoor level at an isotropic antenna"}
    level = write_cog(folder / f"{name}_received_dbm.tif", footprint.received_dbm,
                      footprint.transform, footprint.crs, descriptions=("received_dbm",),
                      notes=notes)
    cells = {f"cell_{i}": cell for i, cell in enumerate(footprint.cell_ids)}
    return level, write_cog(folder / f"{name}_server.tif", footprint.server, footprint.transform,
                            footprint.crs, nodata=-1, descriptions=("server",),
                            notes={"method": footprint.method, **cells})


def polygons(footprint: Footprint, threshold_dbm: float, tolerance_m: float | None = None, *,
             least_km2: float = 0.0) -> gpd.GeoDataFrame:
    """Return the outlines of what is reached at a level, by best cell.

    Parameters
    ----------
    footprint : Footprint
        Levels and servers.
    threshold_dbm : float
        Pixels at or above it are inside; unknown levels are outside.
    tolerance_m : float, optional
        By how much outlines may be simplified (Visvalingam, triangles of
        ``tolerance_m^2``); None = one pixel, 0 = every corner of every pixel.
        Neighbours keep their common border: no gaps, no overlaps.
    least_km2 : float
        Smaller polygons and holes are left out.

    Returns
    -------
    GeoDataFrame
        Indexed by ``cell_id``, in alphabetical order, in the working CRS:
        ``area_km2`` (of the simplified outline) and ``threshold_dbm``; cells
        without a pixel at that level are absent.

    Raises
    ------
    InputError
        If the tolerance or the least area is negative.
    """
    tolerance = footprint.pixel_m if tolerance_m is None else tolerance_m
    if not tolerance >= 0.0 or not least_km2 >= 0.0:
        raise InputError(f"tolerance_m = {tolerance:g}, least_km2 = {least_km2:g}: neither may be "
                         f"negative.")
    inside = footprint.received_dbm >= np.float32(threshold_dbm)
    # in pixels, so that corners are whole numbers and neighbours meet exactly
    found = [(int(cell), shapely.geometry.shape(outline)) for outline, cell in
             shapes(footprint.server, mask=inside, connectivity=_FOUR_SIDES)]
    parts = np.array([outline for _, outline in found], dtype=object)
    if len(parts) and tolerance > 0.0:
        # a corner of one is a corner of its neighbour: a valid coverage
        parts = shapely.coverage_simplify(shapely.segmentize(parts, 1.0),
                                          tolerance / footprint.pixel_m)
    matrix = footprint.transform
    parts = shapely.transform(parts, lambda corner: corner * (matrix.a, matrix.e)
                              + (matrix.c, matrix.f))
    by_cell: dict[int, list[Any]] = {}
    for (cell, _), part in zip(found, parts, strict=True):
        by_cell.setdefault(cell, []).append(part)
    servers = sorted(by_cell)
    outlines = gpd.GeoSeries([_without_crumbs(by_cell[cell], 1e6 * least_km2) for cell in servers],
                             crs=footprint.crs)
    frame = gpd.GeoDataFrame({"area_km2": outlines.area / 1e6,
                              "threshold_dbm": float(threshold_dbm)}, geometry=outlines,
                             crs=footprint.crs)
    frame.index = pd.Index([footprint.cell_ids[cell] for cell in servers], name="cell_id",
                           dtype="str")
    return frame[~frame.geometry.is_empty]


def _without_crumbs(parts: list[Any], least_m2: float) -> shapely.MultiPolygon:
    """Return the parts of at least an area as one shape, without holes of less."""
    kept = []
    for part in parts:
        if part.area >= least_m2 and part.area > 0.0:
            holes = [ring for ring in part.interiors if shapely.Polygon(ring).area >= least_m2]
            kept.append(shapely.Polygon(part.exterior, holes))
    return shapely.MultiPolygon(kept)
