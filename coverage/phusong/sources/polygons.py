"""Areas: communes with their codes, water and protected land, operators' footprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.geo import DEGREES, earth_crs, to_metric
from phusong.profile import Profile
from phusong.sources.columns import Columns, is_digits
from phusong.sources.files import read_file
from phusong.sources.records import RawTable, kept
from phusong.sources.source import Findings, Reading, Source

__all__ = ["read_areas", "read_communes", "read_footprints", "shapes_of"]

POLYGON, LINE = (3, 6), (1, 5)


def read_communes(source: Source, folder: Path, crs: Any, profile: Profile) -> Reading:
    """Read communes: polygons indexed by ``commune_code``.

    Parameters
    ----------
    source : Source
        The layer.
    folder : Path
        The study's folder.
    crs : CRS
        System of the result.
    profile : Profile
        Spellings, and the pattern of codes.

    Returns
    -------
    Reading
        Its table has ``name``, ``population`` (NaN = not known), ``province_code``,
        ``province_name``, ``code_vintage`` and ``source``, sorted by code.
    """
    table, columns, findings, aside = opened(source, folder, profile, "communes")
    shapes = shapes_of(table, columns, POLYGON)
    codes = columns.code("commune_code")
    if "commune_code" not in columns and "commune_code" not in source.columns:
        findings.add("missing_column", "The layer has no column with the communes' codes. Columns "
                     f"found: {', '.join(map(str, table.frame.columns))}.",
                     "Name it in the study file: columns: {commune_code: ...}.")
    width = profile.commune_code_width
    short = np.array([is_digits(c) and len(c) < width for c in codes], bool)
    findings.add("lost_zeros", f"The code has fewer than {width} digits; zeros were put in front",
                 "Keep codes as text.", severity="warning", at=short, shown=codes.tolist(),
                 column=columns.theirs.get("commune_code", ""), mends=True)
    codes = codes.where(~short, codes.str.zfill(width)) if width else codes
    findings.add("no_code", "The commune has no code and is left out", "Fill it in.",
                 at=codes.eq("").to_numpy(bool) & ~findings.rejected, severity="warning",
                 rejects=True)
    again = codes.duplicated().to_numpy(bool) & ~findings.rejected
    findings.add("duplicate_key", "The code of this commune stands in an earlier row too",
                 "Every commune needs its own code; join its parts into one polygon.", at=again,
                 shown=codes.tolist(), column=columns.theirs.get("commune_code", ""), rejects=True)
    frame = gpd.GeoDataFrame(
        {"name": columns.text("name"), "population": columns.number("population", low=0,
                                                                    grouped=True),
         "province_code": columns.code("province_code"),
         "province_name": columns.text("province_name"),
         "code_vintage": columns.day("code_vintage"), "source": columns.credit()},
        geometry=shapes, crs=shapes.crs)
    return finished(frame, codes, "commune_code", crs, columns, aside)


def read_areas(source: Source, folder: Path, crs: Any, profile: Profile) -> Reading:
    """Read polygons of water, protected or public land: ``name``, ``kind``, ``source``."""
    table, columns, _, aside = opened(source, folder, profile, "areas")
    shapes = shapes_of(table, columns, POLYGON)
    frame = gpd.GeoDataFrame({"name": columns.text("name"), "kind": columns.text("kind"),
                              "source": columns.credit()}, geometry=shapes, crs=shapes.crs)
    return finished(frame, pd.Series(table.rows), "row", crs, columns, aside)


def read_footprints(source: Source, folder: Path, crs: Any, profile: Profile) -> Reading:
    """Read coverage polygons as operators declare them: ``operator``, ``technology``, ``date``."""
    table, columns, findings, aside = opened(source, folder, profile, "footprints")
    shapes = shapes_of(table, columns, POLYGON)
    technology, unknown = columns.value("technology", "technologies")
    findings.add("unknown_technology", "This is no technology the program knows",
                 "Write GSM, UMTS, LTE or NR.", severity="warning", at=unknown,
                 column=columns.theirs.get("technology", ""))
    frame = gpd.GeoDataFrame({"operator": columns.text("operator"), "technology": technology,
                              "date": columns.day("date"), "source": columns.credit()},
                             geometry=shapes, crs=shapes.crs)
    return finished(frame, pd.Series(table.rows), "row", crs, columns, aside)


def opened(source: Source, folder: Path, profile: Profile,
           role: str) -> tuple[RawTable, Columns, Findings, int]:
    """Read a file for a role; return it, its columns, its findings and the rows set aside."""
    table, aside = kept(read_file(source, folder, profile, role), source, profile)
    findings = Findings(source.file, table.rows, list(table.faults), sheets=table.sheets)
    if not len(table):
        findings.add("empty_file", "The file holds no rows" + (
            f" with {', '.join(f'{k} = {v}' for k, v in source.where.items())}."
            if source.where else " below its header."),
            "Look at the file, and at where: in the study file.")
    return table, Columns(table, source, profile, role, findings), findings, aside


def shapes_of(table: RawTable, columns: Columns, types: tuple[int, ...]) -> gpd.GeoSeries:
    """Return a layer's shapes, valid, and reject rows whose shape is missing or of another kind."""
    findings, source = columns.findings, columns.source
    if table.geometry is None:
        findings.add("no_shapes", "The file has no shapes.", "Give a GeoPackage, Shapefile or "
                     "GeoJSON.")
        findings.rejected[:] = True
        return gpd.GeoSeries([None] * len(table), crs=DEGREES)
    given = np.asarray(table.geometry.array, dtype=object)
    missing = shapely.is_missing(given) | shapely.is_empty(given)
    findings.add("no_shape", "The feature has no shape and is left out", severity="warning",
                 at=missing, rejects=True)
    broken = ~missing & ~shapely.is_valid(given)
    findings.add("invalid_shape", "The shape crosses itself; it was mended", "Mend it at its "
                 "source.", severity="warning", at=broken, mends=True)
    given = given.copy()
    given[broken] = shapely.make_valid(given[broken], method="structure", keep_collapsed=False)
    missing |= shapely.is_empty(given)
    other = ~missing & ~np.isin(shapely.get_type_id(given), types)
    wanted = "polygons" if POLYGON[0] in types else "lines"
    findings.add("wrong_shape", f"The feature is not made of {wanted} and is left out",
                 severity="warning", at=other, rejects=True)
    findings.rejected |= missing
    if len(given) and findings.rejected.all() and findings.faults[-1].severity != "error":
        findings.add("wrong_shape", f"The layer holds no {wanted}.",
                     "Name the right layer: layer: ...")
    said = source.crs or table.crs
    crs = None if said is None else earth_crs(said, source.file)
    if crs is None:
        degrees = np.abs(shapely.total_bounds(given)).max() <= 360
        if not degrees:
            findings.add("missing_crs", "The file does not say in which CRS its shapes are.",
                         'State it in the study file: crs: "EPSG:...".')
        crs = DEGREES
    return gpd.GeoSeries(given, crs=crs)


def finished(frame: gpd.GeoDataFrame, keys: pd.Series, index: str, crs: Any, columns: Columns,
             aside: int) -> Reading:
    """Drop rejected rows, set the index, sort by it, carry to `crs`, and count."""
    findings = columns.findings
    stays = ~findings.rejected
    frame = frame[stays].set_index(pd.Index(keys[stays], name=index)).sort_index()
    for name in frame.columns[[dtype.kind == "O" for dtype in frame.dtypes]].drop("geometry"):
        frame[name] = frame[name].astype("str")
    reading = to_metric(frame, crs) if len(frame) else frame.set_crs(crs, allow_override=True)
    return Reading(reading, tuple(findings.faults), **findings.counts(), set_aside=aside,
                   file=columns.source.file, role=columns.role, credit=columns.source.credit,
                   **columns.taken())
