"""Columns that no word is known for: told once, with a near name and the cure; no row suffers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
import xlsxwriter
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.ledger import Ledger, Reporting
from phusong.ledger.form import Form
from phusong.ledger.reports import read_filing
from phusong.ledger.unread import UnreadColumn, told_of
from phusong.ledger.words import column_names, fold, match_headers, words_for
from python_calamine import CalamineWorkbook

HEAD = ("action", "site_code", "date", "lat", "lon", "technology")
ROW = ("new", "S1", "2021-10-05", "22.35", "103.84", "4G")
WORDS = words_for("site", {})


def read(headers: tuple[str, ...], cells: tuple[str, ...], **form: object) -> list[UnreadColumn]:
    """What is not read of one row, beside the columns of `HEAD`; the row is accepted."""
    text = "\n".join("\t".join(part) for part in ((*HEAD, *headers), (*ROW, *cells)))
    filing = read_filing(text.encode(), "r.tsv", Form(**form), "2021-10-08T00:00:00")
    assert [row.outcome for row in filing.rows if row.code != "no_operator"] in ([], ["accepted"])
    return list(filing.unread)


def test_each_kind_of_unread_column() -> None:
    assert read(("tần s0", "STT", "empty", "Ngày áp dụng"), ("1800", "1", "", "2021-10-06"),
                operator="X") == [
        UnreadColumn("tần s0", nearly="frequency_mhz"), UnreadColumn("STT"),
        UnreadColumn("Ngày áp dụng", instead="date")]
    assert read(("", "height"), ("a note", "30"), operator="X") == [UnreadColumn("(7)")]
    assert read(("Tần số (theo giấy phép)", "Hướng"), ("1800", "30"), operator="X") == [
        UnreadColumn("Tần số (theo giấy phép)", nearly="frequency_mhz")]
    assert read(("my band",), ("1800",), operator="X",
                aliases={"frequency_mhz": "My Band"}) == []


def test_the_line_says_what_to_write_and_the_study_file_takes_it() -> None:
    found = read(('Tần "s0"', "STT"), ("1800", "1"), operator="X")
    for language in ("en", "vi"):
        line = told_of(found, "X").in_language(language)
        assert "STT" in line
        assert "\n" not in line
        said = yaml.safe_load(line[line.index("operators:"):])
        aliases = Reporting(**said["operators"]["X"]).aliases
        assert read(('Tần "s0"',), ("1800",), operator="X", aliases=aliases) == []
    assert told_of([], "X").en == ""


STRANGE = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='\t"'),
                  min_size=1, max_size=60).filter(lambda t: fold(t) not in {"", *WORDS})
SAID_TWICE = st.sampled_from(["hành động", "BTS", "ngày", "Vĩ độ", "lng", "RAT"])


@settings(max_examples=150, deadline=None)
@given(st.lists(STRANGE | SAID_TWICE, min_size=1, max_size=12, unique_by=fold))
def test_whatever_columns_are_called(names: list[str]) -> None:
    """Every column that holds something is read, or told; nothing is rejected for it."""
    found = read(tuple(names), ("x",) * len(names), operator="X")
    assert [column.header for column in found] == [" ".join(name.split()) for name in names]
    for column in found:
        assert bool(column.instead) == (fold(column.header) in WORDS)
    line = told_of(found, "").en
    assert bool(line) == bool(found)
    assert len(line) < 1200


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_slip_of_the_pen_is_recognised(data: st.DataObject) -> None:
    """One letter of a long known name is wrong: the column that is meant is named."""
    free = {word: ours for word, ours in WORDS.items()
            if len(word) >= 8 and ours not in match_headers(HEAD, "site", {})}
    word = data.draw(st.sampled_from(sorted(free)))
    place = data.draw(st.integers(0, len(word) - 1))
    wrong = word[:place] + data.draw(st.sampled_from("qzxw0")) + word[place + 1:]
    if fold(wrong) in WORDS:
        return
    (column,) = read((wrong,), ("1",), operator="X")
    assert column.nearly, wrong
    assert column.nearly in column_names("site")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "geojson", "gpkg"])
def test_in_every_kind_of_file(ledger: Ledger, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"2021-10-08_X.{kind}"
    names, cells = [*HEAD, "tần s0", "STT"], [*ROW, "1800", "1"]
    if kind == "csv":
        path.write_text(f"{';'.join(names)}\n{';'.join(cells)}\n", encoding="utf-8")
    elif kind == "xlsx":
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, names)
            sheet.write_row(1, 0, cells)
    else:
        gpd.GeoDataFrame([dict(zip(names, cells, strict=True))], crs=4326,
                         geometry=gpd.points_from_xy([103.84], [22.35])).to_file(path)
    for again in (True, False):  # also when the book has the file already
        outcome = ledger.report([path], operator="X", recorded_at="2021-10-08")
        assert outcome.counts["rejected"] == 0
        told = outcome.files.iloc[0]
        assert told["unread"] == ["tần s0", "STT"], again
        assert "frequency_mhz" in told["unread_en"]
        assert "không biết" in told["unread_vi"]
    assert json.loads(outcome.rows["raw"].iloc[0])["tần s0"] == "1800", "the book has it all"
    assert ledger.state()["assumed"].str.contains("frequency_mhz").all()
    told = ledger.report([path], operator="X", recorded_at="2021-10-09",
                         aliases={"frequency_mhz": "tần s0"})
    assert (told.counts["accepted"], told.files["unread"].iloc[0]) == (1, ["STT"])
    state = ledger.state()
    assert state["frequency_mhz"].tolist() == [1800.0]
    assert not state["assumed"].str.contains("frequency_mhz").any()


def test_the_operator_reads_it_in_the_workbook_that_goes_back(
        ledger: Ledger, csv: Callable[..., Path], tmp_path: Path) -> None:
    path = csv("r.csv", [(*ROW, "1"), (*ROW[:2], "never", *ROW[3:], "2")], (*HEAD, "STT"))
    outcome = ledger.report([path], operator="X")
    (written,) = outcome.write_rejected(tmp_path / "back", language="vi")
    book = CalamineWorkbook.from_path(str(written))
    assert book.sheet_names == ["Dòng bị từ chối", "Cột không đọc"]
    assert book.get_sheet_by_name("Cột không đọc").to_python() == [
        [outcome.files["unread_vi"].iloc[0]]]


def test_aliases_for_sites_do_not_stand_in_the_way_of_claims(ledger: Ledger,
                                                            csv: Callable[..., Path]) -> None:
    """One operator, one list of aliases: a claim is read by those of its columns it has."""
    how = {"VNPT": Reporting(aliases={"site_code": "Mã NT", "point_id": "Mã nơi",
                                      "effective_date": "Kể từ"})}
    path = csv("claims_VNPT.csv", [("P1", "2021-10-05")], ("Mã nơi", "Kể từ"))
    outcome = ledger.report([path], subject="claim", operators=how)
    assert outcome.counts["accepted"] == 1
    path = csv("towers_VNPT.csv", [("A", "2021-10-05", "22.35", "103.84", "4G")],
               ("Mã NT", "Kể từ", "lat", "lon", "tech"))
    assert ledger.report([path], operators=how).counts["accepted"] == 1
    with pytest.raises(ValueError, match="site_cod"):
        Reporting(aliases={"site_cod": "Mã NT"})


def test_a_person_cannot_settle_what_is_not_there(ledger: Ledger, csv: Callable[..., Path]) -> None:
    ledger.report([csv("r.csv", [("new", "AA-1", "2021-10-05", "22.35", "103.84", "4G"),
                                 ("new", "AA-2", "2021-10-05", "22.35", "103.84", "4G")], HEAD)],
                  operator="X")
    for operator, code, reason, words in (("X", "AA-3", "seen", 'Did you mean "AA-'),
                                          ("Y", "AA-1", "seen", 'no site of "Y"'),
                                          ("X", "AA-1", " ", "needs a reason")):
        with pytest.raises(InputError, match=words):
            ledger.settle(operator, code, "AA-2", verdict="same", reason=reason)
    assert len(ledger.suspects()) == 1
    assert not len(ledger.settle("X", "AA-2", "AA-1", verdict="same", reason="seen").suspects)
