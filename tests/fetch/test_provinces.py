"""`phusong new --province`: a study file wired to what fetch brings, for any province and day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import pytest
from phusong.errors import StudyError, UnknownNameError
from phusong.newcomer import make_province
from phusong.provinces import Province, find_province, provinces
from phusong.sources import named
from phusong.sources.fetch import Catalogue
from phusong.study import Study

BEFORE, SINCE = dt.date(2025, 6, 30), dt.date(2025, 7, 1)


def test_34_now_and_63_before() -> None:
    for day, count in ((SINCE, 34), (BEFORE, 63)):
        there = [p for p in provinces("vietnam") if p.exists_on(day)]
        assert len(there) == len({p.code for p in there}) == len({p.name for p in there}) == count
    with pytest.raises(UnknownNameError, match="no list of provinces"):
        provinces("generic")


@pytest.mark.parametrize(("wanted", "day", "found", "other"), [
    ("15", SINCE, "15 Lào Cai", "15 Yên Bái (until 2025-06-30)"),
    ("15", BEFORE, "15 Yên Bái (until 2025-06-30)", "15 Lào Cai"),
    ("lao cai", SINCE, "15 Lào Cai", "10 Lào Cai (until 2025-06-30)"),
    ("10", SINCE, "10 Lào Cai (until 2025-06-30)", "None"), ("1", SINCE, "01 Hà Nội", "None"),
    ("Yên Bái", SINCE, "15 Yên Bái (until 2025-06-30)", "None")])
def test_a_code_means_what_it_meant_on_the_day(wanted: str, day: dt.date, found: str,
                                               other: str) -> None:
    assert tuple(map(str, find_province("vietnam", wanted, day))) == (found, other)


def test_a_province_that_is_none() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "Điện Biên"'):
        find_province("vietnam", "Dien Bin", SINCE)
    with pytest.raises(UnknownNameError, match="01 Hà Nội, 04 Cao Bằng"):
        find_province("vietnam", "99", SINCE)


@pytest.mark.parametrize("province", provinces("vietnam"), ids=str)
def test_every_study_file_is_valid_and_wired(tmp_path: Path, province: Province) -> None:
    path, said = make_province(tmp_path, "s", province.code, day=province.until or SINCE)
    study = Study.read(path)
    assert said.startswith(str(province))
    assert study.place is not None
    assert study.place.box == province.box
    wanted = Catalogue.load().wanted(named(study.sources))
    assert {offer.file for offer in wanted} == set(named(study.sources))


def test_a_study_is_not_written_over(tmp_path: Path) -> None:
    make_province(tmp_path, "s", "15")
    with pytest.raises(StudyError, match="exists already"):
        make_province(tmp_path, "s", "15")


def test_boxes_hold_the_provinces_of_another_source(shared: Path) -> None:
    """Against outlines of 2021 from gis.chinhphu.vn (62 of 63), islands beyond 110 E aside."""
    outlines = gpd.read_file(shared / "data/admin_vn/provinces_2021_simplified.gpkg")
    boxes = {p.code: p.box for p in provinces("vietnam") if p.until}
    short = {}
    for code, shape in zip(outlines["level1_id"], outlines.geometry, strict=True):
        parts = gpd.GeoSeries([shape]).explode().bounds.query("minx < 110")
        west, south, east, north = boxes[code]
        short[code] = max(west - parts.minx.min(), south - parts.miny.min(),
                          parts.maxx.max() - east, parts.maxy.max() - north)
    # a few shores differ by up to 3 km; an islet of Bình Thuận (60) lies in no outline of 2025
    assert {code for code, gap in short.items() if gap > 0.035} == {"60"}
