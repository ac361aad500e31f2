"""All inputs of a study, read and checked together: every fault of every file at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong import tables
from phusong.errors import Fault, InputError, PhusongError
from phusong.geo import DEGREES, choose_crs, parse_crs, to_degrees, to_metric
from phusong.nouns import nearest
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.coordinates import Box
from phusong.sources.credits import changed, credited
from phusong.sources.crosswalks import read_register
from phusong.sources.inhabitants import inhabited
from phusong.sources.land_cover import read_land_cover
from phusong.sources.learners import fill_learners
from phusong.sources.lines import read_power_lines, read_roads
from phusong.sources.lists import join_lockdowns, join_target, read_ids, read_lockdowns
from phusong.sources.measurements import read_measurements
from phusong.sources.pieces import examined
from phusong.sources.points import read_points
from phusong.sources.polygons import read_areas, read_communes, read_footprints
from phusong.sources.raster_copies import Copies
from phusong.sources.raster_files import raster_box
from phusong.sources.rasters import read_population, read_terrain
from phusong.sources.reach import reach
from phusong.sources.remarks import absent_reports, air, unlicensed, without
from phusong.sources.sites import read_sites
from phusong.sources.source import Change, CommunesSource, Reading, Source
from phusong.surroundings import Surroundings
from phusong.tables import POINTS, SITES, Table
from phusong.terrain import Terrain
from phusong.units import Register

__all__ = ["LAYERS", "Collected", "SourcesLike", "TargetLike", "gather", "reports"]

_PAD_DEG = 0.5
Layer = Callable[[Source, Path, Any, Profile], Reading]
S = TypeVar("S", bound=Source)

LAYERS: dict[str, Layer] = {
    "roads": read_roads,
    "power_lines": read_power_lines,
    "water": read_areas,
    "protected": read_areas,
    "public_land": read_areas,
    "footprints": read_footprints,
    "measurements": read_measurements,
}
"""Optional vector layer of a study -> what reads it."""


class SourcesLike(Protocol):
    """What the study file says about inputs (`phusong.study.Sources` is one)."""

    @property
    def points(self) -> tuple[Source, ...]: ...
    @property
    def sites(self) -> tuple[Source, ...]: ...
    @property
    def terrain(self) -> tuple[Source, ...]: ...
    @property
    def communes(self) -> CommunesSource | None: ...
    @property
    def population(self) -> Source | None: ...
    @property
    def lockdowns(self) -> Source | None: ...
    @property
    def reports(self) -> tuple[str, ...]: ...


class TargetLike(Protocol):
    """What a dated target says about its members (`phusong.progress.Target` is one)."""

    @property
    def name(self) -> str: ...
    @property
    def deadline(self) -> dt.date: ...
    @property
    def file(self) -> str | None: ...
    @property
    def kinds(self) -> tuple[str, ...]: ...


@dataclass(slots=True, eq=False)
class Collected:
    """Everything a study's files hold, in its working CRS.

    Parameters
    ----------
    points, sites : GeoDataFrame
        POINTS and SITES.
    terrain : Terrain or None
        None where the study names none, or it could not be read.
    layers : dict
        Communes, roads, ... by the name of their field in `Surroundings`.
    reports : tuple of str
        Files of operators' reports.
    readings : list of Reading
        One for each file.
    faults : list of Fault
        What concerns several files together.
    folder : Path
        The study's folder.
    credits : dict of str to Source
        File -> its source, with licence, attribution and date.
    """

    points: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    terrain: Terrain | None = None
    layers: dict[str, Any] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    readings: list[Reading] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    folder: Path = Path()
    credits: dict[str, Source] = field(default_factory=dict)

    @property
    def every_fault(self) -> tuple[Fault, ...]:
        """Faults of all files and of the whole: errors first, then warnings, then assumptions."""
        found = [fault for reading in self.readings for fault in reading.faults] + self.faults
        order = {"error": 0, "warning": 1, "assumption": 2}
        return tuple(sorted(dict.fromkeys(found), key=lambda fault: order[fault.severity]))

    def _credit(self, file: str) -> dict[str, str]:
        """Return licence, attribution and date of a file, as far as anybody has said them."""
        source = self.credits.get(file)
        day = "" if source is None or source.date is None else source.date.isoformat()
        return {"licence": source.licence if source else "",
                "attribution": source.attribution if source else "", "date": day}

    def around(self) -> Surroundings:
        """Return the optional layers together with all faults and readings."""
        rows = [{"file": r.file, "role": r.role, "rows_in": r.rows_in, "accepted": r.accepted,
                 "mended": r.mended, "rejected": r.rejected, "set_aside": r.set_aside,
                 **self._credit(r.file), "columns": dict(r.columns), "unused": list(r.unused)}
                for r in self.readings]
        mends = [{"file": r.file, **change._asdict()} for r in self.readings
                 for change in r.changes]
        return Surroundings(**self.layers, reports=self.reports, faults=self.every_fault,
                            readings=pd.DataFrame(rows), mends=pd.DataFrame(
                                mends, columns=["file", *Change._fields]))


def gather(sources: SourcesLike, folder: Path, profile: Profile, *, crs: str = "auto",
           radio: Radio | None = None, targets: Sequence[TargetLike] = (),
           copies: Path | None = None) -> Collected:
    """Read everything; raise nothing for what is wrong with a file, but list it.

    Parameters
    ----------
    sources : SourcesLike
        The files.
    folder : Path
        The study's folder.
    profile : Profile
        What the country adds.
    crs : str
        Working CRS, or ``auto`` for the UTM zone of the points' middle.
    radio : Radio, optional
        Presets for cells, and the range that terrain must reach beyond the points.
    targets : sequence of TargetLike
        Lists of points.
    copies : Path, optional
        Folder of checked copies of rasters.
    """
    radio = radio or Radio()
    kept = None if copies is None else Copies(copies)
    found = Collected(_empty(POINTS, DEGREES), _empty(SITES, DEGREES), folder=folder)
    communes = _layer(found, read_communes, sources.communes, folder, DEGREES, profile, "communes")
    register = _register(found, sources.communes, communes, folder, profile)
    area = _area(sources.terrain, folder, communes)
    found.points = _all_of(found, POINTS, sources.points, lambda source: read_points(
        source, folder, DEGREES, profile, communes, area=area, register=register))
    found.sites = _all_of(found, SITES, sources.sites, lambda source: read_sites(
        source, folder, DEGREES, profile, radio, area=area, communes=communes, register=register))
    if sources.lockdowns is not None:
        days = _tried(found, "lockdowns", sources.lockdowns,
                      lambda source: read_lockdowns(source, folder, profile))
        found.points, faults = join_lockdowns(found.points, days, sources.lockdowns, register)
        found.faults += faults
    _join_targets(found, targets, folder, profile)
    found.points, faults = fill_learners(found.points, profile)
    found.faults += faults
    metric = _working_crs(found, crs, area)
    if metric is None:
        return found
    found.points, found.sites = to_metric(found.points, metric), to_metric(found.sites, metric)
    if communes is not None:
        found.layers["communes"] = to_metric(communes, metric)
    for name, reader in LAYERS.items():
        table = _layer(found, reader, getattr(sources, name, None), folder, metric, profile, name)
        if table is not None:
            found.layers[name] = table
    extent = _extent(found, radio.max_range_m)
    if sources.population is not None:
        found.readings.append(read_population(_credited(found, sources.population), folder, extent,
                                              kept))
        found.layers["population"] = found.readings[-1].table
    found.points, faults = inhabited(found.points, found.layers.get("population"))
    found.faults += faults
    found.faults += examined(found.layers)
    found.terrain, readings = read_terrain(
        [_credited(found, source) for source in sources.terrain], folder, metric, extent, kept)
    found.readings += readings
    if kept is not None:
        kept.sweep()
    cover, bare = getattr(sources, "land_cover", None), found.terrain
    if cover is not None and bare is not None:
        grown = _tried(found, "land_cover", cover, lambda source: read_land_cover(
            source, folder, bare, radio.clutter))
        found.terrain = bare if grown is None else grown
    found.faults += reach(found.points, found.sites, found.terrain, bool(sources.terrain))
    found.faults += air(found.points, radio, profile)
    found.reports = reports(sources, folder)
    found.faults += absent_reports(sources.reports, folder)
    found.faults += without(sources)
    found.faults += unlicensed(found.credits.values(), found.readings)
    for name, frame, table in (("points", found.points, POINTS), ("sites", found.sites, SITES)):
        found.faults += tables.faults(frame, table, name)
    return found


def _empty(table: Table, crs: Any) -> gpd.GeoDataFrame:
    frame = tables.empty(table, crs)
    assert isinstance(frame, gpd.GeoDataFrame)
    return frame


def _credited(found: Collected, source: S) -> S:
    """Return the source with what the record of its download says of it."""
    found.faults += changed(source, found.folder)
    told = credited(source, found.folder)
    found.credits[source.file] = told
    return told


def _tried(found: Collected, role: str, source: Source,
           reader: Callable[[Source], Reading]) -> Any:
    """Read one file; a file that cannot be read at all becomes a reading with its faults."""
    source = _credited(found, source)
    try:
        reading = reader(source)
    except PhusongError as error:
        faults = error.faults or (Fault("unreadable_file", str(error), file=source.file),)
        reading = Reading(None, faults, file=source.file, role=role, credit=source.credit)
    found.readings.append(reading)
    return reading.table


def _layer(found: Collected, reader: Layer, source: Source | None, folder: Path, crs: Any,
           profile: Profile, role: str) -> gpd.GeoDataFrame | None:
    if source is None:
        return None

    table = _tried(found, role, source, lambda given: replace(
        reader(given, folder, crs, profile), role=role))
    return table if table is not None and len(table) else None


def _register(found: Collected, source: CommunesSource | None, layer: gpd.GeoDataFrame | None,
              folder: Path, profile: Profile) -> Register:
    """Read the crosswalks beside the communes' layer; the layer's own list ends them."""
    if source is None:
        return Register()
    said = pd.Series(dtype="datetime64[s]") if layer is None else layer["code_vintage"].dropna()
    vintage = source.vintage or (said.max().date() if len(said) else None)
    walks = [_credited(found, walk).model_copy(update={"list": walk.list and _credited(
        found, walk.list)}) for walk in getattr(source, "crosswalk", ())]
    try:
        register, readings = read_register(walks, layer, vintage, folder, profile)
    except PhusongError as error:
        found.faults += error.faults or (Fault("unreadable_file", str(error), file=source.file),)
        return Register()
    found.readings += readings
    found.layers["units"] = register
    return register


def _all_of(found: Collected, table: Table, sources: Sequence[Source],
            reader: Callable[[Source], Reading]) -> gpd.GeoDataFrame:
    """Read every file of one kind into one table; a key that two files share is an error."""
    role = table.name.lower()
    frames = []
    for source in sources:
        frame = _tried(found, role, source, reader)
        if frame is not None and len(frame):
            frames.append((source.file, frame))
    if not frames:
        if not any(reading.role == role and reading.failed for reading in found.readings):
            severity: Any = "error" if table is POINTS else "warning"
            what = "no place to judge" if table is POINTS else \
                "no cell: every point will be without a site in range"
            found.faults.append(Fault(f"no_{role}", f"The study's files hold {what}.",
                                      f"Name a file with {role} in the study file.", severity))
        return _empty(table, DEGREES)
    owners: dict[str, str] = {}
    for file, frame in frames:
        shared = [key for key in frame.index if key in owners]
        if shared:
            found.faults.append(Fault(
                "duplicate_key", f'{len(shared)} values of {table.index[0]} stand in '
                f'{owners[shared[0]]} too, first: "{shared[0]}".', "Every place needs its own id; "
                "take the rows out of one of the files.", file=file, column=table.index[0],
                count=len(shared)))
        owners |= dict.fromkeys(frame.index, file)
    whole = pd.concat([frame for _, frame in frames])
    whole = whole[~whole.index.duplicated()].sort_index()
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=DEGREES)


def _area(terrain: Iterable[Source], folder: Path, communes: gpd.GeoDataFrame | None) -> Box | None:
    """Return the box round terrain and communes, widened by half a degree."""
    boxes = [box for source in terrain if (box := raster_box(source, folder)) is not None]
    if communes is not None:
        boxes.append(tuple(communes.total_bounds))  # type: ignore[arg-type]
    if not boxes:
        return None
    west, south, east, north = np.array(boxes, dtype=float).T
    return (float(west.min()) - _PAD_DEG, float(south.min()) - _PAD_DEG,
            float(east.max()) + _PAD_DEG, float(north.max()) + _PAD_DEG)


def _join_targets(found: Collected, targets: Sequence[TargetLike], folder: Path,
                  profile: Profile) -> None:
    for target in targets:
        if target.file:
            ids = _tried(found, "targets", Source(file=target.file),
                         lambda source: read_ids(source, folder, profile))
            if ids is not None:
                found.points, faults = join_target(found.points, target.name, ids, target.file)
                found.faults += faults
    names = {target.name for target in targets}
    said = {word for cell in found.points["targets"].dropna() for word in tables.split(cell)}
    for word in sorted(said - names):
        found.faults.append(Fault("unknown_target", f'Points belong to a target "{word}" that the '
                                  f"study file does not name.", nearest(word, names) if names else
                                  "Name it under targets:.", "warning", column="targets"))


def _working_crs(found: Collected, given: str, area: Box | None) -> Any:
    places = pd.concat([found.points.geometry, found.sites.geometry]
                       if found.points.geometry.isna().all() else [found.points.geometry])
    placed = gpd.GeoSeries(places[~(places.is_empty | places.isna())])
    if len(placed):
        lon, lat = float(placed.x.median()), float(placed.y.median())
    elif area is not None:
        lon, lat = (area[0] + area[2]) / 2, (area[1] + area[3]) / 2
    else:
        lon = lat = 0.0     # the other files are still to be looked at
        if not any(fault.severity == "error" for fault in found.every_fault):
            found.faults.append(Fault("no_place", "Nothing has a position, so the study lies "
                                      "nowhere.", "Fill in positions."))
    try:
        return parse_crs(choose_crs(lon, lat, given))
    except InputError as error:
        found.faults.append(Fault("working_crs", str(error), "Mend crs: in the study file."))
        return None


def _extent(found: Collected, range_m: float) -> Box | None:
    """Return the box of points and nearby cells in degrees, widened by the range of a cell."""
    frame = found.points[~(found.points.geometry.is_empty | found.points.geometry.isna())]
    if not len(frame):
        return None
    west, south, east, north = to_degrees(frame).total_bounds
    up = range_m / 110_000.0
    across = up / max(0.05, np.cos(np.radians(max(abs(south), abs(north)))))
    return float(west - across), float(south - up), float(east + across), float(north + up)


def reports(sources: SourcesLike, folder: Path) -> tuple[str, ...]:
    """Return the files of operators' reports that are there, in the order of the study file."""
    return tuple(str(path.relative_to(folder)) for pattern in sources.reports
                 for path in sorted(Path(folder).glob(pattern)))
