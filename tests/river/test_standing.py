"""The operations desk over a month: claims, checks, deliveries, and what was given when."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from phusong.cli import app
from phusong.ledger import GIVEN, Given
from phusong.store import Store
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def home(commune: Path, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(commune / "data", folder / "data")
    return folder


def _call(home: Path, *arguments: str) -> Any:
    ran = CliRunner().invoke(app, [arguments[0], "small", "--home", str(home), *arguments[1:]])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout) if "--json" in arguments else ran.stdout


def _sheet(home: Path, name: str, columns: dict[str, list[str]]) -> str:
    path = home / name
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


@pytest.mark.slow
def test_a_month_at_the_desk(home: Path) -> None:
    first = _call(home, "status", "--json")
    assert first["given_on"] is None
    bare = {t["name"]: t for t in first["targets"]}
    service = Store(home / "data/processed/small").read("service")
    listed = {r["point_id"] for r in first["field_checks"]}
    gap = sorted(set(service.index[service["reason"] == "terrain_blocked"]) - listed)[0]

    claim = _sheet(home, "claims_2021-12-10.csv", {
        "mã điểm": [gap, gap], "nhà mạng": ["Viettel", "Nobody"], "từ ngày": ["2021-12-08"] * 2})
    _call(home, "report", claim, "--about", "claim", "--recorded-at", "2021-12-10")
    told = _call(home, "status", "--json")
    mine = [r for r in told["field_checks"] if r["point_id"] == gap]
    assert {r["operator"] for r in mine} == {"Viettel", "Nobody"}
    assert mine[0]["claimed_from"] == "2021-12-08"
    assert {r["status"] for r in mine} == {"uncovered"}
    for target in told["targets"]:
        assert target["claimed_covered"] is not None
        for column in ("covered", "uncertain", "uncovered", "unknown", "learners_covered"):
            assert target[column] == bare[target["name"]][column], "a claim moved the model"
    assert gap in _call(home, "status", "--field-checks", "-q")

    check = _sheet(home, "checks.csv", {"mã điểm": [gap], "kết quả": ["không có sóng"],
                                        "ngày đo": ["2021-12-12"]})
    _call(home, "report", check, "--about", "check", "--recorded-at", "2021-12-13")
    after = _call(home, "status", "--json")
    assert not [r for r in after["field_checks"] if r["point_id"] == gap], "it has been checked"
    assert after["targets"][0]["measured_uncovered"] is not None

    needy = _call(home, "allocate", "--devices", "25", "--json")
    assert needy["allocated"] == 25
    school = next(r["point_id"] for r in needy["rows"] if r["allocated"])
    given = _sheet(home, "devices.csv", {"mã trường": [school], "ngày giao": ["2021-12-01"],
                                         "số máy": ["1"], "số biên bản": ["BB1"]})
    for _ in range(2):
        _call(home, "report", given, "--about", "device")
    then = _call(home, "allocate", "--devices", "0", "--json")
    assert then["held"] == needy["held"] + 1
    assert then["need"] == needy["need"] - 1
    assert Path(then["table"]).read_bytes()[:2] == b"PK"
    late = _call(home, "status", "--json")
    assert late["devices"]["held"] == then["held"]

    record = Given(home / "data/processed/small" / GIVEN)
    assert record.verify() == []
    today = max(when for when, _ in record.at().values())
    again = _call(home, "status", "--json", "--known-on", today[:10])
    assert again["given_on"] == today
    for name in ("targets", "breakdown", "progress", "flows", "field_checks", "devices", "points",
                 "learners"):
        assert again[name] == late[name], name
    before = _call(home, "status", "--json", "--known-on", "2021-12-09")
    assert before["given_on"] is None
    assert before["targets"][0]["claimed_covered"] is None, "nobody knew of the claim then"


def test_every_claim_counts_and_the_last_word_of_each(home: Path) -> None:
    service = Store(home / "data/processed/small").read("service")
    every = [str(point) for point in service.index]
    found = []
    for number, (points, word) in enumerate(((every[::2], "phủ"), (every, "phủ"),
                                             (every[1::2], "mất sóng"))):
        day = f"2021-10-0{number + 1}"
        sheet = _sheet(home, f"words_{number}.csv", {
            "mã điểm": points, "nhà mạng": ["Viettel"] * len(points),
            "tình trạng": [word] * len(points), "từ ngày": [day] * len(points)})
        _call(home, "report", sheet, "--about", "claim")
        said = _call(home, "status", "--json")
        found.append(sum(target["claimed_covered"] for target in said["targets"]))
        listed = sum(target["points"] for target in said["targets"])
    assert found == [found[0], listed, found[0]]
    assert 0 < found[0] < listed
    proof = CliRunner().invoke(app, ["run", "small", "--home", str(home), "--full", "-q"])
    assert proof.exit_code == 0, proof.output


def test_contradictions_follow_new_towers_as_if_looked_at_anew(home: Path) -> None:
    store = Store(home / "data/processed/small")
    before = store.read("disagreement_by_operator")
    silent = before[(before["kind"] == "declared_only").to_numpy(bool)].index[:6]
    points = store.read("inputs.points").loc[silent.get_level_values(0)].to_crs(4326)
    sheet = _sheet(home, "towers.csv", {
        "operator": list(silent.get_level_values(1)), "action": ["new"] * len(silent),
        "site_code": [f"T{n}" for n in range(len(silent))], "technology": ["4G"] * len(silent),
        "effective_date": ["2021-12-01"] * len(silent), "height": ["42"] * len(silent),
        "frequency": ["1800"] * len(silent), "azimuth": [""] * len(silent),
        "lat": (points.geometry.y + 0.002).round(6).astype(str).tolist(),
        "lon": points.geometry.x.round(6).astype(str).tolist()})
    _call(home, "report", sheet)
    _call(home, "status", "--json")
    after = store.read("disagreement_by_operator")
    assert len(before.index.difference(after.index)) >= len(silent) // 2
    proof = CliRunner().invoke(app, ["run", "small", "--home", str(home), "--full", "-q"])
    assert proof.exit_code == 0, proof.output


def test_csv_for_people(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "phan-bo.csv"
    _call(home, "allocate", "--devices", "40", "--out", str(path), "-q")
    table = pd.read_csv(path, encoding="utf-8-sig", dtype=str)
    assert table["Phân bổ đợt này"].astype(int).sum() == 40
    assert table["Mã trường"].is_unique
    _call(home, "allocate", "--devices", "40", "--out", str(path), "-q", "--language", "en")
    assert "Allocated now" in path.read_text(encoding="utf-8-sig").splitlines()[0]
    for language, when, meant in (("vi", "15/12/2021", "Dữ liệu (4G) [data]"),
                                  ("en", "2021-12-15", "Data (4G) [data]")):
        book = tmp_path / f"{language}.xlsx"
        _call(home, "allocate", "--devices", "40", "--out", str(book), "-q", "--language", language)
        front = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python()
        assert [row[1] for row in front[3:5]] == [when, meant]
    wrong = CliRunner().invoke(app, ["allocate", "small", "--home", str(home), "--devices", "1",
                                     "--out", str(tmp_path / "x.pdf"), "-q"])
    assert wrong.exit_code == 1
    assert ".xlsx or .csv" in wrong.output


def test_a_switch_off(home: Path) -> None:
    said = _call(home, "status", "--switch-off", "LTE", "--json")
    rows = {row["definition"]: row for row in said["definitions"]}
    assert rows["data"]["counts"]
    assert rows["data"]["lost"] == rows["data"]["covered"] > 0, "nothing else carries data here"
    assert sum(r["definition"] == "data" for r in said["lost"]) == rows["data"]["lost"]
    one = _call(home, "status", "--switch-off", "LTE", "--operator", "Viettel", "--json")
    assert 0 <= len(one["lost"]) < len(said["lost"])
    none = _call(home, "status", "--switch-off", "GSM", "-q")
    assert "No definition of covered counts that technology" in none
    wrong = CliRunner().invoke(app, ["status", "small", "--home", str(home), "--switch-off", "6G"])
    assert wrong.exit_code == 1
    assert "6G" in wrong.output
    spoken = _call(home, "status", "--switch-off", "4g", "--operator", "Viettel", "--json")
    assert spoken == one, "as operators call it"
    slip = CliRunner().invoke(app, ["status", "small", "--home", str(home), "--switch-off", "LTE",
                                    "--operator", "Vietel"])
    assert slip.exit_code == 1, "nothing lost by nobody would be a false comfort"
    assert 'Did you mean "Viettel"?' in slip.output


def test_status_by(home: Path) -> None:
    assert "by operator" in _call(home, "status", "--by", "operator", "-q")
    wrong = CliRunner().invoke(app, ["status", "small", "--home", str(home), "--by", "town"])
    assert wrong.exit_code == 1
    assert "commune" in wrong.output
