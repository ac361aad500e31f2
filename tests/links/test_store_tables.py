"""Tables with places come back from the store as geopandas reads them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from phusong.store import Store
from shapely import LineString, MultiPolygon, Point, box

SHAPES = [Point(105.8, 21.0), None, Point(), LineString([(0, 0), (1, 1, )]),
          MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)])]


@pytest.mark.parametrize("crs", ["EPSG:32648", "EPSG:4326", "EPSG:3405", None])
@pytest.mark.parametrize("name", ["geometry", "place"])
def test_a_table_with_places_is_read_as_geopandas_reads_it(tmp_path: Path, crs: str | None,
                                                           name: str) -> None:
    frame = gpd.GeoDataFrame(
        {"text": ["a", None, "", "b", "ô"], name: gpd.GeoSeries(SHAPES, crs=crs).to_numpy(),
         "level": [1.5, np.nan, -0.0, 2.0, 3.0],
         "day": pd.to_datetime(["2021-09-12", None, "2021-12-31", "2022-01-01", "2021-10-01"])},
        geometry=name, crs=crs, index=pd.Index(list("vwxyz"), name="point_id", dtype="str"))
    store = Store(tmp_path)
    fresh = store.keep("points", "a" * 40, frame)
    found = Store(tmp_path).recall("points", "a" * 40)
    read = gpd.read_parquet(next((tmp_path / "tables").glob("points-*.parquet")))
    assert isinstance(found, gpd.GeoDataFrame)
    for table in (fresh, found):
        assert table.crs == read.crs
        assert table.active_geometry_name == name
        assert_geodataframe_equal(table, read, check_crs=True)
    assert_geodataframe_equal(read, frame, check_dtype=False)


def test_a_table_with_places_and_no_rows_keeps_its_crs(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"text": pd.Series([], dtype="str")}, geometry=[], crs="EPSG:32648")
    found = Store(tmp_path).keep("cells", "b" * 40, frame)
    assert isinstance(found, gpd.GeoDataFrame)
    assert found.crs == frame.crs
    assert not len(found)
