"""Measured levels: any file -> MEASUREMENTS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from phusong.geo import DEGREES, to_metric
from phusong.profile import Profile
from phusong.sources.coordinates import Box, find_positions
from phusong.sources.polygons import opened
from phusong.sources.source import Reading, Source
from phusong.tables import MEASUREMENTS

__all__ = ["read_measurements"]


def read_measurements(source: Source, folder: Path, crs: Any, profile: Profile, *,
                      area: Box | None = None) -> Reading:
    """Read levels measured at places: position, cell, RSRP, group, day.

    Parameters
    ----------
    source : Source
        The file.
    folder : Path
        Where it lies.
    crs : CRS
        System of the result: the working CRS.
    profile : Profile
        Spellings, words, bounds of the country.
    area : (west, south, east, north), optional
        Degrees; see `find_positions`.

    Returns
    -------
    Reading
        MEASUREMENTS.  Rows without a position, a cell or a plausible level are
        left out, with the reason.  The id of a row that has none is the file's
        name and its number.
    """
    table, columns, findings, aside = opened(source, folder, profile, "measurements")
    for name in ("cell_id", "rsrp_dbm"):
        if not columns.filled(name):
            findings.add("missing_column", f'Measurements need a column "{name}": '
                         f"{MEASUREMENTS[name].meaning} Columns found: "
                         f"{', '.join(map(str, table.frame.columns[:20]))}.",
                         f"Name it: columns: {{{name}: ...}}.")
    lon, lat = find_positions(table, columns.theirs, source, profile, findings, area=area,
                              leave_out=True)
    cells = columns.code("cell_id")
    findings.add("no_cell", "The row names no cell and is left out", severity="warning",
                 at=cells.eq("").to_numpy(bool) & ~findings.rejected, rejects=True)
    level = columns.declared(MEASUREMENTS["rsrp_dbm"])
    findings.add("no_level", "The row holds no level and is left out", severity="warning",
                 at=pd.isna(level) & ~findings.rejected, rejects=True)
    ids = columns.code("measurement_id")
    numbered = pd.Series([f"{source.file}:{row}" for row in table.rows], dtype=object)
    ids = ids.where(ids.ne("") & ~ids.duplicated(keep=False), numbered)
    frame = gpd.GeoDataFrame(
        {"cell_id": cells, "rsrp_dbm": level, "group": columns.text("group"),
         "antenna_height_m": columns.declared(MEASUREMENTS["antenna_height_m"]),
         "time": columns.day("time"), "source": columns.credit()},
        geometry=gpd.points_from_xy(lon, lat), crs=DEGREES)
    stays = ~findings.rejected
    keys = pd.Index(ids[stays], name="measurement_id", dtype="str")
    frame = frame[stays].set_index(keys).sort_index()
    for name in ("cell_id", "group", "source"):
        frame[name] = frame[name].astype("str")
    return Reading(to_metric(frame, crs), tuple(findings.faults), **findings.counts(),
                   set_aside=aside, file=source.file, role="measurements", credit=source.credit,
                   **columns.taken())
