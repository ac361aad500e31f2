"""Refractivity between places, and which of it a link is computed with."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.links import link
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.radio.climate import refractivity_at
from phusong.study import Study
from phusong.terrain import Terrain

VIETNAM = Profile.load("vietnam").radio_climate
CRS = "EPSG:32648"


def test_places_keep_their_own_values() -> None:
    assert len(VIETNAM) == 9
    table = np.array(list(VIETNAM.values()))
    delta_n, n0 = refractivity_at(table[:, 0], table[:, 1], VIETNAM)
    assert np.allclose(delta_n, table[:, 2], atol=1e-6)
    assert np.allclose(n0, table[:, 3], atol=1e-6)
    # k = 157 / (157 - delta_n): 1.38 in the far north to 1.52 in the far south
    k = 157.0 / (157.0 - delta_n)
    assert (round(k.min(), 2), round(k.max(), 2)) == (1.38, 1.52)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(102.0, 110.0), st.floats(8.0, 24.0), st.permutations(list(VIETNAM)))
def test_between_places_never_beyond_them(lon: float, lat: float, order: list[str]) -> None:
    delta_n, n0 = refractivity_at(lon, lat, VIETNAM)
    assert 43.0 <= delta_n[0] <= 54.0
    assert 362.0 <= n0[0] <= 381.0
    shuffled = refractivity_at(lon, lat, {name: VIETNAM[name] for name in order})
    assert shuffled[0][0] == pytest.approx(delta_n[0], abs=1e-9)
    among = refractivity_at([100.0, lon, 105.0], [20.0, lat, 21.0], VIETNAM)
    assert among[0][1] == delta_n[0]
    assert among[1][1] == n0[0]


def levels(radio: Radio) -> pd.DataFrame:
    """A mast and a school 28 km apart over a low hill in the far north."""
    heights = np.zeros((80, 400))
    heights[:, 195:205] = 40.0
    terrain = Terrain(heights, Affine(90, 0, 500_000, 0, -90, 2_580_000), CRS, CRS)
    points = gpd.GeoDataFrame({"kind": ["school"], "name": ["x"]}, crs=CRS,
                              geometry=gpd.points_from_xy([529_000], [2_577_000]),
                              index=pd.Index(["p"], name="point_id"))
    sites = gpd.GeoDataFrame(
        {"site_id": ["s"], "status": ["standing"], "operator": ["A"], "technology": ["LTE"],
         "frequency_mhz": [768.0], "antenna_height_m": [60.0], "eirp_dbm": [60.0]}, crs=CRS,
        geometry=gpd.points_from_xy([501_000], [2_577_000]),
        index=pd.Index(["c"], name="cell_id"))
    return link(points, sites, terrain, radio)


def test_a_link_breathes_the_air_of_its_place() -> None:
    plain, dense = levels(Radio(delta_n=43.0, n0=362.0)), levels(Radio(delta_n=54.0, n0=381.0))
    here = levels(Radio(climate=VIETNAM))
    place = levels(Radio(climate={"Lũng Cú": VIETNAM["Lũng Cú"]}))
    assert dense["loss_db"].iloc[0] < plain["loss_db"].iloc[0] - 0.3
    assert place["loss_db"].iloc[0] == plain["loss_db"].iloc[0]
    assert place["clearance"].iloc[0] == plain["clearance"].iloc[0]
    assert dense["loss_db"].iloc[0] < here["loss_db"].iloc[0] < plain["loss_db"].iloc[0]


def study(folder: Path, radio: str) -> Study:
    path = folder / "study.yml"
    path.write_text(f"name: a\nprofile: vietnam\nsources: {{points: p.csv}}\n{radio}", "utf-8")
    return Study.read(path)


def test_a_study_takes_the_air_of_its_profile_unless_it_states_its_own(tmp_path: Path) -> None:
    assert study(tmp_path, "").radio.climate == VIETNAM
    assert study(tmp_path, "radio: {max_range_m: 20000}").radio.climate == VIETNAM
    stated = study(tmp_path, "radio: {delta_n: 47}").radio
    assert (stated.climate, stated.delta_n) == ({}, 47.0)
