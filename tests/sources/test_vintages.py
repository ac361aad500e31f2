"""Communes through time: codes of earlier lists are carried to the study's own, or left open."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from phusong.profile import Profile
from phusong.sources import inspect
from phusong.sources.crosswalks import read_register
from phusong.sources.source import CommunesSource, CrosswalkSource, Source
from phusong.surroundings import Surroundings
from phusong.units import carry
from shapely import box
from small_register import Place

VIETNAM = Profile.load("vietnam")
THEN, NOW = dt.date(2025, 3, 1), dt.date(2025, 7, 1)
LIST = pd.DataFrame({"Mã": ["02647", "02648", "02650", "02651", "02660"],
                     "Tên": ["Xã Thượng", "Xã Hạ", "Xã Đông", "Xã Tây", "Thị trấn Hoà Lạc"]})
PAIRS = pd.DataFrame({"ma_cu": ["2647", "2648.0", "2650", "2651", "2651", "02660"],
                      "ma_moi": ["02647", "02647", "02650", "02650", "02647", "02650"],
                      "dan_so": ["900", "100", "700", "300", "100", "5"]})


@pytest.fixture
def reformed(place: Place) -> Place:
    """Two communes of today, five of before; one of the five was split."""
    gpd.GeoDataFrame(
        {"ma_xa": ["02647", "02650"], "ten_xa": ["Phường Một", "Xã Hòa Lạc"]},
        geometry=[box(103.80, 22.30, 103.85, 22.40), box(103.85, 22.30, 103.90, 22.40)],
        crs="EPSG:4326").to_file(place.folder / "now.gpkg")
    place.write("list.csv", LIST)
    place.write("pairs.csv", PAIRS)
    return place


def looked_at(place: Place, rows: list[tuple[str, ...]], **said: Any) -> tuple[Any, Surroundings]:
    frame = pd.DataFrame(rows, columns=["ma_truong", "ma_xa", "ten_xa", "kinh_do", "vi_do"])
    place.write("schools.csv", frame)
    walk = CrosswalkSource(file="pairs.csv", before=THEN, list=Source(file="list.csv"), columns={
        "old_code": "ma_cu", "new_code": "ma_moi", "people": "dan_so"})
    communes = CommunesSource(file="now.gpkg", vintage=NOW, crosswalk=[walk])
    sources = place.sources(points=(Source(file="schools.csv", kind="school", **said),),
                            communes=communes, terrain=(), sites=())
    from phusong.sources.collect import gather

    found = gather(sources, place.folder, VIETNAM)
    return found.points, found.around()


def told(around: Surroundings) -> dict[str, Any]:
    return {fault.code: fault for fault in around.faults}


WEST, EAST = ("103.82", "22.33"), ("103.87", "22.33")


def test_codes_of_before_are_carried_and_kept(reformed: Place) -> None:
    points, around = looked_at(reformed, [
        ("1", "2648", "", *WEST), ("2", "02660", "Hoà Lạc", *EAST), ("3", "02647", "", *WEST)])
    assert points["commune_code"].tolist() == ["02647", "02650", "02647"]
    assert points["commune_code_then"].tolist() == ["02648", "02660", "02647"]
    assert set(points["code_vintage"].dt.date) == {NOW}
    assert told(around)["carried_codes"].count == 3
    mends = around.mends
    assert ("schools.csv", 2, "2648", "02648") in set(
        mends[["file", "row", "was", "now"]].itertuples(index=False, name=None))


def test_a_split_commune_is_settled_by_position_or_left_open(reformed: Place) -> None:
    points, around = looked_at(reformed, [
        ("1", "02651", "", *WEST), ("2", "02651", "", *EAST), ("3", "02651", "", "", "")])
    assert points["commune_code"].tolist() == ["02647", "02650", ""]
    fault = told(around)["split_commune"]
    assert fault.row == 4
    assert "02650;02647" in fault.what, "the part with more people first"


def test_mixed_vintages_in_one_file_are_detected(reformed: Place) -> None:
    """02650 was "Xã Đông" and is "Xã Hòa Lạc" now: the name beside the code tells."""
    points, around = looked_at(reformed, [
        ("1", "02648", "", *WEST), ("2", "02650", "Hoà Lạc", *EAST), ("3", "02647", "", *WEST)])
    assert "mixed_vintages" in told(around)
    assert told(around)["vintage_unknown"].row == 4
    assert points["commune_code"].tolist() == ["02647", "02650", "02647"], "the last by position"
    assert points.loc["3", "assumed"].split(";")[0] == "commune_code"
    declared, around = looked_at(reformed, [
        ("1", "02648", "", *WEST), ("3", "02647", "", *WEST)], vintage=NOW)
    assert "mixed_vintages" in told(around), "the study file is contradicted"
    assert declared["commune_code"].tolist() == ["02647", "02647"]


def test_communes_are_found_by_name(reformed: Place) -> None:
    points, around = looked_at(reformed, [
        ("1", "", "xã Hoà Lạc", *EAST), ("2", "", "Xã Hạ", "", ""), ("3", "", "Xã Nào", "", "")])
    assert points["commune_code"].tolist() == ["02650", "02647", ""]
    assert told(around)["code_from_name"].count == 2
    assert told(around)["unknown_name"].row == 4


def test_without_a_crosswalk_a_code_of_another_year_is_seen_by_its_name(reformed: Place) -> None:
    reformed.write("schools.csv", pd.DataFrame(
        {"ma_truong": ["1"], "ma_xa": ["02650"], "ten_xa": ["Xã Đông"], "kinh_do": ["103.87"],
         "vi_do": ["22.33"]}))
    around = inspect(SimpleNamespace(
        points=(Source(file="schools.csv", kind="school"),), sites=(), terrain=(), reports=(),
        communes=CommunesSource(file="now.gpkg", vintage=NOW), population=None, lockdowns=None),
        folder=reformed.folder, profile=VIETNAM)
    assert "02650 Xã Đông" in told(around)["other_commune"].what


def test_lockdowns_of_before_meet_the_points_of_then(reformed: Place) -> None:
    """02650 of before was locked down; the commune that bears this number today was not."""
    reformed.write("lockdowns.csv", pd.DataFrame(
        {"ma_xa": ["02650", "02648"], "tu_ngay": ["2021-08-01"] * 2}))
    reformed.said["lockdowns"] = Source(file="lockdowns.csv")
    frame = [("1", "02650", "", *EAST), ("2", "02660", "", *EAST), ("3", "02648", "", *WEST)]
    pd.DataFrame(frame, columns=["ma_truong", "ma_xa", "ten_xa", "kinh_do", "vi_do"]).to_csv(
        reformed.folder / "schools.csv", index=False)
    from phusong.sources.collect import gather

    walk = CrosswalkSource(file="pairs.csv", before=THEN, list=Source(file="list.csv"), columns={
        "old_code": "ma_cu", "new_code": "ma_moi"})
    points = gather(reformed.sources(
        points=(Source(file="schools.csv", kind="school"),), terrain=(), sites=(),
        communes=CommunesSource(file="now.gpkg", vintage=NOW, crosswalk=[walk]),
        lockdowns=Source(file="lockdowns.csv")), reformed.folder, VIETNAM).points
    assert points["lockdown_from"].notna().tolist() == [True, False, True]


def test_a_crosswalk_without_a_day_says_so(reformed: Place) -> None:
    walk = CrosswalkSource(file="pairs.csv", before=THEN, columns={
        "old_code": "ma_cu", "new_code": "ma_moi"})
    _, readings = read_register([walk], None, None, reformed.folder, VIETNAM)
    assert [f.code for f in readings[0].faults] == ["no_vintage"]


def test_the_real_reform_through_the_readers(shared: Path) -> None:
    """10,602 rows, zeros lost, five rows without a commune, one code that changed since."""
    from phusong.sources.polygons import read_communes

    folder = shared / "data/admin_vn"
    layer = read_communes(Source(file="communes_2025_simplified.gpkg"), folder, "EPSG:4326",
                          VIETNAM).table
    walk = CrosswalkSource(file="crosswalk_legacy_to_2025.csv.gz", before=THEN, list=Source(
        file="communes_legacy_10040_points.csv.gz"))
    register, readings = read_register([walk], layer, NOW, folder, VIETNAM)
    crosswalk, units = readings[1], readings[0]
    assert (crosswalk.rows_in, crosswalk.rejected) == (10_602, 5)
    assert crosswalk.mended > 0
    assert (units.rows_in, units.rejected) == (10_040, 5)
    change = register.between(THEN, NOW)
    assert change.olds == set(register.lists[0].units)
    assert len(change.olds) == 10_035
    assert len(change.split) == 471
    assert "06978" in change.news, "Ba Chẽ: the code changed, the name did not"
    assert next(c for c in crosswalk.changes if c.why == "code_by_name")[2:4] == (
        "06970", "06978")
    people = pd.Series(range(len(change.olds)), index=sorted(change.olds))
    assert carry(people, change).values["count"].sum() == people.sum()
