"""One door for files: formats, encodings, damage, and what must be refused before it is read."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import xlsxwriter
from phusong.errors import InputError, MissingFileError
from phusong.profile import Profile
from phusong.sources.files import read_file
from phusong.sources.points import read_points
from phusong.sources.records import RawTable, kept, match_columns
from phusong.sources.source import Findings, Source
from shapely import Point

VIETNAM = Profile.load("vietnam")
ROWS = [["Mã trường", "Tên trường", "Vĩ độ", "Kinh độ"], ["00123", "Trường Hoà", "22,5", "103,5"],
        ["00124", "Trường Đà", "22,6", "103,6"]]


def read(folder: Path, name: str, **options: object) -> RawTable:
    return read_file(Source(file=name, **options), folder, VIETNAM, "points")  # type: ignore[arg-type]


def refused(folder: Path, name: str, code: str, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, name, **options)
    assert [fault.code for fault in caught.value.faults] == [code]
    assert caught.value.faults[0].file == name
    return str(caught.value)


def same(table: RawTable) -> bool:
    found = match_columns(table, Source(file="x"), VIETNAM.spellings("points"),
                          Findings("x", table.rows))
    named = {ours: table.frame[theirs].tolist() for ours, theirs in found.items()}
    return named == {"point_id": ["00123", "00124"], "name": ["Trường Hoà", "Trường Đà"],
                     "lat": ["22,5", "22,6"], "lon": ["103,5", "103,6"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_text_tables(tmp_path: Path, encoding: str, mark: str) -> None:
    text = "\r\n".join(mark.join(row) for row in ROWS)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    assert same(read(tmp_path, "a.csv"))


def test_windows_1258_is_read_with_a_warning(tmp_path: Path) -> None:
    text = unicodedata.normalize("NFD", "ma_truong;ten\n00123;Hòa\n")
    (tmp_path / "a.csv").write_bytes(text.encode("cp1258"))
    table = read(tmp_path, "a.csv")
    assert table.frame["ten"].tolist() == ["Hòa"]
    assert [(f.code, f.severity) for f in table.faults] == [("encoding", "warning")]


def test_titles_above_the_header_and_row_numbers(tmp_path: Path) -> None:
    text = "SỞ GIÁO DỤC\n\nDanh sách trường;;;\n" + "\n".join(";".join(row) for row in ROWS)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    table = read(tmp_path, "a.csv")
    assert same(table)
    assert table.rows.tolist() == [5, 6]


def test_a_line_break_within_a_name_is_a_space(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,name,lat,lon\n1,"Trường\nA",1,2\n2,B,3,4\n')
    table = read(tmp_path, "a.csv")
    assert table.frame["name"].tolist() == ["Trường A", "B"]
    assert table.rows.tolist() == [2, 3]


def test_a_row_with_too_many_cells_is_an_error_not_a_shift(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name,lat,lon\n1,A,22,5,103,5\n2,B,3,4\n")
    table = read(tmp_path, "a.csv")
    assert table.frame["id"].tolist() == ["2"]
    assert [(f.code, f.severity, f.row) for f in table.faults] == [("too_many_cells", "error", 2)]


def test_gzip(tmp_path: Path) -> None:
    text = "\n".join(";".join(row) for row in ROWS)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert same(read(tmp_path, "a.csv.gz"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"x" * 5000)[:20])
    refused(tmp_path, "b.csv.gz", "unreadable_file")


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Bìa").write("A1", "Báo cáo")
        sheet = book.add_worksheet("Trường")
        sheet.merge_range("A1:D1", "DANH SÁCH TRƯỜNG HỌC NĂM 2021")
        for r, row in enumerate(ROWS):
            for c, cell in enumerate(row):
                sheet.write_string(r + 2, c, cell)
        other = book.add_worksheet("Khác")
        other.write_row(0, 0, ["ma_truong", "ten_truong", "ma_xa", "tu_ngay"])
        other.merge_range("C2:C3", "02647")
        other.write_row(1, 0, [123, "A"])
        other.write_row(2, 0, [124.5, "B"])
        other.write_datetime(1, 3, dt.datetime(2021, 9, 30),
                             book.add_format({"num_format": "dd/mm/yyyy"}))
    return path


def test_workbook_sheet_with_known_headers_is_found(workbook: Path) -> None:
    table = read(workbook.parent, "a.xlsx")
    assert same(table)
    assert table.rows.tolist() == [4, 5]


def test_workbook_sheet_by_name_merged_cells_numbers_and_days(workbook: Path) -> None:
    table = read(workbook.parent, "a.xlsx", sheet="khac")
    assert table.frame["ma_xa"].tolist() == ["02647", "02647"]
    assert table.frame["ma_truong"].tolist() == ["123", "124.5"]
    assert table.frame["tu_ngay"].tolist() == ["2021-09-30", ""]


def test_wrong_sheet_offers_the_nearest(workbook: Path) -> None:
    assert 'Did you mean "Trường"' in refused(workbook.parent, "a.xlsx", "missing_sheet",
                                              sheet="Trườg")


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    assert "would unpack to" in refused(tmp_path, "a.xlsx", "too_large")


def test_a_far_stray_cell_is_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "x")
    assert "stray cell" in refused(tmp_path, "a.xlsx", "too_large")


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.fgb", "a.parquet"])
def test_vector_files_keep_codes_as_text(tmp_path: Path, name: str) -> None:
    frame = gpd.GeoDataFrame({"ma": ["00123", "00124"], "so": [5, 7], "do": [1.5, None]},
                             geometry=[Point(103.5, 22.5), Point(103.6, 22.6)], crs="EPSG:4326")
    if name.endswith("parquet"):
        frame.to_parquet(tmp_path / name)
    else:
        frame.to_file(tmp_path / name)
    table = read(tmp_path, name)
    assert table.geometry is not None
    rows = zip(table.frame["ma"], table.frame["so"], table.frame["do"], table.geometry.x,
               strict=True)
    assert sorted(rows) == [("00123", "5", "1.5", 103.5), ("00124", "7", "", 103.6)]


def test_keys_of_inner_objects_become_columns(tmp_path: Path) -> None:
    features = [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [103.5, 22.5]},
                 "properties": {"tags": {"man_made": "mast", "name": "Hàm Rồng"}}}]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection",
                                                    "features": features}))
    assert read(tmp_path, "a.geojson").frame["name"].tolist() == ["Hàm Rồng"]


def test_wrong_layer_offers_the_nearest(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"a": [1]}, geometry=[Point(1, 2)], crs=4326).to_file(
        tmp_path / "a.gpkg", layer="schools")
    assert 'Did you mean "schools"' in refused(tmp_path, "a.gpkg", "missing_layer", layer="school")


def test_missing_file_offers_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "schools.csv").write_text("id\n1\n")
    with pytest.raises(MissingFileError, match=r'Did you mean "schools\.csv"'):
        read(tmp_path, "school.csv")


@pytest.mark.parametrize(("name", "content", "code"), [
    ("a.csv", b"", "empty_file"), ("a.csv", b"\xef\xbb\xbf \r\n", "empty_file"),
    ("a.csv", b",,,\n,,\n", "empty_file"), ("a.csv", bytes(range(256)) * 20, "no_text"),
    ("a.csv", "ten\nHoà\nĐà Lạt\nTừ".encode() + b"\xff", "damaged_text"),
    ("a.csv", b"\xff\xfe\x00", "no_text"), ("a.csv", b"\x00" * 99 + b"id", "no_text"),
    ("a.csv", b'id,name\n1,"A\n' + b"2,B\n" * 50, "open_quote"),
    ("a.xlsx", b"PK\x03\x04 nothing", "unreadable_file"), ("a.xlsx", b"text", "unreadable_file"),
    ("a.gpkg", b"SQLite format 3\x00" + b"x" * 300, "unreadable_file"),
    ("a.geojson", b'{"type":', "unreadable_file"),
    ("a.shp", b"\x00\x00\x27\x0a", "unreadable_file"),
    ("a.parquet", b"PAR1", "unreadable_file"), ("a.doc", b"x", "unknown_format"),
    ("a.osm.pbf", b"\x00\x00\x00\x0eOSMHeader", "unreadable_file")])
def test_damaged_files_end_in_one_clear_message(tmp_path: Path, name: str, content: bytes,
                                                code: str) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path, name, code)


def test_where_sets_rows_aside(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,use,n\n1,True,1\n2,false,2\n3,,3\n4,TRUE,\n")
    table = read(tmp_path, "a.csv")
    for where, ids, aside in [({"use": True}, ["1", "4"], 2), ({"use": ["true", ""]},
                              ["1", "3", "4"], 1), ({"n": [1, 2], "use": "False"}, ["2"], 3)]:
        rest, left = kept(table, Source(file="a.csv", where=where), VIETNAM)
        assert rest.frame["id"].tolist() == ids
        assert left == aside
    with pytest.raises(InputError, match='Did you mean "use"'):
        kept(table, Source(file="a.csv", where={"uses": 1}), VIETNAM)


def test_columns_said_by_the_study_go_first(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name,code,ten\n1,A,x,B\n")
    table = read(tmp_path, "a.csv")
    findings = Findings("a.csv", table.rows)
    said = Source(file="a.csv", columns={"name": "TEN", "point_id": "code", "lon": "",
                                         "learners": "pupil", "lern": "id"})
    found = match_columns(table, said, VIETNAM.spellings("points"), findings)
    assert found == {"name": "ten", "point_id": "code"}
    assert sorted(f.code for f in findings.faults) == ["missing_column", "unknown_column"]


def test_header_false_numbers_the_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,A,103.5,22.5\n2,B,103.6,22.6\n")
    table = read(tmp_path, "a.csv", header=False)
    assert list(table.frame.columns) == ["1", "2", "3", "4"]
    assert pd.Series(table.rows).tolist() == [1, 2]


def test_one_sheet_for_each_district_and_a_heading_over_two_columns(
        tmp_path: Path, vietnam: Profile) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        for district in ("Bảo Yên", "Sa Pa"):
            sheet = book.add_worksheet(district)
            sheet.merge_range(0, 0, 0, 4, "DANH SÁCH TRƯỜNG HỌC")
            sheet.merge_range(2, 0, 3, 0, "Tên trường")
            sheet.merge_range(2, 1, 2, 2, "Toạ độ")
            sheet.merge_range(2, 3, 2, 4, "Số học sinh")
            sheet.write_row(3, 1, ["Vĩ độ", "Kinh độ", "Tổng số", "Nghèo"])
            sheet.write_row(4, 0, [f"Trường {district}", 22.3, 103.8, 120, 30])
        book.add_worksheet("Ghi chú").write(0, 0, "lập ngày 1/9/2021")
    reading = read_points(Source(file="a.xlsx", kind="school"), tmp_path, 32648, vietnam)
    assert reading.rows_in == 2
    assert sorted(reading.table["name"]) == ["Trường Bảo Yên", "Trường Sa Pa"]
    assert reading.table["learners"].tolist() == [120, 120]
    assert reading.table["learners_poor"].tolist() == [30, 30]
    assert reading.columns["learners_poor"] == "Số học sinh Nghèo"
    left = next(f for f in reading.faults if f.code == "sheets_not_read")
    assert "Ghi chú" in left.what


def test_a_fault_names_the_sheet_it_is_in(tmp_path: Path, vietnam: Profile) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        for name, lat in (("Một", "22.3"), ("Hai", "phía sau chợ")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Tên trường", "Vĩ độ", "Kinh độ"])
            sheet.write_row(1, 0, ["Trường", lat, "103.8"])
    reading = read_points(Source(file="a.xlsx", kind="school"), tmp_path, 32648, vietnam)
    fault = next(f for f in reading.faults if f.code == "unreadable_coordinate")
    assert fault.file == "a.xlsx [Hai]"
    assert fault.row == 2


def test_a_file_without_a_header_loses_no_row(tmp_path: Path, vietnam: Profile) -> None:
    (tmp_path / "a.tsv").write_text("1\t103.81\t22.31\n2\t103.82\t22.32\n")
    source = Source(file="a.tsv", kind="school")
    reading = read_points(source, tmp_path, 32648, vietnam)
    assert (reading.rows_in, reading.rejected) == (2, 2)
    assert {"no_header", "missing_column"} <= {f.code for f in reading.faults}
    named = source.model_copy(update={"header": False, "columns": {"point_id": "1", "lon": "2",
                                                                   "lat": "3"}})
    assert read_points(named, tmp_path, 32648, vietnam).accepted == 2
