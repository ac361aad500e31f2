"""Coordinates in the wrong system: mended where the declared communes agree, else refused."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from phusong.datum import Way, diagnose, ways_of
from phusong.geo import DEGREES, geodesic_m, transform
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.points import read_points
from phusong.sources.sites import read_sites
from phusong.sources.source import Reading, Source
from shapely import box
from small_register import Place

VIETNAM = Profile.load("vietnam")
SIDE = 0.08
"""Communes of 8 km, as wide as those of the plains."""


@pytest.fixture(scope="module")
def communes() -> gpd.GeoDataFrame:
    cells = [(i, j) for i in range(8) for j in range(8)]
    shapes = [box(104.6 + SIDE * i, 22.0 + SIDE * j, 104.6 + SIDE * (i + 1), 22.0 + SIDE * (j + 1))
              for i, j in cells]
    index = pd.Index([f"0{2000 + 8 * i + j}" for i, j in cells], name="commune_code")
    return gpd.GeoDataFrame({"name": "", "province_code": "", "province_name": ""},
                            geometry=shapes, index=index, crs=DEGREES)


def truth(communes: gpd.GeoDataFrame, rows: int, seed: int = 1) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    chosen = communes.iloc[chance.integers(0, len(communes), rows)]
    bounds = chosen.geometry.bounds.to_numpy()
    at = chance.uniform(0.001, 0.999, (2, rows))
    return pd.DataFrame({"ma_truong": [f"T{i:04d}" for i in range(rows)],
                         "ma_xa": chosen.index.to_numpy(object),
                         "kinh_do": bounds[:, 0] + SIDE * at[0],
                         "vi_do": bounds[:, 1] + SIDE * at[1]})


def written(frame: pd.DataFrame, crs: str, swapped: bool = False) -> pd.DataFrame:
    x, y = transform(frame["kinh_do"], frame["vi_do"], DEGREES, crs)
    return frame.assign(kinh_do=y if swapped else x, vi_do=x if swapped else y)


def read(place: Place, frame: pd.DataFrame, communes: gpd.GeoDataFrame, **said: Any) -> Reading:
    place.write("a.csv", frame.astype(str))
    return read_points(Source(file="a.csv", kind="school", **said), place.folder, DEGREES, VIETNAM,
                       communes)


def off_m(reading: Reading, frame: pd.DataFrame) -> np.ndarray:
    table = reading.table.loc[frame["ma_truong"]]
    return geodesic_m(table.geometry.x, table.geometry.y, frame["kinh_do"], frame["vi_do"])


def codes(reading: Reading) -> set[str]:
    return {fault.code for fault in reading.faults}


def test_the_datum_shift_is_224_metres_and_a_wrong_meridian_27_to_181_km() -> None:
    """Reference: EPSG:6960 by PROJ at 105 E 21 N; neighbouring and far provincial zones."""
    lon, lat = transform([105.0], [21.0], DEGREES, "EPSG:4756")
    assert geodesic_m(lon, lat, [105.0], [21.0])[0] == pytest.approx(224, abs=1)
    for true, read_as, km in (("EPSG:9217", "EPSG:9218", 27), ("EPSG:9208", "EPSG:9213", 181)):
        x, y = transform([105.5], [20.0], DEGREES, true)
        wrong = transform(x, y, read_as, DEGREES)
        assert geodesic_m(*wrong, [105.5], [20.0])[0] / 1000 == pytest.approx(km, rel=0.05)


def test_degrees_on_the_wrong_datum_are_moved_by_224_metres(place: Place,
                                                            communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 1200)
    reading = read(place, written(frame, "EPSG:4756"), communes)
    assert off_m(reading, frame).max() < 0.5
    assert reading.mended == 1200
    change = reading.changes[0]
    assert change.why == "system_found"
    assert change.was != change.now
    assert "EPSG:4756" in next(f.what for f in reading.faults if f.code == "system_found")


def test_too_few_rows_to_prove_the_datum_are_taken_as_written_and_it_is_said(
        place: Place, communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 20)
    reading = read(place, written(frame, "EPSG:4756"), communes)
    assert off_m(reading, frame) == pytest.approx(224, abs=2)
    fault = next(f for f in reading.faults if f.code == "datum_unproven")
    assert fault.severity == "assumption"
    assert "EPSG:4756" in fault.what
    assert "223 m" in fault.what or "224 m" in fault.what
    stated = read(place, written(frame, "EPSG:4756"), communes, crs="EPSG:4756")
    assert off_m(stated, frame).max() < 0.01
    assert not codes(stated) & {"datum_unproven", "system_found"}


@pytest.mark.parametrize("crs", ["EPSG:9205", "EPSG:9208", "EPSG:9210", "EPSG:9218", "EPSG:5896"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("rows", [1, 30])
def test_metres_of_a_provincial_zone_are_recognised(place: Place, communes: gpd.GeoDataFrame,
                                                    crs: str, swapped: bool, rows: int) -> None:
    frame = truth(communes, rows)
    reading = read(place, written(frame, crs, swapped), communes)
    assert off_m(reading, frame).max() < 0.01
    assert reading.mended == rows
    assert {f.code for f in reading.faults if f.severity == "error"} == set()
    assert len(reading.changes) == rows


def test_two_systems_that_fit_are_refused_with_both_named(place: Place,
                                                          communes: gpd.GeoDataFrame) -> None:
    """UTM 48N on VN-2000 and on WGS 84 differ by less than a commune's width."""
    frame = truth(communes, 10)
    reading = read(place, written(frame, "EPSG:3405"), communes)
    fault = next(f for f in reading.faults if f.code == "two_systems_fit")
    assert fault.severity == "error"
    assert "EPSG:3405" in fault.what
    assert "EPSG:32648" in fault.what
    assert reading.rejected == 10
    assert off_m(read(place, written(frame, "EPSG:3405"), communes, crs="EPSG:3405"),
                 frame).max() < 0.01


