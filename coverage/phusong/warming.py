"""Compile once what a run needs, on a tiny made-up terrain, before its progress bars move."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from shapely import Point

from phusong.backhaul import Backhaul, hops
from phusong.cost import price
from phusong.links import link
from phusong.plan import rank_connected
from phusong.study import Study
from phusong.terrain import Terrain

__all__ = ["warm_up"]


def warm_up(study: Study, progress: Callable[[str, int, int], None] | None = None) -> None:
    """Compile the kernels the study needs, once for each machine, on a tiny made-up terrain."""
    def say(what: str, done: int, of_all: int) -> None:
        if progress is not None:
            progress(what, done, of_all)

    say("compile", 0, 3)
    heights = np.zeros((64, 64), np.float32)
    terrain = Terrain(heights, Affine(30, 0, 500_000, 0, -30, 2_000_000), "EPSG:32648",
                      "EPSG:32648")
    here = [Point(500_300, 1_999_700), Point(501_500, 1_998_500)]
    points = gpd.GeoDataFrame({"kind": ["school"], "name": [""]}, geometry=here[:1],
                              index=pd.Index(["p"], name="point_id"), crs="EPSG:32648")
    preset = study.radio.preset("LTE", 1800.0)
    sites = gpd.GeoDataFrame(
        {"site_id": ["s"], "status": ["standing"], "operator": ["o"], "technology": ["LTE"],
         "frequency_mhz": [preset.frequency_mhz], "bandwidth_mhz": [preset.bandwidth_mhz],
         "antenna_height_m": [30.0], "azimuth_deg": [0.0], "tilt_deg": [3.0],
         "gain_dbi": [15.0], "eirp_dbm": [60.0]}, geometry=here[1:],
        index=pd.Index(["c"], name="cell_id"), crs="EPSG:32648")
    found = link(points, sites, terrain, study.radio)
    say("compile", 1, 3)
    terrain.horizon_deg([500_300.0], [1_999_700.0])
    say("compile", 2, 3)
    candidate = sites.assign(status="candidate", intervention="macro", place="hilltop")
    mast = sites.set_geometry([Point(500_900, 1_999_100)]).assign(site_id="m")
    ways = hops(candidate, mast, terrain, None, study.feeder)
    priced = Backhaul.of(candidate, mast, ways, study.costs, study.feeder)
    rank_connected(points, candidate, found, price(candidate, None, study.costs), study.goal,
                   priced.network, priced.node_of)
    say("compile", 3, 3)
