"""A brief for each province, an archive that mail lets through, and nothing personal in either."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes
from phusong.maps import Sheets, brief, handout, part, province_names, workbook
from phusong.maps.figures import WITHHELD_BELOW, situation
from phusong.maps.handout import hand_out
from python_calamine import CalamineWorkbook


@pytest.fixture(scope="module")
def sheets(small: dict[str, Any]) -> Sheets:
    """The small study's tables, without the relief."""
    return Sheets(**{k: v for k, v in small.items() if k not in ("study", "terrain")})


def test_the_parts_make_up_the_whole(sheets: Sheets) -> None:
    names = province_names(sheets)
    assert names == {"01": "01", "08": "Tỉnh Đông"}
    parts = {code: part(sheets, code) for code in names}
    assert sorted(p for one in parts.values() for p in one.points.index) == sorted(
        sheets.points.index)
    for code, one in parts.items():
        communes = one.around.communes
        assert set(communes["province_code"]) == {code}
        placed = one.points[one.points.geometry.notna()]
        assert placed.within(communes.union_all().buffer(1.0)).all()
        assert one.service.index.equals(one.points.index)
    plans = pd.concat([one.plan for one in parts.values()]).sort_index()
    assert set(plans.index) <= set(sheets.plan.index)
    assert len(plans) >= len(sheets.plan) - 2   # a site may stand outside all communes


def test_a_study_of_one_province_has_one_brief(sheets: Sheets) -> None:
    around = replace(sheets.around, communes=sheets.around.communes.assign(province_code="01"))
    assert province_names(replace(sheets, around=around)) == {}
    assert province_names(replace(sheets, around=None)) == {}


def test_each_province_gets_its_brief(small: dict[str, Any], sheets: Sheets, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    provinces = {"08": ("Tỉnh Đông", part(sheets, "08"))}
    monkeypatch.setattr(handout, "draw_sheets", lambda *a, **k: None)
    monkeypatch.setattr(handout, "seal", lambda *a, **k: "<html></html>")
    made = hand_out(small["study"], sheets, tmp_path, provinces=provinces)
    assert {"pdf 08", "png 08"} <= set(made)
    assert made["pdf 08"].name == "brief-08.pdf"
    assert made["pdf 08"].read_bytes() != made["pdf"].read_bytes()
    with zipfile.ZipFile(made["zip"]) as archive:
        assert "small/brief-08.pdf" in archive.namelist()
    monkeypatch.setattr(handout, "LARGEST_ARCHIVE", made["zip"].stat().st_size - 20_000)
    less = hand_out(small["study"], sheets, tmp_path, provinces=provinces)
    assert less["zip"].stat().st_size < handout.LARGEST_ARCHIVE
    with zipfile.ZipFile(less["zip"]) as archive:
        told = archive.read("small/CONTENTS.txt").decode()
        left = [line for line in told.splitlines() if "không có trong tệp nén" in line]
        assert len(left) >= 1
        assert all(f"small/{line.split('  ')[0]}" not in archive.namelist() for line in left)


def test_a_province_adds_up_its_own_sites(small: dict[str, Any], sheets: Sheets,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """What the whole plan gains up to a rank is no figure of a province."""
    written: list[str] = []
    original = Axes.text

    def kept(self: Axes, x: float, y: float, text: str, **how: Any) -> Any:
        written.append(text)
        return original(self, x, y, text, **how)

    monkeypatch.setattr(Axes, "text", kept)
    mine = part(sheets, "08")
    brief(small["study"], mine, language="en", part="Tỉnh Đông")
    gained, cost = mine.plan["students_gained"].sum(), mine.plan["cost_total"].sum()
    assert f"+{gained:,.0f} students, {cost / 1e9:.2f} billion VND" in written
    assert "Tỉnh Đông – Small province" in written
    brief(small["study"], part(sheets, "01"), language="en", part="01")
    assert "Province 01 – Small province" in written


def test_only_declared_columns_leave_the_house(small: dict[str, Any]) -> None:
    spied = small["points"].assign(phone="0912 345 678", principal="Nguyễn Văn A")
    raw = workbook(small["study"], {"points": spied, "spots": small["spots"].assign(owner="B")})
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    for name in ("points", "spots"):
        head = book.get_sheet_by_name(name).to_python()[0]
        assert not {"phone", "principal", "owner"} & set(head)
        assert {"name", "site_id"} & set(head)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        assert not any(b"0912 345 678" in packed.read(n) for n in packed.namelist())


def test_a_single_withheld_number_cannot_be_found_by_subtraction() -> None:
    points = pd.DataFrame({"kind": "school", "learners": 100.0,
                           "learners_poor": [3.0, 30.0, 40.0]})
    service = pd.DataFrame({"status": ["uncovered", "covered", "uncertain"],
                            "reason": ["terrain_blocked", "covered", "margin_too_thin"]})
    counts = situation(points, service, public=True)["status"]
    assert counts["uncovered"]["poor"] == "withheld"
    told = [counts[s]["poor"] for s in ("covered", "uncertain", "uncovered", "unknown")]
    assert told.count("withheld") == 2
    assert counts["total"]["poor"] == 73
    assert WITHHELD_BELOW == 5


def test_a_public_workbook_holds_no_weights(small: dict[str, Any], sheets: Sheets) -> None:
    """A weight may be a count of poor learners times a factor."""
    public = handout._tables(sheets, True)
    assert not {"weight_gained", "cumulative_weight", "bound"} & set(public["plan"].columns)
    assert {"weight_gained", "bound"} <= set(handout._tables(sheets, False)["plan"].columns)
