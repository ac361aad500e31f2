"""POINTS: ids, levels, communes, learners; the order of rows changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.sources.learners import fill_learners
from phusong.sources.points import read_points
from phusong.sources.polygons import read_communes
from phusong.sources.source import Reading, Source
from phusong.tables import POINTS, check
from small_register import SCHOOLS, Place

VIETNAM = Profile.load("vietnam")


def read(place: Place, frame: pd.DataFrame | None = None, communes: bool = True,
         **said: Any) -> Reading:
    if frame is not None:
        place.write("schools.csv", frame)
    layer = read_communes(Source(file="communes.gpkg"), place.folder, DEGREES, VIETNAM).table
    return read_points(Source(file="schools.csv", **{"kind": "school", **said}), place.folder,
                       32648, VIETNAM, layer if communes else None)


def codes(reading: Reading) -> list[str]:
    return sorted(fault.code for fault in reading.faults)


def test_a_list_as_a_department_sends_it(place: Place) -> None:
    reading = read(place)
    points = reading.table
    check(points, POINTS)
    assert points.index.tolist() == [f"0012{i}" for i in range(3, 9)]
    assert points.crs.to_epsg() == 32648
    assert points["level"].tolist() == ["primary", "lower_secondary", "lower_secondary;primary",
                                        "", "upper_secondary", "preschool"]
    assert points["learners"].tolist()[:3] == [350, 412, 1204]
    assert np.isnan(points.loc["00126", "learners"])
    assert points.loc["00126", "commune_code"] == "02650"
    assert points.loc["00126", "kind"] == "branch_school", "its name says so"
    assert points.loc["00126", "assumed"] == "commune_code;kind"
    assert points.loc["00123", "commune_name"] == "Xã Một"
    assert reading.rows_in == reading.accepted == 6


def test_lost_zeros_are_restored_only_where_the_code_exists(place: Place) -> None:
    frame = SCHOOLS.assign(ma_xa=["2647", "2647.0", "02650", "2650", "9999", "ABCDE"])
    reading = read(place, frame)
    assert reading.table["commune_code"].tolist() == ["02647", "02647", "02650", "02650", "9999",
                                                      "ABCDE"]
    assert reading.mended == 3
    assert {"lost_zeros", "unknown_commune"} <= set(codes(reading))
    assert read(place, frame, communes=False).table["commune_code"].tolist()[0] == "2647"


def test_a_point_far_outside_its_declared_commune_is_remarked(place: Place) -> None:
    reading = read(place, SCHOOLS.assign(ma_xa="02647"))
    fault = next(f for f in reading.faults if f.code == "outside_commune")
    assert fault.count == 4
    assert fault.row == 4


def test_two_rows_with_one_id_are_an_error_that_names_both(place: Place) -> None:
    frame = SCHOOLS.assign(ma_truong=["1", "2", "3", "2", "5", "6"])
    reading = read(place, frame)
    fault = next(f for f in reading.faults if f.code == "duplicate_key")
    assert (fault.severity, fault.row) == ("error", 5)
    assert "row 3" in fault.what
    assert (reading.rows_in, reading.rejected) == (6, 1)


def test_a_repeated_row_is_left_out_with_a_warning(place: Place) -> None:
    reading = read(place, pd.concat([SCHOOLS, SCHOOLS.iloc[[2]]]))
    assert len(reading.table) == 6
    assert "repeated_row" in codes(reading)
    assert reading.rejected == 1


def test_ids_are_made_from_name_and_position_in_any_order(place: Place) -> None:
    frame = SCHOOLS.drop(columns="ma_truong")
    first = read(place, frame).table
    second = read(place, frame.iloc[::-1]).table
    assert first.index.is_unique
    assert all("point_id" in cell for cell in first["assumed"])
    pd.testing.assert_frame_equal(first, second)


def test_implausible_and_unreadable_figures_count_as_unknown(place: Place) -> None:
    reading = read(place, SCHOOLS.assign(so_hoc_sinh=["-3", "abc", "999999", "đang cập nhật", "7",
                                                      "8"]))
    assert np.isnan(reading.table["learners"]).tolist() == [True] * 4 + [False] * 2
    assert {"implausible_number", "not_a_number"} <= set(codes(reading))
    assert reading.mended == 3


def test_a_row_without_position_is_kept_without_one(place: Place) -> None:
    frame = SCHOOLS.copy()
    frame.loc[0, ["vi_do", "kinh_do"]] = ""
    reading = read(place, frame)
    assert reading.table.geometry.isna().tolist() == [True] + [False] * 5
    check(reading.table, POINTS)


def test_polygons_as_points_lie_within_themselves(place: Place) -> None:
    source = Source(file="communes.gpkg", kind="commune")
    points = read_points(source, place.folder, 32648, VIETNAM).table
    assert points.index.tolist() == points["commune_code"].tolist() == ["02647", "02650"]
    assert set(points["kind"]) == {"commune"}
    layer = read_communes(Source(file="communes.gpkg"), place.folder, 32648, VIETNAM).table
    assert layer.geometry.contains(points.geometry, align=False).all()
    assert layer["population"].tolist() == [4100, 5200]


def test_unknown_kind_of_source_offers_the_nearest(place: Place) -> None:
    reading = read(place, kind="scool")
    fault = next(f for f in reading.faults if f.code == "unknown_kind")
    assert fault.severity == "error"
    assert 'Did you mean "school"' in fault.cure


def test_defaults_fill_and_are_recorded(place: Place) -> None:
    points = read(place, defaults={"learners": 25, "priority": 2}).table
    assert points.loc["00126", "learners"] == 25
    assert points.loc["00126", "assumed"] == "commune_code;kind;learners;priority"
    assert points["priority"].tolist() == [2.0] * 6


@given(order=st.permutations(range(6)))
@settings(max_examples=6, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_changes_nothing(place: Place, order: list[int]) -> None:
    pd.testing.assert_frame_equal(read(place, SCHOOLS).table,
                                  read(place, SCHOOLS.iloc[order]).table)


def points_of(learners: list[float], kinds: list[str], levels: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"learners": learners, "kind": kinds, "level": levels, "assumed": ""},
                        index=pd.Index([f"p{i}" for i in range(len(kinds))], name="point_id"))


def test_unknown_learners_are_the_median_of_their_like() -> None:
    nan = float("nan")
    points = points_of([10, 20, 30, 40, 50, nan, nan, nan, nan],
                       ["school"] * 7 + ["village", "vocational"], ["primary"] * 6 + ["", "", ""])
    filled, faults = fill_learners(points, VIETNAM)
    assert filled["learners"].tolist()[5:] == [30, 30, 0, VIETNAM.learners_assumed["vocational"]]
    assert (filled["assumed"] == "learners").tolist() == [False] * 5 + [True] * 4
    assert [(f.severity, f.count) for f in faults] == [
        ("assumption", 2), ("assumption", 1), ("assumption", 1)], "one line for each way"
    assert "1 x school: 30 each, as 5 of that kind" in faults[0].what
    assert "1 x school (primary): 30 each, as 5 like them" in faults[0].what
    assert "1 x vocational" in faults[1].what
    assert "1 x village" in faults[2].what
    assert np.isnan(points["learners"]).sum() == 4


def test_too_few_alike_fall_back_on_the_stated_assumption() -> None:
    points = points_of([10.0, 20.0, float("nan")], ["school"] * 3, ["primary"] * 3)
    assert fill_learners(points, VIETNAM)[0]["learners"].tolist()[2] == 200
    assert fill_learners(points, VIETNAM, assumed={"school": 77.0})[0]["learners"].iloc[2] == 77


def test_known_learners_raise_nothing() -> None:
    points = points_of([1.0, 2.0], ["school"] * 2, ["", ""])
    filled, faults = fill_learners(points, VIETNAM)
    assert not faults
    pd.testing.assert_frame_equal(filled, points)


@pytest.mark.parametrize(("file", "rows", "mapping"), [
    ("schools_kenya/kenya-secondary-schools.csv", 6494, {}),
    ("schools_kenya/kibera-combined-schools.geojson", 330, {}),
    ("schools_giga/Mongolia_Impact.csv", 843, {}),
    ("schools_vn_osm/truong_hoc_messy_sample.csv", 28, {"lon": "", "lat": ""})])
def test_real_lists_lose_no_row(shared: Any, file: str, rows: int, mapping: dict[str, str]) -> None:
    profile = VIETNAM if "vn" in file else Profile.load("generic")
    reading = read_points(Source(file=file, kind="school", columns=mapping), shared / "data",
                          DEGREES, profile)
    assert reading.rows_in == rows == len(reading.table) + reading.rejected
    assert not reading.failed
    check(reading.table, POINTS)


def test_kinds_are_taken_from_names_where_no_column_says(place: Place) -> None:
    names = ["Trung tâm GDNN-GDTX huyện A", "Trung tâm học tập cộng đồng xã B", "Trường Đại học C",
             "Trường Trung cấp nghề D", "Trường PTDTBT TH&THCS E", "Phân hiệu F"]
    table = read(place, SCHOOLS.assign(ten_truong=names)).table
    assert table["kind"].tolist() == ["continuing_education", "community_learning_centre",
                                      "university", "vocational", "school", "branch_school"]
    assert set(table.loc[table["kind"] != "school", "assumed"].map(
        lambda cell: "kind" in cell)) == {True}


def test_totals_and_headings_are_no_places(place: Place) -> None:
    extra = pd.DataFrame([dict.fromkeys(SCHOOLS.columns, ""), dict.fromkeys(SCHOOLS.columns, "")])
    extra.loc[0, ["ten_truong", "so_hoc_sinh"]] = ["Tổng cộng", "2656"]
    extra.loc[1, "ma_truong"] = "Huyện Bảo Yên"
    reading = read(place, pd.concat([extra.iloc[[1]], SCHOOLS, extra.iloc[[0]]]))
    assert len(reading.table) == 6
    assert {"total_row", "heading_row"} <= set(codes(reading))
    assert (reading.rows_in, reading.rejected) == (8, 2)
