"""The hand-out: text stays text, figures are those of the tables, the same input the same bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong.maps import Sheets, brief, hand_out, workbook
from PIL import Image
from python_calamine import CalamineWorkbook
from test_hostile import HOSTILE


@pytest.fixture(scope="module")
def sheets(small: dict[str, Any]) -> Sheets:
    """The small study's tables, without the relief."""
    return Sheets(**{k: v for k, v in small.items() if k not in ("study", "terrain")})


def _back(raw: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_codes_keep_their_zeros_and_numbers_their_digits(small: dict[str, Any]) -> None:
    raw = workbook(small["study"], {"points": small["points"], "plan": small["plan"]})
    rows = _back(raw)["points"]
    head, first = rows[0], rows[2]
    assert first[head.index("point_id")] == "00000"
    assert first[head.index("commune_code")] == small["points"]["commune_code"].iloc[0]
    plan = _back(raw)["plan"]
    costs = [row[plan[0].index("cost_total")] for row in plan[2:]]
    assert costs == small["plan"]["cost_total"].tolist()
    degrees = small["points"].to_crs(4326).geometry.iloc[0]
    assert first[head.index("longitude_deg")] == pytest.approx(degrees.x, abs=1e-6)


def test_no_text_becomes_a_formula_or_a_link(small: dict[str, Any]) -> None:
    frame = pd.DataFrame({"name": HOSTILE}, index=pd.RangeIndex(len(HOSTILE), name="row"))
    raw = workbook(small["study"], {"hostile": frame})
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert not any("Relationships" not in book.read(n).decode() for n in book.namelist()
                       if n.startswith("xl/worksheets/_rels"))
    shown = [row[1] for row in _back(raw)["hostile"][2:]]
    for text in ("=cmd|' /C calc'!A0", "00123", "1e5", "</script><script>window.harmed=1</script>",
                 "Trường “Tiểu học” số 1", "@SUM(1)"):
        assert text in shown


def test_a_missing_number_is_an_empty_cell(small: dict[str, Any]) -> None:
    rows = _back(workbook(small["study"], {"points": small["points"]}))["points"]
    column = rows[0].index("learners")
    given = small["points"]["learners"].to_numpy()
    for row, value in zip(rows[2:], given, strict=True):
        assert row[column] == ("" if np.isnan(value) else value)


def test_the_same_input_gives_the_same_files(small: dict[str, Any], sheets: Sheets,
                                             tmp_path: Path) -> None:
    one = hand_out(small["study"], sheets, tmp_path / "a", language="en")
    two = hand_out(small["study"], sheets, tmp_path / "b", language="en")
    assert set(one) == {"html", "pdf", "png", "xlsx", "zip"}
    for kind in one:
        assert one[kind].read_bytes() == two[kind].read_bytes(), kind
    assert one["zip"].stat().st_size < 10_000_000
    with zipfile.ZipFile(one["zip"]) as archive:
        assert archive.testzip() is None
        assert [n.rsplit("/")[-1] for n in archive.namelist()] == [
            "index.html", "brief.pdf", "brief.png", "tables.xlsx", "CONTENTS.txt"]


def test_the_brief_is_a_page_with_ink_on_it(small: dict[str, Any], sheets: Sheets) -> None:
    made = brief(small["study"], sheets, language="vi")
    assert made.pdf.startswith(b"%PDF")
    assert made.pdf.count(b"/Type /Page\n") + made.pdf.count(b"/Type /Page ") == 1
    picture = np.asarray(Image.open(io.BytesIO(made.png)).convert("RGB")).reshape(-1, 3)
    for colour in ((0, 114, 178), (213, 94, 0), (230, 159, 0)):
        assert (np.abs(picture.astype(int) - colour).max(axis=1) < 6).sum() > 200, colour


def test_a_title_full_of_dollars_is_no_formula(small: dict[str, Any], sheets: Sheets) -> None:
    from dataclasses import replace

    from phusong.nouns import Text

    study = replace(small["study"], title=Text(en="$\\frac{1}{0$ \\x_y^{", vi="$$"))
    assert brief(study, sheets, language="en").png
    assert brief(study, sheets, language="vi").png


def test_a_public_workbook_withholds_small_counts(small: dict[str, Any], sheets: Sheets,
                                                  tmp_path: Path) -> None:
    from dataclasses import replace

    few = replace(sheets, points=small["points"].assign(learners_poor=3.0))
    made = hand_out(small["study"], few, tmp_path, audience="public")
    rows = _back(made["xlsx"].read_bytes())["points"]
    column = rows[0].index("learners_poor")
    assert {row[column] for row in rows[2:]} == {""}
