"""Each screen of the operations desk says as much in Vietnamese as in English, and no English."""

from __future__ import annotations

import json
import re
import shutil
import string
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from phusong.cli import app
from phusong.maps.words import words
from phusong.pipeline import STAGES
from phusong.screen import Screen, phrases
from phusong.screen.standing import _figure_name
from phusong.store import Store
from phusong.tables import BREAKDOWN, BY, PROGRESS
from rich.console import Console
from typer.testing import CliRunner

SCREENS = {
    "status": ["status", "--by", "kind", "--field-checks"],
    "given": ["status", "--known-on", "2099-01-01"],
    "off": ["status", "--switch-off", "LTE", "--operator", "Viettel"],
    "off for nobody": ["status", "--switch-off", "GSM"],
    "allocate": ["allocate", "--devices", "7"], "spare": ["allocate", "--devices", "90000"],
    "diff": ["diff", "2021-10-15", "2021-12-15"], "waiting": ["waiting"],
    "report": ["report", "2021-12-02_Viettel.csv", "--dry-run"],
}
BATCH = [{"study": "small", "ok": True, "seconds": 1234.5, "points": 1200, "uncovered": 70,
          "error": ""}, {"study": "nowhere", "ok": False, "seconds": 0.1, "points": None,
                         "uncovered": None, "error": "?"}]
TYPED = """Viettel, VNPT, MobiFone; small, nowhere; data, class, school, voice; RSRP dBm dB;
technologies GSM LTE; phusong settle verdict same distinct reason, field checks, json"""
REPORTS = {
    "site": ("2021-12-01_Viettel.csv", {
        "hành động": ["tháo dỡ", "mới", "mới", "mới"], "mã trạm": ["NO1", "NEW1", "NEW2", "NEW3"],
        "mã cell": ["C1"] * 4, "ngày hiệu lực": ["2021-11-20"] * 4,
        "vĩ độ": ["", "22.35", "22.3501", "abc"], "kinh độ": ["", "103.85", "103.8501", "103.85"],
        "công nghệ": ["", "4G", "4G", "4G"], "tần số": ["", "1800", "1800", "1800"]}),
    "claim": ("claims.csv", {"mã điểm": ["{gap}"], "nhà mạng": ["Viettel"],
                             "từ ngày": ["2021-12-08"]}),
    "device": ("devices.csv", {"mã trường": ["{gap}"], "ngày giao": ["2021-12-01"],
                               "số máy": ["1234"], "số biên bản": ["BB1"]}),
    "gap": ("register.csv", {"mã điểm": ["{gap}", "{gap}"], "tình trạng": ["mở", "rút"],
                             "từ ngày": ["2021-10-20", "2021-12-05"], "lý do": ["", "đã gộp"],
                             "danh sách": ["others_2022_01", ""]}),
}


