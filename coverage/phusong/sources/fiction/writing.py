"""Files that are the same bytes every time: no clock, no host, no random order in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import xlsxwriter
from affine import Affine
from numpy.typing import NDArray

__all__ = ["LABEL", "write_csv", "write_layer", "write_raster", "write_workbook"]

LABEL = "FICTIONAL DATA / DỮ LIỆU HƯ CẤU - made by phusong from a seed, describes no real place"
"""Stands in the metadata of every file."""

_EPOCH = "2021-12-15T00:00:00.000Z"


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """Let GDAL write one fixed date into GeoPackages."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _EPOCH})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def write_csv(frame: pd.DataFrame, path: Path, *, separator: str = ",") -> None:
    """Write a table as UTF-8 with one line per row."""
    frame.to_csv(path, index=False, sep=separator, lineterminator="\n", encoding="utf-8",
                 date_format="%Y-%m-%d")


def write_layer(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a layer as GeoPackage with a label and a fixed date."""
    with _fixed_clock():
        pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG",
                                layer_metadata={"DESCRIPTION": LABEL},
                                dataset_metadata={"DESCRIPTION": LABEL})


def write_raster(values: NDArray[np.generic], path: Path, transform: Affine, nodata: float,
                 title: str) -> None:
    """Write a grid in EPSG:4326 as tiled, deflated GeoTIFF."""
    predictor = 3 if np.issubdtype(values.dtype, np.floating) else 2
    with rasterio.open(path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0],
                       count=1, dtype=values.dtype, crs="EPSG:4326", transform=transform,
                       nodata=nodata, tiled=True, blockxsize=256, blockysize=256,
                       compress="deflate", predictor=predictor, zlevel=6) as out:
        out.write(values, 1)
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"{title} - {LABEL}", fictional="true")


def write_workbook(frame: pd.DataFrame, path: Path, title: str) -> None:
    """Write a table as XLSX as offices do: a title, an empty line, the header, the rows."""
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"title": title, "comments": LABEL,
                             "created": dt.datetime(2021, 12, 15, tzinfo=dt.UTC)})
        sheet = book.add_worksheet("Bao cao")
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, title, bold)
        sheet.write_row(2, 0, list(frame.columns), bold)
        for i, row in enumerate(frame.itertuples(index=False)):
            for j, value in enumerate(row):
                if isinstance(value, str):
                    if value:
                        sheet.write_string(3 + i, j, value)
                elif pd.notna(value):
                    sheet.write_number(3 + i, j, float(value))
