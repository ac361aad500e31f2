"""Land cover -> clutter heights on the grid of the terrain."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT

from phusong.errors import Fault, InputError
from phusong.geo import earth_crs
from phusong.radio.clutter import Clutter
from phusong.sources.files import locate_file
from phusong.sources.source import Reading, Source
from phusong.terrain import Terrain

__all__ = ["read_land_cover"]


def read_land_cover(source: Source, folder: Path, terrain: Terrain,
                    clutter: Clutter) -> Reading:
    """Read classes of land cover; return the terrain with clutter heights on it.

    Parameters
    ----------
    source : Source
        A raster of classes (ESA WorldCover and the like) in any CRS; a name
        may be a pattern (``worldcover/*.tif``).
    folder : Path
        The study's folder.
    terrain : Terrain
        Gives the grid: each of its pixels takes the class at its middle.
    clutter : Clutter
        Height of each class.

    Returns
    -------
    Reading
        Its table is the `Terrain`.  Where no class is known, or its height is
        not, clutter is not known, and links across that place stay unknown.
    """
    classes = np.full(terrain.shape, np.nan, np.float32)
    with ExitStack() as stack:
        for path in _files(source, folder):
            _laid(classes, path, source, terrain, stack)
    heights = np.full(terrain.shape, np.nan, np.float32)
    for name, height in clutter.heights_m.items():
        heights[classes == name] = height
    rows, known = terrain.shape[0], np.isfinite(heights)
    strange = sorted({int(c) for c in np.unique(classes[np.isfinite(classes) & ~known])})
    faults = []
    if not known.any():
        fault = Fault("no_land_cover", "The raster holds no known class in the study area"
                      + (f" (classes there: {strange[:10]})." if strange else "."),
                      "Name a raster that reaches it; its classes go into radio: {clutter: "
                      "{heights_m: ...}}.", file=source.file)
        return Reading(None, (fault,), rows, rejected=rows, file=source.file, role="land_cover",
                       credit=source.credit)
    if strange:
        faults.append(Fault("unknown_class", f"No height is known for the classes {strange[:10]}; "
                            f"links across them stay unknown.", "Give them in radio: {clutter: "
                            "{heights_m: ...}}.", "warning", source.file,
                            count=int((~known & np.isfinite(classes)).sum())))
    if np.isnan(classes).any():
        faults.append(Fault("land_cover_gaps", f"Land cover is not known on "
                            f"{np.isnan(classes).mean():.1%} of the terrain; links across those "
                            f"places stay unknown.", "Name land cover that covers it.", "warning",
                            source.file))
    faults.append(Fault("clutter_added", f"Trees and houses ({heights[known].mean():.1f} m on "
                        f"average) are added to the terrain between antennas, except within "
                        f"{clutter.clear_m:g} m of them; the terrain is taken to be bare ground.",
                        "If it is a surface model (Copernicus GLO-30), which holds them already, "
                        "take land_cover out of the study file.", "assumption", source.file))
    return Reading(replace(terrain, clutter=heights), tuple(faults), rows, rows,
                   file=source.file, role="land_cover", credit=source.credit)


def _files(source: Source, folder: Path) -> list[Path]:
    if any(mark in source.file for mark in "*?["):
        found = sorted(Path(folder).glob(source.file))
        if found:
            return found
    return [locate_file(source, folder)]


def _laid(classes: NDArray[np.float32], path: Path, source: Source, terrain: Terrain,
          stack: ExitStack) -> None:
    """Lay one raster over the terrain's grid where no class is known yet."""
    rows, columns = terrain.shape
    try:
        data = stack.enter_context(rasterio.open(path))
        if data.crs is None and not source.crs:
            raise InputError.of([Fault("missing_crs", "The raster does not say in which CRS it is.",
                                       "Say so in the study file: crs: EPSG:4326.",
                                       file=source.file)])
        crs = earth_crs(source.crs or data.crs.to_wkt(), source.file)
        nodata = 0 if data.nodata is None else data.nodata
        warped = stack.enter_context(WarpedVRT(
            data, src_crs=crs.to_wkt(), crs=terrain.crs.to_wkt(), transform=terrain.transform,
            width=columns, height=rows, resampling=Resampling.nearest, nodata=nodata))
        values = warped.read(1).astype(np.float32)
    except (RasterioError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError.of([Fault("unreadable_file", f"The raster cannot be read "
                                   f"({str(error)[:200]}).", "Export or download it again.",
                                   file=source.file)]) from error
    fresh = np.isnan(classes) & (values != nodata)
    classes[fresh] = values[fresh]
