"""The register of gap points from the command line: opened, withdrawn, merged, opened again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from phusong.cli import app
from phusong.ledger import GIVEN, Given
from typer.testing import CliRunner

LIST = "others_2022_01"
HEAD = "mã điểm;tình trạng;từ ngày;lý do;gộp vào;danh sách\n"


@pytest.fixture(scope="module")
def home(commune: Path, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    shutil.copytree(commune / "data", folder / "data")
    return folder


def _call(home: Path, *arguments: str) -> Any:
    ran = CliRunner().invoke(app, [arguments[0], "small", "--home", str(home), *arguments[1:]])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout) if "--json" in arguments else ran.stdout


def _points(said: dict[str, Any]) -> dict[str, int]:
    return {row["date"]: row["points"] for row in said["progress"] if row["target"] == LIST}


def _register(home: Path, recorded_at: str, *rows: str) -> dict[str, Any]:
    path = home / f"register {recorded_at}.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    told: dict[str, Any] = _call(home, "report", str(path), "--about", "gap", "--recorded-at",
                                 recorded_at, "--json")
    return told


def test_why_the_denominator_moved(home: Path) -> None:
    first = _call(home, "status", "--json")
    before = _points(first)
    assert first["register"] == []
    assert _register(home, "2021-11-02", f"X1;mở;20/10/2021;;;{LIST}",
                     f"X2;open;2021-10-20;;;{LIST}")["accepted"] == 2
    told = _register(home, "2021-12-02", "X1;đóng;2021-11-20;school closed;;",
                     "X2;gộp;2021-11-20;one place, two names;X1;",
                     "X2;withdraw;2021-11-21;;;", "X9;open;2021-13-01;;;")
    assert (told["rows"], told["accepted"], told["rejected"]) == (4, 2, 2)
    assert _register(home, "2021-12-10", "X1;mở lại;2021-12-05;a new class;;",
                     f"X1;mở;20/10/2021;;;{LIST}") | {"files": []} == {
        "rows": 2, "accepted": 1, "duplicate": 1, "rejected": 0, "refused": 0,
        "changed_cells": 0, "suspects": 0, "dry_run": False, "unknown_points": {}, "files": [],
        "unknown_operators": {}, "rejected_rows": []}

    said = _call(home, "status", "--json")
    after = _points(said)
    assert {day: after[day] - before[day] for day in after} == {
        day: 2 if "2021-10-20" <= day < "2021-11-20" else 0 if day < "2021-12-05" else 1
        for day in after}
    assert {2, 0, 1} == {after[day] - before[day] for day in after}, "each stage is on a snapshot"
    assert [(r["date"], r["point_id"], r["action"], r["counts"], r["reason"])
            for r in said["register"]] == [
        ("2021-10-20", "X1", "open", 1, ""), ("2021-10-20", "X2", "open", 1, ""),
        ("2021-11-20", "X1", "withdraw", -1, "school closed"),
        ("2021-11-20", "X2", "merge", -1, "one place, two names"),
        ("2021-12-05", "X1", "reopen", 1, "a new class")]
    gone = {(f["point_id"], f["change"]): f["reason"] for f in said["flows"]
            if f["target"] == LIST and f["point_id"].startswith("X")}
    assert gone[("X1", "left")] == "school closed"
    assert gone[("X2", "left")] == "one place, two names"
    restated = {r["date"]: r for r in said["restated"] if r["target"] == LIST}
    assert "points" in restated[said["as_of"]]["differ"]
    for row in restated.values():
        assert all(len({json.dumps(g[name]) for g in row["given"]}) > 1 for name in row["differ"])

    shown = _call(home, "status", "-q")
    assert "X1 opened again: a new class" in shown
    was = before[said["as_of"]]
    name = next(t["label"]["en"] for t in said["targets"] if t["name"] == LIST)
    assert f"Restated: {name} on {said['as_of']}: points {was:,} as known" in shown
    then = _call(home, "status", "--known-on", "2021-11-15", "--json")
    assert _points(then)[said["as_of"]] == before[said["as_of"]] + 2, "both open, for all we knew"
    assert [r["action"] for r in then["register"]] == ["open", "open"]


@pytest.mark.slow
def test_a_run_records_what_it_gives_as_status_does(home: Path) -> None:
    record = Given(home / "data/processed/small" / GIVEN)
    _call(home, "status", "--json")
    rows = sum(map(len, record.history().values()))
    _call(home, "run", "--no-map", "-q", "--json")
    assert sum(map(len, record.history().values())) == rows, "the same figures are one row"
    path = home / "register.csv"
    path.write_text(HEAD + f"X5;open;2021-12-01;;;{LIST}\n", encoding="utf-8")
    _call(home, "report", str(path), "--about", "gap")
    _call(home, "run", "--no-map", "-q", "--json")
    assert sum(map(len, record.history().values())) > rows
    more = sum(map(len, record.history().values()))
    _call(home, "map", "--known-on", "2021-11-15", "--out", str(home / "then.html"), "-q")
    assert sum(map(len, record.history().values())) == more, "what would have been is not given"
    assert record.verify() == []
