"""Damaged and malicious files: each is read or refused with a word, none breaks the ledger."""

from __future__ import annotations

import io
import json
import random
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import xlsxwriter
from phusong.ledger.book import Book
from phusong.ledger.filing import Filing
from phusong.ledger.form import Form
from phusong.ledger.reports import read_filing
from phusong.ledger.sheets import MAX_ROWS
from phusong.ledger.unread import told_of

FORM = Form(operator="X", area=(102.0, 8.0, 110.0, 24.0))
CELLS = ["new", "A{n}", "A{n}-1", "2021-10-05", "22,35", "103,84", "4G", "1800", "30", "90"]
NAMES = ["hành động", "mã trạm", "mã cell", "ngày", "vĩ độ", "kinh độ", "công nghệ", "tần số",
         "độ cao", "phương vị"]
NASTY = ["", " ", "\x00", "\u202e", "\ud7ff", "'", '"', '""', ";", ",", "\n", "\r", "\t", "=1+1",
         "-", "n/a", "NULL", "9" * 400, "1e308", "-0", "0x1F", "٣٤", "½", "²", "∞", "1,2,3", "1..2",
         "22°21'", "°", "NaN", "TRUE", "2021-13-45", "5/10/21", "<script>", "{0}", "{column}", "%s",
         "../../etc", "A" * 70_000, "Đ", "Ð", "e\u0301" * 50, "🗼"]


def lines(count: int) -> list[list[str]]:
    return [[cell.replace("{n}", str(n)) for cell in CELLS] for n in range(count)]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One good file of each kind."""
    folder = tmp_path_factory.mktemp("seeds")
    table = "\n".join(";".join(line) for line in [NAMES, *lines(8)])
    with xlsxwriter.Workbook(str(folder / "r.xlsx")) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([NAMES, *lines(8)]):
            sheet.write_row(row, 0, cells)
    frame = gpd.GeoDataFrame({"site_code": [f"A{n}" for n in range(8)], "date": "2021-10-05",
                              "technology": "LTE"},
                             geometry=gpd.points_from_xy([103.84] * 8, [22.35] * 8, crs=4326))
    frame.to_file(folder / "r.geojson")
    frame.to_file(folder / "r.gpkg")
    found = {name: (folder / name).read_bytes() for name in ("r.xlsx", "r.geojson", "r.gpkg")}
    return found | {"r.csv": table.encode(), "u.csv": table.encode("utf-16")}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book.copy_of(tmp_path / "absent.sqlite")
    yield made
    made.close()


def enter(book: Book, data: bytes, name: str) -> Filing:
    began = time.monotonic()
    filing = read_filing(data, name, FORM, "2021-10-08T00:00:00")
    _, rows, _ = book.append(filing)
    assert time.monotonic() - began < 5.0
    assert len(rows) == len(filing.rows)
    if filing.refused:
        words = json.loads(filing.refused)
        assert words["code"]
        assert words["vi"] != words["en"]
        assert not re.search(r"\{\w*\}", words["vi"].replace(name, "")), "a hole was not filled"
    assert len(told_of(filing.unread, "X").vi) < 1500
    for row in rows:
        assert row.outcome in ("accepted", "duplicate", "rejected")
        if row.outcome == "rejected":
            assert row.code
            assert row.message_vi
            assert row.message_en
        json.loads(row.record()[7])
    return filing


def damaged(data: bytes, rng: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 40])):
        place = rng.randrange(len(spoiled) + 1)
        kind = rng.randrange(5)
        if kind == 0 and place < len(spoiled):
            spoiled[place] = rng.randrange(256)
        elif kind == 1:
            del spoiled[place:place + rng.randrange(1, 60)]
        elif kind == 2:
            spoiled[place:place] = rng.randbytes(rng.randrange(1, 30))
        elif kind == 3:
            spoiled[place:place] = rng.choice(NASTY).encode("utf-8", "replace")[:500]
        else:
            spoiled = spoiled[:max(place, 1)]
    return bytes(spoiled)


def damaged_files(book: Book, seeds: dict[str, bytes], count: int, seed: int) -> None:
    rng = random.Random(seed)
    read = 0
    for _ in range(count):
        name = rng.choice(sorted(seeds))
        read += not enter(book, damaged(seeds[name], rng), name).refused
    assert 0 < read < count
    assert book.verify() == []


def damaged_rows(book: Book, count: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(count // 50):
        table = lines(50)
        for cells in table:
            for _ in range(rng.choice([1, 1, 2, 6])):
                place = rng.randrange(len(cells))
                cells[place] = rng.choice([rng.choice(NASTY), cells[place] + rng.choice(NASTY)[:9],
                                           cells[rng.randrange(len(cells))]])
        features = [{"type": "Feature", "properties": dict(zip(NAMES, cells, strict=True)),
                     "geometry": rng.choice([None, {"type": "Point", "coordinates": [103.8, 22.3]},
                                             {"type": "Point", "coordinates": [1e999, None]},
                                             {"type": "Point"}, [], 3])} for cells in table]
        text = json.dumps({"type": "FeatureCollection", "features": [*features, 7, None]})
        filing = enter(book, text.encode(), "r.geojson")
        assert len(filing.rows) == 52
        text = "\n".join("\t".join(c.replace("\n", " ").replace("\r", " ").replace("\t", " ")
                                   .replace('"', "'") for c in line) for line in [NAMES, *table])
        filing = enter(book, text.encode("utf-8", "replace"), "r.tsv")
        assert filing.refused or len(filing.rows) == 50
    assert book.verify() == []


def test_a_sample_of_damaged_files(book: Book, seeds: dict[str, bytes]) -> None:
    damaged_files(book, seeds, 150, 1)


def test_a_sample_of_damaged_rows(book: Book) -> None:
    damaged_rows(book, 300, 2)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_damaged_files(book: Book, seeds: dict[str, bytes], part: int) -> None:
    damaged_files(book, seeds, 2500, 100 + part)


@pytest.mark.slow
def test_ten_thousand_damaged_rows(book: Book) -> None:
    damaged_rows(book, 10_000, 3)


def packed(sheet: bytes) -> bytes:
    """A workbook whose only sheet is `sheet`."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as made:
        made.add_worksheet()
    again = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, sheet if "worksheets" in item.filename
                         else old.read(item.filename))
    return again.getvalue()


HEAD = (b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        b'2006/main"><sheetData>')


@pytest.mark.parametrize("make", [
    lambda: packed(HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576">'
                   b'<c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'),
    lambda: packed(HEAD + b"<row>" + b'<c><v>1</v></c>' * 4_000_000 + b"</row></sheetData>"
                   b"</worksheet>"),
], ids=["stray_cell", "packed_sheet"])
def test_bombs_are_refused_before_they_are_expanded(book: Book, make: Callable[[], bytes]) -> None:
    filing = enter(book, make(), "r.xlsx")
    assert json.loads(filing.refused)["code"] == "too_large"


def test_endless_rows_are_refused(book: Book) -> None:
    text = "site_code;date;technology\n" + "A;2021-10-05;4G\n" * (2 * MAX_ROWS + 9)
    assert json.loads(enter(book, text.encode(), "r.csv").refused)["code"] == "too_large"


def test_an_entity_bomb_is_refused(book: Book) -> None:
    entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
    sheet = (b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e0 "x">' + entities + b"]>"
             + HEAD.split(b"?>", 1)[1]
             + b'<row r="1"><c r="A1" t="inlineStr"><is><t>&e11;</t></is></c></row></sheetData>'
             b"</worksheet>")
    assert enter(book, packed(sheet), "r.xlsx").refused