@pytest.fixture(scope="module")
def home(commune: Path, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk at which something of every kind was reported, after figures had been given."""
    folder = tmp_path_factory.mktemp("both")
    shutil.copytree(commune / "data", folder / "data")
    service = Store(folder / "data/processed/small").read("service")
    gap = sorted(service.index[service["reason"] == "terrain_blocked"])[0]
    for about, (name, columns) in REPORTS.items():
        rows = pd.DataFrame({head: [cell.replace("{gap}", gap) for cell in cells]
                             for head, cells in columns.items()})
        rows.to_csv(folder / name, index=False)
        if about == "site":
            rows.replace("NEW1", "NEW5").to_csv(folder / "2021-12-02_Viettel.csv", index=False)
        _call(folder, "en", "report", name, "--about", about)
    return folder


def _call(home: Path, language: str, verb: str, *rest: str) -> str:
    """What a command shows, progress bars and all."""
    arguments = [str(home / word) if word.endswith(".csv") else word for word in rest]
    spoken = ["--language", language] if language else []
    ran = CliRunner().invoke(app, [verb, "small", *arguments, "--home", str(home), *spoken])
    assert ran.exit_code == 0, ran.output
    return ran.output


def _english() -> Iterator[str]:
    """Every piece of a sentence or word that stands in an English screen of the desk."""
    said = [text["en"] for text in (*phrases._phrases().values(), *phrases._steps().values())]
    said += [text["en"] for group in ("kind", "reason_short", "device", "evidence", "status")
             for text in words()[group].values()]
    for text in said:
        for piece, *_ in string.Formatter().parse(text):
            if len(piece := piece.strip(" ,.;:()*")) > 2 and not piece.startswith(("--", "%")):
                yield piece


def _prose(shown: str) -> str:
    """What is shown without paths, file names and what operators call their columns."""
    return re.sub(r"\S*/\S*|\S+\.(?:csv|xlsx|yml)\b|«[^»]*»|\{[^}]*\}|\[[^\]]*\]", " ", shown)


@pytest.fixture(scope="module")
def figures(home: Path) -> dict[str, Any]:
    return dict(json.loads(_call(home, "vi", "status", "--json")))


@pytest.fixture(scope="module")
def shown(home: Path, figures: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What each screen shows, in both languages."""
    found = {name: {language: _call(home, language, *words) for language in ("vi", "en")}
             for name, words in SCREENS.items()}
    off, given = (json.loads(_call(home, "vi", *SCREENS[name], "--json"))
                  for name in ("off", "spare"))
    many = _thousandfold(figures)
    drawn: dict[str, Callable[[Screen, str], None]] = {
        **{by: partial(_standing, figures=many, by=by) for by in BY},
        "many off": lambda screen, language: screen.switch_off(_thousandfold(off), language),
        "many given": lambda screen, language: screen.allocation(_thousandfold(given), language),
        "batch": lambda screen, language: screen.batch(BATCH, language)}
    return found | {name: {language: _drawn(lambda screen, draw=draw, language=language: draw(
        screen, language)) for language in ("vi", "en")} for name, draw in drawn.items()}


def _standing(screen: Screen, language: str, *, figures: dict[str, Any], by: str) -> None:
    screen.standing(figures, by, language, checks=True)


def _thousandfold(said: Any) -> Any:
    """The same document with every count 1,003 times as large."""
    if isinstance(said, dict):
        return {name: _thousandfold(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_thousandfold(value) for value in said]
    return said * 1003 if isinstance(said, int) and not isinstance(said, bool) else said


def _drawn(draw: Callable[[Screen], None]) -> str:
    screen = Screen()
    screen.out = Console(file=StringIO(), soft_wrap=True, highlight=False, width=140)
    draw(screen)
    return str(screen.out.file.getvalue())  # type: ignore[attr-defined]


def test_no_english_phrase_stands_in_a_vietnamese_screen(shown: dict[str, dict[str, str]]) -> None:
    pieces = sorted(set(_english()))
    assert len(pieces) > 150
    seen = set()
    for name, by_language in shown.items():
        here = {piece for piece in pieces
                if re.search(rf"(?<!\w){re.escape(piece)}(?!\w)", _prose(by_language["vi"]))}
        assert not here, (name, here)
        seen |= {piece for piece in pieces if piece in by_language["en"]}
    assert len(seen) > 100, "the English screens say them, so the test can fail"


def test_languages_share_names_and_what_is_typed(home: Path, shown: dict[str, dict[str, str]]
                                                 ) -> None:
    """A word of both screens is a name, a key of the study or part of a command."""
    files = [path.read_text(encoding="utf-8") for path in home.glob("data/raw/small/*.csv")
             if path.stem != "cells"]  # the columns of all others have Vietnamese names
    given = {*_bare(" ".join(files)), *_bare(TYPED)}
    for name, by_language in shown.items():
        shared = set(_bare(by_language["vi"])) & set(_bare(by_language["en"])) - given
        assert not {word for word in shared if word.isascii()}, name


def _bare(text: str) -> list[str]:
    return re.findall(r"(?<![\w-])[^\W\d_]{2,}(?![\w-])", _prose(text))


def test_a_study_s_own_words_in_both_languages(figures: dict[str, Any],
                                               shown: dict[str, dict[str, str]]) -> None:
    for language, label in (("vi", "Dữ liệu (4G) [data]"), ("en", "Data (4G) [data]")):
        for name in ("status", "off", "diff", "report"):
            assert label in shown[name][language], name
        for target in figures["targets"]:
            assert target["label"][language] in shown["diff"][language]
            assert target["name"] not in shown["diff"][language]
    assert "covered means: data\n" in shown["operator"]["en"], "a screen that knows no study"


def test_both_languages_say_as_much(shown: dict[str, dict[str, str]]) -> None:
    for name, by_language in shown.items():
        lines = {language: [line for line in text.splitlines()
                            if line.strip() and not line.startswith("✓")]
                 for language, text in by_language.items()}
        assert len(lines["vi"]) == len(lines["en"]) > 2, name


def test_numbers_and_days_as_vietnamese_writes_them(shown: dict[str, dict[str, str]]) -> None:
    for name, by_language in shown.items():
        prose = _prose(by_language["vi"])
        assert not re.findall(r"\d{4}-\d\d-\d\d", prose), name
        assert not re.findall(r"\d,\d{3}(?!\d)|(?<!\d)\d+\.\d{1,2}(?!\d)", prose), name
    assert "đã có 1.234," in shown["status"]["vi"], "devices"
    assert "held 1,234" not in shown["status"]["vi"]
    assert re.search(r"[+-]\d+,\d ", shown["status"]["vi"]), "a margin"
    assert "1.234,5" in shown["batch"]["vi"]
    for name in ("kind", "operator", "many off", "many given"):
        assert len(re.findall(r"\d\.\d{3}", shown[name]["vi"])) > 5, name
    assert "15/12/2021" in shown["diff"]["vi"]
    assert "2021-12-15" in shown["diff"]["en"]


@pytest.mark.parametrize("name", ["status", "off", "allocate", "diff", "waiting"])
def test_json_has_one_language(home: Path, name: str) -> None:
    """Whatever is spoken, the document is the same to the byte, and holds no word of the desk."""
    said = [_call(home, language, *SCREENS[name], "--json") for language in ("vi", "en")]
    assert said[0] == said[1]
    assert "chưa phủ sóng" not in said[0]


def test_a_table_of_devices_speaks_vietnamese_unless_told(home: Path) -> None:
    path = home / "devices given.csv"
    ask = ["allocate", "--devices", "7", "-q", "--out", path.name]
    assert "devices to give" in _call(home, "", *ask)
    assert "Phân bổ đợt này" in path.read_text(encoding="utf-8-sig")
    assert "máy để phân bổ" in _call(home, "vi", *ask)
    assert "devices to give" in _call(home, "en", *ask)
    assert "Allocated now" in path.read_text(encoding="utf-8-sig")


def test_an_explanation_in_vietnamese(home: Path, figures: dict[str, Any]) -> None:
    point = figures["field_checks"][0]["point_id"]
    told = {language: _call(home, language, "explain", point, "-q") for language in ("vi", "en")}
    numbers = {language: re.findall(r"(?<= )[+-]?\d+[.,]\d+(?= )", text)
               for language, text in told.items()}
    assert len(numbers["en"]) > 20
    assert numbers["vi"] == [number.replace(".", ",") for number in numbers["en"]]
    assert re.search(r"\boperator\b.*\bmodel\b", told["en"])
    assert not re.search(r"\b(operator|band|clear|free space|model|outdoors?|assumed|learners)\b",
                         told["vi"])


def test_inputs_in_vietnamese(home: Path) -> None:
    """What is the case stays English in brackets, and columns keep their names."""
    told = {language: _call(home, language, "check") for language in ("vi", "en")}
    assert len(told["vi"].splitlines()) == len(told["en"].splitlines()) > 20
    plain = "\n".join(line for line in _prose(told["vi"]).splitlines() if " = " not in line)
    assert not re.search(r"\b(row|rows|error|warning|assumption|columns?|mended|used|places)\b",
                         plain)
    assert re.search(r"^0 lỗi, \d+ cảnh báo, \d+ giả định$", told["vi"], re.MULTILINE)
    assert re.search(r"^0 errors, \d+ warnings?, \d+ assumptions?$", told["en"], re.MULTILINE)


def test_mends_in_both_languages() -> None:
    mends = [{"file": "schools.csv", "row": row, "was": "22.1", "now": "104.2",
              "why": "swapped_coordinates"} for row in range(2, 1202)]
    told = {language: _drawn(lambda screen, language=language: screen.mends(mends, language))
            for language in ("vi", "en")}
    assert told["en"].startswith("mended schools.csv, swapped_coordinates (1,200): row 2: 22.1 -> ")
    assert re.match(r"đã sửa schools\.csv, .*đổi chỗ.* \(1\.200\): dòng 2: 22\.1 -> ", told["vi"])
    assert "swapped" not in told["vi"]


def test_every_step_and_every_figure_has_words() -> None:
    steps = {stage.makes for stage in STAGES} | {"read", "links", "compile", "batch", "map"}
    assert steps <= set(phrases._steps())
    for words_of in phrases._steps().values():
        assert words_of["en"] != words_of["vi"]
    for column in {*PROGRESS.columns, *BREAKDOWN.columns} - {"label"}:
        said = {language: _figure_name(column, language) for language in ("en", "vi")}
        assert said["en"] != said["vi"], column
        assert "_" not in said["vi"]
    assert _figure_name("a_new_figure", "vi") == "a new figure"
