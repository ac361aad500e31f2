"""Files of operators -> rows: every row is accepted, a duplicate, or rejected with words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import xlsxwriter
from phusong.errors import InputError, MissingFileError
from phusong.geo import transform
from phusong.ledger import Ledger, Outcome
from python_calamine import CalamineWorkbook
from shapely import LineString, Point

GOOD = ("new", "A1", "A1-1", "2021-10-05", 22.35, 103.84, "4G", 1800, 30, 90)


def conserved(outcome: Outcome) -> None:
    files = outcome.files
    assert (files["rows"] == files["accepted"] + files["duplicate"] + files["rejected"]).all()
    assert len(outcome.rows) == files["rows"].sum()
    bad = outcome.rows[outcome.rows["outcome"] != "accepted"]
    for name in ("reason", "message_vi", "message_en"):
        assert (bad[name] != "").all()


def with_cell(**cells: object) -> tuple[object, ...]:
    names = ("action", "site_code", "cell_code", "date", "lat", "lon", "technology", "frequency",
             "height", "azimuth")
    return tuple(cells.get(n, v) for n, v in zip(names, GOOD, strict=True))


@pytest.mark.parametrize(("cells", "code", "column"), [
    ({"site_code": ""}, "missing_value", "site_code"),
    ({"site_code": "\u202e\u200b"}, "missing_value", "site_code"),
    ({"date": ""}, "missing_value", "date"),
    ({"action": ""}, "missing_value", "action"),
    ({"technology": ""}, "missing_value", "technology"),
    ({"action": "explode"}, "unknown_action", "action"),
    ({"technology": "3G/4G"}, "unknown_technology", "technology"),
    ({"date": "31/02/2021"}, "bad_date", "date"),
    ({"height": "cao"}, "bad_number", "height"),
    ({"height": "1.234,5"}, "ambiguous_number", "height"),
    ({"height": 900}, "out_of_range", "height"),
    ({"frequency": 1.8}, "out_of_range", "frequency"),
    ({"lat": 103.84, "lon": 22.35}, "swapped_coordinates", "lat;lon"),
    ({"lat": 0, "lon": 0}, "outside_area", "lat;lon"),
    ({"lat": 52.5, "lon": 13.4}, "outside_area", "lat;lon"),
    ({"lat": "2471500", "lon": "380500"}, "zone_not_stated", "lat;lon"),
    ({"lat": ""}, "missing_position", "lat"),
    ({"lat": "", "lon": ""}, "missing_position", "lat;lon"),
    ({"action": "move", "lat": "", "lon": ""}, "missing_position", "lat;lon"),
    ({"lat": "22°75'"}, "bad_coordinate", "lat"),
    ({"site_code": "A\x071"}, "bad_text", "site_code"),
    ({"action": "change", "lat": "", "lon": "", "frequency": "", "height": "", "azimuth": ""},
     "nothing_said", ""),
])
def test_rejections(ledger: Ledger, csv: Callable[..., Path], cells: dict[str, object], code: str,
                    column: str) -> None:
    outcome = ledger.report([csv("r.csv", [with_cell(**cells), GOOD])], operator="X")
    conserved(outcome)
    row = outcome.rows.iloc[0]
    assert (row["outcome"], row["reason"], row["column"]) == ("rejected", code, column)
    assert json.loads(row["raw"])["technology"] == str(cells.get("technology", "4G"))
    assert outcome.rows.iloc[1]["outcome"] == "accepted"
    assert len(ledger.state()) == 1


def test_all_faults_of_a_row_at_once(ledger: Ledger, csv: Callable[..., Path]) -> None:
    bad = with_cell(date="x", height="y", technology="z")
    row = ledger.report([csv("r.csv", [bad])], operator="X").rows.iloc[0]
    assert set(row["column"].split(";")) == {"date", "height", "technology"}
    assert "«x»" in row["message_vi"]
    assert "«y»" in row["message_vi"]
    assert '"z"' in row["message_en"]


def test_the_same_row_twice(ledger: Ledger, csv: Callable[..., Path]) -> None:
    again = with_cell(lat="22,35", site_code=" a1 ", date="5/10/2021", technology="LTE")
    outcome = ledger.report([csv("r.csv", [GOOD, again])], operator="X")
    conserved(outcome)
    assert outcome.rows["outcome"].tolist() == ["accepted", "duplicate"]
    later = ledger.report([csv("s.csv", [with_cell(height=30.0)])], operator="X")
    assert later.rows["reason"].tolist() == ["same_statement"]


def test_operators_named_in_rows(ledger: Ledger, csv: Callable[..., Path]) -> None:
    header = ("nhà mạng", "mã trạm", "ngày", "vĩ độ", "kinh độ", "công nghệ")
    rows = [("VNPT", "1", "05/10/2021", "22,3", "103,8", "4G"),
            ("Viettel", "1", "05/10/2021", "22,3", "103,8", "4G"),
            ("", "1", "05/10/2021", "22,3", "103,8", "4G")]
    path = csv("r.csv", rows, header)
    outcome = ledger.report([path])
    assert outcome.rows["outcome"].tolist() == ["accepted", "accepted", "rejected"]
    assert sorted(ledger.state()["site_id"]) == ["VNPT/1", "Viettel/1"]
    outcome = ledger.report([path], operator="vnpt")
    assert outcome.rows["reason"].tolist()[1] == "other_operator"


def test_aliases_title_rows_and_decimal_commas_in_a_workbook(ledger: Ledger, tmp_path: Path
                                                             ) -> None:
    path = tmp_path / "báo cáo.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Bìa").write("A1", "Kính gửi")
        sheet = book.add_worksheet("Trạm")
        sheet.write("A1", "BÁO CÁO TUẦN")
        for place, name in enumerate(["Loại", "Mã NT", "Hiệu lực", "Vĩ độ", "Kinh độ", "CN"]):
            sheet.write(2, place, name)
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write(3, 0, "lắp mới")
        sheet.write(3, 1, 123)
        sheet.write_datetime(3, 2, pd.Timestamp("2021-10-05").to_pydatetime(), date)
        sheet.write(3, 3, 22.35)
        sheet.write(3, 4, "103,84")
        sheet.write(3, 5, "4G")
        sheet.write(4, 1, "=cmd()")
    aliases = {"action": "Loại", "site_code": ["Mã NT", "Mã nhà trạm"],
               "effective_date": "hiệu lực", "technology": "CN"}
    outcome = ledger.report([path], operator="VNPT", aliases=aliases)
    conserved(outcome)
    assert outcome.rows["outcome"].tolist()[0] == "accepted"
    assert outcome.rows.index.get_level_values("row").tolist()[0] == 4
    assert ledger.state("2021-10-06")["site_id"].tolist() == ["123"]


def test_vn_2000_needs_its_zone(ledger: Ledger, csv: Callable[..., Path]) -> None:
    x, y = transform([103.84], [22.35], "EPSG:4326", "EPSG:3405")
    rows = [("A1", "2021-10-05", f"{x[0]:.2f}".replace(".", ","), f"{y[0]:.2f}", "4G")]
    path = csv("r.csv", rows, ("mã trạm", "ngày", "easting", "northing", "công nghệ"))
    outcome = ledger.report([path], operator="A")
    assert outcome.rows["reason"].tolist() == ["zone_not_stated"]
    outcome = ledger.report([path], operator="A", crs="EPSG:3405")
    assert outcome.counts["accepted"] == 1
    site = ledger.state().to_crs(4326).geometry.iloc[0]
    assert (site.x, site.y) == pytest.approx((103.84, 22.35), abs=2e-7)
    swapped = csv("s.csv", [(rows[0][0], rows[0][1], rows[0][3], rows[0][2], "4G")],
                  ("mã trạm", "ngày", "easting", "northing", "công nghệ"))
    outcome = ledger.report([swapped], operator="A", crs="EPSG:3405")
    assert outcome.rows["reason"].tolist() == ["swapped_coordinates"]


def test_vector_files(ledger: Ledger, tmp_path: Path) -> None:
    columns = {"action": ["new"] * 3, "site_code": ["1", "2", "3"], "date": ["2021-10-05"] * 3,
               "technology": ["LTE"] * 3}
    shapes = [Point(103.84, 22.35), LineString([(103, 22), (104, 22)]), Point(22.35, 103.84)]
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)
    expected = ["accepted", "no_point", "swapped_coordinates"]
    for name, table in (("r.geojson", frame), ("r.gpkg", frame.iloc[[0, 2]]),
                        ("m.gpkg", frame.iloc[:1].to_crs("EPSG:3405"))):
        table.to_file(tmp_path / name)
        outcome = ledger.report([tmp_path / name], operator=name)
        conserved(outcome)
        words = [r or o for r, o in zip(outcome.rows["reason"], outcome.rows["outcome"],
                                        strict=True)]
        assert words == [expected[int(i) - 1] for i in table["site_code"]]
    places = ledger.state().geometry
    assert places.distance(places.iloc[0]).max() < 0.05


@pytest.mark.parametrize(("name", "data", "code"), [
    ("r.csv", b"", "empty_file"), ("r.csv", b"  \n\n ", "empty_file"),
    ("r.csv", b"site_code;date\n", "empty_file"),
    ("r.csv", b"a;b\n1;2\n", "no_header"), ("r.csv", b"site_code;lat\n1;2\n", "missing_column"),
    ("r.pdf", b"%PDF", "unknown_format"), ("noending", b"x", "unknown_format"),
    ("r.xlsx", b"PK\x03\x04 broken", "unreadable_file"), ("r.xlsx", b"nothing", "unreadable_file"),
    ("r.gpkg", b"SQLite format 3\x00 and no more", "unreadable_file"),
    ("r.geojson", b"[" * 100_000, "unreadable_file"), ("r.geojson", b"{}", "unreadable_file"),
    ("r.geojson", b'{"features": []}', "empty_file"),
    ("r.geojson", b'{"crs": {"properties": {"name": "EPSG:99999"}}, "features": [{"properties": '
     b'{"site_code": "1", "date": "2021-10-05"}}]}', "bad_crs"),
    ("r.geojson", b'{"crs": {"properties": {"name": "EPSG:5773"}}, "features": [{"properties": '
     b'{"site_code": "1", "date": "2021-10-05"}}]}', "bad_crs"),
    ("r.csv", b"\xff\xfea\x00\x00\xd8", "unreadable_file")])
def test_files_refused_as_a_whole(ledger: Ledger, tmp_path: Path, name: str, data: bytes,
                                  code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    outcome = ledger.report([path], operator="X")
    found = outcome.files.iloc[0]
    assert found["refused"] == code
    assert found["message_vi"] != found["message_en"] != ""
    assert outcome.counts == {"rows": 0, "accepted": 0, "duplicate": 0, "rejected": 0,
                              "refused": 1}
    before = ledger.watermark
    ledger.report([path], operator="X")
    assert ledger.watermark == before


def test_a_broken_quotation_spoils_one_row(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('site_code;date;lat;lon;technology\nA;2021-10-05;22.3;103.8;4G\n'
                    '"B;2021-10-05;22.4;103.8;4G\nC;2021-10-05;22.5;103.8;4G\n'
                    'D;2021-10-05;22.5;103.8;4G;extra;cells\n', encoding="utf-8")
    outcome = ledger.report([path], operator="X")
    conserved(outcome)
    assert outcome.rows["reason"].tolist() == ["", "broken_quotes", "", "ragged_row"]


def test_missing_files_stop_everything(ledger: Ledger, csv: Callable[..., Path]) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.csv"):
        ledger.report([csv("r.csv", [GOOD]), "gone.csv"], operator="X")
    assert ledger.watermark == 0
    with pytest.raises(InputError, match="aliases"):
        ledger.report([csv("r.csv", [GOOD])], operator="X", aliases={"hight": "h"})


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_workbook_that_goes_back(ledger: Ledger, csv: Callable[..., Path], tmp_path: Path,
                                     language: str) -> None:
    evil = with_cell(site_code="=HYPERLINK(1)", height="+1+cmd|' /C calc'!A0")
    outcome = ledger.report([csv("r.csv", [evil, GOOD])], operator="X")
    paths = outcome.write_rejected(tmp_path / "back", language=language)
    assert [p.name for p in paths] == ["r.csv.rejected.xlsx"]
    sheet = CalamineWorkbook.from_path(str(paths[0])).get_sheet_by_index(0).to_python()
    assert len(sheet) == 2
    assert sheet[1][1] == "bad_number"
    assert ("Không đọc được" if language == "vi" else "Cannot read") in sheet[1][3]
    assert sheet[1][sheet[0].index("site_code")] == "=HYPERLINK(1)"
    assert b"<f>" not in paths[0].read_bytes()
    good = ledger.report([csv("s.csv", [with_cell(site_code="B")])], operator="X")
    assert good.write_rejected(tmp_path / "back") == []


def test_one_file_given_twice(ledger: Ledger, csv: Callable[..., Path], tmp_path: Path) -> None:
    path = csv("r.csv", [GOOD, with_cell(date="x")])
    outcome = ledger.report([path, path], operator="X")
    conserved(outcome)
    assert outcome.rows.index.is_unique
    assert outcome.counts == {"rows": 4, "accepted": 1, "duplicate": 1, "rejected": 2,
                              "refused": 0}
    assert outcome.files["new_file"].tolist() == [True, False]
    assert len(outcome.write_rejected(tmp_path / "back")) == 2


def test_dry_run_tells_and_does_nothing(ledger: Ledger, csv: Callable[..., Path],
                                        tmp_path: Path) -> None:
    ledger.report([csv("r.csv", [GOOD])], operator="X", recorded_at="2021-10-08")
    files = [csv("s.csv", [with_cell(action="change", height=45), GOOD]),
             csv("t.csv", [with_cell(site_code="B", cell_code="B-1"), with_cell(site_code="")])]
    before = {p: p.read_bytes() for p in (tmp_path / "book").rglob("*") if p.is_file()}
    told = ledger.report(files, operator="X", recorded_at="2021-10-15", dry_run=True)
    assert {p: p.read_bytes() for p in (tmp_path / "book").rglob("*") if p.is_file()} == before
    done = ledger.report(files, operator="X", recorded_at="2021-10-15")
    assert told.dry_run
    assert not done.dry_run
    pd.testing.assert_frame_equal(told.rows, done.rows)
    pd.testing.assert_frame_equal(told.changes, done.changes)
    assert done.changes["change"].to_dict() == {"A1-1": "altered", "B-1": "appeared"}
    assert done.changes.loc["A1-1", "columns"] == "antenna_height_m"


def test_each_operator_writes_as_the_study_says(ledger: Ledger, tmp_path: Path) -> None:
    """Own column names, metres of VN-2000 with the zone stated, decimal commas; told by name."""
    from phusong.geo import transform
    from phusong.ledger import Reporting

    ways = {"VNPT": Reporting(aliases={"site_code": "Mã NT", "x": "Đông tọa", "y": "Bắc tọa"},
                              crs="EPSG:3405"),
            "Viettel": Reporting(files=("vt-*.csv",))}
    east, north = transform([103.8], [22.1], "EPSG:4326", "EPSG:3405")
    own = tmp_path / "2021-10-08 VNPT.csv"
    own.write_text("Mã NT;Ngày hiệu lực;Đông tọa;Bắc tọa;Công nghệ;Độ cao\n"
                   f"A1;05/10/2021;{east[0]:.2f};{north[0]:.2f};4G;30,5\n".replace(".", ","),
                   encoding="utf-8")
    other = tmp_path / "vt-1.csv"
    other.write_text("site_code;date;lat;lon;technology\nB1;2021-10-05;22°06'00\"N;103°48'00\"E;"
                     "4G\n", encoding="utf-8")
    strange = tmp_path / "towers.csv"
    strange.write_text("Mã NT;date;technology\nC1;2021-10-05;4G\n", encoding="utf-8")
    outcome = ledger.report([own, other, strange], operators=ways)
    assert outcome.files["accepted"].tolist() == [1, 1, 0]
    assert outcome.files["operator"].tolist() == ["VNPT", "Viettel", ""]
    assert outcome.files["refused"].tolist() == ["", "", "no_header"]
    places = ledger.state().to_crs(4326)
    assert set(places["operator"]) == {"VNPT", "Viettel"}
    assert abs(places.geometry.x - 103.8).max() < 1e-6
    assert abs(places.geometry.y - 22.1).max() < 1e-6
    assert places.set_index("operator")["antenna_height_m"]["VNPT"] == 30.5


def test_a_way_of_writing_that_makes_no_sense_is_refused() -> None:
    from phusong.ledger import Reporting

    with pytest.raises(ValueError, match="site_code"):
        Reporting(aliases={"site_cod": "x"})
    with pytest.raises(ValueError, match="EPSG"):
        Reporting(crs="EPSG:0")


def test_the_name_of_the_file_says_who_reports_where_rows_do_not(
        tmp_path: Path, csv: Callable[..., Path]) -> None:
    header = ("operator", "site_code", "date", "lat", "lon", "technology")
    rows = [("", "A1", "2021-10-01", 22.1, 104.1, "4G"),
            ("MobiFone", "B1", "2021-10-01", 22.2, 104.2, "4G")]
    with Ledger.open(tmp_path / "l.sqlite", crs=32648,
                     operators=("Viettel", "VNPT", "MobiFone")) as ledger:
        for name, first in (("2021-10-08_Viettel.csv", "Viettel"), ("towers.csv", ""),
                            ("Viettel VNPT.csv", ""), ("viettelpost.csv", "")):
            out = ledger.report([csv(name, rows, header)], dry_run=True)
            told = out.rows["operator"].where(out.rows["outcome"] == "accepted", "").tolist()
            assert told == [first, "MobiFone"], name
            assert out.rows["reason"].tolist()[0] == ("" if first else "no_operator")
            assert out.faults()["rows"].tolist() == ([] if first else [1])


def test_rejected_rows_name_their_file(ledger: Ledger, csv: Callable[..., Path]) -> None:
    """Of several files the words say in which one the row stands."""
    good = csv("1.csv", [GOOD])
    first, second = (csv(name, [GOOD, with_cell(site_code="A9", height=0.2),
                                with_cell(site_code="A8", date="soon")][:rows])
                     for name, rows in (("2.csv", 2), ("3.csv", 3)))
    out = ledger.report([good, first, second], operator="Viettel")
    faults = out.faults().set_index("reason")
    assert faults["file"].to_dict() == {"out_of_range": "2.csv", "bad_date": "3.csv"}
    assert faults["rows"].to_dict() == {"out_of_range": 2, "bad_date": 1}
    assert "0.5 to 500" in faults["message_en"]["out_of_range"]
    assert "0,5 đến 500" in faults["message_vi"]["out_of_range"]
    back = out.rejected()
    assert back[["file", "row"]].values.tolist() == [["2.csv", 3], ["3.csv", 3], ["3.csv", 4]]
    assert len(back) == out.counts["rejected"]
    assert json.loads(back["raw"].iloc[2])["date"] == "soon"
