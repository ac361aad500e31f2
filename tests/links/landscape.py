"""Small made-up landscapes with points and cells."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from phusong.terrain import Terrain

CRS = "EPSG:32648"
LEFT, TOP = 500_000.0, 2_000_000.0


def ground(heights: np.ndarray, step: float = 60.0, crs: object = CRS) -> Terrain:
    """A grid whose upper left corner is (LEFT, TOP)."""
    return Terrain(heights, Affine(step, 0, LEFT, 0, -step, TOP), crs, CRS)


def hills(seed: int, side: int = 200, relief: float = 250.0) -> np.ndarray:
    """Smooth random hills."""
    rng = np.random.default_rng(seed)
    u, v = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    out = np.zeros((side, side))
    for k in range(1, 9):
        a, b, phase = rng.normal(0, k), rng.normal(0, k), rng.uniform(0, 6.28)
        out += relief / k * np.sin(6.28 * (a * u + b * v) + phase)
    return out - out.min()


def school_table(x: object, y: object, ids: object = None, **more: object) -> gpd.GeoDataFrame:
    """POINTS."""
    x, y = np.atleast_1d(x), np.atleast_1d(y)
    ids = [f"p{i:03d}" for i in range(len(x))] if ids is None else ids
    return gpd.GeoDataFrame({"kind": "school", "name": "x", **more},
                            geometry=gpd.points_from_xy(x, y), crs=CRS,
                            index=pd.Index(ids, name="point_id"))


def cell_table(x: object, y: object, ids: object = None, **more: object) -> gpd.GeoDataFrame:
    """SITES, omnidirectional LTE 1800 unless told otherwise."""
    x, y = np.atleast_1d(x), np.atleast_1d(y)
    ids = [f"c{i:03d}" for i in range(len(x))] if ids is None else ids
    columns: dict[str, object] = {
        "site_id": [f"s{i}" for i in ids], "status": "standing", "operator": "A",
        "technology": "LTE", "frequency_mhz": 1840.0, "bandwidth_mhz": 20.0,
        "antenna_height_m": 30.0, "azimuth_deg": np.nan, "tilt_deg": 0.0,
        "beamwidth_deg": 360.0, "eirp_dbm": 60.0, "reach_m": np.nan}
    return gpd.GeoDataFrame({**columns, **more}, geometry=gpd.points_from_xy(x, y), crs=CRS,
                            index=pd.Index(ids, name="cell_id"))


def country(seed: int, points: int = 25, cells: int = 45) -> tuple[gpd.GeoDataFrame,
                                                                   gpd.GeoDataFrame, Terrain]:
    """Hills with schools, and sectors of three operators on several carriers."""
    rng = np.random.default_rng(seed)
    side = 12_000.0
    azimuth = np.where(rng.random(cells) < 0.3, np.nan, rng.uniform(0, 360, cells))
    schools = school_table(LEFT + rng.uniform(100, side - 100, points),
                           TOP - rng.uniform(100, side - 100, points))
    sectors = cell_table(
        LEFT + rng.uniform(-3000, side - 100, cells), TOP - rng.uniform(100, side - 100, cells),
        operator=rng.choice(["A", "B", "C"], cells), azimuth_deg=azimuth, beamwidth_deg=65.0,
        technology=rng.choice(["LTE", "UMTS"], cells), tilt_deg=rng.uniform(0, 6, cells),
        frequency_mhz=rng.choice([945.0, 1840.0], cells), eirp_dbm=rng.uniform(40, 62, cells),
        antenna_height_m=rng.uniform(15, 45, cells))
    heights = hills(seed)
    heights[rng.integers(0, 200, 12), rng.integers(0, 200, 12)] = np.nan
    return schools, sectors, ground(heights)
