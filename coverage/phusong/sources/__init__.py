"""Files -> checked tables: the door of the house.

`collect` reads everything a study names and raises one error with all faults;
`inspect` lists the faults instead; `files` names the files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd

from phusong.errors import InputError, MissingFileError, TerrainError
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.collect import SourcesLike, TargetLike, gather, reports
from phusong.sources.credits import records_of
from phusong.sources.land_cover import read_land_cover
from phusong.sources.lines import read_power_lines, read_roads
from phusong.sources.lists import read_ids, read_lockdowns
from phusong.sources.measurements import read_measurements
from phusong.sources.points import read_points
from phusong.sources.polygons import read_areas, read_communes, read_footprints
from phusong.sources.raster_files import parts_of
from phusong.sources.rasters import read_population, read_terrain
from phusong.sources.sites import read_sites
from phusong.sources.source import Reading, Source
from phusong.surroundings import Surroundings
from phusong.terrain import Terrain

__all__ = ["READERS", "Reading", "Source", "collect", "files", "inspect", "named", "reports"]

READERS: dict[str, Callable[..., Any]] = {
    "points": read_points,
    "sites": read_sites,
    "terrain": read_terrain,
    "communes": read_communes,
    "roads": read_roads,
    "power_lines": read_power_lines,
    "population": read_population,
    "land_cover": read_land_cover,
    "water": read_areas,
    "protected": read_areas,
    "public_land": read_areas,
    "footprints": read_footprints,
    "lockdowns": read_lockdowns,
    "measurements": read_measurements,
    "targets": read_ids,
}
"""Part that a file plays in a study -> what reads it."""


def collect(sources: SourcesLike, *, folder: Path, profile: Profile, crs: str = "auto",
            radio: Radio | None = None, targets: Sequence[TargetLike] = (),
            copies: Path | None = None) \
        -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Terrain | None, Surroundings]:
    """Read every input of a study.

    Parameters
    ----------
    sources : SourcesLike
        The files, as the study names them.
    folder : Path
        Where they lie.
    profile : Profile
        What the country adds.
    crs : str
        Working CRS in metres, or ``auto`` for the UTM zone of the points' middle.
    radio : Radio, optional
        Presets that stand in for what cells do not say.
    targets : sequence of TargetLike
        Dated lists; members named in a file are written into the points' ``targets``.
    copies : Path, optional
        Folder of checked copies of rasters (Cloud-Optimised GeoTIFF): what is there is not read
        from its source again, what is not is put there.

    Returns
    -------
    points, sites, terrain, around
        POINTS, SITES, `Terrain` (None if the study names none) and `Surroundings` with every
        warning and assumption, all in the working CRS.

    Raises
    ------
    InputError, MissingFileError, TerrainError
        With all faults of all files at once; the class tells what the only kind of fault is, and
        is `InputError` where there are several.
    """
    found = gather(sources, folder, profile, crs=crs, radio=radio, targets=targets,
                   copies=copies)
    errors = [fault for fault in found.every_fault if fault.severity == "error"]
    if errors:
        codes = {fault.code for fault in errors}
        kind = MissingFileError if codes == {"missing_file"} else \
            TerrainError if codes == {"terrain_out_of_reach"} else InputError
        raise kind.of(errors)
    return found.points, found.sites, found.terrain, found.around()


def inspect(sources: SourcesLike, *, folder: Path, profile: Profile, crs: str = "auto",
            radio: Radio | None = None, targets: Sequence[TargetLike] = ()) -> Surroundings:
    """List everything that is wrong with, or was assumed about, a study's inputs.

    Takes what `collect` takes; errors are listed in ``faults``, not raised.
    """
    return gather(sources, folder, profile, crs=crs, radio=radio, targets=targets).around()


def named(sources: SourcesLike) -> list[str]:
    """Return the file (or pattern) of every source a study names, in its order."""
    single = [getattr(sources, name, None) for name in READERS
              if name not in ("points", "sites", "terrain", "targets")]
    return [s.file for s in (*sources.points, *sources.sites, *sources.terrain, *single)
            if s is not None]


def files(sources: SourcesLike, *, folder: Path,
          targets: Sequence[TargetLike] = ()) -> list[Path]:
    """Return every file that a study's inputs name and that is there, each once, sorted.

    The records of downloads that stand beside them count too: licences travel into results.
    """
    wanted = named(sources) + [target.file for target in targets if target.file]
    found = {Path(folder) / name for name in wanted}
    for pattern in (*sources.reports, *(n for n in wanted if any(mark in n for mark in "*?["))):
        found |= set(Path(folder).glob(pattern))
    there = {path for path in found if path.is_file()}
    for virtual in [path for path in there if path.suffix.lower() == ".vrt"]:
        there |= {part for part in parts_of(virtual) if part.is_file()}
    return sorted(there | records_of(there))
