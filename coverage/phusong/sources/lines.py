"""Roads and power lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.profile import Profile
from phusong.sources.polygons import LINE, finished, opened, shapes_of
from phusong.sources.source import Reading, Source

__all__ = ["read_power_lines", "read_roads", "volts"]


def read_roads(source: Source, folder: Path, crs: Any, profile: Profile) -> Reading:
    """Read roads: lines with ``highway`` (class of the road), ``name``, and what tells its quality.

    That is ``surface``, ``tracktype`` and ``smoothness``, as OpenStreetMap writes them.

    Parameters
    ----------
    source : Source
        A vector layer, or an OpenStreetMap extract (``.osm.pbf``, ``.osm``).
    folder : Path
        The study's folder.
    crs : CRS
        System of the result.
    profile : Profile
        Spellings of headers.
    """
    table, columns, findings, aside = opened(source, folder, profile, "roads")
    shapes = shapes_of(table, columns, LINE)
    highway = columns.text("highway")
    findings.add("no_road_class", "The road has no class; it is taken as unclassified",
                 severity="assumption", at=highway.eq("").to_numpy(bool) & ~findings.rejected)
    frame = gpd.GeoDataFrame(
        {"highway": highway.where(highway.ne(""), "unclassified"), "name": columns.text("name"),
         "surface": columns.text("surface"), "tracktype": columns.text("tracktype"),
         "smoothness": columns.text("smoothness"),
         "source": columns.credit()}, geometry=shapes, crs=shapes.crs)
    return finished(frame, pd.Series(table.rows), "row", crs, columns, aside)


def read_power_lines(source: Source, folder: Path, crs: Any, profile: Profile) -> Reading:
    """Read power lines: lines with ``voltage_v`` (NaN = not known) and ``operator``."""
    table, columns, _, aside = opened(source, folder, profile, "power_lines")
    shapes = shapes_of(table, columns, LINE)
    frame = gpd.GeoDataFrame({"voltage_v": volts(columns.text("voltage_v")),
                              "operator": columns.text("operator"), "source": columns.credit()},
                             geometry=shapes, crs=shapes.crs)
    return finished(frame, pd.Series(table.rows), "row", crs, columns, aside)


def volts(cells: pd.Series) -> np.ndarray:
    """Return the highest voltage each cell names, volts; NaN where none is named.

    ``"110000;20000"`` is 110,000 V, ``"35 kV"`` 35,000 V.  Numbers below 1,000 without a unit
    are kilovolts.
    """
    def highest(text: str) -> float:
        found = [float(n.replace(",", ".")) for n in re.findall(r"\d+(?:[.,]\d+)?", text)]
        kilo = "kv" in text.casefold()
        return max((v * 1000 if kilo or v < 1000 else v for v in found), default=float("nan"))

    return np.array([highest(text) for text in cells], dtype=float)
