"""A whole study: everything wrong is told at once, nothing is lost, real studies read."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong import sources
from phusong.errors import InputError, MissingFileError, TerrainError
from phusong.profile import Profile
from phusong.sources.source import Source
from phusong.study import Study
from phusong.tables import POINTS, SITES, check
from small_register import CELLS, SCHOOLS, Place

VIETNAM = Profile.load("vietnam")


def collect(place: Place, targets: Any = (), **said: Any) -> Any:
    return sources.collect(place.sources(**said), folder=place.folder, profile=VIETNAM,
                           targets=targets)


def inspect(place: Place, targets: Any = (), **said: Any) -> Any:
    return sources.inspect(place.sources(**said), folder=place.folder, profile=VIETNAM,
                           targets=targets)


def codes(around: Any, severity: str) -> list[str]:
    return [fault.code for fault in around.faults if fault.severity == severity]


def test_a_sound_study(place: Place) -> None:
    points, sites, terrain, around = collect(place)
    check(points, POINTS)
    check(sites, SITES)
    assert points.crs == sites.crs == around.communes.crs == terrain.metric_crs
    assert points.crs.to_epsg() == 32648
    assert points["learners"].notna().all()
    assert points.loc["00126", "assumed"] == "commune_code;kind;learners"
    assert np.isfinite(terrain.sample(points.geometry.x, points.geometry.y)).all()
    rows = around.readings
    assert (rows["rows_in"] == rows["accepted"] + rows["mended"] + rows["rejected"]).all()
    assert set(rows["role"]) == {"communes", "points", "sites", "terrain"}


def test_all_faults_of_all_files_are_told_at_once(place: Place) -> None:
    place.write("schools.csv", SCHOOLS.drop(columns="vi_do"))
    place.write("cells.csv", CELLS.assign(lat="abc"))
    (place.folder / "dem.tif").write_bytes(b"II*\x00")
    (place.folder / "communes.gpkg").unlink()
    with pytest.raises(InputError) as caught:
        collect(place)
    assert {(f.file, f.code) for f in caught.value.faults} == {
        ("schools.csv", "missing_column"), ("cells.csv", "unreadable_coordinate"),
        ("dem.tif", "unreadable_file"), ("communes.gpkg", "missing_file")}
    assert set(codes(inspect(place), "error")) == {
        "missing_column", "unreadable_coordinate", "unreadable_file", "missing_file"}


@pytest.mark.parametrize(("file", "content"), [
    ("schools.csv", b""), ("schools.csv", b"ma_truong,ten_truong,vi_do,kinh_do\n"),
    ("schools.csv", b"\x89PNG\r\n\x1a\n" + bytes(300)), ("dem.tif", b"not a raster"),
    ("communes.gpkg", b"SQLite format 3\x00"), ("cells.csv", b"a,b\n1,2\n")])
def test_broken_files_end_in_one_message_that_names_them(place: Place, file: str,
                                                         content: bytes) -> None:
    (place.folder / file).write_bytes(content)
    with pytest.raises(InputError, match=file.replace(".", r"\.")) as caught:
        collect(place)
    assert all(fault.cure for fault in caught.value.faults)
    assert {fault.file for fault in caught.value.faults} == {file}


def test_a_missing_file_is_a_missing_file(place: Place) -> None:
    (place.folder / "dem.tif").unlink()
    with pytest.raises(MissingFileError, match=r"dem\.tif"):
        collect(place)


def test_terrain_that_does_not_reach_says_how_many_and_where(place: Place, dem: Any) -> None:
    dem(place.folder / "dem.tif", west=105.0)
    with pytest.raises(TerrainError, match=r"6 of 6 points, round latitude 22\.335"):
        collect(place)
    dem(place.folder / "dem.tif", north=22.345)
    around = inspect(place)
    fault = next(f for f in around.faults if f.code == "terrain_out_of_reach")
    assert (fault.severity, fault.count) == ("warning", 2)


def test_points_on_a_void_are_said(place: Place, dem: Any) -> None:
    heights = np.full((300, 300), 100, np.int16)
    heights[150:, :] = -32768
    dem(place.folder / "dem.tif", heights=heights)
    fault = next(f for f in inspect(place).faults if f.code == "no_elevation")
    assert fault.count == 5     # the one at the edge has voids among its neighbours


def test_a_wrong_crs_of_the_sites(place: Place) -> None:
    with pytest.raises(InputError, match="look like degrees"):
        collect(place, sites=(Source(file="cells.csv", crs="EPSG:3405"),))


def test_ids_shared_by_two_files_are_an_error(place: Place) -> None:
    place.write("more.csv", SCHOOLS.iloc[[0]])
    both = (Source(file="schools.csv", kind="school"), Source(file="more.csv", kind="school"))
    with pytest.raises(InputError, match=r'stand in schools\.csv too, first: "00123"'):
        collect(place, points=both)


def test_members_of_targets_from_a_file_and_a_column(place: Place) -> None:
    place.write("list.csv", pd.DataFrame({"ma_truong": ["00123", "00125", "77777", "00123"]}))
    place.write("schools.csv", SCHOOLS.assign(danh_sach=["first", "", "", "second;first", "", ""]))
    targets = [SimpleNamespace(name="first", deadline=dt.date(2021, 9, 30), file="list.csv",
                               kinds=())]
    points, *_, around = collect(place, targets)
    assert points["targets"].tolist() == ["first", "", "first", "first;second", "", ""]
    assert {"unknown_point", "unknown_target"} <= set(codes(around, "warning"))
    files = sources.files(place.sources(), folder=place.folder, targets=targets)
    assert [f.name for f in files] == ["cells.csv", "communes.gpkg", "dem.tif", "list.csv",
                                       "schools.csv"]


def test_lockdown_days_reach_points_by_commune(place: Place) -> None:
    place.write("lock.csv", pd.DataFrame({
        "ma_xa": ["2647", "02647", "09999", "02650"],
        "tu_ngay": ["2021-08-01", "15/07/2021", "2021-07-01", "2021-09-01"],
        "den_ngay": ["2021-09-15", "2021-08-01", "2021-07-09", "2021-08-01"]}))
    points, *_, around = collect(place, lockdowns=Source(file="lock.csv"))
    inside = points["commune_code"] == "02647"
    assert set(points.loc[inside, "lockdown_from"]) == {pd.Timestamp("2021-07-15")}
    assert set(points.loc[inside, "lockdown_to"]) == {pd.Timestamp("2021-09-15")}
    assert points.loc[~inside, "lockdown_from"].isna().all()
    assert {"backward_dates", "lost_zeros", "no_point_there"} <= set(codes(around, "warning"))


def test_a_study_without_sites_terrain_or_communes_degrades_with_clear_words(
        place: Place) -> None:
    points, sites, terrain, around = collect(place, sites=(), terrain=(), communes=None)
    assert len(points) == 6
    assert not len(sites)
    assert terrain is None
    assert {"no_sites", "no_terrain"} <= set(codes(around, "warning"))


def test_reports_are_listed_in_order_and_absent_ones_said(place: Place) -> None:
    (place.folder / "reports").mkdir()
    for name in ("b.csv", "a.csv"):
        (place.folder / "reports" / name).write_text("x\n1\n")
    *_, around = collect(place, reports=("reports/*.csv", "reports/*.xlsx"))
    assert around.reports == ("reports/a.csv", "reports/b.csv")
    assert "missing_file" in codes(around, "warning")


def test_shuffled_files_give_the_same_tables(place: Place) -> None:
    first = collect(place)
    place.write("schools.csv", SCHOOLS.iloc[::-1])
    place.write("cells.csv", CELLS.iloc[[2, 0, 3, 1]])
    second = collect(place)
    pd.testing.assert_frame_equal(first[0], second[0])
    pd.testing.assert_frame_equal(first[1], second[1])


@pytest.fixture
def studies(root: Path) -> Path:
    return root / "tests/studies"


def real(shared: Path, studies: Path, name: str) -> Any:
    study = Study.read(studies / f"{name}.yml", folder=shared)
    return sources.collect(study.sources, folder=study.folder, profile=study.profile,
                           crs=study.crs, radio=study.radio, targets=study.targets)


def test_andorra_reads_whole(shared: Path, studies: Path) -> None:
    points, sites, terrain, around = real(shared, studies, "andorra")
    assert points["kind"].value_counts().to_dict() == {"village": 64, "school": 14,
                                                       "university": 1}
    assert len(sites) == 11
    assert sites["antenna_height_m"].tolist().count(30.0) == 9
    assert points.crs.to_epsg() == 32631
    assert int(np.isnan(terrain.heights).sum()) == 1104
    assert (len(around.roads), len(around.power_lines), len(around.communes)) == (4806, 22, 7)
    rows = around.readings.set_index("file")
    assert rows.loc["data/study_area/andorra/towers.csv", "set_aside"] == 4
    assert set(points["commune_code"]) <= {"", *around.communes.index}
    assert all("learners" in cell for cell in points["assumed"])


def test_lao_cai_reads_with_clear_words(shared: Path, studies: Path) -> None:
    points, sites, _, around = real(shared, studies, "lao_cai")
    assert (len(points), len(sites), around.roads, around.power_lines) == (144, 16, None, None)
    assert "Trường Tiểu học" in " ".join(points["name"])
    assert points["commune_code"].str.fullmatch(r"\d{5}").all()
    assert {"coarse_terrain", "terrain_out_of_reach", "shared_position"} <= set(
        codes(around, "warning"))
    assert np.nansum(around.population.values) == pytest.approx(1.073e6, rel=0.01)


def test_inputs_are_never_written_to(place: Place) -> None:
    before = {p.name: p.read_bytes() for p in place.folder.iterdir()}
    frozen = place.folder.parent / "frozen"
    shutil.copytree(place.folder, frozen)
    collect(place)
    assert {p.name: p.read_bytes() for p in place.folder.iterdir()} == before
