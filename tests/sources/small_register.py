"""A tiny study on disk: six schools, four cells, two communes, a slope for terrain."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from phusong.sources.source import Source
from shapely import box

SCHOOLS = pd.DataFrame({
    "ma_truong": ["00123", "00124", "00125", "00126", "00127", "00128"],
    "ten_truong": ["Trường Tiểu học A", "Trường THCS B", "Trường TH&THCS C", "Điểm trường D",
                   "Trường THPT E", "Trường Mầm non F"],
    "cap_hoc": ["Tiểu học", "THCS", "tiểu học; THCS", "", "THPT", "Mầm non"],
    "ma_xa": ["02647", "02647", "02650", "", "02650", "02650"],
    "so_hoc_sinh": ["350", "412", "1.204", "", "600", "90"],
    "vi_do": ["22.31", "22.32", "22.33", "22.34", "22.35", "22.36"],
    "kinh_do": ["103.81", "103.83", "103.86", "103.87", "103.88", "103.89"]})

CELLS = pd.DataFrame({
    "cell_id": ["c1", "c2", "c3", "c4"], "site_id": ["s1", "s1", "s2", "s3"],
    "operator": ["Viettel", "Viettel", "Vinaphone", ""],
    "technology": ["4G", "LTE 900", "GSM", "5G"], "frequency": ["1840", "", "945", "3750"],
    "height": ["42", "42", "1.0", ""], "azimuth": ["0", "120", "", ""],
    "eirp_dbm": ["62", "", "58", ""], "lat": ["22.31", "22.31", "22.35", "22.36"],
    "lon": ["103.82", "103.82", "103.88", "103.89"]})


@dataclass
class Place:
    """A folder with a study's files, and what a study file would say about them."""

    folder: Path
    said: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, frame: pd.DataFrame, **options: Any) -> Path:
        frame.to_csv(self.folder / name, index=False, **options)
        return self.folder / name

    def sources(self, **other: Any) -> Any:
        values = {"points": (Source(file="schools.csv", kind="school"),),
                  "sites": (Source(file="cells.csv"),), "terrain": (Source(file="dem.tif"),),
                  "communes": Source(file="communes.gpkg"), "population": None,
                  "lockdowns": None, "reports": (), **other}
        return SimpleNamespace(**values)


def write_dem(path: Path, *, west: float = 103.7, north: float = 22.5, pixels: int = 300,
              step: float = 0.001, heights: Any = None, **profile: Any) -> Path:
    rows = np.arange(pixels, dtype=np.int16)
    values = np.add.outer(rows, rows) if heights is None else heights
    options = {"driver": "GTiff", "dtype": values.dtype, "count": 1, "crs": "EPSG:4326",
               "width": values.shape[1], "height": values.shape[0], "nodata": -32768,
               "transform": Affine(step, 0, west, 0, -step, north), **profile}
    with rasterio.open(path, "w", **options) as data:
        data.write(values, 1)
    return path


def place_at(folder: Path) -> Place:
    """Write the whole tiny study into a folder."""
    made = Place(folder)
    made.write("schools.csv", SCHOOLS)
    made.write("cells.csv", CELLS)
    write_dem(folder / "dem.tif")
    communes = gpd.GeoDataFrame(
        {"ma_xa": ["02647", "02650"], "ten_xa": ["Xã Một", "Xã Hai"], "dan_so": ["4,100", "5200"]},
        geometry=[box(103.80, 22.30, 103.85, 22.40), box(103.85, 22.30, 103.90, 22.40)],
        crs="EPSG:4326")
    communes.to_file(folder / "communes.gpkg", layer="communes", driver="GPKG")
    return made