def test_a_stated_system_is_not_overruled_but_contradicted(place: Place,
                                                           communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 10)
    reading = read(place, written(frame, "EPSG:9208"), communes, crs="EPSG:9209")
    fault = next(f for f in reading.faults if f.code == "wrong_crs")
    assert fault.severity == "error"
    assert 'crs: "EPSG:9208"' in fault.cure
    assert reading.rejected == 10


def test_a_merged_province_writes_two_zones_in_one_file(place: Place,
                                                        communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 40)
    mixed = written(frame, "EPSG:9208")
    other = written(frame, "EPSG:9209")
    mixed.loc[::2] = other.loc[::2]
    reading = read(place, mixed, communes)
    assert off_m(reading, frame).max() < 0.01
    assert sum(f.code == "system_found" for f in reading.faults) == 2


def test_a_row_that_fits_no_zone_is_refused_alone(place: Place,
                                                  communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 40)
    metres = written(frame, "EPSG:9208")
    metres.loc[7, ["kinh_do", "vi_do"]] = [123_456.0, 2_345_678.0]
    reading = read(place, metres, communes)
    fault = next(f for f in reading.faults if f.code == "no_system_fits")
    assert (fault.severity, fault.row, fault.count) == ("error", 9, 1)
    assert reading.rejected == 1
    assert off_m(reading, frame.drop(index=7)).max() < 0.01


def test_one_row_swapped_within_the_country_is_found_by_its_commune() -> None:
    """Where both orders lie inside the bounds, only the commune tells."""
    outlines = np.array([box(20, 20.2, 20.2, 20.4), box(20.3, 20, 20.5, 20.2)])
    x, y = np.array([20.1, 20.1]), np.array([20.3, 20.4])
    seen = diagnose(x, y, outlines, ways_of(["EPSG:4326"]), Way("EPSG:4326"))
    assert seen.verdict == "other"
    assert [seen.ways[i].swapped for i in seen.which] == [False, True]


def test_without_a_declared_commune_nothing_is_guessed(place: Place,
                                                       communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 10).assign(ma_xa="")
    reading = read(place, written(frame, "EPSG:9208"), communes)
    assert codes(reading) >= {"metres_not_degrees"}
    assert reading.rejected == 10


def test_nothing_is_mended_where_the_study_says_so(place: Place,
                                                   communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 10)
    reading = read(place, written(frame, "EPSG:9208"), communes, mend=False)
    assert {f.code for f in reading.faults if f.severity == "error"} == {"wrong_crs"}
    assert reading.rejected == 10


def test_cells_are_treated_alike(place: Place, communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 12)
    metres = written(frame, "EPSG:9208").rename(columns={"ma_truong": "mã cell", "ma_xa": "mã xã"})
    place.write("cells.csv", metres.astype(str))
    reading = read_sites(Source(file="cells.csv"), place.folder, DEGREES, VIETNAM, Radio(),
                         communes=communes)
    found = reading.table.loc[frame["ma_truong"]]
    assert geodesic_m(found.geometry.x, found.geometry.y, frame["kinh_do"],
                      frame["vi_do"]).max() < 0.01
    assert reading.mended == 12


def test_the_order_of_rows_decides_nothing(place: Place, communes: gpd.GeoDataFrame) -> None:
    frame = truth(communes, 30)
    mixed = written(frame, "EPSG:9208")
    mixed.loc[::3] = written(frame, "EPSG:9209").loc[::3]
    one, other = read(place, mixed, communes), read(place, mixed.iloc[::-1], communes)
    pd.testing.assert_frame_equal(one.table, other.table)
